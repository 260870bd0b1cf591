//! Broken tables: footers, handles, blocks, compression, order.

use super::{Case, handmade_block, one_row_a_block, rows, true_entry};
use crate::block::Block;
use crate::proto::varint;
use crate::table::{Compression, TableBuilder, handle, snappy};

/// A table of all rows in one block.
fn plain(table: TableBuilder) -> TableBuilder {
    let mut table = table;
    for (key, value) in rows() {
        table.add(key, value);
    }
    table
}

/// The contents of the block that [`plain`] writes.
fn contents() -> Vec<u8> {
    let mut block = Block::new(16);
    for (key, value) in rows() {
        block.add(&key, &value);
    }
    block.finish()
}

/// A table of one block stored as given.
fn stored(bytes: &[u8], kind: u8) -> TableBuilder {
    let mut table = TableBuilder::new();
    table.raw_block(bytes, kind, "w");
    table
}

/// A table whose second data block's handle is replaced.
fn second_handle(bytes: Vec<u8>) -> TableBuilder {
    one_row_a_block(TableBuilder::new().index_edit(move |index| index[1].handle = bytes))
}

pub(super) fn cases() -> Vec<Case> {
    [footers(), handles(), blocks(), snappies(), order(), sound()].concat()
}

fn footers() -> Vec<Case> {
    let c = Case::damaged;
    let whole = plain(TableBuilder::new()).finish();
    let end = whole.len();
    let mut wild = vec![0xff; 40];
    wild.extend_from_slice(&whole[end - 8..]);
    let junk_after = [&whole[..], b"junk"].concat();
    vec![
        c("table-empty-file", "the index is empty").index([]),
        c("table-47-bytes", "one byte too short for a footer").index(&whole[end - 47..]),
        c("table-footer-only", "a footer whose handles point beyond what is left").index(&whole[end - 48..]),
        c("table-footer-of-zeros", "a footer with two handles to nothing")
            .index([&[0; 40], &whole[end - 8..]].concat()),
        c("table-footer-wild-varints", "handles that never end").index(wild),
        c("table-bad-magic", "the magic number of nothing").table(plain(TableBuilder::new().magic(0x1234_5678))),
        c("table-junk-after-footer", "four bytes follow the footer").index(junk_after),
        c("table-first-half", "the second half is missing").index(&whole[..end / 2]),
        c("table-first-byte-lost", "every offset is off by one").index(&whole[1..]),
        c("table-index-handle-beyond-file", "the footer says that the index is at 1 TiB")
            .table(plain(TableBuilder::new().index_handle(1 << 40, 100))),
        c("table-index-handle-overflow", "offset + size of the index does not fit 64 bits")
            .table(plain(TableBuilder::new().index_handle(u64::MAX - 10, 100))),
        c("table-index-handle-max-size", "size + trailer of the index does not fit 64 bits")
            .table(plain(TableBuilder::new().index_handle(0, u64::MAX))),
        c("table-index-is-the-footer", "the footer says that it is the index itself")
            .table(plain(TableBuilder::new().index_handle(end as u64 - 48, 48))),
        c("table-index-is-the-data", "the footer says that the first data block is the index")
            .table(plain(TableBuilder::new().index_handle(0, contents().len() as u64))),
        c("table-index-is-the-metaindex", "the index is an empty block, so that no data is found")
            .table(plain(TableBuilder::new().index_handle(contents().len() as u64 + 5, 8))),
        Case::arguable("table-metaindex-beyond-file", "the metaindex, which nobody reads, is at 1 TiB")
            .table(plain(TableBuilder::new().metaindex_handle(1 << 40, 8))),
        c("table-index-checksum", "the checksum of the index is wrong")
            .table(plain(TableBuilder::new().corrupt_index_checksum())),
        c("table-no-data-blocks", "a whole table without any entry").table(TableBuilder::new()),
    ]
}

