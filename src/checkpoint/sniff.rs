//! What a file that is no checkpoint really is, and what to do about it.
//!
//! The wrong file under the right name is everyday: a Git LFS pointer that was never fetched, a login page saved by a
//! download script, another framework's format. One look at the first bytes tells them apart.

use std::path::Path;

use crate::error::{Error, ErrorKind, Part, Result};
use crate::escape::Escaped;
use crate::storage::Source;
use crate::table::MAGIC;

/// What a file looks like, and what to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looks {
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

const fn looks(what: &'static str, advice: &'static str) -> Looks {
    Looks { what, advice, proof: Proof::Likely }
}

/// What a file looks like of which a download left only the length.
pub(super) const ZEROS: &str = "nothing but zeros";

/// What a V1 checkpoint without its end looks like.
pub(super) const CUT_V1: &str = "the beginning of a V1 checkpoint, cut off";

const UNPACK: &str = "unpack it first, then give the prefix of the checkpoint inside";

/// Formats that begin with fixed bytes.
const SIGNATURES: &[(&[u8], Looks)] = &[
    (
        b"version https://git-lfs",
        looks("a Git LFS pointer, not the file itself", "fetch the real file with `git lfs pull`").but(Proof::Sure),
    ),
    (b"\x89HDF\r\n\x1a\n", looks("an HDF5 file (Keras .h5)", "ckpt reads TensorFlow checkpoints; use h5ls or h5dump")),
    (b"\x1f\x8b", looks("a gzip archive", UNPACK)),
    (b"BZh", looks("a bzip2 archive", UNPACK)),
    (b"\xfd7zXZ\0", looks("an xz archive", UNPACK)),
    (b"\x28\xb5\x2f\xfd", looks("a Zstandard archive", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", looks("a 7-Zip archive", UNPACK)),
    (b"Rar!", looks("a RAR archive", UNPACK)),
    (b"\x93NUMPY", looks("a NumPy .npy array", "open it with numpy.load")),
    (b"GGUF", looks("a GGUF model", "ckpt reads TensorFlow checkpoints only")),
    (b"\x7fELF", looks("an executable", "give the prefix of a checkpoint")),
    (b"\x89PNG", looks("a PNG image", "give the prefix of a checkpoint")),
    (b"%PDF", looks("a PDF document", "give the prefix of a checkpoint")),
    (
        b"\x83\xaf\x70\xd1\x0d\x88\x4a\x3f",
        looks(
            "a Riegeli file (chunked SavedModel)",
            "open-source TensorFlow cannot read it either; save the model again as saved_model.pb",
        ),
    ),
];

/// What a file with these first bytes looks like; `None` if nothing is recognised.
pub fn looks_like(head: &[u8]) -> Option<Looks> {
    if head.is_empty() {
        return Some(looks("an empty file", "the copy or download did not finish; fetch it again").but(Proof::None));
    }
    if let Some((_, found)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*found);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(zip(head));
    }
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") {
        let advice = "the download gave a web page (a login or an error); fetch the file itself";
        return Some(looks("an HTML page", advice).but(Proof::Sure));
    }
    if starts(b"<?xml") {
        return Some(looks("an XML document", "the download gave an error message; fetch the file itself"));
    }
    if let Some((length, rest)) = head.split_first_chunk::<8>()
        && rest.first() == Some(&b'{')
        && (2..1 << 28).contains(&u64::from_le_bytes(*length))
    {
        return Some(looks("a safetensors file", "ckpt reads TensorFlow checkpoints only"));
    }
    if matches!(head, [0x80, 2..=5, ..]) {
        return Some(looks(
            "a Python pickle",
            "do not unpickle what you do not trust; ckpt reads TensorFlow checkpoints only",
        ));
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some(looks("a tar archive", UNPACK));
    }
    if head.iter().all(|b| *b == 0) && head.len() >= 48 {
        let zeros = looks(ZEROS, "an interrupted download left a hole; fetch it again");
        return Some(zeros.but(Proof::None));
    }
    // The first entry of every index that TensorFlow writes: empty key, header with the number of shards.
    if matches!(head, [0, 0, len, 0x08, ..] if *len < 32) {
        return Some(looks("the beginning of a bundle index, cut off", "the copy did not finish; fetch it again"));
    }
    // That of a V1 checkpoint: empty key, and the metadata of all tensors, whose length takes one to four bytes.
    if let [0, 0, rest @ ..] = head
        && let Some(last) = rest.iter().take(4).position(|byte| byte & 0x80 == 0)
        && rest.get(last.saturating_add(1)) == Some(&0x0a)
    {
        return Some(looks(CUT_V1, "the copy did not finish; fetch it again"));
    }
    if starts(b"{") || starts(b"[{") {
        return Some(looks("JSON text", "give the prefix of a checkpoint").but(Proof::None));
    }
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if head.iter().all(printable) && std::str::from_utf8(head.get(..head.len().min(512)).unwrap_or(head)).is_ok() {
        return Some(looks("a text file", "give the prefix of a checkpoint").but(Proof::None));
    }
    None
}

/// Which of the formats that are zip archives.
fn zip(head: &[u8]) -> Looks {
    let has = |name: &[u8]| head.windows(name.len()).any(|w| w == name);
    if has(b"/data.pkl") || has(b"/data/") || has(b".pkl") {
        looks("a PyTorch checkpoint (zip with a pickle)", "ckpt reads TensorFlow checkpoints only")
    } else if has(b"config.json") || has(b"metadata.json") || has(b"model.weights.h5") {
        looks("a .keras archive (zip)", "ckpt does not read Keras archives")
    } else if has(b".npy") {
        looks("a NumPy .npz archive", "open it with numpy.load")
    } else {
        looks("a zip archive", UNPACK)
    }
}

/// What the file at `path` looks like; `None` also if it cannot be read.
pub fn look(path: &Path) -> Option<Looks> {
    let source = Source::open(path).ok()?;
    looks_like(&source.head(HEAD).ok()?)
}

/// Whether the file at `path` ends as a table does.
pub(super) fn is_table(path: &Path) -> bool {
    let ends_with_magic = |source: Source| -> Result<bool> {
        let mut scratch = Vec::new();
        let start = source.len().saturating_sub(8);
        Ok(source.slice(start..source.len(), &mut scratch)? == MAGIC.to_le_bytes())
    };
    Source::open(path).and_then(ends_with_magic).unwrap_or(false)
}

/// Whether the file at `path` begins as a V1 checkpoint does, and does not end so.
pub(super) fn is_cut_v1(path: &Path) -> bool {
    look(path).is_some_and(|found| found.what == CUT_V1) && !is_table(path)
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
            (b"\x40\0\0\0\0\0\0\0{\"a\":1}", "a safetensors file"),
            (b"hello there", "a text file"),
            (&[0; 64], "nothing but zeros"),
            (&[0, 0, 6, 8, 1, 0x1a, 2, 8, 1, 0, 3], "the beginning of a bundle index, cut off"),
            (&[0, 0, 6, 0x0a, 4], CUT_V1),
            (&[0, 0, 0xff, 0x85, 4, 0x0a, 0xfb], CUT_V1),
        ];
        for (head, what) in cases {
            assert_eq!(looks_like(head).map(|l| l.what), Some(*what), "{head:?}");
        }
        assert_eq!(looks_like(&[0x12, 0x99, 0xfe, 1, 2, 3]), None);
    }
}
