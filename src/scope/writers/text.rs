//! The text of writers.

use super::{ThreadState, Writer, WriterTable};
use crate::segment::{age_text, escape};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

impl WriterTable {
    /// The threads that are watched, or the reason that there are none: `watching /a+0x10 in 3 threads of 2
    /// processes`. `value` names the value.
    #[must_use]
    pub fn watched_text(&self, watching: &str, value: &str) -> String {
        let count = |count, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        match (self.threads, self.has_unexamined) {
            (0, _) if self.refused > 0 => self.problems.first().cloned().unwrap_or_default(),
            (0, false) => format!("no process maps {value} for writing"),
            (0, true) => format!(
                "no process that you may examine maps {value} for writing. Run as root to watch those of other users"
            ),
            (threads, has_unexamined) => {
                let watched = format!(
                    "{watching} {value} in {} of {}",
                    count(threads, "thread", "threads"),
                    count(self.processes, "process", "processes")
                );
                let others = ", not in processes of other users (run as root to watch those)";
                watched + if has_unexamined { others } else { "" }
            }
        }
    }

    /// The threads that were released, each once: `motor (4121) thread 4123 was released: it made 52000
    /// writes/s, more than 5000`.
    pub fn released_texts(&self, limit: u32) -> impl Iterator<Item = String> {
        let released = self.writers.iter().filter(|writer| writer.state == ThreadState::Released);
        let texts: BTreeMap<(u32, u32), String> =
            released.map(|writer| ((writer.pid, writer.tid), writer.released_text(limit))).collect();
        texts.into_values()
    }

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
    fn released_text(&self, limit: u32) -> String {
        let made = self.released_rate.map(|rate| format!(": it made {rate:.0} writes/s")).unwrap_or_default();
        let (command, pid, tid) = (escape(&self.command), self.pid, self.tid);
        format!("{command} ({pid}) thread {tid} was released{made}, more than {limit}")
    }

    /// The writes per second in the last second or so, or those at which the thread was released.
    #[must_use]
    pub fn rate_text(&self) -> String {
        let rate = self.released_rate.unwrap_or(self.recent_rate);
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
