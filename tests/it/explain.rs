//! `ckpt explain --path`: what an error message says of files that lie here.

use std::path::{Path, PathBuf};

use ckpt::analysis::explain::{self, OnDisk, TensorNow, explain_checksums, explain_error};
use ckpt::base::limits::Limits;

const FROM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/saver_v2/plain/model.ckpt-7");
/// The stored checksum of `layer/kernel`, 32 bytes at offset 24.
const KERNEL: u32 = 3_348_677_021;

fn copy(change: impl Fn(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt-7");
    for suffix in [".index", ".data-00000-of-00001"] {
        let mut bytes = std::fs::read(format!("{FROM}{suffix}")).unwrap();
        if suffix != ".index" {
            change(&mut bytes);
        }
        std::fs::write(format!("{}{suffix}", prefix.display()), bytes).unwrap();
    }
    (dir, prefix)
}

fn look(prefix: &Path, message: &str) -> OnDisk {
    explain::look(prefix, explain_error(message).as_ref(), &[], &Limits::default()).unwrap()
}

fn headline(disk: OnDisk) -> (String, String) {
    let Some((name, TensorNow::Differs(diagnosis))) = disk.tensor else { panic!("{disk:?}") };
    (String::from_utf8(name).unwrap(), diagnosis.headline)
}

#[test]
fn the_tensor_is_found_by_its_stored_checksum_and_the_flipped_bit_in_it() {
    let (_dir, prefix) = copy(|bytes| bytes[44] ^= 4);
    let message = format!("Checksum does not match: stored {KERNEL} vs. calculated on the restored bytes 1");
    let (name, headline) = headline(look(&prefix, &message));
    assert_eq!(name, "layer/kernel");
    assert!(headline.contains("bit 2 of byte 20"), "{headline}");
}

#[test]
fn zeros_where_the_tensor_was_are_zeros() {
    let (_dir, prefix) = copy(|bytes| bytes[24..56].fill(0));
    let disk = look(&prefix, "tensor_name = layer/kernel; expected dtype double does not equal original dtype float");
    let (_, headline) = headline(disk);
    assert!(headline.contains("32 zeros"), "{headline}");
}

#[test]
fn a_whole_checkpoint_matches_and_a_cut_one_is_not_whole() {
    let message = format!("Checksum does not match: stored {KERNEL} vs. calculated on the restored bytes 1");
    let (_dir, prefix) = copy(|_| ());
    let disk = look(&prefix, &message);
    assert!(disk.complete && matches!(disk.tensor, Some((_, TensorNow::Matches))));

    let (_dir, prefix) = copy(|bytes| bytes.truncate(40));
    let disk = look(&prefix, &message);
    assert!(!disk.complete && !disk.findings.is_empty());
    assert!(matches!(disk.tensor, Some((_, TensorNow::Unreadable(_)))), "{disk:?}");
}

#[test]
fn names_that_are_not_there_are_answered_with_their_likes() {
    let (_dir, prefix) = copy(|_| ());
    let disk = look(&prefix, "Key dense/kernel not found in checkpoint");
    let Some((_, TensorNow::Missing(near))) = disk.tensor else { panic!("{disk:?}") };
    assert_eq!(near, [b"layer/kernel"]);
}

// What an interrupted save left, a surplus shard, an unreadable state file: each may be the only copy of something.
#[test]
fn nobody_is_told_to_delete_what_may_be_the_only_copy() {
    let advice = [
        "can go.",
        "can go\"",
        "delete it",
        "delete them",
        "delete the",
        "delete old",
        "remove it",
        "remove the parts",
        "rm ",
    ];
    let mut open = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    let mut read = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        read += 1;
        let text = String::from_utf8(std::fs::read(&path).unwrap_or_default()).unwrap_or_default();
        // Texts for people stand in quotes; comments, and the names that a test quotes, are no advice.
        for line in text.split("#[cfg(test)]").next().unwrap_or_default().lines() {
            let quoted = line.split_once('"').filter(|(front, _)| !front.contains("//")).map_or("", |(_, rest)| rest);
            let quoted = quoted.replace("o not delete", "");
            let found = advice.iter().find(|words| quoted.contains(*words));
            // The tests of messages paste them, whatever they say.
            let pasted = path.file_name().is_some_and(|name| name == "tests.rs" || name == "wordings.rs");
            assert!(found.is_none() || pasted, "{}: {line}", path.display());
        }
    }
    assert!(read > 200, "{read} files");
}

