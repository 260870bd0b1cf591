//! The tensors of a page: which of them it names, with what `stats` says of them, and the tables that need no script.

use std::ops::ControlFlow;

use askama::Template;

use super::spark::letters;
use crate::analysis::stats::{Distribution, StatsOptions, TensorStats, Totals as StatsTotals, each};
use crate::analysis::{Branch, Roles, Selection, short_name};
use crate::base::escape::escaped;
use crate::base::progress::Progress;
use crate::read::checkpoint::Checkpoint;
use crate::report::kit::figure::{figure, number};
use crate::report::kit::units::{count, percent, shape_text, size};
use crate::report::kit::wrap::middle;

/// Tensors that are named, at most: the largest.
const KEPT: usize = 60_000;

/// Others that are named because something is wrong with them.
const SICK: usize = 2_000;

/// Rows of the table without a script, at most.
const ROWS: usize = 200;

/// Characters of a name, at most.
pub(super) const LONGEST: usize = 300;

/// Rows of scopes, at most.
const SCOPES: usize = 100;

/// Figures of a tensor, as they are shown.
#[derive(Debug)]
pub(super) struct Figures {
    /// Whether there are none, as the tensor could not be read.
    pub(super) is_unreadable: bool,
    pub(super) least: String,
    pub(super) greatest: String,
    pub(super) mean: String,
    pub(super) deviation: String,
    pub(super) elements: u64,
    pub(super) zeros: u64,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    /// The histogram, a letter a bar.
    pub(super) bars: String,
    /// Sizes along the first axis, a letter a part.
    pub(super) along: String,
}

impl Figures {
    pub(super) fn is_sick(&self) -> bool {
        self.is_unreadable || self.nan > 0 || self.infinite > 0
    }
}

/// A tensor that is named.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) at: usize,
    pub(super) bytes: u64,
    pub(super) figures: Option<Box<Figures>>,
}

impl Kept {
    pub(super) fn is_sick(&self) -> bool {
        self.figures.as_ref().is_some_and(|figures| figures.is_sick())
    }

    /// What comes first: those that something is wrong with, then the largest.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        (!self.is_sick(), std::cmp::Reverse(self.bytes), self.at)
    }
}

/// The tensors that a page names, and what is known of all.
#[derive(Debug)]
pub struct PageTensors {
    /// By name.
    pub(super) kept: Vec<Kept>,
    /// How many there are.
    pub(super) all: usize,
    /// What all of them came to, where values were read.
    pub(super) totals: Option<StatsTotals>,
    /// Tensors with NaN, infinity or without their bytes that are not named.
    pub(super) sick_unnamed: usize,
}

impl PageTensors {
    /// Chooses the tensors that are named, and with `figures` reads all values.
    pub fn of(checkpoint: &Checkpoint, figures: bool, threads: usize, progress: &Progress) -> Self {
        let all = checkpoint.tensors().len();
        let mut kept = largest(checkpoint);
        if !figures {
            return Self { kept, all, totals: None, sick_unnamed: 0 };
        }
        let (mut sick, mut sick_unnamed) = (Vec::new(), 0);
        let options = StatsOptions { threads, distribution: true, along: true, ..StatsOptions::default() };
        let make = |_: usize, rows: &[TensorStats]| rows.iter().map(|row| Some(Box::new(shown(row)))).collect();
        let take = |made: Vec<Option<Box<Figures>>>, rows: Vec<TensorStats>| {
            for (row, figures) in rows.iter().zip(made) {
                if let Some(known) =
                    kept.binary_search_by_key(&row.at, |kept| kept.at).ok().and_then(|n| kept.get_mut(n))
                {
                    known.figures = figures;
                } else if figures.as_ref().is_some_and(|figures| figures.is_sick()) {
                    if sick.len() < SICK {
                        let bytes = checkpoint.tensor_at(row.at).and_then(|tensor| tensor.bytes()).unwrap_or(0);
                        sick.push(Kept { at: row.at, bytes, figures });
                    } else {
                        sick_unnamed += 1;
                    }
                }
            }
            ControlFlow::Continue(())
        };
        let totals = each(checkpoint, &Selection::first(all), (&options, None), progress, make, take);
        kept.append(&mut sick);
        kept.sort_unstable_by_key(|kept| kept.at);
        Self { kept, all, totals: Some(totals), sick_unnamed }
    }

    /// Whether some of them could not be read.
    pub fn is_trouble(&self) -> bool {
        self.totals.as_ref().is_some_and(|totals| totals.unreadable > 0)
    }
}

/// The largest tensors, by name.
fn largest(checkpoint: &Checkpoint) -> Vec<Kept> {
    let mut cursor = checkpoint.tensors().cursor();
    let mut kept = Vec::new();
    while let Some((at, tensor)) = cursor.advance() {
        kept.push((std::cmp::Reverse(tensor.bytes().unwrap_or(0)), at));
        // Never much more than is wanted.
        if kept.len() >= 2 * KEPT {
            kept.select_nth_unstable(KEPT);
            kept.truncate(KEPT);
        }
    }
    kept.sort_unstable();
    kept.truncate(KEPT);
    let mut kept: Vec<Kept> = kept.into_iter().map(|(bytes, at)| Kept { at, bytes: bytes.0, figures: None }).collect();
    kept.sort_unstable_by_key(|kept| kept.at);
    kept
}

