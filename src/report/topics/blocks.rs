//! The little of Markdown that topics are written in, as blocks.

/// A part of a page, with what is inside of lines still in Markdown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    /// `# …`
    Title(&'a str),
    /// Lines that belong together; each is a sentence or several.
    Paragraph(Vec<&'a str>),
    /// The header and the rows.
    Table(Vec<Vec<String>>),
    /// Lines as they are.
    Code(Vec<&'a str>),
}

/// The blocks of a page.
pub(super) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix("# ") {
            found.push(Block::Title(title));
        } else if line.starts_with("```") {
            found.push(Block::Code(lines.by_ref().take_while(|line| !line.starts_with("```")).collect()));
        } else {
            let mut together = vec![line];
            while let Some(next) = lines.next_if(|next| !next.is_empty() && !next.starts_with("```")) {
                together.push(next);
            }
            if line.starts_with('|') {
                let is_row = |row: &&&str| !row.trim_matches(['|', '-', ':', ' ']).is_empty();
                found.push(Block::Table(together.iter().filter(is_row).map(|row| cells(row)).collect()));
            } else {
                found.push(Block::Paragraph(together));
            }
        }
    }
    found
}

/// The cells of a row; `\|` is no border.
fn cells(row: &str) -> Vec<String> {
    let inner = row.trim().trim_start_matches('|').trim_end_matches('|');
    inner.replace("\\|", "\0").split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_falls_into_its_blocks() {
        let page = "# T\n\na\nb\n\n| x | y |\n|---|---:|\n| `a \\| b` | |\n\n```sh\n c\n\nd\n```\ne\n";
        let cell = |text: &str| text.to_owned();
        assert_eq!(
            blocks(page),
            [
                Block::Title("T"),
                Block::Paragraph(vec!["a", "b"]),
                Block::Table(vec![vec![cell("x"), cell("y")], vec![cell("`a | b`"), cell("")]]),
                Block::Code(vec![" c", "", "d"]),
                Block::Paragraph(vec!["e"]),
            ]
        );
    }
}
