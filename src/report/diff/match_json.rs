//! What a comparison by contents adds to the documents of `diff`: how a pair belongs together, and what all pairs come to.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::match_text::verdict;
use super::which_side::WhichSide;
use crate::analysis::diff;

/// How one tensor is made of another: `b = a.reshape(reshape).transpose(axes)`, in the shape of B.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct How<'a> {
    /// `same` bits, `transposed` (axes in another order, or backwards), `permuted` (blocks along an axis in another order, as gates of a recurrent layer), `part` (of a fused tensor, or the reverse), `cast` (rounded to a narrower float); the most telling of what was done, the fields below have all of it
    kind: &'static str,
    /// the order of the axes of A in B, as `numpy.transpose` takes it, where they are in another one; of a part of a fused tensor of B, the axes of that in A
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    axes: Option<&'a [usize]>,
    /// the shape before the axes are put in order, where it is another one
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    reshape: Option<&'a [u64]>,
    /// axes of the result that run backwards
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    flipped: &'a [usize],
    /// of a part: the axis of the fused tensor along which parts lie; of blocks in another order: the axis of B
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    axis: Option<usize>,
    /// of a part: its first index there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    start: Option<u64>,
    /// of a part: how many indexes it takes there
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    size: Option<u64>,
    /// of a part that alternates with the others, as heads of attention do: in how many groups; of each group of the axis it takes `size / groups` indexes, `start` indexes behind the beginning of the group
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    groups: Option<u64>,
    /// of a part: of how many parts the fused tensor is made
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    of: Option<usize>,
    /// of a part: the side that has the fused tensor
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    fused: Option<WhichSide>,
    /// of blocks in another order: for each block of B, which of A it is
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    order: Option<&'a [usize]>,
    /// of a cast: finite values that became infinite
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    overflows: Option<u64>,
}

/// What a comparison by contents comes to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Totals {
    /// the last line of the text
    verdict: String,
    a: Weights,
    b: Weights,
    /// pairs with another order of axes
    transposed: u64,
    /// pairs in which one is a part of the other
    parts: u64,
    /// pairs in which one is the other, rounded
    cast: u64,
    /// pairs whose blocks stand in another order
    permuted: u64,
    /// pairs that were compared bit for bit; constants are none of them
    proved: u64,
    /// pairs that only a checksum vouches for
    by_checksum: u64,
    /// pairs whose contents say nothing by themselves (zeros, ones, constants)
    constants: u64,
    /// pairs that break the pattern of the others
    suspects: u64,
    /// how many faults would make them: an exchange of two tensors, or of all tensors of two layers, is one
    faults: u64,
    /// pairs whose values differ
    changed: u64,
    /// how many faults would make them: a layer that has the values of another one is one
    changed_faults: u64,
    /// checksums that were made to find those of an index: each meets one of them by chance once in 2^32 over their number
    tries: u64,
}

/// The weights of a side.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Weights {
    #[serde(rename = "weights")]
    all: u64,
    /// those whose contents are on the other side
    found: u64,
    /// those whose contents several on the other side have
    ambiguous: u64,
    /// those without a partner
    alone: u64,
    /// what is no weight, and was not looked at
    others: u64,
}

impl<'a> From<&'a diff::How> for How<'a> {
    fn from(how: &'a diff::How) -> Self {
        let part = how.part.as_ref();
        let blocks = how.blocks.as_ref();
        Self {
            kind: how.kind(),
            axes: how.axes.as_deref(),
            reshape: how.reshape.as_deref(),
            flipped: &how.flipped,
            axis: part.map(|part| part.axis).or_else(|| blocks.map(|blocks| blocks.axis)),
            start: part.map(|part| part.start),
            size: part.map(|part| part.size),
            groups: part.map(|part| part.groups).filter(|groups| *groups > 1),
            of: part.map(|part| part.of),
            fused: part.map(|part| part.fused.into()),
            order: blocks.map(|blocks| blocks.order.as_slice()),
            overflows: how.cast.map(|cast| cast.overflows),
        }
    }
}

impl Totals {
    /// What a comparison comes to, if it was one by contents.
    pub(super) fn of(diff: &diff::Diff<'_>) -> Option<Self> {
        let totals = diff.matched.as_ref()?;
        let side = |n: usize| {
            let of = |numbers: &[u64; 2]| numbers.get(n).copied().unwrap_or(0);
            Weights {
                all: of(&totals.weights),
                found: of(&totals.found),
                ambiguous: of(&totals.ambiguous),
                alone: of(&totals.alone),
                others: of(&totals.others),
            }
        };
        let (word, text) = verdict(diff, totals);
        Some(Self {
            verdict: format!("{word}: {text}"),
            a: side(0),
            b: side(1),
            transposed: totals.transposed,
            parts: totals.parts,
            cast: totals.cast,
            permuted: totals.permuted,
            proved: totals.proved,
            by_checksum: totals.by_checksum,
            constants: totals.constants,
            suspects: totals.suspects,
            faults: totals.faults,
            changed: totals.changed,
            changed_faults: totals.changed_faults,
            tries: totals.tries,
        })
    }
}
