//! Brackets, separators, blank lines, `...` and line breaks around elements that arrive one by one.
//!
//! Source: `_formatArray` and `_extendLine` in `numpy/_core/arrayprint.py`, turned from recursion over an array in
//! memory into a state machine over a stream.

use std::fmt;
use std::io::{self, Write};

use super::super::Element;
use super::format::{self, Format};
use super::{Layout, Options, Visible};
use crate::base::escape::Escaped;

/// Prints elements in C order as NumPy prints an array.
#[derive(Debug)]
pub struct Writer<'a, W> {
    out: W,
    format: &'a Format,
    line_width: usize,
    axes: Vec<Axis>,
    /// How many brackets are open.
    depth: usize,
    state: State,
    /// Characters on the current line, blanks at its end included.
    column: usize,
    /// Blanks at the end of the line, not written yet: a line break swallows them.
    blanks: usize,
    word: String,
}

#[derive(Debug)]
struct Axis {
    visible: Visible,
    /// How many visible items of the current bracket are done.
    done: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Scalar,
    Open,
    Done,
}

impl<'a, W: Write> Writer<'a, W> {
    /// A writer for the elements that `layout` shows.
    pub fn new(out: W, format: &'a Format, layout: &Layout, options: &Options) -> Self {
        let axes: Vec<Axis> = layout.dims().iter().map(|&visible| Axis { visible, done: 0 }).collect();
        let state = if axes.is_empty() { State::Scalar } else { State::Open };
        Self {
            out,
            format,
            line_width: options.line_width,
            axes,
            depth: 0,
            state,
            column: 0,
            blanks: 0,
            word: String::new(),
        }
    }

    /// Prints the next element.
    ///
    /// # Errors
    /// Those of the output.
    pub fn push(&mut self, element: &Element) -> io::Result<()> {
        let mut word = std::mem::take(&mut self.word);
        word.clear();
        if self.state == State::Scalar && !self.format.shorten_scalar {
            format::write_scalar(element, &mut word);
        } else {
            self.format.write(element, &mut word);
        }
        let pushed = self.push_text(&word);
        self.word = word;
        pushed
    }

    /// Prints the next element, whose text is ready: [`quoted`] makes one from a string's bytes.
    ///
    /// # Errors
    /// Those of the output.
    pub fn push_text(&mut self, word: &str) -> io::Result<()> {
        match self.state {
            State::Done => Ok(()),
            State::Scalar => {
                self.state = State::Done;
                // A bool's column is one wider than `True`.
                self.out.write_all(word.trim_start_matches(' ').as_bytes())
            }
            State::Open => {
                self.open()?;
                self.extend_line(word)?;
                self.advance()
            }
        }
    }

    /// Prints what an array without visible elements looks like, and gives the output back. No line break follows.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        if self.state == State::Open && self.depth == 0 {
            let empty = self.axes.iter().any(|axis| axis.visible.len == 0);
            self.out.write_all(if empty { b"[]" } else { b"[...]" })?;
        }
        Ok(self.out)
    }

    /// Opens the brackets before an element.
    fn open(&mut self) -> io::Result<()> {
        while self.depth < self.axes.len() {
            self.out.write_all(b"[")?;
            self.depth += 1;
            self.column = self.depth;
        }
        Ok(())
    }

    /// Adds a word to a row, on a new line if it does not fit and if that helps.
    fn extend_line(&mut self, word: &str) -> io::Result<()> {
        let rank = self.axes.len();
        let len = word.chars().count();
        // Every bracket that closes takes a column of the last line's.
        if self.column + len + rank > self.line_width && self.column > rank {
            self.out.write_all(b"\n")?;
            (self.column, self.blanks) = (rank, rank);
        }
        self.write_blanks()?;
        let text = word.trim_end_matches(' ');
        self.out.write_all(text.as_bytes())?;
        self.blanks = word.len() - text.len();
        self.column += len;
        Ok(())
    }

    fn write_blanks(&mut self) -> io::Result<()> {
        let count = std::mem::take(&mut self.blanks);
        (0..count).try_for_each(|_| self.out.write_all(b" "))
    }

    /// After an item: the separator before the next one, or the bracket's end.
    fn advance(&mut self) -> io::Result<()> {
        while let Some(depth) = self.depth.checked_sub(1) {
            let Some(axis) = self.axes.get_mut(depth) else { break };
            axis.done += 1;
            let Visible { leading, trailing, .. } = axis.visible;
            let last = axis.done >= axis.visible.shown();
            if axis.done == leading && axis.visible.is_summarised() {
                self.separate(depth)?;
                if depth + 1 == self.axes.len() {
                    self.extend_line("...")?;
                } else {
                    self.write_blanks()?;
                    self.out.write_all(b"...")?;
                }
                if trailing > 0 {
                    return self.separate(depth);
                }
            } else if !last {
                return self.separate(depth);
            }
            // The bracket is full: close it, and its parent has an item more.
            if let Some(axis) = self.axes.get_mut(depth) {
                axis.done = 0;
            }
            self.write_blanks()?;
            self.out.write_all(b"]")?;
            self.depth = depth;
        }
        self.state = State::Done;
        Ok(())
    }

    /// What stands between two items of the bracket at `depth`: a blank, or line breaks and the indent.
    fn separate(&mut self, depth: usize) -> io::Result<()> {
        let breaks = self.axes.len().saturating_sub(depth + 1);
        if breaks == 0 {
            self.blanks += 1;
            self.column += 1;
            return Ok(());
        }
        (0..breaks).try_for_each(|_| self.out.write_all(b"\n"))?;
        self.blanks = depth + 1;
        self.write_blanks()
    }
}

/// A string element's bytes between double quotes, with everything escaped that is not harmless text.
///
/// Of a long string only the beginning is shown, and its length, unless `full`.
pub fn quoted(bytes: &[u8], full: bool) -> String {
    const LONG: usize = 80;
    const SHOWN: usize = 60;
    if full || bytes.len() <= LONG {
        return format!("\"{}\"", Quotable(bytes));
    }
    // Not within a character: a cut one would be shown as bytes that are not wrong at all.
    let end = (SHOWN - 3..=SHOWN).rev().find(|&end| bytes.get(end).is_none_or(|b| b & 0xc0 != 0x80)).unwrap_or(SHOWN);
    format!("\"{}\"... ({} bytes)", Quotable(bytes.get(..end).unwrap_or(bytes)), bytes.len())
}

/// [`Escaped`], with quotes and backslashes escaped as well.
struct Quotable<'a>(&'a [u8]);

impl fmt::Display for Quotable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(|b| matches!(b, b'"' | b'\\')) {
            match part.split_last() {
                Some((last @ (b'"' | b'\\'), text)) => write!(f, "{}\\{}", Escaped(text), char::from(*last))?,
                _ => write!(f, "{}", Escaped(part))?,
            }
        }
        Ok(())
    }
}
