//! `ckpt convert`: against what TensorFlow, NumPy and the safetensors library wrote or restored, laws over all fixtures,
//! and that nothing is left behind whatever ends a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::tensor::DType;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::{open, testdata, tries};

fn convert(input: &Path, output: &Path, options: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.arg("convert").arg(input).arg("-o").arg(output).args(options).output().unwrap()
}

/// Converts, which must end with this status.
fn converted(status: i32, input: &Path, output: &Path, options: &[&str]) -> String {
    let done = convert(input, output, options);
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(status), "{} {options:?}\n{said}", input.display());
    said
}

fn fixture(name: &str) -> PathBuf {
    testdata().join("convert").join(name)
}

fn same_file(a: &Path, b: &Path) {
    assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{} and {} differ", a.display(), b.display());
}

fn with(prefix: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", prefix.display()))
}

/// All tensors with their bytes; NaN is NaN whatever its bits.
fn values(checkpoint: &Checkpoint) -> BTreeMap<Vec<u8>, (DType, String, Vec<u8>)> {
    let all = checkpoint.tensors().iter().map(|tensor| {
        let mut bytes = Vec::new();
        let read = checkpoint.read_all(&tensor, &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        });
        read.unwrap();
        (tensor.name.clone(), (tensor.dtype, tensor.shape.to_string(), bytes))
    });
    all.collect()
}

#[test]
fn the_bundle_is_the_one_that_tensorflow_writes() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("arrays");
    converted(0, &fixture("arrays.npz"), &out, &[]);
    for suffix in [".index", ".data-00000-of-00001"] {
        same_file(&with(&out, suffix), &with(&fixture("arrays"), suffix));
    }
}

#[test]
fn safetensors_are_those_that_the_library_writes() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("arrays.safetensors");
    let said = converted(1, &fixture("arrays"), &out, &[]);
    assert!(said.contains("LOST") && said.contains("safetensors has no complex128"), "{said}");
    same_file(&out, &fixture("arrays.safetensors"));
    let strict = dir.path().join("strict.safetensors");
    converted(2, &fixture("arrays"), &strict, &["--strict"]);
    assert!(!strict.exists());
}

/// Every bundle of the fixtures that TensorFlow 2.21 wrote and that is whole.
#[test]
fn an_unchanged_copy_has_the_same_index_byte_for_byte() {
    let mut left = vec![testdata()];
    let (mut same, mut refused) = (0, 0);
    let dir = tempfile::tempdir().unwrap();
    while let Some(next) = left.pop() {
        let mut files: Vec<PathBuf> = fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        // The checkpoints of a directory are of one program, mostly.
        let mut here = 0;
        for path in files {
            if path.is_dir() {
                left.push(path);
                continue;
            }
            here += usize::from(path.extension().is_some_and(|end| end == "index"));
            if here > tries(1, usize::MAX) {
                continue;
            }
            let Some(prefix) = path.to_str().unwrap().strip_suffix(".index").map(PathBuf::from) else { continue };
            let out = dir.path().join(format!("{}", same + refused)).join("copy");
            if convert(&prefix, &out, &[]).status.code() != Some(0) {
                assert!(!with(&out, ".index").exists());
                refused += 1;
                continue;
            }
            same_file(&with(&out, ".index"), &path);
            same += 1;
        }
    }
    assert!(same > tries(80, 200) && refused < 20, "{same} copied, {refused} not");
}

