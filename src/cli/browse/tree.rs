//! The scopes of rows, opened one at a time: a scope is looked into when it is opened and not before, so that a million
//! tensors cost nothing.

use std::collections::HashSet;
use std::ops::Range;

use ckpt::base::escape::escaped;

use super::rows::Rows;

/// Scopes within one scope that are shown.
const MOST: usize = 5_000;

/// A scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// How deep it is; the whole is 0.
    pub(super) depth: usize,
    /// Its last component, as it is shown.
    pub(super) name: String,
    /// Bytes of the names in it that are its own, with the slash.
    prefix: usize,
    /// The rows in it.
    pub(super) rows: Range<usize>,
    pub(super) is_open: bool,
}

impl Scope {
    /// Makes the path of the scope before it its own, as scopes are seen one after the other.
    fn end(&self, path: &mut Vec<String>) {
        path.truncate(self.depth);
        path.push(self.name.clone());
    }
}

/// The scopes that are seen.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) scopes: Vec<Scope>,
}

impl Tree {
    /// Everything, with the first scopes of it.
    pub(super) fn new(rows: &Rows) -> Self {
        let all = Scope { depth: 0, name: "all".to_owned(), prefix: 0, rows: 0..rows.len(), is_open: false };
        let mut tree = Self { scopes: vec![all] };
        tree.open(0, rows);
        // One scope around everything says nothing: what is in it does.
        while let [.., last] = tree.scopes.as_slice()
            && tree.scopes.len() <= last.depth + 1
            && !last.is_open
        {
            let at = tree.scopes.len() - 1;
            if !tree.open(at, rows) {
                break;
            }
        }
        tree
    }

    /// Shows what is in a scope; whether there is something.
    pub(super) fn open(&mut self, at: usize, rows: &Rows) -> bool {
        let Some(scope) = self.scopes.get_mut(at).filter(|scope| !scope.is_open) else { return false };
        let inner = inside(scope, rows);
        if inner.is_empty() {
            return false;
        }
        scope.is_open = true;
        let behind = at + 1;
        self.scopes.splice(behind..behind, inner);
        true
    }

    /// Hides what is in a scope.
    pub(super) fn close(&mut self, at: usize) -> bool {
        let Some(scope) = self.scopes.get_mut(at).filter(|scope| scope.is_open && scope.depth > 0) else {
            return false;
        };
        scope.is_open = false;
        let depth = scope.depth;
        let inner = self.scopes.iter().skip(at + 1).take_while(|scope| scope.depth > depth).count();
        self.scopes.drain(at + 1..at + 1 + inner);
        true
    }

    /// The scope around another.
    pub(super) fn outer(&self, at: usize) -> usize {
        let depth = self.scopes.get(at).map_or(0, |scope| scope.depth);
        self.scopes.iter().take(at).rposition(|scope| scope.depth < depth).unwrap_or(0)
    }

    /// The scopes of more rows, open where these are, and where the one at `at` is among them.
    pub(super) fn with_more(&self, at: usize, rows: &Rows) -> (Self, usize) {
        let (mut path, mut here, mut opened) = (Vec::new(), Vec::new(), HashSet::new());
        for (n, scope) in self.scopes.iter().enumerate() {
            scope.end(&mut path);
            if n == at {
                here.clone_from(&path);
            }
            if scope.is_open {
                opened.insert(path.clone());
            }
        }
        let (mut tree, mut now, mut n) = (Self::new(rows), 0, 0);
        path.clear();
        while let Some(scope) = tree.scopes.get(n) {
            scope.end(&mut path);
            if path == here {
                now = n;
            }
            if opened.contains(&path) {
                tree.open(n, rows);
            }
            n += 1;
        }
        (tree, now)
    }

    /// What of names is the scope's own.
    pub(super) fn prefix(&self, at: usize) -> usize {
        self.scopes.get(at).map_or(0, |scope| scope.prefix)
    }
}

/// The scopes right within one. Names come sorted, so that the rows of a scope are together.
fn inside(scope: &Scope, rows: &Rows) -> Vec<Scope> {
    let mut found = Vec::new();
    let mut at = scope.rows.start;
    while at < scope.rows.end && found.len() < MOST {
        let component = |name: &[u8]| {
            let rest = name.get(scope.prefix..)?;
            let end = rest.iter().position(|byte| *byte == b'/')?;
            Some(rest.get(..=end)?.to_vec())
        };
        let Some(own) = rows.with_name(at, component).flatten() else {
            at += 1;
            continue;
        };
        let end = end_of(rows, at..scope.rows.end, scope.prefix, &own);
        let name = escaped(own.strip_suffix(b"/").unwrap_or(&own)).into_owned();
        let (depth, prefix) = (scope.depth + 1, scope.prefix + own.len());
        found.push(Scope { depth, name, prefix, rows: at..end, is_open: false });
        at = end;
    }
    found
}

/// Where the rows end whose names have `own` behind the prefix: found by halves.
fn end_of(rows: &Rows, range: Range<usize>, prefix: usize, own: &[u8]) -> usize {
    let has = |n: usize| rows.with_name(n, |name| name.get(prefix..).is_some_and(|rest| rest.starts_with(own)));
    let (mut inside, mut step) = (range.start, 1);
    // Most scopes are small: steps that double, then halves.
    while inside + step < range.end && has(inside + step) == Some(true) {
        inside += step;
        step *= 2;
    }
    let mut outside = (inside + step).min(range.end);
    while outside - inside > 1 {
        let middle = inside + (outside - inside) / 2;
        if has(middle) == Some(true) { inside = middle } else { outside = middle }
    }
    outside
}
