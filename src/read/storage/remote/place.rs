//! What whoever keeps objects must answer: [`Server`].

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::time::SystemTime;

use crate::read::wire::Crc32c;

/// What is known of an object without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meta {
    /// Length in bytes.
    pub(super) len: u64,
    /// When it was last changed.
    pub(super) modified: Option<SystemTime>,
    /// The `ETag`: another one means that it is not the same object any more.
    pub(super) tag: Option<String>,
}

impl Meta {
    /// The tag, where a server will compare it: a weak one never matches.
    pub(super) fn strong_tag(&self) -> Option<&str> {
        self.tag.as_deref().filter(|tag| !tag.starts_with("W/"))
    }

    /// Whether what a server says of an object now can be said of this one.
    pub(super) fn is_still(&self, tag: Option<&str>, len: Option<u64>) -> bool {
        // Listings and headers quote it, or not.
        let plain = |tag: &str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
        let same_tag = match (&self.tag, tag) {
            (Some(was), Some(is)) => plain(was) == plain(is),
            _ => true,
        };
        same_tag && len.is_none_or(|len| len == self.len)
    }
}

/// What lies under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// An object.
    File(Meta),
    /// Nothing of this name, but names that go on behind a `/`.
    Folder,
}

/// One answer of a listing, and whether there is more.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Names from the root on, without a slash at the end.
    pub(super) entries: BTreeMap<String, Entry>,
    /// What to ask with for the next page.
    pub(super) next: Option<String>,
}

/// Something that comes later.
pub(super) type Later<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// A bucket, or a web server.
pub(super) trait Server: Debug + Send + Sync {
    /// Whether names can be asked for: a web server answers only for one at a time.
    fn can_list(&self) -> bool;

    /// Names that begin with `start`, those behind the next `/` as one.
    fn page(&self, start: &str, next: Option<String>) -> Later<Page>;

    /// The object of this name, and its first bytes if the answer had some.
    fn head(&self, key: &str) -> Later<(Meta, Option<Vec<u8>>)>;

    /// The checksum that is kept of an object, which is to be the one that `meta` was said of.
    fn crc32c(&self, _key: &str, _meta: &Meta) -> Later<Option<Crc32c>> {
        Box::pin(async { Ok(None) })
    }

    /// These bytes of an object, which is to be the one that `meta` was said of.
    fn fetch(&self, key: &str, range: Range<u64>, meta: &Meta) -> Later<Vec<u8>>;
}
