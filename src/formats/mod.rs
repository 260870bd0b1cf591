//! Layer 6: the formats whose files say what they are by their first bytes, one folder each, and the table of them.
//!
//! A format turns a file into an [`Opened`]: tensors with their places, and a [`Container`](crate::container::Container)
//! that hands out bytes. It knows no command and no other format.

pub mod bundle;
mod hdf5;
pub mod keras;
pub mod npz;
pub mod safetensors;
pub mod saver_v1;

use std::path::Path;

use crate::container::{Format, Opened};
use crate::error::Result;
use crate::limits::Limits;
use crate::storage::Source;

/// What can be known of a file before it is opened.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// Its name, without the directory.
    pub name: &'a [u8],
    /// Its first bytes, as many as [`PROBED`] or all.
    pub head: &'a [u8],
    /// Its length.
    pub len: u64,
}

/// How many bytes a format may look at: those of an HDF5 file may begin behind 1,024 of somebody else.
pub const PROBED: u64 = 1032;

/// A format whose checkpoints are files.
#[derive(Clone, Copy, Debug)]
pub struct FileFormat {
    /// What it is called.
    pub format: &'static Format,
    /// Whether a file is of this format.
    pub claims: fn(&Probe<'_>) -> bool,
    /// Opens such a file.
    pub open: fn(&Path, &Limits) -> Result<Opened>,
    /// The file that a directory stands for, out of the names in it; of several formats the first in the table decides.
    pub in_directory: fn(&[&str]) -> Option<String>,
}

/// Every format; one that is added here is found, opened, listed, read and compared by all commands.
pub const FORMATS: &[FileFormat] =
    &[safetensors::FORMAT, npz::FORMAT, npz::NPY, keras::ARCHIVE, keras::SHARDED, keras::H5, keras::HDF5];

/// The format of a file, if it is one of these. A file that cannot be opened is none.
pub fn of_file(path: &Path) -> Option<&'static FileFormat> {
    let source = Source::open(path).ok()?;
    let head = source.head(PROBED).ok()?;
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let probe = Probe { name, head: &head, len: source.len() };
    FORMATS.iter().find(|format| (format.claims)(&probe))
}

/// The file that a directory with these entries stands for, and its format.
pub fn in_directory<'n>(names: impl Iterator<Item = &'n str>) -> Option<(String, &'static FileFormat)> {
    let names: Vec<&str> = names.collect();
    FORMATS.iter().find_map(|format| Some(((format.in_directory)(&names)?, format)))
}
