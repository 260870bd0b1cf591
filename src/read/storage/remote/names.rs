//! What is known of the names in one place, so that nothing is asked twice.
//!
//! A question about `run/ckpt-1` is answered by listing all names that begin so: that is the whole set of a checkpoint,
//! its `.index` and its shards, in one request, however many others lie beside it. Where listing is not allowed, or there
//! is none, names are asked for one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::net;
use super::place::{Entry, Page, Server};
use crate::base::fault::Fault;

/// What is known of a name stays true for those who ask within one command. Who opens a place again after this long has
/// it looked at anew.
const FRESH: Duration = Duration::from_secs(1);

/// A folder with more names is not listed to its end.
const MOST_NAMES: usize = 2_000_000;

/// The names of one bucket or server.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    since: Option<Instant>,
    /// What was told of names, also that there is nothing.
    of: BTreeMap<String, Option<Entry>>,
    /// Beginnings of which all names were listed that lie in the same folder.
    whole: BTreeSet<String>,
    /// Folders that were listed to their end.
    folders: BTreeMap<String, Arc<BTreeMap<String, Entry>>>,
    /// Folders of which one answer does not have all names.
    large: BTreeSet<String>,
    cannot_list: bool,
    /// First bytes that came with an answer, until somebody opens the file.
    heads: BTreeMap<String, Vec<u8>>,
}

/// Nobody was asked yet.
struct Unknown;

impl Known {
    /// What is known to lie under `key`, if anything is known.
    fn get(&self, key: &str) -> Result<Option<Entry>, Unknown> {
        if let Some(entry) = self.of.get(key) {
            return Ok(entry.clone());
        }
        let (folder, name) = key.rsplit_once('/').unwrap_or(("", key));
        if let Some(entries) = self.folders.get(folder) {
            return Ok(entries.get(name).cloned());
        }
        let shortest = key.len().saturating_sub(name.len()).saturating_add(1);
        let is_whole = (shortest..=key.len()).any(|end| key.get(..end).is_some_and(|start| self.whole.contains(start)));
        if is_whole { Ok(None) } else { Err(Unknown) }
    }

    /// Whether somebody has seen that this is a folder, and nobody that it is a large one.
    fn is_to_be_listed(&self, folder: &str) -> bool {
        self.of.get(folder) == Some(&Some(Entry::Folder)) && !self.large.contains(folder)
    }

    fn take(&mut self, page: Page) {
        for (key, entry) in page.entries {
            self.of.insert(key, Some(entry));
        }
    }
}

impl Names {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has everything asked for anew that was not asked for just now.
    pub(super) fn forget(&self) {
        let mut known = self.known();
        if known.since.is_some_and(|since| since.elapsed() > FRESH) {
            *known = Known { cannot_list: known.cannot_list, ..Known::default() };
        }
    }

    /// The first bytes of a file that came along when it was asked for.
    pub(super) fn take_head(&self, key: &str) -> Option<Vec<u8>> {
        self.known().heads.remove(key)
    }

