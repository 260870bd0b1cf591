//! The state: what is shown, what is under the cursor, what was searched for. `mouse` moves it as keys do; `found` says what
//! is to be found out, and takes in what was.

mod found;
mod mouse;

use ckpt::analysis::Roles;
use ckpt::analysis::diff::Change;
use ckpt::analysis::stats::TensorStats;
use ckpt::read::checkpoint::{Checkpoint, Tensor};
use ratatui::layout::Rect;

use super::back::{Taken, searched};
use super::keys::Action;
use super::rows::Rows;
use super::tree::Tree;

/// Tensors up to this size are read unasked.
const UNASKED: u64 = 64 << 20;

/// Rows that are sorted at most: more would be a pause.
const SORTED: usize = 2_000_000;

/// What the cursor is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pane {
    Tree,
    Table,
    Values,
}

/// What is being typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Search,
    Slice,
}

/// A list with a cursor, of which a part is seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct List {
    pub(super) at: usize,
    pub(super) top: usize,
    /// Lines that are seen, as the last drawing had them.
    pub(super) height: usize,
}

impl List {
    /// Goes so many lines on, within so many.
    fn go(&mut self, lines: isize, len: usize) {
        self.at = self.at.saturating_add_signed(lines).min(len.saturating_sub(1));
    }

    /// Shows the cursor.
    pub(super) fn show(&mut self, height: usize, len: usize) {
        self.height = height;
        self.at = self.at.min(len.saturating_sub(1));
        self.top = self.top.min(self.at).max((self.at + 1).saturating_sub(height)).min(len.saturating_sub(1));
    }
}

/// Where the panes were drawn last, for the mouse.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Areas {
    pub(super) tree: Rect,
    pub(super) table: Rect,
    pub(super) values: Rect,
}

/// Everything.
pub(super) struct App {
    pub(super) rows: Rows,
    pub(super) a: &'static Checkpoint,
    pub(super) b: Option<&'static Checkpoint>,
    pub(super) tree: Tree,
    pub(super) roles: Option<Roles>,
    pub(super) pane: Pane,
    pub(super) scopes: List,
    pub(super) table: List,
    /// Lines above the first that is seen of the values.
    pub(super) values_top: usize,
    pub(super) areas: Areas,
    /// The rows of the scope, the largest first; by name without.
    order: Option<Vec<u32>>,
    pub(super) typing: Option<Line>,
    pub(super) search: String,
    pub(super) slice: String,
    pub(super) message: String,
    pub(super) help: bool,
    over: bool,
    pub(super) stats: Option<(usize, Option<Box<TensorStats>>)>,
    pub(super) values: Option<(Vec<u8>, String, String)>,
    /// What the comparison came to, once it is over.
    pub(super) compared: Option<Result<String, String>>,
    /// A tensor that is to be read however large it is.
    wanted: Option<usize>,
    asked_stats: Option<usize>,
    asked_values: Option<(Vec<u8>, String, usize)>,
    asked_search: String,
    /// What the search takes of both sides, where names alone do not say it.
    taken: Option<(String, Taken)>,
    /// Columns of the values.
    pub(super) width: usize,
    /// Whether there are rows that are not shown yet.
    is_behind: bool,
}

