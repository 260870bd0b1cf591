//! A share for people: what was looked at and what not, and what is wrong in it. Nothing of it is a verdict on the whole.

use std::io::{self, Write};

use crate::analysis::parts::LookedAt;
use crate::analysis::{Finding, Severity};
use crate::base::escape::escaped;
use crate::report::findings::text::{folded, write_finding};
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, counted, percent, size};

/// What one of several processes has read.
#[derive(Clone, Copy, Debug)]
pub struct ShareText {
    /// Which share, from 1, of how many.
    pub number: (u64, u64),
    /// How much of it all that is.
    pub looked_at: LookedAt,
    /// Tensors that lie in it as a whole.
    pub whole: u64,
    /// How text looks.
    pub look: Look,
}

/// Findings and lines that are told of a share; of more there are only numbers.
const MOST: usize = 25;

impl ShareText {
    /// Findings in this share.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_findings(&self, findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
        for finding in findings.iter().take(MOST) {
            let dim = self.look.dim();
            write!(out, "{dim}{}{dim:#} ", finding.code.name())?;
            write_finding(finding, self.look, out)?;
        }
        let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
        self.write_end(findings.len(), &counted(errors as u64, "error"), errors == 0, out)
    }

    /// Tensors in this share, each with what is to be said of it; `what` says what they come to.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write_tensors(
        &self,
        tensors: &[(Vec<u8>, String)],
        what: &str,
        is_fine: bool,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for (name, says) in tensors.iter().take(MOST) {
            writeln!(out, "{}: {}", escaped(name), folded(says, name.len() + 2, 4, self.look))?;
        }
        self.write_end(tensors.len(), what, is_fine, out)
    }

    fn write_end(&self, told: usize, what: &str, is_fine: bool, out: &mut dyn Write) -> io::Result<()> {
        if told > MOST {
            writeln!(out, "… and {} more", count((told - MOST) as u64))?;
        }
        if told > 0 {
            writeln!(out)?;
        }
        let LookedAt { bytes, of_bytes } = self.looked_at;
        let ((number, of), whole) = (self.number, counted(self.whole, "whole tensor"));
        let share = if of_bytes > 0 { format!(", {}", percent(bytes, of_bytes)) } else { String::new() };
        let style = if is_fine { self.look.dim() } else { self.look.bad() };
        let line =
            format!("part {number} of {of}: {} of {}{share}, {whole} in it: {what}.", size(bytes), size(of_bytes));
        writeln!(out, "{style}{}{style:#}", folded(&line, 0, 0, self.look))?;
        let rest = if of > 1 {
            "Nothing was read of the other parts, and tensors that reach into them were not judged: this says nothing \
             of the whole. With --format part, each part makes a file, and ckpt merge makes the report of all of them."
        } else {
            "What takes a look at all of it is told by ckpt merge, of the file that --format part makes."
        };
        writeln!(out, "{}", folded(rest, 0, 0, self.look))
    }
}