    /// What lies under a name.
    pub(super) fn find(&self, server: &dyn Server, key: &str) -> io::Result<Entry> {
        if key.is_empty() && server.can_list() {
            return Ok(Entry::Folder);
        }
        let (found, cannot_list) = {
            let mut known = self.known();
            known.since.get_or_insert_with(Instant::now);
            (known.get(key), known.cannot_list || !server.can_list())
        };
        let found = match found {
            Ok(found) => found,
            Err(Unknown) if cannot_list => self.ask(server, key)?,
            Err(Unknown) => match self.ask_beginning(server, key) {
                // Who may read may not always list.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    self.known().cannot_list = true;
                    // Without a name of its own only the listing could tell.
                    self.ask(server, key).map_err(|_| error)?
                }
                found => found?,
            },
        };
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Asks for one name.
    fn ask(&self, server: &dyn Server, key: &str) -> io::Result<Option<Entry>> {
        let found = match net::wait(server.head(key)) {
            Ok((meta, head)) => {
                if let Some(head) = head {
                    self.known().heads.insert(key.to_owned(), head);
                }
                Some(Entry::File(meta))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut known = self.known();
        known.of.insert(key.to_owned(), found.clone());
        // What a file lies in is a folder, whatever a server says of it.
        let mut inside = key;
        while let Some((folder, _)) = inside.rsplit_once('/').filter(|_| found.is_some()) {
            if !matches!(known.of.get(folder), Some(Some(Entry::File(_)))) {
                known.of.insert(folder.to_owned(), Some(Entry::Folder));
            }
            inside = folder;
        }
        Ok(found)
    }

    /// Asks for all names that begin so; of a name in a folder that somebody has seen, for all names in that folder, as
    /// long as one answer has them.
    fn ask_beginning(&self, server: &dyn Server, key: &str) -> io::Result<Option<Entry>> {
        let folder = key.rsplit_once('/').map(|(folder, _)| folder);
        if let Some(folder) = folder.filter(|folder| self.known().is_to_be_listed(folder)) {
            let page = net::wait(server.page(&format!("{folder}/"), None))?;
            let mut known = self.known();
            if page.next.is_none() {
                known.folders.insert(folder.to_owned(), Arc::new(names_in(page, folder)));
                return Ok(known.get(key).ok().flatten());
            }
            known.large.insert(folder.to_owned());
        }
        let page = net::wait(server.page(key, None))?;
        let is_whole = page.next.is_none();
        let mut found = page.entries.get(key).cloned();
        if found.is_none() && !is_whole {
            // `run` sorts before `run-1`, but `run/` behind it: there may be too many names between.
            let inside = net::wait(server.page(&format!("{key}/"), None))?;
            found = (!inside.entries.is_empty()).then_some(Entry::Folder);
        }
        let mut known = self.known();
        known.take(page);
        known.of.insert(key.to_owned(), found.clone());
        if is_whole {
            known.whole.insert(key.to_owned());
        }
        Ok(found)
    }

    /// The names in a folder.
    pub(super) fn list(&self, server: &dyn Server, key: &str) -> io::Result<Arc<BTreeMap<String, Entry>>> {
        if let Some(entries) = self.known().folders.get(key) {
            return Ok(Arc::clone(entries));
        }
        if !server.can_list() {
            return Err(Fault::new("a web server cannot be asked which files it has")
                .with_help("give the name of a file, or the prefix of a checkpoint: https://…/model.ckpt-200")
                .of_kind(io::ErrorKind::Unsupported));
        }
        let start = if key.is_empty() { String::new() } else { format!("{key}/") };
        let (mut entries, mut next) = (BTreeMap::new(), None);
        loop {
            let page = net::wait(server.page(&start, next.clone()))?;
            next.clone_from(&page.next);
            entries.extend(names_in(page, key));
            if entries.len() > MOST_NAMES {
                let what = format!("more than {MOST_NAMES} names lie here: they are not listed");
                return Err(Fault::new(what).of_kind(io::ErrorKind::Unsupported));
            }
            if next.is_none() {
                break;
            }
        }
        if entries.is_empty() && !key.is_empty() {
            let is_file = matches!(self.find(server, key), Ok(Entry::File(_)));
            return Err(if is_file { io::ErrorKind::NotADirectory } else { io::ErrorKind::NotFound }.into());
        }
        let entries = Arc::new(entries);
        let mut known = self.known();
        known.since.get_or_insert_with(Instant::now);
        known.folders.insert(key.to_owned(), Arc::clone(&entries));
        Ok(entries)
    }
}

/// The names of an answer that lie in a folder, without it.
fn names_in(page: Page, folder: &str) -> BTreeMap<String, Entry> {
    let inside = page.entries.into_iter().filter_map(|(key, entry)| {
        let name = if folder.is_empty() { &*key } else { key.strip_prefix(folder)?.strip_prefix('/')? };
        (!name.is_empty()).then(|| (name.to_owned(), entry))
    });
    inside.collect()
}
