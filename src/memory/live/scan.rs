//! Scans the whole segment repeatedly, one chunk at a time.

use super::hashes::Noted;
use super::marks::Marks;
use super::page::{PAGE, PAGE_BYTES, page_hash};
use super::{Live, differences};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Bytes per read.
const CHUNK: u64 = 128 << 10;

/// The position of the scan, and the state of the current block.
#[derive(Debug, Default)]
pub struct Scan {
    /// The next offset to read: the start of a page.
    at: u64,
    /// The block size at the last read.
    grain: u64,
    /// The sum of the page hashes of the block so far.
    sum: u64,
    /// True if any page of the block is allocated.
    allocated: bool,
    /// True if a change in the block has already been counted.
    counted: bool,
    /// The end of the current run of data. Cached, since finding it takes longer the more data is
    /// allocated.
    data_end: u64,
    /// The number of completed scans.
    rounds: u64,
}

impl Scan {
    /// Restarts if the position is past the end.
    pub fn restart_beyond(&mut self, size: u64) {
        if self.at >= size {
            self.jump(0);
        }
        self.data_end = 0;
    }

    /// Returns to the start of the block after the block size has grown: only part of the block was
    /// added up.
    fn fit(&mut self, grain: u64) {
        if self.grain != grain {
            self.grain = grain;
            self.data_end = 0;
            self.jump(self.at / grain * grain);
        }
    }

    /// Starts the next pass.
    fn next_round(&mut self) {
        self.jump(0);
        self.data_end = 0;
        self.rounds += 1;
    }

    /// Continues at the start of another block.
    fn jump(&mut self, at: u64) {
        self.at = at;
        (self.sum, self.allocated, self.counted) = (0, false, false);
    }
}

impl Live {
    /// Scans until the time budget is used up or the whole segment was read.
    pub(super) fn continue_scan(
        &mut self,
        began: Instant,
        budget: Duration,
        marks: &mut Marks,
    ) -> io::Result<()> {
        self.scan.fit(self.hashes.grain());
        let mut left = self.size;
        while left > 0 && began.elapsed() < budget {
            let (from, rounds) = (self.scan.at, self.scan.rounds);
            if !self.scan_chunk(marks)? {
                break;
            }
            // The scan may return to the start of a larger block.
            let to = if self.scan.rounds == rounds { self.scan.at } else { self.size };
            left = left.saturating_sub(to.saturating_sub(from));
        }
        Ok(())
    }

    /// Scans one chunk of data or one hole. Returns false if the segment ends early.
    fn scan_chunk(&mut self, marks: &mut Marks) -> io::Result<bool> {
        let at = self.scan.at;
        if at < self.scan.data_end {
            return self.scan_data(self.scan.data_end, marks);
        }
        let Some(extent) = self.reader.extent_at(at, self.size - at)? else { return Ok(false) };
        let end = extent.end.min(self.size);
        match extent.kind {
            // A hole that does not end at a page boundary is read like data.
            ExtentKind::Hole if end == self.size || end.is_multiple_of(PAGE) => {
                self.scan_hole(end, marks);
                Ok(true)
            }
            _ => {
                self.scan.data_end = end.checked_next_multiple_of(PAGE).unwrap_or(end);
                self.scan_data(self.scan.data_end, marks)
            }
        }
    }

    /// Scans a chunk of the data before `end`.
    fn scan_data(&mut self, end: u64, marks: &mut Marks) -> io::Result<bool> {
        let at = self.scan.at;
        let end = end.min(at.saturating_add(CHUNK)).min(self.size);
        let wanted = super::length(&(at..end));
        let mut buffer = std::mem::take(&mut self.buffer);
        let count = self.reader.fill(&mut buffer, at, wanted)?;
        let pages = (at / PAGE..).zip(buffer.chunks(PAGE_BYTES));
        let hashes: Vec<u64> = pages.clone().map(|(page, bytes)| page_hash(page, bytes)).collect();
        if self.pass(at, &hashes, marks) {
            self.buffer = buffer;
            return Ok(count == wanted);
        }
        for ((page, bytes), hash) in pages.zip(hashes) {
            self.scan_page(page, bytes, hash, marks);
            self.scan.at = ((page + 1) * PAGE).min(self.size);
            let grain = self.hashes.grain();
            if self.scan.at.is_multiple_of(grain) || self.scan.at == self.size {
                self.end_block(page * PAGE / grain, marks);
            }
            // The block size may have grown.
            if self.scan.at != ((page + 1) * PAGE).min(self.size) {
                break;
            }
        }
        self.buffer = buffer;
        Ok(count == wanted)
    }

