//! A tensor as `print(reader.get_tensor(name))` shows it.

use std::io::Write;

use crate::analysis::excerpt::Excerpt;
use crate::base::error::{Error, Result};
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::graph::python_bytes;
use crate::read::tensor::numpy::{Layout, Options};
use crate::read::tensor::{DType, Element};
use crate::report::print::output;
use crate::report::print::text::write_elements;

/// Writes all values, or those at the corners where NumPy would.
///
/// # Errors
/// What cannot be read, and what `out` says.
pub(super) fn write_array(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    options: &Options,
    out: &mut dyn Write,
) -> Result<()> {
    let dtype = excerpt.tensor.dtype;
    if matches!(dtype, DType::Variant | DType::Resource) {
        return writeln!(out, "<not convertible to a numpy dtype>").map_err(output);
    }
    // A tensor is read before anything of it is printed.
    excerpt.check(checkpoint)?;
    let shape = excerpt.region.shape();
    let layout = Layout::new(&shape, options);
    write_elements(checkpoint, excerpt, &layout, options, out, &mut |writer, bytes| {
        if dtype == DType::String {
            return writer.push_text(&python_bytes(bytes));
        }
        Element::decode_all(dtype, bytes).into_iter().flatten().try_for_each(|element| match (dtype, element) {
            // Most of TensorFlow's quantized types are records of one field in NumPy.
            (DType::QInt8 | DType::QInt32, Element::Int(value)) => writer.push_text(&format!("({value},)")),
            (DType::QUInt8, Element::UInt(value)) => writer.push_text(&format!("({value},)")),
            // NumPy has these from ml_dtypes, which prints floats as C++ does, and knows no columns for them.
            (dtype, Element::Int(value)) if is_of_ml_dtypes(dtype) => writer.push_text(&value.to_string()),
            (dtype, Element::UInt(value)) if is_of_ml_dtypes(dtype) => writer.push_text(&value.to_string()),
            (dtype, Element::Float(value)) if is_of_ml_dtypes(dtype) => writer.push_text(&general(value.value())),
            (_, element) => writer.push(&element),
        })
    })
}

fn is_of_ml_dtypes(dtype: DType) -> bool {
    matches!(
        dtype,
        DType::BFloat16
            | DType::Float8E5M2
            | DType::Float8E4M3FN
            | DType::Float8E4M3FNUZ
            | DType::Float8E4M3B11FNUZ
            | DType::Float8E5M2FNUZ
            | DType::Float4E2M1FN
            | DType::Int4
            | DType::UInt4
            | DType::Int2
            | DType::UInt2
    )
}

/// A number in six digits, as `%g` of C.
fn general(value: f64) -> String {
    const DIGITS: i32 = 6;
    if !value.is_finite() {
        return match value {
            f64::INFINITY => "inf",
            f64::NEG_INFINITY => "-inf",
            _ => "nan",
        }
        .to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let text = format!("{value:.5e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
        short.to_owned()
    };
    if (-4..DIGITS).contains(&exponent) {
        let digits = usize::try_from(DIGITS - 1 - exponent).unwrap_or(0);
        return trim(&format!("{value:.digits$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(mantissa), exponent.unsigned_abs())
}

/// A whole tensor, as an excerpt.
///
/// # Errors
/// If its shape is none.
pub(super) fn whole(checkpoint: &Checkpoint, at: usize) -> Result<Excerpt> {
    let tensor = checkpoint.tensor_at(at).ok_or_else(|| Error::malformed("checkpoint", "no such tensor"))?;
    Excerpt::whole(tensor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_digits_as_c_shows_them() {
        let shown = [1.0, 2.5, -0.007_812_5, 1.000_26e30, 3.140_625, 1e-5, 100_000.0, 999_999.5, 1e6, 0.0, -0.0];
        let expected =
            ["1", "2.5", "-0.0078125", "1.00026e+30", "3.14062", "1e-05", "100000", "1e+06", "1e+06", "0", "-0"];
        assert_eq!(shown.map(general), expected);
    }
}
