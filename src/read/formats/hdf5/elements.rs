//! Elements that are no run of little-endian numbers in the file: in chunks, big-endian, strings, or never written.

use std::collections::BTreeMap;

use super::attribute::string;
use super::chunks::{self, Chunk, Grid};
use super::data_set::DataSet;
use super::datatype::Element;
use super::file::File;
use super::filters::undo;
use super::heap::GlobalHeap;
use super::layout::Layout;
use crate::base::error::{Error, ErrorKind, Part, Result};
use crate::base::parallel::in_order;
use crate::read::tensor::{Checked, ElementReader, Sink, swap_to_little};

/// Bytes handed on at a time.
const WINDOW: u64 = 64 << 10;
/// Bytes of unpacked chunks that are kept: those that the elements of one row of chunks lie in.
const KEPT: u64 = 256 << 20;

/// Bytes of chunks that are unpacked at a time, on all cores.
const AHEAD: u64 = 8 << 20;
/// Data sets with fewer bytes are unpacked by one thread.
const PARALLEL: u64 = 4 << 20;

/// Reads the elements of one data set in C order.
pub(super) struct DataSetReader<'f> {
    file: &'f File,
    set: &'f DataSet,
    heap: GlobalHeap,
    chunks: Option<Chunks>,
    /// Elements that were handed out.
    read: u64,
}

/// The chunks of a data set: where each is stored, and those that were unpacked lately.
struct Chunks {
    /// With dimensions that chunks do not divide taken together.
    grid: Grid,
    stored: Vec<Chunk>,
    unpacked: BTreeMap<u64, Vec<u8>>,
    kept: u64,
    /// Whether every chunk that was unpacked had a checksum, and it was right.
    summed: bool,
}

/// How many threads are worth it for chunks of this size.
fn threads(file: &File, chunks: &Chunks) -> usize {
    let whole = chunks.grid.bytes.saturating_mul(chunks.stored.len() as u64);
    if whole < PARALLEL { 1 } else { file.limits.workers() }
}

impl<'f> DataSetReader<'f> {
    pub(super) fn open(file: &'f File, set: &'f DataSet) -> Result<Self> {
        file.refill();
        let chunks = Chunks::open(file, set)?;
        Ok(Self { file, set, heap: GlobalHeap::default(), chunks, read: 0 })
    }

    /// The stored bytes of elements.
    fn stored(&mut self, first: u64, count: u64, into: &mut Vec<u8>) -> Result<()> {
        let size = self.set.element.size();
        let (start, len) = (first.saturating_mul(size), count.saturating_mul(size));
        into.clear();
        match &self.set.layout {
            Layout::Compact { bytes, .. } => {
                let part = usize::try_from(start).ok().zip(usize::try_from(len).ok());
                let part = part.and_then(|(start, len)| bytes.get(start..start.checked_add(len)?));
                into.extend_from_slice(part.ok_or_else(|| bad("elements beyond its end"))?);
            }
            Layout::Contiguous { address: Some(address), .. } => {
                into.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
                self.file.read_data(into, address.saturating_add(start))?;
            }
            Layout::Contiguous { address: None, .. } => fill(self.set, count, into),
            Layout::Chunked { .. } => {
                let (mut at, end) = (first, first.saturating_add(count));
                while at < end {
                    let chunks = self.chunks.as_mut().ok_or_else(|| bad("it has no chunks"))?;
                    at = at.saturating_add(chunks.copy(self.file, self.set, at, end.saturating_sub(at), into)?);
                }
            }
        }
        Ok(())
    }
}

impl ElementReader for DataSetReader<'_> {
    fn read(&mut self, first: u64, count: u64, sink: &mut Sink<'_>) -> Result<()> {
        let size = self.set.element.size().max(1);
        let step = (WINDOW / size).max(1);
        let (mut at, end) = (first, first.saturating_add(count));
        let mut bytes = Vec::new();
        while at < end {
            let take = step.min(end.saturating_sub(at));
            self.stored(at, take, &mut bytes).map_err(|error| self.file.located(error).at_part(Part::TensorData))?;
            match &self.set.element {
                Element::Number { dtype, big_endian } => {
                    if *big_endian {
                        swap_to_little(*dtype, &mut bytes);
                    }
                    sink(&bytes)?;
                }
                element => {
                    for stored in bytes.chunks_exact(usize::try_from(size).unwrap_or(usize::MAX)) {
                        let text = string(self.file, &mut self.heap, element, stored);
                        sink(&text.map_err(|error| self.file.located(error))?)?;
                    }
                }
            }
            at = at.saturating_add(take);
        }
        self.read = self.read.saturating_add(count);
        Ok(())
    }

    fn finish(&mut self) -> Result<Checked> {
        let all = Some(self.read) == self.set.elements();
        let summed = self.set.is_summed() && self.chunks.as_ref().is_some_and(|chunks| chunks.summed);
        Ok(if all && summed { Checked::Verified } else { Checked::Not })
    }
}

