//! Another user: uid and gid 65534, no groups, no privileges.

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, getgroups};
use std::ffi::OsStr;
use std::io;
use std::marker::PhantomData;
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// The uid and gid of nobody, a user who owns no files.
pub const NOBODY: u32 = 65534;

/// Returns a command that runs as nobody. Needs root.
///
/// The program is opened here and executed by descriptor, because nobody may not be able to reach
/// its path, such as a build directory below /root. This does not work for scripts.
pub fn as_nobody(program: impl AsRef<Path>, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Command {
    let program = program.as_ref();
    let file = open(program, OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut command = Command::new(format!("/proc/self/fd/{}", file.as_raw_fd()));
    // The standard library drops the groups when root gives up its uid.
    command.arg0(program).args(arguments).uid(NOBODY).gid(NOBODY).current_dir("/");
    // SAFETY: the closure does nothing. It keeps the descriptor open as long as the command lives.
    unsafe {
        command.pre_exec(move || {
            let _ = &file;
            Ok(())
        })
    };
    command
}

/// Limits the locked memory of the command, in bytes.
pub fn limit_locked(command: &mut Command, limit: u64) {
    use nix::sys::resource::{Resource, setrlimit};
    // SAFETY: the closure makes one system call, and allocates nothing.
    unsafe {
        command.pre_exec(move || Ok(setrlimit(Resource::RLIMIT_MEMLOCK, limit, limit)?));
    }
}

/// Makes the current thread run as nobody until it is dropped: effective uid and gid 65534, without
/// groups and capabilities. Other threads are not affected. Needs root.
pub struct Nobody {
    groups: Vec<Gid>,
    this_thread: PhantomData<*const ()>,
}

impl Nobody {
    /// Switches the thread to nobody.
    ///
    /// # Panics
    /// Without root.
    pub fn here() -> Self {
        let groups = getgroups().unwrap();
        set_groups(&[]).unwrap();
        set_effective(libc::SYS_setresgid, NOBODY).unwrap();
        set_effective(libc::SYS_setresuid, NOBODY).unwrap();
        Self { groups, this_thread: PhantomData }
    }
}

impl Drop for Nobody {
    fn drop(&mut self) {
        // In this order, because only root may set the group.
        let back = set_effective(libc::SYS_setresuid, 0)
            .and_then(|()| set_effective(libc::SYS_setresgid, 0))
            .and_then(|()| set_groups(&self.groups));
        if let Err(error) = back {
            eprintln!("this thread stays nobody: {error}");
        }
    }
}

/// Calls `setresuid` or `setresgid` for the effective id of this thread. The functions in the C
/// library change all threads.
fn set_effective(call: libc::c_long, id: u32) -> io::Result<()> {
    const UNCHANGED: libc::c_long = -1;
    // SAFETY: these system calls take three numbers and touch no memory.
    check(unsafe { libc::syscall(call, UNCHANGED, libc::c_long::from(id), UNCHANGED) })
}

fn set_groups(groups: &[Gid]) -> io::Result<()> {
    // SAFETY: the kernel reads that many group numbers; Gid is one, transparently.
    check(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })
}

fn check(result: libc::c_long) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use crate::support::{NOBODY, Namespaces, Nobody, as_nobody, tool};
    use nix::unistd::geteuid;
    use std::fs;
    use std::thread;

    #[test]
    fn command_runs_as_nobody() {
        let Some(_namespaces) = Namespaces::new() else { return };
        let Some(id) = tool("id") else { return };
        let output = as_nobody(id, ["-u"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "65534\n");
        let Some(id) = tool("id") else { return };
        let output = as_nobody(id, ["-G"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "65534\n");
    }

    #[test]
    fn thread_becomes_nobody_temporarily() {
        let Some(_namespaces) = Namespaces::new() else { return };
        let nobody = Nobody::here();
        assert_eq!(geteuid().as_raw(), NOBODY);
        assert!(fs::read("/proc/1/environ").is_err() && fs::read_dir("/proc/1/fd").is_err());
        let other = thread::spawn(|| geteuid().as_raw());
        // A thread inherits the credentials of its creator.
        assert_eq!(other.join().unwrap(), NOBODY);
        drop(nobody);
        assert!(geteuid().is_root());
        assert!(fs::read_dir("/proc/1/fd").is_ok());
    }
}
