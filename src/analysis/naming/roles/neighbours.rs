//! What the order of names says without a search: which tensors a name is below, what stands in its path, whether the
//! next one has its name and a number.

use super::program::RoleOf;
use super::structure::without_scopes;
use crate::read::checkpoint::{Cursor, Search, Tensors};

/// What stands in the keys of slots (`core.SLOT_NAME` in `trackable`).
const SLOT_MARKER: &[u8] = b"/.OPTIMIZER_SLOT/";

/// Where a SavedModel of Keras has the states of its metrics.
const METRICS: &[u8] = b"keras_api/metrics/";

/// The surroundings of the tensor that was reached.
#[derive(Debug)]
pub(super) struct Neighbours<'c> {
    at: usize,
    /// How many bytes the name begins and ends with as the one before.
    shared: usize,
    alike: usize,
    /// The tensors whose names this one begins with: how long each is, and its kind; each begins with the one before.
    open: Vec<(usize, usize)>,
    /// How many bytes of the name were searched for what follows.
    searched: usize,
    /// Where [`SLOT_MARKER`] and [`METRICS`] end in it.
    slot: Option<usize>,
    metrics: Option<usize>,
    /// Kind and role of the key before this one, and from where on (counted from its end) it must have the same bytes.
    like: Option<(usize, usize, RoleOf)>,
    /// Position of a tensor that has the name of the one before it, and a number.
    numbered: usize,
    ahead: Cursor<'c>,
    search: Search<'c>,
    /// Memory for names that are looked up.
    name: Vec<u8>,
    /// Which of the names without scopes was there last.
    scopes: usize,
}

impl<'c> Neighbours<'c> {
    /// Before the tensor at `first`; those that its name begins with are looked up once.
    pub(super) fn before(tensors: &'c Tensors, first: usize) -> Self {
        let mut neighbours = Self {
            at: first,
            shared: 0,
            alike: 0,
            open: Vec::new(),
            searched: 0,
            slot: None,
            metrics: None,
            like: None,
            numbered: usize::MAX,
            ahead: tensors.cursor(),
            search: tensors.search(),
            name: Vec::new(),
            scopes: 0,
        };
        if first > 0
            && let Some(tensor) = tensors.get(first)
        {
            for at in memchr::memchr_iter(b'/', &tensor.name) {
                if let Some(kind) = neighbours.kind_of(tensor.name.get(..at).unwrap_or_default()) {
                    neighbours.open.push((at, kind));
                }
            }
        }
        neighbours
    }

    /// Goes on to the next tensor, which a cursor has reached.
    #[inline]
    pub(super) fn reach(&mut self, at: usize, cursor: &Cursor<'_>) {
        let shared = cursor.shared();
        (self.at, self.shared, self.alike) = (at, shared, cursor.alike());
        while self.open.last().is_some_and(|(len, _)| *len > shared) {
            self.open.pop();
        }
        self.searched = self.searched.min(shared);
        self.slot = self.slot.filter(|end| *end <= shared);
        self.metrics = self.metrics.filter(|end| *end <= shared);
    }

    /// Leaves it behind: others may be below it.
    #[inline]
    pub(super) fn leave(&mut self, name: &[u8], kind: usize) {
        self.open.push((name.len(), kind));
    }

    /// The kind of the tensor with this name, if the name that was reached is below it.
    #[inline]
    pub(super) fn above(&self, name: &[u8]) -> Option<usize> {
        let (_, kind) = self.open.iter().rfind(|(len, _)| *len <= name.len()).filter(|(len, _)| *len == name.len())?;
        Some(*kind)
    }

    /// How long the longest name of a tensor of this kind is that the one which was reached is below.
    #[inline]
    pub(super) fn nearest_above(&self, name: &[u8], kind: usize) -> Option<usize> {
        let is_above = |(len, other): &&(usize, usize)| *other == kind && name.get(*len) == Some(&b'/');
        self.open.iter().rfind(is_above).map(|(len, _)| *len)
    }

