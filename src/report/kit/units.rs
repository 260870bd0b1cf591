//! Numbers for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::read::tensor::Shape;

/// Bytes in powers of 1024: `21 B`, `392.0 KiB`, `1.35 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
    let mut value = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if value < 1023.95 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "KiB" || value >= 100.0 { format!("{value:.1} {unit}") } else { format!("{value:.2} {unit}") }
}

/// A count with its thousands apart: `117,770`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 shard`, `14 shards`: so many of `one`.
pub(in crate::report) fn counted(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `1 tensor`, `14 tensors`.
pub(in crate::report) fn tensors_text(number: usize) -> String {
    counted(number as u64, "tensor")
}

/// `1 parameter`, `140 parameters`.
pub(in crate::report) fn parameters_text(number: u64) -> String {
    counted(number, "parameter")
}

/// A share of a whole, to the nearest: `33 %`, `<1 %`; all but a little is `>99 %`, nothing of nothing is nothing.
pub fn percent(part: u64, whole: u64) -> String {
    let whole = u128::from(whole.max(1));
    let share = (u128::from(part) * 200 + whole) / (whole * 2);
    match (part, share) {
        (0, _) => "0 %".to_owned(),
        (_, 0) => "<1 %".to_owned(),
        (_, 100) if u128::from(part) < whole => ">99 %".to_owned(),
        _ => format!("{share} %"),
    }
}

/// A shape as people write it: `784×128`, a scalar `()`.
pub fn shape_text(shape: &Shape) -> String {
    match shape.dims() {
        None => "?".to_owned(),
        Some([]) => "()".to_owned(),
        Some(dims) => {
            let dims: Vec<String> = dims.iter().map(|d| if *d < 0 { "?".to_owned() } else { d.to_string() }).collect();
            dims.join("×")
        }
    }
}

/// A time in UTC: `2018-03-07 13:47:42`.
///
/// A clock that was never set, or a file that was made to say so, may be before 1970 or behind the year 9999, which
/// humantime cannot write.
pub(in crate::report) fn time(time: SystemTime) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) if since.as_secs() < YEAR_10000 => {
            humantime::format_rfc3339_seconds(time).to_string().replace('T', " ").replace('Z', "")
        }
        Ok(_) => "behind year 9999".to_owned(),
        Err(_) => "before 1970".to_owned(),
    }
}

/// A time in seconds since 1970, as event files have it.
pub(in crate::report) fn seconds(seconds: f64) -> String {
    let since = Duration::try_from_secs_f64(seconds).ok().and_then(|since| UNIX_EPOCH.checked_add(since));
    since.map_or_else(|| "no time".to_owned(), time)
}

/// A span of time in its two largest units: `3 h 20 min`.
pub(in crate::report) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let two = |a: u64, unit: &str, b: u64, lower: &str| match b {
        0 => format!("{a} {unit}"),
        _ => format!("{a} {unit} {b} {lower}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A share as per cent with two digits that count.
pub(in crate::report) fn percent_figure(share: f64) -> String {
    match share * 100.0 {
        percent if percent >= 10.0 => format!("{percent:.0} %"),
        percent if percent >= 1.0 => format!("{percent:.1} %"),
        percent if percent >= 0.1 => format!("{percent:.2} %"),
        percent => format!("{percent:.1e} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_counts_and_shares() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(401_408), "392.0 KiB");
        assert_eq!(size(1_415_577), "1.35 MiB");
        assert_eq!(size(1024 * 1024 - 1), "1.00 MiB");
        assert_eq!(size(u64::MAX), "16.00 EiB");
        assert_eq!(count(0), "0");
        assert_eq!(count(117_770), "117,770");
        assert_eq!(count(1_000_000), "1,000,000");
        let shares = [(1, 3), (2, 3), (1, 1000), (999, 1000), (1, 1), (0, 0)].map(|(part, whole)| percent(part, whole));
        assert_eq!(shares, ["33 %", "67 %", "<1 %", ">99 %", "100 %", "0 %"]);
        assert_eq!(seconds(1_700_000_000.5), "2023-11-14 22:13:20");
        assert_eq!([-1.0, f64::NAN, 1e300].map(seconds), ["no time"; 3]);
        assert_eq!(seconds(1e12), "behind year 9999");
        assert_eq!(time(UNIX_EPOCH - Duration::from_secs(1)), "before 1970");
        let spans = [0, 61, 3600, 90_000].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["0 s", "1 min 1 s", "1 h", "1 d 1 h"]);
        assert_eq!(shape_text(&Shape::new([784, 128])), "784×128");
        assert_eq!(shape_text(&Shape::scalar()), "()");
    }
}
