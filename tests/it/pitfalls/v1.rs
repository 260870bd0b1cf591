//! Pitfalls 23 and 24: the format before bundles.

use super::*;

fn v1(values: Values, dtype: i32, count: i64) -> Open {
    Open::v1(V1Builder::new().tensor("x", dtype, &[count], values))
}

#[test]
fn pitfall_23_values_must_be_complete() {
    // A constant in a graph may repeat its last value; a checkpoint may not.
    for values in [vec![1.0], vec![], vec![1.0; 4]] {
        let error = v1(Values::Float(values), dtype::FLOAT, 3).error(b"x");
        assert!(error.to_string().contains("3 elements"), "{error}");
    }
    // Nor is `tensor_content` looked at.
    v1(Values::Content(f32s(&[1.0, 2.0, 3.0])), dtype::FLOAT, 3).error(b"x");
}

#[test]
fn pitfall_24_a_scalar_has_a_key_of_rank_0_and_the_file_no_suffix() {
    let open = Open::v1(V1Builder::new().tensor("x", dtype::FLOAT, &[], Values::Float(vec![3.0])));
    open.sound();
    assert!(open.prefix().is_file());
    assert_eq!(open.bytes(b"x"), f32s(&[3.0]));
}

#[test]
fn pitfall_24_small_integers_are_varints() {
    assert_eq!(v1(Values::Int(vec![-1, 127, -128]), dtype::INT8, 3).bytes(b"x"), [0xff, 0x7f, 0x80]);
    assert_eq!(v1(Values::Int(vec![65535, 1]), dtype::UINT16, 2).bytes(b"x"), [0xff, 0xff, 1, 0]);
    assert_eq!(v1(Values::Int(vec![-2]), dtype::INT32, 1).bytes(b"x"), (-2i32).to_le_bytes());
    assert_eq!(v1(Values::Int(vec![-3]), dtype::QINT32, 1).bytes(b"x"), (-3i32).to_le_bytes());
}

#[test]
fn every_other_kind_of_value() {
    // [1, -2] as float16.
    assert_eq!(v1(Values::Half(vec![0x3c00, 0xc000]), dtype::HALF, 2).bytes(b"x"), [0x00, 0x3c, 0x00, 0xc0]);
    assert_eq!(v1(Values::Bool(vec![true, false]), dtype::BOOL, 2).bytes(b"x"), [1, 0]);
    assert_eq!(v1(Values::Int64(vec![i64::MIN]), dtype::INT64, 1).bytes(b"x"), i64::MIN.to_le_bytes());
    assert_eq!(v1(Values::Uint32(vec![u32::MAX]), dtype::UINT32, 1).bytes(b"x"), u32::MAX.to_le_bytes());
    assert_eq!(v1(Values::Uint64(vec![u64::MAX]), dtype::UINT64, 1).bytes(b"x"), u64::MAX.to_le_bytes());
    assert_eq!(v1(Values::Double(vec![0.1]), dtype::DOUBLE, 1).bytes(b"x"), 0.1f64.to_le_bytes());
    assert_eq!(v1(Values::Complex64(vec![1.0, 2.0]), dtype::COMPLEX64, 1).bytes(b"x"), f32s(&[1.0, 2.0]));
    let complex = [1.0f64.to_le_bytes(), 2.0f64.to_le_bytes()].concat();
    assert_eq!(v1(Values::Complex128(vec![1.0, 2.0]), dtype::COMPLEX128, 1).bytes(b"x"), complex);
    let strings = vec![b"a".to_vec(), vec![], b"c\0".to_vec()];
    assert_eq!(v1(Values::Strings(strings.clone()), dtype::STRING, 3).strings(b"x"), strings);
}

