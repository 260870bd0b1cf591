//! The rows of `list`: which tensors, in which order, and their totals.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::analysis::naming::names::Names;
use crate::analysis::naming::roles::{Role, Roles, short_name};
use crate::analysis::naming::selection::Selection;
use crate::analysis::naming::totals::Totals;
use crate::base::parallel::in_parts;
use crate::read::checkpoint::{Checkpoint, Cursor, Parts, Tensor};
use crate::read::tensor::DType;

/// Neighbouring rows that a sample takes.
const SAMPLE_RUN: usize = 32;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// Name, as bytes.
    #[default]
    Name,
    /// Bytes, largest first.
    Size,
    /// Shard and offset.
    Offset,
    /// Dtype, then name.
    DType,
    /// Role, then name.
    Role,
    /// The order of the model, where the file has one; else name.
    Model,
}

/// What `list --by` groups tensors by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The first components of the name.
    Scope,
    /// Element type.
    DType,
    /// Role.
    Role,
    /// Data shard.
    Shard,
}

/// One group of tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the tensors have in common.
    pub key: String,
    /// Their sums.
    pub totals: Totals,
}

/// One line of `list --tree`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// Depth below the top.
    pub depth: usize,
    /// The component of the name.
    pub name: Vec<u8>,
    /// Position of the tensor, if this is one.
    pub tensor: Option<usize>,
    /// Sums over everything below.
    pub totals: Totals,
}

/// Chosen tensors of a checkpoint, in order.
#[derive(Debug)]
pub struct Listing<'c> {
    /// The checkpoint.
    pub checkpoint: &'c Checkpoint,
    /// What its tensors are for.
    pub roles: &'c Roles,
    /// Positions of the rows.
    pub rows: Selection,
    /// Sums over the rows.
    pub totals: Totals,
    /// How many tensors the checkpoint has.
    pub all: usize,
    /// What the tensors are called, if that was asked for.
    pub names: Option<&'c Names>,
}

impl<'c> Listing<'c> {
    /// Sorts a selection and cuts it to the first `top`.
    pub fn new(
        checkpoint: &'c Checkpoint,
        roles: &'c Roles,
        selection: Selection,
        sort: Sort,
        reverse: bool,
        top: Option<usize>,
    ) -> Self {
        let tensors = checkpoint.tensors();
        let mut rows = selection;
        let mut cursor = tensors.cursor();
        match sort {
            Sort::Name => {}
            Sort::Size => rows.sort_by_cached_key(|at| Reverse(cursor.reach(*at).and_then(Tensor::bytes))),
            Sort::Offset => rows.sort_by_cached_key(|at| cursor.reach(*at).map(first_place)),
            Sort::DType => rows.sort_by_cached_key(|at| cursor.reach(*at).map(|t| dtype_name(t.dtype))),
            Sort::Role => rows.sort_by_cached_key(|at| roles.role(*at)),
            Sort::Model => rows.sort_by_cached_key(|at| {
                let told = cursor.reach(*at).and_then(|tensor| checkpoint.told(&tensor.name));
                told.map_or(usize::MAX, |told| told.order)
            }),
        }
        if reverse {
            rows.reverse();
        }
        rows.truncate(top.unwrap_or(usize::MAX));
        let mut listing = Self { checkpoint, roles, rows, totals: Totals::default(), all: tensors.len(), names: None };
        // Rows are different tensors: as many as there are, are all of them.
        listing.totals = if listing.rows.len() == listing.all {
            roles.totals()
        } else {
            listing.in_parts(|rows, totals: &mut Totals| totals.add(rows.tensor())).iter().sum()
        };
        listing
    }

    /// How many threads may go through the rows.
    pub fn threads(&self) -> usize {
        self.checkpoint.threads_for(self.rows.len())
    }

