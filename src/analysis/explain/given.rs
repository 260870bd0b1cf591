//! Which checkpoint a program was given, where the message itself does not say: the log line in front of it, the line of
//! the program in the traceback, or a path elsewhere in the text that can be nothing else.

use super::misgiven::misgiven;
use super::pasted::{cut, member, paths, prefix, rest_of_line};
use super::{Diagnosis, clean::Cleaned};

/// What a Saver logs before it restores.
const LOGGED: &str = "Restoring parameters from ";

/// Calls that take the path of a checkpoint, most of them as their last argument.
const CALLS: [&str; 6] =
    [".restore(", ".load_weights(", "load_checkpoint(", "NewCheckpointReader(", "load_variable(", "list_variables("];

/// Endings of what stands in tracebacks and is no checkpoint.
const CODE: [&str; 8] = [".py", ".pyc", ".cc", ".cpp", ".h", ".so", ".js", ".ipynb"];

/// Says of a diagnosis which checkpoint it is about, if its message does not; and where that is no prefix, that this
/// explains the names that are missing.
pub(super) fn with_given(diagnosis: Diagnosis, text: &str) -> Diagnosis {
    if diagnosis.path.is_some() || diagnosis.dir.is_some() {
        return diagnosis;
    }
    let text = Cleaned::of(text).text();
    let given = restored_from(&text);
    if !diagnosis.missing.is_empty()
        && let Some(given) = given.filter(|path| member(path).is_some()).and_then(misgiven)
    {
        return Diagnosis { tensor: diagnosis.tensor, missing: diagnosis.missing, also: diagnosis.also, ..given };
    }
    let path = given.map(str::to_owned).or_else(|| evident(&text, &diagnosis.missing));
    let dir = if path.is_none() { directory(&text).map(str::to_owned) } else { None };
    Diagnosis { path, dir, ..diagnosis }
}

/// The directory in which a program looks for its newest checkpoint.
fn directory(text: &str) -> Option<&str> {
    let calls = ["latest_checkpoint(", "get_checkpoint_state("];
    let found = calls.iter().find_map(|call| last_literal(text.split_once(call)?.1))?;
    Some(found.trim_end_matches('/')).filter(|dir| !dir.is_empty())
}

/// What the program says that it restores from, the last time before it failed.
fn restored_from(text: &str) -> Option<&str> {
    let logged = text.rfind(LOGGED).and_then(|at| rest_of_line(text.get(at..)?, LOGGED));
    logged.or_else(|| {
        let calls = CALLS.iter().filter_map(|call| Some((text.rfind(call)?, *call)));
        let (at, call) = calls.max()?;
        last_literal(text.get(at..)?.get(call.len()..)?)
    })
}

/// The last argument of a call, if it is a literal: `sess, "run/model.ckpt-3")`.
fn last_literal(arguments: &str) -> Option<&str> {
    let line = cut(arguments, 2048).lines().next()?;
    let (inside, _) = line.split_once(')')?;
    let quote = inside.trim_end().chars().last().filter(|c| matches!(c, '"' | '\''))?;
    let inside = inside.trim_end().strip_suffix(quote)?;
    let (front, literal) = inside.rsplit_once(quote)?;
    // What is put together of parts, or found by another call, is not what stands there.
    let is_argument = !front.contains('(') && !front.trim_end().ends_with(['+', 'f', '%', '/']);
    (is_argument && !literal.is_empty() && !literal.contains('{')).then_some(literal)
}

/// The first path of a text that is that of a checkpoint by its name, wherever it stands. Names of variables have
/// separators too.
fn evident(text: &str, names: &[String]) -> Option<String> {
    paths(text).find(|path| {
        let last = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let is_named = last == "ckpt" || last.contains("ckpt-") || last.contains(".ckpt");
        let is_member = member(path).is_some_and(|(stem, _)| !stem.is_empty());
        let is_checkpoint = is_member || is_named || prefix(path) != path;
        is_checkpoint && !names.contains(path) && !CODE.iter().any(|end| path.ends_with(end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_restores_from() {
        for (text, path) in [
            ("INFO:tensorflow:Restoring parameters from run 1/model.ckpt-3\nKey w", "run 1/model.ckpt-3"),
            ("    saver.restore(sess, \"logs/m.ckpt-10.index\")\n", "logs/m.ckpt-10.index"),
            ("    model.load_weights('w/ckpt')", "w/ckpt"),
        ] {
            assert_eq!(restored_from(text), Some(path), "{text}");
        }
        for text in [
            "saver.restore(sess, tf.train.latest_checkpoint('logs'))",
            "saver.restore(sess, os.path.join(d, 'm.ckpt'))",
            "saver.restore(sess, FLAGS.path)",
            "saver.restore(sess, d + 'm.ckpt')",
            "saver.restore(sess, f'{d}/m.ckpt')",
        ] {
            assert_eq!(restored_from(text), None, "{text}");
        }
        assert_eq!(directory("+ in f(tf.train.latest_checkpoint('./ckpts/') + '.meta')"), Some("./ckpts"));
    }

    #[test]
    fn paths_of_checkpoints_are_told_from_names_and_from_code() {
        let names = ["m.ckpt/w".to_owned()];
        let found = |text: &str| evident(text, &names);
        assert_eq!(found("save/RestoreV2 in /x/ckpt.py: ./gpt/model.ckpt: Data loss"), Some("./gpt/model.ckpt".into()));
        assert_eq!(found("m.ckpt/w and dense/kernel"), None);
        assert_eq!(found("in ./ckpts/ and x/ckpt_utils"), None);
    }
}
