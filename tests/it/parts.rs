//! One report by several processes: whatever their number and the order of their parts, what is merged is byte for byte
//! what one process prints, in every format; and parts that do not belong together are refused.

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use ckpt::analysis::diff::{Comparison, Depth, DiffOptions};
use ckpt::analysis::parts::{PartReport, Share};
use ckpt::analysis::stats::{StatsOptions, StatsOrder, StatsSort, each};
use ckpt::analysis::{Selection, ValidateOptions, validate};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{
    DiffOrder, DiffReport, Format, Look, PartOf, STATS_FORMATS, StatsReport, VALIDATE_FORMATS, read_part, write_part,
    write_validation,
};
use ckpt_synth::big::{BigTensor, write_bundle};
use ckpt_synth::{BundleBuilder, dtype};
use tempfile::TempDir;

use crate::support::{open, testdata, tries};

const JSON: &[Format] = &[Format::Json];

const LOOK: Look = Look { color: true, width: Some(80) };

/// What so many processes find out, as files that are read again, the last one first.
fn parts(of: u64, run: impl Fn(&Arc<Share>)) -> Vec<PartReport> {
    let asked = PartOf { command: "x".to_owned(), arguments: Vec::new() };
    let part = |number: u64| -> PartReport {
        let share = Arc::new(Share::part(number, of).unwrap());
        run(&share);
        let mut file = Vec::new();
        write_part(&asked, &share.report().unwrap(), share.looked_at(), &mut file).unwrap();
        read_part(&format!("{number}.part"), &file).unwrap().1
    };
    (1..=of).rev().map(part).collect()
}

/// All of them. A share answers what it is asked once.
fn all(parts: &[PartReport]) -> Arc<Share> {
    Arc::new(Share::merged(parts.to_vec()).unwrap())
}