#[test]
fn checksums_that_were_computed_here_are_explained_alike() {
    let diagnosis = explain_checksums(592_068_290, 517_592_881, Some(2_359_296));
    assert!(diagnosis.headline.contains("2,359,296 zeros"));
}

// The files decide: what a message complains of may be another copy, or have been mended since.
#[test]
fn messages_about_damage_are_settled_by_whole_files() {
    let (_dir, prefix) = copy(|_| {});
    let of = |message: &str| {
        let disk = look(&prefix, message);
        disk.settle(explain_error(message).unwrap())
    };
    let data = format!("{}.data-00000-of-00001", prefix.display());
    for message in [
        format!("Checksum does not match: stored {KERNEL} vs. calculated on the restored bytes 1"),
        format!("OutOfRangeError: Read less bytes than requested {data}"),
        format!("NotFoundError: {data}; No such file or directory"),
    ] {
        let settled = of(&message);
        assert_eq!(settled.cause, "files-are-whole", "{message}: {settled:?}");
        assert!(settled.headline.contains("every byte is the one that was saved"), "{settled:?}");
    }
    // A name-based checkpoint has no object graph, and that is what the message says.
    let graph = "NotFoundError: Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint";
    assert_eq!(of(graph).cause, "name-based-checkpoint");
    let (_dir, damaged) = copy(|bytes| bytes[44] ^= 4);
    let message = format!("Checksum does not match: stored {KERNEL} vs. calculated on the restored bytes 1");
    let settled = look(&damaged, &message).settle(explain_error(&message).unwrap());
    assert_ne!(settled.cause, "files-are-whole", "{settled:?}");
}

#[test]
fn messages_about_another_kind_of_checkpoint_are_settled_by_what_is_there() {
    let saved = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases/tables-and-saved-models/saved");
    let settled = |path: &Path, message: &str| look(path, message).settle(explain_error(message).unwrap());
    let graph = "NotFoundError: Key _CHECKPOINTABLE_OBJECT_GRAPH not found in checkpoint";
    assert_eq!(settled(&saved.join("variables/variables"), graph).cause, "other-checkpoint");
    let message =
        format!("OSError: SavedModel file does not exist at: {}/{{saved_model.pbtxt|saved_model.pb}}", saved.display());
    assert_eq!(settled(&saved, &message).cause, "saved-model-is-here");
}

// A base path of versions is no SavedModel, and what is printed is a SavedModel's.
#[test]
fn of_a_served_directory_the_version_is_loaded() {
    let export = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases/24-two-metagraphs/export");
    let message = "requires a `tags=` argument if there is more than one MetaGraph; there are 2 MetaGraphs";
    let disk = look(&export, message);
    let diagnosis = explain_error(message).unwrap().filled(&disk.known);
    let load = format!("tf.saved_model.load('{}', tags=['train'])", export.join("1").display());
    assert!(diagnosis.next.iter().any(|line| line.starts_with(&load)), "{diagnosis:?}");
}

// The only names of a checkpoint are not what is missing because nothing else is there.
#[test]
fn names_with_nothing_in_common_are_not_led_to_each_other() {
    let prefix =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/cases/03-index-as-prefix/training/model.ckpt-649");
    let disk = look(&prefix, "Key dense/kernel not found in checkpoint");
    assert!(disk.known.maps.is_empty(), "{:?}", disk.known.maps);
}
