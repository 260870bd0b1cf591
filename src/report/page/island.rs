//! The tensors of a page as JSON, of which the script makes a table: names without what they have in common with the one
//! before, dtypes and shapes by number.
//!
//! There is room for so many bytes. What is worth least is left out first: curves, then figures, then whole tensors,
//! the smallest ones; those that something is wrong with stay.

use std::collections::HashMap;
use std::fmt::Write;

use super::escape::push_json;
use super::tensors::{Figures, Kept, PageTensors, role_words, shown_name};
use crate::analysis::Roles;
use crate::read::checkpoint::{Checkpoint, Parts, Tensor};
use crate::report::kit::units::shape_text;

/// How much of the tensors has a place in the page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Tensors that are in the table.
    pub(super) tensors: usize,
    /// Those of them with figures, and with curves.
    pub(super) figures: usize,
    pub(super) curves: usize,
    /// Tensors whose values were read.
    pub(super) read: usize,
}

/// What is told of one tensor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Name,
    Figures,
    Curves,
}

/// Writes the JSON in at most about `room` bytes.
pub(super) fn island(checkpoint: &Checkpoint, roles: &Roles, tensors: &PageTensors, room: usize) -> (String, Place) {
    let mut order: Vec<usize> = (0..tensors.kept.len()).collect();
    order.sort_by_key(|n| tensors.kept.get(*n).map(Kept::rank));
    let room = room.saturating_sub(2000);
    let mut rows;
    loop {
        let mut chosen = order.clone();
        chosen.sort_unstable();
        rows = Rows::new(checkpoint, roles);
        let kept = chosen.iter().filter_map(|n| tensors.kept.get(*n));
        kept.for_each(|kept| rows.add(kept));
        // Each has a place among the figures, too.
        let len = rows.len() + if tensors.totals.is_some() { 2 * order.len() } else { 0 };
        if len <= room || order.is_empty() {
            break;
        }
        let fits = order.len().saturating_mul(room) / len.max(1);
        order.truncate((fits - fits / 20).min(order.len() - 1));
    }
    let mut left = room.saturating_sub(rows.len() + 2 * order.len());
    let mut levels = vec![Level::Name; tensors.kept.len()];
    for level in [Level::Figures, Level::Curves] {
        for n in &order {
            let figures = tensors.kept.get(*n).and_then(|kept| kept.figures.as_deref());
            let (Some(figures), Some(of)) = (figures, levels.get_mut(*n)) else { continue };
            let len = |level| {
                let mut text = String::new();
                push_figures(&mut text, figures, level);
                text.len()
            };
            let more = len(level) - if level == Level::Figures { 0 } else { len(Level::Figures) };
            if more <= left && (level == Level::Figures || *of == Level::Figures) {
                (left, *of) = (left - more, level);
            }
        }
    }
    let mut place = Place { tensors: order.len(), ..Place::default() };
    let mut out = rows.finish(tensors);
    if tensors.totals.is_some() {
        out.push_str(",\n\"stats\":[");
        order.sort_unstable();
        for (at, n) in order.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { "," });
            let (figures, level) = (tensors.kept.get(*n).and_then(|kept| kept.figures.as_deref()), levels.get(*n));
            place.read += usize::from(figures.is_some());
            match (figures, level) {
                (Some(figures), Some(level)) if *level != Level::Name => {
                    place.figures += 1;
                    place.curves += usize::from(*level == Level::Curves);
                    push_figures(&mut out, figures, *level);
                }
                _ => out.push('0'),
            }
        }
        out.push(']');
    }
    out.push('}');
    (out, place)
}

/// `["-1.2","3","0.1","0.5",12,0,0,"bars","along"]`: extremes, mean, deviation, zeros in thousandths, NaN, infinities.
fn push_figures(out: &mut String, figures: &Figures, level: Level) {
    if figures.is_unreadable {
        return out.push_str("[\"!\"]");
    }
    out.push('[');
    for text in [&figures.least, &figures.greatest, &figures.mean, &figures.deviation] {
        push_json(out, text);
        out.push(',');
    }
    let zeros = u128::from(figures.zeros) * 1000 / u128::from(figures.elements.max(1));
    // All but one zero is not all zero, and one is not none.
    let zeros = match zeros {
        0 if figures.zeros > 0 => 1,
        zeros => zeros,
    };
    // Writing to a string does not fail.
    let _ = write!(out, "{zeros}");
    let curves = level == Level::Curves && !(figures.bars.is_empty() && figures.along.is_empty());
    if figures.is_sick() || curves {
        let _ = write!(out, ",{},{}", figures.nan, figures.infinite);
    }
    if curves {
        let _ = write!(out, ",\"{}\",\"{}\"", figures.bars, figures.along);
    }
    out.push(']');
}

