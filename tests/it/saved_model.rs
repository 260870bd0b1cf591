//! Models, `.meta` and `graph.pbtxt`: what TensorFlow says of those in `testdata`, and of those in the wild that
//! `CKPT_WILD` names a directory of.
#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::path::{Path, PathBuf};

use ckpt::analysis::ModelInfo;
use ckpt::base::limits::Limits;
use ckpt::read::graphs::fingerprint::{Fingerprint, checkpoint_hash};
use ckpt::read::graphs::graph::{Method, Spec};
use ckpt::read::graphs::meta_graph::{GraphInfo, MetaGraph, SaverVersion, Signature, TensorInfo};
use ckpt::read::graphs::object_graph::ObjectGraph;
use ckpt::read::graphs::saved_model::SavedModel;
use serde_json::{Map, Value, json};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// As `oracle.py` writes a `TensorInfo`.
fn info(info: &TensorInfo) -> Value {
    json!({ "dtype": info.dtype.to_string(), "shape": info.shape.dims(), "name": info.name })
}

fn signature(signature: &Signature) -> Value {
    let infos = |infos: &std::collections::BTreeMap<String, TensorInfo>| -> Map<String, Value> {
        infos.iter().map(|(name, tensor)| (name.clone(), info(tensor))).collect()
    };
    json!({
        "inputs": infos(&signature.inputs),
        "outputs": infos(&signature.outputs),
        "method_name": signature.method_name,
    })
}

fn meta_graph(graph: &MetaGraph) -> Value {
    let signatures: Map<String, Value> =
        graph.user_signatures().map(|(key, value)| (key.to_owned(), signature(value))).collect();
    let internal: Vec<&String> = graph.signatures.keys().filter(|key| key.starts_with("__saved_model_")).collect();
    json!({
        "tags": graph.tags,
        "signatures": signatures,
        "internal_signatures": internal,
        "tensorflow_version": graph.tensorflow_version,
        "assets": graph.asset_files,
    })
}

#[test]
fn meta_graphs_and_fingerprints_are_tensorflow_s() {
    for case in ["keras3_export", "no_variables", "no_variables_tf1", "pbtxt", "tf1", "tf2"] {
        let case = testdata("saved_model").join(case);
        let expected: Value = serde_json::from_slice(&std::fs::read(case.join("expected.json")).unwrap()).unwrap();
        let dir = case.join(expected["saved_model"].as_str().unwrap());
        let model = SavedModel::read(&dir, &Limits::default()).unwrap();
        assert_eq!(model.schema_version, 1);
        let got: Vec<Value> = model.meta_graphs.iter().map(meta_graph).collect();
        assert_eq!(json!(got), expected["meta_graphs"], "{}", case.display());
        for graph in &model.meta_graphs {
            assert!(graph.node_count > 0, "{}", case.display());
            // TensorFlow 1 writes no saver where there is nothing to save.
            assert_eq!(graph.saver.is_some(), !case.ends_with("no_variables_tf1"), "{}", case.display());
            assert_eq!(graph.has_object_graph, expected.get("fingerprint").is_some());
        }
        if let Some(expected) = expected.get("fingerprint") {
            let fingerprint = Fingerprint::read(&dir.join("fingerprint.pb"), &Limits::default()).unwrap();
            let hash = checkpoint_hash(&dir.join("variables/variables.index")).unwrap();
            assert_eq!(fingerprint.checkpoint_hash, hash);
            assert_eq!(json!(hash.to_string()), expected["checkpoint_hash"]);
            assert_eq!(json!(fingerprint.singleprint()), expected["singleprint"]);
        }
    }
}

