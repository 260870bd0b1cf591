//! The data shards of a bundle, opened when first needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{BundleEntry, Prefix, ShardName};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::escape::Escaped;
use crate::read::storage::{self, Source};

/// How many shards are kept open at once. More would be closed where a process may have no more files (`LocalFile`), but
/// what else runs in it wants some too.
const MOST_OPEN: usize = 64;

/// Opens shards by number and keeps them open.
#[derive(Debug)]
pub struct Shards {
    prefix: Prefix,
    count: i32,
    open: Mutex<BTreeMap<i32, Arc<Source>>>,
    /// What was last said of a missing shard: a million tensors may lie in it, and each of them says so.
    missing: Mutex<Option<(i32, String)>>,
}

impl Shards {
    /// The shards of a bundle whose header names `num_shards`. Nothing is opened.
    pub fn new(prefix: Prefix, num_shards: i32) -> Self {
        Self { prefix, count: num_shards, open: Mutex::default(), missing: Mutex::default() }
    }

    /// Shards that are open already, by number.
    pub fn given(prefix: Prefix, sources: Vec<Arc<Source>>) -> Self {
        let open: BTreeMap<i32, Arc<Source>> = (0..).zip(sources).collect();
        let count = i32::try_from(open.len()).unwrap_or(i32::MAX);
        Self { prefix, count, open: Mutex::new(open), missing: Mutex::default() }
    }

    /// Whether a shard is open.
    pub fn is_open(&self, id: i32) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    /// The shard with this number.
    ///
    /// # Errors
    /// If the header does not count it, or its file cannot be opened.
    pub fn get(&self, id: i32) -> Result<Arc<Source>> {
        if !(0..self.count).contains(&id) {
            let why = format!("shard {id}, but the header counts {} shards", self.count);
            return Err(Error::malformed("BundleEntryProto", why));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(source) = open.get(&id) {
            return Ok(Arc::clone(source));
        }
        let path = self.prefix.shard(id, self.count);
        let source = Source::open(&path).map_err(|error| match error.kind() {
            ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {
                error.with_help(self.help_for_missing(id))
            }
            _ => error,
        })?;
        let source = Arc::new(source);
        if open.len() >= MOST_OPEN {
            open.pop_first();
        }
        open.insert(id, Arc::clone(&source));
        Ok(source)
    }

    /// What to do about a shard that is not there. Merging checkpoints of which one has no tensors leaves files whose
    /// names count fewer shards than the header does; TensorFlow cannot read those either.
    fn help_for_missing(&self, id: i32) -> String {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if missing.as_ref().is_none_or(|(last, _)| *last != id) {
            *missing = Some((id, self.look_for_missing(id)));
        }
        missing.as_ref().map(|(_, help)| help.clone()).unwrap_or_default()
    }

    fn look_for_missing(&self, id: i32) -> String {
        let base = self.prefix.base_name().to_string_lossy().into_owned();
        let other = storage::names(&self.prefix.directory()).unwrap_or_default().into_iter().find(|name| {
            let shard = name.strip_prefix(&base).and_then(ShardName::parse);
            shard.is_some_and(|shard| i64::from(shard.id) == i64::from(id))
        });
        match other {
            Some(name) => format!(
                "{} is there, named after another number of shards than the {} that the header counts (a merge that went \
                 wrong, or a file of another checkpoint); if it belongs here, give it this name",
                Escaped(name.as_bytes()),
                self.count
            ),
            None => {
                "the tensors in this shard cannot be read; fetch the file again, under exactly this name".to_owned()
            }
        }
    }

    /// The shard and range of an entry, after checking the entry against dtype, shape and the shard's length.
    ///
    /// # Errors
    /// If the entry contradicts itself or the shard is missing or too short.
    pub fn locate(&self, entry: &BundleEntry) -> Result<(Arc<Source>, std::ops::Range<u64>)> {
        entry.check_size()?;
        let range = entry.range()?;
        let source = self.get(entry.shard_id)?;
        if range.end > source.len() {
            let (needed, available) = (range.end, source.len());
            let error = Error::new(ErrorKind::Truncated { needed, available });
            let error = error.at_part(Part::TensorData).at_offset(range.start).in_file(source.path());
            return Err(error.with_help("the shard is shorter than its index says; fetch it again"));
        }
        Ok((source, range))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_many_shards_stay_open() {
        let dir = tempfile::tempdir().unwrap();
        let prefix = Prefix::new(dir.path().join("m"));
        let count = 100;
        for id in 0..count {
            std::fs::write(prefix.shard(id, count), [0]).unwrap();
        }
        let shards = Shards::new(prefix, count);
        for id in (0..count).chain(0..count) {
            assert_eq!(shards.get(id).unwrap().len(), 1);
        }
        assert_eq!(shards.open.lock().unwrap().len(), MOST_OPEN);
    }
}
