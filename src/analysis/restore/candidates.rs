//! For everything that is missing: the tensors of the checkpoint that may have been meant.

use std::collections::BTreeMap;

use super::prediction::Candidate;
use super::{Missing, Restore, Unexpected};
use crate::analysis::naming::roles::short_name;
use crate::base::nearest::distance;

/// How many missing tensors get candidates; json lists them all, and a person reads no further.
const MOST: usize = 500;
/// How many unexpected tensors are compared with each by their letters, which costs the square of their length.
const COMPARED: usize = 24;
/// How many candidates are kept.
const KEPT: usize = 3;

/// Finds them.
pub(super) fn find(restore: &mut Restore) {
    let unexpected = &restore.unexpected;
    // By what makes a candidate, so that nothing is compared with everything.
    let mut by_bytes: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut by_last: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    let mut by_shape: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, tensor) in unexpected.iter().enumerate() {
        if let Some(crc) = tensor.crc32c {
            by_bytes.entry(crc.0).or_default().push(at);
        }
        by_last.entry(last(&tensor.name)).or_default().push(at);
        by_shape.entry(tensor.spec.shape.to_string()).or_default().push(at);
    }
    for missing in restore.missing.iter_mut().take(MOST) {
        let mut near: Vec<usize> = Vec::new();
        near.extend(missing.crc32c.and_then(|crc| by_bytes.get(&crc.0)).into_iter().flatten().take(COMPARED));
        near.extend(by_last.get(last(&missing.name)).into_iter().flatten().take(COMPARED));
        near.extend(by_shape.get(&missing.spec.shape.to_string()).into_iter().flatten().take(COMPARED));
        near.sort_unstable();
        near.dedup();
        let mut found: Vec<Candidate> = near.iter().filter_map(|at| candidate(missing, unexpected.get(*at)?)).collect();
        found.sort_by(|a, b| (b.score, &a.name).cmp(&(a.score, &b.name)));
        found.truncate(KEPT);
        // The same bytes leave no doubt, unless many tensors have them, as zeros do: then the name decides.
        if let Some(best) = found.first().map(|first| first.score).filter(|best| *best >= SAME_BYTES) {
            found.retain(|candidate| candidate.score == best);
        }
        missing.candidates = found;
    }
}

const SAME_BYTES: u32 = 1000;

fn last(name: &[u8]) -> &[u8] {
    short_name(name).rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn candidate(missing: &Missing, other: &Unexpected) -> Option<Candidate> {
    let (name, other_name) = (short_name(&missing.name), short_name(&other.name));
    let letters = distance(name, other_name);
    let longest = name.len().max(other_name.len()).clamp(1, 200);
    // 0 to 100: how much of the names is the same.
    let alike = longest.saturating_sub(letters).saturating_mul(100).checked_div(longest).unwrap_or(0);
    let same_spec = missing.spec.shape == other.spec.shape && missing.spec.dtype == other.spec.dtype;
    let same_last = last(&missing.name) == last(&other.name);
    let bytes = same_spec && missing.crc32c.is_some() && missing.crc32c == other.crc32c;
    let why = if bytes {
        "same bytes".to_owned()
    } else if same_spec {
        "same shape".to_owned()
    } else if missing.spec.shape == other.spec.shape {
        other.spec.dtype.map(|dtype| format!("same shape, {dtype}"))?
    } else {
        format!("shape {}", other.spec.shape)
    };
    // `kernel` and `kernel_1` may be the same thing, `beta` and `bias` are not.
    let (own, others) = (last(&missing.name), last(&other.name));
    let near_last = distance(own, others).saturating_mul(2) <= own.len().max(others.len());
    let near = if same_last { alike >= 50 || (same_spec && alike >= 20) } else { near_last && alike >= 50 };
    // Another role is another tensor, whatever its shape.
    if !bytes && (!near || missing.role != other.role) {
        return None;
    }
    let score = u32::try_from(alike).unwrap_or(0)
        + if bytes { SAME_BYTES } else { 0 }
        + if same_spec { 60 } else { 0 }
        + if same_last { 30 } else { 0 };
    Some(Candidate { name: other.name.clone(), why, score })
}
