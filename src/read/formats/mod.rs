//! The formats whose files say what they are by their first bytes, one folder each, and the table of them.
//!
//! A format turns a file into an [`Opened`]: tensors with their places, and a [`Container`](crate::read::container::Container)
//! that hands out bytes. It knows no command and no other format.

pub mod bundle;
mod file_format;
mod hdf5;
pub mod keras;
pub mod npz;
pub mod safetensors;
pub mod saver_v1;

pub use file_format::{FileFormat, PROBED, Probe};

use std::path::{Path, PathBuf};

use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::bundle::Prefix;
use crate::read::container::Opened;
use crate::read::storage::{Source, guessed};

/// Every format; one that is added here is found, opened, listed, read and compared by all commands.
pub const FORMATS: &[FileFormat] =
    &[safetensors::FORMAT, npz::FORMAT, npz::NPY, keras::ARCHIVE, keras::SHARDED, keras::H5, keras::HDF5];

/// Opens what TensorFlow's savers wrote, whose files are found by their names: V1 files, or else the bundle of a prefix.
///
/// # Errors
/// If the index is no table, or nothing of it can be read.
pub fn open_saver(prefix: &Prefix, v1_files: &[PathBuf], limits: &Limits) -> Result<Opened> {
    if v1_files.is_empty() { bundle::open(prefix, limits) } else { saver_v1::open(prefix, v1_files, limits) }
}

/// The format of a file, if it is one of these. A file that cannot be opened is none.
pub fn of_file(path: &Path) -> Option<&'static FileFormat> {
    let source = guessed(Source::open(path), path)?;
    let head = guessed(source.head(PROBED), path)?;
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let probe = Probe { name, head: &head, len: source.len() };
    FORMATS.iter().find(|format| (format.claims)(&probe))
}

/// The format that a file is called after.
pub fn by_name(path: &Path) -> Option<&'static FileFormat> {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes().to_ascii_lowercase();
    FORMATS.iter().find(|format| format.ends.iter().any(|end| name.ends_with(end.as_bytes())))
}

/// The file that a directory with these entries stands for, and its format.
pub fn in_directory<'n>(names: impl Iterator<Item = &'n str>) -> Option<(String, &'static FileFormat)> {
    let names: Vec<&str> = names.collect();
    FORMATS.iter().find_map(|format| Some(((format.in_directory)(&names)?, format)))
}
