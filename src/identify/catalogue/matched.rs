//! The result of a lookup in the catalog.

use super::contents::Contents;
use super::pids::FoundPid;
use crate::config::maker::Maker;
use crate::segment::escape;

/// The maker of a segment.
#[derive(Debug, Clone)]
pub struct Made<'c> {
    pub maker: &'c Maker,
    pub matched: Matched,
    pub contents: Contents,
    /// The pids that the segment names, of the pid namespace of the writer.
    pub pids: Vec<FoundPid>,
    /// The commands of helpers. The segment is needed while one of them runs.
    pub helpers: Vec<Vec<u8>>,
    /// The names of the POSIX objects that it belongs to.
    pub with: Vec<Vec<u8>>,
    /// The rule has no verdict: it only labels, or fixes few bits of the key.
    pub only_labels: bool,
}

/// The property that identified the maker, the most specific last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// The contents, if no other rule fits.
    Fallback,
    /// Its processes, group or other objects.
    Context,
    /// A range of keys.
    Key,
    /// An exact key.
    OneKey,
    Contents,
    /// A pattern for names.
    Name,
    /// An exact name.
    OneName,
    /// The contents, and a name or key.
    Both,
}

/// The rank of a rule that fits a segment: the largest wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub matched: Matched,
    /// The number of bits of name or key that the rule fixes.
    pub fixed_bits: usize,
    /// A rule of the user.
    pub own: bool,
    /// A rule that does more than label.
    pub verified: bool,
}

impl Made<'_> {
    /// Returns the property that identified the maker, as a step of a verdict.
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
        let but = if self.contents == Contents::Differ { ", but the contents do not match" } else { "" };
        format!("{what} {maker}{but}")
    }
}