/// What `validate` prints in every format, as one process or merged.
fn validated(path: &Path, finite: bool, share: Option<&Arc<Share>>) -> Result<Vec<String>, String> {
    let options = ValidateOptions { finite, share: share.cloned(), ..ValidateOptions::all(false, 2) };
    let found = validate(path, &options, &Limits::default(), &Progress::default()).map_err(|e| e.to_string())?;
    if share.is_some_and(|share| share.is_part()) {
        return Ok(Vec::new());
    }
    let text = |format: &Format| {
        let mut out = Vec::new();
        write_validation(&found, false, *format, LOOK, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    Ok(VALIDATE_FORMATS.iter().map(text).collect())
}

/// What `stats` prints in a format, with more than figures, and with singular values.
fn figured(
    checkpoint: &Checkpoint,
    (more, spectral): (bool, bool),
    format: Format,
    share: Option<&Arc<Share>>,
) -> String {
    let selection: Selection = (0..checkpoint.tensors().len()).collect();
    let options = StatsOptions { threads: 2, distribution: more, channels: more, along: false, spectral };
    let progress = Progress::default();
    if let Some(share) = share {
        share.look_at(checkpoint);
        if share.is_part() {
            let take = |(), _| ControlFlow::Continue(());
            each(checkpoint, &selection, (&options, Some(share)), &progress, |_, _| (), take);
            return String::new();
        }
    }
    let report = StatsReport {
        checkpoint,
        options,
        order: StatsOrder { by: if more { StatsSort::Name } else { StatsSort::Norm }, reverse: false },
        most: usize::MAX,
        format,
        look: LOOK,
        ascii: false,
        merged: share.map(|share| &**share),
    };
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let mut failed = |error: &ckpt::base::error::Error| errors.push(error.to_string());
    let totals = report.write(&selection, &progress, &mut failed, &mut out).unwrap();
    format!("{}{errors:?}{totals:?}", String::from_utf8(out).unwrap())
}

/// What `diff` prints as JSON.
fn compared(a: &Checkpoint, b: &Checkpoint, depth: Depth, share: Option<&Arc<Share>>) -> String {
    let options =
        DiffOptions { depth, keep_identical: true, threads: 2, share: share.cloned(), ..DiffOptions::default() };
    if let Some(share) = share {
        share.look_at(a);
        share.look_at(b);
    }
    let comparison = Comparison::new(a, b, &options).unwrap();
    let progress = Progress::default();
    if share.is_some_and(|share| share.is_part()) {
        comparison.each(&progress, |_| (), |(), _| ControlFlow::Continue(()));
        return String::new();
    }
    let report = DiffReport {
        a,
        b,
        depth,
        format: Format::Json,
        look: LOOK,
        all: true,
        long: true,
        spectral: false,
        order: if depth == Depth::Exact { DiffOrder::Change } else { DiffOrder::Name },
        most: usize::MAX,
    };
    let mut out = Vec::new();
    report.write(comparison, &progress, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// Holds what is merged to what one process says.
fn holds(path: &Path, numbers: &[u64], formats: &[Format]) {
    holds_with(path, numbers, formats, true);
}

/// The same, without singular values where they take too long to be asked for again.
fn holds_with(path: &Path, numbers: &[u64], formats: &[Format], spectral: bool) {
    for finite in [false, true] {
        let Ok(whole) = validated(path, finite, None) else { continue };
        for of in numbers {
            let merged = all(&parts(*of, |share| drop(validated(path, finite, Some(share)))));
            assert_eq!(validated(path, finite, Some(&merged)).unwrap(), whole, "{} in {of} parts", path.display());
            assert_eq!(merged.finish(), Ok(()), "{}", path.display());
        }
    }
    let Ok(checkpoint) = open(path) else { return };
    for asked in [(false, false), (true, spectral)] {
        for of in numbers {
            let parts = parts(*of, |share| drop(figured(&checkpoint, asked, Format::Json, Some(share))));
            for format in formats {
                let merged = all(&parts);
                let whole = figured(&checkpoint, asked, *format, None);
                let got = figured(&checkpoint, asked, *format, Some(&merged));
                assert_eq!(got, whole, "{} in {of} parts", path.display());
                assert_eq!(merged.finish(), Ok(()), "{}", path.display());
            }
        }
    }
}

/// Holds what is merged of a comparison to what one process says.
fn holds_of_two(a: &Path, b: &Path, numbers: &[u64]) {
    let (a, b) = (open(a).unwrap(), open(b).unwrap());
    for depth in [Depth::Values, Depth::Exact] {
        let whole = compared(&a, &b, depth, None);
        for of in numbers {
            let merged = all(&parts(*of, |share| drop(compared(&a, &b, depth, Some(share)))));
            assert_eq!(compared(&a, &b, depth, Some(&merged)), whole, "{of} parts");
            assert_eq!(merged.finish(), Ok(()));
        }
    }
}

/// A copy of the files in a folder of `testdata`.
fn copied(from: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata().join(from)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    dir
}

fn flip(file: &Path, at: usize, len: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at..at + len].iter_mut().for_each(|byte| *byte ^= 0x41);
    fs::write(file, bytes).unwrap();
}

#[test]
fn fixtures_of_every_format_whole_and_damaged() {
    let fixtures = [
        "bundle_v2/many_blocks",
        "bundle_v2/odd_names",
        "partitioned",
        "saver_v1/single",
        "saver_v1/sharded",
        "saver_v1/slices",
        "model_dir",
        "dtypes",
        "safetensors",
        "npz/saved",
        "keras",
        "hdf5",
        "saved_model",
        "serving",
        "stats",
        "cases/40-mispaired-tf2/run",
        "cases/30-mangled-partition-slots/train",
    ];
    let mut seen = 0;
    for fixture in fixtures {
        let mut open_dirs = vec![testdata().join(fixture)];
        while let Some(dir) = open_dirs.pop() {
            let mut paths = vec![dir.clone()];
            for entry in fs::read_dir(&dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open_dirs.push(path);
                } else if ["index", "npz", "npy", "h5", "keras", "safetensors"]
                    .iter()
                    .any(|end| path.extension().is_some_and(|own| own == *end))
                {
                    paths.push(path);
                }
            }
            for path in paths.into_iter().take(tries(2, 4)) {
                seen += 1;
                let (numbers, formats): (&[u64], _) =
                    if seen % 8 == 1 { (&[1, 7, 64], STATS_FORMATS) } else { (&[3], JSON) };
                holds_with(&path, numbers, formats, tries(numbers.len() > 1, true));
            }
        }
    }
    assert!(seen > tries(30, 40), "only {seen}");
}

#[test]
fn damaged_fixtures() {
    for (from, ends) in [("bundle_v2/many_blocks", "data-00000-of-00001"), ("npz/saved", ".npz")] {
        for seed in 0..3usize {
            let dir = copied(from);
            let files = || fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut hit: Vec<PathBuf> = files().filter(|path| path.to_str().unwrap().ends_with(ends)).collect();
            hit.sort();
            assert!(!hit.is_empty(), "{from}");
            for path in &hit {
                let len = usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
                match seed {
                    0 => flip(path, len / 2, 1),
                    1 => flip(path, len / 3, len / 8),
                    _ => fs::File::options().write(true).open(path).unwrap().set_len(len as u64 * 2 / 3).unwrap(),
                }
            }
            let mut whole: Vec<PathBuf> =
                files().filter(|path| path.extension().is_some_and(|e| e == "index")).collect();
            whole.extend(hit.into_iter().filter(|_| ends.starts_with('.')).take(2));
            whole.iter().take(3).for_each(|path| holds(path, &[1, 7], JSON));
        }
    }
}

/// A checkpoint of which tensors are cut into several units, in three shards, and small ones besides. The large ones have
/// few columns: what singular values take grows with the square of those, and it is slow without optimization.
fn large(dir: &Path, seed: u64) -> PathBuf {
    let prefix = dir.join(format!("m{seed}"));
    let mut tensors = vec![
        BigTensor::new("a/huge", &[150_000, 16], seed),
        BigTensor::new("b/half", &[287_500, 16], seed).of(dtype::BFLOAT16),
    ];
    tensors.extend((0..40).map(|n| BigTensor::new(format!("s/{n:02}"), &[11, n + 1], seed * 100 + n.unsigned_abs())));
    write_bundle(&prefix, &tensors, 3).unwrap();
    prefix
}

fn shards(prefix: &Path) -> Vec<PathBuf> {
    (0..3).map(|n| PathBuf::from(format!("{}.data-0000{n}-of-00003", prefix.display()))).collect()
}

#[test]
fn tensors_that_lie_in_several_parts() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = large(dir.path(), 1);
    holds_with(&prefix, &[7], JSON, tries(false, true));
    // One byte of a tensor in several parts, a page of zeros at the border of two units, and a small tensor.
    let shards = shards(&prefix);
    let longest = shards.iter().max_by_key(|shard| fs::metadata(shard).unwrap().len()).unwrap();
    flip(longest, 9 << 20, 1);
    if tries(false, true) {
        holds_with(&prefix, &[5], JSON, false);
    }
    let mut bytes = fs::read(longest).unwrap();
    bytes[(8 << 20) - 9000..(8 << 20) + 9000].fill(0);
    fs::write(longest, bytes).unwrap();
    for shard in &shards {
        let len = usize::try_from(fs::metadata(shard).unwrap().len()).unwrap();
        flip(shard, len - 30, 3);
    }
    holds_with(&prefix, &[3], JSON, false);
    fs::remove_file(&shards[0]).unwrap();
    holds_with(&prefix, &[4], JSON, false);
}

#[test]
fn two_checkpoints_of_which_tensors_lie_in_several_parts() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (large(dir.path(), 1), large(dir.path(), 2));
    holds_of_two(&a, &b, tries(&[7], &[3, 7]));
    // The same index, other bytes: what checksums hide and --exact finds.
    let copy = dir.path().join("copy");
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if let Some(end) = path.file_name().unwrap().to_str().unwrap().strip_prefix("m1") {
            fs::copy(&path, dir.path().join(format!("copy{end}"))).unwrap();
        }
    }
    for shard in shards(&copy) {
        let len = usize::try_from(fs::metadata(&shard).unwrap().len()).unwrap();
        flip(&shard, len / 2, 1);
    }
    holds_of_two(&a, &copy, &[5]);
    for (a, b) in [("npz/saved", "safetensors"), ("saver_v1/single", "bundle_v2/many_blocks")] {
        let some = |dir: &str| {
            let mut files: Vec<PathBuf> =
                fs::read_dir(testdata().join(dir)).unwrap().map(|entry| entry.unwrap().path()).collect();
            files.sort();
            files.into_iter().find(|path| open(path).is_ok()).unwrap()
        };
        holds_of_two(&some(a), &some(b), &[1, 3]);
    }
}

