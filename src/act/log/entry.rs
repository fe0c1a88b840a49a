//! Entries of the change log.

use crate::machine::Machine;
use crate::segment::{ObjectName, Timestamp, unescape};
use serde::{Deserialize, Serialize};

/// The maximum length of a logged result, in bytes.
pub(super) const MAX_RESULT: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The time of the change, RFC 3339 in UTC.
    pub time: String,
    /// The user name, or the UID if the user has no name.
    pub user: String,
    pub action: String,
    pub segment: String,
    pub done: bool,
    pub result: String,
    /// The creating or restoring process's pid, which the kernel records for
    /// System V segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The birth time of the POSIX object that was created or restored, RFC 3339 in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<String>,
}

impl Entry {
    /// Creates an entry for a change that the current user made just now.
    #[must_use]
    pub fn new(
        machine: &dyn Machine,
        action: &str,
        segment: impl Into<String>,
        done: bool,
        result: impl Into<String>,
    ) -> Self {
        Self::by(user(machine), machine, action, segment.into(), done, result.into())
    }

    pub(super) fn by(
        user: String,
        machine: &dyn Machine,
        action: &str,
        segment: String,
        done: bool,
        mut result: String,
    ) -> Self {
        let makes = done && matches!(action, "create" | "restore");
        let birth = makes.then(|| birth(machine, &segment)).flatten().map(rfc3339);
        while result.len() > MAX_RESULT {
            result.pop();
        }
        Self {
            time: rfc3339(machine.now()),
            user,
            action: action.to_owned(),
            segment,
            done,
            result,
            pid: makes.then(std::process::id),
            birth,
        }
    }
}

pub fn user(machine: &dyn Machine) -> String {
    let uid = machine.effective_uid();
    machine.user_name(uid).unwrap_or_else(|| uid.to_string())
}

/// Returns the birth time of the POSIX object with this id.
fn birth(machine: &dyn Machine, id: &str) -> Option<Timestamp> {
    let name = unescape(id.strip_prefix("posix:/")?);
    machine.stat_object(&ObjectName::new(&name)?).ok()?.birth
}

fn rfc3339(time: Timestamp) -> String {
    let nanos = i32::try_from(time.nanos).unwrap_or(0);
    jiff::Timestamp::new(time.seconds, nanos).unwrap_or_default().to_string()
}
