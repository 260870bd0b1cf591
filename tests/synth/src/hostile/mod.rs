//! Files made to hurt a reader: each case is one idea, and every part that is not the idea is true.
//!
//! A reader must meet each with an error, a finding or an answer; never with a panic, a hang, or memory out of
//! proportion to the file. [`Verdict`] says which answers are right.

use std::path::Path;
use std::{fs, io};

use crate::block::Block;
use crate::bundle::{Bundle, BundleBuilder, data_suffix};
use crate::entry::{Entry, Header};
use crate::table::TableBuilder;
use crate::v1::V1;
use crate::{crc, dtype};

mod entries;
mod foreign;
mod graphs;
mod names;
mod slices;
mod state;
mod strings;
mod tables;
mod v1;

/// The prefix that most cases use.
const PREFIX: &str = "model.ckpt";

/// What a reader ought to make of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Odd but well formed: a reader must take it, and a validator may at most remark on it.
    Legal,
    /// Broken: some command must end with an error or a finding.
    Damaged,
    /// A complaint is right, and so is silence.
    Arguable,
}

/// A set of files with one thing wrong, or one odd thing.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique, lower case, hyphens: `<group>-<idea>`.
    pub name: &'static str,
    /// The idea, in a sentence.
    pub what: &'static str,
    /// What a reader ought to make of it.
    pub verdict: Verdict,
    /// Relative paths and contents.
    pub files: Vec<(String, Vec<u8>)>,
    /// The path to hand to `ckpt`, relative to where the files are.
    pub open: String,
}

impl Case {
    fn new(verdict: Verdict, name: &'static str, what: &'static str) -> Self {
        Self { name, what, verdict, files: Vec::new(), open: PREFIX.to_owned() }
    }

    fn damaged(name: &'static str, what: &'static str) -> Self {
        Self::new(Verdict::Damaged, name, what)
    }

    fn legal(name: &'static str, what: &'static str) -> Self {
        Self::new(Verdict::Legal, name, what)
    }

    fn arguable(name: &'static str, what: &'static str) -> Self {
        Self::new(Verdict::Arguable, name, what)
    }

    fn file(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((name.to_owned(), bytes.into()));
        self
    }

    /// Opens something else than the prefix.
    fn open(mut self, path: &str) -> Self {
        path.clone_into(&mut self.open);
        self
    }

    fn bundle(mut self, bundle: Bundle) -> Self {
        self.files.extend(bundle.files(PREFIX));
        self
    }

    fn built(self, builder: BundleBuilder) -> Self {
        self.bundle(builder.finish())
    }

    /// An index made by hand, and the data file that [`rows`] describe.
    fn index(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.file("model.ckpt.index", bytes).file(&format!("{PREFIX}{}", data_suffix(0, 1)), data())
    }

    fn table(self, table: TableBuilder) -> Self {
        self.index(table.finish())
    }

    fn v1(mut self, v1: V1) -> Self {
        self.files.extend(v1.files(PREFIX));
        self
    }

    /// Writes the files below `directory`.
    ///
    /// # Errors
    ///
    /// What the file system says.
    pub fn write(&self, directory: &Path) -> io::Result<()> {
        for (name, bytes) in &self.files {
            let path = directory.join(name);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }
}

/// Every case.
pub fn cases() -> Vec<Case> {
    [
        tables::cases(),
        entries::cases(),
        strings::cases(),
        slices::cases(),
        names::cases(),
        graphs::cases(),
        v1::cases(),
        state::cases(),
        foreign::cases(),
    ]
    .concat()
}

/// The case of that name.
pub fn case(name: &str) -> Option<Case> {
    cases().into_iter().find(|case| case.name == name)
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The data of [`rows`].
fn data() -> Vec<u8> {
    f32s(&[1.0, 2.0, 3.0])
}

/// A true entry for the twelve bytes of [`data`].
fn true_entry() -> Entry {
    let crc = crc::mask(crc::crc32c(&data()));
    Entry { size: 12, crc, ..Entry::new(dtype::FLOAT, &[3]) }
}

fn header() -> Vec<u8> {
    Header { num_shards: 1, ..Header::default() }.proto().build()
}

/// The rows of a true index: the header, and four names for the same twelve bytes' worth of nothing (empty tensors),
/// then `w` with the data.
fn rows() -> Vec<(Vec<u8>, Vec<u8>)> {
    let empty = Entry { crc: crc::mask(0), ..Entry::new(dtype::FLOAT, &[0]) };
    let mut rows = vec![(Vec::new(), header())];
    for name in ["a", "b", "c", "d"] {
        rows.push((name.into(), empty.proto().build()));
    }
    rows.push((b"w".to_vec(), true_entry().proto().build()));
    rows
}

/// A table of [`rows`], every row a block of its own.
fn one_row_a_block(table: TableBuilder) -> TableBuilder {
    let mut table = table.block_size(1);
    for (key, value) in rows() {
        table.add(key, value);
    }
    table
}

/// A table of one block that begins with the header and goes on as `make` says; returns it as a finished index.
fn handmade_block(make: impl FnOnce(Block) -> Vec<u8>) -> TableBuilder {
    let mut block = Block::new(16);
    block.add(b"", &header());
    let contents = make(block);
    let mut table = TableBuilder::new();
    table.raw_block(&contents, 0, "w");
    table
}

/// A bundle of one true tensor, `w`.
fn base() -> BundleBuilder {
    BundleBuilder::new().tensor("w", dtype::FLOAT, &[3], data())
}

/// [`base`] with the entry of `w` changed.
fn patched(patch: impl Fn(&mut Entry) + 'static) -> BundleBuilder {
    base().entry_patch("w", patch)
}
