//! The maker of a segment.

use super::escape;
use std::sync::Arc;

/// The program that created a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    /// A program or library that the catalog knows.
    Known { id: Arc<str>, name: Arc<[u8]> },
    /// The running creator. A process can choose any name for itself: print [`Maker::name_text`].
    Process(Arc<[u8]>),
    /// A creator that has exited, by pid.
    Exited(u32),
}

impl Maker {
    /// The id in the catalog, `process`, or `gone`.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Known { id, .. } => id,
            Self::Process(_) => "process",
            Self::Exited(_) => "gone",
        }
    }

    fn name(&self) -> &[u8] {
        match self {
            Self::Known { name, .. } | Self::Process(name) => name,
            Self::Exited(_) => b"gone",
        }
    }

    /// Safe to print.
    #[must_use]
    pub fn name_text(&self) -> String {
        escape(self.name())
    }

    /// Returns true if the id or the name contains the text, ignoring case.
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let has = |name: &str| name.to_lowercase().contains(&text);
        !text.is_empty() && (has(self.id()) || has(&String::from_utf8_lossy(self.name())))
    }
}
