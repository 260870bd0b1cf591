//! The members of groups, in the three ways in which HDF5 keeps them.
//!
//! Old groups: a B-tree of nodes of symbols, with names in a heap. Newer ones: links as messages of the group's header,
//! or, if there are many, in a fractal heap.

use super::checksum::lookup3;
use super::fields::Fields;
use super::file::File;
use super::fractal_heap::FractalHeap;
use super::heap::LocalHeap;
use super::object::{Object, kind};
use super::tree1::{self, Leaves};
use super::tree2;
use crate::base::error::{Error, Result};
use crate::base::escape::escaped;

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To the object whose header is at this address.
    Object(u64),
    /// To another path of this file.
    Soft(Vec<u8>),
    /// Into another file.
    External,
}

/// One member.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) name: Vec<u8>,
    pub(super) target: Target,
}

/// Whether an object is a group.
pub(super) fn is_group(object: &Object) -> bool {
    [kind::SYMBOL_TABLE, kind::LINK_INFO, kind::LINK].iter().any(|kind| object.message(*kind).is_some())
}

/// The members of a group. What can be read before an error stays in `links`.
pub(super) fn links(file: &File, group: &Object, links: &mut Vec<Link>) -> Result<()> {
    for message in &group.messages {
        let mut fields = message.fields(file);
        match message.kind {
            kind::SYMBOL_TABLE => {
                let (tree, heap) = (fields.place()?, fields.place()?);
                symbols(file, tree, heap, links)?;
            }
            kind::LINK => links.push(link(&mut fields)?),
            kind::LINK_INFO => {
                fields.skip(1)?;
                let flags = fields.u8()?;
                fields.skip(if flags & 1 == 0 { 0 } else { 8 })?;
                if let (Some(heap), Some(tree)) = (fields.address()?, fields.address()?) {
                    let heap = FractalHeap::read(file, heap)?;
                    let mut renamed = None;
                    tree2::walk(file, tree, 5, &mut |record| {
                        let at = record.offset();
                        let hash = record.u32()?;
                        let bytes = heap.object(file, record.rest())?;
                        let link = link(&mut record.of(&bytes))?;
                        // III.A.2, type 5: by this hash HDF5 looks a name up.
                        if lookup3(&link.name) != hash {
                            renamed
                                .get_or_insert_with(|| changed(&link.name, "does not have the hash of its name", at));
                        }
                        links.push(link);
                        Ok(())
                    })?;
                    renamed.map_or(Ok(()), Err)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A member under a name that it was not given. Nobody finds it by that name, and by its own neither.
fn changed(name: &[u8], why: &str, offset: u64) -> Error {
    let why = format!("{} {why}: a name was changed after the file was written", escaped(name));
    Error::malformed("HDF5 group", why).at_offset(offset).with_help("fetch or save the file again")
}

/// Specification, III.B and III.C.
fn symbols(file: &File, tree: u64, heap: u64, links: &mut Vec<Link>) -> Result<()> {
    let first = links.len();
    let mut renamed = None;
    let heap = LocalHeap::read(file, heap)?;
    let entry = 24 + 2 * u64::from(file.superblock.offset_size);
    tree1::walk(file, tree, Leaves::Group, &mut |_, node| {
        let head = file.bytes(node, 8)?;
        let mut fields = file.fields(&head, node);
        fields.signature("HDF5 symbol node", *b"SNOD")?;
        fields.skip(2)?;
        let count = fields.u16()?;
        let at = node.saturating_add(8);
        let bytes = file.bytes(at, u64::from(count).saturating_mul(entry))?;
        let mut fields = file.fields(&bytes, at);
        for _ in 0..count {
            let entry = fields.offset();
            let name = fields.number(file.superblock.offset_size)?;
            let address = fields.address()?;
            let cached = fields.u32()?;
            fields.skip(4)?;
            let mut scratch = fields.part(16)?;
            let name = heap.name(name)?.to_vec();
            let target = match (cached, address) {
                // The scratch has the offset of the path that it leads to.
                (2, _) => Target::Soft(heap.name(u64::from(scratch.u32()?))?.to_vec()),
                (_, Some(address)) => Target::Object(address),
                (_, None) => return Err(Error::malformed("HDF5 symbol node", "a member without an address")),
            };
            // HDF5 looks names up by halves: they are in order, and none is there twice.
            if let Some(before) = links.get(first..).and_then(<[Link]>::last).filter(|before| before.name >= name) {
                let why = format!("stands behind {}, though names are in order", escaped(&before.name));
                renamed.get_or_insert_with(|| changed(&name, &why, entry));
            }
            links.push(Link { name, target });
        }
        Ok(())
    })?;
    renamed.map_or(Ok(()), Err)
}

/// Specification, IV.A.2.g.
fn link(fields: &mut Fields<'_>) -> Result<Link> {
    let at = fields.offset();
    let bad = |why: String| Error::malformed("HDF5 link", why).at_offset(at);
    let version = fields.u8()?;
    if version != 1 {
        return Err(bad(format!("version {version} is not known")));
    }
    let flags = fields.u8()?;
    let kind = if flags & 8 == 0 { 0 } else { fields.u8()? };
    // When it was made, and in which characters its name is.
    fields.skip(if flags & 4 == 0 { 0 } else { 8 })?;
    fields.skip(usize::from(flags & 0x10 != 0))?;
    let len = fields.number(1 << (flags & 3))?;
    let name = fields.take(usize::try_from(len).unwrap_or(usize::MAX))?.to_vec();
    let target = match kind {
        0 => Target::Object(fields.place()?),
        1 => {
            let len = usize::from(fields.u16()?);
            Target::Soft(fields.take(len)?.to_vec())
        }
        _ => Target::External,
    };
    Ok(Link { name, target })
}
