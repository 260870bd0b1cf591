//! The entries of an index against themselves: dtype, shape, size, place; slices against their tensor.
//!
//! Source of the rules: `BundleReader::GetValue` and `GetSliceValue` in `tensor_bundle.cc`. What TensorFlow does not
//! check (overlaps, shard ids) is checked here too.

use std::path::Path;

use super::Validation;
use crate::analysis::finding::{Code, Finding, Severity};
use crate::analysis::naming::selection::Members;
use crate::base::error::{Error, ErrorKind};
use crate::base::escape::escaped;
use crate::read::bundle::{Span, Stored};
use crate::read::checkpoint::{Checkpoint, Parts, Place, StoredSlice, Tensor};
use crate::read::formats::bundle::BundleFiles;
use crate::read::formats::keras::KerasFile;
use crate::read::tensor::{DType, Shape, TensorSlice};
use crate::read::wire::Crc32c;

/// One stored piece of a tensor whose entry is sound: bytes in a shard that have one checksum.
///
/// There may be a million: what only a message needs is looked up when there is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredPiece {
    /// Position of its tensor.
    pub(super) tensor: u32,
    /// Shard.
    pub(super) shard: i32,
    /// Offset of the first byte.
    pub(super) start: u64,
    /// Number of bytes.
    pub(super) len: u64,
    /// The stored checksum.
    pub(super) crc: Crc32c,
    /// Whether its tensor is partitioned.
    pub(super) is_slice: bool,
    /// Whether it holds strings or variants, whose checksum is not that of their bytes.
    pub(super) is_variable: bool,
    /// Whether its bytes are to be checked.
    pub(super) is_selected: bool,
}

impl Stored for StoredPiece {
    fn span(&self) -> Span {
        let StoredPiece { shard, start, len, crc, .. } = *self;
        Span { shard, start, len, crc }
    }

    fn is_wanted(&self) -> bool {
        self.is_selected && !self.is_variable
    }
}

impl StoredPiece {
    /// Offset behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.len)
    }

    /// Which slice of its tensor it is, if that is partitioned.
    pub(super) fn slice(&self, tensor: &Tensor) -> Option<StoredSlice> {
        let own = Some((self.shard, Some(self.start), Some(self.len)));
        let place = |place: Place| {
            let (start, len) = place.range?;
            Some((place.shard, u64::try_from(start).ok(), u64::try_from(len).ok()))
        };
        tensor.slices().iter().find(|slice| slice.place.and_then(place) == own)
    }
}

/// Checks every entry; what is sound enough to be read is returned.
pub(super) fn check(checkpoint: &Checkpoint, selected: &Members, result: &mut Validation) -> Vec<StoredPiece> {
    let mut pieces = Vec::new();
    let index = checkpoint.described_by();
    // What may be in a checkpoint, and which keys are slices, are rules of the bundle.
    let is_bundle = checkpoint.of_format::<BundleFiles>().is_some();
    let mut cursor = checkpoint.tensors().cursor();
    while let Some((at, tensor)) = cursor.advance() {
        let (Ok(position), is_selected) = (u32::try_from(at), selected.has(at)) else { continue };
        let mut keep = |piece: Option<StoredPiece>| {
            pieces.extend(piece.map(|piece| StoredPiece { tensor: position, is_selected, ..piece }));
        };
        let mut found = |finding: Finding| result.push(finding.in_file(&index).for_tensor(&tensor.name));
        if is_bundle && !tensor.dtype.is_storable() {
            let message = format!("{}: dtype {} cannot be in a checkpoint", name(tensor), tensor.dtype);
            found(Finding::new(Code::BadDType, message));
            continue;
        }
        if tensor.elements().is_none() {
            let message = format!("{}: impossible shape {}", name(tensor), tensor.shape);
            found(Finding::new(Code::BadShape, message));
            continue;
        }
        if let Some(whole) = unannounced(&tensor.name).filter(|_| is_bundle) {
            let whole = escaped(&whole).into_owned();
            let message = format!("{}: by its key a slice of {whole}, which does not list it", name(tensor));
            let mut finding = Finding::new(Code::SliceDisagrees, message);
            // Nothing forbids a tensor of this name, and its bytes can be read.
            finding.severity = Severity::Warning;
            found(finding.with_help("the entry of the whole tensor was lost, or lists other slices"));
        }
        match &tensor.parts {
            Parts::Whole(place) => {
                keep(piece(checkpoint, tensor, &tensor.shape, None, place, &mut found));
            }
            Parts::Slices(slices) => {
                coverage(tensor, &mut found);
                for stored in slices.iter() {
                    let Some(extents) = tensor.shape.dims().and_then(|dims| stored.slice.resolve(dims)) else {
                        continue;
                    };
                    let dims: Vec<i64> = extents.iter().map(|&(_, len)| len.cast_signed()).collect();
                    if let Some(place) = &stored.place {
                        let (shape, slice) = (Shape::new(dims), Some(&stored.slice));
                        keep(piece(checkpoint, tensor, &shape, slice, place, &mut found));
                    }
                }
            }
        }
    }
    overlaps(checkpoint, &mut pieces, &index, result);
    pieces
}

