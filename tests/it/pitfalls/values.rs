//! Pitfalls 3 to 5, 12, 18 (names), 24 and what else a tensor can be.
use super::*;

#[test]
fn pitfall_3_string_checksums_are_not_those_of_the_bytes() {
    // The numbers are TensorFlow's own for ["a", "", "xyz"].
    let bundle = BundleBuilder::new().strings("s", &[3], &["a", "", "xyz"]).finish();
    assert_eq!(bundle.shards[0], b"\x01\x00\x03\x3f\xdb\x2b\x73axyz");
    assert_eq!(bundle.entries[0].1.crc, 0xf800_8ff2);
    let open = Open::bundle(&bundle);
    assert_eq!(open.strings(b"s"), [b"a".to_vec(), b"".to_vec(), b"xyz".to_vec()]);
}

#[test]
fn pitfall_3_flipped_lengths_are_told_from_flipped_strings() {
    for (byte, what) in [(0, "string lengths"), (4, "string lengths"), (8, "tensor")] {
        let mut bundle = BundleBuilder::new().strings("s", &[3], &["a", "", "xyz"]).finish();
        bundle.shards[0][byte] ^= 2;
        let error = Open::bundle(&bundle).error(b"s");
        assert!(matches!(error.kind(), ErrorKind::ChecksumMismatch { what: w, .. } if *w == what), "{byte}: {error}");
    }
}

#[test]
fn pitfall_4_empty_tensors_and_scalars() {
    let none: [&str; 0] = [];
    let open = Open::build(
        BundleBuilder::new()
            .floats("numbers", &[0, 3], &[])
            .strings("strings", &[0], &none)
            .strings("unstored", &[0], &none)
            .entry_patch("unstored", |entry| (entry.size, entry.crc) = (0, 0xa282_ead8))
            .floats("scalar", &[], &[7.0]),
    );
    open.sound();
    for name in ["numbers", "strings", "unstored"] {
        assert_eq!(open.strings(name.as_bytes()).len(), 0, "{name}");
    }
    assert_eq!(open.tensor(b"scalar").elements(), Some(1));
    assert_eq!(open.bytes(b"scalar"), f32s(&[7.0]));
}

#[test]
fn pitfall_4_an_absent_shape_is_a_scalar() {
    let bundle = BundleBuilder::new().floats("a", &[], &[7.0]).finish();
    let entry = Msg::new().int(1, 1).int(5, 4).fixed32(6, bundle.entries[0].1.crc).build();
    let data = bundle.shards[0].clone();
    let open = Open::build(BundleBuilder::new().raw_entry("a", entry).junk(data));
    assert_eq!(open.tensor(b"a").shape, Shape::scalar());
    assert_eq!(open.bytes(b"a"), f32s(&[7.0]));
}

#[test]
fn pitfall_5_small_integers_take_a_byte_each() {
    let open = Open::build(BundleBuilder::new().tensor("n", dtype::INT4, &[3], [0x0f, 0x08, 0x07]));
    let mut bytes = open.bytes(b"n");
    ckpt::read::tensor::numpy::npy::widen(open.tensor(b"n").dtype, &mut bytes);
    assert_eq!(bytes, [0xff, 0xf8, 0x07], "-1, -8, 7");
}

#[test]
fn pitfall_12_offsets_and_shards_are_in_no_order() {
    let open = Open::build(
        BundleBuilder::new()
            .tensor_in(2, "a", dtype::UINT8, &[2], [5, 6])
            .tensor_in(0, "c", dtype::UINT8, &[1], [1])
            .tensor_in(2, "b", dtype::UINT8, &[1], [4])
            .tensor_in(1, "d", dtype::UINT8, &[2], [2, 3]),
    );
    open.sound();
    assert_eq!(open.bytes(b"a"), [5, 6]);
    assert_eq!(open.bytes(b"b"), [4]);
    assert_eq!(open.bytes(b"c"), [1]);
    assert_eq!(open.bytes(b"d"), [2, 3]);
}

#[test]
fn gaps_of_alignment_are_no_damage() {
    let builder = BundleBuilder::new().alignment(64).tensor("a", dtype::UINT8, &[3], [1, 2, 3]);
    let bundle = builder.strings("s", &[1], &["x"]).floats("f", &[1], &[1.5]).finish();
    assert!(bundle.shards[0].len() >= 192);
    let open = Open::bundle(&bundle);
    open.sound();
    assert_eq!(open.bytes(b"a"), [1, 2, 3]);
    assert_eq!(open.bytes(b"s"), b"x");
    assert_eq!(open.bytes(b"f"), f32s(&[1.5]));
}

#[test]
fn big_endian_numbers_complex_numbers_and_strings() {
    let open = Open::build(
        BundleBuilder::new()
            .big_endian()
            .tensor("i16", dtype::INT16, &[2], [0x01, 0x02, 0xff, 0xfe])
            .tensor("f32", dtype::FLOAT, &[1], 1.5f32.to_be_bytes())
            .tensor("i64", dtype::INT64, &[1], (-2i64).to_be_bytes())
            .tensor("c64", dtype::COMPLEX64, &[1], [1.0f32.to_be_bytes(), 2.0f32.to_be_bytes()].concat())
            .tensor("c128", dtype::COMPLEX128, &[1], [3.0f64.to_be_bytes(), 4.0f64.to_be_bytes()].concat())
            .tensor("bool", dtype::BOOL, &[2], [0, 1])
            .strings("s", &[2], &["ab", &"c".repeat(300)]),
    );
    open.sound();
    assert!(open.checkpoint.is_big_endian());
    assert_eq!(open.bytes(b"i16"), [0x02, 0x01, 0xfe, 0xff]);
    assert_eq!(open.bytes(b"f32"), 1.5f32.to_le_bytes());
    assert_eq!(open.bytes(b"i64"), (-2i64).to_le_bytes());
    assert_eq!(open.bytes(b"c64"), f32s(&[1.0, 2.0]));
    assert_eq!(open.bytes(b"c128"), [3.0f64.to_le_bytes(), 4.0f64.to_le_bytes()].concat());
    assert_eq!(open.bytes(b"bool"), [0, 1]);
    assert_eq!(open.strings(b"s")[1].len(), 300);
}

