//! Copies of some pages, including those on screen: as last read, and at the baseline. Bytes past
//! the end of the segment count as zeros.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub struct Copy {
    /// The bytes when last read.
    pub seen: Arc<[u8]>,
    /// The bytes at the baseline; `None` if they were not kept.
    pub base: Option<Arc<[u8]>>,
    /// The number of the last snapshot with the page in the window; 0 for never.
    pub shown: u64,
}

#[derive(Debug)]
pub struct Copies {
    pages: BTreeMap<u64, Copy>,
    /// The maximum number of pages.
    pub limit: usize,
}

impl Copies {
    pub const fn new(limit: usize) -> Self {
        Self { pages: BTreeMap::new(), limit }
    }

    pub fn get(&self, page: u64) -> Option<&Copy> {
        self.pages.get(&page)
    }

    pub fn get_mut(&mut self, page: u64) -> Option<&mut Copy> {
        self.pages.get_mut(&page)
    }

    pub fn remove(&mut self, page: u64) {
        self.pages.remove(&page);
    }

    /// Adds a page. If the limit is reached, a page in the window replaces the page that was shown
    /// least recently, and any other page is ignored.
    pub fn add(&mut self, page: u64, copy: Copy) {
        if self.pages.len() >= self.limit && copy.shown > 0 {
            let oldest = self.pages.iter().min_by_key(|(_, copy)| copy.shown).map(|(&page, _)| page);
            oldest.and_then(|oldest| self.pages.remove(&oldest));
        }
        if self.pages.len() < self.limit {
            self.pages.insert(page, copy);
        }
    }

    pub fn within(&self, pages: Range<u64>) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.pages.range(pages).map(|(&page, _)| page)
    }

    pub fn cut(&mut self, end: u64) {
        self.pages.split_off(&end);
    }

    pub fn set_baseline(&mut self) {
        for copy in self.pages.values_mut() {
            copy.base = Some(Arc::clone(&copy.seen));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_pages_evict_other_ones() {
        let mut copies = Copies::new(8);
        let copy = |shown| Copy { seen: (*b"a").into(), base: None, shown };
        (0..16).for_each(|page| copies.add(page, copy(0)));
        assert!(copies.within(0..100).eq(0..8));
        (100..116).for_each(|page| copies.add(page, copy(page)));
        assert!(copies.within(0..200).eq(108..116));
        copies.cut(110);
        assert!(copies.within(0..200).eq(108..110));
    }
}
