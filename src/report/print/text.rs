//! Values for people, the way NumPy prints them.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::output;
use super::variant::variant_text;
use crate::analysis::Derived;
use crate::analysis::excerpt::{Excerpt, is_mismatch};
use crate::base::error::{Error, Result};
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::read::graphs::object_graph::{Attribute, ObjectGraph};
use crate::read::tensor::numpy::{Format, Layout, Options, Writer, quoted};
use crate::read::tensor::{Axis, Checked, DType, Element, Shape};
use crate::report::graph::text::tensor_text;
use crate::report::graph::tree::{TreeOptions, object_tree};
use crate::report::kit::look::Look;
use crate::report::kit::units::{shape_text, size};

/// How values are shown to people.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrintText {
    /// Every element, however many.
    pub full: bool,
    /// Digits behind the point; as many as needed, at most 8, if not given.
    pub precision: Option<usize>,
    /// Colours, and the width of lines.
    pub look: Look,
}

/// A number of which nothing is there but its checksum.
pub(super) fn write_derived(excerpt: &Excerpt, value: &Derived, look: Look, out: &mut dyn Write) -> Result<()> {
    let assumption = value.assumption().map_or_else(String::new, |text| format!(", {text}"));
    heading(excerpt, &format!("not read: by its checksum in the index{assumption}"), look, out)?;
    writeln!(out, "{}", value.text()).map_err(output)
}

/// One tensor: a heading, then its values.
pub(super) fn write_text(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    shown: PrintText,
    out: &mut dyn Write,
) -> Result<()> {
    let look = shown.look;
    let options = Options {
        precision: shown.precision,
        full: shown.full,
        line_width: look.width.unwrap_or(80).saturating_sub(1).clamp(40, 200),
        ..Options::default()
    };
    if excerpt.is_object_graph() && excerpt.tensor.dtype == DType::String {
        return object_graph(checkpoint, excerpt, shown, out);
    }
    let layout = Layout::new(&excerpt.region.shape(), &options);
    // What is small is read whole; what is shown whole must be.
    let read_all = shown.full || excerpt.is_small() || !excerpt.tensor.is_numeric();
    let outcome = excerpt.check_whole(checkpoint).or_else(|| read_all.then(|| excerpt.check(checkpoint)));
    let (checked, failed) = match outcome {
        None => (Checked::Not, None),
        Some(Ok(checked)) => (checked, None),
        Some(Err(error)) => (Checked::Not, Some(error)),
    };
    if let Some(error) = failed {
        // Wrong values are shown, marked as such; what cannot be read at all is not.
        if !is_mismatch(&error) {
            return Err(error);
        }
        heading(excerpt, "NOT what was saved: its checksum is wrong", look, out)?;
        let _ = values(checkpoint, excerpt, &layout, &options, out);
        return Err(error);
    }
    let note = match checked {
        Checked::Verified => "checksum ok",
        Checked::Not if excerpt.slice.is_some() => "part, not checked",
        Checked::Not => "not checked",
    };
    heading(excerpt, note, look, out)?;
    values(checkpoint, excerpt, &layout, &options, out)
}

fn heading(excerpt: &Excerpt, note: &str, look: Look, out: &mut dyn Write) -> Result<()> {
    let tensor = &excerpt.tensor;
    let (bold, dim) = (look.bold(), look.dim());
    let slice = excerpt.slice.as_ref().map_or_else(String::new, |slice| format!("[{}]", escaped(slice.as_bytes())));
    let shape = shape_text(&tensor.shape);
    let shape = if excerpt.slice.is_some() {
        let part: Vec<i64> = excerpt.region.shape().iter().map(|dim| dim.cast_signed()).collect();
        format!("{} of {shape}", shape_text(&Shape::new(part)))
    } else {
        shape
    };
    let slices = match tensor.slices().len() {
        0 => String::new(),
        n => format!(" · {n} slices"),
    };
    let bytes = tensor.bytes().map_or_else(String::new, |bytes| format!(" · {}", size(bytes)));
    let name = format!("{}{slice}", escaped(&tensor.name));
    let facts = format!("{} {shape}{bytes}{slices} · {note}", tensor.dtype);
    // On a terminal, what does not fit behind a long name stands below it.
    let fits = look.width.is_none_or(|width| name.width() + 2 + facts.width() <= width);
    let gap = if fits { "  " } else { "\n  " };
    writeln!(out, "{bold}{name}{bold:#}{gap}{dim}{facts}{dim:#}").map_err(output)
}

fn values(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    layout: &Layout,
    options: &Options,
    out: &mut dyn Write,
) -> Result<()> {
    let dtype = excerpt.tensor.dtype;
    write_elements(checkpoint, excerpt, layout, options, out, &mut |writer, bytes| match dtype {
        DType::String => writer.push_text(&quoted(bytes, options.full)),
        DType::Variant => writer.push_text(&variant_text(bytes)),
        _ => Element::decode_all(dtype, bytes).into_iter().flatten().try_for_each(|element| writer.push(&element)),
    })
}

