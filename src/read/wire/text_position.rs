//! Where something is in a text: the line and the column that an editor shows.

/// A place in a text, as editors count: both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset`.
    pub fn of(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |newline| newline.saturating_add(1));
        let line = before.split(|b| *b == b'\n').count();
        // Bytes that continue a character in UTF-8 begin with the bits 10.
        let in_line = before.get(line_start..).unwrap_or_default();
        let column = in_line.iter().filter(|b| **b & 0xc0 != 0x80).count().saturating_add(1);
        Self { line, column }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}
