//! Whose a data file is that has no index beside it: by its length, and by a tensor of which an index has the checksum.

use std::path::PathBuf;

use super::gather::Way;
use super::node::Node;
use super::told::Stray;
use crate::analysis::derived::is_zero;
use crate::base::limits::Limits;
use crate::read::bundle::ShardName;
use crate::read::checkpoint::{Checkpoint, Parts};
use crate::read::storage::Source;
use crate::read::wire::Crc32c;

/// No more checkpoints than these are compared with one file.
const MOST: usize = 256;

/// No larger tensor is read for it.
const LARGEST: i64 = 4 << 20;

/// Assigns a file. With `values` its bytes are compared.
pub(super) fn stray(
    (path, bytes, shard): (PathBuf, u64, ShardName),
    nodes: &[Node],
    ways: &[Way],
    values: bool,
    limits: &Limits,
) -> Stray {
    let id = usize::try_from(shard.id).unwrap_or(usize::MAX);
    let fits = |node: &Node| node.shards.len() <= shard.of as usize && node.shards.get(id) == Some(&bytes);
    let fitting: Vec<usize> = nodes.iter().enumerate().filter(|(_, node)| fits(node)).map(|(at, _)| at).collect();
    let mut stray = Stray { path, bytes, of: None, proved: false, candidates: fitting.len() };
    let source = if values { Source::open(&stray.path).ok() } else { None };
    let is_of = |at: &usize| is_data_of(source.as_ref()?, id, &ways.get(*at)?.open(limits).ok()?);
    if let Some(at) = fitting.iter().take(MOST).find(|at| is_of(at) == Some(true)) {
        (stray.of, stray.proved, stray.candidates) = (Some(*at), true, 1);
    } else if source.is_none() {
        // Without its data a checkpoint waits for it.
        let waiting: Vec<usize> =
            fitting.iter().copied().filter(|at| nodes.get(*at).is_some_and(|node| !node.complete)).collect();
        if let [only] = waiting.as_slice() {
            stray.of = Some(*only);
        }
    }
    stray
}

/// Whether the largest tensors of a shard have the checksums of the index in this file. `None` if nothing can be compared.
fn is_data_of(source: &Source, shard: usize, checkpoint: &Checkpoint) -> Option<bool> {
    let mut places: Vec<(i64, i64, Crc32c)> = Vec::new();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((_, tensor)) = cursor.advance() {
        let Parts::Whole(place) = &tensor.parts else { continue };
        if let (Some((start, len)), Some(sum), true) = (place.range, place.crc32c, tensor.is_numeric())
            && usize::try_from(place.shard) == Ok(shard)
            && (8..=LARGEST).contains(&len)
            && !is_zero(tensor)
        {
            places.push((len, start, sum));
        }
    }
    places.sort_unstable_by_key(|(len, start, _)| (std::cmp::Reverse(*len), *start));
    places.truncate(3);
    let same = |(len, start, sum): &(i64, i64, Crc32c)| {
        let mut bytes = vec![0; usize::try_from(*len).ok()?];
        source.read_exact_at(&mut bytes, u64::try_from(*start).ok()?).ok()?;
        Some(Crc32c::of(&bytes) == *sum)
    };
    if places.is_empty() { None } else { Some(places.iter().all(|place| same(place) == Some(true))) }
}
