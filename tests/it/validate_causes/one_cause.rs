//! One cause is one finding, whatever it did to steps, strings, lengths and parts of files; and files that belong to no
//! checkpoint here are told.

use std::fs;
use std::path::{Path, PathBuf};

use ckpt::analysis::{Code, Severity, Validation};
use ckpt_synth::{BundleBuilder, dtype};

use crate::validating::{ckpt_says, copy, errors, lines, noise, only, run, tensors, with};

/// Three shards of noise, of which the last is shorter, and the step alone in one before them.
fn save(prefix: &Path, step: u64) {
    let mut builder = BundleBuilder::new().tensor_in(0, "global_step", dtype::INT64, &[], step.to_le_bytes());
    for n in 0..9u64 {
        let shard = usize::try_from(n / 3).unwrap() + 1;
        let (len, bytes) = if n == 8 { (40, 160) } else { (60, 240) };
        let bytes = noise(bytes, step * 100 + n);
        builder = builder.tensor_in(shard, format!("v{n}"), dtype::FLOAT, &[len], bytes);
    }
    builder.finish().write(prefix).unwrap();
}

fn shard(prefix: &Path, n: usize) -> PathBuf {
    with(prefix, &format!(".data-0000{n}-of-00004"))
}

#[test]
fn the_step_of_another_save_goes_with_its_shards() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    save(&prefix, 201);
    let index = fs::read(with(&prefix, ".index")).unwrap();
    save(&prefix, 200);
    fs::write(with(&prefix, ".index"), index).unwrap();
    let found = run(&prefix);
    only(&found, Code::MispairedData, &["global_step, alone in another shard, differs too", "of these differs"]);
    assert_eq!((errors(&found).len(), tensors(&found, Code::MispairedData).len()), (1, 10), "{}", lines(&found));
    // Alone it may be damage.
    let step = fs::read(shard(&prefix, 0)).unwrap();
    save(&prefix, 201);
    fs::write(shard(&prefix, 0), step).unwrap();
    only(&run(&prefix), Code::SingleBitFlip, &["the value of another save"]);
}

// Two checkpoints of a directory, each with the data of a save that is not there: two findings, not one of both.
#[test]
fn the_same_cause_in_two_checkpoints_is_two_findings() {
    let dir = tempfile::tempdir().unwrap();
    for (name, step) in [("m-1", 201), ("m-2", 301)] {
        let prefix = dir.path().join(name);
        save(&prefix, step);
        let index = fs::read(with(&prefix, ".index")).unwrap();
        save(&prefix, step + 50);
        fs::write(with(&prefix, ".index"), index).unwrap();
    }
    let found = run(dir.path());
    let told: Vec<&Path> = errors(&found).into_iter().filter_map(|finding| finding.file.as_deref()).collect();
    assert!(errors(&found).iter().all(|finding| finding.code == Code::MispairedData), "{}", lines(&found));
    assert_eq!(told.len(), 2, "{}", lines(&found));
    for finding in errors(&found) {
        assert_eq!(finding.explains.len(), 10, "{}", lines(&found));
    }
}

#[test]
fn shards_in_a_ring_are_one_finding() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    save(&prefix, 7);
    let bytes = [1, 2, 3].map(|n| fs::read(shard(&prefix, n)).unwrap());
    for (n, bytes) in [(1, &bytes[1]), (2, &bytes[2]), (3, &bytes[0])] {
        fs::write(shard(&prefix, n), bytes).unwrap();
    }
    let found = run(&prefix);
    let words = ["3 shards hold the data of one another", "that of m.data-00001-of-00004 is in m.data-00003-of-00004"];
    only(&found, Code::SwappedShards, &words);
    assert_eq!((errors(&found).len(), tensors(&found, Code::SwappedShards).len()), (1, 9), "{}", lines(&found));
}

#[test]
fn shards_of_other_lengths_are_swapped_too() {
    for (a, b) in [(0, 1), (2, 3)] {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m");
        save(&prefix, 7);
        let (one, other) = (shard(&prefix, a), shard(&prefix, b));
        let bytes = fs::read(&one).unwrap();
        fs::copy(&other, &one).unwrap();
        fs::write(&other, bytes).unwrap();
        let found = run(&prefix);
        only(&found, Code::SwappedShards, &["hold each other's data", "and so the other way round"]);
        assert_eq!(found.findings.len(), 1, "{}", lines(&found));
    }
}

