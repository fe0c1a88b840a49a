//! The mappings of a process, one at a time: the `PROCMAP_QUERY` ioctl on `/proc/PID/maps` (Linux
//! 6.11, `include/uapi/linux/fs.h`). Avoids formatting and parsing text.

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
    pub start: u64,
    /// The address after the last byte.
    pub end: u64,
    pub offset: u64,
    pub device: u64,
    pub inode: u64,
    pub writable: bool,
    /// Set if writes are visible in the file and in its other mappings.
    pub shared: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MappingFilter {
    /// Shared file mappings.
    Shared,
    /// Shared and private file mappings. Private ones are numerous: every library has some.
    All,
}

/// Returns the first file mapping that covers or follows `address`, and the file name, which is
/// empty if longer than `name`.
///
/// # Errors
/// `ESRCH` for a process without memory (exited, or a kernel thread),
/// `ENOTTY` on a kernel before 6.11.
pub fn next<'a>(
    maps: BorrowedFd<'_>,
    address: u64,
    filter: MappingFilter,
    name: &'a mut [u8],
) -> io::Result<Option<(Mapping, &'a [u8])>> {
    let flags = COVERING_OR_NEXT | FILE_BACKED | if filter == MappingFilter::Shared { SHARED } else { 0 };
    let mut query = Query { size: size_of::<Query>() as u64, flags, address, ..Query::default() };
    query.name_size = u32::try_from(name.len()).unwrap_or(u32::MAX);
    query.name_address = if name.is_empty() { 0 } else { name.as_mut_ptr() as u64 };
    let mut result = query_mapping(maps, &mut query);
    if matches!(&result, Err(error) if error.raw_os_error() == Some(libc::ENAMETOOLONG)) {
        (query.name_size, query.name_address) = (0, 0);
        result = query_mapping(maps, &mut query);
    }
    match result {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
        Err(error) => return Err(error),
    }
    let mapping = Mapping {
        start: query.start,
        end: query.end,
        offset: query.offset,
        device: libc::makedev(query.device_major, query.device_minor),
        inode: query.inode,
        writable: query.vma_flags & WRITABLE != 0,
        shared: query.vma_flags & SHARED != 0,
    };
    // The size includes the NUL.
    let length = (query.name_size as usize).saturating_sub(1).min(name.len());
    Ok(Some((mapping, &name[..length])))
}

fn query_mapping(maps: BorrowedFd<'_>, query: &mut Query) -> io::Result<()> {
    // SAFETY: the kernel reads and writes one struct procmap_query, whose size is in the structure;
    // the buffer for the name, if there is one, is borrowed for the call and as long as name_size
    // says.
    check(unsafe { libc::ioctl(maps.as_raw_fd(), PROCMAP_QUERY, std::ptr::from_mut(query)) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::shm;
    use std::fs::File;
    use std::os::fd::AsFd as _;

    #[test]
    fn shared_mapping_is_found_with_its_name_or_without() {
        let shmid = shm::create(0, 4096, 0o600).unwrap();
        let attachment = shm::Attachment::read_only(shmid);
        shm::remove(shmid).unwrap();
        let _attachment = attachment.unwrap();
        let maps = File::open("/proc/self/maps").unwrap();
        let name = &b"/SYSV00000000 (deleted)"[..];
        for (filter, size, expected) in [
            (MappingFilter::Shared, 64, name),
            (MappingFilter::All, 64, name),
            (MappingFilter::All, 2, b""),
            (MappingFilter::Shared, 0, b""),
        ] {
            let (mut at, mut names) = (0, vec![]);
            loop {
                let mut buffer = vec![0; size];
                match next(maps.as_fd(), at, filter, &mut buffer) {
                    Ok(Some((mapping, name))) => {
                        assert!(mapping.end > mapping.start && mapping.end > at);
                        at = mapping.end;
                        names.extend(
                            (mapping.inode == u64::from(shmid.cast_unsigned())).then(|| name.to_vec()),
                        );
                    }
                    Ok(None) => break,
                    Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {
                        return crate::sys::skip::skip_for_kernel("needs PROCMAP_QUERY (Linux 6.11)");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            assert!(names.iter().any(|name| name == expected), "{names:?}");
        }
    }
}
