//! Formats local times with the time zone.

use super::Timestamp;
use jiff::ZonedDateTime;
use jiff::fmt::temporal::DateTimePrinter;
use jiff::tz::TimeZone;
use std::sync::LazyLock;

/// Loaded when the first time is printed.
static ZONE: LazyLock<TimeZone> = LazyLock::new(TimeZone::system);

fn timestamp(time: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::new(time.seconds, i32::try_from(time.nanos).ok()?).ok()
}

fn local(time: Timestamp) -> Option<ZonedDateTime> {
    Some(timestamp(time)?.to_zoned_datetime(ZONE.clone()))
}

/// Formats a time as RFC 3339 with whole seconds: `2026-01-05T12:01:09+01:00`. `None` if the year
/// does not fit the format; the times of a file can be arbitrary.
#[must_use]
pub fn rfc3339(time: Timestamp) -> Option<String> {
    format_rfc3339(time, 0)
}

/// Like [`rfc3339`], with microseconds.
#[must_use]
pub fn rfc3339_micros(time: Timestamp) -> Option<String> {
    format_rfc3339(time, 6)
}

/// Formats without `strftime`, which takes ten times as long.
fn format_rfc3339(time: Timestamp, decimals: u8) -> Option<String> {
    let time = timestamp(time)?;
    let printer = DateTimePrinter::new().precision(Some(decimals));
    Some(printer.timestamp_with_offset_to_string(&time, ZONE.to_offset(time)))
}

/// Formats the time of day with microseconds and the time zone: `12:01:09.250000 +01:00`.
#[must_use]
pub fn of_day(time: Timestamp) -> String {
    local(time).map_or_else(|| shown(time), |time| time.strftime("%H:%M:%S%.6f %:z").to_string())
}

/// Formats a time for display: `2026-01-05 12:01:09 +01:00`.
#[must_use]
pub fn shown(time: Timestamp) -> String {
    local(time).map_or_else(
        || format!("@{} (seconds since 1970)", time.seconds),
        |time| time.strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_of_any_calendar_do_not_panic() {
        for seconds in [i64::MIN, i64::MAX] {
            let time = Timestamp { seconds, nanos: 999_999_999 };
            assert_eq!(rfc3339(time), None);
            assert!(shown(time).contains(&seconds.to_string()));
        }
    }

    #[test]
    fn formatted_time_parses_back() {
        let time = Timestamp { seconds: 1_767_610_869, nanos: 250_000_000 };
        let text = rfc3339(time).unwrap();
        let read: jiff::Timestamp = text.parse().unwrap();
        assert_eq!(read.as_second(), time.seconds);
        assert_eq!(local(time).unwrap().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), text);
        let text = rfc3339_micros(time).unwrap();
        let read: jiff::Timestamp = text.parse().unwrap();
        assert_eq!(read.as_microsecond(), 1_767_610_869_250_000);
        assert!(of_day(time).contains("09.250000 "));
    }
}
