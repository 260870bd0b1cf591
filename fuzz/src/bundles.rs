//! Whole checkpoints as files.

use std::path::Path;

use ckpt::analysis::{Roles, Selector, StatsOptions, Summary, ValidateOptions, Validation, stats};
use ckpt::base::error::Result;
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice, Tensor, looks_like};
use ckpt::read::tensor::{Axis, Checked};
use ckpt::report::{self, Format, Look};
use ckpt_synth::{Extent, V1Builder, Values};

use super::input::{Held, Input, answer, enough, harmless, said, scratch, seal};

/// Bytes of values that a run keeps of one tensor.
const MOST: usize = 1 << 20;

/// What a tensor's reading gave: elements one by one, and how it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) elements: Vec<Vec<u8>>,
    pub(crate) end: std::result::Result<Checked, String>,
    pub(crate) cut: bool,
}

/// Opens the prefix with default limits.
pub(crate) fn open(path: &Path) -> Result<Checkpoint> {
    Checkpoint::open(path, Choice::default(), &Limits::default())
}

/// Reads a region, element by element, up to [`MOST`] bytes.
pub(crate) fn read(checkpoint: &Checkpoint, tensor: &Tensor, axes: &[Axis]) -> Read {
    let size = tensor.dtype.element_size().map(|size| size as usize);
    let (mut elements, mut room, mut cut) = (Vec::new(), MOST, false);
    let end = checkpoint.read(tensor, axes, &mut |bytes| {
        if bytes.len() + 16 > room {
            cut = true;
            return Err(enough());
        }
        match size {
            None => {
                room -= bytes.len() + 16;
                elements.push(bytes.to_vec());
            }
            Some(size) => {
                assert_eq!(bytes.len() % size, 0, "a part of an element");
                room -= bytes.len();
                elements.extend(bytes.chunks_exact(size).map(<[u8]>::to_vec));
            }
        }
        Ok(())
    });
    Read { elements, end: end.map_err(|error| said(&error)), cut }
}

/// The axes of a whole tensor.
pub(crate) fn whole(dims: &[u64]) -> Vec<Axis> {
    dims.iter().copied().map(Axis::all).collect()
}

/// The flat indexes of a region, in C order.
pub(crate) fn flat(dims: &[u64], axes: &[Axis]) -> Vec<usize> {
    let mut all = vec![0u64];
    for (dim, axis) in dims.iter().zip(axes) {
        let indexes = |at: u64| (0..axis.count).map(move |n| at * dim + axis.start + n * axis.step);
        all = all.into_iter().flat_map(indexes).collect();
    }
    all.into_iter().map(|at| at as usize).collect()
}

/// A region that the fuzzer chose, within the dimensions.
pub(crate) fn region(dims: &[u64], input: &mut Input<'_>) -> Vec<Axis> {
    dims.iter()
        .map(|&dim| {
            let start = u64::from(input.u8()) % dim.max(1);
            let step = u64::from(input.below(5)) + 1;
            let most = (dim - start.min(dim)).div_ceil(step);
            Axis { start, step, count: u64::from(input.u8()).min(most) }
        })
        .collect()
}

/// Lists and reads everything.
///
/// Promises: reading twice gives the same; a tensor that is read to its end has as many elements as its shape says,
/// and no more bytes than are stored; a part of it is made of the same elements.
fn use_all(checkpoint: &Checkpoint, stored: usize, mut input: Input<'_>) {
    for error in checkpoint.damage().iter().chain(checkpoint.notes()) {
        said(error);
    }
    assert!(checkpoint.tensors().iter().is_sorted_by(|a, b| a.name < b.name), "tensors out of order");
    let look = Look { color: false, width: Some(80) };
    let roles = Roles::of(checkpoint);
    for at in 0..checkpoint.tensors().len() {
        roles.role(at);
    }
    let mut out = Vec::new();
    report::write_inspect(checkpoint, &Summary::of(checkpoint), Format::Text, look, &mut out).unwrap();
    harmless(&String::from_utf8(out).unwrap());
    let mut out = Vec::new();
    report::write_inspect(checkpoint, &Summary::of(checkpoint), Format::Json, look, &mut out).unwrap();
    serde_json::from_slice::<serde_json::Value>(&out).unwrap();
    for tensor in checkpoint.tensors().iter().take(50) {
        assert_eq!(checkpoint.tensor(&tensor.name), Some(tensor.clone()));
        assert!(tensor.shape.rank().is_none_or(|rank| rank <= Limits::default().rank));
        let Ok(dims) = tensor.dims() else {
            said(&checkpoint.read_all(&tensor, &mut |_| Ok(())).unwrap_err());
            continue;
        };
        let all = read(checkpoint, &tensor, &whole(&dims));
        assert_eq!(all, read(checkpoint, &tensor, &whole(&dims)), "reading twice differs");
        if !all.cut && all.end.is_ok() {
            assert_eq!(Some(all.elements.len() as u64), tensor.elements());
            let bytes: usize = all.elements.iter().map(Vec::len).sum();
            // Varints of V1 may be compressed and stand for eight bytes each.
            assert!(bytes <= stored * (tensor.slices().len() + 1) * 176, "{bytes} bytes of {stored}");
            let axes = region(&dims, &mut input);
            let part = read(checkpoint, &tensor, &axes);
            assert!(part.end.is_ok(), "all of it can be read, but not {axes:?}: {:?}", part.end);
            let want: Vec<Vec<u8>> = flat(&dims, &axes).into_iter().map(|at| all.elements[at].clone()).collect();
            assert!(part.elements == want, "{axes:?} of {dims:?} differs from the whole");
        } else {
            let last = dims.iter().map(|&dim| Axis { start: dim.saturating_sub(1), step: 1, count: dim.min(1) });
            let _ = read(checkpoint, &tensor, &last.collect::<Vec<_>>());
        }
    }
}

