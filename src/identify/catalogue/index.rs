//! Which entries are worth a look for a name: with 10 000 objects, a hundred
//! expressions each would take longer than the survey.

use super::Entry;
use crate::config::maker::MatchBy;
use std::sync::OnceLock;

/// The entries, by what they are asked for. Numbers are places in the catalogue.
#[derive(Debug)]
pub struct Index {
    /// Those that know names.
    names: Vec<usize>,
    /// The same by the byte that a name begins with, once there is a name.
    first: OnceLock<Vec<Vec<usize>>>,
    /// Those that know keys.
    keys: Vec<usize>,
    /// Those that tell by contents or surroundings alone.
    others: Vec<usize>,
}

impl Index {
    pub fn new(entries: &[Entry]) -> Self {
        let (mut names, mut keys, mut others) = (vec![], vec![], vec![]);
        for (at, entry) in entries.iter().enumerate() {
            let maker = &entry.maker;
            let last = maker.by == MatchBy::Fallback;
            if last || (maker.patterns.is_empty() && maker.keys.is_empty()) {
                others.push(at);
                continue;
            }
            if !maker.patterns.is_empty() {
                names.push(at);
            }
            if !maker.keys.is_empty() {
                keys.push(at);
            }
        }
        Self { names, first: OnceLock::new(), keys, others }
    }

    /// Those that may know the name.
    pub fn by_name(&self, entries: &[Entry], name: &[u8]) -> impl Iterator<Item = usize> {
        let first = self.first.get_or_init(|| {
            let begin_with = |byte| {
                let may =
                    |at: &usize| entries[*at].patterns.iter().any(|pattern| pattern.may_begin_with(byte));
                self.names.iter().copied().filter(may).collect()
            };
            (0..=u8::MAX).map(begin_with).collect()
        });
        name.first().map_or(&[][..], |&byte| &first[usize::from(byte)]).iter().copied()
    }

    /// Those that may know a System V segment.
    pub fn by_key(&self) -> impl Iterator<Item = usize> {
        self.keys.iter().copied()
    }

    /// Those that need more than a name or a key.
    pub fn others(&self) -> impl Iterator<Item = usize> {
        self.others.iter().copied()
    }
}
