//! Headers and entries that lie about versions, shapes, types, shards, ranges and checksums.

use super::{Case, base, data, f32s, header, patched, rows, true_entry};
use crate::bundle::BundleBuilder;
use crate::dtype;
use crate::entry::{Entry, shape_proto};
use crate::proto::Msg;
use crate::table::TableBuilder;

pub(super) fn cases() -> Vec<Case> {
    [headers(), shapes(), dtypes(), ranges(), shards(), messages()].concat()
}

fn headers() -> Vec<Case> {
    let c = Case::damaged;
    let version = |producer: i64| Msg::new().int(1, 1).msg(3, Msg::new().int(1, producer)).build();
    vec![
        c("header-missing", "no header, so that TensorFlow takes the first tensor for it").built(base().no_header()),
        c("header-missing-single-row", "an index of one tensor and no header").index({
            let mut table = TableBuilder::new();
            table.add("w", true_entry().proto().build());
            table.finish()
        }),
        c("header-garbage", "a header that is no message").built(base().header([0xff; 12])),
        c("header-cut", "a header that ends within its version").built(base().header(&header()[..4])),
        c("header-empty", "a header without fields: no shards").built(base().header([])),
        c("header-min-consumer-5", "only readers of version 5 may read it").built(base().min_consumer(5)),
        c("header-bad-consumer-1", "readers of version 1 may not read it").built(base().bad_consumers(&[1])),
        c("header-producer-negative", "written by version -1").built(base().producer(-1)),
        c("header-endianness-7", "neither little nor big").built(base().header([8, 1, 0x10, 7, 0x1a, 2, 8, 1])),
        c("header-shards-max", "2^31 - 1 shards").built(base().claim_shards(i32::MAX)),
        c("header-shards-zero", "no shards").built(base().claim_shards(0)),
        c("header-shards-negative", "-3 shards").built(base().claim_shards(-3)),
        c("header-shards-one-too-many", "two shards in the header, files named -of-00001: a merge of an empty part")
            .built(base().claim_shards(2)),
        Case::legal("header-producer-99", "written by version 99, which any reader may read")
            .built(base().producer(99)),
        Case::legal("header-without-version", "written before there were versions").built(base().header([8, 1])),
        Case::legal("header-bad-consumers-others", "other readers may not read it")
            .built(base().bad_consumers(&[2, 3])),
        Case::legal("header-unknown-fields", "a header with fields of the future").built(
            base().header(Msg::new().raw(version(1)).string(900, "new").group(901, Msg::new().int(1, 1)).build()),
        ),
        Case::legal("header-no-tensors", "a checkpoint of nothing").built(BundleBuilder::new()),
    ]
}

fn shapes() -> Vec<Case> {
    let c = Case::damaged;
    let shaped = |shape: Vec<i64>| patched(move |e| e.shape = shape.clone());
    vec![
        c("shape-product-overflow", "2^32 by 2^32 elements").built(shaped(vec![1 << 32, 1 << 32])),
        c("shape-product-wraps-to-three", "a product that is 3 modulo 2^64").built(shaped(vec![
            3,
            0x4000_0000_0000_0001,
            4,
            1,
        ])),
        c("shape-overflow-then-zero", "a product that overflows before it meets a zero")
            .built(patched(|e| (e.shape, e.size, e.crc) = (vec![1 << 62, 1 << 62, 0], 0, crate::crc::mask(0)))),
        c("shape-bytes-overflow", "2^62 elements of four bytes").built(shaped(vec![1 << 62])),
        c("shape-max", "2^63 - 1 elements").built(shaped(vec![i64::MAX])),
        c("shape-negative", "a dimension of -1").built(shaped(vec![-1])),
        c("shape-two-negatives", "-3 by -1: the product is right").built(shaped(vec![-3, -1])),
        c("shape-min", "a dimension of -2^63").built(shaped(vec![i64::MIN])),
        c("shape-300-dims", "three hundred dimensions").built(shaped([vec![1; 299], vec![3]].concat())),
        c("shape-255-dims", "one dimension more than there may be").built(shaped([vec![1; 254], vec![3]].concat())),
        c("shape-100000-dims", "a hundred thousand dimensions").built(shaped(vec![1; 100_000])),
        c("shape-true-size-no-data", "2^40 floats, the size to match, and a small file")
            .built(patched(|e| (e.shape, e.size) = (vec![1 << 40], 1 << 42))),
        Case::legal("shape-254-dims", "as many dimensions as there may be")
            .built(shaped([vec![1; 253], vec![3]].concat())),
        Case::legal("shape-empty-but-huge", "0 by 2^40: no elements").built(BundleBuilder::new().tensor(
            "e",
            dtype::FLOAT,
            &[0, 1 << 40],
            [],
        )),
        Case::legal("shape-unknown-rank", "a shape that says its rank is unknown, which reads as a scalar")
            .built(BundleBuilder::new().floats("r", &[], &[1.0]).entry_patch("r", |e| e.unknown_rank = true)),
    ]
}

