//! `validate` on files made to hurt: it answers each, soon, with findings for what is broken and none for what is odd.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use crate::validating::{line, options, try_run};
use ckpt::analysis::{Code, Severity};
use ckpt_synth::hostile::{Case, Verdict, cases};

/// Longer than any case takes on the slowest machine; reached only by a hang.
const HANG: Duration = Duration::from_secs(60);

/// Damaged cases in which there is nothing to warn of, with the reason.
const NOT_WARNED_OF: &[(&str, &str)] = &[];

/// Legal cases that have an error-level finding nevertheless, with the code and the reason.
const ASKED_FOR: &[(&str, Code, &str)] = &[
    ("header-no-tensors", Code::NothingChecked, "never green for nothing checked"),
    ("dtype-nan-and-inf", Code::NonFinite, "the test asks for --finite"),
];

/// The findings of a case as lines, with whether one is an error and whether one is more than a note. A path that leads
/// to no checkpoint is an error too: the command says it and ends with status 2.
fn meet(case: &Case) -> (Vec<String>, Severity) {
    let dir = tempfile::tempdir().unwrap();
    case.write(dir.path()).unwrap();
    let path: PathBuf = dir.path().join(&case.open);
    let (send, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let mut options = options();
        options.finite = true;
        let answer = match try_run(&path, &options) {
            Ok(validation) => {
                let worst = validation.findings.iter().map(|f| f.severity).max().unwrap_or(Severity::Note);
                (validation.findings.iter().map(line).collect(), worst)
            }
            Err(error) => (vec![format!("error: {error}")], Severity::Error),
        };
        let _ = send.send(answer);
    });
    let answer = match wait.recv_timeout(HANG) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{}: {}: no answer", case.name, case.what),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{}: {}: a panic", case.name, case.what),
    };
    thread.join().unwrap();
    answer
}

#[test]
fn broken_files_are_warned_of_and_odd_ones_are_not_errors() {
    let cases = cases();
    assert!(cases.len() > 150, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let (lines, worst) = meet(case);
        for line in &lines {
            assert!(!line.chars().any(char::is_control), "{}: {line:?} would reach a terminal", case.name);
        }
        let excused = NOT_WARNED_OF.iter().any(|(name, _)| *name == case.name);
        let excuse = ASKED_FOR.iter().find(|(name, ..)| *name == case.name).map(|(_, code, _)| code.name());
        let right = match case.verdict {
            Verdict::Damaged => (worst >= Severity::Warning) != excused,
            Verdict::Legal => {
                worst < Severity::Error || excuse.is_some_and(|code| lines.len() == 1 && lines[0].contains(code))
            }
            Verdict::Arguable => true,
        };
        if !right {
            wrong.push(format!("{:?} {} ({}): {lines:#?}", case.verdict, case.name, case.what));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
