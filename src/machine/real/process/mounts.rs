//! The device by which a file system's mappings and locks are known.
//!
//! `proc_pid_maps(5)` and `proc_locks(5)` tell the device of the file system
//! (`s_dev`). What `statx(2)` tells is the same for tmpfs and most others, and
//! another one for each subvolume of btrfs: there a mapping would not be known
//! for that of an object.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// The device of the file system that an open file or directory is on, from
/// the table of mounts. `None` where the mount is not in it.
///
/// # Errors
/// When `/proc` does not tell: `ENOENT`, `EMFILE`.
pub fn device_of(file: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    // A thread may have mounts of its own.
    let info = fs::read(format!("/proc/thread-self/fdinfo/{}", file.as_raw_fd()))?;
    let Some(mount) = mount_of(&info) else { return Ok(None) };
    Ok(device_in(&fs::read("/proc/thread-self/mountinfo")?, mount))
}

/// Returns whether anything is mounted in the mount `parent`. Says yes where `/proc` does
/// not tell.
pub fn has_mounts(parent: u64) -> bool {
    fs::read("/proc/thread-self/mountinfo").map_or(true, |table| is_parent(&table, parent))
}

/// `29 22 0:26 / /dev/shm rw - tmpfs tmpfs rw`: the second number is the parent.
fn is_parent(table: &[u8], parent: u64) -> bool {
    let text = String::from_utf8_lossy(table);
    text.lines().any(|line| line.split(' ').nth(1).and_then(|id| id.parse().ok()) == Some(parent))
}

/// `mnt_id: 29`, of `proc_pid_fdinfo(5)`.
fn mount_of(info: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(info);
    text.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

/// `29 22 0:26 / /dev/shm rw - tmpfs tmpfs rw`, of `proc_pid_mountinfo(5)`.
fn device_in(table: &[u8], mount: u64) -> Option<u64> {
    let text = String::from_utf8_lossy(table);
    let mut devices = text.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let of: u64 = fields.next()?.parse().ok()?;
        let (major, minor) = fields.nth(1)?.split_once(':')?;
        (of == mount).then_some(libc::makedev(major.parse().ok()?, minor.parse().ok()?))
    });
    devices.next()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn the_mount_and_its_device() {
        assert_eq!(mount_of(b"pos:\t0\nflags:\t0100000\nmnt_id:\t29\nino:\t1\n"), Some(29));
        assert_eq!(mount_of(b"pos:\t0\n"), None);
        let table =
            b"22 1 253:0 / / rw - ext4 /dev/x\\040y rw\n29 22 0:26 / /dev/shm\xff rw - tmpfs tmpfs rw\n";
        assert_eq!(device_in(table, 22), Some(libc::makedev(253, 0)));
        assert_eq!(device_in(table, 29), Some(libc::makedev(0, 26)));
        assert_eq!(device_in(table, 2), None);
        assert!(is_parent(table, 22) && is_parent(table, 1));
        assert!(!is_parent(table, 29));
    }

    #[test]
    fn on_tmpfs_it_is_that_of_its_files() {
        let directory = File::open("/dev/shm").unwrap();
        let device = directory.metadata().unwrap().dev();
        assert_eq!(device_of(directory.as_fd()).unwrap(), Some(device));
    }
}
