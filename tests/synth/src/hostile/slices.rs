//! Partitioned tensors whose slices overlap, leave gaps, leave the tensor, or are too many.

use super::{Case, data, f32s, header, true_entry};
use crate::bundle::BundleBuilder;
use crate::dtype;
use crate::entry::Entry;
use crate::ordered_code::{Extent, slice_key};
use crate::proto::Msg;

type Slices = Vec<(Vec<Extent>, usize, Vec<u8>)>;

/// Slices of a vector of floats, by start and length, with data to match.
fn vector(ranges: &[(i64, i64)]) -> Slices {
    let slice = |&(start, length): &(i64, i64)| {
        let values: Vec<f32> = (0..length.clamp(0, 64)).map(|i| (start.wrapping_add(i)) as f32).collect();
        (vec![Extent::range(start, length)], 0, f32s(&values))
    };
    ranges.iter().map(slice).collect()
}

fn of(shape: &[i64], slices: Slices) -> BundleBuilder {
    BundleBuilder::new().partitioned("p", dtype::FLOAT, shape, slices)
}

fn rows(ranges: &[(i64, i64)]) -> BundleBuilder {
    of(&[6], vector(ranges))
}

pub(super) fn cases() -> Vec<Case> {
    [geometry(), bookkeeping(), sound()].concat()
}

fn geometry() -> Vec<Case> {
    let c = Case::damaged;
    let (full, two) = (Extent::Full, Extent::range(0, 2));
    let bytes = |n: usize| vec![0; n * 4];
    let no_length = Entry {
        extra: Msg::new().msg(7, Msg::new().msg(1, Msg::new().int(1, 2))).build(),
        ..Entry::new(dtype::FLOAT, &[6])
    };
    vec![
        c("slice-overlap", "0,4 and 3,3 share an element").built(rows(&[(0, 4), (3, 3)])),
        c("slice-overlap-right-count", "slices that overlap and leave a gap, so that the count is right")
            .built(rows(&[(0, 3), (2, 3)])),
        c("slice-twice", "the same slice twice, under one key").built(rows(&[(0, 3), (0, 3), (3, 3)])),
        c("slice-gap", "element 3 is in no slice").built(rows(&[(0, 3), (4, 2)])),
        c("slice-missing-end", "the last element is in no slice").built(rows(&[(0, 3), (3, 2)])),
        c("slice-out-of-bounds", "a slice that ends beyond the tensor").built(rows(&[(0, 3), (3, 4)])),
        c("slice-start-beyond", "a slice that starts beyond the tensor").built(rows(&[(0, 6), (9, 1)])),
        c("slice-end-overflow", "start + length does not fit 63 bits").built(rows(&[(0, 3), (i64::MAX - 1, 3)])),
        c("slice-start-negative", "a slice that starts at -1").built(rows(&[(-1, 4), (3, 3)])),
        Case::arguable("slice-length-zero", "a slice of no elements").built(rows(&[(0, 3), (3, 0), (3, 3)])),
        c("slice-length-negative", "a slice of -2 elements").built(rows(&[(0, 3), (3, -2)])),
        c("slice-length-max", "a slice of 2^63 - 1 elements").built(rows(&[(0, i64::MAX)])),
        c("slice-start-without-length", "a start but no length, which means nothing")
            .built(BundleBuilder::new().entry("p", no_length)),
        c("slice-rank-too-low", "slices of a vector for a matrix").built(of(&[6, 1], vector(&[(0, 3), (3, 3)]))),
        c("slice-rank-too-high", "slices of a matrix for a vector")
            .built(of(&[2], vec![(vec![two, Extent::range(0, 1)], 0, bytes(2))])),
        c("slice-rank-zero", "slices of a scalar").built(of(&[], vec![(vec![], 0, bytes(1)), (vec![], 0, bytes(1))])),
        c("slice-300-dims", "a slice of three hundred dimensions")
            .built(of(&[1; 300], vec![(vec![full; 300], 0, bytes(1))])),
        c("slice-whole-twice", "two slices, each of which is everything")
            .built(of(&[2], vec![(vec![full], 0, bytes(2)), (vec![two], 0, bytes(2))])),
        c("slice-of-2-40", "a tensor of 2^40 elements of which one is stored").built(of(&[1 << 40], vector(&[(0, 1)]))),
        c("slice-halves-of-2-40", "slices that cover 2^40 elements, with hardly any data")
            .built(of(&[1 << 40], vector(&[(0, 1 << 39), (1 << 39, 1 << 39)]))),
        c("slice-product-overflow", "slices of a tensor of 2^80 elements")
            .built(of(&[1 << 40, 1 << 40], vec![(vec![full, Extent::range(0, 1)], 0, bytes(1))])),
        c("slice-checkerboard-hole", "a matrix in quarters, one of which is missing").built(of(&[4, 4], {
            let half = |k: i64| Extent::range(2 * k, 2);
            [(0, 0), (0, 1), (1, 0)].iter().map(|&(y, x)| (vec![half(y), half(x)], 0, bytes(4))).collect()
        })),
        c("slice-10000-overlapping", "ten thousand slices, each one longer than the one before").built(of(
            &[10_000],
            (1..=10_000).map(|length| (vec![Extent::range(0, length)], 0, f32s(&[0.0]))).collect(),
        )),
    ]
}

