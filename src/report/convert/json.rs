//! `ckpt convert --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::ser::{Serialize, SerializeSeq, Serializer};

use crate::analysis::convert::{Converted, From, InputCursors, Recipe, Target, TensorRef};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::json::{DTypeName, Dims, Head, OwnedName, PathText, Source, Utf8OrBase64, write_document};

/// What was written, or with `--dry-run` would be.
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Convert<'a> {
    #[serde(flatten)]
    head: Head,
    /// as given
    inputs: Vec<Source<'a>>,
    output: OutputFiles<'a>,
    /// by name
    #[cfg_attr(test, schemars(with = "Vec<OutputTensor<'a>>"))]
    tensors: Tensors<'a>,
    /// what is not in the output, and why
    left_out: Vec<LeftOut<'a>>,
    /// finite values that became infinite in a narrower dtype
    overflows: Vec<Overflow<'a>>,
    /// tensors of inputs without checksums: read, and nobody can say that they are what was saved
    unchecked: usize,
}

/// Where it lies.
#[derive(Debug, serde::Serialize)]
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
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct OutputFile<'a> {
    path: PathText<'a>,
    bytes: u64,
}

/// The tensors of the output, each made when it is written: a million of them would take a gigabyte.
#[derive(Debug)]
struct Tensors<'a> {
    inputs: &'a [Checkpoint],
    recipe: &'a Recipe,
}

impl Serialize for Tensors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut inputs = InputCursors::of(self.inputs);
        let mut name =
            |from: &TensorRef| OwnedName(inputs.reach(*from).map(|tensor| tensor.name.clone()).unwrap_or_default());
        let mut all = serializer.serialize_seq(Some(self.recipe.outputs.len()))?;
        for output in self.recipe.outputs.iter() {
            all.serialize_element(&OutputTensor {
                name: Utf8OrBase64(&output.tensor.name),
                from: match &output.from {
                    From::Tensor(one) => vec![name(one)],
                    From::Mean(all) => all.iter().map(&mut name).collect(),
                    From::Given(_) => Vec::new(),
                },
                action: output.action.name(),
                dtype: DTypeName(output.tensor.dtype),
                shape: Dims(&output.tensor.shape),
            })?;
        }
        all.end()
    }
}

/// A tensor of the output.
#[derive(Debug, serde::Serialize)]
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
#[derive(Debug, serde::Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct LeftOut<'a> {
    name: Utf8OrBase64<'a>,
    why: &'a str,
    /// it was chosen, and the format cannot hold it
    loss: bool,
}

/// A tensor some of whose values became infinite.
#[derive(Debug, serde::Serialize)]
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
    let document = Convert {
        head: Head::of("convert"),
        inputs: inputs.iter().map(|input| Source::of(input.origin())).collect(),
        output: OutputFiles::of(target, converted),
        tensors: Tensors { inputs, recipe },
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
