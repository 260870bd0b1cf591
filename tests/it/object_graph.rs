//! Object graphs that TensorFlow wrote: their paths are the keys of the bundle, and every tensor has its object.
#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice, OBJECT_GRAPH_KEY};
use ckpt::read::graphs::object_graph::{ObjectGraph, escape_local_name};
use ckpt::report::{TreeOptions, object_tree};

/// Checks the graph of the checkpoint at `path`, if it has one.
fn check(path: &Path) {
    let checkpoint = Checkpoint::open(path, Choice::default(), &Limits::default()).unwrap();
    let Some(tensor) = checkpoint.tensor(OBJECT_GRAPH_KEY) else { return };
    let mut bytes = Vec::new();
    let append = &mut |more: &[u8]| {
        bytes.extend_from_slice(more);
        Ok(())
    };
    checkpoint.read_all(&tensor, append).unwrap();
    let graph = ObjectGraph::parse(&bytes).unwrap();
    assert_eq!(graph.problems(), [], "{}", path.display());

    let escaped_path = |node: usize| {
        let path = graph.path_of(node)?;
        Some(path.into_iter().map(|name| escape_local_name(name).into_owned()).collect::<Vec<_>>().join("/"))
    };
    let slots: BTreeMap<usize, String> = graph
        .slots()
        .map(|slot| {
            let [original, optimizer] = [slot.original, slot.optimizer].map(|node| escaped_path(node).unwrap());
            (slot.variable, format!("{original}/.OPTIMIZER_SLOT/{optimizer}/{}", escape_local_name(slot.name)))
        })
        .collect();
    for tensor in checkpoint.tensors().iter().filter(|tensor| *tensor.name != *OBJECT_GRAPH_KEY) {
        let key = String::from_utf8_lossy(&tensor.name);
        let node = graph.node_for_key(&tensor.name).unwrap_or_else(|| panic!("{key} belongs to no object"));
        let object = escaped_path(node).unwrap_or_else(|| slots[&node].clone());
        assert!(key.starts_with(&format!("{object}/.ATTRIBUTES/")), "{key} belongs to {object}");
    }
    let mut options = TreeOptions::default();
    let tree = |options: &TreeOptions| {
        let mut tree = Vec::new();
        object_tree(&graph, options, &|_| None, &mut tree).unwrap();
        String::from_utf8(tree).unwrap()
    };
    // The keys that TensorFlow wrote are those that the paths tell.
    assert!(!tree(&options).contains('→'), "{}", tree(&options));
    options.keys = true;
    let tree = tree(&options);
    for variable in graph.variables() {
        let key = &variable.attribute.checkpoint_key;
        let short = key.strip_suffix("/.ATTRIBUTES/VARIABLE_VALUE").filter(|short| !short.is_empty());
        let key = format!("→ {}", short.unwrap_or(key));
        let shown = tree.lines().filter(|line| line.ends_with(&key) || line.contains(&format!("{key}  (")));
        assert_eq!(shown.count(), 1, "{key} in\n{tree}");
    }
}

#[test]
fn paths_are_keys_and_every_tensor_has_its_object() {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let cases = [
        "object_graph/awkward/ckpt-1",
        "object_graph/keras3/ckpt-1",
        "object_graph/root_variable/root",
        "object_graph/tf_keras/ckpt-1",
        "object_graph/tf_keras_weights/w",
        "saved_model/keras3_export/model",
        "saved_model/tf2/model",
    ];
    for case in cases {
        check(&testdata.join(case));
    }
}

#[test]
fn graphs_in_the_wild() {
    let Some(wild) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD does not name a directory");
        return;
    };
    let mut dirs = vec![wild];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "index")
                && path.with_extension("data-00000-of-00001").exists()
            {
                println!("{}", path.display());
                check(&path);
            }
        }
    }
}
