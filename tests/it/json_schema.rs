//! What commands write, held to the schemas of `docs/schema`: no field, word or type that they have not, and none of
//! theirs that no command writes.
//!
//! The schemas let a document have more fields and words than they name, because a later release may; here they are
//! closed first, so that whatever is not documented fails.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use ckpt_synth::BundleBuilder;
use serde_json::{Value, json};

use crate::support::{testdata, tries};

/// Every schema, closed, and which of its fields have been seen.
struct Held {
    closed: BTreeMap<String, Value>,
    schemas: Schemas,
    compiler: Compiler,
    compiled: BTreeMap<String, SchemaIndex>,
    /// The object, as its schema says it, and the field: objects that several kinds have count once.
    seen: BTreeSet<(String, String)>,
}

impl Held {
    fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        let mut closed = BTreeMap::new();
        for entry in fs::read_dir("docs/schema").unwrap() {
            let path = entry.unwrap().path();
            let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut schema: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            close(&mut schema);
            compiler.add_resource(&format!("{kind}.json"), schema.clone()).unwrap();
            closed.insert(kind, schema);
        }
        Self { closed, schemas: Schemas::new(), compiler, compiled: BTreeMap::new(), seen: BTreeSet::new() }
    }

    /// Compares a document, or an object of one, with its schema.
    fn holds(&mut self, kind: &str, object: Option<&str>, value: &Value) -> Result<(), String> {
        let url = object.map_or_else(|| format!("{kind}.json"), |object| format!("{kind}.json#/$defs/{object}"));
        let index = match self.compiled.get(&url) {
            Some(index) => *index,
            None => self.compiler.compile(&url, &mut self.schemas).unwrap(),
        };
        self.compiled.insert(url, index);
        self.schemas.validate(value, index).map_err(|error| format!("{error:#}"))?;
        let root = &self.closed[kind];
        let schema = object.map_or(root, |object| &root["$defs"][object]);
        look(root, schema, value, &mut self.seen);
        Ok(())
    }

    /// Fields that no document had.
    fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (kind, root) in &self.closed {
            let objects = root["$defs"].as_object().unwrap().iter().map(|(name, object)| (name.as_str(), object));
            for (name, object) in objects.chain([("", root)]) {
                for field in object["properties"].as_object().into_iter().flat_map(|fields| fields.keys()) {
                    if !self.seen.contains(&(object["properties"].to_string(), field.clone())) {
                        unseen.push(format!("{kind}.{name}.{field}"));
                    }
                }
            }
        }
        unseen
    }
}

/// Allows no field and no word but those that are named.
fn close(schema: &mut Value) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(close),
        Value::Object(object) => {
            object.values_mut().for_each(close);
            let words = object.get_mut("anyOf").and_then(Value::as_array_mut);
            if let Some(any) = words.filter(|any| any.iter().any(|one| one.get("enum").is_some())) {
                any.retain(|one| *one != json!({"type": "string"}));
            }
            if object.get("properties").is_some_and(Value::is_object) && object.get("type") == Some(&json!("object")) {
                object.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        _ => {}
    }
}

/// Notes the fields that a value has of a schema.
fn look(root: &Value, schema: &Value, value: &Value, seen: &mut BTreeSet<(String, String)>) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return look(root, &root["$defs"][name], value, seen);
    }
    for one in schema["anyOf"].as_array().into_iter().flatten() {
        let name = one["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/"));
        let inner = name.map_or(one, |name| &root["$defs"][name]);
        let required = inner["required"].as_array().into_iter().flatten();
        if required.filter_map(Value::as_str).all(|field| value.get(field).is_some()) {
            look(root, inner, value, seen);
        }
    }
    let properties = &schema["properties"];
    for (field, inner) in value.as_object().into_iter().flatten() {
        if let Some(schema) = properties.get(field) {
            seen.insert((properties.to_string(), field.clone()));
            look(root, schema, inner, seen);
        } else {
            look(root, &schema["additionalProperties"], inner, seen);
        }
    }
    for inner in value.as_array().into_iter().flatten() {
        look(root, &schema["items"], inner, seen);
    }
}

fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S], format: &str) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.args(arguments).args(["--format", format]).output().unwrap().stdout
}

