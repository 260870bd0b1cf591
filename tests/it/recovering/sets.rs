//! Sets that are broken as a whole: files lost, renamed, swapped, of all fixtures; and those that people brought.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ckpt::analysis::recover::Did;

use super::super::support::{open, testdata};
use super::{Came, count_of};
use super::{Files, Values, judge, values};

/// Every prefix among the fixtures with an index and all of its data.
fn prefixes() -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![testdata()]);
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if let Some(prefix) = path.to_str().and_then(|path| path.strip_suffix(".index"))
                && Path::new(prefix).file_name().is_some()
            {
                found.push(PathBuf::from(prefix));
            }
        }
    }
    found.sort();
    found
}

/// The values of a fixture that is whole.
fn whole(prefix: &Path) -> Option<Values> {
    let checkpoint = open(prefix).ok().filter(|checkpoint| checkpoint.damage().is_empty())?;
    let values = values(&checkpoint);
    (values.len() == checkpoint.tensors().len() && !values.is_empty()).then_some(values)
}

#[test]
fn shards_are_found_under_any_name() {
    let (mut renamed, mut swapped) = (0, 0);
    for (n, prefix) in prefixes().into_iter().enumerate() {
        // A prefix that ends in a slash has no name to look for.
        if prefix.to_str().unwrap().ends_with('/') {
            continue;
        }
        let Some(original) = whole(&prefix) else { continue };
        let base = prefix.file_name().unwrap().to_str().unwrap();
        let mut files = Files::of(&format!("renamed-{n}"), &prefix);
        let shards: Vec<String> = files.files.keys().filter(|name| name.contains(".data-")).cloned().collect();
        if shards.len() > 20 {
            continue;
        }
        // Every shard under a name that says nothing.
        let own = files.files.clone();
        for (at, shard) in shards.iter().enumerate() {
            let bytes = files.files.remove(shard).unwrap();
            files.files.insert(format!("download{}.bin", (at * 7) % 13), bytes);
        }
        let recovered = files.recover(base);
        let came = judge(&recovered, &original, &format!("{} renamed", prefix.display()));
        assert_eq!(came, Came::Whole, "{} {recovered:?}", prefix.display());
        renamed += 1;
        // The first and the last under each other's.
        if let [first, .., last] = shards.as_slice()
            && own[first] != own[last]
        {
            files.files.clone_from(&own);
            files.files.insert(first.clone(), own[last].clone());
            files.files.insert(last.clone(), own[first].clone());
            let came = judge(&files.recover(base), &original, &format!("{} swapped", prefix.display()));
            assert_eq!(came, Came::Whole, "{}", prefix.display());
            swapped += 1;
        }
        files.done();
    }
    assert!(renamed > 200 && swapped >= 10, "{renamed} {swapped}");
}

/// Packed by gzip under its own name or with `.gz`, with carriage returns, as UTF-8: all that checksums prove, and never
/// anything else.
#[test]
fn what_a_transfer_made_of_files_is_undone() {
    let (mut whole_again, mut undone, mut refused) = (0, 0, 0);
    for (n, prefix) in prefixes().into_iter().enumerate() {
        if prefix.to_str().unwrap().ends_with('/') || n % 3 != 0 {
            continue;
        }
        let Some(original) = whole(&prefix) else { continue };
        let base = prefix.file_name().unwrap().to_str().unwrap();
        let own = Files::of(&format!("undone-{n}"), &prefix).files;
        for (at, name) in own.keys().enumerate().take(3) {
            let mut files = Files::of(&format!("undone-{n}-{at}"), &prefix);
            let bytes = files.files.remove(name).unwrap();
            let (made, new) = match (n / 3 + at) % 4 {
                0 => (packed(&bytes), name.clone()),
                1 => (packed(&bytes), format!("{name}.gz")),
                2 => (with_returns(&bytes), name.clone()),
                _ => (bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes(), name.clone()),
            };
            files.files.insert(new, made);
            let recovered = files.recover(base);
            match judge(&recovered, &original, &format!("{} {name}", prefix.display())) {
                Came::Whole => whole_again += 1,
                Came::Partly | Came::Refused => refused += 1,
            }
            undone += recovered.as_ref().map_or(0, |recovery| count_of(recovery, "undone"));
            files.done();
        }
    }
    assert!(whole_again > 100 && undone > 80 && refused < whole_again / 3, "{whole_again} {undone} {refused}");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, bytes).unwrap();
    packed.finish().unwrap()
}

fn with_returns(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect()
}

