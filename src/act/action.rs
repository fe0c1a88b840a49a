//! The actions on a segment, as plain data.

use super::ModeChange;
use crate::machine::Machine;
use crate::segment::{SegmentId, escape, shell_quote};
use std::fmt;
use std::path::PathBuf;

/// An action on an existing segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Set the permission bits: `IPC_SET`, `chmod(2)`.
    SetMode(ModeChange),
    /// Set owner and group: `IPC_SET`, `chown(2)`.
    SetOwner(OwnerChange),
    /// Set mode, owner and group, for System V in a single `IPC_SET`.
    SetModeAndOwner(ModeChange, OwnerChange),
    /// Lock the segment in memory: `SHM_LOCK`.
    Lock,
    /// Let the segment be swapped out again: `SHM_UNLOCK`.
    Unlock,
    /// Remove the segment: `IPC_RMID`, `shm_unlink(3)`.
    Remove(Copying),
}

/// The destination of the copy that a removal saves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copying {
    /// Save a copy among the [`Copies`](super::Copies) of the plan. Nothing is removed if that
    /// fails.
    Keep,
    /// Save a copy to a new file. Nothing is removed if that fails.
    To(PathBuf),
    /// Save no copy: the contents are lost.
    Without,
}

impl Action {
    /// Returns the name of the subcommand.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::SetMode(_) => "chmod",
            Self::SetOwner(_) => "chown",
            Self::SetModeAndOwner(..) => "chmod chown",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Remove(_) => "rm",
        }
    }

    /// Returns the verb for headings and keys.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::SetMode(_) | Self::SetOwner(_) | Self::SetModeAndOwner(..) => "change",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Remove(_) => "remove",
        }
    }

    /// Returns the command line for the action, quoted for a shell. Returns `None` if the action
    /// takes more than one command.
    #[must_use]
    pub fn command(&self, id: &SegmentId) -> Option<String> {
        let segment = shell_quote(id.to_string().as_bytes());
        match self {
            Self::SetMode(mode) => Some(format!("shmlens chmod {mode} {segment}")),
            Self::SetOwner(owner) => Some(format!("shmlens chown {owner} {segment}")),
            Self::SetModeAndOwner(mode, owner) => {
                Some(format!("shmlens chown {owner} {segment} && shmlens chmod {mode} {segment}"))
            }
            Self::Lock => Some(format!("shmlens lock {segment}")),
            Self::Unlock => Some(format!("shmlens unlock {segment}")),
            Self::Remove(_) => Some(format!("shmlens rm {segment}")),
        }
    }
}

impl fmt::Display for OwnerChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |id: Option<u32>| id.map_or_else(String::new, |id| id.to_string());
        match self.gid {
            None => f.write_str(&text(self.uid)),
            gid => write!(f, "{}:{}", text(self.uid), text(gid)),
        }
    }
}

/// A new owner, a new group, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnerChange {
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseOwnerError {
    #[error("no user named '{}'; a numeric id works too", escape(.0.as_bytes()))]
    User(String),
    #[error("no group named '{}'; a numeric id works too", escape(.0.as_bytes()))]
    Group(String),
    /// Neither a user nor a group was given.
    #[error("invalid owner '{}': expected USER, USER:GROUP or :GROUP", escape(.0.as_bytes()))]
    Empty(String),
}

impl OwnerChange {
    /// Parses `USER`, `USER:GROUP`, `:GROUP`, and `USER:` for the login group of that user, like
    /// `chown(1)`. An existing name takes precedence over an id. Fails if the machine has no such
    /// user or group.
    pub fn parse(machine: &dyn Machine, text: &str) -> Result<Self, ParseOwnerError> {
        let (user, group) = text.split_once(':').map_or((text, None), |(user, group)| (user, Some(group)));
        let by_name = if user.is_empty() { None } else { machine.user_by_name(user) };
        let uid = match (user, by_name) {
            ("", _) => None,
            (_, Some((uid, _))) => Some(uid),
            (number, None) => Some(parse_id(number).ok_or_else(|| ParseOwnerError::User(user.to_owned()))?),
        };
        let gid = match group {
            None => None,
            Some("") => match by_name {
                Some((_, login)) => Some(login),
                None if user.is_empty() => None,
                None => return Err(ParseOwnerError::User(user.to_owned())),
            },
            Some(name) => Some(
                machine
                    .group_by_name(name)
                    .or_else(|| parse_id(name))
                    .ok_or_else(|| ParseOwnerError::Group(name.to_owned()))?,
            ),
        };
        if uid.is_none() && gid.is_none() {
            return Err(ParseOwnerError::Empty(text.to_owned()));
        }
        Ok(Self { uid, gid })
    }
}

/// Parses the id of a user, group or process. Rejects `u32::MAX`, which system calls interpret as
/// "no change".
pub(super) fn parse_id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|&id| id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeMachine;

    #[test]
    fn owners_parse_by_name_and_id() {
        let machine = FakeMachine::new();
        machine.edit(|facts| facts.users.insert(7, "1000".to_owned()));
        let read = |text| OwnerChange::parse(&machine, text).map(|change| (change.uid, change.gid));
        for (text, wanted) in [
            ("ann", (Some(1000), None)),
            ("ann:bob", (Some(1000), Some(1001))),
            ("ann:", (Some(1000), Some(1000))),
            (":bob", (None, Some(1001))),
            ("4242:99", (Some(4242), Some(99))),
            // A user whose name is a number.
            ("1000", (Some(7), None)),
            ("4294967294", (Some(4_294_967_294), None)),
        ] {
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
        for text in ["", ":", "carl", "carl:", "ann:carl", "4294967295", "-1", "+1", "1:2:3", "4242:"] {
            assert!(read(text).is_err(), "{text}");
        }
        let error = OwnerChange::parse(&machine, "\x1b[2J").unwrap_err().to_string();
        assert!(!error.contains('\x1b'), "{error}");
    }
}
