//! What a weight has moved, in units of the learning rate, at most: so the learning rate was this at least.
//!
//! Each bound is derived in `docs/training.md`. They hold for any gradients, so they may be far from what was, never
//! beyond it.

use super::element::Element;
use super::rule::Update;

/// The numbers that a bound depends on, besides those of an element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Updates before, where they are known, and in between.
    pub(super) before: Option<u64>,
    pub(super) updates: u64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    /// What a momentum keeps of itself, where that is known.
    pub(super) momentum: Option<f64>,
    /// Whether a momentum looks ahead, where that is known.
    pub(super) nesterov: Option<bool>,
}

/// The bound for one update rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    update: Update,
    pace: Pace,
    updates: f64,
    /// −ln β₂.
    forgets: f64,
    /// What a mean of gradients weighs them by together, and what the mean before weighs.
    spread: (f64, f64),
    /// The largest correction of the bias in between.
    correction: f64,
    /// What an element without slots before can have moved.
    from_nothing: f64,
    /// A share of the weight that the updates may take away.
    decay: f64,
}

/// No sum of per-step bounds is longer.
const SUMMED: u64 = 4096;

/// Slots are rounded to float32.
const ROUNDED: f64 = 1.0 + 1e-4;

#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
impl Bound {
    /// For updates of this kind; `None` if no bound is known.
    pub(super) fn of(update: Update, pace: Pace) -> Option<Self> {
        let Pace { before, updates, beta1, beta2, momentum, .. } = pace;
        let is_share = |beta: f64| (0.0..1.0).contains(&beta);
        if updates == 0 || !is_share(beta1) || !is_share(beta2) || beta2 == 0.0 {
            return None;
        }
        let count = updates as f64;
        let mut bound = Self {
            update,
            pace,
            updates: count,
            forgets: -beta2.ln(),
            spread: (1.0, 0.0),
            correction: 1.0,
            from_nothing: count / (1.0 - beta2).sqrt(),
            decay: 0.0,
        };
        match update {
            Update::Other => return None,
            Update::Carried => {
                momentum.filter(|share| is_share(*share))?;
            }
            Update::Momentum if updates != 1 => return None,
            Update::Rms
            | Update::Kept
            | Update::Sum
            | Update::Linear
            | Update::Momentum
            | Update::Norm
            | Update::Trust => {}
            Update::Sign => (bound.from_nothing, bound.decay) = (count, count),
            Update::Largest => {
                let slower = beta1 / beta2;
                if slower >= 1.0 {
                    return None;
                }
                bound.from_nothing = count * (1.0 - beta1) / (1.0 - slower);
            }
            Update::Adam | Update::Nadam | Update::Decoupled => {
                let (slower, before) = (beta1 / beta2.sqrt(), before?);
                if slower >= 1.0 {
                    return None;
                }
                bound.spread = ((1.0 - beta1) / (1.0 - slower), slower / (1.0 - slower));
                let at = |step: u64| {
                    let step = step.min(1 << 40) as f64;
                    (1.0 - beta2.powf(step)).sqrt() / (1.0 - beta1.powf(step))
                };
                // It falls and then rises, so it is largest at an end.
                bound.correction = at(before.saturating_add(1)).max(at(before.saturating_add(updates)));
                bound.from_nothing = from_nothing(before, pace);
                if update == Update::Decoupled {
                    bound.decay = 0.1 * count;
                }
                if update == Update::Nadam {
                    // Beside the mean, a gradient goes into its own update with a weight of 1 at most.
                    bound.spread.0 += 1.0;
                    bound.spread.1 *= 2.0;
                    bound.from_nothing *= 2.0;
                }
            }
        }
        Some(bound)
    }

