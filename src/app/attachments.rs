//! The attachments of shmlens itself: kept segments and the open one.

use super::list::List;
use crate::act::OwnAttachment;
use crate::engine::Clock;

#[derive(Debug, Clone, Default)]
pub struct Attachments {
    /// `None` until the kernel has answered.
    pub found: Option<Vec<OwnAttachment>>,
    /// The time when the current list appeared.
    pub since: Clock,
    pub list: List,
    /// Set while detaching.
    pub acting: bool,
}

impl Attachments {
    pub fn shown(&self) -> &[OwnAttachment] {
        self.found.as_deref().unwrap_or_default()
    }

    pub fn title(&self) -> String {
        match self.shown() {
            [] => "Attachments of shmlens".to_owned(),
            all => format!("Attachments of shmlens: {}", all.len()),
        }
    }

    /// Counts the segments that detaching would free.
    pub fn last(&self) -> usize {
        self.shown().iter().filter(|hold| hold.is_last()).count()
    }
}
