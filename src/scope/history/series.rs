//! The samples of a channel in chunks, with summaries of each block and each chunk, so that any range
//! is summarized from a few hundred of them.

use super::summary::{Summary, value};
use crate::scope::{Column, Grade, NumberKind};
use std::collections::VecDeque;
use std::ops::Range;

/// Ticks in a chunk.
pub(super) const CHUNK: usize = GROUP * 8;
/// Ticks in a group of blocks.
pub(super) const GROUP: usize = BLOCK * 8;
/// Ticks in a block.
pub(super) const BLOCK: usize = 64;

/// The bytes of a chunk with samples.
pub(super) const CHUNK_BYTES: u64 = (CHUNK * (size_of::<u64>() + size_of::<Grade>())
    + (CHUNK / BLOCK + CHUNK / GROUP) * size_of::<Summary>()) as u64;
/// The bytes that every chunk needs in the queues. A queue doubles when it is full, and is copied then.
pub(super) const ENTRY_BYTES: u64 = QUEUE_FACTOR * (size_of::<Option<Chunk>>() + size_of::<Summary>()) as u64;
pub(super) const QUEUE_FACTOR: u64 = 4;

/// The samples of a channel. All chunks but the last are full.
#[derive(Debug)]
pub(super) struct Series {
    pub kind: NumberKind,
    /// `None` for a chunk without samples.
    chunks: VecDeque<Option<Chunk>>,
    /// The summary of each chunk.
    summaries: VecDeque<Summary>,
}

#[derive(Debug, Clone)]
struct Chunk {
    bits: Box<[u64]>,
    grades: Box<[Grade]>,
    blocks: Box<[Summary]>,
    groups: Box<[Summary]>,
}

impl Chunk {
    /// A chunk whose first ticks have no samples.
    fn with_gap(ticks: usize) -> Self {
        let summaries = |size: usize| {
            let mut summaries = vec![Summary::EMPTY; CHUNK / size];
            summaries[..ticks.div_ceil(size)].fill(Summary::GAP);
            summaries.into()
        };
        Self {
            bits: vec![0; CHUNK].into(),
            grades: vec![Grade::Missing; CHUNK].into(),
            blocks: summaries(BLOCK),
            groups: summaries(GROUP),
        }
    }

    fn set(&mut self, tick: usize, bits: u64, grade: Grade, value: Option<f64>) {
        (self.bits[tick], self.grades[tick]) = (bits, grade);
        self.blocks[tick / BLOCK].push(value, grade);
        self.groups[tick / GROUP].push(value, grade);
    }

    /// Summarizes ticks, of which all before `filled` are set.
    fn summary(&self, kind: NumberKind, ticks: Range<usize>, filled: usize) -> Summary {
        let mut summary = Summary::EMPTY;
        let mut at = ticks.start;
        while at < ticks.end {
            let is_whole = |size: usize| {
                let end = at + size;
                at.is_multiple_of(size) && (end <= ticks.end || ticks.end == filled)
            };
            let size = if is_whole(GROUP) { GROUP } else { BLOCK };
            let end = ((at / size + 1) * size).min(ticks.end);
            if size == GROUP {
                summary.append(&self.groups[at / GROUP]);
            } else if is_whole(BLOCK) {
                summary.append(&self.blocks[at / BLOCK]);
            } else {
                for tick in at..end {
                    let grade = self.grades[tick];
                    summary.push(value(kind, self.bits[tick], grade), grade);
                }
            }
            at = end;
        }
        summary
    }
}

impl Series {
    /// A channel that has had no samples in `chunks` chunks so far.
    pub fn new(kind: NumberKind, chunks: usize) -> Self {
        Self {
            kind,
            chunks: (0..chunks).map(|_| None).collect(),
            summaries: (0..chunks).map(|_| Summary::GAP).collect(),
        }
    }

    pub fn start_chunk(&mut self) {
        self.chunks.push_back(None);
        self.summaries.push_back(Summary::EMPTY);
    }

    /// Returns the bytes of its samples.
    pub fn evict_chunk(&mut self) -> u64 {
        self.summaries.pop_front();
        shrink(&mut self.summaries);
        let chunk = self.chunks.pop_front();
        shrink(&mut self.chunks);
        if chunk.flatten().is_some() { CHUNK_BYTES } else { 0 }
    }

