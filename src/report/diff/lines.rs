//! The lines of `diff` for people: a change each, a sign in front, then figures in columns or words.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::DiffRows;
use super::match_text;
use super::spectral;
use crate::analysis::diff::{Change, Facts, Figures, Same, Status, Values};
use crate::analysis::short_name;
use crate::base::escape::escaped;
use crate::read::tensor::{Element, write_csv};
use crate::report::kit::figure::{figure, integer};
use crate::report::kit::look::Look;
use crate::report::kit::units::{count, counted, percent, shape_text};
use crate::report::kit::wrap::folded;

/// Narrowest name column on a terminal.
const NAME_COLUMN: usize = 12;

/// Room for words where no row has figures.
const WORDS: usize = 24;

/// Headings of the figures, and how wide their columns are.
const FIGURES: [(&str, usize); 5] = [("along", 8), ("max |Δ|", 8), ("rel L2", 8), ("cosine", 7), ("changed", 7)];

/// The name column: without the suffix of variables, unless keys are shown as stored; both names if there are two.
pub(in crate::report) fn label(change: &Change, long: bool) -> String {
    let short = |name: &[u8]| escaped(if long { name } else { short_name(name) }).into_owned();
    match change.a_name() {
        Some(a_name) => format!("{} → {}", short(a_name), short(change.name())),
        None => short(change.name()),
    }
}

/// All of them, with a heading where there are columns.
pub(in crate::report) fn lines(rows: &DiffRows<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let layout = Layout::of(rows, look);
    layout.heading(look, out)?;
    rows.rows.iter().try_for_each(|change| layout.line(change, rows.long, look, out))
}

/// How wide columns are.
#[derive(Clone, Copy, Debug)]
pub(in crate::report) struct Layout {
    name_width: usize,
    shape_width: usize,
    has_figures: bool,
}

impl Layout {
    /// What fits these rows.
    pub(in crate::report) fn of(rows: &DiffRows<'_>, look: Look) -> Self {
        let shapes = rows.rows.iter().filter(|change| change.status != Status::Shape);
        let shape_width = shapes.filter_map(|change| shape(change).map(|s| s.width())).max().unwrap_or(0).clamp(5, 24);
        let names = rows.rows.iter().map(|change| label(change, rows.long).width()).max().unwrap_or(0).max(4);
        let has_figures = rows.rows.iter().any(|change| figures(change).is_some());
        let figures_width = FIGURES.iter().map(|(_, width)| width + 2).sum::<usize>();
        // What stands behind the figures of those that have NaN.
        let nan = rows.rows.iter().filter_map(|change| Some(figures(change)?.0.nan)).max().filter(|nan| *nan > 0);
        let figures_width = figures_width + nan.map_or(0, |nan| count(nan).len() + "   NaN".len());
        let others = if has_figures { figures_width } else { WORDS + 2 } + shape_width + 4;
        let name_width = match look.width {
            Some(width) => names.min(width.saturating_sub(others).max(NAME_COLUMN)),
            None => names.min(64),
        };
        Self { name_width, shape_width, has_figures }
    }

    /// The heading, where there are columns.
    pub(in crate::report) fn heading(&self, look: Look, out: &mut dyn Write) -> io::Result<()> {
        let Self { name_width, shape_width, has_figures } = *self;
        if !has_figures {
            return Ok(());
        }
        let bold = look.bold();
        write!(out, "{bold}  {:name_width$}  {:shape_width$}", "name", "shape")?;
        for (n, (heading, width)) in FIGURES.iter().enumerate() {
            if n == 0 { write!(out, "  {heading:width$}")? } else { write!(out, "  {heading:>width$}")? }
        }
        writeln!(out, "{bold:#}")
    }

    /// One change.
    pub(in crate::report) fn line(
        &self,
        change: &Change,
        long: bool,
        look: Look,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Self { name_width, shape_width, .. } = *self;
        let name = label(change, long);
        let style = sign_style(change.status, look);
        // Two names that are too long for one line have two.
        let names = if change.a_name().is_some() { folded(&name, 2, 4, look) } else { name.clone() };
        write!(out, "{style}{}{style:#} {names}", sign(change.status))?;
        let wide = name.width();
        if look.width.is_some() && wide > name_width {
            // On a terminal a long name has its line to itself.
            write!(out, "\n{:1$}", "", name_width + 2)?;
        } else {
            write!(out, "{:1$}", "", name_width.saturating_sub(wide))?;
        }
        let shape = shape(change).unwrap_or_default();
        let mut rest = String::new();
        if change.status != Status::Shape {
            rest.push_str("  ");
            rest.push_str(&shape);
            rest.extend(std::iter::repeat_n(' ', shape_width.saturating_sub(shape.width())));
        }
        rest.push_str("  ");
        match figures(change) {
            Some((values, figures)) => rest.push_str(&figure_cells(values, &figures)),
            None => rest.push_str(&folded(&words(change), name_width + rest.width() + 2, name_width + 4, look)),
        }
        writeln!(out, "{}", rest.trim_end())?;
        for remark in match_text::remarks(change).into_iter().chain(spectral::remark(change)) {
            writeln!(out, "    {}", folded(&remark, 4, 4, look))?;
        }
        if long { details(change, look, out) } else { Ok(()) }
    }
}

