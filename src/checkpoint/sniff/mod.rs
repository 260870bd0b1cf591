//! What a file that is no checkpoint really is, and what to do about it.
//!
//! The wrong file under the right name is everyday: a Git LFS pointer that was never fetched, a login page saved by a
//! download script, another framework's format. One look at the first bytes tells them apart.

mod first_bytes;
mod gzip;
mod message;
mod records;
mod store_error;

use std::borrow::Cow;
use std::path::Path;

use self::first_bytes::{as_text, known, table};
use self::message::message;
use super::graph::{Constants, constants_of};
use super::meta_graph::MetaGraph;
use crate::error::{Error, ErrorKind, Part, Result};
use crate::escape::Escaped;
use crate::storage::Source;
use crate::table::MAGIC;

/// What kind of file it is: for whoever decides by it. The words are in [`Looks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// No bytes.
    Empty,
    /// Nothing but zeros.
    Zeros,
    /// A pointer of Git LFS.
    LfsPointer,
    /// A web page, or an error in XML.
    WebPage,
    /// An archive or a compressed file.
    Archive,
    /// HDF5.
    Hdf5,
    /// A `.keras` archive.
    KerasArchive,
    /// A bundle's index without its end.
    CutIndex,
    /// A V1 checkpoint without its end.
    CutSaverV1,
    /// A graph by itself, binary or text.
    GraphDef,
    /// A graph with its collections, binary or text.
    MetaGraphDef,
    /// A SavedModel's graph.
    SavedModel,
    /// JSON, or text of no known kind.
    Text,
    /// Of another program or framework.
    Other,
}

/// What a file looks like, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Which kind.
    pub kind: Foreign,
    /// What it looks like, with its article: `a Git LFS pointer`.
    pub what: Cow<'static, str>,
    /// What to do.
    pub advice: Cow<'static, str>,
    proof: Proof,
}

/// As [`Looks`], of words that are always the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    kind: Foreign,
    what: &'static str,
    advice: &'static str,
    proof: Proof,
}

impl From<Known> for Looks {
    fn from(known: Known) -> Self {
        let Known { kind, what, advice, proof } = known;
        Self { kind, what: what.into(), advice: advice.into(), proof }
    }
}

/// How much first bytes prove against a file being a shard, which has no header to know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    /// No numbers begin so.
    Sure,
    /// Numbers could begin so, by chance.
    Likely,
    /// Weights and strings often begin so.
    None,
}

impl Looks {
    /// Whether a file that looks so is neither a shard nor a graph, whatever its length.
    pub fn is_surely_foreign(&self) -> bool {
        self.proof == Proof::Sure
    }

    /// Whether a file that looks so is no shard if it is also shorter than that shard must be.
    pub fn is_foreign_if_short(&self) -> bool {
        self.proof != Proof::None
    }

