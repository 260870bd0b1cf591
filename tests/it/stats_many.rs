//! Statistics of more tensors than are kept: small ones that are read together, rows that are written as they come.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::{open, tries};
use ckpt::analysis::stats::{StatsOptions, TensorStats};
use ckpt::analysis::{Selection, Stats, stats};
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

/// More than the command keeps.
const MANY: usize = 35_000;

/// Two of the tensors whose bytes are changed behind the back of their checksums.
const DAMAGED: [usize; 2] = [7, 20_001];

fn name(n: usize) -> String {
    format!("scope_{:02}/tensor_{n:05}", n / 1000)
}

/// The values of a tensor as bytes of either order. Every hundredth is text.
fn add(builder: BundleBuilder, n: usize, big_endian: bool) -> BundleBuilder {
    let builder = builder.in_shard(n % 3);
    let small = u16::try_from(n % 1000).unwrap();
    let float = |value: f32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let int = |value: i64| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let value = f32::from(small) / 7.0;
    match n {
        _ if n % 100 == 50 => builder.strings(name(n), &[1], &[b"text".to_vec()]),
        _ if n % 997 == 5 => builder.tensor(name(n), dtype::FLOAT, &[0, 3], []),
        _ if n % 1009 == 3 => {
            let values = [f32::NAN, value, f32::INFINITY, 0.0].map(float).concat();
            builder.tensor(name(n), dtype::FLOAT, &[2, 2], values)
        }
        // Larger than what is read at a time.
        12_345 => {
            let values: Vec<u8> = ckpt_synth::big::values(9, 70_000).into_iter().flat_map(float).collect();
            builder.tensor(name(n), dtype::FLOAT, &[70_000], values)
        }
        _ if n % 5 == 1 => builder.tensor(name(n), dtype::INT64, &[2], [int(small.into()), int(-3)].concat()),
        _ if n % 5 == 2 => builder.tensor(name(n), dtype::UINT8, &[3], [1, 0, small.to_le_bytes()[0]]),
        _ => builder.tensor(name(n), dtype::FLOAT, &[2, 2], [value, -value, 1.0, 0.0].map(float).concat()),
    }
}

fn write(prefix: &Path, big_endian: bool) {
    let mut builder = BundleBuilder::new().shards(3);
    if big_endian {
        builder = builder.big_endian();
    }
    for n in 0..MANY {
        builder = add(builder, n, big_endian);
    }
    builder.finish().write(prefix).unwrap();
}

/// Changes a byte of some tensors, and leaves out the end of the last shard.
fn damage(prefix: &Path) {
    let checkpoint = open(prefix).unwrap();
    let file = |shard: i32| checkpoint.origin().prefix.shard(shard, 3);
    for n in DAMAGED {
        let span = checkpoint.span(&checkpoint.tensor(name(n).as_bytes()).unwrap()).unwrap();
        let mut bytes = std::fs::read(file(span.shard)).unwrap();
        bytes[usize::try_from(span.start).unwrap()] ^= 0x41;
        std::fs::write(file(span.shard), bytes).unwrap();
    }
    let last = std::fs::read(file(2)).unwrap();
    std::fs::write(file(2), &last[..last.len() - 200]).unwrap();
}

fn read(checkpoint: &Checkpoint, selection: &Selection, threads: usize) -> Stats {
    let options = StatsOptions { threads, distribution: true, channels: true, along: false, spectral: true };
    stats(checkpoint, selection, &options, &Progress::default())
}

fn said(row: &TensorStats) -> String {
    let error = row.error.as_ref().map(ToString::to_string);
    format!(
        "{} {:?} {:?} {:?} {:?} {} {error:?}",
        row.at, row.figures, row.distribution, row.channels, row.spectral, row.verified
    )
}

