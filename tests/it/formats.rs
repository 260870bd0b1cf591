//! Formats that are not TensorFlow's: found by name and by contents, judged by what they have, damaged in every way.

use std::fs;
use std::path::Path;

use ckpt::analysis::Code;
use serde_json::{Value, json};

use crate::support::{testdata, tries};
use crate::validating::{ckpt, ckpt_says, run};

const SAFETENSORS: &str = "safetensors/dtypes/model.safetensors";

/// A safetensors file of a header and this many bytes.
fn write(path: &Path, header: &Value, data: &[u8]) {
    let json = header.to_string();
    fs::write(path, [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), data].concat()).unwrap();
}

fn entry(dtype: &str, shape: &[u64], offsets: [u64; 2]) -> Value {
    json!({"dtype": dtype, "shape": shape, "data_offsets": offsets})
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_has_no_checksum_is_never_identical_by_checksum() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("a.safetensors"), dir.path().join("b.safetensors"));
    let header = json!({"same": entry("F32", &[2], [0, 8]), "x": entry("F32", &[2], [8, 16]), "y": entry("I64", &[1], [16, 24])});
    let floats = |values: [f32; 4]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    write(&a, &header, &[floats([1.0, 2.0, 3.0, 4.0]), 5i64.to_le_bytes().to_vec()].concat());
    write(&b, &header, &[floats([1.0, 2.0, 3.5, 4.0]), 6i64.to_le_bytes().to_vec()].concat());
    let (a, b) = (a.to_str().unwrap(), b.to_str().unwrap());
    let said = ckpt_says(1, &["diff", a, b, "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["summary"]["identical"], &said["summary"]["changed"]), (&json!(1), &json!(2)));
    assert!(!ckpt_says(0, &["diff", a, a]).contains("by checksum"));
    // Without reading there is nothing to compare by.
    let said = ckpt(&["diff", a, b, "--index-only", "--format", "json"]);
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["summary"]["identical"], json!(0), "{said}");
}

#[test]
fn a_bundle_and_a_file_of_another_format_are_compared_by_value() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("model.ckpt");
    ckpt_synth::BundleBuilder::new()
        .floats("b", &[2], &[3.0, 4.0])
        .floats("w", &[2], &[1.0, 2.0])
        .finish()
        .write(&prefix)
        .unwrap();
    let file = dir.path().join("model.safetensors");
    let header = json!({"w": entry("F32", &[2], [0, 8]), "b": entry("F32", &[2], [8, 16])});
    let data: Vec<u8> = [1.0f32, 2.0, 3.0, 4.25].iter().flat_map(|v| v.to_le_bytes()).collect();
    write(&file, &header, &data);
    let said = ckpt_says(1, &["diff", prefix.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(said.contains("1 identical by value") && !said.contains("by checksum"), "{said}");
}

#[test]
fn nothing_without_checksums_is_called_intact() {
    for (path, said) in [
        (SAFETENSORS, "whole · 20 of 20 tensors have their bytes, and no checksums"),
        ("safetensors/sharded", "whole · 6 of 6 tensors have their bytes"),
        ("npz/npy/words.npy", "whole · 1 of 1 tensors have their bytes"),
        ("npz/saved/stored.npz", "intact · 23 of 23 tensors verified"),
        ("npz/saved/deflated.npz", "intact · 23 of 23 tensors verified"),
    ] {
        let path = testdata().join(path);
        let told = ckpt_says(0, &["validate", path.to_str().unwrap()]);
        assert!(told.contains(said), "{told}");
        let told = ckpt_says(0, &["inspect", path.to_str().unwrap()]);
        assert!(!told.contains("Saver") && !told.contains("missing"), "{told}");
    }
}

// Every bit of an archive that matters is under its CRC-32, or in a header that is compared with the list of members.
#[test]
fn a_flipped_bit_in_an_array_of_an_archive_is_found() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["stored.npz", "deflated.npz"] {
        let whole = fs::read(testdata().join("npz/saved").join(name)).unwrap();
        let path = dir.path().join(name);
        let mut found = 0;
        for at in (40..whole.len() / 2).step_by(tries(197, 97)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x10;
            fs::write(&path, &bytes).unwrap();
            let output = ckpt(&["validate", path.to_str().unwrap()]);
            found += usize::from(output.status.code() != Some(0));
            // Whoever reads all values is told, too.
            for format in ["text", "json"] {
                let printed = ckpt(&["print", path.to_str().unwrap(), "**", "--format", format]);
                assert_eq!(printed.status.success(), output.status.success(), "{name}, {format}: byte {at}");
            }
        }
        assert!(found > tries(5, 10), "{name}: {found} flips were found");
    }
}

