//! Counts the writes of each thread and line, and decides which threads write too often to be
//! watched.

use super::table::{ThreadState, Writer, WriterTable};
use crate::identify::source::CodePlace;
use crate::machine::process::ProcessId;
use crate::machine::watch::{REGISTERS, Sample};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Writes above the limit that a thread may make before it is released, in seconds of the limit.
const PATIENCE: f64 = 0.5;
/// The time over which the recent rate is counted.
const WINDOW: Duration = Duration::from_secs(1);

/// A thread. The start time of the process tells it from others with the same ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId {
    pub process: ProcessId,
    pub tid: u32,
}

/// The writes that were counted.
#[derive(Debug)]
pub struct Tally {
    /// Writes per second of a thread; `None` for any number.
    limit: Option<u32>,
    /// Writes after which counting ends.
    count: Option<u64>,
    writes: u64,
    threads: HashMap<ThreadId, Thread>,
    rows: HashMap<RowKey, Row>,
}

#[derive(Debug)]
struct Thread {
    command: Box<[u8]>,
    state: ThreadState,
    /// The time for which it was watched before it was watched the last time.
    watched: Duration,
    /// The time from which on it is watched.
    since: u64,
    /// The hits of its watches, and of those that have ended.
    hits: u64,
    hits_before: u64,
    /// Records, of which several may be of one write.
    records: u64,
    /// Writes above the limit.
    excess: f64,
    checked: u64,
    /// The time from which on it writes more often than the limit, and its hits then.
    burst: (u64, u64),
    /// The writes per second above the limit, when it was released.
    released_rate: Option<f64>,
    last: Option<Instruction>,
}

/// An instruction that wrote, and the watchpoints that it hit.
#[derive(Debug)]
struct Instruction {
    address: u64,
    registers: Option<[u64; REGISTERS]>,
    watchpoints: Vec<u64>,
}

/// The functions with lines that writes are counted by, or else the address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RowKey {
    thread: ThreadId,
    function: Option<String>,
    line: (Option<String>, Option<u64>),
    address: u64,
}

#[derive(Debug)]
struct Row {
    place: Arc<CodePlace>,
    writes: u64,
    last: u64,
    /// The writes at the start of the window, and its time.
    before: (u64, u64),
    recent_rate: f64,
}

impl Tally {
    #[must_use]
    pub fn new(limit: Option<u32>, count: Option<u64>) -> Self {
        Self { limit, count, writes: 0, threads: HashMap::new(), rows: HashMap::new() }
    }

    /// Starts to count the writes of a thread, which may have been watched before.
    pub fn begin(&mut self, id: ThreadId, command: &[u8], now: u64) {
        let thread = self.threads.entry(id).or_insert_with(|| Thread {
            command: command.into(),
            state: ThreadState::Watched,
            watched: Duration::ZERO,
            since: now,
            hits: 0,
            hits_before: 0,
            records: 0,
            excess: 0.0,
            checked: now,
            burst: (now, 0),
            released_rate: None,
            last: None,
        });
        (thread.state, thread.since, thread.checked) = (ThreadState::Watched, now, now);
        (thread.excess, thread.released_rate) = (0.0, None);
        thread.hits_before = thread.hits;
    }

    /// Ends the watch of a thread. Its counts stay.
    pub fn end(&mut self, id: ThreadId, state: ThreadState, now: u64) {
        if let Some(thread) = self.threads.get_mut(&id).filter(|thread| thread.state == ThreadState::Watched)
        {
            thread.watched += Duration::from_nanos(now.saturating_sub(thread.since));
            thread.state = state;
        }
    }

    /// Takes the number of hits of the present watch of a thread. Returns true if it writes too often
    /// and has to be released.
    #[expect(clippy::cast_precision_loss, reason = "only a rate")]
    pub fn hits(&mut self, id: ThreadId, hits: u64, now: u64) -> bool {
        let Some(thread) = self.threads.get_mut(&id) else { return false };
        let all = thread.hits_before.saturating_add(hits);
        let new = all.saturating_sub(thread.hits);
        if thread.excess <= 0.0 {
            thread.burst = (thread.checked, thread.hits);
        }
        thread.hits = thread.hits.max(all);
        let Some(limit) = self.limit.map(f64::from) else { return false };
        thread.excess = (thread.excess + new as f64 - limit * seconds(thread.checked, now)).max(0.0);
        thread.checked = now;
        let is_excessive = thread.excess > limit * PATIENCE;
        if is_excessive && thread.released_rate.is_none() {
            let (since, before) = thread.burst;
            let time = seconds(since, now);
            thread.released_rate = Some((thread.hits - before) as f64 / time).filter(|_| time > 0.0);
        }
        is_excessive
    }

