//! The bytes of one file: [`Source`], several backings behind one type.
//!
//! Tables and data shards are read with positioned reads: measured as fast as a
//! mapping, and a file that shrinks meanwhile is an error instead of a SIGBUS. Mappings are for what must be one
//! contiguous slice and may be large (a graph, a V1 tensor), so that it never has to be copied.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::local_file::LocalFile;
use super::mmap;
use super::window::{Window, is_slow};
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::wire::Crc32c;

/// Random access to the bytes of one file.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    len: u64,
    backing: Backing,
}

#[derive(Debug)]
enum Backing {
    File(Arc<LocalFile>),
    Mapped(memmap2::Mmap),
    Memory(Arc<[u8]>),
    Other(Arc<dyn ReadAt>),
}

/// Bytes that a store of its own kind reads: a range at a time, by several threads at once.
pub trait ReadAt: Debug + Send + Sync {
    /// Fills `into` with the bytes at `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` if there are fewer, and whatever keeps them from being read.
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()>;

    /// Says that these bytes will all be read, about in their order: where reading costs a request, they may be asked for
    /// in large ranges, several at once and before they are needed. Says nothing of bytes that are read all the same.
    fn expect(&self, range: Range<u64>) {
        let _ = range;
    }
}

/// Files below this size are read rather than mapped: a copy costs less than the page faults, and cannot fault later.
const MAP_FROM: u64 = 1 << 20;

impl Source {
    /// Bytes in memory under the name `path`; for tests and for parts of other files.
    pub fn memory(path: &Path, bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Self { path: path.to_path_buf(), len: bytes.len() as u64, backing: Backing::Memory(bytes) }
    }

    /// `len` bytes that are read by a store of its own kind.
    pub fn other(path: &Path, len: u64, bytes: Arc<dyn ReadAt>) -> Self {
        Self { path: path.to_path_buf(), len, backing: Backing::Other(bytes) }
    }

    /// An open file of this length.
    pub(super) fn of_file(path: &Path, file: Arc<LocalFile>, len: u64) -> Self {
        Self { path: path.to_path_buf(), len, backing: Backing::File(file) }
    }

    /// The same bytes as one slice: mapped if they are a large file, else read.
    pub(super) fn into_contiguous(mut self) -> Result<Self> {
        self.backing = match self.backing {
            Backing::File(file) if self.len >= MAP_FROM => {
                let mapped = file.file().and_then(|file| mmap::map(&file));
                Backing::Mapped(mapped.map_err(|error| Error::io(error, &self.path))?)
            }
            Backing::File(_) | Backing::Other(_) => {
                let mut bytes = Window::default();
                Backing::Memory(self.slice(0..self.len, &mut bytes)?.into())
            }
            there => there,
        };
        Ok(self)
    }

    /// The path it was opened under.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Length in bytes when it was opened.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes in `range`: in place where they are in memory already, else read into `scratch`.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if the range does not lie in the file; [`ErrorKind::Shrank`] or an I/O error.
    pub fn slice<'a>(&'a self, range: Range<u64>, scratch: &'a mut Window) -> Result<&'a [u8]> {
        let needed = range.end.saturating_sub(range.start);
        let available = self.len.saturating_sub(range.start);
        let truncated = || {
            let kind = ErrorKind::Truncated { needed, available };
            Error::new(kind).at_offset(range.start).in_file(&self.path)
        };
        if needed > available {
            return Err(truncated());
        }
        let (start, len) = (usize::try_from(range.start), usize::try_from(needed));
        let (Ok(start), Ok(len)) = (start, len) else { return Err(truncated()) };
        if let Some(bytes) = self.in_memory() {
            return bytes.get(start..start.saturating_add(len)).ok_or_else(truncated);
        }
        self.read_exact_at(scratch.room(len, range.start), range.start)?;
        Ok(scratch)
    }

    /// The checksum of the bytes in `range`, read in pieces.
    ///
    /// # Errors
    /// As [`Self::slice`].
    pub fn crc32c(&self, range: Range<u64>) -> Result<Crc32c> {
        const PIECE: u64 = 256 << 10;
        let (mut crc, mut window, mut at) = (Crc32c::default(), Window::default(), range.start);
        while at < range.end {
            let stop = at.saturating_add(PIECE).min(range.end);
            crc = crc.extend(self.slice(at..stop, &mut window)?);
            at = stop;
        }
        Ok(crc)
    }

