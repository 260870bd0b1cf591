//! Where tensors lie in a shard of which only their order is known: one behind the other without a gap, as a saver writes
//! them.
//!
//! Numbers take what dtype and shape say. Strings and variants say it themselves, by their lengths and the checksum of
//! these. One size that nobody says (a table has as many rows as it had) is what is left of the file. All together must be
//! the length of the file exactly.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pieces::alone;
use crate::base::error::Result;
use crate::base::escape::escaped;
use crate::base::limits::Limits;
use crate::read::bundle::{BundleEntry, StringReader, VariantReader, possible_counts};
use crate::read::graphs::restores::Saved;
use crate::read::storage::Source;
use crate::read::tensor::{DType, Shape};
use crate::read::wire::{Crc32c, MaskedCrc};

/// A tensor and where it lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) start: u64,
    pub(super) len: u64,
    /// The shape of what is stored.
    pub(super) shape: Shape,
}

/// Places the tensors of a shard. `known` says where a tensor lies whose entry is there.
///
/// # Errors
/// Why they cannot lie in this file.
pub(super) fn place(
    saved: &[Saved],
    file: &Arc<Source>,
    known: &dyn Fn(&Saved) -> Option<(u64, u64)>,
    limits: &Limits,
) -> Result<Vec<Spot>, String> {
    let mut rows: BTreeMap<&[u8], i64> = BTreeMap::new();
    let (mut at, end) = (0u64, file.len());
    let mut spots = Vec::new();
    for (n, one) in saved.iter().enumerate() {
        let name = || escaped(&one.name).into_owned();
        if let Some((start, len)) = known(one) {
            if start != at {
                return Err(format!("{} lies at {start} by its entry, and {at} would be its turn", name()));
            }
            spots.push(Spot { start, len, shape: one.shape.clone() });
            at = at.checked_add(len).ok_or_else(|| "its tensors take more than there can be".to_owned())?;
            continue;
        }
        let behind = saved.get(n.saturating_add(1)..).unwrap_or_default();
        let (shape, len) = size(one, behind, at, file, &mut rows, limits)?;
        let stop = at.checked_add(len).filter(|stop| *stop <= end);
        let stop = stop.ok_or_else(|| format!("{} would end behind the {end} bytes of the file", name()))?;
        spots.push(Spot { start: at, len, shape });
        at = stop;
    }
    if at != end {
        return Err(format!("its tensors take {at} bytes, and the file has {end}"));
    }
    Ok(spots)
}