    /// What the learning rate was at least, by one element; 0 if nothing follows.
    pub(super) fn rate(&self, element: &Element) -> f64 {
        let Element { weight: (before, after), slot: (old, new), first } = *element;
        let rounding = f64::from(f32::EPSILON);
        let (moved, most) = match (self.update, before) {
            (Update::Linear, _) => (after.abs() * new.max(0.0).sqrt(), first.1.abs() * ROUNDED),
            (Update::Norm | Update::Trust, _) | (_, None) => return 0.0,
            (Update::Carried, Some(before)) => {
                let share = self.pace.momentum.unwrap_or(0.0);
                let own = (1.0 - share) * (before - after) - share * (first.0 - first.1);
                let sizes = after.abs() + first.0.abs() + first.1.abs();
                (own.abs() - rounding * sizes * self.updates, self.by_squares(first.0, old, new))
            }
            (_, Some(before)) => {
                let most = match self.update {
                    Update::Sum => most_of_sums(self.pace.updates, old, new),
                    Update::Kept => self.by_kept(first),
                    Update::Momentum => self.by_momentum(old, new),
                    Update::Sign | Update::Largest => self.from_nothing * ROUNDED,
                    _ => self.by_squares(first.0, old, new),
                };
                // What is smaller than the weight's own rounding is no update.
                let moved = (after - before).abs() - rounding * after.abs();
                (moved, most + self.decay * before.abs().max(after.abs()))
            }
        };
        if moved > 0.0 && most > 0.0 { moved / most } else { 0.0 }
    }

    /// The same of a whole weight, of which the root mean squares are these: before, after, and of how far it moved.
    pub(super) fn rate_of_whole(&self, before: f64, after: f64, moved: f64) -> f64 {
        let least = match self.update {
            Update::Norm => 1e-3,
            Update::Trust => 0.0,
            _ => return 0.0,
        };
        let size = before.max(least);
        let moved = moved - f64::from(f32::EPSILON) * after * self.updates;
        if moved <= 0.0 || size <= 0.0 {
            return 0.0;
        }
        ((moved / size).ln_1p() / self.updates).exp_m1() / ROUNDED
    }

    /// Σ |update| / learning rate at most, for an element whose slots were `first` and `second` and became `later`.
    fn by_squares(&self, first: f64, second: f64, later: f64) -> f64 {
        if second <= 0.0 || later <= 0.0 {
            return self.from_nothing;
        }
        let squares = (self.updates * self.forgets + (later / second).ln()).max(0.0) / (1.0 - self.pace.beta2);
        let gradients = (self.updates * squares).sqrt() * self.spread.0;
        let most = match self.update {
            Update::Rms | Update::Carried => gradients,
            _ => self.correction * (gradients + self.spread.1 * first.abs() / second.sqrt()),
        };
        most.min(self.from_nothing) * ROUNDED
    }

    /// Of updates of which a mean of squares is kept, which was the one and became the other.
    fn by_kept(&self, (old, new): (f64, f64)) -> f64 {
        let (beta, count) = (self.pace.beta2, self.updates);
        // Each update rounds the slot.
        let gained = new - beta.powf(count) * old + new * (count * 1.2e-7 + 2e-6);
        let weights = (beta.powf(-count) - 1.0) / (beta.recip() - 1.0);
        (gained.max(0.0) / (1.0 - beta) * weights).sqrt() * ROUNDED
    }

    /// Of one update by a momentum, which looks ahead or not.
    fn by_momentum(&self, old: f64, new: f64) -> f64 {
        let ahead = |share: f64| ((1.0 + share) * new - share * old).abs();
        let most = match (self.pace.nesterov, self.pace.momentum) {
            (Some(false), _) => new.abs(),
            (Some(true), Some(share)) => ahead(share),
            _ => new.abs().max(ahead(1.0)),
        };
        most * ROUNDED
    }
}

/// Of an Adam that has just begun: in the t-th update |m̂| / √v̂ is at most the root of Σ p²/q, where p and q are the
/// weights that the two means give to gradients.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
fn from_nothing(before: u64, pace: Pace) -> f64 {
    let Pace { updates, beta1, beta2, .. } = pace;
    let ratio = beta1 * beta1 / beta2;
    let at = |step: f64| {
        let (p, q) = ((1.0 - beta1) / (1.0 - beta1.powf(step)), (1.0 - beta2) / (1.0 - beta2.powf(step)));
        (p * p / q * (1.0 - ratio.powf(step)) / (1.0 - ratio)).sqrt()
    };
    // It only rises, so what is not summed is as large as at the end.
    let (summed, rest) = (updates.min(SUMMED), updates.saturating_sub(SUMMED));
    let steps = (1..=summed).map(|step| at((before.saturating_add(step)) as f64));
    steps.sum::<f64>() + rest as f64 * at((before.saturating_add(updates)) as f64)
}

