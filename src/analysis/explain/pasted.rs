//! Finding values in a pasted message: everything in it is text of strangers and may be anything.

use crate::base::escape::escaped;

/// Names and paths longer than this are not names and paths.
const LONGEST: usize = 2048;

/// The first `most` bytes of a text, or a few less where that would cut a character.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// The last `most` bytes of a text, or a few less where that would cut a character.
pub(super) fn end(text: &str, most: usize) -> &str {
    let start = (text.len().saturating_sub(most)..=text.len()).find(|at| text.is_char_boundary(*at));
    start.and_then(|start| text.get(start..)).unwrap_or_default()
}

/// What stands between `before` and the nearest `after` behind it.
pub(super) fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    let rest = cut(rest, LONGEST);
    rest.split_once(after).map(|(found, _)| found)
}

/// The word behind `before`, without the quotes and stops around it.
pub(super) fn word<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    let rest = cut(rest, LONGEST);
    let word = rest.trim_start().split(char::is_whitespace).next()?;
    let word = word.trim_matches(|c| matches!(c, '"' | '\'' | '`' | ',' | ';' | ')' | '(' | ':')).trim_end_matches('.');
    (!word.is_empty()).then_some(word)
}

/// A path or a name behind `before`, to the end of what TensorFlow puts on the line: it may have blanks in it.
pub(super) fn rest_of_line<'t>(text: &'t str, before: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    let line = cut(rest, LONGEST).trim_start_matches([' ', '\n']).lines().next()?;
    // What follows on the line is TensorFlow's: the op, the node, the next sentence.
    let ends = [" [Op:", " [[", "\t", ": ", ". Check", ". Please", " (error ", " for servable", "; Unsuccessful"];
    let end = ends.iter().filter_map(|end| line.find(end)).min().unwrap_or(line.len());
    let found = line.get(..end)?.trim().trim_end_matches(['.', ':', ',', ';']);
    let found = found.strip_prefix('b').filter(|rest| rest.starts_with(['\'', '"'])).unwrap_or(found);
    let found = found.trim_matches(['"', '\'', '`']);
    (!found.is_empty()).then_some(found)
}

/// The path in front of `after`, which may have blanks: back to where a message begins.
pub(super) fn path_before<'t>(text: &'t str, after: &str) -> Option<&'t str> {
    let (front, _) = text.split_once(after)?;
    let line = front.rsplit('\n').next()?;
    // `NotFoundError: PATH`, `{{function_node …}} PATH`, `(0) Not found: PATH`, `open "PATH`; a name may have quotes.
    let begins = [": ", "}} ", "] ", " \"", " '", "(", "\t"];
    let at = begins.iter().filter_map(|begin| Some(line.rfind(begin)? + begin.len())).max().unwrap_or(0);
    let path = line.get(at..)?.trim().trim_start_matches(['"', '\'']);
    let is_path = !path.is_empty() && path.len() <= LONGEST;
    // With blanks in it and no separator it is a sentence.
    (is_path && (!path.contains(' ') || path.contains(['/', '\\']))).then_some(path)
}

/// The digits behind `before`, as a number.
pub(super) fn number(text: &str, before: &str) -> Option<u64> {
    leading_number(text.split_once(before)?.1)
}

/// The digits at the beginning, as a number.
pub(super) fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Dimensions in TensorFlow's `[2,3]` or Python's `(2, 3)`, without their brackets.
pub(super) fn dims(text: &str) -> Option<Vec<u64>> {
    let text = text.trim().trim_end_matches(',');
    if text.is_empty() {
        return Some(Vec::new());
    }
    text.split(',').map(|dim| dim.trim().parse().ok()).collect()
}

/// A piece of the message, made harmless for a terminal, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", escaped(text.as_bytes()))
}

/// A shape as people write it.
pub(super) fn shape(dims: &[u64]) -> String {
    if dims.is_empty() {
        return "() (a scalar)".to_owned();
    }
    let dims: Vec<String> = dims.iter().map(u64::to_string).collect();
    if dims.len() == 1 { format!("[{}]", dims.concat()) } else { dims.join("×") }
}

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len() % 3);
    let mut groups: Vec<&str> = if head.is_empty() { Vec::new() } else { vec![head] };
    groups.extend(tail.as_bytes().chunks(3).filter_map(|group| std::str::from_utf8(group).ok()));
    groups.join(",")
}

