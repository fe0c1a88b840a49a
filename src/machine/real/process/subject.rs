//! A process under examination, represented by its open directory in `/proc`: if the pid is reused,
//! the directory becomes empty instead of showing the new process.

use super::stat::{self, Stat};
use super::{Proc, command};
use crate::machine::process::{Process, ProcessId, ScanOptions};
use crate::sys;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

/// The buffer size, which fits the status file of any process.
const BUFFER_SIZE: usize = 4096;

/// A process, or a thread of one.
pub struct Subject(OwnedFd);

impl Subject {
    /// Opens `path`, relative to `/proc`.
    pub fn open(proc: &Proc, path: &str) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self(openat(proc.fd(), path, flags, Mode::empty())?))
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Opens a file of the process for reading.
    ///
    /// # Errors
    /// `ESRCH` or `ENOENT` if the process is gone, `EACCES`, `EMFILE`.
    pub fn open_file(&self, name: &CStr, flags: OFlag) -> io::Result<OwnedFd> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | flags;
        Ok(openat(&self.0, name, flags, Mode::empty())?)
    }

    /// Reads a file that the kernel writes in a single chunk.
    pub fn read(&self, name: &CStr) -> io::Result<Vec<u8>> {
        let file = self.open_file(name, OFlag::empty())?;
        let mut bytes = vec![0; BUFFER_SIZE];
        let mut filled = 0;
        loop {
            let count = nix::unistd::read(&file, &mut bytes[filled..])?;
            filled += count;
            // A short read marks the end.
            if filled < bytes.len() {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            bytes.resize(2 * filled, 0);
        }
    }

    pub fn stat(&self) -> io::Result<Stat> {
        Stat::parse(&self.read(c"stat")?).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Returns the number of threads in its `task` directory.
    pub fn threads(&self) -> u32 {
        // Like every directory, it has two more links than subdirectories.
        sys::statx_at(self.fd(), c"task").map_or(1, |stat| stat.links.saturating_sub(2))
    }

    /// Returns true if the process's System V segments are in the wanted namespace: shmids are only
    /// unique within an IPC namespace. A process that changed namespaces after attaching cannot be
    /// detected.
    pub fn sees(&self, wanted: &ScanOptions) -> bool {
        let namespace = sys::statx_link(self.fd(), c"ns/ipc");
        namespace.is_ok_and(|stat| Some(stat.inode) == wanted.segment_devices.namespace)
    }

    /// Returns the public facts of the process.
    pub fn process(&self, pid: u32) -> io::Result<Process> {
        let stat = self.stat()?;
        // The owner of the directory is the effective user, or root if the process is nondumpable.
        let owner = sys::statx_fd(self.fd())?;
        Ok(Process {
            id: ProcessId { pid, start: stat.start },
            command: command::name(&stat.command, || self.read(c"cmdline").ok()).into(),
            uid: owner.uid,
            gid: owner.gid,
            started: stat::start_time(stat.start),
            // The first thread may have exited while others run.
            ended: stat.ended && self.threads() <= 1,
        })
    }
}

/// Returns true if the process no longer exists.
pub fn is_gone(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH))
}

/// Returns true if shmlens is out of descriptors or memory.
pub fn is_exhausted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}
