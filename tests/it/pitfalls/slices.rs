//! Pitfalls 6 to 9 and 15: partitioned tensors.

use super::*;

fn range(start: i64, length: i64) -> Extent {
    Extent::range(start, length)
}

/// `w`, 4 by 3, in three slices over two shards: rows 0 and 1; row 2 on from column 0; the rest.
fn partitioned() -> BundleBuilder {
    BundleBuilder::new().partitioned(
        "w",
        dtype::UINT8,
        &[4, 3],
        vec![
            (vec![range(2, 2), range(0, 1)], 1, vec![6, 9]),
            (vec![range(0, 2), Extent::Full], 0, vec![0, 1, 2, 3, 4, 5]),
            (vec![range(2, 2), range(1, 2)], 0, vec![7, 8, 10, 11]),
        ],
    )
}

#[test]
fn pitfall_6_the_entry_of_the_whole_has_no_data() {
    // What a merge leaves in that entry means nothing.
    let open = Open::build(partitioned().entry_patch("w", |entry| {
        (entry.shard, entry.offset, entry.size, entry.crc) = (7, 1000, 5, 99);
    }));
    open.sound();
    assert_eq!(open.names(), ["w"]);
    assert_eq!(open.bytes(b"w"), (0..12).collect::<Vec<u8>>());
    assert_eq!(open.tensor(b"w").bytes(), Some(12));
}

#[test]
fn pitfall_7_explicit_and_implicit_extents_have_different_keys() {
    for extent in [Extent::Full, range(0, 3)] {
        let slices = vec![(vec![range(0, 1), extent], 0, vec![0, 1, 2]), (vec![range(1, 1), extent], 0, vec![3, 4, 5])];
        let open = Open::build(BundleBuilder::new().partitioned("w", dtype::UINT8, &[2, 3], slices));
        open.sound();
        assert_eq!(open.names(), ["w"], "{extent:?}");
        assert_eq!(open.bytes(b"w"), [0, 1, 2, 3, 4, 5], "{extent:?}");
    }
    // Listed with `-`, stored under the key of `0,3`: not there.
    let whole = Entry { slices: vec![vec![Extent::Full]], ..Entry::new(dtype::UINT8, &[3]) };
    let open = Open::build(BundleBuilder::new().entry("w", whole).tensor(
        slice_key("w", &[range(0, 3)]),
        dtype::UINT8,
        &[3],
        [1, 2, 3],
    ));
    assert!(matches!(open.checkpoint.notes()[0].kind(), ErrorKind::SliceMissing(_)));
    assert!(matches!(open.error(b"w").kind(), ErrorKind::SliceMissing(_)));
    assert_eq!(open.names().len(), 2, "the stray slice is not hidden");
}

#[test]
fn pitfall_8_a_name_may_begin_with_nul() {
    let open = Open::build(partitioned().floats(b"\0weird", &[1], &[1.0]).floats(b"\0w\0\x01", &[1], &[2.0]));
    open.sound();
    assert_eq!(open.names(), ["\\x00w\\x00\\x01", "\\x00weird", "w"]);
    assert_eq!(open.bytes(b"\0weird"), f32s(&[1.0]));
}

#[test]
fn names_with_nul_and_ff_can_be_partitioned() {
    let name = b"a\0b\xffc\0\x01";
    let slices = vec![(vec![range(0, 1)], 0, vec![1]), (vec![range(1, 1)], 0, vec![2])];
    let open = Open::build(BundleBuilder::new().partitioned(name, dtype::UINT8, &[2], slices));
    open.sound();
    assert_eq!(open.bytes(name), [1, 2]);
}

