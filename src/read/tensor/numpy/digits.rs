//! Decimal digits of floats the way NumPy's Dragon4 cuts them.
//!
//! The shortest digits that name the value in its type, as long as they fit the precision; otherwise the exact value,
//! rounded to the precision, ties to even. The standard library gives both.

use std::fmt::Write;

use super::super::Float;

/// More digits than any value has after its point, and few enough for the standard library.
const MOST_DIGITS: usize = 1100;

/// Appends `-12.5`, `3.` or `0.001`: at most `precision` digits after the point, zeros at the end cut, the point kept.
pub(super) fn positional(value: Float, precision: usize, out: &mut String) {
    let precision = precision.min(MOST_DIGITS);
    let shortest = Shortest::of(value);
    if shortest.fraction_len() <= precision {
        shortest.write_positional(out);
        return;
    }
    let start = out.len();
    // Writing to a string cannot fail, here and below.
    let _ = write!(out, "{:.precision$}", value.value());
    trim_zeros(out, start);
}

/// Appends `-12.50`: exactly so many digits after the point, zeros included, of the exact value; the point is always there.
pub(super) fn exact(value: Float, digits: usize, out: &mut String) {
    let digits = digits.min(MOST_DIGITS);
    let _ = write!(out, "{:.digits$}", value.value());
    if digits == 0 {
        out.push('.');
    }
}

/// Appends `-1.25e+10`: at most `precision` and at least `least` digits after the point, which is always there.
pub(super) fn scientific(value: Float, precision: usize, least: usize, exponent_digits: usize, out: &mut String) {
    let (precision, least) = (precision.min(MOST_DIGITS), least.min(MOST_DIGITS));
    let mut number = Shortest::of(value);
    let start = out.len();
    // Past the shortest digits NumPy goes on with the exact value, not with zeros.
    let fraction = number.len.saturating_sub(1);
    let wanted = fraction.min(precision).max(least);
    if wanted == fraction {
        number.write_mantissa(out);
    } else {
        let _ = write!(out, "{:.wanted$e}", value.value());
        let e = out.get(start..).and_then(|text| text.rfind('e')).unwrap_or(0);
        number = Shortest::default();
        let _ = number.write_str(out.get(start + e..).unwrap_or_default());
        out.truncate(start + e);
        if least == 0 || wanted == 0 {
            trim_zeros(out, start);
        }
    }
    let (sign, exponent) = (if number.negative_exponent { '-' } else { '+' }, number.exponent);
    let _ = write!(out, "e{sign}{exponent:0>exponent_digits$}");
}

/// Cuts the zeros at the end of the number that begins at `start`, and makes sure that it has a point.
fn trim_zeros(out: &mut String, start: usize) {
    match out.get(start..).map(|text| text.contains('.')) {
        Some(true) => {
            let len = out.trim_end_matches('0').len();
            out.truncate(len);
        }
        _ => out.push('.'),
    }
}

/// The shortest digits of a number, read from the text `-d.ddde-x`.
#[derive(Default)]
struct Shortest {
    negative: bool,
    digits: [u8; 20],
    len: usize,
    exponent: i32,
    negative_exponent: bool,
    in_exponent: bool,
}