/// Writes some elements, given as the bytes that they are.
pub(in crate::report) type Push<'p> = dyn FnMut(&mut Writer<'_, &mut dyn Write>, &[u8]) -> io::Result<()> + 'p;

/// Writes the visible elements of a region in NumPy's layout.
pub(in crate::report) fn write_elements(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    layout: &Layout,
    options: &Options,
    out: &mut dyn Write,
    push: &mut Push<'_>,
) -> Result<()> {
    let dtype = excerpt.tensor.dtype;
    let mut format = Format::new(dtype, options);
    // Strings and variants are told apart by their quotes; only numbers are aligned.
    if excerpt.tensor.is_numeric() {
        visible(checkpoint, excerpt, layout, &mut |bytes| {
            Element::decode_all(dtype, bytes).into_iter().flatten().for_each(|element| format.observe(&element));
            Ok(())
        })?;
    }
    let mut writer = Writer::new(&mut *out, &format, layout, options);
    visible(checkpoint, excerpt, layout, &mut |bytes| push(&mut writer, bytes).map_err(output))?;
    let out = writer.finish().map_err(output)?;
    writeln!(out).map_err(output)
}

/// Hands the visible elements of a region to `sink`, in C order.
///
/// Of a large tensor only their rows are read; strings cannot be jumped to, and what is small is read in one go.
fn visible(
    checkpoint: &Checkpoint,
    excerpt: &Excerpt,
    layout: &Layout,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let tensor = &excerpt.tensor;
    let elements = excerpt.region.elements().unwrap_or(u64::MAX);
    // Values whose checksum is wrong are shown too: the caller has said so.
    let forgive = |result: Result<Checked>| match result {
        Err(e) if is_mismatch(&e) => Ok(()),
        other => other.map(|_| ()),
    };
    if layout.shown() == elements {
        return forgive(excerpt.read(checkpoint, sink));
    }
    let Some(size) = tensor.dtype.element_size() else {
        let mut at = 0;
        let mut runs = layout.runs().peekable();
        return forgive(excerpt.read(checkpoint, &mut |element| {
            while runs.next_if(|(start, count)| at >= start + count).is_some() {}
            let shown = runs.peek().is_some_and(|(start, _)| at >= *start);
            at += 1;
            if shown { sink(element) } else { Ok(()) }
        }));
    };
    for (start, count) in layout.runs() {
        for axes in run_axes(&excerpt.axes(), start, count)? {
            let mut left = axes.iter().map(|axis| axis.count).product::<u64>().saturating_mul(size);
            forgive(checkpoint.read(tensor, &axes, &mut |bytes| {
                left = left.saturating_sub(bytes.len() as u64);
                sink(bytes)
            }))?;
            debug_assert_eq!(left, 0);
        }
    }
    Ok(())
}

/// Regions of one row each for `count` elements from flat index `start` of a region on.
fn run_axes(axes: &[Axis], start: u64, count: u64) -> Result<Vec<Vec<Axis>>> {
    let overflow = || Error::malformed("region", "more elements than fit 64 bits");
    let Some((last, outer)) = axes.split_last() else { return Ok(vec![Vec::new()]) };
    let mut rows = Vec::new();
    let (mut at, end) = (start, start.checked_add(count).ok_or_else(overflow)?);
    while at < end {
        let (mut row, column) = (at / last.count.max(1), at % last.count.max(1));
        let take = (end - at).min(last.count - column);
        let mut part: Vec<Axis> = Vec::with_capacity(axes.len());
        for axis in outer.iter().rev() {
            let index = row % axis.count.max(1);
            row /= axis.count.max(1);
            part.push(Axis { start: axis.start + index * axis.step, step: 1, count: 1 });
        }
        part.reverse();
        part.push(Axis { start: last.start + column * last.step, step: last.step, count: take });
        rows.push(part);
        at += take;
    }
    Ok(rows)
}

fn object_graph(checkpoint: &Checkpoint, excerpt: &Excerpt, shown: PrintText, out: &mut dyn Write) -> Result<()> {
    let mut message = Vec::new();
    let checked = excerpt.read(checkpoint, &mut |bytes| {
        message.extend_from_slice(bytes);
        Ok(())
    });
    let note = if checked.is_ok() { "checksum ok" } else { "NOT what was saved: its checksum is wrong" };
    heading(excerpt, note, shown.look, out)?;
    let graph = ObjectGraph::parse(&message);
    if let Ok(graph) = &graph {
        let mut options = TreeOptions::default();
        (options.hide_empty, options.width) = (!shown.full, shown.look.width);
        let describe = |attribute: &Attribute| tensor_text(checkpoint, attribute);
        object_tree(graph, &options, &describe, out).map_err(output)?;
    }
    checked?;
    graph.map(|_| ()).map_err(|e| e.for_key(&excerpt.tensor.name))
}