/// The path of a shard or index as its prefix, also while it is being written: `PREFIX.index.tempstate7`,
/// `PREFIX_temp/part-00000-of-00001.index`.
pub(super) fn prefix(path: &str) -> &str {
    let path = path.rfind(".tempstate").and_then(|at| path.get(..at)).unwrap_or(path);
    let dir = ["/part-", "\\part-"].iter().find_map(|part| path.get(..path.rfind(part)?));
    if let Some(stem) = dir.and_then(|dir| dir.get(..dir.rfind("_temp")?)).filter(|stem| !stem.ends_with(['/', '\\'])) {
        return stem;
    }
    let path = path.strip_suffix(".index").unwrap_or(path);
    path.rfind(".data-").and_then(|at| path.get(..at)).unwrap_or(path)
}

/// A path that ends as one of the files of a checkpoint does: its prefix, and that end.
pub(super) fn member(path: &str) -> Option<(&str, &str)> {
    for end in [".index", ".meta"] {
        if let Some(stem) = path.strip_suffix(end) {
            return Some((stem, end));
        }
    }
    let at = path.rfind(".data-")?;
    let (stem, end) = path.split_at(at);
    end.contains("-of-").then_some((stem, end))
}

/// The paths in a message: words with a separator, or that end as files of checkpoints do.
pub(super) fn paths(text: &str) -> impl Iterator<Item = String> {
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';')
    };
    // Of a traceback the frames are no paths of checkpoints.
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("File \""));
    let words = lines.flat_map(move |line| line.split(ends)).map(|word| word.trim_end_matches(['.', ':', '/']));
    let files = [".h5", ".hdf5", ".keras", ".pb", ".pbtxt", ".safetensors", ".npz", ".npy", ".ckpt"];
    let is_path = move |word: &&str| {
        let is_file = files.iter().any(|end| word.strip_suffix(end).is_some_and(|stem| !stem.is_empty()));
        let separated = word.contains('/') || (word.contains('\\') && !word.starts_with('\\'));
        word.len() > 1 && word.len() < LONGEST && (separated || is_file || member(word).is_some())
    };
    // `filepath=x.h5`, `name=x.h5`
    words.filter(is_path).map(|word| word.rsplit_once('=').map_or(word, |(_, path)| path).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_their_places() {
        assert_eq!(between("lhs shape= [2,3] rhs", "lhs shape= [", "]"), Some("2,3"));
        assert_eq!(word("valid checkpoint: /a/b.ckpt-1.", "valid checkpoint:"), Some("/a/b.ckpt-1"));
        assert_eq!(rest_of_line("matching files for a b/c-1 [Op:RestoreV2]", "files for"), Some("a b/c-1"));
        assert_eq!(rest_of_line("Cannot parse file b'a/b.pb'", "parse file"), Some("a/b.pb"));
        for text in [
            "x.NotFoundError: a b/m.data-00000-of-00001; No such file",
            "{{function_node f}} a b/m.data-00000-of-00001; No such file",
            "  (0) Not found: a b/m.data-00000-of-00001; No such file",
        ] {
            assert_eq!(path_before(text, "; No such"), Some("a b/m.data-00000-of-00001"), "{text}");
        }
        assert_eq!(path_before("the file was; No such", "; No such"), None);
        assert_eq!(number("shard 0 (401408 bytes)", "("), Some(401_408));
        assert_eq!(number("(99999999999999999999 bytes)", "("), None);
        assert_eq!(dims("128,"), Some(vec![128]));
        assert_eq!(dims("2, 3"), Some(vec![2, 3]));
        assert_eq!(dims("?, 3"), None);
        assert_eq!(count(0) + " " + &count(999) + " " + &count(2_359_296), "0 999 2,359,296");
        for file in [
            "a/m.ckpt-2.data-00000-of-00001",
            "a/m.ckpt-2.index.tempstate887",
            "a/m.ckpt-2_temp/part-00000-of-00001.index",
            "a/m.ckpt-2_temp_9f3a/part-00001-of-00003.data-00000-of-00001.tempstate7",
        ] {
            assert_eq!(prefix(file), "a/m.ckpt-2", "{file}");
        }
        assert_eq!(prefix("a_temp/m.ckpt-2.index"), "a_temp/m.ckpt-2");
    }

    #[test]
    fn paths_of_every_kind_are_found() {
        let text = "at: a/{saved_model.pb} for C:\\run\\m.ckpt-3, filepath=x.h5. gs://b/m-1 'm.index' plain words";
        let found: Vec<String> = paths(text).collect();
        assert_eq!(found, ["saved_model.pb", "C:\\run\\m.ckpt-3", "x.h5", "gs://b/m-1", "m.index"]);
    }

    #[test]
    fn hostile_names_become_harmless() {
        assert_eq!(quoted("a\x1b[2J"), "'a\\x1b[2J'");
    }
}
