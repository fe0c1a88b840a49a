//! The live strip: the contents of the selected segment, as far as they can be read without a
//! trace.

mod fields;

pub use fields::StripFields;

use super::inspect::Glow;
use super::segment_map::SegmentMap;
use crate::engine::{Clock, Look, Unread};

#[derive(Debug, Clone, Default)]
pub struct Strip {
    /// The last preview; `None` before the first.
    pub last: Option<Result<Box<Look>, Unread>>,
    pub map: SegmentMap,
    pub glow: Glow,
    /// The first fields, if the type is certain.
    pub fields: Option<StripFields>,
    /// The time of the last change.
    changed: Option<Clock>,
    /// The time of the first preview.
    pub started: Option<Clock>,
}

impl Strip {
    /// Takes a preview. Returns true if its type is unknown or wrong, and ought to be found again.
    pub fn apply(&mut self, look: Result<Box<Look>, Unread>, now: Clock) -> bool {
        self.started.get_or_insert(now);
        let mut is_outdated = false;
        if let Ok(look) = &look {
            self.glow.changed(&look.changed, now);
            self.map.update(look.map.clone(), now);
            if !look.changed.is_empty() || self.map.since() == Some(now) {
                self.changed = Some(now);
                is_outdated = self.fields.is_none();
            }
            match self.fields.as_mut().map(|fields| fields.apply(look)) {
                Some(Ok(changed)) if !changed.is_empty() => {
                    self.glow.changed(&changed, now);
                    self.changed = Some(now);
                }
                Some(Err(_)) => {
                    self.fields = None;
                    is_outdated = true;
                }
                _ => {}
            }
        } else {
            self.fields = None;
        }
        self.last = Some(look);
        is_outdated
    }

    pub fn look(&self) -> Option<&Look> {
        self.last.as_ref()?.as_deref().ok()
    }

    /// The time of the last change, in the preview or anywhere in the map.
    pub const fn since(&self) -> Option<Clock> {
        self.changed
    }
}
