//! Singular values of what changed in a matrix of floats.

use super::tallies::Verdict;
use super::work::Work;
use super::{DiffOptions, Status};
use crate::analysis::stats::{ChangeSpectrum, Difference, is_whole};
use crate::read::checkpoint::{Checkpoint, ElementBuffers, Tensor};
use crate::read::storage::Window;
use crate::read::tensor::{Wide, Widener};

/// Whether a pair must be gone through by one thread, so that its matrices can be in memory.
pub(super) fn is_held(b: &Checkpoint, work: &Work) -> bool {
    let tensor = work.b().and_then(|at| b.tensor_at(at));
    tensor.is_some_and(|tensor| tensor.dims().is_ok_and(|dims| is_whole(tensor.dtype, &dims)))
}

/// What became of a pair, with the singular values of what changed where they are wanted.
pub(super) fn with_spectrum(
    mut verdict: Verdict,
    a: (&Checkpoint, &Tensor),
    b: (&Checkpoint, &Tensor),
    options: &DiffOptions,
) -> Verdict {
    let is_changed = matches!(verdict.status, Status::Changed | Status::WithinTolerance);
    if let Some(values) = verdict.values.as_deref_mut().filter(|values| values.changed > 0 && is_changed)
        && options.spectral
    {
        values.spectral = spectrum(a, b).map(Box::new);
    }
    verdict
}

/// The singular values of B − A; `None` if they are no matrices of floats, or cannot be read.
fn spectrum(a: (&Checkpoint, &Tensor), b: (&Checkpoint, &Tensor)) -> Option<ChangeSpectrum> {
    /// Elements that are read at once.
    const WINDOW: u64 = 1 << 15;
    let dims = b.1.dims().ok()?;
    let mut difference = Difference::new(b.1.dtype, &dims)?;
    if is_whole(b.1.dtype, &dims) {
        let (mut hold_a, mut hold_b) = (ElementBuffers::default(), ElementBuffers::default());
        // Checksums were compared when the elements were.
        let mut x = a.0.elements(a.1, &mut hold_a).ok()?.without_sums();
        let mut y = b.0.elements(b.1, &mut hold_b).ok()?.without_sums();
        let (mut widen_a, mut widen_b) = (Widener::new(a.1.dtype)?, Widener::new(b.1.dtype)?);
        let (mut bytes, mut wide) = (Window::default(), (Vec::new(), Vec::new()));
        let (count, mut at) = (b.1.elements().unwrap_or(0), 0);
        while at < count {
            let end = at.saturating_add(WINDOW).min(count);
            x.read(at..end, &mut bytes).ok()?;
            as_float64(widen_a.widen(&bytes), &mut wide.0);
            y.read(at..end, &mut bytes).ok()?;
            as_float64(widen_b.widen(&bytes), &mut wide.1);
            difference.add(&wide.0, &wide.1);
            at = end;
        }
    }
    difference.finish()
}

fn as_float64(from: Wide<'_>, into: &mut Vec<f64>) {
    into.clear();
    match from {
        Wide::Single(values) => into.extend(values.iter().copied().map(f64::from)),
        Wide::Double(values) => into.extend_from_slice(values),
        // Of floats there are none.
        Wide::Int(_) | Wide::UInt(_) => {}
    }
}
