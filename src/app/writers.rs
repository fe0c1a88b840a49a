//! The list of threads that write to a value, while a watch counts their writes.

use super::list::List;
use super::sentence::{label_of, sentence};
use crate::engine::{Clock, WatchedValue};
use crate::scope::writers::{ThreadState, Writer, WriterTable};
use crate::segment::Segment;
use std::ops::Range;

#[derive(Debug, Clone)]
pub struct Writers {
    pub segment: Box<Segment>,
    pub range: Range<u64>,
    /// The last table, and the time at which it arrived. `None` before the first.
    table: Option<(Box<WriterTable>, Clock)>,
    /// The segment is gone, and the watch has ended.
    pub gone: bool,
    pub list: List,
}

impl Writers {
    pub fn new(segment: &Segment, range: Range<u64>) -> Self {
        Self { segment: Box::new(segment.clone()), range, table: None, gone: false, list: List::default() }
    }

    pub fn title(&self) -> String {
        let length = self.range.end - self.range.start;
        let plural = if length == 1 { "" } else { "s" };
        format!("Writers of {}+{:#x} ({length} byte{plural})", label_of(&self.segment), self.range.start)
    }

    /// The watch that fills the list.
    pub fn watched(&self) -> WatchedValue {
        WatchedValue {
            segment: (*self.segment).clone(),
            range: self.range.clone(),
            limit: Some(WatchedValue::LIMIT),
            count: None,
            sample: None,
        }
    }

    pub fn table(&self) -> Option<&WriterTable> {
        self.table.as_ref().map(|(table, _)| &**table)
    }

    pub fn rows(&self) -> &[Writer] {
        self.table().map_or(&[], |table| &table.writers)
    }

    /// Shows a new table. The selection stays on its writer.
    pub fn refresh(&mut self, table: Box<WriterTable>, now: Clock) {
        let key = |writer: &Writer| (writer.pid, writer.tid, writer.place.address);
        let chosen = self.rows().get(self.list.selected).map(key);
        let place = chosen.and_then(|chosen| table.writers.iter().position(|one| key(one) == chosen));
        self.list.selected = place.unwrap_or(self.list.selected.min(table.writers.len().saturating_sub(1)));
        self.table = Some((table, now));
    }

    /// The writes of a thread, and the effect of the watch on it: `997 writes/s, 1994 in all, last 3 ms
    /// ago; loses 1.3% of its time`.
    pub fn row_text(&self, writer: &Writer, now: Clock) -> String {
        let Some((table, since)) = &self.table else { return String::new() };
        let since = u64::try_from(now.saturating_sub(*since).as_nanos()).unwrap_or(u64::MAX);
        let age = writer.age_text(table.time.saturating_add(since));
        let count = format!("{} in all, last {age}", writer.writes);
        match writer.state {
            ThreadState::Released => {
                let limit = WatchedValue::LIMIT;
                match writer.released_rate {
                    Some(rate) => format!("released at {rate:.0} writes/s, above {limit}; {count}"),
                    None => format!("released: more than {limit} writes/s; {count}"),
                }
            }
            ThreadState::Ended => format!("ended; {count}"),
            ThreadState::Watched => {
                let loss = table.cost.map(|cost| writer.loss(cost) * 100.0);
                let loss = loss.map(|loss| format!("; loses {loss:.1}% of its time")).unwrap_or_default();
                format!("{} writes/s, {count}{loss}", writer.rate_text())
            }
        }
    }

    /// The threads that are watched, if none has written.
    pub fn waiting_text(&self) -> Option<String> {
        let Some(table) = self.table() else {
            return Some("Looking for threads that map it for writing.".to_owned());
        };
        if !table.writers.is_empty() {
            return None;
        }
        // The problems tell why no thread is watched.
        let is_refused = table.threads == 0 && table.refused > 0;
        (!is_refused).then(|| sentence(&table.watched_text("watching", "it")) + ".")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identify::source::CodePlace;
    use crate::segment::example;
    use std::sync::Arc;
    use std::time::Duration;

    fn writer(tid: u32, writes: u64) -> Writer {
        Writer {
            pid: 7,
            tid,
            command: b"motor".as_slice().into(),
            place: Arc::new(CodePlace::unknown(0x1000)),
            writes,
            rate: 1.0,
            recent_rate: 997.4,
            last: 1_000_000_000,
            state: ThreadState::Watched,
            watched: Duration::from_secs(2),
            lost: 0,
            released_rate: None,
        }
    }

    fn table(writers: Vec<Writer>) -> WriterTable {
        let (cost, time) = (Some(Duration::from_micros(13)), 1_003_000_000);
        WriterTable { writers, cost, time, threads: 2, processes: 1, ..WriterTable::default() }
    }

    #[test]
    fn selection_follows_the_writer() {
        let mut shown = Writers::new(&example::posix(), 16..24);
        shown.refresh(Box::new(table(vec![writer(8, 9), writer(9, 5)])), Clock::ZERO);
        shown.list.selected = 1;
        shown.refresh(Box::new(table(vec![writer(9, 50), writer(8, 9)])), Clock::ZERO);
        assert_eq!(shown.list.selected, 0);
        shown.list.selected = 1;
        shown.refresh(Box::new(table(vec![writer(9, 50)])), Clock::ZERO);
        assert_eq!(shown.list.selected, 0);
    }

    #[test]
    fn last_write_ages_between_tables() {
        let mut shown = Writers::new(&example::posix(), 16..24);
        let one = writer(8, 1994);
        shown.refresh(Box::new(table(vec![one.clone()])), Duration::from_secs(5));
        let at = |millis| shown.row_text(&one, Duration::from_millis(millis));
        assert_eq!(at(5000), "997 writes/s, 1994 in all, last 3 ms ago; loses 1.3% of its time");
        assert_eq!(at(7000), "997 writes/s, 1994 in all, last 2s ago; loses 1.3% of its time");
        let text = |state, released_rate| {
            shown.row_text(&Writer { state, released_rate, ..one.clone() }, Duration::from_secs(5))
        };
        assert_eq!(
            text(ThreadState::Released, Some(52_000.0)),
            "released at 52000 writes/s, above 5000; 1994 in all, last 3 ms ago"
        );
        assert_eq!(text(ThreadState::Ended, None), "ended; 1994 in all, last 3 ms ago");
    }

    #[test]
    fn list_without_writers_tells_who_is_watched() {
        let mut shown = Writers::new(&example::posix(), 16..24);
        assert!(shown.waiting_text().unwrap().starts_with("Looking for"));
        shown.refresh(Box::new(table(vec![])), Clock::ZERO);
        assert_eq!(shown.waiting_text().unwrap(), "Watching it in 2 threads of 1 process.");
        let nobody = WriterTable { refused: 1, ..WriterTable::default() };
        shown.refresh(Box::new(nobody.clone()), Clock::ZERO);
        assert_eq!(shown.waiting_text(), None);
        shown.refresh(Box::new(WriterTable { refused: 0, ..nobody }), Clock::ZERO);
        assert_eq!(shown.waiting_text().unwrap(), "No process maps it for writing.");
    }
}