/// The shape of what is there.
pub(in crate::report) fn shape(change: &Change) -> Option<String> {
    change.b.as_ref().or(change.a.as_ref()).map(|facts| shape_text(&facts.shape))
}

/// The sign of a change, in every list of them.
pub fn sign(status: Status) -> char {
    match status {
        Status::Identical => '=',
        Status::WithinTolerance => '≈',
        Status::Changed => '~',
        Status::Added => '+',
        Status::Removed => '-',
        Status::Shape => '#',
        Status::DType => '%',
        Status::Renamed => '>',
        Status::Unreadable => '!',
        Status::NotCompared | Status::Ambiguous => '?',
    }
}

fn sign_style(status: Status, look: Look) -> anstyle::Style {
    match status {
        Status::Identical | Status::WithinTolerance => look.dim(),
        Status::Changed | Status::Renamed | Status::NotCompared | Status::Ambiguous => look.doubtful(),
        Status::Added => look.good(),
        Status::Removed | Status::Shape | Status::DType | Status::Unreadable => look.bad(),
    }
}

/// The figures of a change that has some to show in columns.
pub(in crate::report) fn figures(change: &Change) -> Option<(&Values, Figures)> {
    let values = change.values.as_deref()?;
    let figures = values.figures?;
    // One number is best told by itself, and what differs in bits only has no size.
    (values.elements > 1 && values.changed > 0).then_some((values, figures))
}

fn figure_cells(values: &Values, figures: &Figures) -> String {
    let cells = [
        spark(&values.spark),
        figures.max_abs_integer.map_or_else(|| figure(figures.max_abs), |most| integer(most.into())),
        // Infinite by infinite is nothing.
        figures.rel_l2.filter(|share| !share.is_nan()).map_or_else(|| "-".to_owned(), figure),
        figures.cosine.map_or_else(|| "-".to_owned(), cosine),
        percent(values.changed, values.elements),
    ];
    let mut line = String::new();
    for (n, (cell, (_, width))) in cells.iter().zip(FIGURES).enumerate() {
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        let parts = if n == 0 { ["", cell, &pad] } else { ["  ", &pad, cell] };
        for part in parts {
            line.push_str(part);
        }
    }
    if values.nan > 0 { format!("{line}  {} NaN", count(values.nan)) } else { line }
}

/// What is said of a change that has no figures.
pub fn words(change: &Change) -> String {
    if let Some(text) = match_text::words(change) {
        return text;
    }
    let both = |text: &dyn Fn(&Facts) -> String| match (&change.a, &change.b) {
        (Some(a), Some(b)) => format!("{} → {}", text(a), text(b)),
        _ => String::new(),
    };
    let dtype = change.b.as_ref().or(change.a.as_ref()).map(|facts| facts.dtype.to_string()).unwrap_or_default();
    match change.status {
        Status::Added => format!("added {dtype}"),
        Status::Removed => format!("removed {dtype}"),
        Status::Shape => format!("{} shape", both(&|facts| shape_text(&facts.shape))),
        Status::DType => format!("{} dtype", both(&|facts| facts.dtype.to_string())),
        Status::Renamed => format!("renamed, {} bytes", if change.same.is_some() { "same" } else { "other" }),
        Status::Identical => match change.same {
            Some(Same::Checksum) => "identical by checksum".to_owned(),
            _ => "identical".to_owned(),
        },
        Status::Unreadable => {
            let sides: Vec<&str> = change.trouble.iter().map(|(side, _)| side.name()).collect();
            format!("unreadable in {}", sides.join(" and "))
        }
        Status::NotCompared => "not compared: the indexes do not tell".to_owned(),
        Status::Ambiguous => "ambiguous".to_owned(),
        Status::Changed | Status::WithinTolerance => value_words(change),
    }
}

