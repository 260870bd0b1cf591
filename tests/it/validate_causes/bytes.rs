//! What happened to the bytes of tensors.

use std::fs;
use std::path::PathBuf;

use ckpt::analysis::{Code, Severity, ValidateOptions, Validation};
use ckpt::read::checkpoint::Tensor;
use ckpt_synth::{BundleBuilder, dtype};
use tempfile::TempDir;

use crate::validating::{
    codes, copy, data_of, edit, errors, line, lines, noise, only, options, run, tensors, try_run, with, written,
};

/// Three tensors of noise: a page, four pages, a page.
fn pages() -> (TempDir, PathBuf) {
    let tensor = |b: BundleBuilder, name, pages: usize, seed| {
        b.tensor(name, dtype::UINT8, &[i64::try_from(pages).unwrap(), 4096], noise(pages * 4096, seed))
    };
    written(tensor(tensor(tensor(BundleBuilder::new(), "a", 1, 1), "b", 4, 2), "c", 1, 3))
}

#[test]
fn a_page_aligned_hole_of_zeros() {
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[8192..16384].fill(0));
    let found = run(&prefix);
    let hole = only(
        &found,
        Code::HoleOfZeros,
        &["zeros from 8192 to 16384, 8192 bytes: 1 tensor affected (b)", "2 whole pages of 4096, beginning at a page"],
    );
    assert_eq!(hole.offset, Some(8192));
    assert_eq!(tensors(&found, Code::HoleOfZeros), ["b"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert_eq!((found.checked.tensors, found.checked.verified), (3, 2));
}

#[test]
fn a_hole_over_two_tensors_is_one_hole() {
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[16384..24576].fill(0));
    let found = run(&prefix);
    only(&found, Code::HoleOfZeros, &["zeros from 16384 to 24576", "2 tensors affected (b, c)"]);
    assert_eq!(tensors(&found, Code::HoleOfZeros), ["b", "c"]);
}

// Less than a page, from within one tensor into the next.
#[test]
fn a_hole_that_is_no_page_over_two_tensors() {
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[20480 - 700..20480 + 900].fill(0));
    let found = run(&prefix);
    only(&found, Code::HoleOfZeros, &["zeros from 19780 to 21380", "2 tensors affected (b, c)"]);
    assert_eq!((errors(&found).len(), tensors(&found, Code::HoleOfZeros).len()), (1, 2), "{}", lines(&found));
    // In one alone, zeros may be numbers, and something else may have happened to the rest.
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[9000..9900].fill(0));
    assert_eq!(codes(&run(&prefix)), ["tensor-checksum-mismatch"]);
}

