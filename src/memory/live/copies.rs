//! Copies of some pages, including those on screen: as last read, and as at the baseline.

use super::page::PAGE;
use crate::memory::differences;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The maximum number of pages: 4 MiB if nothing changes, twice that if every page differs from the
/// baseline. Small in tests.
const MAX_PAGES: usize = if cfg!(test) { 8 } else { 1024 };

#[derive(Debug, Clone)]
pub struct Copy {
    /// The bytes when last read.
    pub seen: Arc<[u8]>,
    /// The bytes at the baseline; `None` if they were not kept.
    pub base: Option<Arc<[u8]>>,
    /// The number of the last snapshot with the page in the window; 0 for never.
    shown: u64,
}

#[derive(Debug, Default)]
pub struct Copies {
    pages: BTreeMap<u64, Copy>,
}

impl Copies {
    pub fn get(&self, page: u64) -> Option<&Copy> {
        self.pages.get(&page)
    }

    /// Updates the copy of a page and returns the ranges that changed; `None` if there is no copy.
    pub fn update(&mut self, page: u64, bytes: &[u8]) -> Option<Vec<Range<usize>>> {
        let copy = self.pages.get_mut(&page)?;
        let changed = differences(&copy.seen, bytes);
        if copy.seen.len() != bytes.len() {
            copy.resize(bytes);
        } else if !changed.is_empty() {
            copy.seen = bytes.into();
        }
        Some(changed)
    }

    /// Adds a page that is in the window. Evicts the least recently shown page.
    pub fn show(&mut self, page: u64, bytes: &[u8], base: Option<Arc<[u8]>>, snapshot: u64) {
        if self.pages.len() >= MAX_PAGES && !self.pages.contains_key(&page) {
            let oldest = self.pages.iter().min_by_key(|(_, copy)| copy.shown).map(|(&page, _)| page);
            oldest.and_then(|oldest| self.pages.remove(&oldest));
        }
        let seen = base.clone().filter(|base| **base == *bytes).unwrap_or_else(|| bytes.into());
        self.pages.insert(page, Copy { seen, base, shown: snapshot });
    }

    /// Records that a copied page is in the window.
    pub fn shown(&mut self, page: u64, snapshot: u64) {
        if let Some(copy) = self.pages.get_mut(&page) {
            copy.shown = snapshot;
        }
    }

    /// Adds a page that the scan read, if there is room. Without `base`, its bytes become the
    /// baseline.
    pub fn offer(&mut self, page: u64, bytes: &[u8], base: Option<Arc<[u8]>>) {
        if self.pages.len() < MAX_PAGES {
            let seen: Arc<[u8]> = bytes.into();
            let base = base.unwrap_or_else(|| Arc::clone(&seen));
            self.pages.insert(page, Copy { seen, base: Some(base), shown: 0 });
        }
    }

    /// Returns the numbers of the copied pages within a range.
    pub fn within(&self, pages: Range<u64>) -> Vec<u64> {
        if pages.is_empty() { vec![] } else { self.pages.range(pages).map(|(&page, _)| page).collect() }
    }

    /// Returns true if there is a copy of a page within a range.
    pub fn any_within(&self, pages: Range<u64>) -> bool {
        !pages.is_empty() && self.pages.range(pages).next().is_some()
    }

    /// Drops the copies past the end of the segment.
    pub fn resize(&mut self, size: u64) {
        self.pages.split_off(&size.div_ceil(PAGE));
    }

    /// Makes the last bytes read the baseline.
    pub fn set_baseline(&mut self) {
        for copy in self.pages.values_mut() {
            copy.base = Some(Arc::clone(&copy.seen));
        }
    }
}

impl Copy {
    /// Returns the ranges that are known to differ from the baseline.
    pub fn differs(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        self.base.as_ref().map(|base| differences(base, bytes)).unwrap_or_default()
    }

    /// Adjusts the copy after the segment's end has moved within this page. New bytes count as
    /// unchanged.
    fn resize(&mut self, bytes: &[u8]) {
        self.base = self.base.take().map(|base| {
            let common = base.len().min(bytes.len());
            [&base[..common], &bytes[common..]].concat().into()
        });
        self.seen = bytes.into();
    }
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is what is meant")]
mod tests {
    use super::*;

    #[test]
    fn bytes_past_the_old_end_are_not_a_change() {
        let mut copies = Copies::default();
        copies.offer(0, b"abc", None);
        assert_eq!(copies.update(0, b"aXcde"), Some(vec![1..2]));
        assert_eq!(copies.update(0, b"aXcdY"), Some(vec![4..5]));
        assert_eq!(copies.get(0).unwrap().differs(b"aXcdY"), [1..2, 4..5]);
        assert_eq!(copies.update(0, b"a"), Some(vec![]));
        assert_eq!(copies.get(0).unwrap().differs(b"a"), [] as [Range<usize>; 0]);
        assert_eq!(copies.update(1, b"a"), None);
    }

    #[test]
    fn shown_pages_evict_offered_ones() {
        let mut copies = Copies::default();
        for page in 0..2 * MAX_PAGES as u64 {
            copies.offer(page, b"a", None);
        }
        assert_eq!(copies.within(0..100).len(), MAX_PAGES);
        for (snapshot, page) in (100..100 + 2 * MAX_PAGES as u64).enumerate() {
            copies.show(page, b"b", None, snapshot as u64 + 1);
        }
        assert_eq!(
            copies.within(0..200),
            (100 + MAX_PAGES as u64..100 + 2 * MAX_PAGES as u64).collect::<Vec<_>>()
        );
        copies.resize(100 * PAGE);
        assert!(copies.within(0..200).is_empty());
    }
}
