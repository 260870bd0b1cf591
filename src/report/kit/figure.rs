//! Numbers of tensors in few digits, for people.
//!
//! A million rows have five million of them, and formatting a float costs more than finding it. So they are scaled and
//! rounded as integers, which is right unless a number lies within an error of halfway between two: then the formatter
//! of the standard library decides, which knows all digits.

use std::fmt::Write;

use crate::analysis::stats::Number;

/// Powers of ten that a float64 holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A number of a tensor; a short integer with all its digits.
pub fn number(number: Number) -> String {
    let mut text = String::new();
    push_number(&mut text, number);
    text
}

/// As [`number`], behind what is there.
pub(in crate::report) fn push_number(text: &mut String, number: Number) {
    match number {
        Number::Int(value) => push_integer(text, value.into()),
        Number::UInt(value) => push_integer(text, value.into()),
        Number::Float(value) => push_figure(text, value),
    }
}

/// An integer with all its digits where they fit the column of a figure.
pub(in crate::report) fn integer(value: i128) -> String {
    let mut text = String::new();
    push_integer(&mut text, value);
    text
}

/// A number that a person wrote, as a person would write it: `0.001`, `1e-8`.
pub(in crate::report) fn written(value: f64) -> String {
    let is_plain = value == 0.0 || (1e-4..1e7).contains(&value.abs());
    if is_plain { value.to_string() } else { format!("{value:e}") }
}

#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
fn push_integer(text: &mut String, value: i128) {
    if value.unsigned_abs() < 10_000_000 {
        // Writing to a string does not fail.
        let _ = write!(text, "{value}");
    } else {
        push_figure(text, value as f64);
    }
}

/// Four digits at most, in at most eight columns unless the exponent has more than one digit.
pub fn figure(value: f64) -> String {
    let mut text = String::new();
    push_figure(&mut text, value);
    text
}

/// As [`figure`], behind what is there.
pub(in crate::report) fn push_figure(text: &mut String, value: f64) {
    let size = value.abs();
    if !size.is_finite() {
        return text.push_str(match value {
            _ if value.is_nan() => "nan",
            _ if value < 0.0 => "-inf",
            _ => "inf",
        });
    }
    let decimals = match size {
        0.0 => return text.push('0'),
        0.01..0.099_995 => 5,
        0.099_995..0.999_95 => 4,
        0.999_95..9.9995 => 3,
        9.9995..99.995 => 2,
        99.995..999.95 => 1,
        999.95..99_999.5 => 0,
        _ => return push_scientific(text, value),
    };
    let Some(digits) = POWERS.get(decimals).and_then(|power| rounded(size * power)) else {
        let exact = format!("{value:.decimals$}");
        return text.push_str(if decimals > 0 { trimmed(&exact) } else { &exact });
    };
    push_digits(text, value < 0.0, digits, decimals);
}

/// Three digits and an exponent.
fn push_scientific(text: &mut String, value: f64) {
    if let Some((digits, exponent)) = three_digits(value.abs()) {
        push_digits(text, value < 0.0, digits, 2);
        let _ = write!(text, "e{exponent}");
        return;
    }
    let exact = format!("{value:.2e}");
    let (digits, exponent) = exact.split_once('e').unwrap_or((&exact, "0"));
    text.push_str(trimmed(digits));
    text.push('e');
    text.push_str(exponent);
}

/// The first three digits of a number, rounded, and its exponent, where that can be said for certain.
fn three_digits(size: f64) -> Option<(u64, i32)> {
    #[expect(clippy::cast_possible_truncation, reason = "of a float64 at most 308")]
    let mut exponent = size.log10().floor() as i32;
    // The logarithm may be one off beside a power of ten.
    for _ in 0..2 {
        let power = *POWERS.get((2 - exponent).unsigned_abs() as usize)?;
        let scaled = if exponent < 2 { size * power } else { size / power };
        match scaled {
            ..100.0 => exponent -= 1,
            1000.0.. => exponent += 1,
            _ => {
                return rounded(scaled)
                    .map(|digits| if digits == 1000 { (100, exponent + 1) } else { (digits, exponent) });
            }
        }
    }
    None
}

