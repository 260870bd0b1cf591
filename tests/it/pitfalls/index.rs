//! Pitfalls 1, 2, 10, 11 and what else a table can be.
use ckpt::base::limits::Limits;
use ckpt::read::storage::Source;
use ckpt::read::table::Table;

use super::*;

#[test]
fn pitfall_1_bad_blocks_are_named_and_the_others_read() {
    let open = Open::bundle(&blocks(|t| t.corrupt_checksum(1).corrupt_checksum(3)));
    assert_eq!(open.names(), ["b", "d"]);
    let parts: Vec<_> = open.checkpoint.damage().iter().map(|error| error.location().part).collect();
    assert_eq!(parts, [Some(Part::DataBlock(1)), Some(Part::DataBlock(3))]);
    for error in open.checkpoint.damage() {
        assert!(matches!(error.kind(), ErrorKind::ChecksumMismatch { what: "block", .. }), "{error}");
        assert!(error.location().file.as_ref().is_some_and(|file| file.ends_with("model.ckpt-0.index")));
    }
    assert_eq!(open.bytes(b"d"), f32s(&[4.0]));
}

#[test]
fn pitfall_1_a_bad_first_block_costs_the_header_and_nothing_else() {
    let open = Open::bundle(&blocks(|t| t.corrupt_checksum(0)));
    assert_eq!(open.names(), ["a", "b", "c", "d"]);
    assert_eq!(open.checkpoint.damage().len(), 1);
    assert_eq!(open.bytes(b"a"), f32s(&[1.0]));
}

#[test]
fn pitfall_2_a_missing_header_is_told_and_costs_no_tensor() {
    let open = Open::build(BundleBuilder::new().no_header().floats("a", &[1], &[1.0]).floats("b", &[1], &[2.0]));
    assert_eq!(open.names(), ["a", "b"]);
    assert!(matches!(open.checkpoint.damage()[0].kind(), ErrorKind::HeaderMissing));
    assert_eq!(open.bytes(b"a"), f32s(&[1.0]));
}

#[test]
fn pitfall_10_index_keys_are_no_tensors() {
    let short = Open::bundle(&blocks(|t| t));
    short.sound();
    assert_eq!(short.names(), ["a", "b", "c", "d"]);
    let whole = Open::bundle(&blocks(|t| t.shorten_index_keys(false)));
    whole.sound();
    assert_eq!(whole.names(), short.names());
}

#[test]
fn index_handles_may_be_followed_by_more() {
    let open = Open::bundle(&blocks(|t| t.index_trailing(b"more")));
    open.sound();
    assert_eq!(open.names().len(), 4);
}

#[test]
fn a_damaged_index_block_does_not_cost_the_data_blocks() {
    let open = Open::bundle(&blocks(TableBuilder::corrupt_index_checksum));
    assert_eq!(open.names(), ["a", "b", "c", "d"]);
    assert_eq!(open.checkpoint.damage().len(), 1);
    assert_eq!(open.checkpoint.damage()[0].location().part, Some(Part::IndexBlock));
    assert_eq!(open.bytes(b"c"), f32s(&[3.0]));
}

#[test]
fn a_block_that_no_handle_leads_to_is_missed() {
    let open = Open::bundle(&blocks(|t| {
        t.index_edit(|index| {
            index.remove(2);
        })
    }));
    assert_eq!(open.names(), ["a", "c", "d"]);
    let [error] = open.checkpoint.damage() else { panic!("{:?}", open.checkpoint.damage()) };
    assert!(error.to_string().contains("belong to no block"), "{error}");
}

#[test]
fn two_handles_to_one_block_read_it_once() {
    let open = Open::bundle(&blocks(|t| {
        t.index_edit(|index| {
            let again = index[1].clone();
            index.extend(std::iter::repeat_n(again, 50));
        })
    }));
    assert_eq!(open.names(), ["a", "b", "c", "d"]);
    assert_eq!(open.checkpoint.damage().len(), 50);
    assert!(open.checkpoint.damage()[0].to_string().contains("read as another block"));
}

