//! Paths as people write them, several things under one name, several models in one directory, and the step.

use std::path::Path;
use std::process::Command;

use ckpt::analysis::{Step, Timeline, TimelineOptions};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice, ModelDir, Origin, SourceKind};
use ckpt_synth::BundleBuilder;

const INT64: i32 = 9;

fn save(prefix: &Path, value: f32, scalars: &[(&str, i64)]) {
    let mut bundle = BundleBuilder::new().floats("w", &[2], &[value, 1.0]);
    for (name, number) in scalars {
        bundle = bundle.tensor(name, INT64, &[], number.to_le_bytes());
    }
    bundle.finish().write(prefix).unwrap();
}

fn run(args: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_ckpt")).args(args).env("NO_COLOR", "1").output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (String::from_utf8_lossy(&text).into_owned(), output.status.code())
}

#[test]
fn every_command_says_the_same_of_an_address() {
    let (url, fetch) = ("hdfs://n/run/ckpt-1", "hdfs dfs -get 'hdfs://n/run/ckpt-1*' .");
    for args in [
        &["inspect", url][..],
        &["list", url],
        &["print", url, "w"],
        &["diff", url, url],
        &["validate", url],
        &["validate", "testdata/saver_v2/sharded_adam", "--against", url],
        &["stats", url],
        &["log", url],
        &["latest", url],
        &["graph", url],
        &["ops", url],
    ] {
        let (text, status) = run(args);
        assert!(text.contains(fetch), "{args:?}: {text}");
        assert_eq!(status, Some(2), "{args:?}");
    }
}

#[test]
fn a_prefix_wins_over_a_directory_of_its_name_and_both_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    save(&prefix, 1.0, &[]);
    std::fs::create_dir_all(prefix.join("variables")).unwrap();
    std::fs::write(prefix.join("saved_model.pb"), []).unwrap();
    save(&prefix.join("variables/variables"), 2.0, &[]);
    std::fs::write(dir.path().join("checkpoint"), "model_checkpoint_path: 'm'").unwrap();

    let origin = Origin::locate(&prefix, Choice::default(), &Limits::default()).unwrap();
    assert_eq!((origin.kind, origin.prefix.as_path()), (SourceKind::Bundle, prefix.as_path()));
    assert!(origin.notes.iter().any(|note| note.contains("a SavedModel")), "{:?}", origin.notes);
    let latest = ModelDir::scan(dir.path(), &Limits::default()).unwrap();
    assert_eq!(latest.checkpoints[latest.latest.unwrap()].prefix.as_path(), prefix);
    let chosen = Origin::locate(dir.path(), Choice::default(), &Limits::default()).unwrap();
    assert!(chosen.notes.iter().any(|note| note.contains("with a SavedModel")), "{:?}", chosen.notes);
    let inside = Origin::locate(&prefix.join(""), Choice::default(), &Limits::default()).unwrap();
    assert_eq!(inside.kind, SourceKind::SavedModel);

    // An index that is none is no prefix.
    std::fs::write(dir.path().join("m.index"), "notes on what is where").unwrap();
    assert_eq!(Origin::locate(&prefix, Choice::default(), &Limits::default()).unwrap().kind, SourceKind::SavedModel);
}

#[test]
fn what_moved_is_never_told_across_models() {
    let dir = tempfile::tempdir().unwrap();
    // By step they would alternate.
    for (name, value) in [("a-1", 1.0), ("b-2", 2.0), ("a-3", 3.0), ("b-4", 2.0)] {
        save(&dir.path().join(name), value, &[]);
    }
    let options = TimelineOptions { finite: false, values: false, training: None, last: None, threads: 1 };
    let timeline =
        Timeline::of(dir.path(), options, &Limits::default(), &ckpt::base::progress::Progress::default()).unwrap();
    let told: Vec<_> = timeline
        .rows
        .iter()
        .map(|row| (row.group.as_deref(), row.moved.as_ref().map(|(since, moved)| (*since, moved.changed))))
        .collect();
    assert_eq!(told, [(Some("a"), None), (Some("a"), Some((0, 1))), (Some("b"), None), (Some("b"), Some((2, 0)))]);
    assert_eq!(timeline.ever.still, ["b: w"]);
    assert!(timeline.several.unwrap().contains("a (2), b (2)"));

    let alone = tempfile::tempdir().unwrap();
    save(&alone.path().join("a-1"), 1.0, &[]);
    save(&alone.path().join("a-2"), 1.0, &[]);
    assert_eq!(ModelDir::scan(alone.path(), &Limits::default()).unwrap().several, None);
}

