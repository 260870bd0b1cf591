//! Bytes of the fuzzer as numbers, pieces and files; checks that every body shares.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ckpt::base::error::{Error, ErrorKind, Result};
use ckpt::read::storage::{MemoryStore, Source, mount, unmount};
use ckpt::read::table::{BlockHandle, FOOTER_LEN, Footer, Table};
use ckpt_synth::{Bundle, crc};

/// What is left of the fuzzer's bytes. Behind their end come zeros.
#[derive(Clone, Copy)]
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn u8(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    pub(crate) fn below(&mut self, limit: u8) -> u8 {
        self.u8() % limit
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|_| self.u8()))
    }

    /// A small number mostly, any number sometimes.
    pub(crate) fn i64(&mut self) -> i64 {
        match self.u8() {
            255 => i64::from_le_bytes(std::array::from_fn(|_| self.u8())),
            254 => -1 - i64::from(self.u8()),
            small => i64::from(small),
        }
    }

    pub(crate) fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// Bytes behind their length in one byte.
    pub(crate) fn short(&mut self) -> &'a [u8] {
        let count = self.u8().into();
        self.take(count)
    }

    /// Bytes behind their length in four bytes.
    pub(crate) fn long(&mut self) -> &'a [u8] {
        let count = self.u32() as usize;
        self.take(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Files that are read and lie on no disk, until this goes.
pub(crate) struct Held {
    path: PathBuf,
}

impl Held {
    /// Files by their names below a folder of their own.
    pub(crate) fn new<'n, F: Into<Arc<[u8]>>>(files: impl IntoIterator<Item = (&'n str, F)>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = PathBuf::from(format!("held-{}:", NEXT.fetch_add(1, Ordering::Relaxed)));
        let mut store = MemoryStore::default();
        for (name, bytes) in files {
            store.insert(&path.join(name), bytes);
        }
        mount(&path, Arc::new(store));
        Self { path }
    }

    /// A bundle under the prefix `model.ckpt`.
    pub(crate) fn bundle(bundle: Bundle) -> Self {
        let of = bundle.shards.len();
        let shard = |(n, bytes)| (format!("model.ckpt.data-{n:05}-of-{of:05}"), bytes);
        let mut files: Vec<(String, Vec<u8>)> = bundle.shards.into_iter().enumerate().map(shard).collect();
        files.push(("model.ckpt.index".to_owned(), bundle.index));
        Self::new(files.iter().map(|(name, bytes)| (name.as_str(), &**bytes)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        unmount(&self.path);
    }
}

/// A directory for what is written, or mapped: on no disk where that can be had.
pub(crate) fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let dir = tempfile::Builder::new();
    if memory.is_dir() { dir_in(memory) } else { dir.tempdir().unwrap() }
}

fn dir_in(parent: &Path) -> tempfile::TempDir {
    tempfile::Builder::new().prefix("ckpt-fuzz").tempdir_in(parent).unwrap()
}

/// Makes the checksums of every block right that the table's footer and index name, so that a change to a block gets
/// past them.
pub(crate) fn seal(mut bytes: Vec<u8>) -> Vec<u8> {
    let here = Path::new("sealed");
    let len = bytes.len() as u64;
    let source = Source::memory(here, bytes.clone());
    let Ok(footer) = Footer::read(&source) else { return bytes };
    seal_block(&mut bytes, footer.index, len);
    seal_block(&mut bytes, footer.metaindex, len);
    let source = Source::memory(here, bytes.clone());
    let Ok(table) = Table::open(source, &ckpt::base::limits::Limits::default()) else { return bytes };
    // Overlapping handles may ask for the whole file over and over.
    let mut left = 4 * len;
    for handle in table.blocks() {
        left = left.saturating_sub(handle.size);
        if left == 0 {
            break;
        }
        seal_block(&mut bytes, *handle, len);
    }
    bytes
}

fn seal_block(bytes: &mut [u8], handle: BlockHandle, len: u64) {
    const { assert!(FOOTER_LEN == 48) };
    let Ok(end) = handle.end_with_trailer(len) else { return };
    let (start, end) = (handle.offset as usize, end as usize);
    let sum = crc::mask(crc::crc32c(&bytes[start..end - 4]));
    bytes[end - 4..end].copy_from_slice(&sum.to_le_bytes());
}

/// An error as a command shows it: complete, and harmless to a terminal.
pub(crate) fn said(error: &Error) -> String {
    let text = error.to_string();
    harmless(&text);
    if let Some(help) = error.help() {
        harmless(help);
    }
    text
}

/// No control character but a line break reaches a terminal.
pub(crate) fn harmless(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?} would reach a terminal");
}

/// What ends a read that has got long enough for a fuzzer.
pub(crate) fn enough() -> Error {
    ErrorKind::Request("enough".into()).into()
}

/// What a reader answered, comparable: the value, or the words of the error.
pub(crate) fn answer<T: std::fmt::Debug>(result: &Result<T>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error: {}", said(error)),
    }
}
