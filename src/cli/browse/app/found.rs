//! What is to be found out about what is under the cursor, and what was: asked once, and taken in if it is still wanted.

use ckpt::analysis::diff::Change;

use super::{App, Line};
use crate::cli::browse::back::{Answer, Request, searched};

impl App {
    /// What is to be found out now, and was not asked for yet.
    pub(in crate::cli::browse) fn requests(&mut self) -> Vec<Request> {
        let mut wishes = Vec::new();
        if self.asked_search != self.search {
            self.asked_search.clone_from(&self.search);
            // Names of changes are here.
            if !self.rows.are_changes() || searched(&self.search).is_ok_and(|one| !one.asks_names_only()) {
                wishes.push(Request::Search(self.search.clone()));
            }
        }
        let row = self.row(self.table.at).and_then(|row| self.rows.number(row));
        if let (Some(at), Some(tensor)) = (row, self.tensor())
            && tensor.is_numeric()
            && !self.is_too_large(&tensor)
            && self.asked_stats != Some(at)
        {
            self.asked_stats = Some(at);
            wishes.push(Request::Stats(at));
        }
        let name = match self.change() {
            Some(change) => Some(change.name().to_vec()),
            None => self.tensor().filter(|tensor| !self.is_too_large(tensor)).map(|tensor| tensor.name.clone()),
        };
        if let Some(name) = name {
            let key = (name, self.slice.clone(), self.width);
            if self.asked_values.as_ref() != Some(&key) && self.typing != Some(Line::Slice) {
                let (name, slice, width) = key.clone();
                self.asked_values = Some(key);
                wishes.push(Request::Values { name, slice, width });
            }
        }
        wishes
    }

    /// Takes in what was found out. What is of another wish than the last is of no use.
    pub(in crate::cli::browse) fn learn(&mut self, answer: Answer) {
        match answer {
            Answer::Roles(roles) => self.roles = Some(roles),
            Answer::Found(text, _) if text != self.search => {}
            Answer::Found(text, Ok(taken)) if self.rows.are_changes() => {
                self.taken = Some((text, taken));
                if self.take_changes() {
                    self.renew();
                }
            }
            Answer::Found(text, Ok(taken)) => {
                self.rows.take(Some(&taken.a).filter(|_| !text.trim().is_empty()));
                self.renew();
            }
            Answer::Found(_, Err(why)) => self.message = why,
            Answer::Stats(at, found) => self.stats = Some((at, found)),
            Answer::Values { name, slice, text } => self.values = Some((name, slice, text)),
            Answer::Changes(changes) => {
                let told =
                    changes.into_iter().filter(|change| !change.status.is_quiet(ckpt::analysis::diff::Depth::Values));
                let told: Vec<Change> = told.collect();
                self.is_behind |= !told.is_empty();
                self.rows.extend(told);
            }
            Answer::Compared(outcome) => self.compared = Some(outcome),
        }
    }

    /// Shows the changes that came since this was done last: once for each drawing, however many came. Who looks stays
    /// where they are, as rows come behind those that are there.
    pub(in crate::cli::browse) fn keep_up(&mut self) {
        if !std::mem::take(&mut self.is_behind) || !self.take_changes() {
            return;
        }
        let (tree, at) = self.tree.with_more(self.scopes.at, &self.rows);
        self.tree = tree;
        self.scopes.at = at;
        if self.order.is_some() {
            self.order = None;
            let table = self.table;
            self.sort();
            self.table = table;
        }
    }
}