fn handles() -> Vec<Case> {
    let c = Case::damaged;
    vec![
        c("handle-beyond-file", "a data block at 1 TiB").table(second_handle(handle(1 << 40, 100))),
        c("handle-overflow", "offset + size does not fit 64 bits").table(second_handle(handle(u64::MAX - 10, 100))),
        c("handle-max-size", "a data block of 2^64 - 1 bytes").table(second_handle(handle(0, u64::MAX))),
        c("handle-huge-size", "a data block of 1 TiB in a small file").table(second_handle(handle(0, 1 << 40))),
        c("handle-without-room-for-trailer", "a data block that ends with the file").table({
            let end = one_row_a_block(TableBuilder::new()).finish().len() as u64;
            second_handle(handle(end - 20, 20))
        }),
        c("handle-empty", "an index entry without a value").table(second_handle(Vec::new())),
        c("handle-half", "an index entry with an offset but no size").table(second_handle(vec![0x80, 0x01])),
        c("handle-endless-varint", "a handle whose varint has eleven bytes").table(second_handle(vec![0xff; 11])),
        c("handle-same-block-twice", "two index entries lead to the same block")
            .table(one_row_a_block(TableBuilder::new().index_edit(|index| index[2].handle = index[1].handle.clone()))),
        c("handle-of-the-index", "an index entry leads back to the index block").index({
            let (_, layout) = one_row_a_block(TableBuilder::new()).finish_with_layout();
            let (at, len) = (layout.index.contents.start, layout.index.contents.len());
            // The edited handle is one byte longer than the one it replaces.
            let old = layout.data[5].contents.clone();
            let grown = handle(at as u64, len as u64).len() - handle(old.start as u64, old.len() as u64).len();
            let own = handle(at as u64, (len + grown) as u64);
            one_row_a_block(TableBuilder::new().index_edit(move |index| index[5].handle = own)).finish()
        }),
        c("handle-forgotten", "a data block that no index entry leads to")
            .table(one_row_a_block(TableBuilder::new().index_edit(|index| drop(index.remove(3))))),
        c("handle-100000-to-one-block", "100,000 index entries for the same block").table(one_row_a_block(
            TableBuilder::new().index_edit(|index| {
                let last = index.pop().expect("six blocks");
                index.extend(vec![last; 100_000]);
            }),
        )),
    ]
}