/// The shape and the size of what lies at an offset.
fn size<'s>(
    one: &'s Saved,
    behind: &'s [Saved],
    at: u64,
    file: &Arc<Source>,
    rows: &mut BTreeMap<&'s [u8], i64>,
    limits: &Limits,
) -> Result<(Shape, u64), String> {
    let name = || escaped(&one.name).into_owned();
    let shape = with_rows(one, rows).ok_or_else(|| format!("nothing says the shape of {}", name()))?;
    let range = at..file.len();
    if let Some(count) = shape.elements() {
        let len = match one.dtype.element_size() {
            Some(size) => count.checked_mul(size).ok_or_else(|| format!("{} is impossibly large", name()))?,
            None => measure(one, &shape, count, at, file, limits)?.0,
        };
        return Ok((shape, len));
    }
    let dims = shape.dims().unwrap_or_default();
    if dims.iter().filter(|dim| **dim < 0).count() != 1 {
        return Err(format!("the shape of {} is not known: {shape}", name()));
    }
    let each: u64 = dims.iter().filter_map(|dim| u64::try_from(*dim).ok()).product();
    let count = match one.dtype.element_size() {
        Some(size) => {
            let per_row = each.saturating_mul(size);
            let (fixed, with_table) = behind
                .iter()
                .try_fold((0u64, per_row), |(fixed, with), other| {
                    let size = other.dtype.element_size()?;
                    let shape = with_rows(other, rows)?;
                    if let Some(count) = shape.elements() {
                        return Some((fixed.checked_add(count.checked_mul(size)?)?, with));
                    }
                    let dims = shape.dims()?;
                    let is_same = one.table.is_some() && other.table == one.table;
                    let each: u64 = dims.iter().filter_map(|dim| u64::try_from(*dim).ok()).product();
                    let one_unknown = dims.iter().filter(|dim| **dim < 0).count() == 1;
                    (is_same && one_unknown).then_some((fixed, with.checked_add(each.checked_mul(size)?)?))
                })
                .ok_or_else(|| format!("nothing says how many rows {} has, nor how long what follows it is", name()))?;
            let rest = file.len().saturating_sub(at).checked_sub(fixed);
            let count = rest.and_then(|rest| rest.is_multiple_of(with_table).then(|| rest.checked_div(with_table))?);
            count.ok_or_else(|| format!("no number of rows of {} makes the length of the file", name()))?
        }
        None if one.dtype == DType::String => {
            let counts = possible_counts(file, range).map_err(|error| error.to_string())?;
            let counts: Vec<u64> = counts.into_iter().filter(|count| each > 0 && count.is_multiple_of(each)).collect();
            match counts.as_slice() {
                [only] => only.checked_div(each).unwrap_or(0),
                [] => return Err(format!("there are no strings where those of {} should be", name())),
                _ => return Err(format!("several numbers of strings fit {}", name())),
            }
        }
        None => return Err(format!("nothing says how many elements {} has", name())),
    };
    let count = i64::try_from(count).map_err(|_| format!("{} is impossibly large", name()))?;
    if let Some(table) = &one.table {
        rows.insert(table, count);
    }
    let dims: Vec<i64> = dims.iter().map(|dim| if *dim < 0 { count } else { *dim }).collect();
    let shape = Shape::new(dims);
    let elements = shape.elements().unwrap_or(0);
    let len = match one.dtype.element_size() {
        Some(size) => elements.saturating_mul(size),
        None => measure(one, &shape, elements, at, file, limits)?.0,
    };
    Ok((shape, len))
}

/// The shape, with the rows of its table where they are known by now. None where the rank is unknown.
fn with_rows(one: &Saved, rows: &BTreeMap<&[u8], i64>) -> Option<Shape> {
    let dims = one.shape.dims()?;
    let count = one.table.as_ref().and_then(|table| rows.get(table.as_slice()));
    Some(match (count, dims.first()) {
        (Some(count), Some(-1)) => {
            Shape::new(std::iter::once(*count).chain(dims.iter().skip(1).copied()).collect::<Vec<_>>())
        }
        _ => one.shape.clone(),
    })
}

/// The size and the checksum of strings or variants, as they tell them themselves.
fn measure(
    one: &Saved,
    shape: &Shape,
    count: u64,
    at: u64,
    file: &Arc<Source>,
    limits: &Limits,
) -> Result<(u64, Crc32c), String> {
    let name = || escaped(&one.name).into_owned();
    let rest = file.len().saturating_sub(at);
    let entry = |size: u64| BundleEntry {
        dtype: one.dtype,
        shape: shape.clone(),
        shard_id: 0,
        offset: at.cast_signed(),
        size: size.cast_signed(),
        crc32c: MaskedCrc(0),
        slices: Vec::new(),
    };
    let shards = alone(file);
    let measured = match one.dtype {
        DType::String => StringReader::new(&shards, &entry(rest), false, limits).and_then(StringReader::measure),
        DType::Variant if count == 0 => Ok((0, Crc32c::default())),
        DType::Variant => VariantReader::new(&shards, &entry(rest), false, limits).and_then(VariantReader::measure),
        _ => return Err(format!("{} is of dtype {}, which no checkpoint holds", name(), one.dtype)),
    };
    match measured {
        Ok(measured) => Ok(measured),
        // No strings at all may have no checksum either.
        Err(_) if count == 0 => Ok((0, Crc32c::default())),
        Err(error) => Err(format!("what should be {} is not: {error}", name())),
    }
}

