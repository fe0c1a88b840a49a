//! The mappings of a process, one at a time: the `PROCMAP_QUERY` ioctl on
//! `/proc/PID/maps` (Linux 6.11, `include/uapi/linux/fs.h`). What a process has
//! mapped is found without the text of its maps being made and read.

use super::check;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd as _, BorrowedFd};

/// `_IOWR('f', 17, struct procmap_query)`.
const PROCMAP_QUERY: libc::c_ulong =
    (3 << 30) | ((size_of::<Query>() as libc::c_ulong) << 16) | ((b'f' as libc::c_ulong) << 8) | 0x11;

const WRITABLE: u64 = 0x02;
const SHARED: u64 = 0x08;
const COVERING_OR_NEXT: u64 = 0x10;
const FILE_BACKED: u64 = 0x20;

/// `struct procmap_query`.
#[repr(C)]
#[derive(Default)]
struct Query {
    size: u64,
    flags: u64,
    address: u64,
    start: u64,
    end: u64,
    vma_flags: u64,
    page_size: u64,
    offset: u64,
    inode: u64,
    device_major: u32,
    device_minor: u32,
    name_size: u32,
    build_id_size: u32,
    name_address: u64,
    build_id_address: u64,
}

/// A mapping of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping {
    /// Its first address.
    pub start: u64,
    /// The address behind its last byte.
    pub end: u64,
    /// Its offset in the file.
    pub offset: u64,
    /// The device of the file.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
    /// It is writable.
    pub writable: bool,
    /// Whether what is written reaches the file and all who have mapped it.
    pub shared: bool,
}

/// The mappings to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Shared ones of files.
    Shared,
    /// Private ones of files too, which are many: every library has some.
    All,
}

/// The first mapping that covers `address` or comes after it; `None` when
/// there is none.
///
/// # Errors
/// `ESRCH` for a process without memory (ended, or a thread of the kernel),
/// `ENOTTY` on a kernel before 6.11.
pub fn next(maps: BorrowedFd<'_>, address: u64, which: Which) -> io::Result<Option<Mapping>> {
    let shared = if which == Which::Shared { SHARED } else { 0 };
    let mut query = Query::at(address, COVERING_OR_NEXT | FILE_BACKED | shared);
    match ask(maps, &mut query) {
        Ok(()) => Ok(Some(Mapping {
            start: query.start,
            end: query.end,
            offset: query.offset,
            device: libc::makedev(query.device_major, query.device_minor),
            inode: query.inode,
            writable: query.vma_flags & WRITABLE != 0,
            shared: query.vma_flags & SHARED != 0,
        })),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The name of the file that is mapped at an address, as far as the buffer
/// goes: empty when it is longer, or when nothing is there any more.
///
/// # Errors
/// As [`next`].
pub fn name<'a>(maps: BorrowedFd<'_>, address: u64, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
    let mut query = Query::at(address, FILE_BACKED);
    query.name_size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    query.name_address = buffer.as_mut_ptr() as u64;
    match ask(maps, &mut query) {
        Ok(()) => {
            // The NUL at its end is counted in.
            let length = (query.name_size as usize).saturating_sub(1).min(buffer.len());
            Ok(&buffer[..length])
        }
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ENAMETOOLONG)) => Ok(&[]),
        Err(error) => Err(error),
    }
}

impl Query {
    fn at(address: u64, flags: u64) -> Self {
        Self { size: size_of::<Self>() as u64, flags, address, ..Self::default() }
    }
}

fn ask(maps: BorrowedFd<'_>, query: &mut Query) -> io::Result<()> {
    // SAFETY: the kernel reads and writes one struct procmap_query, whose size
    // the structure itself tells; a buffer for the name, where one is given,
    // is borrowed for the call and as long as name_size says.
    check(unsafe { libc::ioctl(maps.as_raw_fd(), PROCMAP_QUERY, std::ptr::from_mut(query)) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd as _;

    #[test]
    fn a_library_is_found_as_a_private_mapping_and_its_name_told() {
        let maps = File::open("/proc/self/maps").unwrap();
        let mut at = 0;
        let mut names = vec![];
        loop {
            match next(maps.as_fd(), at, Which::All) {
                Ok(Some(mapping)) => {
                    assert!(mapping.end > mapping.start && mapping.end > at);
                    at = mapping.end;
                    let mut buffer = [0; 4096];
                    names.push(name(maps.as_fd(), mapping.start, &mut buffer).unwrap().to_vec());
                    assert!(name(maps.as_fd(), mapping.start, &mut [0; 2]).unwrap().is_empty());
                }
                Ok(None) => break,
                Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                    return crate::sys::skip::skip_for_kernel("needs PROCMAP_QUERY (Linux 6.11)");
                }
                Err(error) => panic!("{error}"),
            }
        }
        let own = std::env::current_exe().unwrap();
        let own = own.as_os_str().as_encoded_bytes();
        assert!(names.iter().any(|name| name == own), "{names:?}");
    }
}
