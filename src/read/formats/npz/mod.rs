//! NumPy's files: `.npy`, one array, and `.npz`, a zip archive of them.

mod array;
mod header;
mod read;
mod write;

pub use read::{NPY as NPY_FORMAT, NPZ as NPZ_FORMAT};
pub use write::{NpySink, NpzSink};

use std::path::Path;

use super::{FileFormat, Probe};

/// The row of archives in the table of formats.
pub(super) const FORMAT: FileFormat =
    FileFormat { format: &NPZ_FORMAT, ends: &[".npz"], claims: is_npz, open: read::open_npz, in_directory: only };

/// The row of single arrays.
pub(super) const NPY: FileFormat =
    FileFormat { format: &NPY_FORMAT, ends: &[".npy"], claims: is_npy, open: read::open_npy, in_directory: nothing };

/// A zip archive whose first member is an array, or that is called `.npz`: an empty one has no member at all.
fn is_npz(probe: &Probe<'_>) -> bool {
    let is_zip = probe.head.starts_with(b"PK\x03\x04") || probe.head.starts_with(b"PK\x05\x06");
    // APPNOTE 4.3.7: 26 bytes before the length of the first name, which stands behind 30.
    let length = probe.head.get(26..28).map_or(0, |b| usize::from(b[0]) | usize::from(b[1]) << 8);
    let first = probe.head.get(30..).and_then(|rest| rest.get(..length)).unwrap_or_default();
    is_zip && (first.ends_with(b".npy") || probe.name.ends_with(b".npz"))
}

fn is_npy(probe: &Probe<'_>) -> bool {
    probe.head.starts_with(header::MAGIC)
}

/// The only archive in a directory.
fn only(names: &[&str]) -> Option<String> {
    let is_archive = |name: &&&str| Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("npz"));
    let mut archives = names.iter().filter(is_archive);
    archives.next().filter(|_| archives.next().is_none()).map(|name| (*name).to_owned())
}

/// Arrays that lie in a directory are no checkpoint together.
fn nothing(_names: &[&str]) -> Option<String> {
    None
}