    fn but(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    /// As an error of what was to be opened: `not a checkpoint: it looks like …`.
    pub(super) fn instead_of(self, wanted: &str, path: &Path) -> Error {
        let kind = ErrorKind::NotACheckpoint(format!("{wanted}: it looks like {}", self.what));
        Error::new(kind).in_file(path).with_help(self.advice)
    }
}

impl Known {
    const fn but(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }
}

/// How many first bytes are enough to tell.
pub(super) const HEAD: u64 = 4096;

const fn looks(kind: Foreign, what: &'static str, advice: &'static str) -> Known {
    Known { kind, what, advice, proof: Proof::Likely }
}

/// What a file with these first bytes looks like; `None` if nothing is recognised.
pub fn looks_like(head: &[u8]) -> Option<Looks> {
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if head.starts_with(gzip::MAGIC) {
        return Some(gzip::looks(head, None));
    }
    known(head, text)
        .map(Looks::from)
        .or_else(|| store_error::looks(text))
        .or_else(|| records::looks(head).map(Looks::from))
        .or_else(|| message(head).map(Looks::from))
        .or_else(|| as_text(head, text).map(Looks::from))
}

/// What an HDF5 file lacks of the length that its header says; `None` if it is whole or does not say.
///
/// The format's specification, III.A: a superblock of version 0 or 1 has the address of the end of the file behind four
/// bytes of sizes and flags, one of version 2 or 3 behind four bytes; addresses have eight bytes in every file that
/// h5py writes.
fn hdf5_cut(head: &[u8], len: u64) -> Option<Known> {
    let at = match head.get(8)? {
        0 => 40,
        1 => 44,
        2 | 3 => 28,
        _ => return None,
    };
    let end = u64::from_le_bytes(*head.get(at..)?.first_chunk::<8>()?);
    let advice = "its header says that it is longer: the copy or download did not finish, or the program that wrote it was stopped; fetch it again";
    (end > len && end != u64::MAX).then(|| looks(Foreign::Hdf5, "an HDF5 file (Keras .h5), cut off", advice))
}

/// What the file at `path` looks like; `None` also if it cannot be read.
pub fn look(path: &Path) -> Option<Looks> {
    let source = Source::open(path).ok()?;
    let head = source.head(HEAD).ok()?;
    if head.starts_with(gzip::MAGIC) {
        return Some(gzip::looks(&head, Some(path)));
    }
    let found = looks_like(&head)?;
    Some(match found.kind {
        Foreign::Hdf5 => hdf5_cut(&head, source.len()).map_or(found, Looks::from),
        // Text is not read for this.
        Foreign::GraphDef | Foreign::MetaGraphDef if message(&head).is_some() => graph(path, found),
        _ => found,
    })
}

/// A graph that was read to its end: whether it is whole, and what of it are weights.
fn graph(path: &Path, found: Looks) -> Looks {
    let read = match found.kind {
        Foreign::MetaGraphDef => whole_meta_graph(path).map(|()| Constants::default()),
        _ => constants_of(path),
    };
    match read {
        Ok(constants) if constants.is_frozen() => Looks {
            what: format!("a GraphDef, a frozen graph: its weights are inside, in {}", constants.describe()).into(),
            advice: "it is whole, and has no variables that could be restored; ckpt inspect and ckpt ops read it"
                .into(),
            ..found
        },
        Ok(_) => Looks { advice: format!("it is whole: {}", found.advice).into(), ..found },
        Err(_) => Looks {
            what: format!("{}, cut off or damaged", found.what).into(),
            advice: "the copy or download did not finish; fetch it again".into(),
            ..found
        },
    }
}

fn whole_meta_graph(path: &Path) -> Result<()> {
    let source = Source::contiguous(path)?;
    MetaGraph::parse(source.slice(0..source.len(), &mut Vec::new())?, 0).map(|_| ())
}

/// Whether the file at `path` ends as a table does.
pub fn is_table(path: &Path) -> bool {
    let ends_with_magic = |source: Source| -> Result<bool> {
        let mut scratch = Vec::new();
        let start = source.len().saturating_sub(8);
        Ok(source.slice(start..source.len(), &mut scratch)? == MAGIC.to_le_bytes())
    };
    Source::open(path).and_then(ends_with_magic).unwrap_or(false)
}

/// Whether the file at `path` begins as a V1 checkpoint does, and does not end so.
pub(super) fn is_cut_v1(path: &Path) -> bool {
    look(path).is_some_and(|found| found.kind == Foreign::CutSaverV1) && !is_table(path)
}

/// Replaces "truncated" by what a shard is instead, where its first bytes tell.
pub(super) fn explain_shard(error: Error) -> Error {
    let at = error.location();
    let (ErrorKind::Truncated { .. }, Some(Part::TensorData), Some(path)) = (error.kind(), at.part, &at.file) else {
        return error;
    };
    match look(path).filter(Looks::is_surely_foreign) {
        Some(found) => {
            let name = Escaped(path.file_name().unwrap_or_default().as_encoded_bytes());
            let error = Error::new(ErrorKind::NotACheckpoint(format!("{name} is {}", found.what)));
            error.in_file(path).with_help(found.advice)
        }
        None => error,
    }
}

/// As [`explain`], of the file that the error names.
pub(super) fn explain_table(error: Error) -> Error {
    match error.location().file.clone() {
        Some(file) => explain(error, &file),
        None => error,
    }
}

/// Replaces "not a table" by what the file is instead, where that can be told.
pub(super) fn explain(error: Error, path: &Path) -> Error {
    if !matches!(error.kind(), ErrorKind::BadMagic { .. } | ErrorKind::TooShort { .. }) {
        return error;
    }
    match look(path) {
        Some(found) => found.instead_of("not a checkpoint index", path),
        None => error.with_help("the file is cut off or of another format; fetch it again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        let cases: &[(&[u8], &str)] = &[
            (b"", "an empty file"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n", "a Git LFS pointer, not the file itself"),
            (b"\n<!DOCTYPE HTML><html>", "an HTML page"),
            (b"PK\x03\x04....archive/data.pkl", "a PyTorch checkpoint (zip with a pickle)"),
            (b"PK\x03\x04....metadata.json", "a .keras archive (zip)"),
            (b"\x89HDF\r\n\x1a\n....", "an HDF5 file (Keras .h5)"),
            (b"\x80\x04\x95abc", "a Python pickle"),
            (b"\x1f\x8b\x08", "a gzip archive"),
            (
                b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
                "a PyTorch checkpoint (a pickle, as torch.save wrote before PyTorch 1.6)",
            ),
            (b"{\"format\": \"layers-model\", \"modelTopology\": {", "a TensorFlow.js model (model.json)"),
            (b"<?xml version='1.0'?><note/>", "an XML document"),
            (b"hello there", "a text file"),
            (&[0; 64], "nothing but zeros"),
            (&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1, 0, 3], "the beginning of a bundle index, cut off"),
            (&[0, 0, 6, 0x0a, 4], "the beginning of a V1 checkpoint, cut off"),
            (&[0, 0, 0xff, 0x85, 4, 0x0a, 0xfb], "the beginning of a V1 checkpoint, cut off"),
        ];
        for (head, what) in cases {
            assert_eq!(looks_like(head).map(|l| l.what), Some((*what).into()), "{head:?}");
        }
        assert_eq!(looks_like(&[0x12, 0x99, 0xfe, 1, 2, 3]), None);
    }
}
