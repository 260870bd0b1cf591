//! `--against`: what a restore into a model would do, as findings.

use std::path::Path;

use ckpt::analysis::{Code, Model, RestoreOptions, Selector, Validation, restore};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ckpt_synth::BundleBuilder;
use ckpt_synth::graph::{Node, ObjectGraph};

use crate::validating::{edit, errors, lines, only, run, with, written};

fn against(checkpoint: &Path, model: &Path, options: &RestoreOptions) -> Validation {
    let mut validation = run(checkpoint);
    let opened = Checkpoint::open(checkpoint, Choice::default(), &Limits::default()).unwrap();
    for model in Model::open(model, options.quick, &Limits::default()).unwrap() {
        validation.add_restore(restore(&opened, &model, options));
    }
    validation
}

fn pair(checkpoint: &str, model: &str) -> Validation {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/restore");
    against(&dir.join(checkpoint), &dir.join(model), &RestoreOptions::default())
}

#[test]
fn shapes_and_dtypes_that_differ() {
    let units = pair("hidden_units/v0", "hidden_units/v1.meta");
    let shapes: Vec<_> = errors(&units).iter().map(|finding| finding.code).collect();
    assert_eq!(shapes, [Code::RestoreShapeMismatch; 6], "{}", lines(&units));
    assert!(errors(&units)[0].help.as_ref().unwrap().contains("hidden_units"), "{}", lines(&units));
    only(
        &pair("names/v0", "names/v2.meta"),
        Code::RestoreSilentShape,
        &["model/bias", "[4]", "[3]", "without an error"],
    );
    only(
        &pair("objects/v5", "objects/v0"),
        Code::RestoreDTypeMismatch,
        &["model/b", "float32", "float64", "dtype only"],
    );
}

/// Keras goes by the order of layers, and two of one shape were exchanged.
#[test]
fn weights_in_the_wrong_layer() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/keras_restore/named_3");
    for file in ["stack.h5", "stack.weights.h5"] {
        let model = dir.join("exchanged.config.json");
        let told = against(&dir.join(file), &model, &RestoreOptions::default());
        let codes: Vec<_> = errors(&told).iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [Code::RestoreMisplaced; 4], "{}", lines(&told));
        assert!(lines(&told).contains("encode/kernel takes the values of mix/kernel"), "{}", lines(&told));
        assert!(told.restores[0].raises.is_empty());
    }
    let by_name = RestoreOptions { by_name: true, ..RestoreOptions::default() };
    let told = against(&dir.join("stack.h5"), &dir.join("exchanged.config.json"), &by_name);
    assert!(told.is_ok(), "{}", lines(&told));
}

#[test]
fn what_is_not_there() {
    let renamed = pair("names/v0", "names/v4.meta");
    let missing: Vec<_> = errors(&renamed).iter().map(|finding| finding.code).collect();
    assert_eq!(missing, [Code::RestoreMissing; 2], "{}", lines(&renamed));
    assert!(lines(&renamed).contains("near: model/bias (same shape)"), "{}", lines(&renamed));
    let other = pair("objects/v8", "objects/v0");
    assert_eq!(errors(&other)[0].code, Code::RestoreMatchesNothing, "{}", lines(&other));
    // Only state of the optimizer is left over, which is worth a note.
    let inference = pair("keras3/v0", "keras3/v3");
    assert!(inference.is_ok(), "{}", lines(&inference));
    assert!(inference.findings.iter().any(|finding| finding.code == Code::RestoreUnexpected), "{}", lines(&inference));
}

/// An object that was saved before it had a variable: `TensorFlow` binds it and is content.
#[test]
fn an_object_without_a_value() {
    let key = "layer/.ATTRIBUTES/VARIABLE_VALUE";
    let graph = |layer: Node| ObjectGraph::new().node(Node::new().child(1, "layer").child(2, "step")).node(layer);
    let step = || Node::new().variable("step", "step/.ATTRIBUTES/VARIABLE_VALUE");
    let bundle = |graph: ObjectGraph, builder: BundleBuilder| {
        let bytes = graph.node(step()).build();
        let builder = builder.floats("step/.ATTRIBUTES/VARIABLE_VALUE", &[], &[1.0]);
        written(builder.object_graph(bytes))
    };
    let (_a, without) = bundle(graph(Node::new()), BundleBuilder::new());
    let (_b, model) =
        bundle(graph(Node::new().variable("layer", key)), BundleBuilder::new().floats(key, &[2], &[1.0, 2.0]));
    let told = against(&without, &model, &RestoreOptions::default());
    only(&told, Code::RestoreNoValue, &["layer", "no value"]);
    let assertions = told.restores[0].assertions.as_ref().unwrap();
    assert!(assertions.existing_objects_matched.is_ok() && told.restores[0].raises.is_empty());
}

#[test]
fn what_is_refused_for_another_reason() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/restore/names");
    let ignore = Selector::parse(&["table"], false).unwrap();
    let options = RestoreOptions { ignore, ..RestoreOptions::default() };
    let told = against(&dir.join("v0"), &dir.join("v7.meta"), &options);
    only(&told, Code::RestoreRaises, &["Dtype half not supported"]);
}

/// Bytes that do not match their checksum end a restore that would have fitted.
#[test]
fn damage_ends_a_restore() {
    let (_dir, prefix) = written(BundleBuilder::new().floats("w", &[2], &[1.0, 2.0]));
    assert!(against(&prefix, &prefix, &RestoreOptions::default()).restores[0].ok);
    edit(&with(&prefix, ".data-00000-of-00001"), |bytes| bytes[1] ^= 1);
    let told = against(&prefix, &prefix, &RestoreOptions::default());
    assert!(!told.restores[0].ok && told.restores[0].raises[0].class == "DataLossError", "{}", lines(&told));
}

#[test]
fn what_cannot_be_told_without_the_object_graph() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/restore/objects");
    let quick = RestoreOptions { quick: true, ..RestoreOptions::default() };
    let told = against(&dir.join("v3"), &dir.join("v0"), &quick);
    assert!(told.findings.iter().any(|finding| finding.code == Code::RestoreUndetermined), "{}", lines(&told));
}
