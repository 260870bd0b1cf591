//! What a file that is no checkpoint really is, and what to do about it.
//!
//! The wrong file under the right name is everyday: a Git LFS pointer that was never fetched, a login page saved by a
//! download script, another framework's format. One look at the first bytes tells them apart.

use std::path::Path;

use super::sniff_message::{message, text_message};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
    /// Which kind.
    pub kind: Foreign,
    /// What it looks like, with its article: `a Git LFS pointer`.
    pub what: &'static str,
    /// What to do.
    pub advice: &'static str,
    proof: Proof,
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
    pub fn is_surely_foreign(self) -> bool {
        self.proof == Proof::Sure
    }

    /// Whether a file that looks so is no shard if it is also shorter than that shard must be.
    pub fn is_foreign_if_short(self) -> bool {
        self.proof != Proof::None
    }

    const fn but(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }
}

/// How many first bytes are enough to tell.
pub(super) const HEAD: u64 = 4096;

pub(super) const fn looks(kind: Foreign, what: &'static str, advice: &'static str) -> Looks {
    Looks { kind, what, advice, proof: Proof::Likely }
}

const UNPACK: &str = "unpack it first, then give the prefix of the checkpoint inside";
const GZIP: &str = "it is compressed: a store or a server that keeps files with the encoding gzip hands them out so, and \
                    TensorFlow does not unpack them; gunzip it under its own name";
const OTHER: &str = "ckpt reads TensorFlow checkpoints, safetensors and NumPy files";

/// Formats that begin with fixed bytes.
const SIGNATURES: &[(&[u8], Looks)] = &[
    (
        b"version https://git-lfs",
        looks(Foreign::LfsPointer, "a Git LFS pointer, not the file itself", "fetch the real file with `git lfs pull`")
            .but(Proof::Sure),
    ),
    (
        b"\x89HDF\r\n\x1a\n",
        looks(Foreign::Hdf5, "an HDF5 file (Keras .h5)", "ckpt reads it when it is given this file itself"),
    ),
    (
        b"\xef\xbf\xbdHDF",
        looks(
            Foreign::Other,
            "an HDF5 file that was read as text and written again",
            "its bytes are lost: every byte that is no UTF-8 became EF BF BD; fetch the file again, as binary",
        )
        .but(Proof::Sure),
    ),
    (b"\x1f\x8b", looks(Foreign::Archive, "a gzip archive", GZIP).but(Proof::Sure)),
    (b"BZh", looks(Foreign::Archive, "a bzip2 archive", UNPACK)),
    (b"\xfd7zXZ\0", looks(Foreign::Archive, "an xz archive", UNPACK)),
    (b"\x28\xb5\x2f\xfd", looks(Foreign::Archive, "a Zstandard archive", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", looks(Foreign::Archive, "a 7-Zip archive", UNPACK)),
    (b"Rar!", looks(Foreign::Archive, "a RAR archive", UNPACK)),
    (b"GGUF", looks(Foreign::Other, "a GGUF model", OTHER)),
    (b"\x7fELF", looks(Foreign::Other, "an executable", "give the prefix of a checkpoint")),
    (b"\x89PNG", looks(Foreign::Other, "a PNG image", "give the prefix of a checkpoint")),
    (b"%PDF", looks(Foreign::Other, "a PDF document", "give the prefix of a checkpoint")),
    (
        b"\x83\xaf\x70\xd1\x0d\x88\x4a\x3f",
        looks(
            Foreign::Other,
            "a Riegeli file (chunked SavedModel)",
            "open-source TensorFlow cannot read it either; save the model again as saved_model.pb",
        ),
    ),
];

/// What a file with these first bytes looks like; `None` if nothing is recognised.
pub fn looks_like(head: &[u8]) -> Option<Looks> {
    if head.is_empty() {
        let empty = looks(Foreign::Empty, "an empty file", "the copy or download did not finish; fetch it again");
        return Some(empty.but(Proof::None));
    }
    if let Some((_, found)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*found);
    }
    if head.get(4..8) == Some(b"TFL3") {
        let advice = "it holds a converted model without a checkpoint; ask tf.lite.Interpreter what is in it";
        return Some(looks(Foreign::Other, "a TensorFlow Lite model (.tflite)", advice));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(zip(head));
    }
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") {
        let advice = "the download gave a web page (a login or an error); fetch the file itself";
        return Some(looks(Foreign::WebPage, "an HTML page", advice).but(Proof::Sure));
    }
    if starts(b"<?xml") {
        let advice = "the download gave an error message; fetch the file itself";
        return Some(looks(Foreign::WebPage, "an XML document", advice));
    }
    if matches!(head, [0x80, 2..=5, ..]) {
        let advice = "do not unpickle what you do not trust; ckpt does not read pickles";
        return Some(looks(Foreign::Other, "a Python pickle", advice));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(looks(Foreign::Archive, "a tar archive", UNPACK));
    }
    if head.iter().all(|b| *b == 0) && head.len() >= 48 {
        let zeros = looks(Foreign::Zeros, "nothing but zeros", "an interrupted download left a hole; fetch it again");
        return Some(zeros.but(Proof::None));
    }
    // The first entry of every index that TensorFlow writes: empty key, header with the number of shards.
    if matches!(head, [0, 0, len, 0x08, ..] if *len < 32) {
        let advice = "the copy did not finish; fetch it again";
        return Some(looks(Foreign::CutIndex, "the beginning of a bundle index, cut off", advice));
    }
    // That of a V1 checkpoint: empty key, and the metadata of all tensors, whose length takes one to four bytes.
    if let [0, 0, rest @ ..] = head
        && let Some(last) = rest.iter().take(4).position(|byte| byte & 0x80 == 0)
        && rest.get(last.saturating_add(1)) == Some(&0x0a)
    {
        let advice = "the copy did not finish; fetch it again";
        return Some(looks(Foreign::CutSaverV1, "the beginning of a V1 checkpoint, cut off", advice));
    }
    if let Some(found) = message(head) {
        return Some(found);
    }
    if starts(b"{\"") || starts(b"{\n") || starts(b"{ ") || starts(b"[{") || starts(b"{}") {
        return Some(looks(Foreign::Text, "JSON text", "give the prefix of a checkpoint").but(Proof::None));
    }
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if head.iter().all(printable) && std::str::from_utf8(head.get(..head.len().min(512)).unwrap_or(head)).is_ok() {
        let found = text_message(text);
        return Some(
            found
                .unwrap_or_else(|| looks(Foreign::Text, "a text file", "give the prefix of a checkpoint"))
                .but(Proof::None),
        );
    }
    None
}