/// What the functions of the root take, as `saved_model_cli show --all` finds it by loading the model.
#[test]
fn functions_take_what_tensorflow_says() {
    let expected = std::fs::read(testdata("ops/clean/expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let info = ModelInfo::of_saved_model(&testdata("ops/clean/model"), &Limits::default());
    let [graph] = &info.graphs[..] else { panic!("one graph") };
    let spec = |spec: &Spec| match spec {
        Spec::Tensor(name, dtype, shape) => json!({"name": name, "dtype": dtype.to_string(), "shape": shape.dims()}),
        Spec::Value(value) => json!({"value": value}),
    };
    let method = |method: &Method| {
        let named: Map<String, Value> = method.named.iter().map(|(name, s)| (name.clone(), spec(s))).collect();
        json!({"positional": method.positional.iter().map(spec).collect::<Vec<_>>(), "named": named})
    };
    let sorted = |values: Vec<Value>| {
        let mut texts: Vec<String> = values.iter().map(Value::to_string).collect();
        texts.sort();
        texts
    };
    let expected = expected["functions"].as_object().unwrap();
    assert_eq!(graph.functions.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, methods) in &graph.functions {
        let got = sorted(methods.iter().map(method).collect());
        assert_eq!(got, sorted(expected[name].as_array().unwrap().clone()), "{name}");
    }
    let twice = &graph.functions["twice"];
    assert!(twice.len() == 2 && !info.around.assets[0].1, "two ways to call it, and the asset is not there");
}

/// `testdata/ops/wild.py` wrote what TensorFlow's own messages say of models that are not copied here.
#[test]
fn models_of_strangers_are_as_tensorflow_says() {
    let Some(wild) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD does not name a directory");
        return;
    };
    let expected: Value = serde_json::from_slice(&std::fs::read(testdata("ops/wild.json")).unwrap()).unwrap();
    let expected = expected.as_object().unwrap();
    assert_eq!(expected.len(), 13);
    for (path, expected) in expected {
        let info = ModelInfo::of_saved_model(wild.join(path).parent().unwrap(), &Limits::default());
        assert_eq!(info.unread.len(), 0, "{path}");
        let graphs = info.graphs.iter().map(|graph| {
            let mut value = meta_graph(&graph.meta);
            value["nodes"] = json!(graph.meta.node_count);
            value["functions"] = json!(graph.meta.function_count);
            value["saver"] = json!(graph.meta.saver.as_ref().map_or("", |saver| &saver.restore_op_name));
            value
        });
        assert_eq!(graphs.collect::<Value>(), *expected, "{path}");
    }
}

#[test]
fn the_files_of_an_estimator() {
    let dir = testdata("model_dir/estimator");
    let meta = MetaGraph::read(&dir.join("model.ckpt-10.meta"), &Limits::default()).unwrap();
    let saver = meta.saver.unwrap();
    assert_eq!((saver.version, saver.restore_op_name.as_str()), (SaverVersion::V2, "save/restore_all"));
    assert!(meta.collections["variables"] > 0 && meta.collections["global_step"] == 1, "{:?}", meta.collections);
    let text = GraphInfo::read(&dir.join("graph.pbtxt"), &Limits::default()).unwrap();
    assert!(text.node_count > 0 && text.producer > 0, "{text:?}");
}

/// Damage to the fields around the graph: an answer or an error, never a panic.
#[test]
fn a_cut_or_flipped_file_is_read_or_refused() {
    let mut bytes = std::fs::read(testdata("model_dir/estimator/model.ckpt-10.meta")).unwrap();
    for at in (0..bytes.len()).step_by(97) {
        let _ = MetaGraph::parse(&bytes[..at], 0);
        bytes[at] ^= 0xff;
        let _ = MetaGraph::parse(&bytes, 0);
        bytes[at] ^= 0xff;
    }
}

#[test]
fn files_in_the_wild_are_read() {
    let Some(wild) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD does not name a directory");
        return;
    };
    let limits = Limits::default();
    let mut dirs = vec![wild];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            match path.extension().map(|extension| extension.to_string_lossy().into_owned()).as_deref() {
                _ if path.is_dir() => dirs.push(path),
                Some("meta") => {
                    let meta = MetaGraph::read(&path, &Limits::default()).unwrap();
                    println!(
                        "{}: {} nodes, saver {:?} {:?}",
                        path.display(),
                        meta.node_count,
                        meta.saver,
                        meta.collections
                    );
                }
                Some("pb" | "pbtxt") if name.starts_with("saved_model.") => {
                    let model = SavedModel::read(&path, &Limits::default()).unwrap();
                    for graph in &model.meta_graphs {
                        println!("{}: {}", path.display(), meta_graph(graph));
                    }
                }
                _ if name == "graph.pbtxt" => {
                    println!("{}: {:?}", path.display(), GraphInfo::read(&path, &Limits::default()).unwrap());
                }
                _ if name == "fingerprint.pb" => {
                    let fingerprint = Fingerprint::read(&path, &limits).unwrap();
                    let index = path.with_file_name("variables").join("variables.index");
                    if index.exists() {
                        assert_eq!(fingerprint.checkpoint_hash, checkpoint_hash(&index).unwrap());
                    }
                }
                Some("object_graph") => {
                    let graph = ObjectGraph::parse(&std::fs::read(&path).unwrap()).unwrap();
                    assert_eq!(graph.problems(), []);
                }
                _ => {}
            }
        }
    }
}
