//! The index: its table, its header, its entries, its object graph.

use std::fs;
use std::path::Path;

use ckpt::analysis::{Code, Finding, Validation};
use ckpt_synth::{BundleBuilder, Compression, Msg, Node, ObjectGraph, dtype};

use crate::validating::{copy, data_of, edit, errors, lines, only, run, tensors, try_run, with, written};

fn base() -> BundleBuilder {
    BundleBuilder::new().floats("a", &[2], &[1.0, 2.0]).floats("b", &[3], &[3.0, 4.0, 5.0])
}

fn check(builder: BundleBuilder) -> Validation {
    let (_dir, prefix) = written(builder);
    run(&prefix)
}

#[test]
fn a_table_that_is_damaged() {
    only(
        &check(base().table(ckpt_synth::TableBuilder::corrupt_index_checksum)),
        Code::IndexChecksumMismatch,
        &["checksum"],
    );
    let found = check(base().table(|table| table.block_size(1).corrupt_checksum(2)));
    only(&found, Code::BlockChecksumMismatch, &["data block 2", "checksum mismatch: stored"]);
    assert!(found.checked.tensors == 1, "{:?}", found.checked);
    only(&check(base().table(|table| table.block_size(1).compression(Compression::Raw(7)))), Code::BadBlock, &["7"]);
}

#[test]
fn keys_in_the_wrong_order() {
    let found = check(BundleBuilder::new().unsorted().floats("b", &[1], &[1.0]).floats("a", &[1], &[1.0]));
    only(&found, Code::KeysOutOfOrder, &["a"]);
}

#[test]
fn the_header() {
    only(&check(base().no_header()), Code::HeaderMissing, &["header"]);
    only(&check(base().header([0xff; 5])), Code::BadHeader, &["header"]);
    only(&check(base().min_consumer(99)), Code::VersionRefused, &["99"]);
    only(&check(base().bad_consumers(&[1])), Code::VersionRefused, &["1"]);
}

#[test]
fn entries_that_cannot_be() {
    let patched = |patch: fn(&mut ckpt_synth::Entry)| check(base().entry_patch("b", patch));
    let of_b = |finding: &Finding| assert_eq!(finding.tensor.as_deref(), Some(&b"b"[..]));
    only(&check(base().raw_entry("b2", [0xff, 0xff])), Code::BadEntry, &["b2"]);
    of_b(only(&patched(|e| e.dtype = 9999), Code::BadDType, &["b: dtype", "cannot be in a checkpoint"]));
    of_b(only(&patched(|e| e.dtype = dtype::RESOURCE), Code::BadDType, &["resource"]));
    of_b(only(&patched(|e| e.shape = vec![1 << 40, 1 << 40]), Code::BadShape, &["b: impossible shape"]));
    let size = patched(|e| e.size = 16);
    let size = only(&size, Code::BadSize, &["b: float32 [3] takes 12 bytes, its entry says 16"]).clone();
    of_b(&size);
    assert_eq!((size.expected.as_deref(), size.found.as_deref()), (Some("12"), Some("16")));
    of_b(only(&patched(|e| e.offset = -4), Code::BadRange, &["offset -4 and size 12"]));
    of_b(only(&patched(|e| e.shard = 7), Code::BadRange, &["b: in shard 7, but the header counts 1"]));
    // The others are still checked.
    assert_eq!(patched(|e| e.dtype = 9999).checked.verified, 1);
    let strings = BundleBuilder::new().strings("s", &[3], &["a", "b", "c"]).entry_patch("s", |e| e.size = 2);
    only(&check(strings), Code::BadSize, &["at least 3"]);
}

/// What is said of an index that is no table, or no longer a whole one.
fn index_of(bytes: &[u8]) -> Result<Validation, String> {
    let (_dir, prefix) = written(base());
    fs::write(with(&prefix, ".index"), bytes).unwrap();
    try_run(&prefix, &crate::validating::options()).map_err(|error| error.to_string())
}

#[test]
fn an_index_that_is_no_table() {
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
    let page = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found, sorry about that</body></html>";
    let (_dir, prefix) = written(base());
    let whole = fs::read(with(&prefix, ".index")).unwrap();
    for (bytes, words) in [
        (&pointer[..], "a Git LFS pointer"),
        (page, "an HTML page"),
        (b"", "an empty file"),
        (&whole[..whole.len() / 2], "the beginning of a bundle index, cut off"),
        (&[0; 300], "nothing but zeros"),
    ] {
        let found = index_of(bytes).unwrap_or_else(|error| panic!("{words}: {error}"));
        let finding = only(&found, Code::NotATable, &[words, "m.index"]);
        assert!(finding.file.as_ref().is_some_and(|file| file.ends_with("m.index")));
        assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
    }
}

/// A bundle with an object graph of these nodes, and a variable under each key.
fn graph(nodes: Vec<Node>, keys: &[&str]) -> Validation {
    let graph = nodes.into_iter().fold(ObjectGraph::new(), ObjectGraph::node).build();
    let builder = keys.iter().fold(BundleBuilder::new().object_graph(graph), |b, key| b.floats(key, &[1], &[1.0]));
    check(builder)
}

const W: &str = "w/.ATTRIBUTES/VARIABLE_VALUE";

#[test]
fn an_object_graph_against_its_tensors() {
    let root = || Node::new().child(1, "w");
    let variable = || Node::new().variable("w", W);
    assert!(graph(vec![root(), variable()], &[W]).findings.is_empty());
    let found = graph(vec![root(), variable()], &[]);
    let finding =
        only(&found, Code::GraphKeyMissing, &["w/.ATTRIBUTES/VARIABLE_VALUE, which is not in the index", "NOT_FOUND"]);
    assert_eq!(finding.tensor.as_deref(), Some(W.as_bytes()));
    let found = graph(vec![root(), variable()], &[W, "stray/.ATTRIBUTES/VARIABLE_VALUE"]);
    only(&found, Code::GraphOrphan, &["stray/.ATTRIBUTES/VARIABLE_VALUE: nothing in the object graph refers to it"]);
    assert!(found.is_ok());
}

#[test]
fn an_object_graph_that_contradicts_itself() {
    let found = graph(vec![Node::new().child(1, "w").child(9, "gone"), Node::new().variable("w", W)], &[W]);
    only(&found, Code::BadObjectGraph, &["9", "gone"]);
    let garbage = check(BundleBuilder::new().object_graph([0xff; 20]).floats("w", &[1], &[1.0]));
    only(&garbage, Code::BadObjectGraph, &["the object graph cannot be decoded"]);
}

#[test]
fn a_damaged_object_graph_of_tensorflow_s_is_a_damaged_tensor() {
    let dir = copy("object_graph/keras3");
    let prefix = dir.path().join("ckpt-1");
    let needle = b"VARIABLE_VALUE";
    edit(&data_of(&prefix), |bytes| {
        let at = bytes.windows(needle.len()).position(|part| part == needle).unwrap();
        bytes[at] ^= 1;
    });
    let found = run(&prefix);
    assert_eq!(tensors(&found, Code::SingleBitFlip), ["_CHECKPOINTABLE_OBJECT_GRAPH"]);
    assert_eq!(errors(&found).len(), 1, "{}", lines(&found));
}

/// A SavedModel of a sound bundle and this meta graph.
pub(crate) fn model(dir: &Path, meta_graph: Msg) {
    base().finish().write(&dir.join("variables/variables")).unwrap();
    fs::write(dir.join("saved_model.pb"), Msg::new().int(1, 1).msg(2, meta_graph).build()).unwrap();
}
