//! The superblock: how long addresses are, where the file ends, where the root group is.
//!
//! "HDF5 File Format Specification Version 3.0", II.A.

use super::checksum::check;
use super::fields::Fields;
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::storage::Source;

/// What every HDF5 file begins with, at 0 or, behind bytes of the user's own, at 512, 1024, 2048, …
pub(in crate::read::formats) const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Most bytes of one.
const LONGEST: u64 = 128;

/// What is read of a superblock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Superblock {
    /// Bytes of an address.
    pub(super) offset_size: u8,
    /// Bytes of a length.
    pub(super) length_size: u8,
    /// One past the last byte of the file, counted from the superblock, as it was when it was closed.
    pub(super) end: u64,
    /// Address of the object header of the root group.
    pub(super) root: u64,
}

impl Superblock {
    /// Where it lies in `len` bytes of a source from `start` on, counted from there.
    pub(super) fn find(source: &Source, start: u64, len: u64) -> Result<u64> {
        let mut at = 0u64;
        let mut here = [0; SIGNATURE.len()];
        while at.checked_add(here.len() as u64).is_some_and(|end| end <= len) {
            source.read_exact_at(&mut here, start.saturating_add(at))?;
            if here == *SIGNATURE {
                return Ok(at);
            }
            at = if at == 0 { 512 } else { at.saturating_mul(2) };
        }
        let why = "no HDF5 file: it has no superblock".to_owned();
        Err(Error::from(ErrorKind::NotACheckpoint(why)).in_file(source.path()))
    }

    /// The superblock at an offset of a source, with `len` bytes behind it.
    pub(super) fn read(source: &Source, offset: u64, len: u64) -> Result<Self> {
        let mut bytes = vec![0; usize::try_from(LONGEST.min(len)).unwrap_or(0)];
        source.read_exact_at(&mut bytes, offset)?;
        let mut fields = Fields::new(&bytes, offset, 8, 8);
        fields.skip(SIGNATURE.len())?;
        let version = fields.u8()?;
        match version {
            0 | 1 => Self::old(&mut fields, version),
            2 | 3 => Self::new(&mut fields, offset, &bytes),
            _ => Err(bad(format!("version {version} is not known"))),
        }
    }

    fn old(fields: &mut Fields<'_>, version: u8) -> Result<Self> {
        fields.skip(4)?;
        let (offset_size, length_size) = sizes(fields)?;
        let mut fields = Fields::new(fields.rest(), fields.offset(), offset_size, length_size);
        // Reserved, sizes of nodes of groups, flags; of version 1 a size of nodes of chunks too.
        fields.skip(if version == 0 { 9 } else { 13 })?;
        let base = fields.place()?;
        fields.address()?;
        let end = fields.place()?;
        fields.address()?;
        // The entry of the root group: an offset of its name, which it has none of, and its address.
        fields.address()?;
        let root = fields.place()?;
        Ok(Self { offset_size, length_size, end: end.saturating_sub(base), root })
    }

    fn new(fields: &mut Fields<'_>, at: u64, bytes: &[u8]) -> Result<Self> {
        let (offset_size, length_size) = sizes(fields)?;
        let mut fields = Fields::new(fields.rest(), fields.offset(), offset_size, length_size);
        fields.skip(1)?;
        let base = fields.place()?;
        fields.address()?;
        let end = fields.place()?;
        let root = fields.place()?;
        let len = 12 + 4 * usize::from(offset_size);
        check("HDF5 superblock", bytes.get(..len.saturating_add(4)).unwrap_or_default(), at)?;
        Ok(Self { offset_size, length_size, end: end.saturating_sub(base), root })
    }
}

fn sizes(fields: &mut Fields<'_>) -> Result<(u8, u8)> {
    let (offsets, lengths) = (fields.u8()?, fields.u8()?);
    if ![2, 4, 8].contains(&offsets) || ![2, 4, 8].contains(&lengths) {
        return Err(bad(format!("addresses of {offsets} bytes and lengths of {lengths} are not read")));
    }
    Ok((offsets, lengths))
}

fn bad(why: String) -> Error {
    Error::malformed("HDF5 superblock", why)
}
