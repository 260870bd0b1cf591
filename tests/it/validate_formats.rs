//! The command: exit statuses, options that change severities, and the formats that other programs read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::validating::{ckpt, ckpt_says, copy, data_of, edit, with, written};
use ckpt::analysis::Code;
use ckpt_synth::BundleBuilder;
use serde_json::Value;
use tempfile::TempDir;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A bundle with an error (a flipped bit in `b`), and a note (bytes that nobody claims).
fn damaged() -> (TempDir, PathBuf) {
    let builder = BundleBuilder::new().floats("a", &[2], &[1.0, 2.0]).floats("b", &[3], &[3.0, 4.0, 5.0]).junk(b"junk");
    let (dir, prefix) = written(builder);
    edit(&data_of(&prefix), |bytes| bytes[9] ^= 4);
    (dir, prefix)
}

/// A bundle in which a name, and so messages and paths, are full of what formats escape.
fn awkward() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("a, b:c%<&>\"d'\u{1b}\u{1}");
    let builder = BundleBuilder::new().floats("n\n::error::<x>&\"%,\x1b[31m\u{1}", &[1], &[1.0]).floats(
        [0xff, b'z'],
        &[1],
        &[2.0],
    );
    builder.finish().write(&prefix).unwrap();
    edit(&data_of(&prefix), |bytes| bytes.iter_mut().step_by(4).for_each(|byte| *byte ^= 0x11));
    (dir, prefix)
}

