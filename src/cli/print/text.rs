//! Values for people, the way NumPy prints them.

use std::io::Write;

use ckpt::analysis::Derived;
use ckpt::base::error::{Error, Result};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::read::graphs::object_graph::{Attribute, ObjectGraph, TreeOptions};
use ckpt::read::tensor::numpy::{Format, Layout, Options, Writer, quoted};
use ckpt::read::tensor::{Axis, Checked, DType, Element, Shape};
use ckpt::report::{shape_text, size, tensor_text};
use unicode_width::UnicodeWidthStr;

use super::wanted::{Args, READ_WHOLE, Wanted, check, check_small, is_mismatch, output};
use crate::cli::Ctx;

/// An empty line between two tensors.
pub(super) fn gap(ctx: &mut Ctx) -> Result<()> {
    writeln!(ctx.out).map_err(output)
}

/// Prints a number of which nothing is there but its checksum.
pub(super) fn print_derived(wanted: &Wanted, value: &Derived, ctx: &mut Ctx) -> Result<()> {
    let assumption = value.assumption().map_or_else(String::new, |text| format!(", {text}"));
    heading(wanted, &format!("not read: by its checksum in the index{assumption}"), ctx)?;
    writeln!(ctx.out, "{}", value.text()).map_err(output)
}

/// Prints one tensor: a heading, then its values.
pub(super) fn print(checkpoint: &Checkpoint, wanted: &Wanted, args: &Args, ctx: &mut Ctx) -> Result<()> {
    let options = Options {
        precision: args.precision.map(usize::from),
        full: args.full,
        line_width: ctx.look.width.unwrap_or(80).saturating_sub(1).clamp(40, 200),
        ..Options::default()
    };
    if wanted.is_object_graph() && wanted.tensor.dtype == DType::String {
        return object_graph(checkpoint, wanted, args, ctx);
    }
    let layout = Layout::new(&wanted.region.shape(), &options);
    let bytes = wanted.tensor.bytes().unwrap_or(u64::MAX);
    // What is small is read whole; what is shown whole must be.
    let read_all = args.full || bytes <= READ_WHOLE || !wanted.tensor.is_numeric();
    let outcome = check_small(checkpoint, wanted).or_else(|| read_all.then(|| check(checkpoint, wanted)));
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
        heading(wanted, "NOT what was saved: its checksum is wrong", ctx)?;
        let _ = values(checkpoint, wanted, &layout, &options, ctx);
        return Err(error);
    }
    let note = match checked {
        Checked::Verified => "checksum ok",
        Checked::Not if wanted.slice.is_some() => "part, not checked",
        Checked::Not => "not checked",
    };
    heading(wanted, note, ctx)?;
    values(checkpoint, wanted, &layout, &options, ctx)
}

