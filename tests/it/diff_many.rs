//! Comparing more tensors than are kept: small pairs that are read together, rows that are written as they come.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use crate::support::{open, tries};
use ckpt::analysis::diff::{Change, Comparison, Depth, Diff, DiffOptions, Status, diff};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

/// More than the command keeps.
const MANY: usize = 18_000;

/// Tensors of B whose bytes are changed behind the back of their checksums.
const DAMAGED: [usize; 3] = [7, 90, 9_001];

fn name(n: usize) -> String {
    format!("scope_{:02}/tensor_{n:05}", n / 1000)
}

/// The values of a tensor as bytes of either order. Every hundredth is text.
fn add(builder: BundleBuilder, n: usize, side: u16, big_endian: bool) -> BundleBuilder {
    let builder = builder.in_shard(n % (1 + usize::from(side)));
    let small = u16::try_from(n % 1000).unwrap();
    let float = |value: f32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let value = f32::from(small) / 7.0 + f32::from(side) / f32::from(3 + small);
    match n {
        // Not in B, and only there.
        _ if n % 501 == usize::from(side) * 250 + 9 => builder,
        _ if n % 100 == 50 => builder.strings(name(n), &[1], &[format!("text {side}").into_bytes()]),
        _ if n % 997 == 5 => builder.tensor(name(n), dtype::FLOAT, &[0, 3], []),
        _ if n % 10 == 3 => builder.tensor(name(n), dtype::FLOAT, &[1], float(3.0)),
        _ if n % 1009 == 4 => {
            let values = [f32::NAN, value, f32::INFINITY, 0.0].map(float).concat();
            builder.tensor(name(n), dtype::FLOAT, &[2, 2], values)
        }
        // Larger than what is read at a time.
        12_345 => {
            let values = ckpt_synth::big::values(9 + u64::from(side), 70_000).into_iter().flat_map(float);
            builder.tensor(name(n), dtype::FLOAT, &[70_000], values.collect::<Vec<u8>>())
        }
        _ if n % 5 == 2 => builder.tensor(name(n), dtype::UINT8, &[3], [1, side.to_le_bytes()[0], 2]),
        _ => builder.tensor(name(n), dtype::FLOAT, &[2, 2], [value, -value, 1.0, 0.0].map(float).concat()),
    }
}

fn write(prefix: &Path, side: u16, big_endian: bool) {
    let mut builder = BundleBuilder::new().shards(1 + usize::from(side));
    if big_endian {
        builder = builder.big_endian();
    }
    for n in 0..MANY {
        builder = add(builder, n, side, big_endian);
    }
    builder.finish().write(prefix).unwrap();
}

/// Changes a byte of some tensors.
fn damage(prefix: &Path, shards: i32) {
    let checkpoint = open(prefix).unwrap();
    for n in DAMAGED {
        let span = checkpoint.span(&checkpoint.tensor(name(n).as_bytes()).unwrap()).unwrap();
        let file = checkpoint.origin().prefix.shard(span.shard, shards);
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[usize::try_from(span.start).unwrap()] ^= 0x41;
        std::fs::write(file, bytes).unwrap();
    }
}

/// Everything that is said of a change.
fn said(change: &Change) -> String {
    let Change { a, b, status, same, values, derived, .. } = change;
    let trouble: Vec<String> = change.trouble.iter().map(|(side, error)| format!("{} {error}", side.name())).collect();
    format!("{a:?} {b:?} {status:?} {same:?} {values:?} {derived:?} {trouble:?}")
}

fn run<'c>(a: &'c Checkpoint, b: &'c Checkpoint, depth: Depth, threads: usize) -> Diff<'c> {
    let options = DiffOptions { depth, threads, keep_identical: true, ..DiffOptions::default() };
    diff(a, b, &options, &Progress::default()).unwrap()
}

