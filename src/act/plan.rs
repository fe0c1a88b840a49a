//! Plans: the predicted effects of a change, or the reason why it is refused.

use super::{Action, Copies, NewSegment};
use crate::segment::{Bytes, Segment};

/// The options of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
pub struct Options {
    /// Acts even if the segment is held, protected or not known to be free. The user confirmed this
    /// for this particular segment.
    pub force: bool,
    /// Refuses all changes (`--read-only`, or the setting in the configuration file).
    pub read_only: bool,
    /// Set for a large batch of removals. System V segments are then not attached before their
    /// removal, which would take twice as long: the check right before the removal has to suffice,
    /// see [`apply`](super::apply()).
    pub bulk: bool,
    /// Other names of the same object that the same command removes before this one.
    pub links_removed: u32,
    /// Set for removals by `clean`, which the log records under that name.
    pub clean: bool,
}

impl Options {
    /// Returns the remedy after a holder has appeared.
    pub(super) const fn remedy_for_new_holder(self) -> &'static str {
        if self.clean { "Run clean again" } else { "Try again" }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Change a segment from a survey.
    Change {
        segment: Box<Segment>,
        action: Action,
    },
    Create(NewSegment),
}

impl Task {
    /// Returns the subcommand, as in the log and in JSON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Change { action, .. } => action.name(),
            Self::Create(_) => "create",
        }
    }
}

/// The way to undo a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    Nothing,
    /// Undone with this command, quoted for a shell.
    Yes(String),
    /// Irreversible, for this reason.
    No(String),
}

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

    #[must_use]
    pub fn message(&self) -> String {
        format!("{}. {}", self.reason, self.remedy)
    }

    /// Refuses to remove a segment that is already removed and exists only until its last holder
    /// detaches.
    #[must_use]
    pub fn no_name(segment: &Segment) -> Self {
        let holders = segment.holders_text(3);
        let (holders, detach) = match segment.holder_count() {
            Some(1) if !holders.is_empty() && segment.unseen() == 0 => (holders, "detaches"),
            _ if holders.is_empty() || segment.unseen() > 0 => ("its last holder".to_owned(), "detaches"),
            _ => (holders, "detach"),
        };
        Self::new("already removed", format!("Its memory is freed when {holders} {detach}"))
    }

    #[must_use]
    pub fn read_only() -> Self {
        Self::new(
            "changes are disabled (read-only)",
            "Omit --read-only, and set read-only = false in the config file",
        )
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub task: Task,
    pub options: Options,
    /// The predicted effects, without a final period, safe to print.
    pub effects: Vec<String>,
    pub undo: Undo,
    pub refusal: Option<Refusal>,
    /// The reason for a refusal that `--force` overrode.
    pub overridden: Option<String>,
    /// Set if the plan is refused because the segment is already gone.
    pub gone: bool,
    /// Set if the only obstacle is that no copy can be saved.
    pub needs_no_copy: bool,
    /// Memory that is freed immediately.
    pub frees: Bytes,
    /// The index in `effects` of the first effect on copies.
    pub copies_at: Option<usize>,
    /// The existing copies. The removal adds a copy, and may delete older ones.
    pub copies: Option<Copies>,
}

impl Plan {
    pub(super) const fn new(task: Task, options: Options) -> Self {
        Self {
            task,
            options,
            effects: vec![],
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

    /// Splits the effects into those on the segment and those on copies.
    #[must_use]
    pub fn split_effects(&self) -> (&[String], &[String]) {
        self.effects.split_at(self.copies_at.unwrap_or(self.effects.len()))
    }

    /// Refuses because no copy can be saved, unless there is another refusal.
    pub fn refuse_without_copy(&mut self, refusal: &Refusal) {
        self.refuse(refusal.clone());
        self.needs_no_copy = self.refusal.as_ref() == Some(refusal);
    }

    #[must_use]
    pub fn subject(&self) -> String {
        match &self.task {
            Task::Change { segment, .. } => segment.id.to_string(),
            Task::Create(new) => new.subject(),
        }
    }

    pub(super) fn add_effect(&mut self, sentence: impl Into<String>) {
        self.effects.push(sentence.into());
    }

    /// Refuses the plan. The first refusal is reported. [`Options::force`] ignores refusals that it
    /// overrides.
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
