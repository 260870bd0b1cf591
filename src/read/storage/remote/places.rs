//! Who answers for an address: one bucket or one server each, made when first asked and kept.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::address::{Address, Scheme};
use super::super::source::ReadAt;
use super::clouds;
use super::file::RemoteFile;
use super::names::Names;
use super::net;
use super::place::{Meta, Server};
use super::web::Web;
use crate::base::fault::Fault;

/// So many objects keep what was read of them after they were closed: a file is opened to see what it is, and again to be
/// read.
const MOST_KEPT: usize = 32;

/// One bucket or server.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) server: Arc<dyn Server>,
    pub(super) names: Names,
    files: Mutex<Vec<(String, Arc<RemoteFile>)>>,
}

impl Place {
    /// The object that `meta` was said of.
    pub(super) fn open(&self, key: &str, meta: Meta) -> Arc<dyn ReadAt> {
        let head = self.names.take_head(key);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = files.iter().find(|(name, file)| name == key && *file.meta() == meta) {
            return Arc::clone(file) as Arc<dyn ReadAt>;
        }
        files.retain(|(name, _)| name != key);
        if files.len() >= MOST_KEPT {
            files.remove(0);
        }
        let file = Arc::new(RemoteFile::new(Arc::clone(&self.server), key, meta));
        if let Some(head) = head {
            file.keep_head(head);
        }
        files.push((key.to_owned(), Arc::clone(&file)));
        file
    }
}

type Places = BTreeMap<(u32, &'static str, String), Arc<Place>>;

static PLACES: Mutex<Places> = Mutex::new(BTreeMap::new());

/// Who answers for an address.
///
/// # Errors
/// If it names no bucket or server, or what the environment says of it cannot be followed.
pub(super) fn of(address: &Address) -> io::Result<Arc<Place>> {
    if address.host.is_empty() {
        let what = if address.scheme == Scheme::Web { "names no server" } else { "names no bucket" };
        return Err(Fault::new(format!("the address {what}")).of_kind(io::ErrorKind::InvalidInput));
    }
    let mut places = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (net::process(), address.word, address.host.clone());
    if let Some(place) = places.get(&key) {
        return Ok(Arc::clone(place));
    }
    let server: Arc<dyn Server> = match address.scheme {
        Scheme::Web => Arc::new(Web::new(address)?),
        _ => clouds::open(address)?,
    };
    let place = Arc::new(Place { server, names: Names::default(), files: Mutex::default() });
    places.insert(key, Arc::clone(&place));
    Ok(place)
}
