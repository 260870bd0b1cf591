//! The screen: scopes on the left, tensors or changes beside them, and what is under the cursor below.
//!
//! Nothing of a file reaches the terminal but what was escaped.

use ckpt::analysis::diff::{Change, Status};
use ckpt::analysis::short_name;
use ckpt::analysis::stats::{Number, TensorStats};
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::{Checkpoint, Tensor};
use ckpt::report::{count, diff_sign, percent, shape_text, size};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as TextLine, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::app::{App, Areas, Line, Pane};

/// Narrower than this there is no room for the scopes.
const NARROW: u16 = 70;

const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

/// Draws everything.
pub(super) fn draw(app: &mut App, frame: &mut Frame<'_>) {
    app.keep_up();
    let [head, main, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(Paragraph::new(title(app, usize::from(head.width))), head);
    let has_tree = main.width >= NARROW;
    let left = if has_tree { (main.width / 4).clamp(18, 44) } else { 0 };
    let [tree, right] = Layout::horizontal([Constraint::Length(left), Constraint::Min(10)]).areas(main);
    let below = (right.height / 2).clamp(1, 24);
    let [table, details] = Layout::vertical([Constraint::Min(3), Constraint::Length(below)]).areas(right);
    app.areas = Areas::default();
    if has_tree {
        draw_tree(app, frame, tree);
    } else if app.pane == Pane::Tree {
        app.pane = Pane::Table;
    }
    draw_table(app, frame, table);
    draw_details(app, frame, details);
    frame.render_widget(Paragraph::new(bottom(app)), foot);
    if app.help {
        draw_help(frame);
    }
}

/// How many there are, what is known of them, and of what: as much of the paths as there is room for.
fn title(app: &App, width: usize) -> TextLine<'static> {
    let path =
        |checkpoint: &Checkpoint| escaped(checkpoint.origin().shown().as_os_str().as_encoded_bytes()).into_owned();
    let (shown, all) = (count(app.rows.len() as u64), count(app.rows.all() as u64));
    let what = match (app.rows.are_changes(), app.rows.all()) {
        (true, 1) => "change",
        (true, _) => "changes",
        (false, 1) => "tensor",
        (false, _) => "tensors",
    };
    let many =
        if app.rows.len() == app.rows.all() { format!("{all} {what}") } else { format!("{shown} of {all} {what}") };
    let mut spans = vec![Span::styled(many, BOLD)];
    match &app.compared {
        None if app.b.is_some() => spans.push(Span::styled(" · comparing …", DIM)),
        Some(Ok(words)) => spans.push(Span::raw(format!(" · {words}"))),
        Some(Err(why)) => spans.push(Span::styled(format!(" · {why}"), BAD)),
        None => {}
    }
    let damage = app.a.damage().len() + app.b.map_or(0, |b| b.damage().len());
    if damage > 0 {
        spans.push(Span::styled(format!(" · {damage} parts of the index could not be read"), BAD));
    }
    let used: usize = spans.iter().map(Span::width).sum();
    let room = width.saturating_sub(used + " · ".len());
    let paths = match app.b {
        Some(b) => {
            let half = room.saturating_sub(" → ".len()) / 2;
            let [a, b] = [app.a, b].map(|side| fit(&path(side), half, true).trim_end().to_owned());
            format!("{a} → {b}")
        }
        None => fit(&path(app.a), room, true).trim_end().to_owned(),
    };
    spans.push(Span::raw(format!(" · {paths}")));
    TextLine::from(spans)
}

fn block(name: String, is_here: bool) -> Block<'static> {
    let style = if is_here { BOLD } else { DIM };
    Block::new().borders(Borders::TOP).border_style(style).title(Span::styled(name, style))
}

fn chosen(is_at: bool, is_here: bool) -> Style {
    match (is_at, is_here) {
        (true, true) => Style::new().add_modifier(Modifier::REVERSED),
        (true, false) => Style::new().add_modifier(Modifier::UNDERLINED),
        _ => Style::new(),
    }
}

