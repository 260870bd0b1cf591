//! One object: reads are answered from blocks that are here, and what is missing is asked for in ranges that are worth a
//! request.
//!
//! Three kinds of reading are told apart. An object that is small comes whole. Bytes that somebody said will all be read
//! ([`ReadAt::expect`]) come in ranges of 8 MiB, sixteen at once, ahead of who reads them. All else comes as it is asked
//! for, 64 KiB at least, and more with each request that goes on where the last one ended.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Weak};

use super::super::source::ReadAt;
use super::blocks::{self, Blocks, Found};
use super::net;
use super::place::{Meta, Server};

/// A range of a request; larger ones make nothing faster.
pub(super) const RANGE: u64 = 8 << 20;
/// Objects up to this length come whole: a request costs about as much as so many bytes.
const WHOLE: u64 = 1 << 20;
/// The least that is asked for.
const LEAST: u64 = 64 << 10;
/// Ranges that are on their way at once.
pub(super) const AT_ONCE: usize = 16;

/// An object that is being read.
#[derive(Debug)]
pub(super) struct RemoteFile {
    server: Arc<dyn Server>,
    key: String,
    meta: Meta,
    blocks: Arc<Blocks>,
}

impl RemoteFile {
    pub(super) fn new(server: Arc<dyn Server>, key: &str, meta: Meta) -> Self {
        Self { server, key: key.to_owned(), meta, blocks: Blocks::new() }
    }

    /// What was known of it when it was opened.
    pub(super) fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Its first bytes, which came along when it was asked for.
    pub(super) fn keep_head(&self, head: Vec<u8>) {
        let len = (head.len() as u64).min(self.meta.len);
        if len > 0 && self.blocks.claim(&(0..len)) {
            self.blocks.put(0, Ok(head));
        }
    }

    /// Asks for bytes that nobody asked for yet. Who waits for them is told when they come.
    fn ask(&self, range: Range<u64>) -> io::Result<()> {
        if !self.blocks.claim(&range) {
            return Ok(());
        }
        let start = range.start;
        let fetched = self.server.fetch(&self.key, range, &self.meta);
        // Whoever has closed the object meanwhile wants no bytes of it.
        let blocks: Weak<Blocks> = Arc::downgrade(&self.blocks);
        let begun = net::start(async move {
            let bytes = fetched.await;
            if let Some(blocks) = blocks.upgrade() {
                blocks.put(start, bytes);
            }
        });
        begun.inspect_err(|_| self.blocks.put(start, Err(io::ErrorKind::Unsupported.into())))
    }

    /// What to ask for where the byte at `at` is not here and `needed` bytes are wanted from there on; `free` is how far
    /// nothing is here.
    fn worth(&self, at: u64, needed: u64, free: u64) -> Range<u64> {
        let end = self.meta.len.min(free);
        if self.meta.len <= WHOLE {
            return self.blocks.free_before(at)..end;
        }
        if let Some(range) = self.blocks.expected(at, RANGE) {
            return at..range.end.min(end);
        }
        let window = self.blocks.window(at, LEAST, RANGE);
        // The end of a table is read first, and what is before it next.
        let start = if at.saturating_add(LEAST) >= self.meta.len {
            self.blocks.free_before(at).max(self.meta.len.saturating_sub(LEAST)).min(at)
        } else {
            at
        };
        let range = start..at.saturating_add(needed.max(window).min(RANGE)).min(end);
        self.blocks.went_on(at, range.end, window);
        range
    }

    /// Has what comes next of what is expected, or of a long read, on its way.
    fn ask_ahead(&self, at: u64, until: u64) -> io::Result<()> {
        let mut next = at;
        while blocks::on_their_way() < AT_ONCE {
            let Some(range) = self
                .blocks
                .next_expected(next, RANGE)
                .or_else(|| (next < until).then(|| next..next.saturating_add(RANGE).min(until)))
            else {
                return Ok(());
            };
            if range.start.saturating_sub(at) > RANGE.saturating_mul(AT_ONCE as u64) {
                return Ok(());
            }
            match self.blocks.find(range.start) {
                Found::Nothing { until: free } => {
                    let range = range.start..range.end.min(free);
                    next = range.end;
                    self.ask(range)?;
                }
                Found::Here { end, .. } | Found::Coming { end } | Found::Spent { end } => next = end,
                Found::Failed(_) => return Ok(()),
            }
        }
        Ok(())
    }
}

impl ReadAt for RemoteFile {
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let until = offset.saturating_add(into.len() as u64);
        if until > self.meta.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut left = into;
        let mut at = offset;
        while !left.is_empty() {
            match self.blocks.find(at) {
                Found::Here { bytes, skip, is_new, .. } => {
                    if is_new {
                        self.ask_ahead(at, until)?;
                    }
                    let there = bytes.get(skip..).unwrap_or_default();
                    let n = there.len().min(left.len());
                    let (now, later) = left.split_at_mut(n);
                    now.copy_from_slice(there.get(..n).unwrap_or_default());
                    left = later;
                    at = at.saturating_add(n as u64);
                    self.blocks.was_read(at, n as u64);
                }
                Found::Coming { .. } => self.blocks.wait_for(at),
                Found::Spent { .. } => self.blocks.revive(at),
                Found::Failed(error) => return Err(error),
                Found::Nothing { until: free } => {
                    self.ask(self.worth(at, until.saturating_sub(at), free))?;
                    self.ask_ahead(at, until)?;
                }
            }
        }
        Ok(())
    }

    fn expect(&self, range: Range<u64>) {
        let range = range.start..range.end.min(self.meta.len);
        if self.meta.len > WHOLE && range.start < range.end {
            self.blocks.expect(range);
        }
    }
}