#[test]
fn a_whole_tensor_of_tensorflow_s_zeroed() {
    let dir = copy("object_graph/tf_keras");
    let prefix = dir.path().join("ckpt-1");
    let checkpoint = ckpt::read::checkpoint::Checkpoint::open(
        &prefix,
        ckpt::read::checkpoint::Choice::default(),
        &ckpt::base::limits::Limits::default(),
    )
    .unwrap();
    let largest = checkpoint.tensors().iter().filter(Tensor::is_numeric).max_by_key(Tensor::bytes).unwrap();
    let ckpt::read::checkpoint::Parts::Whole(place) = &largest.parts else { panic!("partitioned") };
    let (start, len) = place.range.unwrap();
    let (start, len) = (usize::try_from(start).unwrap(), usize::try_from(len).unwrap());
    edit(&data_of(&prefix), |bytes| bytes[start..start + len].fill(0));
    let found = run(&prefix);
    only(&found, Code::HoleOfZeros, &[&format!("zeros from {start} to {}", start + len), "1 tensor affected"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn a_single_flipped_bit() {
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[9001] ^= 1 << 6);
    let found = run(&prefix);
    let flip = only(
        &found,
        Code::SingleBitFlip,
        &["b: one bit differs from what was saved, bit 6 of byte 9001 of m.data", "odds of coincidence 1 :"],
    );
    assert_eq!((flip.offset, flip.tensor.as_deref()), (Some(9001), Some(&b"b"[..])));
    assert!(flip.expected.as_ref().is_some_and(|text| text.len() == 10) && flip.expected != flip.found);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn what_is_no_bit_is_not_called_one() {
    let (_dir, prefix) = pages();
    edit(&data_of(&prefix), |bytes| bytes[9001..9003].copy_from_slice(&[0x55, 0xaa]));
    let found = run(&prefix);
    assert_eq!(codes(&found), ["tensor-checksum-mismatch"], "{}", lines(&found));
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hit = bytes[at..].starts_with(from);
        out.extend_from_slice(if hit { to } else { &bytes[at..=at] });
        at += if hit { from.len() } else { 1 };
    }
    out
}

/// A bundle of one large tensor whose data file went through a transfer.
fn transferred(len: usize, transfer: impl Fn(&[u8]) -> Vec<u8>) -> Validation {
    let bytes = noise(len, 5);
    let dims = [i64::try_from(len).unwrap()];
    let (_dir, prefix) = written(BundleBuilder::new().tensor("w", dtype::UINT8, &dims, &bytes));
    fs::write(data_of(&prefix), transfer(&bytes)).unwrap();
    run(&prefix)
}

#[test]
fn text_mode_transfers_in_both_directions() {
    let found = transferred(100_000, |bytes| replace(bytes, b"\n", b"\r\n"));
    only(
        &found,
        Code::TextModeMangled,
        &["line feeds has a carriage return before it", "bytes too long", "ASCII mode", "binary mode"],
    );
    assert_eq!(tensors(&found, Code::TextModeMangled), ["w"]);

    let found = transferred(2 << 20, |bytes| replace(bytes, b"\r\n", b"\n"));
    only(&found, Code::TextModeMangled, &["line feeds has a carriage return", "bytes too short"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));

    let found = transferred(100_000, |bytes| String::from_utf8_lossy(bytes).into_owned().into_bytes());
    only(&found, Code::TextModeMangled, &["replacement character", "the bytes are lost"]);
}

#[test]
fn lengths_of_strings_that_are_not_the_saved_ones() {
    let strings = || BundleBuilder::new().floats("a", &[1], &[1.0]).strings("s", &[3], &["one", "", "three"]);
    let (_dir, prefix) = written(strings());
    // Behind a: three lengths, their checksum, the bytes.
    edit(&data_of(&prefix), |bytes| bytes[8] ^= 0x81);
    let found = run(&prefix);
    let finding = only(
        &found,
        Code::StringLengthsMismatch,
        &["s: the lengths of its strings do not match their checksum (stored 0x"],
    );
    assert_eq!(finding.tensor.as_deref(), Some(&b"s"[..]));
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));

    let (_dir, prefix) = written(strings());
    edit(&data_of(&prefix), |bytes| bytes[4] = 200);
    only(&run(&prefix), Code::StringLengthsMismatch, &["s: "]);

    // Lengths with a true checksum that claim one byte more than the entry has.
    let case = ckpt_synth::hostile::case("string-lengths-too-long").unwrap();
    let dir = tempfile::tempdir().unwrap();
    case.write(dir.path()).unwrap();
    only(&run(&dir.path().join(&case.open)), Code::BadStringTensor, &["s: "]);

    let (_dir, prefix) = written(strings());
    edit(&data_of(&prefix), |bytes| *bytes.last_mut().unwrap() ^= 0x81);
    let found = run(&prefix);
    only(&found, Code::TensorChecksumMismatch, &["s: its 15 bytes are not the ones that were saved (stored 0x"]);
    assert_eq!(tensors(&found, Code::TensorChecksumMismatch), ["s"]);
}

// Strings are summed in another form than they are stored in: in the lengths, in their checksum, and in the bytes.
#[test]
fn the_one_bit_of_a_tensor_of_strings_is_named() {
    let strings = || BundleBuilder::new().floats("a", &[1], &[1.0]).strings("s", &[3], &["one", "", "three"]);
    let len = fs::read(data_of(&written(strings()).1)).unwrap().len();
    for (at, bit) in (4..len).map(|at| (at, at % 8)) {
        let (_dir, prefix) = written(strings());
        edit(&data_of(&prefix), |bytes| bytes[at] ^= 1 << bit);
        let found = run(&prefix);
        let words = format!("s: one bit differs from what was saved, bit {bit} of byte {at} of m.data-00000-of-00001");
        let finding = only(&found, Code::SingleBitFlip, &[&words, "ckpt recover"]);
        assert_eq!(finding.tensor.as_deref(), Some(&b"s"[..]));
        assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    }
    // Beside damage that nothing explains a bit must be less of a chance, and two bits are none.
    let (_dir, prefix) = written(strings());
    edit(&data_of(&prefix), |bytes| {
        bytes[12] ^= 1;
        bytes[14] ^= 1;
    });
    assert!(!lines(&run(&prefix)).contains("one bit"), "{}", lines(&run(&prefix)));
}

