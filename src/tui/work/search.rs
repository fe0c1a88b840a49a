//! Jumps and searches in the open segment: one at a time, each on a thread of
//! its own that ends with it.

use super::open::unreadable;
use super::spawn;
use crate::app::Event;
use crate::app::event::Found;
use crate::memory::{Direction, Pattern, Progress, Reader, find_next, next_data};
use crate::tui::message::Message;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How often a long search tells how far it is.
const TELL: Duration = Duration::from_millis(100);

/// Starts searches and stops them.
pub struct Searches {
    messages: Sender<Message>,
    running: Option<Arc<Progress>>,
}

impl Searches {
    /// Answers go to `messages`.
    pub const fn new(messages: Sender<Message>) -> Self {
        Self { messages, running: None }
    }

    /// Begins to search. One that is under way is given up.
    pub fn start(&mut self, reader: Reader, search: Search) {
        self.stop();
        let progress = Arc::new(Progress::new());
        self.running = Some(Arc::clone(&progress));
        let number = search.number;
        let started = spawn("search", self.messages.clone(), move |messages| {
            search.run(&reader, &progress, |event| {
                // When nobody listens any more, the program is ending.
                let _ = messages.send(event.into());
            });
        });
        if let Err(error) = started {
            let found = Found { request: number, result: Err(error.to_string()), wrapped: false };
            let _ = self.messages.send(Event::Found(found).into());
        }
    }

    /// Gives up the search that is under way, which lets go of its segment
    /// within milliseconds.
    pub fn stop(&mut self) {
        if let Some(progress) = self.running.take() {
            progress.cancel();
        }
    }
}

impl Drop for Searches {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What is searched for.
#[derive(Debug, Clone)]
pub enum Goal {
    /// Bytes; from the other end on, when there are none that way.
    Pattern(Box<Pattern>),
    /// Data past at least so many zeros.
    Data {
        /// The shortest run of zeros that is stepped over.
        gap: u64,
    },
}

/// A search, as a thread does it.
#[derive(Debug, Clone)]
pub struct Search {
    /// Its number.
    pub number: u64,
    /// From where, as [`find_next`] and [`next_data`] take it.
    pub from: u64,
    /// Which way.
    pub direction: Direction,
    /// What for.
    pub goal: Goal,
}

impl Search {
    /// Searches, and tells every now and then how far it is. Once it is
    /// cancelled it tells nothing more.
    fn run(&self, reader: &Reader, progress: &Progress, tell: impl Fn(Event)) {
        let (done, answer) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || done.send(self.answer(reader, progress)));
            loop {
                match answer.recv_timeout(TELL) {
                    _ if progress.is_cancelled() => return,
                    Ok(found) => return tell(Event::Found(found)),
                    // It has hardly begun: how much there is to search is not known yet.
                    Err(RecvTimeoutError::Timeout) if progress.total() == 0 => {}
                    Err(RecvTimeoutError::Timeout) => {
                        tell(Event::Searching { done: progress.done(), total: progress.total() });
                    }
                    // It panicked, which the scope passes on.
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        });
    }

    fn answer(&self, reader: &Reader, progress: &Progress) -> Found {
        let (result, wrapped) = match self.find(reader, progress) {
            Ok(None) if matches!(self.goal, Goal::Pattern(_)) && !progress.is_cancelled() => {
                let again = self.at_the_other_end().find(reader, progress);
                let wrapped = matches!(again, Ok(Some(_)));
                (again, wrapped)
            }
            found => (found, false),
        };
        Found {
            request: self.number,
            result: result.map_err(|error| unreadable(reader.id(), &error)),
            wrapped,
        }
    }

    fn find(&self, reader: &Reader, progress: &Progress) -> io::Result<Option<u64>> {
        match &self.goal {
            Goal::Pattern(pattern) => find_next(reader, pattern, self.from, self.direction, progress),
            Goal::Data { gap } => next_data(reader, self.from, self.direction, *gap, progress),
        }
    }

    /// There is no match on this side of where it began, so whatever this
    /// finds is on the other.
    fn at_the_other_end(&self) -> Self {
        let from = match self.direction {
            Direction::Forward => 0,
            Direction::Backward => u64::MAX,
        };
        Self { from, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};

    const LONG: Duration = Duration::from_secs(10);

    fn reader(bytes: MadeBytes) -> Reader {
        let machine = MadeMachine::new();
        machine.add_object("a", bytes);
        Reader::open(&machine, &Survey::take(&machine, &mut Names::default()).segments[0]).unwrap()
    }

    fn pattern(text: &str) -> Goal {
        Goal::Pattern(Box::new(Pattern::text(text).unwrap()))
    }

    /// Does a search to its end, and tells what it found and whether it wrapped.
    fn found(reader: &Reader, from: u64, direction: Direction, goal: Goal) -> (Option<u64>, bool) {
        let search = Search { number: 7, from, direction, goal };
        let (events, told) = mpsc::channel();
        search.run(reader, &Progress::new(), |event| events.send(event).unwrap());
        match told.try_iter().last() {
            Some(Event::Found(Found { request: 7, result, wrapped })) => (result.unwrap(), wrapped),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_pattern_is_found_behind_before_and_at_the_other_end() {
        use Direction::{Backward, Forward};
        let mut bytes = MadeBytes::hole(100_000);
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
    fn data_is_not_sought_at_the_other_end() {
        let mut bytes = MadeBytes::hole(100_000);
        bytes.write(5000, b"x");
        let reader = reader(bytes);
        let find = |from, direction| found(&reader, from, direction, Goal::Data { gap: 32 });
        assert_eq!(find(0, Direction::Forward), (Some(5000), false));
        assert_eq!(find(5000, Direction::Forward), (None, false));
        assert_eq!(find(90_000, Direction::Backward), (Some(5000), false));
    }

    #[test]
    fn a_cancelled_search_tells_nothing() {
        let reader = reader(MadeBytes::full(b"here"));
        let progress = Progress::new();
        progress.cancel();
        let search = Search { number: 1, from: 0, direction: Direction::Forward, goal: pattern("here") };
        search.run(&reader, &progress, |event| panic!("{event:?}"));
    }

    #[test]
    fn a_new_search_replaces_the_old_one_and_a_long_one_tells_how_far_it_is() {
        // Written zeros have to be read one after another: this takes seconds.
        let mut bytes = MadeBytes::hole(1 << 30);
        bytes.pages = (0..(1 << 30) / 4096).step_by(8).map(|page| (page, vec![0; 4096].into())).collect();
        let long = reader(bytes);
        let (messages, inbox) = mpsc::channel();
        let mut searches = Searches::new(messages);
        let search =
            |number| Search { number, from: 0, direction: Direction::Forward, goal: pattern("here") };
        searches.start(long, search(1));
        let first = inbox.recv_timeout(LONG).unwrap();
        let Message::Event(Event::Searching { done, total }) = first else { panic!("{first:?}") };
        assert!(done < total && total == 1 << 30, "{done} of {total}");
        searches.start(reader(MadeBytes::full(b"  here")), search(2));
        let mut answers =
            std::iter::from_fn(|| inbox.recv_timeout(LONG).ok()).filter_map(|message| match message {
                Message::Event(Event::Found(found)) => Some((found.request, found.result)),
                _ => None,
            });
        assert_eq!(answers.next(), Some((2, Ok(Some(2)))));
        drop(searches);
        assert_eq!(answers.next(), None, "the old one has ended without an answer");
    }
}