/// The entry of a tensor that has been placed, with a checksum of what lies there.
pub(super) fn entry(
    one: &Saved,
    spot: &Spot,
    shard: i32,
    file: &Arc<Source>,
    limits: &Limits,
) -> Result<BundleEntry, String> {
    let crc = if one.dtype.element_size().is_some() {
        file.crc32c(spot.start..spot.start.saturating_add(spot.len)).map_err(|error| error.to_string())?
    } else {
        measure(one, &spot.shape, spot.shape.elements().unwrap_or(0), spot.start, file, limits)?.1
    };
    Ok(BundleEntry {
        dtype: one.dtype,
        shape: spot.shape.clone(),
        shard_id: shard,
        offset: spot.start.cast_signed(),
        size: spot.len.cast_signed(),
        crc32c: crc.masked(),
        slices: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn saved(name: &str, dtype: DType, dims: &[i64]) -> Saved {
        Saved { name: name.into(), dtype, part: None, shape: Shape::new(dims), table: None }
    }

    fn table(name: &str, dtype: DType) -> Saved {
        Saved { table: Some(b"t".to_vec()), ..saved(name, dtype, &[-1]) }
    }

    fn spots(saved: &[Saved], bytes: Vec<u8>) -> Result<Vec<(u64, u64)>, String> {
        let file = Arc::new(Source::memory(Path::new("x"), bytes));
        let spots = place(saved, &file, &|_| None, &Limits::default())?;
        Ok(spots.iter().map(|spot| (spot.start, spot.len)).collect())
    }

    /// Strings as a saver writes them.
    fn strings(all: &[&str]) -> Vec<u8> {
        let mut out: Vec<u8> = all.iter().map(|s| u8::try_from(s.len()).unwrap()).collect();
        let words: Vec<u8> = all.iter().flat_map(|s| u32::try_from(s.len()).unwrap().to_le_bytes()).collect();
        out.extend(Crc32c::of(&words).masked().0.to_le_bytes());
        out.extend(all.concat().bytes());
        out
    }

    #[test]
    fn sizes_must_be_the_length_of_the_file() {
        let all = [saved("a", DType::Float32, &[2, 3]), saved("b", DType::Int64, &[])];
        assert_eq!(spots(&all, vec![0; 32]).unwrap(), [(0, 24), (24, 8)]);
        assert!(spots(&all, vec![0; 31]).is_err() && spots(&all, vec![0; 36]).is_err());
    }

    #[test]
    fn strings_say_how_long_they_are() {
        let all = [saved("a", DType::UInt8, &[3]), saved("s", DType::String, &[2]), saved("b", DType::UInt8, &[1])];
        let mut bytes = vec![7; 3];
        bytes.extend(strings(&["ab", "cde"]));
        bytes.push(9);
        assert_eq!(spots(&all, bytes.clone()).unwrap(), [(0, 3), (3, 11), (14, 1)]);
        // One bit in the checksum of their lengths: nothing else says where they end.
        bytes[6] ^= 1;
        assert!(spots(&all, bytes).is_err());
        let none = [saved("s", DType::String, &[0]), saved("b", DType::UInt8, &[1])];
        let mut bytes = strings(&[]);
        bytes.push(1);
        assert_eq!(spots(&none, bytes).unwrap(), [(0, 4), (4, 1)]);
    }

    #[test]
    fn rows_of_a_table_are_what_is_left() {
        let all = [table("k", DType::Int64), table("v", DType::Float32), saved("b", DType::Int32, &[])];
        assert_eq!(spots(&all, vec![0; 64]).unwrap(), [(0, 40), (40, 20), (60, 4)]);
        assert!(spots(&all, vec![0; 65]).is_err());
        let all = [table("k", DType::String), table("v", DType::Int64)];
        let mut bytes = strings(&["x", "yy", ""]);
        bytes.extend([0; 24]);
        assert_eq!(spots(&all, bytes).unwrap(), [(0, 10), (10, 24)]);
        let two = [saved("a", DType::Int32, &[-1]), saved("b", DType::Int32, &[-1])];
        assert!(spots(&two, vec![0; 8]).is_err(), "two sizes that nobody says");
    }
}