/// A copy of a directory of fixtures, to be damaged.
fn copy(of: &str, to: &Path) -> PathBuf {
    let target = to.join(of.replace('/', "-"));
    let mut open = vec![(testdata().join(of), target.clone())];
    while let Some((from, to)) = open.pop() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                open.push((path, to));
            } else {
                fs::copy(path, to).unwrap();
            }
        }
    }
    target
}

/// Command lines about everything that has a form of its own; `DIR` is a directory of damaged copies.
const COMMANDS: &str = "\
list testdata/saver_v2/sharded_adam
list testdata/saver_v1/slices
list testdata/saver_v1/sharded
list testdata/partitioned/half
list testdata/bundle_v2/odd_names/odd
list testdata/object_graph/keras3 --names
list testdata/object_graph/awkward --names
list testdata/safetensors/sharded
list testdata/safetensors/dtypes/model.safetensors
list DIR/no-shard
list DIR/bad-block/many
print testdata/saver_v2/sharded_adam embedding[0] comment
print testdata/dtypes/all **
print testdata/dtypes/shapes **
print testdata/bundle_v2/odd_names/odd **
print testdata/object_graph/tf_keras **
print DIR/flipped **
print DIR/no-shard **
inspect testdata/saver_v2/sharded_adam
inspect testdata/model_dir/moved
inspect testdata/model_dir/stale
inspect testdata/model_dir/run
inspect testdata/model_dir/estimator
inspect testdata/serving/base/served
inspect testdata/saved_model/tf1/model
inspect testdata/saved_model/tf2/model
inspect testdata/saved_model/no_variables/model
inspect testdata/saver_v1/single
inspect testdata/ops/clean/model
inspect testdata/ops/tf1/alone.meta
inspect testdata/ops/tf1/frozen.pb
inspect testdata/npz/saved/stored.npz
inspect testdata/keras/keras3/model.keras
inspect testdata/keras/tf_keras/whole.h5
inspect testdata/ops/keras/clean
inspect DIR/no-shard
inspect DIR/flipped
graph testdata/object_graph/tf_keras
graph testdata/object_graph/awkward
graph testdata/saved_model/tf2/model
graph testdata/keras/tf_keras/model.keras
log testdata/model_dir/run --finite --values
log testdata/training/objects/keras_adam --training
log testdata/training/saver/adam_betas --training
log testdata/training/runs/reset --training
log testdata/model_dir/stale
tree testdata/descent/family
tree DIR/bad-block DIR/no-shard
log testdata/model_dir/estimator --last 1
log testdata/model_dir/no_state
log DIR/no-shard
latest testdata/model_dir/run
latest testdata/model_dir/run --valid
latest testdata/model_dir/stale
convert testdata/convert/arrays -o DIR/arrays.safetensors
convert testdata/convert/floats -o DIR/floats --cast float16
convert testdata/convert/objects-1 -o DIR/x.npz --weights-only --dry-run
run testdata/saved_model/tf2/model --dry-run
run testdata/saved_model/tf1/model --dry-run --engine none
run testdata/ops/tf2/nested --dry-run --engine none --input x=[1]
run testdata/ops/tf2/write --dry-run --engine none --allow op-writes-file
recover testdata/recover/bits/net-3 -o DIR/bits
recover testdata/recover/packed/net-3 -o DIR/packed
recover testdata/recover/two_bits/net-3 -o DIR/two_bits
recover testdata/recover/copies/a/net-3 -o DIR/copies --from testdata/recover/copies/b
recover testdata/recover/renamed/net-3 -o DIR/renamed
recover testdata/recover/sibling/net-3 -o DIR/sibling
recover testdata/recover/workers/0/run-7 -o DIR/workers --from testdata/recover/workers/2
diff testdata/diff/pairs/special-a testdata/diff/pairs/special-b --all --expect-same step --expect-changed empty
diff testdata/saver_v2/sharded_adam/model.ckpt-0 testdata/saver_v2/sharded_adam --config tests/cmd/policy/ckpt.toml
diff testdata/diff/pairs/types-a testdata/diff/pairs/types-b --all
diff testdata/diff/pairs/slices-a testdata/diff/pairs/slices-b --all --atol moved=0.6
diff testdata/diff/pairs/objects-a testdata/diff/pairs/objects-b --all
diff testdata/diff/pairs/names-a testdata/diff/pairs/objects-b --top 1
diff testdata/saver_v2/sharded_adam/model.ckpt-0 testdata/saver_v2/sharded_adam/model.ckpt-200 --index-only
diff testdata/saver_v2/sharded_adam/model.ckpt-0 testdata/saver_v2/sharded_adam/model.ckpt-200 --structure
diff testdata/saver_v2/sharded_adam DIR/no-shard --exact
diff DIR/names/a-1 DIR/names/b-2 --all
diff testdata/matching/layouts/keras2.h5 testdata/matching/layouts/faults.npz --match values --all
diff testdata/matching/layouts/ckpt testdata/matching/layouts/half.safetensors --match values --all
diff testdata/matching/layouts/ckpt testdata/matching/layouts/fused.npz --match values --all
diff DIR/names/a-1 DIR/names/b-2 --match values
diff DIR/heads/parts DIR/heads/fused --match values --all
diff DIR/flipped testdata/saver_v2/sharded_adam --exact --all
diff testdata/diff/low_rank/a.npz testdata/diff/low_rank/b.npz --spectral
validate testdata/saver_v2/sharded_adam --part 2/3
validate testdata/model_dir/stale
validate testdata/serving/base/served --serving
validate tests/cmd/foreign/pointer.index
validate testdata/safetensors/sharded
validate DIR/no-shard
validate DIR/flipped
validate DIR/zeros
validate DIR/names
validate testdata/restore/swapped_0/m0_with_1 --against testdata/restore/swapped_0/m0_with_1
validate testdata/restore/hidden_units/v0 --against testdata/restore/hidden_units/v1.meta --quick
validate testdata/keras_restore/named_3/stack.h5 --against testdata/keras_restore/named_3/exchanged.config.json
validate testdata/keras_restore/named_2/stack.h5 --against testdata/keras_restore/named_2/longer.config.json
validate testdata/restore/names/v0 --against testdata/restore/names/v2.meta
validate testdata/restore/objects/v0 --against testdata/restore/objects/v3
validate testdata/restore/objects/v3 --against testdata/restore/objects/v0 --quick
validate testdata/restore/keras3/v3 --against testdata/restore/keras3/v0
validate testdata/saved_model/tf2/model --against testdata/saved_model/tf2/model
validate testdata/cases/24-two-metagraphs/export/1 --against testdata/cases/24-two-metagraphs/export/1
validate testdata/ops/tf2/at_load
validate testdata/saver_v2/sharded_adam --config tests/cmd/policy/ckpt.toml
validate testdata/model_dir/stale --config tests/cmd/policy/ckpt.toml
validate --show-config --config tests/cmd/policy/ckpt.toml
stats testdata/dtypes/all --hist --per-channel
stats testdata/stats/spectral/matrices.npz --spectral
stats testdata/saver_v2/sharded_adam
stats testdata/safetensors/dtypes/model.safetensors
stats DIR/flipped
stats DIR/no-shard
ops testdata/ops/tf2/at_load
ops testdata/ops/tf2/read
ops testdata/ops/tf2/read --allow op-reads-file --config tests/cmd/policy/ckpt.toml
ops testdata/ops/tf2/write
ops testdata/ops/tf1/init_writes
ops testdata/ops/keras/nested.h5
ops testdata/hdf5/types/oldest.h5
ops testdata/ops/keras3/exported
ops testdata/ops/clean/model
ops testdata/ops/tf1/alone.meta
explain missing-shard
explain Key embeding not found in checkpoint --path testdata/saver_v2/sharded_adam
explain Key embeding not found in checkpoint --path DIR/no-shard
explain Layer count mismatch --path testdata/keras_restore/named_3/stack.h5 --against testdata/keras_restore/named_3/longer.config.json
explain no such sentence
explain stored 2612891094 vs. calculated on the restored bytes 4272926173
";

