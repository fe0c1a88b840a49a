//! Searches the segments of subscriptions, one at a time.

use super::Clock;
use super::contents::Readers;
use super::report::{Body, Found, Hits, Report, unreadable};
use super::request::{MAX_HITS, Request, Search, Target};
use super::worker::{Job, Worker};
use crate::machine::Machine;
use crate::memory::{Direction, Pattern, Progress, Reader, find_all, find_next, next_data};
use std::io;
use std::ops::ControlFlow;

/// The search worker. It searches while it handles the request: only the next search, which cancels
/// this one, has to wait.
pub struct SearchWorker {
    readers: Readers,
}

impl SearchWorker {
    pub const fn new(readers: Readers) -> Self {
        Self { readers }
    }
}

impl Worker for SearchWorker {
    fn handle(&mut self, _: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        let (Request::Search(subscription, _) | Request::CountHits(subscription, ..)) = job.request else {
            return vec![];
        };
        let Some(reader) = self.readers.lend(subscription, &job.progress) else { return vec![] };
        let body = match job.request {
            Request::Search(_, search) => Body::Found(search.answer(&reader, &job.progress)),
            Request::CountHits(_, number, pattern) => {
                let hits = hits(&reader, &pattern, MAX_HITS, &job.progress);
                Body::Hits(number, hits.map_err(|error| unreadable(reader.id(), &error)))
            }
            _ => return vec![],
        };
        // A canceled search gets no answer.
        if job.progress.is_cancelled() {
            return vec![];
        }
        vec![Report::of(subscription, now, body)]
    }
}

impl Search {
    fn answer(&self, reader: &Reader, progress: &Progress) -> Found {
        let (result, wrapped) = match self.find(reader, self.from, progress) {
            Ok(None) if matches!(self.target, Target::Pattern(_)) && !progress.is_cancelled() => {
                // The other side of the start has all remaining matches.
                let other_end = match self.direction {
                    Direction::Forward => 0,
                    Direction::Backward => u64::MAX,
                };
                let again = self.find(reader, other_end, progress);
                let wrapped = matches!(again, Ok(Some(_)));
                (again, wrapped)
            }
            found => (found, false),
        };
        let result = result.map_err(|error| unreadable(reader.id(), &error));
        Found { number: self.number, result, wrapped }
    }

    fn find(&self, reader: &Reader, from: u64, progress: &Progress) -> io::Result<Option<u64>> {
        match &self.target {
            Target::Pattern(pattern) => find_next(reader, pattern, from, self.direction, progress),
            Target::Data { gap } => next_data(reader, from, self.direction, *gap, progress),
            // Handled by the window's worker.
            Target::Change { .. } => Ok(None),
        }
    }
}

