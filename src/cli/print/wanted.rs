//! What is to be printed, and how it is checked.

use ckpt::base::error::{Error, ErrorKind};
use ckpt::read::checkpoint::{Checkpoint, OBJECT_GRAPH_KEY, Tensor};
use ckpt::read::tensor::{Axis, Checked, Region};

use crate::cli::source::SourceArgs;

/// Print values of tensors, or of parts of them in NumPy's slice syntax.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A NAME is a tensor's name (its /.ATTRIBUTES/VARIABLE_VALUE may be left out), the end of one, a \
scope, a glob, or any of these with a slice: 'emb/table[330:336, :4]'. Quote it for the shell.

Formats: text, json, jsonl, csv, raw, npy. csv and npy hold one tensor. raw is the elements' \
little-endian bytes in C order, of strings their bytes one after the other. npy of bfloat16 and \
float8 holds void bytes: view them with ml_dtypes.

Examples:
  ckpt print model.ckpt-200 dense/bias
  ckpt print model.ckpt-200 'emb/table[330:336, :4]' --precision 3
  ckpt print model.ckpt-200 dense/kernel --format npy > kernel.npy
  ckpt print ckpt-1 _CHECKPOINTABLE_OBJECT_GRAPH

Exit status:
  0  printed
  1  no tensor has such a name
  2  something could not be read, or is not what was saved; the rest is printed")]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    /// Tensors or parts of them.
    #[arg(required = true, value_name = "NAME")]
    pub(super) names: Vec<String>,
    /// Show every element in text, however many.
    #[arg(long)]
    pub(super) full: bool,
    /// Digits behind the point in text; as many as needed, at most 8, if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=50))]
    pub(super) precision: Option<u16>,
    /// Read names as regular expressions.
    #[arg(long)]
    pub(super) regex: bool,
}

/// One tensor to print, and which part of it.
pub(super) struct Wanted {
    pub(super) tensor: Tensor,
    pub(super) region: Region,
    /// The slice as written, for the heading.
    pub(super) slice: Option<String>,
}

impl Wanted {
    pub(super) fn axes(&self) -> Vec<Axis> {
        let spans = self.region.spans();
        spans.iter().map(|s| Axis { start: s.start, step: s.step, count: s.count }).collect()
    }

    pub(super) fn is_object_graph(&self) -> bool {
        self.slice.is_none() && *self.tensor.name == *OBJECT_GRAPH_KEY
    }
}

/// An output error on its way through a reader.
pub(super) fn output(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Output(error))
}

/// Reads everything in the region and nothing else, to learn whether it is what was saved.
pub(super) fn check(checkpoint: &Checkpoint, wanted: &Wanted) -> ckpt::base::error::Result<Checked> {
    checkpoint.read(&wanted.tensor, &wanted.axes(), &mut |_| Ok(()))
}

/// A tensor up to this size is read whole even where only a part is wanted, so that its checksum can be checked.
pub(super) const READ_WHOLE: u64 = 16 << 20;

/// Checks the whole of a small tensor of which a part is wanted. Nothing if the rest of it cannot be read: the part
/// may be readable all the same.
pub(super) fn check_small(checkpoint: &Checkpoint, wanted: &Wanted) -> Option<ckpt::base::error::Result<Checked>> {
    let small = wanted.slice.is_some() && wanted.tensor.bytes().is_some_and(|bytes| bytes <= READ_WHOLE);
    let checked = small.then(|| checkpoint.read_all(&wanted.tensor, &mut |_| Ok(())))?;
    Some(checked).filter(|checked| checked.as_ref().err().is_none_or(is_mismatch))
}

/// Whether bytes could be read but are not what was saved.
pub(super) fn is_mismatch(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ChecksumMismatch { what: "tensor", .. })
}
