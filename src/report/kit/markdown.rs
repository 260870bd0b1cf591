//! Cells of Markdown tables.

/// A name as code, with what would end the code or the cell taken out of its meaning.
pub(in crate::report) fn code(name: &str) -> String {
    let fence = if name.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", name.replace('|', "\\|"))
}

/// Text as it is, with nothing in it that Markdown or HTML would take for its own, on one line and not without end.
pub(in crate::report) fn plain(text: &str) -> String {
    const LONGEST: usize = 600;
    let mut out = String::with_capacity(text.len());
    for (n, c) in text.chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("<br>"),
            c if c.is_control() => out.push('\u{fffd}'),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A name with @ in it must not call anybody.
            '@' => out.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_end_its_cell() {
        assert_eq!(super::code("a|b"), "`a\\|b`");
        assert_eq!(super::code("a`b"), "``a`b``");
    }

    #[test]
    fn text_cannot_be_more_than_text() {
        assert_eq!(super::plain("a|b\n<img> @x ![y](z)"), "a\\|b<br>&lt;img&gt; &#64;x \\!\\[y\\](z)");
        assert_eq!(super::plain(&"x".repeat(10_000)).chars().count(), 601);
    }
}
