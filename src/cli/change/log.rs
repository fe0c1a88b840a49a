//! The record of what a command did.

use crate::act::record::Record;
use crate::act::{ActError, Outcome, StateDirectory, StateError};
use crate::cli::out::warn;
use crate::machine::Machine;
use std::cell::Cell;

/// Writes acts into the record. That it cannot is told once, and stops nothing.
pub struct Log<'a> {
    machine: &'a dyn Machine,
    record: Result<Record, StateError>,
    told: Cell<bool>,
}

impl<'a> Log<'a> {
    pub fn new(machine: &'a dyn Machine) -> Self {
        let record = StateDirectory::find().map(Record::new);
        Self { machine, record, told: Cell::new(false) }
    }

    /// Puts what came of a plan into the record. What was refused did not
    /// happen, and is not there.
    pub fn add(&self, outcome: &Outcome) {
        self.put(outcome, false);
    }

    /// As [`Log::add`], for one of a great many that follow each other at once.
    pub fn add_soon(&self, outcome: &Outcome) {
        self.put(outcome, true);
    }

    /// Writes what waits to be written.
    pub fn finish(&self) {
        if let Ok(record) = &self.record {
            self.tell(record.flush().map_err(|error| error.to_string()));
        }
    }

    fn put(&self, outcome: &Outcome, soon: bool) {
        let (segment, done, result) = match &outcome.result {
            Ok(done) => (done.id.to_string(), true, done.said.join("; ")),
            Err(ActError::Refused { .. } | ActError::NotCreated { .. }) => return,
            Err(error) => (outcome.subject.clone(), false, error.to_string()),
        };
        let added = match &self.record {
            Ok(record) => {
                let note = if soon { Record::note_soon } else { Record::note };
                note(record, self.machine, outcome.action, &segment, done, &result)
                    .map_err(|error| error.to_string())
            }
            Err(error) => Err(format!("this is not in the record: {error}")),
        };
        self.tell(added);
    }

    fn tell(&self, added: Result<(), String>) {
        if let Err(error) = added
            && !self.told.replace(true)
        {
            warn(&error);
        }
    }
}
