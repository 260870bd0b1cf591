//! What a comparison says: verdicts, figures, and the tallies over all of them.

use super::Depth;
use super::expect::Expectation;
use super::how::{MatchTotals, Matched};
use super::low_ranks::LowRanks;
use super::side::Side;
use super::status::Status;
use crate::analysis::stats::ChangeSpectrum;
use crate::base::error::Error;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::{DType, Element, Shape};

/// Numbers of tensors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u64; Status::ALL.len()]);

impl Tally {
    /// Counts one.
    pub fn add(&mut self, status: Status) {
        if let Some(count) = self.0.get_mut(status as usize) {
            *count += 1;
        }
    }

    /// Adds others.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, other) in self.0.iter_mut().zip(other.0) {
            *count += other;
        }
    }

    /// How many have this status.
    pub fn of(&self, status: Status) -> u64 {
        self.0.get(status as usize).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many differ.
    pub fn differences(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_difference()).map(|status| self.of(status)).sum()
    }
}

/// How the two tensors of a pair were found to be the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PairedBy {
    /// They have one name.
    #[default]
    Name,
    /// The user's `--map`.
    Map,
    /// The object graphs: the same path leads to both.
    Graph,
    /// The full name that the object graph has for the variable is the other's name.
    FullName,
    /// The names of its layer and its own, which two formats store in different ways.
    Layer,
    /// The same bytes.
    Bytes,
    /// The same contents, which several have, or nearly the same: its name decided.
    Likeness,
}

impl PairedBy {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Map => "map",
            Self::Graph => "object_graph",
            Self::FullName => "full_name",
            Self::Layer => "layer_name",
            Self::Bytes => "bytes",
            Self::Likeness => "likeness",
        }
    }
}

/// One side of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The key, as stored.
    pub name: Box<[u8]>,
    /// Element type.
    pub dtype: DType,
    /// Shape.
    pub shape: Shape,
}

impl Facts {
    pub(super) fn of(tensor: &Tensor) -> Self {
        Self { name: Box::from(&*tensor.name), dtype: tensor.dtype, shape: tensor.shape.clone() }
    }
}

/// What is identical, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Same {
    /// Checksum, size, dtype and shape agree in the two indexes.
    Checksum,
    /// The values were read.
    Values,
}

impl Same {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Values => "values",
        }
    }
}

/// One tensor, or two that belong together.
#[derive(Debug)]
pub struct Change {
    /// Its number among all of which there may be something to tell, by name.
    pub at: usize,
    /// In A.
    pub a: Option<Facts>,
    /// In B.
    pub b: Option<Facts>,
    /// What became of it.
    pub status: Status,
    /// How the two were found.
    pub paired: PairedBy,
    /// How it is known that they are identical.
    pub same: Option<Same>,
    /// Whether the pieces in which it is stored are others.
    pub repartitioned: bool,
    /// Whether it lies in another shard.
    pub moved: bool,
    /// What the values say, where they were read.
    pub values: Option<Box<Values>>,
    /// Why it could not be read, for each side at fault.
    pub trouble: Vec<(Side, Error)>,
    /// The values of a scalar, as far as its checksums tell, where nothing was read.
    pub derived: Option<(String, String)>,
    /// What is known of it where tensors are paired by their contents.
    pub matched: Option<Box<Matched>>,
}

impl Change {
    /// The name under which it is shown: that in B, if it is there.
    pub fn name(&self) -> &[u8] {
        self.b.as_ref().or(self.a.as_ref()).map(|facts| &*facts.name).unwrap_or_default()
    }

    /// Why the pair is not to be trusted although its contents agree.
    pub fn suspect(&self) -> Option<&str> {
        self.matched.as_ref()?.suspect.as_deref()
    }

    /// Whether nothing is told of it unless everything is.
    pub fn is_quiet(&self, depth: Depth) -> bool {
        self.status.is_quiet(depth) && self.suspect().is_none()
    }

    /// The name in A, if it is another one.
    pub fn a_name(&self) -> Option<&[u8]> {
        let (a, b) = (self.a.as_ref()?, self.b.as_ref()?);
        (a.name != b.name).then_some(&*a.name)
    }
}

