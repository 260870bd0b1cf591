//! What tensors are for, compared with what the programs that wrote them know: `testdata/roles/*/expected.json`.

use std::collections::BTreeMap;
use std::path::Path;

use ckpt::analysis::{Roles, RolesBy, Summary};
use ckpt_synth::BundleBuilder;
use serde_json::Value;

use crate::support::{open, show, testdata};
use crate::validating::written;

/// Checkpoints and tensors below `testdata/roles` when this was written; more are welcome, fewer are a loss.
const CHECKPOINTS: usize = 56;
const TENSORS: usize = 631;

/// What only the program knows, and names cannot tell: checkpoint, tensor, and what the name makes of it.
const BY_PROGRAM_ONLY: [(&str, &str, &str); 6] = [
    ("averaged", "Mean/debiased", "weight"),
    ("averaged", "Mean/debiased/biased", "average"),
    ("averaged", "net/b/shadow", "slot"),
    ("averaged", "net/w/shadow", "slot"),
    ("traces", "episode/returns", "weight"),
    ("traces", "total_reward", "weight"),
];

/// The checkpoints of a group: their prefixes and the role of every tensor.
fn group(name: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let text = std::fs::read_to_string(testdata().join("roles").join(name).join("expected.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let checkpoint = |json: &Value| {
        let roles = serde_json::from_value(json["roles"].clone()).unwrap();
        (json["prefix"].as_str().unwrap().to_owned(), roles)
    };
    json["checkpoints_with_roles"].as_array().unwrap().iter().map(checkpoint).collect()
}

/// The roles that `ckpt` finds, of the tensors that `wanted` knows.
fn found(prefix: &Path, wanted: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let checkpoint = open(prefix).unwrap();
    let roles = Roles::of(&checkpoint);
    let named =
        checkpoint.tensors().iter().enumerate().map(|(at, t)| (show(&t.name), roles.role(at).name().to_owned()));
    named.filter(|(name, _)| wanted.contains_key(name)).collect()
}

#[test]
fn roles_are_those_that_the_writing_program_knows() {
    let (mut checkpoints, mut tensors) = (0, 0);
    for group_name in ["saver", "objects"] {
        for (prefix, wanted) in group(group_name) {
            let path = testdata().join("roles").join(group_name).join(&prefix);
            assert_eq!(found(&path, &wanted), wanted, "{prefix}");
            checkpoints += 1;
            tensors += wanted.len();
        }
    }
    assert!(checkpoints >= CHECKPOINTS && tensors >= TENSORS, "only {checkpoints} checkpoints, {tensors} tensors");
}

#[test]
fn without_the_program_names_and_shapes_tell_all_but_what_only_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    for (prefix, mut wanted) in group("saver") {
        for end in ["index", "data-00000-of-00001"] {
            let file = format!("{prefix}.{end}");
            std::fs::copy(testdata().join("roles/saver").join(&file), dir.path().join(&file)).unwrap();
        }
        let found = found(&dir.path().join(&prefix), &wanted);
        for (_, name, role) in BY_PROGRAM_ONLY.iter().filter(|(checkpoint, ..)| *checkpoint == prefix) {
            let told = wanted.insert((*name).to_owned(), (*role).to_owned()).unwrap();
            assert_ne!(told, *role, "{prefix} {name}: this needs no program");
        }
        assert_eq!(found, wanted, "{prefix}");
    }
}

#[test]
fn the_summary_says_who_judged() {
    let by_program = Summary::of(&open(&testdata().join("roles/saver/named")).unwrap());
    assert!(matches!(by_program.roles_by, RolesBy::Program(file) if file.ends_with("named.meta")));
    let by_names = Summary::of(&open(&testdata().join("roles/objects/keras_adam")).unwrap());
    assert_eq!(by_names.roles_by, RolesBy::Names);
}

