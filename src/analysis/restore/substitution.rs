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
