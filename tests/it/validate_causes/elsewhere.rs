//! What lies elsewhere: indexes and shards under other names and in other directories, saves that never got their name,
//! two shards of one cause; and that what a finding says to do does it.

use std::fs;
use std::path::Path;
use std::process::Command;

use ckpt::analysis::{Code, Finding};
use ckpt_synth::{BundleBuilder, dtype};

use crate::validating::{ckpt, ckpt_says, errors, lines, noise, only, run, tensors, try_run, with};

fn save(prefix: &Path, seed: u64, shards: usize) {
    fs::create_dir_all(prefix.parent().unwrap()).unwrap();
    let mut builder = BundleBuilder::new();
    for n in 0..6u64 {
        let shard = usize::try_from(n).unwrap() % shards;
        builder = builder.tensor_in(shard, format!("v{n}"), dtype::FLOAT, &[50], noise(200, seed * 10 + n));
    }
    builder.tensor_in(0, "global_step", dtype::INT64, &[], seed.to_le_bytes()).finish().write(prefix).unwrap();
}

/// Runs the command behind `before` in what a finding says to do.
fn follow(finding: &Finding, before: &str) {
    let help = finding.help.as_deref().unwrap();
    follow_text(help, before);
}

fn follow_text(help: &str, before: &str) {
    let (_, command) = help.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {help}"));
    let mut command = command;
    for behind in [", and then ", "; a mended copy", "; a whole copy"] {
        command = command.split(behind).next().unwrap();
    }
    assert!(Command::new("sh").args(["-c", command]).status().unwrap().success(), "{command}");
}

#[test]
fn an_index_under_another_name_is_found_by_the_lengths_that_it_says() {
    for name in ["m-7.index.txt", "m-7 (1).index", "m-7.index.part", "index-of-m"] {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("m-7");
        save(&prefix, 7, 2);
        fs::rename(with(&prefix, ".index"), dir.path().join(name)).unwrap();
        // Another checkpoint has its own.
        save(&dir.path().join("m-8"), 8, 2);
        let error = try_run(&prefix, &crate::validating::options()).unwrap_err();
        let help = error.help().unwrap();
        assert!(help.contains(name) && help.contains("just these lengths"), "{help}");
        follow_text(help, "lengths: ");
        assert!(run(&prefix).findings.is_empty(), "{}", lines(&run(&prefix)));
    }
}

#[test]
fn a_shard_under_another_name_is_found_although_one_bit_of_it_is_flipped() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m-7");
    save(&prefix, 7, 1);
    let (shard, copy) = (with(&prefix, ".data-00000-of-00001"), dir.path().join("m-7 (1).data-00000-of-00001"));
    fs::rename(&shard, &copy).unwrap();
    crate::validating::edit(&copy, |bytes| bytes[300] ^= 4);
    let found = run(&prefix);
    let words = ["its data is there as m-7 (1).data-00000-of-00001", "one tensor differs", "one flipped bit"];
    let finding = only(&found, Code::MissingShard, &words);
    assert!(finding.help.as_deref().unwrap().contains("ckpt recover"), "{}", lines(&found));
    follow_text(&finding.help.as_deref().unwrap().replace("; a mended copy", "; a whole copy"), "rename it: ");
    only(&run(&prefix), Code::SingleBitFlip, &["bit 2 of byte 300"]);
    // A copy without a fault is better.
    save(&dir.path().join("other/m-7"), 7, 1);
    fs::rename(&shard, &copy).unwrap();
    fs::copy(with(&dir.path().join("other/m-7"), ".data-00000-of-00001"), dir.path().join("z.bin")).unwrap();
    fs::remove_dir_all(dir.path().join("other")).unwrap();
    let found = run(&prefix);
    let finding = only(&found, Code::MissingShard, &["its data is there as z.bin"]);
    assert!(!finding.cause.as_ref().unwrap().certain.contains("bit"), "{}", lines(&found));
}

#[test]
fn an_index_that_fits_no_length_is_not_offered() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m-7");
    save(&prefix, 7, 2);
    fs::rename(with(&prefix, ".index"), dir.path().join("other.index")).unwrap();
    let data = with(&prefix, ".data-00001-of-00002");
    let shorter = fs::read(&data).unwrap().split_last().unwrap().1.to_vec();
    fs::write(&data, shorter).unwrap();
    let error = try_run(&prefix, &crate::validating::options()).unwrap_err();
    assert!(!error.help().unwrap().contains("lengths"), "{error}");
}