/// An index and its shard, cut where a length says. What a bundle promises: see [`use_all`].
pub fn bundle(data: &[u8]) {
    let mut input = Input(data);
    let (kind, choices) = (input.u8(), Input(input.take(8)));
    let mut index = input.long().to_vec();
    if kind % 2 == 1 {
        index = seal(index);
    }
    let _ = looks_like(&index[..index.len().min(4096)]);
    let held = Held::new([("model.ckpt.index", &*index), ("model.ckpt.data-00000-of-00001", input.0)]);
    let prefix = held.path().join("model.ckpt");
    let first = open(&prefix);
    let second = open(&prefix);
    match (first, second) {
        (Ok(first), Ok(second)) => {
            assert!(first.tensors().iter().eq(second.tensors()));
            use_all(&first, input.0.len(), choices);
        }
        (first, second) => assert_eq!(answer(&first), answer(&second)),
    }
}

/// A V1 checkpoint: a file as it is, one with right checksums, or tensors whose values are the fuzzer's messages.
/// What it promises: see [`use_all`].
pub fn saver_v1(data: &[u8]) {
    let mut input = Input(data);
    let (kind, mut choices) = (input.u8(), Input(input.take(8)));
    let bytes = match kind % 3 {
        0 => input.0.to_vec(),
        1 => seal(input.0.to_vec()),
        _ => {
            let mut v1 = V1Builder::new();
            for name in ["a", "b", "c"] {
                let dtype = i32::from(input.below(34));
                let shape: Vec<i64> = (0..input.below(4)).map(|_| input.i64()).collect();
                let slices = (0..input.below(3)).map(|_| {
                    let extents = shape.iter().map(|_| extent(&mut input)).collect();
                    (extents, Values::Raw(input.short().to_vec()))
                });
                let slices: Vec<_> = slices.collect();
                v1 = if slices.is_empty() {
                    v1.tensor(name, dtype, &shape, Values::Raw(input.short().to_vec()))
                } else {
                    v1.sliced(name, dtype, &shape, slices)
                };
            }
            let compression = [ckpt_synth::Compression::None, ckpt_synth::Compression::Snappy];
            let compression = compression[usize::from(choices.below(2))];
            v1.table(move |table| table.compression(compression)).finish().shards.swap_remove(0)
        }
    };
    let dir = scratch();
    let path = dir.path().join("model.ckpt");
    std::fs::write(&path, &bytes).unwrap();
    match open(&path) {
        Ok(checkpoint) => use_all(&checkpoint, bytes.len(), choices),
        Err(error) => drop(said(&error)),
    }
}

/// An HDF5 file. What it promises: see [`use_all`]. Values that were never written may stand for more than the file.
pub fn hdf5(data: &[u8]) {
    file("model.h5", data);
}

/// A `.keras` archive. What it promises: as [`hdf5`].
pub fn keras(data: &[u8]) {
    file("model.keras", data);
}

/// A safetensors file. What it promises: as [`hdf5`].
pub fn safetensors(data: &[u8]) {
    file("model.safetensors", data);
}

/// A NumPy archive. What it promises: as [`hdf5`].
pub fn npz(data: &[u8]) {
    file("model.npz", data);
}

fn file(name: &str, data: &[u8]) {
    let mut input = Input(data);
    let choices = Input(input.take(8));
    let held = Held::new([(name, input.0)]);
    match open(&held.path().join(name)) {
        Ok(checkpoint) => use_all(&checkpoint, input.0.len().max(MOST), choices),
        Err(error) => drop(said(&error)),
    }
}

