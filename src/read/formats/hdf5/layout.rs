//! Where the bytes of a data set lie, through which filters they went, and what stands where nothing was written.
//!
//! Specification, IV.A.2.i (layout), IV.A.2.l (filters), IV.A.2.f (fill value).

use super::fields::Fields;
use crate::base::error::{Error, Result};

/// Where the bytes lie.
#[derive(Clone, Debug)]
pub(super) enum Layout {
    /// In the header itself: offset in the file, and how many.
    Compact { at: u64, bytes: Vec<u8> },
    /// In one run; nowhere if nothing was written.
    Contiguous { address: Option<u64>, len: Option<u64> },
    /// In chunks of this shape.
    Chunked { chunk: Vec<u64>, index: Index, address: Option<u64>, whole_edges: bool },
}

/// How chunks are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Index {
    /// By a B-tree of version 1.
    Tree1,
    /// There is one; of a filtered one its size and the filters that it skipped.
    Single { filtered: Option<(u64, u32)> },
    /// They lie one behind the other.
    Implicit,
    /// By an array of fixed length.
    FixedArray,
    /// By an array that grows.
    ExtensibleArray,
    /// By a B-tree of version 2.
    Tree2,
}

/// The layout, and the version of the message, which matters to arrays of filtered chunks.
pub(super) fn layout(fields: &mut Fields<'_>, rank: usize) -> Result<(Layout, u8)> {
    let bad = |why: String| Error::malformed("HDF5 layout", why);
    let version = fields.u8()?;
    let layout = match version {
        1 | 2 => old(fields, rank)?,
        3..=5 => match fields.u8()? {
            0 => {
                let len = usize::from(fields.u16()?);
                Layout::Compact { at: fields.offset(), bytes: fields.take(len)?.to_vec() }
            }
            1 => Layout::Contiguous { address: fields.address()?, len: Some(fields.length()?) },
            2 if version == 3 => {
                let dims = usize::from(fields.u8()?);
                let address = fields.address()?;
                chunked(fields, dims, 4, rank, |_| Ok((Index::Tree1, address)), true)?
            }
            2 => {
                let flags = fields.u8()?;
                let (dims, size) = (usize::from(fields.u8()?), fields.u8()?);
                chunked(fields, dims, size, rank, |fields| index(fields, flags), flags & 1 == 0)?
            }
            3 => {
                let error = bad("virtual data sets, whose bytes are in other data sets, are not read".to_owned());
                return Err(error.with_help("h5py copies it into a data set of its own: `out[NAME] = file[NAME][()]`"));
            }
            class => return Err(bad(format!("class {class} is not known"))),
        },
        _ => return Err(bad(format!("version {version} is not known"))),
    };
    Ok((layout, version))
}

fn old(fields: &mut Fields<'_>, rank: usize) -> Result<Layout> {
    let (dims, class) = (usize::from(fields.u8()?), fields.u8()?);
    fields.skip(5)?;
    match class {
        0 => {
            fields.skip(dims.saturating_mul(4))?;
            let len = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
            Ok(Layout::Compact { at: fields.offset(), bytes: fields.take(len)?.to_vec() })
        }
        1 => Ok(Layout::Contiguous { address: fields.address()?, len: None }),
        2 => {
            let address = fields.address()?;
            chunked(fields, dims, 4, rank, |_| Ok((Index::Tree1, address)), true)
        }
        _ => Err(Error::malformed("HDF5 layout", format!("class {class} is not known"))),
    }
}

/// The shape of chunks, whose last dimension is the bytes of an element.
fn chunked(
    fields: &mut Fields<'_>,
    dims: usize,
    size: u8,
    rank: usize,
    index: impl FnOnce(&mut Fields<'_>) -> Result<(Index, Option<u64>)>,
    whole_edges: bool,
) -> Result<Layout> {
    let bad = |why: String| Error::malformed("HDF5 layout", why);
    if dims != rank.saturating_add(1) || rank == 0 {
        return Err(bad(format!("chunks of {} dimensions, the data set has {rank}", dims.saturating_sub(1))));
    }
    let mut chunk = (0..dims).map(|_| fields.number(size)).collect::<Result<Vec<u64>>>()?;
    chunk.pop();
    if chunk.contains(&0) {
        return Err(bad("chunks without elements".to_owned()));
    }
    let (index, address) = index(fields)?;
    Ok(Layout::Chunked { chunk, index, address, whole_edges })
}

fn index(fields: &mut Fields<'_>, flags: u8) -> Result<(Index, Option<u64>)> {
    let index = match fields.u8()? {
        1 if flags & 2 != 0 => Index::Single { filtered: Some((fields.length()?, fields.u32()?)) },
        1 => Index::Single { filtered: None },
        2 => Index::Implicit,
        3 => fields.skip(1).map(|()| Index::FixedArray)?,
        4 => fields.skip(5).map(|()| Index::ExtensibleArray)?,
        5 => fields.skip(6).map(|()| Index::Tree2)?,
        other => return Err(Error::malformed("HDF5 layout", format!("chunks are found by a way {other}"))),
    };
    Ok((index, fields.address()?))
}

/// One filter that bytes went through when they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) id: u16,
    pub(super) parameters: Vec<u32>,
}

/// The filters, in the order of writing.
pub(super) fn filters(fields: &mut Fields<'_>) -> Result<Vec<Filter>> {
    let bad = |why: String| Error::malformed("HDF5 filters", why);
    let (version, count) = (fields.u8()?, fields.u8()?);
    if version == 1 {
        fields.skip(6)?;
    } else if version != 2 {
        return Err(bad(format!("version {version} is not known")));
    }
    // The library allows as many.
    if count > 32 {
        return Err(bad(format!("{count} of them")));
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = fields.u16()?;
        let name = if version == 1 || id >= 256 { usize::from(fields.u16()?) } else { 0 };
        fields.skip(2)?;
        let parameters = usize::from(fields.u16()?);
        fields.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
        let values = (0..parameters).map(|_| fields.u32()).collect::<Result<Vec<u32>>>()?;
        if version == 1 && parameters % 2 == 1 {
            fields.skip(4)?;
        }
        filters.push(Filter { id, parameters: values });
    }
    Ok(filters)
}

/// The value of elements that were never written; `None` for zeros.
pub(super) fn fill(fields: &mut Fields<'_>, old: bool) -> Result<Option<Vec<u8>>> {
    if !old {
        let version = fields.u8()?;
        match version {
            1 | 2 => {
                fields.skip(2)?;
                if fields.u8()? == 0 && version == 2 {
                    return Ok(None);
                }
            }
            3 => {
                if fields.u8()? & 0x20 == 0 {
                    return Ok(None);
                }
            }
            _ => return Err(Error::malformed("HDF5 fill value", format!("version {version} is not known"))),
        }
    }
    let len = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
    let value = fields.take(len)?;
    Ok((!value.is_empty()).then(|| value.to_vec()))
}
