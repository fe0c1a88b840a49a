//! Whether it is settled that nobody holds a POSIX object: no holder found
//! means little where processes cannot be examined.

use crate::segment::{Segment, State, Verdict};
use crate::survey::{Coverage, Holdings};

/// The bits that let anybody but the owner open it. Where there is an access
/// control list, those of the group are the most that it gives anybody.
const OTHERS: u32 = 0o077;

/// The steps that settle it, or the verdict that it is not settled.
pub fn posix(segment: &Segment, holdings: &Holdings) -> Result<Vec<String>, Verdict> {
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
    if segment.mode.bits() & OTHERS == 0 && coverage.holds_all_of(segment.owner.uid) {
        return Ok(vec![format!(
            "nobody has it open, mapped or locked: only {owner} can open it (mode {}), and every process of {owner} \
             and root was examined (/proc/PID/maps, /proc/PID/fd, /proc/locks)",
            segment.mode
        )]);
    }
    Err(Verdict::new(State::Unknown, format!("nobody was found holding it, but {}", missing(coverage)))
        .because(remedy(coverage)))
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
    if coverage.blind {
        parts.push("the list of processes, or that of locks, could not be read");
    }
    parts.join(", and ")
}

fn remedy(coverage: &Coverage) -> &'static str {
    if coverage.visibility.outside {
        "run it outside of the container, as root, to be sure"
    } else {
        "run as root to see all of them"
    }
}