impl App {
    pub(super) fn new(rows: Rows, a: &'static Checkpoint, b: Option<&'static Checkpoint>) -> Self {
        let tree = Tree::new(&rows);
        Self {
            rows,
            a,
            b,
            tree,
            roles: None,
            pane: Pane::Table,
            scopes: List::default(),
            table: List::default(),
            values_top: 0,
            areas: Areas::default(),
            order: None,
            typing: None,
            search: String::new(),
            slice: String::new(),
            message: String::new(),
            help: false,
            over: false,
            stats: None,
            values: None,
            compared: None,
            wanted: None,
            asked_stats: None,
            asked_values: None,
            asked_search: String::new(),
            taken: None,
            width: 80,
            is_behind: false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn is_typing(&self) -> bool {
        self.typing.is_some()
    }

    /// Whether the largest come first.
    pub(super) fn is_sorted(&self) -> bool {
        self.order.is_some()
    }

    /// The rows of the scope under the cursor.
    pub(super) fn in_scope(&self) -> std::ops::Range<usize> {
        self.tree.scopes.get(self.scopes.at).map_or(0..0, |scope| scope.rows.clone())
    }

    /// The row that the table has in this line.
    pub(super) fn row(&self, line: usize) -> Option<usize> {
        let scope = self.in_scope();
        let offset = match &self.order {
            Some(order) => *order.get(line)? as usize,
            None => line,
        };
        Some(scope.start + offset).filter(|row| *row < scope.end)
    }

    /// The tensor under the cursor.
    pub(super) fn tensor(&self) -> Option<Tensor> {
        self.rows.tensor(self.row(self.table.at)?)
    }

    /// The change under the cursor.
    pub(super) fn change(&self) -> Option<&Change> {
        self.rows.change(self.row(self.table.at)?)
    }

    /// Whether the tensor under the cursor is too large to be read unasked, and nobody asked.
    pub(super) fn is_too_large(&self, tensor: &Tensor) -> bool {
        let at = self.row(self.table.at).and_then(|row| self.rows.number(row));
        tensor.bytes().is_some_and(|bytes| bytes > UNASKED) && self.wanted != at
    }

    pub(super) fn act(&mut self, action: Action) {
        self.message.clear();
        if self.typing.is_some() && self.typed(action) {
            return;
        }
        if self.help {
            self.help = false;
            return;
        }
        match action {
            Action::Quit => self.over = true,
            Action::Help => self.help = true,
            Action::Move(lines) => self.go(lines),
            Action::Page(halves) => {
                let height = match self.pane {
                    Pane::Tree => self.scopes.height,
                    Pane::Table => self.table.height,
                    Pane::Values => usize::from(self.areas.values.height),
                };
                self.go(halves.saturating_mul(isize::try_from((height / 2).max(1)).unwrap_or(1)));
            }
            Action::First => self.go(isize::MIN),
            Action::Last => self.go(isize::MAX),
            Action::Enter => self.enter(),
            Action::Leave => self.leave(),
            Action::NextPane => {
                self.pane = match self.pane {
                    Pane::Tree => Pane::Table,
                    Pane::Table => Pane::Values,
                    Pane::Values => Pane::Tree,
                };
            }
            Action::Search => self.typing = Some(Line::Search),
            Action::Slice => self.typing = Some(Line::Slice),
            Action::Sort => self.sort(),
            Action::Inspect => self.wanted = self.row(self.table.at).and_then(|row| self.rows.number(row)),
            Action::Cancel if !self.search.is_empty() => self.set_search(String::new()),
            Action::Click(x, y) => self.click(x, y),
            Action::Wheel(x, y, lines) => self.wheel(x, y, lines),
            Action::Cancel
            | Action::Type(_)
            | Action::Erase
            | Action::EraseWord
            | Action::EraseAll
            | Action::Accept => {}
        }
    }

    /// What is done to the line that is typed; false if it is meant for what is behind.
    fn typed(&mut self, action: Action) -> bool {
        let Some(line) = self.typing else { return false };
        let mut text = if line == Line::Search { self.search.clone() } else { self.slice.clone() };
        match action {
            Action::Type(c) if !c.is_control() => text.push(c),
            Action::Erase if text.is_empty() => self.typing = None,
            Action::Erase => drop(text.pop()),
            Action::EraseAll => text.clear(),
            Action::EraseWord => {
                let end = text.trim_end().rfind(' ').map_or(0, |at| at + 1);
                text.truncate(end);
            }
            Action::Accept => self.typing = None,
            Action::Cancel => {
                self.typing = None;
                text.clear();
            }
            _ => return false,
        }
        if line == Line::Search {
            self.set_search(text);
        } else {
            self.slice = text;
        }
        true
    }

    fn set_search(&mut self, text: String) {
        self.search = text;
        if self.rows.are_changes() && self.take_changes() {
            self.renew();
        }
    }

    /// Shows the changes that the search takes; whether it can be understood.
    fn take_changes(&mut self) -> bool {
        match searched(&self.search) {
            Ok(selector) if self.search.trim().is_empty() || selector.is_empty() => self.rows.take_names(None),
            Ok(selector) if selector.asks_names_only() => self.rows.take_names(Some(&selector)),
            Ok(_) => {
                let known = self.taken.as_ref().filter(|(of, _)| *of == self.search).map(|(_, taken)| taken);
                // Until it is known, what the search before took stays.
                let (Some(Taken { a, b: Some(b) }), Some(side)) = (known, self.b) else { return false };
                self.rows.take_sides([(self.a, a), (side, b)]);
            }
            Err(error) => {
                self.message = error.to_string();
                return false;
            }
        }
        true
    }

    /// The rows are others.
    fn renew(&mut self) {
        self.tree = Tree::new(&self.rows);
        self.order = None;
        (self.scopes, self.table) = (List::default(), List::default());
        self.values_top = 0;
    }

    fn go(&mut self, lines: isize) {
        match self.pane {
            Pane::Tree => {
                let before = self.scopes.at;
                self.scopes.go(lines, self.tree.scopes.len());
                if self.scopes.at != before {
                    self.other_scope();
                }
            }
            Pane::Table => {
                self.table.go(lines, self.in_scope().len());
                self.values_top = 0;
            }
            Pane::Values => {
                let all = self.values.as_ref().map_or(0, |(.., text)| text.lines().count());
                self.values_top = self.values_top.saturating_add_signed(lines).min(all.saturating_sub(1));
            }
        }
    }

    /// The table is that of another scope.
    fn other_scope(&mut self) {
        let was_sorted = self.order.take().is_some();
        self.table = List { height: self.table.height, ..List::default() };
        self.values_top = 0;
        if was_sorted {
            self.sort();
        }
    }

    fn enter(&mut self) {
        match self.pane {
            Pane::Tree if self.tree.open(self.scopes.at, &self.rows) => {}
            Pane::Tree => self.pane = Pane::Table,
            Pane::Table => self.pane = Pane::Values,
            Pane::Values => {}
        }
    }

    fn leave(&mut self) {
        match self.pane {
            Pane::Values => self.pane = Pane::Table,
            Pane::Table => self.pane = Pane::Tree,
            Pane::Tree if self.tree.close(self.scopes.at) => {}
            Pane::Tree => {
                self.scopes.at = self.tree.outer(self.scopes.at);
                self.other_scope();
            }
        }
    }

    fn sort(&mut self) {
        let scope = self.in_scope();
        if self.order.take().is_some() {
            return;
        }
        if scope.len() > SORTED {
            "too many to sort; search for fewer".clone_into(&mut self.message);
            return;
        }
        self.order = Some(self.rows.sorted(scope));
        self.table = List { height: self.table.height, ..List::default() };
    }
}
