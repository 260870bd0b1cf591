//! `ckpt convert` for people: what was written, or the recipe as a table.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::analysis::convert::{Action, Converted, From, Output, Recipe, Target};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::look::Look;
use crate::report::kit::table::Columns;
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
    let mut table = Columns::new("<<<<", &["WHAT", "NAME", "DTYPE", "SHAPE"]);
    for output in &recipe.outputs {
        let header = &output.header;
        let mut name = escaped(short_name(&header.name)).into_owned();
        if let Some(from) = told_from(inputs, output) {
            name = format!("{name}  ({from})");
        }
        let row = [output.action.name().to_owned(), name, header.dtype.to_string(), shape_text(&header.shape)];
        table.row(row);
    }
    if !table.is_empty() {
        table.write(out, look.bold())?;
        writeln!(out)?;
    }
    left_out(recipe, look, out)?;
    for note in &recipe.notes {
        writeln!(out, "  note       {}", folded(note, 13, 13, look))?;
    }
    let shown = escaped(target.path.as_os_str().as_encoded_bytes());
    let tensors = tensors_text(recipe.outputs.len());
    let is_short = recipe.outputs.iter().any(|output| short_name(&output.header.name).len() < output.header.name.len());
    let short = if is_short { " · keys end in /.ATTRIBUTES/VARIABLE_VALUE" } else { "" };
    let verdict = format!("nothing written: {tensors} would be in {shown} ({}){short}", target.format.name());
    writeln!(out, "{}", folded(&verdict, 0, 2, look))
}

/// Where a tensor comes from, if not from one of its own name and dtype.
fn told_from(inputs: &[Checkpoint], output: &Output) -> Option<String> {
    match &output.from {
        From::Tensor(from) => {
            let tensor = inputs.get(from.input).and_then(|input| input.tensor_at(from.at))?;
            let name = (tensor.name != output.header.name).then(|| escaped(short_name(&tensor.name)).into_owned());
            let dtype = (tensor.dtype != output.header.dtype).then(|| tensor.dtype.to_string());
            let parts: Vec<String> = name.into_iter().chain(dtype).collect();
            (!parts.is_empty()).then(|| format!("from {}", parts.join(", ")))
        }
        From::Mean(all) => Some(format!("of {}", all.len())),
        From::Given(_) => None,
    }
}

/// How many tensors each thing was done with.
fn done(recipe: &Recipe, out: &mut dyn Write) -> io::Result<()> {
    for action in [Action::Copied, Action::Renamed, Action::Cast, Action::Mean, Action::Rewritten] {
        let of = || recipe.outputs.iter().filter(|output| output.action == action);
        let tensors = of().count();
        if tensors == 0 {
            continue;
        }
        if action == Action::Rewritten {
            writeln!(out, "  {:<10} the object graph, for the names that tensors have now", action.name())?;
            continue;
        }
        let elements: u64 = of().filter_map(|output| output.header.shape.elements()).fold(0, u64::saturating_add);
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
