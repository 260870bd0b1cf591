//! What the integration tests share: fixtures with TensorFlow's answers, and reading a tensor in one go.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "the test of hostile files, a program of its own, uses a part of this"
)]

use std::path::{Path, PathBuf};

use ckpt::base::error::Result;
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice, Tensor};
use ckpt::read::tensor::{Axis, Checked};
pub(crate) use ckpt_synth::tries;
use serde_json::Value;

/// The fixtures.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// Opens what `path` leads to, with the default limits.
pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    Checkpoint::open(path, Choice::default(), &Limits::default())
}

/// One checkpoint of an `expected.json`.
pub(crate) struct Document {
    /// The prefix, with the fixture's directory.
    pub(crate) prefix: PathBuf,
    /// What TensorFlow listed and read, sorted by name.
    pub(crate) tensors: Vec<Expected>,
}

/// What TensorFlow said of one tensor.
pub(crate) struct Expected {
    pub(crate) name: Vec<u8>,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<i64>,
    pub(crate) answer: Answer,
    /// For types of less than a byte, what stands in the data file.
    pub(crate) file_bytes: Option<Vec<u8>>,
}

/// The value that TensorFlow read.
pub(crate) enum Answer {
    Raw(Vec<u8>),
    Sha256 {
        hex: String,
        len: usize,
    },
    Strings(Vec<Vec<u8>>),
    /// It could not; some of the stored slices may be known.
    Unreadable {
        message: String,
        slices: Vec<Slice>,
    },
}

/// A stored slice of a tensor that does not exist as a whole.
pub(crate) struct Slice {
    pub(crate) start: Vec<u64>,
    pub(crate) shape: Vec<u64>,
    pub(crate) raw: Vec<u8>,
}

/// Every `expected.json` below the fixtures with its directory, sorted.
pub(crate) fn expected_files() -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut open = vec![testdata()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name == "expected.json") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((dir.clone(), serde_json::from_str(&text).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// The checkpoints that one `expected.json` describes; the older ones are under `checkpoints`.
pub(crate) fn documents(dir: &Path, json: &Value) -> Vec<Document> {
    let older = json["checkpoints"].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = std::iter::once(json).chain(older).filter(|json| json.get("tensors").is_some());
    all.map(|json| document(dir, json)).collect()
}

/// All checkpoints of all fixtures.
pub(crate) fn all_documents() -> Vec<Document> {
    expected_files().iter().flat_map(|(dir, json)| documents(dir, json)).collect()
}

fn document(dir: &Path, json: &Value) -> Document {
    let prefix = dir.join(json["prefix"].as_str().unwrap());
    Document { prefix, tensors: json["tensors"].as_array().unwrap().iter().map(expected).collect() }
}

fn expected(json: &Value) -> Expected {
    let shape = json["shape"].as_array().unwrap().iter().map(|dim| dim.as_i64().unwrap()).collect();
    let answer = if let Some(raw) = json.get("raw") {
        Answer::Raw(base64(raw))
    } else if let Some(hex) = json.get("sha256") {
        let len = usize::try_from(json["raw_bytes"].as_u64().unwrap()).unwrap();
        Answer::Sha256 { hex: hex.as_str().unwrap().to_owned(), len }
    } else if let Some(strings) = json.get("strings") {
        Answer::Strings(strings.as_array().unwrap().iter().map(base64).collect())
    } else {
        let message = json["unreadable"].as_str().unwrap().to_owned();
        let slices = json["slices"].as_array().map(Vec::as_slice).unwrap_or_default();
        Answer::Unreadable { message, slices: slices.iter().map(slice).collect() }
    };
    let name = match &json["name"] {
        Value::String(name) => name.clone().into_bytes(),
        other => base64(&other["base64"]),
    };
    let dtype = json["dtype"].as_str().unwrap().to_owned();
    Expected { name, dtype, shape, answer, file_bytes: json.get("file_bytes").map(base64) }
}

fn slice(json: &Value) -> Slice {
    let numbers = |json: &Value| json.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    Slice { start: numbers(&json["start"]), shape: numbers(&json["shape"]), raw: base64(&json["raw"]) }
}

/// Decodes a JSON string of base64.
pub(crate) fn base64(json: &Value) -> Vec<u8> {
    let text = json.as_str().unwrap().trim_end_matches('=');
    let (mut out, mut bits, mut held) = (Vec::new(), 0u32, 0u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            other => panic!("{other:#x} in base64"),
        };
        held = held << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 0xff).unwrap());
        }
    }
    out
}