fn blocks() -> Vec<Case> {
    let c = Case::damaged;
    let entry = true_entry().proto().build();
    let len = entry.len() as u64;
    let lying = |shared, unshared, value_len| {
        let entry = entry.clone();
        handmade_block(move |mut block| {
            block.lying_entry(shared, unshared, value_len, b"w", &entry);
            block.finish()
        })
    };
    let raw = |bytes: Vec<u8>| {
        handmade_block(move |mut block| {
            block.raw(&bytes);
            block.finish()
        })
    };
    let restarts = |restarts: &'static [u32], claimed| {
        let entry = entry.clone();
        handmade_block(move |mut block| {
            block.add(b"w", &entry);
            block.finish_with(restarts, claimed)
        })
    };
    let index_tail = |claimed: u32| {
        plain(TableBuilder::new().index_block_edit(move |block| {
            let at = block.len() - 4;
            block[at..].copy_from_slice(&claimed.to_le_bytes());
        }))
    };
    let long_varint = [&[0x80; 10][..], &[0x00, 1, 0, b'w']].concat();
    let wide = [varint(1 << 32), vec![1, 0, b'w']].concat();
    vec![
        c(
            "block-checksum-first",
            "the header's block has a wrong checksum: TensorFlow takes the next entry for the header",
        )
        .table(one_row_a_block(TableBuilder::new().corrupt_checksum(0))),
        c("block-checksum-middle", "one block of six has a wrong checksum: TensorFlow loses its tensors silently")
            .table(one_row_a_block(TableBuilder::new().corrupt_checksum(3))),
        c("block-empty", "a block of no bytes").table(stored(&[], 0)),
        c("block-three-bytes", "a block too short for its restart count").table(stored(&[0; 3], 0)),
        c("block-zero-restarts", "a block with entries and no restart").table(restarts(&[], 0)),
        c("block-huge-restart-count", "2^32 - 1 restarts in a small block").table(restarts(&[0], u32::MAX)),
        c("block-wrapping-restart-count", "2^30 + 1 restarts: four bytes each come to 4 in 32 bits")
            .table(restarts(&[0], (1 << 30) + 1)),
        c("block-restart-beyond", "a restart beyond the block").table(restarts(&[0, 0xffff_fff0], 2)),
        Case::damaged("block-restart-inside-entry", "a restart in the middle of an entry").table(restarts(&[0, 5], 2)),
        c("block-restarts-descend", "restarts out of order").table(restarts(&[9, 0], 2)),
        c("block-first-restart-not-zero", "the first restart is the second entry").table(restarts(&[9], 1)),
        c("block-restart-with-shared-key", "a restart at an entry that shares a prefix").table(handmade_block(
            |mut block| {
                block.add(b"wa", &entry);
                let second = block.size_estimate() as u32 - 8;
                block.add(b"wb", &entry);
                block.finish_with(&[0, second], 2)
            },
        )),
        c("block-shared-too-long", "an entry shares more than the previous key has").table(lying(7, 1, len)),
        c("block-shared-huge", "an entry shares 2^32 - 1 bytes").table(lying(u32::MAX.into(), 1, len)),
        c("block-key-beyond", "a key longer than the block").table(lying(0, 1 << 20, len)),
        c("block-value-beyond", "a value longer than the block").table(lying(0, 1, 1 << 20)),
        c("block-lengths-overflow", "key and value lengths whose sum does not fit 32 bits").table(lying(
            0,
            u32::MAX.into(),
            u32::MAX.into(),
        )),
        c("block-value-into-restarts", "a value that reaches four bytes into the restart array").table(lying(
            0,
            1,
            len + 4,
        )),
        c("block-varint-of-eleven-bytes", "an entry length that never ends").table(raw(long_varint)),
        c("block-varint-over-32-bits", "a shared length of 2^32").table(raw(wide)),
        c("block-entry-cut", "the block ends within an entry's lengths").table(raw(vec![0, 0x81])),
        c("block-unknown-compression", "compression type 2")
            .table(plain(TableBuilder::new().compression(Compression::Raw(2)))),
        c("block-compression-255", "compression type 255 in the index")
            .table(plain(TableBuilder::new().index_compression(Compression::Raw(255)))),
        c("index-zero-restarts", "an index with an entry and no restart").table(index_tail(0)),
        c("index-huge-restart-count", "2^32 - 1 restarts in the index").table(index_tail(u32::MAX)),
    ]
}

fn snappies() -> Vec<Case> {
    let c = Case::damaged;
    let packed = snappy(&contents());
    let claiming = |length: u64| {
        let body = packed[varint(contents().len() as u64).len()..].to_vec();
        [varint(length), body].concat()
    };
    // A literal of one byte, then a copy that reaches back ten.
    let far_copy = [vec![20, 0x00, b'x', 0x4a], vec![10, 0]].concat();
    vec![
        c("snappy-claims-4-gib", "a small block that claims to hold 4 GiB")
            .table(stored(&claiming(u32::MAX.into()), 1)),
        c("snappy-claims-over-32-bits", "a length beyond what Snappy allows").table(stored(&claiming(1 << 40), 1)),
        c("snappy-claims-less", "a block that holds more than it claims").table(stored(&claiming(4), 1)),
        c("snappy-claims-more", "a block that holds less than it claims")
            .table(stored(&claiming(contents().len() as u64 + 9), 1)),
        c("snappy-cut", "half of a compressed block").table(stored(&packed[..packed.len() / 2], 1)),
        c("snappy-garbage", "bytes that are not Snappy").table(stored(&[0xff; 64], 1)),
        c("snappy-empty", "a compressed block of no bytes").table(stored(&[], 1)),
        c("snappy-copy-before-start", "a copy from before the block").table(stored(&far_copy, 1)),
        c("snappy-of-garbage", "sound Snappy of 64 bytes that are no block").table(stored(&snappy(&[0xff; 64]), 1)),
        c("snappy-bomb", "a block that really expands to 32 MiB of zeros, which are no entries")
            .table(stored(&snappy(&vec![0; 32 << 20]), 1)),
    ]
}