// Whatever is written and damaged: the same seed makes the same checkpoints every time.
#[test]
fn checkpoints_of_any_shape_and_damage() {
    let mut state = 0x5eed_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below.max(1)
    };
    for case in 0..tries(10, 40) {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m");
        let count = 1 + next(3);
        let mut builder = BundleBuilder::new().shards(count);
        for n in 0..next(30) {
            builder = builder.in_shard(next(count));
            let len = [0, 1, 7, 100, 5000, 70_000][next(6)];
            let values: Vec<f32> = (0..len)
                .map(|_| f32::from(u8::try_from(next(100)).unwrap()) - if next(50) == 0 { f32::NAN } else { 50.0 })
                .collect();
            builder = match next(5) {
                0 => builder.strings(format!("t{n}"), &[2], &["a".repeat(next(300)), "b".repeat(next(9))]),
                1 => builder.tensor(format!("t{n}"), dtype::UINT8, &[i64::try_from(len).unwrap()], vec![7; len]),
                _ => builder.floats(format!("t{n}"), &[i64::try_from(len).unwrap()], &values),
            };
        }
        builder.finish().write(&prefix).unwrap();
        for shard in 0..count {
            let file = PathBuf::from(format!("{}.data-{shard:05}-of-{count:05}", prefix.display()));
            let len = fs::read(&file).map_or(0, |bytes| bytes.len());
            match next(6) {
                0 if len > 0 => flip(&file, next(len), 1),
                1 if len > 0 => {
                    let at = next(len);
                    flip(&file, at, 1 + next(len - at));
                }
                2 if len > 0 => fs::File::options().write(true).open(&file).unwrap().set_len(next(len) as u64).unwrap(),
                3 if case % 9 == 0 => drop(fs::remove_file(&file)),
                _ => {}
            }
        }
        holds(&prefix, &[1 + next(9) as u64], JSON);
    }
}

