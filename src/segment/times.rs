//! Timestamps and durations.

use super::quote;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A point in time in UTC. System V times have no fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub seconds: i64,
    /// The fraction of a second, below 1e9.
    pub nanos: u32,
}

impl Timestamp {
    #[must_use]
    pub fn since_epoch(self) -> Duration {
        Duration::new(u64::try_from(self.seconds).unwrap_or(0), self.nanos)
    }

    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Returns the seconds from `earlier` to `self`; negative if `self` is before `earlier`.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "an age is shown in seconds; 2^52 of them are 140 million years"
    )]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.seconds.saturating_sub(earlier.seconds) as f64
            + (f64::from(self.nanos) - f64::from(earlier.nanos)) / 1e9
    }

    /// Returns true for a time in the future: the clock was set back since, or a program set the
    /// times of a file (`utimensat(2)`). Allows a few seconds, because `now` may have been read
    /// before the time was recorded.
    #[must_use]
    pub fn is_future(self, now: Self) -> bool {
        const TOLERANCE_SECONDS: f64 = 5.0;
        self.seconds_since(now) > TOLERANCE_SECONDS
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(since) => Self {
                seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                nanos: since.subsec_nanos(),
            },
            Err(_) => Self::from_seconds(0),
        }
    }
}

/// The times that the kernel records. A System V segment has the first three, a POSIX segment the
/// last four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Last `shmat`; `None` if never attached.
    pub attach: Option<Timestamp>,
    /// Last `shmdt`.
    pub detach: Option<Timestamp>,
    /// System V: creation or last `IPC_SET`. POSIX: last change of the inode.
    pub change: Option<Timestamp>,
    /// POSIX: last read through a descriptor.
    pub access: Option<Timestamp>,
    /// POSIX: last write through a descriptor, or last change of size. Writes through a mapping are
    /// not recorded.
    pub modify: Option<Timestamp>,
    /// POSIX: creation.
    pub birth: Option<Timestamp>,
}

impl Times {
    /// Returns the latest time.
    #[must_use]
    pub fn touched(&self) -> Option<Timestamp> {
        [self.attach, self.detach, self.change, self.access, self.modify, self.birth]
            .into_iter()
            .flatten()
            .max()
    }
}

/// Formats an age in the largest unit that fits, in two or three characters (`12s`, `3m`, `2h`,
/// `4d`, `3y`).
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub fn age_text(seconds: f64) -> String {
    let whole = seconds.clamp(0.0, 1e15) as u64;
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{}m", whole / 60),
        3600..172_800 => format!("{}h", whole / 3600),
        172_800..63_072_000 => format!("{}d", whole / 86_400),
        _ => format!("{}y", whole / 31_536_000),
    }
}

/// Formats the time since `then`: `3s ago`, or `in the future`.
#[must_use]
pub fn ago_text(then: Timestamp, now: Timestamp) -> String {
    if then.is_future(now) {
        "in the future".to_owned()
    } else {
        format!("{} ago", age_text(now.seconds_since(then)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration '{0}': {expected}", expected = Self::EXPECTED)]
pub struct ParseSpanError(String);

impl ParseSpanError {
    pub const EXPECTED: &str = "expected a time such as 500ms, 90s, 1.5h or 2d";
}

/// Parses a duration: `250ms`, `90s`, `1.5h`, `2d`. A bare number is in seconds. Negative durations
/// are invalid.
pub fn parse_span(text: &str) -> Result<Duration, ParseSpanError> {
    let wrong = || ParseSpanError(quote(text.as_bytes()));
    let clean = text.trim();
    let end = clean.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(clean.len());
    let (figure, unit) = clean.split_at(end);
    let scale = match unit.trim_start() {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return Err(wrong()),
    };
    let figure: f64 = figure.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(figure * scale).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_use_the_largest_unit() {
        for (seconds, text) in [
            (0.4, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (7200.0, "2h"),
            (86_400.0, "24h"),
            (345_600.0, "4d"),
            (94_608_000.0, "3y"),
            (-5.0, "0s"),
            (f64::NAN, "0s"),
        ] {
            assert_eq!(age_text(seconds), text);
        }
    }

    #[test]
    fn durations_parse_in_every_unit() {
        assert_eq!(parse_span("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_span("1h"), Ok(Duration::from_secs(3600)));
        assert_eq!(parse_span("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("7"), Ok(Duration::from_secs(7)));
        for text in ["", "h", "-1s", "1x", "1e400d", "99999999999999999999d"] {
            assert!(parse_span(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn difference_keeps_its_fraction() {
        let early = Timestamp { seconds: 10, nanos: 900_000_000 };
        let late = Timestamp { seconds: 12, nanos: 400_000_000 };
        assert!((late.seconds_since(early) - 1.5).abs() < 1e-9);
        assert!((early.seconds_since(late) + 1.5).abs() < 1e-9);
    }

    #[test]
    fn future_time_is_never_0s_ago() {
        let now = Timestamp::from_seconds(1000);
        for (seconds, text) in [(997, "3s ago"), (1000, "0s ago"), (1002, "0s ago"), (1010, "in the future")]
        {
            assert_eq!(ago_text(Timestamp::from_seconds(seconds), now), text);
        }
        for seconds in [i64::MIN, i64::MAX] {
            // A file may have any time, so this must not overflow.
            let _ = ago_text(Timestamp::from_seconds(seconds), now);
        }
        assert!(Timestamp::from_seconds(i64::MAX).is_future(Timestamp::from_seconds(-1000)));
    }
}
