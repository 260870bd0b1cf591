//! What changed between two checkpoints: the largest changes, by layer, and what only one of them has.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use askama::Template;

use super::tensors::LONGEST;
use crate::analysis::diff::{Change, Comparison, Depth, Diff, Largest, Layer, Layers, Status};
use crate::analysis::{Names, Objects, Role, Roles, short_name};
use crate::base::escape::escaped;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;
use crate::report::diff::lines::{figures, label, shape, sign, words};
use crate::report::diff::text::summary_text;
use crate::report::kit::figure::{figure, integer};
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, percent};
use crate::report::kit::wrap::middle;

/// Changes that are told one by one.
const LARGEST: usize = 80;

/// Tensors of one side, or with another shape, dtype or name, that are named.
const NAMED: usize = 60;

/// Layers in the map.
const LAYERS: usize = 40;

/// Weights of a layer in the map.
const COLUMNS: usize = 8;

/// What a comparison came to, as far as a page tells it.
#[derive(Debug)]
pub struct PageChanges<'c> {
    diff: Diff<'c>,
    largest: Vec<Change>,
    named: BTreeMap<Status, Vec<String>>,
    layers: Vec<Layer>,
    /// Changes in layers that were not told apart.
    more: u64,
}

impl<'c> PageChanges<'c> {
    /// Compares, and keeps what is told.
    pub fn of(comparison: Comparison<'c, '_>, b: &'c Checkpoint, progress: &Progress) -> Self {
        let roles = Roles::of(b);
        let names = Names::full(b, &Objects::of(b));
        let mut largest = Largest::new(LARGEST);
        let mut named: BTreeMap<Status, Vec<String>> = BTreeMap::new();
        let mut layers = Layers::default();
        let take = |(), changes: Vec<Change>| {
            for change in changes {
                if !is_told(change.status) {
                    continue;
                }
                let at = change.b.as_ref().and_then(|facts| b.tensors().find(&facts.name));
                if let Some(at) = at.filter(|at| matches!(roles.role(*at), Role::Weight | Role::Average)) {
                    layers.add(&change, &names.best(at, change.name()));
                }
                if change.status != Status::Changed {
                    let list = named.entry(change.status).or_default();
                    if list.len() < NAMED {
                        list.push(line(&change));
                    }
                }
                if change.status == Status::Changed {
                    largest.extend([change]);
                }
            }
            ControlFlow::Continue(())
        };
        let (diff, _) = comparison.each(progress, |_| (), take);
        let more = layers.more;
        Self { diff, largest: largest.finish(), named, layers: layers.finish(), more }
    }

    /// Whether something could not be compared.
    pub fn is_trouble(&self) -> bool {
        self.diff.is_trouble()
    }

    /// What it comes to, in a few words.
    pub fn verdict(&self) -> &'static str {
        summary_text(&self.diff).0
    }
}

fn is_told(status: Status) -> bool {
    !matches!(status, Status::Identical | Status::NotCompared | Status::WithinTolerance)
}

/// `encoder/kernel 3×4 added float32`.
fn line(change: &Change) -> String {
    let shape = shape(change).filter(|_| change.status != Status::Shape).map_or_else(String::new, |s| format!(" {s}"));
    format!("{}{shape}: {}", middle(&label(change, false), 2 * LONGEST), words(change))
}

/// A change of values.
#[derive(Debug)]
struct Row {
    name: String,
    class: String,
    rel: String,
    max: String,
    share: String,
    text: String,
    /// Levels along the tensor.
    along: Vec<String>,
    along_words: String,
}

/// A layer in the map.
#[derive(Debug)]
struct Line {
    name: String,
    largest: String,
    cells: Vec<(String, String, String)>,
    more: String,
}

/// The section.
#[derive(Debug, Template)]
#[template(path = "changes.html")]
pub(super) struct Changes {
    a: String,
    b: String,
    word: &'static str,
    text: String,
    layers: Vec<Line>,
    layers_caption: String,
    /// Cells of the widest layer.
    columns: usize,
    rows: Vec<Row>,
    rows_caption: String,
    lists: Vec<(String, Vec<String>)>,
    notes: Vec<String>,
}

