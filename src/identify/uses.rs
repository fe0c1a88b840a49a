//! Looks through our own attachments: reading a System V segment may attach it, which replaces the pid and the
//! times of its last use, and a verdict depends on those.

use super::{Before, Created, Life, Living, Seen};
use crate::machine::Machine;
use crate::segment::{Facts, Segment, Times};
use crate::survey::Survey;

/// Runs of this program that attached a segment one after the other, at most.
const MOST: usize = 16;

/// The last use of a segment as the kernel tells it.
pub struct Told {
    at: usize,
    last_pid: u32,
    times: Times,
}

/// Gives each segment that this program used last the last use before that. Returns what the kernel tells.
pub fn look_through(
    log: &dyn Created,
    machine: &dyn Machine,
    living: &Living<'_>,
    survey: &mut Survey,
) -> Vec<Told> {
    let own = machine.own_pid();
    let now = survey.at;
    let mut replaced = vec![];
    for (at, segment) in survey.segments.iter_mut().enumerate() {
        let Some(told) = segment.sysv().map(|facts| facts.last_pid).filter(|&pid| pid != 0) else { continue };
        // An earlier run has ended, unless its pid passed to another process, or it still shows the segment.
        let is_run = |pid: u32, segment: &Segment| {
            let used = segment.times.attach.max(segment.times.detach);
            pid == own
                || match living.of(pid, Seen::Here, used) {
                    Life::Lives(process) => *process.command == *b"shmlens",
                    _ => true,
                }
        };
        let mut found: Option<Before> = None;
        for _ in 0..MOST {
            let pid = found.map_or(told, |before| before.last.pid);
            match log.before(machine, segment, pid, now) {
                Some(before) if is_run(pid, segment) => found = Some(before),
                _ => break,
            }
        }
        let Some(Before { last, trusted }) = found else { continue };
        // That nobody used it before is not taken from another user.
        if !trusted && last.pid == 0 {
            continue;
        }
        replaced.push(Told { at, last_pid: told, times: segment.times });
        if trusted {
            (segment.times.attach, segment.times.detach) = (last.attach, last.detach);
        }
        set_last_pid(segment, last.pid);
    }
    replaced
}

/// Gives the segments back what the kernel tells, for the verdicts are made.
pub fn restore(survey: &mut Survey, replaced: Vec<Told>) {
    for Told { at, last_pid, times } in replaced {
        let segment = &mut survey.segments[at];
        segment.times = times;
        set_last_pid(segment, last_pid);
        segment
            .verdict
            .reasons
            .push("shmlens attached it since; its last use before that was noted and counts".to_owned());
    }
}

fn set_last_pid(segment: &mut Segment, pid: u32) {
    if let Facts::Sysv(facts) = &mut segment.facts {
        facts.last_pid = pid;
    }
}
