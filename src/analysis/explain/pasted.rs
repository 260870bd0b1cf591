//! Finding values in a pasted message: everything in it is text of strangers and may be anything.

use crate::escape::escaped;

/// Names and paths longer than this are not names and paths.
const LONGEST: usize = 2048;

/// The first `most` bytes of a text, or a few less where that would cut a character.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

/// A message as the program said it: without the colours of a terminal, the quotes of a web page, and its entities.
pub(super) fn cleaned(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        // CSI: parameters, and a letter that ends them.
        let body = escape.get(1..).unwrap_or_default();
        let end = body
            .strip_prefix('[')
            .map(|body| body.find(|c: char| c.is_ascii_alphabetic()).map_or(body.len(), |end| end + 1));
        rest = match end {
            Some(end) => body.get(end + 1..).unwrap_or_default(),
            None => body,
        };
    }
    out.push_str(rest);
    for (from, to) in [
        ("\u{2018}", "'"),
        ("\u{2019}", "'"),
        ("\u{201c}", "\""),
        ("\u{201d}", "\""),
        ("\u{a0}", " "),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&apos;", "'"),
        ("&quot;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
        ("\r\n", "\n"),
    ] {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    out
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

/// The last word in front of `after`.
pub(super) fn word_before<'t>(text: &'t str, after: &str) -> Option<&'t str> {
    let (front, _) = text.split_once(after)?;
    let word = front.trim_end().rsplit(|c: char| c.is_whitespace() || c == '"').next()?;
    let word = word.trim_matches(|c| matches!(c, '"' | '\'' | '`' | ';' | ':' | ','));
    (!word.is_empty() && word.len() <= LONGEST).then_some(word)
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

/// A path as an argument of a command that is suggested.
pub(super) fn argument(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@~:".contains(c);
    if !path.is_empty() && !path.starts_with('-') && path.chars().all(plain) {
        path.to_owned()
    } else {
        "PREFIX".into()
    }
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

/// The path of a shard or index as its prefix.
pub(super) fn prefix(path: &str) -> &str {
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

/// The paths in a message: words with a separator, or behind the words that messages put before paths.
pub(super) fn paths(text: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';')
    };
    let words = text.split(ends).map(|word| word.trim_end_matches(['.', ':']).trim_start_matches("b'"));
    words.filter(|word| {
        word.len() > 1
            && word.len() < LONGEST
            && (word.contains('/') || member(word).is_some())
            && !word.contains("://")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_their_places() {
        assert_eq!(between("lhs shape= [2,3] rhs", "lhs shape= [", "]"), Some("2,3"));
        assert_eq!(word("valid checkpoint: /a/b.ckpt-1.", "valid checkpoint:"), Some("/a/b.ckpt-1"));
        assert_eq!(
            word_before("x: /a/m.data-00000-of-00001; No such file", "; No such"),
            Some("/a/m.data-00000-of-00001")
        );
        assert_eq!(number("shard 0 (401408 bytes)", "("), Some(401_408));
        assert_eq!(number("(99999999999999999999 bytes)", "("), None);
        assert_eq!(dims("128,"), Some(vec![128]));
        assert_eq!(dims("2, 3"), Some(vec![2, 3]));
        assert_eq!(dims("?, 3"), None);
        assert_eq!(count(0) + " " + &count(999) + " " + &count(2_359_296), "0 999 2,359,296");
        assert_eq!(prefix("a/m.ckpt-2.data-00000-of-00001"), "a/m.ckpt-2");
    }

    #[test]
    fn hostile_names_become_harmless() {
        assert_eq!(quoted("a\x1b[2J"), "'a\\x1b[2J'");
        assert_eq!(argument("a b; rm -rf /"), "PREFIX");
        assert_eq!(argument("-rf"), "PREFIX");
    }
}
