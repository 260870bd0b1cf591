//! Tensors one after the other, in any format of `print`.

use std::io::{self, Write};

use super::json::{json_tensor, print_head};
use super::output;
use super::text::{PrintText, write_derived, write_text};
use super::values::{csv_table, npy_file, raw};
use crate::analysis::Derived;
use crate::analysis::excerpt::Excerpt;
use crate::base::error::{Error, Result};
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::Format;

/// What `print` has.
pub const PRINT_FORMATS: &[Format] =
    &[Format::Text, Format::Json, Format::Jsonl, Format::Csv, Format::Raw, Format::Npy];

/// Writes tensors in one format, each as it is read.
#[derive(Debug)]
pub struct Printer<'c> {
    checkpoint: &'c Checkpoint,
    format: Format,
    text: PrintText,
    printed: usize,
}

impl<'c> Printer<'c> {
    /// For tensors of this checkpoint; `text` is how they are shown to people.
    pub fn new(checkpoint: &'c Checkpoint, format: Format, text: PrintText) -> Self {
        Self { checkpoint, format, text, printed: 0 }
    }

    /// What stands before the tensors.
    ///
    /// # Errors
    /// What `out` says.
    pub fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == Format::Json { print_head(self.checkpoint.origin(), out) } else { Ok(()) }
    }

    /// What stands behind them.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.format == Format::Json { writeln!(out, "]}}") } else { Ok(()) }
    }

    /// One tensor, with what separates it from the one before.
    ///
    /// # Errors
    /// What cannot be read, or is not what was saved; what could be written of it was. What `out` says.
    pub fn print(&mut self, excerpt: &Excerpt, out: &mut dyn Write) -> Result<()> {
        let named = |e: Error| e.for_key(&excerpt.tensor.name);
        self.printed += 1;
        let before = match (self.format, self.printed) {
            (Format::Json, 2..) => ",\n",
            (Format::Text, 2..) | (Format::Json, _) => "\n",
            _ => "",
        };
        out.write_all(before.as_bytes()).map_err(output)?;
        if self.format == Format::Text {
            return write_text(self.checkpoint, excerpt, self.text, out);
        }
        let whole = excerpt.check_whole(self.checkpoint);
        let printed = match self.format {
            Format::Raw => raw(self.checkpoint, excerpt, out).map_err(named),
            Format::Npy => npy_file(self.checkpoint, excerpt, out).map_err(named),
            Format::Csv => csv_table(self.checkpoint, excerpt, out),
            format => {
                let result = json_tensor(self.checkpoint, excerpt, whole, out);
                if format == Format::Jsonl {
                    out.write_all(b"\n").map_err(output)?;
                }
                return result;
            }
        };
        match whole {
            Some(Err(error)) => printed.and(Err(error)),
            _ => printed,
        }
    }

    /// For people, a number of which nothing is there but its checksum; other formats have nothing to say of it.
    ///
    /// # Errors
    /// What `out` says.
    pub fn print_derived(&self, excerpt: &Excerpt, value: &Derived, out: &mut dyn Write) -> Result<()> {
        if self.format == Format::Text { write_derived(excerpt, value, self.text.look, out) } else { Ok(()) }
    }
}