#[test]
fn pairs_read_together_are_what_they_are_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, big] = ["a", "b", "big"].map(|name| dir.path().join(name));
    write(&a, 0, false);
    write(&b, 1, false);
    write(&big, 1, true);
    let (a, b, big) = (open(&a).unwrap(), open(&b).unwrap(), open(&big).unwrap());
    let found = run(&a, &b, Depth::Exact, 1);
    // Tensors whose bytes are to be turned around are read one by one.
    let one_by_one = run(&a, &big, Depth::Exact, 3);
    assert_eq!(found.tally, one_by_one.tally);
    assert!(found.tally.of(Status::Changed) > 12_000 && found.tally.of(Status::Identical) > 1_000);
    assert!(found.tally.of(Status::Added) > 30 && found.tally.of(Status::Removed) > 30);
    assert_eq!(found.scopes, one_by_one.scopes);
    assert!(found.changes.iter().map(said).eq(one_by_one.changes.iter().map(said)));
    assert!(found.changes.iter().map(Change::name).is_sorted());
    for threads in tries(&[4][..], &[2, 5]) {
        let again = run(&a, &b, Depth::Exact, *threads);
        assert_eq!((found.tally, found.bytes_read), (again.tally, again.bytes_read));
        assert!(found.changes.iter().map(said).eq(again.changes.iter().map(said)), "{threads}");
    }
}

#[test]
fn damage_among_neighbours_is_told_and_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let [x, y] = ["a", "b"].map(|name| dir.path().join(name));
    write(&x, 0, false);
    write(&y, 1, false);
    let (a, sound) = (open(&x).unwrap(), open(&y).unwrap());
    let (before, itself) = (run(&a, &sound, Depth::Values, 2), run(&sound, &sound, Depth::Exact, 2));
    assert_eq!(itself.tally.of(Status::Identical), itself.tally.total());
    let of_all: u64 = sound.tensors().iter().filter_map(|tensor| tensor.bytes()).sum();
    assert_eq!(itself.bytes_read, 2 * of_all);
    damage(&y, 2);
    let b = open(&y).unwrap();
    let found = run(&a, &b, Depth::Values, 2);
    for (old, new) in before.changes.iter().zip(&found.changes) {
        let is_damaged = DAMAGED.iter().any(|n| name(*n).as_bytes() == new.name());
        assert_eq!(new.status == Status::Unreadable, is_damaged);
        assert!(is_damaged || said(old) == said(new));
    }
    // Checksums agree and bytes do not: read again, to say which side is not what it was.
    let (copy, here) = (dir.path().join("copy"), run(&b, &b, Depth::Exact, 2));
    assert_eq!(here.tally.of(Status::Identical), here.tally.total(), "nobody asked for checksums");
    write(&copy, 1, false);
    let copy = open(&copy).unwrap();
    let found = run(&b, &copy, Depth::Exact, 2);
    let broken: Vec<&Change> = found.changes.iter().filter(|change| change.status != Status::Identical).collect();
    assert_eq!(broken.len(), DAMAGED.len());
    for change in broken {
        assert_eq!((change.status, change.trouble.len()), (Status::Unreadable, 1));
        assert!(change.trouble[0].0.name() == "A" && change.trouble[0].1.to_string().contains("checksum mismatch"));
    }
    assert!(found.bytes_read > here.bytes_read, "what is read twice is counted twice");
}

#[test]
fn nothing_is_kept_of_what_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let [x, y] = ["a", "b"].map(|name| dir.path().join(name));
    write(&x, 0, false);
    write(&y, 1, false);
    let (a, b) = (open(&x).unwrap(), open(&y).unwrap());
    let options = DiffOptions { threads: 3, ..DiffOptions::default() };
    let (mut told, mut most) = (Vec::new(), 0);
    let comparison = Comparison::new(&a, &b, &options).unwrap();
    let (found, again) = comparison.each(&Progress::default(), <[Change]>::len, |made, changes| {
        assert_eq!(made, changes.len());
        most = most.max(made);
        told.extend(changes.iter().map(|change| (change.at, said(change))));
        ControlFlow::Continue(())
    });
    assert!(found.changes.is_empty() && most <= 256 && told.len() > 10_000);
    // In any order, the same is told again.
    let order: Vec<usize> = told.iter().rev().step_by(3).map(|(at, _)| *at).collect();
    let mut backwards = Vec::new();
    again.each(
        &order,
        &Progress::default(),
        |_| (),
        |(), changes| {
            backwards.extend(changes.iter().map(|change| (change.at, said(change))));
            ControlFlow::Continue(())
        },
    );
    assert!(backwards.iter().eq(told.iter().rev().step_by(3)));
    // Who has heard enough hears no more.
    let (mut heard, comparison) = (0, Comparison::new(&a, &b, &options).unwrap());
    comparison.each(
        &Progress::default(),
        |_| (),
        |(), changes| {
            heard += changes.len();
            if heard > 1000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    );
    assert!((1000..1300).contains(&heard), "{heard}");
}

