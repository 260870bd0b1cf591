//! What the old programs print, on a terminal: names from files as they are would reach it raw, as they did there. Into a
//! file or a pipe they go byte for byte.

use std::io::{self, Write};

use anyhow::Result;
use ckpt::base::escape::Escaped;

use super::super::Ctx;

/// What `saved_model_cli` writes behind a list to take back the last comma and its space.
const TAKEN_BACK: &[u8] = b", \x08\x08";

/// Has `print` write to standard output: byte for byte, but for a terminal.
pub(super) fn to_output<T>(ctx: &mut Ctx, print: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
    if !Ctx::to_terminal() {
        return print(&mut ctx.out);
    }
    let mut terminal = Terminal::new(&mut ctx.out);
    let printed = print(&mut terminal)?;
    terminal.flush()?;
    Ok(printed)
}

/// Lines with everything escaped that could move a cursor or change a colour.
struct Terminal<'o> {
    out: &'o mut dyn Write,
    line: Vec<u8>,
}

impl<'o> Terminal<'o> {
    fn new(out: &'o mut dyn Write) -> Self {
        Self { out, line: Vec::new() }
    }

    /// The line so far, as a terminal would show it if nothing in it were for the terminal.
    fn show(&mut self) -> io::Result<()> {
        // The last character of a list is a bracket; before it stands what is taken back.
        if let [front @ .., bracket] = self.line.as_slice()
            && let Some(front) = front.strip_suffix(TAKEN_BACK)
        {
            write!(self.out, "{}", Escaped(front))?;
            self.line = vec![*bracket];
        }
        write!(self.out, "{}", Escaped(&self.line))?;
        self.line.clear();
        Ok(())
    }
}

impl Write for Terminal<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            self.line.extend_from_slice(text);
            if ends {
                self.show()?;
                self.out.write_all(b"\n")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.show()?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_reaches_the_terminal_raw() {
        let mut shown = Vec::new();
        let mut terminal = Terminal::new(&mut shown);
        terminal.write_all(b"tensor: a\x1b[2J\x08b (float32) []\n  Value: ['x', \x08\x08]\n{\x08\x08}").unwrap();
        terminal.flush().unwrap();
        let expected = "tensor: a\\x1b[2J\\x08b (float32) []\n  Value: ['x']\n{\\x08\\x08}";
        assert_eq!(String::from_utf8(shown).unwrap(), expected);
    }
}
