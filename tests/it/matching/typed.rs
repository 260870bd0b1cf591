//! Tensors of any float dtype, written as a checkpoint of TensorFlow or as safetensors, and what a comparison says of them.

use std::path::{Path, PathBuf};

use ckpt::analysis::diff::{Change, Diff, DiffOptions, MatchTotals, match_values};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt_synth::BundleBuilder;
use half::{bf16, f16};
use serde_json::{Map, json};

/// A dtype of floats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    BF16,
}

/// Numbers in C order with their shape.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    pub(super) dims: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// Tensors with their names and dtypes.
pub(super) type Typed = Vec<(String, Grid, Float)>;

impl Float {
    fn bytes(self, values: &[f64]) -> Vec<u8> {
        #[expect(clippy::cast_possible_truncation, reason = "rounded to float32")]
        let of = |value: &f64| match self {
            Self::F64 => value.to_le_bytes().to_vec(),
            Self::F32 => (*value as f32).to_le_bytes().to_vec(),
            Self::F16 => f16::from_f64(*value).to_le_bytes().to_vec(),
            Self::BF16 => bf16::from_f64(*value).to_le_bytes().to_vec(),
        };
        values.iter().flat_map(of).collect()
    }

    /// The values as they are once they have been stored.
    pub(super) fn stored(self, grid: &Grid) -> Grid {
        #[expect(clippy::cast_possible_truncation, reason = "rounded to float32")]
        let of = |value: &f64| match self {
            Self::F64 => *value,
            Self::F32 => f64::from(*value as f32),
            Self::F16 => f16::from_f64(*value).to_f64(),
            Self::BF16 => bf16::from_f64(*value).to_f64(),
        };
        Grid { dims: grid.dims.clone(), values: grid.values.iter().map(of).collect() }
    }
}

impl Grid {
    pub(super) fn transposed(&self) -> Self {
        let [rows, columns] = self.dims.as_slice() else { return self.clone() };
        let at = |n: usize| self.values[n % rows * columns + n / rows];
        Self { dims: vec![*columns, *rows], values: (0..self.values.len()).map(at).collect() }
    }

    /// Several along an axis, each cut into so many groups that alternate.
    pub(super) fn joined(parts: &[Self], axis: usize, groups: usize) -> Self {
        let mut dims = parts[0].dims.clone();
        dims[axis] = parts.iter().map(|part| part.dims[axis]).sum();
        let outer: usize = dims[..axis].iter().product();
        let mut values = Vec::new();
        for n in 0..outer {
            for group in 0..groups {
                for part in parts {
                    let row = part.values.len() / outer;
                    let run = row / groups;
                    values.extend(&part.values[n * row + group * run..][..run]);
                }
            }
        }
        Self { dims, values }
    }
}

/// Writes tensors: as safetensors if the path says so, else as a checkpoint of TensorFlow.
pub(super) fn write(tensors: &Typed, path: &Path) {
    if path.extension().is_none() {
        let mut bundle = BundleBuilder::new();
        for (name, grid, float) in tensors {
            let dims: Vec<i64> = grid.dims.iter().map(|dim| i64::try_from(*dim).unwrap()).collect();
            let dtype = match float {
                Float::F64 => 2,
                Float::F32 => 1,
                Float::F16 => 19,
                Float::BF16 => 14,
            };
            bundle = bundle.tensor(name, dtype, &dims, float.bytes(&grid.values));
        }
        return bundle.finish().write(path).unwrap();
    }
    let (mut header, mut data) = (Map::new(), Vec::new());
    for (name, grid, float) in tensors {
        let start = data.len();
        data.extend(float.bytes(&grid.values));
        let dtype = format!("{float:?}");
        header.insert(name.clone(), json!({"dtype": dtype, "shape": grid.dims, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::to_vec(&header).unwrap();
    std::fs::write(path, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
}

/// What a comparison came to.
pub(super) struct Said {
    pub(super) totals: MatchTotals,
    pub(super) is_equal: bool,
    pub(super) is_trouble: bool,
    /// Of every pair that is one: its name in B, in how many groups its parts alternate, whether it was rounded.
    pub(super) pairs: Vec<(String, u64, bool)>,
    /// The names of all pairs.
    pub(super) partners: Vec<(String, String)>,
}

/// Compares two sets of tensors; of a set with `index` only the index is there.
pub(super) fn compared(a: &Typed, b: &Typed, index: [bool; 2]) -> Said {
    let dir = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (n, (tensors, is_index)) in [a, b].into_iter().zip(index).enumerate() {
        // A checkpoint wherever its index is to stand alone, and on the first side.
        let path =
            dir.path().join(if is_index || n == 0 { format!("side-{n}") } else { format!("side-{n}.safetensors") });
        write(tensors, &path);
        if is_index {
            std::fs::remove_file(dir.path().join(format!("side-{n}.data-00000-of-00001"))).unwrap();
        }
        paths.push(path);
    }
    let open = |path: &Path| Checkpoint::open(path, Choice::default(), &Limits::default()).unwrap();
    let (a, b) = (open(&paths[0]), open(&paths[1]));
    let options = DiffOptions { threads: 1, keep_identical: true, ..DiffOptions::default() };
    let diff: Diff<'_> = match_values(&a, &b, &options, &Progress::default());
    let pair = |change: &Change| {
        let how = change.matched.as_ref()?.how.as_ref()?;
        let name = String::from_utf8(change.name().to_vec()).unwrap();
        change.a.as_ref()?;
        Some((name, how.part.map_or(0, |part| part.groups), how.cast.is_some()))
    };
    let text = |name: &[u8]| String::from_utf8(name.to_vec()).unwrap();
    let partners = |change: &Change| Some((text(&change.a.as_ref()?.name), text(&change.b.as_ref()?.name)));
    Said {
        partners: diff.changes.iter().filter_map(partners).collect(),
        totals: diff.matched.clone().unwrap(),
        is_equal: diff.is_equal(),
        is_trouble: diff.is_trouble(),
        pairs: diff.changes.iter().filter_map(pair).collect(),
    }
}
