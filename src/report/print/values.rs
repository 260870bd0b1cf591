//! Values as other programs take them: csv, raw, npy. Complete, streamed, checked on the way.

use std::io::Write;

use super::output;
use super::variant::variant_text;
use crate::analysis::excerpt::Excerpt;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::checkpoint::Checkpoint;
use crate::read::tensor::numpy::npy;
use crate::read::tensor::{DType, Element, write_csv};
use crate::report::kit::csv::csv_output;

fn no_form(dtype: DType, format: &str) -> Error {
    Error::new(ErrorKind::Request(format!("dtype {dtype} has no {format} form"))).with_help("use --format json or text")
}

pub(super) fn raw(checkpoint: &Checkpoint, excerpt: &Excerpt, out: &mut dyn Write) -> Result<()> {
    if excerpt.tensor.dtype == DType::Variant {
        return Err(no_form(DType::Variant, "raw"));
    }
    let mut sink = |bytes: &[u8]| out.write_all(bytes).map_err(output);
    excerpt.read(checkpoint, &mut sink).map(|_| ())
}

pub(in crate::report) fn npy_file(checkpoint: &Checkpoint, excerpt: &Excerpt, out: &mut dyn Write) -> Result<()> {
    let dtype = excerpt.tensor.dtype;
    let mut longest = 0;
    if dtype == DType::String {
        // Fixed-width strings: the width comes first, and a NUL at an end would be lost in it.
        excerpt.read(checkpoint, &mut |string| {
            if string.last() == Some(&0) {
                let why = "a string ends in NUL, which a NumPy string array cannot keep";
                return Err(Error::new(ErrorKind::Request(why.into())).with_help("use --format json"));
            }
            longest = longest.max(string.len() as u64);
            Ok(())
        })?;
    }
    let Some(header) = npy::header(dtype, &excerpt.region.shape(), longest) else { return Err(no_form(dtype, "npy")) };
    out.write_all(&header).map_err(output)?;
    let mut widened = Vec::new();
    let width = usize::try_from(longest.max(1)).unwrap_or(usize::MAX);
    excerpt
        .read(checkpoint, &mut |bytes| {
            widened.clear();
            widened.extend_from_slice(bytes);
            if dtype == DType::String {
                widened.resize(width, 0);
            } else {
                npy::widen(dtype, &mut widened);
            }
            out.write_all(&widened).map_err(output)
        })
        .map(|_| ())
}

/// One row for every index but the last; a vector is one column, a scalar one cell.
pub(super) fn csv_table(checkpoint: &Checkpoint, excerpt: &Excerpt, out: &mut dyn Write) -> Result<()> {
    let dtype = excerpt.tensor.dtype;
    let columns = match excerpt.region.shape().as_slice() {
        [] | [_] => 1,
        [.., last] => *last,
    };
    let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(out);
    let (mut at, mut text) = (0u64, String::new());
    let broken = |e: csv::Error| output(csv_output(e));
    let mut field = |csv: &mut csv::Writer<&mut dyn Write>, bytes: &[u8]| -> Result<()> {
        csv.write_field(bytes).map_err(broken)?;
        at += 1;
        if at.is_multiple_of(columns.max(1)) {
            csv.write_record(None::<&[u8]>).map_err(broken)?;
        }
        Ok(())
    };
    let checked = excerpt.read(checkpoint, &mut |bytes| match dtype {
        DType::String => field(&mut csv, bytes),
        DType::Variant => field(&mut csv, variant_text(bytes).as_bytes()),
        _ => {
            for element in Element::decode_all(dtype, bytes).into_iter().flatten() {
                text.clear();
                // Writing to a string cannot fail.
                let _ = write_csv(element, &mut text);
                field(&mut csv, text.as_bytes())?;
            }
            Ok(())
        }
    });
    csv.flush().map_err(output)?;
    checked.map(|_| ())
}
