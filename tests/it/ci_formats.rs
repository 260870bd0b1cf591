//! What build servers read, held against what they demand: SARIF against its schema, `JUnit` against the rules of the
//! schema that Jenkins' xUnit plugin has, annotations against what GitHub's runner makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use boon::{Compiler, Draft, Schemas};
use ckpt_synth::BundleBuilder;
use roxmltree::Node;
use serde_json::Value;
use tempfile::TempDir;

use crate::validating::{data_of, edit, with};

/// A name full of what formats escape.
const AWKWARD: &str = "a, b:c%<&>\"d'";

/// Command lines with findings of every kind and none; `DIR` has damaged checkpoints with awkward names.
const COMMANDS: &[&str] = &[
    "validate testdata/saver_v2/sharded_adam",
    "validate testdata/saver_v2/sharded_adam --config tests/cmd/policy/ckpt.toml",
    "validate testdata/model_dir/stale --config tests/cmd/policy/ckpt.toml",
    "validate testdata/serving/base/served --serving",
    "validate tests/cmd/foreign/pointer.index",
    "validate testdata/restore/hidden_units/v0 --against testdata/restore/hidden_units/v1.meta",
    "validate DIR/AWKWARD",
    "validate DIR --finite --allow single-bit-flip",
    "validate DIR --warn single-bit-flip --deny unreferenced-bytes",
    "ops testdata/ops/tf2/at_load",
    "ops testdata/ops/tf2/read --allow op-reads-file",
    "ops testdata/ops/tf1/init_writes",
    "ops testdata/ops/keras/nested.h5",
    "ops testdata/ops/clean/model",
];

/// A directory with a checkpoint of an awkward name whose tensors have such names too, one with a flipped bit, and one
/// with NaN and with bytes that nobody claims.
fn damaged() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join(AWKWARD);
    let bundle = BundleBuilder::new().floats("n\n::error::<x>&\"%,]]>\x1b[31m\u{1}\u{fffe}", &[1], &[1.0]);
    bundle.floats([0xff, b'z'], &[1], &[2.0]).finish().write(&prefix).unwrap();
    edit(&data_of(&prefix), |bytes| bytes.iter_mut().step_by(4).for_each(|byte| *byte ^= 0x11));
    let flipped = dir.path().join("flipped-1");
    BundleBuilder::new().floats("w", &[2], &[1.0, 2.0]).finish().write(&flipped).unwrap();
    edit(&data_of(&flipped), |bytes| bytes[1] ^= 1);
    let nan = dir.path().join("nan-1");
    BundleBuilder::new().floats("w", &[2], &[f32::NAN, 2.0]).junk(b"junk").finish().write(&nan).unwrap();
    fs::write(with(&nan, ".tempstate1"), "").unwrap();
    dir
}

/// What each command writes in a format.
fn written(format: &str) -> Vec<(String, String)> {
    let dir = damaged();
    let run = |line: &&str| {
        let named = |word: &str| word.replace("DIR", dir.path().to_str().unwrap()).replace("AWKWARD", AWKWARD);
        let arguments = line.split(' ').map(named);
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
        let output = command.args(arguments).args(["--format", format]).output().unwrap();
        assert!(output.status.code().is_some_and(|code| code < 2), "{line}: {output:?}");
        ((*line).to_owned(), String::from_utf8(output.stdout).unwrap())
    };
    COMMANDS.iter().map(run).collect()
}

#[test]
fn sarif_is_what_its_schema_says() {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    let schema: Value = serde_json::from_slice(&fs::read("testdata/schemas/sarif-2.1.0.json").unwrap()).unwrap();
    compiler.add_resource("sarif.json", schema).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile("sarif.json", &mut schemas).unwrap();
    let (mut results, mut suppressed) = (0, 0);
    for (line, text) in written("sarif") {
        let document: Value = serde_json::from_str(&text).unwrap();
        schemas.validate(&document, index).unwrap_or_else(|error| panic!("{line}: {error:#}"));
        let all = document["runs"][0]["results"].as_array().unwrap();
        results += all.len();
        suppressed += all.iter().filter(|result| result.get("suppressions").is_some()).count();
        // The schema lets anything be a URI reference.
        let places = all
            .iter()
            .filter_map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str());
        for uri in places {
            assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.-_~%".contains(&byte)), "{uri}");
        }
    }
    assert!(results > 30 && suppressed > 2, "{results} {suppressed}");
    // The schema is no blank paper.
    let (_, text) = written("sarif").remove(1);
    let document: Value = serde_json::from_str(&text).unwrap();
    for (path, value) in [("level", "bad"), ("ruleIndex", "first"), ("extra", "x")] {
        let mut wrong = document.clone();
        wrong["runs"][0]["results"][0][path] = value.into();
        assert!(schemas.validate(&wrong, index).is_err(), "{path}");
    }
}