#[test]
fn pitfall_9_slices_of_any_size_over_shards() {
    let rows = [34i64, 3, 32, 5, 26];
    let mut start = 0;
    let mut slices = Vec::new();
    for (n, length) in rows.into_iter().enumerate() {
        let bytes = (start * 2..(start + length) * 2).map(|v| u8::try_from(v).unwrap()).collect();
        slices.push((vec![range(start, length), range(0, 2)], n % 3, bytes));
        start += length;
    }
    let open = Open::build(BundleBuilder::new().partitioned("v", dtype::UINT8, &[100, 2], slices));
    open.sound();
    let all: Vec<u8> = (0..200).collect();
    assert_eq!(open.bytes(b"v"), all);
    let axes = [Axis { start: 30, step: 5, count: 10 }, Axis { start: 1, step: 1, count: 1 }];
    let (got, checked) = region(&open.checkpoint, &open.tensor(b"v"), &axes).unwrap();
    assert_eq!(got.concat(), (0..10).map(|n| 2 * (30 + 5 * n) + 1).collect::<Vec<u8>>());
    assert_eq!(checked, Checked::Not);
}

#[test]
fn pitfall_15_any_type_is_put_together() {
    let halves = vec![(vec![range(0, 1)], 0, vec![1, 2]), (vec![range(1, 1)], 0, vec![3, 4])];
    let open = Open::build(BundleBuilder::new().partitioned("h", dtype::HALF, &[2], halves));
    assert_eq!(open.bytes(b"h"), [1, 2, 3, 4]);

    let whole = Entry { slices: vec![vec![range(1, 2)], vec![range(0, 1)]], ..Entry::new(dtype::STRING, &[3]) };
    let open = Open::build(
        BundleBuilder::new().entry("s", whole).strings(slice_key("s", &[range(1, 2)]), &[2], &["b", ""]).strings(
            slice_key("s", &[range(0, 1)]),
            &[1],
            &["aa"],
        ),
    );
    open.sound();
    assert_eq!(open.strings(b"s"), [b"aa".to_vec(), b"b".to_vec(), vec![]]);
}

#[test]
fn a_hole_costs_only_what_is_in_it() {
    let slices = vec![(vec![range(0, 1)], 0, vec![1]), (vec![range(2, 1)], 0, vec![3])];
    let open = Open::build(BundleBuilder::new().partitioned("w", dtype::UINT8, &[3], slices));
    assert!(matches!(open.error(b"w").kind(), ErrorKind::Slices(_)));
    let axes = [Axis { start: 0, step: 2, count: 2 }];
    assert_eq!(region(&open.checkpoint, &open.tensor(b"w"), &axes).unwrap().0.concat(), [1, 3]);
}

#[test]
fn a_damaged_slice_is_found_by_reading_the_whole() {
    let mut bundle = partitioned().finish();
    bundle.shards[1][0] ^= 1;
    let open = Open::bundle(&bundle);
    let error = open.error(b"w");
    assert!(matches!(error.kind(), ErrorKind::ChecksumMismatch { what: "tensor", .. }), "{error}");
    assert!(error.location().file.as_ref().is_some_and(|file| file.ends_with("model.ckpt-0.data-00001-of-00002")));
}

#[test]
fn a_missing_shard_costs_only_its_slices() {
    let open = Open::build(partitioned());
    std::fs::remove_file(open.dir.path().join("model.ckpt-0.data-00001-of-00002")).unwrap();
    let open = crate::support::open(&open.prefix()).unwrap();
    let tensor = open.tensor(b"w").unwrap();
    let top = [Axis { start: 0, step: 1, count: 2 }, Axis::all(3)];
    assert_eq!(region(&open, &tensor, &top).unwrap().0.concat(), [0, 1, 2, 3, 4, 5]);
    assert!(matches!(elements(&open, &tensor).unwrap_err().kind(), ErrorKind::Io(_)));
}

#[test]
fn slices_that_overlap_are_refused() {
    let slices = vec![(vec![range(0, 2)], 0, vec![1, 2]), (vec![range(1, 2)], 0, vec![2, 3])];
    let open = Open::build(BundleBuilder::new().partitioned("w", dtype::UINT8, &[3], slices));
    assert!(open.error(b"w").to_string().contains("more than one slice holds element [1]"));
}
