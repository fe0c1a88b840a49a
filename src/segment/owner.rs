//! The owner of a segment: ids, and names where they exist.

use super::escape;
use std::sync::Arc;

/// A user and a group. The names come from the user database of the system and may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    /// `None` if the uid has no name.
    pub user: Option<Arc<str>>,
    pub gid: u32,
    /// `None` if the gid has no name.
    pub group: Option<Arc<str>>,
}

impl Owner {
    /// The user's name or the uid, safe to print.
    #[must_use]
    pub fn user_text(&self) -> String {
        text(self.user.as_deref(), self.uid)
    }

    /// The group's name or the gid, safe to print.
    #[must_use]
    pub fn group_text(&self) -> String {
        text(self.group.as_deref(), self.gid)
    }
}

fn text(name: Option<&str>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), |name| escape(name.as_bytes()))
}
