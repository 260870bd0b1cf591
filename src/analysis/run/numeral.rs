//! Numbers as Python and JSON write them: `-1`, `1.5e-3`, `nan`, `2j`, `1+2j`, `1_000`, `0xff`.

use super::number::Number;

/// A number at the beginning, and what is behind it: `-1`, `1.5e-3`, `nan`, `2j`, `1+2j`, `1_000`, `0xff`.
pub(super) fn numeral(text: &str) -> Option<(Number, &str)> {
    let (real, rest) = real(text.trim_start())?;
    if let Some(rest) = rest.strip_prefix('j') {
        return Some((Number::Complex(0.0, double(real)), rest));
    }
    let signed = rest.trim_start();
    if signed.starts_with(['+', '-'])
        && let Some((imaginary, rest)) = real_behind_sign(signed)
        && let Some(rest) = rest.strip_prefix('j')
    {
        return Some((Number::Complex(double(real), double(imaginary)), rest));
    }
    Some((real, rest))
}

#[expect(clippy::cast_precision_loss, reason = "as Python adds a float to an integer")]
fn double(number: Number) -> f64 {
    match number {
        Number::Int(value) => value as f64,
        Number::Float(value) => value,
        Number::Bool(_) | Number::Complex(..) => 0.0,
    }
}

fn real_behind_sign(text: &str) -> Option<(Number, &str)> {
    let (sign, rest) = text.split_at_checked(1)?;
    let (number, behind) = real(rest.trim_start())?;
    Some((if sign == "-" { negative(number) } else { number }, behind))
}

fn negative(number: Number) -> Number {
    match number {
        Number::Int(value) => Number::Int(-value),
        Number::Float(value) => Number::Float(-value),
        other => other,
    }
}

/// A number that is not complex.
fn real(text: &str) -> Option<(Number, &str)> {
    if text.starts_with(['+', '-']) {
        return real_behind_sign(text).filter(|_| !text.get(1..).is_some_and(|rest| rest.starts_with(['+', '-'])));
    }
    for word in ["nan", "NaN"] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((Number::Float(f64::NAN), rest));
        }
    }
    for word in ["Infinity", "inf"] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((Number::Float(f64::INFINITY), rest));
        }
    }
    if let Some(hex) = text.strip_prefix("0x") {
        let end = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
        let (digits, rest) = hex.split_at_checked(end)?;
        return Some((Number::Int(u64::from_str_radix(digits, 16).ok()?.into()), rest));
    }
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        let is_digit = |byte: &&u8| byte.is_ascii_digit() || **byte == b'_';
        bytes.get(from..).unwrap_or_default().iter().take_while(is_digit).count()
    };
    let whole = digits(0);
    let mut end = whole;
    let mut is_float = false;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end.saturating_add(1));
        if whole == 0 && fraction == 0 {
            return None;
        }
        end = end.saturating_add(1).saturating_add(fraction);
        is_float = true;
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(bytes.get(end.saturating_add(1)), Some(b'+' | b'-')));
        let from = end.saturating_add(1).saturating_add(signed);
        let exponent = digits(from);
        if exponent > 0 {
            end = from.saturating_add(exponent);
            is_float = true;
        }
    }
    let (text, rest) = text.split_at_checked(end)?;
    let text = text.replace('_', "");
    // Numbers that no dtype holds are floats, which are told as too large by whoever wants whole ones.
    let whole = text.parse::<i128>().ok().filter(|_| !is_float);
    let number = whole.map_or_else(|| text.parse().ok().map(Number::Float), |whole| Some(Number::Int(whole)));
    Some((number?, rest))
}
