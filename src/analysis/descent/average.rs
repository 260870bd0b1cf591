//! Whether the numbers of a checkpoint are a mean of those of others.
//!
//! Shares are found by least squares on one half of the numbers, and believed if they make the other half, too.

/// The shares of others in `of`: they add up to 1, at least two of them count, and the rest is rounding.
pub(super) fn shares(of: &[f64], others: &[Vec<f64>]) -> Option<Vec<f64>> {
    /// Shares below this are none.
    const NONE: f64 = 2e-3;
    let mut used: Vec<usize> = (0..others.len()).collect();
    let mut found = vec![0.0; others.len()];
    // What has no share is left out, and the others are found again.
    for _ in 0..3 {
        let columns: Vec<&[f64]> = used.iter().filter_map(|at| others.get(*at)).map(Vec::as_slice).collect();
        let shares = fitted(of, &columns)?;
        found.fill(0.0);
        for (at, share) in used.iter().zip(&shares) {
            if let Some(slot) = found.get_mut(*at) {
                *slot = *share;
            }
        }
        let before = used.len();
        used.retain(|at| found.get(*at).is_some_and(|share| share.abs() > NONE));
        if used.len() == before {
            break;
        }
    }
    let sum: f64 = found.iter().sum();
    let is_mean = (sum - 1.0).abs() < 1e-3 && found.iter().all(|share| *share > -NONE) && used.len() >= 2;
    (is_mean && explains(of, others, &found)).then_some(found)
}

/// Every other number, from the first or the second on.
fn half(numbers: &[f64], from: usize) -> impl Iterator<Item = f64> + '_ {
    numbers.iter().skip(from).step_by(2).copied()
}

/// Least squares by orthogonal columns (modified Gram–Schmidt), on the first half of the numbers.
fn fitted(of: &[f64], columns: &[&[f64]]) -> Option<Vec<f64>> {
    let rows = half(of, 0).count();
    if columns.is_empty() || rows < columns.len().saturating_mul(2) || columns.iter().any(|c| c.len() != of.len()) {
        return None;
    }
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    // Upper triangle: how each column is made of the basis.
    let mut parts: Vec<Vec<f64>> = Vec::new();
    let mut kept: Vec<bool> = Vec::new();
    for column in columns {
        let mut rest: Vec<f64> = half(column, 0).collect();
        let size = dot(&rest, &rest).sqrt();
        let mut part = Vec::new();
        for direction in &basis {
            let share = dot(direction, &rest);
            rest.iter_mut().zip(direction).for_each(|(rest, direction)| *rest -= share * direction);
            part.push(share);
        }
        let left = dot(&rest, &rest).sqrt();
        // A column that those before make has no share of its own.
        let is_new = left > size * 1e-6;
        kept.push(is_new);
        if is_new {
            for number in &mut rest {
                *number /= left;
            }
            part.push(left);
            basis.push(rest);
            parts.push(part);
        }
    }
    let mut rest: Vec<f64> = half(of, 0).collect();
    let mut shares: Vec<f64> = Vec::new();
    for direction in &basis {
        let share = dot(direction, &rest);
        rest.iter_mut().zip(direction).for_each(|(rest, direction)| *rest -= share * direction);
        shares.push(share);
    }
    // Backwards: from shares of the basis to shares of the columns.
    for at in (0..shares.len()).rev() {
        let own = parts.get(at)?.get(at).copied()?;
        let share = shares.get(at).copied()? / own;
        *shares.get_mut(at)? = share;
        for (before, part) in shares.iter_mut().take(at).zip(parts.get(at)?) {
            *before -= share * part;
        }
    }
    let mut shares = shares.into_iter();
    Some(kept.into_iter().map(|is_kept| if is_kept { shares.next().unwrap_or(0.0) } else { 0.0 }).collect())
}

/// Whether shares make the numbers that they were not found by.
fn explains(of: &[f64], others: &[Vec<f64>], shares: &[f64]) -> bool {
    let mut made: Vec<f64> = vec![0.0; half(of, 1).count()];
    for (other, share) in others.iter().zip(shares) {
        made.iter_mut().zip(half(other, 1)).for_each(|(made, number)| *made += share * number);
    }
    let square = |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|number| number * number).sum::<f64>();
    let off = square(&mut half(of, 1).zip(&made).map(|(number, made)| number - made));
    // And the others are not all the same, or anything would be their mean.
    let spread: f64 = others.iter().map(|other| square(&mut half(of, 1).zip(half(other, 1)).map(|(a, b)| a - b))).sum();
    off <= 1e-10 * square(&mut half(of, 1)) && off <= 1e-4 * spread
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: u64, count: usize) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..count)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1u32 << 24) - 0.5
            })
            .collect()
    }

    /// As float32 has them.
    #[expect(clippy::cast_possible_truncation, reason = "that is what is wanted")]
    fn mean(of: &[(&[f64], f64)]) -> Vec<f64> {
        (0..of[0].0.len()).map(|at| f64::from(of.iter().map(|(n, share)| n[at] * share).sum::<f64>() as f32)).collect()
    }

    #[test]
    fn means_are_told_with_their_shares() {
        let all: Vec<Vec<f64>> = (1..8).map(|seed| random(seed, 400)).collect();
        let three = mean(&[(&all[1], 1.0 / 3.0), (&all[2], 1.0 / 3.0), (&all[5], 1.0 / 3.0)]);
        let found = shares(&three, &all).unwrap();
        // Another mean of them among the others takes nothing from them, if it comes later.
        let mut with: Vec<Vec<f64>> = all.clone();
        with.push(mean(&[(&all[1], 0.5), (&all[2], 0.5)]));
        assert!((shares(&three, &with).unwrap()[5] - 1.0 / 3.0).abs() < 1e-3);
        let wanted = [0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        assert!(found.iter().zip(wanted).all(|(share, wanted)| (share * 3.0 - wanted).abs() < 1e-4), "{found:?}");
        let uneven = mean(&[(&all[0], 0.9), (&all[3], 0.1)]);
        let found = shares(&uneven, &all).unwrap();
        assert!((found[0] - 0.9).abs() < 1e-4 && (found[3] - 0.1).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn others_are_no_means() {
        let all: Vec<Vec<f64>> = (1..8).map(|seed| random(seed, 400)).collect();
        assert_eq!(shares(&random(99, 400), &all), None);
        assert_eq!(shares(&all[2], &all), None, "one alone is no mean");
        assert_eq!(shares(&mean(&[(&all[0], 0.5), (&all[1], 0.6)]), &all), None, "more than there is");
        assert_eq!(shares(&all[0], &[]), None);
        assert_eq!(shares(&all[0][..6], &[all[1][..6].to_vec(), all[2][..6].to_vec()]), None, "too few numbers");
    }
}