#[test]
fn casts_are_those_of_numpy() {
    let expected: Value = serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for dtype in ["float16", "bfloat16", "float32", "float64"] {
        let out = dir.path().join(dtype);
        let said = converted(0, &fixture("floats"), &out, &["--cast", dtype, "--format", "json"]);
        let (ours, theirs) =
            (values(&open(&out).unwrap()), values(&open(&fixture(&format!("floats_{dtype}"))).unwrap()));
        assert!(ours == theirs, "{dtype}");
        let said: Value = serde_json::from_str(&said).unwrap();
        let told: BTreeMap<&str, u64> = said["overflows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["name"].as_str().unwrap(), row["values"].as_u64().unwrap()))
            .collect();
        let wanted = expected["overflows"][dtype].as_object().unwrap();
        let wanted: BTreeMap<&str, u64> = wanted.iter().map(|(k, n)| (k.as_str(), n.as_u64().unwrap())).collect();
        assert_eq!(told, wanted, "{dtype}");
    }
}

#[test]
fn a_mean_is_numpys_and_that_of_one_is_itself() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("mean");
    let runs: Vec<PathBuf> = (0..5).map(|n| fixture(&format!("run-{n}"))).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let done = command.arg("convert").args(&runs).arg("-o").arg(&out).arg("--mean").output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert!(values(&open(&out).unwrap()) == values(&open(&fixture("mean")).unwrap()));
    let one = dir.path().join("one");
    converted(0, &runs[0], &one, &["--mean"]);
    assert!(values(&open(&one).unwrap()) == values(&open(&runs[0]).unwrap()));
}

#[test]
fn what_tensorflow_restored_is_what_is_written() {
    let expected: Value = serde_json::from_slice(&fs::read(fixture("expected.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let cases = expected["restored"].as_object().unwrap();
    assert!(cases.len() >= 5);
    for (case, recorded) in cases {
        let options: Vec<&str> = recorded["options"].as_array().unwrap().iter().map(|o| o.as_str().unwrap()).collect();
        converted(0, &fixture("objects-1"), &dir.path().join(case), &options);
        for (file, sum) in recorded["sums"].as_object().unwrap() {
            let written = fs::read(dir.path().join(file)).unwrap();
            assert_eq!(format!("{:x}", Sha256::digest(written)), sum.as_str().unwrap(), "{file}");
        }
    }
}

#[test]
fn there_and_back_is_the_identity() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let input = fixture("arrays");
    let all = values(&open(&input).unwrap());
    converted(0, &input, &at("a.npz"), &[]);
    converted(0, &at("a.npz"), &at("b"), &[]);
    assert!(values(&open(&at("b")).unwrap()) == all);
    converted(1, &input, &at("c.safetensors"), &[]);
    converted(0, &at("c.safetensors"), &at("d"), &["--shards", "4"]);
    let held: BTreeMap<_, _> = all.iter().filter(|(_, (dtype, ..))| *dtype != DType::Complex128).collect();
    assert!(values(&open(&at("d")).unwrap()).iter().collect::<BTreeMap<_, _>>() == held);
    converted(1, &input, &at("e.safetensors"), &["--shard-size", "100"]);
    let index = at("e.safetensors.index.json");
    assert!(values(&open(&index).unwrap()).iter().collect::<BTreeMap<_, _>>() == held);
    // A map and its inverse.
    converted(0, &input, &at("f"), &["--map", "s|^scope|part|"]);
    converted(0, &at("f"), &at("g"), &["--map", "s|^part|scope|"]);
    same_file(&at("g.index"), &with(&input, ".index"));
    // Slices made whole.
    let sliced = testdata().join("saver_v2/sharded_adam/model.ckpt-200");
    converted(1, &sliced, &at("h.npz"), &[]);
    let mut numbers = values(&open(&sliced).unwrap());
    numbers.retain(|_, (dtype, ..)| *dtype != DType::String);
    assert!(values(&open(&at("h.npz")).unwrap()) == numbers);
}

#[test]
fn a_recipe_lists_what_is_then_written() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let options = ["--weights-only", "--map", "s|^model/|net/|", "--cast", "float16", "--format", "json"];
    let mut dry = options.to_vec();
    dry.push("--dry-run");
    let planned: Value = serde_json::from_str(&converted(0, &fixture("objects-1"), &out, &dry)).unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a dry run writes nothing");
    let done: Value = serde_json::from_str(&converted(0, &fixture("objects-1"), &out, &options)).unwrap();
    assert_eq!(planned["tensors"], done["tensors"]);
    let written = open(&out).unwrap();
    let listed: Vec<Value> = written
        .tensors()
        .iter()
        .map(|t| {
            let name = String::from_utf8_lossy(&t.name).into_owned();
            serde_json::json!([name, t.dtype.to_string(), t.shape.dims().unwrap()])
        })
        .collect();
    let told = done["tensors"].as_array().unwrap().iter();
    let told: Vec<Value> = told.map(|t| serde_json::json!([t["name"], t["dtype"], t["shape"]])).collect();
    assert_eq!(listed, told);
}

#[test]
fn damage_is_not_copied_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let input = dir.path().join("in/arrays");
    fs::create_dir(dir.path().join("in")).unwrap();
    for suffix in [".index", ".data-00000-of-00001"] {
        fs::copy(with(&fixture("arrays"), suffix), with(&input, suffix)).unwrap();
    }
    let data = with(&input, ".data-00000-of-00001");
    let whole = fs::read(&data).unwrap();
    for at in (0..whole.len()).step_by(37) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&data, bytes).unwrap();
        for out in ["x", "x.npz", "x.safetensors"] {
            let out = dir.path().join("out").join(out);
            // Of an element that this format leaves out nothing is read.
            let status = convert(&input, &out, &["--strict", "--ignore", "dtype:complex128"]).status.code();
            assert!(status == Some(2) || open(&out).is_ok(), "byte {at}");
            if status == Some(2) {
                assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 0, "byte {at}");
            }
            let _ = fs::remove_dir_all(dir.path().join("out"));
        }
    }
}

