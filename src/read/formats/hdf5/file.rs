//! The bytes of an HDF5 file by the addresses that it uses itself, and what its superblock says.
//!
//! Structures are small and lie between the data, so they are read through a few pages that are kept. Nothing in a file
//! keeps it from leading to the same bytes again and again: what is read of structures is counted, and a file that
//! asks for many times its own length is refused.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::fields::Fields;
use super::superblock::Superblock;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::limits::Limits;
use crate::read::storage::Source;

/// Bytes that are read together. Groups of small data sets lie within a few of them.
const PAGE: u64 = 16 << 10;
/// Most pages that are kept.
const PAGES: usize = 256;

/// An HDF5 file, or a member of an archive that is one.
#[derive(Debug)]
pub(in crate::read::formats) struct File {
    source: Arc<Source>,
    /// Where address 0 lies in the source.
    base: u64,
    /// Number of bytes from there on that are the file's.
    len: u64,
    pub(super) superblock: Superblock,
    pub(super) limits: Limits,
    /// Whether the source is the file on disk, so that its offsets mean something to others.
    pub(super) in_place: bool,
    pages: Mutex<BTreeMap<u64, Arc<[u8]>>>,
    /// Bytes of structures that may still be read.
    budget: AtomicU64,
}

impl File {
    /// Opens the file that takes `len` bytes of a source from `start` on.
    ///
    /// # Errors
    /// If it has no superblock, or one that is not read.
    pub(in crate::read::formats) fn open(source: Arc<Source>, start: u64, len: u64, limits: &Limits) -> Result<Self> {
        let at = Superblock::find(&source, start, len)?;
        // Addresses count from the superblock on, whatever lies before it.
        let (base, len) = (start.saturating_add(at), len.saturating_sub(at));
        let read = Superblock::read(&source, base, len);
        let superblock = read.map_err(|error| error.at_offset(base).in_file(source.path()))?;
        let file = Self {
            source,
            base,
            len,
            superblock,
            limits: limits.clone(),
            in_place: true,
            pages: Mutex::default(),
            budget: AtomicU64::new(0),
        };
        file.refill();
        Ok(file)
    }

    /// The same file, whose source is memory that it was unpacked into.
    pub(in crate::read::formats) fn unpacked(self) -> Self {
        Self { in_place: false, ..self }
    }

    /// Allows as many bytes of structures again as one walk through a file may take.
    pub(super) fn refill(&self) {
        self.budget.store((64 << 20) + self.len.saturating_mul(64), Ordering::Relaxed);
    }

    pub(in crate::read::formats) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Where an address lies in the source.
    pub(super) fn offset(&self, address: u64) -> u64 {
        self.base.saturating_add(address)
    }

    /// Number of bytes that there are behind address 0.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Names the file in an error.
    pub(super) fn located(&self, error: Error) -> Error {
        error.in_file(self.source.path())
    }

    /// What the file lacks of the length that its superblock says, if it is cut off: that length and its own.
    pub(super) fn cut(&self) -> Option<(u64, u64)> {
        let end = self.superblock.end;
        (end > self.len && end != u64::MAX).then_some((end, self.len))
    }

    /// Whether bytes lie in the file.
    pub(super) fn holds(&self, address: u64, len: u64) -> bool {
        address.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// The bytes of a structure.
    pub(super) fn bytes(&self, address: u64, len: u64) -> Result<Vec<u8>> {
        if !self.holds(address, len) {
            let kind = ErrorKind::Truncated { needed: len, available: self.len.saturating_sub(address) };
            return Err(self.located(Error::new(kind).at_offset(self.offset(address))));
        }
        // A structure of no bytes costs something too, or a file could ask for it for ever.
        let spend = |left: u64| left.checked_sub(len.saturating_add(32));
        if self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            let why = "its structures lead to the same bytes again and again";
            return Err(self.located(Error::malformed("HDF5 file", why).at_offset(self.offset(address))));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
        if len > PAGE {
            bytes.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
            self.read_data(&mut bytes, address)?;
            return Ok(bytes);
        }
        let end = address.saturating_add(len);
        let mut at = address;
        while at < end {
            let number = at / PAGE;
            let page = self.page(number)?;
            let first = usize::try_from(at % PAGE).unwrap_or(0);
            let until = end.min(number.saturating_add(1).saturating_mul(PAGE)).saturating_sub(number * PAGE);
            bytes.extend_from_slice(page.get(first..usize::try_from(until).unwrap_or(0)).unwrap_or_default());
            at = number.saturating_add(1).saturating_mul(PAGE);
        }
        Ok(bytes)
    }

    /// Fills `into` with bytes at an address, past the pages.
    pub(super) fn read_data(&self, into: &mut [u8], address: u64) -> Result<()> {
        if !self.holds(address, into.len() as u64) {
            let kind = ErrorKind::Truncated { needed: into.len() as u64, available: self.len.saturating_sub(address) };
            return Err(self.located(Error::new(kind).at_offset(self.offset(address))));
        }
        self.source.read_exact_at(into, self.offset(address))
    }

    /// The fields of a structure.
    pub(super) fn fields<'b>(&self, bytes: &'b [u8], address: u64) -> Fields<'b> {
        Fields::new(bytes, self.offset(address), self.superblock.offset_size, self.superblock.length_size)
    }

    fn page(&self, number: u64) -> Result<Arc<[u8]>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = pages.get(&number) {
            return Ok(Arc::clone(page));
        }
        let start = number.saturating_mul(PAGE);
        let len = PAGE.min(self.len.saturating_sub(start));
        let mut page = vec![0; usize::try_from(len).unwrap_or(0)];
        self.source.read_exact_at(&mut page, self.offset(start))?;
        let page: Arc<[u8]> = page.into();
        if pages.len() >= PAGES {
            // Walks go forward, so that the first page is the one that is done with.
            pages.pop_first();
        }
        pages.insert(number, Arc::clone(&page));
        Ok(page)
    }
}