impl Changes {
    pub(super) fn of(changes: &PageChanges<'_>) -> Self {
        let diff = &changes.diff;
        let (word, text) = summary_text(diff);
        let all = diff.tally.of(Status::Changed);
        let rows: Vec<Row> = changes.largest.iter().map(row).collect();
        let rows_caption = match rows.len() as u64 {
            n if n == all => format!("{} tensors whose values changed, the largest change first", count(all)),
            n => format!("The {} largest of {} changes of values", count(n), count(all)),
        };
        let told = changes.layers.len().min(LAYERS);
        let with_weights = changes.layers.len() as u64;
        let layers_caption = format!(
            "Weights by layer, {} of {} layers with a change{}, the one that changed most first: \u{2016}a\u{2212}b\u{2016}/\u{2016}b\u{2016} of each weight",
            count(told as u64),
            count(with_weights),
            if changes.more > 0 { format!(" (and {} changes in others)", count(changes.more)) } else { String::new() }
        );
        let lists = changes.named.iter().map(|(status, names)| {
            let n = diff.tally.of(*status);
            let more = n.saturating_sub(names.len() as u64);
            let mut names = names.clone();
            if more > 0 {
                names.push(format!("… and {} more; ckpt diff lists them all", count(more)));
            }
            let heading = match status {
                Status::Shape => "another shape".to_owned(),
                Status::DType => "another dtype".to_owned(),
                other => other.name().replace('_', " "),
            };
            (format!("{} {} ({})", sign(*status), heading, count(n)), names)
        });
        let mut notes: Vec<String> = diff.notes.clone();
        let apart = |one: &crate::analysis::diff::OneSided| {
            format!("not compared: {} of {}: {}", escaped(short_name(&one.name)), one.side.name(), one.why)
        };
        notes.extend(diff.one_sided.iter().take(NAMED).map(apart));
        if matches!(diff.depth, Depth::Index | Depth::Structure) {
            notes.push("no data was read: how far values moved is not known".to_owned());
        }
        let layers: Vec<Line> = changes.layers.iter().take(LAYERS).map(layer).collect();
        let cells = |line: &Line| line.cells.len() + usize::from(!line.more.is_empty());
        Self {
            a: shown(diff.a.origin().shown()),
            b: shown(diff.b.origin().shown()),
            word,
            text,
            columns: layers.iter().map(cells).max().unwrap_or(1),
            layers,
            layers_caption,
            rows,
            rows_caption,
            lists: lists.collect(),
            notes,
        }
    }
}

fn layer(layer: &Layer) -> Line {
    let cell = |weight: &crate::analysis::diff::LayerWeight| match (weight.status, weight.rel_l2) {
        (Status::Changed, Some(rel)) => (level(rel), middle(&weight.name, 60), figure(rel)),
        (Status::Changed, None) => ("hx".to_owned(), middle(&weight.name, 60), "changed".to_owned()),
        (status, _) => ("hx".to_owned(), middle(&weight.name, 60), status.name().replace('_', " ")),
    };
    let shown = layer.weights.len().min(COLUMNS) as u64;
    let more = layer.changed.saturating_sub(shown);
    Line {
        name: if layer.name.is_empty() { "(top level)".to_owned() } else { middle(&layer.name, LONGEST) },
        largest: layer.largest.map_or_else(|| "-".to_owned(), figure),
        cells: layer.weights.iter().take(COLUMNS).map(cell).collect(),
        more: if more > 0 { format!("and {}", count(more)) } else { String::new() },
    }
}

/// The class of a share of change: nine levels, half a power of ten each.
fn level(rel: f64) -> String {
    const LEVELS: [f64; 8] = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1];
    format!("h{}", LEVELS.iter().filter(|least| rel >= **least).count())
}

fn row(change: &Change) -> Row {
    let name = middle(&label(change, false), 2 * LONGEST);
    let with = figures(change);
    let Some((values, numbers)) = with else {
        let none = || "-".to_owned();
        let (class, text) = ("hx".to_owned(), words(change));
        let (rel, max, share) = (none(), none(), none());
        return Row { name, class, rel, max, share, text, along: Vec::new(), along_words: String::new() };
    };
    let rel = numbers.rel_l2.filter(|rel| !rel.is_nan());
    let most = values.spark.iter().copied().filter(|part| part.is_finite()).fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
    let part = |part: &f64| match part / most {
        share if most > 0.0 && share.is_finite() => format!("h{}", (share * 8.0).ceil().clamp(0.0, 8.0) as u8),
        _ if part.is_infinite() => "h8".to_owned(),
        _ => "h0".to_owned(),
    };
    let along: Vec<String> = values.spark.iter().map(part).collect();
    let farthest = values.spark.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    let along_words = farthest
        .filter(|_| along.len() > 1)
        .map_or_else(String::new, |(at, _)| format!("of {} parts along it, part {} changed most", along.len(), at + 1));
    let text = if values.nan > 0 { format!("{} NaN", count(values.nan)) } else { String::new() };
    Row {
        name,
        class: rel.map_or_else(|| "hx".to_owned(), level),
        rel: rel.map_or_else(|| "-".to_owned(), figure),
        max: numbers.max_abs_integer.map_or_else(|| figure(numbers.max_abs), |most| integer(most.into())),
        share: percent(values.changed, values.elements),
        text,
        along,
        along_words,
    }
}
