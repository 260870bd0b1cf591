//! `ckpt convert --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::convert::{Converted, From, Recipe, Target, TensorRef};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::json::{DTypeName, Dims, Head, OwnedName, PathText, Source, Utf8OrBase64, write_document};

/// What was written, or with `--dry-run` would be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Convert<'a> {
    #[serde(flatten)]
    head: Head,
    /// as given
    inputs: Vec<Source<'a>>,
    output: OutputFiles<'a>,
    /// by name
    tensors: Vec<OutputTensor<'a>>,
    /// what is not in the output, and why
    left_out: Vec<LeftOut<'a>>,
    /// finite values that became infinite in a narrower dtype
    overflows: Vec<Overflow<'a>>,
    /// tensors of inputs without checksums: read, and nobody can say that they are what was saved
    unchecked: usize,
}

/// Where it lies.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct OutputFiles<'a> {
    /// `bundle`, `safetensors`, `npz`, `npy`
    format: &'static str,
    /// none with `--dry-run`
    files: Vec<OutputFile<'a>>,
}

impl<'a> OutputFiles<'a> {
    /// The files that were written.
    pub(in crate::report) fn of(target: &Target, converted: &'a Converted) -> Self {
        let files = converted.files.iter().map(|file| OutputFile { path: PathText(&file.path), bytes: file.bytes });
        Self { format: target.format.name(), files: files.collect() }
    }
}

/// A file that was written, read again and put in place.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OutputFile<'a> {
    path: PathText<'a>,
    bytes: u64,
}

/// A tensor of the output.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OutputTensor<'a> {
    name: Utf8OrBase64<'a>,
    /// its names in the inputs; of what is made new none
    from: Vec<OwnedName>,
    /// `copied`, `renamed`, `cast`, `mean`; `rewritten`: an object graph under other names
    action: &'static str,
    dtype: DTypeName,
    shape: Dims<'a>,
}

/// A tensor that is not in the output.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LeftOut<'a> {
    name: Utf8OrBase64<'a>,
    why: &'a str,
    /// it was chosen, and the format cannot hold it
    loss: bool,
}

/// A tensor some of whose values became infinite.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Overflow<'a> {
    name: Utf8OrBase64<'a>,
    values: u64,
}

/// `--format json`.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn convert_json(
    inputs: &[Checkpoint],
    recipe: &Recipe,
    target: &Target,
    converted: &Converted,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = |from: &TensorRef| {
        let tensor = inputs.get(from.input).and_then(|input| input.tensor_at(from.at));
        OwnedName(tensor.map(|tensor| tensor.name).unwrap_or_default())
    };
    let names = |from: &From| match from {
        From::Tensor(one) => vec![name(one)],
        From::Mean(all) => all.iter().map(name).collect(),
        From::Given(_) => Vec::new(),
    };
    let document = Convert {
        head: Head::of("convert"),
        inputs: inputs.iter().map(|input| Source::of(input.origin())).collect(),
        output: OutputFiles::of(target, converted),
        tensors: recipe
            .outputs
            .iter()
            .map(|output| OutputTensor {
                name: Utf8OrBase64(&output.header.name),
                from: names(&output.from),
                action: output.action.name(),
                dtype: DTypeName(output.header.dtype),
                shape: Dims(&output.header.shape),
            })
            .collect(),
        left_out: recipe
            .left_out
            .iter()
            .map(|left| LeftOut { name: Utf8OrBase64(&left.name), why: &left.why, loss: left.is_loss })
            .collect(),
        overflows: converted
            .overflows
            .iter()
            .map(|(name, values)| Overflow { name: Utf8OrBase64(name), values: *values })
            .collect(),
        unchecked: converted.unchecked,
    };
    write_document(&document, out)
}
