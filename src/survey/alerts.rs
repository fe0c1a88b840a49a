//! Alerts about conditions that will soon make programs fail, with the users and processes
//! involved.

use super::usage::{objects, promised_memory};
use super::{DevShmUse, Survey, past_end};
use crate::segment::{Bytes, Holder, Kind, Segment};
use std::collections::BTreeMap;

/// Users that an alert names.
const MAX_NAMED: usize = 3;

/// A limit that is nearly reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The condition, such as `/dev/shm is 95% full, 640 MiB of 12 GiB left`.
    pub message: String,
    /// The users involved, largest first, safe to print.
    pub users: Vec<String>,
    /// Set if immediate attention is needed. The UI shows only urgent alerts, `limits` prints all.
    pub urgent: bool,
}

impl Alert {
    /// Formats the alert with up to `max` users.
    #[must_use]
    pub fn text(&self, max: usize) -> String {
        let users = &self.users[..self.users.len().min(max)];
        if users.is_empty() {
            return self.message.clone();
        }
        // The list follows one sentence after a colon, and several as a sentence of its own.
        let gap = if self.message.contains(". ") { ". " } else { ": " };
        format!("{}{gap}{}", self.message, users.join(", "))
    }
}

/// Returns alerts for limits that are 90% used, an overcommitted `/dev/shm`, and mappings past the
/// end of their objects.
#[must_use]
pub fn alerts(survey: &Survey) -> Vec<Alert> {
    let limits = &survey.limits;
    let mut alerts = vec![];
    if let Some(shm) = &limits.dev_shm {
        if let Some(left) = remaining_if_nearly_full(shm.used.0, shm.size.0) {
            let resident = |segment: &Segment| segment.resident.unwrap_or_default().0;
            let mut users = largest_users(objects(survey), resident, |sum| format!("has {}", Bytes(sum)));
            users.extend(unlinked_text(survey, shm.used));
            let message = match left {
                0 => format!("/dev/shm is full ({}). Writing to new pages fails now", shm.size),
                _ => format!("/dev/shm is nearly full, {} of {} left", Bytes(left), shm.size),
            };
            alerts.push(Alert { message, users, urgent: true });
        }
        if let Some(left) = remaining_if_nearly_full(shm.inodes_used, shm.inodes) {
            let message = match left {
                0 => format!("/dev/shm is out of inodes ({}). Creating an object fails now", shm.inodes),
                _ => format!("/dev/shm is nearly out of inodes, {left} of {} left", shm.inodes),
            };
            alerts.push(Alert {
                message,
                users: largest_users(objects(survey), |_| 1, |sum| format!("has {sum}")),
                urgent: true,
            });
        }
    }
    if let Some((left, max)) =
        limits.shmmni.and_then(|max| Some((remaining_if_nearly_full(limits.sysv_segments, max)?, max)))
    {
        let message = match left {
            0 => format!("System V ids are exhausted ({max}). Creating a segment fails now"),
            _ => format!("System V ids nearly exhausted, {left} of {max} left"),
        };
        alerts.push(Alert {
            message,
            users: largest_users(sysv(survey), |_| 1, |sum| format!("has {sum}")),
            urgent: true,
        });
    }
    if let Some(left) = limits.shmall.and_then(|max| remaining_if_nearly_full(limits.sysv_bytes.0, max.0)) {
        let message = match left {
            0 => "System V memory is exhausted. Creating a segment fails now".to_owned(),
            _ => format!("System V memory nearly exhausted, {} left", Bytes(left)),
        };
        let users =
            largest_users(sysv(survey), |segment| segment.size.0, |sum| format!("has {}", Bytes(sum)));
        alerts.push(Alert { message, users, urgent: true });
    }
    alerts.extend(overcommit_alert(survey));
    alerts.extend(past_end::alert(survey));
    alerts
}

/// Returns an alert if the objects are larger than `/dev/shm` in total. A tmpfs allocates pages on
/// the first write; if there are none left, a write to a mapping raises SIGBUS.
fn overcommit_alert(survey: &Survey) -> Option<Alert> {
    let DevShmUse { size: capacity, used, .. } = survey.limits.dev_shm?;
    let promised = promised_memory(survey);
    if capacity.0 == 0 || promised <= capacity {
        return None;
    }
    let message = format!(
        "/dev/shm is overcommitted, with objects of {promised} in a capacity of {capacity}. Writing raises SIGBUS \
         once it is full"
    );
    let users = largest_users(objects(survey), |segment| segment.size.0, |sum| format!("has {}", Bytes(sum)));
    // Large sparse objects are common, and most are never filled.
    let urgent = used.0 >= capacity.0 / 2;
    Some(Alert { message, users, urgent })
}

/// Returns what is left of a limit that is at least 90% used.
fn remaining_if_nearly_full(used: u64, max: u64) -> Option<u64> {
    (max > 0 && u128::from(used) * 10 >= u128::from(max) * 9).then(|| max.saturating_sub(used))
}

fn sysv(survey: &Survey) -> impl Iterator<Item = &Segment> {
    survey.segments.iter().filter(|segment| segment.kind() == Kind::Sysv)
}