fn dtypes() -> Vec<Case> {
    let c = Case::damaged;
    let typed = |dtype| patched(move |e| e.dtype = dtype);
    let little = BundleBuilder::new;
    vec![
        c("dtype-9999", "no such type").built(typed(9999)),
        c("dtype-ref", "a reference type, float + 100").built(typed(101)),
        c("dtype-invalid", "type 0").built(typed(dtype::INVALID)),
        c("dtype-negative", "type -1").built(typed(-1)),
        c("dtype-resource", "a resource, which cannot be stored").built(typed(dtype::RESOURCE)),
        c("dtype-34", "the first number not given away").built(typed(34)),
        Case::arguable("dtype-bool-of-2", "truth values that are neither 0 nor 1").built(little().tensor(
            "b",
            dtype::BOOL,
            &[4],
            [0, 1, 2, 0xff],
        )),
        Case::arguable("dtype-int4-high-bits", "four-bit integers with their upper bits set").built(little().tensor(
            "i",
            dtype::INT4,
            &[3],
            [0xff, 0x0f, 0x80],
        )),
        Case::legal("dtype-nan-and-inf", "every kind of float that is no number").built(little().floats(
            "f",
            &[6],
            &[f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 1e-45],
        )),
        Case::legal("dtype-every-type", "a tensor of every type, one element each").built({
            let sized = (dtype::FLOAT..=dtype::FLOAT4_E2M1FN).filter_map(|t| Some((t, dtype::size(t)?)));
            sized.fold(little(), |b, (t, size)| b.tensor(format!("t{t:02}"), t, &[1], vec![1; size]))
        }),
        Case::legal("dtype-big-endian", "a big-endian bundle").built(
            little()
                .big_endian()
                .tensor("f", dtype::FLOAT, &[2], [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0])
                .tensor("h", dtype::HALF, &[1], [0x3c, 0])
                .tensor("c", dtype::COMPLEX64, &[1], [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0]),
        ),
        Case::arguable("dtype-big-endian-float8", "one-byte floats in a big-endian bundle, which TensorFlow refuses")
            .built(little().big_endian().tensor("f", dtype::FLOAT8_E4M3FN, &[1], [0x38])),
    ]
}

fn ranges() -> Vec<Case> {
    let c = Case::damaged;
    let two = || base().floats("x", &[3], &[4.0, 5.0, 6.0]);
    vec![
        c("range-offset-negative", "an offset of -4").built(patched(|e| e.offset = -4)),
        c("range-offset-beyond", "an offset beyond the file").built(patched(|e| e.offset = 4096)),
        c("range-offset-max", "offset + size does not fit 63 bits").built(patched(|e| e.offset = i64::MAX - 4)),
        c("range-end-beyond", "a range that ends one byte beyond the file").built(patched(|e| e.offset = 1)),
        c("range-size-short", "8 bytes for three floats").built(patched(|e| e.size = 8)),
        c("range-size-long", "16 bytes for three floats").built(patched(|e| e.size = 16).junk([0; 8])),
        c("range-size-negative", "a size of -12").built(patched(|e| e.size = -12)),
        c("range-size-max", "a size of 2^63 - 1").built(patched(|e| e.size = i64::MAX)),
        c("range-checksum", "the checksum is wrong").built(patched(|e| e.crc ^= 1)),
        c("range-checksum-absent", "no checksum at all").built(patched(|e| e.crc = 0)),
        c("range-checksum-unmasked", "the checksum is stored unmasked, a likely mistake of a writer")
            .built(patched(|e| e.crc = crate::crc::crc32c(&data()))),
        c("range-overlap", "two tensors share eight bytes").built(two().entry_patch("x", |e| {
            (e.offset, e.crc) = (4, crate::crc::mask(crate::crc::crc32c(&f32s(&[2.0, 3.0, 4.0]))))
        })),
        c("range-overlap-true-checksums", "two tensors of the same twelve bytes, both with a true checksum")
            .built(base().entry("x", true_entry())),
        c("range-swapped", "two tensors have each other's ranges")
            .built(two().entry_patch("w", |e| e.offset = 12).entry_patch("x", |e| e.offset = 0)),
        c("range-all-zero", "a shard of zeros, as a crash leaves behind").bundle({
            let mut bundle = base().finish();
            bundle.shards[0].fill(0);
            bundle
        }),
        Case::arguable("range-trailing-junk", "bytes after the last tensor").built(base().junk(*b"left over")),
        Case::arguable("range-gap-of-junk", "bytes between tensors that are not zeros")
            .built(base().junk(*b"between").floats("x", &[1], &[1.0])),
        Case::legal("range-aligned", "every tensor at a multiple of 64").built(two().alignment(64).floats(
            "y",
            &[1],
            &[7.0],
        )),
        Case::legal("range-order-not-key-order", "offsets descend while keys ascend")
            .built(BundleBuilder::new().floats("c", &[1], &[1.0]).floats("b", &[1], &[2.0]).floats("a", &[1], &[3.0])),
    ]
}

