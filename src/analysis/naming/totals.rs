//! What tensors come to together: their number, elements and bytes.

use crate::read::container::Tensor;

/// Sums over tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of tensors.
    pub tensors: usize,
    /// Elements of numeric tensors; strings and variants have none.
    pub parameters: u64,
    /// Stored bytes, as far as the index says them.
    pub bytes: u64,
}

impl Totals {
    /// Adds one tensor.
    pub fn add(&mut self, tensor: &Tensor) {
        self.tensors += 1;
        if tensor.is_numeric() {
            self.parameters = self.parameters.saturating_add(tensor.elements().unwrap_or(0));
        }
        self.bytes = self.bytes.saturating_add(tensor.bytes().unwrap_or(0));
    }
}

impl<'t> std::iter::Sum<&'t Totals> for Totals {
    fn sum<I: Iterator<Item = &'t Totals>>(all: I) -> Self {
        all.fold(Self::default(), |sum, part| Self {
            tensors: sum.tensors.saturating_add(part.tensors),
            parameters: sum.parameters.saturating_add(part.parameters),
            bytes: sum.bytes.saturating_add(part.bytes),
        })
    }
}