    /// Goes through the rows in as many parts as are worth it, and returns what was made of each.
    pub fn in_parts<T: Default + Send>(&self, add: impl Fn(&RowCursor<'_>, &mut T) + Sync) -> Vec<T> {
        in_parts(self.rows.len(), self.threads(), |range| {
            let (mut made, mut cursor) = (T::default(), self.cursor());
            for n in range {
                if cursor.seek(n) {
                    add(&cursor, &mut made);
                }
            }
            made
        })
    }

    /// Goes through about `count` of the rows, evenly spread, and returns what was made of them.
    pub fn sample<T: Default>(&self, count: usize, add: impl Fn(&RowCursor<'_>, &mut T)) -> Vec<T> {
        let (mut made, mut cursor) = (T::default(), self.cursor());
        // Runs of neighbours cost little more than one of them.
        let runs = count.div_ceil(SAMPLE_RUN).max(1);
        for run in 0..runs {
            let first = self.rows.len() / runs * run;
            for n in first..first.saturating_add(SAMPLE_RUN).min(self.rows.len()) {
                if cursor.seek(n) {
                    add(&cursor, &mut made);
                }
            }
        }
        vec![made]
    }

    /// Goes through the rows' tensors.
    pub fn cursor(&self) -> RowCursor<'_> {
        RowCursor { rows: &self.rows, next: 0, at: 0, cursor: self.checkpoint.tensors().cursor() }
    }

    /// The rows in groups, the largest first, shards by number; scopes are cut at `depth` components.
    pub fn groups(&self, by: GroupBy, depth: usize) -> Vec<Group> {
        let mut groups: BTreeMap<String, Totals> = BTreeMap::new();
        let mut rows = self.cursor();
        while let Some((at, tensor)) = rows.advance() {
            let key = match by {
                GroupBy::Scope => scope(&tensor.name, depth),
                GroupBy::DType => tensor.dtype.to_string(),
                GroupBy::Role => role_name(self.roles.role(at), self.roles.optimizer(at)),
                GroupBy::Shard => shard_name(tensor),
            };
            groups.entry(key).or_default().add(tensor);
        }
        let mut groups: Vec<Group> = groups.into_iter().map(|(key, totals)| Group { key, totals }).collect();
        match by {
            // Shards have an order of their own, and few of them are worth ranking.
            GroupBy::Shard => groups.sort_by_key(|group| group.key.parse().unwrap_or(i32::MAX)),
            _ => groups.sort_by_key(|group| Reverse(group.totals.bytes)),
        }
        groups
    }

    /// The rows as a tree of scopes with subtotals, `depth` levels deep, by name.
    pub fn tree(&self, depth: Option<usize>) -> Vec<TreeRow> {
        let depth = depth.unwrap_or(usize::MAX).clamp(1, MAX_DEPTH);
        let mut rows: Vec<TreeRow> = Vec::new();
        // Rows of the scopes that are open, outermost first. Names come sorted, so a scope's tensors are neighbours.
        let mut open: Vec<usize> = Vec::new();
        let mut sorted = self.rows.clone();
        let mut cursor = self.checkpoint.tensors().cursor();
        // With a byte below all others between them, components are compared one by one.
        sorted.sort_by_cached_key(|at| cursor.reach(*at).map(|t| sort_key(short_name(&t.name))));
        for at in sorted.iter() {
            let Some(tensor) = cursor.reach(at) else { continue };
            let path: Vec<&[u8]> = short_name(&tensor.name).splitn(MAX_DEPTH, |b| *b == b'/').collect();
            let same = open
                .iter()
                .zip(&path)
                .take_while(|(row, name)| rows.get(**row).is_some_and(|row| row.name.as_slice() == **name));
            let same = same.count().min(path.len().saturating_sub(1));
            open.truncate(same);
            for (level, name) in path.iter().enumerate().skip(same).take(depth.saturating_sub(same)) {
                let is_tensor = level.saturating_add(1) == path.len();
                open.push(rows.len());
                let tensor = is_tensor.then_some(at);
                rows.push(TreeRow { depth: level, name: name.to_vec(), tensor, totals: Totals::default() });
            }
            for row in &open {
                if let Some(row) = rows.get_mut(*row) {
                    row.totals.add(tensor);
                }
            }
        }
        rows
    }
}

/// Goes through the rows of a [`Listing`] and allocates nothing for one.
#[derive(Debug)]
pub struct RowCursor<'l> {
    rows: &'l Selection,
    next: usize,
    at: usize,
    cursor: Cursor<'l>,
}

