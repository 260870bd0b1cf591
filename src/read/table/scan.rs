//! Going through all entries of a table, by one thread or several, and what is met on the way.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{BlockBuffer, BlockHandle, Disorder, Entry, Table, footer};
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::limits::Reports;
use crate::base::parallel::in_parts;

impl Table {
    /// Hands every entry of the table to `visit`, in stored order. A block that cannot be read costs its own entries;
    /// the scan goes on behind it.
    ///
    /// # Errors
    /// Whatever `visit` returns; it ends the scan.
    pub fn scan(&self, mut visit: impl FnMut(&Entry<'_, '_>) -> Result<()>) -> Result<Scan> {
        self.source.expect(0..self.source.len());
        let part = self.scan_blocks(0..self.blocks.len(), &mut |entry| visit(entry))?;
        Ok(self.join(vec![part]))
    }

    /// As [`Table::scan`], by several threads where the blocks lie beside each other, as in every sound table: each
    /// begins with a whole key, so none needs another. `visit` gets what `make` made for the blocks that a thread took
    /// together; all of these are returned, in the order of the blocks.
    ///
    /// # Errors
    /// Whatever `visit` returns first, which depends on the threads.
    pub fn scan_parts<S: Send>(
        &self,
        threads: usize,
        make: impl Fn() -> S + Sync,
        visit: impl Fn(&mut S, &Entry<'_, '_>) -> Result<()> + Sync,
    ) -> Result<(Vec<S>, Scan)> {
        let threads = if self.is_disjoint() { threads } else { 1 };
        self.source.expect(0..self.source.len());
        let found = in_parts(self.blocks.len(), threads, |blocks| {
            let mut state = make();
            let scanned = self.scan_blocks(blocks, &mut |entry| visit(&mut state, entry));
            (state, scanned)
        });
        let mut states = Vec::with_capacity(found.len());
        let mut scanned = Vec::with_capacity(found.len());
        for (state, part) in found {
            states.push(state);
            scanned.push(part?);
        }
        Ok((states, self.join(scanned)))
    }

    /// Whether no two data blocks share bytes. If some do, what has been read decides what else may be.
    fn is_disjoint(&self) -> bool {
        let mut ranges: Vec<(u64, u64)> =
            self.blocks.iter().map(|handle| (handle.offset, Claims::end(handle))).collect();
        ranges.sort_unstable();
        ranges.is_sorted_by(|a, b| a.1 <= b.0)
    }

    fn join(&self, parts: Vec<ScannedPart>) -> Scan {
        let mut lost = Reports::new("blocks that cannot be read", &self.limits);
        let mut disorder = Reports::new("keys out of order", &self.limits);
        let mut misplaced = Reports::new("faults of blocks", &self.limits);
        let mut previous: Option<Vec<u8>> = None;
        for part in parts {
            if let Some(first) = part.first {
                if let Some(previous) = previous.take().filter(|p| *p >= first.key) {
                    disorder.add(|| self.out_of_order(first.block, previous, &first.key, first.offset));
                }
                previous = Some(part.last);
            }
            lost.append(part.lost);
            disorder.append(part.disorder);
            misplaced.append(part.misplaced);
        }
        let disordered = !disorder.is_empty();
        let mut notes = disorder.into_errors();
        notes.append(&mut misplaced.into_errors());
        Scan { lost: lost.into_errors(), notes, disordered }
    }

    #[cold]
    fn out_of_order(&self, block: usize, previous: Vec<u8>, next: &[u8], offset: u64) -> Error {
        let error = Error::new(ErrorKind::KeysOutOfOrder { previous, next: next.to_vec() }).at_offset(offset);
        error.at_part(Part::DataBlock(block)).in_file(self.source.path())
    }

