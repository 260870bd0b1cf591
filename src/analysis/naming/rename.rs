//! Renaming tensors: `s/regex/replacement/flags`, as sed has it, for `--map`.
//!
//! The regular expression is one of Rust's regex crate (sed -E with more), the replacement is sed's: `\1` to `\9` are
//! groups, `&` is all that matched, `\&` and `\\` are those characters. Any character may stand for the `/`, and with
//! a backslash before it it is itself. Flags: `g` for every match instead of the first, `i` for any case.

use std::borrow::Cow;

use regex::bytes::{Captures, Regex, RegexBuilder};

use super::rename_table::RenameTable;
use crate::base::error::{Error, ErrorKind, Result};

/// One substitution.
#[derive(Clone, Debug)]
pub struct Rename {
    regex: Regex,
    replacement: Vec<Piece>,
    all: bool,
}

/// Names one by one, then substitutions, each applied to what the one before it made.
#[derive(Clone, Debug, Default)]
pub struct Renames {
    /// Names that are changed as they stand here.
    pub table: RenameTable,
    /// What is done with all of them.
    pub rules: Vec<Rename>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    /// A group; 0 is all that matched.
    Group(usize),
}

const HELP: &str = "written as sed does: 's|^old/|new/|', with any sign for the |; flags g and i";

impl Rename {
    /// Parses `s/regex/replacement/flags`.
    ///
    /// # Errors
    /// If it is not written so, with how it is written.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| Error::new(ErrorKind::Request(format!("{text:?}: {why}"))).with_help(HELP);
        let mut chars = text.chars();
        if chars.next() != Some('s') {
            return Err(bad("a substitution begins with s".to_owned()));
        }
        let delimiter = chars.next().filter(|c| !c.is_alphanumeric() && !c.is_whitespace() && *c != '\\');
        let delimiter = delimiter.ok_or_else(|| bad("behind the s stands a sign that separates, such as /".into()))?;
        let rest = chars.as_str();
        let (pattern, rest) = until(rest, delimiter).ok_or_else(|| bad(format!("a {delimiter} is missing")))?;
        let (replacement, flags) =
            until(rest, delimiter).ok_or_else(|| bad(format!("the {delimiter} at the end is missing")))?;
        let (mut all, mut any_case) = (false, false);
        for flag in flags.chars() {
            match flag {
                'g' => all = true,
                'i' | 'I' => any_case = true,
                other => return Err(bad(format!("no such flag: {other:?}"))),
            }
        }
        let pattern = unescaped(pattern, delimiter, true);
        if pattern.is_empty() {
            return Err(bad("the regular expression is empty".to_owned()));
        }
        // Without tables of Unicode's cases, only letters of ASCII are the same in any case.
        let regex = RegexBuilder::new(&pattern).case_insensitive(any_case).unicode(!any_case).build();
        let regex = regex.map_err(|error| bad(format!("not a regular expression: {error}")))?;
        let replacement = pieces(&unescaped(replacement, delimiter, false));
        let groups = regex.captures_len();
        for piece in &replacement {
            if let Piece::Group(group) = piece
                && *group >= groups
            {
                return Err(bad(format!(
                    "\\{group} in the replacement, but there are {} groups",
                    groups.saturating_sub(1)
                )));
            }
        }
        Ok(Self { regex, replacement, all })
    }

    /// The name after the substitution; as it was if nothing matches.
    pub fn apply<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        let limit = usize::from(!self.all);
        self.regex.replacen(name, limit, |captures: &Captures<'_>| {
            let mut out = Vec::new();
            for piece in &self.replacement {
                match piece {
                    Piece::Text(text) => out.extend_from_slice(text),
                    Piece::Group(n) => {
                        out.extend_from_slice(captures.get(*n).map(|m| m.as_bytes()).unwrap_or_default());
                    }
                }
            }
            out
        })
    }
}

impl Renames {
    /// Parses them in the order in which they apply.
    ///
    /// # Errors
    /// As [`Rename::parse`], for the first that is wrong.
    pub fn parse(texts: &[String]) -> Result<Self> {
        let rules = texts.iter().map(|text| Rename::parse(text)).collect::<Result<_>>()?;
        Ok(Self { table: RenameTable::default(), rules })
    }

