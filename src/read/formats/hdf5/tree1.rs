//! B-trees of version 1: of the members of old groups, and of chunks.
//!
//! Specification, III.A.1. A tree is walked with a list of what is still to be read, never by recursion, and a node that
//! was read is not read again: a tree that points at itself ends.

use std::collections::BTreeSet;

use super::fields::Fields;
use super::file::File;
use crate::base::error::{Error, Result};

/// Deepest tree: with two entries a node, that is more than any file has.
const DEPTH: u8 = 64;

/// What the leaves of a tree are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaves {
    /// Nodes of symbols.
    Group,
    /// Chunks, whose keys have so many coordinates.
    Chunks(usize),
}

/// Hands out the key before each leaf and the leaf's address, in order.
pub(super) fn walk(
    file: &File,
    root: u64,
    leaves: Leaves,
    each: &mut dyn FnMut(&mut Fields<'_>, u64) -> Result<()>,
) -> Result<()> {
    let key_len = match leaves {
        Leaves::Group => usize::from(file.superblock.length_size),
        Leaves::Chunks(coordinates) => 8usize.saturating_add(coordinates.saturating_mul(8)),
    };
    let number = u8::from(leaves != Leaves::Group);
    let pair = key_len.saturating_add(usize::from(file.superblock.offset_size));
    let mut open: Vec<(u64, Option<u8>)> = vec![(root, None)];
    let mut seen = BTreeSet::new();
    while let Some((address, want)) = open.pop() {
        let bad = |why: String| Error::malformed("HDF5 B-tree", why).at_offset(file.offset(address));
        if !seen.insert(address) {
            return Err(bad("a node is below itself, or below two others".to_owned()));
        }
        let head_len = 8 + 2 * u64::from(file.superblock.offset_size);
        let head = file.bytes(address, head_len)?;
        let mut fields = file.fields(&head, address);
        fields.signature("HDF5 B-tree", *b"TREE")?;
        let (kind, level, entries) = (fields.u8()?, fields.u8()?, fields.u16()?);
        if kind != number || level > DEPTH || want.is_some_and(|want| want != level) {
            return Err(bad(format!("a node of kind {kind} and level {level} where another belongs")));
        }
        let at = address.saturating_add(head_len);
        let len = usize::from(entries).saturating_mul(pair);
        let bytes = file.bytes(at, len as u64)?;
        let mut fields = file.fields(&bytes, at);
        let mut below = Vec::new();
        for _ in 0..entries {
            let mut key = fields.part(key_len)?;
            let child = fields.place()?;
            match level.checked_sub(1) {
                Some(level) => below.push((child, Some(level))),
                None => each(&mut key, child)?,
            }
        }
        open.extend(below.into_iter().rev());
    }
    Ok(())
}
