//! Our own holds on segments: those that stay attached, and the one that is open.

use super::list::List;
use crate::act::Hold;
use crate::engine::Clock;

/// The overlay.
#[derive(Debug, Clone, Default)]
pub struct Holds {
    /// What the kernel says of each; `None` until it was asked.
    pub holds: Option<Vec<Hold>>,
    /// Since when the answer is shown.
    pub since: Clock,
    /// The selected one.
    pub list: List,
    /// Whether they are being let go.
    pub acting: bool,
}

impl Holds {
    /// Those that are shown.
    #[must_use]
    pub fn shown(&self) -> &[Hold] {
        self.holds.as_deref().unwrap_or_default()
    }

    /// The heading.
    #[must_use]
    pub fn title(&self) -> String {
        match self.shown() {
            [] => "Attachments of shmlens".to_owned(),
            all => format!("Attachments of shmlens: {}", all.len()),
        }
    }

    /// How many of them go when we let go of them.
    #[must_use]
    pub fn last(&self) -> usize {
        self.shown().iter().filter(|hold| hold.is_last()).count()
    }
}
