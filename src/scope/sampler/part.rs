//! One read of several values, and how far each can be trusted.

use super::field::Field;
use super::plan::{LockPlan, PartPlan};
use crate::scope::Grade;
use std::hint;
use std::sync::atomic::{Ordering, fence};

/// Reads after the first until two agree.
const MAX_READS_AGAIN: usize = 3;
/// Attempts to read between two changes of a sequence lock. Its writer may have been preempted while
/// the lock was odd, so there is an end.
const MAX_ATTEMPTS: usize = 64;

/// The memory of a part of a segment.
pub trait Memory: Send {
    /// Copies some words of the part to the same indexes, each at once. Returns the number of bytes
    /// from the start of the part that the segment has; 0 if it cannot be read.
    fn copy(&mut self, words: &[u16], into: &mut [u64]) -> usize;
}

/// The samples of one tick, by the index of their channels.
pub type Row = [(u64, Grade)];

/// A read of several values.
pub struct Part {
    fields: Vec<(usize, Field)>,
    words: Vec<u16>,
    buffer: Vec<u64>,
    /// The number of bytes that exist.
    length: usize,
    /// The values that a writer may be halfway through.
    torn: Vec<Torn>,
    /// Their words.
    torn_words: Vec<u16>,
    /// `None` while the segment is gone.
    memory: Option<Box<dyn Memory>>,
}

struct Torn {
    channel: usize,
    field: Field,
    last: u64,
    grade: Grade,
}

impl Part {
    pub fn new(plan: &PartPlan) -> Self {
        let torn = plan.fields.iter().filter(|(_, field)| !field.whole);
        let torn: Vec<Torn> =
            torn.map(|&(channel, field)| Torn { channel, field, last: 0, grade: Grade::Missing }).collect();
        Self {
            words: words(plan.fields.iter().map(|(_, field)| field)),
            torn_words: words(torn.iter().map(|torn| &torn.field)),
            fields: plan.fields.clone(),
            buffer: vec![0; plan.length],
            length: 0,
            torn,
            memory: None,
        }
    }

    pub fn set_memory(&mut self, memory: Option<Box<dyn Memory>>) {
        self.memory = memory;
    }

    /// Copies all values.
    fn copy(&mut self) {
        let Self { memory, words, buffer, .. } = self;
        self.length = memory.as_mut().map_or(0, |memory| memory.copy(words, buffer));
    }

    /// Adds the values in the buffer to a row. `grade` returns the grade of a value by whether it is
    /// whole.
    fn add(&self, row: &mut Row, grade: impl Fn(bool) -> Grade) -> bool {
        let mut any = false;
        for (channel, field) in &self.fields {
            if usize::from(field.end) <= self.length {
                any = true;
                row[*channel] = (field.sample(field.raw(&self.buffer)), grade(field.whole));
            }
        }
        any
    }

    /// Samples values that no lock protects. Returns true if any was read.
    pub fn sample(&mut self, row: &mut Row) -> bool {
        self.copy();
        let any = self.add(row, |whole| if whole { Grade::Whole } else { Grade::Unverified });
        if any && !self.torn.is_empty() {
            self.settle();
            for torn in &self.torn {
                row[torn.channel] = (torn.field.sample(torn.last), torn.grade);
            }
        }
        any
    }

    /// Reads the values again that may be torn, until two reads of each agree.
    fn settle(&mut self) {
        let Self { torn, torn_words, buffer, memory, length, .. } = self;
        for again in 0..=MAX_READS_AGAIN {
            for torn in torn.iter_mut() {
                if again > 0 && torn.grade != Grade::Unverified {
                    continue;
                }
                if usize::from(torn.field.end) > *length {
                    torn.grade = Grade::Missing;
                    continue;
                }
                let raw = torn.field.raw(buffer);
                torn.grade = if again > 0 && raw == torn.last { Grade::Stable } else { Grade::Unverified };
                torn.last = raw;
            }
            if again == MAX_READS_AGAIN || torn.iter().all(|torn| torn.grade != Grade::Unverified) {
                return;
            }
            fence(Ordering::Acquire);
            *length = memory.as_mut().map_or(0, |memory| memory.copy(torn_words, buffer));
        }
    }
}

/// The words of some fields, each once, in ascending order.
fn words<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<u16> {
    let mut words: Vec<u16> = fields.flat_map(Field::words).collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// Values that a sequence lock protects.
pub struct Locked {
    lock: Part,
    parts: Vec<Part>,
}

impl Locked {
    pub fn new(plan: &LockPlan) -> Self {
        Self { lock: Part::new(&plan.lock), parts: plan.parts.iter().map(Part::new).collect() }
    }

    /// The parts in the order of [`super::SourcePlan::all_parts`].
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Part> {
        std::iter::once(&mut self.lock).chain(&mut self.parts)
    }

    /// Samples the values between two reads of the lock. Returns true if any was read.
    pub fn sample(&mut self, row: &mut Row) -> bool {
        for _ in 0..MAX_ATTEMPTS {
            let before = self.sequence();
            if before.is_some_and(|before| before % 2 != 0) {
                // The writer is in the middle of a change.
                hint::spin_loop();
                continue;
            }
            fence(Ordering::Acquire);
            self.parts.iter_mut().for_each(Part::copy);
            fence(Ordering::Acquire);
            if before.is_none() {
                // Without a lock, no attempt is better than another.
                return self.add(row, Grade::Unverified);
            }
            if self.sequence() == before {
                return self.add(row, Grade::Verified);
            }
        }
        self.parts.iter_mut().for_each(Part::copy);
        self.add(row, Grade::Unverified)
    }

    fn add(&self, row: &mut Row, grade: Grade) -> bool {
        let mut any = false;
        for part in &self.parts {
            any |= part.add(row, |_| grade);
        }
        any
    }

    /// Reads the lock. `None` if it is not there.
    fn sequence(&mut self) -> Option<u64> {
        self.lock.copy();
        let (_, field) = self.lock.fields.first()?;
        (usize::from(field.end) <= self.lock.length).then(|| field.sample(field.raw(&self.lock.buffer)))
    }
}

#[cfg(test)]
mod tests;