fn command(a: &Path, b: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let command = command.arg("diff").args([a, b]).args(arguments).env_remove("CLICOLOR_FORCE");
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn rows_that_flow_are_those_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(name));
    write(&a, 0, false);
    write(&b, 1, false);
    damage(&b, 2);
    let run = |arguments: &[&str]| command(&a, &b, arguments);
    let (status, text) = run(&["--all", "--format", "json"]);
    assert_eq!(status, 2);
    let most = tries(false, true);
    if most {
        assert_eq!(run(&["--all", "--format", "json", "--threads", "1"]), (2, text.clone()));
    }
    let json: Value = serde_json::from_str(&text).unwrap();
    let rows = json["changes"].as_array().unwrap();
    assert!(rows.len() > 17_000 && rows.iter().map(|row| row["name"].as_str().unwrap()).is_sorted());
    // Fewer are kept: all else is the same.
    let kept: Value = serde_json::from_str(&run(&["--all", "--format", "json", "--top", "3000"]).1).unwrap();
    assert_eq!(kept["changes"].as_array().unwrap().as_slice(), &rows[..3000]);
    assert_eq!(kept["omitted"].as_u64().unwrap(), rows.len() as u64 - 3000);
    for (key, value) in kept.as_object().unwrap() {
        assert!(["changes", "omitted"].contains(&key.as_str()) || json[key] == *value, "{key}");
    }
    assert_eq!(json["omitted"], 0);
    assert_eq!(kept.as_object().unwrap().len(), json.as_object().unwrap().len());

    // Sorted, all of them: the same rows in another order, and the same ones at the top.
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let (status, lines) = run(arguments);
        assert_eq!(status, 2);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(lines(&["--all", "--format", "jsonl"]), *rows);
    if most {
        assert_eq!(lines(&["--all", "--format", "jsonl", "--top", "17000"]), rows[..17_000]);
    }
    let sorted = lines(&["--all", "--format", "jsonl", "--sort", "change"]);
    let names = |rows: &[Value]| -> BTreeMap<String, Value> {
        rows.iter().map(|row| (row["name"].as_str().unwrap().to_owned(), row.clone())).collect()
    };
    assert_eq!(names(&sorted), names(rows));
    let sizes: Vec<f64> = sorted.iter().filter_map(|row| row["rel_l2"].as_f64()).collect();
    assert!(sizes.len() > 9_000 && sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > *sizes.last().unwrap());
    assert_eq!(lines(&["--all", "--format", "jsonl", "--sort", "change", "--top", "40"]), sorted[..40]);
    if most {
        assert_eq!(lines(&["--all", "--format", "jsonl", "--sort", "change", "--top", "17000"]), sorted[..17_000]);
    }

    // Text has the same lines, in columns that may be wider; tables have as many rows.
    let words = |text: &str| -> Vec<Vec<String>> {
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let (flowing, kept) = (words(&run(&["--all"]).1), words(&run(&["--all", "--top", "3000"]).1));
    assert!(flowing[..3000] == kept[..3000]);
    let foot = |lines: &[Vec<String>]| {
        lines[lines.iter().position(|line| line.contains(&"tensors".to_owned())).unwrap()..].to_vec()
    };
    assert_eq!(foot(&flowing), foot(&kept), "what stands behind is that of all");
    for format in tries(&["csv"][..], &["csv", "markdown"]) {
        let (status, text) = run(&["--all", "--format", format]);
        let lines = text.lines().filter(|line| line.contains("scope_")).count();
        assert!(status == 2 && lines == rows.len(), "{format} {lines}");
        let kept = run(&["--all", "--format", format, "--top", "3000"]).1;
        assert!(kept.lines().take(3000).eq(text.lines().take(3000)), "{format}");
    }
}
