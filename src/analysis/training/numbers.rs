//! The elements of one tensor as float64, a window at a time, compared with their checksum at the end.

use crate::base::error::Result;
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Elements, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::{Wide, Widener};

/// Elements in one window.
pub(super) const WINDOW: u64 = 1 << 15;

/// A tensor that is being read.
pub(super) struct Numbers<'c> {
    checkpoint: &'c Checkpoint,
    tensor: &'c Tensor,
    elements: Elements<'c>,
    widener: Widener,
    bytes: Window,
    wide: Vec<f64>,
}

impl<'c> Numbers<'c> {
    /// Begins to read; `None` if the tensor has no real numbers or cannot be opened.
    pub(super) fn open(checkpoint: &'c Checkpoint, tensor: &'c Tensor, hold: &'c mut ElementBuffers) -> Option<Self> {
        if !tensor.dtype.is_float() {
            return None;
        }
        let widener = Widener::new(tensor.dtype)?;
        let elements = checkpoint.elements(tensor, hold).ok()?;
        Some(Self { checkpoint, tensor, elements, widener, bytes: Window::default(), wide: Vec::new() })
    }

    /// The elements of these numbers, which follow those before.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(super) fn read(&mut self, start: u64, end: u64) -> Result<&[f64]> {
        self.elements.read(start..end, &mut self.bytes)?;
        self.wide.clear();
        match self.widener.widen(&self.bytes) {
            Wide::Single(values) => self.wide.extend(values.iter().copied().map(f64::from)),
            Wide::Double(values) => self.wide.extend_from_slice(values),
            Wide::Int(_) | Wide::UInt(_) => {}
        }
        Ok(&self.wide)
    }

    /// Says whether all that was read is what was saved.
    ///
    /// # Errors
    /// If it is not.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.elements.sum() {
            Some((0, _, sum)) => self.checkpoint.compare_sum(self.tensor, sum).map(drop),
            _ => self.elements.finish().map(drop),
        }
    }
}
