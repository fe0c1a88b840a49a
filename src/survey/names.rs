//! A cache of user and group names.

use crate::machine::Machine;
use crate::segment::{Owner, Timestamp};
use std::collections::HashMap;
use std::sync::Arc;

/// The lifetime of an entry in seconds. Users can be renamed, but a network user database must not
/// be queried every second.
const LIFETIME_SECONDS: f64 = 60.0;

#[derive(Debug, Default)]
pub struct Names {
    users: HashMap<u32, Option<Arc<str>>>,
    groups: HashMap<u32, Option<Arc<str>>>,
    since: Option<Timestamp>,
}

impl Names {
    /// Drops old entries at the start of a survey.
    pub fn begin(&mut self, now: Timestamp) {
        if self.since.is_none_or(|since| !(0.0..LIFETIME_SECONDS).contains(&now.seconds_since(since))) {
            self.users.clear();
            self.groups.clear();
            self.since = Some(now);
        }
    }

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
    fn name_is_cached_for_a_minute() {
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
