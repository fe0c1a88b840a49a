//! What is about to be done, in words, and what stands against it.

use super::{Action, NewSegment};
use crate::segment::{Bytes, Segment};

/// What the person said besides the action itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent of each other")]
pub struct Options {
    /// Do it although the segment is held, protected, or not known to be free:
    /// said for this very segment.
    pub force: bool,
    /// Change nothing at all (`--read-only`, or the line in the settings).
    pub read_only: bool,
    /// One of a great many that are removed in one go: a System V segment is not
    /// attached for that, which would take twice as long as removing it. The look
    /// right before has to do then, see [`apply`](super::apply()).
    pub many: bool,
    /// The number of names of the same object that the same command removes before this one.
    pub links_gone: u32,
    /// Part of `clean`: the log says so.
    pub clean: bool,
}

impl Options {
    /// The remedy when a holder appeared.
    pub(super) const fn again(self) -> &'static str {
        if self.clean { "Run clean again" } else { "Try again" }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// To a segment as it was shown.
    Change {
        /// The segment.
        segment: Box<Segment>,
        /// What to do to it.
        action: Action,
    },
    /// Make one.
    Create(NewSegment),
}

impl Task {
    /// The word that the command line, the record and JSON use.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Change { action, .. } => action.word(),
            Self::Create(_) => "create",
        }
    }
}

/// Whether it can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// There is nothing to take back.
    Nothing,
    /// Yes, and the command that does it, quoted for a shell.
    Yes(String),
    /// No, and why.
    No(String),
}

/// What stands against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why it is not done.
    pub reason: String,
    /// What would help.
    pub remedy: String,
    /// Whether [`Options::force`] lifts it.
    pub forceable: bool,
}

impl Refusal {
    /// Nothing makes it done.
    #[must_use]
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: remedy.into(), forceable: false }
    }

    /// The reason and the remedy.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}. {}", self.reason, self.remedy)
    }

    /// It is in no directory, so that nothing can be done to it by name.
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

    /// Every change is turned off.
    #[must_use]
    pub fn read_only() -> Self {
        Self::new(
            "changes are disabled (read-only)",
            "Omit --read-only, and set read-only = false in the config file",
        )
    }
}

/// What will happen, to whom, and whether it can be undone.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What is to be done.
    pub task: Task,
    /// What the person said besides.
    pub options: Options,
    /// What will happen: a sentence each, without a full stop, safe to print.
    pub will: Vec<String>,
    /// Whether it can be taken back.
    pub undo: Undo,
    /// What stands against it. With one the plan is not carried out.
    pub refusal: Option<Refusal>,
    /// The reason of the refusal that force overrides.
    pub overridden: Option<String>,
    /// The segment is gone already, which is why the plan is refused.
    pub gone: bool,
    /// Whether the refusal is only that no copy can be saved.
    pub needs_no_copy: bool,
    /// The memory that is freed at once.
    pub frees: Bytes,
    /// Where in `will` the sentences about copies begin.
    pub copies_at: Option<usize>,
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
        }
    }

    /// Returns what happens to the segment, and what happens to copies.
    #[must_use]
    pub fn effects(&self) -> (&[String], &[String]) {
        self.will.split_at(self.copies_at.unwrap_or(self.will.len()))
    }

    /// Refuses because no copy can be saved, unless something else stands in the way.
    pub fn refuse_without_copy(&mut self, refusal: &Refusal) {
        self.refuse(refusal.clone());
        self.needs_no_copy = self.refusal.as_ref() == Some(refusal);
    }

    /// What it is done to, as text.
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

    /// The first that stands against it is the one that is told; what force
    /// lifts does not stand where force is given.
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