#[test]
fn a_hole_takes_the_strings_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let words: Vec<String> = (0..200).map(|n| format!("word number {n}")).collect();
    let builder = BundleBuilder::new().tensor("a", dtype::FLOAT, &[5000], noise(20_000, 1));
    builder.strings("words", &[200], &words).finish().write(&prefix).unwrap();
    let data = with(&prefix, ".data-00000-of-00001");
    let mut bytes = fs::read(&data).unwrap();
    bytes[8192..].fill(0);
    let len = bytes.len();
    fs::write(&data, &bytes).unwrap();
    let found = run(&prefix);
    only(&found, Code::HoleOfZeros, &[&format!("zeros from 8192 to {len}"), "2 tensors affected (a, words)"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    // Strings that are wrong elsewhere are another fault.
    save_words(&data, &prefix, &words);
    only(&run(&prefix), Code::HoleOfZeros, &["1 tensor affected (a)"]);
    assert_eq!(errors(&run(&prefix)).len(), 2, "{}", lines(&run(&prefix)));
}

/// A hole in the numbers, and one byte of the strings another one.
fn save_words(data: &Path, prefix: &Path, words: &[String]) {
    let builder = BundleBuilder::new().tensor("a", dtype::FLOAT, &[5000], noise(20_000, 1));
    builder.strings("words", &[200], words).finish().write(prefix).unwrap();
    let mut bytes = fs::read(data).unwrap();
    bytes[4096..16_384].fill(0);
    let last = bytes.len() - 1;
    bytes[last] ^= 0x5a;
    fs::write(data, bytes).unwrap();
}

/// Weights of which the first are frozen.
fn tuned(prefix: &Path, step: u64) {
    let mut builder = BundleBuilder::new();
    for n in 0..8u64 {
        let seed = if n < 4 { n } else { step * 10 + n };
        builder = builder.tensor(format!("v{n}"), dtype::FLOAT, &[60], noise(240, seed));
    }
    builder.finish().write(prefix).unwrap();
}

#[test]
fn frozen_layers_do_not_hide_that_all_is_of_another_save() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("m-1"), dir.path().join("m-2"));
    tuned(&one, 1);
    tuned(&two, 2);
    let data = |prefix: &Path| with(prefix, ".data-00000-of-00001");
    fs::copy(data(&two), data(&one)).unwrap();
    let words = ["does not belong to this index but to another save", "the index of this data is m-2.index"];
    only(&run(&one), Code::MispairedData, &words);
    // A file that was written over in part is of neither.
    tuned(&one, 1);
    let (mut bytes, other) = (fs::read(data(&one)).unwrap(), fs::read(data(&two)).unwrap());
    bytes[..1440].copy_from_slice(&other[..1440]);
    fs::write(data(&one), bytes).unwrap();
    let words = ["holds tensors of another save", "what differs belongs to m-2.index, the rest to this index"];
    only(&run(&one), Code::MispairedData, &words);
}

fn warned(found: &Validation, code: Code) -> &ckpt::analysis::Finding {
    let mut of_code = found.findings.iter().filter(|finding| finding.code == code);
    let finding = of_code.next().unwrap_or_else(|| panic!("no {code:?}: {}", lines(found)));
    assert!(of_code.next().is_none() && finding.severity == Severity::Warning, "{}", lines(found));
    finding
}

#[test]
fn data_without_an_index_is_told() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("m-1"), 1);
    save(&dir.path().join("m-2"), 2);
    fs::remove_file(dir.path().join("m-2.index")).unwrap();
    let found = run(dir.path());
    let finding = warned(&found, Code::SurplusShard);
    assert!(finding.message.contains("data of m-2 lies here without its index, in 4 files"), "{}", lines(&found));
    assert!(!finding.help.as_ref().unwrap().contains("a whole copy"), "{}", lines(&found));
    // Beside a SavedModel of that name.
    let model = copy("cases/12-version-names/spellcheck");
    let beside = PathBuf::from(format!("{}.data-00000-of-00001", model.path().display()));
    fs::write(&beside, noise(100, 1)).unwrap();
    let found = run(model.path());
    fs::remove_file(beside).unwrap();
    assert!(warned(&found, Code::SurplusShard).message.contains("without its index, in 1 file"), "{}", lines(&found));
}

#[test]
fn the_files_of_one_save_that_was_being_written_are_one_finding() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("m-1"), 1);
    for name in ["m-2.data-00000-of-00001.tempstate99", "m-2.index.tempstate123"] {
        fs::write(dir.path().join(name), noise(100, 1)).unwrap();
    }
    let found = run(dir.path());
    assert!(
        warned(&found, Code::InterruptedSave).message.contains("and 1 more file of the same save"),
        "{}",
        lines(&found)
    );
}

// A table under another name is what it says, and no checkpoint of the old format.
#[test]
fn a_lone_index_under_another_name_is_no_v1_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m-2");
    save(&prefix, 2);
    fs::rename(with(&prefix, ".index"), dir.path().join("m-2.index.txt")).unwrap();
    let error = crate::validating::try_run(dir.path(), &crate::validating::options()).unwrap_err();
    assert!(error.help().unwrap().contains("just these lengths"), "{error:?}");
}

#[test]
fn a_fingerprint_that_is_none_stops_no_server() {
    let dir = copy("serving/base/served");
    let packed = copy("cases/09-gzip-index");
    fs::copy(packed.path().join("bar/1/saved_model.pb"), dir.path().join("17/fingerprint.pb")).unwrap();
    let screen = ckpt_says(0, &["validate", dir.path().to_str().unwrap(), "--serving"]);
    assert!(screen.contains("not a fingerprint") && screen.contains("gzip-compressed"), "{screen}");
    assert!(screen.contains("version 17 can be served"), "{screen}");
}

#[test]
fn what_tensorflow_would_say_of_damage_is_in_its_words() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    save(&prefix, 3);
    let data = shard(&prefix, 1);
    let mut bytes = fs::read(&data).unwrap();
    bytes[10] ^= 1;
    fs::write(&data, bytes).unwrap();
    let path = prefix.to_str().unwrap();
    let screen = ckpt_says(1, &["validate", path, "--against", path]);
    let says = screen.lines().find(|line| line.contains("Checksum does not match: stored ")).unwrap();
    assert!(says.contains(" vs. calculated on the restored bytes ") && !says.contains('…'), "{says}");
}

#[test]
fn latest_tells_of_a_model_under_the_name_of_the_prefix() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("m"), 1);
    let model = copy("cases/12-version-names/spellcheck");
    fs::rename(model.path(), dir.path().join("m")).unwrap();
    fs::create_dir(model.path()).unwrap();
    let output = crate::validating::ckpt(&["latest", dir.path().to_str().unwrap()]);
    let notes = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && notes.contains("with a SavedModel"), "{notes}");
}
