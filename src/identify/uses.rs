//! Hides our own attachments: attaching a System V segment overwrites the pid and the times of its
//! last use, and verdicts depend on those.

use super::{CreationLog, PidNamespace, PreviousUse, ProcessState, ProcessStates};
use crate::machine::Machine;
use crate::segment::{Facts, Segment, Times};
use crate::survey::Survey;

/// Consecutive shmlens runs to look back.
const MAX_RUNS: usize = 16;

/// The last use of a segment according to the kernel.
pub struct ReportedUse {
    index: usize,
    last_pid: u32,
    times: Times,
}

/// Replaces the last use of each segment by the use before shmlens attached it. Returns the
/// original values.
pub fn hide_own(
    log: &dyn CreationLog,
    machine: &dyn Machine,
    states: &ProcessStates<'_>,
    survey: &mut Survey,
) -> Vec<ReportedUse> {
    let own_pid = machine.own_pid();
    let now = survey.at;
    let mut replaced = vec![];
    for (index, segment) in survey.segments.iter_mut().enumerate() {
        let Some(reported) = segment.sysv().map(|facts| facts.last_pid).filter(|&pid| pid != 0) else {
            continue;
        };
        // The pid belongs to a shmlens run unless another program is running under it now. The run
        // may have exited, or still be open in another terminal.
        let is_run = |pid: u32, segment: &Segment| {
            let used = segment.times.attach.max(segment.times.detach);
            pid == own_pid
                || match states.of(pid, PidNamespace::Ours, used) {
                    ProcessState::Running(process) => *process.command == *b"shmlens",
                    _ => true,
                }
        };
        let mut found: Option<PreviousUse> = None;
        for _ in 0..MAX_RUNS {
            let pid = found.map_or(reported, |before| before.last.pid);
            match log.previous_use(machine, segment, pid, now) {
                Some(before) if is_run(pid, segment) => found = Some(before),
                _ => break,
            }
        }
        let Some(PreviousUse { last, trusted }) = found else { continue };
        // Another user's record that the segment was unused before is not trusted.
        if !trusted && last.pid == 0 {
            continue;
        }
        replaced.push(ReportedUse { index, last_pid: reported, times: segment.times });
        if trusted {
            (segment.times.attach, segment.times.detach) = (last.attach, last.detach);
        }
        set_last_pid(segment, last.pid);
    }
    replaced
}

/// Restores the original values after the verdicts.
pub fn restore(survey: &mut Survey, replaced: Vec<ReportedUse>) {
    for ReportedUse { index, last_pid, times } in replaced {
        let segment = &mut survey.segments[index];
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