#[test]
fn what_is_there_is_kept_unless_it_is_to_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    converted(0, &fixture("arrays"), &out, &["--shards", "3"]);
    let said = converted(2, &fixture("run-0"), &out, &[]);
    assert!(said.contains("--force"), "{said}");
    assert_eq!(values(&open(&out).unwrap()).len(), values(&open(&fixture("arrays")).unwrap()).len());
    converted(0, &fixture("run-0"), &out, &["--force", "--state-file"]);
    assert!(values(&open(&out).unwrap()) == values(&open(&fixture("run-0")).unwrap()));
    let mut files: Vec<String> =
        fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["checkpoint", "out.data-00000-of-00001", "out.index"], "the old shards are gone");
}

#[test]
fn an_input_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (input, safetensors) = (dir.path().join("m"), dir.path().join("m.safetensors"));
    converted(0, &fixture("arrays"), &input, &[]);
    converted(1, &fixture("arrays"), &safetensors, &[]);
    let before = fs::read(with(&input, ".index")).unwrap();
    for (from, to) in [(&input, &input), (&safetensors, &safetensors)] {
        let said = converted(2, from, to, &["--cast", "float16", "--force"]);
        assert!(said.contains("a file of the input"), "{said}");
    }
    // By another way to the same place.
    let said =
        converted(2, &input, &dir.path().join("../").join(dir.path().file_name().unwrap()).join("m"), &["--force"]);
    assert!(said.contains("a file of the input"), "{said}");
    assert_eq!(fs::read(with(&input, ".index")).unwrap(), before);
}

/// As many files are made as really lie in the input, whatever its header counts; and one is open at a time.
#[test]
fn shards_are_as_many_as_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let (forged, out) = (dir.path().join("forged"), dir.path().join("out"));
    let builder = ckpt_synth::BundleBuilder::new().floats("w", &[2], &[1.0, 2.0]).claim_shards(i32::MAX);
    builder.finish().write(&forged).unwrap();
    let name = with(&forged, &format!(".data-00000-of-{}", i32::MAX));
    fs::rename(with(&forged, ".data-00000-of-00001"), name).unwrap();
    let said = converted(0, &forged, &out, &[]);
    assert!(said.contains("shards of the input are missing: the output has one"), "{said}");
    assert_eq!(values(&open(&out).unwrap()), values(&open(&forged).unwrap()));
    // More than a program may have open.
    let many = dir.path().join("many");
    let script = "ulimit -n 64; exec \"$0\" convert \"$1\" -o \"$2\" --shards 300";
    let mut command = Command::new("sh");
    let done =
        command.args(["-c", script, env!("CARGO_BIN_EXE_ckpt")]).arg(fixture("arrays")).arg(&many).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(values(&open(&many).unwrap()), values(&open(&fixture("arrays")).unwrap()));
    let copy = dir.path().join("copy");
    converted(0, &many, &copy, &[]);
    same_file(&with(&copy, ".index"), &with(&many, ".index"));
}

