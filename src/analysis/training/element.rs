//! One element of a weight, with what its optimizer keeps of it, in two checkpoints.

/// One element: the weight, its slot and its other slot, each before and after.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) weight: (Option<f64>, f64),
    pub(super) slot: (f64, f64),
    pub(super) first: (f64, f64),
}
