//! Who made a segment, as far as it can be told.

use super::escape;
use std::sync::Arc;

/// A maker of segments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Maker {
    /// Which rule of the catalogue knows it; `process` for a process that
    /// lives and is known by its pid alone.
    pub id: Arc<str>,
    /// What it is called. A process may have given itself any name, of any
    /// bytes: print [`Maker::name_text`].
    pub name: Arc<[u8]>,
}

impl Maker {
    /// What it is called, safe to print.
    #[must_use]
    pub fn name_text(&self) -> String {
        escape(&self.name)
    }

    /// Whether a text means it: the id, or a part of the id or the name. Case
    /// does not matter.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let has = |name: &str| name.to_lowercase().contains(&text);
        !text.is_empty() && (has(&self.id) || has(&String::from_utf8_lossy(&self.name)))
    }
}
