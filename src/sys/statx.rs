//! `statx(2)`, the only call that returns the creation time.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileStat {
    /// The device number, as returned by `stat(2)`.
    pub device: u64,
    pub inode: u64,
    /// Hard links.
    pub links: u32,
    /// File type and permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// The length in bytes.
    pub size: u64,
    /// The allocated blocks, in units of 512 bytes.
    pub blocks: u64,
    /// The last access. All times are seconds and nanoseconds since 1970.
    pub access: (i64, u32),
    /// The last write through a descriptor.
    pub modify: (i64, u32),
    /// The last change of the inode.
    pub change: (i64, u32),
    /// `None` if the file system records no creation time (tmpfs does since Linux 5.18).
    pub birth: Option<(i64, u32)>,
    /// The mount through which the file was reached; `None` before Linux 5.8.
    pub mount: Option<u64>,
    /// Set if the file cannot be changed, renamed or removed (`chattr +i`).
    pub immutable: bool,
    /// Set if the file can only be appended to, and names cannot be removed from a directory
    /// (`chattr +a`).
    pub append_only: bool,
}

impl FileStat {
    /// Returns true for a regular file: the only kind that can be a segment.
    pub const fn is_regular(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFREG
    }

    /// Returns true if both files were reached through the same mount. A bind mount counts as a
    /// different one if the kernel distinguishes mounts.
    pub fn is_on_mount_of(&self, other: &Self) -> bool {
        match (self.mount, other.mount) {
            (Some(own), Some(other)) => own == other,
            _ => self.device == other.device,
        }
    }

    pub const fn is_directory(&self) -> bool {
        self.mode & libc::S_IFMT == libc::S_IFDIR
    }
}

/// Returns the stat of a name in a directory without following symbolic links.
///
/// # Errors
/// `ENOENT` if the file is gone, `EACCES` if the directory may not be searched.
pub fn statx_at(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<FileStat> {
    statx(directory, name, libc::AT_SYMLINK_NOFOLLOW)
}

/// Returns the stat of an open file or an `O_PATH` handle.
pub fn statx_fd(file: BorrowedFd<'_>) -> io::Result<FileStat> {
    statx(file, c"", libc::AT_EMPTY_PATH)
}

/// Returns the stat of the file behind a link in `/proc`, such as `/proc/PID/fd/3`, regardless of
/// its name. Does not wait for an unresponsive server.
///
/// # Errors
/// `ENOENT` if the file is gone, `EACCES` if the caller may not examine the process.
pub fn statx_link(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<FileStat> {
    statx(directory, name, libc::AT_STATX_DONT_SYNC)
}

fn statx(directory: BorrowedFd<'_>, name: &CStr, flags: libc::c_int) -> io::Result<FileStat> {
    let mut raw = MaybeUninit::<libc::statx>::zeroed();
    let mask = libc::STATX_BASIC_STATS | libc::STATX_BTIME | libc::STATX_MNT_ID;
    // SAFETY: the name ends in NUL and lives through the call; the kernel
    // writes one struct statx, and raw has room for it.
    super::check(unsafe {
        libc::statx(
            directory.as_raw_fd(),
            name.as_ptr(),
            flags | libc::AT_NO_AUTOMOUNT,
            mask,
            raw.as_mut_ptr(),
        )
    })?;
    // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
    let raw = unsafe { raw.assume_init() };
    let time = |time: libc::statx_timestamp| (time.tv_sec, time.tv_nsec);
    let has = |attribute: libc::c_int| raw.stx_attributes & u64::from(attribute.cast_unsigned()) != 0;
    Ok(FileStat {
        device: libc::makedev(raw.stx_dev_major, raw.stx_dev_minor),
        inode: raw.stx_ino,
        links: raw.stx_nlink,
        mode: u32::from(raw.stx_mode),
        uid: raw.stx_uid,
        gid: raw.stx_gid,
        size: raw.stx_size,
        blocks: raw.stx_blocks,
        access: time(raw.stx_atime),
        modify: time(raw.stx_mtime),
        change: time(raw.stx_ctime),
        birth: (raw.stx_mask & libc::STATX_BTIME != 0).then(|| time(raw.stx_btime)),
        mount: (raw.stx_mask & libc::STATX_MNT_ID != 0).then_some(raw.stx_mnt_id),
        immutable: has(libc::STATX_ATTR_IMMUTABLE),
        append_only: has(libc::STATX_ATTR_APPEND),
    })
}
