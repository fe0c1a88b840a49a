//! Asks a process that holds a segment to exit: sends `SIGTERM` to the process that the user
//! selected, and briefly waits for the result.

use super::Refusal;
use crate::machine::Machine;
use crate::machine::process::ProcessId;
use crate::segment::{Holder, SegmentId, plain_error};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// The time to wait for a process to exit.
const TIMEOUT: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Termination {
    /// Guards against a reused pid.
    pub process: ProcessId,
    /// The name and pid, as in `writer (4121)`; safe to print.
    pub name: String,
    /// The user that the process runs as; safe to print.
    pub user: String,
    /// The segment that the process held when the dialog was shown.
    pub segment: SegmentId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminateResult {
    Gone,
    /// The process received the signal, but has not exited yet.
    Pending,
}

#[derive(Debug, thiserror::Error)]
pub enum TerminateError {
    #[error("{name} has already exited. Nothing was changed")]
    Gone { name: String },
    #[error("only {} can terminate {name}. {remedy}", if .user == "root" { "root".to_owned() } else { format!("{user} or root") })]
    Denied { name: String, user: String, remedy: String },
    #[error("failed to terminate {name}: {}", plain_error(.source))]
    Failed { name: String, source: io::Error },
}

impl Termination {
    /// Plans to terminate a holder of that segment. Refuses in read-only mode, and for processes
    /// that must never be signaled.
    pub fn of(holder: &Holder, segment: &SegmentId, read_only: bool) -> Result<Self, Refusal> {
        let name = format!("{} ({})", holder.command_text(), holder.pid);
        if read_only {
            return Err(Refusal::read_only());
        }
        if holder.pid == 1 {
            let reason = format!("{name} is the init process: terminating it stops the machine or container");
            return Err(Refusal::new(reason, "Shut down the machine or container instead"));
        }
        if holder.ourselves {
            return Err(Refusal::new(
                format!("{name} is shmlens itself"),
                "Quit, or detach shmlens from its segments",
            ));
        }
        Ok(Self {
            process: ProcessId { pid: holder.pid, start: holder.start },
            name,
            user: holder.owner.user_text(),
            segment: segment.clone(),
        })
    }

    #[must_use]
    pub fn text(&self, ended: TerminateResult) -> String {
        match ended {
            TerminateResult::Gone => format!("{} terminated", self.name),
            TerminateResult::Pending => {
                format!(
                    "sent SIGTERM to {}; still running: it may be cleaning up or ignoring the signal",
                    self.name
                )
            }
        }
    }
}

/// Sends `SIGTERM` to the process, and waits up to a second for it to exit.
pub fn terminate(
    machine: &dyn Machine,
    termination: &Termination,
) -> Result<TerminateResult, TerminateError> {
    let name = || termination.name.clone();
    machine.terminate(&termination.process).map_err(|source| match source.raw_os_error() {
        Some(libc::ESRCH) => TerminateError::Gone { name: name() },
        Some(libc::EPERM) => TerminateError::Denied {
            name: name(),
            user: termination.user.clone(),
            remedy: if termination.user == "root" {
                "Run as root".to_owned()
            } else {
                format!("Run as {} or with sudo", termination.user)
            },
        },
        _ => TerminateError::Failed { name: name(), source },
    })?;
    let started = Instant::now();
    while !has_ended(machine, termination.process) {
        if started.elapsed() > TIMEOUT {
            return Ok(TerminateResult::Pending);
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(TerminateResult::Gone)
}

fn has_ended(machine: &dyn Machine, process: ProcessId) -> bool {
    let now = machine.process(process.pid);
    now.is_none_or(|now| now.id != process || now.ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::{Access, ShmId};
    use crate::survey::{Depth, Holdings, Names, Survey};

    const SEGMENT: SegmentId = SegmentId::Sysv(ShmId(5));

    fn machine() -> FakeMachine {
        let machine = FakeMachine::new();
        machine.add_sysv(5, 0, FakeBytes::hole(100));
        for (pid, command) in [(1, "init"), (7, "writer\x1b[2J"), (9_999_999, "shmlens")] {
            machine.add_process(pid, command);
            machine.attach_in(pid, 5, Access::ReadWrite);
        }
        machine
    }

    fn holder(machine: &FakeMachine, pid: u32) -> Holder {
        let mut names = Names::default();
        let holdings = Holdings::scan(machine, Depth::Shared, &[], &mut names);
        let mut survey = Survey::take(machine, &mut names);
        survey.join(&holdings, machine, &mut names);
        let holders = survey.segments[0].holders.clone().unwrap();
        holders.iter().find(|holder| holder.pid == pid).unwrap().clone()
    }

    #[test]
    fn terminate_spares_a_process_that_reused_the_pid() {
        let machine = machine();
        let termination = Termination::of(&holder(&machine, 7), &SEGMENT, false).unwrap();
        // Another process has reused the pid and must survive.
        machine.end_process(7);
        machine.add_process(7, "other");
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().started.seconds += 60);
        let error = terminate(&machine, &termination).unwrap_err().to_string();
        assert!(error.contains("already exited") && !error.contains('\x1b'), "{error}");
        assert!(machine.edit(|facts| facts.terminated.is_empty() && facts.processes.contains_key(&7)));
        machine.attach_in(7, 5, Access::Read);
        let termination = Termination::of(&holder(&machine, 7), &SEGMENT, false).unwrap();
        assert_eq!(terminate(&machine, &termination).unwrap(), TerminateResult::Gone);
        assert_eq!(machine.edit(|facts| facts.terminated.clone()), [7]);
        assert_eq!(termination.text(TerminateResult::Gone), "other (7) terminated");
    }

    #[test]
    fn refusals_name_the_reason() {
        let machine = machine();
        let refused = |pid, read_only| {
            Termination::of(&holder(&machine, pid), &SEGMENT, read_only).err().map(|refusal| refusal.reason)
        };
        assert!(refused(1, false).unwrap().contains("init process"));
        assert!(refused(9_999_999, false).unwrap().contains("is shmlens itself"));
        assert!(refused(7, true).unwrap().contains("read-only"));
        assert_eq!(refused(7, false), None);
        machine.edit(|facts| facts.effective_uid = 1001);
        let error = terminate(&machine, &Termination::of(&holder(&machine, 7), &SEGMENT, false).unwrap())
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("only ann or root can terminate writer\\x1b[2J (7). Run as ann or with sudo")
        );
        assert!(machine.edit(|facts| facts.terminated.is_empty()));
    }
}