/// The elements of a tensor, one item each, and whether they were checked.
pub(crate) fn elements(checkpoint: &Checkpoint, tensor: &Tensor) -> Result<(Vec<Vec<u8>>, Checked)> {
    let axes: Vec<Axis> = tensor.dims()?.into_iter().map(Axis::all).collect();
    region(checkpoint, tensor, &axes)
}

/// The elements in a region, one item each.
pub(crate) fn region(checkpoint: &Checkpoint, tensor: &Tensor, axes: &[Axis]) -> Result<(Vec<Vec<u8>>, Checked)> {
    let size = tensor.dtype.element_size().map(|size| usize::try_from(size).unwrap());
    let mut out: Vec<Vec<u8>> = Vec::new();
    let checked = checkpoint.read(tensor, axes, &mut |bytes| {
        match size {
            Some(size) => {
                assert_eq!(bytes.len() % size, 0, "whole elements");
                out.extend(bytes.chunks(size).map(<[u8]>::to_vec));
            }
            None => out.push(bytes.to_vec()),
        }
        Ok(())
    })?;
    Ok((out, checked))
}

/// Reads a tensor with `read_all`, its pieces joined.
pub(crate) fn read_all(checkpoint: &Checkpoint, tensor: &Tensor) -> Result<(Vec<u8>, Checked)> {
    let mut out = Vec::new();
    let checked = checkpoint.read_all(tensor, &mut |bytes| {
        out.extend_from_slice(bytes);
        Ok(())
    })?;
    Ok((out, checked))
}

/// The positions, in C order, of the elements that `axes` take of a tensor with `dims`: the naive way.
pub(crate) fn flat_indexes(dims: &[u64], axes: &[Axis]) -> Vec<usize> {
    let mut flat = vec![0u64];
    for (&dim, axis) in dims.iter().zip(axes) {
        let along = |outer: &u64| {
            let row = outer * dim;
            (0..axis.count).map(move |n| row + axis.start + n * axis.step).collect::<Vec<u64>>()
        };
        flat = flat.iter().flat_map(along).collect();
    }
    flat.into_iter().map(|n| usize::try_from(n).unwrap()).collect()
}

/// A few regions of a tensor: every second index, a part from the middle, the last index, nothing.
pub(crate) fn sample_regions(dims: &[u64]) -> Vec<Vec<Axis>> {
    let patterns: [fn(u64) -> Axis; 5] = [
        |dim| Axis { start: 0, step: 2, count: dim.div_ceil(2) },
        |dim| Axis { start: dim / 3, step: 1, count: (dim - dim / 3).div_ceil(2) },
        |dim| Axis { start: dim.saturating_sub(1), step: 1, count: dim.min(1) },
        |dim| Axis { start: dim.min(1), step: 3, count: dim.saturating_sub(1).div_ceil(3) },
        Axis::all,
    ];
    let mut regions: Vec<Vec<Axis>> =
        patterns.iter().map(|pattern| dims.iter().map(|dim| pattern(*dim)).collect()).collect();
    // Every pattern in turn over the dimensions, so that full and stepped ones stand beside each other.
    for shift in 0..patterns.len() {
        let mixed = dims.iter().enumerate().map(|(n, dim)| patterns[(n + shift) % patterns.len()](*dim));
        regions.push(mixed.collect());
    }
    regions.push(dims.iter().map(|_| Axis { start: 0, step: 1, count: 0 }).collect());
    regions
}

/// Asserts that every sample region of a tensor is the naive slice of all its elements.
pub(crate) fn check_regions(checkpoint: &Checkpoint, tensor: &Tensor, all: &[Vec<u8>]) -> usize {
    let dims = tensor.dims().unwrap();
    let regions = sample_regions(&dims);
    for axes in &regions {
        let want: Vec<&[u8]> = flat_indexes(&dims, axes).into_iter().map(|n| all[n].as_slice()).collect();
        let (got, _) = region(checkpoint, tensor, axes).unwrap();
        assert!(got == want, "{} {axes:?}: {} elements, want {}", show(&tensor.name), got.len(), want.len());
    }
    regions.len()
}

/// A name for a message.
pub(crate) fn show(name: &[u8]) -> String {
    name.escape_ascii().to_string()
}
