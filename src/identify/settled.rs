//! Whether it is settled that nobody holds a POSIX object: no holder found
//! means little where processes cannot be examined.

use super::proofs::Proofs;
use crate::segment::{Segment, State, Verdict};
use crate::survey::{Coverage, Holdings};

/// The steps that settle it, or the verdict that it is not settled.
pub fn posix(segment: &Segment, holdings: &Holdings, proofs: &Proofs<'_>) -> Result<Vec<String>, Verdict> {
    let coverage = &holdings.coverage;
    if !holdings.private {
        return Err(Verdict::new(
            State::Unknown,
            "no holders found, but private mappings have not been checked yet",
        ));
    }
    // How many processes there are is no part of it: it changes with every look.
    if coverage.is_whole() {
        return Ok(vec![
            "not open, mapped or locked: all processes checked (/proc/PID/maps, /proc/PID/fd, /proc/locks)"
                .to_owned(),
        ]);
    }
    let owner = segment.owner.user_text();
    if coverage.settles(segment) {
        return Ok(vec![format!(
            "not open, mapped or locked: only {owner} can open it (mode {}), and all processes of {owner} \
             and root were checked (/proc/PID/maps, /proc/PID/fd, /proc/locks)",
            segment.mode
        )]);
    }
    let missing = missing(coverage);
    match proofs.ask(segment, holdings) {
        Some(false) => Ok(vec![
            format!("no holders found, but {missing}"),
            "not open or mapped: the kernel granted a write lease (F_SETLEASE), which proves it".to_owned(),
        ]),
        Some(true) => Err(Verdict::new(State::Unknown, "open or mapped by a process that is not visible")
            .because(format!("no holders found, but {missing}"))
            .because("the kernel refused a write lease (F_SETLEASE): it is open or mapped elsewhere")),
        None => Err(Verdict::new(State::Unknown, format!("no holders found, but {missing}"))
            .because(remedy(coverage, proofs.by_root()))),
    }
}

/// What could not be examined.
fn missing(coverage: &Coverage) -> String {
    let mut parts = vec![];
    if coverage.unreadable > 0 {
        parts.push("some processes cannot be inspected");
    }
    if coverage.visibility.hides {
        parts.push("/proc hides processes of other users (hidepid)");
    }
    if coverage.visibility.outside {
        parts.push("processes outside this pid namespace cannot be seen");
    }
    parts.extend(coverage.failed.as_deref());
    parts.join(", and ")
}

fn remedy(coverage: &Coverage, root: bool) -> &'static str {
    match (coverage.visibility.outside, root) {
        (true, _) => "run on the host as root to see all processes",
        (false, false) => "run as root to see all processes",
        (false, true) => {
            "not even root can inspect them: a sandbox or security module forbids it. shmlens asks the kernel \
             for a write lease once the object has been unused for a minute"
        }
    }
}
