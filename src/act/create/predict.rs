//! Predicts and explains the errors of the kernel for a new segment.

use super::NewSegment;
use crate::act::ActError;
use crate::machine::control::{Capability, NewSysv};
use crate::machine::{LimitFacts, Machine};
use crate::segment::{Bytes, plain_error};
use std::io;

/// The maximum size of a file, and the maximum length of a path component.
const MAX_FILE_SIZE: u64 = i64::MAX as u64;
const MAX_COMPONENT: usize = 255;
pub const CHOOSE_ANOTHER: &str = "Choose another, or remove the existing segment first";

/// Predicts the error of the kernel, as far as that is possible without creating a segment.
pub fn predict(machine: &dyn Machine, new: &NewSegment) -> io::Result<()> {
    let fail = |number: i32| Err(io::Error::from_raw_os_error(number));
    match new {
        NewSegment::Posix { name, size, .. } => {
            machine.check_new_object(name)?;
            if size.0 > MAX_FILE_SIZE {
                return fail(libc::EFBIG);
            }
            // A longer component before the last one has failed already.
            let last = name.as_path().file_name().unwrap_or_default();
            if last.len() > MAX_COMPONENT { fail(libc::ENAMETOOLONG) } else { Ok(()) }
        }
        NewSegment::Sysv(new, _) => predict_sysv(machine, new),
    }
}

/// Checks in the same order as `newseg` in ipc/shm.c.
fn predict_sysv(machine: &dyn Machine, new: &NewSysv) -> io::Result<()> {
    let fail = |number: i32| Err(io::Error::from_raw_os_error(number));
    let limits = machine.limits();
    let size = new.size.0;
    if size == 0 || limits.shmmax.is_some_and(|shmmax| size > shmmax) {
        return fail(libc::EINVAL);
    }
    let pages = |bytes: u64| bytes.div_ceil(limits.page_size.max(1));
    let rows = machine.sysv_rows().unwrap_or_default().rows;
    let used: u64 = rows.iter().fold(0, |sum, row| sum.saturating_add(pages(row.size.0)));
    if limits.shmall.is_some_and(|shmall| used.saturating_add(pages(size)) > shmall) {
        return fail(libc::ENOSPC);
    }
    let memory = machine.memory();
    if new.huge {
        if let Some(huge) = memory.huge {
            let me = machine.credentials();
            if huge.size == Bytes(0) {
                return fail(libc::EINVAL);
            }
            if !me.has(Capability::IpcLock) && !huge.group.is_some_and(|group| me.is_in(group)) {
                return fail(libc::EPERM);
            }
            if !new.no_reserve && size.div_ceil(huge.size.0) > huge.free {
                return fail(libc::ENOMEM);
            }
        }
    } else if size > MAX_FILE_SIZE {
        return fail(libc::EINVAL);
    } else if !new.no_reserve && memory.reservable.is_some_and(|most| new.size > most) {
        return fail(libc::ENOMEM);
    }
    match limits.shmmni {
        Some(shmmni) if rows.len() as u64 >= shmmni => fail(libc::ENOSPC),
        _ => Ok(()),
    }
}

pub fn key_is_taken(machine: &dyn Machine, new: &NewSysv) -> bool {
    let table = machine.sysv_rows().unwrap_or_default();
    !new.key.is_private() && table.rows.iter().any(|row| row.key == new.key)
}

/// Describes the System V limit that was reached.
fn reached_limit(machine: &dyn Machine, limits: &LimitFacts) -> String {
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    let count = machine.sysv_rows().map_or(0, |table| table.rows.len() as u64);
    if limits.shmmni.is_some_and(|most| count >= most) {
        format!("there are as many System V segments as kernel.shmmni allows ({})", number(limits.shmmni))
    } else {
        let pages = number(limits.shmall);
        format!("System V segments would take more pages than kernel.shmall allows ({pages})")
    }
}

pub fn creation_error(machine: &dyn Machine, new: &NewSegment, error: &io::Error) -> ActError {
    let subject = new.subject();
    let limits = machine.limits();
    let number = |limit: Option<u64>| limit.map_or_else(|| "unknown".to_owned(), |limit| limit.to_string());
    if error.kind() == io::ErrorKind::AlreadyExists {
        return ActError::Exists { subject, remedy: CHOOSE_ANOTHER.to_owned() };
    }
    let sysv = matches!(new, NewSegment::Sysv(..));
    let size = new.size().0;
    let is_within_limit = size > 0 && limits.shmmax.is_none_or(|most| size <= most);
    let huge = matches!(new, NewSegment::Sysv(NewSysv { huge: true, .. }, _));
    let no_reserve = matches!(new, NewSegment::Sysv(NewSysv { no_reserve: true, .. }, _));
    let (reason, remedy) = match error.raw_os_error() {
        Some(libc::EINVAL) if huge && is_within_limit => {
            ("this kernel has no huge pages of the default size".to_owned(), "Do not use huge pages")
        }
        Some(libc::EINVAL) if sysv && is_within_limit && size > MAX_FILE_SIZE => (
            format!(
                "{} is too large: the kernel allows at most {} per segment",
                new.size(),
                Bytes(MAX_FILE_SIZE)
            ),
            "Choose a smaller size",
        ),
        Some(libc::EINVAL) if sysv => (
            format!(
                "invalid size of {} bytes: expected 1 to kernel.shmmax ({})",
                new.size().0,
                number(limits.shmmax)
            ),
            "Choose another size",
        ),
        Some(libc::ENOSPC) if sysv => (
            reached_limit(machine, &limits),
            "Remove segments, or raise the limit with sysctl; see `shmlens limits`",
        ),
        Some(libc::ENOMEM) if huge => (
            "not enough free huge pages".to_owned(),
            "Raise vm.nr_hugepages with sysctl, or do not use huge pages",
        ),
        Some(libc::EPERM) if huge => (
            "only root (CAP_IPC_LOCK) and members of the group vm.hugetlb_shm_group can use huge pages"
                .to_owned(),
            "Run with sudo, or do not use huge pages",
        ),
        Some(libc::ENOMEM) if no_reserve => {
            ("not enough memory for its contents".to_owned(), "Free some memory")
        }
        Some(libc::ENOMEM) => (
            "the kernel cannot reserve that much memory".to_owned(),
            "Choose a smaller size, or do not reserve memory (no-reserve)",
        ),
        Some(libc::ENOSPC) => (
            "/dev/shm is full".to_owned(),
            "Remove segments, or enlarge it (mount -o remount,size=…); see `shmlens limits`",
        ),
        Some(libc::EROFS) => {
            ("/dev/shm is mounted read-only".to_owned(), "Remount it with `mount -o remount,rw /dev/shm`")
        }
        Some(libc::EACCES) => ("you cannot write to the directory".to_owned(), "Run with sudo"),
        Some(libc::ENOENT) => {
            ("the directory does not exist in /dev/shm".to_owned(), "Create the directory first")
        }
        Some(libc::ENAMETOOLONG) => {
            ("the name is too long".to_owned(), "Use at most 255 bytes per path component")
        }
        Some(libc::EFBIG) => {
            (format!("{} is too large for a POSIX object", new.size()), "Choose a smaller size")
        }
        _ => (plain_error(error), "Nothing was created"),
    };
    ActError::NotMade { subject, reason, remedy: remedy.to_owned() }
}
