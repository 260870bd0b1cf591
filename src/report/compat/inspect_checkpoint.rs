//! `python -m tensorflow.python.tools.inspect_checkpoint`.
//!
//! Source: `tensorflow/python/tools/inspect_checkpoint.py`; what it prints without a tensor is `DebugString` of
//! `core/util/tensor_bundle/tensor_bundle.cc`.

use std::io::{self, Write};

use super::array::{whole, write_array};
use crate::analysis::Count;
use crate::base::error::Result;
use crate::read::bundle::slice_key;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::numpy::Options;
use crate::read::tensor::{DType, Shape};
use crate::report::print::output;

/// What is to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InspectCheckpoint<'a> {
    /// Neither a name nor all: what a reader says of itself.
    Summary,
    /// `--tensor_name`
    Tensor(&'a str),
    /// `--all_tensor_names`
    Names,
    /// `--all_tensors`
    Values,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Inspected {
    /// Whether there is no tensor of the name.
    pub not_found: bool,
    /// What could not be read, and ended it.
    pub error: Option<crate::base::error::Error>,
}

/// Prints what the program prints.
///
/// # Errors
/// What `out` says.
pub fn write_inspect_checkpoint(
    checkpoint: &Checkpoint,
    what: InspectCheckpoint<'_>,
    options: &Options,
    count: &Count,
    out: &mut dyn Write,
) -> Result<Inspected> {
    let mut inspected = Inspected::default();
    let all = |values: bool, out: &mut dyn Write| -> Result<()> {
        for at in 0..checkpoint.tensors().len() {
            let excerpt = whole(checkpoint, at)?;
            heading(&excerpt.tensor, out).map_err(output)?;
            if values {
                write_array(checkpoint, &excerpt, options, out)?;
            }
        }
        Ok(())
    };
    let done = match what {
        InspectCheckpoint::Summary => summary(checkpoint, out).map_err(output),
        InspectCheckpoint::Names => all(false, out),
        InspectCheckpoint::Values => all(true, out),
        InspectCheckpoint::Tensor(name) => match checkpoint.tensors().find(name.as_bytes()) {
            None => {
                writeln!(out, "Tensor {name} not found in checkpoint").map_err(output)?;
                inspected.not_found = true;
                return Ok(inspected);
            }
            Some(at) => {
                let excerpt = whole(checkpoint, at)?;
                heading(&excerpt.tensor, out).map_err(output)?;
                write_array(checkpoint, &excerpt, options, out)
            }
        },
    };
    match done {
        Err(error) if matches!(error.kind(), crate::base::error::ErrorKind::Output(_)) => return Err(error),
        Err(error) => {
            inspected.error = Some(error);
            return Ok(inspected);
        }
        Ok(()) => {}
    }
    if let Some(pattern) = &count.pattern {
        let (tensors, parameters) = (count.excluded_tensors, count.excluded);
        writeln!(out, "# Excluding {tensors} tensors ({parameters} params) that match {pattern} when counting.")
            .map_err(output)?;
    }
    writeln!(out, "# Total number of params: {}", count.parameters).map_err(output)?;
    Ok(inspected)
}

fn heading(tensor: &Tensor, out: &mut dyn Write) -> io::Result<()> {
    let dims: Vec<String> = tensor.shape.dims().unwrap_or_default().iter().map(i64::to_string).collect();
    let name = String::from_utf8_lossy(&tensor.name);
    writeln!(out, "tensor: {name} ({}) [{}]", tensor.dtype, dims.join(", "))
}

/// `debug_string()`, decoded as UTF-8 with what is none left out. Entries of partitioned tensors are not shown, those of
/// their slices are, under their binary keys.
fn summary(checkpoint: &Checkpoint, out: &mut dyn Write) -> io::Result<()> {
    let is_v1 = !checkpoint.origin().v1_files.is_empty();
    let mut rows: Vec<(Vec<u8>, DType, Shape)> = Vec::new();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((_, tensor)) = cursor.advance() {
        if is_v1 {
            let name = String::from_utf8_lossy(&tensor.name);
            let slices = tensor.slices().len();
            let slices = if slices > 1 { format!(", {slices} slices") } else { String::new() };
            writeln!(out, "{name} ({}) {}{slices}", proto_name(tensor.dtype), tensor.shape)?;
            continue;
        }
        if tensor.slices().is_empty() {
            rows.push((tensor.name.clone(), tensor.dtype, tensor.shape.clone()));
        }
        for stored in tensor.slices().iter().filter(|stored| stored.place.is_some()) {
            let shape = tensor.shape.dims().and_then(|dims| stored.slice.resolve(dims));
            let shape =
                shape.map(|extents| Shape::new(extents.iter().map(|(_, len)| len.cast_signed()).collect::<Vec<_>>()));
            rows.push((slice_key(&tensor.name, &stored.slice), tensor.dtype, shape.unwrap_or_else(Shape::scalar)));
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    for (key, dtype, shape) in rows {
        for part in key.utf8_chunks() {
            out.write_all(part.valid().as_bytes())?;
        }
        writeln!(out, " ({}) {shape}", proto_name(dtype))?;
    }
    writeln!(out)
}

/// The name of a dtype in `types.proto`.
pub(super) fn proto_name(dtype: DType) -> String {
    let name = match dtype {
        DType::Float32 => "FLOAT".to_owned(),
        DType::Float64 => "DOUBLE".to_owned(),
        DType::Float16 => "HALF".to_owned(),
        DType::Ref(number) => return format!("{}_REF", proto_name(DType::from_number(number - 100))),
        dtype => dtype.to_string().to_ascii_uppercase(),
    };
    format!("DT_{name}")
}
