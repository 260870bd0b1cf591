//! The bytes of a checkpoint as rectangles within rectangles, as square as they can be.
//!
//! Bruls, Huizing and van Wijk, "Squarified treemaps" (2000): rows are filled along the shorter side as long as their
//! rectangles become more square by it. The script looks closer by stretching a rectangle to the whole, so that nothing
//! is laid out twice.

use askama::Template;

use super::first::role_class;
use super::tensors::LONGEST;
use crate::analysis::{Branch, Totals, short_name};
use crate::base::escape::escaped;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::units::{percent, shape_text, size, tensors_text};
use crate::report::kit::wrap::middle;

/// The whole.
pub(super) const WIDE: f64 = 1000.0;
pub(super) const HIGH: f64 = 520.0;

/// Room for the name of a scope above what lies in it.
const TITLE: f64 = 18.0;

/// Rectangles in a page: branches that are told apart.
pub(super) const MOST: usize = 220;

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

/// One rectangle as it is drawn.
#[derive(Debug)]
struct Tile {
    depth: usize,
    class: String,
    x: i64,
    y: i64,
    w: i64,
    h: i64,
    /// What stands in it, as far as there is room.
    label: String,
    text_y: i64,
    title: String,
}

/// The whole picture.
#[derive(Debug, Template)]
#[template(path = "treemap.html")]
pub(super) struct Treemap {
    wide: i64,
    high: i64,
    tiles: Vec<Tile>,
    /// The roles that there are: class, name.
    roles: Vec<(String, &'static str)>,
    has_rest: bool,
    told: usize,
}

impl Treemap {
    /// Of these tensors; `None` where there is nothing with a size.
    pub(super) fn of(checkpoint: &Checkpoint, tree: &Branch) -> Option<Self> {
        if tree.totals.bytes == 0 {
            return None;
        }
        let mut layout = Layout { checkpoint, whole: tree.totals.bytes, tiles: Vec::new(), roles: Vec::new() };
        layout.fill(tree, "", Area { x: 0.0, y: 0.0, w: WIDE, h: HIGH }, 1);
        let Layout { tiles, mut roles, .. } = layout;
        roles.sort_unstable();
        roles.dedup();
        let has_rest = tiles.iter().any(|tile| tile.class == "r8");
        let roles = roles.into_iter().map(|role| (role_class(role), role.name())).collect();
        let told = tiles.iter().filter(|tile| tile.class != "g" && tile.class != "r8").count();
        Some(Self { wide: round(WIDE), high: round(HIGH), tiles, roles, has_rest, told })
    }
}

struct Layout<'c> {
    checkpoint: &'c Checkpoint,
    whole: u64,
    tiles: Vec<Tile>,
    roles: Vec<crate::analysis::Role>,
}

impl Layout<'_> {
    /// Lays out what lies in a branch.
    fn fill(&mut self, branch: &Branch, path: &str, area: Area, depth: usize) {
        let rest = Some(&branch.rest).filter(|rest| rest.bytes > 0);
        let sizes: Vec<u64> =
            branch.inner.iter().map(|inner| inner.totals.bytes).chain(rest.map(|rest| rest.bytes)).collect();
        let areas = squarified(&sizes, area);
        for (inner, area) in branch.inner.iter().zip(&areas) {
            self.tile(inner, path, *area, depth);
        }
        if let (Some(rest), Some(area)) = (rest, areas.get(branch.inner.len())) {
            self.rest(rest, path, *area, depth);
        }
    }

    fn tile(&mut self, branch: &Branch, path: &str, area: Area, depth: usize) {
        let name = escaped(&branch.name).into_owned();
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let is_scope = !branch.inner.is_empty();
        let (bytes, share) = (size(branch.totals.bytes), percent(branch.totals.bytes, self.whole));
        let tensor = branch.tensor.and_then(|at| self.checkpoint.tensor_at(at));
        // A tensor has all of its name there, whatever components were cut.
        let path = tensor.as_ref().map_or(path, |tensor| escaped(short_name(&tensor.name)).into_owned());
        let long = middle(&path, LONGEST);
        let what = match &tensor {
            Some(tensor) => format!("{} {}, {}", tensor.dtype, shape_text(&tensor.shape), branch.role.name()),
            None => tensors_text(branch.totals.tensors),
        };
        let class = match (is_scope, &tensor) {
            (true, _) => "g".to_owned(),
            (false, Some(_)) => role_class(branch.role),
            // Nothing in it is large enough.
            (false, None) => "r8".to_owned(),
        };
        if tensor.is_some() {
            self.roles.push(branch.role);
        }
        self.push(class, area, depth, &name, format!("{long} · {bytes} · {share} · {what}"));
        if is_scope {
            let title = if area.h > TITLE * 2.0 && area.w > 40.0 { TITLE } else { area.h.min(2.0) };
            let edge = if area.w > 40.0 { 2.0 } else { 0.0 };
            let inner = Area {
                x: area.x + edge,
                y: area.y + title,
                w: (area.w - 2.0 * edge).max(0.0),
                h: (area.h - title - edge).max(0.0),
            };
            self.fill(branch, &path, inner, depth + 1);
        }
    }

    fn rest(&mut self, rest: &Totals, path: &str, area: Area, depth: usize) {
        let what = format!("{} more", tensors_text(rest.tensors).trim_end_matches(" more"));
        let path = if path.is_empty() { "…".to_owned() } else { format!("{path}/…") };
        let path = middle(&path, LONGEST);
        let title = format!("{path} · {} · {} · {what}", size(rest.bytes), percent(rest.bytes, self.whole));
        self.push("r8".to_owned(), area, depth, &what, title);
    }

    fn push(&mut self, class: String, area: Area, depth: usize, name: &str, title: String) {
        // What two edges have in common is rounded alike, so that no gap is seen.
        let (x, y) = (round(area.x), round(area.y));
        let (w, h) = (round(area.x + area.w) - x, round(area.y + area.h) - y);
        let label = if h >= 14 { cut(name, usize::try_from((w - 6) / 7).unwrap_or(0)) } else { String::new() };
        self.tiles.push(Tile { depth, class, x, y, w, h, label, text_y: y + 13, title });
    }
}

