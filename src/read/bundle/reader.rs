//! Elements of fixed size, read from a shard through one window and summed on the way.

use std::ops::Range;
use std::sync::Arc;

use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::read::storage::{Source, Window};
use crate::read::tensor::{Checked, DType, ElementReader, Sink, swap_to_little};
use crate::read::wire::{Crc32c, MaskedCrc};

/// Bytes read at a time. Measured: smaller costs system calls, larger falls out of the second-level cache.
pub(super) const WINDOW: u64 = 256 << 10;

/// A jump no longer than this is read through rather than over.
const NEAR: u64 = 16 << 10;

/// Reads the elements of one run of bytes whose dtype has a fixed size.
#[derive(Debug)]
pub struct NumericReader {
    source: Arc<Source>,
    range: Range<u64>,
    dtype: DType,
    element: u64,
    swap: bool,
    window: Window,
    window_at: u64,
    stored: Option<Crc32c>,
    sum: RunningSum,
}

/// The checksum of everything from the first byte on, as long as reading leaves nothing out.
#[derive(Debug, Default)]
pub(super) struct RunningSum {
    crc: Crc32c,
    until: u64,
}

impl RunningSum {
    pub(super) fn add(&mut self, at: u64, bytes: &[u8]) {
        if at == self.until {
            self.crc = self.crc.extend(bytes);
            self.until = at.saturating_add(bytes.len() as u64);
        }
    }
}

impl NumericReader {
    /// A reader of the numbers in `range`, which have the checksum `stored` if that is known; nothing is read yet.
    ///
    /// # Errors
    /// If the dtype has no fixed size.
    pub fn new(
        source: Arc<Source>,
        range: Range<u64>,
        dtype: DType,
        swap: bool,
        stored: Option<Crc32c>,
    ) -> Result<Self> {
        let Some(element) = dtype.element_size() else {
            return Err(ErrorKind::UnsupportedDType(dtype.to_string()).into());
        };
        let (window, window_at, sum) = (Window::default(), 0, RunningSum::default());
        Ok(Self { source, range, dtype, element, swap, window, window_at, stored, sum })
    }

    /// The window's bytes from `at` (relative to the tensor) on, loading a new window if `at` is not in it.
    fn window_from(&mut self, at: u64, wanted: u64) -> Result<&[u8]> {
        let window_end = self.window_at.saturating_add(self.window.len() as u64);
        if !(self.window_at..window_end).contains(&at) {
            let size = self.range.end.saturating_sub(self.range.start);
            // Reading on from the last window, or a little behind it: more will be asked for.
            let ahead = at.wrapping_sub(window_end) <= NEAR;
            let len = if ahead { WINDOW } else { wanted.min(WINDOW) };
            let len = len.min(size.saturating_sub(at));
            let offset = self.range.start.saturating_add(at);
            let room = self.window.room(usize::try_from(len).unwrap_or(0), offset);
            self.source.read_exact_at(room, offset).map_err(|e| e.at_part(Part::TensorData))?;
            self.window_at = at;
            self.sum.add(at, &self.window);
            if self.swap {
                swap_to_little(self.dtype, &mut self.window);
            }
        }
        let skip = usize::try_from(at.saturating_sub(self.window_at)).unwrap_or(usize::MAX);
        Ok(self.window.get(skip..).unwrap_or_default())
    }
}

impl ElementReader for NumericReader {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let size = self.range.end.saturating_sub(self.range.start);
        let mut at = first.saturating_mul(self.element);
        let end = first.saturating_add(count).saturating_mul(self.element);
        if end > size {
            return Err(Error::malformed("tensor", "elements beyond its end were asked for"));
        }
        while at < end {
            let left = end.saturating_sub(at);
            let bytes = self.window_from(at, left)?;
            let take = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let Some(part) = bytes.get(..take).filter(|part| !part.is_empty()) else {
                return Err(Error::malformed("tensor", "its bytes end early"));
            };
            sink(part)?;
            at = at.saturating_add(take as u64);
        }
        if at == size {
            // Behind the last element nothing is asked for: a tensor of many slices must not keep a window for each.
            self.window = Window::default();
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        let size = self.range.end.saturating_sub(self.range.start);
        match self.stored {
            Some(stored) if self.sum.until == size => {
                compare(self.sum.crc, stored.masked(), &self.source, self.range.start)
            }
            _ => Ok(Checked::Not),
        }
    }
}

/// Compares a tensor's checksum with the stored one.
pub(super) fn compare(got: Crc32c, want: MaskedCrc, source: &Source, at: u64) -> Result<Checked> {
    let want = want.unmasked();
    if got == want {
        return Ok(Checked::Verified);
    }
    let kind = ErrorKind::ChecksumMismatch { what: "tensor", got: got.0, want: want.0 };
    let error = Error::new(kind).at_part(Part::TensorData).at_offset(at).in_file(source.path());
    Err(error.with_help("these bytes are not the ones that were saved; ckpt validate shows what else is damaged"))
}