    /// The name after all of them.
    pub fn apply<'a>(&self, name: &'a [u8]) -> Cow<'a, [u8]> {
        let mut name = self.table.get(name).map_or(Cow::Borrowed(name), |new| Cow::Owned(new.to_vec()));
        for rename in &self.rules {
            if let Cow::Owned(new) = rename.apply(&name) {
                name = Cow::Owned(new);
            }
        }
        name
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.rules.is_empty()
    }
}

/// What stands before the next delimiter that no backslash protects, and what stands behind it.
fn until(text: &str, delimiter: char) -> Option<(&str, &str)> {
    let mut protected = false;
    for (at, c) in text.char_indices() {
        if protected {
            protected = false;
        } else if c == delimiter {
            return Some((text.get(..at)?, text.get(at.checked_add(c.len_utf8())?..)?));
        } else {
            protected = c == '\\';
        }
    }
    None
}

/// Takes the backslash from protected delimiters, unless that would give the sign a meaning: protected, it is itself.
fn unescaped(text: &str, delimiter: char, in_regex: bool) -> String {
    let means = if in_regex { regex_syntax_sign(delimiter) } else { delimiter == '&' };
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                chars.next();
                if next != delimiter || means {
                    out.push('\\');
                }
                out.push(next);
            }
            _ => out.push(c),
        }
    }
    out
}

/// Whether a sign means something in a regular expression.
fn regex_syntax_sign(c: char) -> bool {
    matches!(c, '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '#' | '&' | '-' | '~')
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let group = match c {
            '&' => Some(0),
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()),
                other => {
                    let text = other.unwrap_or('\\').to_string();
                    plain.extend_from_slice(text.as_bytes());
                    None
                }
            },
            other => {
                plain.extend_from_slice(other.to_string().as_bytes());
                None
            }
        };
        if let Some(group) = group {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Group(group));
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(rule: &str, name: &str) -> String {
        let rename = Rename::parse(rule).unwrap();
        String::from_utf8(rename.apply(name.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn the_first_match_or_all_of_them() {
        assert_eq!(renamed("s/a/b/", "banana"), "bbnana");
        assert_eq!(renamed("s/a/b/g", "banana"), "bbnbnb");
        assert_eq!(renamed("s/^/model\\//", "w"), "model/w");
        assert_eq!(renamed("s/x/y/", "w"), "w");
        assert_eq!(renamed("s/W$/v/i", "net/w"), "net/v");
    }

    #[test]
    fn groups_and_the_whole_match() {
        assert_eq!(renamed(r"s/^(\w+)\/(\w+)$/\2\/\1/", "a/b"), "b/a");
        assert_eq!(renamed("s/b+/[&]/", "abbc"), "a[bb]c");
        assert_eq!(renamed(r"s/b/\&\\/", "b"), r"&\");
        assert_eq!(renamed(r"s/(a)|(b)/<\2>/g", "ab"), "<><b>");
    }

    #[test]
    fn any_sign_separates() {
        assert_eq!(renamed("s|^old/|new/|", "old/w"), "new/w");
        assert_eq!(renamed(r"s|a\|b|x|", "a|b"), "x");
        assert_eq!(renamed(r"s,a\,b,x\,y,", "a,b"), "x,y");
        assert_eq!(renamed(r"s&a\&b&\&&", "a&b"), "&");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (rule, why) in [
            ("a/b", "begins with s"),
            ("s", "a sign that separates"),
            ("sabac", "a sign that separates"),
            ("s/a", "is missing"),
            ("s/a/b", "at the end is missing"),
            ("s/a/b/x", "no such flag"),
            ("s/(/b/", "not a regular expression"),
            ("s/a/\\1/", "there are 0 groups"),
            ("s//x/", "is empty"),
        ] {
            let error = Rename::parse(rule).unwrap_err();
            assert!(error.to_string().contains(why), "{rule}: {error}");
            assert!(error.help().is_some());
        }
    }

    #[test]
    fn substitutions_follow_each_other_and_bytes_stay_bytes() {
        let both = Renames::parse(&["s/a/b/".to_owned(), "s/b/c/".to_owned()]).unwrap();
        assert_eq!(both.apply(b"a").as_ref(), b"c");
        assert!(matches!(both.apply(b"z"), Cow::Borrowed(_)));
        assert_eq!(both.apply(b"\xffa").as_ref(), b"\xffc");
    }
}
