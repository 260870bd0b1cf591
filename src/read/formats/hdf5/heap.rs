//! Heaps: names of members of old groups (local), strings of any length (global).
//!
//! Specification, III.D and III.E.

use std::collections::BTreeMap;

use super::file::File;
use crate::base::error::{Error, Result};

/// Most collections of a global heap that are kept while strings are read.
const KEPT: usize = 16;

/// The names of an old group.
#[derive(Debug)]
pub(super) struct LocalHeap(Vec<u8>);

impl LocalHeap {
    pub(super) fn read(file: &File, address: u64) -> Result<Self> {
        let len = 8 + 2 * u64::from(file.superblock.length_size) + u64::from(file.superblock.offset_size);
        let bytes = file.bytes(address, len)?;
        let mut fields = file.fields(&bytes, address);
        fields.signature("HDF5 heap", *b"HEAP")?;
        fields.skip(4)?;
        let len = fields.length()?;
        fields.length()?;
        let data = fields.place()?;
        Ok(Self(file.bytes(data, len)?))
    }

    /// The name that begins at an offset.
    pub(super) fn name(&self, offset: u64) -> Result<&[u8]> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..));
        let from = from.ok_or_else(|| Error::malformed("HDF5 heap", "a name beyond its end"))?;
        let end = from.iter().position(|byte| *byte == 0);
        let end = end.ok_or_else(|| Error::malformed("HDF5 heap", "a name without an end"))?;
        Ok(from.get(..end).unwrap_or_default())
    }
}

/// Objects of the global heap, by collection and number.
#[derive(Debug, Default)]
pub(super) struct GlobalHeap {
    collections: BTreeMap<u64, Collection>,
}

/// The bytes of a collection, and where its objects are in them.
#[derive(Debug)]
struct Collection {
    bytes: Vec<u8>,
    objects: BTreeMap<u16, (usize, usize)>,
}

impl GlobalHeap {
    /// An object; `None` if there is none of this number.
    pub(super) fn object(&mut self, file: &File, collection: u64, number: u16) -> Result<Option<&[u8]>> {
        if !self.collections.contains_key(&collection) {
            let read = Collection::read(file, collection)?;
            if self.collections.len() >= KEPT {
                self.collections.pop_first();
            }
            self.collections.insert(collection, read);
        }
        let found = self.collections.get(&collection);
        Ok(found.and_then(|c| {
            let (start, len) = *c.objects.get(&number)?;
            c.bytes.get(start..start.checked_add(len)?)
        }))
    }

    /// The bytes that a reference to a sequence of one-byte elements leads to: its length, collection and number.
    pub(super) fn sequence(&mut self, file: &File, reference: &[u8]) -> Result<&[u8]> {
        let mut fields = file.fields(reference, 0);
        let len = usize::try_from(fields.u32()?).unwrap_or(usize::MAX);
        let collection = fields.address()?.filter(|_| len > 0);
        let number = u16::try_from(fields.u32()?).map_err(|_| bad("a number of an object beyond 65535"))?;
        let Some(collection) = collection.filter(|address| *address != 0) else { return Ok(&[]) };
        let at = file.offset(collection);
        let object = self.object(file, collection, number)?;
        let object = object.ok_or_else(|| bad("a string that is not in it is referred to").at_offset(at))?;
        object.get(..len).ok_or_else(|| bad("a string is longer than its object").at_offset(at))
    }
}

impl Collection {
    fn read(file: &File, address: u64) -> Result<Self> {
        let prefix = 8 + u64::from(file.superblock.length_size);
        let head = file.bytes(address, prefix)?;
        let mut fields = file.fields(&head, address);
        fields.signature("HDF5 global heap", *b"GCOL")?;
        fields.skip(4)?;
        let len = fields.length()?;
        let bytes = file.bytes(address, len)?;
        let mut fields = file.fields(&bytes, address);
        fields.skip(usize::try_from(prefix).unwrap_or(0))?;
        let mut objects = BTreeMap::new();
        while fields.rest().len() >= 16 {
            let number = fields.u16()?;
            fields.skip(6)?;
            let len = usize::try_from(fields.length()?).unwrap_or(usize::MAX);
            if number == 0 {
                // The room that is left.
                break;
            }
            let start = bytes.len().saturating_sub(fields.rest().len());
            fields.take(len).map_err(|_| bad("an object leads out of it").at_offset(fields.offset()))?;
            let padding = len.wrapping_neg() % 8;
            fields.skip(padding.min(fields.rest().len()))?;
            objects.insert(number, (start, len));
        }
        Ok(Self { bytes, objects })
    }
}

fn bad(why: &'static str) -> Error {
    Error::malformed("HDF5 global heap", why)
}
