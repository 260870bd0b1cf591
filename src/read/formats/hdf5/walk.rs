//! All groups and data sets of a file, from the root down.
//!
//! A group is entered once, by the first path that leads to it, so that groups that contain one another end; a data set
//! is listed under every name that leads to it. What cannot be read is told, with its path, and the rest goes on.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{self, Attribute};
use super::data_set::{DataSet, is_data_set};
use super::file::File;
use super::group::{Target, is_group, links};
use super::object::{Object, kind};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::escape::escaped;
use crate::base::limits::Reports;

/// Longest path that is followed.
const LONGEST_PATH: usize = 64 << 10;

/// What a file holds. Paths have no slash before them; the root's is empty.
#[derive(Debug, Default)]
pub(in crate::read::formats) struct Contents {
    pub(in crate::read::formats) data_sets: Vec<(Vec<u8>, DataSet)>,
    /// Groups by their paths, with the attributes that are text.
    pub(in crate::read::formats) groups: BTreeMap<Vec<u8>, Vec<Attribute>>,
    pub(in crate::read::formats) damage: Vec<Error>,
    pub(in crate::read::formats) notes: Vec<Error>,
}

/// What is collected on the way.
struct Walk<'f> {
    file: &'f File,
    contents: Contents,
    open: Vec<(Vec<u8>, u64)>,
    entered: BTreeSet<u64>,
    faults: Reports,
    notes: Reports,
    /// Of a file that is cut off, how much lies behind its end. Otherwise each of these is a fault of its own.
    beyond: u64,
    /// Bytes that paths may still take.
    names: u64,
}

impl Contents {
    /// Walks through a file.
    pub(in crate::read::formats) fn read(file: &File) -> Result<Self> {
        file.refill();
        let mut walk = Walk {
            file,
            contents: Self::default(),
            open: vec![(Vec::new(), file.superblock.root)],
            entered: BTreeSet::new(),
            faults: Reports::new("objects that cannot be read", &file.limits),
            notes: Reports::new("links", &file.limits),
            beyond: 0,
            names: file.limits.names(file.len()),
        };
        while let Some((path, address)) = walk.open.pop() {
            if let Err(error) = walk.group(&path, address) {
                walk.fault(&path, error);
            }
        }
        let Walk { mut contents, faults, notes, beyond, .. } = walk;
        if let Some((needed, available)) = file.cut() {
            let mut help =
                "the copy or download did not finish, or the program that wrote it was stopped; fetch it again"
                    .to_owned();
            if beyond > 0 {
                help = format!("{beyond} of its groups and data sets lie behind the cut and are not known; {help}");
            }
            let why = format!("cut off: it had {needed} bytes when it was written, {available} are there");
            contents.damage.push(file.located(Error::malformed("HDF5 file", why)).with_help(help));
        }
        contents.damage.append(&mut faults.into_errors());
        contents.notes = notes.into_errors();
        if contents.data_sets.is_empty() && !contents.damage.is_empty() {
            return Err(contents.damage.swap_remove(0));
        }
        Ok(contents)
    }
}

impl Walk<'_> {
    fn fault(&mut self, path: &[u8], error: Error) {
        if self.file.cut().is_some() && matches!(error.kind(), ErrorKind::Truncated { .. }) {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        let named = if path.is_empty() { &b"/"[..] } else { path };
        self.faults.add(|| self.file.located(error).for_key(named));
    }

    fn group(&mut self, path: &[u8], address: u64) -> Result<()> {
        let object = Object::read(self.file, address)?;
        if !self.entered.insert(address) {
            return Ok(());
        }
        let mut attributes = Vec::new();
        if let Err(error) = attribute::each(self.file, &object, &mut |attribute| attributes.push(attribute)) {
            self.fault(path, error);
        }
        self.contents.groups.insert(path.to_vec(), attributes);
        let mut members = Vec::new();
        let read = links(self.file, &object, &mut members);
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let mut groups = Vec::new();
        for link in members {
            let mut below = path.to_vec();
            if !below.is_empty() {
                below.push(b'/');
            }
            below.extend_from_slice(&link.name);
            let used = self.names.checked_sub(below.len() as u64);
            self.names = used.ok_or_else(|| Error::malformed("HDF5 file", "paths that take far more room than it"))?;
            if below.len() > LONGEST_PATH {
                self.fault(path, Error::malformed("HDF5 group", "a path of more than 64 KiB"));
                continue;
            }
            match &link.target {
                Target::Object(address) => match self.member(&below, *address) {
                    Ok(Some(group)) => groups.push((below, group)),
                    Ok(None) => {}
                    Err(error) => self.fault(&below, error),
                },
                Target::Soft(to) => {
                    let why = format!("a link to {}, which is not followed", escaped(to));
                    self.note(&below, why);
                }
                Target::External => self.note(&below, "a link into another file, which is not followed".to_owned()),
            }
        }
        self.open.extend(groups.into_iter().rev());
        read
    }

    fn note(&mut self, path: &[u8], why: String) {
        self.notes.add(|| self.file.located(Error::malformed("HDF5 link", why)).for_key(path));
    }

    /// Takes a member that is a data set; gives the address of one that is a group.
    fn member(&mut self, path: &[u8], address: u64) -> Result<Option<u64>> {
        let object = Object::read(self.file, address)?;
        if is_data_set(&object) {
            let set = DataSet::read(self.file, &object)?;
            self.contents.data_sets.push((path.to_vec(), set));
            return Ok(None);
        }
        if is_group(&object) {
            if self.entered.contains(&address) {
                self.note(path, "a second name of a group that is listed under another".to_owned());
                return Ok(None);
            }
            return Ok(Some(address));
        }
        if object.message(kind::DATATYPE).is_some() {
            // A datatype that has a name.
            return Ok(None);
        }
        // A new group without members has no message at all.
        if object.messages.iter().all(|message| matches!(message.kind, 0 | kind::ATTRIBUTE | kind::CONTINUATION)) {
            return Ok(Some(address));
        }
        Err(Error::malformed("HDF5 object", "neither a group nor a data set").at_offset(self.file.offset(address)))
    }
}
