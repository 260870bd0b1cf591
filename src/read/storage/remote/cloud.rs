//! One bucket by `object_store`, which signs, asks again and pages.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;

use object_store::list::PaginatedListOptions;
use object_store::path::Path as Name;
use object_store::{GetOptions, GetRange, GetResult, ListResult, ObjectMeta};

use super::super::address::Scheme;
use super::access::{Access, Reopen, Seen, watched};
use super::fault::{self, Answer};
use super::net;
use super::place::{Entry, Later, Meta, Page, Server};
use crate::base::fault::Fault;
use crate::read::wire::Crc32c;

/// A bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    scheme: Scheme,
    name: String,
    access: Arc<RwLock<Access>>,
    reopen: Option<Reopen>,
    /// How to have the store tell its checksums, where it does not always.
    summed: Option<Reopen>,
}

impl fmt::Debug for Bucket {
    /// Without what the store knows: it has credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("scheme", &self.scheme).field("name", &self.name).finish_non_exhaustive()
    }
}

fn meta_of(meta: &ObjectMeta) -> Meta {
    Meta { len: meta.size, modified: Some(SystemTime::from(meta.last_modified)), tag: meta.e_tag.clone() }
}

impl Bucket {
    /// A bucket to which there is access, and how to have it elsewhere if it turns out to lie there.
    pub(super) fn new(scheme: Scheme, name: String, access: Access) -> Self {
        Self { scheme, name, access: Arc::new(RwLock::new(access)), reopen: None, summed: None }
    }

    /// The same bucket, which may turn out to lie elsewhere.
    pub(super) fn or_elsewhere(self, reopen: Reopen) -> Self {
        Self { reopen: Some(reopen), ..self }
    }

    /// The same bucket, whose checksums must be asked for.
    pub(super) fn with_sums(self, summed: Reopen) -> Self {
        Self { summed: Some(summed), ..self }
    }