fn value_words(change: &Change) -> String {
    let excused = if change.status == Status::WithinTolerance { "  within tolerance" } else { "" };
    let Some(values) = &change.values else {
        return match &change.derived {
            Some((a, b)) => format!("{a} → {b} by the checksums"),
            None => "changed: the checksums differ".to_owned(),
        };
    };
    if values.changed == 0 {
        let n = count(values.bits_only);
        return format!("{n} of {} differ in bits only, values equal{excused}", counted(values.elements, "element"));
    }
    match values.largest {
        Some((a, b)) if values.elements == 1 => format!("{} → {}{excused}", element(a), element(b)),
        _ => {
            let along = if values.elements > 1 { format!("{:8}  ", spark(&values.spark)) } else { String::new() };
            let nan = if values.nan > 0 { format!(", {} NaN", count(values.nan)) } else { String::new() };
            format!("{along}{} of {} changed{nan}{excused}", count(values.changed), counted(values.elements, "element"))
        }
    }
}

fn element(element: Element) -> String {
    let mut text = String::new();
    let _ = write_csv(element, &mut text);
    text
}

/// The second line of `--long`.
fn details(change: &Change, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let mut parts: Vec<String> = Vec::new();
    if let Some(values) = change.values.as_deref().filter(|values| values.changed > 0 || values.bits_only > 0) {
        if let (Some(at), Some((a, b))) = (&values.at, values.largest) {
            let at: Vec<String> = at.iter().map(u64::to_string).collect();
            parts.push(format!("largest at [{}]: {} → {}", at.join(", "), element(a), element(b)));
        } else if let Some(at) = &values.at {
            let at: Vec<String> = at.iter().map(u64::to_string).collect();
            parts.push(format!("first at [{}]", at.join(", ")));
        }
        if let Some(figures) = values.figures.filter(|_| values.changed > 0) {
            parts.push(format!("mean |Δ| {}", figure(figures.mean_abs)));
            parts.push(format!("max rel {}", figure(figures.max_rel)));
            if let Some(ulps) = figures.max_ulps {
                parts.push(format!("{} ulp", count(ulps)));
            }
        }
        parts.push(format!("{} of {} changed", count(values.changed), counted(values.elements, "element")));
        if values.bits_only > 0 {
            parts.push(format!("{} in bits only", count(values.bits_only)));
        }
        if change.status == Status::Changed && values.beyond != values.changed {
            parts.push(format!("{} beyond tolerance", count(values.beyond)));
        }
    }
    if change.repartitioned {
        parts.push("stored in other slices".to_owned());
    }
    if change.moved {
        parts.push("in another shard".to_owned());
    }
    if change.a_name().is_some() {
        parts.push(format!("paired by {}", change.paired.name().replace('_', " ")));
    }
    if parts.is_empty() {
        return Ok(());
    }
    let dim = look.dim();
    writeln!(out, "{dim}    {}{dim:#}", folded(&parts.join(" · "), 4, 4, look))
}

/// Bars of eight heights, relative to the highest; a part without any change is a blank one of the lowest.
pub fn spark(levels: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite = |level: f64| if level.is_finite() { level } else { f64::MAX };
    let most = levels.iter().copied().map(finite).fold(0.0, f64::max);
    let bar = |level: &f64| {
        let level = finite(*level);
        if level <= 0.0 || most <= 0.0 {
            return '·';
        }
        let reaches = |n: usize| level > most / 8.0 * f64::from(u8::try_from(n).unwrap_or(0));
        BARS.iter().enumerate().rfind(|(n, _)| reaches(*n)).map_or('▁', |(_, bar)| *bar)
    };
    levels.iter().map(bar).collect()
}

/// Four digits; what is not quite one does not look like it.
fn cosine(value: f64) -> String {
    let text = format!("{value:.4}");
    match text.as_str() {
        "1.0000" if value < 1.0 => ">0.9999".to_owned(),
        "-1.0000" if value > -1.0 => "<-.9999".to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_one_does_not_look_like_one() {
        assert_eq!(
            [1.0, 0.999_999_9, 0.5, -0.999_999_9, -1.0].map(cosine),
            ["1.0000", ">0.9999", "0.5000", "<-.9999", "-1.0000"]
        );
    }

    #[test]
    fn sparks_are_relative_to_the_highest() {
        assert_eq!(spark(&[0.0, 0.1, 4.0, 8.0, f64::INFINITY]), "·▁▁▁█");
        assert_eq!(spark(&[1.0, 8.0, 4.0]), "▁█▄");
        assert_eq!(spark(&[]), "");
    }
}