#[expect(clippy::cast_possible_truncation, reason = "within the picture")]
fn round(value: f64) -> i64 {
    value.round() as i64
}

/// The beginning of a name, if there is room for some of it.
fn cut(name: &str, room: usize) -> String {
    match name.chars().count() {
        n if n <= room => name.to_owned(),
        _ if room < 3 => String::new(),
        _ => name.chars().take(room - 1).chain(['…']).collect(),
    }
}

/// Areas of these sizes, which fill the one that is given; the largest come first.
fn squarified(sizes: &[u64], mut area: Area) -> Vec<Area> {
    #[expect(clippy::cast_precision_loss, reason = "of a picture")]
    let mut sizes: Vec<f64> = sizes.iter().map(|size| *size as f64).collect();
    let whole: f64 = sizes.iter().sum();
    let scale = if whole > 0.0 { area.w * area.h / whole } else { 0.0 };
    for size in &mut sizes {
        *size *= scale;
    }
    let mut out = Vec::with_capacity(sizes.len());
    let mut left = sizes.as_slice();
    while !left.is_empty() {
        let side = area.w.min(area.h);
        let mut take = 1;
        while take < left.len() && worst(&left[..=take], side) <= worst(&left[..take], side) {
            take += 1;
        }
        let (row, rest) = left.split_at(take);
        left = rest;
        let sum: f64 = row.iter().sum();
        let deep = if side > 0.0 { sum / side } else { 0.0 };
        let mut along = 0.0;
        let is_wide = area.w >= area.h;
        for part in row {
            let length = if deep > 0.0 { part / deep } else { 0.0 };
            out.push(if is_wide {
                Area { x: area.x, y: area.y + along, w: deep, h: length }
            } else {
                Area { x: area.x + along, y: area.y, w: length, h: deep }
            });
            along += length;
        }
        if is_wide {
            (area.x, area.w) = (area.x + deep, (area.w - deep).max(0.0));
        } else {
            (area.y, area.h) = (area.y + deep, (area.h - deep).max(0.0));
        }
    }
    out
}

/// How far the rectangle of a row that is least a square is from one.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let (most, least) =
        row.iter().fold((0.0_f64, f64::INFINITY), |(most, least), part| (most.max(*part), least.min(*part)));
    let (side, sum) = (side * side, sum * sum);
    (side * most / sum).max(sum / (side * least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_the_sizes_fill_the_whole_and_are_nearly_square() {
        let area = Area { x: 10.0, y: 20.0, w: 600.0, h: 400.0 };
        // The example of the paper.
        let sizes: [u8; 7] = [6, 6, 4, 3, 2, 2, 1];
        let areas = squarified(&sizes.map(u64::from), area);
        let scale = 600.0 * 400.0 / 24.0;
        for (size, at) in sizes.iter().zip(&areas) {
            assert!((at.w * at.h - f64::from(*size) * scale).abs() < 1e-6, "{at:?}");
            assert!(at.x >= 10.0 && at.x + at.w < 610.0 + 1e-6 && at.y >= 20.0 && at.y + at.h < 420.0 + 1e-6);
            let ratio = (at.w / at.h).max(at.h / at.w);
            assert!(ratio < 3.0, "{ratio}");
        }
        for (n, a) in areas.iter().enumerate() {
            for b in &areas[n + 1..] {
                let apart = |a0: f64, aw: f64, b0: f64, bw: f64| a0 + aw <= b0 + 1e-6 || b0 + bw <= a0 + 1e-6;
                assert!(apart(a.x, a.w, b.x, b.w) || apart(a.y, a.h, b.y, b.h), "{a:?} {b:?}");
            }
        }
        assert_eq!(squarified(&[], area), []);
        assert_eq!(squarified(&[0, 0], area).len(), 2);
        assert_eq!(squarified(&[5], area), [area]);
    }

    #[test]
    fn labels_have_room() {
        assert_eq!([cut("kernel", 6), cut("kernel", 4), cut("kernel", 2)], ["kernel", "ker…", ""]);
    }
}
