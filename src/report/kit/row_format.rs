//! What the formats of tables have in common: rows can be written before it is known what all of them come to, and on any
//! thread.

use std::io::{self, Write};

/// Rows that are made at a time where there are enough of them.
pub(in crate::report) const SOME: usize = 1024;

/// A format of a table: what stands before the rows (`R`), the rows, and what stands behind them, for which it is then
/// known what they come to (`F`).
pub(in crate::report) trait RowFormat<R, F: ?Sized>: Sync {
    /// What stands before the rows.
    ///
    /// # Errors
    /// What `out` says.
    fn head(&self, out: &mut dyn Write) -> io::Result<()>;

    /// Rows that follow one another, behind what `out` has; `first` of all rows stand before them.
    ///
    /// # Errors
    /// What writing to memory says, which is nothing.
    fn rows(&self, first: usize, rows: &[R], out: &mut Vec<u8>) -> io::Result<()>;

    /// What stands behind so many rows.
    ///
    /// # Errors
    /// What `out` says.
    fn foot(&self, totals: &F, shown: usize, out: &mut dyn Write) -> io::Result<()>;

    /// Everything, of rows that are all there.
    ///
    /// # Errors
    /// What `out` says.
    fn write(&self, rows: &[R], totals: &F, out: &mut dyn Write) -> io::Result<()> {
        self.head(out)?;
        let mut text = Vec::new();
        for (some, first) in rows.chunks(SOME).zip((0..).step_by(SOME)) {
            self.rows(first, some, &mut text)?;
            out.write_all(&text)?;
            text.clear();
        }
        self.foot(totals, rows.len(), out)
    }
}