#[test]
fn the_index_lies_in_the_leftover_whose_data_was_renamed() {
    let dir = tempfile::tempdir().unwrap();
    let part = dir.path().join("net_temp/part-00000-of-00001");
    save(&part, 3, 1);
    fs::rename(with(&part, ".data-00000-of-00001"), dir.path().join("net.data-00000-of-00001")).unwrap();
    for path in [dir.path().join("net"), dir.path().to_path_buf()] {
        let error = try_run(&path, &crate::validating::options()).unwrap_err();
        assert!(error.help().unwrap().contains("net_temp/part-00000-of-00001.index"), "{error}");
    }
    let error = try_run(&dir.path().join("net"), &crate::validating::options()).unwrap_err();
    follow_text(error.help().unwrap(), "lengths: ");
    assert!(run(&dir.path().join("net")).is_ok());
}

#[test]
fn a_save_that_never_got_its_name_is_offered_where_there_is_no_other() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("best_temp_0a1b/part-00000-of-00001"), 3, 1);
    for path in [dir.path().join("best"), dir.path().to_path_buf()] {
        let error = try_run(&path, &crate::validating::options()).unwrap_err();
        assert!(error.help().unwrap().contains("never got its name"), "{error}");
    }
    let error = try_run(dir.path(), &crate::validating::options()).unwrap_err();
    follow_text(error.help().unwrap(), "if it is: ");
    assert!(run(&dir.path().join("best")).findings.is_empty());
    // Parts of several workers are not one save.
    let dir = tempfile::tempdir().unwrap();
    for n in 0..2 {
        save(&dir.path().join(format!("best_temp/part-0000{n}-of-00002")), n, 1);
    }
    let error = try_run(dir.path(), &crate::validating::options()).unwrap_err();
    let help = error.help().unwrap();
    assert!(help.contains("never put together; keep them") && !help.contains("mv "), "{help}");
    // Interrupted before any index was written.
    for n in 0..2 {
        fs::remove_file(dir.path().join(format!("best_temp/part-0000{n}-of-00002.index"))).unwrap();
    }
    for path in [dir.path().join("best"), dir.path().to_path_buf()] {
        let error = try_run(&path, &crate::validating::options()).unwrap_err();
        assert!(error.help().unwrap().contains("no index, which would say"), "{error}");
    }
}

#[test]
fn a_part_on_a_file_system_without_directories_is_one_finding() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("s"), 1, 1);
    save(&dir.path().join("s.part-00000-of-00001"), 2, 1);
    let found = run(&dir.path().join("s"));
    only(&found, Code::InterruptedSave, &["s.part-00000-of-00001 is a part of a save", "keep it", "ckpt validate "]);
}

#[test]
fn a_shard_in_another_directory_is_found() {
    for to in ["sub/m", "../up"] {
        let dir = tempfile::tempdir().unwrap();
        let prefix = dir.path().join("in/m");
        save(&prefix, 4, 2);
        let name = "m.data-00001-of-00002";
        let other = if to == "sub/m" { dir.path().join("in/sub") } else { dir.path().to_path_buf() };
        fs::create_dir_all(&other).unwrap();
        fs::rename(with(&prefix, ".data-00001-of-00002"), other.join(name)).unwrap();
        let found = run(&prefix);
        let finding = only(&found, Code::MissingShard, &["its data is there as", "different directories"]);
        follow(finding, "beside its index: ");
        assert!(run(&prefix).findings.is_empty());
    }
}

// What is moved out of a whole checkpoint breaks that one.
#[test]
fn a_shard_of_another_checkpoint_is_copied_and_not_moved() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = ["m", "copy"].map(|name| dir.path().join(name));
    save(&one, 4, 1);
    save(&two, 4, 1);
    fs::remove_file(with(&one, ".data-00000-of-00001")).unwrap();
    let found = run(&one);
    let finding = only(&found, Code::MissingShard, &["its data is there as copy.data-00000-of-00001"]);
    follow(finding, "copy it: ");
    assert!(run(&one).findings.is_empty() && run(&two).findings.is_empty());
}

#[test]
fn an_index_that_was_renamed_is_renamed_back_and_not_its_data() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("m"), 4, 2);
    fs::rename(dir.path().join("m.index"), dir.path().join("m (1).index")).unwrap();
    let found = run(&dir.path().join("m (1)"));
    let missing: Vec<&Finding> = errors(&found);
    assert!(missing.iter().all(|finding| finding.code == Code::MissingShard), "{}", lines(&found));
    follow(missing[0], "rename that: ");
    assert!(run(&dir.path().join("m")).findings.is_empty());
}