    /// Whether a path, which is a name up to its last `/`, is that of a slot, and that of a metric.
    #[inline]
    pub(super) fn marks(&mut self, path: &[u8]) -> (bool, bool) {
        let begin = self.searched;
        // Mostly a few bytes: what the name before had as well was searched.
        for (at, _) in path.iter().enumerate().skip(begin).filter(|(_, byte)| **byte == b'/') {
            let end = at.saturating_add(1);
            let path = path.get(..end).unwrap_or_default();
            if path.ends_with(SLOT_MARKER) {
                self.slot.get_or_insert(end);
            }
            let before = path.strip_suffix(METRICS);
            if before.is_some_and(|before| before.is_empty() || before.ends_with(b"/")) {
                self.metrics.get_or_insert(end);
            }
        }
        self.searched = begin.max(path.len());
        (self.slot.is_some(), self.metrics.is_some())
    }

    /// The role of the key before, if this one differs from it by a number in its path, which means nothing.
    #[inline]
    pub(super) fn repeated(&mut self, name: &[u8], kind: usize) -> Option<RoleOf> {
        let like = self.like.take()?;
        let (before, tail, role) = like;
        let number = name.get(self.shared..name.len().saturating_sub(self.alike)).unwrap_or_default();
        let is_like =
            before == kind && self.alike >= tail && !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        is_like.then(|| {
            self.like = Some(like);
            role
        })
    }

    /// Says that keys of this kind that end in as many same bytes, and differ by a number, have this role too.
    #[inline]
    pub(super) fn repeat(&mut self, kind: usize, tail: usize, role: RoleOf) {
        self.like = Some((kind, tail, role));
    }

    /// The kind of the tensor with this name.
    pub(super) fn kind_of(&mut self, name: &[u8]) -> Option<usize> {
        self.search.find(name).map(|(_, found)| found.kind())
    }

    pub(super) fn exists(&mut self, name: &[u8]) -> bool {
        self.kind_of(name).is_some()
    }

    /// [`Self::kind_of`] of two parts of a name.
    pub(super) fn kind_of_joined(&mut self, front: &[u8], behind: &[u8]) -> Option<usize> {
        let mut name = std::mem::take(&mut self.name);
        name.clear();
        name.extend_from_slice(front);
        name.extend_from_slice(behind);
        let kind = self.kind_of(&name);
        self.name = name;
        kind
    }

    /// Whether a sibling has this name but for a number behind it: `train_op` and `train_op_1`. `is_key` says that the
    /// name is that of the tensor that was reached, with nothing behind it.
    pub(super) fn has_twin(&mut self, name: &[u8], is_key: bool) -> bool {
        if let Some(stem) = name.strip_suffix(b"_1") {
            return (is_key && self.numbered == self.at)
                || self.exists(stem)
                || self.kind_of_joined(name, b"_1").is_some();
        }
        let next = self.at.saturating_add(1);
        if is_key && self.ahead.seek(next) {
            let rest = self.ahead.tensor().name.strip_prefix(name);
            if rest == Some(b"_1") {
                self.numbered = next;
                return true;
            }
            if rest.is_none_or(|rest| rest > b"_1".as_slice()) {
                return false;
            }
        }
        self.kind_of_joined(name, b"_1").is_some()
    }

    /// Whether a variable of this kind, with a scope of its own, has this name without the first scopes of it, as one whose
    /// single slot was made inside of scopes (`train/net/w/opt`). Few are
    /// tried: of most names it is asked in vain.
    pub(super) fn is_behind_scopes(&mut self, name: &[u8], kind: usize) -> bool {
        const SCOPES: usize = 3;
        let mut ends = memchr::memchr_iter(b'/', name).take(SCOPES);
        ends.any(|at| {
            let behind = name.get(at.saturating_add(1)..).unwrap_or_default();
            behind.contains(&b'/') && self.kind_of(behind) == Some(kind)
        })
    }

    /// Whether a variable of this kind stands under a name that lacks scopes of this one. What an optimizer put in is
    /// mostly the same for all of its variables.
    pub(super) fn is_of_scoped(&mut self, name: &[u8], kind: usize) -> bool {
        let last = self.scopes;
        if let Some((front, behind)) = without_scopes(name).nth(last)
            && self.kind_of_joined(front, behind) == Some(kind)
        {
            return true;
        }
        let others = without_scopes(name).enumerate().filter(|(n, _)| *n != last);
        for (n, (front, behind)) in others {
            if self.kind_of_joined(front, behind) == Some(kind) {
                self.scopes = n;
                return true;
            }
        }
        false
    }
}
