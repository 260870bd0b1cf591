//! What names, dtypes, shapes and checksums alone tell of a pair, and the books that are kept of all verdicts.

use std::collections::BTreeMap;

use super::expect::Expectation;
use super::pair::{Leftovers, Pair};
use super::work::{Wish, Wishes, Work};
use super::{
    Ambiguous, Bound, Change, Depth, Diff, DiffOptions, Facts, PairedBy, Same, ScopeTally, Side, Status, Tally,
    Tolerance, Values, tensor,
};
use crate::analysis::derived::derived;
use crate::analysis::roles::{Role, Roles, short_name};
use crate::analysis::select::Selector;
use crate::checkpoint::{Checkpoint, Parts, Place, Tensor};
use crate::error::Error;
use crate::tensor::DType;

/// Scopes that are counted apart; what comes behind is counted together.
const SCOPES: usize = 1 << 12;

/// What is known of a pair or a single tensor, apart from the tensors themselves.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) how: PairedBy,
    pub(super) same: Option<Same>,
    pub(super) values: Option<Box<Values>>,
    pub(super) trouble: Vec<(Side, Error)>,
    pub(super) expected: u64,
}

impl Verdict {
    pub(super) fn new(status: Status, how: PairedBy, expected: u64) -> Self {
        Self { status, how, same: None, values: None, trouble: Vec::new(), expected }
    }
}

/// Collects verdicts.
pub(super) struct Judge<'c, 'o> {
    pub(super) options: &'o DiffOptions,
    pub(super) work: Vec<Work>,
    pub(super) wishes: Wishes,
    pub(super) diff: Diff<'c>,
    /// Only looked at if a selector is there to ask for them.
    roles: Option<(Roles, Roles)>,
    scopes: BTreeMap<Box<[u8]>, Tally>,
}

impl<'c, 'o> Judge<'c, 'o> {
    pub(super) fn new(a: &'c Checkpoint, b: &'c Checkpoint, options: &'o DiffOptions) -> Self {
        let selects = !options.only.is_empty()
            || !options.ignore.is_empty()
            || !options.tolerances.is_empty()
            || !options.expectations.is_empty();
        let expectations = options.expectations.iter().map(|(expected, text, _)| Expectation::new(*expected, text));
        Self {
            options,
            work: Vec::new(),
            wishes: Wishes::default(),
            roles: selects.then(|| (Roles::of(a), Roles::of(b))),
            scopes: BTreeMap::new(),
            diff: Diff {
                a,
                b,
                depth: options.depth,
                changes: Vec::new(),
                tally: Tally::default(),
                by_checksum: 0,
                repartitioned: 0,
                moved: 0,
                paired: [0; 3],
                left_out: 0,
                scopes: Vec::new(),
                ambiguous: Vec::new(),
                expectations: expectations.collect(),
                notes: Vec::new(),
                bytes_read: 0,
            },
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.diff.notes.push(note);
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
        let about = about.filter(|(_, (_, _, selector))| self.takes(selector, a, b));
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
        let verdict = |status| Verdict::new(status, how, expected);
        if x.dtype != y.dtype {
            return self.record(Some(x), Some(y), verdict(Status::DType));
        }
        if x.shape != y.shape {
            return self.record(Some(x), Some(y), verdict(Status::Shape));
        }
        let same = if self.options.depth == Depth::Structure { None } else { self.by_checksum(x, y) };
        let by_checksum = Verdict { same: Some(Same::Checksum), ..verdict(Status::Identical) };
        // What is not equal to itself is not equal by its checksum either.
        let read_all = self.options.nan_differs && has_nan(x.dtype);
        match (self.options.depth, same) {
            (Depth::Structure, _) | (Depth::Index, None) => self.record(Some(x), Some(y), verdict(Status::NotCompared)),
            (Depth::Index, Some(true)) => self.record(Some(x), Some(y), by_checksum),
            (Depth::Index, Some(false)) => self.record(Some(x), Some(y), verdict(Status::Changed)),
            (Depth::Values, Some(true)) if !read_all => self.record(Some(x), Some(y), by_checksum),
            (depth, same) => {
                let exact = depth == Depth::Exact && same == Some(true) && !read_all && x.is_numeric();
                let tolerance = self.tolerance(a, b);
                self.put_off((a.0, b.0), how, exact, Wish { tolerance, expected });
            }
        }
    }

    /// Puts a pair on the list of those to read.
    fn put_off(&mut self, (a, b): (usize, usize), how: PairedBy, exact: bool, wish: Wish) {
        // Positions of tensors that are held in memory; so many that one did not fit would not be.
        let [a, b, wish] = [a, b, self.wishes.number(wish)].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        self.work.push(Work { a, b, wish, how, exact });
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
        left.a.retain(|at| tensor(a, *at).is_some_and(|tensor| self.is_wanted(Some((*at, &tensor)), None)));
        left.b.retain(|at| tensor(b, *at).is_some_and(|tensor| self.is_wanted(None, Some((*at, &tensor)))));
        if self.options.depth != Depth::Structure {
            left = self.renamed(left);
        }
        for at in left.a {
            let Some(tensor) = tensor(a, at) else { continue };
            let expected = self.expected(Some((at, &tensor)), None);
            let verdict = lost(b, Side::B, Verdict::new(Status::Removed, PairedBy::Name, expected));
            self.record(Some(&tensor), None, verdict);
        }
        for at in left.b {
            let Some(tensor) = tensor(b, at) else { continue };
            let expected = self.expected(None, Some((at, &tensor)));
            let verdict = lost(a, Side::A, Verdict::new(Status::Added, PairedBy::Name, expected));
            self.record(None, Some(&tensor), verdict);
        }
    }

    /// Two tensors with the same bytes under two names.
    pub(super) fn same_bytes(&mut self, a: usize, b: usize) {
        let (Some(x), Some(y)) = (tensor(self.diff.a, a), tensor(self.diff.b, b)) else { return };
        let expected = self.expected(Some((a, &x)), Some((b, &y)));
        let how = PairedBy::Bytes;
        if self.options.depth == Depth::Exact {
            let exact = x.is_numeric();
            self.put_off((a, b), how, exact, Wish { tolerance: None, expected });
            return;
        }
        let verdict = Verdict { same: Some(Same::Checksum), ..Verdict::new(Status::Renamed, how, expected) };
        self.record(Some(&x), Some(&y), verdict);
    }

    pub(super) fn ambiguous(&mut self, a: &[usize], b: &[usize]) {
        let names = |checkpoint, all: &[usize]| {
            all.iter().filter_map(|at| Some(Box::from(&*tensor(checkpoint, *at)?.name))).collect::<Vec<_>>()
        };
        let (a, b) = (names(self.diff.a, a), names(self.diff.b, b));
        self.diff.ambiguous.push(Ambiguous { a, b });
    }

    /// Enters a verdict into the books.
    pub(super) fn record(&mut self, a: Option<&Tensor>, b: Option<&Tensor>, verdict: Verdict) {
        let Some(shown) = b.or(a) else { return };
        let Verdict { status, how, same, values, trouble, expected } = verdict;
        self.diff.tally.add(status);
        let scope = scope(&shown.name);
        if let Some(tally) = self.scopes.get_mut(scope) {
            tally.add(status);
        } else {
            let scope = if self.scopes.len() < SCOPES { scope } else { "…".as_bytes() };
            self.scopes.entry(scope.into()).or_default().add(status);
        }
        let about = self.diff.expectations.iter_mut().enumerate();
        for (_, expectation) in about.filter(|(n, _)| expected >> n & 1 == 1) {
            expectation.note(&shown.name, status);
        }
        match how {
            PairedBy::Map => self.diff.paired[0] += 1,
            PairedBy::Graph => self.diff.paired[1] += 1,
            PairedBy::FullName => self.diff.paired[2] += 1,
            PairedBy::Name | PairedBy::Bytes => {}
        }
        let (mut moved, mut repartitioned) = (false, false);
        if let (Status::Identical, Some(a), Some(b)) = (status, a, b) {
            (moved, repartitioned) = placement(a, b);
            self.diff.moved += u64::from(moved);
            self.diff.repartitioned += u64::from(repartitioned);
            self.diff.by_checksum += u64::from(same == Some(Same::Checksum));
        }
        let silent =
            status == Status::Identical || (status == Status::NotCompared && self.options.depth == Depth::Structure);
        if silent && !self.options.keep_identical {
            return;
        }
        let mut told = None;
        if let (Status::Changed, None, Some(a), Some(b)) = (status, &values, a, b)
            && let (Some(x), Some(y)) = (derived(self.diff.a, a), derived(self.diff.b, b))
        {
            told = Some((x.text(), y.text()));
        }
        let change = Change {
            a: a.map(Facts::of),
            b: b.map(Facts::of),
            status,
            paired: how,
            same,
            repartitioned,
            moved,
            values,
            trouble,
            derived: told,
        };
        self.diff.changes.push(change);
    }

    /// Everything in order.
    pub(super) fn finish(mut self) -> Diff<'c> {
        self.diff.changes.sort_by(|x, y| x.name().cmp(y.name()));
        let scopes = std::mem::take(&mut self.scopes);
        self.diff.scopes = scopes.into_iter().map(|(scope, tally)| ScopeTally { scope, tally }).collect();
        self.diff
    }
}

