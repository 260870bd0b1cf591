//! What belongs to one format by the bytes that it begins with, and what is only text.

use super::looks::{Foreign, Known, Proof, looks};
use super::mangled::mangled;
use super::message::text_message;

const UNPACK: &str = "unpack it first, then give the prefix of the checkpoint inside";
const OTHER: &str = "ckpt reads TensorFlow checkpoints and files of Keras, safetensors and NumPy";

const TORCH: &str = "torch.load(FILE, weights_only=True) reads it; ckpt reads TensorFlow checkpoints and files of Keras, safetensors and NumPy";

/// Formats that begin with fixed bytes.
const SIGNATURES: &[(&[u8], Known)] = &[
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
    (b"BZh", looks(Foreign::Archive, "a bzip2 archive", UNPACK)),
    (b"\xfd7zXZ\0", looks(Foreign::Archive, "an xz archive", UNPACK)),
    (b"\x28\xb5\x2f\xfd", looks(Foreign::Archive, "a Zstandard archive", UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", looks(Foreign::Archive, "a 7-Zip archive", UNPACK)),
    (b"Rar!", looks(Foreign::Archive, "a RAR archive", UNPACK)),
    (
        // `torch/serialization.py`, MAGIC_NUMBER: what torch.save wrote before zip archives.
        b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
        looks(Foreign::Other, "a PyTorch checkpoint (a pickle, as torch.save wrote before PyTorch 1.6)", TORCH)
            .but(Proof::Sure),
    ),
    (b"\x04\x22\x4d\x18", looks(Foreign::Archive, "an LZ4 archive", UNPACK)),
    (b"PAR1", looks(Foreign::Other, "a Parquet file", OTHER)),
    (b"SQLite format 3\0", looks(Foreign::Other, "an SQLite database", OTHER)),
    (b"MATLAB 5.0 MAT-file", looks(Foreign::Other, "a MATLAB file", "scipy.io.loadmat reads it")),
    (b"ptrt", looks(Foreign::Other, "a TensorRT engine", "it is built for one GPU; the model is another file")),
    (b"GGUF", looks(Foreign::Other, "a GGUF model", OTHER)),
    // `ggml`, `ggmf` and `ggjt`, as numbers of 32 bits.
    (b"lmgg", looks(Foreign::Other, "a GGML model", OTHER)),
    (b"fmgg", looks(Foreign::Other, "a GGML model", OTHER)),
    (b"tjgg", looks(Foreign::Other, "a GGML model", OTHER)),
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

/// What begins with bytes that belong to one format. `text` is the same without white space and a mark of UTF-8 in
/// front.
pub(super) fn known(head: &[u8], text: &[u8]) -> Option<Known> {
    if head.is_empty() {
        let empty = looks(Foreign::Empty, "an empty file", "the copy or download did not finish; fetch it again");
        return Some(empty.but(Proof::None));
    }
    if let Some((_, found)) = SIGNATURES.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*found);
    }
    if let Some(found) = mangled(head) {
        return Some(found);
    }
    if head.get(4..8) == Some(b"TFL3") {
        let advice = "it holds a converted model without a checkpoint; ask tf.lite.Interpreter what is in it";
        return Some(looks(Foreign::Other, "a TensorFlow Lite model (.tflite)", advice));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(zip(head));
    }
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if starts(b"<!doctype html") || starts(b"<html") || starts(b"<head") {
        let advice = "the download gave a web page (a login or an error); fetch the file itself";
        return Some(looks(Foreign::WebPage, "an HTML page", advice).but(Proof::Sure));
    }
    if starts(b"(dp0\n") || starts(b"(lp0\n") || starts(b"cnumpy.core.multiarray\n") || begins_a_pickle(head) {
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
    let advice = "the copy did not finish; fetch it again";
    match table(head)? {
        Foreign::CutIndex => Some(looks(Foreign::CutIndex, "the beginning of a bundle index, cut off", advice)),
        kind => Some(looks(kind, "the beginning of a V1 checkpoint, cut off", advice)),
    }
}

/// Whether bytes begin as a pickle of protocol 2 to 5: the protocol, and an operation that pickles begin with.
fn begins_a_pickle(head: &[u8]) -> bool {
    matches!(head, [0x80, 2..=5, next, ..] if b"}](){cCXUKMJNGI\x88\x89\x8a\x8c\x8e\x95\x96".contains(next))
}

/// Whether bytes begin as a bundle's index or a V1 checkpoint does.
pub(super) fn table(head: &[u8]) -> Option<Foreign> {
    // The first entry of every index that TensorFlow writes: empty key, header with the number of shards.
    if matches!(head, [0, 0, len, 0x08, ..] if *len < 32) {
        return Some(Foreign::CutIndex);
    }
    // That of a V1 checkpoint: empty key, and the metadata of all tensors, whose length takes one to four bytes.
    if let [0, 0, rest @ ..] = head
        && let Some(last) = rest.iter().take(4).position(|byte| byte & 0x80 == 0)
        && rest.get(last.saturating_add(1)) == Some(&0x0a)
    {
        return Some(Foreign::CutSaverV1);
    }
    None
}

/// What is text of no kind that was looked for before.
pub(super) fn as_text(head: &[u8], text: &[u8]) -> Option<Known> {
    let starts = |tag: &[u8]| text.get(..tag.len()).is_some_and(|t| t.eq_ignore_ascii_case(tag));
    if starts(b"<?xml") {
        let advice = "a server gave an answer in place of the file; fetch the file itself";
        return Some(looks(Foreign::WebPage, "an XML document", advice));
    }
    if starts(b"{\"") || starts(b"{\n") || starts(b"{\r") || starts(b"{ ") || starts(b"[{") || starts(b"{}") {
        return Some(json(text).but(Proof::None));
    }
    let printable = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    if head.iter().all(printable) && std::str::from_utf8(head.get(..head.len().min(512)).unwrap_or(head)).is_ok() {
        let plain = looks(Foreign::Text, "a text file", "give the prefix of a checkpoint");
        let yaml = || {
            is_yaml(text).then_some(looks(
                Foreign::Text,
                "YAML text",
                "it configures a program; the model is another file",
            ))
        };
        return Some(text_message(text).or_else(yaml).unwrap_or(plain).but(Proof::None));
    }
    None
}

/// Whether every line of the beginning is one of a YAML mapping or of a list, and at least two are.
fn is_yaml(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let mut said = lines.take(8).filter(|line| !line.is_empty() && !line.starts_with(b"#") && *line != b"---");
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'"' | b'\'');
    let mut count = 0usize;
    let all = said.all(|line| {
        count = count.saturating_add(1);
        let pair = line.strip_prefix(b"- ").unwrap_or(line);
        let colon = pair.iter().position(|byte| *byte == b':');
        let is_pair = colon.is_some_and(|at| {
            let (key, value) = pair.split_at(at);
            !key.is_empty() && key.iter().all(is_key) && matches!(value.get(1), None | Some(b' '))
        });
        is_pair || line.starts_with(b"- ")
    });
    all && count >= 2
}

/// Which of the formats that are JSON.
fn json(text: &[u8]) -> Known {
    let has = |name: &[u8]| memchr::memmem::find(text, name).is_some();
    if has(b"\"weightsManifest\"") || has(b"\"modelTopology\"") {
        let advice = "its weights are in the .bin files beside it: convert it back with tensorflowjs_converter";
        return looks(Foreign::Other, "a TensorFlow.js model (model.json)", advice);
    }
    if has(b"\"class_name\"") && has(b"\"config\"") {
        let advice = "it describes layers and holds no weights; those are in a checkpoint or an .h5 file";
        return looks(Foreign::Text, "the configuration of a Keras model (JSON)", advice);
    }
    looks(Foreign::Text, "JSON text", "give the prefix of a checkpoint")
}

/// Which of the formats that are zip archives.
fn zip(head: &[u8]) -> Known {
    let has = |name: &[u8]| head.windows(name.len()).any(|w| w == name);
    if has(b"/data.pkl") || has(b"/data/") || has(b".pkl") {
        looks(Foreign::Other, "a PyTorch checkpoint (zip with a pickle)", TORCH)
    } else if has(b"config.json") || has(b"metadata.json") || has(b"model.weights.h5") {
        looks(Foreign::KerasArchive, "a .keras archive (zip)", "ckpt reads it when its name ends in .keras")
    } else if has(b".npy") {
        looks(Foreign::Other, "a NumPy archive (.npz)", "ckpt reads it when it is given this file itself")
    } else {
        looks(Foreign::Archive, "a zip archive", UNPACK)
    }
}
