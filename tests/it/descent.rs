//! `ckpt tree` against a family of checkpoints by TensorFlow whose origins are recorded, and against strangers:
//! `testdata/descent`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ckpt_synth::{BundleBuilder, dtype};
use serde_json::Value;

use crate::support::testdata;
use crate::validating::{ckpt_says, copy};

fn tree(paths: &[&str], more: &[&str]) -> Value {
    let mut arguments = vec!["tree", "--format", "json"];
    arguments.extend(more);
    arguments.extend(paths);
    serde_json::from_str(&ckpt_says(0, &arguments)).unwrap()
}

/// Each checkpoint with its relation and those that it comes from, as paths in `dir`.
fn told(document: &Value, dir: &Path) -> BTreeMap<String, (Option<String>, Vec<String>)> {
    let all = document["checkpoints"].as_array().unwrap();
    let name = |checkpoint: &Value| {
        let path = Path::new(checkpoint["prefix"].as_str().unwrap()).strip_prefix(dir).unwrap();
        path.to_str().unwrap().replace('\\', "/")
    };
    let of = |checkpoint: &Value| {
        let from = &checkpoint["from"];
        let mut of: Vec<String> = from["of"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|at| name(&all[usize::try_from(at.as_u64().unwrap()).unwrap()]))
            .collect();
        of.sort();
        (name(checkpoint), (from["relation"].as_str().map(str::to_owned), of))
    };
    all.iter().map(of).collect()
}

fn expected() -> Value {
    serde_json::from_slice(&fs::read(testdata().join("descent/family/expected.json")).unwrap()).unwrap()
}

#[test]
fn a_family_is_told_as_it_was_made() {
    let alone = copy("descent/family");
    let document = tree(&[alone.path().to_str().unwrap()], &[]);
    let told = told(&document, alone.path());
    let expected = expected();
    let made = expected["made"].as_object().unwrap();
    assert_eq!(told.len(), made.len());
    for (name, made) in made {
        let mut of: Vec<String> =
            made[1].as_array().unwrap().iter().map(|of| of.as_str().unwrap().to_owned()).collect();
        of.sort();
        assert_eq!(told[name], (made[0].as_str().map(str::to_owned), of), "{name}\n{document:#}");
    }
    for stray in document["strays"].as_array().unwrap() {
        let path = Path::new(stray["path"].as_str().unwrap()).strip_prefix(alone.path()).unwrap();
        let wanted = expected["strays"][path.to_str().unwrap().replace('\\', "/")].as_str();
        let of = stray["of"].as_u64().map(|at| &document["checkpoints"][usize::try_from(at).unwrap()]["prefix"]);
        let of = of.map(|prefix| Path::new(prefix.as_str().unwrap()).strip_prefix(alone.path()).unwrap());
        assert_eq!(of.map(|of| of.to_str().unwrap().replace('\\', "/")).as_deref(), wanted, "{stray}");
    }
    let tuned = document["checkpoints"].as_array().unwrap().iter();
    let tuned = tuned.filter(|c| c["prefix"].as_str().unwrap().ends_with("ckpt-5")).map(|c| &c["from"]).next().unwrap();
    assert_eq!(
        (&tuned["frozen"][0], &tuned["added"][0], &tuned["removed"][0]),
        (&"body".into(), &"classes".into(), &"head".into())
    );
}

// Everything but means is told without data: those are then not known to come from anything.
#[test]
fn indexes_alone_tell_the_same_but_means() {
    let alone = copy("descent/family");
    for entry in walk(alone.path()) {
        if entry.to_str().unwrap().contains(".data-") && !entry.to_str().unwrap().contains("strays") {
            fs::remove_file(entry).unwrap();
        }
    }
    let told = told(&tree(&[alone.path().to_str().unwrap()], &["--quick"]), alone.path());
    for (name, made) in expected()["made"].as_object().unwrap() {
        let wanted = made[0].as_str().filter(|relation| *relation != "average");
        assert_eq!(told[name].0.as_deref(), wanted, "{name}");
    }
}

fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

/// Random numbers, as float32 in little-endian bytes.
fn random(seed: &mut u64, count: usize) -> Vec<u8> {
    let mut next = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        let small = u16::try_from(*seed >> 48).unwrap();
        (f32::from(small) / 65536.0 - 0.5).to_le_bytes()
    };
    (0..count).flat_map(|_| next()).collect()
}

// One program, other random numbers, in one directory and in many: zeros, ones and steps are in all of them.
#[test]
fn a_hundred_strangers_are_strangers() {
    let dir = tempfile::tempdir().unwrap();
    let mut seed = 0x1234_5678_9abc_def1;
    for n in 0..100u64 {
        let mut builder = BundleBuilder::new();
        for layer in 0..4 {
            builder = builder
                .tensor(format!("layer_{layer}/kernel"), dtype::FLOAT, &[8, 8], random(&mut seed, 64))
                .tensor(format!("layer_{layer}/bias"), dtype::FLOAT, &[64], [0; 256])
                .tensor(format!("layer_{layer}/gamma"), dtype::FLOAT, &[64], 1.0f32.to_le_bytes().repeat(64));
        }
        let of = if n % 2 == 0 { dir.path().to_path_buf() } else { dir.path().join(format!("run-{n}")) };
        fs::create_dir_all(&of).unwrap();
        builder.finish().write(&of.join(format!("model.ckpt-{n}"))).unwrap();
    }
    for more in [&[][..], &["--quick"]] {
        let document = tree(&[dir.path().to_str().unwrap()], more);
        let related = document["checkpoints"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|checkpoint| !checkpoint["from"].is_null() && checkpoint["from"]["relation"] != "same_model");
        assert_eq!(related.count(), 0, "{document:#}");
    }
}

#[test]
fn trees_are_drawn_and_what_is_none_is_an_error() {
    let family = testdata().join("descent/family");
    let family = family.to_str().unwrap();
    let text = ckpt_says(0, &["tree", family]);
    assert!(text.contains("fine-tuned from run/model.ckpt-30: 3 of 5 weights are the same; the same body"), "{text}");
    assert!(text.contains("the mean of 3: "), "{text}");
    let dot = ckpt_says(0, &["tree", family, "--format", "dot"]);
    assert!(dot.starts_with("digraph checkpoints {") && dot.contains("fine-tuned, 3 of 5 the same"), "{dot}");
    let empty = tempfile::tempdir().unwrap();
    ckpt_says(2, &["tree", empty.path().to_str().unwrap()]);
    ckpt_says(2, &["tree", empty.path().join("nothing").to_str().unwrap()]);
}
