//! The pages used for change tracking.

use crate::memory::zeros::last_nonzero;
use xxhash_rust::xxh3::xxh3_64;

/// The page size in bytes. The kernel's page size is the same on most machines, but may differ.
pub const PAGE: u64 = 4096;
/// The page size in bytes, as a `usize`.
pub const PAGE_BYTES: usize = 4096;

/// Hashes a page by its contents and number: 0 for zeros. Hashes of several pages may be added up
/// to represent all of them. Missing bytes at the end count as zeros.
pub fn page_hash(page: u64, bytes: &[u8]) -> u64 {
    last_nonzero(bytes).map_or(0, |last| scatter(xxh3_64(&bytes[..=last]) ^ scatter(page)).max(1))
}

/// Mixes 64 bits one to one (the finalizer of `SplitMix64`).
const fn scatter(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_hash_is_0_for_zeros_and_depends_on_the_page() {
        assert_eq!(page_hash(7, &[0; PAGE_BYTES]), 0);
        assert_eq!(page_hash(7, &[]), 0);
        let ones = [1; PAGE_BYTES];
        assert_ne!(page_hash(1, &ones), 0);
        assert_ne!(page_hash(1, &ones), page_hash(2, &ones));
        let mut padded = [0; PAGE_BYTES];
        padded[..9].fill(1);
        assert_eq!(page_hash(1, &padded), page_hash(1, &ones[..9]));
    }
}
