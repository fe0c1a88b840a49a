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
    /// The pids recorded in the segment, in the pid namespace of the writer.
    pub pids: Vec<FoundPid>,
    /// The commands of helpers. The segment is needed while one of them runs.
    pub helpers: Vec<Vec<u8>>,
    /// The names of the POSIX objects that the segment belongs to.
    pub with: Vec<Vec<u8>>,
    /// True if the rule has no verdict: it only labels, or fixes few bits of the key.
    pub only_labels: bool,
}

/// The property that identified the maker, in ascending order of specificity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// The contents, if no other rule matches.
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

/// The rank of a rule that matches a segment: the highest rank wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub matched: Matched,
    /// The number of bits of the name or key that the rule fixes.
    pub fixed_bits: usize,
    /// The rule is user-defined.
    pub own: bool,
    /// The rule has a verdict, not just a label.
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
