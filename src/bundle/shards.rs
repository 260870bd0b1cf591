//! The data shards of a bundle, opened when first needed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{BundleEntry, Prefix};
use crate::error::{Error, ErrorKind, Part, Result};
use crate::storage::Source;

/// Opens shards by number and keeps them open.
#[derive(Debug)]
pub struct Shards {
    prefix: Prefix,
    count: i32,
    open: Mutex<BTreeMap<i32, Arc<Source>>>,
}

impl Shards {
    /// The shards of a bundle whose header names `num_shards`. Nothing is opened.
    pub fn new(prefix: Prefix, num_shards: i32) -> Self {
        Self { prefix, count: num_shards, open: Mutex::default() }
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
                let help = "the tensors in this shard cannot be read; fetch the file again, under exactly this name";
                error.with_help(help)
            }
            _ => error,
        })?;
        let source = Arc::new(source);
        open.insert(id, Arc::clone(&source));
        Ok(source)
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