fn shards() -> Vec<Case> {
    let c = Case::damaged;
    let two = || base().tensor_in(1, "x", dtype::FLOAT, &[3], f32s(&[4.0, 5.0, 6.0])).finish();
    let without = |lost: usize| {
        let files = two().files("model.ckpt").into_iter().enumerate();
        files.filter(move |(i, _)| *i != lost).map(|(_, file)| file).collect::<Vec<_>>()
    };
    let with = |case: Case, files: Vec<(String, Vec<u8>)>| Case { files, ..case };
    let mut swapped = two();
    swapped.shards.swap(0, 1);
    let mut cut = two();
    cut.shards[1].truncate(6);
    let mut none = two();
    none.shards[1].clear();
    let renamed =
        two().files("model.ckpt").into_iter().map(|(n, b)| (n.replace("-of-00002", "-of-00003"), b)).collect();
    vec![
        c("shard-id-too-high", "a tensor in shard 5 of 1").built(patched(|e| e.shard = 5)),
        c("shard-id-negative", "a tensor in shard -1").built(patched(|e| e.shard = -1)),
        c("shard-id-max", "a tensor in shard 2^31 - 1").built(patched(|e| e.shard = i32::MAX)),
        with(c("shard-missing", "the second data file is not there"), without(2)),
        with(c("shard-all-but-index", "data files without an index"), without(0)),
        with(c("shard-misnamed", "the data files count to three, the index to two"), renamed),
        c("shard-swapped", "the two data files have changed places").bundle(swapped),
        c("shard-cut", "the second data file is half there").bundle(cut),
        c("shard-empty", "the second data file is empty").bundle(none),
        Case::legal("shard-1000", "a thousand data files, one of them with bytes").built(base().shards(1000)),
    ]
}

fn messages() -> Vec<Case> {
    let c = Case::damaged;
    let true_bytes = || true_entry().proto().build();
    // The entry's table beside the data it speaks of.
    let entry = |case: Case, value: Vec<u8>| {
        let mut table = TableBuilder::new();
        table.add("", header());
        table.add("w", value);
        case.table(table)
    };
    let first = Msg::new().int(1, 2).msg(2, shape_proto(&[9])).int(4, 77);
    let merged = Msg::new().int(1, 1).msg(2, Msg::new()).raw(true_entry().proto().build());
    let million = || {
        let empty = Entry { crc: crate::crc::mask(0), ..Entry::new(dtype::FLOAT, &[0]) }.proto().build();
        let mut table = TableBuilder::new();
        for (key, value) in rows() {
            table.add(key, value);
        }
        for i in 0..200_000 {
            table.add(format!("x{i:06}"), &empty);
        }
        table
    };
    vec![
        entry(c("entry-garbage", "an entry that is no message"), vec![0xff; 20]),
        entry(
            c("entry-cut", "an entry that ends within its checksum"),
            true_bytes()[..true_bytes().len() - 2].to_vec(),
        ),
        entry(c("entry-empty", "an entry without fields: type 0, a scalar"), Vec::new()),
        entry(
            c("entry-length-lies", "an entry whose shape claims 2^62 bytes"),
            Msg::new().int(1, 1).lying_bytes(2, 1 << 62, [0; 4]).build(),
        ),
        entry(
            c("entry-wrong-wire-type", "a type written as text, a shape as a number"),
            Msg::new().string(1, "float").int(2, 3).int(5, 12).build(),
        ),
        entry(c("entry-field-zero", "a field of number 0"), [&[0x00, 0x01], &true_bytes()[..]].concat()),
        entry(c("entry-open-group", "a group that nobody closes"), [&true_bytes()[..], &[0x53]].concat()),
        entry(
            Case::arguable("entry-deep-groups", "ten thousand groups in each other"),
            [true_bytes(), vec![0x53; 10_000], vec![0x54; 10_000]].concat(),
        ),
        entry(
            c("entry-twice-shaped", "a shape given twice: the dimensions add up to a matrix"),
            [true_bytes(), Msg::new().msg(2, shape_proto(&[2])).build()].concat(),
        ),
        entry(
            Case::legal("entry-last-value-wins", "scalar fields given twice"),
            Msg::new().int(1, 2).int(4, 77).raw(true_bytes()).int(4, 0).build(),
        ),
        entry(Case::legal("entry-shape-in-pieces", "an empty shape merged with the true one"), merged.build()),
        entry(
            Case::legal("entry-unknown-fields", "an entry with fields of the future"),
            Msg::new().raw(true_bytes()).string(99, "later").group(100, Msg::new().int(1, 1)).fixed64(101, 7).build(),
        ),
        entry(
            c("entry-dims-merge", "two shapes of different rank and a stale offset before the truth"),
            first.raw(true_bytes()).build(),
        ),
        Case::legal("entry-200000", "two hundred thousand empty tensors").table(million()),
    ]
}
