//! What came of a plan.

use super::{ActError, Action};
use crate::segment::{Identity, SegmentId, quote_path};
use std::path::PathBuf;

/// The result of one plan.
#[derive(Debug)]
pub struct Outcome {
    /// What it was done to, as text.
    pub subject: String,
    /// Which action, in the word of the command line.
    pub action: &'static str,
    /// What was done, or why not.
    pub result: Result<Done, ActError>,
}

/// What was done, as the kernel says afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// To which segment; the new one, when it was made.
    pub id: SegmentId,
    /// In words: sentences without a full stop, safe to print. The first says what was done.
    pub said: Vec<String>,
    /// What takes it back, planned anew on the segment as it is now.
    pub undo: Option<Action>,
    /// What tells the segment from another one that has its name or shmid by then.
    pub identity: Option<Identity>,
    /// The file that [`restore`](super::restore()) brings it back from, when it was removed.
    pub copy: Option<PathBuf>,
}

impl Done {
    pub(super) fn new(id: SegmentId, said: impl Into<String>) -> Self {
        Self { id, said: vec![said.into()], undo: None, identity: None, copy: None }
    }

    /// The command that takes a removal back, quoted for a shell.
    #[must_use]
    pub fn undo_command(&self) -> Option<String> {
        self.copy.as_deref().map(|copy| format!("shmlens restore {}", quote_path(copy)))
    }

    /// The command that changes mode and owner back, or removes what was created.
    #[must_use]
    pub fn undo_text(&self) -> Option<String> {
        self.undo.as_ref().and_then(|undo| undo.command(&self.id))
    }

    /// The result in one line, with the command that takes it back.
    #[must_use]
    pub fn text(&self) -> String {
        let said = self.said.join("; ");
        match self.undo_command() {
            None => said,
            Some(command) => format!("{said}; undo: {command}"),
        }
    }

    pub(super) fn undone_by(mut self, undo: Action) -> Self {
        self.undo = Some(undo);
        self
    }
}
