//! What a process has open: `/proc/PID/fd` (`proc_pid_fd(5)`). Each entry is
//! looked at as the very file that it stands for; none is opened.

use super::{Proc, maps};
use crate::machine::process::{Object, Place, Use, Wanted};
use crate::segment::Access;
use crate::sys::{statx_at, statx_link};
use nix::dir::Dir;
use nix::fcntl::{OFlag, readlinkat};
use nix::sys::stat::Mode;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

/// Adds the descriptors of a process; `path` is below `/proc`.
///
/// # Errors
/// `ENOENT` when it is gone, `EACCES`.
pub fn find(proc: &Proc, path: &str, wanted: Wanted, uses: &mut Vec<Use>) -> io::Result<()> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut directory = Dir::openat(proc.fd(), format!("{path}/fd").as_str(), flags, Mode::empty())?;
    let again = directory.as_fd().try_clone_to_owned()?;
    for entry in directory.iter() {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_bytes().starts_with(b".") {
            // One that was closed meanwhile is nothing.
            uses.extend(of(again.as_fd(), name, wanted));
        }
    }
    Ok(())
}

fn of(directory: BorrowedFd<'_>, name: &CStr, wanted: Wanted) -> Option<Use> {
    let stat = statx_link(directory, name).ok()?;
    let of = if Some(stat.device) == wanted.devices.objects {
        stat.is_regular().then_some(Object::File { device: stat.device, inode: stat.inode })?
    } else if Some(stat.device) == wanted.devices.sysv {
        let target = readlinkat(directory, name).ok()?;
        let shmid = i32::try_from(stat.inode).ok()?;
        maps::is_sysv(target.as_bytes()).then_some(Object::Sysv(shmid))?
    } else {
        return None;
    };
    // The permission bits of the link are how the file was opened.
    let link = statx_at(directory, name).ok()?;
    let number = name.to_str().ok()?.parse().ok()?;
    Some(Use {
        of,
        access: if link.mode & 0o200 != 0 { Access::ReadWrite } else { Access::Read },
        private: false,
        place: Place::Descriptor(number),
        reaches: stat.size,
    })
}