fn json(status: i32, args: &[&str]) -> Value {
    serde_json::from_str(&ckpt_says(status, args)).unwrap()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn exit_statuses() {
    let good = copy("saver_v2/plain");
    assert!(ckpt_says(0, &["validate", text(&good.path().join("model.ckpt-7"))]).contains("intact"));
    let (_dir, bad) = damaged();
    assert!(ckpt_says(1, &["validate", text(&bad)]).contains("NOT intact"));
    let output = ckpt(&["validate", text(&good.path().join("no-such"))]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    for usage in
        [&["validate"][..], &["validate", "x", "--deny", "no-such-code"], &["validate", "x", "--format", "csv"]]
    {
        assert_eq!(ckpt(usage).status.code(), Some(2), "{usage:?}");
    }
    // A path that is a device or a FIFO is refused, not read.
    assert_eq!(ckpt(&["validate", "/dev/zero"]).status.code(), Some(2));
}

#[test]
fn a_mistyped_code_has_a_suggestion() {
    let output = ckpt(&["validate", "x", "--warn", "hole-of-zeroes"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean hole-of-zeros?"));
}

#[test]
fn severities_can_be_changed() {
    let (_dir, bad) = damaged();
    let bad = text(&bad);
    let all = ["--warn", "tensor-checksum-mismatch", "--warn", "single-bit-flip"];
    let run = |status, more: &[&str]| ckpt_says(status, &[&["validate", bad], more].concat());
    run(0, &all);
    run(0, &["--allow", "tensor-checksum-mismatch", "--allow", "single-bit-flip"]);
    run(1, &["--allow", "tensor-checksum-mismatch"]);
    // The strictest holds, and a note can become an error.
    run(1, &[&all[..], &["--deny", "unreferenced-bytes"]].concat());
    run(1, &["--allow", "single-bit-flip", "--deny", "single-bit-flip"]);
    let told = run(1, &["--allow", "unreferenced-bytes"]);
    assert!(
        told.contains("allowed: 1 × unreferenced-bytes by --allow\n") && !told.contains("unreferenced-bytes ·"),
        "{told}"
    );
    let value = json(0, &[&["validate", bad, "--format", "json"][..], &all].concat());
    assert_eq!(value["ok"], true);
    assert!(value["findings"].as_array().unwrap().iter().all(|finding| finding["severity"] != "error"));
}

#[test]
fn json_is_as_promised() {
    let (_dir, bad) = damaged();
    let value = json(1, &["validate", text(&bad), "--format", "json"]);
    assert_eq!(keys(&value)[..2], ["schema_version", "kind"]);
    assert_eq!(
        (&value["schema_version"], &value["kind"], &value["ok"]),
        (&1.into(), &"validate".into(), &false.into())
    );
    let checked = &value["checked"];
    assert_eq!((&checked["files"], &checked["tensors"], &checked["bytes"]), (&2.into(), &2.into(), &20.into()));
    assert_eq!((&checked["verified"], &checked["skipped"], &checked["checkpoints"]), (&1.into(), &0.into(), &1.into()));
    let findings = value["findings"].as_array().unwrap();
    let of = |code: &str| findings.iter().find(|finding| finding["code"] == code).unwrap();
    let mismatch = of("single-bit-flip");
    for (field, want) in [("severity", "error"), ("tensor", "b")] {
        assert_eq!(mismatch[field], want);
    }
    assert_eq!(mismatch["offset"], 9);
    assert_eq!(mismatch["file"], text(&data_of(&bad)));
    for field in ["message", "expected", "found"] {
        assert!(mismatch[field].is_string(), "{mismatch}");
    }
    assert_eq!(of("unreferenced-bytes")["severity"], "note");
    for finding in findings {
        assert_eq!(keys(finding)[..3], ["code", "severity", "message"]);
        assert!(["error", "warning", "note"].iter().any(|severity| finding["severity"] == *severity));
    }
    let good = copy("saver_v2/plain");
    let value = json(0, &["validate", text(&good.path().join("model.ckpt-7")), "--format", "json"]);
    assert_eq!((&value["ok"], value["findings"].as_array().map(Vec::len)), (&true.into(), Some(0)));
}

#[test]
fn json_keeps_names_that_are_not_utf_8() {
    let (_dir, prefix) = awkward();
    let value = json(1, &["validate", text(&prefix), "--format", "json"]);
    let findings = value["findings"].as_array().unwrap();
    let names = &findings[0]["explains"]["names"];
    assert_eq!(names[0], "n\n::error::<x>&\"%,\x1b[31m\u{1}", "{value}");
    assert_eq!(names[1]["base64"], "/3o=", "{value}");
}

/// What SARIF 2.1.0 requires of the parts that are written.
fn check_sarif(value: &Value) -> usize {
    assert_eq!(value["version"], "2.1.0");
    assert!(value["$schema"].as_str().is_some_and(|schema| schema.contains("sarif-2.1.0")));
    let [run] = value["runs"].as_array().unwrap().as_slice() else { panic!("runs") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "ckpt");
    let rules = driver["rules"].as_array().unwrap();
    let mut ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for rule in rules {
        assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
    }
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], ids[index]);
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(["none", "note", "warning", "error"].iter().any(|level| result["level"] == *level));
        for place in result["locations"].as_array().into_iter().flatten() {
            let place = &place["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().unwrap();
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"/.-_~%".contains(&b);
            assert!(uri.bytes().all(legal), "{uri}");
            // A region has an anchor; ours is a byte offset, of a binary region, which needs no line.
            assert!(place.get("region").is_none_or(|region| region["byteOffset"].is_u64()), "{place}");
        }
    }
    ids.sort_unstable();
    let all = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), all, "rules are unique");
    results.len()
}

#[test]
fn sarif_is_valid() {
    for ((_dir, path), findings) in [(damaged(), 2), (awkward(), 1)] {
        let value = json(1, &["validate", text(&path), "--format", "sarif"]);
        assert_eq!(check_sarif(&value), findings, "{value}");
    }
    let good = copy("saver_v2/plain");
    assert_eq!(check_sarif(&json(0, &["validate", text(&good.path().join("model.ckpt-7")), "--format", "sarif"])), 0);
}

