//! What is no tensor: object graphs, SavedModels, state files.

use std::fmt::Debug;

use std::path::Path;

use ckpt::analysis::ModelInfo;
use ckpt::analysis::ops::{Target, look_at_ops, targets};
use ckpt::base::error::Result;
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::Choice;
use ckpt::read::events::Events;
use ckpt::read::finder::state::Outcome;
use ckpt::read::graphs::fingerprint::Fingerprint;
use ckpt::read::graphs::meta_graph::{GraphInfo, MetaGraph};
use ckpt::read::graphs::object_graph::{ObjectGraph, escape_local_name, unescape_local_name};
use ckpt::read::graphs::saved_model::SavedModel;
use ckpt::report::{Format, Look, TreeOptions, object_tree, write_model, write_ops};

use ckpt_synth::crc;

use super::input::{Input, answer, harmless, said, scratch};

/// An object graph.
///
/// Promises: every variable is found by its key; a path leads exactly to what is reachable; there are not more problems
/// than things in the file; the tree is no larger than a fixed multiple of the file, and harmless.
pub fn object_graph(data: &[u8]) {
    let graph = match ObjectGraph::parse(data) {
        Ok(graph) => graph,
        Err(error) => {
            said(&error);
            return;
        }
    };
    assert_eq!(graph.nodes(), ObjectGraph::parse(data).unwrap().nodes());
    let problems = graph.problems();
    assert!(problems.len() <= 4 * data.len() + 1, "{} problems in {} bytes", problems.len(), data.len());
    for problem in &problems {
        harmless(&problem.to_string());
    }
    for variable in graph.variables() {
        let key = variable.attribute.checkpoint_key.as_bytes();
        let found = graph.variable_for_key(key).map(|found| found.attribute.checkpoint_key.as_bytes());
        assert_eq!(found, Some(key).filter(|key| !key.is_empty()));
    }
    for slot in graph.slots() {
        assert!(slot.optimizer < graph.nodes().len());
    }
    for (at, node) in graph.nodes().iter().enumerate().take(500) {
        let path = graph.path_of(at);
        assert_eq!(path.is_some(), graph.is_reachable(at));
        assert!(path.is_none_or(|path| path.len() < graph.nodes().len()), "a path goes around");
        harmless(&graph.short_path(at));
        assert!(graph.short_path(at).chars().count() <= 300, "a short path is long");
        for child in &node.children {
            let escaped = escape_local_name(&child.local_name);
            assert!(!escaped.contains('/'));
            assert_eq!(unescape_local_name(&escaped), child.local_name);
        }
    }
    for (keys, hide_empty, max_depth) in [(true, false, usize::MAX), (false, true, 3)] {
        let mut options = TreeOptions::default();
        (options.keys, options.hide_empty, options.max_depth) = (keys, hide_empty, max_depth);
        let mut out = Vec::new();
        object_tree(&graph, &options, &|_| None, &mut out).unwrap();
        // A child takes two bytes at least, and a line of indent, two short paths and escaped names.
        assert!(out.len() <= 2000 * data.len() + 1000, "{} bytes of tree from {}", out.len(), data.len());
        harmless(&String::from_utf8(out).unwrap());
    }
}

fn same<T: Debug>(read: impl Fn() -> Result<T>) -> Result<T> {
    let first = read();
    assert_eq!(answer(&first), answer(&read()));
    first
}

/// Graphs as bytes and as text: `MetaGraphDef`, `SavedModel`, `GraphDef`, and the fingerprint beside them.
///
/// Promises: reading twice gives the same; what bytes and text say is said harmlessly; counts do not exceed bytes.
pub fn saved_model(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.below(6);
    let bytes = input.0;
    if kind == 0 {
        if let Ok(meta_graph) = same(|| MetaGraph::parse(bytes, 7)) {
            assert!(meta_graph.node_count + meta_graph.function_count + meta_graph.tags.len() <= bytes.len());
            assert!(meta_graph.has_tags(&meta_graph.tags));
            assert!(meta_graph.user_signatures().count() <= meta_graph.signatures.len());
        }
        return;
    }
    let names = ["saved_model.pb", "saved_model.pbtxt", "fingerprint.pb", "model.ckpt.meta", "graph.pbtxt"];
    let dir = scratch();
    let path = dir.path().join(names[usize::from(kind) - 1]);
    std::fs::write(&path, bytes).unwrap();
    match kind {
        1 | 2 => {
            if let Ok(model) = same(|| SavedModel::read(dir.path(), &Limits::default())) {
                let files = model.meta_graphs.iter().flat_map(|meta_graph| &meta_graph.asset_files);
                for asset in files.filter_map(|file| model.asset_path(file)) {
                    assert!(asset.starts_with(dir.path().join("assets")), "{asset:?} leads out");
                    assert!(asset.components().all(|part| part != std::path::Component::ParentDir));
                }
            }
        }
        3 => drop(same(|| Fingerprint::read(&path, &Limits::default()).map(|print| print.singleprint()))),
        4 => drop(same(|| MetaGraph::read(&path, &Limits::default()))),
        _ => {
            if let Ok(info) = same(|| GraphInfo::read(&path, &Limits::default())) {
                assert!(info.node_count + info.function_count <= bytes.len());
            }
        }
    }
}

