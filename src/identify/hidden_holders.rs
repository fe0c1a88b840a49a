//! Looks for hidden holders of a POSIX object without known holders: some processes cannot
//! be examined, and a descriptor in transit belongs to no process.

use super::leases::{Lease, Leases};
use crate::segment::{Segment, State, Verdict, shell_quote};
use crate::survey::{Coverage, Holdings};

/// The conclusion about an object without known holders.
#[derive(Debug)]
pub enum Conclusion {
    /// The object has no holders. Contains the steps that prove it.
    Unheld(Vec<String>),
    /// A holder is invisible. Contains the verdict.
    Held(Verdict),
    /// A lease was not requested because the object was used too recently. Contains the steps so
    /// far.
    TooFresh(Vec<String>),
    /// The holders are unknown. Contains the verdict.
    Unknown(Verdict),
}

/// Draws a conclusion about an object's holders from the process scan and a lease.
pub fn check(segment: &Segment, holdings: &Holdings, leases: &Leases<'_>) -> Conclusion {
    let coverage = &holdings.coverage;
    let checked = checked_step(segment, holdings);
    let lease = leases.request(segment, holdings);
    if !holdings.private && lease != Lease::Granted {
        leases.require_private_scan();
    }
    let missing = || format!("no holders found, but {}", list_missing(coverage));
    match (lease, checked) {
        (Lease::Refused, Some(checked)) => Conclusion::Held(holder_not_visible(checked)),
        (Lease::Refused, None) if holdings.private && coverage.unreadable > 0 && !leases.is_root() => {
            let step = "open or mapped by a process that you cannot inspect. Run as root to see it";
            let others = "otherwise a descriptor in transit or a loop device";
            Conclusion::Held(Verdict::new(State::Unknown, step).with_reason(others).with_reason(REFUSED))
        }
        (Lease::Refused, None) if holdings.private => {
            let missing = list_missing(coverage);
            Conclusion::Held(holder_not_visible(format!("or a process that is not visible: {missing}")))
        }
        (Lease::Refused, None) => {
            Conclusion::Held(holder_not_visible("or a private mapping, which was not checked".to_owned()))
        }
        (Lease::Granted, Some(checked)) => Conclusion::Unheld(vec![checked, GRANTED.to_owned()]),
        (Lease::Granted, None) => Conclusion::Unheld(vec![GRANTED.to_owned()]),
        (Lease::TooFresh | Lease::Unavailable, Some(checked)) => Conclusion::Unheld(vec![checked]),
        _ if !holdings.private => Conclusion::Unknown(Verdict::new(
            State::Unknown,
            "no holders found, but private mappings have not been checked yet",
        )),
        // If even the users of the other processes are unknown, the scan itself failed.
        (Lease::TooFresh, None) if coverage.failed.is_none() && !coverage.users.contains(&None) => {
            Conclusion::TooFresh(vec![missing(), leases.deferred_step()])
        }
        (_, None) if leases.is_inaccessible(segment) => {
            let id = shell_quote(segment.id.to_string().as_bytes());
            let step = format!("you cannot open it to ask the kernel: run `shmlens chmod u+r {id}` first");
            Conclusion::Unknown(Verdict::new(State::Unknown, missing()).with_reason(step))
        }
        (_, None) => {
            Conclusion::Unknown(Verdict::new(State::Unknown, missing()).with_reason(remedy(coverage, leases)))
        }
    }
}

const GRANTED: &str = "not open or mapped: the kernel granted a write lease (F_SETLEASE), which proves it";
const REFUSED: &str = "the kernel refused a write lease (F_SETLEASE): it is open or mapped elsewhere";

/// Returns the verdict on an object that has a holder according to the kernel.
fn holder_not_visible(step: String) -> Verdict {
    let reason = "holder not visible: descriptor in transit, loop device or another pid namespace";
    Verdict::new(State::Unknown, reason).with_reason(step).with_reason(REFUSED)
}

/// Returns the step that lists the checked processes, if no other process can open the object.
fn checked_step(segment: &Segment, holdings: &Holdings) -> Option<String> {
    let coverage = &holdings.coverage;
    if !holdings.private {
        return None;
    }
    // Leaves out the number of processes, which changes with every scan.
    if coverage.is_whole() {
        return Some(
            "not open, mapped or locked: all processes checked (/proc/PID/maps, /proc/PID/fd, /proc/locks)"
                .to_owned(),
        );
    }
    let owner = segment.owner.user_text();
    coverage.proves_unheld(segment).then(|| {
        format!(
            "not open, mapped or locked: only {owner} can open it (mode {}), and all processes of {owner} \
             and root were checked (/proc/PID/maps, /proc/PID/fd, /proc/locks)",
            segment.mode
        )
    })
}

/// Names the processes that could not be examined.
fn list_missing(coverage: &Coverage) -> String {
    let mut parts = vec![];
    if coverage.unreadable > 0 {
        parts.push("some processes cannot be inspected");
    }
    if coverage.visibility.hides {
        parts.push("/proc hides processes of other users (hidepid)");
    }
    if coverage.visibility.outside {
        parts.push("processes outside this pid namespace are not visible");
    }
    parts.extend(coverage.failed.as_deref());
    parts.join(", and ")
}

fn remedy(coverage: &Coverage, leases: &Leases<'_>) -> &'static str {
    match (coverage.visibility.outside, leases.is_root()) {
        _ if coverage.failed.is_some() => "run again when that is solved",
        (true, _) => "run on the host as root to see all processes",
        (false, false) => "run as root to see all processes",
        (false, true) => "not even root can inspect them: a sandbox or security module forbids it",
    }
}
