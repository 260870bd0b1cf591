//! Keys and the mouse as what they mean: those of less and of vim.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// So many lines down; up, if negative.
    Move(isize),
    /// So many halves of a page.
    Page(isize),
    First,
    Last,
    /// Into what is under the cursor, or to the pane on the right.
    Enter,
    /// Out of it, or to the pane on the left.
    Leave,
    NextPane,
    Search,
    Slice,
    Sort,
    Inspect,
    Help,
    Quit,
    /// What is typed into a line.
    Type(char),
    Erase,
    EraseWord,
    EraseAll,
    Accept,
    Cancel,
    /// The mouse, at a column and a row.
    Click(u16, u16),
    Wheel(u16, u16, isize),
}

/// What an event means; while a line is typed, keys are letters.
pub(super) fn action(event: &Event, typing: bool) -> Option<Action> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            if typing {
                typed(key)
            } else {
                pressed(key)
            }
        }
        Event::Mouse(mouse) => match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(mouse.column, mouse.row)),
            MouseEventKind::ScrollDown => Some(Action::Wheel(mouse.column, mouse.row, 3)),
            MouseEventKind::ScrollUp => Some(Action::Wheel(mouse.column, mouse.row, -3)),
            _ => None,
        },
        _ => None,
    }
}

fn pressed(key: &KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Action::Quit,
        KeyCode::Char('d') if control => Action::Page(1),
        KeyCode::Char('u') if control => Action::Page(-1),
        KeyCode::Char('f') if control => Action::Page(2),
        KeyCode::Char('b') if control => Action::Page(-2),
        KeyCode::Char('n') if control => Action::Move(1),
        KeyCode::Char('p') if control => Action::Move(-1),
        KeyCode::Char('j') | KeyCode::Down => Action::Move(1),
        KeyCode::Char('k') | KeyCode::Up => Action::Move(-1),
        KeyCode::Char('d') => Action::Page(1),
        KeyCode::Char('u') => Action::Page(-1),
        KeyCode::Char(' ' | 'f') | KeyCode::PageDown => Action::Page(2),
        KeyCode::Char('b') | KeyCode::PageUp => Action::Page(-2),
        KeyCode::Char('g' | '<') | KeyCode::Home => Action::First,
        KeyCode::Char('G' | '>') | KeyCode::End => Action::Last,
        KeyCode::Char('l') | KeyCode::Right | KeyCode::Enter => Action::Enter,
        KeyCode::Char('h') | KeyCode::Left => Action::Leave,
        KeyCode::Tab => Action::NextPane,
        KeyCode::Char('/') => Action::Search,
        KeyCode::Char(':') => Action::Slice,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Char('i') => Action::Inspect,
        KeyCode::Char('?') | KeyCode::F(1) => Action::Help,
        KeyCode::Char('q' | 'Q') => Action::Quit,
        KeyCode::Esc => Action::Cancel,
        _ => return None,
    })
}

fn typed(key: &KeyEvent) -> Option<Action> {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    Some(match key.code {
        KeyCode::Char('c') if control => Action::Cancel,
        KeyCode::Char('u') if control => Action::EraseAll,
        KeyCode::Char('w') if control => Action::EraseWord,
        KeyCode::Char('h') if control => Action::Erase,
        KeyCode::Char(c) if !control => Action::Type(c),
        KeyCode::Backspace => Action::Erase,
        KeyCode::Enter => Action::Accept,
        KeyCode::Esc => Action::Cancel,
        KeyCode::Down => Action::Move(1),
        KeyCode::Up => Action::Move(-1),
        _ => return None,
    })
}