/// A file that can hold code: graphs, Keras configurations.
///
/// Promises: two runs are equal; a report that says that all was looked at has looked at something; all reports can be written, JSON is JSON, and what people see is harmless; findings and
/// nodes are bounded by the file; `inspect` of the same file can be written too.
pub fn ops(data: &[u8]) {
    let names = [
        "saved_model.pb",
        "saved_model.pbtxt",
        "keras_metadata.pb",
        "model.ckpt.meta",
        "graph.pbtxt",
        "frozen.pb",
        "model.keras",
        "config.json",
    ];
    let mut input = Input(data);
    let kind = usize::from(input.below(8));
    let bytes = input.0;
    let dir = scratch();
    let path = dir.path().join(names[kind]);
    std::fs::write(&path, bytes).unwrap();
    let Ok((targets, _)) = same(|| targets(&path, Choice::default(), &Limits::default())) else { return };
    let report = look_at_ops(&targets, &Limits::default());
    assert_eq!(format!("{report:?}"), format!("{:?}", look_at_ops(&targets, &Limits::default())));
    let looked = report.looked;
    assert!(looked.nodes + looked.functions + looked.keras_configs <= 2 * bytes.len() as u64 + 2);
    assert!(report.findings.len() <= 2 * bytes.len() + 2);
    if report.is_complete() {
        assert!(looked.graphs + looked.keras_configs > 0, "nothing was looked at");
    }
    let look = Look { color: false, width: Some(80) };
    let write = |list, format| {
        let mut out = Vec::new();
        write_ops(Path::new("m"), &report, list, format, look, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for (list, format) in [(false, Format::Text), (true, Format::Text), (false, Format::Github)] {
        harmless(&write(list, format));
    }
    write(false, Format::Junit);
    for format in [Format::Json, Format::Sarif] {
        serde_json::from_str::<serde_json::Value>(&write(false, format)).unwrap();
    }
    for target in &targets {
        let Target::Graphs(file, form) = target else { continue };
        let model = ModelInfo::read(file, *form, &Limits::default());
        let write = |signatures, format| {
            let mut out = Vec::new();
            write_model((Path::new("m"), &model), &[], signatures, format, look, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        harmless(&write(false, Format::Text));
        harmless(&write(true, Format::Text));
        serde_json::from_str::<serde_json::Value>(&write(false, Format::Json)).unwrap();
    }
}

/// A state file.
///
/// Promises: a state that is used has a path, one that is not used for want of a path has none; a state is no larger
/// than three times its text; errors are short and point into the text.
pub fn state(data: &[u8]) {
    let outcome = Outcome::of(data);
    assert_eq!(format!("{outcome:?}"), format!("{:?}", Outcome::of(data)));
    match outcome {
        Outcome::Loaded(state) | Outcome::NoPath(state) if !state.model_checkpoint_path.is_empty() => {
            let paths: usize = state.all_model_checkpoint_paths.iter().map(String::len).sum();
            // An escape `\1` of two bytes is one; U+0080 and above, written `\u80`, two of six.
            // Python spells out characters behind a backslash: `\ü` of three bytes may become seven.
            let most = 3 * data.len();
            assert!(state.model_checkpoint_path.len() <= most && paths <= most);
            assert!(matches!(Outcome::of(data), Outcome::Loaded(_)));
        }
        Outcome::NoPath(_) => {}
        Outcome::Loaded(state) => panic!("loaded without a path: {state:?}"),
        Outcome::Ignored(error) | Outcome::NotUtf8(error) => {
            assert!(said(&error).len() < 1000, "a long error");
            assert!(error.location().offset.is_some_and(|offset| offset <= data.len() as u64));
        }
    }
}

/// An event file, as it is or as records of the pieces that the input makes.
///
/// Promises: reading twice is equal; every event, damage and unread byte is paid for by bytes of the file; records whose
/// checksums are right are all counted, as events or as damage, and none is called unfinished; errors are harmless.
pub fn events(data: &[u8]) {
    let mut input = Input(data);
    let sealed = input.u8() & 1 == 1;
    let (mut bytes, mut records) = (Vec::new(), 0);
    while sealed && !input.is_empty() {
        let record = input.short();
        let length = (record.len() as u64).to_le_bytes();
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&crc::mask(crc::crc32c(&length)).to_le_bytes());
        bytes.extend_from_slice(record);
        bytes.extend_from_slice(&crc::mask(crc::crc32c(record)).to_le_bytes());
        records += 1;
    }
    if !sealed {
        bytes.extend_from_slice(input.0);
    }
    let dir = scratch();
    let path = dir.path().join("events.out.tfevents.1.host");
    std::fs::write(&path, &bytes).unwrap();
    let read = || Events::read(&path);
    let answer = answer(&read());
    assert_eq!(answer, super::input::answer(&read()));
    let Ok(found) = read() else { return };
    // A record has at least its length and two checksums.
    let least = 16;
    let paid = (found.events + found.damaged) * least + found.unread;
    assert!(paid <= bytes.len() as u64 + least, "{found:?} in {} bytes", bytes.len());
    assert!(found.damage.len() as u64 <= found.damaged);
    assert!(found.last_step.is_none() || found.events > 0);
    for error in &found.damage {
        said(error);
    }
    if sealed {
        assert_eq!((found.events + found.damaged, found.unfinished, found.unread), (records, None, 0), "{found:?}");
    }
}