#[test]
fn a_number_that_counts_saves_is_no_step_with_and_without_data() {
    const VALUE: &str = "/.ATTRIBUTES/VARIABLE_VALUE";
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("ckpt-4");
    let (counter, step) = (format!("save_counter{VALUE}"), format!("optimizer/_iterations{VALUE}"));
    save(&prefix, 1.0, &[(&counter, 4), (&step, 7500)]);
    let look = || {
        let checkpoint = Checkpoint::open(&prefix, Choice::default(), &Limits::default()).unwrap();
        Step::of(&checkpoint).words().join(", ")
    };
    assert_eq!(look(), "save 4, step 7500");
    std::fs::remove_file(dir.path().join("ckpt-4.data-00000-of-00001")).unwrap();
    assert_eq!(look(), "save 4, step 7500");

    // No run takes so many steps: the checksum is that of something else.
    save(&prefix, 1.0, &[(&step, 3_000_000_000)]);
    std::fs::remove_file(dir.path().join("ckpt-4.data-00000-of-00001")).unwrap();
    assert_eq!(look(), "step 4");
}

#[test]
fn a_state_file_of_half_a_million_lines_is_read() {
    let dir = tempfile::tempdir().unwrap();
    save(&dir.path().join("c"), 1.0, &[]);
    let text = format!("model_checkpoint_path: 'c'\n{}", "all_model_checkpoint_paths:'d'\n".repeat(500_000));
    std::fs::write(dir.path().join("checkpoint"), text).unwrap();
    let (text, status) = run(&["latest", dir.path().to_str().unwrap(), "--quiet"]);
    assert_eq!((text.trim_end().ends_with("/c"), status), (true, Some(0)), "{text}");
}

#[test]
fn every_model_of_a_directory_is_judged_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    for (name, value) in [("a-1", 1.0), ("b-2", 2.0), ("a-3", 3.0), ("c", 4.0)] {
        save(&dir.path().join(name), value, &[]);
    }
    // The step in the name is not the one that is stored.
    save(&dir.path().join("b-4"), 5.0, &[("global_step", 7)]);
    let data = dir.path().join("a-3.data-00000-of-00001");
    let mut bytes = std::fs::read(&data).unwrap();
    bytes[0] ^= 1;
    std::fs::write(&data, bytes).unwrap();
    std::fs::write(dir.path().join("b-9.data-00000-of-00001.tempstate123"), [0; 9]).unwrap();

    let (text, status) = run(&["validate", path]);
    assert_eq!(status, Some(1));
    for said in [
        "single-bit-flip ✗ a-3: ",
        "step-disagrees · b-4: ",
        "\na, 2 checkpoints: NOT intact · 1 of 2 tensors verified",
        "\nb, 2 checkpoints: intact · 3 of 3 tensors verified",
        "\nc, 1 checkpoint: intact",
        "\n5 checkpoints of 3 names, perhaps of different models: NOT intact",
    ] {
        assert!(text.contains(said), "{said}\n{text}");
    }
    let (json, _) = run(&["validate", path, "--format", "json", "--deny", "step-disagrees"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let groups = json["groups"].as_array().unwrap();
    let told = groups.iter().map(|group| (group["name"].as_str().unwrap(), group["ok"].as_bool().unwrap()));
    let told: Vec<_> = told.collect();
    assert_eq!(told, [("a", false), ("b", false), ("c", true)]);
    assert!(json["findings"].as_array().unwrap().iter().any(|finding| finding["group"] == "b"));

    // Of one model every line names the checkpoint, and there is one verdict.
    for name in ["b-2", "b-4", "c"] {
        std::fs::remove_file(dir.path().join(format!("{name}.index"))).unwrap();
    }
    let (text, _) = run(&["validate", path]);
    assert!(text.contains("✗ a-3: ") && text.contains("\n2 checkpoints: NOT intact"), "{text}");
}

#[test]
fn two_things_of_one_name_are_told_by_every_command() {
    let dir = crate::validating::copy("saved_model/tf2/model");
    let root = tempfile::tempdir().unwrap();
    let model = root.path().join("m");
    std::fs::rename(dir.path(), &model).unwrap();
    save(&model, 1.0, &[]);
    save(&root.path().join("other"), 2.0, &[]);
    let (m, other) = (model.to_str().unwrap(), root.path().join("other"));
    let other = other.to_str().unwrap();
    for args in [
        &["inspect", m][..],
        &["list", m],
        &["print", m, "w"],
        &["stats", m],
        &["validate", m],
        &["diff", m, other],
        &["validate", other, "--against", m],
        &["ops", m],
        &["latest", m],
        &["log", m],
        &["validate", m, "--serving"],
    ] {
        let (text, _) = run(args);
        assert!(text.contains("lies here too") || text.contains("is a checkpoint too"), "{args:?}: {text}");
    }
    let (text, status) = run(&["validate", m]);
    assert!(text.contains("m: intact · 1 of 1 tensors verified"), "{text}");
    assert_eq!(status, Some(0));
    // A server looks at the directory.
    let (text, status) = run(&["validate", m, "--serving"]);
    assert!(text.contains("no-version"), "{text}");
    assert_eq!(status, Some(1));
    std::fs::rename(&model, root.path().join("1")).unwrap();
    std::fs::create_dir(&model).unwrap();
    std::fs::rename(root.path().join("1"), model.join("1")).unwrap();
    assert_eq!(run(&["validate", m, "--serving"]).1, Some(0));
    assert!(run(&["validate", m]).0.contains("m: intact · 1 of 1"));
    assert!(run(&["validate", &format!("{m}/")]).0.contains("variables: intact"));
}

#[test]
fn a_state_file_of_another_name_is_one() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["m-1", "m-2", "m-3"] {
        save(&dir.path().join(name), 1.0, &[]);
    }
    let best = dir.path().join("best_checkpoint");
    std::fs::write(&best, "model_checkpoint_path: 'm-2'\nall_model_checkpoint_paths: 'm-2'\n").unwrap();
    let (path, best) = (dir.path().to_str().unwrap(), best.to_str().unwrap());
    for given in [path, best] {
        assert!(run(&["inspect", given]).0.contains("m-2\n"), "{}", run(&["inspect", given]).0);
        assert!(run(&["latest", given, "--quiet"]).0.trim_end().ends_with("/m-2"));
        assert!(run(&["log", given]).0.contains("m-2, by the state file"), "{}", run(&["log", given]).0);
    }
    assert!(run(&["list", path]).0.contains("latest_filename='best_checkpoint'"));
    // Of two none is the one that is meant.
    std::fs::write(dir.path().join("last_checkpoint"), "model_checkpoint_path: 'm-3'\n").unwrap();
    assert!(run(&["latest", path]).0.contains("best_checkpoint, last_checkpoint"));
    assert!(run(&["latest", best]).0.trim_end().ends_with("/m-2"));
}