    fn access(&self) -> Access {
        self.access.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What an error means; `None` if the bucket was found to lie elsewhere, where it is to be asked again.
    fn told(&self, access: &Access, error: &object_store::Error, seen: Seen) -> Option<io::Error> {
        if let (Some(region), Some(reopen), false) = (&seen.region, self.reopen, access.moved_to.is_some())
            && matches!(seen.status, 301 | 307 | 400)
            && let Ok(moved) = reopen(&self.name, Some(region))
        {
            *self.access.write().unwrap_or_else(PoisonError::into_inner) =
                Access { moved_to: Some(region.clone()), ..moved };
            return None;
        }
        if access.is_signed && seen.has_no_credentials {
            return Some(fault::no_credentials(self.scheme));
        }
        let answer = Answer { status: seen.status, code: None, region: seen.region, is_signed: access.is_signed };
        Some(fault::of_store(error, self.scheme, answer))
    }

    /// Names that begin so, the one that is no longer too.
    ///
    /// Of Azure the crate leaves out what is called exactly as it was asked for (`to_list_result` in `azure/client.rs`),
    /// because there a directory may be among the objects.
    async fn listed_with_itself(self, start: String, next: Option<String>) -> io::Result<Page> {
        let is_first = next.is_none();
        let mut page = self.clone().listed(start.clone(), next).await?;
        let may_lack = self.scheme == Scheme::Az && is_first && !start.is_empty() && !start.ends_with('/');
        if may_lack && !page.entries.contains_key(&start) {
            match self.clone().asked(start.clone()).await {
                Ok((meta, _)) => {
                    page.entries.insert(start, Entry::File(meta));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(page)
    }

    async fn listed(self, start: String, next: Option<String>) -> io::Result<Page> {
        loop {
            let access = self.access();
            let options =
                PaginatedListOptions { delimiter: Some("/".into()), page_token: next.clone(), ..Default::default() };
            let prefix = Some(&*start).filter(|start| !start.is_empty());
            let (answer, seen) = watched(access.pages.list_paginated(prefix, options)).await;
            match answer {
                Ok(answer) => {
                    let next = answer.page_token;
                    return Ok(Page { entries: entries(&answer.result), next });
                }
                Err(error) => {
                    if let Some(error) = self.told(&access, &error, seen) {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn got(&self, key: &str, options: GetOptions) -> io::Result<(GetResult, Seen)> {
        let invalid = || Fault::new("this is no name of an object: it has empty parts, or `.` or `..`");
        let name = Name::parse(key).map_err(|_| invalid().of_kind(io::ErrorKind::InvalidInput))?;
        loop {
            let access = self.access();
            let (answer, seen) = watched(access.objects.get_opts(&name, options.clone())).await;
            match answer {
                Ok(answer) => return Ok((answer, seen)),
                // It is shorter now.
                Err(_) if options.range.is_some() && seen.status == 416 => {
                    return Err(fault::changed());
                }
                // What it sent was no answer to what was asked.
                Err(_) if matches!((&options.range, seen.status), (Some(_), 200 | 206)) => {
                    return Err(fault::no_answer(seen.status));
                }
                Err(error) => match self.told(&access, &error, seen) {
                    // It was there when it was opened.
                    Some(error) if options.range.is_some() && error.kind() == io::ErrorKind::NotFound => {
                        return Err(fault::changed());
                    }
                    Some(error) => return Err(error),
                    None => {}
                },
            }
        }
    }

    async fn asked(self, key: String) -> io::Result<(Meta, Option<Vec<u8>>)> {
        let (answer, _) = self.got(&key, GetOptions { head: true, ..Default::default() }).await?;
        Ok((meta_of(&answer.meta), None))
    }

    async fn sum(self, key: String, meta: Meta) -> io::Result<Option<Crc32c>> {
        let asked = match self.summed {
            Some(summed) => {
                let moved = self.access().moved_to;
                Self { access: Arc::new(RwLock::new(summed(&self.name, moved.as_deref())?)), ..self.clone() }
            }
            None => self,
        };
        let (answer, seen) = asked.got(&key, GetOptions { head: true, ..Default::default() }).await?;
        if !meta.is_still(answer.meta.e_tag.as_deref(), Some(answer.meta.size)) {
            return Err(fault::changed());
        }
        Ok(seen.crc32c)
    }

    async fn bytes(self, key: String, range: Range<u64>, meta: Meta) -> io::Result<Vec<u8>> {
        let asked = range.end.saturating_sub(range.start);
        let mut got = 0;
        // What breaks off is gone on with below; this is for what was broken off again and again.
        for tried in 0..2 {
            let options = GetOptions {
                range: Some(GetRange::Bounded(range.clone())),
                if_match: meta.strong_tag().map(str::to_owned),
                ..Default::default()
            };
            let (answer, _) = self.got(&key, options).await?;
            if !meta.is_still(answer.meta.e_tag.as_deref(), Some(answer.meta.size)) {
                return Err(fault::changed());
            }
            if answer.range != range {
                let got = format!("{}-{}", answer.range.start, answer.range.end.saturating_sub(1));
                return Err(fault::wrong_range(&range, &got));
            }
            match answer.bytes().await {
                Ok(bytes) if bytes.len() as u64 == asked => return Ok(bytes.into()),
                Ok(bytes) => got = bytes.len() as u64,
                Err(object_store::Error::Precondition { .. }) => return Err(fault::changed()),
                Err(_) => {}
            }
            net::pause(tried, None).await;
        }
        Err(fault::cut(asked, got))
    }
}

/// The names of one answer.
fn entries(listed: &ListResult) -> BTreeMap<String, Entry> {
    let folders = listed.common_prefixes.iter().map(|folder| (folder.to_string(), Entry::Folder));
    let mut entries: BTreeMap<String, Entry> = folders.collect();
    for object in &listed.objects {
        let name = object.location.to_string();
        // An object of no bytes beside names that go on is how some programs make folders.
        if object.size > 0 || !entries.contains_key(&name) {
            entries.insert(name, Entry::File(meta_of(object)));
        }
    }
    entries
}

impl Server for Bucket {
    fn can_list(&self) -> bool {
        true
    }

    fn page(&self, start: &str, next: Option<String>) -> Later<Page> {
        Box::pin(self.clone().listed_with_itself(start.to_owned(), next))
    }

    fn head(&self, key: &str) -> Later<(Meta, Option<Vec<u8>>)> {
        Box::pin(self.clone().asked(key.to_owned()))
    }

    fn crc32c(&self, key: &str, meta: &Meta) -> Later<Option<Crc32c>> {
        Box::pin(self.clone().sum(key.to_owned(), meta.clone()))
    }

    fn fetch(&self, key: &str, range: Range<u64>, meta: &Meta) -> Later<Vec<u8>> {
        Box::pin(self.clone().bytes(key.to_owned(), range, meta.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::net;
    use super::*;
    use object_store::ObjectStoreExt;
    use object_store::list::{PaginatedListResult, PaginatedListStore};
    use object_store::memory::InMemory;

    /// Leaves out what is asked for, as the crate does of Azure.
    struct Nothing;

    #[async_trait::async_trait]
    impl PaginatedListStore for Nothing {
        async fn list_paginated(
            &self,
            _prefix: Option<&str>,
            _options: PaginatedListOptions,
        ) -> object_store::Result<PaginatedListResult> {
            let result = ListResult {
                common_prefixes: Vec::new(),
                objects: Vec::new(),
                extensions: object_store::Extensions::default(),
            };
            Ok(PaginatedListResult { result, page_token: None })
        }
    }

    #[test]
    fn in_azure_an_object_is_found_by_its_whole_name() {
        let objects = Arc::new(InMemory::new());
        let there = Arc::clone(&objects);
        net::wait(async move { Ok(there.put(&Name::from("run/m.npz"), "PK".into()).await?) }).unwrap();
        let access = Access { objects, pages: Arc::new(Nothing), is_signed: false, moved_to: None };
        let bucket = Bucket::new(Scheme::Az, "container".to_owned(), access);
        let found = |name: &str| net::wait(bucket.page(name, None)).unwrap().entries.get(name).cloned();
        assert!(matches!(found("run/m.npz"), Some(Entry::File(meta)) if meta.len == 2));
        assert!(found("run/m").is_none() && found("run/").is_none());
    }
}
