//! Scans the whole segment repeatedly, one chunk at a time.

use super::Tracker;
use super::changes::Changes;
use super::page::page_hash;
use crate::machine::ExtentKind;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

/// The approximate number of bytes per read.
const CHUNK_SIZE: u64 = 128 << 10;
/// The approximate number of changed bytes between two checks of a limit.
const CHANGES_PER_CHECK: u64 = 1 << 20;

/// The position of the scan, and the state of the current block.
#[derive(Debug, Default)]
pub struct Scan {
    /// The next page to read.
    pub at: u64,
    /// The block size at the last read.
    grain: u64,
    /// The sum of the page hashes of the current block so far.
    sum: u64,
    /// Set if any page of the block is allocated.
    allocated: bool,
    /// Set if a change in the current block has been counted.
    counted: bool,
    /// The end of the current run of data. Cached, since finding it takes longer the more data is
    /// allocated.
    data_end: u64,
    /// The number of completed scans.
    passes: u64,
}

impl Scan {
    /// Restarts if the position is past the end.
    pub fn restart_beyond(&mut self, size: u64) {
        if self.at >= size {
            self.jump(0);
        }
        self.data_end = 0;
    }

    /// Returns to the start of the block if the block size has grown: its sum is incomplete.
    fn align(&mut self, grain: u64) {
        if self.grain != grain {
            self.grain = grain;
            self.data_end = 0;
            self.jump(self.at / grain * grain);
        }
    }

    /// Starts the next pass.
    fn start_next_pass(&mut self) {
        self.jump(0);
        self.data_end = 0;
        self.passes += 1;
    }

    fn jump(&mut self, at: u64) {
        self.at = at;
        (self.sum, self.allocated, self.counted) = (0, false, false);
    }
}

impl Tracker {
    /// Scans up to `left` bytes while `more` returns true.
    pub(super) fn scan(
        &mut self,
        mut left: u64,
        changes: &mut Changes,
        more: impl Fn(&Changes) -> bool,
    ) -> io::Result<()> {
        self.scan.align(self.hashes.grain());
        while left > 0 && more(changes) {
            let (from, passes) = (self.scan.at, self.scan.passes);
            if !self.scan_chunk(changes)? {
                break;
            }
            // The scan returns to the start of a block that has grown.
            let to = if self.scan.passes == passes { self.scan.at } else { self.size };
            left = left.saturating_sub(to.saturating_sub(from));
        }
        Ok(())
    }

    /// Returns the number of changed pages between two checks of a limit.
    pub(super) fn pages_per_step(&self) -> usize {
        usize::try_from(CHANGES_PER_CHECK / self.page).unwrap_or(1).max(1)
    }

    /// Scans one chunk of data or one hole. Returns false if the segment is shorter than expected.
    fn scan_chunk(&mut self, changes: &mut Changes) -> io::Result<bool> {
        let at = self.scan.at;
        if at >= self.scan.data_end {
            let Some(extent) = self.reader.extent_at(self.range.start + at, self.size - at)? else {
                return Ok(false);
            };
            let end = (extent.end - self.range.start).min(self.size);
            // Treat the end of a hole like data if it is not at a page boundary.
            let whole = if end == self.size { end } else { end / self.page * self.page };
            if extent.kind == ExtentKind::Hole && whole > at {
                self.scan_hole(whole, changes);
                return Ok(true);
            }
            let end = if extent.kind == ExtentKind::Hole { at + 1 } else { end };
            self.scan.data_end = end.checked_next_multiple_of(self.page).unwrap_or(end);
        }
        self.scan_data(changes)
    }

    /// Scans a chunk of data.
    fn scan_data(&mut self, changes: &mut Changes) -> io::Result<bool> {
        let (at, page_size) = (self.scan.at, self.page);
        let chunk = (CHUNK_SIZE / page_size).max(1) * page_size;
        let end = self.scan.data_end.min(at.saturating_add(chunk)).min(self.size);
        let wanted = super::length(&(at..end));
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = self.reader.fill(&mut buffer, self.range.start + at, wanted)?;
        let pages = (at / page_size..).zip(buffer.chunks(self.zeros.len()));
        let hashes: Vec<u64> = pages.clone().map(|(page, bytes)| page_hash(page, bytes)).collect();
        if !self.pass(at, &hashes, changes) {
            for ((page, bytes), hash) in pages.zip(hashes) {
                self.scan.sum = self.scan.sum.wrapping_add(hash);
                self.scan.allocated = true;
                self.scan.counted |= self.has_changed(page, bytes, hash, changes);
                let end = ((page + 1) * page_size).min(self.size);
                self.scan.at = end;
                let grain = self.hashes.grain();
                if end.is_multiple_of(grain) || end == self.size {
                    self.end_block(page * page_size / grain, changes);
                }
                // The block size may have grown.
                if self.scan.at != end {
                    break;
                }
            }
        }
        self.buffer = buffer;
        Ok(count == wanted)
    }

    /// Updates a page. Returns true if it has changed.
    fn has_changed(&mut self, page: u64, bytes: &[u8], hash: u64, changes: &mut Changes) -> bool {
        let before = changes.count;
        self.update(page, bytes, hash, 0, changes);
        changes.count > before
    }

