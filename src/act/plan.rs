//! Plans: the expected effects of a change in words, and the reason for a refusal.

use super::{Action, Copies, NewSegment};
use crate::segment::{Bytes, Segment};

/// The options of a change beyond the action itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
pub struct Options {
    /// Acts although the segment is held, protected, or not known to be free. The user requested
    /// this for this particular segment.
    pub force: bool,
    /// Refuses all changes (`--read-only`, or the setting in the configuration file).
    pub read_only: bool,
    /// Set in a large batch of removals. A System V segment is then not attached for its removal,
    /// because that would take twice as long as removing it. The check right before the removal has
    /// to suffice, see [`apply`](super::apply()).
    pub many: bool,
    /// The number of other names of the same object that the same command removes before this one.
    pub links_gone: u32,
    /// Set for removals by `clean`, which the log records under that name.
    pub clean: bool,
}

impl Options {
    /// Returns the remedy after a holder has appeared.
    pub(super) const fn again(self) -> &'static str {
        if self.clean { "Run clean again" } else { "Try again" }
    }
}

/// The task of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Change a segment from a survey.
    Change { segment: Box<Segment>, action: Action },
    /// Create a segment.
    Create(NewSegment),
}

impl Task {
    /// Returns the name of the task on the command line, in the log and in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Change { action, .. } => action.word(),
            Self::Create(_) => "create",
        }
    }
}

/// The undo information of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// There is nothing to undo.
    Nothing,
    /// The change can be undone with this command, which is quoted for a shell.
    Yes(String),
    /// The change cannot be undone, for this reason.
    No(String),
}

/// The reason why a plan is not carried out, with a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub reason: String,
    pub remedy: String,
    /// Set if [`Options::force`] overrides the refusal.
    pub forceable: bool,
}

impl Refusal {
    /// Returns a refusal that `--force` does not override.
    #[must_use]
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: remedy.into(), forceable: false }
    }

    /// Returns the reason and the remedy as sentences.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}. {}", self.reason, self.remedy)
    }

    /// Returns the refusal for a segment that was already removed and exists only until its last
    /// holder detaches.
    #[must_use]
    pub fn no_name(segment: &Segment) -> Self {
        let who = segment.holders_text(3);
        let (who, detach) = match segment.holder_count() {
            Some(1) if !who.is_empty() && segment.unseen() == 0 => (who, "detaches"),
            _ if who.is_empty() || segment.unseen() > 0 => ("its last holder".to_owned(), "detaches"),
            _ => (who, "detach"),
        };
        Self::new("already removed", format!("Its memory is freed when {who} {detach}"))
    }

    /// Returns the refusal of all changes.
    #[must_use]
    pub fn read_only() -> Self {
        Self::new(
            "changes are disabled (read-only)",
            "Omit --read-only, and set read-only = false in the config file",
        )
    }
}

/// The expected effects of a change, and whether it can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub task: Task,
    pub options: Options,
    /// The expected effects: sentences without a period, safe to print.
    pub will: Vec<String>,
    pub undo: Undo,
    /// The refusal. A plan with a refusal is not carried out.
    pub refusal: Option<Refusal>,
    /// The reason of a refusal that `--force` overrode.
    pub overridden: Option<String>,
    /// Set if the plan is refused because the segment is already gone.
    pub gone: bool,
    /// Set if the plan is refused only because no copy can be saved.
    pub needs_no_copy: bool,
    /// The amount of memory that is freed immediately.
    pub frees: Bytes,
    /// The index of the first sentence about copies in `will`.
    pub copies_at: Option<usize>,
    /// The copies that the removal adds one to, with the older ones that it may delete.
    pub copies: Option<Copies>,
}

impl Plan {
    pub(super) const fn new(task: Task, options: Options) -> Self {
        Self {
            task,
            options,
            will: vec![],
            undo: Undo::Nothing,
            refusal: None,
            overridden: None,
            gone: false,
            needs_no_copy: false,
            frees: Bytes(0),
            copies_at: None,
            copies: None,
        }
    }

    /// Returns the effects on the segment and the effects on copies.
    #[must_use]
    pub fn effects(&self) -> (&[String], &[String]) {
        self.will.split_at(self.copies_at.unwrap_or(self.will.len()))
    }

    /// Refuses because no copy can be saved, unless there is another refusal.
    pub fn refuse_without_copy(&mut self, refusal: &Refusal) {
        self.refuse(refusal.clone());
        self.needs_no_copy = self.refusal.as_ref() == Some(refusal);
    }

    /// Returns the segment to change or create, as a string for messages.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.task {
            Task::Change { segment, .. } => segment.id.to_string(),
            Task::Create(new) => new.subject(),
        }
    }

    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        self.will.push(sentence.into());
    }

    /// Refuses the plan. The first refusal is reported; with [`Options::force`], refusals that it
    /// overrides do not count.
    pub(super) fn refuse(&mut self, refusal: Refusal) {
        if refusal.forceable && self.options.force {
            self.overridden.get_or_insert(refusal.reason);
            return;
        }
        // A refusal that `--force` cannot override outranks one that it can.
        match &self.refusal {
            Some(first) if !first.forceable || refusal.forceable => {}
            _ => self.refusal = Some(refusal),
        }
    }
}
