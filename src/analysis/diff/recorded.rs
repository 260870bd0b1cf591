//! Comparisons as bytes, with every bit of every number: what one process found out and another one merges.

use super::delta::{BINS, Largest, Partial};
use super::kernel::Sums;
use super::tallies::Verdict;
use super::{Figures, PairedBy, Same, Status, Values};
use crate::analysis::parts::{Reading, Record};
use crate::analysis::stats::{ChangeSpectrum, Rank, get_spectrum, put_spectrum};
use crate::read::tensor::{DType, Element, Float};
use crate::read::wire::Crc32c;

/// What became of a pair; of one with trouble only that, since it must be looked at again to say what.
pub(super) fn put_verdict(verdict: Option<&Verdict>, dtype: DType, into: &mut Record) {
    let Some(verdict) = verdict else { return into.number(NOTHING) };
    if !verdict.trouble.is_empty() {
        return into.number(AGAIN);
    }
    let Verdict { status, same, values, again, .. } = verdict;
    into.number(SETTLED);
    into.count(*status as usize);
    into.number(match same {
        None => 0,
        Some(Same::Checksum) => 1,
        Some(Same::Values) => 2,
    });
    into.number(*again);
    into.flag(values.is_some());
    if let Some(values) = values {
        put_values(values, dtype, into);
    }
}

const NOTHING: u64 = 0;
const AGAIN: u64 = 1;
const SETTLED: u64 = 2;

/// What was told of a pair.
pub(super) enum Told {
    /// There is nothing to tell.
    Nothing,
    /// It is to be looked at again.
    Again,
    Settled(Verdict),
}

/// What became of a pair that was found in this way, of which this was expected.
pub(super) fn get_verdict(how: PairedBy, expected: u64, dtype: DType, from: &mut Reading<'_>) -> Option<Told> {
    match from.number()? {
        NOTHING => return Some(Told::Nothing),
        AGAIN => return Some(Told::Again),
        SETTLED => {}
        _ => return None,
    }
    let number = from.position()?;
    let status = Status::ALL.into_iter().find(|status| *status as usize == number)?;
    let same = match from.number()? {
        0 => None,
        1 => Some(Same::Checksum),
        2 => Some(Same::Values),
        _ => return None,
    };
    let again = from.number()?;
    let values = if from.flag()? { Some(Box::new(get_values(dtype, from)?)) } else { None };
    Some(Told::Settled(Verdict { same, values, again, ..Verdict::new(status, how, expected) }))
}

fn put_values(values: &Values, dtype: DType, into: &mut Record) {
    let Values { elements, changed, bits_only, beyond, nan, figures, at, largest, spark, spectral } = values;
    into.numbers(&[*elements, *changed, *bits_only, *beyond, *nan]);
    into.flag(figures.is_some());
    if let Some(Figures { max_abs, max_abs_integer, mean_abs, max_rel, rel_l2, cosine, max_ulps }) = figures {
        into.floats(&[*max_abs, *mean_abs, *max_rel]);
        into.maybe(*max_abs_integer);
        into.maybe(rel_l2.map(f64::to_bits));
        into.maybe(cosine.map(f64::to_bits));
        into.maybe(*max_ulps);
    }
    into.flag(at.is_some());
    if let Some(at) = at {
        into.count(at.len());
        into.numbers(at);
    }
    into.flag(largest.is_some());
    if let Some((a, b)) = largest {
        put_element(*a, dtype, into);
        put_element(*b, dtype, into);
    }
    into.count(spark.len());
    into.floats(spark);
    into.flag(spectral.is_some());
    if let Some(change) = spectral {
        put_change(change, into);
    }
}