    /// Counts a record of a thread. Returns false if it is not that of a new write.
    pub fn write(&mut self, id: ThreadId, write: &Sample<'_>, place: &Arc<CodePlace>) -> bool {
        let Some(thread) = self.threads.get_mut(&id) else { return false };
        thread.records += 1;
        if thread.repeats(write) || self.is_complete() {
            return false;
        }
        self.writes += 1;
        let row = self.rows.entry(RowKey::new(id, place)).or_insert_with(|| Row {
            place: Arc::clone(place),
            writes: 0,
            last: 0,
            before: (0, write.time),
            recent_rate: 0.0,
        });
        row.writes += 1;
        row.last = row.last.max(write.time);
        true
    }

    /// Returns the number of writes whose records were lost.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.threads.values().map(|thread| thread.hits.saturating_sub(thread.records)).sum()
    }

    /// Returns true once the requested number of writes was counted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.count.is_some_and(|count| self.writes >= count)
    }

    /// Returns the table of writers. The caller adds the problems.
    pub fn table(&mut self, cost: Option<Duration>, now: u64) -> WriterTable {
        self.rows.values_mut().for_each(|row| row.roll(now));
        let writers = self.rows.iter().filter_map(|(key, row)| self.writer(key, row, now));
        let mut writers: Vec<Writer> = writers.collect();
        writers.sort_by(|one, other| {
            let key = |writer: &Writer| {
                (std::cmp::Reverse(writer.writes), writer.pid, writer.tid, writer.place.line)
            };
            key(one).cmp(&key(other)).then_with(|| one.place.address.cmp(&other.place.address))
        });
        let watched = self.threads.iter().filter(|(_, thread)| thread.state == ThreadState::Watched);
        let mut processes: Vec<u32> = watched.map(|(id, _)| id.process.pid).collect();
        let threads = processes.len();
        processes.sort_unstable();
        processes.dedup();
        WriterTable {
            writers,
            writes: self.writes,
            lost: self.lost(),
            processes: processes.len(),
            threads,
            refused: 0,
            has_unexamined: false,
            cost,
            time: now,
            problems: vec![],
            is_complete: self.is_complete(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "only a rate")]
    fn writer(&self, key: &RowKey, row: &Row, now: u64) -> Option<Writer> {
        let thread = self.threads.get(&key.thread)?;
        let mut watched = thread.watched;
        if thread.state == ThreadState::Watched {
            watched += Duration::from_nanos(now.saturating_sub(thread.since));
        }
        let seconds = watched.as_secs_f64();
        let is_released = thread.state == ThreadState::Released;
        Some(Writer {
            pid: key.thread.process.pid,
            tid: key.thread.tid,
            command: thread.command.clone(),
            place: Arc::clone(&row.place),
            writes: row.writes,
            rate: if seconds > 0.0 { row.writes as f64 / seconds } else { 0.0 },
            recent_rate: row.recent_rate,
            last: row.last,
            state: thread.state,
            watched,
            lost: thread.hits.saturating_sub(thread.records),
            released_rate: thread.released_rate.filter(|_| is_released),
        })
    }
}

/// The seconds between two times in nanoseconds.
fn seconds(since: u64, now: u64) -> f64 {
    Duration::from_nanos(now.saturating_sub(since)).as_secs_f64()
}

impl Thread {
    /// Returns true for another record of the same write: an instruction that writes more bytes than a
    /// watchpoint has hits several. In a loop, at least one register would differ.
    fn repeats(&mut self, write: &Sample<'_>) -> bool {
        if let Some(last) = &mut self.last
            && last.address == write.instruction
            && last.registers == write.registers
            && write.registers.is_some()
            && !last.watchpoints.contains(&write.address)
        {
            last.watchpoints.push(write.address);
            return true;
        }
        self.last = Some(Instruction {
            address: write.instruction,
            registers: write.registers,
            watchpoints: vec![write.address],
        });
        false
    }
}

impl RowKey {
    fn new(thread: ThreadId, place: &CodePlace) -> Self {
        let address = if place.function.is_some() { 0 } else { place.address };
        Self { thread, function: place.function.clone(), line: (place.file.clone(), place.line), address }
    }
}

impl Row {
    /// Begins a new window for the recent rate.
    #[expect(clippy::cast_precision_loss, reason = "only a rate")]
    fn roll(&mut self, now: u64) {
        let (writes, since) = self.before;
        let window = Duration::from_nanos(now.saturating_sub(since));
        if window >= WINDOW || (writes == 0 && !window.is_zero()) {
            self.recent_rate = (self.writes - writes) as f64 / window.as_secs_f64();
        }
        if window >= WINDOW {
            self.before = (self.writes, now);
        }
    }
}

#[cfg(test)]
mod tests;
