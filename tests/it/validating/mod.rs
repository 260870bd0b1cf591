//! What the tests of `validate` share: fixtures copied to where they can be damaged, running it, and looking at findings.
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "the test of hostile files, a program of its own, uses a part of this"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ckpt::analysis::{Code, Finding, Selector, Severity, ValidateOptions, Validation, validate};
use ckpt::base::limits::Limits;
use ckpt::base::progress::Progress;
use ckpt::read::checkpoint::Choice;
use ckpt_synth::BundleBuilder;
use tempfile::TempDir;

/// The options of a plain `ckpt validate`.
pub(crate) fn options() -> ValidateOptions {
    let selector = Selector::parse::<&str>(&[], false).unwrap();
    ValidateOptions {
        quick: false,
        finite: false,
        threads: 2,
        selector,
        choice: Choice::default(),
        serving: false,
        policy: None,
        share: None,
    }
}

/// Validates with these options; a path that leads nowhere is an error.
pub(crate) fn try_run(path: &Path, options: &ValidateOptions) -> ckpt::base::error::Result<Validation> {
    validate(path, options, &Limits::default(), &Progress::default())
}

/// Validates what `path` leads to.
pub(crate) fn run(path: &Path) -> Validation {
    try_run(path, &options()).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs the binary.
pub(crate) fn ckpt(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ckpt")).args(args).output().unwrap()
}

/// Standard output of the binary, which must end with this status.
pub(crate) fn ckpt_says(status: i32, args: &[&str]) -> String {
    let output = ckpt(args);
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{args:?}\n{out}\n{err}");
    out.into_owned()
}

/// A directory with nothing beside it: what is wrong with a checkpoint is looked for next door too.
pub(crate) struct Alone {
    _above: TempDir,
    path: PathBuf,
}

impl Alone {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A fixture of TensorFlow's in a directory of its own.
pub(crate) fn copy(fixture: &str) -> Alone {
    let above = tempfile::tempdir().unwrap();
    let path = above.path().join("dir");
    copy_tree(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(fixture), &path);
    Alone { _above: above, path }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let made_by_tensorflow = !["README.md", "expected.json", "make.py"].iter().any(|n| name == **n);
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &to.join(name));
        } else if made_by_tensorflow {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}

/// A synthetic bundle `m` in a directory of its own.
pub(crate) fn written(builder: BundleBuilder) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("m");
    builder.finish().write(&prefix).unwrap();
    (dir, prefix)
}

/// `prefix` with something behind it.
pub(crate) fn with(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The only data shard of a prefix.
pub(crate) fn data_of(prefix: &Path) -> PathBuf {
    with(prefix, ".data-00000-of-00001")
}

/// Changes a file.
pub(crate) fn edit(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

/// Bytes that look like weights.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4]
    };
    (0..len).map(|_| next()).collect()
}

/// The findings of error level.
pub(crate) fn errors(validation: &Validation) -> Vec<&Finding> {
    validation.findings.iter().filter(|finding| finding.severity == Severity::Error).collect()
}

/// A finding with everything that it says, in a line.
pub(crate) fn line(finding: &Finding) -> String {
    let cause = finding.cause.as_ref().map(|c| format!(" | {} | {}", c.certain, c.likely.as_deref().unwrap_or("-")));
    let help = finding.help.as_deref().unwrap_or("-");
    let (code, severity) = (finding.code.name(), finding.severity.name());
    format!("{severity} {code}: {}{} | {help}", finding.message, cause.unwrap_or_default())
}

/// All findings, a line each.
pub(crate) fn lines(validation: &Validation) -> String {
    validation.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The codes of all findings, each once, sorted by name.
pub(crate) fn codes(validation: &Validation) -> Vec<&'static str> {
    let mut codes: Vec<&str> = validation.findings.iter().map(|finding| finding.code.name()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The only finding with this code; it must have its usual severity and all these words.
pub(crate) fn only<'v>(validation: &'v Validation, code: Code, words: &[&str]) -> &'v Finding {
    let found: Vec<&Finding> = validation.findings.iter().filter(|finding| finding.code == code).collect();
    let [finding] = found.as_slice() else { panic!("{} {} findings\n{}", found.len(), code.name(), lines(validation)) };
    assert_eq!(finding.severity, code.severity(), "{}", line(finding));
    for word in words {
        assert!(line(finding).contains(word), "no {word:?} in {}", line(finding));
    }
    finding
}

/// The names of the tensors that findings with this code are about or explain.
pub(crate) fn tensors(validation: &Validation, code: Code) -> Vec<String> {
    let of_code = validation.findings.iter().filter(|finding| finding.code == code);
    of_code.flat_map(|f| f.tensor.iter().chain(&f.explains)).map(|t| String::from_utf8_lossy(t).into_owned()).collect()
}
