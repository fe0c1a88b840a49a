//! The live strip: the contents of the selected segment, as far as they can be read without a
//! trace.

use super::inspect::Glow;
use super::segment_map::SegmentMap;
use crate::engine::{Clock, Look, Unread};

#[derive(Debug, Clone, Default)]
pub struct Strip {
    /// The last preview; `None` before the first.
    pub last: Option<Result<Box<Look>, Unread>>,
    pub map: SegmentMap,
    pub glow: Glow,
    /// The time of the last change.
    changed: Option<Clock>,
    /// The time of the first preview.
    pub started: Option<Clock>,
}

impl Strip {
    pub fn apply(&mut self, look: Result<Box<Look>, Unread>, now: Clock) {
        self.started.get_or_insert(now);
        if let Ok(look) = &look {
            self.glow.changed(&look.changed, now);
            self.map.update(look.map.clone(), now);
            if !look.changed.is_empty() || self.map.since() == Some(now) {
                self.changed = Some(now);
            }
        }
        self.last = Some(look);
    }

    pub fn look(&self) -> Option<&Look> {
        self.last.as_ref()?.as_deref().ok()
    }

    /// The time of the last change, in the preview or anywhere in the map.
    pub const fn since(&self) -> Option<Clock> {
        self.changed
    }
}
