//! What a weight has moved, in units of the learning rate, at most: so the learning rate was this at least.
//!
//! Each bound is derived in `docs/training.md`. They hold for any gradients, so they may be far from what was, never
//! beyond it.

use super::rule::Update;

/// The numbers that a bound depends on, besides those of an element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Updates before, and in between.
    pub(super) before: u64,
    pub(super) updates: u64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
}

/// The bound for one update rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    update: Update,
    updates: f64,
    beta2: f64,
    /// −ln β₂.
    forgets: f64,
    /// What a mean of gradients weighs them by together, and what the mean before weighs.
    spread: (f64, f64),
    /// The largest correction of the bias in between.
    correction: f64,
    /// What an element without slots before can have moved.
    from_nothing: f64,
}

/// No sum of per-step bounds is longer.
const SUMMED: u64 = 4096;

#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
impl Bound {
    /// For updates of this kind; `None` if no bound is known.
    pub(super) fn of(update: Update, pace: Pace) -> Option<Self> {
        let Pace { before, updates, beta1, beta2 } = pace;
        let is_share = |beta: f64| (0.0..1.0).contains(&beta);
        if updates == 0 || !is_share(beta1) || !is_share(beta2) || beta2 == 0.0 {
            return None;
        }
        let forgets = -beta2.ln();
        let mut bound = Self {
            update,
            updates: updates as f64,
            beta2,
            forgets,
            spread: (1.0, 0.0),
            correction: 1.0,
            from_nothing: updates as f64 / (1.0 - beta2).sqrt(),
        };
        match update {
            Update::Other => return None,
            Update::Rms => {}
            Update::Adam | Update::Nadam | Update::Decoupled => {
                let slower = beta1 / beta2.sqrt();
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
                bound.from_nothing = from_nothing(pace);
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

    /// Σ |update| / learning rate at most, for an element whose slots were `first` and `second` and became `later`.
    pub(super) fn most(&self, first: f64, second: f64, later: f64) -> f64 {
        if second <= 0.0 || later <= 0.0 {
            return self.from_nothing;
        }
        let squares = (self.updates * self.forgets + (later / second).ln()).max(0.0) / (1.0 - self.beta2);
        let gradients = (self.updates * squares).sqrt() * self.spread.0;
        let most = match self.update {
            Update::Rms => gradients,
            _ => self.correction * (gradients + self.spread.1 * first.abs() / second.sqrt()),
        };
        // Slots are rounded to float32.
        most.min(self.from_nothing) * (1.0 + 1e-4)
    }
}

/// Of an Adam that has just begun: in the t-th update |m̂| / √v̂ is at most the root of Σ p²/q, where p and q are the
/// weights that the two means give to gradients.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
fn from_nothing(pace: Pace) -> f64 {
    let Pace { before, updates, beta1, beta2 } = pace;
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
pub(super) fn most_of_sums(updates: u64, before: f64, later: f64) -> f64 {
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
        (Pace { before: warm as u64, updates, beta1, beta2 }, moved, (slots.0, slots.1, v))
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
                let most = Bound::of(Update::Adam, pace).unwrap().most(m, v, later);
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
}
