//! The `checkpoint` state file against what lies in its directory, and the lines that would put it right.
//!
//! TensorFlow trusts this file alone (`python/checkpoint/checkpoint_management.py`): where it is missing, moved or stale
//! `latest_checkpoint` gives nothing, and a run that resumes by it begins anew. The lines are for people to put there:
//! nothing is written.

use std::fmt::Write as _;
use std::path::Path;

use crate::analysis::finding::{Code, Finding};
use crate::base::escape::{Escaped, escaped};
use crate::read::checkpoint::{Found, ModelDir};
use crate::read::finder::state::{CheckpointState, Outcome};

/// What is wrong with the state file of a directory. That there is none is no finding: not every writer makes one.
pub fn state_findings(dir: &ModelDir) -> Vec<Finding> {
    let Some(file) = &dir.state else { return Vec::new() };
    let mut findings = Vec::new();
    let mut found = |code: Code, message: String, help: &str| {
        findings.push(Finding::new(code, message).in_file(&file.path).with_help(help));
    };
    let state = match &file.content {
        Ok(Outcome::Loaded(state)) => state,
        Ok(Outcome::NoPath(_)) => {
            let message = "the state file names no checkpoint: TensorFlow raises ValueError".to_owned();
            found(Code::StateFileUnreadable, message, "put it aside, or write model_checkpoint_path into it");
            return findings;
        }
        // What TensorFlow makes of it, nobody tried.
        Err(error) => {
            let message = format!("the state file was not read: {error}");
            found(Code::StateFileUnreadable, message, "see that it can be read, and that it is what a saver wrote");
            return findings;
        }
        Ok(Outcome::Ignored(error) | Outcome::NotUtf8(error)) => {
            let message = format!("TensorFlow cannot read the state file: {error}");
            found(Code::StateFileUnreadable, message, "put it aside, or correct it");
            return findings;
        }
    };
    for (n, path) in listed(state).enumerate() {
        if dir.find(Path::new(path)).is_some() {
            continue;
        }
        let shown = Escaped(path.as_bytes());
        let what = if n == 0 { "the latest checkpoint" } else { "a checkpoint" };
        if dir.find(Path::new(base_name(path))).is_some() {
            let message =
                format!("the state file names {shown} as {what}; a checkpoint of that name lies here instead");
            found(Code::StateFileMoved, message, "the directory was moved; write relative paths into the state file");
        } else {
            let message = format!("the state file names {shown} as {what}, which does not exist");
            found(Code::StateFileStale, message, "deleted by hand, or a save was interrupted");
        }
    }
    findings
}

/// The lines of a state file that fits the directory, if the one that is there does not, or there is none. Only
/// complete checkpoints are listed; of those, only ones that were listed before, because a saver deletes what is listed
/// when its turn comes, and others may have been kept on purpose.
pub fn repair(dir: &ModelDir) -> Option<Vec<String>> {
    let state = match dir.state.as_ref().map(|file| &file.content) {
        Some(Ok(Outcome::Loaded(state))) => Some(state),
        _ => None,
    };
    let fits = |state: &CheckpointState| {
        let latest = dir.find(Path::new(&state.model_checkpoint_path));
        // That an older one is not whole disturbs nobody until it is asked for.
        latest.is_some_and(|found| found.complete) && listed(state).all(|path| dir.find(Path::new(path)).is_some())
    };
    if state.is_some_and(fits) {
        return None;
    }
    let here = |path: &String| dir.find(Path::new(path)).or_else(|| dir.find(Path::new(base_name(path))));
    let mut kept: Vec<&Found> = if let Some(state) = state {
        // Oldest first, and each once: the latest is listed twice.
        let mut found: Vec<&Found> = state.all_model_checkpoint_paths.iter().filter_map(here).collect();
        found.extend(here(&state.model_checkpoint_path));
        found
    } else {
        // Those of another name are perhaps of another model, whose saver has a state of its own.
        let group = dir.checkpoints.last().map(Found::group);
        dir.checkpoints.iter().filter(|found| Some(found.group()) == group).collect()
    };
    // A prefix that ends in `/` has no name of its own, and a state file cannot have it.
    let can_be_listed = |found: &&Found| found.complete && !found.prefix.base_name().is_empty();
    kept.retain(can_be_listed);
    // Without one that was listed, the newest that there is.
    let newest = || dir.checkpoints.iter().rev().find(can_be_listed);
    let latest = kept.last().copied().or_else(newest)?;
    kept.retain(|found| found.prefix != latest.prefix);
    kept.dedup_by(|a, b| a.prefix == b.prefix);
    let name = |found: &Found| found.prefix.base_name().to_string_lossy().into_owned();
    Some(state_lines(&name(latest), kept.into_iter().map(name)))
}