fn name(tensor: &Tensor) -> String {
    escaped(&tensor.name).into_owned()
}

/// The tensor that a name makes a slice of, if it has the form of a slice's key: 0, the tensor's name in ordered code,
/// the rank, and for each dimension at least a byte of start and length. Slices that are listed are no tensors.
fn unannounced(name: &[u8]) -> Option<Vec<u8>> {
    let escaped = name.strip_prefix(&[0])?;
    let end = escaped.windows(2).position(|two| two == [0, 1])?;
    let (whole, rest) = (escaped.get(..end)?, escaped.get(end + 2..)?);
    let [1, rank, extents @ ..] = rest else { return None };
    let whole: Vec<u8> = whole.to_vec();
    (*rank > 0 && extents.len() >= 2 * usize::from(*rank) && !whole.is_empty()).then_some(whole)
}

/// The piece at `place`, if its numbers are possible.
fn piece(
    checkpoint: &Checkpoint,
    tensor: &Tensor,
    shape: &Shape,
    slice: Option<&TensorSlice>,
    place: &Place,
    found: &mut dyn FnMut(Finding),
) -> Option<StoredPiece> {
    let (offset, size) = place.range?;
    let who = || match slice {
        Some(slice) => format!("{} slice {slice}", name(tensor)),
        None => name(tensor),
    };
    let range = u64::try_from(offset).ok().zip(u64::try_from(size).ok()).filter(|(o, s)| o.checked_add(*s).is_some());
    let Some((start, len)) = range else {
        let message = format!("{}: impossible range, offset {offset} and size {size}", who());
        found(Finding::new(Code::BadRange, message));
        return None;
    };
    if !(0..checkpoint.num_shards()).contains(&place.shard) {
        let of = checkpoint.num_shards();
        let message = format!("{}: in shard {}, but the header counts {of}", who(), place.shard);
        found(Finding::new(Code::BadRange, message));
        return None;
    }
    let elements = shape.elements().unwrap_or(0);
    let sizes = match tensor.dtype.element_size() {
        Some(element) => {
            let expected = elements.checked_mul(element);
            (expected != Some(len)).then(|| expected.map_or_else(|| "more than 64 bits hold".into(), |n| n.to_string()))
        }
        // A string takes at least the byte of its length, a variant one and its checksum.
        None => (len < elements.saturating_mul(if tensor.dtype == DType::Variant { 5 } else { 1 }))
            .then(|| format!("at least {elements}")),
    };
    if let Some(expected) = sizes {
        let dtype = tensor.dtype;
        let message = format!("{}: {dtype} {shape} takes {expected} bytes, its entry says {len}", who());
        let mut finding = Finding::new(Code::BadSize, message);
        (finding.expected, finding.found) = (Some(expected), Some(len.to_string()));
        found(finding);
        return None;
    }
    let crc = place.crc32c.unwrap_or_default();
    let (is_slice, is_variable) = (slice.is_some(), tensor.dtype.is_variable_length());
    Some(StoredPiece { tensor: 0, shard: place.shard, start, len, crc, is_slice, is_variable, is_selected: false })
}

