//! Files of Keras: `.h5` and `.weights.h5`, which are HDF5, `.keras` archives with one of them inside, and sets of
//! several with a list.
//!
//! Any other HDF5 file is opened here too, as data sets and nothing more.

mod config;
mod facts;
mod names;
mod optimizers;
mod read;
mod variables;

use facts::{CONFIG, WEIGHTS};

pub use config::{ConfigLayer, ConfigTree, group_of_class, has_lora, quantization_mode, snake};
pub use facts::{KerasFacts, KerasGroup, KerasLists, Naming};
pub use read::{KERAS_ARCHIVE, KERAS_H5, KerasFile};
pub use variables::quantized_kernel;

use super::file_format::{FileFormat, Probe};
use super::hdf5::{self, SIGNATURE};

/// The row of HDF5 files in the table of formats.
pub(super) const H5: FileFormat =
    FileFormat { format: &KERAS_H5, ends: &[".h5", ".hdf5"], claims: is_h5, open: read::open_h5, in_directory };

/// What is opened by the row above and turns out not to be Keras'.
pub(super) const HDF5: FileFormat = FileFormat { format: &hdf5::HDF5, ..H5 };

/// The row of archives.
pub(super) const ARCHIVE: FileFormat = FileFormat {
    format: &KERAS_ARCHIVE,
    ends: &[".keras"],
    claims: is_archive,
    open: read::open_archive,
    in_directory: archive_in,
};

/// The row of sets.
pub(super) const SHARDED: FileFormat =
    FileFormat { format: &KERAS_H5, ends: &[LIST], claims: is_list, open: read::open_sharded, in_directory: list_in };

/// What the list of a set ends in.
const LIST: &str = ".weights.json";

fn is_h5(probe: &Probe<'_>) -> bool {
    // What a program put before it has a length of a power of two.
    [0, 512, 1024, 2048, 4096, 8192]
        .iter()
        .any(|at| probe.head.get(*at..).is_some_and(|bytes| bytes.starts_with(SIGNATURE)))
}

/// A zip archive whose first member is one of Keras', or that is called `.keras`.
fn is_archive(probe: &Probe<'_>) -> bool {
    let is_zip = probe.head.starts_with(b"PK\x03\x04") || probe.head.starts_with(b"PK\x05\x06");
    let length = probe.head.get(26..28).map_or(0, |b| usize::from(b[0]) | usize::from(b[1]) << 8);
    let first = probe.head.get(30..).and_then(|rest| rest.get(..length)).unwrap_or_default();
    let is_ours = matches!(first, b"metadata.json" | b"config.json" | b"model.weights.h5");
    is_zip && (is_ours || probe.name.ends_with(b".keras"))
}

fn is_list(probe: &Probe<'_>) -> bool {
    probe.name.ends_with(LIST.as_bytes())
}

/// The weights of an archive that was unpacked; else the only file with weights.
fn in_directory(names: &[&str]) -> Option<String> {
    let unpacked = names.contains(&CONFIG).then(|| names.iter().find(|name| **name == WEIGHTS)).flatten();
    unpacked.or_else(|| only(names.iter().filter(|name| ends(name, &[".h5", ".hdf5"])))).map(|name| (*name).to_owned())
}

fn archive_in(names: &[&str]) -> Option<String> {
    only(names.iter().filter(|name| ends(name, &[".keras"]))).map(|name| (*name).to_owned())
}

fn list_in(names: &[&str]) -> Option<String> {
    only(names.iter().filter(|name| name.ends_with(LIST))).map(|name| (*name).to_owned())
}

fn ends(name: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| name.ends_with(ending))
}

/// The one that there is, if there are no others.
fn only<T>(mut all: impl Iterator<Item = T>) -> Option<T> {
    all.next().filter(|_| all.next().is_none())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::facts::KerasFacts;
    use super::names::told;
    use crate::read::container::Purpose;

    /// `LossScaleOptimizer` of Keras 3: its own numbers, those of the optimizer within it, and the slots in both lists.
    #[test]
    fn what_an_optimizer_within_one_keeps_is_no_weight() {
        let sets: [(&[u8], &[u64]); 10] = [
            (b"layers/dense/vars/0", &[2, 3]),
            (b"optimizer/inner_optimizer/vars/0", &[]),
            (b"optimizer/inner_optimizer/vars/1", &[]),
            (b"optimizer/inner_optimizer/vars/2", &[2, 3]),
            (b"optimizer/vars/0", &[]),
            (b"optimizer/vars/1", &[]),
            (b"optimizer/vars/3", &[]),
            (b"optimizer/vars/2", &[]),
            (b"optimizer/vars/4", &[]),
            (b"optimizer/vars/5", &[2, 3]),
        ];
        let facts = KerasFacts::of_groups(sets.into_iter(), &BTreeMap::new());
        assert_eq!(facts.layers.len(), 1);
        let told = told(&facts, None);
        let purpose = |path: &[u8]| told.get(path).and_then(|told| told.purpose);
        assert_eq!(purpose(b"layers/dense/vars/0"), Some(Purpose::Weight));
        for (path, at) in [("inner_optimizer/vars/1", 1), ("inner_optimizer/vars/2", 2), ("vars/3", 1), ("vars/5", 5)] {
            let path = format!("optimizer/{path}");
            assert_eq!(purpose(path.as_bytes()), Some(Purpose::Optimizer(at)), "{path}");
        }
    }

    /// A model with two optimizers, as one that trains two networks against each other; one of them has its own name.
    #[test]
    fn optimizers_under_other_attributes_are_told_by_their_numbers_and_shapes() {
        let sets: [(&[u8], &[u64]); 11] = [
            (b"first/vars/0", &[]),
            (b"first/vars/1", &[]),
            (b"first/vars/2", &[2, 3]),
            (b"first/vars/3", &[2, 3]),
            (b"net/layers/dense/vars/0", &[2, 3]),
            (b"net/layers/dense/vars/1", &[3]),
            (b"ranges/vars/0", &[]),
            (b"ranges/vars/1", &[]),
            (b"ranges/vars/2", &[7]),
            (b"scale/vars/0", &[]),
            (b"scale/vars/1", &[2, 3]),
        ];
        let facts = KerasFacts::of_groups(sets.into_iter(), &BTreeMap::new());
        let told = told(&facts, None);
        let purpose = |path: &str| told.get(path.as_bytes()).and_then(|told| told.purpose);
        for at in 0..4 {
            assert_eq!(purpose(&format!("first/vars/{at}")), Some(Purpose::Optimizer(at)), "{at}");
        }
        for path in ["net/layers/dense/vars/0", "ranges/vars/0", "ranges/vars/2", "scale/vars/0", "scale/vars/1"] {
            assert_eq!(purpose(path), Some(Purpose::Weight), "{path}");
        }
    }
}