fn shown(row: &TensorStats) -> Figures {
    let figures = &row.figures;
    let none = || "-".to_owned();
    if row.error.is_some() {
        return Figures {
            is_unreadable: true,
            least: none(),
            greatest: none(),
            mean: none(),
            deviation: none(),
            elements: 0,
            zeros: 0,
            nan: 0,
            infinite: 0,
            bars: String::new(),
            along: String::new(),
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "the height of a bar")]
    let bars = |of: &Distribution| letters(of.bars.iter().map(|count| Some(*count as f64)));
    Figures {
        is_unreadable: false,
        least: figures.least().map_or_else(none, number),
        greatest: figures.greatest().map_or_else(none, number),
        mean: figures.mean().map_or_else(none, figure),
        deviation: figures.deviation().map_or_else(none, figure),
        elements: figures.elements,
        zeros: figures.zeros,
        nan: figures.nan().count,
        infinite: figures.positive_infinity().count + figures.negative_infinity().count,
        bars: row.distribution.as_deref().map_or_else(String::new, bars),
        along: row.along.as_deref().map_or_else(String::new, |along| letters(along.sizes.iter().copied())),
    }
}

/// A row of the table without a script.
#[derive(Debug)]
struct Row {
    name: String,
    dtype: String,
    shape: String,
    size: String,
    role: String,
    /// Least, greatest, mean, deviation, zeros, what is not finite.
    cells: Option<[String; 6]>,
    class: &'static str,
}

/// A scope.
#[derive(Debug)]
struct ScopeRow {
    depth: usize,
    name: String,
    tensors: String,
    parameters: String,
    size: String,
    share: String,
}

/// The tables.
#[derive(Debug, Template)]
#[template(path = "tensors.html")]
pub(super) struct Tables {
    rows: Vec<Row>,
    caption: String,
    has_figures: bool,
    scopes: Vec<ScopeRow>,
    scopes_caption: String,
}

impl Tables {
    pub(super) fn of(checkpoint: &Checkpoint, roles: &Roles, tensors: &PageTensors, tree: &Branch) -> Self {
        let mut order: Vec<&Kept> = tensors.kept.iter().collect();
        order.sort_by_key(|kept| kept.rank());
        let sick = order.iter().filter(|kept| kept.is_sick()).count();
        let has_figures = tensors.totals.is_some();
        let mut rows = Vec::new();
        let mut room: usize = 48 << 10;
        for kept in order.iter().take(ROWS) {
            let Some(tensor) = checkpoint.tensor_at(kept.at) else { continue };
            let row = Row {
                name: shown_name(&tensor.name),
                dtype: tensor.dtype.to_string(),
                shape: shape_text(&tensor.shape),
                size: size(kept.bytes),
                role: role_words(roles, kept.at),
                cells: has_figures.then(|| cells(kept.figures.as_deref())),
                class: if kept.is_sick() { "sick" } else { "" },
            };
            // What stands around a row's cells, and they.
            let Some(left) = usize::checked_sub(room, 190 + row.name.len()) else { break };
            room = left;
            rows.push(row);
        }
        let caption = match rows.len() {
            n if n == tensors.all => format!("All {} tensors, the largest first", count(n as u64)),
            n => format!("{} of {} tensors, the largest first", count(n as u64), count(tensors.all as u64)),
        };
        let caption = match sick {
            0 => caption,
            _ => format!("{caption}; those with NaN, with infinity or without their bytes stand before them"),
        };
        let mut scopes = Vec::new();
        scope_rows(tree, "", 0, tree.totals.bytes, &mut scopes);
        let scopes_caption = if scopes.len() > SCOPES {
            format!("The first {SCOPES} scopes; what is small is summed up in the scope around it")
        } else {
            "Scopes that are large enough to be told apart; a scope holds what lies in it".to_owned()
        };
        scopes.truncate(SCOPES);
        Self { rows, caption, has_figures, scopes, scopes_caption }
    }
}

/// A name as pages show it: the middle of one that is very long is left out.
pub(super) fn shown_name(name: &[u8]) -> String {
    middle(&escaped(short_name(name)), LONGEST)
}

/// `slot (Adam)`.
pub(super) fn role_words(roles: &Roles, at: usize) -> String {
    match (roles.role(at).name(), roles.optimizer(at)) {
        (role, Some(optimizer)) => format!("{role} ({optimizer})"),
        (role, None) => role.to_owned(),
    }
}

fn cells(figures: Option<&Figures>) -> [String; 6] {
    let Some(figures) = figures else { return ["", "", "", "", "", ""].map(str::to_owned) };
    let not_finite = match (figures.nan, figures.infinite) {
        _ if figures.is_unreadable => "cannot be read".to_owned(),
        (0, 0) => "0".to_owned(),
        (nan, 0) => format!("{} NaN", count(nan)),
        (0, infinite) => format!("{} inf", count(infinite)),
        (nan, infinite) => format!("{} NaN, {} inf", count(nan), count(infinite)),
    };
    let zeros = if figures.is_unreadable { "-".to_owned() } else { percent(figures.zeros, figures.elements) };
    let Figures { least, greatest, mean, deviation, .. } = figures;
    [least.clone(), greatest.clone(), mean.clone(), deviation.clone(), zeros, not_finite]
}

fn scope_rows(branch: &Branch, path: &str, depth: usize, whole: u64, rows: &mut Vec<ScopeRow>) {
    for inner in branch.inner.iter().filter(|inner| inner.tensor.is_none()) {
        let name = escaped(&inner.name);
        let path = if path.is_empty() { name.into_owned() } else { format!("{path}/{name}") };
        rows.push(ScopeRow {
            depth: depth.min(5),
            name: middle(&path, LONGEST),
            tensors: count(inner.totals.tensors as u64),
            parameters: count(inner.totals.parameters),
            size: size(inner.totals.bytes),
            share: percent(inner.totals.bytes, whole),
        });
        scope_rows(inner, &path, depth + 1, whole, rows);
    }
}
