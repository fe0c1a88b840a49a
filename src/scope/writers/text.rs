//! The text of writers.

use super::{Writer, WriterTable};
use crate::segment::age_text;
use std::fmt::Write as _;
use std::time::Duration;

impl WriterTable {
    /// `1994 writes by 2 threads; watching costs 13 µs per write`
    #[must_use]
    pub fn summary(&self) -> String {
        let mut threads: Vec<(u32, u32)> =
            self.writers.iter().map(|writer| (writer.pid, writer.tid)).collect();
        threads.sort_unstable();
        threads.dedup();
        let plural = |is_one| if is_one { "" } else { "s" };
        let mut text = match (self.writes, threads.len()) {
            (0, _) => "no writes yet".to_owned(),
            (writes, threads) => {
                format!("{writes} write{} by {threads} thread{}", plural(writes == 1), plural(threads == 1))
            }
        };
        if self.lost > 0 {
            let _ = write!(text, ", {} lost", self.lost);
        }
        if let Some(cost) = self.cost {
            let _ = write!(text, "; watching costs {} per write", micros(cost));
        }
        text
    }
}

impl Writer {
    /// The writes per second in the last second or so.
    #[must_use]
    pub fn rate_text(&self) -> String {
        let rate = self.recent_rate;
        if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
    }

    /// The time since the last write: `3 ms ago`, `3s ago`. `now` is in nanoseconds of `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn age_text(&self, now: u64) -> String {
        let age = Duration::from_nanos(now.saturating_sub(self.last));
        if age < Duration::from_secs(1) {
            format!("{} ms ago", age.as_millis())
        } else {
            format!("{} ago", age_text(age.as_secs_f64()))
        }
    }
}

fn micros(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 10.0 { format!("{micros:.1} µs") } else { format!("{micros:.0} µs") }
}