fn get_values(dtype: DType, from: &mut Reading<'_>) -> Option<Values> {
    let [elements, changed, bits_only, beyond, nan] =
        [from.number()?, from.number()?, from.number()?, from.number()?, from.number()?];
    let figures = if from.flag()? {
        let [max_abs, mean_abs, max_rel] = [from.float()?, from.float()?, from.float()?];
        Some(Figures {
            max_abs,
            max_abs_integer: from.maybe()?,
            mean_abs,
            max_rel,
            rel_l2: from.maybe()?.map(f64::from_bits),
            cosine: from.maybe()?.map(f64::from_bits),
            max_ulps: from.maybe()?,
        })
    } else {
        None
    };
    let at = if from.flag()? { Some((0..from.count()?).map(|_| from.number()).collect::<Option<_>>()?) } else { None };
    let largest = if from.flag()? { Some((get_element(dtype, from)?, get_element(dtype, from)?)) } else { None };
    let spark = (0..from.count()?).map(|_| from.float()).collect::<Option<_>>()?;
    let spectral = if from.flag()? { Some(Box::new(get_change(from)?)) } else { None };
    Some(Values { elements, changed, bits_only, beyond, nan, figures, at, largest, spark, spectral })
}

fn put_change(change: &ChangeSpectrum, into: &mut Record) {
    let ChangeSpectrum { spectrum, rounding_edge, rank } = change;
    put_spectrum(spectrum, into);
    into.maybe(rounding_edge.map(f64::to_bits));
    match rank {
        None => into.number(0),
        Some(Rank::Exactly { rank, least }) => {
            into.numbers(&[1, *rank]);
            into.float(*least);
        }
        Some(Rank::MoreThan(limit)) => into.numbers(&[2, *limit]),
        Some(Rank::Unclear) => into.number(3),
    }
}

fn get_change(from: &mut Reading<'_>) -> Option<ChangeSpectrum> {
    let spectrum = get_spectrum(from)?;
    let rounding_edge = from.maybe()?.map(f64::from_bits);
    let rank = match from.number()? {
        0 => None,
        1 => Some(Rank::Exactly { rank: from.number()?, least: from.float()? }),
        2 => Some(Rank::MoreThan(from.number()?)),
        3 => Some(Rank::Unclear),
        _ => return None,
    };
    Some(ChangeSpectrum { spectrum, rounding_edge, rank })
}

pub(super) fn put_partial(partial: &Partial, dtype: DType, into: &mut Record) {
    let Partial { changed, bits_only, beyond, nan, sums, largest, max_rel, ulps, first, bins } = partial;
    into.numbers(&[*changed, *bits_only, *beyond, *nan, *ulps]);
    let Sums { abs, sq, dot, aa, bb } = *sums;
    into.floats(&[abs, sq, dot, aa, bb, *max_rel]);
    into.floats(bins);
    into.maybe(*first);
    into.flag(largest.is_some());
    if let Some(Largest { size, exact, at, a, b }) = *largest {
        into.float(size);
        into.maybe(exact);
        into.number(at);
        put_element(a, dtype, into);
        put_element(b, dtype, into);
    }
}

pub(super) fn get_partial(dtype: DType, from: &mut Reading<'_>) -> Option<Partial> {
    let [changed, bits_only, beyond, nan, ulps] =
        [from.number()?, from.number()?, from.number()?, from.number()?, from.number()?];
    let sums = Sums { abs: from.float()?, sq: from.float()?, dot: from.float()?, aa: from.float()?, bb: from.float()? };
    let max_rel = from.float()?;
    let mut bins = [0.0; BINS];
    for bin in &mut bins {
        *bin = from.float()?;
    }
    let first = from.maybe()?;
    let largest = if from.flag()? {
        let (size, exact, at) = (from.float()?, from.maybe()?, from.number()?);
        Some(Largest { size, exact, at, a: get_element(dtype, from)?, b: get_element(dtype, from)? })
    } else {
        None
    };
    Some(Partial { changed, bits_only, beyond, nan, sums, largest, max_rel, ulps, first, bins })
}

/// The checksum of so many bytes, where there is one.
pub(super) fn put_sum(sum: Option<(u64, Crc32c)>, into: &mut Record) {
    into.maybe(sum.map(|(len, _)| len));
    if let Some((_, crc)) = sum {
        into.crc(crc);
    }
}

#[expect(clippy::option_option, reason = "there is none, and nothing can be read")]
pub(super) fn get_sum(from: &mut Reading<'_>) -> Option<Option<(u64, Crc32c)>> {
    Some(match from.maybe()? {
        Some(len) => Some((len, from.crc()?)),
        None => None,
    })
}

