//! What names, dtypes, shapes and checksums alone tell of a pair, and the list of what is left to tell or to read.

use std::collections::BTreeSet;

use super::one_sided::copies_in;
use super::pair::{Leftovers, Pair};
use super::tallies::{Ledger, Verdict, is_silent};
use super::work::{Todo, Wish, Wishes, Work};
use super::{Ambiguous, Bound, Depth, Diff, DiffOptions, LowRanks, OneSided, PairedBy, Side, Status, Tally, Tolerance};
use crate::analysis::naming::roles::{Role, Roles};
use crate::analysis::naming::select::Selector;
use crate::read::checkpoint::{Checkpoint, Parts, Place, Tensor};
use crate::read::tensor::DType;

/// Judges pairs as they are found, and lists those of which there is something to tell or to read.
pub(super) struct Judge<'c, 'o> {
    pub(super) options: &'o DiffOptions,
    pub(super) work: Vec<Work>,
    pub(super) wishes: Wishes,
    pub(super) diff: Diff<'c>,
    pub(super) ledger: Ledger,
    /// Only looked at if a selector is there to ask for them.
    roles: Option<(Roles, Roles)>,
}

impl<'c, 'o> Judge<'c, 'o> {
    pub(super) fn new(a: &'c Checkpoint, b: &'c Checkpoint, options: &'o DiffOptions) -> Self {
        let mut selectors = std::iter::once(&options.only)
            .chain(&options.ignore)
            .chain(options.tolerances.iter().map(|rule| &rule.selector))
            .chain(options.expectations.iter().map(|one| &one.selector));
        let selects = selectors.any(Selector::asks_roles);
        Self {
            options,
            work: Vec::new(),
            wishes: Wishes::default(),
            roles: selects.then(|| (Roles::of(a), Roles::of(b))),
            ledger: Ledger::new(options),
            diff: Diff {
                a,
                b,
                depth: options.depth,
                changes: Vec::new(),
                tally: Tally::default(),
                by_checksum: 0,
                repartitioned: 0,
                moved: 0,
                paired: [0; 4],
                left_out: 0,
                one_sided: Vec::new(),
                scopes: Vec::new(),
                ambiguous: Vec::new(),
                expectations: Vec::new(),
                notes: Vec::new(),
                low_ranks: LowRanks::default(),
                bytes_read: 0,
                matched: None,
            },
        }
    }

    /// Whether a selector takes the tensor on either side.
    fn takes(&self, selector: &Selector, a: Option<(usize, &Tensor)>, b: Option<(usize, &Tensor)>) -> bool {
        let role = |at, side: fn(&(Roles, Roles)) -> &Roles| {
            self.roles.as_ref().map_or(Role::Other, |roles| side(roles).role(at))
        };
        a.is_some_and(|(at, tensor)| selector.takes(tensor, role(at, |roles| &roles.0)))
            || b.is_some_and(|(at, tensor)| selector.takes(tensor, role(at, |roles| &roles.1)))
    }

    fn is_wanted(&mut self, a: Option<(usize, &Tensor)>, b: Option<(usize, &Tensor)>) -> bool {
        let options = self.options;
        let wanted = (options.only.is_empty() || self.takes(&options.only, a, b))
            && !options.ignore.iter().any(|selector| self.takes(selector, a, b));
        self.diff.left_out += u64::from(!wanted);
        wanted
    }

    /// The expectations that are about the tensor, a bit each.
    fn expected(&self, a: Option<(usize, &Tensor)>, b: Option<(usize, &Tensor)>) -> u64 {
        let about = self.options.expectations.iter().enumerate();
        let about = about.filter(|(_, one)| self.takes(&one.selector, a, b));
        about.fold(0, |bits, (n, _)| bits | 1u64.checked_shl(u32::try_from(n).unwrap_or(64)).unwrap_or(0))
    }

