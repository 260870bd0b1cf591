//! What a user says of findings: that they count for more, for less or not at all, since where, why and until when.

use std::fmt;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::severity::Severity;

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is counted and told, and is no finding.
    Allow,
    /// It is a warning.
    Warn,
    /// It is an error.
    Deny,
}

impl Level {
    /// The name in JSON, in `ckpt.toml`, and behind `--` as an option.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }
}

/// What was said of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What becomes of it.
    pub level: Level,
    /// The file that says so and the line in it; none if an option does.
    pub place: Option<(PathBuf, usize)>,
    /// Why.
    pub reason: Option<String>,
    /// The last day on which this holds.
    pub until: Option<Date>,
    /// How bad the finding was before; none as long as the ruling was not carried out.
    pub was: Option<Severity>,
}

impl Ruling {
    /// Who says so: `ckpt.toml:12`, or `--allow`.
    pub fn by(&self) -> String {
        match &self.place {
            Some((file, line)) => {
                format!("{}:{line}", crate::base::escape::Escaped(file.as_os_str().as_encoded_bytes()))
            }
            None => format!("--{}", self.level.name()),
        }
    }
}

/// A day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// From 0.
    pub year: u16,
    /// From 1.
    pub month: u8,
    /// From 1.
    pub day: u8,
}

impl Date {
    /// The day of a time; before 1970, the first day of that year.
    pub fn of(time: SystemTime) -> Self {
        let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // Howard Hinnant's `civil_from_days`: years that begin in March have their leap day at the end, and repeat every
        // 146,097 days. Days from 0000-03-01.
        let days = seconds / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let [month, day] = [month, day].map(|n| u8::try_from(n).unwrap_or(u8::MAX));
        Self { year: u16::try_from(year).unwrap_or(u16::MAX), month, day }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let of = |days: u64| Date::of(UNIX_EPOCH + Duration::from_secs(days * 86_400 + 86_399)).to_string();
        for (days, date) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (789, "1972-02-29"),
            (10_956, "1999-12-31"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_819, "2027-01-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(of(days), date);
        }
    }
}
