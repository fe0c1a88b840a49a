//! The log of changes, as used by the commands.

use crate::act::log::LogError;
use crate::act::{ActError, ChangeLog, Outcome, StateDirectory, StateError};
use crate::cli::Failure;
use crate::cli::out::warn;
use crate::machine::Machine;
use std::cell::{Cell, RefCell};

/// The log. If it cannot be opened, nothing is changed. If a line cannot be written later, the
/// error is reported once and the command continues.
pub struct Log<'a> {
    machine: &'a dyn Machine,
    /// `None` for a user without a state directory.
    file: RefCell<Option<ChangeLog>>,
    opened: Cell<bool>,
    reported: Cell<bool>,
}

impl<'a> Log<'a> {
    pub fn new(machine: &'a dyn Machine, state: Option<StateDirectory>) -> Self {
        let file = RefCell::new(state.map(ChangeLog::new));
        Self { machine, file, opened: Cell::new(false), reported: Cell::new(false) }
    }

    /// Opens the log before the first action.
    pub fn open(&self) -> Result<(), Failure> {
        if self.opened.get() {
            return Ok(());
        }
        let mut log = self.file.borrow_mut();
        match log.as_ref().map_or(Err(StateError::Homeless.into()), ChangeLog::open) {
            Err(LogError::State(error)) if error.is_homeless() => {
                warn(&format!("changes are not logged: {error}"));
                *log = None;
            }
            opened => opened.map_err(Failure::NotLogged)?,
        }
        self.opened.set(true);
        Ok(())
    }

    /// Logs the outcome of a plan. A refused plan had no effect and is not logged.
    pub fn add(&self, outcome: &Outcome) {
        self.put(outcome, &[], false);
    }

    /// Like [`Log::add`], with the evidence that the segment is leaked.
    pub fn add_with(&self, outcome: &Outcome, evidence: &[String]) {
        self.put(outcome, evidence, false);
    }

    /// Like [`Log::add`], but buffered, for many outcomes in quick succession.
    pub fn add_buffered(&self, outcome: &Outcome) {
        self.put(outcome, &[], true);
    }

    /// Writes the buffered lines.
    pub fn finish(&self) {
        if let Some(log) = &*self.file.borrow() {
            self.report(log.flush());
        }
    }

    fn put(&self, outcome: &Outcome, evidence: &[String], soon: bool) {
        let (segment, done, mut result) = match &outcome.result {
            Ok(done) => (done.id.to_string(), true, done.text()),
            Err(ActError::Refused { .. } | ActError::InUseNow { .. } | ActError::NotCreated { .. }) => return,
            Err(error) => (outcome.subject.clone(), false, error.to_string()),
        };
        if !evidence.is_empty() {
            result.push_str("; evidence: ");
            result.push_str(&evidence.join("; "));
        }
        let log = self.file.borrow();
        let Some(log) = &*log else { return };
        let entry = log.entry(self.machine, outcome.action, segment, done, result);
        self.report(if soon { log.add_buffered(&entry) } else { log.add(&entry) });
    }

    fn report(&self, written: Result<(), LogError>) {
        if let Err(error) = written
            && !self.reported.replace(true)
        {
            warn(&format!("some changes were not logged: {error}"));
        }
    }
}