/// What `junit-10.xsd` of Jenkins' xUnit plugin says of an element: its attributes, those that it must have marked with
/// `!`, and its children.
fn rules() -> BTreeMap<&'static str, (&'static [&'static str], &'static [&'static str])> {
    const SUITE: &[&str] = &[
        "!name",
        "!tests",
        "!failures",
        "!errors",
        "group",
        "time",
        "skipped",
        "timestamp",
        "hostname",
        "id",
        "package",
        "file",
        "log",
        "url",
    ];
    let told: &[&str] = &["type", "message"];
    BTreeMap::from([
        ("testsuites", (&["name", "time", "tests", "failures", "errors"][..], &["testsuite"][..])),
        ("testsuite", (SUITE, &["testsuite", "properties", "testcase", "system-out", "system-err"])),
        (
            "testcase",
            (
                &["!name", "time", "classname", "group"],
                &[
                    "skipped",
                    "error",
                    "failure",
                    "rerunFailure",
                    "rerunError",
                    "flakyFailure",
                    "flakyError",
                    "system-out",
                    "system-err",
                ],
            ),
        ),
        ("failure", (told, &[])),
        ("error", (told, &[])),
        ("skipped", (told, &[])),
        ("system-out", (&[], &[])),
        ("system-err", (&[], &[])),
    ])
}

/// Why an element is not as the rules want it.
fn breaches(node: Node<'_, '_>) -> Vec<String> {
    let rules = rules();
    let name = node.tag_name().name();
    let Some((attributes, children)) = rules.get(name) else { return vec![format!("unknown element {name}")] };
    let mut found = Vec::new();
    for attribute in node.attributes() {
        if !attributes.iter().any(|known| known.trim_start_matches('!') == attribute.name()) {
            found.push(format!("{name} has {}", attribute.name()));
        }
        let is_count = ["tests", "failures", "errors", "skipped"].contains(&attribute.name());
        if is_count && attribute.value().parse::<u64>().is_err() {
            found.push(format!("{name} has {}={:?}", attribute.name(), attribute.value()));
        }
    }
    for needed in attributes.iter().filter_map(|known| known.strip_prefix('!')) {
        if node.attribute(needed).is_none() {
            found.push(format!("{name} lacks {needed}"));
        }
    }
    for child in node.children().filter(Node::is_element) {
        if !children.contains(&child.tag_name().name()) {
            found.push(format!("{} in {name}", child.tag_name().name()));
        }
        found.extend(breaches(child));
    }
    // Only these are mixed.
    let text = node.children().any(|child| child.is_text() && child.text().is_some_and(|text| !text.trim().is_empty()));
    if text && !["failure", "error", "skipped", "system-out", "system-err"].contains(&name) {
        found.push(format!("text in {name}"));
    }
    found
}

#[test]
fn junit_is_what_the_schema_of_jenkins_says() {
    let (mut failures, mut skipped) = (0, 0);
    for (line, text) in written("junit") {
        let document = roxmltree::Document::parse(&text).unwrap_or_else(|error| panic!("{line}: {error}\n{text}"));
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "testsuites");
        assert_eq!(breaches(root), [""; 0], "{line}\n{text}");
        // The counts are those of the cases.
        for suite in root.children().filter(Node::is_element) {
            let count = |name: &str| suite.descendants().filter(|node| node.has_tag_name(name)).count().to_string();
            for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("skipped", "skipped")] {
                assert_eq!(suite.attribute(attribute), Some(count(element).as_str()), "{line}: {attribute}");
            }
            failures += count("failure").parse::<usize>().unwrap();
            skipped += count("skipped").parse::<usize>().unwrap();
        }
    }
    assert!(failures > 10 && skipped > 2, "{failures} {skipped}");
    let wrong =
        roxmltree::Document::parse("<testsuites skipped='1'><testsuite name='x'>t<b/></testsuite></testsuites>");
    assert_eq!(breaches(wrong.unwrap().root_element()).len(), 7);
}

/// What GitHub's runner makes of a line: the command, its properties and its message; none if it is only text.
fn annotation(line: &str) -> Option<(String, BTreeMap<String, String>, String)> {
    let rest = line.trim_start().strip_prefix("::")?;
    let (head, message) = rest.split_once("::")?;
    let (command, properties) = head.split_once(' ').unwrap_or((head, ""));
    let unescaped = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let property = |one: &str| {
        let (name, value) = one.split_once('=').unwrap();
        let value = unescaped(value).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
        (name.trim().to_owned(), value)
    };
    let properties = properties.split(',').filter(|one| !one.is_empty()).map(property).collect();
    Some((command.to_owned(), properties, unescaped(message).replace("%25", "%")))
}