#[test]
fn two_shards_of_one_cause_are_one_finding() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("m-1"), dir.path().join("m-2"));
    save(&a, 1, 2);
    save(&b, 2, 2);
    fs::copy(with(&b, ".index"), dir.path().join("aside")).unwrap();
    fs::copy(with(&a, ".index"), with(&b, ".index")).unwrap();
    fs::rename(dir.path().join("aside"), with(&a, ".index")).unwrap();
    let found = run(&a);
    let words = [
        "m-1.data-00000-of-00002",
        "; the same of m-1.data-00001-of-00002",
        "the data of this index is m-2.data-?????-of-00002; the index of this data is m-2.index",
    ];
    only(&found, Code::MispairedData, &words);
    assert_eq!((errors(&found).len(), tensors(&found, Code::MispairedData).len()), (1, 7), "{}", lines(&found));

    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("x y");
    save(&prefix, 5, 3);
    let [one, two] = [".data-00001-of-00003", ".data-00002-of-00003"].map(|end| with(&prefix, end));
    let aside = dir.path().join("aside");
    fs::rename(&one, &aside).unwrap();
    fs::rename(&two, &one).unwrap();
    fs::rename(&aside, &two).unwrap();
    let found = run(&prefix);
    let finding = only(&found, Code::SwappedShards, &["hold each other's data"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    follow(finding, "names: ");
    assert!(run(&prefix).findings.is_empty());
}

// Only the step moved, by one bit; the other index has its value.
#[test]
fn a_step_of_another_save_is_no_flipped_bit() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, step: u64| {
        let builder = BundleBuilder::new().tensor("w", dtype::FLOAT, &[500], noise(2000, 1));
        let builder = builder.tensor("global_step", dtype::INT64, &[], step.to_le_bytes());
        builder.finish().write(&dir.path().join(name)).unwrap();
    };
    make("m-4", 4);
    make("m-5", 5);
    let data = |name: &str| dir.path().join(format!("{name}.data-00000-of-00001"));
    fs::copy(data("m-5"), data("m-4")).unwrap();
    only(&run(&dir.path().join("m-4")), Code::MispairedData, &["have the checksums in m-5.index"]);
    // What the two numbers of TensorFlow's message look like is not what happened.
    let found = run(&dir.path().join("m-4"));
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    fs::remove_file(dir.path().join("m-5.index")).unwrap();
    only(&run(&dir.path().join("m-4")), Code::SingleBitFlip, &["the value of another save"]);
}

#[test]
fn a_bit_amid_bytes_that_nothing_explains_is_not_called_a_flip() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let mut builder = BundleBuilder::new();
    for n in 0..6u64 {
        builder = builder.tensor(format!("v{n}"), dtype::FLOAT, &[5000], noise(20000, n));
    }
    builder.finish().write(&prefix).unwrap();
    let data = with(&prefix, ".data-00000-of-00001");
    let mut bytes = fs::read(&data).unwrap();
    bytes[30_000] ^= 4;
    fs::write(&data, &bytes).unwrap();
    only(&run(&prefix), Code::SingleBitFlip, &["bit 2 of byte 30000"]);
    bytes[90_000..90_100].copy_from_slice(&noise(100, 77));
    fs::write(&data, &bytes).unwrap();
    let found = run(&prefix);
    assert!(!found.findings.iter().any(|finding| finding.code == Code::SingleBitFlip), "{}", lines(&found));
    assert!(
        lines(&found).contains("one flipped bit would explain this tensor, bit 2 of byte 30000"),
        "{}",
        lines(&found)
    );
}