fn ckpt(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ckpt")).current_dir(dir).args(args).output().unwrap()
}

/// Writes the parts of a command, and returns their names.
fn written(dir: &Path, args: &[&str], of: usize, name: &str) -> Vec<String> {
    let one = |number: usize| {
        let part = format!("{number}/{of}");
        let out = ckpt(dir, &[args, &["--part", part.as_str(), "--format", "part"]].concat());
        assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).as_ref()), (Some(0), ""), "{args:?}");
        let file = format!("{name}-{number}.part");
        fs::write(dir.join(&file), out.stdout).unwrap();
        file
    };
    (1..=of).map(one).collect()
}

fn merged(dir: &Path, parts: &[String], more: &[&str]) -> Output {
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    ckpt(dir, &[&["merge"], more, parts.as_slice()].concat())
}

fn error_of(out: &Output) -> String {
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stderr.clone()).unwrap()
}

#[test]
fn commands_write_parts_and_merge_prints_the_whole() {
    let dir = copied("bundle_v2/many_blocks");
    let index = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let index = index.filter(|path| path.extension().is_some_and(|end| end == "index")).min().unwrap();
    let name = index.file_stem().unwrap().to_str().unwrap().to_owned();
    let copy = dir.path().join("other");
    for end in ["index", "data-00000-of-00001"] {
        fs::copy(index.with_extension(end), copy.with_extension(end)).unwrap();
    }
    flip(&copy.with_extension("data-00000-of-00001"), 40, 2);
    let m = name.as_str();
    let asked: [(&[&str], &[&str]); 7] = [
        (&["validate", m], &["text", "json", "github", "sarif", "junit"]),
        (&["validate", "other", "--finite"], &["text", "json"]),
        (&["validate", "."], &["text", "junit"]),
        (
            &["stats", m, "--hist", "--per-channel", "--spectral", "--ascii"],
            &["text", "json", "jsonl", "csv", "markdown"],
        ),
        (&["stats", "other", "--sort=l2", "--top", "3", "-r"], &["text", "csv"]),
        (&["diff", m, "other", "--exact", "-l"], &["text", "json", "jsonl", "csv", "markdown", "github"]),
        (&["diff", m, "other"], &["text"]),
    ];
    for (args, formats) in asked {
        let parts = written(dir.path(), args, 3, "p");
        for format in formats {
            let whole = ckpt(dir.path(), &[args, &["--format", format]].concat());
            let got = merged(dir.path(), &parts, &["--format", format, "--threads", "1"]);
            assert_eq!(got, whole, "{args:?} {format}");
        }
    }
}

