//! An index of the rules that can match a name or a key. With 10,000 objects, testing a hundred
//! expressions each would take longer than the survey.

use super::Entry;
use crate::config::maker::MatchBy;
use std::sync::OnceLock;

/// Indexes into the entries of the catalog.
#[derive(Debug)]
pub struct Index {
    /// Entries with patterns.
    names: Vec<usize>,
    /// Entries with patterns by the first byte of a name, built for the first name.
    first: OnceLock<Vec<Vec<usize>>>,
    /// Entries with keys.
    pub keys: Vec<usize>,
    /// Entries that match only by contents or context.
    pub others: Vec<usize>,
}

impl Index {
    pub fn new(entries: &[Entry]) -> Self {
        let (mut names, mut keys, mut others) = (vec![], vec![], vec![]);
        for (index, entry) in entries.iter().enumerate() {
            let maker = &entry.maker;
            if maker.by == MatchBy::Fallback || (maker.patterns.is_empty() && maker.keys.is_empty()) {
                others.push(index);
                continue;
            }
            if !maker.patterns.is_empty() {
                names.push(index);
            }
            if !maker.keys.is_empty() {
                keys.push(index);
            }
        }
        Self { names, first: OnceLock::new(), keys, others }
    }

    /// Returns the entries whose patterns may match a name.
    pub fn by_name(&self, entries: &[Entry], name: &[u8]) -> &[usize] {
        let first = self.first.get_or_init(|| {
            let by_first_byte = |byte| {
                let can_match = |index: &usize| {
                    entries[*index].patterns.iter().any(|pattern| pattern.may_begin_with(byte))
                };
                self.names.iter().copied().filter(can_match).collect()
            };
            (0..=u8::MAX).map(by_first_byte).collect()
        });
        name.first().map_or(&[], |&byte| &first[usize::from(byte)])
    }
}