// A name stands twice in an archive: where one of the two has changed, the member is told, and not shown under a name that
// nobody gave it. What a glob means is then not all that was asked for; a tensor that was named is.
#[test]
fn a_member_of_two_names_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testdata().join("npz/saved/deflated.npz")).unwrap();
    let path = dir.path().join("a.npz");
    let at = path.to_str().unwrap();
    let name = b"float64.npy";
    let places: Vec<usize> = whole.windows(name.len()).enumerate().filter(|(_, w)| w == name).map(|(n, _)| n).collect();
    assert_eq!(places.len(), 2, "once where it lies, once in the list");
    for place in places {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x20;
        fs::write(&path, &bytes).unwrap();
        let said = ckpt_says(1, &["validate", at]);
        assert!(said.contains("float64.npy") && said.contains("Float64.npy"), "{said}");
        ckpt_says(0, &["print", at, "int32"]);
        for wanted in [&["**"][..], &["*32"], &["float.*", "--regex"], &["int32", "*8"]] {
            let output = ckpt(&[&["print", at][..], wanted].concat());
            let (status, told) = (output.status.code(), text(&output.stderr));
            assert!(status == Some(2) && told.contains("tensors may be missing"), "{wanted:?}: {status:?} {told}");
            assert!(!output.stdout.is_empty(), "{wanted:?}: what is left is shown");
        }
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_an_error_or_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    for file in [SAFETENSORS, "npz/saved/stored.npz", "npz/npy/weights.npy"] {
        let whole = fs::read(testdata().join(file)).unwrap();
        let path = dir.path().join(Path::new(file).file_name().unwrap());
        for len in (0..whole.len()).step_by(whole.len() / 40) {
            fs::write(&path, &whole[..len]).unwrap();
            for command in ["list", "validate", "inspect"] {
                let output = ckpt(&[command, path.to_str().unwrap()]);
                let code = output.status.code().unwrap_or_else(|| panic!("{command} {file} {len}: killed"));
                assert!(code <= 2, "{command} {file} {len}: {}", text(&output.stderr));
                if command == "validate" {
                    assert_ne!(code, 0, "{file} cut at {len}: {}", text(&output.stdout));
                }
            }
        }
    }
}

#[test]
fn headers_that_lie_are_told_tensor_by_tensor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.safetensors");
    let header = json!({
        "good": entry("F32", &[1], [0, 4]),
        "long": entry("F32", &[1], [4, 12]),
        "backwards": entry("F32", &[1], [8, 4]),
        "huge": entry("U8", &[u64::MAX, 3], [4, 8]),
        "odd": entry("F6_E2M3", &[4], [4, 7]),
        "unknown": entry("F128", &[1], [4, 20]),
    });
    write(&path, &header, &[0; 12]);
    let output = ckpt(&["list", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(out.contains("good") && out.contains("1 tensor "), "{out}");
    for name in ["long", "backwards", "huge", "odd", "unknown"] {
        assert!(err.contains(name), "{name} is not told: {err}");
    }
    // Eight bytes that claim a header of a hundred megabytes allocate nothing.
    fs::write(&path, [&90_000_000u64.to_le_bytes()[..], b"{"].concat()).unwrap();
    assert_eq!(ckpt(&["list", path.to_str().unwrap()]).status.code(), Some(2));
    // Names twice: which one would be read depends on the reader.
    let twice =
        br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#;
    fs::write(&path, [&(twice.len() as u64).to_le_bytes()[..], twice, b"xy"].concat()).unwrap();
    let output = ckpt(&["list", path.to_str().unwrap()]);
    assert!(text(&output.stderr).contains("twice"), "{}", text(&output.stderr));
}

#[test]
fn a_set_tells_files_that_are_missing_and_tensors_that_no_file_has() {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(testdata().join("safetensors/sharded")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    fs::remove_file(dir.path().join("model-00002-of-00003.safetensors")).unwrap();
    let found = run(dir.path());
    assert!(found.findings.iter().any(|finding| finding.code == Code::MissingShard), "{:?}", found.findings);
    let output = ckpt(&["list", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("layers.2.bias") && !text(&output.stdout).contains("layers.1.bias"));

    let index = dir.path().join("model.safetensors.index.json");
    let outside = json!({"weight_map": {"a": "../elsewhere.safetensors", "layers.0.bias": "model-00001-of-00003.safetensors",
        "ghost": "model-00001-of-00003.safetensors"}});
    fs::write(&index, outside.to_string()).unwrap();
    let output = ckpt(&["list", index.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(said.contains("elsewhere") && said.contains("ghost") && said.contains("no file beside it"), "{said}");
}

#[test]
fn slices_of_an_array_in_the_order_of_fortran_are_those_of_numpy() {
    let path = testdata().join("npz/saved/deflated.npz");
    let said = ckpt_says(0, &["print", path.to_str().unwrap(), "fortran[1,::2,1:3]", "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["tensors"][0]["values"], json!([[13.0, 14.0], [21.0, 22.0]]));
}

// The rules of TensorFlow's savers say nothing of files that they do not read.
#[test]
fn restores_of_other_programs_are_not_predicted() {
    let of = |path: &str| testdata().join(path).to_str().unwrap().to_owned();
    let bundle = of("saver_v2/plain");
    let (keras, safetensors) = (of("keras/tf_keras/model.keras"), of("safetensors/dtypes/model.safetensors"));
    for (checkpoint, model) in [
        (&safetensors, &bundle),
        (&bundle, &safetensors),
        (&safetensors, &safetensors),
        (&keras, &safetensors),
        (&safetensors, &keras),
        (&bundle, &keras),
    ] {
        let output = ckpt(&["validate", checkpoint, "--against", model]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("could not be told") && text.contains("not predicted"), "{text}");
        assert!(!text.contains("Saver") && !text.contains("different models"), "{text}");
    }
}