/// Which of the formats that are zip archives.
fn zip(head: &[u8]) -> Looks {
    let has = |name: &[u8]| head.windows(name.len()).any(|w| w == name);
    if has(b"/data.pkl") || has(b"/data/") || has(b".pkl") {
        looks(Foreign::Other, "a PyTorch checkpoint (zip with a pickle)", OTHER)
    } else if has(b"config.json") || has(b"metadata.json") || has(b"model.weights.h5") {
        looks(Foreign::KerasArchive, "a .keras archive (zip)", "ckpt reads it when its name ends in .keras")
    } else {
        looks(Foreign::Archive, "a zip archive", UNPACK)
    }
}

/// What an HDF5 file lacks of the length that its header says; `None` if it is whole or does not say.
///
/// The format's specification, III.A: a superblock of version 0 or 1 has the address of the end of the file behind four
/// bytes of sizes and flags, one of version 2 or 3 behind four bytes; addresses have eight bytes in every file that
/// h5py writes.
fn hdf5_cut(head: &[u8], len: u64) -> Option<Looks> {
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
    let found = looks_like(&head)?;
    match found.kind {
        Foreign::Hdf5 => hdf5_cut(&head, source.len()).or(Some(found)),
        _ => Some(found),
    }
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
    match look(path).filter(|found| found.is_surely_foreign()) {
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
        Some(found) => {
            let kind = ErrorKind::NotACheckpoint(format!("not a checkpoint index: it looks like {}", found.what));
            Error::new(kind).in_file(path).with_help(found.advice)
        }
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
            (b"hello there", "a text file"),
            (&[0; 64], "nothing but zeros"),
            (&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1, 0, 3], "the beginning of a bundle index, cut off"),
            (&[0, 0, 6, 0x0a, 4], "the beginning of a V1 checkpoint, cut off"),
            (&[0, 0, 0xff, 0x85, 4, 0x0a, 0xfb], "the beginning of a V1 checkpoint, cut off"),
        ];
        for (head, what) in cases {
            assert_eq!(looks_like(head).map(|l| l.what), Some(*what), "{head:?}");
        }
        assert_eq!(looks_like(&[0x12, 0x99, 0xfe, 1, 2, 3]), None);
    }
}
