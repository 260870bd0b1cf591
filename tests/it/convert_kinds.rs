//! `ckpt convert` on all cores, and inputs of kinds of their own: means and casts of tensors that are cut into parts,
//! big-endian bundles, graphs that lie beside the output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ckpt::read::checkpoint::Checkpoint;
use ckpt_synth::BundleBuilder;
use sha2::{Digest, Sha256};

use super::support::{open, testdata};

/// Elements of a tensor that several threads share.
const LARGE: usize = 700_001;

fn convert(args: &[&str], inputs: &[PathBuf], out: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    command.arg("convert").args(inputs).arg("-o").arg(out).args(args).output().unwrap()
}

fn bytes(checkpoint: &Checkpoint, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let tensor = checkpoint.tensor(name.as_bytes()).unwrap();
    let read = checkpoint.read_all(&tensor, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    read.unwrap();
    bytes
}

fn value(run: usize, at: usize) -> f32 {
    let (run, at) = (u16::try_from(run).unwrap(), u16::try_from(at % 60_000).unwrap());
    (f32::from(at) + 0.1) * (f32::from(run) + 0.7)
}

/// Five with a large tensor, many small ones and one without elements.
fn runs(dir: &Path) -> Vec<PathBuf> {
    let one = |run: usize| {
        let large: Vec<f32> = (0..LARGE).map(|at| value(run, at)).collect();
        let mut builder = BundleBuilder::new().floats("large", &[LARGE.cast_signed() as i64], &large);
        builder = builder.floats("none", &[0, 3], &[]);
        for n in 0..600 {
            builder = builder.floats(format!("small/{n:03}"), &[], &[value(run, n)]);
        }
        let prefix = dir.join(format!("run-{run}"));
        builder.finish().write(&prefix).unwrap();
        prefix
    };
    (0..5).map(one).collect()
}

/// TensorFlow restores no tensor whole from slices of float16; those of bfloat16 it does.
#[test]
fn slices_that_become_float16_are_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    let sliced = testdata().join("saver_v2/sharded_adam/model.ckpt-200");
    let slices = |path: &Path| -> usize { open(path).unwrap().tensors().iter().map(|t| t.slices().len()).sum() };
    assert!(slices(&sliced) > 0);
    for (dtype, kept) in [("float16", false), ("bfloat16", true)] {
        let out = dir.path().join(dtype);
        let done = convert(&["--cast", dtype], std::slice::from_ref(&sliced), &out);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(slices(&out) > 0, kept, "{said}");
        assert_eq!(said.contains("are made whole"), !kept, "{said}");
    }
}

#[test]
fn a_mean_is_the_same_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let runs = runs(dir.path());
    #[expect(clippy::cast_possible_truncation, reason = "as NumPy rounds a mean to the dtype of its inputs")]
    let mean = |at: usize| ((0..5).map(|run| f64::from(value(run, at))).sum::<f64>() / 5.0) as f32;
    let want: Vec<u8> = (0..LARGE).flat_map(|at| mean(at).to_le_bytes()).collect();
    let mut files = Vec::new();
    for threads in ["1", "2", "7"] {
        let out = dir.path().join(format!("mean-{threads}"));
        let done = convert(&["--mean", "--threads", threads], &runs, &out);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let mean_of_all = open(&out).unwrap();
        assert!(bytes(&mean_of_all, "large") == want, "{threads}");
        assert_eq!(bytes(&mean_of_all, "small/599"), mean(599).to_le_bytes(), "{threads}");
        assert!(bytes(&mean_of_all, "none").is_empty());
        let half = dir.path().join(format!("half-{threads}"));
        assert!(convert(&["--cast", "float16", "--threads", threads], &runs[..1], &half).status.success());
        let half = bytes(&open(&half).unwrap(), "large");
        let short = |at| half::f16::from_f32(value(0, at)).to_le_bytes();
        assert!(half == (0..LARGE).flat_map(short).collect::<Vec<u8>>(), "{threads}");
        files.push(fs::read(dir.path().join(format!("mean-{threads}.index"))).unwrap());
    }
    assert!(files.iter().all(|file| *file == files[0]));
}