/// Whether the slices of a tensor hold each of its elements exactly once.
fn coverage(tensor: &Tensor, found: &mut dyn FnMut(Finding)) {
    let Some(dims) = tensor.shape.dims() else { return };
    // Of each slice the extents one behind the other: there may be a million slices.
    let (slices, rank, mut boxes) = (tensor.slices(), dims.len(), Vec::new());
    for stored in slices.iter() {
        let Some(extents) = stored.slice.resolve(dims) else {
            // Told when the index was opened.
            return;
        };
        boxes.extend(extents);
    }
    if let Some((a, b)) = overlapping(&boxes, rank) {
        let slice = |at: usize| slices.get(at).map(|s| s.slice.to_string()).unwrap_or_default();
        let message = format!("{}: slices {} and {} overlap", name(tensor), slice(a), slice(b));
        found(Finding::new(Code::SlicesOverlap, message));
        return;
    }
    let elements = |extents: &[(u64, u64)]| extents.iter().fold(1u128, |n, &(_, len)| n.saturating_mul(len.into()));
    let held = if rank == 0 { slices.len() as u128 } else { boxes.chunks_exact(rank).map(elements).sum() };
    let all = u128::from(tensor.elements().unwrap_or(0));
    if held < all {
        let message = format!("{}: its slices hold {held} of {all} elements", name(tensor));
        let mut finding = Finding::new(Code::SlicesIncomplete, message);
        // Savers themselves write the slots of one part of a partitioned variable like this.
        if is_of_one_part(&tensor.name) {
            finding.severity = Severity::Note;
            finding.help = Some("normal for the slot of one part of a partitioned variable".to_owned());
        }
        found(finding);
    }
}

/// Whether a tensor is by its name the slot of one part of a partitioned variable, which has the slices of that part alone.
pub(in crate::analysis) fn is_of_one_part(name: &[u8]) -> bool {
    name.split(|b| *b == b'/').any(|component| component.starts_with(b"part_"))
}

/// Two boxes with an element in common, if there are any; each has `rank` extents.
fn overlapping(boxes: &[(u64, u64)], rank: usize) -> Option<(usize, usize)> {
    let count = boxes.len().checked_div(rank)?;
    let of = |n: usize| boxes.chunks_exact(rank).nth(n).unwrap_or_default();
    // Sweep along the dimension with the most different starts: few boxes are open there at a time.
    let starts = |dim: usize| {
        let mut starts: Vec<u64> = boxes.iter().skip(dim).step_by(rank).map(|(start, _)| *start).collect();
        starts.sort_unstable();
        starts.dedup();
        starts.len()
    };
    let along = (0..rank).max_by_key(|dim| starts(*dim))?;
    let extent = |n: usize| of(n).get(along).copied().unwrap_or((0, 0));
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|n| extent(*n));
    let mut open: Vec<usize> = Vec::new();
    for n in order {
        let (start, _) = extent(n);
        open.retain(|other| {
            let (other_start, len) = extent(*other);
            other_start.saturating_add(len) > start
        });
        let meets = |a: &(u64, u64), b: &(u64, u64)| a.0 < b.0.saturating_add(b.1) && b.0 < a.0.saturating_add(a.1);
        let hit = open.iter().find(|other| of(**other).iter().zip(of(n)).all(|(a, b)| meets(a, b)));
        if let Some(other) = hit {
            return Some((*other, n));
        }
        open.push(n);
    }
    None
}

