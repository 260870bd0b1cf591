//! `ckpt convert` for people: what was written, or the recipe as a table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::analysis::convert::{Action, Converted, From, InputCursors, Output, Recipe, Target};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, counted, shape_text, size, tensors_text};
use crate::report::kit::wrap::folded;

/// Names of what is left out for one reason that are shown.
const SHOWN: usize = 5;

/// What was written. The last line can be quoted.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn convert_text(
    recipe: &Recipe,
    target: &Target,
    converted: &Converted,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    done(recipe, out)?;
    for (name, values) in converted.overflows.iter().take(SHOWN) {
        let values = counted(*values, "finite value");
        writeln!(out, "  overflow   {}: {values} became infinite", escaped(short_name(name)))?;
    }
    if converted.overflows.len() > SHOWN {
        writeln!(out, "  overflow   in {} more tensors", converted.overflows.len() - SHOWN)?;
    }
    left_out(recipe, look, out)?;
    for note in &recipe.notes {
        writeln!(out, "  note       {}", folded(note, 13, 13, look))?;
    }
    if converted.unchecked > 0 {
        let tensors = tensors_text(converted.unchecked);
        writeln!(out, "  unchecked  {tensors}: the input has no checksum of them to compare with")?;
    }
    let bytes = converted.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add);
    let files = counted(converted.files.len() as u64, "file");
    let (bold, shown) = (look.bold(), escaped(target.path.as_os_str().as_encoded_bytes()));
    let tensors = tensors_text(recipe.outputs.len());
    let verdict =
        format!("{bold}wrote {shown}{bold:#}: {tensors} in {files} ({}), read back and compared", size(bytes));
    writeln!(out, "{}", folded(&verdict, 0, 2, look))
}

/// The recipe as a table: every tensor with where it comes from.
///
/// # Errors
/// What `out` says.
pub(in crate::report) fn recipe_text(
    inputs: &[Checkpoint],
    recipe: &Recipe,
    target: &Target,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Twice over all of them: kept as rows, a million would take a gigabyte.
    let header = ["WHAT", "NAME", "DTYPE", "SHAPE"].map(str::to_owned);
    let (mut widths, mut rows) = (header.each_ref().map(|cell| cell.width()), Rows(InputCursors::of(inputs)));
    for output in recipe.outputs.iter() {
        let row = rows.cells(&output);
        widths.iter_mut().zip(&row).for_each(|(width, cell)| *width = cell.width().max(*width));
    }
    if !recipe.outputs.is_empty() {
        let bold = look.bold();
        writeln!(out, " {bold}{}{bold:#}", line(&header, &widths))?;
        for output in recipe.outputs.iter() {
            writeln!(out, " {}", line(&rows.cells(&output), &widths))?;
        }
        writeln!(out)?;
    }
    left_out(recipe, look, out)?;
    for note in &recipe.notes {
        writeln!(out, "  note       {}", folded(note, 13, 13, look))?;
    }
    let shown = escaped(target.path.as_os_str().as_encoded_bytes());
    let tensors = tensors_text(recipe.outputs.len());
    let is_short = recipe.outputs.iter().any(|output| short_name(&output.tensor.name).len() < output.tensor.name.len());
    let short = if is_short { " · keys end in /.ATTRIBUTES/VARIABLE_VALUE" } else { "" };
    let verdict = format!("nothing written: {tensors} would be in {shown} ({}){short}", target.format.name());
    writeln!(out, "{}", folded(&verdict, 0, 2, look))
}

/// The rows of a recipe, with what its tensors are in the inputs, which pass by in their order.
struct Rows<'i>(InputCursors<'i>);

impl Rows<'_> {
    fn cells(&mut self, output: &Output) -> [String; 4] {
        let Output { tensor, action, .. } = output;
        let mut name = escaped(short_name(&tensor.name)).into_owned();
        if let Some(from) = self.told_from(output) {
            name = format!("{name}  ({from})");
        }
        [action.name().to_owned(), name, tensor.dtype.to_string(), shape_text(&tensor.shape)]
    }

    /// Where a tensor comes from, if not from one of its own name and dtype.
    fn told_from(&mut self, output: &Output) -> Option<String> {
        match &output.from {
            From::Tensor(from) => {
                let tensor = self.0.reach(*from)?;
                let name = (tensor.name != output.tensor.name).then(|| escaped(short_name(&tensor.name)).into_owned());
                let dtype = (tensor.dtype != output.tensor.dtype).then(|| tensor.dtype.to_string());
                let parts: Vec<String> = name.into_iter().chain(dtype).collect();
                (!parts.is_empty()).then(|| format!("from {}", parts.join(", ")))
            }
            From::Mean(all) => Some(format!("of {}", all.len())),
            From::Given(_) => None,
        }
    }
}

/// Cells in columns of these widths.
fn line(cells: &[String; 4], widths: &[usize; 4]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        let pad = width.saturating_sub(cell.width());
        line.extend([" ", cell, &" ".repeat(pad), " "]);
    }
    line.truncate(line.trim_end().len());
    line
}

/// How many tensors each thing was done with.
fn done(recipe: &Recipe, out: &mut dyn Write) -> io::Result<()> {
    for action in [Action::Copied, Action::Renamed, Action::Cast, Action::Mean, Action::Rewritten] {
        let with = |one: &(Action, Option<u64>)| one.0 == action;
        let all = recipe.outputs.actions().zip(recipe.outputs.tensors().iter().map(|tensor| tensor.elements()));
        let (tensors, elements) = all.filter(with).fold((0usize, 0u64), |(tensors, sum), (_, elements)| {
            (tensors.saturating_add(1), sum.saturating_add(elements.unwrap_or(0)))
        });
        if tensors == 0 {
            continue;
        }
        if action == Action::Rewritten {
            writeln!(out, "  {:<10} the object graph, for the names that tensors have now", action.name())?;
            continue;
        }
        writeln!(out, "  {:<10} {}, {} elements", action.name(), tensors_text(tensors), count(elements))?;
    }
    Ok(())
}

/// What is left out, a line for each reason.
fn left_out(recipe: &Recipe, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut by_reason: BTreeMap<(bool, &str), Vec<&[u8]>> = BTreeMap::new();
    for left in &recipe.left_out {
        by_reason.entry((!left.is_loss, &left.why)).or_default().push(&left.name);
    }
    for ((is_chosen, why), names) in by_reason {
        let shown: Vec<String> = names.iter().take(SHOWN).map(|name| escaped(short_name(name)).into_owned()).collect();
        let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
        let what = if is_chosen { "left out" } else { "LOST" };
        writeln!(out, "  {what:<10} {}: {why}", tensors_text(names.len()))?;
        let names = format!("{}{more}", shown.join(", "));
        writeln!(out, "             {}", folded(&names, 13, 13, look))?;
    }
    Ok(())
}
