//! `ckpt report`: the page as a parser sees it, its policy, its sizes, names that would be markup, and in a browser.

mod browser;
mod made;
mod screenshot;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ckpt_synth::BundleBuilder;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::support::testdata;
use made::{Page, page, page_of, safetensors};

/// The page as XML, which nothing in it may spoil.
fn parsed(page: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(page, options).unwrap_or_else(|error| panic!("{error}\n{page}"))
}

fn texts(node: Node<'_, '_>) -> String {
    let all = node.descendants().filter(Node::is_text).filter_map(|node| node.text());
    all.collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn by_id<'a, 'i>(document: &'a Document<'i>, id: &str) -> Option<Node<'a, 'i>> {
    document.descendants().find(|node| node.attribute("id") == Some(id))
}

fn data(document: &Document<'_>) -> Value {
    serde_json::from_str(by_id(document, "data").unwrap().text().unwrap()).unwrap()
}

/// The names in the JSON, as the script puts them together.
fn names(data: &Value) -> Vec<String> {
    let mut before: Vec<u16> = Vec::new();
    let rows = data["rows"].as_array().unwrap().iter();
    let name = |row: &Value| {
        let same = usize::try_from(row[0].as_u64().unwrap()).unwrap();
        before.truncate(same);
        before.extend(row[1].as_str().unwrap().encode_utf16());
        String::from_utf16(&before).unwrap()
    };
    rows.map(name).collect()
}

/// What must hold of every page, whatever is in it.
fn check(page: &str) -> Document<'_> {
    let document = parsed(page);
    let all = |name: &str| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(("http://www.w3.org/1999/xhtml", name)))
            .collect::<Vec<_>>()
    };
    // The policy names what is there, and nothing else runs.
    let policy = all("meta").into_iter().find(|node| node.attribute("http-equiv").is_some()).unwrap();
    let policy = policy.attribute("content").unwrap();
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let between = |open: &str, close: &str| {
        let at = page.rfind(open).unwrap() + open.len();
        &page[at..at + page[at..].find(close).unwrap()]
    };
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(policy.contains(&format!("script-src 'sha256-{}';", hash(between("<script>", "</script>")))), "{policy}");
    assert!(policy.contains(&format!("style-src 'sha256-{}';", hash(between("<style>", "</style>")))), "{policy}");
    assert_eq!(all("style").len(), 1);
    let scripts = all("script");
    let kinds: Vec<_> = scripts.iter().map(|script| script.attribute("type")).collect();
    assert_eq!(kinds, [Some("application/json"), None]);
    for node in document.descendants() {
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(!name.starts_with("on") && name != "style" && name != "src" && name != "srcset", "{name}={value}");
            let is_own = value.starts_with('#') || value == "data:,";
            assert!(name != "href" || is_own, "{name}={value}");
        }
    }
    // For those who listen: every table says what it is, every picture too, every heading has its section.
    for table in all("table") {
        assert!(table.children().any(|node| node.tag_name().name() == "caption"), "{}", texts(table));
        let heads = table.descendants().filter(|node| node.tag_name().name() == "th");
        assert!(heads.clone().count() > 0 && heads.clone().all(|head| head.attribute("scope").is_some()));
    }
    for svg in document.descendants().filter(|node| node.tag_name().name() == "svg") {
        let is_told = svg.attribute("aria-label").is_some() || svg.attribute("aria-hidden") == Some("true");
        assert!(is_told, "a picture without words");
    }
    // What scrolls by itself does so with keys, too.
    let scrolls = |node: &Node<'_, '_>| {
        node.tag_name().name() == "pre" || node.attribute("class").is_some_and(|class| class.starts_with("scroll"))
    };
    for node in document.descendants().filter(scrolls) {
        assert_eq!(node.attribute("tabindex"), Some("0"), "{node:?}");
    }
    for node in document.descendants().filter(|node| node.attribute("aria-labelledby").is_some()) {
        assert!(by_id(&document, node.attribute("aria-labelledby").unwrap()).is_some());
    }
    let mut ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id that two have");
    for link in all("a") {
        let id = link.attribute("href").unwrap().trim_start_matches('#');
        assert!(by_id(&document, id).is_some(), "{id}");
    }
    document
}

#[test]
fn the_first_screen_says_what_inspect_and_validate_say() {
    let Page { text, line, status } = page(&testdata().join("saver_v2/sharded_adam/model.ckpt-200"), &["--stats"]);
    assert_eq!(status, 0);
    assert!(line.contains("intact · 14 of 14 tensors verified"), "{line}");
    let document = check(&text);
    assert!(texts(by_id(&document, "verdict").unwrap()).contains("intact · 14 of 14 tensors verified"));
    let facts = texts(by_id(&document, "facts").unwrap());
    for fact in [
        "kind name-based checkpoint (tf.compat.v1 Saver)",
        "step step 200",
        "optimizer Adam",
        "parameters of the model 44",
        "parameters of the optimizer 90",
        "3 shards, complete",
    ] {
        assert!(facts.contains(fact), "{fact}: {facts}");
    }
    assert!(texts(by_id(&document, "findings").unwrap()).contains("0 errors, 0 warnings"));
    // The numbers are there without a script, and again for it.
    let table = texts(by_id(&document, "static").unwrap());
    assert!(table.contains("dense/kernel/Adam float32 3×5 60 B slot (Adam) -0.5839 0.4139"), "{table}");
    let data = data(&document);
    let names = names(&data);
    let at = names.iter().position(|name| name == "dense/kernel/Adam").unwrap();
    assert_eq!(data["stats"][at][0], "-0.5839");
    assert_eq!((data["stats"][at][7].as_str().unwrap().len(), data["stats"][at][8].as_str().unwrap().len()), (32, 3));
    assert_eq!(names.len(), 14);
}

