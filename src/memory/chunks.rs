//! Reads a range of a segment in chunks: the bytes of data, and the lengths of holes.

use super::{PageBuffer, Progress, Reader};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;

/// A chunk of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunk {
    /// The number of bytes read.
    Bytes(usize),
    /// The length of a hole, which was not read.
    Hole(u64),
}

/// Reads a range from start to end. Ends early at the end of the segment or on cancellation.
pub struct Chunks<'a> {
    reader: &'a Reader,
    progress: &'a Progress,
    start: u64,
    at: u64,
    end: u64,
    grain: u64,
    longest_hole: u64,
    /// The end of the current data extent. Cached, because the kernel visits every page to find it.
    data_end: u64,
}

impl<'a> Chunks<'a> {
    /// Returns the chunks of `range`. All but the last are multiples of `grain` bytes.
    ///
    /// # Errors
    /// Fails if the kernel can no longer access the segment.
    pub fn new(
        reader: &'a Reader,
        range: Range<u64>,
        grain: u64,
        progress: &'a Progress,
    ) -> io::Result<Self> {
        let end = range.end.min(reader.size()?);
        let start = range.start.min(end);
        progress.begin(end - start);
        Ok(Self {
            reader,
            progress,
            start,
            at: start,
            end,
            grain: grain.max(1),
            longest_hole: u64::MAX,
            data_end: start,
        })
    }

    /// Splits holes into chunks of at most `length` bytes, for callers that write out the zeros.
    #[must_use]
    pub const fn with_holes_up_to(mut self, length: u64) -> Self {
        self.longest_hole = length;
        self
    }

    /// Returns the offset of the next chunk.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.at
    }

    /// Returns the next chunk: at most as many bytes as the buffer can hold, or a hole of any
    /// length. `None` at the end.
    ///
    /// # Errors
    /// Fails if the segment cannot be read.
    pub fn next(&mut self, buffer: &mut PageBuffer) -> io::Result<Option<Chunk>> {
        let left = self.end - self.at;
        if left == 0 || self.progress.is_cancelled() {
            return Ok(None);
        }
        let chunk = match self.hole()? {
            0 => {
                let capacity = buffer.capacity() as u64 / self.grain * self.grain;
                let wanted = usize::try_from(left.min(capacity)).unwrap_or(buffer.capacity());
                let count = self.reader.fill(buffer, self.at, wanted)?;
                if count < wanted {
                    self.progress.cut_short();
                    self.end = self.at + count as u64;
                }
                if count == 0 {
                    return Ok(None);
                }
                self.at += count as u64;
                Chunk::Bytes(count)
            }
            length => {
                self.at += length;
                Chunk::Hole(length)
            }
        };
        self.progress.reach(self.at - self.start);
        Ok(Some(chunk))
    }

    /// Returns the length of the hole at the current offset, or 0 if there is none. Rounded down to
    /// a multiple of `grain` unless the hole reaches the end.
    fn hole(&mut self) -> io::Result<u64> {
        if self.at < self.data_end {
            return Ok(0);
        }
        // Finding a hole is cheap. Finding the end of data is slow, and not needed here.
        match self.reader.extent_at(self.at, 1)? {
            Some(extent) if extent.kind == ExtentKind::Hole => {}
            _ => return Ok(0),
        }
        let Some(extent) = self.reader.extent_at(self.at, self.end - self.at)? else { return Ok(0) };
        let length = (extent.end.min(self.end) - self.at).min(self.longest_hole);
        if extent.kind == ExtentKind::Data {
            self.data_end = extent.end;
        }
        Ok(match extent.kind {
            ExtentKind::Data => 0,
            ExtentKind::Hole if self.at + length == self.end => length,
            ExtentKind::Hole => length / self.grain * self.grain,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::FakeBytes;
    use crate::memory::example::{object, pages};

    fn all(chunks: &mut Chunks<'_>, capacity: usize) -> Vec<Chunk> {
        let mut buffer = PageBuffer::with_capacity(capacity);
        std::iter::from_fn(|| chunks.next(&mut buffer).unwrap()).collect()
    }

    #[test]
    fn holes_are_reported_and_not_read() {
        let mut bytes = FakeBytes::hole(1 << 40);
        bytes.write(3 * 4096, &[7; 4096]);
        let (machine, reader) = object(bytes);
        let progress = Progress::new();
        let range = 5..u64::MAX;
        let mut chunks = Chunks::new(&reader, range.clone(), 16, &progress).unwrap();
        // Up to the last whole grain before the data, then past the end of the data.
        let before = 3 * 4096 - 16;
        let data = [Chunk::Bytes(4096), Chunk::Bytes(4096)];
        let rest = Chunk::Hole((1 << 40) - 5 - before - 8192);
        assert_eq!(all(&mut chunks, 4100), [Chunk::Hole(before), data[0], data[1], rest]);
        assert_eq!((progress.done(), progress.total()), ((1 << 40) - 5, (1 << 40) - 5));
        let mut chunks = Chunks::new(&reader, range, 1, &progress).unwrap().with_holes_up_to(8192);
        let mut buffer = PageBuffer::with_capacity(4096);
        assert_eq!(chunks.next(&mut buffer).unwrap(), Some(Chunk::Hole(8192)));
        assert_eq!(pages(&machine), 1);
    }

    #[test]
    fn reading_ends_where_the_segment_shrank() {
        let (machine, reader) = object(FakeBytes::full(&[7; 8192]));
        let progress = Progress::new();
        let mut chunks = Chunks::new(&reader, 0..8192, 1, &progress).unwrap();
        let mut buffer = PageBuffer::with_capacity(4096);
        assert_eq!(chunks.next(&mut buffer).unwrap(), Some(Chunk::Bytes(4096)));
        machine.edit_object("a", |bytes| bytes.size = 5000);
        assert_eq!(chunks.next(&mut buffer).unwrap(), Some(Chunk::Bytes(904)));
        assert_eq!(chunks.next(&mut buffer).unwrap(), None);
    }
}
