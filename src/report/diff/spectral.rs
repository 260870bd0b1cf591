//! Singular values of changes in words, and as JSON.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::diff::{Change, Diff};
use crate::analysis::stats::{ChangeSpectrum, Rank};
use crate::report::kit::csv;
use crate::report::kit::figure::figure;
use crate::report::kit::json::Float;
use crate::report::kit::units::count;
use crate::report::stats::spectral::{self as stats, facts};

/// What is told of the singular values of a change, in a line of its own.
pub(super) fn remark(change: &Change) -> Option<String> {
    let found = change.values.as_deref()?.spectral.as_deref()?;
    let mut facts = facts(&found.spectrum);
    let edge = found.rounding_edge.map_or_else(String::new, figure);
    facts.extend(found.rank.map(|rank| match rank {
        Rank::Exactly { rank: 0, .. } => format!("none above rounding {edge}"),
        Rank::Exactly { rank, .. } => format!("rank {} above rounding {edge}", count(rank)),
        Rank::MoreThan(rank) => format!("rank over {}", count(rank)),
        Rank::Unclear => "rank unclear".to_owned(),
    }));
    (!facts.is_empty()).then(|| format!("B − A: {}", facts.join(" · ")))
}

/// What the singular values of all changes come to.
pub(super) fn verdict(diff: &Diff<'_>) -> Option<String> {
    let low = &diff.low_ranks;
    let range = |(least, greatest): (u64, u64)| {
        let to = if least == greatest { String::new() } else { format!(" to {}", count(greatest)) };
        format!("rank {}{to}", count(least))
    };
    let ranks = low.ranks.map(range);
    match (low.matrices, low.all().map(range), ranks) {
        (0, ..) => None,
        (1, Some(ranks), _) => {
            Some(format!("the one matrix that changed did by {ranks}: as a low-rank fine-tune (LoRA) merged in"))
        }
        (n, Some(ranks), _) => Some(format!(
            "all {} matrices that changed did by {ranks}: as a low-rank fine-tune (LoRA) merged in",
            count(n)
        )),
        (n, None, Some(ranks)) => Some(format!("{} of {} changed matrices by {ranks}", count(low.low), count(n))),
        (n, None, None) => Some(format!("none of {} changed matrices by a low rank", count(n))),
    }
}

/// Columns of CSV behind those of [`stats::COLUMNS`].
pub(super) const COLUMNS: [&str; 4] = ["rounding_edge", "rank", "rank_more_than", "low_rank"];

/// Cells of these; empty of what has none.
pub(super) fn cells(found: Option<&ChangeSpectrum>) -> [String; 4] {
    let rank = found.and_then(|found| found.rank);
    [
        csv::float(found.and_then(|found| found.rounding_edge)),
        rank.and_then(Rank::exactly).map(|rank| rank.to_string()).unwrap_or_default(),
        rank.and_then(Rank::more_than).map(|rank| rank.to_string()).unwrap_or_default(),
        found.map(|found| found.low_rank().is_some().to_string()).unwrap_or_default(),
    ]
}

/// Singular values of what changed in a matrix.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct Spectral {
    /// of B − A
    #[serde(flatten)]
    spectrum: stats::Spectral,
    /// above which no singular value is by the rounding of A and B alone; null where fewer than 16 rows or columns changed
    rounding_edge: Option<Float>,
    /// singular values above that: the numerical rank of the change; null where it is not known, or more than `rank_more_than`
    rank: Option<u64>,
    /// the smallest singular value that counts in `rank`; null where there is none
    rank_least: Option<Float>,
    /// absent unless no more than this were looked for, a quarter of the rows or columns that changed and 128 at most, and there are more
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    rank_more_than: Option<u64>,
    /// the rank is a quarter of the rows and columns that changed at most, and each singular value that counts is at least twice `rounding_edge`
    low_rank: bool,
}

impl From<&ChangeSpectrum> for Spectral {
    fn from(found: &ChangeSpectrum) -> Self {
        let least = match found.rank {
            Some(Rank::Exactly { least, .. }) => Some(least).filter(|least| least.is_finite()),
            _ => None,
        };
        Self {
            spectrum: stats::Spectral::from(&found.spectrum),
            rounding_edge: found.rounding_edge.map(Float),
            rank: found.rank.and_then(Rank::exactly),
            rank_least: least.map(Float),
            rank_more_than: found.rank.and_then(Rank::more_than),
            low_rank: found.low_rank().is_some(),
        }
    }
}

/// What the singular values of all changes come to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(super) struct LowRanks {
    /// matrices of floats that changed
    matrices: u64,
    /// those whose change has a `low_rank`
    low: u64,
    /// the least rank of these; null if there is none
    least_rank: Option<u64>,
    /// the greatest
    greatest_rank: Option<u64>,
}

impl LowRanks {
    /// `None` if nothing was looked at.
    pub(super) fn of(diff: &Diff<'_>) -> Option<Self> {
        let low = &diff.low_ranks;
        let (least, greatest) = low.ranks.unzip();
        (low.matrices > 0).then_some(Self {
            matrices: low.matrices,
            low: low.low,
            least_rank: least,
            greatest_rank: greatest,
        })
    }
}
