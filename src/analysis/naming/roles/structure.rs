//! What roles are told by beside the names of optimizers: the tensors that stand above a name, tables, and purposes.

use memchr::memmem::{self, Finder};

use super::Role;
use super::key::split_last;
use crate::read::checkpoint::{Checkpoint, Tensor};

/// The tensors whose names a name begins with: they stand before it in the order, so that no search is needed.
#[derive(Debug, Default)]
pub(super) struct Ancestors {
    /// How long each is, and its kind; each begins with the one before.
    open: Vec<(usize, usize)>,
    name: Vec<u8>,
    is_begun: bool,
}

impl Ancestors {
    /// Goes on to the next tensor: what it does not begin with is left behind.
    pub(super) fn reach(&mut self, checkpoint: &Checkpoint, tensor: &Tensor) {
        let name = tensor.name.as_slice();
        if !self.is_begun {
            // The first of a part of all tensors: those before it are looked up once.
            self.is_begun = true;
            let tensors = checkpoint.tensors();
            let mut cursor = tensors.cursor();
            for at in memchr::memchr_iter(b'/', name) {
                let front = name.get(..at).unwrap_or_default();
                if let Some(found) = tensors.find(front)
                    && cursor.seek(found)
                {
                    self.open.push((at, cursor.kind()));
                }
            }
        }
        // Those that were looked up are all in front of it.
        let begins = |len: usize| self.name.is_empty() || name.get(..len) == self.name.get(..len);
        while self.open.last().is_some_and(|(len, _)| *len > name.len() || !begins(*len)) {
            self.open.pop();
        }
    }

    pub(super) fn push(&mut self, name: &[u8], kind: usize) {
        self.name.clear();
        self.name.extend_from_slice(name);
        self.open.push((name.len(), kind));
    }

    /// The kind of the tensor with this name, if the name that was reached begins with it.
    pub(super) fn parent(&self, name: &[u8]) -> Option<usize> {
        let after = self.open.partition_point(|(len, _)| *len <= name.len());
        let (len, kind) = self.open.get(after.checked_sub(1)?)?;
        (*len == name.len()).then_some(*kind)
    }
}

/// Deeper names than this have their variable beside them.
const DEEPEST_SCOPE: usize = 12;

/// What a name may be without scopes that an optimizer put into it: those in front, or some behind the first, as one
/// does that was made inside of scopes (`optimize/OptimizeLoss/out/w` for `optimize/out/w`).
pub(in crate::analysis) fn without_scopes(name: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let cuts = || memchr::memchr_iter(b'/', name).take(DEEPEST_SCOPE);
    let behind = |at: usize| name.get(at.saturating_add(1)..).unwrap_or_default();
    let first = cuts().next().and_then(|at| name.get(..=at)).unwrap_or_default();
    cuts().map(move |at| behind(at).to_vec()).chain(cuts().skip(1).map(move |at| [first, behind(at)].concat()))
}

/// Keys and values of a lookup table: `X-keys` beside `X-values` (`lookup_ops.py`), or attributes of one.
pub(super) fn is_table(name: &[u8], exists: impl Fn(&[u8]) -> bool) -> bool {
    if name.ends_with(b"/.ATTRIBUTES/table-keys") || name.ends_with(b"/.ATTRIBUTES/table-values") {
        return true;
    }
    let partner = |own: &[u8], other: &[u8]| name.strip_suffix(own).is_some_and(|stem| exists(&[stem, other].concat()));
    // Of most names the last byte says that they are none.
    name.last() == Some(&b's') && (partner(b"-keys", b"-values") || partner(b"-values", b"-keys"))
}

/// Where a SavedModel of Keras has the states of its metrics.
pub(super) const METRICS: &[u8] = b"keras_api/metrics/";

/// Variables that are not trained, by what they are called: counters of `TFLearn`, states of metrics, ranges of
/// quantization, moving averages that correct their beginning.
///
/// `metrics` finds [`METRICS`]; it is asked of every name, and made once.
pub(super) fn by_purpose(name: &[u8], scalar: bool, metrics: &Finder<'_>) -> Option<Role> {
    let (front, last) = split_last(name);
    Some(match last {
        b"Global_Step" | b"Training_step" | b"global_step" | b"train_step" | b"local_step" if scalar => Role::Counter,
        b"momentum_cache" if scalar => Role::Optimizer,
        b"biased" => Role::Average,
        b"val_loss" | b"val_acc" | b"is_training" | b"moving_avg" if scalar => Role::Other,
        b"min" | b"max" if scalar && memmem::find(front, b"quant").is_some() => Role::Other,
        _ if metrics.find(front).is_some_and(|at| at == 0 || front.get(at.saturating_sub(1)) == Some(&b'/')) => {
            Role::Other
        }
        _ => return None,
    })
}