#[test]
fn what_is_wrong_is_told_with_its_cause() {
    let Page { text, line, status } = page(&testdata().join("cases/40-mispaired-tf2/run"), &[]);
    assert_eq!(status, 1);
    assert!(line.contains("2 checkpoints: NOT intact"), "{line}");
    let document = check(&text);
    let findings = texts(by_id(&document, "findings").unwrap());
    assert!(findings.contains("mispaired-data ckpt-1.data-00000-of-00001 does not belong to this index"), "{findings}");
    assert!(findings.contains("certain all 9 tensors that differ have the checksums in ckpt-2.index"), "{findings}");
    assert!(findings.contains("do the index of this data is ckpt-2.index"), "{findings}");
    // The directory, in the words of `log`.
    let times = texts(by_id(&document, "times").unwrap());
    assert!(times.contains("2 checkpoints") && times.contains("ckpt-2 ◀ latest"), "{times}");
    assert!(texts(by_id(&document, "limits").unwrap()).contains("Values were not looked at"));
}

#[test]
fn a_checkpoint_that_cannot_be_opened_has_a_page_with_the_cause() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = BundleBuilder::new().floats("w", &[4], &[1.0, 2.0, 3.0, 4.0]).finish();
    bundle.write(&dir.path().join("m")).unwrap();
    let index = dir.path().join("m.index");
    let mut bytes = std::fs::read(&index).unwrap();
    bytes.truncate(bytes.len() - 20);
    std::fs::write(&index, bytes).unwrap();
    let Page { text, status, .. } = page(&dir.path().join("m"), &["--stats"]);
    assert_eq!(status, 2);
    let document = check(&text);
    assert!(texts(by_id(&document, "findings").unwrap()).contains("not-a-table"));
    assert!(data(&document).is_null());
}

#[test]
fn names_are_text_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let names: [&[u8]; 9] = [
        b"</script><script>alert(1)</script>",
        b"<img src=x onerror=alert(1)>/kernel",
        b"a\" onload=\"alert(1)/kernel",
        b"]]>&lt;&#0;<!--",
        b"esc\x1b[31m\x00nul",
        b"\xff\xfe not utf-8",
        "\u{202e}turned/\u{fffe}\u{ffff}\u{1f600}".as_bytes(),
        "\u{1f600}\u{1f601}".as_bytes(),
        b"${alert(1)}{{7*7}}`",
    ];
    let mut bundle = BundleBuilder::new();
    let mut sorted = names;
    sorted.sort_unstable();
    for (n, name) in sorted.iter().enumerate() {
        let value = if n == 3 { f32::NAN } else { 1.0 };
        bundle = bundle.floats(name, &[8], &[value; 8]);
    }
    let prefix = dir.path().join("<b>&'\"m");
    bundle.finish().write(&prefix).unwrap();
    let Page { text, status, .. } = page(&prefix, &["--stats"]);
    assert_eq!(status, 1, "NaN");
    let document = check(&text);
    assert!(!text.contains("<img") && !text.contains("<b>&") && !text.contains('\u{202e}') && !text.contains('\u{1b}'));
    let all = names_in(&document);
    let expected = |name: &[u8]| {
        let shown = ckpt::base::escape::escaped(name).into_owned();
        shown.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
    };
    assert_eq!(all, sorted.map(expected));
    let table = texts(by_id(&document, "static").unwrap());
    assert!(table.contains("<img src=x onerror=alert(1)>/kernel"), "{table}");
    // Against another one of such names, too.
    BundleBuilder::new().floats("</td><script>1", &[8], &[2.0; 8]).finish().write(&dir.path().join("n")).unwrap();
    let against = dir.path().join("n");
    let Page { text, .. } = page(&prefix, &["--against", against.to_str().unwrap()]);
    let document = check(&text);
    assert!(texts(by_id(&document, "changes").unwrap()).contains("</td><script>1 8: added float32"));
}

fn names_in(document: &Document<'_>) -> Vec<String> {
    names(&data(document))
}

