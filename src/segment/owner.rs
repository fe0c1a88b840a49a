//! Whose a segment is: numbers, and their names where there are any.

use super::escape;
use std::sync::Arc;

/// A user and a group. Ids are 32-bit; names are what the system's user
/// database says, and may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user's number.
    pub uid: u32,
    /// The user's name, if the number has one.
    pub user: Option<Arc<str>>,
    /// The group's number.
    pub gid: u32,
    /// The group's name, if the number has one.
    pub group: Option<Arc<str>>,
}

impl Owner {
    /// The user's name, or the number where there is none; safe to print.
    #[must_use]
    pub fn user_text(&self) -> String {
        text(self.user.as_deref(), self.uid)
    }

    /// The group's name, or the number where there is none; safe to print.
    #[must_use]
    pub fn group_text(&self) -> String {
        text(self.group.as_deref(), self.gid)
    }
}

fn text(name: Option<&str>, number: u32) -> String {
    name.map_or_else(|| number.to_string(), |name| escape(name.as_bytes()))
}
