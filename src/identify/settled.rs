//! Whether it is settled that nobody holds a POSIX object: no holder found
//! means little where processes cannot be examined.

use super::proofs::Proofs;
use crate::segment::{Segment, State, Verdict};
use crate::survey::{Coverage, Holdings};

/// The steps that settle it, or the verdict that it is not settled.
pub fn posix(segment: &Segment, holdings: &Holdings, proofs: &Proofs<'_>) -> Result<Vec<String>, Verdict> {
    let coverage = &holdings.coverage;
    if !holdings.private {
        return Err(Verdict::new(State::Unknown, "nobody has it open or mapped as shared memory")
            .because("private mappings have not been looked for yet"));
    }
    // How many processes there are is no part of it: it changes with every look.
    if coverage.is_whole() {
        return Ok(vec![
            "nobody has it open, mapped or locked: every process was examined (/proc/PID/maps, /proc/PID/fd, \
             /proc/locks)"
                .to_owned(),
        ]);
    }
    let owner = segment.owner.user_text();
    if coverage.settles(segment) {
        return Ok(vec![format!(
            "nobody has it open, mapped or locked: only {owner} can open it (mode {}), and every process of {owner} \
             and root was examined (/proc/PID/maps, /proc/PID/fd, /proc/locks)",
            segment.mode
        )]);
    }
    let missing = missing(coverage);
    match proofs.ask(segment, holdings) {
        Some(false) => Ok(vec![
            format!("nobody was found holding it, though {missing}"),
            "nobody has it open or mapped: the kernel gives a lease on it (F_SETLEASE), as it does only then"
                .to_owned(),
        ]),
        Some(true) => Err(Verdict::new(State::Unknown, "somebody whom we cannot see has it open or mapped")
            .because(format!("nobody was found holding it, but {missing}"))
            .because("the kernel gives no lease on it (F_SETLEASE): it is open elsewhere")),
        None => Err(Verdict::new(State::Unknown, format!("nobody was found holding it, but {missing}"))
            .because(remedy(coverage, proofs.by_root()))),
    }
}

/// What could not be examined.
fn missing(coverage: &Coverage) -> String {
    let mut parts = vec![];
    if coverage.unreadable > 0 {
        parts.push("there are processes that cannot be examined here");
    }
    if coverage.visibility.hides {
        parts.push("/proc hides the processes of others (hidepid)");
    }
    if coverage.visibility.outside {
        parts.push("processes outside of this pid namespace cannot be seen");
    }
    parts.extend(coverage.failed.as_deref());
    parts.join(", and ")
}

fn remedy(coverage: &Coverage, root: bool) -> &'static str {
    match (coverage.visibility.outside, root) {
        (true, _) => "run it outside of the container, as root, to be sure",
        (false, false) => "run as root to see all of them",
        (false, true) => {
            "root may not either: a sandbox or security module forbids it. Left alone for a minute, \
                          the kernel itself is asked"
        }
    }
}