/// Reads all chunks once, in the order in which they are stored in the grid; says whether all had checksums.
pub(super) fn verify(file: &File, set: &DataSet) -> Result<Checked> {
    file.refill();
    let Some(mut chunks) = Chunks::open(file, set)? else { return Ok(Checked::Not) };
    let threads = threads(file, &chunks);
    let (mut summed, mut first) = (true, None);
    let unpack = |(): &mut (), n: usize| chunks.stored.get(n).map(|chunk| chunks.unpack(file, set, chunk));
    in_order(
        chunks.stored.len(),
        threads,
        || (),
        |none, n| unpack(none, n).map(|read| read.map(|(_, sum)| sum)),
        |_, read| match read {
            Some(Ok(sum)) => summed &= sum,
            Some(Err(error)) => drop(first.get_or_insert(error)),
            None => {}
        },
    );
    if let Some(error) = first {
        return Err(file.located(error).at_part(Part::TensorData));
    }
    chunks.summed = summed;
    Ok(if set.is_summed() && chunks.summed { Checked::Verified } else { Checked::Not })
}

impl Chunks {
    fn open(file: &File, set: &DataSet) -> Result<Option<Self>> {
        let (Some(grid), Layout::Chunked { index, address, .. }) = (set.grid(), &set.layout) else { return Ok(None) };
        let read = chunks::read(file, &grid, *index, *address, !set.filters.is_empty(), set.layout_version);
        let stored = read.map_err(|error| file.located(error))?;
        Ok(Some(Self { grid: joined(grid), stored, unpacked: BTreeMap::new(), kept: 0, summed: true }))
    }

    /// Copies elements from `first` on, as many as lie together in one chunk and are not more than `most`.
    fn copy(&mut self, file: &File, set: &DataSet, first: u64, most: u64, into: &mut Vec<u8>) -> Result<u64> {
        let (mut rest, mut number, mut within) = (first, 0u64, 0u64);
        let (mut blocks, mut elements, mut together) = (1u64, 1u64, 0u64);
        // From the innermost dimension outwards: where in the grid, and where in the chunk.
        for (n, (dim, chunk)) in self.grid.dims.iter().zip(&self.grid.chunk).enumerate().rev() {
            let at = if n == 0 { rest } else { rest.checked_rem(*dim).unwrap_or(0) };
            rest = rest.checked_div(*dim).unwrap_or(0);
            let (block, inside) = (at.checked_div(*chunk).unwrap_or(0), at.checked_rem(*chunk).unwrap_or(0));
            if blocks == 1 && elements == 1 && together == 0 {
                together = chunk.saturating_sub(inside).min(dim.saturating_sub(at));
            }
            number = number.saturating_add(block.saturating_mul(blocks));
            within = within.saturating_add(inside.saturating_mul(elements));
            blocks = blocks.saturating_mul(dim.div_ceil((*chunk).max(1)));
            elements = elements.saturating_mul(*chunk);
        }
        let count = together.clamp(1, most.max(1));
        let size = set.element.size();
        let Some(bytes) = self.chunk(file, set, number)? else {
            fill(set, count, into);
            return Ok(count);
        };
        let start = usize::try_from(within.saturating_mul(size)).unwrap_or(usize::MAX);
        let len = usize::try_from(count.saturating_mul(size)).unwrap_or(usize::MAX);
        let part = bytes.get(start..start.saturating_add(len)).ok_or_else(|| bad("elements beyond a chunk"))?;
        into.extend_from_slice(part);
        Ok(count)
    }

    /// The bytes of a chunk; `None` if it was never written.
    fn chunk(&mut self, file: &File, set: &DataSet, number: u64) -> Result<Option<&[u8]>> {
        if !self.unpacked.contains_key(&number) {
            let Ok(at) = self.stored.binary_search_by_key(&number, |chunk| chunk.number) else { return Ok(None) };
            self.unpack_ahead(file, set, at)?;
            while self.kept > KEPT && self.unpacked.len() > 1 {
                // Elements come in order: the first chunk is the one that is done with, unless it was just read.
                let first = self.unpacked.keys().find(|key| **key != number).copied().unwrap_or(number);
                let gone = self.unpacked.remove(&first).unwrap_or_default();
                self.kept = self.kept.saturating_sub(gone.len() as u64);
            }
        }
        Ok(self.unpacked.get(&number).map(Vec::as_slice))
    }

