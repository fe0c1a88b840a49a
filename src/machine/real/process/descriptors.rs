//! The open files of a process: `/proc/PID/fd` (`proc_pid_fd(5)`). Checks the file behind each
//! entry without opening it.

use super::subject::{self, Subject};
use super::{Proc, maps};
use crate::machine::process::{Claim, Object, ScanOptions, Use};
use crate::segment::{Access, Place};
use crate::sys::entries::{Buffer, for_each};
use crate::sys::running::share_descriptors;
use crate::sys::{FileStat, statx_at, statx_link};
use nix::fcntl::{OFlag, readlinkat};
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

/// Adds the descriptors of all threads of a process. Threads share a table unless one called
/// `unshare(2)` with `CLONE_FILES`.
pub fn find(
    proc: &Proc,
    pid: u32,
    subject: &Subject,
    wanted: &ScanOptions,
    uses: &mut Vec<Use>,
) -> io::Result<()> {
    find_in_table(subject, wanted, uses)?;
    if subject.threads() > 1 {
        find_in_threads(proc, pid, subject, vec![pid], wanted, uses)?;
    }
    Ok(())
}

/// Adds the descriptors of the process's threads, except threads that share a table with one of
/// `known`.
pub fn find_in_threads(
    proc: &Proc,
    pid: u32,
    subject: &Subject,
    mut known: Vec<u32>,
    wanted: &ScanOptions,
    uses: &mut Vec<Use>,
) -> io::Result<()> {
    let mut threads: Vec<u32> = vec![];
    let tasks = subject.open_file(c"task", OFlag::O_DIRECTORY)?;
    for_each(tasks.as_fd(), &mut Buffer::default(), |_, name| threads.extend(number(name)))?;
    for thread in threads.into_iter().filter(|&thread| thread != pid) {
        let shares = shares_with_any(&known, thread);
        if shares == Some(true) {
            continue;
        }
        known.push(thread);
        let mut own = vec![];
        match Subject::open(proc, &format!("{pid}/task/{thread}")) {
            Ok(subject) => find_in_table(&subject, wanted, &mut own)?,
            Err(error) if subject::is_gone(&error) => {}
            Err(error) => return Err(error),
        }
        // If sharing is unknown, assume that the same number and object mean the same descriptor.
        own.retain(|one| shares == Some(false) || !uses.contains(one));
        uses.append(&mut own);
    }
    Ok(())
}

/// Returns true if a thread shares its descriptors with one of `known`. `None` if that cannot be
/// determined: the kernel has no `kcmp`, a seccomp filter forbids it, or the ids belong to another
/// pid namespace.
fn shares_with_any(known: &[u32], thread: u32) -> Option<bool> {
    if !Proc::is_ours() {
        return None;
    }
    let mut shares = Some(false);
    for &other in known {
        match share_descriptors(other, thread) {
            Ok(true) => return Some(true),
            Ok(false) => {}
            Err(_) => shares = None,
        }
    }
    shares
}

fn find_in_table(subject: &Subject, wanted: &ScanOptions, uses: &mut Vec<Use>) -> io::Result<()> {
    let directory = subject.open_file(c"fd", OFlag::O_DIRECTORY)?;
    let mut failed = None;
    for_each(directory.as_fd(), &mut Buffer::default(), |_, name| {
        match statx_link(directory.as_fd(), name) {
            Ok(stat) => uses.extend(of(subject, directory.as_fd(), name, &stat, wanted)),
            // The descriptor may have been closed in the meantime.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {}
            Err(error) => failed = Some(error),
        }
    })?;
    failed.map_or(Ok(()), Err)
}

fn of(
    subject: &Subject,
    directory: BorrowedFd<'_>,
    name: &CStr,
    stat: &FileStat,
    wanted: &ScanOptions,
) -> Option<Use> {
    let (of, claim) = if Some(stat.device) == wanted.segment_devices.objects {
        (stat.is_regular().then_some(Object::File { device: stat.device, inode: stat.inode })?, None)
    } else if wanted.segment_devices.sysv.contains(&stat.device) {
        let target = readlinkat(directory, name).ok()?;
        let shmid = i32::try_from(stat.inode).ok()?;
        let key = maps::sysv_key(target.as_bytes()).filter(|_| subject.sees(wanted))?;
        let normal_pages = wanted.segment_devices.sysv.first() == Some(&stat.device);
        (Object::Sysv(shmid), Some(Claim { key, normal_pages, here: true }))
    } else {
        return None;
    };
    // The permission bits of the link show the access mode of the descriptor.
    let link = statx_at(directory, name).ok()?;
    Some(Use {
        of,
        access: if link.mode & 0o200 != 0 { Access::ReadWrite } else { Access::Read },
        private: false,
        place: Place::Descriptor(i32::try_from(number(name)?).ok()?),
        reaches: stat.size,
        claim,
    })
}

fn number(name: &CStr) -> Option<u32> {
    name.to_str().ok()?.parse().ok()
}