/// A damaged `.meta` says nothing: names do, as if there were none.
#[test]
fn a_program_that_cannot_be_read_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for end in ["index", "data-00000-of-00001", "meta"] {
        let file = format!("adam.{end}");
        std::fs::copy(testdata().join("roles/saver").join(&file), dir.path().join(&file)).unwrap();
    }
    let meta = std::fs::read(dir.path().join("adam.meta")).unwrap();
    let wanted = group("saver").into_iter().find(|(prefix, _)| prefix == "adam").unwrap().1;
    for end in [0, 1, 7, meta.len() / 3, meta.len() / 2, meta.len() - 1] {
        std::fs::write(dir.path().join("adam.meta"), &meta[..end]).unwrap();
        assert_eq!(found(&dir.path().join("adam"), &wanted), wanted, "cut at {end}");
    }
}

/// Keras 3 calls slots after the variable's whole name, where a file has names and no places: `convert --names`, or a
/// program's own safetensors.
#[test]
fn slots_of_keras_3_are_told_by_the_step_beside_them() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    let mut builder = BundleBuilder::new();
    let of = |name: &str| name.rsplit('/').next().is_some_and(|last| last == "learning_rate");
    let names = ["adam/dense_kernel_momentum", "adam/dense_kernel_velocity", "adam/dense_kernel_average"];
    let others = ["adam/learning_rate", "dense/kernel", "net/angular_momentum"];
    for name in names.iter().chain(&others) {
        let shape: &[i64] = if of(name) { &[] } else { &[2] };
        builder = builder.floats(name, shape, &[1.0, 2.0][..if of(name) { 1 } else { 2 }]);
    }
    builder.tensor("adam/iteration", 9, &[], 7i64.to_le_bytes()).finish().write(&prefix).unwrap();
    let want = [
        ("adam/dense_kernel_average", "average"),
        ("adam/dense_kernel_momentum", "slot"),
        ("adam/dense_kernel_velocity", "slot"),
        ("adam/iteration", "counter"),
        ("adam/learning_rate", "optimizer"),
        ("dense/kernel", "weight"),
        ("net/angular_momentum", "weight"),
    ];
    let want: BTreeMap<String, String> = want.map(|(name, role)| (name.to_owned(), role.to_owned())).into();
    assert_eq!(found(&prefix, &want), want);
}

/// `inspect` says who judged: a program beside the checkpoint, the file itself, or nobody but the names.
#[test]
fn who_says_what_tensors_are_for() {
    let by = |path: &str| Roles::of(&open(&testdata().join(path)).unwrap()).by().clone();
    assert!(matches!(by("saver_v2/sharded_adam"), RolesBy::Program(file) if file.ends_with("model.ckpt-200.meta")));
    assert_eq!(by("keras/keras3/model.keras"), RolesBy::File);
    assert_eq!(by("keras/tf_keras/whole.h5"), RolesBy::File);
    assert_eq!(by("safetensors/sharded"), RolesBy::Names);
    assert_eq!(by("object_graph/keras3"), RolesBy::Names);
}

// One slot for each variable, of an optimizer with a name of its own that was made inside of a scope.
#[test]
fn single_slots_under_scopes_are_told_by_what_they_have_in_common() {
    let names = ["agent/pi/fc1/kernel", "agent/pi/fc1/bias", "agent/pi/fc2/kernel"];
    let slots = names.map(|name| format!("agent/train/{name}/own"));
    let mut builder = BundleBuilder::new();
    for (n, name) in names.iter().map(ToString::to_string).chain(slots.clone()).enumerate() {
        let (len, values) = [(2i64, &[1.0; 2][..]), (3, &[1.0; 3]), (4, &[1.0; 4])][n % 3];
        builder = builder.floats(name, &[len], values);
    }
    let builder = builder.floats("other/net/fc1/own", &[7], &[1.0; 7]);
    let (_dir, prefix) = written(builder);
    let checkpoint = open(&prefix).unwrap();
    let roles = Roles::of(&checkpoint);
    for (at, tensor) in checkpoint.tensors().iter().enumerate() {
        let name = String::from_utf8(tensor.name.clone()).unwrap();
        let wanted = if slots.contains(&name) { "slot" } else { "weight" };
        assert_eq!(roles.role(at).name(), wanted, "{name}");
    }
}
