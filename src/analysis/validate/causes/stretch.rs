//! Neighbours in a file that are all wrong, and nothing says how: one stretch was written over, and is one finding.

use std::path::Path;

use super::wrong::{TELLING, Wrong};
use crate::analysis::finding::{Code, Finding};
use crate::analysis::forensics::BitFlip;
use crate::analysis::validate::shard_files::file_name;

/// So many neighbours are a stretch.
const MANY: usize = 2;

/// What nothing explains, with the one bit that perhaps would.
type Unexplained<'c> = (Wrong<'c>, Option<BitFlip>);

/// Takes the stretches out of what nothing explains, which is in the order of the file. `starts` are the offsets of all
/// tensors of the shard, in order.
pub(super) fn split<'c>(left: &[Unexplained<'c>], starts: &[u64]) -> (Vec<Vec<Wrong<'c>>>, Vec<Unexplained<'c>>) {
    let place = |((piece, _), _): &Unexplained<'_>| starts.binary_search(&piece.start).ok();
    let is_next = |a: &Unexplained<'_>, b: &Unexplained<'_>| place(a).is_some_and(|at| place(b) == Some(at + 1));
    let (mut stretches, mut others) = (Vec::new(), Vec::new());
    for run in left.chunk_by(is_next) {
        // Scalars may differ in another save too.
        if run.iter().filter(|((piece, _), _)| piece.len > TELLING).count() >= MANY {
            stretches.push(run.iter().map(|(wrong, _)| *wrong).collect());
        } else {
            others.extend_from_slice(run);
        }
    }
    (stretches, others)
}

/// Says of a stretch what is wrong with it.
pub(super) fn finding(path: &Path, stretch: &[Wrong<'_>], is_other_save: bool) -> Finding {
    let start = stretch.iter().map(|(piece, _)| piece.start).min().unwrap_or_default();
    let end = stretch.iter().map(|(piece, _)| piece.end()).max().unwrap_or_default();
    let n = stretch.len();
    let message = format!(
        "{n} tensors in a row, bytes {start} to {end} of {}, are not the ones that were saved",
        file_name(path)
    );
    let mut finding = Finding::new(Code::TensorChecksumMismatch, message).in_file(path);
    finding.offset = Some(start);
    let certain = "each of these neighbours differs from its checksum".to_owned();
    let likely = "that stretch of the file was written over, or never written whole";
    let help = if is_other_save {
        "nothing nearby has them as they should be; fetch that file again"
    } else {
        "fetch that file again"
    };
    finding.because(certain, Some(likely.to_owned())).with_help(help)
}