#[test]
fn the_checksum_of_a_variant() {
    let variant = ckpt_synth::Msg::new().string(1, "tensorflow::Thing").build();
    let build = || BundleBuilder::new().variants("v", &[2], &[&variant, &variant]);
    let intact = written(build());
    assert!(run(&intact.1).findings.is_empty());
    let len = fs::read(data_of(&intact.1)).unwrap().len();
    for at in 0..len {
        let (_dir, prefix) = written(build());
        edit(&data_of(&prefix), |bytes| bytes[at] ^= 0x10);
        let found = run(&prefix);
        let [finding] = errors(&found)[..] else { panic!("byte {at}\n{}", lines(&found)) };
        assert_eq!(finding.tensor.as_deref(), Some(&b"v"[..]), "byte {at}");
        let right =
            [Code::SingleBitFlip, Code::TensorChecksumMismatch, Code::BadStringTensor, Code::StringLengthsMismatch];
        assert!(right.contains(&finding.code), "byte {at}: {}", line(finding));
    }
}

fn finite(prefix: &std::path::Path) -> Validation {
    try_run(prefix, &ValidateOptions { finite: true, ..options() }).unwrap()
}

#[test]
fn nan_and_infinity_have_coordinates() {
    let mut values = vec![0.5f32; 24];
    (values[17], values[18], values[23]) = (f32::NAN, f32::INFINITY, f32::NAN);
    let complex: Vec<u8> = [1.0f32, 2.0, 3.0, f32::NEG_INFINITY].iter().flat_map(|v| v.to_le_bytes()).collect();
    let doubles: Vec<u8> = [1.0, f64::NAN].iter().flat_map(|v| v.to_le_bytes()).collect();
    let (_dir, prefix) = written(
        BundleBuilder::new()
            .floats("f32", &[2, 3, 4], &values)
            .tensor("bf16", dtype::BFLOAT16, &[2, 2], [0x80, 0x3f, 0xc0, 0x7f, 0x80, 0x7f, 0, 0])
            .tensor("f8", dtype::FLOAT8_E5M2, &[4], [0x3c, 0x7c, 0x7f, 0x01])
            .tensor("f8fn", dtype::FLOAT8_E4M3FN, &[4], [0x7e, 0x7f, 0xff, 0x01])
            .tensor("half", dtype::HALF, &[2], [0, 0x3c, 0, 0xfc])
            .tensor("c64", dtype::COMPLEX64, &[2], complex)
            .tensor("f64", dtype::DOUBLE, &[2, 1], doubles)
            .floats("fine", &[2], &[f32::MAX, -0.0])
            .floats("scalar", &[], &[f32::NAN])
            .tensor("int", dtype::INT32, &[1], [0xff; 4]),
    );
    assert!(run(&prefix).findings.is_empty(), "only when asked for");
    let found = finite(&prefix);
    let said: Vec<&str> = found.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "bf16: 1 NaN and 1 infinite of 4 elements, the first at [0, 1]",
            "c64: 0 NaN and 1 infinite of 2 elements, the first at [1]",
            "f32: 2 NaN and 1 infinite of 24 elements, the first at [1, 1, 1]",
            "f64: 1 NaN and 0 infinite of 2 elements, the first at [1, 0]",
            "f8: 1 NaN and 1 infinite of 4 elements, the first at [1]",
            "f8fn: 2 NaN and 0 infinite of 4 elements, the first at [1]",
            "half: 0 NaN and 1 infinite of 2 elements, the first at [1]",
            "scalar: 1 NaN and 0 infinite of 1 elements, the first at []",
        ]
    );
    assert!(found.findings.iter().all(|f| f.code == Code::NonFinite && f.severity == Severity::Error));
}

#[test]
fn nan_in_a_slice_has_the_coordinates_of_the_whole() {
    use ckpt_synth::Extent;
    let part = |bad: usize| {
        let values = (0..6).map(|n| if n == bad { f32::NAN } else { 1.0 });
        values.flat_map(f32::to_le_bytes).collect::<Vec<u8>>()
    };
    let extents = |start| vec![Extent::range(start, 2), Extent::Full];
    let slices = vec![(extents(0), 0, part(9)), (extents(2), 0, part(4))];
    let (_dir, prefix) = written(BundleBuilder::new().partitioned("w", dtype::FLOAT, &[4, 3], slices));
    only(&finite(&prefix), Code::NonFinite, &["w: 1 NaN and 0 infinite of 12 elements, the first at [3, 1]"]);
}

#[test]
fn a_legacy_tensor_that_is_damaged_is_named() {
    let dir = copy("saver_v1/single");
    let path = dir.path().join("model.ckpt-5");
    assert!(run(&path).findings.is_empty());
    let middle = fs::read(&path).unwrap().len() / 2;
    edit(&path, |bytes| bytes[middle] ^= 1);
    let found = run(&path);
    assert!(!found.is_ok());
    assert!(found.findings.iter().all(|f| f.code == Code::BlockChecksumMismatch), "{}", lines(&found));
    assert!(!with(&path, ".index").exists());
}