#[test]
fn annotations_are_what_the_runner_of_github_reads() {
    let json: BTreeMap<String, Value> =
        written("json").into_iter().map(|(line, text)| (line, serde_json::from_str(&text).unwrap())).collect();
    let mut awkward = 0;
    for (line, text) in written("github") {
        let told: Vec<_> = text.lines().filter_map(annotation).collect();
        let document = &json[&line];
        let findings: Vec<&Value> = document["findings"].as_array().unwrap().iter().collect();
        assert_eq!(told.len(), findings.len(), "{line}\n{text}");
        for ((command, properties, message), finding) in told.iter().zip(findings) {
            let severity = finding["severity"].as_str().unwrap();
            assert_eq!(command, if severity == "note" { "notice" } else { severity }, "{line}");
            assert_eq!(properties["title"], finding["code"].as_str().unwrap());
            assert!(message.starts_with(finding["message"].as_str().unwrap()), "{message}\n{finding}");
            if let Some(file) = finding["file"].as_str().filter(|file| file.starts_with("test")) {
                assert_eq!(properties["file"], file);
            }
            awkward += usize::from(properties.get("file").is_some_and(|file| file.contains("a, b:c%<&>")));
        }
        assert_eq!(text.lines().count(), told.len() + 1, "a verdict follows: {text}");
    }
    assert!(awkward > 1);
}

/// Runs a command with a file for the summary of a step; its status, and what it said on standard error.
fn with_summary(file: &std::path::Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
    let output = command.args(arguments).env("GITHUB_STEP_SUMMARY", file).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_summary_is_appended_where_the_runner_wants_one() {
    let dir = damaged();
    let file = dir.path().join("summary.md");
    let awkward = dir.path().join(AWKWARD);
    let (a, b) = ("testdata/saver_v2/sharded_adam/model.ckpt-0", "testdata/saver_v2/sharded_adam");
    let runs: [(&[&str], i32, &str); 5] = [
        (&["validate", awkward.to_str().unwrap(), "--format", "github"], 1, "### ❌ ckpt validate"),
        (&["validate", b, "--format", "github"], 0, "### ✅ ckpt validate"),
        (&["ops", "testdata/ops/tf2/at_load", "--format", "github"], 1, "### ❌ ckpt ops"),
        (&["diff", a, b, "--format", "github", "--expect-same", "embedding"], 1, "### ❌ ckpt diff"),
        (&["diff", b, b, "--format", "github"], 0, "### ✅ ckpt diff"),
    ];
    let mut before = 0;
    for (arguments, status, begins) in runs {
        assert_eq!(with_summary(&file, arguments).0, Some(status), "{arguments:?}");
        let text = fs::read_to_string(&file).unwrap();
        let own = &text[before..];
        assert!(own.starts_with(begins), "{own}");
        before = text.len();
        // A table has as many columns in each row, whatever stands in it, and nothing is HTML but the breaks.
        let rows = own.lines().filter(|line| line.starts_with('|'));
        let columns = |row: &str| row.replace("\\|", "").matches('|').count();
        let counts: std::collections::BTreeSet<usize> = rows.map(columns).collect();
        assert!(counts.len() <= 1, "{own}");
        let tags = own.replace("<br>", "");
        assert!(!tags.split('`').step_by(2).any(|outside| outside.contains('<')), "{own}");
        assert!(!own.chars().any(|c| c.is_control() && c != '\n'), "{own:?}");
    }
    let text = fs::read_to_string(&file).unwrap();
    for part in
        ["| ❌ error | `mispaired-data` |", "| ❌ error | `op-writes-file` |", "- ❌ --expect-same", "| changed |"]
    {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Other formats and other servers get none.
    let none = dir.path().join("none.md");
    for format in ["text", "json", "sarif", "junit"] {
        with_summary(&none, &["validate", b, "--format", format]);
    }
    assert!(!none.exists());
}

#[test]
fn a_summary_fits_and_one_that_cannot_be_written_fails_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("many-1");
    let many = (0..3000).fold(BundleBuilder::new(), |bundle, n| {
        bundle.floats(format!("scope/{}/{n}", "long_name_".repeat(40)), &[1], &[f32::NAN])
    });
    many.finish().write(&prefix).unwrap();
    let line = ["validate", prefix.to_str().unwrap(), "--finite", "--format", "github"];
    let file = dir.path().join("summary.md");
    assert_eq!(with_summary(&file, &line), (Some(1), String::new()));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.len() < 1 << 20 && text.contains("\n… and 2,9"), "{}", &text[text.len() - 300..]);
    // What stands there already counts; what has no room is left out, and no row is cut.
    for (taken, room) in [((1 << 20) - 5000, true), ((1 << 20) - 10, false), (2 << 20, false)] {
        fs::write(&file, "x".repeat(taken)).unwrap();
        let (status, told) = with_summary(&file, &line);
        assert_eq!((status, told.contains("is full")), (Some(1), !room), "{told}");
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.len() <= (1 << 20).max(taken) && (text.len() > taken) == room && (!room || text.ends_with('\n')));
    }
    let (status, told) = with_summary(dir.path(), &line);
    assert!(status == Some(1) && told.contains("the summary of this step cannot be written"), "{told}");
    let (status, _) =
        with_summary(&dir.path().join("no/such/folder.md"), &["validate", "testdata/dtypes/all", "--format", "github"]);
    assert_eq!(status, Some(0));
}
