//! How many updates an Adam of `tf.compat.v1` has made, from the powers of its betas.
//!
//! `AdamOptimizer` keeps `beta1_power` and `beta2_power`, which begin as beta and are multiplied by it once an update
//! (`adam.py`, `_finish`): after t updates they are betaᵗ⁺¹. The product is taken in float32, so it is repeated here in
//! float32, and a count is believed only if every bit agrees.

/// Betas that people train with.
const BETA1: [f32; 8] = [0.9, 0.5, 0.0, 0.95, 0.8, 0.99, 0.7, 0.85];
const BETA2: [f32; 10] = [0.999, 0.99, 0.98, 0.95, 0.9, 0.997, 0.9999, 0.995, 0.9995, 0.96];

/// No product is followed further than this: 0.99999 has then become 0.
const MOST: u64 = 20_000_000;

/// What the two powers say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Powers {
    /// The betas; a power that has become 0 may be of several.
    pub(super) beta1: Option<f32>,
    pub(super) beta2: f32,
    /// Updates made, or as many at least where both powers have become 0.
    pub(super) updates: u64,
    /// Whether more may have been made.
    pub(super) at_least: bool,
}

/// After how many updates a beta has this power; the first number and, where the product stands still, whether more may
/// have been made.
fn updates(beta: f32, power: f32) -> Option<(u64, bool)> {
    // What is smaller than the smallest normal number counts as 0 in TensorFlow's threads.
    let power = if power < f32::MIN_POSITIVE { 0.0 } else { power };
    let mut now = beta;
    let mut made = 0;
    while now > power && made < MOST {
        let next = now * beta;
        let next = if next < f32::MIN_POSITIVE { 0.0 } else { next };
        if next >= now {
            break;
        }
        (now, made) = (next, made + 1);
    }
    (now.to_bits() == power.to_bits()).then_some((made, now == 0.0 || now * beta >= now))
}

/// Every beta that has this power, with its count.
fn explained(power: f32, betas: &[f32]) -> Vec<(f32, u64, bool)> {
    betas.iter().filter_map(|beta| updates(*beta, power).map(|(made, more)| (*beta, made, more))).collect()
}

/// Betas in thousandths and ten thousandths, where the usual ones explain nothing.
fn unusual() -> Vec<f32> {
    let thousandths = (1..1000u16).map(|n| f32::from(n) / 1000.0);
    thousandths.chain((9901..9999u16).map(|n| f32::from(n) / 10_000.0)).collect()
}

/// The number of updates after which both powers are what they are. `None` if no betas explain them.
pub(super) fn counted(power1: f32, power2: f32) -> Option<Powers> {
    let is_power = |power: f32| (0.0..1.0).contains(&power);
    if !is_power(power1) || !is_power(power2) {
        return None;
    }
    let usual = agreed(&explained(power1, &BETA1), &explained(power2, &BETA2));
    usual.or_else(|| {
        // A beta of its own: one of them is usual, or both are round.
        let all = unusual();
        let near = |power: f32, updates: u64| -> Vec<(f32, u64, bool)> {
            let near = all.iter().copied().filter(|beta| may_be(*beta, power, updates));
            explained(power, &near.collect::<Vec<_>>())
        };
        let by_second =
            explained(power2, &BETA2).into_iter().find_map(|second| agreed(&near(power1, second.1), &[second]));
        let by_first = || {
            let firsts = explained(power1, &BETA1).into_iter().filter(|first| !first.2);
            firsts.into_iter().find_map(|first| agreed(&[first], &near(power2, first.1)))
        };
        by_second.or_else(by_first)
    })
}

/// Whether a beta may have come near a power after so many updates: what is not, need not be followed bit by bit.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn may_be(beta: f32, power: f32, updates: u64) -> bool {
    if power == 0.0 {
        return true;
    }
    let exponent = f64::from(power).ln() / f64::from(beta).ln();
    (exponent - (updates as f64 + 1.0)).abs() < 0.5 + exponent * 1e-3
}

/// The first two that tell one number: exactly, or one of them no more than a least number.
fn agreed(first: &[(f32, u64, bool)], second: &[(f32, u64, bool)]) -> Option<Powers> {
    let is_alone = first.len() == 1;
    let pair = |a: &(f32, u64, bool), b: &(f32, u64, bool)| {
        let (updates, at_least) = match (a.2, b.2) {
            (false, false) if a.1 == b.1 => (a.1, false),
            (true, false) if b.1 >= a.1 => (b.1, false),
            (false, true) if a.1 >= b.1 => (a.1, false),
            (true, true) => (a.1.max(b.1), true),
            _ => return None,
        };
        let beta1 = Some(a.0).filter(|_| !a.2 || is_alone);
        Some(Powers { beta1, beta2: b.0, updates, at_least })
    };
    // Where both have become 0, several betas explain them: the least count is certain.
    let all = || first.iter().flat_map(|a| second.iter().filter_map(move |b| pair(a, b)));
    all().find(|powers| !powers.at_least).or_else(|| all().min_by_key(|powers| powers.updates))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(beta: f32, updates: u64) -> f32 {
        (0..updates).fold(beta, |power, _| {
            let next = power * beta;
            if next < f32::MIN_POSITIVE { 0.0 } else { next }
        })
    }

    #[test]
    fn updates_are_counted_by_every_bit_of_both_powers() {
        for (beta1, beta2) in [(0.9, 0.999), (0.5, 0.999), (0.0, 0.999), (0.9, 0.997), (0.85, 0.98), (0.9, 0.973)] {
            for updates in [0, 1, 2, 7, 100, 500, 5000] {
                let powers = counted(after(beta1, updates), after(beta2, updates));
                let powers = powers.unwrap_or_else(|| panic!("{beta1} {beta2} {updates}"));
                if powers.at_least {
                    assert!(powers.updates <= updates, "{beta1} {beta2} {updates}: {powers:?}");
                } else {
                    assert_eq!((powers.updates, powers.beta2), (updates, beta2));
                    // A power of 0 has several explanations.
                    assert!(
                        powers.beta1.is_none_or(|known| known.to_bits() == beta1.to_bits()),
                        "{beta1} {beta2} {updates}: {powers:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_has_become_zero_is_a_least_number() {
        let powers = counted(0.0, after(0.999, 20_000)).unwrap();
        assert_eq!((powers.updates, powers.at_least), (20_000, false));
        let powers = counted(0.0, 0.0).unwrap();
        assert!(powers.at_least && powers.updates > 800 && powers.updates < 900, "{powers:?}");
    }

    #[test]
    fn other_numbers_are_no_powers() {
        let off = f32::from_bits(after(0.999, 300).to_bits() + 1);
        for (a, b) in [(0.9, off), (1.0, 0.999), (f32::NAN, 0.5), (-0.1, 0.5), (after(0.9, 3), after(0.999, 4))] {
            assert_eq!(counted(a, b), None, "{a} {b}");
        }
    }
}