fn bookkeeping() -> Vec<Case> {
    let c = Case::damaged;
    let halves = || rows(&[(0, 3), (3, 3)]);
    let second = || slice_key("p", &[Extent::range(3, 3)]);
    let first = Extent::range(0, 3);
    let named = |slices: &[Extent]| Entry {
        slices: slices.iter().map(|&extent| vec![extent]).collect(),
        ..Entry::new(dtype::FLOAT, &[6])
    };
    vec![
        c("slice-entry-missing", "a slice is announced and not stored").built(
            BundleBuilder::new()
                .tensor(slice_key("p", &[first]), dtype::FLOAT, &[3], data())
                .entry("p", named(&[first, Extent::range(3, 3)])),
        ),
        c("slice-entries-without-whole", "slices are stored and no tensor announces them").built(
            BundleBuilder::new().tensor(slice_key("p", &[first]), dtype::FLOAT, &[3], data()).tensor(
                second(),
                dtype::FLOAT,
                &[3],
                data(),
            ),
        ),
        c("slice-key-of-other-form", "the tensor announces -, the key says 0,3").built(
            BundleBuilder::new()
                .tensor(slice_key("p", &[first]), dtype::FLOAT, &[3], data())
                .entry("p", Entry { shape: vec![3], ..named(&[Extent::Full]) }),
        ),
        c("slice-dtype-differs", "a slice of integers in a tensor of floats")
            .built(halves().entry_patch(second(), |e| e.dtype = dtype::INT32)),
        c("slice-shape-differs", "a slice whose shape is not its extents'")
            .built(halves().entry_patch(second(), |e| e.shape = vec![1, 3])),
        c("slice-checksum", "a slice whose checksum is wrong").built(halves().entry_patch(second(), |e| e.crc ^= 1)),
        c("slice-in-missing-shard", "a slice in shard 9").built(halves().entry_patch(second(), |e| e.shard = 9)),
        Case::arguable("slice-of-slices", "a slice that announces slices of its own")
            .built(halves().entry_patch(second(), |e| e.slices = vec![vec![Extent::range(0, 3)]])),
        c("slice-message-garbage", "a slice that is no message").table({
            let mut table = crate::table::TableBuilder::new();
            table.add("", header());
            table.add("w", true_entry().proto().bytes(7, [0xff; 5]).build());
            table
        }),
        Case::arguable(
            "slice-of-strings",
            "a partitioned tensor of strings, which TensorFlow only reads slice by slice",
        )
        .built(
            BundleBuilder::new()
                .strings(slice_key("p", &[first]), &[3], &["a", "b", "c"])
                .strings(second(), &[3], &["d", "e", "f"])
                .entry("p", Entry { dtype: dtype::STRING, ..named(&[first, Extent::range(3, 3)]) }),
        ),
    ]
}

fn sound() -> Vec<Case> {
    let c = Case::legal;
    let bytes = |n: usize| vec![0; n * 4];
    let row = |i: i64| (vec![Extent::range(i, 1)], (i % 3) as usize, f32s(&[i as f32]));
    vec![
        c("slice-sound-10000", "ten thousand slices that cover their tensor")
            .built(of(&[10_000], (0..10_000).map(row).collect())),
        c("slice-sound-any-order", "slices listed last to first").built(rows(&[(4, 2), (1, 3), (0, 1)])),
        c("slice-sound-mixed", "explicit extents beside whole dimensions").built(of(
            &[4, 2],
            vec![
                (vec![Extent::range(0, 3), Extent::Full], 0, bytes(6)),
                (vec![Extent::range(3, 1), Extent::range(0, 2)], 1, bytes(2)),
            ],
        )),
        c(
            "slice-sound-meaningless-fields",
            "the whole tensor's entry has an offset, a size and a shard, which mean nothing",
        )
        .built(rows(&[(0, 3), (3, 3)]).entry_patch("p", |e| (e.shard, e.offset, e.size, e.crc) = (7, 999, 24, 1))),
        c("slice-sound-half", "a partitioned tensor of halves, which TensorFlow does not put together").built(
            BundleBuilder::new().partitioned(
                "p",
                dtype::HALF,
                &[4],
                vec![(vec![Extent::range(0, 1)], 0, vec![0, 0x3c]), (vec![Extent::range(1, 3)], 0, vec![0; 6])],
            ),
        ),
        c("slice-sound-name-with-nul", "a partitioned tensor whose name needs escapes in its keys").built(
            BundleBuilder::new().partitioned(
                b"a\0b\xffc",
                dtype::FLOAT,
                &[2],
                vec![(vec![Extent::range(0, 1)], 0, bytes(1)), (vec![Extent::range(1, 1)], 0, bytes(1))],
            ),
        ),
    ]
}