/// The nearest integer of a number that was scaled, if the last bits that scaling changed do not decide about it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most five digits and a half")]
fn rounded(scaled: f64) -> Option<u64> {
    let below = scaled.floor();
    let rest = scaled - below;
    ((rest - 0.5).abs() > 1e-6).then(|| below as u64 + u64::from(rest > 0.5))
}

/// Digits of which the last `decimals` stand behind the point, without zeros at their end.
fn push_digits(text: &mut String, is_negative: bool, mut digits: u64, mut decimals: usize) {
    while decimals > 0 && digits.is_multiple_of(10) {
        digits /= 10;
        decimals -= 1;
    }
    let mut ascii = [b'0'; 24];
    let mut at = ascii.len();
    let mut behind = 0;
    while digits > 0 || behind <= decimals {
        if behind == decimals && decimals > 0 {
            at -= 1;
            ascii[at] = b'.';
        }
        at -= 1;
        ascii[at] = b'0' + (digits % 10).to_le_bytes()[0];
        digits /= 10;
        behind += 1;
    }
    if is_negative {
        text.push('-');
    }
    text.push_str(std::str::from_utf8(&ascii[at..]).unwrap_or_default());
}

/// Without zeros at the end of the decimals.
fn trimmed(text: &str) -> &str {
    text.trim_end_matches('0').trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let texts = [0.0, 1.0, -0.5, 0.012_345, 99.996, 12_345.6, -123_456.0, 1e-7, 0.009_999, 1e300, f64::NAN];
        let texts = texts.map(figure);
        let want = ["0", "1", "-0.5", "0.01235", "100", "12346", "-1.23e5", "1e-7", "1e-2", "1e300", "nan"];
        assert_eq!(texts, want);
        for exponent in -310..308 {
            for digits in [1.0, 9.999_999, 3.337] {
                let text = figure(-digits * 10f64.powi(exponent));
                let most = if exponent.abs() < 9 { 8 } else { 10 };
                assert!(text.len() <= most, "{text}");
            }
        }
        assert_eq!(number(Number::Int(i64::MIN)), "-9.22e18");
        assert_eq!(integer(123_456), "123456");
    }

    /// What the standard library's formatter makes of a number.
    fn formatted(value: f64) -> String {
        let short = figure(value);
        if let Some((digits, _)) = short.split_once('e') {
            let text = format!("{value:.2e}");
            let (exact, exponent) = text.split_once('e').unwrap();
            assert!(digits.len() <= 5, "{short}");
            return format!("{}e{exponent}", trimmed(exact));
        }
        let decimals = match value.abs() {
            0.01..0.099_995 => 5,
            0.099_995..0.999_95 => 4,
            0.999_95..9.9995 => 3,
            9.9995..99.995 => 2,
            99.995..999.95 => 1,
            _ => 0,
        };
        let text = format!("{value:.decimals$}");
        if text.contains('.') { trimmed(&text).to_owned() } else { text }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "random numbers")]
    fn digits_are_those_of_the_formatter() {
        let mut state = 1u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for n in 0..200_000 {
            // Any bits at all, then what tensors hold, then what lies halfway or beside it.
            let float = f64::from(f32::from_bits((random() >> 32) as u32));
            let unit = (random() >> 12) as f64 / (1u64 << 52) as f64;
            let scale = 10f64.powi(i32::try_from(random() % 30).unwrap() - 20);
            let half = ((random() % 100_000) as f64 + 0.5) * scale;
            let beside = [half, half.next_up(), half.next_down()][n % 3];
            for value in [f64::from_bits(random()), float, -unit * scale, beside, (random() % 2_000_000) as f64] {
                if value.is_finite() && value != 0.0 {
                    assert_eq!(figure(value), formatted(value), "{value:?}");
                }
            }
        }
        for power in -300..300 {
            let power = 10f64.powi(power);
            for value in [power, power.next_down(), power.next_up(), power * 9.995, power * 0.999_949_999] {
                assert_eq!(figure(value), formatted(value), "{value:?}");
            }
        }
    }

    #[test]
    fn numbers_of_people_look_like_theirs() {
        let texts = [0.001, 1e-8, 0.0, -0.5, 1e-4, 2.5e-5, 1e9].map(written);
        assert_eq!(texts, ["0.001", "1e-8", "0", "-0.5", "0.0001", "2.5e-5", "1e9"]);
    }
}
