//! What users and groups are called, asked once and remembered.

use crate::machine::Machine;
use crate::segment::{Owner, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// How long an answer is believed, in seconds: a user may be added or renamed,
/// and a user database on a network must not be asked every second.
const BELIEVED: f64 = 60.0;

/// The names that were asked for.
#[derive(Debug, Default)]
pub struct Names {
    users: HashMap<u32, Option<Arc<str>>>,
    groups: HashMap<u32, Option<Arc<str>>>,
    since: Option<Timestamp>,
}

impl Names {
    /// A survey begins: forgets what is too old.
    pub fn begin(&mut self, now: Timestamp) {
        if self.since.is_none_or(|since| !(0.0..BELIEVED).contains(&now.seconds_since(since))) {
            self.users.clear();
            self.groups.clear();
            self.since = Some(now);
        }
    }

    /// The owner with these numbers, with the names they have.
    pub fn owner(&mut self, machine: &dyn Machine, uid: u32, gid: u32) -> Owner {
        let user = self.users.entry(uid).or_insert_with(|| machine.user_name(uid).map(Into::into)).clone();
        let group = self.groups.entry(gid).or_insert_with(|| machine.group_name(gid).map(Into::into)).clone();
        Owner { uid, user, gid, group }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeMachine;

    #[test]
    fn an_answer_is_believed_for_a_minute() {
        let machine = FakeMachine::new();
        let mut names = Names::default();
        let mut ann = |seconds: i64| {
            names.begin(Timestamp::from_seconds(seconds));
            names.owner(&machine, 1000, 1000).user_text()
        };
        assert_eq!(ann(1000), "ann");
        machine.edit(|facts| facts.users.insert(1000, "anna".to_owned()));
        assert_eq!((ann(1059), ann(1060)), ("ann".to_owned(), "anna".to_owned()));
        machine.edit(|facts| facts.users.insert(1000, "ann".to_owned()));
        assert_eq!(ann(1000), "ann", "the clock was set back");
    }
}
