//! The table of writers.

use crate::identify::source::CodePlace;
use std::sync::Arc;
use std::time::Duration;

/// The writers of a value at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WriterTable {
    /// Those that wrote most come first.
    pub writers: Vec<Writer>,
    /// All writes.
    pub writes: u64,
    /// Writes whose records were lost: nobody knows which function made them.
    pub lost: u64,
    /// Processes and threads that are watched now.
    pub processes: usize,
    pub threads: usize,
    /// Processes that map the value for writing and cannot be watched.
    pub refused: usize,
    /// Other processes could not be examined: they may map the value too.
    pub has_unexamined: bool,
    /// The time that each write takes longer while it is watched; `None` if unknown.
    pub cost: Option<Duration>,
    /// The time of the table in nanoseconds of `CLOCK_MONOTONIC`.
    pub time: u64,
    /// Reasons why some writes may not be seen. Safe to print.
    pub problems: Vec<String>,
    /// Set once the requested number of writes was counted.
    pub is_complete: bool,
}

/// A thread that writes from one line of the source.
#[derive(Debug, Clone, PartialEq)]
pub struct Writer {
    pub pid: u32,
    pub tid: u32,
    /// The program, or the script of an interpreter. May contain any bytes.
    pub command: Box<[u8]>,
    pub place: Arc<CodePlace>,
    pub writes: u64,
    /// Writes per second over the time for which the thread was watched.
    pub rate: f64,
    /// Writes per second in the last second or so.
    pub recent_rate: f64,
    /// The time of the last write in nanoseconds of `CLOCK_MONOTONIC`.
    pub last: u64,
    pub state: ThreadState,
    /// The time for which the thread was watched.
    pub watched: Duration,
    /// Writes of the thread whose records were lost, from any line.
    pub lost: u64,
    /// The writes per second, from all lines, at which the thread was released.
    pub released_rate: Option<f64>,
}

/// The state of a thread that was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThreadState {
    Watched,
    /// It wrote so often that it was released, to run at full speed again.
    Released,
    /// It has exited, or no longer maps the segment.
    Ended,
}

impl WriterTable {
    /// Returns true if nothing but the time differs.
    #[must_use]
    pub fn has_same_facts(&self, other: &Self) -> bool {
        let without_time = |table: &Self| {
            let mut table = Self { time: 0, ..table.clone() };
            for writer in &mut table.writers {
                (writer.rate, writer.watched) = (0.0, Duration::ZERO);
            }
            table
        };
        without_time(self) == without_time(other)
    }
}

impl Writer {
    /// The part of its time that the thread loses by being watched, 0 to 1.
    #[must_use]
    pub fn loss(&self, cost: Duration) -> f64 {
        if self.state != ThreadState::Watched {
            return 0.0;
        }
        (self.recent_rate * cost.as_secs_f64()).min(1.0)
    }
}
