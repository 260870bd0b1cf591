//! What is under the cursor: facts and figures of a tensor or a change, and its values below.

use ckpt::analysis::diff::Change;
use ckpt::analysis::short_name;
use ckpt::analysis::stats::{Number, TensorStats};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::Tensor;
use ckpt::report::{count, diff_spark, diff_words, figure, number, percent, shape_text, size};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line as TextLine, Span};
use ratatui::widgets::Paragraph;

use super::app::{App, Pane};
use super::kit::{BAD, block, fit};

pub(super) fn draw_details(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    let is_here = app.pane == Pane::Values;
    let name = app.row(app.table.at).map(|row| app.rows.name(row)).unwrap_or_default();
    let slice = if app.slice.is_empty() { String::new() } else { format!("[{}]", escaped(app.slice.as_bytes())) };
    let block =
        block(format!(" {}{slice} ", fit(&name, usize::from(area.width.saturating_sub(4)), true).trim_end()), is_here);
    let inner = block.inner(area);
    app.areas.values = inner;
    app.width = usize::from(inner.width);
    let mut lines: Vec<TextLine<'static>> = Vec::new();
    let wanted = match (app.change(), app.tensor()) {
        (Some(change), _) => {
            lines.push(TextLine::from(change_facts(change)));
            Some(change.name().to_vec())
        }
        (None, Some(tensor)) => {
            tensor_facts(app, &tensor, &mut lines);
            Some(tensor.name.clone())
        }
        (None, None) => None,
    };
    if let Some((of, slice, text)) = &app.values
        && Some(of) == wanted.as_ref()
        && *slice == app.slice
    {
        let shown = text.lines().skip(app.values_top).take(usize::from(inner.height));
        // What `print` writes is escaped; a tab would move what is behind it.
        lines.extend(shown.map(|line| TextLine::raw(line.replace('\t', " "))));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn change_facts(change: &Change) -> String {
    let mut facts = vec![diff_words(change)];
    if let Some(name) = change.a_name() {
        facts.push(format!("in A {}", escaped(short_name(name))));
    }
    if let Some(at) = change.values.as_deref().and_then(|values| values.at.as_ref()) {
        facts.push(format!("farthest at {at:?}"));
    }
    facts.join(" · ")
}

fn tensor_facts(app: &App, tensor: &Tensor, lines: &mut Vec<TextLine<'static>>) {
    let bytes = tensor.bytes().map_or_else(|| "-".to_owned(), size);
    let facts = format!("{} {} · {bytes}", tensor.dtype, shape_text(&tensor.shape));
    if app.is_too_large(tensor) {
        lines.push(TextLine::from(format!("{facts} · not read: i reads it")));
        return;
    }
    let at = app.row(app.table.at).and_then(|row| app.rows.number(row));
    match &app.stats {
        Some((of, Some(stats))) if Some(*of) == at => stats_lines(&facts, stats, lines),
        Some((of, None)) if Some(*of) == at => lines.push(TextLine::from(facts)),
        _ if tensor.is_numeric() => lines.push(TextLine::from(format!("{facts} · reading …"))),
        _ => lines.push(TextLine::from(facts)),
    }
}

fn stats_lines(facts: &str, stats: &TensorStats, lines: &mut Vec<TextLine<'static>>) {
    if let Some(error) = &stats.error {
        lines.push(TextLine::from(facts.to_owned()));
        lines.push(TextLine::styled(error.to_string(), BAD));
        return;
    }
    let figures = &stats.figures;
    let number = |value: Option<Number>| value.map_or_else(|| "-".to_owned(), number);
    let of = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
    let checked = if stats.verified { " · checksum ok" } else { "" };
    lines.push(TextLine::from(format!("{facts}{checked}")));
    let mut spans = vec![Span::raw(format!(
        "min {}  max {}  mean {}  std {}  zeros {}",
        number(figures.least()),
        number(figures.greatest()),
        of(figures.mean()),
        of(figures.deviation()),
        percent(figures.zeros, figures.elements),
    ))];
    let infinite = figures.positive_infinity().count + figures.negative_infinity().count;
    for (n, what) in [(figures.nan().count, "NaN"), (infinite, "infinite")] {
        if n > 0 {
            spans.push(Span::styled(format!("  {} {what}", count(n)), BAD));
        }
    }
    lines.push(TextLine::from(spans));
    if let Some(distribution) = &stats.distribution {
        #[expect(clippy::cast_precision_loss, reason = "the height of a bar")]
        let counts: Vec<f64> = distribution.bars.iter().map(|count| *count as f64).collect();
        let mut text = format!("histogram {}", diff_spark(&counts));
        if let Some(along) = &stats.along {
            let sizes: Vec<f64> = along.sizes.iter().map(|size| size.unwrap_or(0.0)).collect();
            text = format!("{text}  along axis 0 {}", diff_spark(&sizes));
        }
        lines.push(TextLine::from(text));
    }
}
