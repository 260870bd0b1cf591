//! The files of a set: missing, cut, of another kind, of another save, under each other's names.

use std::fs;
use std::path::Path;

use ckpt::analysis::{Code, Selector, ValidateOptions};
use ckpt_synth::{BundleBuilder, Extent, dtype};

use crate::validating::{
    ckpt, ckpt_says, codes, copy, data_of, edit, errors, lines, noise, only, options, run, tensors, try_run, with,
    written,
};

const POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1\noid sha256:4665a5ea423c2713d436b5ee50593a9640e0018c1550b5a0002f74190d6caea8\nsize 12345\n";

const PAGE: &[u8] = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in</body></html>\n";

/// A bundle of three tensors in one shard: 400, 800 and 1200 bytes.
fn three(seed: u64) -> BundleBuilder {
    BundleBuilder::new()
        .tensor("a", dtype::FLOAT, &[100], noise(400, seed))
        .tensor("b", dtype::FLOAT, &[200], noise(800, seed + 1))
        .tensor("c", dtype::FLOAT, &[300], noise(1200, seed + 2))
}

#[test]
fn a_truncated_shard() {
    let (_dir, prefix) = written(three(1));
    edit(&data_of(&prefix), |bytes| bytes.truncate(1000));
    let found = run(&prefix);
    let short = only(
        &found,
        Code::ShortShard,
        &[
            "has 1000 bytes, its index places tensors up to 2400: 2 tensors affected (b, c)",
            "1400 bytes are missing at the end",
        ],
    );
    assert_eq!((short.expected.as_deref(), short.found.as_deref()), (Some("2400"), Some("1000")));
    assert_eq!(found.checked.verified, 1);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn a_truncated_shard_with_strings_is_one_finding() {
    let dir = copy("object_graph/keras3");
    edit(&data_of(&dir.path().join("ckpt-1")), |bytes| bytes.truncate(900));
    let found = run(&dir.path().join("ckpt-1"));
    only(&found, Code::ShortShard, &["16 tensors affected (_CHECKPOINTABLE_OBJECT_GRAPH, "]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn a_pointer_or_a_page_in_place_of_a_shard() {
    for (bytes, words) in
        [(POINTER, ["a Git LFS pointer", "git lfs pull"]), (PAGE, ["an HTML page", "fetch the file itself"])]
    {
        let (_dir, prefix) = written(three(1));
        fs::write(data_of(&prefix), bytes).unwrap();
        let found = run(&prefix);
        only(&found, Code::ForeignShard, &words);
        assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
        assert_eq!(found.checked.verified, 0);
    }
    // Longer than the shard should be: the length alone says nothing.
    let (_dir, prefix) = written(BundleBuilder::new().floats("a", &[2], &[1.0, 2.0]));
    fs::write(data_of(&prefix), POINTER).unwrap();
    let found = run(&prefix);
    only(&found, Code::ForeignShard, &["a Git LFS pointer"]);
    assert_eq!(codes(&found), ["foreign-shard"], "{}", lines(&found));
}

#[test]
fn a_missing_shard() {
    let dir = copy("partitioned/merged");
    let prefix = dir.path().join("merged");
    fs::remove_file(with(&prefix, ".data-00001-of-00003")).unwrap();
    let found = run(&prefix);
    only(&found, Code::MissingShard, &["merged.data-00001-of-00003 is missing: ", " affected ("]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));

    let dir = copy("saver_v1/sharded");
    fs::remove_file(dir.path().join("model.ckpt-9-00001-of-00003")).unwrap();
    only(&run(&dir.path().join("model.ckpt-9")), Code::MissingShard, &["model.ckpt-9-00001-of-00003 is missing"]);
}

#[test]
#[cfg(unix)]
fn a_shard_that_is_no_file_is_not_waited_for() {
    let (_dir, prefix) = written(three(1));
    fs::remove_file(data_of(&prefix)).unwrap();
    let made = std::process::Command::new("mkfifo").arg(data_of(&prefix)).status().unwrap();
    assert!(made.success());
    let found = run(&prefix);
    only(&found, Code::MissingShard, &["m.data-00000-of-00001 is not a file", "3 tensors affected"]);
    assert_eq!(found.checked.verified, 0);
}

#[test]
fn data_and_index_of_two_saves_that_lie_beside_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("ckpt-1"), dir.path().join("ckpt-2"));
    let write = || {
        three(10).finish().write(&one).unwrap();
        three(20).finish().write(&two).unwrap();
    };
    write();
    fs::copy(data_of(&one), data_of(&two)).unwrap();
    let found = run(&two);
    only(
        &found,
        Code::MispairedData,
        &[
            "ckpt-2.data-00000-of-00001 does not belong to this index",
            "all 3 tensors that differ have the checksums in ckpt-1.index",
        ],
    );
    assert_eq!(tensors(&found, Code::MispairedData), ["a", "b", "c"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    assert!(run(&one).is_ok());

    write();
    fs::copy(with(&one, ".index"), with(&two, ".index")).unwrap();
    only(
        &run(&two),
        Code::MispairedData,
        &[
            "all 3 tensors that differ are in ckpt-1.data-00000-of-00001 as this index has them",
            "the data of this index is ckpt-1.data-00000-of-00001",
        ],
    );

    // Alone, it can only be suspected.
    write();
    fs::copy(data_of(&one), data_of(&two)).unwrap();
    for suffix in [".index", ".data-00000-of-00001"] {
        fs::remove_file(with(&one, suffix)).unwrap();
    }
    let found = run(&two);
    only(
        &found,
        Code::MispairedData,
        &["none of the 3 tensors", "every size fits and every checksum of these differs"],
    );
    assert_eq!(tensors(&found, Code::MispairedData), ["a", "b", "c"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

#[test]
fn tensorflow_s_saves_mixed() {
    let dir = copy("model_dir/manager");
    let (two, three) = (dir.path().join("ckpt-2"), dir.path().join("ckpt-3"));
    fs::copy(data_of(&two), data_of(&three)).unwrap();
    let found = run(&three);
    assert!(!found.is_ok(), "{}", lines(&found));
}

#[test]
fn two_shards_with_each_other_s_name() {
    let (_dir, prefix) =
        written(BundleBuilder::new().tensor_in(0, "a", dtype::FLOAT, &[100], noise(400, 1)).tensor_in(
            1,
            "b",
            dtype::FLOAT,
            &[100],
            noise(400, 2),
        ));
    let shards = [with(&prefix, ".data-00000-of-00002"), with(&prefix, ".data-00001-of-00002")];
    let bytes = shards.each_ref().map(|shard| fs::read(shard).unwrap());
    fs::write(&shards[0], &bytes[1]).unwrap();
    fs::write(&shards[1], &bytes[0]).unwrap();
    let found = run(&prefix);
    let swapped: Vec<&str> =
        found.findings.iter().filter(|f| f.code == Code::SwappedShards).map(|f| f.message.as_str()).collect();
    assert_eq!(swapped, ["m.data-00000-of-00002 and m.data-00001-of-00002 hold each other's data"]);
    assert_eq!(tensors(&found, Code::SwappedShards), ["a", "b"]);
}

#[test]
fn shards_of_another_count() {
    let (_dir, prefix) = written(three(1).shards(2));
    for id in 0..2 {
        let (from, to) = (format!(".data-0000{id}-of-00002"), format!(".data-0000{id}-of-00003"));
        fs::rename(with(&prefix, &from), with(&prefix, &to)).unwrap();
    }
    fs::write(with(&prefix, ".data-00002-of-00003"), b"").unwrap();
    let found = run(&prefix);
    let said: Vec<String> =
        found.findings.iter().filter(|f| f.code == Code::ShardCountMismatch).map(crate::validating::line).collect();
    assert_eq!(said.len(), 2, "{}", lines(&found));
    assert!(said[0].contains("m.data-00000-of-00002 is missing, but there are shards named -of-00003"), "{said:?}");
    assert!(said[0].contains("the index counts 2 shards, the files are named after 3"), "{said:?}");
}

#[test]
fn a_shard_that_nobody_counts() {
    let (_dir, prefix) = written(three(1));
    fs::write(with(&prefix, ".data-00001-of-00002"), b"left over").unwrap();
    let found = run(&prefix);
    only(&found, Code::SurplusShard, &["m.data-00001-of-00002 is not counted by the index, which has 1 shard"]);
    assert!(found.is_ok());
}

#[test]
fn bytes_that_nobody_claims() {
    let (_dir, prefix) = written(three(1).junk(noise(500, 9)));
    let found = run(&prefix);
    let finding = only(&found, Code::UnreferencedBytes, &["has 500 bytes that no tensor claims, from offset 2400"]);
    assert_eq!(finding.offset, Some(2400));
    assert!(found.is_ok());
    // An alignment is no such thing.
    let (_dir, prefix) =
        written(BundleBuilder::new().alignment(64).floats("a", &[1], &[1.0]).floats("b", &[16], &[2.0; 16]));
    assert!(run(&prefix).findings.is_empty());
}

#[test]
fn two_tensors_that_claim_the_same_bytes() {
    let (_dir, prefix) = written(three(1).entry_patch("b", |entry| entry.offset = 100));
    only(&run(&prefix), Code::OverlappingTensors, &["a and b claim the same bytes of shard 0 at offset 100"]);
}

#[test]
fn slices_that_do_not_make_up_their_tensor() {
    let slices = |parts: &[(i64, i64)]| {
        let one = |&(start, len): &(i64, i64)| {
            (vec![Extent::range(start, len)], 0, noise(usize::try_from(len * 4).unwrap(), 7))
        };
        BundleBuilder::new().partitioned("p", dtype::FLOAT, &[6], parts.iter().map(one).collect())
    };
    let check = |builder: BundleBuilder| {
        let (_dir, prefix) = written(builder);
        run(&prefix)
    };
    assert!(check(slices(&[(0, 3), (3, 3)])).findings.is_empty());
    only(&check(slices(&[(0, 4), (3, 3)])), Code::SlicesOverlap, &["p: slices 0,4 and 3,3 overlap"]);
    only(&check(slices(&[(0, 3), (4, 2)])), Code::SlicesIncomplete, &["p: its slices hold 5 of 6 elements"]);
    let found = check(slices(&[(0, 3)]).entry_patch("p", |e| e.slices.push(vec![Extent::range(3, 3)])));
    only(&found, Code::SliceMissing, &["lists slice 3,3 but has no entry for it"]);
    assert_eq!(found.checked.verified, 0, "a tensor is not verified by one of its slices");
    let found = check(slices(&[(0, 3), (3, 4)]));
    only(&found, Code::SliceDisagrees, &["slice 3,4 does not fit shape [6]"]);
    let key = ckpt_synth::slice_key("p", &[Extent::range(3, 3)]);
    let found = check(slices(&[(0, 3), (3, 3)]).entry_patch(key, |entry| entry.dtype = dtype::INT32));
    only(&found, Code::SliceDisagrees, &["slice 3,3 is stored as int32 [3], its tensor makes it float32 [3]"]);
}

#[test]
fn nothing_checked_is_not_green() {
    let (_dir, prefix) = written(three(1));
    let with_selector = |terms: &[&str], quick| {
        let selector = Selector::parse(terms, false).unwrap();
        try_run(&prefix, &ValidateOptions { selector, quick, ..options() }).unwrap()
    };
    only(&with_selector(&["no/such"], false), Code::NothingChecked, &["none was selected"]);
    let one = with_selector(&["b"], false);
    assert!(one.findings.is_empty());
    assert_eq!((one.checked.verified, one.checked.skipped, one.checked.bytes), (1, 2, 800));
    let (_dir, empty) = written(BundleBuilder::new());
    only(&run(&empty), Code::NothingChecked, &["no tensor in any index"]);
}

#[test]
#[cfg(unix)]
fn a_shard_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, prefix) = written(three(1));
    let data = data_of(&prefix);
    fs::set_permissions(&data, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything: a loop of links cannot be read by anybody.
    if fs::File::open(&data).is_ok() {
        fs::remove_file(&data).unwrap();
        std::os::unix::fs::symlink(Path::new("m.data-00000-of-00001"), &data).unwrap();
        assert!(!run(&prefix).is_ok());
        return;
    }
    only(&run(&prefix), Code::Unreadable, &["m.data-00000-of-00001"]);
}

// Such a file was taken for no checkpoint at all: an error and nothing else, where a cut index is a finding.
#[test]
fn a_v1_checkpoint_without_its_end() {
    let dir = copy("saver_v1/single");
    let file = dir.path().join("model.ckpt-5");
    edit(&file, |bytes| bytes.truncate(300));
    for found in [run(&file), run(dir.path()), run(&dir.path().join("model.ckpt-5.meta"))] {
        only(&found, Code::NotATable, &["it looks like the beginning of a V1 checkpoint, cut off"]);
    }
    fs::remove_file(dir.path().join("model.ckpt-5.meta")).unwrap();
    assert_eq!(codes(&run(&file)), ["not-a-table"]);
}

// Commands that read no data, or a part of it, called a pointer in the place of a shard too short, or complete.
#[test]
fn every_command_names_a_pointer() {
    let of_objects = copy("object_graph/tf_keras");
    let small = copy("saver_v2/plain");
    fs::write(of_objects.path().join("ckpt-1.data-00000-of-00001"), POINTER).unwrap();
    // The pointer is longer than the shard that it stands for.
    fs::write(small.path().join("model.ckpt-7.data-00000-of-00001"), POINTER).unwrap();
    for dir in [&of_objects, &small] {
        let dir = dir.path().to_str().unwrap();
        let named = |status: i32, args: &[&str]| {
            let text = ckpt_says(status, args);
            assert!(text.contains("data-00000-of-00001 is a Git LFS pointer, not the file itself"), "{args:?}: {text}");
        };
        named(0, &["inspect", dir]);
        named(0, &["log", dir]);
        named(1, &["validate", dir, "--quick"]);
    }
    let dir = of_objects.path().to_str().unwrap();
    for args in [&["list", dir, "--names"][..], &["graph", dir], &["stats", dir], &["print", dir, "role:slot"]] {
        let said = String::from_utf8(ckpt(args).stderr).unwrap();
        assert!(said.contains("is a Git LFS pointer") && said.contains("git lfs pull"), "{args:?}: {said}");
        assert!(!said.contains("shorter than its index"), "{args:?}: {said}");
    }
}