/// Σ |g| / √a of Adagrad at most.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
fn most_of_sums(updates: u64, before: f64, later: f64) -> f64 {
    let updates = updates as f64;
    if before <= 0.0 || later < before {
        return updates;
    }
    (updates * (later / before).ln()).sqrt().min(updates) * (1.0 + 1e-4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Σ |update| and the slots, of an Adam that is given these gradients behind others.
    fn adam(gradients: &[f64], warm: usize) -> (Pace, f64, (f64, f64, f64)) {
        let (beta1, beta2): (f64, f64) = (0.9, 0.999);
        let (mut m, mut v, mut moved) = (0.0, 0.0, 0.0);
        let mut slots = (0.0, 0.0);
        for (at, g) in gradients.iter().enumerate() {
            if at == warm {
                slots = (m, v);
            }
            m = beta1 * m + (1.0 - beta1) * g;
            v = beta2 * v + (1.0 - beta2) * g * g;
            let t = i32::try_from(at + 1).unwrap();
            let update: f64 = m / (1.0 - beta1.powi(t)) / (v / (1.0 - beta2.powi(t))).sqrt();
            if at >= warm && v > 0.0 {
                moved += update.abs();
            }
        }
        let updates = (gradients.len() - warm) as u64;
        let pace = Pace { before: Some(warm as u64), updates, beta1, beta2, momentum: None, nesterov: None };
        (pace, moved, (slots.0, slots.1, v))
    }

    #[test]
    fn no_gradients_move_an_adam_further() {
        let runs: [Vec<f64>; 6] = [
            vec![1.0; 300],
            (0..300).map(|n| 1.1f64.powi(n)).collect(),
            (0..300).map(|n| 0.97f64.powi(n)).collect(),
            (0..300).map(|n| if n % 50 == 0 { 1.0 } else { 0.0 }).collect(),
            (0..300).map(|n| if n == 200 { 1e6 } else { 1.0 }).collect(),
            (0..300).map(|n| f64::from(n % 7) - 3.0).collect(),
        ];
        for (at, run) in runs.iter().enumerate() {
            for warm in [0, 1, 10, 100, 250] {
                let (pace, moved, (m, v, later)) = adam(run, warm);
                let most = Bound::of(Update::Adam, pace).unwrap().by_squares(m, v, later);
                assert!(moved <= most, "{at} {warm}: {moved} {most}");
                // Steady gradients move it nearly as far as anything can.
                assert!(at != 0 || warm < 250 || most < moved * 1.25, "{warm}: {moved} {most}");
            }
        }
    }

    #[test]
    fn adagrad_moves_less_and_less() {
        let (mut sum, mut moved) = (0.1, 0.0);
        for _ in 0..100 {
            sum += 0.25;
            moved += 0.5 / f64::sqrt(sum);
        }
        let most = most_of_sums(100, 0.1, sum);
        assert!(moved <= most && most < moved * 1.5, "{moved} {most}");
    }

    /// Gradients that are unlike, the same for every run of a test.
    fn gradients(count: usize) -> Vec<f64> {
        (0..count).map(|n| f64::from(u8::try_from(n * 37 % 23).unwrap()) - 7.0).collect()
    }

    fn pace(updates: usize, beta1: f64, beta2: f64, momentum: Option<f64>) -> Pace {
        Pace { before: None, updates: updates as u64, beta1, beta2, momentum, nesterov: None }
    }

    fn element(weight: (f64, f64), slot: (f64, f64), first: (f64, f64)) -> Element {
        Element { weight: (Some(weight.0), weight.1), slot, first }
    }

    #[test]
    fn a_momentum_of_rmsprop_is_taken_out() {
        for (share, updates) in [(0.0, 12), (0.5, 30), (0.9, 7)] {
            let (mut v, mut carried, mut weight) = (0.7, 0.02, 1.5);
            let before = (v, carried, weight);
            for g in gradients(updates) {
                v = 0.9 * v + 0.1 * g * g;
                carried = share * carried + 0.03 * g / f64::sqrt(v);
                weight -= carried;
            }
            let bound = Bound::of(Update::Carried, pace(updates, 0.9, 0.9, Some(share))).unwrap();
            let rate = bound.rate(&element((before.2, weight), (before.0, v), (before.1, carried)));
            assert!(rate <= 0.03 && rate > 1e-4, "{share}: {rate}");
        }
        assert!(Bound::of(Update::Carried, pace(5, 0.9, 0.9, None)).is_none());
    }

    #[test]
    fn adadelta_has_its_own_squares() {
        for updates in [1, 10, 40] {
            let (mut squares, mut kept, mut weight) = (0.3, 0.001, 0.5);
            let before = (squares, kept, weight);
            for g in gradients(updates) {
                squares = 0.95 * squares + 0.05 * g * g;
                let update = g * (kept + 1e-7f64).sqrt() / (squares + 1e-7f64).sqrt();
                kept = 0.95 * kept + 0.05 * update * update;
                weight -= 0.2 * update;
            }
            let bound = Bound::of(Update::Kept, pace(updates, 0.9, 0.95, None)).unwrap();
            let rate = bound.rate(&element((before.2, weight), (before.0, squares), (before.1, kept)));
            assert!(rate <= 0.2 && (updates > 1 || rate > 0.19), "{updates}: {rate}");
        }
    }

    #[test]
    fn one_update_of_a_momentum_is_its_learning_rate() {
        let of = |nesterov, weight| {
            let pace = Pace { nesterov, ..pace(1, 0.9, 0.9, Some(0.9)) };
            Bound::of(Update::Momentum, pace).unwrap().rate(&element((1.0, weight), (-2.0, 3.0), (0.0, 0.0)))
        };
        // Without and with the look ahead, which is 3 + 0.9·3 + 0.9·2.
        let near = |rate: f64| rate <= 0.1 && rate > 0.0999;
        assert!(near(of(Some(false), 1.0 - 0.3)) && near(of(Some(true), 1.0 - 0.1 * 7.5)));
        assert!(of(None, 1.0 - 0.3) < 0.1 && of(None, 1.0 - 0.1 * 7.5) > 0.09);
        assert!(Bound::of(Update::Momentum, pace(2, 0.9, 0.9, Some(0.9))).is_none());
    }

    #[test]
    fn what_depends_on_no_gradient() {
        let weight = (0.5, 0.1);
        let rate = |update| Bound::of(update, pace(40, 0.9, 0.999, None)).unwrap();
        let sign = rate(Update::Sign).rate(&element(weight, (0.0, 1.0), (0.0, 0.0)));
        assert!(sign < 0.01 && sign > 0.0066, "{sign}");
        let largest = rate(Update::Largest).rate(&element(weight, (0.0, 1.0), (0.0, 0.0)));
        assert!(largest < 0.01 && largest > 0.0099, "{largest}");
        // A weight is −z·rate/√a of Ftrl, without penalties.
        let linear = rate(Update::Linear).rate(&element((0.0, -0.02 * 0.3 / 2.0), (0.1, 4.0), (0.0, 0.3)));
        assert!(linear <= 0.02 && linear > 0.0199, "{linear}");
        // A weight that grows by 1 % forty times.
        let grown = 0.2 * (1.01f64.powi(40) - 1.0);
        for update in [Update::Norm, Update::Trust] {
            let rate = rate(update).rate_of_whole(0.2, 0.2 + grown, grown);
            assert!(rate <= 0.01 && rate > 0.00999, "{rate}");
        }
        assert!(rate(Update::Trust).rate_of_whole(0.0, 1.0, 1.0) <= 0.0);
    }
}
