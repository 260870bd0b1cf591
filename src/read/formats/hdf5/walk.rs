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

/// What to do where structures make no sense.
const DAMAGED: &str = "the file is damaged, or was not closed by the program that wrote it: fetch or save it again";

/// The same where a part is of a kind that is not known.
const NEWER: &str = "a newer library wrote it, or the file is damaged: h5py says which, by `h5py.File(FILE)`";

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
    /// Soft links, and where they lead.
    soft: Vec<(Vec<u8>, Vec<u8>)>,
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
            soft: Vec::new(),
            notes: Reports::new("links", &file.limits),
            beyond: 0,
            names: file.limits.names(file.len()),
        };
        while let Some((path, address)) = walk.open.pop() {
            if let Err(error) = walk.group(&path, address) {
                walk.fault(&path, error);
            }
        }
        walk.tell_links();
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

/// The path from the root on that a link means; one that is not absolute begins in the link's group.
fn absolute(link: &[u8], to: &[u8]) -> Vec<u8> {
    let group = link.iter().rposition(|byte| *byte == b'/').and_then(|at| link.get(..at)).unwrap_or_default();
    let start = if to.starts_with(b"/") { &b""[..] } else { group };
    let parts = start.split(|byte| *byte == b'/').chain(to.split(|byte| *byte == b'/'));
    let parts: Vec<&[u8]> = parts.filter(|part| !part.is_empty() && *part != b".").collect();
    parts.join(&b'/')
}

impl Walk<'_> {
    fn fault(&mut self, path: &[u8], error: Error) {
        if self.file.cut().is_some() && matches!(error.kind(), ErrorKind::Truncated { .. }) {
            self.beyond = self.beyond.saturating_add(1);
            return;
        }
        let named = if path.is_empty() { &b"/"[..] } else { path };
        let is_new = matches!(error.kind(), ErrorKind::Malformed { why, .. } if why.ends_with("is not known"));
        let help = if is_new { NEWER } else { DAMAGED };
        self.faults.add(|| self.file.located(error).for_key(named).with_help(help));
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
                // Where it leads is known at the end.
                Target::Soft(to) => self.soft.push((below, to.clone())),
                Target::External => {
                    let why = "a link into another file, which is not read";
                    self.notes.add(|| self.file.located(Error::malformed("HDF5 link", why)).for_key(&below));
                }
            }
        }
        self.open.extend(groups.into_iter().rev());
        read
    }

    /// Notes a second name of what is listed under another.
    fn note(&mut self, path: &[u8], why: String) {
        self.notes.add(|| self.file.located(Error::new(ErrorKind::OtherName(why))).for_key(path));
    }

    /// Says of soft links where they lead.
    fn tell_links(&mut self) {
        let sets: BTreeSet<&[u8]> = self.contents.data_sets.iter().map(|(path, _)| path.as_slice()).collect();
        let links: BTreeSet<&[u8]> = self.soft.iter().map(|(path, _)| path.as_slice()).collect();
        let kind = |(path, to): &(Vec<u8>, Vec<u8>)| {
            let target = absolute(path, to);
            if sets.contains(target.as_slice()) || self.contents.groups.contains_key(&target) {
                return ErrorKind::OtherName(format!(
                    "a link to {}, which is listed under that name",
                    escaped(&target)
                ));
            }
            let (to, what) = (escaped(to), "HDF5 link");
            let why = if links.contains(target.as_slice()) {
                format!("a link to {to}, which is a link itself and is not followed")
            } else {
                format!("a link to {to}, which is not there")
            };
            ErrorKind::Malformed { what, why: why.into() }
        };
        let kinds: Vec<ErrorKind> = self.soft.iter().map(kind).collect();
        for ((path, _), kind) in std::mem::take(&mut self.soft).into_iter().zip(kinds) {
            self.notes.add(|| self.file.located(Error::new(kind)).for_key(&path));
        }
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
        // A new group without members has no message at all. One whose messages are all empty is a header that was
        // zeroed: HDF5 does not know either what it was.
        if object.messages.iter().all(|message| matches!(message.kind, kind::ATTRIBUTE | kind::CONTINUATION)) {
            return Ok(Some(address));
        }
        Err(Error::malformed("HDF5 object", "neither a group nor a data set").at_offset(self.file.offset(address)))
    }
}
