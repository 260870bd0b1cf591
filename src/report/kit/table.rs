//! Small tables for a screen, laid out by comfy-table. A listing of thousands of rows lays itself out.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use std::io::{self, Write};

/// A table whose columns are aligned `<` (left) or `>` (right), one sign each.
pub(in crate::report) struct Columns {
    table: Table,
    align: &'static str,
}

impl Columns {
    pub(in crate::report) fn new(align: &'static str, header: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(header.to_vec());
        Self { table, align }
    }

    pub(in crate::report) fn row<S: ToString>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.table.add_row(cells.into_iter().map(|cell| cell.to_string()).collect::<Vec<_>>());
    }

    pub(in crate::report) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Writes the rows, the header in `style`.
    pub(in crate::report) fn write(mut self, out: &mut dyn Write, style: anstyle::Style) -> io::Result<()> {
        for (column, sign) in self.table.column_iter_mut().zip(self.align.chars()) {
            column.set_cell_alignment(if sign == '>' { CellAlignment::Right } else { CellAlignment::Left });
            column.set_padding((1, 1));
        }
        for (n, line) in self.table.lines().enumerate() {
            let line = line.trim_end();
            match n {
                0 => writeln!(out, " {style}{line}{style:#}")?,
                _ => writeln!(out, " {line}")?,
            }
        }
        Ok(())
    }
}