#[test]
fn parts_that_are_no_set_are_refused_by_name() {
    let dir = copied("bundle_v2/many_blocks");
    let path = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let index = path.filter(|path| path.extension().is_some_and(|end| end == "index")).min().unwrap();
    let m = index.file_stem().unwrap().to_str().unwrap();
    let data = index.with_extension("data-00000-of-00001");
    let at = dir.path();
    let parts = written(at, &["validate", m], 3, "p");
    let says = |files: &[&str]| {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        error_of(&merged(at, &files, &[]))
    };
    assert!(says(&["p-1.part", "p-3.part"]).contains("part 2 of 3 is missing"));
    assert!(says(&["p-1.part", "p-3.part", "p-1.part", "p-2.part"]).contains("p-1.part and p-1.part are both part 1"));
    written(at, &["validate", m], 4, "q");
    assert!(says(&["p-1.part", "p-2.part", "q-3.part"]).contains("q-3.part is a part of 4"));
    written(at, &["validate", m, "--finite"], 3, "f");
    assert!(says(&["p-1.part", "p-2.part", "f-3.part"]).contains("f-3.part is no part of the same report as p-1.part"));
    written(at, &["stats", m], 3, "s");
    assert!(says(&["p-1.part", "s-2.part", "p-3.part"]).contains("s-2.part is no part"));
    fs::write(at.join("cut.part"), &fs::read(at.join("p-2.part")).unwrap()[..200]).unwrap();
    assert!(
        says(&["p-1.part", "cut.part", "p-3.part"]).contains("cut.part is no part that can be merged: it is cut off")
    );
    let text = fs::read_to_string(at.join("p-2.part")).unwrap();
    fs::write(at.join("old.part"), text.replace("\"record_version\":1", "\"record_version\":9")).unwrap();
    assert!(says(&["p-1.part", "old.part", "p-3.part"]).contains("parts of version 9"));
    fs::write(at.join("edited.part"), text.replace("\"of\":3", "\"of\":2")).unwrap();
    assert!(says(&["p-1.part", "edited.part"]).contains("its own checksum"));
    assert!(says(&["p-1.part", "nowhere.part"]).contains("nowhere.part"));
    assert!(says(&["p-1.part", data.file_name().unwrap().to_str().unwrap()]).contains("is no JSON"));
    // The data was written anew between two parts, and before the merge.
    let bytes = fs::read(&data).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(&data, &bytes).unwrap();
    let names: Vec<&str> = parts.iter().map(String::as_str).collect();
    assert!(says(&names).contains("was written again"), "{}", says(&names));
    written(at, &["validate", m], 3, "n");
    assert!(says(&["p-1.part", "n-2.part", "n-3.part"]).contains("n-2.part is of another checkpoint than p-1.part"));
    fs::write(&data, [bytes.as_slice(), b"more"].concat()).unwrap();
    let longer = says(&["n-1.part", "n-2.part", "n-3.part"]);
    assert!(longer.contains("bytes, and had"), "{longer}");
    // Another checkpoint under the same path.
    let other = BundleBuilder::new().floats("x", &[1], &[1.0]).finish();
    other.write(&at.join(m)).unwrap();
    assert!(says(&["n-1.part", "n-2.part", "n-3.part"]).contains("tensors, and had"));
}

