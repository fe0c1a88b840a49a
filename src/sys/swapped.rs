//! Finds the swapped pages of a shared-memory file without bringing them back into memory:
//! `cachestat(2)` (Linux 6.5), or `mincore(2)` on older kernels.

use super::object::extent_at;
use super::{page_size, residency, swap};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use std::fs::File;
use std::io;
use std::num::NonZero;
use std::ops::Range;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

/// The same number on every architecture.
const SYS_CACHESTAT: libc::c_long = 451;
/// The number of pages per `mincore` call.
const PAGES_PER_CALL: u64 = 4096;

/// `struct cachestat_range`.
#[repr(C)]
struct Span {
    offset: u64,
    length: u64,
}

/// `struct cachestat`.
#[repr(C)]
#[derive(Default)]
struct Counts {
    cached: u64,
    dirty: u64,
    writeback: u64,
    /// The pages that are swapped out, for shared memory.
    evicted: u64,
    recently_evicted: u64,
}

/// Returns the swapped pages in a range, as runs limited to the range. Empty if this user may not
/// write the file: the kernel does not answer then.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn swapped_in(file: &File, range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
    let mut runs = vec![];
    if range.is_empty() || !swap::in_use() {
        return Ok(runs);
    }
    let page = page_size();
    let pages = range.start / page..range.end.div_ceil(page);
    match find_by_count(file, pages.clone(), &mut runs) {
        // Huge pages are never swapped out.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EPERM | libc::EOPNOTSUPP)) => {}
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            find_by_residency(file, pages, &mut runs)?;
        }
        counted => counted?,
    }
    let within = |run: Range<u64>| (run.start * page).max(range.start)..(run.end * page).min(range.end);
    Ok(runs.into_iter().map(within).collect())
}

/// Halves a range of pages until each part is swapped out entirely or not at all.
fn find_by_count(file: &File, pages: Range<u64>, runs: &mut Vec<Range<u64>>) -> io::Result<()> {
    let count = pages.end - pages.start;
    let evicted = count_evicted(file, &pages)?;
    if evicted >= count {
        push(runs, pages);
    } else if evicted > 0 {
        let middle = pages.start + count / 2;
        find_by_count(file, pages.start..middle, runs)?;
        find_by_count(file, middle..pages.end, runs)?;
    }
    Ok(())
}

/// Returns the number of swapped pages in a range of pages. The range must not be empty: the kernel
/// would count up to the end of the file.
fn count_evicted(file: &File, pages: &Range<u64>) -> io::Result<u64> {
    let page = page_size();
    let span = Span { offset: pages.start * page, length: (pages.end - pages.start) * page };
    let mut counts = Counts::default();
    // SAFETY: the kernel reads one range and writes one struct cachestat; both are locals.
    let result =
        unsafe { libc::syscall(SYS_CACHESTAT, file.as_raw_fd(), &raw const span, &raw mut counts, 0) };
    if result == 0 { Ok(counts.evicted) } else { Err(io::Error::last_os_error()) }
}

/// Finds pages that have data but are not resident. A page that is swapped out in between is
/// missed, and read like a resident one.
fn find_by_residency(file: &File, pages: Range<u64>, runs: &mut Vec<Range<u64>>) -> io::Result<()> {
    let page = page_size();
    let size = super::statx_fd(file.as_fd())?.size;
    let mut at = pages.start;
    while at < pages.end.min(size.div_ceil(page)) {
        let limit = (pages.end - at).min(PAGES_PER_CALL);
        let Some(extent) = extent_at(file, at * page, size, limit * page)? else { break };
        let end = extent.end.div_ceil(page).min(at + limit).max(at + 1);
        if extent.data {
            let resident = resident(file.as_fd(), at * page, end - at)?;
            for (index, _) in (at..end).zip(resident).filter(|(_, resident)| !resident) {
                push(runs, index..index + 1);
            }
        }
        at = end;
    }
    Ok(())
}

/// Reports which pages from `offset` on are resident, without accessing them.
fn resident(file: BorrowedFd<'_>, offset: u64, pages: u64) -> io::Result<Vec<bool>> {
    let invalid = |_| io::Error::from_raw_os_error(libc::EINVAL);
    let mut bits = vec![0; usize::try_from(pages).map_err(invalid)?];
    let length = usize::try_from(pages * page_size()).map_err(invalid)?;
    let Some(whole) = NonZero::new(length) else { return Ok(vec![]) };
    let start = i64::try_from(offset).map_err(invalid)?;
    // SAFETY: a new mapping at an address that the kernel chooses.
    let address = unsafe { mmap(None, whole, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, file, start) }?;
    // SAFETY: the mapping has that many pages.
    let result = unsafe { residency::mincore(address.as_ptr().cast(), &mut bits) };
    // SAFETY: mapped above, and not referenced anymore.
    unsafe { munmap(address, length) }?;
    result.map(|()| bits.iter().map(|bit| bit & 1 != 0).collect())
}

fn push(runs: &mut Vec<Range<u64>>, run: Range<u64>) {
    match runs.last_mut() {
        Some(last) if last.end == run.start => last.end = run.end,
        _ => runs.push(run),
    }
}
