//! `mincore(2)`: reports which pages of a mapping are resident.

use std::io;

/// Fills `pages` with a byte for each page from `address` on.
///
/// # Errors
/// `ENOMEM` when a page of the range is not mapped.
///
/// # Safety
/// `address` is the start of a page of a mapping of this process.
pub unsafe fn mincore(address: *mut u8, pages: &mut [u8]) -> io::Result<()> {
    if pages.is_empty() {
        return Ok(());
    }
    let page = usize::try_from(super::page_size()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let length = pages.len().checked_mul(page).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))?;
    // SAFETY: the caller guarantees the address; mincore only reads page tables, and writes a byte
    // per page to a buffer of that many bytes.
    super::check(unsafe { libc::mincore(address.cast(), length, pages.as_mut_ptr()) }).map(drop)
}