    fn scan_blocks(
        &self,
        range: Range<usize>,
        visit: &mut dyn FnMut(&Entry<'_, '_>) -> Result<()>,
    ) -> Result<ScannedPart> {
        let mut part = ScannedPart {
            lost: Reports::new("blocks that cannot be read", &self.limits),
            disorder: Reports::new("keys out of order", &self.limits),
            misplaced: Reports::new("faults of blocks", &self.limits),
            first: None,
            last: Vec::new(),
        };
        let ScannedPart { lost, disorder, misplaced, first: first_of_all, last } = &mut part;
        let mut buffer = BlockBuffer::default();
        let mut claims = Claims::new(self.source.len());
        let blocks = self.blocks.iter().zip(&self.separators).enumerate();
        for (n, (handle, separator)) in blocks.skip(range.start).take(range.len()) {
            let here = |e: Error| e.at_part(Part::DataBlock(n)).in_file(self.source.path());
            if let Err(error) = claims.check(handle) {
                lost.add(|| here(error));
                continue;
            }
            let block = match self.read_mended(n, &mut buffer) {
                Ok((block, flipped)) => {
                    if let Some(error) = flipped {
                        lost.add(|| error);
                    }
                    block
                }
                Err(error) => {
                    lost.add(|| error);
                    if !claims.allow_waste(handle) {
                        let why = "its handles ask for more bytes than the file has; further blocks were not read";
                        lost.add(|| here(Error::malformed("index block", why)));
                        break;
                    }
                    continue;
                }
            };
            claims.claim(handle);
            let mut entries = block.entries();
            let mut first = true;
            let mut whole = true;
            loop {
                match entries.next_entry() {
                    Ok(Some(entry)) => {
                        if first {
                            let before = n.checked_sub(1).and_then(|n| self.separators.get(n));
                            if before.is_some_and(|separator| separator.as_ref() >= entry.key) {
                                misplaced.add(|| here(bad_separator()));
                            }
                            // Within a block the order follows from comparing neighbours; across blocks, from the last.
                            if first_of_all.is_none() {
                                *first_of_all =
                                    Some(FirstKey { key: entry.key.to_vec(), block: n, offset: entry.offset });
                            } else if last.as_slice() >= entry.key {
                                disorder.add(|| self.out_of_order(n, last.clone(), entry.key, entry.offset));
                            }
                        }
                        first = false;
                        visit(&entry)?;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        lost.add(|| here(error));
                        whole = false;
                        break;
                    }
                }
                match entries.take_disorder() {
                    None => {}
                    Some(Disorder::Described(error)) => disorder.add(|| here(error)),
                    Some(Disorder::OneMore) => disorder.add_more(),
                }
            }
            if whole && let Some(error) = entries.restart_fault() {
                misplaced.add(|| here(error));
            }
            if !first {
                if whole && separator.as_ref() < entries.key() {
                    misplaced.add(|| here(bad_separator()));
                }
                last.clear();
                last.extend_from_slice(entries.key());
            }
        }
        Ok(part)
    }
}

/// What a scan of blocks that follow each other met.
struct ScannedPart {
    lost: Reports,
    disorder: Reports,
    misplaced: Reports,
    /// The first key, if there is any.
    first: Option<FirstKey>,
    /// The last key.
    last: Vec<u8>,
}

struct FirstKey {
    key: Vec<u8>,
    block: usize,
    offset: u64,
}

/// What a scan of a whole table met.
#[derive(Debug)]
pub struct Scan {
    /// Blocks, or the ends of blocks, whose entries are lost.
    pub lost: Vec<Error>,
    /// What is wrong but costs nothing here: keys out of order, look-up aids that mislead TensorFlow.
    pub notes: Vec<Error>,
    /// Whether keys are out of order.
    pub disordered: bool,
}

/// Which bytes of the file have been read as blocks: no two blocks can be made of the same bytes, so that a small file
/// of many handles does not cost more than its size.
struct Claims {
    /// Start and end of every block that was read.
    taken: BTreeMap<u64, u64>,
    /// How many bytes may still be read in vain. A few wrong handles among good ones are no reason to give up.
    spare: u64,
}

impl Claims {
    fn new(len: u64) -> Self {
        Self { taken: BTreeMap::new(), spare: len.saturating_mul(4) }
    }

    fn end(handle: &BlockHandle) -> u64 {
        handle.offset.saturating_add(handle.size).saturating_add(footer::TRAILER_LEN)
    }

    fn check(&self, handle: &BlockHandle) -> Result<()> {
        let before = self.taken.range(..Self::end(handle)).next_back();
        match before {
            Some((start, end)) if *end > handle.offset => {
                let why = format!("its bytes {start} to {end} have been read as another block");
                Err(Error::malformed("bad block handle", why).at_offset(handle.offset))
            }
            _ => Ok(()),
        }
    }

    fn claim(&mut self, handle: &BlockHandle) {
        self.taken.insert(handle.offset, Self::end(handle));
    }

    fn allow_waste(&mut self, handle: &BlockHandle) -> bool {
        self.spare = self.spare.saturating_sub(handle.size);
        self.spare > 0
    }
}

#[cold]
fn bad_separator() -> Error {
    let why =
        "its key in the index block does not part it from its neighbours; TensorFlow looks names up in the wrong block";
    Error::malformed("index block", why)
}
