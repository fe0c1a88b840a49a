//! A frozen view: bytes that have been on screen do not change, even after scrolling away and back.
//! Bytes that come into view later are read once.

use std::collections::BTreeMap;

const PAGE: u64 = 4096;
/// Maximum number of pages: 4 MiB.
const MAX_PAGES: usize = 1024;

#[derive(Debug, Clone, Default)]
pub struct Frozen {
    pages: BTreeMap<u64, Vec<Option<u8>>>,
}

impl Frozen {
    /// Overwrites `bytes` with the bytes seen before, and stores the others.
    pub fn overlay(&mut self, offset: u64, bytes: &mut [u8]) {
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            // Less than 4096, so the cast is lossless.
            let within = usize::try_from(at % PAGE).unwrap_or(0);
            let (part, behind) = rest.split_at_mut(rest.len().min(4096 - within));
            let page = at / PAGE;
            if !self.pages.contains_key(&page) && self.pages.len() >= MAX_PAGES {
                self.pages.pop_first();
            }
            let seen = self.pages.entry(page).or_insert_with(|| vec![None; 4096]);
            for (byte, seen) in part.iter_mut().zip(&mut seen[within..]) {
                *byte = *seen.get_or_insert(*byte);
            }
            at += part.len() as u64;
            rest = behind;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_bytes_do_not_change() {
        let mut frozen = Frozen::default();
        frozen.overlay(4090, &mut [1; 10]);
        let mut bytes = [2; 20];
        frozen.overlay(4085, &mut bytes);
        assert_eq!(bytes, [2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
        let mut again = [3; 20];
        frozen.overlay(4085, &mut again);
        assert_eq!(again, bytes);
    }

    #[test]
    fn number_of_pages_is_limited() {
        let mut frozen = Frozen::default();
        for page in 0..5000 {
            frozen.overlay(page * PAGE, &mut [1; 4096]);
        }
        assert_eq!(frozen.pages.len(), MAX_PAGES);
    }
}
