//! Copies of segments, or of parts of them, that the next poll is compared with.

use crate::machine::ExtentKind;
use crate::memory::{PageBuffer, Reader};
use std::collections::BTreeMap;
use std::io;

/// The size of the parts that are copied from a sampled segment.
const PART: u64 = 4096;
/// The number of polls for which a changed part stays hot.
const HOT: u32 = 8;

/// Limits for the copies of one segment.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Segments larger than this are sampled.
    whole: u64,
    /// The maximum number of recently changed parts.
    hot: usize,
    /// The number of parts that take turns in each poll.
    turns: usize,
}

pub const FRONT_EFFORT: Effort = Effort { whole: 64 << 10, hot: 8, turns: 16 };
pub const OTHER_EFFORT: Effort = Effort { whole: 8 << 10, hot: 2, turns: 2 };

/// The result of a comparison.
pub struct Different {
    pub bytes: u64,
    pub sampled: bool,
}

/// The copies that the next poll is compared with.
#[derive(Default)]
pub struct Copies {
    /// The parts, by their offset.
    parts: BTreeMap<u64, Part>,
    /// The offset at which the next turn looks for data.
    turn: u64,
}

struct Part {
    bytes: Vec<u8>,
    /// The number of further polls that compare it.
    heat: u32,
}

impl Copies {
    /// Compares a segment with its copies, and copies it again.
    pub fn compare(&mut self, reader: &Reader, effort: Effort) -> io::Result<Different> {
        let size = reader.size()?;
        let mut buffer = PageBuffer::default();
        let mut bytes = 0;
        for (&offset, part) in &mut self.parts {
            if !reader.swapped_in(offset..offset + part.bytes.len() as u64)?.is_empty() {
                continue;
            }
            reader.fill(&mut buffer, offset, part.bytes.len())?;
            let different = count_different(&part.bytes, &buffer);
            part.heat = if different > 0 { HOT } else { part.heat.saturating_sub(1) };
            bytes += different;
            if different > 0 || part.bytes.len() != buffer.len() {
                part.bytes.clear();
                part.bytes.extend_from_slice(&buffer);
            }
        }
        let sampled = size > effort.whole;
        if sampled {
            self.rotate(reader, size, effort, &mut buffer)?;
        } else if self.parts.get(&0).is_none_or(|part| part.bytes.len() as u64 != size) {
            self.parts.clear();
            self.copy(reader, 0, size, &mut buffer)?;
        }
        Ok(Different { bytes, sampled })
    }

    /// Keeps the first part and the hot ones, and copies the next parts that have data.
    fn rotate(
        &mut self,
        reader: &Reader,
        size: u64,
        effort: Effort,
        buffer: &mut PageBuffer,
    ) -> io::Result<()> {
        self.parts.retain(|&offset, part| part.heat > 0 && offset < size);
        while self.parts.len() > effort.hot {
            self.parts.pop_last();
        }
        let mut turns = 0;
        // Each seek either finds data or skips a hole.
        for _ in 0..2 * effort.turns {
            if turns == effort.turns {
                break;
            }
            self.turn = if self.turn >= size { 0 } else { self.turn };
            // Asking for the end of a run of data would visit all of its pages.
            let Some(extent) = reader.extent_at(self.turn, PART)? else { break };
            if extent.kind == ExtentKind::Hole {
                let hole = reader.extent_at(self.turn, size - self.turn)?;
                self.turn = hole.map_or(size, |hole| hole.end).next_multiple_of(PART);
                continue;
            }
            let offset = self.turn;
            self.turn += PART;
            turns += 1;
            self.copy(reader, offset, (size - offset).min(PART), buffer)?;
        }
        // Headers are at the start.
        self.copy(reader, 0, size.min(PART), buffer)
    }

    /// Copies a part that is not copied yet.
    fn copy(&mut self, reader: &Reader, offset: u64, length: u64, buffer: &mut PageBuffer) -> io::Result<()> {
        if !self.parts.contains_key(&offset) && reader.swapped_in(offset..offset + length)?.is_empty() {
            reader.fill(buffer, offset, usize::try_from(length).map_err(io::Error::other)?)?;
            self.parts.insert(offset, Part { bytes: buffer.to_vec(), heat: 0 });
        }
        Ok(())
    }
}

/// Counts the bytes that differ in the part that both have.
fn count_different(a: &[u8], b: &[u8]) -> u64 {
    if a == b {
        return 0;
    }
    a.iter().zip(b).filter(|(a, b)| a != b).count() as u64
}