impl RowCursor<'_> {
    /// The next row: the position of its tensor, and the tensor.
    #[inline]
    pub fn advance(&mut self) -> Option<(usize, &Tensor)> {
        loop {
            let at = self.rows.get(self.next)?;
            self.next = self.next.saturating_add(1);
            if self.cursor.seek(at) {
                self.at = at;
                return Some((at, self.cursor.tensor()));
            }
        }
    }

    /// Goes to the `n`-th row; false if there is none.
    #[inline]
    pub fn seek(&mut self, n: usize) -> bool {
        self.next = n.saturating_add(1);
        let at = self.rows.get(n);
        self.at = at.unwrap_or(usize::MAX);
        at.is_some_and(|at| self.cursor.seek(at))
    }

    /// The position of the tensor in the row that was reached last.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The tensor in the row that was reached last.
    pub fn tensor(&self) -> &Tensor {
        self.cursor.tensor()
    }

    /// Its dtype and shape, as [`Cursor::kind`] has them.
    pub fn kind(&self) -> usize {
        self.cursor.kind()
    }
}

fn dtype_name(dtype: DType) -> Cow<'static, str> {
    dtype.known_name().map_or_else(|| Cow::Owned(dtype.to_string()), Cow::Borrowed)
}

/// Bytes in whose order names are ordered component by component: what parts components is less than anything else.
fn sort_key(name: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len());
    let mut slashes = 1;
    for byte in name {
        match byte {
            b'/' if slashes < MAX_DEPTH => {
                slashes = slashes.saturating_add(1);
                key.push(0);
            }
            0 => key.extend([1, 1]),
            1 => key.extend([1, 2]),
            other => key.push(*other),
        }
    }
    key
}

/// How deep a tree goes; what lies deeper is one component.
const MAX_DEPTH: usize = 64;

/// Shard and offset of a tensor's first byte.
fn first_place(tensor: &Tensor) -> (i32, i64) {
    let place = |place: &crate::read::checkpoint::Place| (place.shard, place.range.map_or(0, |(offset, _)| offset));
    match &tensor.parts {
        Parts::Whole(whole) => place(whole),
        Parts::Slices(slices) => slices.places().flatten().map(|at| place(&at)).min().unwrap_or((0, 0)),
    }
}

fn shard_name(tensor: &Tensor) -> String {
    match &tensor.parts {
        Parts::Whole(place) => place.shard.to_string(),
        Parts::Slices(slices) => {
            let mut shards: Vec<i32> = slices.places().flatten().map(|place| place.shard).collect();
            shards.sort_unstable();
            shards.dedup();
            match shards.as_slice() {
                [only] => only.to_string(),
                _ => "several".to_owned(),
            }
        }
    }
}

/// `slot` with its optimizer: `slot (Adam)`.
fn role_name(role: Role, optimizer: Option<&str>) -> String {
    match optimizer {
        Some(optimizer) => format!("{} ({optimizer})", role.name()),
        None => role.name().to_owned(),
    }
}

fn scope(name: &[u8], depth: usize) -> String {
    let components: Vec<&[u8]> = short_name(name).split(|b| *b == b'/').collect();
    let scope = components.split_last().map_or(&[][..], |(_, scope)| scope);
    let scope = scope.get(..depth.min(scope.len())).unwrap_or(scope);
    if scope.is_empty() {
        "(top level)".to_owned()
    } else {
        crate::base::escape::escaped(&scope.join(&b'/')).into_owned()
    }
}
