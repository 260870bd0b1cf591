//! `run` in any format.

use std::io::{Cursor, Write};

use super::facts::{RunReport, RunTimes};
use super::json::{run_json, run_plan_json};
use super::npz::write_arrays;
use super::text::{run_plan_text, run_text};
use crate::base::error::Result;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::format::Format;
use crate::report::kit::look::Look;
use crate::report::print::output;
use crate::report::print::text::PrintText;

/// What `run` has.
pub const RUN_FORMATS: &[Format] = &[Format::Text, Format::Json, Format::Npz];

/// Writes what came out of a run.
///
/// # Errors
/// What `out` says, and what of the results cannot be read.
pub fn write_run(
    report: &RunReport<'_>,
    results: &Checkpoint,
    times: RunTimes<'_>,
    format: Format,
    shown: PrintText,
    out: &mut dyn Write,
) -> Result<()> {
    match format {
        Format::Json => run_json(report, results, times, out),
        Format::Npz => {
            let mut file = Cursor::new(Vec::new());
            write_arrays(results, &report.outputs(results)?, &mut file)?;
            out.write_all(file.get_ref()).map_err(output)
        }
        _ => run_text(report, results, times, shown, out),
    }
}

/// Writes what would be run, or why it is not: what the model can touch.
///
/// # Errors
/// What `out` says.
pub fn write_run_plan(
    report: &RunReport<'_>,
    is_refused: bool,
    format: Format,
    look: Look,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match format {
        Format::Json => run_plan_json(report, is_refused, out),
        _ => run_plan_text(report, is_refused, look, out),
    }
}
