//! A file that is put together from runs of others, with bits flipped back: what a damaged file should have been.
//!
//! Nothing is copied: bytes are read where they lie when they are asked for. Files are opened when first needed, and only
//! so many stay open: a checkpoint may have thousands.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::source::{ReadAt, Source};
use crate::base::error::Result;

/// How many files are kept open at once.
const MOST_OPEN: usize = 64;

/// Files opened by their paths, shared by everything that is put together of them.
#[derive(Debug, Default)]
pub struct OpenFiles {
    open: Mutex<BTreeMap<PathBuf, Arc<Source>>>,
}

/// A run of bytes that lies in a file at the same place as in what is put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// The file.
    pub file: PathBuf,
}

/// The runs and the bits. Bytes in no run are zeros.
#[derive(Debug)]
pub struct Composed {
    files: Arc<OpenFiles>,
    /// By start; none reaches into the next.
    runs: Vec<Run>,
    /// What is flipped back, by byte: a mask.
    flips: BTreeMap<u64, u8>,
}

impl OpenFiles {
    /// The file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn get(&self, path: &Path) -> Result<Arc<Source>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = open.get(path) {
            return Ok(Arc::clone(source));
        }
        let source = Arc::new(Source::open(path)?);
        if open.len() >= MOST_OPEN {
            open.pop_first();
        }
        open.insert(path.to_path_buf(), Arc::clone(&source));
        Ok(source)
    }
}

impl Composed {
    /// A file called `path` of `len` bytes, made of these runs and bits (offset of the byte, number of the bit).
    pub fn source(
        path: &Path,
        len: u64,
        files: &Arc<OpenFiles>,
        mut runs: Vec<Run>,
        bits: impl IntoIterator<Item = (u64, u8)>,
    ) -> Source {
        runs.sort_by_key(|run| run.start);
        let mut joined: Vec<Run> = Vec::new();
        for run in runs {
            match joined.last_mut() {
                Some(last) if last.file == run.file && last.end >= run.start => last.end = last.end.max(run.end),
                _ => joined.push(run),
            }
        }
        let mut flips: BTreeMap<u64, u8> = BTreeMap::new();
        for (byte, bit) in bits {
            *flips.entry(byte).or_default() ^= 1u8 << (bit & 7);
        }
        Source::other(path, len, Arc::new(Self { files: Arc::clone(files), runs: joined, flips }))
    }
}

impl ReadAt for Composed {
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(into.len() as u64);
        into.fill(0);
        let first = self.runs.partition_point(|run| run.end <= offset);
        for run in self.runs.iter().skip(first).take_while(|run| run.start < end) {
            let (start, stop) = (run.start.max(offset), run.end.min(end));
            let at = |place: u64| usize::try_from(place.saturating_sub(offset)).unwrap_or(usize::MAX);
            let Some(part) = into.get_mut(at(start)..at(stop)) else { continue };
            let file = self.files.get(&run.file).map_err(|error| io::Error::other(error.to_string()))?;
            file.read_exact_at(part, start).map_err(|error| io::Error::other(error.to_string()))?;
        }
        for (byte, mask) in self.flips.range(offset..end) {
            let at = usize::try_from(byte.saturating_sub(offset)).unwrap_or(usize::MAX);
            if let Some(byte) = into.get_mut(at) {
                *byte ^= mask;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::storage::Window;

    #[test]
    fn runs_of_several_files_are_one_file_with_bits_flipped_back() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        std::fs::write(&a, b"0123456789").unwrap();
        std::fs::write(&b, b"abcdefghij").unwrap();
        let run = |start, end, file: &PathBuf| Run { start, end, file: file.clone() };
        let runs = vec![run(6, 8, &a), run(0, 3, &a), run(3, 5, &b), run(2, 3, &a)];
        let source = Composed::source(&dir.path().join("c"), 9, &Arc::default(), runs, [(1, 0), (4, 5)]);
        let mut scratch = Window::default();
        assert_eq!(source.slice(0..9, &mut scratch).unwrap(), b"002dE\x0067\0");
        assert_eq!(source.slice(4..7, &mut scratch).unwrap(), b"E\x006");
        assert!(source.slice(4..10, &mut scratch).is_err());
    }
}
