//! Directory entries with their inode numbers: `getdents64(2)`. A process scan reads thousands of
//! directories in `/proc`, so no entry is allocated.

use super::check;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// The buffer that the kernel fills.
#[repr(align(8))]
pub struct Buffer([u8; 8192]);

impl Default for Buffer {
    fn default() -> Self {
        Self([0; 8192])
    }
}

/// Offsets of the fields of `struct linux_dirent64`.
const LENGTH_OFFSET: usize = 16;
const NAME_OFFSET: usize = 19;

/// Calls `found` with the inode number and name of each entry of a directory, except `.` and `..`.
///
/// # Errors
/// `ENOTDIR`, `ENOENT` when the directory is gone, `EACCES` in `/proc`.
pub fn for_each(
    directory: BorrowedFd<'_>,
    buffer: &mut Buffer,
    mut tell: impl FnMut(u64, &CStr),
) -> io::Result<()> {
    loop {
        let filled = read(directory, buffer)?;
        if filled == 0 {
            return Ok(());
        }
        let mut rest = &buffer.0[..filled];
        while let Some((inode, name, length)) = entry(rest) {
            if !matches!(name.to_bytes(), b"." | b"..") {
                tell(inode, name);
            }
            rest = &rest[length..];
        }
    }
}

fn entry(bytes: &[u8]) -> Option<(u64, &CStr, usize)> {
    let inode = u64::from_ne_bytes(bytes.get(..8)?.try_into().ok()?);
    let length =
        usize::from(u16::from_ne_bytes(bytes.get(LENGTH_OFFSET..LENGTH_OFFSET + 2)?.try_into().ok()?));
    let name = CStr::from_bytes_until_nul(bytes.get(NAME_OFFSET..length)?).ok()?;
    Some((inode, name, length))
}

fn read(directory: BorrowedFd<'_>, buffer: &mut Buffer) -> io::Result<usize> {
    let Buffer(bytes) = buffer;
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let filled = unsafe {
        libc::syscall(libc::SYS_getdents64, directory.as_raw_fd(), bytes.as_mut_ptr(), bytes.len())
    };
    let filled = libc::c_int::try_from(filled).unwrap_or(-1);
    check(filled).map(|filled| usize::try_from(filled).unwrap_or(0).min(bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs::{self, File};
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn every_entry_is_listed_once_with_its_inode() {
        let directory = tempfile::tempdir().unwrap();
        let mut expected = BTreeSet::new();
        for number in 0..1000 {
            let name = format!("{number}-{}", "x".repeat(number % 200));
            fs::write(directory.path().join(&name), "").unwrap();
            expected.insert((fs::metadata(directory.path().join(&name)).unwrap().ino(), name));
        }
        let mut found = BTreeSet::new();
        let file = File::open(directory.path()).unwrap();
        for_each(file.as_fd(), &mut Buffer::default(), |inode, name| {
            assert!(found.insert((inode, name.to_str().unwrap().to_owned())));
        })
        .unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn file_is_not_a_directory() {
        let file = File::open("/proc/self/stat").unwrap();
        let error = for_each(file.as_fd(), &mut Buffer::default(), |_, _| {}).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOTDIR));
    }
}
