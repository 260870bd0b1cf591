//! What roles are told by beside the names of optimizers: scopes that one put in, tables, and purposes.

use memchr::memmem;

use super::Role;

/// Deeper names than this have their variable beside them.
const DEEPEST_SCOPE: usize = 12;

/// What a name may be without scopes that an optimizer put into it, in two parts: without those in front, or some behind
/// the first, as one does that was made inside of scopes (`optimize/OptimizeLoss/out/w` for `optimize/out/w`).
pub(in crate::analysis) fn without_scopes(name: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let cuts = || memchr::memchr_iter(b'/', name).take(DEEPEST_SCOPE);
    let behind = |at: usize| name.get(at.saturating_add(1)..).unwrap_or_default();
    let first = cuts().next().and_then(|at| name.get(..=at)).unwrap_or_default();
    let none: &[u8] = &[];
    cuts().map(move |at| (none, behind(at))).chain(cuts().skip(1).map(move |at| (first, behind(at))))
}

/// Keys and values of a lookup table: `X-keys` beside `X-values` (`lookup_ops.py`), or attributes of one.
#[inline]
pub(super) fn is_table(name: &[u8], mut exists: impl FnMut(&[u8], &[u8]) -> bool) -> bool {
    // Of most names the last byte says that they are none.
    if name.last() != Some(&b's') {
        return false;
    }
    if name.ends_with(b"/.ATTRIBUTES/table-keys") || name.ends_with(b"/.ATTRIBUTES/table-values") {
        return true;
    }
    let mut partner = |own: &[u8], other: &[u8]| name.strip_suffix(own).is_some_and(|stem| exists(stem, other));
    partner(b"-keys", b"-values") || partner(b"-values", b"-keys")
}

/// Variables that are not trained, by what they are called: counters of `TFLearn`, states of metrics, ranges of
/// quantization, moving averages that correct their beginning. The name is what stands in front of its last component,
/// and that.
pub(super) fn by_purpose((front, last): (&[u8], &[u8]), scalar: bool) -> Option<Role> {
    Some(match last {
        b"Global_Step" | b"Training_step" | b"global_step" | b"train_step" | b"local_step" if scalar => Role::Counter,
        b"momentum_cache" if scalar => Role::Optimizer,
        b"biased" => Role::Average,
        b"val_loss" | b"val_acc" | b"is_training" | b"moving_avg" if scalar => Role::Other,
        b"min" | b"max" if scalar && memmem::find(front, b"quant").is_some() => Role::Other,
        _ => return None,
    })
}
