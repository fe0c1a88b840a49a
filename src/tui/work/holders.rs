//! Looks at the processes, for who holds what: at all of them every few
//! seconds, and at some at once when a segment has changed.

use super::Worker;
use crate::app::Event;
use crate::app::effect::Who;
use crate::app::event::Clock;
use crate::machine::Machine;
use crate::survey::{Depth, Holdings, Names};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often all processes are looked at, at most. Those that have not run
/// meanwhile cost next to nothing.
const EVERY: Duration = Duration::from_secs(5);
/// What is left to others after a look: so many times what it took. A look runs
/// on two threads, so that it keeps the looks below two hundredths of a core.
const REST: u32 = 100;
/// But no longer than this: on a busy machine a look takes long by waiting.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// The first look is taken when the first picture is on the screen: until then
/// the processors have other work.
const FIRST: Duration = Duration::from_millis(50);

/// Where the last look lies for who takes surveys.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Option<Arc<Holdings>>>>);

impl Board {
    /// The last look.
    pub fn last(&self) -> Option<Arc<Holdings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, holdings: Arc<Holdings>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(holdings);
    }
}

/// An order to the looker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Look as soon as may be.
    Now(Who),
    /// Look at all as often as the table is looked at, but not more often than
    /// every few seconds; `None`: only when asked.
    Every(Option<Duration>),
}

/// Looks at processes.
pub struct Looker {
    machine: Arc<dyn Machine>,
    board: Board,
    names: Names,
    every: Option<Duration>,
    /// When the last full look began.
    full: Option<Clock>,
    /// When the last look of any kind ended its rest.
    rested: Clock,
    asked: Option<Asked>,
}

#[derive(Debug)]
enum Asked {
    All,
    Some(BTreeSet<u32>),
}

impl Looker {
    /// One that has not been told to do anything. It puts its looks on `board`.
    pub fn new(machine: Arc<dyn Machine>, board: Board) -> Self {
        let names = Names::default();
        Self { machine, board, names, every: None, full: None, rested: Clock::ZERO, asked: None }
    }

    fn is_due(&self, now: Clock) -> bool {
        self.every.is_some_and(|every| self.full.is_none_or(|began| now >= began + every))
    }
}

impl Worker for Looker {
    type Order = Order;

    fn handle(&mut self, _: Clock, order: Order) -> Vec<Event> {
        match order {
            Order::Every(every) => {
                self.every = every.map(|every| every.max(EVERY));
                // Paused: what a change has asked for is not looked at either.
                if every.is_none() {
                    self.asked = None;
                }
            }
            Order::Now(Who::All) => self.asked = Some(Asked::All),
            Order::Now(Who::These(pids)) => match &mut self.asked {
                Some(Asked::All) => {}
                Some(Asked::Some(asked)) => asked.extend(pids),
                None => self.asked = Some(Asked::Some(pids.into_iter().collect())),
            },
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        let regular = self.every.map(|every| self.full.map_or(FIRST, |began| began + every));
        let asked = self.asked.as_ref().map(|_| Clock::ZERO);
        let due = regular.into_iter().chain(asked).min()?;
        Some(due.max(self.rested))
    }

    fn work(&mut self, now: Clock) -> Vec<Event> {
        let began = Instant::now();
        let before = self.board.last();
        let asked = self.asked.take();
        let holdings = match (&before, asked) {
            (Some(last), Some(Asked::Some(pids))) if !self.is_due(now) => {
                let pids: Vec<u32> = pids.into_iter().collect();
                last.again(&*self.machine, &pids, &mut self.names)
            }
            (_, asked) => {
                let first = match asked {
                    Some(Asked::Some(pids)) => pids.into_iter().collect(),
                    _ => vec![],
                };
                self.full = Some(now);
                match &before {
                    Some(last) => last.refresh(&*self.machine, &first, &mut self.names),
                    None => Holdings::look(&*self.machine, Depth::Private, &first, &mut self.names),
                }
            }
        };
        self.rested = now + (began.elapsed() * REST).min(LONGEST_REST);
        let news = before.is_none_or(|before| !before.agrees(&holdings));
        self.board.put(Arc::new(holdings));
        if news { vec![Event::HoldersLooked] } else { vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine, OBJECTS};
    use crate::machine::process::FileLock;
    use crate::segment::Access;

    fn looker(machine: &MadeMachine) -> (Looker, Board) {
        let board = Board::default();
        (Looker::new(Arc::new(machine.clone()), board.clone()), board)
    }

    #[test]
    fn at_its_own_pace_and_only_news_are_told() {
        let machine = MadeMachine::new();
        machine.add_sysv(1, 0, MadeBytes::hole(1));
        machine.add_process(7, "writer");
        let (mut looker, board) = looker(&machine);
        assert_eq!(looker.deadline(), None);
        looker.handle(Clock::ZERO, Order::Every(Some(Duration::from_millis(100))));
        assert_eq!(looker.deadline(), Some(FIRST));
        assert_eq!(looker.work(Clock::ZERO).len(), 1);
        assert!(looker.deadline() >= Some(EVERY));
        assert!(looker.work(EVERY).is_empty(), "nothing is new");
        machine.attach_in(7, 1, Access::ReadWrite);
        looker.handle(EVERY, Order::Now(Who::These(vec![7])));
        assert!(looker.deadline() < Some(2 * EVERY));
        assert!(matches!(looker.work(EVERY + Duration::from_secs(1))[..], [Event::HoldersLooked]));
        assert_eq!(board.last().unwrap().held_by(7).len(), 1);
        looker.handle(EVERY, Order::Now(Who::These(vec![7])));
        looker.handle(EVERY, Order::Every(None));
        assert_eq!(looker.deadline(), None, "paused");
    }

    #[test]
    fn a_lock_and_who_cannot_be_examined_any_more_are_news() {
        let machine = MadeMachine::new();
        machine.add_process(7, "writer");
        let (mut looker, _board) = looker(&machine);
        looker.handle(Clock::ZERO, Order::Every(Some(EVERY)));
        let mut at = Clock::ZERO;
        let mut news = || {
            at += EVERY;
            looker.work(at).len()
        };
        assert_eq!((news(), news()), (1, 0));
        machine.edit(|facts| facts.locks = vec![FileLock { device: OBJECTS, inode: 2, pid: Some(7) }]);
        assert_eq!((news(), news()), (1, 0));
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
        assert_eq!((news(), news()), (1, 0));
    }

    #[test]
    fn what_is_asked_of_some_does_not_put_off_the_look_at_all() {
        let machine = MadeMachine::new();
        machine.add_sysv(1, 0, MadeBytes::hole(1));
        for pid in [7, 8] {
            machine.add_process(pid, "writer");
        }
        let (mut looker, board) = looker(&machine);
        looker.handle(Clock::ZERO, Order::Every(Some(Duration::from_millis(100))));
        looker.work(Clock::ZERO);
        machine.attach_in(8, 1, Access::ReadWrite);
        looker.handle(Clock::ZERO, Order::Now(Who::These(vec![7])));
        looker.work(Clock::ZERO);
        assert!(board.last().unwrap().held_by(8).is_empty(), "it was not asked");
        looker.handle(EVERY, Order::Now(Who::These(vec![7])));
        looker.work(EVERY);
        assert_eq!(board.last().unwrap().held_by(8).len(), 1);
    }
}