/// Finds pieces that claim the same bytes. Of many, the later ones are not read: a small file could claim much.
fn overlaps(checkpoint: &Checkpoint, pieces: &mut Vec<StoredPiece>, index: &Path, result: &mut Validation) {
    const MOST: usize = 20;
    pieces.sort_unstable_by_key(|piece| (piece.shard, piece.start, piece.len, piece.tensor));
    let mut found = 0usize;
    let mut last: Option<(i32, u64, u32)> = None;
    let mut claimed = 0u64;
    let (is_hdf5, mut begin) = (checkpoint.of_format::<KerasFile>().is_some(), 0);
    let tensors = checkpoint.tensors();
    let shown = |at: u32| tensors.get(at as usize).map(|tensor| name(&tensor)).unwrap_or_default();
    pieces.retain(|piece| {
        let clash = match last {
            // A data set of HDF5 may have several names, and is the same for all of them.
            Some((shard, end, _)) if is_hdf5 && shard == piece.shard && piece.end() == end && piece.start == begin => {
                false
            }
            Some((shard, end, other)) if shard == piece.shard && piece.start < end && piece.len > 0 => {
                found += 1;
                if found <= MOST {
                    let message = format!(
                        "{} and {} claim the same bytes of shard {shard} at offset {}",
                        shown(other),
                        shown(piece.tensor),
                        piece.start
                    );
                    let finding = Finding::new(Code::OverlappingTensors, message).in_file(index);
                    let name = tensors.get(piece.tensor as usize).map(|t| t.name).unwrap_or_default();
                    result.findings.push(finding.for_tensor(&name));
                }
                true
            }
            _ => false,
        };
        if last.is_none_or(|(shard, end, _)| shard != piece.shard || piece.end() > end) {
            last = Some((piece.shard, piece.end(), piece.tensor));
            begin = piece.start;
        }
        claimed = claimed.saturating_add(if clash { piece.len } else { 0 });
        // Reading overlaps once more is fine, reading them a million times is not.
        !clash || claimed < 1 << 30
    });
    if found > MOST {
        let message = format!("{} more tensors overlap others", found - MOST);
        result.push(Finding::new(Code::OverlappingTensors, message).in_file(index));
    }
}

/// Turns an error into a finding on a tensor.
pub(super) fn of_tensor(error: &Error, tensor: &Tensor) -> Finding {
    let mut finding = Finding::of(error);
    finding.code = match error.kind() {
        ErrorKind::ChecksumMismatch { what: "tensor" | "member", .. } => Code::TensorChecksumMismatch,
        ErrorKind::ChecksumMismatch { .. } => Code::StringLengthsMismatch,
        ErrorKind::SizeMismatch { .. } => Code::BadSize,
        ErrorKind::SliceMissing(_) => Code::SliceMissing,
        ErrorKind::Slices(_) => Code::SliceDisagrees,
        ErrorKind::Malformed { .. } | ErrorKind::Truncated { .. } if tensor.dtype.is_variable_length() => {
            Code::BadStringTensor
        }
        _ => Code::Unreadable,
    };
    finding.severity = finding.code.severity();
    if let ErrorKind::ChecksumMismatch { want, got, what } = error.kind() {
        // The words that numeric tensors get; the place is in the finding's fields.
        let what = match (finding.code, tensor.bytes()) {
            // Its header is a part of it, too.
            _ if *what == "member" => "its member of the archive is not what was saved".to_owned(),
            (Code::TensorChecksumMismatch, Some(bytes)) => {
                format!("its {bytes} bytes are not the ones that were saved")
            }
            (Code::TensorChecksumMismatch, None) => "its bytes are not the ones that were saved".to_owned(),
            _ => "the lengths of its strings do not match their checksum".to_owned(),
        };
        finding.message = format!("{}: {what} (stored {want:#010x}, computed {got:#010x})", name(tensor));
        finding.help = None;
    }
    if !finding.message.starts_with(&format!("{}:", name(tensor))) {
        finding.message = format!("{}: {}", name(tensor), finding.message);
    }
    finding.for_tensor(&tensor.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_boxes_are_found() {
        let grid = |r: u64, c: u64| vec![(r, 2), (c, 3)];
        assert_eq!(overlapping(&[grid(0, 0), grid(2, 0), grid(0, 3), grid(2, 3)].concat(), 2), None);
        assert_eq!(overlapping(&[grid(0, 0), grid(2, 0), grid(1, 2)].concat(), 2), Some((0, 2)));
        assert_eq!(overlapping(&[], 2), None);
    }
}
