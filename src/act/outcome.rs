//! Outcomes of plans.

use super::{ActError, Action};
use crate::segment::{Identity, SegmentId, quote_path};
use std::path::PathBuf;

/// The outcome of one plan.
#[derive(Debug)]
pub struct Outcome {
    /// The segment, as a string for messages.
    pub subject: String,
    pub action: &'static str,
    pub result: Result<ChangeReport, ActError>,
}

/// A completed change, verified with the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeReport {
    pub id: SegmentId,
    /// Messages without a final period, safe to print. The first describes the change.
    pub messages: Vec<String>,
    /// The action that reverts the change. It has to be planned again for the current state of the
    /// segment.
    pub undo: Option<Action>,
    /// Guards against a later segment with the same name or shmid.
    pub identity: Option<Identity>,
    /// The copy of a removed segment, for [`restore`](super::restore()).
    pub copy: Option<PathBuf>,
}

impl ChangeReport {
    pub(super) fn new(id: SegmentId, messages: impl Into<String>) -> Self {
        Self { id, messages: vec![messages.into()], undo: None, identity: None, copy: None }
    }

    /// Returns the command that undoes a removal, quoted for a shell.
    #[must_use]
    pub fn undo_command(&self) -> Option<String> {
        self.copy.as_deref().map(|copy| format!("shmlens restore {}", quote_path(copy)))
    }

    /// Returns the command that reverts a change of mode or owner, or removes a segment that was
    /// created.
    #[must_use]
    pub fn undo_text(&self) -> Option<String> {
        self.undo.as_ref().and_then(|undo| undo.command(&self.id))
    }

    /// Returns the messages as a single line, with the command that undoes the change.
    #[must_use]
    pub fn text(&self) -> String {
        let messages = self.messages.join("; ");
        match self.undo_command() {
            None => messages,
            Some(command) => format!("{messages}; undo: {command}"),
        }
    }

    pub(super) fn undone_by(mut self, undo: Action) -> Self {
        self.undo = Some(undo);
        self
    }
}
