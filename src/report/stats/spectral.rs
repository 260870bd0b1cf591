//! Singular values in words, and as JSON.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::stats::{LARGEST, Missing, Spectrum, WIDEST};
use crate::report::kit::csv;
use crate::report::kit::figure::figure;
use crate::report::kit::json::{Float, Word};
use crate::report::kit::units::count;

// `stats` writes it by hand, as all its figures (`json`).
/// Singular values of a matrix.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(in crate::report) struct Spectral {
    /// all dimensions but the last, multiplied
    rows: u64,
    /// the last dimension
    columns: u64,
    /// the largest singular value, within 1 %
    sigma_max: Option<Float>,
    /// the sum of the squares of all singular values in terms of the largest one's
    stable_rank: Option<Float>,
    /// above which a random matrix of these sides and this variance has no singular value
    edge: Option<Float>,
    /// singular values above it; 0 as if random
    above_edge: Option<u64>,
    /// why something of these is null; absent if nothing is
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(transform = crate::report::schema::never_null))]
    missing: Option<Word<Missing>>,
}

impl From<&Spectrum> for Spectral {
    fn from(spectrum: &Spectrum) -> Self {
        Self {
            rows: spectrum.rows,
            columns: spectrum.columns,
            sigma_max: spectrum.sigma_max.map(Float),
            stable_rank: spectrum.stable_rank.map(Float),
            edge: spectrum.edge.map(Float),
            above_edge: spectrum.above_edge,
            missing: spectrum.missing.map(Word),
        }
    }
}

/// Columns of CSV.
pub(in crate::report) const COLUMNS: [&str; 5] = ["sigma_max", "stable_rank", "edge", "above_edge", "spectral_missing"];

/// Cells of these; empty of what has none.
pub(in crate::report) fn cells(spectrum: Option<&Spectrum>) -> [String; 5] {
    let float = |of: fn(&Spectrum) -> Option<f64>| csv::float(spectrum.and_then(of));
    [
        float(|spectrum| spectrum.sigma_max),
        float(|spectrum| spectrum.stable_rank),
        float(|spectrum| spectrum.edge),
        spectrum.and_then(|spectrum| spectrum.above_edge).map(|above| above.to_string()).unwrap_or_default(),
        spectrum.and_then(|spectrum| spectrum.missing).map_or("", Missing::name).to_owned(),
    ]
}

/// What is told of the singular values of a tensor as a matrix; nothing where its row says all.
pub(in crate::report) fn facts(spectrum: &Spectrum) -> Vec<String> {
    if let Some(why) = spectrum.missing.and_then(nothing) {
        return if why.is_empty() { Vec::new() } else { vec![format!("no singular values: {why}")] };
    }
    let side = count(spectrum.rows.min(spectrum.columns));
    let mut facts = Vec::new();
    facts.extend(spectrum.sigma_max.map(|value| format!("σ₁ {}", figure(value))));
    facts.extend(spectrum.stable_rank.map(|rank| format!("stable rank {} of {side}", figure(rank))));
    let edge = spectrum.edge.map_or_else(String::new, figure);
    match (spectrum.above_edge, spectrum.missing) {
        (Some(0), _) => facts.push(format!("none above edge {edge}, as if random")),
        (Some(n), _) => facts.push(format!("{} above edge {edge}", count(n))),
        (None, Some(Missing::TooNarrow)) => facts.push("too narrow for an edge".to_owned()),
        (None, Some(Missing::Alike)) => facts.push("too much alike for an edge".to_owned()),
        (None, Some(Missing::TooWide)) => {
            facts.push(format!("not counted above edge {edge}: over {}", count(WIDEST)));
        }
        (None, Some(Missing::Unclear)) => facts.push(format!("above edge {edge} unclear")),
        _ => {}
    }
    facts
}

/// Why there is nothing to tell, and no word where the row says it; `None` if there is something.
fn nothing(missing: Missing) -> Option<String> {
    Some(match missing {
        Missing::Empty | Missing::Zero => String::new(),
        Missing::Complex => "complex numbers".to_owned(),
        Missing::TooLarge => format!("more than {} elements", count(LARGEST)),
        Missing::NotFinite => "NaN or infinity".to_owned(),
        Missing::NotConverged => "not converged".to_owned(),
        Missing::Overflow => "beyond float64".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_that_fit_a_line() {
        for missing in Missing::ALL {
            let is_known = nothing(missing).is_none();
            let spectrum = Spectrum {
                rows: 12_345,
                columns: 23_456,
                sigma_max: is_known.then_some(1.5),
                stable_rank: is_known.then_some(7.25),
                edge: is_known.then_some(2.0),
                above_edge: None,
                missing: Some(missing),
            };
            let facts = facts(&spectrum);
            assert_eq!(facts.is_empty(), matches!(missing, Missing::Empty | Missing::Zero), "{missing:?}");
            assert!(facts.join(" · ").chars().count() <= 76, "{facts:?}");
            assert_eq!(facts.first().is_some_and(|fact| fact.starts_with("σ₁")), is_known, "{facts:?}");
        }
        let whole = Spectrum {
            rows: 27,
            columns: 32,
            sigma_max: Some(1.5),
            stable_rank: Some(7.25),
            edge: Some(2.0),
            above_edge: Some(0),
            missing: None,
        };
        assert_eq!(facts(&whole), ["σ₁ 1.5", "stable rank 7.25 of 27", "none above edge 2, as if random"]);
        let some = Spectrum { above_edge: Some(3), ..whole };
        assert_eq!(facts(&some)[2], "3 above edge 2");
    }
}
