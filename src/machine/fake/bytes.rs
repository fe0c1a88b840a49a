//! The bytes of a fake segment: a size, and the written pages.

use super::PAGE;
use crate::machine::{Extent, ExtentKind};
use crate::segment::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

#[derive(Debug, Clone, Default)]
pub struct FakeBytes {
    pub size: u64,
    /// The written pages, by number. Any other page is a hole.
    pub pages: BTreeMap<u64, Box<[u8]>>,
    /// The written pages that are swapped out, by number.
    pub swapped: BTreeSet<u64>,
    /// Set once the name is removed.
    pub removed: bool,
}

impl FakeBytes {
    /// Returns a hole of `size` bytes.
    pub fn hole(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    /// Returns `bytes` without holes.
    pub fn full(bytes: &[u8]) -> Self {
        let mut new = Self::hole(bytes.len() as u64);
        new.write(0, bytes);
        new
    }

    /// Writes bytes and allocates their pages.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) {
        for (at, &byte) in (offset..self.size).zip(bytes) {
            let page = self.pages.entry(at / PAGE).or_insert_with(|| vec![0; 4096].into());
            page[(at % PAGE) as usize] = byte;
        }
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let mut count = 0;
        while count < buffer.len() && offset.saturating_add(count as u64) < self.size {
            let at = offset + count as u64;
            let within = (at % PAGE) as usize;
            let left = usize::try_from(self.size - at).unwrap_or(usize::MAX).min(buffer.len() - count);
            let part = &mut buffer[count..][..left.min(4096 - within)];
            match self.pages.get(&(at / PAGE)) {
                Some(page) => part.copy_from_slice(&page[within..within + part.len()]),
                None => part.fill(0),
            }
            count += part.len();
        }
        count
    }

    pub(super) fn extent(&self, offset: u64, limit: u64) -> Option<Extent> {
        if offset >= self.size {
            return None;
        }
        let first = offset / PAGE;
        let data = self.pages.contains_key(&first);
        let end = if data {
            let mut page = first;
            while self.pages.contains_key(&page) {
                page += 1;
            }
            page
        } else {
            self.pages.range(first..).next().map_or(u64::MAX / PAGE, |(&page, _)| page)
        };
        let end = (end * PAGE).min(self.size).min(offset.saturating_add(limit.max(1)));
        Some(Extent { end, kind: if data { ExtentKind::Data } else { ExtentKind::Hole } })
    }

    pub(super) fn swapped_in(&self, range: &Range<u64>) -> Vec<Range<u64>> {
        let pages = self.swapped.range(range.start / PAGE..range.end.div_ceil(PAGE));
        let limited = |page: &u64| (page * PAGE).max(range.start)..((page + 1) * PAGE).min(range.end);
        pages.map(limited).collect()
    }

    pub(super) fn allocated(&self) -> Bytes {
        Bytes(self.pages.len() as u64 * PAGE)
    }
}
