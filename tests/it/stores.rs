//! A store other than the disk: everything that is said of the fixtures is said alike when they lie in memory under
//! paths that no disk has. What asked the disk behind the back of its store would say something else.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ckpt::analysis::{Listing, Roles, Selector, Sort, Summary};
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::storage::{self, MemoryStore, mount, unmount};
use ckpt::report::{Format, ListText, Look, write_inspect, write_list, write_validation};

use super::support::{open, testdata, tries};
use super::validating::{options, try_run};

/// Every file below `dir`, with its bytes, as paths below `at`.
fn in_memory(dir: &Path, at: &Path) -> MemoryStore {
    let mut store = MemoryStore::default();
    let mut left = vec![dir.to_path_buf()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                let there = at.join(path.strip_prefix(dir).unwrap());
                store.insert(&there, fs::read(&path).unwrap());
                store.set_modified(&there, path.metadata().unwrap().modified().unwrap());
            }
        }
    }
    store
}

/// What people may point at below the fixtures: directories, files, and prefixes.
fn places(dir: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut kinds) = (BTreeSet::new(), HashSet::new());
    let mut left = vec![dir.to_path_buf()];
    while let Some(next) = left.pop() {
        let mut entries: Vec<PathBuf> = fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                left.push(path.clone());
            }
            let index = path.to_str().unwrap().strip_suffix(".index").map(PathBuf::from);
            found.extend(index);
            let is_ours = ["make.py", "README.md", "expected.json"].iter().any(|name| path.ends_with(name));
            // The files of a kind in a directory are of one program, mostly.
            if !is_ours && kinds.insert((next.clone(), path.extension().map(ToOwned::to_owned))) || path.is_dir() {
                found.insert(path);
            }
        }
    }
    found
}

/// What is said of a path: the rows of `list`, the findings of `validate`, the page of `inspect`; or why not.
fn said(path: &Path) -> String {
    let mut out = Vec::new();
    match open(path) {
        Ok(checkpoint) => {
            list(&checkpoint, &mut out);
            write_inspect(&checkpoint, &Summary::of(&checkpoint), Format::Json, Look::default(), &mut out).unwrap();
        }
        Err(error) => out.extend(format!("{error} {:?}\n", error.help()).into_bytes()),
    }
    match try_run(path, &options()) {
        Ok(validation) => write_validation(&validation, false, Format::Json, Look::default(), &mut out).unwrap(),
        Err(error) => out.extend(format!("{error} {:?}\n", error.help()).into_bytes()),
    }
    // A folder in memory was never changed.
    let text = String::from_utf8(out).unwrap();
    text.lines().filter(|line| !line.contains("\"modified\":")).collect::<Vec<_>>().join("\n")
}

fn list(checkpoint: &Checkpoint, out: &mut Vec<u8>) {
    let roles = Roles::of(checkpoint);
    let all = Selector::parse::<&str>(&[], false).unwrap().select(checkpoint);
    let listing = Listing::new(checkpoint, &roles, all, Sort::Name, false, None);
    write_list(&listing, Format::Json, ListText::Rows { long: false }, Look::default(), out).unwrap();
}

#[test]
fn what_lies_in_memory_is_read_as_from_a_disk() {
    let at = Path::new("remote:/testdata");
    let disk = testdata();
    mount(at, Arc::new(in_memory(&disk, at)));
    let (mut compared, mut different) = (0, Vec::new());
    for path in places(&disk).into_iter().step_by(tries(5, 1)) {
        let there = at.join(path.strip_prefix(&disk).unwrap());
        let told = said(&there).replace("remote:/testdata", disk.to_str().unwrap());
        compared += 1;
        let expected = said(&path);
        if told != expected {
            let at = told.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
            let part = |text: &str| text.get(at.saturating_sub(40)..(at + 80).min(text.len())).map(str::to_owned);
            different.push(format!("{}\n  {:?}\n  {:?}", path.display(), part(&told), part(&expected)));
        }
    }
    unmount(at);
    assert!(compared > tries(90, 500), "only {compared} places");
    assert!(different.is_empty(), "{} of {compared} differ:\n{}", different.len(), different.join("\n"));
    assert!(!storage::is_folder(at), "it is gone");
}