#[test]
fn tensors_read_together_are_what_they_are_alone() {
    let dir = tempfile::tempdir().unwrap();
    let [little, big] = ["little", "big"].map(|name| dir.path().join(name));
    write(&little, false);
    write(&big, true);
    let (here, there) = (open(&little).unwrap(), open(&big).unwrap());
    let all = Selection::first(MANY);
    let found = read(&here, &all, 1);
    assert_eq!((found.totals.tensors, found.totals.skipped.tensors), (MANY - MANY / 100, MANY / 100));
    assert!(found.tensors.iter().all(|row| row.verified));
    // Tensors whose bytes are to be turned around are read one by one.
    let one_by_one = read(&there, &all, 3);
    assert_eq!(found.totals, one_by_one.totals);
    for (a, b) in found.tensors.iter().zip(&one_by_one.tensors) {
        assert_eq!(said(a), said(b));
    }
    damage(&little);
    let here = open(&little).unwrap();
    let found = read(&here, &all, 1);
    let lost: Vec<usize> = found.unreadable().map(|(row, _)| row.at).collect();
    assert!(DAMAGED.iter().all(|n| lost.contains(n)) && (5..60).contains(&lost.len()), "{lost:?}");
    for threads in tries(&[3][..], &[2, 5]) {
        let again = read(&here, &all, *threads);
        assert_eq!(found.totals, again.totals);
        assert!(found.tensors.iter().map(said).eq(again.tensors.iter().map(said)), "{threads}");
    }
    let some = lost.iter().flat_map(|at| at.saturating_sub(3)..at + 4).chain((0..MANY).step_by(321));
    for at in some.filter(|at| at % 100 != 50 && *at < MANY) {
        let alone = read(&here, &[at].into_iter().collect(), 1);
        let row = found.tensors.iter().find(|row| row.at == at).unwrap();
        assert_eq!(alone.tensors.iter().map(said).collect::<Vec<_>>(), [said(row)]);
    }
    // In any order, as rows are asked for that are sorted.
    let backwards: Selection = (0..MANY).rev().collect();
    let backwards = read(&here, &backwards, 2);
    assert!(found.tensors.iter().rev().map(said).eq(backwards.tensors.iter().map(said)));
}

fn run(prefix: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let output = command.arg("stats").arg(prefix).args(arguments).env_remove("CLICOLOR_FORCE").output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

#[test]
fn rows_that_flow_are_those_that_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    write(&prefix, false);
    damage(&prefix);
    // Quantiles of so many rows take half a minute.
    let hist: &[&str] = tries(&[], &["--hist"]);
    let with = |arguments: &[&str]| run(&prefix, &[arguments, hist].concat());
    let (status, json, errors) = with(&["--format", "json"]);
    assert_eq!(status, 2);
    if tries(false, true) {
        assert_eq!(with(&["--format", "json", "--threads", "1"]), (status, json.clone(), errors.clone()));
    }
    assert!(errors.lines().nth(10).is_some_and(|line| line.contains("more tensors could not be read")), "{errors}");
    let json: Value = serde_json::from_str(&json).unwrap();
    let rows = json["tensors"].as_array().unwrap();
    assert_eq!(rows.len(), MANY - MANY / 100);
    assert!(rows.iter().map(|row| row["name"].as_str().unwrap()).is_sorted());

    // As many as are kept are the same rows.
    let (_, kept, _) = with(&["--format", "jsonl", "--top", "3000"]);
    let kept: Vec<Value> = kept.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(kept, rows[..3000]);

    // Sorted, all of them: the same rows in another order, and the same ones at the top.
    let by_name: BTreeMap<&str, &Value> = rows.iter().map(|row| (row["name"].as_str().unwrap(), row)).collect();
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let (_, lines, told) = with(arguments);
        assert_eq!(told, errors);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let sorted = lines(&["--format", "jsonl", "--sort", "std"]);
    let of_sorted: BTreeMap<&str, &Value> = sorted.iter().map(|row| (row["name"].as_str().unwrap(), row)).collect();
    assert_eq!(of_sorted, by_name);
    let keys: Vec<f64> = sorted.iter().map(|row| row["std"].as_f64().unwrap_or(-1.0)).collect();
    assert!(keys.is_sorted_by(|a, b| a >= b) && keys[0] > 50.0);
    assert_eq!(lines(&["--format", "jsonl", "--sort", "std", "--top", "40"]), sorted[..40]);
    if tries(false, true) {
        assert_eq!(lines(&["--format", "jsonl", "--sort", "std", "--top", "34000"]), sorted[..34_000]);
    }
    let mut reversed = lines(&["--format", "jsonl", "--sort", "std", "--reverse"]);
    reversed.reverse();
    assert_eq!(reversed, sorted);

    // Text has the same cells, in columns that may be wider.
    let words = |text: &str| -> Vec<Vec<String>> {
        text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let (flowing, kept) = (run(&prefix, &[]).1, run(&prefix, &["--top", "3000"]).1);
    let (flowing, kept) = (words(&flowing), words(&kept));
    // Below a tensor with NaN stands a line, so that more lines than rows are alike.
    assert!(flowing[..3001] == kept[..3001]);
    assert_eq!(flowing.last(), kept.last(), "the totals are those of all");
    for format in tries(&["csv"][..], &["csv", "markdown"]) {
        let (status, text, told) = run(&prefix, &["--format", format]);
        assert_eq!((status, told), (2, errors.clone()));
        assert!(text.lines().filter(|line| line.contains("scope_")).count() == rows.len(), "{format}");
    }
}