    /// Unpacks a chunk, and on all cores those behind it, which are wanted next.
    fn unpack_ahead(&mut self, file: &File, set: &DataSet, at: usize) -> Result<()> {
        let behind = self.stored.get(at..).unwrap_or_default();
        let most = usize::try_from(AHEAD / self.grid.bytes.max(1)).unwrap_or(1).clamp(1, behind.len().max(1));
        let wanted = behind.iter().take(most).filter(|chunk| !self.unpacked.contains_key(&chunk.number));
        let wanted: Vec<&Chunk> = wanted.collect();
        let threads = if set.filters.is_empty() { 1 } else { threads(file, self) };
        let mut read = Vec::with_capacity(wanted.len());
        let unpack = |(): &mut (), n: usize| wanted.get(n).map(|chunk| (chunk.number, self.unpack(file, set, chunk)));
        in_order(wanted.len(), threads, || (), unpack, |_, chunk| read.extend(chunk));
        for (n, (number, chunk)) in read.into_iter().enumerate() {
            match chunk {
                Ok((bytes, summed)) => {
                    self.summed &= summed;
                    self.kept = self.kept.saturating_add(bytes.len() as u64);
                    self.unpacked.insert(number, bytes);
                }
                // Of one that is not wanted yet it is told when it is.
                Err(error) if n == 0 => return Err(error),
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The bytes of a chunk, and whether it had a checksum.
    fn unpack(&self, file: &File, set: &DataSet, chunk: &Chunk) -> Result<(Vec<u8>, bool)> {
        let here = |error: Error| error.at_offset(file.offset(chunk.address));
        let whole = usize::try_from(self.grid.bytes).unwrap_or(usize::MAX);
        if !file.holds(chunk.address, chunk.len) {
            let available = file.len().saturating_sub(chunk.address);
            return Err(here(ErrorKind::Truncated { needed: chunk.len, available }.into()));
        }
        let is_packed = !set.filters.is_empty() && !self.is_bare_edge(set, chunk.number);
        if !is_packed && chunk.len != self.grid.bytes {
            let why = format!("{} bytes are stored, {whole} belong into it", chunk.len);
            return Err(here(Error::malformed("HDF5 chunk", why)));
        }
        let mut bytes = vec![0; usize::try_from(chunk.len).unwrap_or(usize::MAX)];
        file.read_data(&mut bytes, chunk.address)?;
        if !is_packed {
            return Ok((bytes, false));
        }
        undo(&set.filters, chunk.mask, bytes, whole).map_err(here)
    }

    /// Whether a chunk reaches beyond the data set and was, for that, not filtered.
    fn is_bare_edge(&self, set: &DataSet, mut number: u64) -> bool {
        if !matches!(set.layout, Layout::Chunked { whole_edges: false, .. }) {
            return false;
        }
        let dims = self.grid.dims.iter().zip(&self.grid.chunk).zip(self.grid.counts()).rev();
        let mut reaches = false;
        for ((dim, chunk), count) in dims {
            let at = number.checked_rem(count).unwrap_or(0);
            number = number.checked_div(count).unwrap_or(0);
            reaches |= at.saturating_add(1).saturating_mul(*chunk) > *dim;
        }
        reaches
    }
}

/// Dimensions that chunks do not divide are one with the dimension before: rows of one chunk then lie together.
fn joined(mut grid: Grid) -> Grid {
    while grid.dims.len() > 1 && grid.dims.last() == grid.chunk.last() {
        let (Some(dim), Some(chunk)) = (grid.dims.pop(), grid.chunk.pop()) else { break };
        if let (Some(last), Some(last_chunk)) = (grid.dims.last_mut(), grid.chunk.last_mut()) {
            *last = last.saturating_mul(dim);
            *last_chunk = last_chunk.saturating_mul(chunk);
        }
    }
    grid
}

/// Adds elements that were never written.
fn fill(set: &DataSet, count: u64, into: &mut Vec<u8>) {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if let Some(value) = &set.fill {
        (0..count).for_each(|_| into.extend_from_slice(value));
        return;
    }
    let size = usize::try_from(set.element.size()).unwrap_or(usize::MAX);
    into.resize(into.len().saturating_add(count.saturating_mul(size)), 0);
}

fn bad(why: &'static str) -> Error {
    Error::malformed("HDF5 data set", why)
}