    /// Records the hashes of the pages from `at` on if no page needs closer examination: none has a
    /// copy, and either all blocks are unchanged or the pages are within one block that had data.
    /// Otherwise returns false and does nothing.
    fn pass(&mut self, at: u64, hashes: &[u64], marks: &mut Marks) -> bool {
        let end = (at + hashes.len() as u64 * PAGE).min(self.size);
        let grain = self.hashes.grain();
        let block = at / grain;
        if hashes.is_empty() || self.copies.any_within(at / PAGE..end.div_ceil(PAGE)) {
            return false;
        }
        let ends_a_block = end.is_multiple_of(grain) || end == self.size;
        let sum = |hashes: &[u64]| hashes.iter().fold(0u64, |sum, &hash| sum.wrapping_add(hash));
        if at.is_multiple_of(grain) && ends_a_block {
            let pages_a_block = usize::try_from(grain / PAGE).unwrap_or(usize::MAX);
            let sums: Vec<u64> = hashes.chunks(pages_a_block).map(sum).collect();
            let same = self.hashes.all_unchanged(block, &sums);
            if same && end == self.size {
                self.scan.next_round();
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
            self.end_block(block, marks);
        }
        true
    }

    fn scan_page(&mut self, page: u64, bytes: &[u8], hash: u64, marks: &mut Marks) {
        self.scan.sum = self.scan.sum.wrapping_add(hash);
        self.scan.allocated = true;
        let known = self.hashes.known(page * PAGE / self.hashes.grain());
        let zeros = &self.zeros[..bytes.len()];
        let changed = match (self.copies.update(page, bytes), known) {
            (Some(changed), _) => changed,
            // A page of zeros needs no copy.
            (None, Some(known)) if known.now == 0 && hash != 0 => {
                if known.base == 0 {
                    self.copies.offer(page, bytes, Some(zeros.into()));
                }
                differences(zeros, bytes)
            }
            (None, None) if hash != 0 => {
                self.copies.offer(page, bytes, None);
                vec![]
            }
            (None, _) => vec![],
        };
        self.scan.counted |= !changed.is_empty();
        marks.mark_all(page * PAGE, &changed);
    }

    /// Records the block that ends at the scan position.
    fn end_block(&mut self, block: u64, marks: &mut Marks) {
        let Scan { at, sum, allocated, counted, .. } = self.scan;
        let grain = self.hashes.grain();
        let noted = self.hashes.note(block, sum, allocated);
        if !counted && matches!(noted, Noted::Changed { .. }) {
            marks.mark(&(block * grain..(block + 1).saturating_mul(grain)), 1);
        }
        if at >= self.size {
            self.scan.next_round();
        } else {
            self.scan.jump(at);
        }
        self.scan.fit(self.hashes.grain());
    }

    /// Skips a hole without reading it.
    fn scan_hole(&mut self, end: u64, marks: &mut Marks) {
        let counted = self.empty_pages(self.scan.at / PAGE..end.div_ceil(PAGE), marks);
        let grain = self.hashes.grain();
        let block = self.scan.at / grain;
        // Finish the current block first if it ends within the hole.
        if !self.scan.at.is_multiple_of(grain) {
            let block_end = (block + 1).saturating_mul(grain).min(self.size);
            self.scan.at = end.min(block_end);
            self.scan.counted |= counted.contains(&block);
            if self.scan.at == block_end {
                self.end_block(block, marks);
            }
            return;
        }
        let last = if end == self.size { end.div_ceil(grain) } else { end / grain };
        self.hashes.note_hole(block..last, |emptied| {
            if !counted.contains(&emptied) {
                marks.mark(&(emptied * grain..(emptied + 1).saturating_mul(grain)), 1);
            }
        });
        if end == self.size {
            self.scan.next_round();
        } else {
            self.scan.jump(end);
            self.scan.counted = counted.contains(&last);
        }
    }

    /// Clears the copied pages in a hole. Returns the blocks that changed.
    fn empty_pages(&mut self, pages: Range<u64>, marks: &mut Marks) -> Vec<u64> {
        let mut blocks = vec![];
        for page in self.copies.within(pages) {
            let length = super::length(&(page * PAGE..self.size)).min(PAGE_BYTES);
            let changed = self.copies.update(page, &self.zeros[..length]).unwrap_or_default();
            marks.mark_all(page * PAGE, &changed);
            if !changed.is_empty() {
                blocks.push(page * PAGE / self.hashes.grain());
            }
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::SnapshotRequest;
    use crate::memory::example::object;

    #[test]
    fn a_block_that_grows_during_its_scan_is_read_again() {
        // Tests keep 64 blocks.
        let mut bytes = FakeBytes::hole(100 * PAGE);
        bytes.write(0, &vec![7; 64 * PAGE_BYTES]);
        let (machine, reader) = object(bytes);
        let mut live = Live::new(reader);
        let request = |window, budget| SnapshotRequest { window, cells: 0, budget };
        let all = Duration::from_secs(600);
        live.snapshot(&machine, &request(0..0, all)).unwrap();
        live.scan.jump(3 * PAGE);
        machine.edit_object("a", |bytes| bytes.write(70 * PAGE, &[7]));
        live.snapshot(&machine, &request(70 * PAGE..70 * PAGE + 9, Duration::ZERO)).unwrap();
        assert_eq!(live.hashes.grain(), 2 * PAGE);
        for _ in 0..3 {
            assert_eq!(live.snapshot(&machine, &request(0..0, all)).unwrap().changes, 0);
        }
    }
}
