//! Printed text recorded from NumPy 2.4 with its default options, unless a test says otherwise.

use super::*;
use crate::read::tensor::{DType, Element};

fn print(dtype: DType, dims: &[u64], bytes: &[u8], options: &Options) -> String {
    let elements: Vec<Element> = Element::decode_all(dtype, bytes).unwrap().collect();
    let layout = Layout::new(dims, options);
    let mut format = Format::new(dtype, options);
    let shown: Vec<Element> = layout
        .runs()
        .flat_map(|(first, count)| first..first + count)
        .map(|flat| elements[usize::try_from(flat).unwrap()])
        .collect();
    for element in &shown {
        format.observe(element);
    }
    let mut writer = Writer::new(Vec::new(), &format, &layout, options);
    for element in &shown {
        writer.push(element).unwrap();
    }
    String::from_utf8(writer.finish().unwrap()).unwrap()
}

fn plain(dtype: DType, dims: &[u64], bytes: &[u8]) -> String {
    print(dtype, dims, bytes, &Options::default())
}

macro_rules! bytes {
    ($values:expr) => {
        $values.into_iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()
    };
}

#[test]
fn integers_share_a_width_and_rows_wrap() {
    assert_eq!(
        plain(DType::Int64, &[45], &bytes!((-5i64..40).map(|n| n * 7))),
        "[-35 -28 -21 -14  -7   0   7  14  21  28  35  42  49  56  63  70  77  84\n  91  98 105 112 119 126 133 140 \
         147 154 161 168 175 182 189 196 203 210\n 217 224 231 238 245 252 259 266 273]"
    );
    assert_eq!(plain(DType::UInt64, &[2], &bytes!([u64::MAX, 0])), "[18446744073709551615                    0]");
    assert_eq!(plain(DType::Int4, &[3], &[0x0f, 0x07, 0x08]), "[-1  7 -8]");
    let narrow = Options { line_width: 12, ..Options::default() };
    assert_eq!(
        print(DType::Float64, &[2, 5], &bytes!((0..10).map(f64::from)), &narrow),
        "[[0. 1. 2.\n  3. 4.]\n [5. 6. 7.\n  8. 9.]]"
    );
}

#[test]
fn floats_are_aligned_at_the_point() {
    let values = [0.1f32, -2.5, 100.0, std::f32::consts::PI];
    assert_eq!(plain(DType::Float32, &[4], &bytes!(values)), "[  0.1        -2.5       100.          3.1415927]");
    let three = Options { precision: Some(3), ..Options::default() };
    let values = [std::f64::consts::PI, std::f64::consts::E, 1.0];
    assert_eq!(print(DType::Float64, &[3], &bytes!(values), &three), "[3.142 2.718 1.   ]");
}

#[test]
fn far_apart_or_large_floats_get_exponents() {
    assert_eq!(
        plain(DType::Float64, &[3], &bytes!([1e-5f64, 1.0, -123_456.789])),
        "[ 1.00000000e-05  1.00000000e+00 -1.23456789e+05]"
    );
    // Since NumPy 2.4 it depends on the type what is large: 1e6 is for float32.
    assert_eq!(plain(DType::Float32, &[2], &bytes!([1e6f32, 2e6])), "[1.e+06 2.e+06]");
    assert_eq!(plain(DType::Float64, &[2], &bytes!([1e6f64, 2e6])), "[1000000. 2000000.]");
}

#[test]
fn what_is_not_finite_takes_the_width_of_the_rest() {
    let values = [f32::NAN, 1.5, f32::NEG_INFINITY, f32::INFINITY];
    assert_eq!(plain(DType::Float32, &[2, 2], &bytes!(values)), "[[ nan  1.5]\n [-inf  inf]]");
    assert_eq!(plain(DType::Float64, &[2], &bytes!([f64::NAN, f64::NEG_INFINITY])), "[ nan -inf]");
}

#[test]
fn narrow_floats_show_their_own_digits() {
    assert_eq!(plain(DType::Float16, &[3], &[0x66, 0x2e, 0xff, 0x7b, 0x8e, 0x86]), "[ 1.00e-01  6.55e+04 -1.00e-04]");
    assert_eq!(plain(DType::Float16, &[3], &[0x66, 0x2e, 0x48, 0x42, 0x00, 0xc0]), "[ 0.1   3.14 -2.  ]");
    // Not NumPy's: `ml_dtypes` prints bfloat16 as if it were float32, with digits that mean nothing.
    assert_eq!(plain(DType::BFloat16, &[3], &[0xcd, 0x3d, 0x49, 0x40, 0x00, 0xc0]), "[ 0.1   3.14 -2.  ]");
    assert_eq!(plain(DType::Float8E4M3FN, &[3], &[0x7e, 0x7f, 0x38]), "[450.  nan   1.]");
    assert_eq!(plain(DType::Float4E2M1FN, &[2], &[0x01, 0x0f]), "[ 0.5 -6. ]");
}

#[test]
fn bools_and_complex_numbers_have_columns_of_their_own() {
    assert_eq!(plain(DType::Bool, &[2, 2], &[1, 0, 0, 1]), "[[ True False]\n [False  True]]");
    assert_eq!(
        plain(DType::Complex64, &[3], &bytes!([1.5f32, -2.0, f32::NAN, 1e-3, -100.0, 0.0])),
        "[   1.5-2.e+00j    nan+1.e-03j -100. +0.e+00j]"
    );
}

#[test]
fn blank_lines_part_the_outer_dimensions() {
    assert_eq!(
        plain(DType::Int32, &[2, 3, 2], &bytes!(0i32..12)),
        "[[[ 0  1]\n  [ 2  3]\n  [ 4  5]]\n\n [[ 6  7]\n  [ 8  9]\n  [10 11]]]"
    );
}

