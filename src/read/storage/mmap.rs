//! Mapping a file into memory: with `tensor/simd.rs`, the only `unsafe` code of the crate.

use std::fs::File;

/// Maps a whole file for reading.
///
/// The hazard is real and accepted for these files only: if another process truncates the file while it is mapped,
/// touching the lost pages kills this process with SIGBUS. Graph files are written once, under another name first;
/// data shards and indexes, which training replaces in place, are never mapped.
///
/// # Errors
/// What the operating system says.
pub(super) fn map(file: &File) -> std::io::Result<memmap2::Mmap> {
    #[expect(unsafe_code, reason = "a mapping is the only way to decode a large message in place")]
    // SAFETY: the mapping is private to this process and read-only; the file is not modified by this process. That
    // no other process truncates it cannot be guaranteed, see above.
    unsafe {
        memmap2::Mmap::map(file)
    }
}