#[test]
fn explain_says_what_validate_says_of_the_same_files() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("m-1"), 1, 1);
    save(&dir.path().join("m-2"), 2, 1);
    let [one, two] = ["m-1", "m-2"].map(|name| dir.path().join(name));
    fs::copy(with(&two, ".data-00000-of-00001"), with(&one, ".data-00000-of-00001")).unwrap();
    let path = one.to_str().unwrap();
    let found = run(&one);
    let _ = only(&found, Code::MispairedData, &[]);
    let sum = |bytes: &[u8]| ckpt_synth::crc::crc32c(bytes);
    let message = format!(
        "DataLossError: TensorBundle at {path} shard 0 (200 bytes): Checksum does not match: stored {} vs. calculated on the restored bytes {}",
        sum(&noise(200, 10)),
        sum(&noise(200, 20))
    );
    let screen = ckpt_says(0, &["explain", &message]);
    assert!(screen.contains("By the files: m-1.data-00000-of-00001") && screen.contains("mispaired-data"), "{screen}");
    assert!(screen.contains("m-2.index") && !screen.contains("damaged disk"), "{screen}");

    // A shard under another name, by the path of the shard that TensorFlow names.
    fs::rename(with(&two, ".data-00000-of-00001"), dir.path().join("weights.bin")).unwrap();
    let message = format!("{}.data-00000-of-00001; No such file or directory", two.display());
    let screen = ckpt_says(0, &["explain", &message]);
    assert!(screen.contains("its data is there as weights.bin"), "{screen}");
}

#[test]
fn explain_does_not_miss_what_the_files_have() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m-1");
    save(&prefix, 1, 1);
    let path = prefix.to_str().unwrap();
    let says = |message: &str| {
        let output = ckpt(&["explain", "--path", path, message]);
        String::from_utf8(output.stdout).unwrap()
    };
    let screen = says("NotFoundError: Key v3 not found in checkpoint");
    assert!(screen.contains("has 'v3', so the") && screen.contains("another path"), "{screen}");
    let screen = says("NotFoundError: Key v33 not found in checkpoint");
    assert!(!screen.contains("By the files"), "{screen}");
    let assign = "Assign requires shapes of both tensors to match. lhs shape= [5] rhs shape= [4] [[loc:@v3\"";
    assert!(says(assign).contains("are not those of the message"), "{}", says(assign));
    let assign = "Assign requires shapes of both tensors to match. lhs shape= [5] rhs shape= [50] [[loc:@v3\"";
    assert!(!says(assign).contains("are not those of the message"), "{}", says(assign));
    let objects = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/object_graph/keras3/ckpt-1");
    let list: serde_json::Value =
        serde_json::from_str(&ckpt_says(0, &["list", objects, "role:weight", "--format", "json"])).unwrap();
    let key = list["tensors"][0]["name"].as_str().unwrap().strip_suffix("/.ATTRIBUTES/VARIABLE_VALUE").unwrap();
    let output = ckpt(&["explain", "--path", objects, &format!("Key {key} not found in checkpoint")]);
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(screen.contains("object-based and has it under the key"), "{screen}");
}

#[test]
fn explain_says_what_is_at_a_path_where_tensorflow_found_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("run/m-1");
    save(&prefix, 1, 1);
    let says = |path: &str| {
        let output = ckpt(&["explain", &format!("ValueError: The passed save_path is not a valid checkpoint: {path}")]);
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (whole, above) = (prefix.display().to_string(), dir.path().join("run").display().to_string());
    assert!(says(&whole).contains("there is a checkpoint at"), "{}", says(&whole));
    assert!(says(&above).contains("is no prefix: give '"), "{}", says(&above));
    assert!(says(&whole.replace('/', "\\")).contains("backslashes"), "{}", says(&whole.replace('/', "\\")));
    assert!(
        says(&format!("{whole}1")).contains("There is no checkpoint at")
            || says(&format!("{whole}1")).contains("leads to no checkpoint")
    );
    let output = ckpt(&["explain", "Could not open run/checkpoint: Data loss: not an sstable (bad magic number)"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("the text file that names the newest checkpoint"));
}

// Commands that are printed work as they stand.
#[test]
fn explain_names_the_tags_that_a_model_has() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases/24-two-metagraphs/export/1");
    let message = "ValueError: Importing a SavedModel with `tf.saved_model.load` requires a `tags=` argument if there is more than one MetaGraph. Got `tags=None`, but there are 2 MetaGraphs";
    let screen = ckpt_says(0, &["explain", "--path", model.to_str().unwrap(), message]);
    assert!(screen.contains("tags=['"), "{screen}");
    let text = ckpt_says(0, &["inspect", model.to_str().unwrap(), "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tags = |graph: &serde_json::Value| graph["tags"].as_array().map(|tags| tags.len() == 1 && tags[0] == "serve");
    let serves = document["meta_graphs"].as_array().unwrap().iter().any(|graph| tags(graph) == Some(true));
    assert_eq!(screen.contains("tags=['serve'])"), serves, "{screen}");
}
