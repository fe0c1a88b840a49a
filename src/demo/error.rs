//! What can go wrong with the demo's world, in words.

use crate::segment::{Bytes, SegmentId, plain_error};
use std::io;

/// Why the demo's world could not be made, or not be removed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Changes are turned off.
    #[error(
        "the demo creates segments, but changes are turned off (read-only). \
             Run without --read-only and without read-only in the config"
    )]
    ReadOnly,
    /// A System V segment could not be made.
    #[error("the demo cannot make a System V segment of {size}: {}", sysv_reason(.source))]
    Sysv {
        /// How large it was to be.
        size: Bytes,
        /// What the kernel said.
        source: io::Error,
    },
    /// A POSIX object could not be made.
    #[error("the demo cannot make {id}: {}", posix_reason(.source))]
    Posix {
        /// What it was to be called.
        id: SegmentId,
        /// What the kernel said.
        source: io::Error,
    },
    /// Every name and key that it may use is taken.
    #[error(
        "the demo finds no free names: {tried} keys and names like {example} are taken; \
             remove what is called so below /dev/shm, and what has such keys"
    )]
    Taken {
        /// How many were tried.
        tried: u32,
        /// The last of them.
        example: String,
    },
    /// `/proc` does not tell about this process.
    #[error("the demo cannot read /proc/self, which tells who it is ({}); mount /proc", plain_error(.0))]
    Myself(#[source] io::Error),
    /// No thread, or no signal handler, to be had.
    #[error("the demo cannot start ({}); see the limit on processes with `ulimit -u`", plain_error(.0))]
    Start(#[source] io::Error),
    /// Printing failed.
    #[error("the demo cannot print what it made: {}", plain_error(.0))]
    Print(#[source] io::Error),
    /// Something that the demo made could not be removed.
    #[error("{id}, which the demo made, is still there: {}. `{}` removes it", plain_error(.source), remedy(.id))]
    Left {
        /// Which.
        id: SegmentId,
        /// What the kernel said.
        source: io::Error,
    },
}

impl DemoError {
    /// Whether it is only that nobody reads the output any more, as in `| head`.
    #[must_use]
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn sysv_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSPC) => "every id or page that System V segments may have is in use; \
                               `shmlens limits` shows how many there are"
            .to_owned(),
        Some(libc::ENOSYS) => "this kernel, or this container, has no System V shared memory".to_owned(),
        Some(libc::EINVAL) => "it is larger than kernel.shmmax allows".to_owned(),
        Some(libc::EPERM | libc::EACCES) => "a security policy of this machine forbids it".to_owned(),
        _ => common_reason(error),
    }
}

fn posix_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => {
            "/dev/shm is full; `shmlens limits` shows its size, and what is in it can be removed".to_owned()
        }
        Some(libc::ENOENT) => "there is no /dev/shm; mount a tmpfs there".to_owned(),
        Some(libc::EACCES | libc::EPERM) => {
            "you may not write to /dev/shm, whose mode should be 1777".to_owned()
        }
        Some(libc::EROFS) => "/dev/shm is mounted read-only".to_owned(),
        _ => common_reason(error),
    }
}

fn common_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOMEM) => "there is not enough memory".to_owned(),
        Some(libc::EAGAIN) => "your limit of processes is reached (`ulimit -u`)".to_owned(),
        Some(libc::EMFILE | libc::ENFILE) => "too many files are open (`ulimit -n`)".to_owned(),
        _ => plain_error(error),
    }
}

fn remedy(id: &SegmentId) -> String {
    match id {
        SegmentId::Sysv(shmid) => format!("ipcrm -m {shmid}"),
        SegmentId::Posix(name) => format!("rm /dev/shm{name}"),
        SegmentId::Deleted { .. } => "end who holds it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_say_what_and_why_and_what_helps() {
        let error = |errno| io::Error::from_raw_os_error(errno);
        let id: SegmentId = "posix:/demo-7-list".parse().unwrap();
        assert_eq!(
            DemoError::Posix { id: id.clone(), source: error(libc::ENOSPC) }.to_string(),
            "the demo cannot make posix:/demo-7-list: /dev/shm is full; \
             `shmlens limits` shows its size, and what is in it can be removed"
        );
        assert_eq!(
            DemoError::Sysv { size: Bytes(376), source: error(libc::ENOSYS) }.to_string(),
            "the demo cannot make a System V segment of 376 B: \
             this kernel, or this container, has no System V shared memory"
        );
        let left = DemoError::Left { id, source: io::Error::other("it is guarded") };
        assert!(left.to_string().ends_with("`rm /dev/shm/demo-7-list` removes it"), "{left}");
    }
}
