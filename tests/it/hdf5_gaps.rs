//! What an HDF5 file may have and a checkpoint has not: each is told once and hides nothing of the rest. What is read is
//! compared with h5py in `oracle`.

use std::collections::BTreeSet;
use std::fs;

use ckpt::analysis::{Code, Severity};
use serde_json::Value;

use crate::support::{open, testdata};
use crate::validating::{ckpt_says, options, try_run};

fn documents() -> Vec<Value> {
    let text = fs::read(testdata().join("hdf5/gaps/expected.json")).unwrap();
    let mut first: Value = serde_json::from_slice(&text).unwrap();
    let more = first["checkpoints"].take();
    std::iter::once(first).chain(more.as_array().unwrap().clone()).collect()
}

#[test]
fn what_is_not_read_is_told_once_with_what_to_do() {
    for document in documents() {
        let path = testdata().join("hdf5/gaps").join(document["prefix"].as_str().unwrap());
        let checkpoint = open(&path).unwrap();
        let listed: BTreeSet<String> =
            checkpoint.tensors().iter().map(|tensor| String::from_utf8(tensor.name).unwrap()).collect();
        let read: BTreeSet<String> =
            document["tensors"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(listed, read, "{path:?}");
        let unread = document["unread"].as_object().unwrap();
        assert_eq!(checkpoint.damage().len(), unread.len(), "{:?}", checkpoint.damage());
        for (name, why) in unread {
            let of_it = |error: &&ckpt::base::error::Error| error.location().key.as_deref() == Some(name.as_bytes());
            let error = checkpoint.damage().iter().find(of_it).unwrap();
            let (text, help) = (error.to_string(), error.help().unwrap_or_default());
            assert!(text.contains(why.as_str().unwrap()), "{name}: {text}");
            assert!(!help.is_empty() && !help.contains("damaged"), "{name}: {text}; {help}");
        }
    }
}

#[test]
fn links_are_notes_and_second_names_are_no_overlap() {
    for file in ["oldest.h5", "newest.h5"] {
        let validation = try_run(&testdata().join("hdf5/gaps").join(file), &options()).unwrap();
        let of = |code: Code| {
            let found = validation.findings.iter().filter(move |finding| finding.code == code);
            let names = found.map(|f| (f.severity, String::from_utf8(f.tensor.clone().unwrap()).unwrap()));
            names.collect::<Vec<_>>()
        };
        let named =
            |severity, names: &[&str]| names.iter().map(|name| (severity, (*name).to_owned())).collect::<Vec<_>>();
        let sorted = |mut all: Vec<(Severity, String)>| {
            all.sort();
            all
        };
        assert_eq!(sorted(of(Code::OtherName)), named(Severity::Note, &["read/up", "soft", "soft_group"]));
        assert_eq!(sorted(of(Code::UnusualFile)), named(Severity::Warning, &["dangling", "elsewhere"]));
        assert_eq!(of(Code::OverlappingTensors), []);
    }
    let path = testdata().join("hdf5/gaps/newest.h5");
    let said = ckpt_says(2, &["inspect", path.to_str().unwrap(), "--format", "json"]);
    let json: Value = serde_json::from_str(&said).unwrap();
    let soft = json["findings"].as_array().unwrap().iter().find(|finding| finding["tensor"] == "soft").unwrap();
    assert_eq!((&soft["code"], &soft["severity"]), (&Value::from("other-name"), &Value::from("note")));
}
