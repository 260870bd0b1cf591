//! Text broken into lines for a terminal, between words and never inside a name.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::arguments::words;
use crate::report::Look;

/// `text` for a line of which `used` columns are taken, broken between words if a terminal is narrower; what follows is
/// indented. Names are never broken, and what turns colours on and off takes no room.
pub fn folded(text: &str, used: usize, indent: usize, look: Look) -> String {
    let Some(width) = look.width.filter(|width| *width > indent) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut column = used;
    for (n, word) in words(text).into_iter().enumerate() {
        let wide = seen_width(word);
        if n > 0 && column + 1 + wide > width {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else if n > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += wide;
    }
    out
}

/// Facts with ` · ` between them, as [`folded`], and broken between two facts as long as one fits a line.
pub(in crate::report) fn joined<S: AsRef<str>>(facts: &[S], used: usize, indent: usize, look: Look) -> String {
    let mut out = String::new();
    let mut column = used;
    for (n, fact) in facts.iter().map(AsRef::as_ref).enumerate() {
        let wide = seen_width(fact);
        if n > 0 && look.width.is_none_or(|width| column + 3 + wide <= width) {
            out.push_str(" · ");
            column += 3;
        } else if n > 0 {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str("· ");
            column = indent + 2;
        }
        let text = folded(fact, column, indent, look);
        column = text.rsplit_once('\n').map_or(column + wide, |(_, last)| seen_width(last));
        out.push_str(&text);
    }
    out
}

/// The columns that a word takes, which may begin or end with a change of style.
fn seen_width(word: &str) -> usize {
    let Some((before, rest)) = word.split_once("\x1b[") else { return word.width() };
    before.width() + rest.split_once('m').map_or(0, |(_, after)| seen_width(after))
}

/// Leaves out the middle of a long text.
pub(in crate::report) fn middle(text: &str, most: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= most {
        return text.to_owned();
    }
    let head: String = chars[..most / 2 - 1].iter().collect();
    let tail: String = chars[chars.len() - most / 2..].iter().collect();
    format!("{head}…{tail}")
}

/// A label and items behind it, broken into lines that fit the terminal.
pub(in crate::report) fn wrapped(
    label: &str,
    label_width: usize,
    items: &[String],
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let width = look.width.unwrap_or(100);
    write!(out, "  {label}  ")?;
    let indent = label_width + 4;
    let mut column = indent;
    for (n, item) in items.iter().enumerate() {
        let comma = if n + 1 == items.len() { "" } else { "," };
        let len = item.chars().count() + comma.len();
        if n > 0 && column + 1 + len > width {
            write!(out, "\n{}", " ".repeat(indent))?;
            column = indent;
        } else if n > 0 {
            write!(out, " ")?;
            column += 1;
        }
        write!(out, "{item}{comma}")?;
        column += len;
    }
    writeln!(out)
}
