//! The times and durations of numpy: counts of a unit such as `ns` or `25s`.

use std::fmt;

/// The unit of `datetime64` and `timedelta64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tick {
    pub unit: TickUnit,
    /// The number of units that a count stands for: 25 in `M8[25s]`.
    pub multiple: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TickUnit {
    /// A number without a unit.
    Generic,
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
    Millis,
    Micros,
    Nanos,
    Picos,
    Femtos,
    Attos,
}

use TickUnit::{
    Attos, Days, Femtos, Generic, Hours, Micros, Millis, Minutes, Months, Nanos, Picos, Seconds, Weeks, Years,
};

/// The count that stands for no time (`NaT`).
const NOT_A_TIME: i64 = i64::MIN;
const DAY: i128 = 86400;

impl TickUnit {
    const ALL: [Self; 13] =
        [Years, Months, Weeks, Days, Hours, Minutes, Seconds, Millis, Micros, Nanos, Picos, Femtos, Attos];

    /// The unit as numpy writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Generic => "generic",
            Years => "Y",
            Months => "M",
            Weeks => "W",
            Days => "D",
            Hours => "h",
            Minutes => "m",
            Seconds => "s",
            Millis => "ms",
            Micros => "us",
            Nanos => "ns",
            Picos => "ps",
            Femtos => "fs",
            Attos => "as",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "generic" => Some(Generic),
            "μs" | "µs" => Some(Micros),
            _ => Self::ALL.into_iter().find(|unit| unit.word() == word),
        }
    }

    /// The suffix of a duration. Months and minutes differ in more than case.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Generic => "",
            Years => "y",
            Months => "mo",
            Weeks => "w",
            Days => "d",
            Minutes => "min",
            _ => self.word(),
        }
    }

    /// Digits of the fraction of a second.
    pub(super) const fn digits(self) -> u32 {
        match self {
            Millis => 3,
            Micros => 6,
            Nanos => 9,
            Picos => 12,
            Femtos => 15,
            Attos => 18,
            _ => 0,
        }
    }
}

impl fmt::Display for Tick {
    /// Writes `[ns]`, `[25s]`, or nothing without a unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.unit, self.multiple) {
            (Generic, _) => Ok(()),
            (unit, 1) => write!(f, "[{}]", unit.word()),
            (unit, multiple) => write!(f, "[{multiple}{}]", unit.word()),
        }
    }
}

impl Tick {
    /// The number of units; `None` for `NaT`.
    #[must_use]
    pub fn units(self, count: i64) -> Option<i128> {
        (count != NOT_A_TIME).then(|| i128::from(count) * i128::from(self.multiple))
    }

    /// Writes a duration: `1500ms`, `3d`, `NaT`.
    #[must_use]
    pub fn duration_text(self, count: i64) -> String {
        self.units(count).map_or_else(|| "NaT".to_owned(), |units| format!("{units}{}", self.unit.suffix()))
    }

    /// Writes a time as numpy does, without a time zone: `2026-01-05T12:01:09.250`.
    #[must_use]
    pub fn time_text(self, count: i64) -> String {
        let Some(units) = self.units(count) else { return "NaT".to_owned() };
        match self.unit {
            Generic => units.to_string(),
            Years => format!("{:04}", 1970 + units),
            Months => format!("{:04}-{:02}", 1970 + units.div_euclid(12), 1 + units.rem_euclid(12)),
            Weeks => date(units * 7),
            Days => date(units),
            Hours => format!("{}T{:02}", date(units.div_euclid(24)), units.rem_euclid(24)),
            Minutes => {
                let minutes = units.rem_euclid(1440);
                format!("{}T{:02}:{:02}", date(units.div_euclid(1440)), minutes / 60, minutes % 60)
            }
            unit => {
                let digits = unit.digits();
                let parts = 10_i128.pow(digits);
                let (whole, part) = (units.div_euclid(parts), units.rem_euclid(parts));
                let (days, seconds) = (whole.div_euclid(DAY), whole.rem_euclid(DAY));
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                let text = format!("{}T{hours:02}:{minutes:02}:{:02}", date(days), seconds % 60);
                if digits == 0 { text } else { format!("{text}.{part:0width$}", width = digits as usize) }
            }
        }
    }
}

/// Converts days since 1970 to a date of the Gregorian calendar. In years that start in March, the
/// leap day is the last one.
fn date(days: i128) -> String {
    const ERA: i128 = 146_097;
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_their_unit() {
        let time = |unit, multiple, count| Tick { unit, multiple }.time_text(count);
        assert_eq!(time(Years, 1, 56), "2026");
        assert_eq!(time(Months, 1, -1), "1969-12");
        assert_eq!(time(Weeks, 1, 1), "1970-01-08");
        assert_eq!(time(Days, 1, 11_016), "2000-02-29");
        assert_eq!(time(Minutes, 25, -1), "1969-12-31T23:35");
        assert_eq!(time(Millis, 1, 1_767_614_469_250), "2026-01-05T12:01:09.250");
        assert_eq!(time(Nanos, 1, -1), "1969-12-31T23:59:59.999999999");
        assert_eq!(time(Seconds, 1, i64::MIN), "NaT");
    }

    #[test]
    fn durations_have_their_unit() {
        let duration = |unit, multiple, count| Tick { unit, multiple }.duration_text(count);
        assert_eq!(duration(Millis, 1, 1500), "1500ms");
        assert_eq!(duration(Minutes, 10, -3), "-30min");
        assert_eq!(duration(Generic, 1, 7), "7");
        assert_eq!(duration(Days, 1, i64::MIN), "NaT");
    }
}
