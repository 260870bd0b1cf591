//! Bytes of a shard, front to back, of elements that say how long they are.

use std::ops::Range;
use std::sync::Arc;

use super::reader::WINDOW;
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::read::storage::Source;
use crate::read::wire::Cursor;

/// Bytes of a shard, front to back, through a window.
#[derive(Debug)]
pub(super) struct Stream {
    source: Arc<Source>,
    at: u64,
    end: u64,
    window: Vec<u8>,
    used: usize,
}

impl Stream {
    pub(super) fn new(source: &Arc<Source>, range: Range<u64>) -> Self {
        Self { source: Arc::clone(source), at: range.start, end: range.end, window: Vec::new(), used: 0 }
    }

    /// Offset in the file of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.at.saturating_sub(self.window.len().saturating_sub(self.used) as u64)
    }

    /// Bytes left in the range.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.offset())
    }

    /// The unread part of the window, at least `least` bytes of it unless the range ends before.
    pub(super) fn fill(&mut self, least: usize) -> Result<&[u8]> {
        if self.window.len().saturating_sub(self.used) < least && self.at < self.end {
            self.window.drain(..self.used);
            self.used = 0;
            let kept = self.window.len();
            let more = self.end.saturating_sub(self.at).min(WINDOW);
            self.window.resize(kept.saturating_add(usize::try_from(more).unwrap_or(0)), 0);
            let fresh = self.window.get_mut(kept..).unwrap_or_default();
            self.source.read_exact_at(fresh, self.at).map_err(|e| e.at_part(Part::TensorData))?;
            self.at = self.at.saturating_add(more);
        }
        Ok(self.window.get(self.used..).unwrap_or_default())
    }

    pub(super) fn varint(&mut self) -> Result<u64> {
        let offset = self.offset();
        let mut cursor = Cursor::new(self.fill(10)?, offset);
        let value = cursor.varint64()?;
        let read = cursor.offset().saturating_sub(offset);
        self.used = self.used.saturating_add(usize::try_from(read).unwrap_or(0));
        Ok(value)
    }

    pub(super) fn array(&mut self) -> Result<[u8; 4]> {
        let offset = self.offset();
        let array = Cursor::new(self.fill(4)?, offset).array()?;
        self.used = self.used.saturating_add(4);
        Ok(array)
    }

    /// Passes the next `len` bytes to `part`, a window at a time.
    pub(super) fn take(&mut self, mut len: u64, mut part: impl FnMut(&[u8])) -> Result<()> {
        if len > self.left() {
            let (needed, available) = (len, self.left());
            return Err(Error::new(ErrorKind::Truncated { needed, available }).at_offset(self.offset()));
        }
        while len > 0 {
            let bytes = self.fill(1)?;
            let n = usize::try_from(len).unwrap_or(usize::MAX).min(bytes.len());
            part(bytes.get(..n).unwrap_or_default());
            self.used = self.used.saturating_add(n);
            len = len.saturating_sub(n as u64);
        }
        Ok(())
    }

    /// Moves on by `len` bytes without reading what is not in the window already.
    pub(super) fn skip(&mut self, len: u64) {
        let in_window = self.window.len().saturating_sub(self.used);
        match usize::try_from(len) {
            Ok(len) if len <= in_window => self.used = self.used.saturating_add(len),
            _ => {
                self.at = self.offset().saturating_add(len).min(self.end);
                self.window.clear();
                self.used = 0;
            }
        }
    }

    /// Offset in the file of the end of the range.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// The file.
    pub(super) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Gives the window back once nothing is left to be read: a tensor of many slices must not keep those of all.
    pub(super) fn release(&mut self) {
        self.window = Vec::new();
        self.used = 0;
    }
}

pub(super) fn in_place(error: Error, source: &Source) -> Error {
    error.at_part(Part::TensorData).in_file(source.path())
}
