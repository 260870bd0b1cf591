//! Weights of means that forget, after some updates.

/// βⁿ, or the product of Adafactor's βs: what is left of a slot.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
pub(super) fn left(beta: f64, updates: u64) -> f64 {
    beta.powf(updates as f64)
}

/// Π (1 − t^−0.8) over the updates behind the first `before`: what is left of a slot of Adafactor.
#[expect(clippy::cast_precision_loss, reason = "counts of updates")]
pub(super) fn left_of_decay(before: u64, updates: u64) -> f64 {
    /// Behind so many updates nothing is left.
    const MOST: u64 = 1 << 20;
    let mut left = 1.0;
    for step in 1..=updates.min(MOST) {
        left *= 1.0 - (before.saturating_add(step) as f64).powf(-0.8);
        if left < 1e-12 {
            return 0.0;
        }
    }
    left
}