    /// Fills `buffer` with the bytes at `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] if they do not lie in the file; [`ErrorKind::Shrank`] or an I/O error.
    pub fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> Result<()> {
        let needed = buffer.len() as u64;
        let available = self.len.saturating_sub(offset);
        if needed > available {
            let kind = ErrorKind::Truncated { needed, available };
            return Err(Error::new(kind).at_offset(offset).in_file(&self.path));
        }
        let read = match &self.backing {
            Backing::File(file) => Some(file.file().and_then(|file| read_exact_at(&file, buffer, offset))),
            Backing::Other(bytes) => Some(bytes.read_exact_at(buffer, offset)),
            Backing::Mapped(_) | Backing::Memory(_) => None,
        };
        if let Some(read) = read {
            return read.map_err(|error| {
                let error = match error.kind() {
                    io::ErrorKind::UnexpectedEof => Error::new(ErrorKind::Shrank { len: self.len }),
                    _ => Error::new(ErrorKind::Io(error)),
                };
                error.at_offset(offset).in_file(&self.path)
            });
        }
        let mut unused = Window::default();
        buffer.copy_from_slice(self.slice(offset..offset.saturating_add(needed), &mut unused)?);
        Ok(())
    }

    /// Fills `buffer` with the bytes at `offset`, through `window` where that is quicker: for memory whose place nobody
    /// chose for them.
    ///
    /// # Errors
    /// As [`Self::read_exact_at`].
    pub fn fill(&self, buffer: &mut [u8], offset: u64, window: &mut Window) -> Result<()> {
        if !is_slow(buffer, offset) || self.in_memory().is_some() {
            return self.read_exact_at(buffer, offset);
        }
        let room = window.room(buffer.len(), offset);
        self.read_exact_at(room, offset)?;
        buffer.copy_from_slice(room);
        Ok(())
    }

    /// Says that these bytes will all be read, about in their order; see [`ReadAt::expect`].
    pub fn expect(&self, range: Range<u64>) {
        if let Backing::Other(bytes) = &self.backing {
            bytes.expect(range);
        }
    }

    /// Up to the first `n` bytes, to recognise a format by.
    ///
    /// # Errors
    /// An I/O error.
    pub fn head(&self, n: u64) -> Result<Vec<u8>> {
        let mut head = Window::default();
        let bytes = self.slice(0..n.min(self.len), &mut head)?;
        Ok(bytes.to_vec())
    }

    fn in_memory(&self) -> Option<&[u8]> {
        match &self.backing {
            Backing::File(_) | Backing::Other(_) => None,
            Backing::Mapped(map) => Some(map),
            Backing::Memory(bytes) => Some(bytes),
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let n = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = buffer.get_mut(n..).unwrap_or_default();
        offset = offset.saturating_add(n as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_outside_is_truncated_with_its_offset() {
        let source = Source::memory(Path::new("x"), vec![1, 2, 3]);
        let mut scratch = Window::default();
        assert_eq!(source.slice(1..3, &mut scratch).unwrap(), [2, 3]);
        let error = source.slice(2..9, &mut scratch).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Truncated { needed: 7, available: 1 }));
        assert_eq!(error.location().offset, Some(2));
        assert!(source.slice(u64::MAX - 1..u64::MAX, &mut scratch).is_err());
    }

    #[test]
    fn a_file_that_shrinks_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shard");
        std::fs::write(&path, [7; 100]).unwrap();
        let source = Source::open(&path).unwrap();
        std::fs::write(&path, [7; 10]).unwrap();
        let error = source.read_exact_at(&mut [0; 50], 20).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Shrank { len: 100 }), "{error}");
    }

    #[test]
    fn memory_at_any_place_is_filled() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("shard");
        let bytes: Vec<u8> = (0..9000u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
        std::fs::write(&path, &bytes).unwrap();
        let source = Source::open(&path).unwrap();
        let (mut memory, mut window) = (vec![0; 3 * 4096], Window::default());
        let page = 4096 - memory.as_ptr().addr() % 4096;
        for (place, offset) in [(0, 0), (1, 0), (16, 0), (31, 4096), (64, 0), (5, 4098), (100, 77)] {
            let room = &mut memory[page + place..page + place + 4000];
            room.fill(0);
            source.fill(room, offset, &mut window).unwrap();
            let start = usize::try_from(offset).unwrap();
            assert_eq!(*room, bytes[start..start + 4000], "{place} {offset}");
        }
        assert!(matches!(source.fill(&mut memory, 0, &mut window).unwrap_err().kind(), ErrorKind::Truncated { .. }));
    }

    #[test]
    fn large_files_are_mapped_and_small_ones_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("graph");
        for len in [10, 2 << 20] {
            std::fs::write(&path, vec![9; len]).unwrap();
            let source = Source::contiguous(&path).unwrap();
            let mut scratch = Window::default();
            assert_eq!(source.slice(0..len as u64, &mut scratch).unwrap().len(), len);
            assert!(scratch.is_empty(), "no copy was made");
        }
    }

    #[test]
    fn a_directory_is_refused() {
        let error = Source::open(Path::new(".")).unwrap_err();
        assert_eq!(error.to_string(), "is a directory, where a file was expected (.)");
    }
}