/// Copies of a checkpoint with a shard that is not there, a flipped bit, a hole of zeros; one of which a block of the index is damaged.
fn damage(dir: &Path) {
    let of = |name: &str| {
        let copy = copy("saver_v2/sharded_adam", dir);
        let target = dir.join(name);
        fs::rename(copy, &target).unwrap();
        target
    };
    let shard = "model.ckpt-200.data-00000-of-00003";
    let change = |path: PathBuf, change: fn(&mut [u8])| {
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(path, bytes).unwrap();
    };
    fs::remove_file(of("no-shard").join(shard)).unwrap();
    change(of("flipped").join(shard), |bytes| bytes[3] ^= 4);
    change(of("zeros").join(shard), |bytes| bytes.fill(0));

    fs::rename(copy("bundle_v2/many_blocks", dir), dir.join("bad-block")).unwrap();
    change(dir.join("bad-block/many.index"), |bytes| bytes[5000] ^= 0xff);

    // Checkpoints of two names in one directory; tensors that lie elsewhere, and of which nobody can tell which is which.
    let save = |name: &str, scope: &str, shard: usize| {
        let tensor = |name: &str| format!("{scope}/{name}");
        let bundle = BundleBuilder::new().shards(2).in_shard(shard).floats("same", &[2], &[1.0, 2.0]);
        let bundle = bundle.floats(tensor("x"), &[2], &[5.0, 6.0]).floats(tensor("y"), &[2], &[5.0, 6.0]);
        bundle.finish().write(&dir.join("names").join(name)).unwrap();
    };
    fs::create_dir(dir.join("names")).unwrap();
    save("a-1", "old", 0);
    save("b-2", "new", 1);
    change(dir.join("names/b-2.data-00001-of-00002"), |bytes| bytes[3] ^= 4);
    // Two heads of attention, each with its query, key and value.
    let head = |n: i16| [0.37, 1.91, -0.73].map(|x| x * f32::from(n));
    let fused: Vec<f32> = (1..7).flat_map(head).collect();
    let part = |n: i16| [head(n), head(n + 3)].concat();
    BundleBuilder::new().floats("qkv", &[6, 3], &fused).finish().write(&dir.join("heads/fused")).unwrap();
    let names = ["q", "k", "v"].into_iter().zip(1..);
    let parts = names.fold(BundleBuilder::new(), |bundle, (name, n)| bundle.floats(name, &[2, 3], &part(n)));
    parts.finish().write(&dir.join("heads/parts")).unwrap();
}