#[test]
fn a_damaged_input_has_no_part_in_a_mean() {
    let dir = tempfile::tempdir().unwrap();
    let runs = runs(dir.path());
    let data = dir.path().join("run-3.data-00000-of-00001");
    let whole = fs::read(&data).unwrap();
    let out = dir.path().join("out/mean");
    // In the middle of the large tensor, at its end, in a small one.
    for at in [LARGE * 2, LARGE * 4 - 1, whole.len() - 5] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&data, damaged).unwrap();
        let done = convert(&["--mean"], &runs, &out);
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("checksum"), "{said}");
        assert_eq!(fs::read_dir(dir.path().join("out")).unwrap().count(), 0);
    }
}

/// The header of a bundle may say that its elements are big-endian; what is written is little-endian.
#[test]
fn a_big_endian_bundle_is_turned_round() {
    let dir = tempfile::tempdir().unwrap();
    let big = dir.path().join("big");
    let values = [1.5f32, -2.25, 3e-9];
    let swapped: Vec<u8> = values.iter().flat_map(|value| value.to_be_bytes()).collect();
    let builder = BundleBuilder::new().big_endian().tensor("w", 1, &[3], swapped);
    builder.strings("s", &[2], &["a", "longer than one"]).finish().write(&big).unwrap();
    let little = dir.path().join("little");
    let same = BundleBuilder::new().floats("w", &[3], &values).strings("s", &[2], &["a", "longer than one"]);
    same.finish().write(&little).unwrap();
    let (out, copy) = (dir.path().join("out"), dir.path().join("copy"));
    for (from, to) in [(&big, &out), (&little, &copy)] {
        let done = convert(&[], std::slice::from_ref(from), to);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let read = |prefix: &Path, end: &str| fs::read(format!("{}{end}", prefix.display())).unwrap();
    for end in [".index", ".data-00000-of-00001"] {
        assert_eq!(read(&out, end), read(&copy, end), "{end}");
    }
    let npz = dir.path().join("out.npz");
    assert!(convert(&["w"], &[big], &npz).status.success());
    assert_eq!(bytes(&open(&npz).unwrap(), "w"), bytes(&open(&little).unwrap(), "w"));
}

#[test]
fn a_graph_of_another_checkpoint_beside_the_output_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let runs = runs(dir.path());
    let out = dir.path().join("out");
    assert!(convert(&[], &runs[..1], &out).status.success());
    fs::write(dir.path().join("out.meta"), b"the graph of the old one").unwrap();
    let done = convert(&["--force"], &runs[1..2], &out);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("out.meta is of what lay here before"), "{said}");
    assert_eq!(fs::read(dir.path().join("out.meta")).unwrap(), b"the graph of the old one");
}

/// TensorFlow loaded a copy of the SavedModel with these variables in place of its own, and called it.
#[test]
fn variables_of_a_saved_model_can_be_exchanged() {
    let case = testdata().join("convert_exchange/variables");
    let expected: serde_json::Value = serde_json::from_slice(&fs::read(case.join("expected.json")).unwrap()).unwrap();
    let cases = expected["loaded"].as_object().unwrap();
    assert!(cases.len() >= 3);
    for (name, recorded) in cases {
        let texts = |key: &str| recorded[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(case.join("model/variables")).unwrap() {
            let file = entry.unwrap();
            fs::copy(file.path(), dir.path().join(file.file_name())).unwrap();
        }
        let inputs: Vec<PathBuf> = texts("inputs").map(|input| case.join(input)).collect();
        let options: Vec<String> = texts("options").collect();
        let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
        options.push("--force");
        let done = convert(&options, &inputs, &dir.path().join("variables"));
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        let sums = recorded["sums"].as_object().unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), sums.len(), "{name}");
        for (file, sum) in sums {
            let written = fs::read(dir.path().join(file)).unwrap();
            assert_eq!(format!("{:x}", Sha256::digest(written)), sum.as_str().unwrap(), "{name} {file}");
        }
    }
}