#[test]
fn separators_that_mislead_tensorflow_are_noted() {
    let open = Open::bundle(&blocks(|t| t.index_edit(|index| index[2].key = b"a".to_vec())));
    assert_eq!(open.names(), ["a", "b", "c", "d"]);
    assert!(open.checkpoint.damage().is_empty());
    let [note] = open.checkpoint.notes() else { panic!("{:?}", open.checkpoint.notes()) };
    assert_eq!(note.location().part, Some(Part::DataBlock(2)));
}

#[test]
fn snappy_blocks_and_plain_ones_mix() {
    let all = [Compression::Snappy, Compression::SnappyIfSmaller, Compression::None];
    for (data, index) in all.iter().flat_map(|data| all.iter().map(move |index| (*data, *index))) {
        let mut table = TableBuilder::new().compression(data).index_compression(index);
        let bundle = BundleBuilder::new().floats("a", &[2], &[1.0, 2.0]).floats("b", &[1], &[3.0]).finish();
        table.add("", Msg::new().int(1, 1).msg(3, Msg::new().int(1, 1)).build());
        for (n, (key, entry)) in bundle.entries.iter().enumerate() {
            table.block_break();
            table.set_compression(if n == 0 { Compression::None } else { data });
            table.add(key, entry.proto().build());
        }
        let open = Open::bundle(&Bundle { index: table.finish(), ..bundle });
        open.sound();
        let file = Source::open(&open.prefix().with_extension("ckpt-0.index")).unwrap();
        assert_eq!(Table::open(file, &Limits::default()).unwrap().blocks().len(), 3);
        assert_eq!(open.bytes(b"a"), f32s(&[1.0, 2.0]), "{data:?} {index:?}");
        assert_eq!(open.bytes(b"b"), f32s(&[3.0]));
    }
}

#[test]
fn keys_out_of_order_are_all_listed_and_noted() {
    let builder = BundleBuilder::new().floats("c", &[1], &[3.0]).floats("a", &[1], &[1.0]).unsorted();
    let open = Open::build(builder.floats("b", &[1], &[2.0]));
    assert_eq!(open.names(), ["a", "b", "c"]);
    assert!(open.checkpoint.damage().is_empty());
    assert!(matches!(open.checkpoint.notes()[0].kind(), ErrorKind::KeysOutOfOrder { .. }));
    assert_eq!(open.bytes(b"c"), f32s(&[3.0]));
}

#[test]
fn of_a_key_that_stands_twice_the_first_counts() {
    let builder = BundleBuilder::new().floats("a", &[1], &[1.0]).floats("a", &[1], &[9.0]).unsorted();
    let open = Open::build(builder);
    assert_eq!(open.names(), ["a"]);
    assert_eq!(open.bytes(b"a"), f32s(&[1.0]));
    assert!(matches!(open.checkpoint.notes()[0].kind(), ErrorKind::KeysOutOfOrder { .. }));
}

#[test]
fn pitfall_11_the_header_decides_how_shards_are_called() {
    // What merging with a part without entries leaves: the header counts two, the only file is `-of-00001`.
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]).claim_shards(2));
    let error = open.error(b"a");
    assert!(error.to_string().contains("data-00000-of-00002"), "{error}");
    assert!(error.help().is_some_and(|help| help.contains("data-00000-of-00001")), "{:?}", error.help());
}

#[test]
fn a_header_without_shards_is_noted() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]).claim_shards(0));
    assert!(open.checkpoint.notes()[0].to_string().contains("no shards"), "{:?}", open.checkpoint.notes());
    assert_eq!(open.bytes(b"a"), f32s(&[1.0]));
}

#[test]
fn versions_are_refused_as_tensorflow_refuses_them_but_read() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]).min_consumer(5));
    assert!(matches!(open.checkpoint.damage()[0].kind(), ErrorKind::Version(_)));
    Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]).producer(99)).sound();
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]).bad_consumers(&[1]));
    assert!(matches!(open.checkpoint.damage()[0].kind(), ErrorKind::Version(_)));
}
