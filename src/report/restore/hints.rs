//! What probably happened to a restore and what repairs it: text, options to be copied, and lines of Python.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::analysis::Hint;
use crate::report::Look;
use crate::report::findings::text::folded;

/// What probably happened and what repairs it. It is read, and not searched: lines end where a page does.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn hints_text(hints: &[Hint], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let bold = look.bold();
    let mut above: &[(&str, String)] = &[];
    for hint in hints {
        writeln!(out, "  {bold}→{bold:#} {}", folded(&hint.text, 4, 4, look.of_a_page()))?;
        options(hint, above, look, out)?;
        if !hint.options.is_empty() {
            above = &hint.options;
        }
        for line in &hint.code {
            writeln!(out, "      {}", code(line, look))?;
        }
    }
    Ok(())
}

/// Options to be copied: in one line where they fit, else a line each that the shell takes for one.
fn options(hint: &Hint, above: &[(&str, String)], look: Look, out: &mut dyn Write) -> io::Result<()> {
    const INDENT: usize = 6;
    let words = hint.option_words();
    let joined = words.join(" ");
    if joined.is_empty() {
        return Ok(());
    }
    if !above.is_empty() && hint.options.starts_with(above) {
        let more = words[above.len()..].join(" ");
        return writeln!(out, "      the options above, and {more}");
    }
    if INDENT + joined.width() <= look.width.unwrap_or(80) {
        return writeln!(out, "      {joined}");
    }
    writeln!(out, "      {}", words.join(" \\\n      "))
}

/// A line of Python, broken within its brackets, where a line may end: at a space, or behind an opening bracket where
/// what stands between two spaces is too long for a line.
fn code(line: &str, look: Look) -> String {
    const INDENT: usize = 6;
    const DEEPER: usize = 10;
    let width = look.width.unwrap_or(80);
    let words = pieces(line, false);
    let words = words.into_iter().flat_map(|word| {
        let fits = DEEPER + word.trim_end().width() <= width;
        if fits { vec![word] } else { pieces(word, true) }
    });
    let (mut out, mut column) = (String::new(), INDENT);
    for piece in words {
        let wide = piece.trim_end().width();
        if !out.is_empty() && column + wide > width {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', DEEPER));
            column = DEEPER;
        }
        out.push_str(piece);
        column += piece.width();
    }
    out
}

/// What may not be broken, within brackets at spaces or behind the brackets.
fn pieces(line: &str, behind_brackets: bool) -> Vec<&str> {
    let (mut pieces, mut from, mut depth, mut in_string, mut escaped) = (Vec::new(), 0, 0usize, false, false);
    for (at, c) in line.char_indices() {
        if in_string {
            in_string = escaped || c != '\'';
            escaped = c == '\\' && !escaped;
            continue;
        }
        let opens = matches!(c, '(' | '[' | '{');
        match c {
            '\'' => in_string = true,
            '#' => break,
            _ if opens => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let next = line[at..].chars().nth(1);
        let may_end = if behind_brackets { opens && next != Some(')') } else { c == ' ' };
        if may_end && depth > 0 {
            pieces.push(&line[from..=at]);
            from = at + 1;
        }
    }
    pieces.push(&line[from..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_is_broken_within_brackets() {
        let look = |width| Look { width: Some(width), ..Look::default() };
        let line = "kept = [v for v in f() if v.name not in {'a b', 'it\\'s (c'}]";
        let broken = code(line, look(24));
        assert!(broken.lines().all(|line| line.len() <= 24), "{broken}");
        let joined = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(joined(&broken), joined(line));
        assert!(
            broken.starts_with("kept = [") && broken.contains("{'a b'") && broken.contains("'it\\'s (c'"),
            "{broken}"
        );
        assert_eq!(code("f()", look(8)), "f()");
        assert_eq!(code("x = 1  # a comment (of some words)", look(12)), "x = 1  # a comment (of some words)");
    }
}
