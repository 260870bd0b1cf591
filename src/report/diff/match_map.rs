//! The pairs of a comparison as a map of names, which `--map-file` takes.

use std::io::{self, Write};

use crate::analysis::diff::{Change, Diff, Status};

/// Writes the names of A with those of B, of every pair that has whole tensors on both sides and the same contents, or
/// whose names made it a pair. Says how many pairs are left out: parts of fused tensors, and names that are no text.
///
/// # Errors
/// What `out` says.
pub fn write_map(diff: &Diff<'_>, out: &mut dyn Write) -> io::Result<u64> {
    let (mut left_out, mut is_first) = (0, true);
    out.write_all(b"{")?;
    for change in &diff.changes {
        let (Some(a), Some(b)) = (&change.a, &change.b) else { continue };
        if !is_pair(change) {
            continue;
        }
        let is_part =
            change.matched.as_ref().and_then(|matched| matched.how.as_ref()).is_some_and(|how| how.part.is_some());
        let (Ok(a), Ok(b), false) = (std::str::from_utf8(&a.name), std::str::from_utf8(&b.name), is_part) else {
            left_out += 1;
            continue;
        };
        out.write_all(if is_first { b"\n  " } else { b",\n  " })?;
        is_first = false;
        serde_json::to_writer(&mut *out, a)?;
        out.write_all(b": ")?;
        serde_json::to_writer(&mut *out, b)?;
    }
    out.write_all(if is_first { b"}\n" } else { b"\n}\n" })?;
    Ok(left_out)
}

/// Whether a pair is sure: of those by contents, the ones whose contents agree.
fn is_pair(change: &Change) -> bool {
    change.matched.is_none() || change.status == Status::Identical
}
