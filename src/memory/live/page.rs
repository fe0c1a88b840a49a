//! The pages that contents are watched by.

use crate::memory::zeros::first_nonzero;
use xxhash_rust::xxh3::xxh3_64;

/// The size of a page in bytes: that of the kernel on most machines; nothing
/// goes wrong where it is not.
pub const PAGE: u64 = 4096;
/// The same, where memory is measured.
pub const PAGE_BYTES: usize = 4096;

/// What is known of a page's bytes without keeping them: 0 for zeros, and
/// hardly ever the same for two contents or two places. Hashes of several pages
/// may be added up: the sum stands for all of them. Bytes that are missing at
/// the end count as zeros.
pub fn page_hash(page: u64, bytes: &[u8]) -> u64 {
    if first_nonzero(bytes).is_none() {
        return 0;
    }
    let hash = if bytes.len() == PAGE_BYTES {
        xxh3_64(bytes)
    } else {
        let mut whole = [0; PAGE_BYTES];
        let length = bytes.len().min(PAGE_BYTES);
        whole[..length].copy_from_slice(&bytes[..length]);
        xxh3_64(&whole)
    };
    scatter(hash ^ scatter(page)).max(1)
}

/// A one-to-one mixing of 64 bits (the finalizer of `SplitMix64`).
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
    fn zeros_are_nothing_and_places_count() {
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
