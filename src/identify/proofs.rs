//! The last word on whether anybody holds a POSIX object that nobody was found
//! to hold, where not every process could be examined: the kernel's.
//!
//! It is asked by root alone, once for each look at the processes, and only of
//! what has been left alone for a while. For a moment a program that opens the
//! object would have to wait, and an ordinary user goes by what they can see.

use crate::machine::Machine;
use crate::segment::{Segment, SegmentId, Timestamp};
use crate::survey::Holdings;
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

/// What the kernel said since the last look at the processes.
#[derive(Debug, Default)]
pub struct Answers {
    of: Option<Timestamp>,
    said: HashMap<SegmentId, Option<bool>>,
}

/// Who asks the kernel.
pub struct Proofs<'a> {
    machine: &'a dyn Machine,
    /// Who asks is root.
    root: bool,
    answers: RefCell<&'a mut Answers>,
    now: Timestamp,
    /// What was touched within this time is not asked about.
    quiet: Duration,
}

impl<'a> Proofs<'a> {
    /// For one survey, with what was said since the look that it goes by.
    pub fn new(
        machine: &'a dyn Machine,
        answers: &'a mut Answers,
        holdings: Option<&Holdings>,
        now: Timestamp,
        quiet: Duration,
    ) -> Self {
        if answers.of != holdings.map(|holdings| holdings.at) {
            *answers = Answers { of: holdings.map(|holdings| holdings.at), said: HashMap::new() };
        }
        Self { machine, root: machine.effective_uid() == 0, answers: RefCell::new(answers), now, quiet }
    }

    /// Whether root asks.
    pub const fn by_root(&self) -> bool {
        self.root
    }

    /// Whether anybody has it open or mapped; `None`: that is not asked, or not told.
    pub fn ask(&self, segment: &Segment, holdings: &Holdings) -> Option<bool> {
        let SegmentId::Posix(name) = &segment.id else { return None };
        let touched = segment.times.touched();
        let quiet = touched.is_none_or(|then| {
            !then.is_future(self.now) && self.now.seconds_since(then).max(0.0) >= self.quiet.as_secs_f64()
        });
        // It would be us.
        let ours = segment.holders.iter().flat_map(|all| all.iter()).any(|holder| holder.ourselves);
        if ours || !self.root || !quiet || holdings.of(segment).is_none() {
            return None;
        }
        let mut answers = self.answers.borrow_mut();
        if let Some(said) = answers.said.get(&segment.id) {
            return *said;
        }
        let said = self.machine.is_open_elsewhere(name, &segment.identity()).ok();
        answers.said.insert(segment.id.clone(), said);
        said
    }
}