fn draw_tree(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    let is_here = app.pane == Pane::Tree;
    let block = block(" scopes ".to_owned(), is_here);
    let inner = block.inner(area);
    app.areas.tree = inner;
    app.scopes.show(usize::from(inner.height), app.tree.scopes.len());
    let width = usize::from(inner.width).saturating_sub(1);
    let lines = app.tree.scopes.iter().enumerate().skip(app.scopes.top).take(usize::from(inner.height));
    let lines = lines.map(|(at, scope)| {
        let mark = if scope.is_open { "▾" } else { "▸" };
        let number = count(scope.rows.len() as u64);
        let name = format!("{}{mark} {}", "  ".repeat(scope.depth.saturating_sub(1)), scope.name);
        let room = width.saturating_sub(number.len() + 1);
        let text = format!("{} {number:>}", fit(&name, room, true));
        TextLine::styled(text, chosen(at == app.scopes.at, is_here))
    });
    let lines: Vec<TextLine<'_>> = lines.collect();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn draw_table(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
    let is_here = app.pane == Pane::Table;
    let scope = app.in_scope();
    let order = if app.is_sorted() { ", largest first" } else { "" };
    let block = block(
        format!(
            " {} of {}{order} ",
            app.table.at.min(scope.len()) + usize::from(!scope.is_empty()),
            count(scope.len() as u64)
        ),
        is_here,
    );
    let inner = block.inner(area);
    app.areas.table = inner;
    app.table.show(usize::from(inner.height), scope.len());
    let width = usize::from(inner.width);
    let prefix = app.tree.prefix(app.scopes.at);
    let lines = (app.table.top..scope.len()).take(usize::from(inner.height)).filter_map(|line| {
        let row = app.row(line)?;
        let name = app.rows.with_name(row, |name| escaped(name.get(prefix..).unwrap_or(name)).into_owned())?;
        let style = chosen(line == app.table.at, is_here);
        Some(match app.rows.change(row) {
            Some(change) => change_line(change, &name, width, style),
            None => tensor_line(app, row, &name, width, style),
        })
    });
    let mut lines: Vec<TextLine<'_>> = lines.collect();
    if lines.is_empty() {
        let none = match (&app.compared, app.rows.are_changes()) {
            (None, true) => "comparing …",
            (_, true) if app.search.is_empty() => "no difference",
            _ => "nothing matches",
        };
        lines.push(TextLine::styled(none, DIM));
    }
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn tensor_line(app: &App, row: usize, name: &str, width: usize, style: Style) -> TextLine<'static> {
    let Some(tensor) = app.rows.tensor(row) else { return TextLine::default() };
    let role = app.roles.as_ref().zip(app.rows.number(row));
    let role = role.map_or("", |(roles, at)| roles.role(at).name());
    let bytes = tensor.bytes().map_or_else(|| "-".to_owned(), size);
    let behind = format!(
        " {:<9} {:<14} {bytes:>10} {role:<9}",
        fit(&tensor.dtype.to_string(), 9, false),
        fit(&shape_text(&tensor.shape), 14, false)
    );
    columns(name, &behind, width, style)
}

fn change_line(change: &Change, name: &str, width: usize, style: Style) -> TextLine<'static> {
    let figures = change.values.as_ref().and_then(|values| Some((values, values.figures?)));
    let behind = match figures {
        Some((values, figures)) => {
            let rel =
                figures.rel_l2.filter(|rel| !rel.is_nan()).map_or_else(|| "-".to_owned(), |rel| format!("{rel:.3e}"));
            format!(
                " {rel:>10} {:>10.3e} {:>6} {}",
                figures.max_abs,
                percent(values.changed, values.elements),
                fit(&bars(&values.spark), 8, false)
            )
        }
        None => format!(" {}", words(change)),
    };
    columns(&format!("{} {name}", diff_sign(change.status)), &behind, width, style)
}

fn words(change: &Change) -> String {
    let pair = |text: &dyn Fn(&ckpt::analysis::diff::Facts) -> String| match (&change.a, &change.b) {
        (Some(a), Some(b)) => format!("{} → {}", text(a), text(b)),
        (Some(one), None) | (None, Some(one)) => text(one),
        (None, None) => String::new(),
    };
    match change.status {
        Status::DType => pair(&|facts| facts.dtype.to_string()),
        Status::Shape => pair(&|facts| shape_text(&facts.shape)),
        Status::Added | Status::Removed => {
            format!(
                "{} {}",
                change.status.name(),
                pair(&|facts| format!("{} {}", facts.dtype, shape_text(&facts.shape)))
            )
        }
        Status::Unreadable => "unreadable".to_owned(),
        other => other.name().replace('_', " "),
    }
}

/// A name, as much of it as there is room for, and columns behind it.
fn columns(name: &str, behind: &str, width: usize, style: Style) -> TextLine<'static> {
    let wide = behind.chars().count();
    let room = width.saturating_sub(wide);
    if room < 16 {
        return TextLine::styled(fit(name, width, true), style);
    }
    TextLine::from(vec![Span::styled(fit(name, room, true), style), Span::styled(behind.to_owned(), style)])
}

