//! What the catalogue found, and how sure that is.

use super::contents::Contents;
use super::pids::FoundPid;
use crate::config::maker::Maker;
use crate::segment::escape;

/// The maker of a segment.
#[derive(Debug, Clone)]
pub struct Made<'c> {
    /// Who.
    pub maker: &'c Maker,
    /// What told.
    pub matched: Matched,
    /// Whether its contents are what that maker writes.
    pub contents: Contents,
    /// The pids that it names, of the pid namespace of who wrote them.
    pub pids: Vec<FoundPid>,
    /// The commands of which one that runs looks after it.
    pub helpers: Vec<Vec<u8>>,
    /// The POSIX objects that it belongs to, names below `/dev/shm`.
    pub with: Vec<Vec<u8>>,
    /// So little told it that it only gives a name: a rule of the label only,
    /// or a key that 2^20 others share.
    pub only_labels: bool,
}

/// What told the maker, the less specific before the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// Its contents, when nothing else fitted.
    Fallback,
    /// What surrounds it.
    Context,
    /// A key among several.
    Key,
    /// The one key.
    OneKey,
    /// Its contents.
    Contents,
    /// A name that fits a pattern.
    Name,
    /// The one name.
    OneName,
    /// Its contents, and its name or key.
    Both,
}

/// How specific a rule is for a segment: the largest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub matched: Matched,
    /// How many bits of name or key are given as such.
    pub settled: usize,
    /// A person's own rule.
    pub own: bool,
    /// It does more than label.
    pub verified: bool,
}

impl Made<'_> {
    /// What told the maker, in words for the chain of evidence.
    #[must_use]
    pub fn evidence(&self) -> String {
        let maker = escape(self.maker.name.as_bytes());
        let what = match self.matched {
            Matched::Fallback | Matched::Contents => "contents match",
            Matched::Context => "context matches",
            Matched::Key => "key range of",
            Matched::OneKey => "key of",
            Matched::Name => "name matches",
            Matched::OneName => "name of",
            Matched::Both => "name or key and contents match",
        };
        let but = if self.contents == Contents::Differ { ", but its contents do not" } else { "" };
        format!("{what} {maker}{but}")
    }
}
