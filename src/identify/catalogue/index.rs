//! Which entries are worth a look for a name: with 10 000 objects, a hundred
//! expressions each would take longer than the survey.

use super::Entry;
use crate::config::maker::MatchBy;

/// The entries, by what they are asked for. Numbers are places in the catalogue.
#[derive(Debug)]
pub struct Index {
    /// By the byte that a name has to begin with.
    first: Vec<Vec<usize>>,
    /// Those whose name may begin with any.
    any: Vec<usize>,
    /// Those that know keys, or creators and holders.
    keys: Vec<usize>,
    /// Those that tell by contents or surroundings alone.
    others: Vec<usize>,
}

impl Index {
    pub fn new(entries: &[Entry]) -> Self {
        let mut index = Self { first: vec![vec![]; 256], any: vec![], keys: vec![], others: vec![] };
        for (at, entry) in entries.iter().enumerate() {
            let maker = &entry.maker;
            let loose =
                maker.by != MatchBy::Name && entry.patterns.iter().all(|pattern| pattern.literal == 0);
            if loose || maker.by == MatchBy::Fallback {
                index.others.push(at);
            } else {
                index.add_name(at, entry);
            }
            if !loose && maker.kinds.sysv {
                index.keys.push(at);
            }
        }
        index
    }

    fn add_name(&mut self, at: usize, entry: &Entry) {
        if entry.patterns.iter().any(|pattern| pattern.prefix.is_empty()) {
            self.any.push(at);
            return;
        }
        let mut first: Vec<u8> = entry.patterns.iter().map(|pattern| pattern.prefix[0]).collect();
        first.sort_unstable();
        first.dedup();
        for byte in first {
            self.first[usize::from(byte)].push(at);
        }
    }

    /// Those that may know the name.
    pub fn by_name(&self, name: &[u8]) -> impl Iterator<Item = usize> {
        let first = name.first().map_or(&[][..], |&byte| &self.first[usize::from(byte)]);
        first.iter().chain(&self.any).copied()
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