#[test]
fn a_large_matrix_is_summarised() {
    let want = "\
[[0.00000e+00 1.25000e-01 2.50000e-01 ... 5.87500e+00 6.00000e+00
  6.12500e+00]
 [6.25000e+00 6.37500e+00 6.50000e+00 ... 1.21250e+01 1.22500e+01
  1.23750e+01]
 [1.25000e+01 1.26250e+01 1.27500e+01 ... 1.83750e+01 1.85000e+01
  1.86250e+01]
 ...
 [2.31250e+02 2.31375e+02 2.31500e+02 ... 2.37125e+02 2.37250e+02
  2.37375e+02]
 [2.37500e+02 2.37625e+02 2.37750e+02 ... 2.43375e+02 2.43500e+02
  2.43625e+02]
 [2.43750e+02 2.43875e+02 2.44000e+02 ... 2.49625e+02 2.49750e+02
  2.49875e+02]]";
    let bytes = bytes!((0..2000).map(|n| f64::from(n) / 8.0));
    assert_eq!(plain(DType::Float64, &[40, 50], &bytes), want);
    let want = "\
[[[  0   1]
  [  2   3]]

 ...

 [[396 397]
  [398 399]]]";
    let one = Options { threshold: 10, edge_items: 1, ..Options::default() };
    assert_eq!(print(DType::Int32, &[100, 2, 2], &bytes!(0i32..400), &one), want);
}

#[test]
fn scalars_are_printed_in_full_and_without_brackets() {
    assert_eq!(plain(DType::Float32, &[], &bytes!([0.1f32])), "0.1");
    assert_eq!(plain(DType::Float64, &[], &bytes!([1.0 / 3.0f64])), "0.3333333333333333");
    assert_eq!(plain(DType::Float64, &[], &bytes!([1e16f64])), "1e+16");
    assert_eq!(plain(DType::Float64, &[], &bytes!([-0.0f64])), "-0.0");
    assert_eq!(plain(DType::Float32, &[], &bytes!([f32::NAN])), "nan");
    assert_eq!(plain(DType::Int64, &[], &bytes!([7i64])), "7");
    assert_eq!(plain(DType::Bool, &[], &[1]), "True");
    assert_eq!(plain(DType::Complex64, &[], &bytes!([1.5f32, -2.0])), "(1.5-2j)");
    assert_eq!(plain(DType::Complex64, &[], &bytes!([0.0f32, 2.0])), "2j");
    // np.array2string(np.array(1 / 3), precision=3)
    let three = Options { precision: Some(3), ..Options::default() };
    assert_eq!(print(DType::Float64, &[], &bytes!([1.0 / 3.0f64]), &three), "0.333");
    assert_eq!(print(DType::Bool, &[], &[1], &three), "True");
}

#[test]
fn nothing_is_printed_as_an_empty_list() {
    for dims in [&[0][..], &[2, 0], &[0, 2000], &[2000, 0, 3]] {
        assert_eq!(plain(DType::Float32, dims, &[]), "[]", "{dims:?}");
    }
    // Not NumPy's, which shows the last item even when none was asked for.
    let none = Options { edge_items: 0, threshold: 1, ..Options::default() };
    assert_eq!(print(DType::UInt8, &[2], &[1, 2], &none), "[...]");
}

#[test]
fn a_very_high_rank_is_cut_but_keeps_its_brackets() {
    // Beyond NumPy, which has at most 64 dimensions.
    let options = Options::default();
    let layout = Layout::new(&[2; 254], &options);
    let mut format = Format::new(DType::Bool, &options);
    format.observe(&Element::Bool(true));
    let mut writer = Writer::new(Vec::new(), &format, &layout, &options);
    for _ in 0..layout.shown() {
        writer.push(&Element::Bool(true)).unwrap();
    }
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    assert_eq!(text.matches('[').count(), text.matches(']').count());
    assert!(text.starts_with(&"[".repeat(254)));
    assert_eq!(text.matches("True").count() as u64, layout.shown());
}

#[test]
fn strings_are_quoted_and_harmless() {
    assert_eq!(quoted(b"ok", false), "\"ok\"");
    assert_eq!(quoted("a\"b\\c\n\x1b[31m\u{202e}λ".as_bytes(), false), r#""a\"b\\c\n\x1b[31m\u{202e}λ""#);
    assert_eq!(quoted(&[0xff, b'a'], false), r#""\xffa""#);
    assert_eq!(quoted(&[b'x'; 80], false), format!("\"{}\"", "x".repeat(80)));
    assert_eq!(quoted(&[b'x'; 81], false), format!("\"{}\"... (81 bytes)", "x".repeat(60)));
    assert_eq!(quoted(&[b'x'; 81], true).len(), 83);
    let greek = "aλ".repeat(50);
    assert!(quoted(greek.as_bytes(), false).ends_with("aλ\"... (150 bytes)"));
    assert!(quoted("aaaλ".repeat(50).as_bytes(), false).contains("aaaλ\"... (250 bytes)"));
}

#[test]
fn string_elements_stand_in_rows() {
    let options = Options::default();
    let layout = Layout::new(&[2, 2], &options);
    let format = Format::new(DType::String, &options);
    let mut writer = Writer::new(Vec::new(), &format, &layout, &options);
    for text in ["a", "", "b c", "d"] {
        writer.push_text(&quoted(text.as_bytes(), false)).unwrap();
    }
    // One more than the layout has room for changes nothing.
    writer.push_text("\"e\"").unwrap();
    assert_eq!(writer.finish().unwrap(), b"[[\"a\" \"\"]\n [\"b c\" \"d\"]]");
}
