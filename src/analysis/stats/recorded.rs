//! Figures as bytes, with every bit of every number: what one process found out and another one merges.

use super::channels::{Channels, Dead, LONGEST, Marks, NAMED, Open};
use super::counter::Buckets;
use super::distribution::{BARS, Distribution, SHARES};
use super::figures::{Figures, NonFinite, Number, Spots};
use super::moments::Moments;
use super::spectral::{Missing, Spectrum};
use super::tensor_stats::TensorStats;
use crate::analysis::parts::{Reading, Record};

/// What is known of a tensor; of one that could not be read, or is not what was saved, only that.
pub(super) fn put_row(row: &TensorStats, into: &mut Record) {
    into.flag(row.error.is_none());
    if row.error.is_some() {
        return;
    }
    put_figures(&row.figures, into);
    into.flag(row.verified);
    into.flag(row.distribution.is_some());
    if let Some(distribution) = &row.distribution {
        into.floats(&distribution.quantiles);
        into.flag(distribution.exact);
        into.numbers(&distribution.bars);
    }
    into.flag(row.channels.is_some());
    if let Some(channels) = &row.channels {
        put_dead(&channels.rows, into);
        put_dead(&channels.columns, into);
    }
    into.flag(row.spectral.is_some());
    if let Some(spectrum) = &row.spectral {
        put_spectrum(spectrum, into);
    }
}

/// What is known of the tensor at this position; nothing of one that is to be looked at again.
#[expect(clippy::option_option, reason = "it is to be looked at again, and nothing can be read")]
pub(super) fn get_row(at: usize, from: &mut Reading<'_>) -> Option<Option<TensorStats>> {
    if !from.flag()? {
        return Some(None);
    }
    let figures = get_figures(from)?;
    let verified = from.flag()?;
    let mut row = TensorStats { figures, verified, ..TensorStats::new(at) };
    if from.flag()? {
        let mut distribution = Distribution { quantiles: [0.0; SHARES.len()], exact: false, bars: [0; BARS] };
        for value in &mut distribution.quantiles {
            *value = from.float()?;
        }
        distribution.exact = from.flag()?;
        for count in &mut distribution.bars {
            *count = from.number()?;
        }
        row.distribution = Some(Box::new(distribution));
    }
    if from.flag()? {
        row.channels = Some(Box::new(Channels { rows: get_dead(from)?, columns: get_dead(from)? }));
    }
    if from.flag()? {
        row.spectral = Some(Box::new(get_spectrum(from)?));
    }
    Some(Some(row))
}

pub(super) fn put_figures(figures: &Figures, into: &mut Record) {
    let Figures { elements, zeros, extremes, moments, apart } = figures;
    into.number(*elements);
    into.number(*zeros);
    into.flag(extremes.is_some());
    if let Some((least, greatest)) = extremes {
        put_number(*least, into);
        put_number(*greatest, into);
    }
    let Moments { count, sum, lost, squares, exponent } = *moments;
    into.number(count);
    into.float(sum);
    into.float(lost);
    into.float(squares);
    into.number(u64::from(exponent.cast_unsigned()));
    into.flag(apart.is_some());
    if let Some(apart) = apart {
        for Spots { count, first } in [apart.nan, apart.positive, apart.negative] {
            into.number(count);
            into.maybe(first);
        }
    }
}

pub(super) fn get_figures(from: &mut Reading<'_>) -> Option<Figures> {
    let (elements, zeros) = (from.number()?, from.number()?);
    let extremes = if from.flag()? { Some((get_number(from)?, get_number(from)?)) } else { None };
    let moments = Moments {
        count: from.number()?,
        sum: from.float()?,
        lost: from.float()?,
        squares: from.float()?,
        exponent: u32::try_from(from.number()?).ok()?.cast_signed(),
    };
    let has_apart = from.flag()?;
    let mut spots = || Some(Spots { count: from.number()?, first: from.maybe()? });
    let apart = if has_apart {
        Some(Box::new(NonFinite { nan: spots()?, positive: spots()?, negative: spots()? }))
    } else {
        None
    };
    Some(Figures { elements, zeros, extremes, moments, apart })
}

fn put_number(number: Number, into: &mut Record) {
    match number {
        Number::Int(value) => {
            into.number(0);
            into.number(value.cast_unsigned());
        }
        Number::UInt(value) => {
            into.number(1);
            into.number(value);
        }
        Number::Float(value) => {
            into.number(2);
            into.float(value);
        }
    }
}

fn get_number(from: &mut Reading<'_>) -> Option<Number> {
    Some(match from.number()? {
        0 => Number::Int(from.number()?.cast_signed()),
        1 => Number::UInt(from.number()?),
        2 => Number::Float(from.float()?),
        _ => return None,
    })
}

/// Buckets ascend: what is told of each is how far it is from the one before.
pub(super) fn put_buckets(buckets: &Buckets, into: &mut Record) {
    into.count(buckets.0.len());
    let mut last = 0u32;
    for (bucket, count) in &buckets.0 {
        into.number(u64::from(bucket.wrapping_sub(last)));
        into.number(*count);
        last = *bucket;
    }
}

pub(super) fn get_buckets(from: &mut Reading<'_>) -> Option<Buckets> {
    let count = from.count()?;
    let mut buckets = Vec::with_capacity(count);
    let mut last = 0u32;
    for _ in 0..count {
        last = last.checked_add(u32::try_from(from.number()?).ok()?)?;
        buckets.push((last, from.number()?));
    }
    Some(Buckets(buckets))
}

