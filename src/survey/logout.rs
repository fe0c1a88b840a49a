//! The removal of segments at logout. With `RemoveIPC=yes`, the default, systemd-logind removes the
//! segments of an ordinary user when the last session of that user ends (`logind.conf(5)`). It
//! skips attached System V segments and unlinks all POSIX objects, held or not
//! (`src/shared/clean-ipc.c`).

use super::{Limits, Survey};
use crate::segment::{Facts, Owner, Segment, State};
use std::collections::BTreeMap;

/// The lowest uid of ordinary users (`uid_is_system` in systemd).
const FIRST_USER_UID: u32 = 1000;
/// `nobody`, which never logs in.
const NOBODY_UID: u32 = 65534;

/// Warns that a segment will be removed when its owner logs out, and explains how to avoid that. A
/// message without a final period, safe to print.
#[must_use]
pub fn at_logout(segment: &Segment, limits: &Limits) -> Option<String> {
    if !is_removed_at_logout(segment, limits) {
        return None;
    }
    let user = segment.owner.user_text();
    let message = match segment.facts {
        Facts::Sysv(_) => "removes it, unless attached,",
        Facts::Posix(_) => "unlinks it, even if in use,",
    };
    Some(format!(
        "systemd {message} when the last session of {user} ends (RemoveIPC=yes). To keep it, set RemoveIPC=no \
         in logind.conf or run `loginctl enable-linger {user}`"
    ))
}

/// Names the users whose segments are removed at logout.
#[must_use]
pub fn logouts(survey: &Survey) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for segment in survey.segments.iter().filter(|segment| is_removed_at_logout(segment, &survey.limits)) {
        *counts.entry(segment.owner.user_text()).or_default() += 1;
    }
    let users: Vec<String> = counts.iter().map(|(user, count)| format!("{user} has {count}")).collect();
    (!users.is_empty()).then(|| {
        format!("systemd removes segments of ordinary users at logout (RemoveIPC=yes): {}", users.join(", "))
    })
}

/// Returns true if systemd removes a segment at logout. Segments marked for removal disappear with
/// their holders anyway.
fn is_removed_at_logout(segment: &Segment, limits: &Limits) -> bool {
    limits.remove_ipc == Some(true) && is_ordinary(&segment.owner) && segment.verdict.state != State::Removed
}

/// Returns true if systemd removes segments of this user. A user without a name cannot log in.
pub fn is_ordinary(owner: &Owner) -> bool {
    owner.user.is_some() && owner.uid >= FIRST_USER_UID && owner.uid != NOBODY_UID
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Verdict;
    use crate::survey::Names;

    #[test]
    fn systemd_removes_segments_of_ordinary_users_only_if_configured() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::hole(1));
        for (shmid, uid) in [(1, 1000), (2, 0), (3, 999), (4, 65534), (5, 4242)] {
            let index = machine.add_sysv(shmid, 0, FakeBytes::hole(1));
            machine.edit(|facts| facts.sysv[index].row.uid = uid);
        }
        machine.edit(|facts| facts.users.extend([(999, "mail".into()), (65534, "nobody".into())]));
        for (setting, taken) in [(None, 0), (Some(false), 0), (Some(true), 2)] {
            machine.edit(|facts| facts.limits.remove_ipc = setting);
            let survey = Survey::take(&machine, &mut Names::default());
            let warnings: Vec<String> =
                survey.segments.iter().filter_map(|one| at_logout(one, &survey.limits)).collect();
            assert_eq!(warnings.len(), taken, "{setting:?}");
            assert_eq!(logouts(&survey).is_some(), taken > 0);
            let mut removed = survey.clone();
            for segment in &mut removed.segments {
                segment.verdict = Verdict::new(State::Removed, "removed");
            }
            assert_eq!(logouts(&removed), None);
            if let [sysv, posix] = warnings.as_slice() {
                assert!(sysv.contains("unless attached") && sysv.contains("enable-linger ann"));
                assert!(posix.contains("unlinks it, even if in use"), "{posix}");
                assert!(logouts(&survey).unwrap().ends_with("(RemoveIPC=yes): ann has 2"));
            }
        }
    }
}
