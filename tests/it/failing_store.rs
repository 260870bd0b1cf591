//! A store that fails: of every request that a question comes to, each one fails once, in every way that disks and
//! networks have. What is said then is an error, or a finding, or the right answer: nothing is invented.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ckpt::analysis::{Selector, StatsOptions, stats};
use ckpt::base::error::Result;
use ckpt::base::progress::Progress;
use ckpt::read::storage::{MemoryStore, ReadAt, Source, Stat, Store, Window, mount, take_trouble, unmount};
use ckpt::report::{Format, Look, write_validation};
use serde_json::Value;

use super::support::{open, testdata, tries};
use super::validating::{options, try_run};

/// How one request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The disk or the network says so.
    Input,
    /// Fewer bytes than there were a moment ago: the file was cut.
    Short,
    /// The file was taken away.
    Gone,
    /// Nobody may read it.
    Denied,
}

const SAID: &str = "said by the test";

impl How {
    fn error(self) -> io::Error {
        let kind = match self {
            Self::Input => return io::Error::other(SAID),
            Self::Short => io::ErrorKind::UnexpectedEof,
            Self::Gone => io::ErrorKind::NotFound,
            Self::Denied => io::ErrorKind::PermissionDenied,
        };
        io::Error::new(kind, SAID)
    }
}

/// Counts the requests, and fails one of them.
#[derive(Debug)]
struct Failing {
    files: MemoryStore,
    how: How,
    at: Arc<Counter>,
}

#[derive(Debug, Default)]
struct Counter {
    asked: AtomicUsize,
    fails: AtomicUsize,
}

impl Counter {
    fn next(&self, how: How) -> io::Result<()> {
        let n = self.asked.fetch_add(1, Ordering::SeqCst);
        if n == self.fails.load(Ordering::SeqCst) { Err(how.error()) } else { Ok(()) }
    }
}

#[derive(Debug)]
struct FailingFile {
    bytes: Source,
    how: How,
    at: Arc<Counter>,
}

impl ReadAt for FailingFile {
    fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.at.next(self.how)?;
        self.bytes.read_exact_at(into, offset).map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Store for Failing {
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        // A name that is there is there; that one asks again may be answered otherwise.
        if self.how != How::Short {
            self.at.next(self.how)?;
        }
        self.files.stat(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        if self.how != How::Short {
            self.at.next(self.how)?;
        }
        self.files.names(path)
    }

    fn open(&self, path: &Path) -> Result<Source> {
        let bytes = self.files.open(path)?;
        let file = FailingFile { bytes, how: self.how, at: Arc::clone(&self.at) };
        Ok(Source::other(path, file.bytes.len(), Arc::new(file)))
    }

    fn open_contiguous(&self, path: &Path) -> Result<Source> {
        let opened = self.open(path)?;
        let mut bytes = Window::default();
        Ok(Source::memory(path, opened.slice(0..opened.len(), &mut bytes)?))
    }

    fn canonical(&self, path: &Path) -> Option<PathBuf> {
        self.files.canonical(path)
    }
}

/// What is said, and whether it is good.
#[derive(Debug, PartialEq)]
struct Answer {
    is_good: bool,
    text: String,
}

fn validated(path: &Path) -> Answer {
    let mut out = Vec::new();
    let is_good = match try_run(path, &options()) {
        Ok(validation) => {
            write_validation(&validation, false, Format::Json, Look::default(), &mut out).unwrap();
            validation.is_ok()
        }
        Err(error) => {
            out.extend(format!("{error}").into_bytes());
            false
        }
    };
    with_trouble(Answer { is_good, text: String::from_utf8(out).unwrap() })
}

/// What the store did not say of a name is told besides.
fn with_trouble(answer: Answer) -> Answer {
    match take_trouble() {
        None => answer,
        Some(trouble) => Answer { is_good: false, text: format!("{}\n{trouble}", answer.text) },
    }
}

/// How many tensors are said to be as they were saved.
fn verified(answer: &Answer) -> u64 {
    let document: Value = serde_json::from_str(&answer.text).unwrap_or_default();
    document["checked"]["verified"].as_u64().unwrap_or(0)
}

fn measured(path: &Path) -> Answer {
    let opened = match open(path) {
        Ok(opened) => opened,
        Err(error) => return with_trouble(Answer { is_good: false, text: error.to_string() }),
    };
    let all = Selector::parse::<&str>(&[], false).unwrap().select(&opened);
    let options = StatsOptions { threads: 1, ..StatsOptions::default() };
    let found = stats(&opened, &all, &options, &Progress::default());
    let is_good = found.tensors.iter().all(|tensor| tensor.error.is_none()) && opened.damage().is_empty();
    with_trouble(Answer { is_good, text: format!("{:?} {:?}", found.tensors, opened.damage()) })
}

fn files(dir: &Path, at: &Path) -> MemoryStore {
    let mut store = MemoryStore::default();
    for entry in walk(dir) {
        store.insert(&at.join(entry.strip_prefix(dir).unwrap()), fs::read(&entry).unwrap());
    }
    store
}

fn walk(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

/// The questions, of the fixtures of every format.
const ASKED: [(&str, &str); 10] = [
    ("saver_v2/sharded_adam", "model.ckpt-200"),
    ("saver_v2/sharded_adam", ""),
    ("saved_model/tf2", "model"),
    ("saver_v1/single", "model.ckpt-5"),
    ("keras/keras3", "whole.h5"),
    ("keras/keras3", "model.keras"),
    ("safetensors/sharded", "model.safetensors.index.json"),
    ("npz/saved", "deflated.npz"),
    ("npz/npy", "weights.npy"),
    ("serving/base", "served"),
];

#[test]
fn every_request_fails_once_in_every_way() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (group, name) in ASKED {
        for how in [How::Input, How::Short, How::Gone, How::Denied] {
            for (question, ask) in [("validate", validated as fn(&Path) -> Answer), ("stats", measured)] {
                let root = PathBuf::from(format!("failing-{how:?}-{question}-{}:", group.replace('/', "-")));
                let path = root.join(name);
                let at = Arc::new(Counter::default());
                let store = Failing { files: files(&testdata().join(group), &root), how, at: Arc::clone(&at) };
                mount(&root, Arc::new(store));
                at.fails.store(usize::MAX, Ordering::SeqCst);
                let right = ask(&path);
                let requests = at.asked.load(Ordering::SeqCst);
                // Requests that are refused differ little from question to question: each has its half of them.
                let step = if how == How::Input { tries(2, 1) } else { tries(6, 2) };
                let first = usize::from(step > 1 && question == "stats");
                for n in (first..requests).step_by(step) {
                    at.asked.store(0, Ordering::SeqCst);
                    at.fails.store(n, Ordering::SeqCst);
                    let answer = ask(&path);
                    tried += 1;
                    // What a file no longer says is missing in the answer, and nothing else is.
                    let is_told =
                        answer.text.contains(SAID) || how != How::Input && verified(&answer) <= verified(&right);
                    if answer.is_good && answer != right && !is_told {
                        wrong.push(format!(
                            "{question} {group}/{name}: {how:?} at {n} of {requests}: good, but another answer\n{}\n",
                            answer.text
                        ));
                    } else if !answer.is_good && how == How::Input && !answer.text.contains(SAID) {
                        wrong.push(format!(
                            "{question} {group}/{name}: {how:?} at {n} of {requests}: {}\n",
                            answer.text
                        ));
                    }
                }
                unmount(&root);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > tries(300, 1000), "{tried}");
}
