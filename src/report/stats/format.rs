//! What the formats of `stats` have in common: rows can be written before the totals are known, and on any thread.

use std::io::{self, Write};

use crate::analysis::stats::{TensorStats, Totals};

/// Rows for [`StatsFormat::write`] to make at a time.
const SOME: usize = 1024;

/// A format of `stats`: what stands before the rows, the rows, and what stands behind them.
pub trait StatsFormat: Sync {
    /// What stands before the rows.
    ///
    /// # Errors
    /// What `out` says.
    fn head(&self, out: &mut dyn Write) -> io::Result<()>;

    /// Rows that follow one another, behind what `out` has; `first` of all rows stand before them.
    ///
    /// # Errors
    /// What writing to memory says, which is nothing.
    fn rows(&self, first: usize, rows: &[TensorStats], out: &mut Vec<u8>) -> io::Result<()>;

    /// What stands behind so many rows.
    ///
    /// # Errors
    /// What `out` says.
    fn foot(&self, totals: &Totals, shown: usize, out: &mut dyn Write) -> io::Result<()>;

    /// Everything, of rows that are all there.
    ///
    /// # Errors
    /// What `out` says.
    fn write(&self, rows: &[TensorStats], totals: &Totals, out: &mut dyn Write) -> io::Result<()> {
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
