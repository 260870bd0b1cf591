//! How the elements of a tensor of A are those of one of B that has another name, another shape or another dtype.

use super::side::Side;

/// What is known of a pair that was found by its contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// How the one is made of the other.
    pub how: Option<How>,
    /// Why the pair is not to be trusted although its contents agree: it breaks the pattern of the others.
    pub suspect: Option<String>,
    /// Of a pair whose values differ, how they do, as a person would say it.
    pub differs: Option<String>,
    /// Names on the other side that all have the same contents, where nobody can tell which of them it is.
    pub several: Vec<Box<[u8]>>,
    /// Whether it is a weight: slots of optimizers and counters are none.
    pub is_weight: bool,
    /// Whether the contents are of a kind that any two models have in common: zeros, ones, a constant.
    pub says_nothing: bool,
}

/// How one tensor is made of another: `b = a.reshape(reshape).transpose(axes)`, in the shape of B.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// The shape of A before its axes are put in order, where it is not its own.
    pub reshape: Option<Vec<u64>>,
    /// The order of the axes of A in B, as `numpy.transpose` takes it; none if they keep their order.
    pub axes: Option<Vec<usize>>,
    /// Axes of the result along which everything runs backwards.
    pub flipped: Vec<usize>,
    /// Whether it is a part of the other.
    pub part: Option<PartOf>,
    /// Blocks along an axis that stand in another order: gates of a recurrent layer.
    pub blocks: Option<Blocks>,
    /// Whether values were rounded to a narrower float.
    pub cast: Option<Rounded>,
    /// Whether a checksum says so, because a side has no data.
    pub by_checksum: bool,
}

/// Which part of a fused tensor another one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// The side that has the fused one.
    pub fused: Side,
    /// The axis of the fused one along which parts lie.
    pub axis: usize,
    /// The first index there; of parts that alternate, of the first group.
    pub start: u64,
    /// How many indexes it takes.
    pub size: u64,
    /// In how many groups, which alternate with those of the other parts as the heads of attention do: of each group of the
    /// axis it takes as many indexes, at the same place. 1 where it lies in one run.
    pub groups: u64,
    /// Of how many parts the fused one is made.
    pub of: usize,
}

/// The order of blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// The axis of B.
    pub axis: usize,
    /// For each block of B, which of A it is.
    pub order: Vec<usize>,
}

/// What rounding did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rounded {
    /// Finite values that became infinite.
    pub overflows: u64,
}

impl How {
    /// The word for it: the most telling of what was done.
    pub fn kind(&self) -> &'static str {
        match self {
            Self { part: Some(_), .. } => "part",
            Self { cast: Some(_), .. } => "cast",
            Self { blocks: Some(_), .. } => "permuted",
            Self { axes: Some(_), .. } => "transposed",
            Self { flipped, .. } if !flipped.is_empty() => "transposed",
            _ => "same",
        }
    }
}

/// What a comparison by contents comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchTotals {
    /// Weights of A and of B.
    pub weights: [u64; 2],
    /// Of these, those whose contents were found on the other side.
    pub found: [u64; 2],
    /// Pairs of weights with another order of axes.
    pub transposed: u64,
    /// Pairs in which one is a part of the other.
    pub parts: u64,
    /// Pairs in which one is the other, rounded.
    pub cast: u64,
    /// Pairs whose blocks stand in another order.
    pub permuted: u64,
    /// Pairs that were compared bit for bit and whose contents say something.
    pub proved: u64,
    /// Pairs that only a checksum vouches for.
    pub by_checksum: u64,
    /// Pairs whose contents say nothing, so that names or shapes made the pair.
    pub constants: u64,
    /// Pairs whose contents say something: those that prove anything.
    pub telling: u64,
    /// Pairs that break the pattern of the others.
    pub suspects: u64,
    /// How many faults would make them: an exchange of two tensors, or of two layers, is one.
    pub faults: u64,
    /// Pairs of weights whose values differ.
    pub changed: u64,
    /// How many faults would make them: a layer that has the values of another one is one.
    pub changed_faults: u64,
    /// Weights of A and of B of which several on the other side have the contents.
    pub ambiguous: [u64; 2],
    /// Weights of A and of B without a partner.
    pub alone: [u64; 2],
    /// What is no weight, of A and of B, and was not looked at.
    pub others: [u64; 2],
    /// Checksums that were made to find those of an index.
    pub tries: u64,
}

impl MatchTotals {
    /// Whether every weight of both sides has its partner, something of that is proved, and no pair is suspect.
    pub fn is_same(&self) -> bool {
        self.weights[0] > 0 && self.found == self.weights && self.telling > 0 && self.suspects == 0
    }
}
