//! Writes the contents of a segment as an archive.

use super::SaveError;
use crate::act::archive::{ArchiveWriter, END_MARKER, MAX_RUN, RUN_HEADER, SavedSegment};
use crate::machine::ExtentKind;
use crate::memory::{PageBuffer, Progress, Reader, is_slow, pipeline};
use crate::segment::Bytes;
use std::io::{self, Write};
use std::ops::ControlFlow;

/// Bytes per write: a multiple of the page size, and small enough that a block stays in the CPU
/// cache between reading and writing.
const BLOCK_SIZE: usize = 256 << 10;
const _: () = assert!(BLOCK_SIZE + RUN_HEADER <= MAX_RUN);
/// The length of a short run that shifts the offset of the next run, see [`is_slow`].
const SHORT_RUN: usize = 4096;
/// The smallest segment that is worth a second thread.
const MIN_PARALLEL: u64 = 4 << 20;

/// An open segment that is being written to an archive.
pub struct Contents<'a> {
    pub reader: &'a Reader,
    pub saved: &'a SavedSegment,
    pub progress: &'a Progress,
    pub limit: Option<Bytes>,
    pub failed: &'a (dyn Fn(io::Error) -> SaveError + Sync),
}

impl Contents<'_> {
    /// Writes the whole archive and returns its length. One thread reads while another writes.
    pub fn write(&self, mut to: impl Write) -> Result<u64, SaveError> {
        let size = self.saved.size.0;
        self.progress.begin(size);
        let (writing, metadata) = ArchiveWriter::begin(self.saved).map_err(self.failed)?;
        to.write_all(&metadata).map_err(self.failed)?;
        let mut blocks = Blocks { contents: self, writing, at: 0, data_end: 0 };
        let (mut read, mut written) = (Ok(()), Ok(()));
        pipeline(
            size >= MIN_PARALLEL,
            |block: &mut Block| {
                blocks.next(block).unwrap_or_else(|error| {
                    read = Err(error);
                    false
                })
            },
            |block| match to.write_all(&block.bytes) {
                Ok(()) => {
                    self.progress.reach(block.end);
                    ControlFlow::Continue(())
                }
                Err(error) => {
                    written = Err((self.failed)(error));
                    ControlFlow::Break(())
                }
            },
        );
        let writing = blocks.writing;
        written.and(read)?;
        if self.progress.is_cancelled() {
            return Err(SaveError::Stopped { id: self.reader.id().clone() });
        }
        if self.reader.size().map_err(|error| self.read_error(error))? != size {
            return Err(self.size_changed());
        }
        self.progress.reach(size);
        let length = writing.length() + END_MARKER as u64;
        self.check(length)?;
        to.write_all(&writing.end()).and_then(|()| to.flush()).map_err(self.failed)?;
        Ok(length)
    }

    fn size_changed(&self) -> SaveError {
        SaveError::Resized { id: self.reader.id().clone() }
    }

    fn read_error(&self, source: io::Error) -> SaveError {
        SaveError::Read { id: self.reader.id().clone(), source }
    }

    fn check(&self, length: u64) -> Result<(), SaveError> {
        match self.limit {
            Some(limit) if length > limit.0 => {
                Err(SaveError::TooLarge { id: self.reader.id().clone(), held: Bytes(length), limit })
            }
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Block {
    bytes: PageBuffer,
    /// The end of the last run, as an offset in the segment.
    end: u64,
}

/// Reads the data of a segment in ascending order.
struct Blocks<'a> {
    contents: &'a Contents<'a>,
    writing: ArchiveWriter,
    at: u64,
    /// The end of the data extent at the current offset.
    data_end: u64,
}

impl Blocks<'_> {
    /// Fills the next block. Returns false at the end of the segment and after a cancellation.
    fn next(&mut self, block: &mut Block) -> Result<bool, SaveError> {
        let position = self.writing.length();
        // Blocks end at multiples of `BLOCK_SIZE` in the file, so that every write covers whole
        // pages.
        let space = BLOCK_SIZE - offset_in_block(position);
        let space = if space > RUN_HEADER { space } else { space + BLOCK_SIZE };
        let bytes = block.bytes.place(position, space);
        let mut filled = 0;
        while space - filled > RUN_HEADER && self.find_data()? {
            filled += self.read_run(&mut bytes[filled..])?;
        }
        block.bytes.truncate(filled);
        block.end = self.at;
        Ok(filled > 0 && !self.contents.progress.is_cancelled())
    }

    /// Advances to the next data extent. Returns false at the end of the segment and after a
    /// cancellation.
    fn find_data(&mut self) -> Result<bool, SaveError> {
        let Contents { reader, saved, progress, .. } = self.contents;
        let size = saved.size.0;
        while self.at >= self.data_end {
            if self.at >= size || progress.is_cancelled() {
                return Ok(false);
            }
            let extent = reader.extent_at(self.at, size - self.at);
            let Some(extent) = extent.map_err(|error| self.contents.read_error(error))? else {
                return Ok(false);
            };
            match extent.kind {
                ExtentKind::Hole => self.at = extent.end.min(size),
                ExtentKind::Data => self.data_end = extent.end.min(size),
            }
        }
        Ok(true)
    }

    /// Reads as much data as fits, and returns the length of the run.
    fn read_run(&mut self, space: &mut [u8]) -> Result<usize, SaveError> {
        let reader = self.contents.reader;
        let left = usize::try_from(self.data_end - self.at).unwrap_or(usize::MAX);
        let mut length = left.min(space.len() - RUN_HEADER);
        if is_slow(self.at, &space[RUN_HEADER..][..length]) {
            // The header shifts the next run to another offset within the page.
            length = SHORT_RUN;
        }
        let run = &mut space[..RUN_HEADER + length];
        self.contents.check(self.writing.length() + run.len() as u64)?;
        let count = reader.read_at(self.at, &mut run[RUN_HEADER..]);
        if count.map_err(|error| self.contents.read_error(error))? < length {
            return Err(self.contents.size_changed());
        }
        reader.release(self.at, length as u64);
        self.writing.run(self.at, run);
        self.at += length as u64;
        Ok(run.len())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "less than the length of a block")]
fn offset_in_block(position: u64) -> usize {
    (position % BLOCK_SIZE as u64) as usize
}
