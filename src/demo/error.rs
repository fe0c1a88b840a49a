//! Errors of the demo.

use crate::segment::{Bytes, SegmentId, plain_error};
use std::io;

/// The reason why the demo could not be created or removed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(
        "the demo creates segments, but changes are disabled (read-only). Omit --read-only, and set \
             read-only = false in the config file"
    )]
    ReadOnly,
    #[error("failed to create a System V segment of {size} for the demo: {}", sysv_reason(.source))]
    Sysv { size: Bytes, source: io::Error },
    #[error("failed to create {id} for the demo: {}", posix_reason(.source))]
    Posix { id: SegmentId, source: io::Error },
    /// All names and keys that the demo may use are taken.
    #[error(
        "no free name for the demo: {tried} keys and names like {example} are in use. \
             Remove old demo segments with `shmlens clean`"
    )]
    Taken {
        tried: u32,
        /// The last name or key that was tried.
        example: String,
    },
    /// `/proc` has no data on this process.
    #[error("failed to start the demo: cannot read /proc/self ({}). Mount /proc", plain_error(.0))]
    OwnProcess(#[source] io::Error),
    /// Failed to start a thread or to install a signal handler.
    #[error("failed to start the demo: {}. Check the limit on processes with `ulimit -u`", plain_error(.0))]
    Start(#[source] io::Error),
    #[error("failed to print the demo segments: {}", plain_error(.0))]
    Print(#[source] io::Error),
    #[error("failed to remove {id} of the demo: {}. Remove it with `{}`", plain_error(.source), remedy(.id))]
    Left { id: SegmentId, source: io::Error },
}

impl DemoError {
    /// Returns true if the reader closed the output, as in `| head`.
    pub fn is_closed_output(&self) -> bool {
        matches!(self, Self::Print(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn sysv_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSPC) => "all System V ids or pages are in use. \
                               See `shmlens limits`"
            .to_owned(),
        Some(libc::ENOSYS) => "this kernel or container has no System V shared memory".to_owned(),
        Some(libc::EINVAL) => "larger than kernel.shmmax".to_owned(),
        Some(libc::EPERM | libc::EACCES) => "denied by a security policy".to_owned(),
        _ => common_reason(error),
    }
}

fn posix_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => {
            "/dev/shm is full. See `shmlens limits` for its size, and remove segments".to_owned()
        }
        Some(libc::ENOENT) => "/dev/shm does not exist. Mount a tmpfs there".to_owned(),
        Some(libc::EACCES | libc::EPERM) => {
            "no write permission on /dev/shm. Its mode should be 1777".to_owned()
        }
        Some(libc::EROFS) => "/dev/shm is mounted read-only".to_owned(),
        _ => common_reason(error),
    }
}

fn common_reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::ENOMEM) => "not enough memory".to_owned(),
        Some(libc::EAGAIN) => "process limit reached (`ulimit -u`)".to_owned(),
        Some(libc::EMFILE | libc::ENFILE) => "too many open files (`ulimit -n`)".to_owned(),
        _ => plain_error(error),
    }
}

fn remedy(id: &SegmentId) -> String {
    match id {
        SegmentId::Sysv(shmid) => format!("ipcrm -m {shmid}"),
        SegmentId::Posix(name) => format!("rm /dev/shm{name}"),
        SegmentId::Deleted { .. } => "kill its holders".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_a_reason_and_advice() {
        let error = |errno| io::Error::from_raw_os_error(errno);
        let id: SegmentId = "posix:/demo-7-list".parse().unwrap();
        assert_eq!(
            DemoError::Posix { id: id.clone(), source: error(libc::ENOSPC) }.to_string(),
            "failed to create posix:/demo-7-list for the demo: /dev/shm is full. \
             See `shmlens limits` for its size, and remove segments"
        );
        assert_eq!(
            DemoError::Sysv { size: Bytes(376), source: error(libc::ENOSYS) }.to_string(),
            "failed to create a System V segment of 376 B for the demo: \
             this kernel or container has no System V shared memory"
        );
        let left = DemoError::Left { id, source: io::Error::other("guarded") };
        assert!(left.to_string().ends_with("Remove it with `rm /dev/shm/demo-7-list`"), "{left}");
    }
}