/// A tensor that the other side does not have: unless a part of its index is lost, and the tensor maybe with it.
fn lost(other: &Checkpoint, side: Side, mut verdict: Verdict) -> Verdict {
    if !other.damage().is_empty() {
        let why = "a part of it could not be read, and this tensor may have been there";
        verdict.status = Status::Unreadable;
        let origin = other.origin();
        // A V1 checkpoint has no index: each of its files describes its own tensors.
        let (what, file) = match origin.v1_files.as_slice() {
            [] => ("index", origin.prefix.index()),
            _ => ("V1 checkpoint", origin.prefix.as_path().to_path_buf()),
        };
        verdict.trouble.push((side, Error::malformed(what, why).in_file(&file)));
    }
    verdict
}

/// Whether a tensor lies in another shard, and whether in other pieces.
fn placement(a: &Tensor, b: &Tensor) -> (bool, bool) {
    // The files of a V1 checkpoint are not shards.
    let shard = |place: &Place| place.crc32c.map(|_| place.shard);
    match (&a.parts, &b.parts) {
        (Parts::Whole(x), Parts::Whole(y)) => match (shard(x), shard(y)) {
            (Some(x), Some(y)) => (x != y, false),
            _ => (false, false),
        },
        (Parts::Slices(x), Parts::Slices(y))
            if x.len() == y.len() && x.iter().zip(y.iter()).all(|(x, y)| x.slice == y.slice) =>
        {
            let moved = x.iter().zip(y.iter()).any(|(x, y)| match (&x.place, &y.place) {
                (Some(x), Some(y)) => shard(x) != shard(y),
                _ => false,
            });
            (moved, false)
        }
        _ => (false, true),
    }
}

/// The first component of a name, if there are more.
fn scope(name: &[u8]) -> &[u8] {
    let name = short_name(name);
    name.iter().position(|b| *b == b'/').and_then(|at| name.get(..at)).unwrap_or_default()
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
