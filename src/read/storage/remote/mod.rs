//! Object stores and web servers: a store like any other, blocking, with whatever waits for the network below it.
//!
//! ```text
//! Remote (this file)      what lies at an address: names, lengths, files
//!   places                who answers for a bucket or a server, made when first asked
//!     clouds, cloud       buckets, by object_store (access): credentials of the environment, listings, ranges
//!     web                 servers, by range requests
//!   names                 what is known of names, so that nothing is asked twice
//!   file, blocks          one object: which bytes are here, which are asked for, and how many at once
//!   net                   the one runtime; nothing above sees it
//!   fault                 what a failure means and what to do, without secrets
//! ```

mod access;
mod aws_profile;
mod blocks;
mod cloud;
mod clouds;
mod fault;
mod file;
mod names;
mod net;
mod place;
mod places;
mod web;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::address::Address;
use super::source::Source;
use super::store::{Folder, Kind, Stat, Store};
use crate::base::error::{Error, ErrorKind, Result};
use crate::read::wire::Crc32c;
use place::Entry;
use places::Place;

/// Answers for every address that has a scheme of [`super::address::Scheme`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Remote;

fn place_of(path: &Path) -> io::Result<(Address, Arc<Place>)> {
    let address = Address::of(path).ok_or(io::ErrorKind::InvalidInput)?;
    let place = places::of(&address)?;
    Ok((address, place))
}

fn stat_of(entry: &Entry) -> Stat {
    match entry {
        Entry::File(meta) => Stat { kind: Kind::File, len: meta.len, modified: meta.modified },
        Entry::Folder => Stat { kind: Kind::Folder, len: 0, modified: None },
    }
}

impl Store for Remote {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        let (address, place) = place_of(path)?;
        place.names.find(&*place.server, &address.key).map(|entry| stat_of(&entry))
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        Ok(self.list(path)?.entries().map(|(name, _)| name.to_owned()).collect())
    }

    fn list(&self, path: &Path) -> io::Result<Folder> {
        let (address, place) = place_of(path)?;
        let entries = place.names.list(&*place.server, &address.key)?;
        let entries = entries.iter().map(|(name, entry)| (OsString::from(name), stat_of(entry))).collect();
        Ok(Folder::new(path, entries, 0))
    }

    fn open(&self, path: &Path) -> Result<Source> {
        let at = |error| Error::io(error, path);
        let (address, place) = place_of(path).map_err(at)?;
        let meta = match place.names.find(&*place.server, &address.key).map_err(at)? {
            Entry::File(meta) => meta,
            Entry::Folder => {
                let what = "is a directory, where a file was expected".to_owned();
                return Err(Error::new(ErrorKind::NotACheckpoint(what)).in_file(path));
            }
        };
        let len = meta.len;
        Ok(Source::other(path, len, place.open(&address.key, meta)))
    }

    fn open_contiguous(&self, path: &Path) -> Result<Source> {
        let source = self.open(path)?;
        source.expect(0..source.len());
        source.into_contiguous()
    }

    fn crc32c(&self, path: &Path) -> io::Result<Option<Crc32c>> {
        let (address, place) = place_of(path)?;
        let Entry::File(meta) = place.names.find(&*place.server, &address.key)? else { return Ok(None) };
        net::wait(place.server.crc32c(&address.key, &meta))
    }

    fn at_once(&self) -> usize {
        file::AT_ONCE
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.stat(path).ok()?;
        Address::of(path).map(|address| address.to_string().into())
    }
}

/// Forgets what was known of the names at an address, so that who opens it again sees it as it is now.
pub(super) fn look_anew(path: &Path) {
    if let Ok((_, place)) = place_of(path) {
        place.names.forget();
    }
}