#[test]
fn a_big_endian_variant_is_refused_as_tensorflow_does() {
    let error = Open::build(BundleBuilder::new().big_endian().variants("v", &[1], &["x"])).error(b"v");
    assert!(matches!(error.kind(), ErrorKind::UnsupportedDType(_)), "{error}");
}

#[test]
fn an_unknown_rank_is_read_as_a_scalar() {
    let builder = BundleBuilder::new().floats("a", &[], &[7.0]).entry_patch("a", |entry| entry.unknown_rank = true);
    let open = Open::build(builder);
    assert_eq!(open.tensor(b"a").shape, Shape::scalar());
    assert_eq!(open.bytes(b"a"), f32s(&[7.0]));
}

#[test]
fn the_highest_rank_is_read_and_one_more_is_refused() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1; 254], &[7.0]));
    open.sound();
    assert_eq!(open.bytes(b"a"), f32s(&[7.0]));
    let open = Open::build(BundleBuilder::new().floats("a", &[1; 255], &[7.0]).floats("b", &[1], &[8.0]));
    assert_eq!(open.names(), ["b"]);
    let [error] = open.checkpoint.damage() else { panic!("{:?}", open.checkpoint.damage()) };
    assert!(matches!(error.kind(), ErrorKind::LimitExceeded { what: "rank", got: 255, limit: 254 }), "{error}");
}

#[test]
fn a_shape_that_cannot_be_counted_is_listed_and_not_read() {
    for shape in [&[-1][..], &[i64::MAX, 2], &[1 << 40, 1 << 40, 0]] {
        let dims = shape.to_vec();
        let builder = BundleBuilder::new().floats("a", &[1], &[7.0]);
        let open = Open::build(builder.entry_patch("a", move |entry| entry.shape.clone_from(&dims)));
        assert_eq!(open.names(), ["a"]);
        assert!(open.checkpoint.read_all(&open.tensor(b"a"), &mut |_| Ok(())).is_err(), "{shape:?}");
    }
}

#[test]
fn step_zero_is_a_checkpoint_like_any_other() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]));
    assert_eq!(open.checkpoint.origin().prefix.step(), Some(0));
    let found = crate::support::open(open.dir.path()).unwrap();
    assert_eq!(found.origin().prefix.as_path(), open.prefix());
}

#[test]
fn pitfall_16_brackets_and_stars_in_a_path_are_letters() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["g[1]", "a b"] {
        let prefix = dir.path().join(name).join("ck[pt]-1");
        BundleBuilder::new().floats("a", &[1], &[1.0]).finish().write(&prefix).unwrap();
        assert_eq!(crate::support::open(&prefix).unwrap().tensors().len(), 1);
        assert_eq!(crate::support::open(prefix.parent().unwrap()).unwrap().tensors().len(), 1);
    }
}

#[test]
fn pitfall_17_a_moved_directory_is_read_and_said_to_be_moved() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]));
    let state = "model_checkpoint_path: \"/elsewhere/model.ckpt-0\"\n";
    std::fs::write(open.dir.path().join("checkpoint"), state).unwrap();
    let found = crate::support::open(open.dir.path()).unwrap();
    assert_eq!(found.origin().prefix.as_path(), open.prefix());
    assert!(found.origin().notes.iter().any(|note| note.contains("/elsewhere/model.ckpt-0")));
}

#[test]
fn pitfall_18_the_state_file_is_a_message_not_lines() {
    let open = Open::build(BundleBuilder::new().floats("a", &[1], &[1.0]));
    let newer = open.dir.path().join("model.ckpt-9");
    BundleBuilder::new().floats("b", &[1], &[1.0]).finish().write(&newer).unwrap();
    let state = "# latest\nmodel_checkpoint_path : 'model.' \"ckpt\\0550\" all_model_checkpoint_paths: ['x', \"y\"]";
    std::fs::write(open.dir.path().join("checkpoint"), state).unwrap();
    let found = crate::support::open(open.dir.path()).unwrap();
    assert_eq!(found.origin().prefix.as_path(), open.prefix());
}

#[test]
fn pitfall_19_keys_of_tables_and_iterators_are_tensors_like_others() {
    let open = Open::build(BundleBuilder::new().strings("t/.ATTRIBUTES/table-keys", &[1], &["k"]).tensor(
        "t/.ATTRIBUTES/table-values",
        dtype::INT64,
        &[1],
        5i64.to_le_bytes(),
    ));
    assert_eq!(open.names(), ["t/.ATTRIBUTES/table-keys", "t/.ATTRIBUTES/table-values"]);
}

#[test]
fn pitfall_21_names_are_listed_as_stored() {
    let name = "d/a.Sb/c..d/.ATTRIBUTES/VARIABLE_VALUE";
    let open = Open::build(BundleBuilder::new().floats(name, &[1], &[1.0]));
    assert_eq!(open.names(), [name]);
    assert_eq!(open.bytes(name.as_bytes()), f32s(&[1.0]));
}