#[test]
fn documents_are_what_the_schemas_say() {
    let dir = tempfile::tempdir().unwrap();
    damage(dir.path());
    let mut held = Held::new();
    let mut problems = Vec::new();
    for line in COMMANDS.lines() {
        let line = line.replace("DIR", dir.path().to_str().unwrap());
        let arguments: Vec<&str> = line.split(' ').collect();
        let is_part = arguments.contains(&"--part");
        match serde_json::from_slice::<Value>(&run(&arguments, if is_part { "part" } else { "json" })) {
            Ok(document) => {
                let kind = match arguments[0] {
                    _ if is_part => "part",
                    _ if arguments.contains(&"--show-config") => "config",
                    command => command,
                };
                assert_eq!(document["kind"], kind, "{line}");
                let held = held.holds(kind, None, &document);
                problems.extend(held.err().map(|error| format!("{line}: {error}")));
            }
            Err(error) => problems.push(format!("{line}: {error}")),
        }
    }
    // What was written where there was an engine; `run` compares it where there is one.
    let recorded: Value = serde_json::from_slice(&fs::read("tests/golden/run.json").unwrap()).unwrap();
    problems.extend(held.holds("run", None, &recorded).err().map(|error| format!("tests/golden/run.json: {error}")));
    // Only a store that keeps checksums has it; `remote::quick` looks at it there.
    let unseen = held.unseen().into_iter().filter(|field| *field != "validate.Checked.vouched");
    problems.extend(unseen.map(|field| format!("no command wrote {field}")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn lines_are_what_the_schemas_say() {
    let mut held = Held::new();
    for (line, object) in [
        ("list testdata/object_graph/keras3 --names", "ListTensor"),
        ("list testdata/saver_v1/slices", "ListTensor"),
        ("stats testdata/dtypes/all --hist --per-channel", "StatsTensor"),
        ("stats testdata/stats/spectral/matrices.npz --spectral", "StatsTensor"),
        ("print testdata/saver_v2/sharded_adam embedding[0] comment", "PrintTensor"),
        ("diff testdata/diff/pairs/special-a testdata/diff/pairs/special-b --all", "Change"),
        ("log testdata/model_dir/run --finite --values", "LogCheckpoint"),
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let text = String::from_utf8(run(&arguments, "jsonl")).unwrap();
        assert!(text.lines().count() > 1, "{line}");
        for row in text.lines() {
            let row: Value = serde_json::from_str(row).unwrap();
            held.holds(arguments[0], Some(object), &row).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}

/// What a model wants is a list, which `--against` takes again.
#[test]
fn specs_are_what_the_schemas_say() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let line = "validate testdata/restore/names/v0 --against testdata/restore/names/v2.meta --emit spec";
    let text = command.args(line.split(' ')).output().unwrap().stdout;
    Held::new().holds("list", None, &serde_json::from_slice(&text).unwrap()).unwrap();
}

/// SARIF has a place for what it has no field for: there a finding is as it is in JSON.
#[test]
fn findings_in_sarif_are_what_the_schemas_say() {
    let mut held = Held::new();
    for line in ["validate testdata/model_dir/stale", "ops testdata/ops/tf2/at_load"] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let sarif: Value = serde_json::from_slice(&run(&arguments, "sarif")).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        assert!(!results.is_empty(), "{line}");
        for result in results {
            let held = held.holds(arguments[0], Some("Finding"), &result["properties"]);
            held.unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}

/// The tests above would be worth nothing if a closed schema took whatever comes.
#[test]
fn closed_schemas_refuse_what_is_not_documented() {
    let mut held = Held::new();
    let text = run(&["list", "testdata/saver_v2/sharded_adam"], "json");
    let document: Value = serde_json::from_slice(&text).unwrap();
    assert!(held.holds("list", None, &document).is_ok());
    let refused = |held: &mut Held, change: fn(&mut Value)| {
        let mut other = document.clone();
        change(&mut other);
        held.holds("list", None, &other).is_err()
    };
    assert!(refused(&mut held, |document| document["more"] = json!(1)), "a field more");
    assert!(refused(&mut held, |document| document["tensors"][0]["more"] = json!(1)), "a field more of a tensor");
    assert!(refused(&mut held, |document| document["tensors"][0]["role"] = json!("hero")), "a word more");
    assert!(refused(&mut held, |document| document["totals"]["bytes"] = json!("1")), "another type");
    assert!(refused(&mut held, |document| document["schema_version"] = json!(2)), "another version");
    assert!(refused(&mut held, |document| drop(document.as_object_mut().unwrap().remove("totals"))), "a field less");
    // As they are published, they let a later release have more.
    let mut schemas = Schemas::new();
    let mut compiler = Compiler::new();
    let published = serde_json::from_slice(&fs::read("docs/schema/list.json").unwrap()).unwrap();
    compiler.add_resource("list.json", published).unwrap();
    let index = compiler.compile("list.json", &mut schemas).unwrap();
    let mut later = document;
    later["tensors"][0]["more"] = json!(1);
    later["tensors"][0]["role"] = json!("hero");
    assert!(schemas.validate(&later, index).is_ok());
}

/// Whatever lies in the fixtures, whole and damaged, is told in documented fields.
#[test]
fn documents_about_all_fixtures_are_what_the_schemas_say() {
    let mut held = Held::new();
    let mut documents = 0;
    for path in places().into_iter().step_by(tries(5, 1)) {
        // What is validated in a directory is its latest checkpoint, or all.
        for kind in if path.is_dir() { &["inspect", "validate"][..] } else { &["inspect"] } {
            let text = run(&[kind.as_ref(), path.as_os_str()], "json");
            let Ok(document) = serde_json::from_slice::<Value>(&text) else { continue };
            documents += 1;
            held.holds(kind, None, &document).unwrap_or_else(|error| panic!("{kind} {}: {error}", path.display()));
        }
    }
    assert!(documents > tries(60, 300), "only {documents} documents");
}

/// Directories of the fixtures, and files that may be checkpoints or models.
fn places() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![testdata()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
        found.push(dir);
    }
    let ends = ["index", "meta", "pb", "pbtxt", "safetensors", "npz", "npy", "h5", "keras"];
    found.retain(|path| path.is_dir() || path.extension().is_some_and(|end| ends.iter().any(|known| end == *known)));
    found.sort();
    // The files of a kind in a directory are of one program, mostly.
    let mut seen = HashSet::new();
    found.retain(|path| {
        path.is_dir() || seen.insert((path.parent().map(Path::to_path_buf), path.extension().map(ToOwned::to_owned)))
    });
    found
}
