//! Inputs that once broke a fuzz target, and everything the fuzzer begins with, through the bodies of the targets.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::support::tries;

#[expect(clippy::pedantic, reason = "the fuzz crate has its own manifest and is not held to these")]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Runs a body; returns whether it kept its promises.
fn keeps(body: fuzz::Body, data: &[u8]) -> bool {
    catch_unwind(|| body(data)).is_ok()
}

#[test]
fn what_once_broke_a_target_does_so_no_more() {
    let corpus = root().join("fuzz/corpus");
    let known = |dir: &Path| fuzz::TARGETS.iter().any(|(name, _)| dir.ends_with(name));
    let strays: Vec<PathBuf> = entries(&corpus).into_iter().filter(|dir| !known(dir)).collect();
    assert!(strays.is_empty(), "no such target: {strays:?}");
    let mut broken = Vec::new();
    for (target, body) in fuzz::TARGETS {
        let inputs = entries(&corpus.join(target).join("regressions"));
        broken.extend(inputs.into_iter().filter(|path| !keeps(body, &fs::read(path).unwrap())));
    }
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn seeds_keep_the_promises() {
    let mut broken = Vec::new();
    let files = fuzz::Files::of(root());
    for (target, body) in fuzz::TARGETS {
        let seeds = fuzz::seeds(target, &files);
        assert!(seeds.len() >= 7, "only {} seeds for {target}", seeds.len());
        let bad = seeds.iter().enumerate().step_by(tries(5, 1)).filter(|(_, seed)| !keeps(body, seed));
        broken.extend(bad.map(|(n, _)| format!("{target}/{n:04}")));
        assert!(keeps(body, &[]), "{target} on nothing");
    }
    assert!(broken.is_empty(), "{broken:?}");
}