/// Without its index, with the graph that saved it: the same index, byte for byte.
#[test]
fn a_lost_index_is_that_which_was_lost() {
    let (mut same, mut refused) = (0, Vec::new());
    for prefix in prefixes() {
        let (dir, base) = (prefix.parent().unwrap(), prefix.file_name().unwrap().to_str().unwrap());
        let model = dir.parent().unwrap();
        let is_model =
            base == "variables" && ["pb", "pbtxt"].iter().any(|end| model.join(format!("saved_model.{end}")).exists());
        let meta = dir.join(format!("{base}.meta"));
        if whole(&prefix).is_none() || !(is_model || meta.exists()) {
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        let at = scratch.path().join("variables");
        fs::create_dir(&at).unwrap();
        let copy = |from: &Path, to: &Path| {
            for entry in fs::read_dir(from).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap();
                let is_data = name.strip_prefix(base).is_some_and(|rest| rest.starts_with(".data-"));
                if path.is_file() && (is_data || path == meta || name.starts_with("saved_model.")) {
                    fs::copy(&path, to.join(name)).unwrap();
                }
            }
        };
        copy(dir, &at);
        if is_model {
            copy(model, scratch.path());
        }
        let out = scratch.path().join("out/copy");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        let done = command.arg("recover").arg(at.join(base)).arg("-o").arg(&out).output().unwrap();
        if done.status.success() {
            let said = String::from_utf8_lossy(&done.stdout).into_owned();
            assert!(said.contains("no checksum survives"), "{said}");
            let (ours, theirs) = (fs::read(out.with_extension("index")), fs::read(dir.join(format!("{base}.index"))));
            assert!(ours.unwrap() == theirs.unwrap(), "{}", prefix.display());
            same += 1;
        } else {
            refused.push(prefix);
        }
    }
    // Data of other models than their graphs, which cannot fit.
    let is_foreign = |path: &PathBuf| path.to_str().unwrap().contains("swapped_0");
    assert!(same > 70 && refused.iter().all(is_foreign), "{same} {refused:?}");
}

/// What people brought: what is to be recovered, what happened, and what came of it.
#[test]
fn what_people_brought() {
    let cases = testdata().join("cases");
    let whole: &[(&str, &[&str], &str, &str)] = &[
        ("15-prefix-named-checkpoint/half/checkpoint", &[], "renamed", "15-prefix-named-checkpoint/run/checkpoint"),
        ("28-data-only-and-renamed/browser/model.ckpt", &[], "renamed", "28-data-only-and-renamed/x/model.ckpt"),
        ("28-data-only-and-renamed/txt", &[], "renamed", "28-data-only-and-renamed/x/model.ckpt"),
        (
            "28-data-only-and-renamed/only_data",
            &["28-data-only-and-renamed/x"],
            "renamed",
            "28-data-only-and-renamed/x/model.ckpt",
        ),
        ("31-rename-denied/a/weights_temp", &[], "merged", "31-rename-denied/a/weights_temp/part-00000-of-00001"),
        ("32-two-writers/shared", &["32-two-writers/rank0"], "renamed", "32-two-writers/rank0/model.ckpt-100"),
        ("10-serving-late-index/m/2", &[], "index", "10-serving-late-index/m/1/variables/variables"),
    ];
    for (path, from, what, same) in whole {
        let from: Vec<PathBuf> = from.iter().map(|dir| cases.join(dir)).collect();
        let recovery = super::recover_at(&cases.join(path), &from).unwrap();
        assert!(recovery.lost.is_empty(), "{path}: {:?}", recovery.lost);
        assert_eq!(count_of(&recovery, what), 1, "{path}: {:?}", recovery.did);
        // The two exports of the late index have other values.
        if *what != "index" && !path.starts_with("15-") {
            assert!(values(recovery.checkpoint()) == values(&open(&cases.join(same)).unwrap()), "{path}");
        }
    }
    // Index and data, both packed.
    let recovery = super::recover_at(&cases.join("09-gzip-index/foo/1"), &[]).unwrap();
    assert!(recovery.lost.is_empty() && recovery.unverified == 0 && count_of(&recovery, "undone") == 2);
    // Nothing that is here can tell.
    for (path, why) in [
        ("28-data-only-and-renamed/only_data", "nothing here says which tensors it had"),
        ("32-two-writers/shared", "nothing of this checkpoint can be had"),
        ("40-mispaired-tf2/run/ckpt-1", "nothing of this checkpoint can be had"),
        ("14-keras3-files/model.h5", "recover mends TensorFlow checkpoints"),
    ] {
        let error = super::recover_at(&cases.join(path), &[]).unwrap_err().to_string();
        assert!(error.contains(why), "{path}: {error}");
    }
    // Nothing is wrong with these.
    for path in [
        "31-rename-denied/a",
        "12-version-names/spellcheck",
        "03-index-as-prefix/training",
        "40-mispaired-tf2/run/ckpt-2",
    ] {
        let recovery = super::recover_at(&cases.join(path), &[]).unwrap();
        assert!(recovery.is_sound() && recovery.unverified == 0, "{path}: {:?}", recovery.did);
    }
}

/// Two answers that both fit are none.
#[test]
fn an_index_is_not_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let floats = |names: [&str; 2]| {
        let [a, b] = names;
        ckpt_synth::BundleBuilder::new().floats(a, &[2], &[1.0, 2.0]).floats(b, &[2], &[3.0, 4.0]).finish()
    };
    floats(["a", "b"]).write(&at("m-1")).unwrap();
    floats(["b", "a"]).write(&at("m-2")).unwrap();
    floats(["a", "b"]).write(&at("m-3")).unwrap();
    fs::remove_file(at("m-3.index")).unwrap();
    let error = super::recover_at(&at("m-3"), &[]).unwrap_err().to_string();
    assert!(error.contains("two ways in which its tensors may lie"), "{error}");
    fs::remove_file(at("m-2.index")).unwrap();
    let recovery = super::recover_at(&at("m-3"), &[]).unwrap();
    assert!(recovery.unverified == 2 && matches!(recovery.did.as_slice(), [Did::Index { tensors: 2, .. }]));
    // Another length is another model.
    fs::write(at("m-3.data-00000-of-00001"), [0; 12]).unwrap();
    let error = super::recover_at(&at("m-3"), &[]).unwrap_err();
    assert!(error.help().unwrap_or_default().contains("would end behind the 12 bytes"), "{error:?}");
}