    fn tolerance(&self, a: (usize, &Tensor), b: (usize, &Tensor)) -> Option<Tolerance> {
        let mut found: Option<Tolerance> = None;
        for rule in &self.options.tolerances {
            if rule.selector.is_empty() || self.takes(&rule.selector, Some(a), Some(b)) {
                let tolerance = found.get_or_insert_default();
                match rule.bound {
                    Bound::Absolute(most) => tolerance.atol = most,
                    Bound::Relative(most) => tolerance.rtol = most,
                    Bound::Ulps(most) => tolerance.ulps = Some(most),
                }
            }
        }
        found
    }

    /// Judges two tensors that belong together by what the indexes say, or puts them on the list of those to read.
    pub(super) fn pair(&mut self, pair: Pair<'_>) {
        let Pair { a, b, how } = pair;
        if !self.is_wanted(Some(a), Some(b)) {
            return;
        }
        let expected = self.expected(Some(a), Some(b));
        let (x, y) = (a.1, b.1);
        let told = match (self.options.depth, x.dtype == y.dtype, x.shape == y.shape) {
            (_, false, _) => Some(Status::DType),
            (_, true, false) => Some(Status::Shape),
            (Depth::Structure, ..) => Some(Status::NotCompared),
            _ => None,
        };
        let same = if told.is_none() { self.by_checksum(x, y) } else { None };
        // What is not equal to itself is not equal by its checksum either.
        let read_all = self.options.nan_differs && has_nan(x.dtype);
        let told = match (self.options.depth, same) {
            _ if told.is_some() => told,
            (Depth::Index, None) => Some(Status::NotCompared),
            (Depth::Index, Some(false)) => Some(Status::Changed),
            (Depth::Index, Some(true)) => Some(Status::Identical),
            (Depth::Values, Some(true)) if !read_all => Some(Status::Identical),
            _ => None,
        };
        if let Some(status) = told {
            return self.tell(Some(a), Some(b), &Verdict::by_index(status, how, expected));
        }
        let exact = self.options.depth == Depth::Exact && same == Some(true) && !read_all && x.is_numeric();
        let tolerance = self.tolerance(a, b);
        self.put_off(a, b, how, exact, Wish { tolerance, expected });
    }

    /// Puts a pair on the list of those to read.
    fn put_off(&mut self, a: (usize, &Tensor), b: (usize, &Tensor), how: PairedBy, exact: bool, wish: Wish) {
        let wish = self.wishes.number(wish);
        let bytes = stored(a.1).saturating_add(stored(b.1));
        self.diff.bytes_read = self.diff.bytes_read.saturating_add(bytes);
        let claimed = a.1.elements().zip(a.1.dtype.element_size()).map_or(0, |(n, size)| n.saturating_mul(size));
        let weight = claimed.max(stored(a.1)).max(stored(b.1));
        let todo = if exact { Todo::Bytes } else { Todo::Values };
        self.work.push(Work::new(Some(a.0), Some(b.0), how, todo, wish, weight));
    }

    /// Whether the indexes say that the bytes are the same; `None` if they do not tell.
    fn by_checksum(&self, a: &Tensor, b: &Tensor) -> Option<bool> {
        // Elements of one byte have no byte order; the lengths of strings, which are summed too, have one.
        let one_order =
            self.diff.a.is_big_endian() == self.diff.b.is_big_endian() || (a.dtype.swap_unit() == 1 && a.is_numeric());
        if !one_order {
            return None;
        }
        let same = |x: &Place, y: &Place| {
            let (x_size, y_size) = (x.range?.1, y.range?.1);
            Some(x_size == y_size && x.crc32c? == y.crc32c?)
        };
        match (&a.parts, &b.parts) {
            (Parts::Whole(x), Parts::Whole(y)) => same(x, y),
            (Parts::Slices(x), Parts::Slices(y)) if x.len() == y.len() => {
                let mut all = true;
                for (x, y) in x.iter().zip(y.iter()) {
                    if x.slice != y.slice {
                        return None;
                    }
                    all &= same(x.place.as_ref()?, y.place.as_ref()?)?;
                }
                Some(all)
            }
            _ => None,
        }
    }