#[test]
fn junit_is_xml() {
    for ((_dir, path), failures) in [(damaged(), 1), (awkward(), 1)] {
        let out = ckpt_says(1, &["validate", text(&path), "--format", "junit"]);
        let document = roxmltree::Document::parse(&out).unwrap_or_else(|error| panic!("{error}\n{out}"));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        let named = |name| document.descendants().filter(move |node| node.has_tag_name(name));
        assert_eq!(named("failure").count(), failures, "{out}");
        for failure in named("failure") {
            assert!(failure.attribute("message").is_some_and(|message| !message.is_empty()));
            assert!(Code::from_name(failure.attribute("type").unwrap()).is_some());
        }
        let [suite] = named("testsuite").collect::<Vec<_>>()[..] else { panic!("{out}") };
        assert_eq!(suite.attribute("failures"), Some(failures.to_string().as_str()));
        assert_eq!(suite.attribute("tests"), Some(named("testcase").count().to_string().as_str()));
    }
    let good = copy("saver_v2/plain");
    let out = ckpt_says(0, &["validate", text(&good.path().join("model.ckpt-7")), "--format", "junit"]);
    let document = roxmltree::Document::parse(&out).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("testcase")).count(), 1);
}

#[test]
fn github_annotations_cannot_be_broken_out_of() {
    let (_dir, bad) = damaged();
    let out = ckpt_says(1, &["validate", text(&bad), "--format", "github"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with("::notice file=") && lines[0].contains("title=unreferenced-bytes::"), "{out}");
    assert!(lines[1..2].iter().all(|line| line.starts_with("::error file=")), "{out}");
    assert_eq!(lines[2], "ckpt: not ok, 1 of 2 tensors verified");

    let (_dir, prefix) = awkward();
    let out = ckpt_says(1, &["validate", text(&prefix), "--format", "github"]);
    let (verdict, annotations) = out.lines().collect::<Vec<_>>().split_last().map(|(a, b)| (*a, b.to_vec())).unwrap();
    assert!(verdict.starts_with("ckpt: not ok"));
    for line in annotations {
        let (properties, message) = line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
        let names: Vec<&str> = properties.split(',').map(|property| property.split_once('=').unwrap().0).collect();
        assert_eq!(names, ["file", "title"], "{line}");
        assert!(properties.contains("%2C b%3Ac%25"), "{line}");
        assert!(!message.chars().any(char::is_control), "{line}");
    }
}

#[test]
fn text_sends_no_escape_codes_of_others() {
    let (_dir, prefix) = awkward();
    for format in ["text", "github"] {
        let out = ckpt_says(1, &["validate", text(&prefix), "--format", format, "--color", "never"]);
        assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{out:?}");
    }
}

#[test]
fn quick_reads_no_shard() {
    let dir = copy("object_graph/keras3");
    let prefix = dir.path().join("ckpt-1");
    edit(&data_of(&prefix), |bytes| bytes.fill(0));
    let out = ckpt_says(0, &["validate", "--quick", text(&prefix)]);
    assert!(out.contains("index sound, no data read") && out.contains("0 of "), "{out}");
    ckpt_says(1, &["validate", text(&prefix)]);
    // It still looks at the index, and at what files there are.
    edit(&data_of(&prefix), |bytes| bytes.truncate(100));
    assert!(ckpt_says(1, &["validate", "--quick", text(&prefix)]).contains("short-shard"));
    edit(&with(&prefix, ".index"), |bytes| bytes[40] ^= 0x55);
    let out = ckpt_says(1, &["validate", "--quick", text(&prefix)]);
    assert!(out.contains("block-checksum-mismatch") && out.contains("damaged here; fetch it again"), "{out}");
    assert_eq!(ckpt(&["validate", "--quick", "--finite", text(&prefix)]).status.code(), Some(2));
}

#[test]
fn a_directory_means_every_checkpoint_in_it() {
    let dir = copy("model_dir/manager");
    let value = json(0, &["validate", text(dir.path()), "--format", "json"]);
    assert_eq!(value["checked"]["checkpoints"], 2);
    // The older one, which no other command would look at.
    edit(&data_of(&dir.path().join("ckpt-2")), |bytes| bytes[0] ^= 1);
    let value = json(1, &["validate", text(dir.path()), "--format", "json"]);
    let files = value["findings"].as_array().unwrap().iter().filter_map(|finding| finding["file"].as_str());
    assert!(files.clone().count() > 0 && files.clone().all(|file| file.contains("ckpt-2")), "{value}");
    ckpt_says(0, &["validate", text(dir.path()), "--step", "3"]);
    ckpt_says(1, &["validate", text(dir.path()), "--step", "2"]);
}

#[test]
fn a_directory_that_cannot_be_opened_in_part_is_checked_in_part() {
    let dir = copy("model_dir/manager");
    fs::write(dir.path().join("ckpt-2.index"), b"version https://git-lfs.github.com/spec/v1\n").unwrap();
    let value = json(1, &["validate", text(dir.path()), "--format", "json"]);
    let codes: Vec<&str> = value["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["not-a-table"], "{value}");
    assert_eq!(value["checked"]["verified"], value["checked"]["tensors"]);
    assert!(value["checked"]["tensors"].as_u64().unwrap() > 0);
}

#[test]
fn selectors_narrow() {
    let (_dir, bad) = damaged();
    ckpt_says(0, &["validate", text(&bad), "a"]);
    ckpt_says(1, &["validate", text(&bad), "b"]);
    ckpt_says(0, &["validate", text(&bad), "!b"]);
    let value = json(0, &["validate", text(&bad), "--regex", "^a$", "--format", "json"]);
    assert_eq!((&value["checked"]["verified"], &value["checked"]["skipped"]), (&1.into(), &1.into()));
    let value = json(1, &["validate", text(&bad), "no/such", "--format", "json"]);
    assert_eq!(value["findings"].as_array().unwrap().last().unwrap()["code"], "nothing-checked");
}

#[test]
fn threads_change_nothing() {
    let shards = copy("partitioned/merged");
    let merged = shards.path().join("merged");
    for shard in 0..3 {
        edit(&with(&merged, &format!(".data-0000{shard}-of-00003")), |bytes| {
            bytes.iter_mut().step_by(97).for_each(|byte| *byte ^= 1);
        });
    }
    let strings = copy("object_graph/keras3");
    let graph = strings.path().join("ckpt-1");
    edit(&data_of(&graph), |bytes| bytes.iter_mut().step_by(61).for_each(|byte| *byte ^= 0x55));
    for path in [&merged, &graph] {
        for format in ["text", "json", "sarif", "junit", "github"] {
            let run =
                |threads| ckpt_says(1, &["validate", "--finite", text(path), "--threads", threads, "--format", format]);
            let one = run("1");
            assert!(one.len() > 200);
            for threads in ["2", "5"] {
                assert_eq!(one, run(threads), "{} {format} {threads}", path.display());
            }
        }
    }
}

/// Whatever the format, a file that is cut off or that something was written over has one finding, about a file.
#[test]
fn a_damaged_file_of_another_format_is_a_bad_file() {
    let dir = tempfile::tempdir().unwrap();
    let keras = crate::support::testdata().join("keras/keras3");
    let files = [keras.join("model.keras"), keras.join("whole.h5"), keras.join("model.weights.h5")];
    let written = ["x.npz", "x.npy", "x.safetensors"].map(|name| {
        let path = dir.path().join(name);
        let input = crate::support::testdata().join("convert/run-0");
        ckpt_says(0, &["convert", text(&input), "a", "-o", text(&path)]);
        path
    });
    for path in files.iter().chain(&written) {
        let whole = fs::read(path).unwrap();
        let name = path.file_name().unwrap();
        let mut over = whole.clone();
        over[8..20].fill(0xee);
        let third = whole.len() / 3;
        for (case, bytes) in [("cut", &whole[..third]), ("over", &over)] {
            // What an archive has at its beginning is found from its end.
            if case == "over" && matches!(path.extension().unwrap().to_str(), Some("keras" | "npz")) {
                continue;
            }
            let damaged = dir.path().join(format!("{case}-{}", name.to_str().unwrap()));
            fs::write(&damaged, bytes).unwrap();
            let value = json(1, &["validate", text(&damaged), "--format", "json"]);
            let codes: Vec<&str> =
                value["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
            assert_eq!(codes, [Code::BadFile.name()], "{case} {value}");
        }
    }
}
