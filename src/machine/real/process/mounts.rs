//! The device number of a file system in mappings and locks.
//!
//! `proc_pid_maps(5)` and `proc_locks(5)` show the device of the file system (`s_dev`). `statx(2)`
//! returns the same number for tmpfs and most other file systems, but a different one for each
//! btrfs subvolume, so a mapping on btrfs would not match its object.

use crate::segment::ObjectName;
use crate::sys;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};
use std::path::Path;

/// Returns the device of the file system that contains an open file or directory, from the mount
/// table. `None` if the mount is not listed.
pub fn device_of(file: BorrowedFd<'_>) -> io::Result<Option<u64>> {
    // A thread may have its own mount namespace.
    let info = fs::read(format!("/proc/thread-self/fdinfo/{}", file.as_raw_fd()))?;
    let Some(mount) = mount_of(&info) else { return Ok(None) };
    Ok(device_in(&fs::read("/proc/thread-self/mountinfo")?, mount))
}

/// Returns true if anything is mounted below the mount `parent`, or if `/proc` cannot be read.
pub fn has_mounts(parent: u64) -> bool {
    fs::read("/proc/thread-self/mountinfo").map_or(true, |table| is_parent(&table, parent))
}

/// Returns the files below a directory that are mounted elsewhere, each with its mount point.
pub fn sources(root: &Path) -> io::Result<Vec<(ObjectName, Vec<u8>)>> {
    let directory = sys::object::open_directory(root)?;
    let info = fs::read(format!("/proc/thread-self/fdinfo/{}", directory.as_raw_fd()))?;
    let table = fs::read("/proc/thread-self/mountinfo")?;
    Ok(mount_of(&info).map_or_else(Vec::new, |mount| sources_in(&table, mount)))
}

/// Returns the mounts of the same file system as `mount` whose root is below the root of `mount`.
fn sources_in(table: &[u8], mount: u64) -> Vec<(ObjectName, Vec<u8>)> {
    // Number, parent, device, root, mount point.
    let lines = table.split(|&byte| byte == b'\n').filter_map(|line| {
        let fields: Vec<&[u8]> = line.splitn(6, |&byte| byte == b' ').collect();
        let [id, _, device, root, point, _] = fields[..] else { return None };
        Some((std::str::from_utf8(id).ok()?.parse::<u64>().ok()?, device, plain(root), plain(point)))
    });
    let lines: Vec<_> = lines.collect();
    let Some((_, device, root, _)) = lines.iter().find(|(id, ..)| *id == mount) else { return vec![] };
    let same_file_system = lines.iter().filter(|(id, other, ..)| *id != mount && other == device);
    let below = same_file_system.filter_map(|(_, _, source, point)| {
        let name = source.strip_prefix(root.as_slice())?;
        Some((ObjectName::new(name.strip_prefix(b"/").unwrap_or(name))?, point.clone()))
    });
    below.collect()
}

/// Decodes a path of the mount table, which escapes space, tab, newline and backslash in octal
/// (`\\040`).
fn plain(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'\\').then(|| std::str::from_utf8(after.get(..3)?).ok()).flatten();
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            plain.push(byte);
            rest = &after[3..];
        } else {
            plain.push(first);
            rest = after;
        }
    }
    plain
}

/// Returns true if any line, such as `29 22 0:26 / /dev/shm rw - tmpfs tmpfs rw`, has the parent as
/// its second number.
fn is_parent(table: &[u8], parent: u64) -> bool {
    let text = String::from_utf8_lossy(table);
    text.lines().any(|line| line.split(' ').nth(1).and_then(|id| id.parse().ok()) == Some(parent))
}

/// Parses `mnt_id: 29` (`proc_pid_fdinfo(5)`).
fn mount_of(info: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(info);
    text.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

/// Parses `29 22 0:26 / /dev/shm rw - tmpfs tmpfs rw` (`proc_pid_mountinfo(5)`).
fn device_in(table: &[u8], mount: u64) -> Option<u64> {
    let text = String::from_utf8_lossy(table);
    let mut devices = text.lines().filter_map(|line| {
        let mut fields = line.split(' ');
        let number: u64 = fields.next()?.parse().ok()?;
        let (major, minor) = fields.nth(1)?.split_once(':')?;
        (number == mount).then_some(libc::makedev(major.parse().ok()?, minor.parse().ok()?))
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
    fn device_of_the_mount_is_found() {
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
    fn bind_mounted_objects_are_found_by_the_mount_root() {
        let name = |name: &str| ObjectName::new(name.as_bytes()).unwrap();
        let table = b"29 22 0:26 / /dev/shm rw - tmpfs tmpfs rw\n30 22 0:26 /a\\040b /mnt/x\\011y rw - tmpfs tmpfs rw\n\
                      31 22 0:27 /c /mnt/c rw - tmpfs tmpfs rw\n32 22 0:26 / /mnt/all rw - tmpfs tmpfs rw\n";
        assert_eq!(sources_in(table, 29), [(name("a b"), b"/mnt/x\ty".to_vec())]);
        assert_eq!(sources_in(table, 2), []);
        let table =
            b"29 22 0:26 /shm /dev/shm rw - tmpfs tmpfs rw\n30 22 0:26 /shm/d/e /mnt rw - tmpfs tmpfs rw\n\
                      31 22 0:26 /f /mnt rw - tmpfs tmpfs rw\n";
        assert_eq!(sources_in(table, 29), [(name("d/e"), b"/mnt".to_vec())]);
    }

    #[test]
    fn tmpfs_has_the_device_of_its_files() {
        let directory = File::open("/dev/shm").unwrap();
        let device = directory.metadata().unwrap().dev();
        assert_eq!(device_of(directory.as_fd()).unwrap(), Some(device));
    }
}
