//! Explains why the writes of a thread cannot be watched, and what helps.

use crate::machine::Machine;
use crate::segment::{Holder, escape, plain_error};
use std::io;

/// The largest `kernel.perf_event_paranoid` that lets users watch their own processes. Higher values
/// are those of Debian and Ubuntu.
const MAX_PARANOID: i32 = 2;

/// Explains a failed attempt to watch a process. `None` if the thread has exited.
pub fn text(machine: &dyn Machine, holder: &Holder, error: &io::Error) -> Option<String> {
    let process = format!("{} ({})", escape(&holder.command), holder.pid);
    let code = error.raw_os_error();
    Some(match code {
        Some(libc::ESRCH | libc::ENOENT) if machine.process(holder.pid).is_none() => return None,
        Some(libc::ESRCH) => return None,
        Some(libc::EACCES | libc::EPERM) => denied(machine, holder, &process),
        Some(libc::ENOSPC) => format!(
            "no hardware watchpoints are left for {process}: a debugger or another watch uses them. End that, or watch \
             fewer bytes"
        ),
        Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP | libc::ENOSYS) => {
            "this machine has no hardware watchpoints that the kernel offers: some virtual machines and containers lack \
             them"
                .to_owned()
        }
        Some(libc::ENOBUFS) => format!(
            "no memory may be locked for the records of {process}: raise kernel.perf_event_mlock_kb or the limit of \
             locked memory (ulimit -l), or run as root"
        ),
        Some(libc::EMFILE | libc::ENFILE) => {
            format!("{process} has more threads than this process may open files for: raise the limit (ulimit -n)")
        }
        _ => format!("failed to watch {process}: {}", plain_error(error)),
    })
}

fn denied(machine: &dyn Machine, holder: &Holder, process: &str) -> String {
    let is_root = machine.effective_uid() == 0;
    match machine.perf_event_paranoid() {
        Some(paranoid) if paranoid > MAX_PARANOID && !is_root => format!(
            "kernel.perf_event_paranoid is {paranoid}, which forbids users to watch writes: run as root, or set it to 2 \
             (sysctl kernel.perf_event_paranoid=2)"
        ),
        _ if is_root => format!(
            "the kernel forbids watching {process}: in a container, allow perf_event_open (CAP_PERFMON, and its seccomp \
             profile)"
        ),
        _ if holder.owner.uid == machine.effective_uid() => {
            format!("you may not watch {process}, which has other privileges: run as root")
        }
        _ => {
            format!("you may not watch {process}, which belongs to {}: run as root", holder.owner.user_text())
        }
    }
}