fn order() -> Vec<Case> {
    let c = Case::damaged;
    let added = |order: &[usize], block_size| {
        let rows = rows();
        let mut table = TableBuilder::new().block_size(block_size);
        for &i in order {
            table.add(&rows[i].0, &rows[i].1);
        }
        table
    };
    vec![
        c("order-unsorted-in-block", "keys out of order within a block").table(added(&[0, 1, 4, 3, 2, 5], 4096)),
        c("order-unsorted-blocks", "keys out of order between blocks").table(added(&[0, 1, 4, 3, 2, 5], 1)),
        c("order-duplicate-in-block", "a key twice within a block").table(added(&[0, 1, 1, 2, 5], 4096)),
        c("order-duplicate-across-blocks", "a key twice, in two blocks").table(added(&[0, 1, 1, 2, 5], 1)),
        c("order-header-twice", "two headers").table(added(&[0, 0, 5], 4096)),
        c("order-header-last", "the empty key comes last").table(added(&[1, 5, 0], 4096)),
        c("order-index-reversed", "the index lists the blocks in reverse")
            .table(one_row_a_block(TableBuilder::new().index_edit(|index| index.reverse()))),
        c("order-index-keys-reversed", "the index's keys are in reverse, its handles are not").table(one_row_a_block(
            TableBuilder::new().index_edit(|index| {
                let keys: Vec<_> = index.iter().rev().map(|entry| entry.key.clone()).collect();
                for (entry, key) in index.iter_mut().zip(keys) {
                    entry.key = key;
                }
            }),
        )),
        c("order-index-key-too-small", "a block's index key is below its keys, so look-ups miss them")
            .table(one_row_a_block(TableBuilder::new().index_edit(|index| index[5].key = b"v".to_vec()))),
        c("order-index-keys-empty", "every index key is empty").table(one_row_a_block(
            TableBuilder::new().index_edit(|index| index.iter_mut().for_each(|entry| entry.key.clear())),
        )),
    ]
}

fn sound() -> Vec<Case> {
    let c = Case::legal;
    let mut mixed = TableBuilder::new();
    for (i, (key, value)) in rows().into_iter().enumerate() {
        mixed.set_compression(if i % 2 == 0 { Compression::Snappy } else { Compression::None });
        mixed.add(key, value);
        mixed.block_break();
    }
    vec![
        c("sound-one-row-a-block", "every entry in a block of its own").table(one_row_a_block(TableBuilder::new())),
        c("sound-snappy", "a compressed data block beside a plain index")
            .table(plain(TableBuilder::new().compression(Compression::Snappy))),
        c("sound-snappy-index", "everything compressed")
            .table(plain(TableBuilder::new().compression(Compression::Snappy).index_compression(Compression::Snappy))),
        c("sound-mixed-compression", "compressed and plain blocks in turn").table(mixed),
        c("sound-index-trailing-bytes", "bytes after every handle, which readers ignore")
            .table(one_row_a_block(TableBuilder::new().index_trailing(b"\xff\xff\xff"))),
        c("sound-index-keys-whole", "index keys that are not shortened")
            .table(one_row_a_block(TableBuilder::new().shorten_index_keys(false))),
        c("sound-every-key-a-restart", "a restart at every entry")
            .table(plain(TableBuilder::new().restart_interval(1))),
        c("sound-single-restart", "no restart but the first").table(plain(TableBuilder::new().restart_interval(1000))),
        c("sound-metaindex-entry", "a metaindex with an entry, as LevelDB's filters have")
            .table(plain(TableBuilder::new().meta_entry(b"filter.x", b"\0\0"))),
    ]
}