impl Write for Shortest {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for byte in text.bytes() {
            match byte {
                b'-' if self.in_exponent => self.negative_exponent = true,
                b'-' => self.negative = true,
                b'e' => self.in_exponent = true,
                b'0'..=b'9' if self.in_exponent => {
                    self.exponent = self.exponent.saturating_mul(10).saturating_add(i32::from(byte - b'0'));
                }
                b'0'..=b'9' => {
                    *self.digits.get_mut(self.len).ok_or(std::fmt::Error)? = byte;
                    self.len += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl Shortest {
    fn of(value: Float) -> Self {
        let mut shortest = Self::default();
        // Fails for more digits than a shortest text has, so never.
        let _ = value.write_scientific(&mut shortest);
        shortest.settle_tie(value);
        shortest
    }

    /// Where the value lies in the middle of two texts of the same length, NumPy takes the even one, `std` the upper.
    fn settle_tie(&mut self, value: Float) {
        // Before so many digits the texts are further apart than neighbouring values.
        let possible = match value {
            Float::Double(_) => 15,
            Float::Single(_) => 6,
            Float::Narrow(_) => return,
        };
        let odd = self.len.checked_sub(1).and_then(|last| self.digits.get(last)).is_some_and(|digit| digit % 2 == 1);
        if !odd || self.len < possible {
            return;
        }
        let text = format!("{:.*e}", self.len - 1, value.value());
        let reads_back = match value {
            Float::Double(value) => text.parse() == Ok(value),
            Float::Single(value) => text.parse() == Ok(value),
            Float::Narrow(_) => false,
        };
        let mut even = Self::default();
        if reads_back && even.write_str(&text).is_ok() {
            *self = even;
        }
    }

    fn exponent(&self) -> i32 {
        if self.negative_exponent { -self.exponent } else { self.exponent }
    }

    /// Digits after the point when there is no exponent.
    fn fraction_len(&self) -> usize {
        if self.len == 1 && self.digits.first() == Some(&b'0') {
            return 0;
        }
        let digits = i32::try_from(self.len).unwrap_or(i32::MAX);
        usize::try_from(digits - 1 - self.exponent()).unwrap_or(0)
    }

    fn write_mantissa(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        for (n, digit) in self.digits.iter().take(self.len).enumerate() {
            out.push(char::from(*digit));
            if n == 0 {
                out.push('.');
            }
        }
    }

    fn write_positional(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        let digits = self.digits.get(..self.len).unwrap_or_default();
        let Ok(before) = usize::try_from(self.exponent() + 1) else {
            // 0.00ddd
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', usize::try_from(-1 - self.exponent()).unwrap_or(0)));
            out.extend(digits.iter().map(|b| char::from(*b)));
            return;
        };
        if before == 0 {
            out.push('0');
        }
        let (int, fraction) = digits.split_at_checked(before).unwrap_or((digits, &[]));
        out.extend(int.iter().map(|b| char::from(*b)));
        out.extend(std::iter::repeat_n('0', before.saturating_sub(digits.len())));
        out.push('.');
        out.extend(fraction.iter().map(|b| char::from(*b)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(value: f64, precision: usize) -> String {
        let mut out = String::new();
        positional(Float::Double(value), precision, &mut out);
        out
    }

    fn exponential(value: f64, precision: usize, least: usize) -> String {
        let mut out = String::new();
        scientific(Float::Double(value), precision, least, 2, &mut out);
        out
    }

    #[test]
    fn positional_digits_are_the_shortest_or_rounded() {
        assert_eq!(fixed(0.0, 8), "0.");
        assert_eq!(fixed(-0.0, 8), "-0.");
        assert_eq!(fixed(100.0, 8), "100.");
        assert_eq!(fixed(0.001, 8), "0.001");
        assert_eq!(fixed(0.5, 8), "0.5");
        assert_eq!(fixed(12.5, 8), "12.5");
        assert_eq!(fixed(0.1 + 0.2, 8), "0.3");
        assert_eq!(fixed(2.5, 0), "2.");
        assert_eq!(fixed(9.96, 1), "10.");
        assert_eq!(fixed(-0.2, 0), "-0.");
        assert_eq!(fixed(1e-300, usize::MAX).len(), 302);
    }

    #[test]
    fn scientific_digits_are_the_shortest_rounded_or_exact() {
        assert_eq!(exponential(0.0, 8, 0), "0.e+00");
        assert_eq!(exponential(1e100, 8, 0), "1.e+100");
        assert_eq!(exponential(-1.25e-7, 8, 0), "-1.25e-07");
        assert_eq!(exponential(9.999_999_999e5, 8, 0), "1.e+06");
        assert_eq!(exponential(1.5, 8, 3), "1.500e+00");
        assert_eq!(exponential(1.5, 0, 0), "2.e+00");
        assert_eq!(exponential(0.1, 20, 20), "1.00000000000000005551e-01");
    }
}
