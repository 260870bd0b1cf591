//! Mean, standard deviation and L2 norm of parts that merge.
//!
//! Sums of squares about zero lose everything where a tensor is nearly constant, so each part keeps its squares about
//! its own mean, and two parts merge by the formula of Chan, Golub and `LeVeque` (1979). Values whose squares a
//! float64 cannot hold are scaled by a power of two, so that the norm of numbers around 1e200 is no infinity, and that
//! of numbers around 1e-200 is no zero.

/// Sums over numbers, as far as mean, deviation and norm need them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Moments {
    pub(super) count: u64,
    /// The numbers' sum, and what rounding took from it.
    pub(super) sum: f64,
    pub(super) lost: f64,
    /// Sum of the squares about the mean.
    pub(super) squares: f64,
    /// The numbers are these times 2 to this power; the squares, to twice this power.
    pub(super) exponent: i32,
}

impl Moments {
    /// Of numbers of which the sum and the sum of squares about `pivot` are known, all scaled down by `exponent`.
    ///
    /// The pivot must be one of the numbers: then its squares are at most `count` times those about the mean, and
    /// taking one from the other loses nothing that counts.
    pub(super) fn about(pivot: f64, count: u64, sum: f64, squares: f64, exponent: i32) -> Self {
        let n = float(count);
        let squares = if count == 0 { 0.0 } else { (squares - sum * sum / n).max(0.0) };
        Self { count, sum: pivot * n + sum, lost: 0.0, squares, exponent }
    }

    /// Takes the numbers of another part in.
    pub(super) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        // A part of zeros has no scale of its own.
        let exponent = match (self.is_zero(), other.is_zero()) {
            (true, _) => other.exponent,
            (_, true) => self.exponent,
            _ => self.exponent.max(other.exponent),
        };
        let (a, b) = (self.at(exponent), other.at(exponent));
        let (n, m) = (float(a.count), float(b.count));
        let apart = (b.sum + b.lost) / m - (a.sum + a.lost) / n;
        let count = a.count.saturating_add(b.count);
        self.squares = a.squares + b.squares + apart * apart * (n * (m / float(count)));
        let sum = a.sum + b.sum;
        // Knuth's two-sum: what `a.sum + b.sum` rounds away, whichever is larger.
        let b_part = sum - a.sum;
        let rounded = (a.sum - (sum - b_part)) + (b.sum - b_part);
        (self.count, self.sum, self.lost, self.exponent) = (count, sum, a.lost + b.lost + rounded, exponent);
    }

    /// Arithmetic mean; `None` of nothing.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| times_power_of_two((self.sum + self.lost) / float(self.count), self.exponent))
    }

    /// Standard deviation of the whole population, as `np.std`.
    pub(super) fn deviation(&self) -> Option<f64> {
        (self.count > 0).then(|| times_power_of_two((self.squares / float(self.count)).sqrt(), self.exponent))
    }

    /// Square root of the sum of squares.
    pub(super) fn norm(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let sum = self.sum + self.lost;
        times_power_of_two((self.squares + sum * (sum / float(self.count))).sqrt(), self.exponent)
    }

    fn is_zero(&self) -> bool {
        self.sum == 0.0 && self.squares == 0.0
    }

    fn at(&self, exponent: i32) -> Self {
        let down = self.exponent.saturating_sub(exponent);
        let once = |value| times_power_of_two(value, down);
        let squares = once(once(self.squares));
        Self { sum: once(self.sum), lost: once(self.lost), squares, exponent, ..*self }
    }
}

/// `value` times 2 to the power of `exponent`, also where that power alone is no float64.
pub(super) fn times_power_of_two(mut value: f64, mut exponent: i32) -> f64 {
    const STEP: i32 = 1000;
    while exponent != 0 && value != 0.0 && value.is_finite() {
        let step = exponent.clamp(-STEP, STEP);
        value *= f64::from_bits(u64::from((1023 + step).unsigned_abs()) << 52);
        exponent -= step;
    }
    value
}

/// The power of two that brings numbers up to `largest` near 1; 0 where squares are safe as they are.
pub(super) fn scale_of(largest: f64) -> i32 {
    let exponent = i32::try_from(largest.abs().to_bits() >> 52).unwrap_or(0) - 1023;
    // As many squares of 2 to the power of 401 as a tensor can have elements fit; those of neighbours around 2 to the
    // power of -400 are normal numbers.
    if largest == 0.0 || (-400..=400).contains(&exponent) { 0 } else { exponent }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2 to the power of 53 elements, counts are rounded")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64], exponent: i32) -> Moments {
        let scaled: Vec<f64> = values.iter().map(|v| times_power_of_two(*v, -exponent)).collect();
        let pivot = scaled.first().copied().unwrap_or_default();
        let sum = scaled.iter().map(|v| v - pivot).sum();
        let squares = scaled.iter().map(|v| (v - pivot) * (v - pivot)).sum();
        Moments::about(pivot, values.len() as u64, sum, squares, exponent)
    }

    fn close(got: f64, want: f64) -> bool {
        (got - want).abs() <= want.abs() * 1e-14
    }

    #[test]
    fn two_parts_merge_to_the_whole() {
        let values = [1.0, 2.0, 4.0, -3.0, 0.5];
        for cut in 0..=values.len() {
            let (left, right) = values.split_at(cut);
            let mut moments = of(left, 0);
            moments.merge(&of(right, 0));
            assert!(close(moments.mean().unwrap(), 0.9));
            assert!(close(moments.deviation().unwrap(), 5.24f64.sqrt()), "{:?}", moments.deviation());
            assert!(close(moments.norm(), 5.5));
        }
    }

    #[test]
    fn nearly_constant_numbers_keep_their_deviation() {
        let mut moments = of(&[1e8, 1e8 + 1.0], 0);
        moments.merge(&of(&[1e8 + 2.0, 1e8 + 3.0], 0));
        assert!(close(moments.deviation().unwrap(), 1.25f64.sqrt()));
    }

    #[test]
    fn squares_beyond_a_float64_are_no_infinity_and_no_zero() {
        for size in [1e200, 1e-200, f64::MAX / 8.0] {
            let exponent = scale_of(size);
            assert_ne!(exponent, 0);
            let mut moments = of(&[3.0 * size, 0.0], exponent);
            moments.merge(&of(&[0.0, 0.0], 0));
            moments.merge(&of(&[-4.0 * size], exponent));
            assert!(close(moments.norm(), 5.0 * size), "{}", moments.norm());
            assert!(close(moments.mean().unwrap(), -0.2 * size));
        }
        let mut moments = of(&[1e200], scale_of(1e200));
        moments.merge(&of(&[1.0], 0));
        assert!(close(moments.norm(), 1e200) && close(moments.mean().unwrap(), 5e199));
    }

    #[test]
    fn nothing_has_no_mean() {
        let mut moments = Moments::default();
        moments.merge(&Moments::default());
        assert_eq!((moments.mean(), moments.deviation()), (None, None));
    }
}
