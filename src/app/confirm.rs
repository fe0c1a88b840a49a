//! What is about to be done, shown before it is: nothing happens without a yes
//! to exactly these plans.

use super::event::Clock;
use super::sentence::name_of;
use crate::act::{Action, Copying, Plan, Task};
use crate::segment::Segment;
use std::time::Duration;

/// So long a confirmation takes no key, so that one typed ahead confirms nothing.
pub const DEAF: Duration = Duration::from_millis(150);

/// What a person wants done. How exactly, and what stands against it, is for
/// the plan to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Keep it in memory.
    Lock,
    /// Let it be swapped out again.
    Unlock,
    /// Remove it.
    Remove {
        /// With a copy that brings it back.
        copy: bool,
    },
    /// Set its permission bits, its owner and group, or all of them.
    Access(Action),
}

/// Something wanted of one segment.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The segment, as it is shown.
    pub segment: Box<Segment>,
    /// What is wanted.
    pub wanted: Wanted,
    /// Although it is held, or not known to be free: said for this very segment.
    pub force: bool,
}

/// The overlay.
#[derive(Debug, Clone)]
pub struct Confirm {
    /// What is wanted, of which segments.
    pub wishes: Vec<Wish>,
    /// The plans for them; empty until they are made.
    pub plans: Vec<Plan>,
    /// Since when they are shown.
    pub since: Clock,
    /// Which one is selected.
    pub selected: usize,
    /// Whether they are being carried out.
    pub acting: bool,
    /// The plans are those of other wishes: new ones are on their way.
    pub stale: bool,
}

impl Wanted {
    /// The verb of the heading and of the key that acts.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Remove { .. } => "remove",
            Self::Access(_) => "change",
        }
    }
}

impl Confirm {
    /// Not planned yet.
    #[must_use]
    pub const fn new(wishes: Vec<Wish>, now: Clock) -> Self {
        Self { wishes, plans: vec![], since: now, selected: 0, acting: false, stale: false }
    }

    /// The heading: the act and the object.
    #[must_use]
    pub fn title(&self) -> String {
        let verb = self.verb();
        let act: String =
            verb.chars().take(1).flat_map(char::to_uppercase).chain(verb.chars().skip(1)).collect();
        match self.wishes.as_slice() {
            [one] => format!("{act} {}", name_of(&one.segment.id)),
            many => format!("{act} {} segments", many.len()),
        }
    }

    /// What is done to them.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        self.wishes.first().map_or("", |wish| wish.wanted.verb())
    }

    /// Whether a copy is kept; `None` where there is nothing to copy.
    #[must_use]
    pub fn copies(&self) -> Option<bool> {
        match self.wishes.first()?.wanted {
            Wanted::Remove { copy } => Some(copy),
            _ => None,
        }
    }

    /// How many would be done.
    #[must_use]
    pub fn doable(&self) -> usize {
        self.plans.iter().filter(|plan| plan.refusal.is_none()).count()
    }

    /// Whether the selected one has its word of force.
    #[must_use]
    pub fn is_forced(&self) -> bool {
        self.wishes.get(self.selected).is_some_and(|wish| wish.force)
    }

    /// Whether the selected one waits for a word of force, or has it.
    #[must_use]
    pub fn can_force(&self) -> bool {
        self.is_forced()
            || self
                .plans
                .get(self.selected)
                .and_then(|plan| plan.refusal.as_ref())
                .is_some_and(|refusal| refusal.forceable)
    }

    /// Whether these plans are for these wishes.
    #[must_use]
    pub fn fits(&self, plans: &[Plan]) -> bool {
        plans.len() == self.wishes.len()
            && plans.iter().zip(&self.wishes).all(|(plan, wish)| match &plan.task {
                Task::Change { segment, action } => {
                    // Where no copy can be kept, the plan says so and is refused.
                    let copies = match (&wish.wanted, action) {
                        (Wanted::Remove { copy }, Action::Remove(copying)) => {
                            *copy != matches!(copying, Copying::Without) || plan.refusal.is_some()
                        }
                        _ => true,
                    };
                    segment.id == wish.segment.id && plan.options.force == wish.force && copies
                }
                Task::Create(_) => false,
            })
    }
}