/// Rows of tensors, and the kinds and roles that they name by number.
struct Rows<'c> {
    checkpoint: &'c Checkpoint,
    roles: &'c Roles,
    text: String,
    count: usize,
    before: String,
    kinds: String,
    kind_of: HashMap<(i32, String), usize>,
    role_of: Vec<String>,
}

impl<'c> Rows<'c> {
    fn new(checkpoint: &'c Checkpoint, roles: &'c Roles) -> Self {
        Self {
            checkpoint,
            roles,
            text: String::new(),
            count: 0,
            before: String::new(),
            kinds: String::new(),
            kind_of: HashMap::new(),
            role_of: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.text.len() + self.kinds.len()
    }

    /// `[shared, "rest of the name", kind, role, bytes, "shards"]`, without those at the end that say nothing new.
    fn add(&mut self, kept: &Kept) {
        let Some(tensor) = self.checkpoint.tensor_at(kept.at) else { return };
        let name = shown_name(&tensor.name);
        // Counted as scripts count.
        let same = self.before.chars().zip(name.chars()).take_while(|(a, b)| a == b);
        let (mut units, mut bytes) = (0, 0);
        for (c, _) in same {
            (units, bytes) = (units + c.len_utf16(), bytes + c.len_utf8());
        }
        self.text.push_str(if self.count == 0 { "\n" } else { ",\n" });
        let _ = write!(self.text, "[{units},");
        push_json(&mut self.text, name.get(bytes..).unwrap_or_default());
        let (kind, usual) = self.kind(&tensor);
        let role = role_words(self.roles, kept.at);
        let role = self.role_of.iter().position(|known| *known == role).unwrap_or_else(|| {
            self.role_of.push(role);
            self.role_of.len() - 1
        });
        let _ = write!(self.text, ",{kind},{role}");
        let shards = shards(&tensor);
        if Some(kept.bytes) != usual || !shards.is_empty() {
            let _ = write!(self.text, ",{}", kept.bytes);
        }
        if !shards.is_empty() {
            let _ = write!(self.text, ",\"{shards}\"");
        }
        self.text.push(']');
        self.before = name;
        self.count += 1;
    }

    /// The number of a dtype and a shape, and the bytes of a tensor of these.
    fn kind(&mut self, tensor: &Tensor) -> (usize, Option<u64>) {
        let shape = shape_text(&tensor.shape);
        let size = tensor.dtype.element_size();
        let bytes = tensor.elements().zip(size).map(|(elements, size)| elements.saturating_mul(size));
        let next = self.kind_of.len();
        let number = *self.kind_of.entry((tensor.dtype.number(), shape.clone())).or_insert_with(|| {
            self.kinds.push_str(if next == 0 { "" } else { "," });
            self.kinds.push('[');
            push_json(&mut self.kinds, &tensor.dtype.to_string());
            self.kinds.push(',');
            push_json(&mut self.kinds, &shape);
            let _ = write!(self.kinds, ",{},{}]", tensor.elements().unwrap_or(0), bytes.unwrap_or(0));
            next
        });
        (number, bytes)
    }

    fn finish(self, tensors: &PageTensors) -> String {
        let mut out = String::with_capacity(self.text.len() + 4096);
        let object = self.checkpoint.is_object_based();
        let _ = write!(out, "{{\"all\":{},\"object\":{object},\"figures\":{},", tensors.all, tensors.totals.is_some());
        out.push_str("\"roles\":[");
        for (n, role) in self.role_of.iter().enumerate() {
            out.push_str(if n == 0 { "" } else { "," });
            push_json(&mut out, role);
        }
        out.push_str("],\n\"kinds\":[");
        out.push_str(&self.kinds);
        out.push_str("],\n\"rows\":[");
        out.push_str(&self.text);
        out.push(']');
        out
    }
}

/// The shards of a tensor, if that is not the first one alone.
fn shards(tensor: &Tensor) -> String {
    match &tensor.parts {
        Parts::Whole(place) if place.shard == 0 => String::new(),
        Parts::Whole(place) => place.shard.to_string(),
        Parts::Slices(slices) => {
            let mut shards: Vec<i32> = slices.iter().filter_map(|slice| Some(slice.place?.shard)).collect();
            shards.sort_unstable();
            shards.dedup();
            shards.truncate(1000);
            shards.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
    }
}