#[test]
fn numbers_need_not_be_packed() {
    let floats = Msg::new().float(5, 1.0).float(5, 2.0).build();
    assert_eq!(v1(Values::Raw(floats), dtype::FLOAT, 2).bytes(b"x"), f32s(&[1.0, 2.0]));
    let doubles = Msg::new().double(6, 1.0).packed_doubles(6, &[2.0]).build();
    let want = [1.0f64.to_le_bytes(), 2.0f64.to_le_bytes()].concat();
    assert_eq!(v1(Values::Raw(doubles), dtype::DOUBLE, 2).bytes(b"x"), want);
    let ints = Msg::new().int(7, 1).packed_varints(7, [2, 3]).int(7, 4).build();
    assert_eq!(v1(Values::Raw(ints), dtype::UINT8, 4).bytes(b"x"), [1, 2, 3, 4]);
    let complex = Msg::new().float(9, 1.0).float(9, 2.0).packed_floats(9, &[3.0, 4.0]).build();
    assert_eq!(v1(Values::Raw(complex), dtype::COMPLEX64, 2).bytes(b"x"), f32s(&[1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn a_complex_number_may_be_cut_by_pieces_of_its_field() {
    let complex = Msg::new().packed_floats(9, &[1.0, 2.0, 3.0]).packed_floats(9, &[4.0]).build();
    assert_eq!(v1(Values::Raw(complex), dtype::COMPLEX64, 2).bytes(b"x"), f32s(&[1.0, 2.0, 3.0, 4.0]));
    let complex = Msg::new().double(12, 1.0).double(12, 2.0).build();
    let want = [1.0f64.to_le_bytes(), 2.0f64.to_le_bytes()].concat();
    assert_eq!(v1(Values::Raw(complex), dtype::COMPLEX128, 1).bytes(b"x"), want);
    let half = Msg::new().packed_floats(9, &[1.0, 2.0, 3.0]).build();
    let error = v1(Values::Raw(half), dtype::COMPLEX64, 1).error(b"x");
    assert!(error.to_string().contains("3 numbers are stored"), "{error}");
}

fn shards() -> V1Builder {
    let rows = |start, values: &[f32]| {
        let length = i64::try_from(values.len() / 2).unwrap();
        (vec![Extent::range(start, length), Extent::Full], Values::Float(values.to_vec()))
    };
    V1Builder::new()
        .sliced("w", dtype::FLOAT, &[4, 2], vec![rows(2, &[4.0, 5.0])])
        .in_shard(1)
        .tensor("b", dtype::INT64, &[1], Values::Int64(vec![7]))
        .sliced("w", dtype::FLOAT, &[4, 2], vec![rows(3, &[6.0, 7.0]), rows(0, &[0.0, 1.0, 2.0, 3.0])])
}

#[test]
fn shards_are_one_checkpoint() {
    let open = Open::v1(shards());
    open.sound();
    assert_eq!(open.names(), ["b", "w"]);
    assert_eq!(open.bytes(b"w"), f32s(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]));
    assert_eq!(open.bytes(b"b"), 7i64.to_le_bytes());
    for path in ["model.ckpt-0-?????-of-00002", "model.ckpt-0", ""] {
        let whole = crate::support::open(&open.dir.path().join(path)).unwrap();
        assert_eq!(whole.tensors().len(), 2, "{path}");
    }
}

#[test]
fn a_damaged_shard_costs_only_itself() {
    let open = Open::v1(shards());
    let first = open.dir.path().join("model.ckpt-0-00000-of-00002");
    std::fs::write(&first, [0; 100]).unwrap();
    let left = crate::support::open(&open.prefix()).unwrap();
    assert_eq!(left.damage().len(), 1, "{:?}", left.damage());
    let (bytes, _) = elements(&left, &left.tensor(b"b").unwrap()).unwrap();
    assert_eq!(bytes.concat(), 7i64.to_le_bytes());
    let error = elements(&left, &left.tensor(b"w").unwrap()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Slices(_)), "{error}");
}

#[test]
fn a_missing_shard_is_damage_because_only_it_knows_what_it_holds() {
    let open = Open::v1(shards());
    let second = open.dir.path().join("model.ckpt-0-00001-of-00002");
    std::fs::remove_file(&second).unwrap();
    for path in ["model.ckpt-0-?????-of-00002", "model.ckpt-0", ""] {
        let left = crate::support::open(&open.dir.path().join(path)).unwrap();
        let [error] = left.damage() else { panic!("{path}: {:?}", left.damage()) };
        assert!(matches!(error.kind(), ErrorKind::FileMissing(_)), "{path}: {error}");
        assert_eq!(error.location().file.as_deref().and_then(|file| file.file_name()), second.file_name(), "{path}");
        assert!(left.tensor(b"b").is_none() && left.tensor(b"w").is_some(), "{path}");
    }
    // One shard that is asked for by its own name is all that is asked for.
    let alone = crate::support::open(&open.dir.path().join("model.ckpt-0-00000-of-00002")).unwrap();
    assert!(alone.damage().is_empty(), "{:?}", alone.damage());
}

#[test]
fn compressed_blocks_are_read_once_for_all_slices_in_them() {
    let count = 300;
    let slices = (0..count).map(|n| (vec![Extent::range(n, 1)], Values::Int64(vec![n]))).collect();
    let builder = V1Builder::new().sliced("w", dtype::INT64, &[count], slices);
    for block_size in [64, 4096, 1 << 18] {
        let again = (0..count).map(|n| (vec![Extent::range(n, 1)], Values::Int64(vec![n]))).collect();
        let builder = V1Builder::new().sliced("w", dtype::INT64, &[count], again);
        let open = Open::v1(builder.table(move |t| t.compression(Compression::Snappy).block_size(block_size)));
        open.sound();
        assert_eq!(open.bytes(b"w"), (0..count).flat_map(i64::to_le_bytes).collect::<Vec<u8>>());
        crate::support::check_regions(&open.checkpoint, &open.tensor(b"w"), &open.strings(b"w"));
    }
    let plain = Open::v1(builder);
    assert_eq!(plain.strings(b"w").len(), 300);
}

#[test]
fn an_index_block_that_is_damaged_does_not_cost_the_tensors() {
    let builder = V1Builder::new().tensor("x", dtype::FLOAT, &[1], Values::Float(vec![1.0]));
    let open = Open::v1(builder.table(TableBuilder::corrupt_index_checksum));
    assert_eq!(open.checkpoint.damage().len(), 1, "{:?}", open.checkpoint.damage());
    assert_eq!(open.bytes(b"x"), f32s(&[1.0]));
}

#[test]
fn versions_are_judged_as_those_of_bundles() {
    let versions = ckpt_synth::Versions { min_consumer: 5, ..ckpt_synth::Versions::default() };
    let builder = V1Builder::new().versions(versions).tensor("x", dtype::FLOAT, &[1], Values::Float(vec![1.0]));
    let open = Open::v1(builder);
    assert!(matches!(open.checkpoint.damage()[0].kind(), ErrorKind::Version(_)));
    let many: Vec<i32> = (2..300).chain([1]).collect();
    let versions = ckpt_synth::Versions { bad_consumers: many, ..ckpt_synth::Versions::default() };
    let builder = V1Builder::new().versions(versions).tensor("x", dtype::FLOAT, &[1], Values::Float(vec![1.0]));
    let open = Open::v1(builder);
    assert!(matches!(open.checkpoint.damage()[0].kind(), ErrorKind::Version(_)), "{:?}", open.checkpoint.damage());
    assert_eq!(open.bytes(b"x"), f32s(&[1.0]));
}