pub(super) fn put_marks(marks: &Marks, into: &mut Record) {
    let Marks { row, rows, at, head, tail, dead, first, columns, length } = marks;
    into.numbers(&[*row, *rows, *at, *dead, *length]);
    for open in [head, tail] {
        into.maybe(open.map(|open| open.row));
        into.flag(open.is_some_and(|open| open.alive));
    }
    put_list(first, into);
    // Runs of columns of one kind, the first of them dead.
    let runs: Vec<u64> = columns.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect();
    into.flag(columns.first().copied().unwrap_or(false));
    put_list(&runs, into);
}

pub(super) fn get_marks(from: &mut Reading<'_>) -> Option<Marks> {
    let [row, rows, at, dead, length] =
        [from.number()?, from.number()?, from.number()?, from.number()?, from.number()?];
    let mut open = || {
        let (row, alive) = (from.maybe()?, from.flag()?);
        Some(row.map(|row| Open { row, alive }))
    };
    let (head, tail) = (open()?, open()?);
    let first = get_list(from)?;
    let mut alive = from.flag()?;
    let runs = get_list(from)?;
    let all = runs.iter().try_fold(0u64, |sum, run| sum.checked_add(*run))?;
    if row == 0 || length == 0 || all > LONGEST || first.len() > NAMED {
        return None;
    }
    let mut columns = Vec::with_capacity(usize::try_from(all).ok()?);
    for run in runs {
        columns.extend(std::iter::repeat_n(alive, usize::try_from(run).ok()?));
        alive = !alive;
    }
    Some(Marks { row, rows, at, head, tail, dead, first, columns, length })
}

fn put_dead(dead: &Dead, into: &mut Record) {
    into.number(dead.length);
    into.maybe(dead.count);
    put_list(&dead.first, into);
}

fn get_dead(from: &mut Reading<'_>) -> Option<Dead> {
    Some(Dead { length: from.number()?, count: from.maybe()?, first: get_list(from)? })
}

pub(in crate::analysis) fn put_spectrum(spectrum: &Spectrum, into: &mut Record) {
    let Spectrum { rows, columns, sigma_max, stable_rank, edge, above_edge, missing } = *spectrum;
    into.numbers(&[rows, columns]);
    for value in [sigma_max, stable_rank, edge] {
        into.flag(value.is_some());
        into.floats(value.as_slice());
    }
    into.maybe(above_edge);
    let place = |missing| Missing::ALL.iter().position(|other| *other == missing);
    into.maybe(missing.and_then(place).map(|place| place as u64));
}

pub(in crate::analysis) fn get_spectrum(from: &mut Reading<'_>) -> Option<Spectrum> {
    let (rows, columns) = (from.number()?, from.number()?);
    let mut value = || Some(if from.flag()? { Some(from.float()?) } else { None });
    let (sigma_max, stable_rank, edge) = (value()?, value()?, value()?);
    let above_edge = from.maybe()?;
    let missing = match from.maybe()? {
        Some(place) => Some(*Missing::ALL.get(usize::try_from(place).ok()?)?),
        None => None,
    };
    Some(Spectrum { rows, columns, sigma_max, stable_rank, edge, above_edge, missing })
}

fn put_list(numbers: &[u64], into: &mut Record) {
    into.count(numbers.len());
    into.numbers(numbers);
}

fn get_list(from: &mut Reading<'_>) -> Option<Vec<u64>> {
    (0..from.count()?).map(|_| from.number()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::tensor::Wide;

    fn again<T>(put: impl Fn(&mut Record), get: impl Fn(&mut Reading<'_>) -> Option<T>) -> T {
        let mut record = Record::default();
        put(&mut record);
        let bytes = record.into_bytes();
        for cut in 0..bytes.len() {
            // What was cut off is missed, or was not needed for what came before.
            let mut reading = Reading::of(&bytes[..cut]);
            assert!(get(&mut reading).is_none() || reading.is_over());
        }
        let mut reading = Reading::of(&bytes);
        let got = get(&mut reading).unwrap();
        assert!(reading.is_over());
        got
    }

    #[test]
    fn figures_keep_every_bit() {
        let mut figures = Figures::of_finite(
            7,
            2,
            (Number::Int(i64::MIN), Number::UInt(u64::MAX)),
            Moments::about(0.1, 7, 1e-300, 1e300, -900),
        );
        assert_eq!(again(|into| put_figures(&figures, into), get_figures), figures);
        let mut apart = NonFinite::default();
        apart.nan.add(5);
        apart.negative.add(u64::MAX);
        figures.set_apart(apart);
        assert_eq!(again(|into| put_figures(&figures, into), get_figures), figures);
        assert_eq!(again(|into| put_figures(&Figures::default(), into), get_figures), Figures::default());
    }

    #[test]
    fn spectra_are_what_they_were() {
        let mut spectrum = Spectrum {
            rows: 3,
            columns: u64::MAX,
            sigma_max: Some(0.1),
            stable_rank: None,
            edge: Some(1e-300),
            above_edge: Some(7),
            missing: None,
        };
        for missing in [None].into_iter().chain(Missing::ALL.map(Some)) {
            spectrum.missing = missing;
            assert_eq!(again(|into| put_spectrum(&spectrum, into), get_spectrum), spectrum);
        }
    }

    #[test]
    fn buckets_and_marks_are_what_they_were() {
        let buckets = Buckets(vec![(0, 1), (7, 1 << 40), (u32::MAX, 3)]);
        assert_eq!(again(|into| put_buckets(&buckets, into), get_buckets), buckets);
        let mut marks = Marks::new(&[4, 3], 2).unwrap();
        marks.add(Wide::Single(&[0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]));
        let got = again(|into| put_marks(&marks, into), get_marks);
        assert_eq!(format!("{got:?}"), format!("{marks:?}"));
    }
}
