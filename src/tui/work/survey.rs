//! Looks at the machine: every so often, or only when asked.

use super::{Board, Worker};
use crate::act::recover;
use crate::app::Event;
use crate::app::event::Clock;
use crate::identify::Identifier;
use crate::machine::Machine;
use crate::survey::Names;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An order to the surveyor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Look now.
    Now,
    /// Look this often; `None`: only when asked.
    Every(Option<Duration>),
}

/// Takes surveys.
pub struct Surveyor {
    machine: Arc<dyn Machine>,
    board: Board,
    identifier: Identifier,
    names: Names,
    every: Option<Duration>,
    /// When the last survey began, and how long it took.
    last: Option<(Clock, Duration)>,
    asked: bool,
}

impl Surveyor {
    /// One that has not been told to do anything.
    /// Who holds what is on `board`.
    pub fn new(machine: Arc<dyn Machine>, board: Board, identifier: Identifier) -> Self {
        let names = Names::default();
        Self { machine, board, identifier, names, every: None, last: None, asked: false }
    }
}

impl Worker for Surveyor {
    type Order = Order;

    fn handle(&mut self, _: Clock, order: Order) -> Vec<Event> {
        match order {
            Order::Now => self.asked = true,
            Order::Every(every) => self.every = every,
        }
        vec![]
    }

    fn deadline(&self) -> Option<Clock> {
        if self.asked {
            return Some(Clock::ZERO);
        }
        let every = self.every?;
        // However short the interval: half of the time at least is left to others.
        Some(self.last.map_or(Clock::ZERO, |(began, took)| began + every.max(2 * took)))
    }

    fn work(&mut self, now: Clock) -> Vec<Event> {
        let began = Instant::now();
        self.asked = false;
        let holdings = self.board.last();
        let mut survey = self.identifier.survey(&*self.machine, holdings.as_deref(), &mut self.names);
        let astray = recover::astray(&*self.machine, &survey.segments, survey.at);
        survey.problems.extend(astray.iter().map(recover::Astray::told));
        self.last = Some((now, began.elapsed()));
        vec![Event::Surveyed(Box::new(survey))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::segment::State;

    const SECOND: Duration = Duration::from_secs(1);

    fn surveyor(machine: &MadeMachine) -> Surveyor {
        Surveyor::new(Arc::new(machine.clone()), Board::default(), Identifier::default())
    }

    #[test]
    fn at_once_then_every_interval_and_between_when_asked() {
        let mut surveyor = surveyor(&MadeMachine::new());
        assert_eq!(surveyor.deadline(), None);
        surveyor.handle(Clock::ZERO, Order::Every(Some(SECOND)));
        assert_eq!(surveyor.deadline(), Some(Clock::ZERO));
        assert_eq!(surveyor.work(5 * SECOND).len(), 1);
        assert_eq!(surveyor.deadline(), Some(6 * SECOND));
        surveyor.handle(5 * SECOND, Order::Now);
        assert_eq!(surveyor.deadline(), Some(Clock::ZERO));
        surveyor.work(5 * SECOND + SECOND / 2);
        assert_eq!(surveyor.deadline(), Some(6 * SECOND + SECOND / 2));
    }

    #[test]
    fn never_unless_asked() {
        let mut surveyor = surveyor(&MadeMachine::new());
        surveyor.handle(Clock::ZERO, Order::Every(Some(SECOND)));
        surveyor.work(Clock::ZERO);
        surveyor.handle(Clock::ZERO, Order::Every(None));
        assert_eq!(surveyor.deadline(), None);
        surveyor.handle(Clock::ZERO, Order::Now);
        surveyor.work(SECOND);
        assert_eq!(surveyor.deadline(), None);
    }

    #[test]
    fn what_a_stopped_removal_left_is_told() {
        let machine = MadeMachine::new();
        machine.edit(|facts| facts.effective_uid = 1000);
        machine.add_object("shmlens-removing-0123456789abcdef-camera0", MadeBytes::hole(1));
        let events = surveyor(&machine).work(Clock::ZERO);
        let [Event::Surveyed(survey)] = &events[..] else { panic!("{events:?}") };
        let [problem] = &survey.problems[..] else { panic!("{:?}", survey.problems) };
        assert!(
            problem.contains("removal of posix:/camera0") && problem.contains("rm --recover"),
            "{problem}"
        );
    }

    #[test]
    fn what_it_reports_is_judged() {
        let machine = MadeMachine::new();
        let at = machine.add_sysv(1, 0, MadeBytes::hole(1));
        machine.edit(|facts| facts.sysv[at].row.nattch = 1);
        let events = surveyor(&machine).work(Clock::ZERO);
        let [Event::Surveyed(survey)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(survey.segments[0].verdict.state, State::InUse);
    }
}
