//! The pages in `docs/`: listed in the book, linked to what there is, and every command on them run.
//!
//! - `console` blocks are commands with what they print; `cmd` compares them.
//! - `sh` blocks are commands alone, one a line: run here, in a directory of their own in which `testdata` is that of the
//!   project.
//! - `text` blocks that begin with `$ ckpt` are screens that show times of files, which differ from clone to clone: compared
//!   here, but for the times. `CKPT_UPDATE=1 cargo test --test it book` writes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use super::cmd::ENVIRONMENT;

/// Pages whose commands have tests of their own.
const RUN_ELSEWHERE: [&str; 1] = ["docs/git.md"];

/// What a line may begin with besides `ckpt`, and what runs it.
const OTHER_LINES: [(&str, &str); 10] = [
    ("cargo run -- ", "as `cargo run`, below"),
    ("cargo run --release -p ckpt-bench", "measures, for minutes"),
    ("cargo test ", "`.ci/run`"),
    ("cargo install ", "takes minutes and a network"),
    ("cargo binstall ", "takes a release"),
    ("pip install ", "`.ci/run` installs the wheel"),
    ("python/build", "`.ci/run`"),
    (".ci/run", "itself"),
    ("echo '*.index diff=ckpt'", "the test of docs/git.md"),
    ("git config diff.ckpt.textconv", "the test of docs/git.md"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All pages of the book and those beside it.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|p| is_markdown(p))
        .collect();
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "python/README.md"] {
        pages.push(root().join(page));
    }
    pages.sort();
    pages
}

fn is_markdown(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

/// The lines of a page with whether they are in a block, and in which language.
fn lines(text: &str) -> Vec<(Option<&str>, &str)> {
    let mut block: Option<&str> = None;
    let mut all = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, block) => all.push((block, line)),
        }
    }
    assert!(block.is_none(), "a block that does not end");
    all
}

/// What the heading is called in a link, as mdBook and the usual hosts call it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = lines(text).into_iter().filter(|(block, _)| block.is_none()).filter_map(|(_, line)| {
        let heading = line.trim_start_matches('#');
        (heading.len() < line.len()).then(|| anchor(heading.trim()))
    });
    headings.collect()
}

/// The targets of the links of a line, but for what stands as code.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').step_by(2).flat_map(|text| {
        let behind = text.split("](").enumerate().filter(|(n, _)| *n > 0);
        behind.filter_map(|(_, rest)| rest.split_once(')')).map(|(target, _)| target)
    })
}

#[test]
fn every_page_is_in_the_book() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<&str> = summary.lines().flat_map(links).collect();
    let there: BTreeSet<String> = pages()
        .iter()
        .filter_map(|page| page.strip_prefix(&docs).ok().map(|page| page.to_str().unwrap().to_owned()))
        .filter(|page| page != "SUMMARY.md")
        .collect();
    assert_eq!(listed.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), there);
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for target in lines(&text).into_iter().filter(|(block, _)| block.is_none()).flat_map(|(_, line)| links(line)) {
            if target.contains("://") {
                continue;
            }
            let (file, heading) =
                target.split_once('#').map_or((target, None), |(file, heading)| (file, Some(heading)));
            let to = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(to.exists(), "{}: {target} leads nowhere", page.display());
            let in_book = page.starts_with(root().join("docs"));
            assert!(!in_book || !file.starts_with("../"), "{}: {target} leads out of the book", page.display());
            if let Some(heading) = heading {
                let there = anchors(&fs::read_to_string(&to).unwrap());
                assert!(there.contains(heading), "{}: {target} has no such heading: {there:?}", page.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed}");
}

#[test]
fn the_screens_are_real() {
    let time = Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    let over = Regex::new(r" · over [^·\n]*[^·\n ]").unwrap();
    let timeless = |text: &str| over.replace_all(&time.replace_all(text, "(time)"), "").into_owned();
    let mut compared = 0;
    for page in pages() {
        let mut text = fs::read_to_string(&page).unwrap();
        let screens: Vec<String> =
            text.split("```text\n$ ckpt ").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()).collect();
        for screen in screens {
            let (arguments, shown) = screen.split_once('\n').unwrap();
            let mut command = Command::new(env!("CARGO_BIN_EXE_ckpt"));
            let output = command.args(arguments.split(' ')).current_dir(root()).envs(ENVIRONMENT).output().unwrap();
            assert!(output.status.code().is_some_and(|code| code < 2) && output.stderr.is_empty(), "{arguments}");
            let printed = String::from_utf8(output.stdout).unwrap();
            if timeless(shown) != timeless(&printed) {
                assert!(std::env::var_os("CKPT_UPDATE").is_some(), "{}: {arguments} prints\n{printed}", page.display());
                text = text.replace(&screen, &format!("{arguments}\n{printed}"));
                fs::write(&page, &text).unwrap();
            }
            compared += 1;
        }
    }
    assert!(compared >= 4, "{compared}");
}

/// One line, run where `testdata` and `out/` are; what it says when it ends otherwise than the page promises.
#[cfg(unix)]
fn run(line: &str, scratch: &Path) -> Result<(), String> {
    // `… # exit 1` promises a status.
    let (command, status) = line.split_once("  # exit ").map_or((line, "0"), |(command, status)| (command, status));
    let command = command.replacen("cargo run -- ", "ckpt ", 1);
    let bin = Path::new(env!("CARGO_BIN_EXE_ckpt")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").args(["-c", &command]).current_dir(scratch).env("PATH", path).output().unwrap();
    if output.status.code().map(|code| code.to_string()).as_deref() == Some(status) {
        return Ok(());
    }
    Err(format!("{line}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
}

#[cfg(unix)]
#[test]
fn every_command_of_the_pages_runs() {
    let mut ran = 0;
    for page in pages() {
        if RUN_ELSEWHERE.iter().any(|other| page.ends_with(other)) {
            continue;
        }
        let text = fs::read_to_string(&page).unwrap();
        for block in text.split("\n```sh\n").skip(1).map(|rest| rest.split_once("\n```").unwrap().0) {
            let scratch = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(root().join("testdata"), scratch.path().join("testdata")).unwrap();
            fs::create_dir(scratch.path().join("out")).unwrap();
            for line in block.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                if line.starts_with("ckpt ") || line.starts_with("cargo run -- ") {
                    run(line, scratch.path()).unwrap_or_else(|why| panic!("{}: {why}", page.display()));
                    ran += 1;
                } else {
                    let known = OTHER_LINES.iter().any(|(other, _)| line.starts_with(other));
                    assert!(known, "{}: no test runs this line: {line}", page.display());
                }
            }
        }
    }
    assert!(ran > 30, "{ran}");
}