/// Real kills, at whatever is being done: then there is nothing under the name, or all of it; and the next run works.
#[test]
fn a_run_that_is_killed_leaves_all_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let big = dir.path().join("big");
    // Some megabytes in many tensors, so that there is something to interrupt.
    let mut builder = ckpt_synth::BundleBuilder::new();
    for n in 0..400u16 {
        builder = builder.floats(format!("layer_{n:04}/kernel"), &[64, 64], &[f32::from(n); 64 * 64]);
    }
    builder.finish().write(&big).unwrap();
    let all = open(&big).unwrap().tensors().len();
    let out = dir.path().join("out/copy");
    let (mut nothing, mut whole) = (0, 0);
    for round in 0..60u64 {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        command.arg("convert").arg(&big).arg("-o").arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_micros(round * round * 100));
        child.kill().unwrap();
        child.wait().unwrap();
        if with(&out, ".index").exists() {
            assert_eq!(open(&out).unwrap().tensors().len(), all);
            assert_eq!(values(&open(&out).unwrap()).len(), all);
            whole += 1;
            fs::remove_dir_all(dir.path().join("out")).unwrap();
        } else {
            nothing += 1;
        }
    }
    assert!(nothing > 0, "{nothing} {whole}");
    let _ = convert(&big, &out, &["--force"]);
    assert_eq!(open(&out).unwrap().tensors().len(), all);
    let hidden = fs::read_dir(dir.path().join("out"))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0, "what killed runs left is taken away");
}

/// As on a full disk: a write that fails.
#[cfg(unix)]
#[test]
fn a_write_that_fails_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out/copy");
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" convert \"$1\" -o \"$2\"";
    let input = testdata().join("saver_v2/sharded_adam/model.ckpt-200");
    let mut command = Command::new("sh");
    let done = command.args(["-c", script, env!("CARGO_BIN_EXE_ckpt")]).arg(&input).arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write: File too large") && said.contains("nothing was put in place"), "{said}");
    assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 0);
}

#[test]
fn tensors_are_called_as_their_variables_are() {
    let dir = tempfile::tempdir().unwrap();
    let names = |path: &Path| -> Vec<String> {
        let all = open(path).unwrap();
        all.tensors().iter().map(|t| String::from_utf8_lossy(&t.name).into_owned()).collect()
    };
    // Keras 3 keeps paths of layers, and the configuration says what they are called.
    let out = dir.path().join("keras.safetensors");
    converted(0, &testdata().join("keras/keras3/model.keras"), &out, &["--weights-only", "--names"]);
    let found = names(&out);
    assert!(!found.is_empty() && found.iter().all(|name| !name.contains("vars/")), "{found:?}");
    // Variables that an export has twice are written once.
    let out = dir.path().join("export.npz");
    let said = converted(0, &testdata().join("saved_model/keras3_export/model"), &out, &["--weights-only", "--names"]);
    let found = names(&out);
    assert!(found.iter().all(|name| !name.contains("variables/")), "{found:?}\n{said}");
}

/// `ab c` and `a bc` are the same bytes, and other strings.
#[test]
fn strings_that_are_cut_elsewhere_are_not_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, words: [&str; 2]| {
        let path = dir.path().join(name);
        ckpt_synth::BundleBuilder::new().strings("words", &[2], &words).finish().write(&path).unwrap();
        path
    };
    let (a, b, same) = (write("a", ["ab", "c"]), write("b", ["a", "bc"]), write("same", ["ab", "c"]));
    let merge = |other: &Path, out: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        command.arg("convert").args([&a, other]).arg("--merge").arg("-o").arg(dir.path().join(out));
        command.output().unwrap().status.code()
    };
    assert_eq!(merge(&same, "out-same"), Some(0));
    assert_eq!(merge(&b, "out-other"), Some(2));
}