/// Finds the first `most` hits of a pattern.
fn hits(reader: &Reader, pattern: &Pattern, most: usize, progress: &Progress) -> io::Result<Hits> {
    let mut hits = Hits { offsets: vec![], more: false };
    find_all(reader, pattern, 0..u64::MAX, progress, |matches| {
        let room = most - hits.offsets.len();
        hits.offsets.extend(matches.offsets().take(room));
        hits.more = matches.count > room as u64;
        if hits.more { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SubscriptionId;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};
    use std::sync::Arc;

    const ID: SubscriptionId = SubscriptionId(3);

    fn reader(bytes: FakeBytes) -> Reader {
        let machine = FakeMachine::new();
        machine.add_object("a", bytes);
        Reader::open(&machine, &Survey::take(&machine, &mut Names::default()).segments[0]).unwrap()
    }

    fn pattern(text: &str) -> Target {
        Target::Pattern(Box::new(Pattern::text(text).unwrap()))
    }

    /// Returns the offset of the match. The second result is true if the search wrapped.
    fn found(reader: &Reader, from: u64, direction: Direction, target: Target) -> (Option<u64>, bool) {
        let found = Search { number: 7, from, direction, target }.answer(reader, &Progress::new());
        assert_eq!(found.number, 7);
        (found.result.unwrap(), found.wrapped)
    }

    #[test]
    fn pattern_is_found_in_both_directions_and_wraps() {
        use Direction::{Backward, Forward};
        let mut bytes = FakeBytes::hole(100_000);
        bytes.write(10, b"here");
        bytes.write(90_000, b"here");
        let reader = reader(bytes);
        let find = |from, direction| found(&reader, from, direction, pattern("here"));
        assert_eq!(find(0, Forward), (Some(10), false));
        assert_eq!(find(11, Forward), (Some(90_000), false));
        assert_eq!(find(90_001, Forward), (Some(10), true));
        assert_eq!(find(90_000, Backward), (Some(10), false));
        assert_eq!(find(10, Backward), (Some(90_000), true));
        assert_eq!(found(&reader, 0, Forward, pattern("there")), (None, false));
    }

    #[test]
    fn search_for_data_does_not_wrap() {
        let mut bytes = FakeBytes::hole(100_000);
        bytes.write(5000, b"x");
        let reader = reader(bytes);
        let find = |from, direction| found(&reader, from, direction, Target::Data { gap: 32 });
        assert_eq!(find(0, Direction::Forward), (Some(5000), false));
        assert_eq!(find(5000, Direction::Forward), (None, false));
        assert_eq!(find(90_000, Direction::Backward), (Some(5000), false));
    }

    #[test]
    fn hits_are_counted_up_to_the_maximum() {
        let mut bytes = FakeBytes::hole(100_000);
        for offset in [10, 14, 90_000] {
            bytes.write(offset, b"here");
        }
        let reader = reader(bytes);
        let count = |text, most| {
            let hits = hits(&reader, &Pattern::text(text).unwrap(), most, &Progress::new()).unwrap();
            (hits.offsets, hits.more)
        };
        assert_eq!(count("here", 1000), (vec![10, 14, 90_000], false));
        assert_eq!(count("here", 3), (vec![10, 14, 90_000], false));
        assert_eq!(count("here", 2), (vec![10, 14], true));
        assert_eq!(count("there", 1000), (vec![], false));
        // Every byte of a hole matches.
        let (offsets, more) = count(r"\x00", 1000);
        assert_eq!((offsets.len(), offsets.first(), more), (1000, Some(&0), true));
    }

    #[test]
    fn count_is_reported_to_its_subscription() {
        let readers = Readers::default();
        let mut worker = SearchWorker::new(readers.clone());
        readers.add(ID, reader(FakeBytes::full(b"here")));
        let request = Request::CountHits(ID, 5, Box::new(Pattern::text("here").unwrap()));
        let reports = worker.handle(&FakeMachine::new(), Clock::ZERO, Job::new(request));
        assert_eq!(reports[0].subscription, Some(ID));
        let hits = Hits { offsets: vec![0], more: false };
        assert!(matches!(&reports[0].body, Body::Hits(5, Ok(found)) if *found == hits));
    }

    #[test]
    fn canceled_or_unsubscribed_search_has_no_answer() {
        let readers = Readers::default();
        let mut worker = SearchWorker::new(readers.clone());
        let search = Search { number: 1, from: 0, direction: Direction::Forward, target: pattern("here") };
        let search = || {
            let progress = Arc::new(Progress::new());
            let job = Job { request: Request::Search(ID, search.clone()), progress: Arc::clone(&progress) };
            (progress, job)
        };
        let mut handle = |job| worker.handle(&FakeMachine::new(), Clock::ZERO, job);
        assert!(handle(search().1).is_empty());
        readers.add(ID, reader(FakeBytes::full(b"here")));
        assert_eq!(handle(search().1)[0].subscription, Some(ID));
        let (progress, job) = search();
        progress.cancel();
        assert!(handle(job).is_empty());
        // Ending the subscription cancels its search.
        let (progress, job) = search();
        handle(job);
        readers.remove(ID);
        assert!(progress.is_cancelled());
    }
}
