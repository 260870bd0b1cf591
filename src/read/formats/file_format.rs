//! What a format whose checkpoints are files says of itself.

use std::path::Path;

use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::container::{Format, Opened};

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

/// How many bytes a format may look at: those of an HDF5 file may begin behind 8,192 of somebody else.
pub const PROBED: u64 = 8200;

/// A format whose checkpoints are files.
#[derive(Clone, Copy, Debug)]
pub struct FileFormat {
    /// What it is called.
    pub format: &'static Format,
    /// What the names of its files end in: what is called so and is nothing else that is known, is damaged.
    pub ends: &'static [&'static str],
    /// Whether a file is of this format.
    pub claims: fn(&Probe<'_>) -> bool,
    /// Opens such a file.
    pub open: fn(&Path, &Limits) -> Result<Opened>,
    /// The file that a directory stands for, out of the names in it; of several formats the first in the table decides.
    pub in_directory: fn(&[&str]) -> Option<String>,
}
