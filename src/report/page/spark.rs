//! Small curves: steps as the path of an SVG, and levels as letters for the script to draw.

use std::fmt::Write;

/// Levels of a letter.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What stands for nothing to draw.
const NONE: char = '.';

/// Values as letters, a letter each, from nothing to the largest; what is not zero is never drawn as zero.
pub(super) fn letters(values: impl Iterator<Item = Option<f64>> + Clone) -> String {
    let most = values.clone().flatten().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let letter = |value: Option<f64>| match value {
        None => NONE,
        Some(value) => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 63")]
            let level = if most > 0.0 { (value / most * 63.0).ceil().clamp(0.0, 63.0) as usize } else { 0 };
            char::from(LETTERS[level.min(63)])
        }
    };
    values.map(letter).collect()
}

/// The path of a filled curve in steps, in a box of this size; what has no value is left out.
pub(super) fn steps(values: &[Option<f64>], wide: u32, high: u32) -> String {
    let most = values.iter().flatten().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX).max(1);
    let mut path = format!("M0 {high}");
    for (n, value) in (0u32..).zip(values) {
        let value = value.filter(|value| value.is_finite()).unwrap_or(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the height")]
        let level = if most > 0.0 { (value / most * f64::from(high)).ceil().max(0.0) as u32 } else { 0 };
        let right = u64::from(wide) * u64::from(n + 1) / u64::from(count);
        // Writing to a string does not fail.
        let _ = write!(path, "V{}H{right}", high.saturating_sub(level.min(high)));
    }
    let _ = write!(path, "V{high}z");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_seen_and_what_is_not_is_not() {
        let of = |values: &[Option<f64>]| letters(values.iter().copied());
        assert_eq!(of(&[Some(0.0), Some(1e-30), Some(1.0), None]), "AB_.");
        assert_eq!(of(&[Some(0.0), Some(0.0)]), "AA");
        assert_eq!(steps(&[Some(0.0), Some(2.0), Some(1.0), None], 40, 10), "M0 10V10H10V0H20V5H30V10H40V10z");
        assert_eq!(steps(&[], 40, 10), "M0 10V10z");
    }
}
