//! B-trees of version 2: of links and attributes of newer files, and of chunks.
//!
//! Specification, III.A.2. Walked like those of version 1. Every node has a checksum.

use std::collections::BTreeSet;

use super::checksum::check;
use super::fields::Fields;
use super::file::File;
use crate::base::error::{Error, Result};

/// Deepest tree: see `tree1`.
const DEPTH: u16 = 64;

/// How the nodes of one level are laid out.
#[derive(Clone, Copy, Default)]
struct Level {
    /// Most records that all nodes below one of this level have together, itself included.
    all: u64,
    /// Bytes of such a number; none at the leaves.
    all_size: u8,
}

/// Hands out every record, in the order of the tree's nodes.
pub(super) fn walk(
    file: &File,
    address: u64,
    kind: u8,
    each: &mut dyn FnMut(&mut Fields<'_>) -> Result<()>,
) -> Result<()> {
    let offsets = file.superblock.offset_size;
    let len = 22 + u64::from(offsets) + u64::from(file.superblock.length_size);
    let bytes = file.bytes(address, len)?;
    let bad = |why: String| Error::malformed("HDF5 B-tree", why).at_offset(file.offset(address));
    let mut fields = file.fields(&bytes, address);
    fields.signature("HDF5 B-tree", *b"BTHD")?;
    check("HDF5 B-tree", &bytes, file.offset(address))?;
    let (version, found) = (fields.u8()?, fields.u8()?);
    if version != 0 || found != kind {
        return Err(bad(format!("version {version} and kind {found} where kind {kind} belongs")));
    }
    let node_size = u64::from(fields.u32()?);
    let record = fields.u16()?;
    let depth = fields.u16()?;
    fields.skip(2)?;
    let Some(root) = fields.address()? else { return Ok(()) };
    let records = fields.u16()?;
    if depth > DEPTH || record == 0 || node_size < 16 {
        return Err(bad(format!("a tree of depth {depth}, records of {record} bytes, nodes of {node_size}")));
    }
    let record = u64::from(record);
    let most_in_leaf = node_size.saturating_sub(10) / record;
    let count_size = bytes_for(most_in_leaf);
    let mut levels = vec![Level { all: most_in_leaf, all_size: 0 }];
    for _ in 0..depth {
        let below = levels.last().copied().unwrap_or_default();
        let pointer = u64::from(offsets) + u64::from(count_size) + u64::from(below.all_size);
        let most = node_size.saturating_sub(10).saturating_sub(pointer) / record.saturating_add(pointer);
        let all = most.saturating_add(1).saturating_mul(below.all).saturating_add(most);
        levels.push(Level { all, all_size: bytes_for(all) });
    }
    let mut open = vec![(root, u64::from(records), depth)];
    let mut seen = BTreeSet::new();
    while let Some((address, records, level)) = open.pop() {
        let bad = |why: &'static str| Error::malformed("HDF5 B-tree", why).at_offset(file.offset(address));
        if !seen.insert(address) {
            return Err(bad("a node is below itself, or below two others"));
        }
        let below = level.checked_sub(1).map(usize::from).and_then(|below| levels.get(below).copied());
        let pointer = below.map_or(0, |below| u64::from(offsets) + u64::from(count_size) + u64::from(below.all_size));
        let children = if below.is_some() { records.saturating_add(1) } else { 0 };
        let len = records.saturating_mul(record).saturating_add(children.saturating_mul(pointer)).saturating_add(10);
        if len > node_size {
            return Err(bad("more records than fit a node"));
        }
        let bytes = file.bytes(address, len)?;
        let mut fields = file.fields(&bytes, address);
        fields.signature("HDF5 B-tree", if below.is_some() { *b"BTIN" } else { *b"BTLF" })?;
        check("HDF5 B-tree", &bytes, file.offset(address))?;
        fields.skip(2)?;
        for _ in 0..records {
            each(&mut fields.part(usize::try_from(record).unwrap_or(usize::MAX))?)?;
        }
        if let Some(below) = below {
            let mut nodes = Vec::new();
            for _ in 0..children {
                let child = fields.place()?;
                let records = fields.number(count_size)?;
                fields.skip(usize::from(below.all_size))?;
                nodes.push((child, records, level.saturating_sub(1)));
            }
            open.extend(nodes.into_iter().rev());
        }
    }
    Ok(())
}

/// Bytes that a number up to `most` takes.
pub(super) fn bytes_for(most: u64) -> u8 {
    u8::try_from(most.max(1).ilog2() / 8 + 1).unwrap_or(8)
}