/// An element as it is stored, little-endian, as far as 16 bytes hold any.
fn put_element(element: Element, dtype: DType, into: &mut Record) {
    let float = |float: Float| match float {
        Float::Double(value) => u128::from(value.to_bits()),
        Float::Single(value) => u128::from(value.to_bits()),
        Float::Narrow(narrow) => u128::from(narrow.bits()),
    };
    let bits = match element {
        Element::Bool(value) => u128::from(value),
        Element::Int(value) => u128::from(value.cast_unsigned()),
        Element::UInt(value) => u128::from(value),
        Element::Float(value) => float(value),
        Element::Complex(re, im) => float(re) | float(im) << (dtype.element_size().unwrap_or(0) * 4),
    };
    let size = dtype.element_size().and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
    for byte in bits.to_le_bytes().iter().take(size) {
        into.number(u64::from(*byte));
    }
}

fn get_element(dtype: DType, from: &mut Reading<'_>) -> Option<Element> {
    let bytes = (0..dtype.element_size()?).map(|_| u8::try_from(from.number()?).ok());
    Element::decode(dtype, &bytes.collect::<Option<Vec<u8>>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_every_type_are_what_they_were() {
        let mut bytes = [0u8; 16];
        for seed in 0..=255u8 {
            for (byte, n) in bytes.iter_mut().zip(0u8..) {
                *byte = seed.wrapping_mul(31).wrapping_add(n.wrapping_mul(77));
            }
            for number in 1..=64 {
                let dtype = DType::from_number(number);
                let Some(size) = dtype.element_size() else { continue };
                let element = Element::decode(dtype, &bytes[..usize::try_from(size).unwrap()]).unwrap();
                let mut record = Record::default();
                put_element(element, dtype, &mut record);
                let record = record.into_bytes();
                let mut reading = Reading::of(&record);
                let got = get_element(dtype, &mut reading).unwrap();
                assert_eq!((format!("{got:?}"), reading.is_over()), (format!("{element:?}"), true), "{dtype}");
            }
        }
    }

    #[test]
    fn verdicts_are_what_they_were() {
        let figures = Figures {
            max_abs: 0.5,
            max_abs_integer: Some(3),
            mean_abs: 1e-300,
            max_rel: f64::INFINITY,
            rel_l2: None,
            cosine: Some(-0.25),
            max_ulps: None,
        };
        let values = Values {
            elements: 9,
            changed: 3,
            bits_only: 1,
            beyond: 2,
            nan: 0,
            figures: Some(figures),
            at: Some(vec![1, 2]),
            largest: Some((Element::Int(-7), Element::Int(1 << 20))),
            spark: vec![0.0, 2.5],
            spectral: None,
        };
        let spectrum = crate::analysis::stats::Spectrum {
            rows: 70,
            columns: 40,
            sigma_max: Some(2.5),
            stable_rank: Some(3.25),
            edge: None,
            above_edge: None,
            missing: Some(crate::analysis::stats::Missing::Alike),
        };
        let ranks = [None, Some(Rank::Exactly { rank: 0, least: f64::INFINITY }), Some(Rank::MoreThan(9))];
        let ranks = ranks.into_iter().chain([Some(Rank::Exactly { rank: 3, least: 0.5 }), Some(Rank::Unclear)]);
        let changes = ranks.map(|rank| ChangeSpectrum { spectrum, rounding_edge: rank.map(|_| 1e-9), rank });
        let changes: Vec<_> = std::iter::once(None).chain(changes.map(Some)).collect();
        let mut told = Vec::new();
        for status in Status::ALL {
            let of = |values| Verdict { values, again: 7, ..Verdict::new(status, PairedBy::Map, 5) };
            told.push(of(None));
            for change in &changes {
                let spectral = change.map(Box::new);
                told.push(of(Some(Box::new(Values { spectral, ..values.clone() }))));
            }
        }
        for verdict in told {
            let mut record = Record::default();
            put_verdict(Some(&verdict), DType::Int32, &mut record);
            let record = record.into_bytes();
            let Some(Told::Settled(got)) = get_verdict(PairedBy::Map, 5, DType::Int32, &mut Reading::of(&record))
            else {
                panic!("{verdict:?}");
            };
            assert_eq!(format!("{got:?}"), format!("{verdict:?}"));
        }
    }
}