#[test]
fn what_changed_is_told_by_layer_and_by_size() {
    let dir = testdata().join("saver_v2/sharded_adam");
    let against = dir.join("model.ckpt-200");
    let Page { text, line, status } = page(&dir.join("model.ckpt-0"), &["--against", against.to_str().unwrap()]);
    assert_eq!(status, 0, "a change is no fault");
    assert!(line.ends_with("· differ"), "{line}");
    let document = check(&text);
    let changes = texts(by_id(&document, "changes").unwrap());
    assert!(changes.contains("differ : 13 changed · 1 identical by checksum"), "{changes}");
    // The layer that changed most comes first, and only weights count there.
    let layers = texts(by_id(&document, "layers").unwrap());
    assert!(layers.contains("(top level) 0.8337 embedding 0.8337 dense 0.7792 bias 0.4253 kernel 0.7792"), "{layers}");
    assert!(!layers.contains("Adam"), "{layers}");
    let largest = texts(by_id(&document, "largest").unwrap());
    assert!(largest.contains("embedding/Adam 1 0.5955 100 %"), "{largest}");
    assert!(by_id(&document, "restores").is_none(), "a checkpoint is no model");
}

#[test]
fn a_model_is_answered_with_the_verdict_of_a_restore() {
    let dir = testdata().join("restore/hidden_units");
    let against = dir.join("v1.meta");
    let Page { text, line, status } = page(&dir.join("v0"), &["--against", against.to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(line.contains("does NOT restore"), "{line}");
    let document = check(&text);
    let restores = texts(by_id(&document, "restores").unwrap());
    assert!(restores.contains("does NOT restore") && restores.contains("3 fit · 6 differ"), "{restores}");
    assert!(restores.contains("Differ (6) name model wants checkpoint has"), "{restores}");
    assert!(restores.contains("raises InvalidArgumentError"), "{restores}");
    // One fault is told once.
    let findings = texts(by_id(&document, "findings").unwrap());
    assert!(findings.contains("0 errors") && findings.contains("6 more of the restore"), "{findings}");
    assert!(by_id(&document, "changes").is_none(), "a graph has no values to compare with");
}

#[test]
fn pages_keep_to_their_sizes_and_say_what_they_left_out() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a.safetensors", "b.safetensors"].map(|name| dir.path().join(name));
    let long = |n: usize| format!("model/transformer/encoder/layer_{}/attention/output/kernel_{n}", n / 10);
    safetensors(&a, 1000, 24, long, 0.0);
    safetensors(&b, 1000, 24, long, 0.5);
    let Page { text, .. } = page(&a, &["--stats", "--against", b.to_str().unwrap()]);
    let document = check(&text);
    assert!(text.len() < 300_000, "{} bytes", text.len());
    assert_eq!(names_in(&document).len(), 1000);
    // Fifty thousand of them, and of names that have little in common.
    safetensors(&a, 50_000, 2, |n| format!("{:016x}/{}", (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), long(n)), 0.0);
    let Page { text, line, .. } = page(&a, &["--stats"]);
    assert!(text.len() < 3_000_000, "{} bytes", text.len());
    let document = check(&text);
    let told = names_in(&document).len();
    let limits = texts(by_id(&document, "limits").unwrap());
    let says = format!("The table names {} of 50,000 tensors", ckpt::report::count(told as u64));
    assert!(told == 50_000 || limits.contains(&says), "{told}: {limits}");
    assert!(limits.contains("There was room for the curves of"), "{limits}");
    assert!(line.contains("NaN or infinity in 1 tensor"), "{line}");
    // The one with NaN is there, whatever its size.
    let table = texts(by_id(&document, "static").unwrap());
    let begins: String = table.chars().take(400).collect();
    assert!(begins.contains("1 NaN") && begins.contains(" of 50,000 tensors, the largest first"), "{begins}");
}

#[test]
fn only_pages_are_replaced_and_nothing_half() {
    let dir = tempfile::tempdir().unwrap();
    let from = testdata().join("saver_v2/sharded_adam/model.ckpt-200");
    let out = dir.path().join("page.html");
    std::fs::write(&out, "<!DOCTYPE html><p>mine</p>").unwrap();
    let refused = page_of(&from, &out, &[]);
    assert_eq!(refused.status, 2);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "<!DOCTYPE html><p>mine</p>");
    assert_eq!(page_of(&from, &out, &["--force"]).status, 0);
    let first = std::fs::read_to_string(&out).unwrap();
    assert_eq!(page_of(&from, &out, &[]).status, 0, "its own page is replaced");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), first, "the same page of the same files");
    assert_eq!(page_of(Path::new("nowhere"), &out, &[]).status, 2);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), first);
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["page.html"], "nothing beside it");
}

#[test]
fn every_kind_of_checkpoint_has_a_page() {
    for kind in [
        "saver_v1/single",
        "saved_model",
        "keras/v3",
        "hdf5/types",
        "npz/saved",
        "safetensors/dtypes",
        "dtypes/all",
        "object_graph/keras3",
        "state",
        "serving",
    ] {
        for path in made::checkpoints_in(&testdata().join(kind)).into_iter().take(2) {
            let Page { text, status, line } = page(&path, &["--stats"]);
            assert!(status <= 2 && !line.is_empty(), "{}", path.display());
            let document = check(&text);
            let has = by_id(&document, "facts").is_some_and(|facts| texts(facts).contains("kind"));
            assert!(has, "{}", path.display());
        }
    }
}