/// An extent, mostly small.
pub(crate) fn extent(input: &mut Input<'_>) -> Extent {
    match input.below(4) {
        0 => Extent::Full,
        _ => Extent::range(input.i64(), input.i64()),
    }
}

/// The files that a directory of the fuzzer may have.
pub(crate) const NAMES: [&str; 12] = [
    "model.ckpt.index",
    "model.ckpt.data-00000-of-00001",
    "model.ckpt.data-00000-of-00002",
    "model.ckpt.data-00001-of-00002",
    "model.ckpt.meta",
    "checkpoint",
    "saved_model.pb",
    "saved_model.pbtxt",
    "variables/variables.index",
    "variables/variables.data-00000-of-00001",
    "fingerprint.pb",
    "old.ckpt",
];

/// The files of a directory that the fuzzer describes, in memory.
fn directory(mut input: Input<'_>) -> Held {
    let mut files = Vec::new();
    while !input.is_empty() {
        let kind = input.u8();
        let name = NAMES[usize::from(kind & 0x7f) % NAMES.len()];
        let mut bytes = input.long().to_vec();
        if kind & 0x80 != 0 {
            bytes = seal(bytes);
        }
        files.push((name, bytes));
    }
    Held::new(files)
}

/// A directory of files, validated with everything on.
///
/// Promises: two runs find the same (of one input in four); reports of the findings can be written, in a format of each
/// input, the JSON ones are JSON; where no error is found, a tensor can be read to its end unless a finding names it.
pub fn validate(data: &[u8]) {
    let dir = directory(Input(data));
    let run = |threads| {
        let (selector, choice) = (Selector::default(), Choice::default());
        let options = ValidateOptions {
            quick: false,
            finite: true,
            threads,
            selector,
            choice,
            serving: false,
            policy: None,
            share: None,
        };
        ckpt::analysis::validate(dir.path(), &options, &Limits::default(), &Progress::default())
    };
    let first = run(1);
    if data.len().is_multiple_of(4) {
        assert_eq!(answer(&first), answer(&run(2)), "two runs differ");
    }
    let Ok(validation) = first else { return };
    report_of(&validation, data.len());
    if !validation.is_ok() {
        return;
    }
    for prefix in &validation.targets {
        let Ok(checkpoint) = open(prefix) else { continue };
        for tensor in checkpoint.tensors() {
            // Slices that TensorFlow wrote itself need not cover their tensor: that is a warning.
            let name = Some(&*tensor.name);
            if !validation.findings.iter().any(|finding| finding.tensor.as_deref() == name) {
                let read = checkpoint.read_all(&tensor, &mut |_| Ok(()));
                assert!(read.is_ok(), "nothing was found, but {}", answer(&read));
            }
        }
    }
}

/// A directory as [`validate`] has it, of which every number is looked at.
///
/// Promises: statistics are the same with one thread and with two, and fail only where there is a finding.
pub fn statistics(data: &[u8]) {
    let dir = directory(Input(data));
    let options = ValidateOptions { finite: true, ..ValidateOptions::all(false, 1) };
    let Ok(validation) = ckpt::analysis::validate(dir.path(), &options, &Limits::default(), &Progress::default())
    else {
        return;
    };
    for prefix in validation.targets.iter().filter(|_| validation.is_ok()) {
        open(prefix).into_iter().for_each(|checkpoint| figures(&checkpoint, &validation));
    }
}

fn figures(checkpoint: &Checkpoint, validation: &Validation) {
    let selection = Selector::default().select(checkpoint);
    let run = |threads| {
        let options = StatsOptions { threads, distribution: true, channels: true, along: false, spectral: true };
        let found = stats(checkpoint, &selection, &options, &Progress::default());
        for (row, error) in found.unreadable() {
            let name = checkpoint.tensors().get(row.at).map(|tensor| tensor.name.to_vec());
            let told = validation.findings.iter().any(|finding| finding.tensor == name);
            assert!(told, "nothing was found, but {}", said(error));
        }
        found.tensors.iter().map(|row| format!("{:?} {:?}", row.figures, row.distribution)).collect::<Vec<_>>()
    };
    assert_eq!(run(1), run(2), "two runs differ");
}

fn report_of(validation: &Validation, choice: usize) {
    let look = Look { color: false, width: Some(80) };
    let write = |format| {
        let mut out = Vec::new();
        report::write_validation(validation, false, format, look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    match [Format::Text, Format::Github, Format::Junit, Format::Json, Format::Sarif][choice % 5] {
        format @ (Format::Json | Format::Sarif) => {
            serde_json::from_str::<serde_json::Value>(&write(format)).unwrap();
        }
        Format::Junit => drop(write(Format::Junit)),
        format => harmless(&write(format)),
    }
}
