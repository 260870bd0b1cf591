//! What a file that is no checkpoint really is, and what to do about it.
//!
//! The wrong file under the right name is everyday: a Git LFS pointer that was never fetched, a login page saved by a
//! download script, another framework's format. One look at the first bytes tells them apart.

mod first_bytes;
mod frameworks;
mod graph;
mod gzip;
mod looks;
mod mangled;
mod message;
mod records;
mod store_error;

pub use graph::Constants;
pub use looks::{Foreign, Looks};

use std::path::Path;

use self::first_bytes::{as_text, known};
use self::frameworks::framework;
use self::graph::constants_of;
use self::looks::{Known, looks};
use self::message::message;
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::escape::Escaped;
use crate::read::storage::{Address, Source, Window, guessed};
use crate::read::table::MAGIC;

/// How many first bytes are enough to tell.
pub(crate) const HEAD: u64 = 4096;

/// What a file with these first bytes looks like; `None` if nothing is recognised.
pub fn looks_like(head: &[u8]) -> Option<Looks> {
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if gzip::begins(head) {
        return Some(gzip::looks(head, None, &looks_like));
    }
    known(head, text)
        .map(Looks::from)
        .or_else(|| store_error::looks(text))
        .or_else(|| records::looks(head).map(Looks::from))
        .or_else(|| message(head).map(Looks::from))
        .or_else(|| framework(head).map(Looks::from))
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

/// The error about a file that does not decode: what it is instead, if it is another kind of file.
pub fn instead(error: Error, expected: &str, path: &Path) -> Error {
    match look(path) {
        Some(found) => found.instead_of(expected, path),
        None => error.in_file(path),
    }
}

/// What the file at `path` looks like; `None` also if it cannot be read.
pub fn look(path: &Path) -> Option<Looks> {
    let source = guessed(Source::open(path), path)?;
    let head = guessed(source.head(HEAD), path)?;
    if gzip::begins(&head) {
        return Some(gzip::looks(&head, Some(path), &looks_like));
    }
    let found = looks_like(&head)?;
    Some(match found.kind {
        Foreign::Hdf5 => hdf5_cut(&head, source.len()).map_or(found, Looks::from),
        // Nothing was downloaded: the page is what the server shows of a directory, or instead of the file.
        Foreign::WebPage if Address::of(path).is_some() => Looks {
            advice: "the server shows a page there (a directory, a login or an error): give the name of a file in it, \
                     or the prefix of a checkpoint"
                .into(),
            ..found
        },
        // Text is not read for this.
        Foreign::GraphDef | Foreign::MetaGraphDef if message(&head).is_some() => walked(path, found),
        _ => found,
    })
}

/// A graph that was read to its end: whether it is whole, and what of it are weights.
fn walked(path: &Path, found: Looks) -> Looks {
    let is_meta_graph = found.kind == Foreign::MetaGraphDef;
    match constants_of(path, is_meta_graph) {
        Ok(constants) if !is_meta_graph && constants.is_frozen() => Looks {
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

/// Whether the file at `path` ends as a table does.
pub fn is_table(path: &Path) -> bool {
    let ends_with_magic = |source: Source| -> Result<bool> {
        let mut scratch = Window::default();
        let start = source.len().saturating_sub(8);
        Ok(source.slice(start..source.len(), &mut scratch)? == MAGIC.to_le_bytes())
    };
    guessed(Source::open(path).and_then(ends_with_magic), path).unwrap_or(false)
}

/// Whether the file at `path` begins as a V1 checkpoint does, and does not end so.
pub(crate) fn is_cut_v1(path: &Path) -> bool {
    look(path).is_some_and(|found| found.kind == Foreign::CutSaverV1) && !is_table(path)
}

/// Replaces "truncated" by what a shard is instead, where its first bytes tell.
pub(crate) fn explain_shard(error: Error) -> Error {
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
pub(crate) fn explain_table(error: Error) -> Error {
    match error.location().file.clone() {
        Some(file) => explain(error, &file),
        None => error,
    }
}

/// Replaces "not a table" by what the file is instead, where that can be told.
pub(crate) fn explain(error: Error, path: &Path) -> Error {
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
            (b"\x04\x22\x4d\x18\x64", "an LZ4 archive"),
            (b"PAR1\x15\x04", "a Parquet file"),
            (b"tjgg\x01\0\0\0", "a GGML model"),
            (b"# Stable Diffusion\nmodel:\n  target: ldm\n  params:\n    a: 1\n", "YAML text"),
            (b"- a: 1\n  b: 2\n- a: 3\n", "YAML text"),
            (b"note: to self\nbuy milk\n", "a text file"),
            (b"SQLite format 3\0\x10", "an SQLite database"),
            (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file"),
            (b"(dp0\nVw\np1\n", "a Python pickle"),
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