fn heading(wanted: &Wanted, note: &str, ctx: &mut Ctx) -> Result<()> {
    let tensor = &wanted.tensor;
    let (bold, dim) = (ctx.look.bold(), ctx.look.dim());
    let slice = wanted.slice.as_ref().map_or_else(String::new, |slice| format!("[{}]", escaped(slice.as_bytes())));
    let shape = shape_text(&tensor.shape);
    let shape = if wanted.slice.is_some() {
        let part: Vec<i64> = wanted.region.shape().iter().map(|dim| dim.cast_signed()).collect();
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
    let fits = ctx.look.width.is_none_or(|width| name.width() + 2 + facts.width() <= width);
    let gap = if fits { "  " } else { "\n  " };
    writeln!(ctx.out, "{bold}{name}{bold:#}{gap}{dim}{facts}{dim:#}").map_err(output)
}

fn values(checkpoint: &Checkpoint, wanted: &Wanted, layout: &Layout, options: &Options, ctx: &mut Ctx) -> Result<()> {
    let dtype = wanted.tensor.dtype;
    let mut format = Format::new(dtype, options);
    // Strings and variants are told apart by their quotes; only numbers are aligned.
    if wanted.tensor.is_numeric() {
        visible(checkpoint, wanted, layout, &mut |bytes| {
            Element::decode_all(dtype, bytes).into_iter().flatten().for_each(|element| format.observe(&element));
            Ok(())
        })?;
    }
    let mut writer = Writer::new(&mut ctx.out, &format, layout, options);
    visible(checkpoint, wanted, layout, &mut |bytes| match dtype {
        DType::String => writer.push_text(&quoted(bytes, options.full)).map_err(output),
        DType::Variant => writer.push_text(&variant_text(bytes)).map_err(output),
        _ => {
            let mut elements = Element::decode_all(dtype, bytes).into_iter().flatten();
            elements.try_for_each(|element| writer.push(&element)).map_err(output)
        }
    })?;
    let out = writer.finish().map_err(output)?;
    writeln!(out).map_err(output)
}

/// What a serialized `VariantTensorDataProto` says it is; its content is the type's own affair.
pub(super) fn variant_text(bytes: &[u8]) -> String {
    format!("<{}, {}>", escaped(variant_type(bytes)), size(bytes.len() as u64))
}

/// The `type_name` of a `VariantTensorDataProto`.
pub(super) fn variant_type(bytes: &[u8]) -> &[u8] {
    let mut fields = ckpt::read::wire::Fields::new(bytes, 0);
    while let Ok(Some(field)) = fields.next_field() {
        if let (1, ckpt::read::wire::Value::Bytes(name)) = (field.number, field.value) {
            return name;
        }
    }
    b"variant"
}

/// Hands the visible elements of a region to `sink`, in C order.
///
/// Of a large tensor only their rows are read; strings cannot be jumped to, and what is small is read in one go.
fn visible(
    checkpoint: &Checkpoint,
    wanted: &Wanted,
    layout: &Layout,
    sink: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let tensor = &wanted.tensor;
    let elements = wanted.region.elements().unwrap_or(u64::MAX);
    // Values whose checksum is wrong are shown too: the caller has said so.
    let forgive = |result: Result<Checked>| match result {
        Err(e) if is_mismatch(&e) => Ok(()),
        other => other.map(|_| ()),
    };
    if layout.shown() == elements {
        return forgive(checkpoint.read(tensor, &wanted.axes(), sink));
    }
    let Some(size) = tensor.dtype.element_size() else {
        let mut at = 0;
        let mut runs = layout.runs().peekable();
        return forgive(checkpoint.read(tensor, &wanted.axes(), &mut |element| {
            while runs.next_if(|(start, count)| at >= start + count).is_some() {}
            let shown = runs.peek().is_some_and(|(start, _)| at >= *start);
            at += 1;
            if shown { sink(element) } else { Ok(()) }
        }));
    };
    for (start, count) in layout.runs() {
        for axes in run_axes(&wanted.axes(), start, count)? {
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

fn object_graph(checkpoint: &Checkpoint, wanted: &Wanted, args: &Args, ctx: &mut Ctx) -> Result<()> {
    let mut message = Vec::new();
    let checked = checkpoint.read(&wanted.tensor, &wanted.axes(), &mut |bytes| {
        message.extend_from_slice(bytes);
        Ok(())
    });
    let note = if checked.is_ok() { "checksum ok" } else { "NOT what was saved: its checksum is wrong" };
    heading(wanted, note, ctx)?;
    let graph = ObjectGraph::parse(&message);
    if let Ok(graph) = &graph {
        let mut options = TreeOptions::default();
        (options.hide_empty, options.width) = (!args.full, ctx.look.width);
        let describe = |attribute: &Attribute| tensor_text(checkpoint, attribute);
        graph.write_tree(&mut ctx.out, &options, &describe).map_err(output)?;
    }
    checked?;
    graph.map(|_| ()).map_err(|e| e.for_key(&wanted.tensor.name))
}
