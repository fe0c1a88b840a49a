//! The last samples of fields outside of the view.

use std::ops::Range;

/// Bytes by offset.
#[derive(Debug, Clone, Default)]
pub struct FieldSamples(Vec<(u64, Vec<u8>)>);

impl FieldSamples {
    /// Replaces the samples. Returns the bytes that differ from those before.
    pub fn replace(&mut self, blocks: Vec<(u64, Vec<u8>)>) -> Vec<Range<u64>> {
        let mut changed = vec![];
        for (start, bytes) in &blocks {
            let before = self.from(*start);
            for ((at, now), before) in (*start..).zip(bytes).zip(before) {
                if now != before {
                    changed.push(at..at + 1);
                }
            }
        }
        self.0 = blocks;
        changed
    }

    /// The sampled bytes from an offset on.
    pub fn from(&self, offset: u64) -> &[u8] {
        let known = self.0.iter().filter_map(|(start, bytes)| {
            let from = usize::try_from(offset.checked_sub(*start)?).ok()?;
            bytes.get(from..)
        });
        known.max_by_key(|bytes| bytes.len()).unwrap_or_default()
    }

    pub fn blocks(&self) -> impl Iterator<Item = &(u64, Vec<u8>)> {
        self.0.iter()
    }
}