/// Returns the users with the largest sums.
fn largest_users<'a>(
    segments: impl Iterator<Item = &'a Segment>,
    of: impl Fn(&Segment) -> u64,
    words: impl Fn(u64) -> String,
) -> Vec<String> {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for segment in segments {
        let sum = sums.entry(segment.owner.user_text()).or_default();
        *sum = sum.saturating_add(of(segment));
    }
    let mut sums: Vec<(String, u64)> = sums.into_iter().filter(|(_, sum)| *sum > 0).collect();
    sums.sort_by(|(name_a, a), (name_b, b)| b.cmp(a).then_with(|| name_a.cmp(name_b)));
    sums.into_iter().take(MAX_NAMED).map(|(name, sum)| format!("{name} {}", words(sum))).collect()
}

/// Describes the unlinked objects if they take at least a tenth of the used memory.
fn unlinked_text(survey: &Survey, used: Bytes) -> Option<String> {
    let deleted = || survey.segments.iter().filter(|segment| segment.kind() == Kind::Deleted);
    let bytes: Bytes = deleted().filter_map(|segment| segment.resident).sum();
    if u128::from(bytes.0) * 10 < u128::from(used.0) || bytes.0 == 0 {
        return None;
    }
    let largest = deleted().max_by_key(|segment| segment.resident)?;
    let holder = largest.holders.as_deref().unwrap_or_default().first();
    let process = holder.map_or_else(|| "an unknown process".to_owned(), name_holder);
    Some(format!("{bytes} unlinked but still in use, most by {process}"))
}

fn name_holder(holder: &Holder) -> String {
    format!("{} ({})", holder.command_text(), holder.pid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::Access;
    use crate::survey::{Depth, Holdings, Names};

    fn texts(machine: &FakeMachine) -> Vec<String> {
        let mut names = Names::default();
        let holdings = Holdings::scan(machine, Depth::Shared, &[], &mut names);
        let mut survey = Survey::take(machine, &mut names);
        survey.join(&holdings, machine, &mut names);
        alerts(&survey).iter().map(|alert| alert.text(9)).collect()
    }

    #[test]
    fn limit_is_an_alert_from_90_percent_on() {
        let machine = FakeMachine::new();
        for shmid in 0..8 {
            machine.add_sysv(shmid, 0, FakeBytes::full(&[1; 4096]));
        }
        machine.edit(|facts| {
            facts.limits.shmmni = Some(9);
            let shm = facts.limits.dev_shm.as_mut().unwrap();
            (shm.used, shm.inodes, shm.inodes_used) = (Bytes((12 << 30) / 10 * 8), 100, 89);
        });
        assert_eq!(texts(&machine), Vec::<String>::new());
        machine.edit(|facts| facts.limits.shmmni = Some(8));
        assert_eq!(
            texts(&machine),
            ["System V ids are exhausted (8). Creating a segment fails now. ann has 8"]
        );
        // This limit is off.
        machine.edit(|facts| facts.limits.shmmni = Some(0));
        assert_eq!(texts(&machine), Vec::<String>::new());
    }

    #[test]
    fn sizes_beyond_the_capacity_are_an_alert() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::hole(6 << 30));
        machine.add_object("b", FakeBytes::hole(6 << 30));
        assert_eq!(texts(&machine), Vec::<String>::new(), "exactly the capacity");
        machine.add_object("c", FakeBytes::hole(1));
        // A second hard link adds nothing to the total.
        machine.edit(|facts| {
            let object = facts.posix.values().next().unwrap().clone();
            facts.posix.insert(crate::segment::ObjectName::new(b"a2").unwrap(), object);
        });
        assert_eq!(
            texts(&machine),
            [
                "/dev/shm is overcommitted, with objects of 12 GiB in a capacity of 12 GiB. Writing raises SIGBUS \
              once it is full. ann has 12 GiB"
            ]
        );
        // A tmpfs without a limit cannot be overcommitted.
        machine.edit(|facts| facts.limits.dev_shm.as_mut().unwrap().size = Bytes(0));
        assert_eq!(texts(&machine), Vec::<String>::new());
    }

    #[test]
    fn alerts_name_the_largest_users_and_unlinked_objects() {
        let machine = FakeMachine::new();
        for (name, pages) in [("a", 1), ("b", 5), ("c", 3)] {
            machine.add_object(name, FakeBytes::full(&vec![1; pages * 4096]));
        }
        machine.add_sysv(1, 0, FakeBytes::full(&vec![1; 40960]));
        machine.edit(|facts| {
            for (name, object) in &mut facts.posix {
                object.stat.uid = if name.to_string() == "/b" { 1001 } else { 1000 };
            }
            let shm = facts.limits.dev_shm.as_mut().unwrap();
            (shm.size, shm.used) = (Bytes(10 * 4096), Bytes(9 * 4096));
            (shm.inodes, shm.inodes_used) = (4, 4);
            facts.limits.shmall = Some(10);
        });
        machine.add_process(7, "grabber");
        machine.map_in(7, "c", Access::ReadWrite);
        machine.remove_object("c");
        assert_eq!(
            texts(&machine),
            [
                "/dev/shm is nearly full, 4.0 KiB of 40 KiB left: bob has 20 KiB, ann has 16 KiB, \
                 12 KiB unlinked but still in use, most by grabber (7)",
                "/dev/shm is out of inodes (4). Creating an object fails now. ann has 2, bob has 1",
                "System V memory is exhausted. Creating a segment fails now. ann has 40 KiB",
            ]
        );
        // A twelfth of the used memory is not worth mentioning.
        machine.edit(|facts| {
            let shm = facts.limits.dev_shm.as_mut().unwrap();
            (shm.size, shm.used) = (Bytes(36 * 4096), Bytes(36 * 4096));
        });
        assert!(!texts(&machine)[0].contains("unlinked"), "{}", texts(&machine)[0]);
    }
}