/// The lines of a state file that lists these checkpoints, the latest last.
pub(in crate::analysis) fn state_lines(latest: &str, before: impl Iterator<Item = String>) -> Vec<String> {
    let line = |key: &str, name: &str| format!("{key}: {}", quoted(name));
    let mut lines = vec![line("model_checkpoint_path", latest)];
    lines.extend(before.map(|name| line("all_model_checkpoint_paths", &name)));
    lines.push(line("all_model_checkpoint_paths", latest));
    lines
}

/// Every path that a state file has, the latest first.
fn listed(state: &CheckpointState) -> impl Iterator<Item = &String> {
    let latest = &state.model_checkpoint_path;
    std::iter::once(latest).chain(state.all_model_checkpoint_paths.iter().filter(move |path| *path != latest))
}

/// The last component. Windows paths arrive on other systems too.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A string of protobuf's text format.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => {
                let mut bytes = [0; 4];
                let c = c.encode_utf8(&mut bytes);
                if escaped(c.as_bytes()) == *c {
                    out.push_str(c);
                    continue;
                }
                // What could harm a terminal. Writing to a string cannot fail.
                for byte in c.bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(case: &str) -> Option<Vec<String>> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/model_dir").join(case);
        repair(&ModelDir::scan(&path, &crate::base::limits::Limits::default()).unwrap())
    }

    #[test]
    fn a_state_file_that_fits_needs_no_repair() {
        assert_eq!(lines("estimator"), None);
        assert_eq!(lines("manager"), None);
    }

    #[test]
    fn moved_stale_missing_and_incomplete_ones_get_lines_that_fit() {
        let moved = lines("moved").unwrap();
        assert_eq!(moved[0], "model_checkpoint_path: \"model.ckpt-200\"");
        assert!(moved.iter().all(|line| !line.contains('/')), "{moved:?}");
        assert_eq!(lines("stale").unwrap()[0], "model_checkpoint_path: \"ckpt-2\"");
        let missing = lines("no_state").unwrap();
        assert_eq!(missing[0], "model_checkpoint_path: \"model.ckpt-1000\"");
        assert_eq!(missing.last().unwrap(), "all_model_checkpoint_paths: \"model.ckpt-1000\"");
        assert_eq!(lines("run"), None, "an older one is not whole");
        assert_eq!(lines("bare"), None, "a prefix without a name");
    }

    #[test]
    fn a_latest_that_is_not_whole_is_replaced_by_the_newest_that_is() {
        let dir = tempfile::tempdir().unwrap();
        for step in [1, 2, 3] {
            let bundle = ckpt_synth::BundleBuilder::new().floats("w", &[1], &[1.0]).finish();
            bundle.write(&dir.path().join(format!("m-{step}"))).unwrap();
        }
        std::fs::remove_file(dir.path().join("m-3.data-00000-of-00001")).unwrap();
        let state = "model_checkpoint_path: 'm-3' all_model_checkpoint_paths: ['m-2', 'm-3']";
        std::fs::write(dir.path().join("checkpoint"), state).unwrap();
        let lines = repair(&ModelDir::scan(dir.path(), &crate::base::limits::Limits::default()).unwrap()).unwrap();
        // m-1 was not listed: it may have been kept for good.
        assert_eq!(lines, ["model_checkpoint_path: \"m-2\"", "all_model_checkpoint_paths: \"m-2\""]);
    }

    #[test]
    fn the_lines_are_read_back_as_what_they_mean() {
        for name in ["a\"b\\c\n\u{1b}[2J\u{9b}\u{202e}größe", "plain-1"] {
            let line = format!("model_checkpoint_path: {}", quoted(name));
            assert!(escaped(line.as_bytes()) == line, "{line:?}");
            assert_eq!(CheckpointState::parse(line.as_bytes()).unwrap().model_checkpoint_path, name);
        }
    }
}