#[test]
fn a_part_for_people_says_what_was_not_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    large(dir.path(), 1);
    let text = |args: &[&str]| {
        let out = ckpt(dir.path(), args);
        (out.status.code(), String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap())
    };
    for command in [&["validate", "m1"][..], &["stats", "m1"], &["diff", "m1", "m1", "--exact"]] {
        let (status, says) = text(&[command, &["--part", "2/3"]].concat());
        assert_eq!(status, Some(0), "{says}");
        assert!(says.contains("part 2 of 3") && says.contains("says nothing of the whole"), "{says}");
        assert!(!says.contains("intact") && !says.contains("identical"), "{says}");
    }
    let shard = &shards(&dir.path().join("m1"))[0];
    flip(shard, 9, 2);
    let found: Vec<(Option<i32>, String)> =
        (1..=3).map(|n| text(&["validate", "m1", "--part", &format!("{n}/3")])).collect();
    assert!(found.iter().all(|(_, says)| !says.contains("intact")), "{found:?}");
    for (args, why) in [
        (&["--part", "0/3"][..], "counted from 1"),
        (&["--part", "4/3"], "K/N"),
        (&["--part", "1/3", "--format", "json"], "merge"),
        (&["--part", "1/3", "--quick"], "--quick"),
        (&["--format", "part"], "--part K/N"),
    ] {
        let (status, says) = text(&[&["validate", "m1"], args].concat());
        assert!(status == Some(2) && says.contains(why), "{says}");
    }
}

// Slurm and Kubernetes as docs/scale.md has them, with the variables that they set.
#[cfg(unix)]
#[test]
fn the_scripts_of_the_book_make_parts() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scale.md")).unwrap();
    let scripts: Vec<&str> = page.split("```bash\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect();
    assert_eq!(scripts.len(), 2);
    let bin = Path::new(env!("CARGO_BIN_EXE_ckpt")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let (path, checkpoint) = (path.unwrap(), testdata().join("saver_v2/sharded_adam"));
    let whole = Command::new(env!("CARGO_BIN_EXE_ckpt")).arg("validate").arg(&checkpoint).output().unwrap();
    for script in scripts {
        let dir = tempfile::tempdir().unwrap();
        let parts = dir.path().join("parts");
        fs::create_dir(&parts).unwrap();
        for number in 1..=3 {
            let out = Command::new("sh")
                .args(["-euc", script])
                .env("PATH", &path)
                .env("CHECKPOINT", &checkpoint)
                .env("PARTS", &parts)
                .envs([("SLURM_ARRAY_TASK_ID", number.to_string()), ("SLURM_ARRAY_TASK_COUNT", "3".to_owned())])
                .envs([("JOB_COMPLETION_INDEX", (number - 1).to_string()), ("OF", "3".to_owned())])
                .output()
                .unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
        let merged = Command::new(env!("CARGO_BIN_EXE_ckpt")).arg("merge").arg(&parts).output().unwrap();
        assert_eq!(merged, whole);
    }
}