    /// Records the hashes of the pages from `at` on if no page needs a closer look: all blocks are
    /// unchanged, or the pages are within one block that had data. In larger blocks, none of them
    /// may have a copy. Otherwise does nothing and returns false.
    fn pass(&mut self, at: u64, hashes: &[u64], changes: &mut Changes) -> bool {
        let end = (at + hashes.len() as u64 * self.page).min(self.size);
        let grain = self.hashes.grain();
        let block = at / grain;
        let copied = self.copies.within(at / self.page..end.div_ceil(self.page)).next().is_some();
        // The hash of a page always matches its copy.
        if hashes.is_empty() || grain > self.page && copied {
            return false;
        }
        let ends_a_block = end.is_multiple_of(grain) || end == self.size;
        let sum = |hashes: &[u64]| hashes.iter().fold(0u64, |sum, &hash| sum.wrapping_add(hash));
        if at.is_multiple_of(grain) && ends_a_block {
            let pages_per_block = usize::try_from(grain / self.page).unwrap_or(usize::MAX);
            let sums: Vec<u64> = hashes.chunks(pages_per_block).map(sum).collect();
            let same = self.hashes.all_unchanged(block, &sums);
            if same && end == self.size {
                self.scan.start_next_pass();
            } else if same {
                self.scan.jump(end);
            }
            return same;
        }
        let within = end.div_ceil(grain) == block + 1;
        if !within || self.hashes.known(block).is_none_or(|known| known.now == 0) {
            return false;
        }
        self.scan.sum = self.scan.sum.wrapping_add(sum(hashes));
        (self.scan.allocated, self.scan.at) = (true, end);
        if ends_a_block {
            self.end_block(block, changes);
        }
        true
    }

    /// Records the block that ends at the scan position.
    fn end_block(&mut self, block: u64, changes: &mut Changes) {
        let Scan { at, sum, allocated, counted, .. } = self.scan;
        let grain = self.hashes.grain();
        let noted = self.hashes.record(block, sum, allocated);
        if noted && !counted {
            changes.add(&(block * grain..(block + 1).saturating_mul(grain)), 1);
        }
        if at >= self.size {
            self.scan.start_next_pass();
        } else {
            self.scan.jump(at);
        }
        self.scan.align(self.hashes.grain());
    }

    fn scan_hole(&mut self, end: u64, changes: &mut Changes) {
        let (at, page_size, grain) = (self.scan.at, self.page, self.hashes.grain());
        let first = at / grain;
        let beyond = self.hashes.within(first..end / grain).nth(self.pages_per_step());
        let end = beyond.map_or(end, |block| block * grain);
        let pages = at / page_size..end.div_ceil(page_size);
        let hashed = if grain == page_size { pages.clone() } else { 0..0 };
        let pages: BTreeSet<u64> = self.copies.within(pages).chain(self.hashes.within(hashed)).collect();
        let zeros = Arc::clone(&self.zeros);
        let mut counted = BTreeSet::new();
        for page in pages {
            let length = super::length(&(page * page_size..self.size)).min(zeros.len());
            if self.has_changed(page, &zeros[..length], 0, changes) {
                counted.insert(page * page_size / grain);
            }
        }
        // Finish the current block first if it ends within the hole.
        if !at.is_multiple_of(grain) {
            let block_end = (first + 1).saturating_mul(grain).min(self.size);
            self.scan.at = end.min(block_end);
            self.scan.counted |= counted.contains(&first);
            if self.scan.at == block_end {
                self.end_block(first, changes);
            }
            return;
        }
        let last = if end == self.size { end.div_ceil(grain) } else { end / grain };
        self.hashes.record_hole(first..last, |emptied| {
            if !counted.contains(&emptied) {
                changes.add(&(emptied * grain..(emptied + 1).saturating_mul(grain)), 1);
            }
        });
        if end == self.size {
            self.scan.start_next_pass();
        } else {
            self.scan.jump(end);
            self.scan.counted = counted.contains(&last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::SnapshotRequest;
    use crate::memory::example::object;
    use crate::memory::tracker::page::{PAGE, PAGE_BYTES};
    use std::time::Duration;

    #[test]
    fn block_that_grows_during_its_scan_is_read_again() {
        // Tests keep 64 blocks.
        let mut bytes = FakeBytes::hole(100 * PAGE);
        bytes.write(0, &vec![7; 64 * PAGE_BYTES]);
        let (machine, reader) = object(bytes);
        let mut tracker = Tracker::new(reader);
        let request = |window, budget| SnapshotRequest { window, rows: None, cells: 0, budget };
        let all = Duration::from_secs(600);
        tracker.snapshot(&machine, &request(0..0, all)).unwrap();
        tracker.scan.jump(3 * PAGE);
        machine.edit_object("a", |bytes| bytes.write(70 * PAGE, &[7]));
        tracker.snapshot(&machine, &request(70 * PAGE..70 * PAGE + 9, Duration::ZERO)).unwrap();
        assert_eq!(tracker.hashes.grain(), 2 * PAGE);
        for _ in 0..3 {
            assert_eq!(tracker.snapshot(&machine, &request(0..0, all)).unwrap().changes, 0);
        }
    }
}