/// Text in exactly so many columns; of one that is too long, the end is what tells it apart.
fn fit(text: &str, room: usize, keeps_end: bool) -> String {
    let span = Span::raw(text);
    let wide = span.width();
    if wide <= room {
        return format!("{text}{}", " ".repeat(room - wide));
    }
    let mut kept = String::new();
    let mut left = room.saturating_sub(1);
    let mut take = |c: char| {
        let wide = Span::raw(c.to_string()).width();
        left.checked_sub(wide).map(|rest| left = rest).is_some()
    };
    if keeps_end {
        let end: Vec<char> = text.chars().rev().take_while(|c| take(*c)).collect();
        kept.push('…');
        kept.extend(end.iter().rev());
    } else {
        kept.extend(text.chars().take_while(|c| take(*c)));
        kept.push('…');
    }
    let pad = room.saturating_sub(Span::raw(kept.as_str()).width());
    kept + &" ".repeat(pad)
}

/// Bars of eight heights, relative to the highest.
pub(super) fn bars(values: &[f64]) -> String {
    const BARS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let bar = |value: &f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
        let level = if most > 0.0 { (value / most * 8.0).ceil().clamp(0.0, 8.0) as usize } else { 0 };
        BARS.get(level).copied().unwrap_or('█')
    };
    values.iter().map(bar).collect()
}

fn draw_details(app: &mut App, frame: &mut Frame<'_>, area: Rect) {
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
    let (name, said) = (change.status.name().replace('_', " "), words(change));
    let mut facts = vec![if said.starts_with(&name) { said } else { format!("{name} {said}") }];
    if let Some(name) = change.a_name() {
        facts.push(format!("in A {}", escaped(short_name(name))));
    }
    if let Some(values) = &change.values {
        facts.push(format!("{} of {} elements changed", count(values.changed), count(values.elements)));
        if values.nan > 0 {
            facts.push(format!("{} NaN", count(values.nan)));
        }
        if let Some(at) = &values.at {
            facts.push(format!("farthest at {at:?}"));
        }
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
    let number = |number: Option<Number>| number.map_or_else(|| "-".to_owned(), |number| float(number.value()));
    let of = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), float);
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
        let mut text = format!("histogram {}", bars(&counts));
        if let Some(along) = &stats.along {
            let sizes: Vec<f64> = along.sizes.iter().map(|size| size.unwrap_or(0.0)).collect();
            text = format!("{text}  along axis 0 {}", bars(&sizes));
        }
        lines.push(TextLine::from(text));
    }
}

fn float(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.3e}")
    }
}

fn bottom(app: &App) -> TextLine<'static> {
    match app.typing {
        Some(line) => {
            let (sign, text) = if line == Line::Search { ('/', &app.search) } else { (':', &app.slice) };
            let text = escaped(text.as_bytes()).into_owned();
            TextLine::from(vec![
                Span::styled(format!("{sign}{text}█"), BOLD),
                Span::styled(format!("  {}", app.message), BAD),
            ])
        }
        None if !app.message.is_empty() => TextLine::styled(app.message.clone(), BAD),
        None => {
            let search =
                if app.search.is_empty() { String::new() } else { format!("/{}  ", escaped(app.search.as_bytes())) };
            TextLine::from(vec![
                Span::styled(search, BOLD),
                Span::styled("? help  / search  : slice  s sort  Tab pane  q quit", DIM),
            ])
        }
    }
}

fn draw_help(frame: &mut Frame<'_>) {
    const HELP: &str = "\
j k ↓ ↑           a line down, up
d u Ctrl-d Ctrl-u half a page
Space b PgDn PgUp a page
g G Home End      the first, the last
Tab               the next pane: scopes, table, values
l → Enter         open a scope; into the pane on the right
h ←               close it; into the pane on the left
/                 search as you type: parts of names, globs,
                  dtype:float32 role:slot size:>1M rank:2 shard:0,
                  ! takes away; Esc ends the search
:                 a slice of the tensor: 0:3, :5
s                 the largest first, or by name
i                 read a tensor that is too large to be read unasked
mouse             click, wheel
q Ctrl-c          leave";
    let area = frame.area();
    let (width, height) = (72.min(area.width), 17.min(area.height));
    let at = Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
    frame.render_widget(Clear, at);
    let block = Block::new().borders(Borders::ALL).title(" keys; any of them leads back ");
    frame.render_widget(Paragraph::new(HELP).block(block), at);
}