/// What lies between the values of two tensors.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Elements of each.
    pub elements: u64,
    /// Elements whose values differ.
    pub changed: u64,
    /// Elements whose bits differ, but not their values: 0.0 and -0.0, two NaN.
    pub bits_only: u64,
    /// Changed elements that the tolerance does not excuse.
    pub beyond: u64,
    /// Changed elements that are NaN on a side.
    pub nan: u64,
    /// The figures of numbers; `None` for bools, strings and variants, and where each element is NaN on a side.
    pub figures: Option<Figures>,
    /// Coordinates of the largest change; of what has no size, the first.
    pub at: Option<Vec<u64>>,
    /// The elements there, of numbers.
    pub largest: Option<(Element, Element)>,
    /// Change along the tensor, in parts of the first dimension or of all elements: mean difference, or share changed.
    pub spark: Vec<f64>,
    /// With [`DiffOptions::spectral`](super::DiffOptions::spectral), of matrices of floats.
    pub spectral: Option<Box<ChangeSpectrum>>,
}

/// Figures of numbers. Elements that are NaN on one side are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Largest |a − b|.
    pub max_abs: f64,
    /// The same of integers, exactly.
    pub max_abs_integer: Option<u64>,
    /// Mean |a − b| of all elements.
    pub mean_abs: f64,
    /// Largest |a − b| / |b|; infinite where b is 0 and a is not.
    pub max_rel: f64,
    /// ‖a − b‖ / ‖b‖; `None` where values are so small that their squares vanish.
    pub rel_l2: Option<f64>,
    /// Cosine of the angle between a and b; `None` if one is zero or not finite.
    pub cosine: Option<f64>,
    /// Largest number of representable values from one to the other, of floats.
    pub max_ulps: Option<u64>,
}

/// Tensors of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeTally {
    /// The first component of their names; empty for those without a scope.
    pub scope: Box<[u8]>,
    /// What became of them.
    pub tally: Tally,
}

/// Tensors that were removed and added with the same bytes, so that nobody can tell which is which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// Names in A.
    pub a: Vec<Box<[u8]>>,
    /// Names in B.
    pub b: Vec<Box<[u8]>>,
}

/// A tensor of one side of which the other side, by its kind, can have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneSided {
    /// The side that has it.
    pub side: Side,
    /// Its name there.
    pub name: Box<[u8]>,
    /// What it is, and where only it can be.
    pub why: &'static str,
}

/// What is different between two checkpoints.
#[derive(Debug)]
pub struct Diff<'c> {
    /// The first checkpoint.
    pub a: &'c Checkpoint,
    /// The second.
    pub b: &'c Checkpoint,
    /// How far the comparison went.
    pub depth: Depth,
    /// What is not identical, by name; with [`DiffOptions::keep_identical`](super::DiffOptions::keep_identical) everything.
    pub changes: Vec<Change>,
    /// All of them, counted.
    pub tally: Tally,
    /// Identical ones by checksum alone.
    pub by_checksum: u64,
    /// Identical ones that are stored in other pieces, and in another shard.
    pub repartitioned: u64,
    /// Identical ones in another shard.
    pub moved: u64,
    /// Pairs under two names, by how they were found: map, graph, full names, names of layers.
    pub paired: [u64; 4],
    /// Pairs and single tensors that selectors left out.
    pub left_out: u64,
    /// What only one side can have, by the kind that it is: not compared, and no difference.
    pub one_sided: Vec<OneSided>,
    /// By scope, by name.
    pub scopes: Vec<ScopeTally>,
    /// Renames that cannot be told.
    pub ambiguous: Vec<Ambiguous>,
    /// What was expected, and whether it holds.
    pub expectations: Vec<Expectation>,
    /// What else should be known: a graph that could not be read.
    pub notes: Vec<String>,
    /// What the singular values of all changes come to, if they were looked at.
    pub low_ranks: LowRanks,
    /// Bytes of tensors that were read, of both sides.
    pub bytes_read: u64,
    /// What a comparison by contents comes to; none of one by names.
    pub matched: Option<MatchTotals>,
}

impl Diff<'_> {
    /// Whether nothing that was compared differs beyond its tolerance. Where selectors left nothing, nothing is equal.
    pub fn is_equal(&self) -> bool {
        if let Some(totals) = &self.matched {
            return totals.is_same() && self.tally.of(Status::Unreadable) == 0;
        }
        !self.is_vacuous() && self.tally.differences() == 0 && self.tally.of(Status::Unreadable) == 0
    }

    /// Whether there are tensors, and none of them was to be compared: selectors left them out, or only one side can
    /// have them.
    pub fn is_vacuous(&self) -> bool {
        self.tally.total() == 0 && (self.left_out > 0 || !self.one_sided.is_empty())
    }

    /// Whether something could not be judged that should have been.
    pub fn is_trouble(&self) -> bool {
        let damaged = !self.a.damage().is_empty() || !self.b.damage().is_empty();
        let unjudged = self.depth != Depth::Structure && self.tally.of(Status::NotCompared) > 0;
        damaged || unjudged || self.tally.of(Status::Unreadable) > 0
    }
}
