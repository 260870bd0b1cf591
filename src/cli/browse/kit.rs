//! What more than one part of the screen is made of: styles, borders, and text that keeps to its room.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::{Block, Borders};

pub(super) const DIM: Style = Style::new().add_modifier(Modifier::DIM);
pub(super) const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
pub(super) const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

/// A border with a name above, bright where the keys go.
pub(super) fn block(name: String, is_here: bool) -> Block<'static> {
    let style = if is_here { BOLD } else { DIM };
    Block::new().borders(Borders::TOP).border_style(style).title(Span::styled(name, style))
}

/// Text in exactly so many columns; of one that is too long, the end is what tells it apart.
pub(super) fn fit(text: &str, room: usize, keeps_end: bool) -> String {
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
