//! A segment whose maker has died: a child process makes it, fills its
//! beginning, and exits. `fork(2)`, `shmget(2)`, `_exit(2)`.

use super::{check, shm};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, RawFd};

/// A segment that a child made, which is dead by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orphan {
    /// The segment.
    pub shmid: i32,
    /// What its maker's pid was.
    pub maker: u32,
}

/// Has a child process make a segment as [`shm::create`] does, write `content`
/// at its beginning, detach and exit. Returns when the child is gone.
///
/// # Errors
/// As [`shm::create`], as `fork(2)`; `EINTR` when the child was killed before it was done.
pub fn create_in_child(key: u32, size: usize, mode: u32, content: &[u8]) -> io::Result<Orphan> {
    let (mut from_child, to_parent) = io::pipe()?;
    // SAFETY: the child of a program with threads may do only what a signal
    // handler may. It makes system calls, and copies bytes that are there
    // already; it takes no lock, allocates nothing, and leaves by _exit, so
    // that nothing of this process is flushed or dropped twice.
    let pid = check(unsafe { libc::fork() })?;
    if pid == 0 {
        in_child(to_parent.as_raw_fd(), key, size, mode, content);
    }
    drop(to_parent);
    let mut report = Vec::with_capacity(8);
    let read = from_child.read_to_end(&mut report);
    wait_for(pid);
    read?;
    let word = |at: usize| report.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    let (Some(shmid), Some(errno)) = (word(0), word(4)) else {
        return Err(io::Error::from_raw_os_error(libc::EINTR));
    };
    match i32::from_ne_bytes(errno) {
        0 => Ok(Orphan { shmid: i32::from_ne_bytes(shmid), maker: pid.unsigned_abs() }),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// What the child does. Its report is the shmid and the errno, or 0.
fn in_child(report: RawFd, key: u32, size: usize, mode: u32, content: &[u8]) -> ! {
    let outcome = shm::create(key, size, mode).and_then(|shmid| match shm::Attachment::read_write(shmid) {
        Ok(attachment) => {
            if attachment.copy_from(0, content) < content.len() {
                let _ = shm::remove(shmid);
                return Err(io::Error::from_raw_os_error(libc::ENOMEM));
            }
            Ok(shmid)
        }
        Err(error) => {
            let _ = shm::remove(shmid);
            Err(error)
        }
    });
    let (shmid, errno) = match outcome {
        Ok(shmid) => (shmid, 0),
        Err(error) => (-1, error.raw_os_error().unwrap_or(libc::EIO)),
    };
    let mut words = [0; 8];
    words[..4].copy_from_slice(&shmid.to_ne_bytes());
    words[4..].copy_from_slice(&errno.to_ne_bytes());
    // SAFETY: eight bytes of a local buffer, to a descriptor that this process
    // has. Shorter than PIPE_BUF, so it is written whole.
    let _ = unsafe { libc::write(report, words.as_ptr().cast(), words.len()) };
    // SAFETY: _exit ends the process and does not return.
    unsafe { libc::_exit(0) }
}

/// Waits until the child is gone. Where `SIGCHLD` is ignored the kernel
/// collects it, and `waitpid(2)` says `ECHILD` once it has.
fn wait_for(pid: libc::pid_t) {
    loop {
        // SAFETY: a null status pointer means that the status is not wanted.
        match check(unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) }) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_child_is_the_maker_and_is_dead() {
        let orphan = create_in_child(0, 5000, 0o600, b"hello").unwrap();
        let stat = shm::stat(orphan.shmid);
        let mut content = [0; 6];
        let read = shm::Attachment::read_only(orphan.shmid).map(|open| open.copy_to(0, &mut content));
        shm::remove(orphan.shmid).unwrap();
        let stat = stat.unwrap();
        assert_eq!(read.unwrap(), 6);
        assert_eq!(&content, b"hello\0");
        assert_eq!((stat.size, stat.nattch), (5000, 0));
        assert_eq!(stat.creator_pid.unsigned_abs(), orphan.maker);
        assert_ne!(orphan.maker, std::process::id());
        assert!(!std::path::Path::new(&format!("/proc/{}", orphan.maker)).exists());
    }

    #[test]
    fn what_the_kernel_refuses_comes_back() {
        let error = create_in_child(0, 0, 0o600, b"").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    }
}
