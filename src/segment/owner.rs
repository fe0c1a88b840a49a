//! The owner of a segment: ids, and names where they exist.

use super::escape;
use std::sync::Arc;

/// A user and a group. The names come from the user database of the system and may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub uid: u32,
    /// The name of the user, if the uid has one.
    pub user: Option<Arc<str>>,
    pub gid: u32,
    /// The name of the group, if the gid has one.
    pub group: Option<Arc<str>>,
}

impl Owner {
    /// The name of the user, or the uid if there is no name; safe to print.
    #[must_use]
    pub fn user_text(&self) -> String {
        text(self.user.as_deref(), self.uid)
    }

    /// The name of the group, or the gid if there is no name; safe to print.
    #[must_use]
    pub fn group_text(&self) -> String {
        text(self.group.as_deref(), self.gid)
    }
}

fn text(name: Option<&str>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), |name| escape(name.as_bytes()))
}
