//! `ckpt recover --format json`.

use std::io::{self, Write};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::convert::{Converted, Recipe, Target};
use crate::analysis::recover::{Did, Recovery};
use crate::report::convert::json::OutputFiles;
use crate::report::kit::json::{Float, Head, PathText, Utf8OrBase64, write_document};

/// What was mended and written, or with `--dry-run` would be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Recover<'a> {
    #[serde(flatten)]
    head: Head,
    /// the prefix that the broken checkpoint has, or was to get
    prefix: PathText<'a>,
    /// what was done; nothing if it was whole
    did: Vec<Deed<'a>>,
    /// names of tensors that cannot be had
    lost: Vec<Utf8OrBase64<'a>>,
    /// why not, of each; also of tensors whose names are lost
    reasons: Vec<Reason<'a>>,
    /// tensors whose checksums were computed anew: nobody can say that they are what was saved
    unverified: usize,
    /// what else to know
    notes: &'a [String],
    output: OutputFiles<'a>,
    /// tensors in the output
    tensors: usize,
}

/// One thing that was done.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Deed<'a> {
    /// `bit`: flipped back; `index`: entries made anew; `merged`: a part of a save; `renamed`: a file under another name;
    /// `copied`: tensors whose right bytes are in another file; `undone`: a file that went through something (`how`)
    what: &'static str,
    /// the file that is wrong (`bit`, `undone`), lost (`index`) or found (`merged`, `renamed`, `copied`)
    file: PathText<'a>,
    /// the file whose name it should have
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    to: Option<PathText<'a>>,
    /// what was undone: `gzip`, `line_ends` (carriage returns before line feeds), `latin1` (written as UTF-8)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    how: Option<&'static str>,
    /// what says which tensors there are
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    by: Option<PathText<'a>>,
    /// of the byte
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    offset: Option<u64>,
    /// 0 for the lowest
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    bit: Option<u8>,
    /// the tensor whose checksum tells it; none in an index
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    tensor: Option<Utf8OrBase64<'a>>,
    /// how often damage of another kind looks like one bit there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    odds: Option<Float>,
    /// how many tensors it is about
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    tensors: Option<usize>,
}

/// Why a tensor cannot be had.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Reason<'a> {
    /// null where the name is lost too
    name: Option<Utf8OrBase64<'a>>,
    why: &'a str,
}

fn deed(did: &Did) -> Deed<'_> {
    let of = |what, file| Deed {
        what,
        file: PathText(file),
        to: None,
        how: None,
        by: None,
        offset: None,
        bit: None,
        tensor: None,
        odds: None,
        tensors: None,
    };
    match did {
        Did::Bit { file, byte, bit, tensor, odds } => Deed {
            offset: Some(*byte),
            bit: Some(*bit),
            tensor: tensor.as_deref().map(Utf8OrBase64),
            odds: Some(Float(*odds)),
            ..of("bit", file)
        },
        Did::Index { file, by, tensors } => {
            Deed { by: Some(PathText(by)), tensors: Some(*tensors), ..of("index", file) }
        }
        Did::Merged { file, tensors } => Deed { tensors: Some(*tensors), ..of("merged", file) },
        Did::Renamed { file, to } => Deed { to: Some(PathText(to)), ..of("renamed", file) },
        Did::Undone { file, to, how } => Deed { to: Some(PathText(to)), how: Some(how.name()), ..of("undone", file) },
        Did::Copied { file, to, tensors } => {
            Deed { to: Some(PathText(to)), tensors: Some(*tensors), ..of("copied", file) }
        }
    }
}

/// `--format json`.
///
/// # Errors
/// What `out` says.
pub(super) fn recover_json(
    recovery: &Recovery,
    recipe: &Recipe,
    target: &Target,
    converted: &Converted,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Recover {
        head: Head::of("recover"),
        prefix: PathText(&recovery.prefix),
        did: recovery.did.iter().map(deed).collect(),
        lost: recovery.lost.iter().filter_map(|lost| lost.name.as_deref().map(Utf8OrBase64)).collect(),
        reasons: recovery
            .lost
            .iter()
            .map(|lost| Reason { name: lost.name.as_deref().map(Utf8OrBase64), why: &lost.why })
            .collect(),
        unverified: recovery.unverified,
        notes: &recovery.notes,
        output: OutputFiles::of(target, converted),
        tensors: recipe.outputs.len(),
    };
    write_document(&document, out)
}