#[test]
fn parts_of_a_checkpoint_are_answered_with_what_they_say() {
    let fixture = crate::validating::copy("model_dir/estimator");
    let dir = fixture.path();
    let names = || std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let remove = |part: &str| {
        for path in names().filter(|path| path.to_str().unwrap().contains(part)) {
            std::fs::remove_file(path).unwrap();
        }
    };
    let path = dir.to_str().unwrap();
    remove(".index");
    let prefix = dir.join("model.ckpt-10");
    for given in [path, prefix.to_str().unwrap()] {
        let (text, status) = run(&["inspect", given]);
        assert!(text.contains("graph with its saver (MetaGraphDef)") && text.contains("index"), "{text}");
        assert_eq!(status, Some(2));
        let (text, status) = run(&["list", given]);
        assert!(text.contains(".meta shows") && !text.contains("nothing says"), "{text}");
        assert_eq!(status, Some(2));
    }
    remove(".data-");
    let (text, _) = run(&["inspect", path]);
    assert!(text.contains("graphs and no variables") && text.contains("global_step"), "{text}");
    remove(".meta");
    let (text, _) = run(&["inspect", path]);
    assert!(text.contains("graph (GraphDef)") && text.contains("global_step"), "{text}");
}

#[test]
fn a_surplus_shard_is_told_by_inspect_too() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    save(&prefix, 1.0, &[]);
    std::fs::write(dir.path().join("m.data-00001-of-00002"), [0; 8]).unwrap();
    for command in ["inspect", "validate"] {
        let (text, status) = run(&[command, prefix.to_str().unwrap()]);
        assert!(text.contains("m.data-00001-of-00002 is not counted by the index, which has 1 shard\n"), "{text}");
        assert!(text.contains("keep"), "{text}");
        assert_eq!(status, Some(0));
    }
}

// The prefix of a SavedModel's variables, its directory: one thing, and one verdict.
#[test]
fn variables_without_their_index_get_the_verdict_of_their_model() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("variables")).unwrap();
    let model = Path::new("testdata/saved_model/tf2/model");
    for file in ["saved_model.pb", "variables/variables.data-00000-of-00001"] {
        std::fs::copy(model.join(file), dir.path().join(file)).unwrap();
    }
    for path in [dir.path().to_owned(), dir.path().join("variables/variables")] {
        let (text, status) = run(&["validate", path.to_str().unwrap()]);
        assert!(text.contains("missing-variables"), "{text}");
        assert_eq!(status, Some(1));
    }
}

#[test]
fn what_only_has_the_name_of_a_saved_model_is_not_headed_so() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("saved_model.pbtxt"), "item { id: 1 name: \"cat\" }\n").unwrap();
    let (text, _) = run(&["inspect", dir.path().to_str().unwrap()]);
    assert!(text.contains("not readable as a SavedModel") && !text.contains("no variables"), "{text}");
}
