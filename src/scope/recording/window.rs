//! The samples around a trigger.

use crate::scope::Batch;
use crate::segment::Bytes;
use std::collections::VecDeque;
use std::mem::size_of;
use std::time::Duration;

/// Holds samples back until a trigger fires, and then passes those around it on.
#[derive(Debug)]
pub struct TriggerWindow {
    /// Nanoseconds, like all times.
    pre: u64,
    /// `None` without end.
    post: Option<u64>,
    /// The limit for the samples that are held back.
    limit: Bytes,
    held: VecDeque<Batch>,
    held_bytes: u64,
    /// Set once the limit has cost samples within `pre`.
    is_short: bool,
    /// The time of the first sample.
    first: Option<u64>,
    /// The start and the end of the samples to pass on, once the trigger has fired.
    range: Option<(u64, u64)>,
    fired: Option<u64>,
    is_complete: bool,
}

impl TriggerWindow {
    #[must_use]
    pub fn new(pre: Duration, post: Option<Duration>, limit: Bytes) -> Self {
        Self {
            pre: nanoseconds(pre),
            post: post.map(nanoseconds),
            limit,
            held: VecDeque::new(),
            held_bytes: 0,
            is_short: false,
            first: None,
            range: None,
            fired: None,
            is_complete: false,
        }
    }

    /// Takes a batch, which follows the last one, and the time of the first trigger in it. Returns the
    /// samples to record.
    pub fn feed(&mut self, batch: Batch, fired: Option<u64>) -> Vec<Batch> {
        self.first = self.first.or_else(|| batch.times.first().copied());
        self.held_bytes += bytes_of(&batch);
        self.held.push_back(batch);
        if self.range.is_none() {
            let end = |fired: u64| self.post.map_or(u64::MAX, |post| fired.saturating_add(post));
            self.fired = fired;
            self.range = fired.map(|fired| (fired.saturating_sub(self.pre), end(fired)));
        }
        let Some((start, end)) = self.range else {
            self.drop_old();
            return vec![];
        };
        self.held_bytes = 0;
        let parts = self.held.drain(..).map(|batch| {
            let last = batch.times.last().copied();
            self.is_complete |= last.is_some_and(|last| last >= end);
            let row_of = |time| batch.times.partition_point(|&at| at < time);
            batch.part(row_of(start)..row_of(end))
        });
        parts.collect()
    }

    /// Drops samples that no trigger can need any more, and those beyond the limit.
    fn drop_old(&mut self) {
        let now = self.held.back().and_then(|batch| batch.times.last()).copied().unwrap_or(0);
        let start = now.saturating_sub(self.pre);
        while let Some(first) = self.held.front() {
            let is_old = first.times.last().is_none_or(|&last| last < start);
            if !is_old && self.held_bytes <= self.limit.0 {
                return;
            }
            self.is_short |= !is_old;
            self.held_bytes -= bytes_of(first);
            self.held.pop_front();
        }
    }

    #[must_use]
    pub const fn has_fired(&self) -> bool {
        self.fired.is_some()
    }

    /// Completes the window if its time is over, although no samples came since.
    pub fn pass(&mut self, now: u64) {
        self.is_complete |= self.range.is_some_and(|(_, end)| now >= end);
    }

    /// Returns true once all samples around the trigger were passed on.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Returns the time between the first sample and the trigger if that is less than was asked for.
    #[must_use]
    pub fn short_past(&self) -> Option<Duration> {
        let (fired, first) = self.fired.zip(self.first)?;
        (first > fired.saturating_sub(self.pre)).then(|| Duration::from_nanos(fired.saturating_sub(first)))
    }

    /// Returns true if the samples before the trigger did not fit into the limit.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.is_short
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn bytes_of(batch: &Batch) -> u64 {
    let row = size_of::<u64>() + batch.columns.len() * (size_of::<u64>() + 1);
    (batch.len() * row) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::{Column, Grade};

    fn batch(times: &[u64]) -> Batch {
        let mut column = Column::default();
        for &time in times {
            column.push(time, Grade::Whole);
        }
        Batch { times: times.to_vec(), columns: vec![column], ..Batch::default() }
    }

    fn times(batches: &[Batch]) -> Vec<u64> {
        assert!(batches.iter().all(|batch| batch.columns[0].bits == batch.times));
        batches.iter().flat_map(|batch| batch.times.clone()).collect()
    }

    fn window(pre: u64, post: Option<u64>) -> TriggerWindow {
        TriggerWindow::new(Duration::from_nanos(pre), post.map(Duration::from_nanos), Bytes(1 << 20))
    }

    #[test]
    fn samples_around_the_trigger_are_passed_on() {
        let mut window = window(15, Some(20));
        assert!(window.feed(batch(&[10, 20]), None).is_empty());
        assert!(window.feed(batch(&[30, 40]), None).is_empty());
        assert!(!window.has_fired());
        assert_eq!(times(&window.feed(batch(&[50, 60]), Some(50))), [40, 50, 60]);
        assert!(window.has_fired() && !window.is_complete());
        assert!(times(&window.feed(batch(&[70]), Some(70))).is_empty());
        assert!(window.is_complete() && !window.is_short());
        assert_eq!(window.short_past(), None);
    }

    #[test]
    fn short_past_is_known() {
        let mut soon = window(50, None);
        assert_eq!(times(&soon.feed(batch(&[100, 110, 120]), Some(110))), [100, 110, 120]);
        assert_eq!(soon.short_past(), Some(Duration::from_nanos(10)));
        let mut exact = window(10, None);
        exact.feed(batch(&[100, 110]), Some(110));
        assert_eq!(exact.short_past(), None);
        assert_eq!(window(10, None).short_past(), None);
        let mut since_ever = window(u64::MAX, None);
        since_ever.feed(batch(&[100, 110]), Some(110));
        assert_eq!(since_ever.short_past(), Some(Duration::from_nanos(10)));
    }

    #[test]
    fn window_is_complete_when_its_time_is_over() {
        let mut window = window(0, Some(50));
        window.pass(1000);
        assert!(!window.is_complete(), "it has not fired");
        window.feed(batch(&[100, 110]), Some(110));
        window.pass(159);
        assert!(!window.is_complete());
        window.pass(160);
        assert!(window.is_complete());
    }

    #[test]
    fn window_may_begin_and_end_within_a_batch() {
        let mut only = window(0, Some(0));
        assert!(times(&only.feed(batch(&[1, 2, 3]), Some(2))).is_empty());
        let mut endless = window(1, None);
        assert_eq!(times(&endless.feed(batch(&[1, 2, 3]), Some(2))), [1, 2, 3]);
        assert_eq!(times(&endless.feed(batch(&[4, 99]), None)), [4, 99]);
        assert!(!endless.is_complete());
    }

    #[test]
    fn memory_before_the_trigger_is_limited() {
        let mut window = TriggerWindow::new(Duration::from_secs(1), None, Bytes(170));
        for time in 0..50 {
            assert!(window.feed(batch(&[time]), None).is_empty());
            assert!(window.held_bytes <= 170 && window.held.len() <= 10);
        }
        assert!(window.is_short());
        assert_eq!(times(&window.feed(batch(&[50]), Some(50))), (40..=50).collect::<Vec<_>>());
        // Samples that are too old cost nothing.
        let mut short = TriggerWindow::new(Duration::from_nanos(3), None, Bytes(1 << 20));
        for time in 0..50 {
            short.feed(batch(&[time]), None);
            assert!(short.held.len() <= 4);
        }
        assert!(!short.is_short());
    }
}
