//! The screen: scopes on the left, tensors or changes beside them, and what is under the cursor below.
//!
//! Nothing of a file reaches the terminal but what was escaped.

use ckpt::analysis::diff::Change;
use ckpt::base::escape::escaped;
use ckpt::read::checkpoint::Checkpoint;
use ckpt::report::{count, diff_sign, diff_spark, diff_words, percent, shape_text, size};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line as TextLine, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph};

use super::app::{App, Areas, Line, Pane};
use super::details::draw_details;
use super::kit::{BAD, BOLD, DIM, block, fit};

/// Narrower than this there is no room for the scopes.
const NARROW: u16 = 70;

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
                fit(&diff_spark(&values.spark), 8, false)
            )
        }
        None => format!(" {}", diff_words(change)),
    };
    columns(&format!("{} {name}", diff_sign(change.status)), &behind, width, style)
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
