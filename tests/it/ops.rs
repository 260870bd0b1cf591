//! `ckpt ops`: everything that TensorFlow's and Keras' own files can touch is found, and in models that can touch
//! nothing, nothing is.
#![expect(clippy::print_stdout, reason = "says what was skipped")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ckpt::analysis::ops::{look_at_ops, targets};
use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::Choice;
use serde_json::{Value, json};

use crate::validating::{ckpt, ckpt_says};

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// What `ckpt ops` says, with its exit status.
fn ops(path: &Path) -> (i32, Value) {
    let output = ckpt(&["ops", path.to_str().unwrap(), "--format", "json"]);
    let status = output.status.code().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{}: {error}: {text} {}", path.display(), String::from_utf8_lossy(&output.stderr))
    });
    (status, value)
}

fn codes(report: &Value, list: &str) -> Vec<String> {
    report[list].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap().to_owned()).collect()
}

type Site = (String, String, Option<String>);

fn found(report: &Value) -> BTreeSet<Site> {
    let sites = report["findings"].as_array().unwrap().iter().filter_map(|f| f.get("op"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    sites.map(|op| (text(&op["op"]).unwrap(), text(&op["node"]).unwrap(), text(&op["function"]))).collect()
}

/// Those of the ops that TensorFlow counted which can do harm: not the saver's own, no print to the log (branch 1 of the
/// switch), no cache in memory.
fn harmful(expected: &Value) -> BTreeSet<Site> {
    let sites = expected.as_array().unwrap().iter().flat_map(|graph| graph.as_array().unwrap());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let all = sites.map(|site| (text(&site[0]).unwrap(), text(&site[1]).unwrap(), text(&site[2])));
    all.filter(|(op, node, function)| {
        let function = function.as_deref().unwrap_or_default();
        let of_saver = ["SaveV2", "RestoreV2"].contains(&op.as_str())
            && (function.starts_with("__inference__traced_") || node.starts_with("save/"));
        let to_log = op == "PrintV2" && function.contains("branch1");
        !of_saver && !to_log && !op.starts_with("CacheDataset")
    })
    .collect()
}

#[test]
fn every_op_that_tensorflow_counts_is_found_and_no_other() {
    let mut models = 0;
    for case in ["ops/tf2", "ops/tf1"] {
        let expected = fs::read(testdata(case).join("expected.json")).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        for (name, sites) in expected["models"].as_object().unwrap() {
            let (status, report) = ops(&testdata(case).join(name));
            let mut found = found(&report);
            if name == "frozen.pb" {
                // The vocabulary is no asset there, and the op that reads it is not in the list of `op_sites.py`.
                assert!(found.iter().any(|site| site.0 == "InitializeTableFromTextFileV2"));
                found.retain(|site| site.0 != "InitializeTableFromTextFileV2");
            }
            assert_eq!(found, harmful(sites), "{name}");
            assert_eq!((status, &report["complete"], codes(&report, "unread").len()), (1, &json!(true), 0), "{name}");
            models += 1;
        }
    }
    assert!(models >= 15, "{models}");
}

/// Of each model: the code, the path that is told, when, and what reaches it.
#[test]
fn paths_times_and_roots() {
    type Case = (&'static str, &'static str, Value, &'static [&'static str], &'static [&'static str]);
    let cases: &[Case] = &[
        (
            "tf2/write",
            "op-writes-file",
            json!([["fixed", "/tmp/out"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/nested",
            "op-writes-file",
            json!([["begins", "/tmp/"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/switch",
            "op-prints-to-file",
            json!([["fixed", "file:///tmp/log"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/save",
            "op-writes-file",
            json!([["fixed", "/tmp/fixed"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/read",
            "op-reads-file",
            json!([["fixed", "/etc/hostname"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/dataset",
            "op-reads-file",
            json!([["fixed", "/tmp/in"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/network",
            "op-reaches-network",
            json!([["fixed", "grpc://host:6064"]]),
            &["call"],
            &["signature serving_default", "function serve"],
        ),
        (
            "tf2/at_load",
            "op-writes-file",
            json!([["fixed", "/tmp/at_load"]]),
            &["load"],
            &["the initialization (__saved_model_init_op)", "resource resource._initialize"],
        ),
        (
            "tf1/init_writes",
            "op-writes-file",
            json!([["fixed", "/tmp/at_load"]]),
            &["load"],
            &["the initialization (saved_model_main_op)"],
        ),
        ("tf1/loop", "op-writes-file", json!([["fixed", "/tmp/in_loop"]]), &["call"], &["signature serving_default"]),
        (
            "tf1/starts",
            "op-reads-file",
            json!([["fixed", "/etc/hostname"]]),
            &["start"],
            &["the initializers of variables"],
        ),
        (
            "tf1/alone.meta",
            "op-reads-file",
            json!([["fixed", "vocab.txt"]]),
            &["start"],
            &["collection table_initializer"],
        ),
        ("tf1/graph.pbtxt", "op-reads-file", json!([["fixed", "vocab.txt"]]), &[], &[]),
    ];
    for (name, code, paths, when, from) in cases {
        let (_, report) = ops(&testdata("ops").join(name));
        let [finding] = &report["findings"].as_array().unwrap()[..] else { panic!("{name}: {report}") };
        assert_eq!(finding["code"], *code, "{name}");
        let op = &finding["op"];
        let told: Value = op["paths"].as_array().unwrap().iter().map(|p| json!([p["from"], p["value"]])).collect();
        assert_eq!((&told, &op["when"], &op["reached_from"]), (paths, &json!(when), &json!(from)), "{name}");
        assert_eq!(op["reach_known"], json!(!from.is_empty()), "{name}");
    }
    // A path with the scheme of a remote file system is both.
    let (_, report) = ops(&testdata("ops/tf2/told"));
    assert_eq!(codes(&report, "findings"), ["op-reads-file", "op-reaches-network"]);
    let (_, report) = ops(&testdata("ops/tf2/python"));
    assert_eq!(codes(&report, "findings"), ["op-runs-host-code"; 2]);
    let (_, report) = ops(&testdata("ops/tf1/frozen.pb"));
    assert_eq!(codes(&report, "findings"), ["op-reads-file", "op-custom"]);
}

#[test]
fn models_that_can_touch_nothing_give_nothing() {
    let clean = [
        "ops/clean/model",
        "ops/keras/clean",
        "ops/keras/clean.keras",
        "ops/keras3/clean.keras",
        "ops/keras3/exported",
        "saved_model/keras3_export/model",
        "saved_model/no_variables/model",
        "saved_model/no_variables_tf1/model",
        "saved_model/pbtxt/model",
        "saved_model/tf1/model",
        "saved_model/tf2/model",
        "model_dir/estimator",
        "model_dir/estimator/graph.pbtxt",
        "saver_v1/sharded",
        "saver_v1/single",
        "saver_v2/plain",
        "saver_v2/sharded_adam",
        "serving/base/served",
    ];
    for path in clean {
        let (status, report) = ops(&testdata(path));
        assert_eq!((status, &report["ok"], &report["findings"]), (0, &json!(true), &json!([])), "{path}: {report}");
        let looked = &report["looked_at"];
        assert!(looked["nodes"].as_u64().unwrap() + looked["keras_configs"].as_u64().unwrap() > 0, "{path}");
    }
    let (_, report) = ops(&testdata("ops/clean/model"));
    assert_eq!(report["expected"], json!({"saver": 3, "assets": 2}));
}

#[test]
fn lambdas_wherever_they_hide() {
    for (path, layer, spelling) in [
        ("ops/keras/nested", "outer/each/inner/double", "__tuple__"),
        ("ops/keras/nested/keras_metadata.pb", "outer/each/inner/double", "__tuple__"),
        ("ops/keras/nested.keras", "outer/each/inner/double", "a list"),
        ("ops/keras3/nested.keras", "outer/inner/double", "__lambda__"),
        ("ops/keras3/unpacked", "outer/inner/double", "__lambda__"),
        ("ops/keras3/unpacked/config.json", "outer/inner/double", "__lambda__"),
        ("ops/keras3/activation.keras", "outer/odd", "text"),
    ] {
        let (status, report) = ops(&testdata(path));
        assert_eq!((status, codes(&report, "findings")), (1, vec!["keras-lambda".to_owned()]), "{path}");
        let message = report["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(&format!("layer {layer} ")) && message.contains(spelling), "{path}: {message}");
    }
    let (status, report) = ops(&testdata("ops/keras3/own.keras"));
    assert_eq!((status, codes(&report, "findings")), (0, vec!["keras-foreign-object".to_owned()]));
    for (path, findings) in [("nested", 1), ("clean", 0)] {
        let (status, report) = ops(&testdata(&format!("ops/keras/{path}.h5")));
        assert_eq!((status, codes(&report, "findings").len()), (i32::from(findings > 0), findings), "{path}");
        assert_eq!((codes(&report, "unread"), &report["ok"]), (vec![], &json!(findings == 0)));
    }
}

/// The metadata that Keras before TensorFlow 2.5 put into the object graph.
#[test]
fn a_lambda_in_the_object_graph() {
    let dir = tempfile::tempdir().unwrap();
    let json = r#"{"class_name": "Lambda", "config": {"name": "old", "function": {"class_name": "__tuple__", "items": ["4wEAAAA=", null, null]}}}"#;
    let text = format!(
        "saved_model_schema_version: 1 meta_graphs {{ graph_def {{ node {{ name: 'x' op: 'Placeholder' }} }} \
         object_graph_def {{ nodes {{ user_object {{ identifier: '_tf_keras_layer' metadata: '{json}' }} }} }} }}"
    );
    fs::write(dir.path().join("saved_model.pbtxt"), text).unwrap();
    let (status, report) = ops(dir.path());
    assert_eq!((status, codes(&report, "findings")), (1, vec!["keras-lambda".to_owned()]));
}

#[test]
fn what_cannot_be_read_is_never_said_to_be_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let model = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("saved_model.pb"), bytes).unwrap();
        path
    };
    let whole = fs::read(testdata("ops/tf2/write/saved_model.pb")).unwrap();
    let cut = model("cut", &whole[..whole.len() / 2]);
    let (status, report) = ops(&cut);
    assert_eq!((status, &report["complete"], &report["ok"]), (2, &json!(false), &json!(false)));
    let text = ckpt_says(2, &["ops", cut.to_str().unwrap()]);
    assert!(text.contains("NOT everything could be looked at"), "{text}");
    // Allowing the code changes nothing about that.
    ckpt_says(2, &["ops", cut.to_str().unwrap(), "--allow", "unreadable", "--allow", "bad-saved-model"]);
    assert_eq!(ops(&model("empty", b"")).0, 2);
    // A graph that can be read beside Keras metadata that cannot.
    let half = model("half", &whole);
    fs::write(half.join("keras_metadata.pb"), [0x0a, 0xff]).unwrap();
    let (status, report) = ops(&half);
    assert_eq!(
        (status, codes(&report, "findings"), codes(&report, "unread").len()),
        (2, vec!["op-writes-file".to_owned()], 1)
    );
    let chunked = dir.path().join("chunked");
    fs::create_dir(&chunked).unwrap();
    fs::write(chunked.join("saved_model.cpb"), [0x83, 0xaf, 0x70, 0xd1]).unwrap();
    assert_eq!(ops(&chunked).0, 2);
    // A compressed configuration, a cut archive.
    let archive = fs::read(testdata("ops/keras3/nested.keras")).unwrap();
    let path = dir.path().join("cut.keras");
    fs::write(&path, &archive[..archive.len() - 30]).unwrap();
    assert_eq!(ops(&path).0, 2);
    // A checkpoint alone has no ops, and is not harmless for that.
    let output = ckpt(&["ops", testdata("object_graph/keras3").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn severities_and_formats() {
    let write = testdata("ops/tf2/write");
    let write = write.to_str().unwrap();
    ckpt_says(0, &["ops", write, "--warn", "op-writes-file"]);
    assert!(ckpt_says(0, &["ops", write, "--allow", "op-writes-file"]).contains("nothing found"));
    let own = testdata("ops/keras3/own.keras");
    ckpt_says(1, &["ops", own.to_str().unwrap(), "--deny", "keras-foreign-object"]);
    let sarif: Value = serde_json::from_str(&ckpt_says(1, &["ops", write, "--format", "sarif"])).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("op-writes-file"), &json!("error")));
    assert_eq!(result["properties"]["op"]["op"], "WriteFile");
    let junit = ckpt_says(1, &["ops", write, "--format", "junit"]);
    let document = roxmltree::Document::parse(&junit).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("failure")).count(), 1);
    let clean = testdata("ops/clean/model");
    let junit = ckpt_says(0, &["ops", clean.to_str().unwrap(), "--format", "junit"]);
    let document = roxmltree::Document::parse(&junit).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 1);
    let github = ckpt_says(1, &["ops", write, "--format", "github"]);
    assert!(github.starts_with("::error ") && github.contains("title=op-writes-file"), "{github}");
    assert_eq!(ckpt(&["ops", write, "--format", "csv"]).status.code(), Some(2));
    assert!(ckpt_says(0, &["ops", write, "--list"]).contains("WriteFile"));
}

/// One field of a message, of any length.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = value.len();
    while len >= 0x80 {
        out.push(u8::try_from(len & 0x7f).unwrap() | 0x80);
        len >>= 7;
    }
    out.push(u8::try_from(len).unwrap());
    [out, value.to_vec()].concat()
}

fn node(name: &str, op: &str, inputs: &[&str], call: Option<&str>) -> Vec<u8> {
    let mut body = [field(1, name.as_bytes()), field(2, op.as_bytes())].concat();
    for input in inputs {
        body.extend(field(3, input.as_bytes()));
    }
    if let Some(function) = call {
        let value = field(10, &field(1, function.as_bytes()));
        body.extend(field(5, &[field(1, b"f"), field(2, &value)].concat()));
    }
    body
}

fn function(name: &str, nodes: &[Vec<u8>]) -> Vec<u8> {
    let signature = field(1, &field(1, name.as_bytes()));
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| field(3, node)).collect();
    [signature, nodes].concat()
}

/// A SavedModel whose init op is the node `init`.
fn model(nodes: &[Vec<u8>], functions: &[Vec<u8>]) -> tempfile::TempDir {
    let library: Vec<u8> = functions.iter().flat_map(|function| field(1, function)).collect();
    let nodes: Vec<u8> = nodes.iter().flat_map(|node| field(1, node)).collect();
    let graph = field(2, &[nodes, field(2, &library)].concat());
    let list = field(1, &field(1, b"init"));
    let init = field(4, &[field(1, b"saved_model_main_op"), field(2, &list)].concat());
    let dir = tempfile::tempdir().unwrap();
    let bytes = [vec![0x08, 0x01], field(2, &[graph, init].concat())].concat();
    fs::write(dir.path().join("saved_model.pb"), bytes).unwrap();
    dir
}

#[test]
fn functions_and_nodes_in_circles_end() {
    let functions = [
        function("f", &[node("a", "PartitionedCall", &[], Some("g"))]),
        function("g", &[node("a", "PartitionedCall", &[], Some("f")), node("w", "WriteFile", &["p", "c"], None)]),
    ];
    let nodes = [
        node("init", "Identity", &["b", "^init"], None),
        node("b", "Identity", &["init"], None),
        node("p", "Identity", &["q"], None),
        node("q", "Identity", &["p", "init"], None),
        node("call", "PartitionedCall", &["p"], Some("f")),
        node("init2", "WriteFile", &["p", "p"], None),
    ];
    let (status, report) = ops(model(&nodes, &functions).path());
    assert_eq!((status, codes(&report, "findings").len()), (1, 2));
    // Nothing runs `call`; of the other it is not known where its path comes from.
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!((&finding["op"]["when"], &finding["op"]["reach_known"]), (&json!([]), &json!(true)));
    }
}

#[test]
fn calls_are_followed_however_deep_and_wherever_they_are_named() {
    let depth = 20_000;
    let mut functions: Vec<Vec<u8>> =
        (0..depth).map(|at| function(&format!("f{at}"), &[node("a", &format!("f{}", at + 1), &[], None)])).collect();
    functions.push(function(&format!("f{depth}"), &[node("w", "WriteFile", &[], None)]));
    let nodes = [node("init", "NoOp", &["^call"], None), node("call", "StatefulPartitionedCall", &[], Some("f0"))];
    let (status, report) = ops(model(&nodes, &functions).path());
    assert_eq!((status, &report["findings"][0]["op"]["when"]), (1, &json!(["load"])));
    assert_eq!(report["findings"][0]["op"]["function"], format!("f{depth}"));
}

/// More ops of one name than are looked into hide none of another, and are said to be left out.
#[test]
fn noise_hides_nothing() {
    let mut nodes = vec![node("a", "Custom", &[], None); 140_000];
    nodes.push(node("w", "WriteFile", &[], None));
    let (status, report) = ops(model(&nodes, &[]).path());
    assert_eq!((status, codes(&report, "unread")), (2, vec!["unreadable".to_owned()]));
    assert_eq!(codes(&report, "findings").iter().filter(|code| *code == "op-writes-file").count(), 1);
}

/// A second function of one name, which TensorFlow would refuse or ignore, hides nothing; nor does a second graph.
#[test]
fn doubles_hide_nothing() {
    let clean = function("f", &[node("a", "NoOp", &[], None)]);
    let bad = function("f", &[node("w", "WriteFile", &[], None)]);
    let (status, report) = ops(model(&[node("init", "NoOp", &[], None)], &[clean, bad]).path());
    assert_eq!((status, codes(&report, "findings")), (1, vec!["op-writes-file".to_owned()]));
}

#[test]
fn many_nodes_and_more_findings_than_are_kept() {
    let mut nodes = vec![node("init", "NoOp", &["^n0"], None)];
    for at in 0..200_000 {
        let op = if at % 100 == 0 { "WriteFile" } else { "Identity" };
        nodes.push(node(&format!("n{at}"), op, &[&format!("n{}", at + 1)], None));
    }
    let dir = model(&nodes, &[]);
    let (status, report) = ops(dir.path());
    assert_eq!((status, &report["looked_at"]["nodes"]), (1, &json!(200_001)));
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1001);
    assert_eq!(findings[1000]["message"], "and 1000 more of this kind");
    assert_eq!(findings[999]["op"]["when"], json!(["load"]));
}

/// Every byte of small files is changed, and every length is cut: a report, an unread part or an error, never a panic,
/// and never a report that says that it is complete without having looked at anything.
#[test]
fn damage_is_read_or_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut tried = 0;
    for fixture in [
        "ops/tf1/frozen.pb",
        "ops/tf1/alone.meta",
        "ops/keras/clean/keras_metadata.pb",
        "ops/keras3/unpacked/config.json",
    ] {
        let whole = fs::read(testdata(fixture)).unwrap();
        let path = dir.path().join(Path::new(fixture).file_name().unwrap());
        let mut look = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            if let Ok((targets, _)) = targets(&path, Choice::default(), &Limits::default()) {
                let report = look_at_ops(&targets, &Limits::default());
                let looked = report.looked;
                assert!(!report.is_complete() || looked.graphs + looked.keras_configs > 0);
                tried += 1;
            }
        };
        for at in (0..whole.len()).step_by(whole.len() / 700 + 1) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            look(&bytes);
            look(&whole[..at]);
        }
    }
    assert!(tried > 2000, "{tried}");
}

#[test]
fn names_are_shown_harmless() {
    let evil = "\u{1b}[31m\n::error::";
    let dir = model(&[node(evil, "Write\u{1b}File", &[], None), node("init", "NoOp", &[], None)], &[]);
    for format in ["text", "github", "sarif", "junit"] {
        let output = ckpt(&["ops", dir.path().to_str().unwrap(), "--format", format]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains('\u{1b}') && !text.contains("\n::error::"), "{format}: {text}");
        assert!(text.contains("op-custom"), "{format}: {text}");
    }
}

#[test]
fn an_asset_that_leads_out_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let text = "saved_model_schema_version: 1 meta_graphs { graph_def { node { name: 'a' op: 'Placeholder' } node { name: \
                'r' op: 'ReadFile' input: 'a' } } asset_file_def { tensor_info { name: 'a:0' } filename: '../../etc/x' } }";
    fs::write(dir.path().join("saved_model.pbtxt"), text).unwrap();
    let (status, report) = ops(dir.path());
    assert_eq!(
        (status, codes(&report, "findings")),
        (1, vec!["op-reads-file".to_owned(), "unsafe-asset-path".to_owned()])
    );
}

/// A loader feeds the paths of assets and of the saver when it initializes and restores, and nobody does when the model
/// is called: then a constant in their place is what is read.
#[test]
fn what_stands_in_for_a_path_counts_where_nobody_feeds_it() {
    let text = |run: &str| {
        format!(
            "saved_model_schema_version: 1 meta_graphs {{ graph_def {{ \
             node {{ name: 'asset' op: 'Const' attr {{ key: 'value' value {{ tensor {{ dtype: DT_STRING string_val: \
             '/etc/passwd' }} }} }} }} \
             node {{ name: 'save/Const' op: 'Const' attr {{ key: 'value' value {{ tensor {{ dtype: DT_STRING string_val: \
             '/etc/shadow' }} }} }} }} \
             node {{ name: 'read' op: 'ReadFile' input: 'asset' }} \
             node {{ name: 'restore' op: 'RestoreV2' input: 'save/Const' }} \
             node {{ name: 'all' op: 'NoOp' input: '^read' input: '^restore' }} }} \
             saver_def {{ filename_tensor_name: 'save/Const:0' restore_op_name: 'restore' }} \
             asset_file_def {{ tensor_info {{ name: 'asset:0' }} filename: 'vocab.txt' }} {run} }}"
        )
    };
    let signature = "signature_def { key: 's' value { outputs { key: 'y' value { name: 'all:0' } } } }";
    let init = "collection_def { key: 'saved_model_main_op' value { node_list { value: 'all' } } }";
    for (run, paths) in [(signature, vec!["/etc/passwd", "/etc/shadow"]), (init, vec!["/etc/shadow"]), ("", vec![])] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("saved_model.pbtxt"), text(run)).unwrap();
        let (_, report) = ops(dir.path());
        let findings = report["findings"].as_array().unwrap();
        let got: Vec<&str> = findings.iter().map(|f| f["op"]["paths"][0]["value"].as_str().unwrap()).collect();
        assert_eq!(got, paths, "{run}");
    }
}

#[test]
fn models_of_strangers_give_nothing() {
    let Some(wild) = std::env::var_os("CKPT_WILD").map(PathBuf::from) else {
        println!("skipped: CKPT_WILD does not name a directory");
        return;
    };
    let expected: Value = serde_json::from_slice(&fs::read(testdata("ops/wild.json")).unwrap()).unwrap();
    for (path, graphs) in expected.as_object().unwrap() {
        let (status, report) = ops(&wild.join(path));
        assert_eq!((status, &report["findings"]), (0, &json!([])), "{path}");
        let nodes: u64 = graphs.as_array().unwrap().iter().map(|graph| graph["nodes"].as_u64().unwrap()).sum();
        assert!(report["looked_at"]["nodes"].as_u64().unwrap() >= nodes, "{path}");
    }
}

/// One op of every kind, in a graph that is written here: TensorFlow saves some of them only on machines that have what
/// they speak to.
#[test]
fn every_kind_of_op_has_its_code() {
    let kinds = [
        ("ReadFile", "op-reads-file", "error"),
        ("WriteFile", "op-writes-file", "error"),
        ("DatasetFromGraph", "op-hides-graph", "error"),
        ("FileSystemSetConfiguration", "op-reconfigures", "error"),
        ("EagerPyFunc", "op-runs-host-code", "error"),
        ("RpcCall", "op-reaches-network", "error"),
        ("Abort", "op-aborts", "warning"),
        ("Send", "op-communicates", "warning"),
        ("SomebodysOp", "op-custom", "warning"),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (op, code, severity) in kinds {
        let path = dir.path().join("graph.pbtxt");
        fs::write(&path, format!("node {{ name: \"it\" op: \"{op}\" }}\nnode {{ name: \"x\" op: \"NoOp\" }}")).unwrap();
        let (status, report) = ops(&path);
        assert_eq!(codes(&report, "findings"), [code], "{op}");
        assert_eq!(report["findings"][0]["severity"], severity, "{op}");
        assert_eq!(status, i32::from(severity == "error"), "{op}");
    }
}
