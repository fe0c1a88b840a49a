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
    first: OnceLock<Vec<Vec<Candidate>>>,
    /// Entries with keys.
    pub keys: Vec<usize>,
    /// Entries that match only by contents or context.
    pub others: Vec<usize>,
}

/// An entry that may match a name. The second byte rules most of them out without a look at the
/// patterns, which are scattered in memory.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    entry: usize,
    second: Option<u8>,
}

impl Candidate {
    fn may_match(self, name: &[u8]) -> bool {
        self.second.is_none() || self.second == name.get(1).copied()
    }
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
    pub fn by_name(&self, entries: &[Entry], name: &[u8]) -> impl Iterator<Item = usize> {
        let first = self.first.get_or_init(|| {
            let begin_with = |byte| {
                let candidate = |&entry: &usize| {
                    let patterns = &entries[entry].patterns;
                    let second = match &patterns[..] {
                        [only] => only.prefix.get(1).copied(),
                        _ => None,
                    };
                    let can_match = patterns.iter().any(|pattern| pattern.may_begin_with(byte));
                    can_match.then_some(Candidate { entry, second })
                };
                self.names.iter().filter_map(candidate).collect()
            };
            (0..=u8::MAX).map(begin_with).collect()
        });
        let candidates = name.first().map_or(&[][..], |&byte| &first[usize::from(byte)]);
        candidates.iter().filter(|it| it.may_match(name)).map(|it| it.entry)
    }
}
