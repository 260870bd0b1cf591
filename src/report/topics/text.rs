//! A topic in the terminal: titles, paragraphs and tables as wide as a page, code as it is.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::Topic;
use super::blocks::{Block, blocks};
use crate::report::Look;
use crate::report::kit::wrap::folded;

/// Writes a topic for people.
///
/// # Errors
/// What `out` says.
pub fn write_topic(topic: &Topic, look: Look, out: &mut dyn Write) -> io::Result<()> {
    // Lines of prose that are longer are hard to read, however wide the terminal is.
    let look = Look { width: look.width.map_or(Some(80), |width| Some(width.min(100))), ..look };
    let bold = look.bold();
    for (n, block) in blocks(topic.page).iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        match block {
            Block::Title(title) => writeln!(out, "{bold}{title}{bold:#}")?,
            Block::Paragraph(lines) => writeln!(out, "{}", folded(&plain(&lines.join(" ")), 0, 0, look))?,
            Block::Table(rows) => table(rows, look, out)?,
            Block::Code(lines) => {
                for line in lines {
                    writeln!(out, "{}", format!("  {line}").trim_end())?;
                }
            }
        }
    }
    Ok(())
}

/// No column but the last may take more than this; the last one takes what is left of the line.
const COLUMN: usize = 32;

fn table(rows: &[Vec<String>], look: Look, out: &mut dyn Write) -> io::Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let last = columns.saturating_sub(1);
    let mut left = look.width.unwrap_or(80).saturating_sub(2);
    let mut widths = Vec::new();
    // The lines of each cell, column by column, because the last one takes what the others leave.
    let mut cells: Vec<Vec<Vec<String>>> = vec![Vec::new(); rows.len()];
    for column in 0..columns {
        let most = if column == last { left.max(20) } else { COLUMN };
        let mut width = 0;
        for (row, cells) in rows.iter().zip(&mut cells) {
            let text = plain(row.get(column).map_or("", String::as_str));
            let text = folded(&text, 0, 0, Look { color: false, width: Some(most) });
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            width = width.max(lines.iter().map(|line| line.width()).max().unwrap_or(0));
            cells.push(lines);
        }
        left = left.saturating_sub(width + 2);
        widths.push(width);
    }
    for (n, row) in cells.iter().enumerate() {
        let style = if n == 0 { look.dim() } else { look.style(anstyle::Style::new()) };
        for at in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                let text = cell.get(at).map_or("", String::as_str);
                line.push_str("  ");
                line.push_str(text);
                line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.width())));
            }
            writeln!(out, "{style}{}{style:#}", line.trim_end())?;
        }
    }
    Ok(())
}

/// A line without its Markdown: of a link its text, of code what it is.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '[']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let code = from.strip_prefix('`').and_then(|code| code.split_once('`'));
        let link = from.strip_prefix('[').and_then(|link| {
            let (text, target) = link.split_once("](")?;
            Some((text, target.split_once(')')?.1))
        });
        let (inner, behind) = code.or(link).unwrap_or(from.split_at(1));
        out.push_str(inner);
        rest = behind;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::TOPICS;

    #[test]
    fn no_line_is_wider_than_a_page_and_no_markdown_is_left() {
        for topic in TOPICS {
            let mut out = Vec::new();
            write_topic(topic, Look::default(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for line in text.lines() {
                assert!(line.width() <= 80 && line == line.trim_end(), "{line}");
                assert!(!line.contains('`') && !line.starts_with('|'), "{line}");
                assert!(!line.contains("]("), "{line}");
            }
        }
    }

    #[test]
    fn code_keeps_its_brackets_and_links_their_text() {
        assert_eq!(plain("see [docs/x](x.md), `a[1]`, [abc]"), "see docs/x, a[1], [abc]");
        assert_eq!(plain("an open ` and ["), "an open ` and [");
    }

    #[test]
    fn long_cells_are_folded_under_themselves() {
        let topic =
            Topic { name: "t", about: "", page: "# T\n\n| a | b |\n|---|---|\n| one `two` | three four five |\n" };
        let mut out = Vec::new();
        write_topic(&topic, Look { color: false, width: Some(31) }, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "T\n\n  a        b\n  one two  three four five\n");
    }
}
