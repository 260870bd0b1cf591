//! The mouse: a click goes to a pane and a line of it, a second one on a scope opens or closes it; the wheel moves what is
//! under it.

use ratatui::layout::{Position, Rect};

use super::{App, Areas, Pane};

impl App {
    pub(super) fn click(&mut self, x: u16, y: u16) {
        let line = |area: Rect| usize::from(y.saturating_sub(area.y));
        let at = Position { x, y };
        let Areas { tree, table, values } = self.areas;
        if tree.contains(at) {
            self.pane = Pane::Tree;
            let scope = self.scopes.top + line(tree);
            if scope < self.tree.scopes.len() {
                let again = self.scopes.at == scope;
                self.scopes.at = scope;
                if again {
                    let is_open = self.tree.scopes.get(scope).is_some_and(|scope| scope.is_open);
                    let _ = if is_open { self.tree.close(scope) } else { self.tree.open(scope, &self.rows) };
                }
                self.other_scope();
            }
        } else if table.contains(at) {
            self.pane = Pane::Table;
            let row = self.table.top + line(table);
            if row < self.in_scope().len() {
                self.table.at = row;
                self.values_top = 0;
            }
        } else if values.contains(at) {
            self.pane = Pane::Values;
        }
    }

    pub(super) fn wheel(&mut self, x: u16, y: u16, lines: isize) {
        let at = Position { x, y };
        let Areas { tree, table, values } = self.areas;
        let under = [(tree, Pane::Tree), (table, Pane::Table), (values, Pane::Values)];
        if let Some((_, pane)) = under.into_iter().find(|(area, _)| area.contains(at)) {
            let was = std::mem::replace(&mut self.pane, pane);
            self.go(lines);
            self.pane = was;
        }
    }
}