    /// The bytes of all samples.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().flatten().count() as u64 * CHUNK_BYTES
    }

    /// Returns true if appending this part of a column takes a new chunk.
    pub fn needs_chunk(&self, column: &Column, part: &Range<usize>) -> bool {
        matches!(self.chunks.back(), Some(None))
            && samples(column, part).any(|(_, grade)| grade != Grade::Missing)
    }

    /// Appends a part of a column to the last chunk, of which `filled` ticks are set.
    pub fn append(&mut self, filled: usize, column: &Column, part: &Range<usize>) {
        let needs_chunk = self.needs_chunk(column, part);
        let (Some(last), Some(summary)) = (self.chunks.back_mut(), self.summaries.back_mut()) else { return };
        if needs_chunk {
            *last = Some(Chunk::with_gap(filled));
        }
        let Some(chunk) = last else {
            summary.append(&Summary::GAP);
            return;
        };
        for (tick, (bits, grade)) in (filled..CHUNK).zip(samples(column, part)) {
            let value = value(self.kind, bits, grade);
            chunk.set(tick, bits, grade, value);
            summary.push(value, grade);
        }
    }

    /// Sets the samples of a chunk that has none.
    pub fn set(&mut self, chunk: usize, column: &Column) {
        let (Some(target), Some(summary)) = (self.chunks.get_mut(chunk), self.summaries.get_mut(chunk))
        else {
            return;
        };
        *summary = Summary::EMPTY;
        let mut filled = Chunk::with_gap(0);
        for (tick, (&bits, &grade)) in column.bits.iter().zip(&column.grades).enumerate().take(CHUNK) {
            let value = value(self.kind, bits, grade);
            filled.set(tick, bits, grade, value);
            summary.push(value, grade);
        }
        *target = column.grades.iter().any(|&grade| grade != Grade::Missing).then_some(filled);
    }

    /// Appends the samples of a part of a chunk to a column.
    pub fn copy(&self, chunk: usize, part: Range<usize>, column: &mut Column) {
        if let Some(Some(chunk)) = self.chunks.get(chunk) {
            column.bits.extend_from_slice(&chunk.bits[part.clone()]);
            column.grades.extend_from_slice(&chunk.grades[part]);
        } else {
            column.bits.resize(column.bits.len() + part.len(), 0);
            column.grades.resize(column.grades.len() + part.len(), Grade::Missing);
        }
    }

    /// The bits and grade of a tick.
    pub fn sample(&self, tick: usize) -> (u64, Grade) {
        match self.chunks.get(tick / CHUNK) {
            Some(Some(chunk)) => (chunk.bits[tick % CHUNK], chunk.grades[tick % CHUNK]),
            _ => (0, Grade::Missing),
        }
    }

    /// The value of a tick. `None` for a gap.
    pub fn value(&self, tick: usize) -> Option<f64> {
        let (bits, grade) = self.sample(tick);
        value(self.kind, bits, grade)
    }

    /// Summarizes ticks of a history with `len` of them.
    pub fn summary(&self, ticks: Range<usize>, len: usize) -> Summary {
        let mut summary = Summary::EMPTY;
        let mut at = ticks.start;
        while at < ticks.end {
            let chunk = at / CHUNK;
            let start = chunk * CHUNK;
            let chunk_end = (start + CHUNK).min(len);
            let end = chunk_end.min(ticks.end);
            if at == start && end == chunk_end {
                summary.append(&self.summaries[chunk]);
            } else {
                let part = self.chunks[chunk].as_ref().map_or(Summary::GAP, |samples| {
                    samples.summary(self.kind, at - start..end - start, chunk_end - start)
                });
                summary.append(&part);
            }
            at = end;
        }
        summary
    }

    #[cfg(test)]
    pub fn allocated(&self) -> u64 {
        let queues = self.chunks.capacity() * size_of::<Option<Chunk>>()
            + self.summaries.capacity() * size_of::<Summary>();
        self.bytes() + queues as u64
    }
}

/// The samples of a part of a column. Those past its end are missing.
fn samples(column: &Column, part: &Range<usize>) -> impl Iterator<Item = (u64, Grade)> {
    part.clone().map(|index| match (column.bits.get(index), column.grades.get(index)) {
        (Some(bits), Some(grade)) => (*bits, *grade),
        _ => (0, Grade::Missing),
    })
}

/// Releases the room of a queue that has become short, to keep it within [`QUEUE_FACTOR`].
pub(super) fn shrink<T>(queue: &mut VecDeque<T>) {
    if queue.capacity() > 4 * queue.len() {
        queue.shrink_to(2 * queue.len());
    }
}
