//! An index large enough for several threads: whatever their number, the same comes out.

use std::path::Path;

use ckpt::analysis::{Listing, Roles, Selector, Sort};
use ckpt::base::error::Result;
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt::report::{Format, ListText, Look, write_list};
use ckpt_synth::{BundleBuilder, dtype};

/// An index of more than four megabytes, which is what one thread reads alone.
const TENSORS: usize = 21_000;

fn write(prefix: &Path) -> Vec<u8> {
    let mut builder = BundleBuilder::new();
    for n in 0..TENSORS {
        // What differs comes late, and a part of every name is its own.
        let own = format!("{:07x}", n * 7919 % 0xfff_ffff).repeat(30);
        let name = format!("scope_{:02}/{own}/kernel{}", n / 1000, if n % 5 == 0 { "/Adam" } else { "" });
        let shape = [i64::try_from(n % 3).unwrap(), 2];
        builder = builder.tensor(&name, dtype::UINT8, &shape, vec![7; n % 3 * 2]);
    }
    let bundle = builder.table(|table| table.block_size(64 << 10)).finish();
    bundle.write(prefix).unwrap();
    let index = std::fs::read(prefix.with_extension("index")).unwrap();
    assert!(index.len() > 4 << 20, "{} bytes", index.len());
    index
}

/// Everything that a listing shows, and what was said of the index.
fn shown(prefix: &Path, threads: usize) -> Result<Vec<String>> {
    let mut limits = Limits::default();
    limits.threads = Some(threads);
    let checkpoint = Checkpoint::open(prefix, Choice::default(), &limits)?;
    let roles = Roles::of(&checkpoint);
    let selection = Selector::default().select(&checkpoint);
    let listing = Listing::new(&checkpoint, &roles, selection, Sort::Name, false, None);
    let (mut text, mut json) = (Vec::new(), Vec::new());
    let look = Look { color: false, width: None };
    let long = ListText::Rows { long: true };
    write_list(&listing, Format::Text, long, look, &mut text).unwrap();
    write_list(&listing, Format::Json, long, look, &mut json).unwrap();
    let mut all: Vec<String> = [text, json].map(|bytes| String::from_utf8(bytes).unwrap()).into();
    all.extend(checkpoint.damage().iter().chain(checkpoint.notes()).map(ToString::to_string));
    Ok(all)
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let index = write(&prefix);
    let sound = shown(&prefix, 1).unwrap();
    assert_eq!((sound.len(), sound[1].lines().count()), (2, TENSORS + 2));
    let file = prefix.with_extension("index");
    let mut changed = 0;
    for at in [None, Some(40), Some(index.len() / 2), Some(index.len() - 60)] {
        let mut damaged = index.clone();
        if let Some(at) = at {
            damaged[at] ^= 0x55;
            // Far enough away to be another block.
            let other = (at + index.len() / 4) % (index.len() - 100_000);
            damaged[other] ^= 1;
        }
        std::fs::write(&file, damaged).unwrap();
        let one = shown(&prefix, 1).map_err(|e| e.to_string());
        changed += usize::from(one.as_ref().is_ok_and(|one| one.len() > 2));
        for threads in [2, 5].into_iter().take(if at.is_none() { 2 } else { 1 }) {
            let several = shown(&prefix, threads).map_err(|e| e.to_string());
            assert!(several == one, "{at:?} {threads}");
        }
    }
    assert!(changed > 1, "only {changed} were damaged and could be read");
}
