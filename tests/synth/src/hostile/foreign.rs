//! Files that are no checkpoints at all, under the names of checkpoints.

use super::{Case, base};

const LFS: &str = "version https://git-lfs.github.com/spec/v1\n\
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not found</body></html>\n";

/// What else is found under such names: the last part of the case's name, what it is, its first bytes.
fn contents() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let safetensors = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let length = (safetensors.len() as u64).to_le_bytes();
    let padded = |start: &[u8]| [start, &[0; 120]].concat();
    vec![
        ("foreign-lfs-pointer", "a Git LFS pointer whose file was never fetched", LFS.into()),
        ("foreign-html", "the page of a failed download", HTML.into()),
        (
            "foreign-json-error",
            "an answer of a storage service",
            br#"{"error":{"code":403,"message":"denied"}}"#.into(),
        ),
        (
            "foreign-xml-error",
            "an answer of another one",
            b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>".into(),
        ),
        ("foreign-zip", "a zip archive", padded(b"PK\x03\x04\x14\0\0\0\0\0")),
        ("foreign-hdf5", "an HDF5 file", padded(b"\x89HDF\r\n\x1a\n\0")),
        (
            "foreign-pickle",
            "a pickle, which must never be run",
            b"\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94\x8c\x01w\x94K\x01s.".into(),
        ),
        ("foreign-gzip", "a gzip file", padded(b"\x1f\x8b\x08\0\0\0\0\0\0\x03")),
        ("foreign-zstd", "a Zstandard file", padded(b"\x28\xb5\x2f\xfd")),
        ("foreign-safetensors", "a safetensors file", [&length[..], safetensors, &[0; 4]].concat()),
        ("foreign-gguf", "a GGUF file", padded(b"GGUF\x03\0\0\0")),
        ("foreign-npy", "a NumPy array", padded(b"\x93NUMPY\x01\0v\0{'descr': '<f4'}")),
        ("foreign-tfrecord", "a TFRecord file", padded(&[24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22])),
        ("foreign-sqlite", "a database", padded(b"SQLite format 3\0")),
        ("foreign-elf", "a program", padded(b"\x7fELF\x02\x01\x01")),
        ("foreign-pdf", "a document", padded(b"%PDF-1.7\n")),
        ("foreign-text", "a line of text", b"This is not a checkpoint.\n".into()),
        ("foreign-zeros", "a page of zeros, as a crash leaves behind", vec![0; 4096]),
        ("foreign-ones", "a page of set bits, as erased flash reads", vec![0xff; 4096]),
        ("foreign-one-byte", "a single byte", vec![0]),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (name, what, bytes) in contents() {
        let case = Case::damaged(name, what).file("model.ckpt.index", bytes.clone());
        cases.push(case.file("model.ckpt.data-00000-of-00001", bytes.clone()).file("model.ckpt", bytes));
    }
    let mut fetched_half = base().finish();
    fetched_half.shards[0] = LFS.into();
    let mut page = base().finish();
    page.shards[0] = HTML.into();
    let alone = |name, what, path: &str, bytes: &[u8]| Case::damaged(name, what).file(path, bytes).open(path);
    cases.extend([
        Case::damaged("foreign-lfs-shard", "a true index beside a Git LFS pointer").bundle(fetched_half),
        Case::damaged("foreign-html-shard", "a true index beside a page").bundle(page),
        Case::damaged("foreign-nothing", "a prefix of no files").file("other.txt", "x"),
        alone("foreign-h5-alone", "an HDF5 signature and nothing else", "model.h5", b"\x89HDF\r\n\x1a\n"),
        alone("foreign-keras-alone", "a .keras file that is no archive", "model.keras", b"PK\x03\x04"),
        alone("foreign-saved-model-garbage", "a SavedModel that is no message", "saved_model.pb", &[0xff; 32]),
        alone("foreign-meta-garbage", "a meta graph that is no message", "model.ckpt.meta", &[0xff; 32]),
        alone("foreign-events", "an event file cut short", "events.out.tfevents.1.host", &[24, 0, 0]),
    ]);
    cases
}