    /// Judges tensors without a partner: renamed, added, removed, or lost with a part of an index.
    pub(super) fn single(&mut self, left: Leftovers) {
        let (a, b) = (self.diff.a, self.diff.b);
        let mut left = left;
        left.a.retain(|at| a.tensor_at(*at).is_some_and(|tensor| self.is_wanted(Some((*at, &tensor)), None)));
        left.b.retain(|at| b.tensor_at(*at).is_some_and(|tensor| self.is_wanted(None, Some((*at, &tensor)))));
        if self.options.depth != Depth::Structure {
            left = self.renamed(left);
        }
        let copies = |side: &Checkpoint, left: &[usize]| {
            if left.is_empty() { BTreeSet::new() } else { copies_in(side) }
        };
        let copies = (copies(a, &left.a), copies(b, &left.b));
        for at in left.a {
            let Some(tensor) = a.tensor_at(at) else { continue };
            if let Some(one) = OneSided::of(Side::A, (at, &tensor), &copies.0, b) {
                self.diff.one_sided.push(one);
                continue;
            }
            let status = if b.damage().is_empty() { Status::Removed } else { Status::Unreadable };
            let expected = self.expected(Some((at, &tensor)), None);
            self.tell(Some((at, &tensor)), None, &Verdict::by_index(status, PairedBy::Name, expected));
        }
        for at in left.b {
            let Some(tensor) = b.tensor_at(at) else { continue };
            if let Some(one) = OneSided::of(Side::B, (at, &tensor), &copies.1, a) {
                self.diff.one_sided.push(one);
                continue;
            }
            let status = if a.damage().is_empty() { Status::Added } else { Status::Unreadable };
            let expected = self.expected(None, Some((at, &tensor)));
            self.tell(None, Some((at, &tensor)), &Verdict::by_index(status, PairedBy::Name, expected));
        }
    }

    /// Two tensors with the same bytes under two names.
    pub(super) fn same_bytes(&mut self, a: usize, b: usize) {
        let (Some(x), Some(y)) = (self.diff.a.tensor_at(a), self.diff.b.tensor_at(b)) else { return };
        let (x, y) = ((a, &x), (b, &y));
        let expected = self.expected(Some(x), Some(y));
        let how = PairedBy::Bytes;
        if self.options.depth == Depth::Exact {
            return self.put_off(x, y, how, x.1.is_numeric(), Wish { tolerance: None, expected });
        }
        self.tell(Some(x), Some(y), &Verdict::by_index(Status::Renamed, how, expected));
    }

    pub(super) fn ambiguous(&mut self, a: &[usize], b: &[usize]) {
        let names = |checkpoint: &Checkpoint, all: &[usize]| {
            all.iter().filter_map(|at| Some(Box::from(&*checkpoint.tensor_at(*at)?.name))).collect::<Vec<_>>()
        };
        let (a, b) = (names(self.diff.a, a), names(self.diff.b, b));
        self.diff.ambiguous.push(Ambiguous { a, b });
    }

    /// Enters what the indexes say into the tallies, and lists it if there is something to tell.
    fn tell(&mut self, a: Option<(usize, &Tensor)>, b: Option<(usize, &Tensor)>, verdict: &Verdict) {
        let status = verdict.status;
        self.ledger.enter(a.map(|a| a.1), b.map(|b| b.1), verdict);
        if !is_silent(status, self.options) {
            let (a, b) = (a.map(|a| a.0), b.map(|b| b.0));
            self.work.push(Work::new(a, b, verdict.how, Todo::Tell(status), 0, 0));
        }
    }
}

/// The bytes that a tensor takes, as far as the index says.
fn stored(tensor: &Tensor) -> u64 {
    tensor.bytes().unwrap_or(0)
}

/// Whether a dtype has NaN.
fn has_nan(dtype: DType) -> bool {
    use DType::{
        BFloat16, Complex64, Complex128, Float8E4M3B11FNUZ, Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ,
        Float16, Float32, Float64,
    };
    matches!(
        dtype,
        Float16 | Float32 | Float64 | BFloat16 | Complex64 | Complex128 | Float8E5M2 | Float8E4M3FN | Float8E4M3FNUZ
    ) || matches!(dtype, Float8E4M3B11FNUZ | Float8E5M2FNUZ)
}
