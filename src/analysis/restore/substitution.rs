//! Parts of the `s/…/…/` that `--map` takes, written so that they mean themselves.

/// Text as a regular expression that matches it. Only what means something outside of brackets gets a backslash: people
/// read it.
pub(in crate::analysis) fn literal(text: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(text).chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as the replacement of a substitution.
pub(in crate::analysis) fn replacement(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace('\\', "\\\\").replace('&', "\\&").replace('|', "\\|")
}

/// A component as the substitution of it, where it is the first of a name, the last, or one within.
pub(in crate::analysis) fn component(from: &[u8], to: &[u8], (is_first, is_last): (bool, bool)) -> String {
    let (from, to) = (literal(from), replacement(to));
    let (before, after) = (if is_first { "^" } else { "/" }, if is_last { "$" } else { "/" });
    let (front, behind) = (before.trim_start_matches('^'), after.trim_end_matches('$'));
    format!("s|{before}{from}{after}|{front}{to}{behind}|")
}
