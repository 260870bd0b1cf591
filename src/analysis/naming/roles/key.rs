//! The parts of a tensor's name: its suffix, its last component, its number.

/// What every attribute key of a variable ends in (`core.VARIABLE_VALUE_KEY`, `trackable/base.py`).
const VALUE_SUFFIX: &[u8] = b"/.ATTRIBUTES/VARIABLE_VALUE";

/// A key without the suffix that all variables of an object-based checkpoint share.
#[inline]
pub fn short_name(name: &[u8]) -> &[u8] {
    if has_value_suffix(name) { without_suffix(name) } else { name }
}

/// Whether a key is that of a variable in the list of those that an optimizer of Keras 3 trains: one of the model, which
/// is stored under the shortest way to it.
pub fn is_by_optimizer(key: &[u8]) -> bool {
    if !has_value_suffix(key) {
        return false;
    }
    let name = without_suffix(key);
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let list = name.get(..name.len().saturating_sub(digits)).unwrap_or_default();
    digits > 0 && list.ends_with(b"/_trainable_variables/")
}

/// A key that has the suffix without it, unless it has nothing else.
#[inline]
pub(super) fn without_suffix(name: &[u8]) -> &[u8] {
    let short = name.get(..name.len().saturating_sub(VALUE_SUFFIX.len())).unwrap_or_default();
    if short.is_empty() { name } else { short }
}

/// Whether a name ends in [`VALUE_SUFFIX`]. The last byte alone tells of most names that do not.
#[inline]
pub(super) fn has_value_suffix(name: &[u8]) -> bool {
    name.last() == VALUE_SUFFIX.last() && name.ends_with(VALUE_SUFFIX)
}

/// Everything up to and including the last `/`, and what follows it.
#[inline]
pub(super) fn split_last(name: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memrchr(b'/', name).map_or(0, |at| at.saturating_add(1));
    name.split_at_checked(at).unwrap_or((&[], name))
}

/// The last component of a name, without the `:0` of an output.
pub(in crate::analysis) fn own_name(name: &[u8]) -> &[u8] {
    split_last(name.strip_suffix(b":0").unwrap_or(name)).1
}

/// `Adam_1` → `Adam`.
pub(super) fn strip_number(name: &str) -> &str {
    match name.rsplit_once('_') {
        Some((stem, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => name,
    }
}
