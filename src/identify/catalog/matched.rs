//! The result of a lookup in the catalog.

use super::contents::Contents;
use super::pids::FoundPid;
use crate::config::maker::Maker;
use crate::segment::escape;

/// The maker of a segment, as found in the catalog.
#[derive(Debug, Clone)]
pub struct MakerMatch<'c> {
    pub maker: &'c Maker,
    pub matched: MatchKind,
    pub contents: Contents,
    /// Pids recorded in the segment, in the pid namespace of the writer.
    pub pids: Vec<FoundPid>,
    /// Helpers by command. The segment is needed while one of them runs.
    pub helpers: Vec<Vec<u8>>,
    /// POSIX objects that the segment belongs to, by name.
    pub with: Vec<Vec<u8>>,
    /// Set if the rule has no verdict: it only labels segments, or it fixes few bits of the key.
    pub only_labels: bool,
}

/// The evidence that identified the maker, in ascending order of specificity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKind {
    /// The contents, if no other rule matches.
    Fallback,
    /// The maker's processes, group or other objects.
    Context,
    /// A range of keys.
    Key,
    OneKey,
    Contents,
    /// A pattern for names.
    Name,
    OneName,
    /// The contents, and a name or key.
    Both,
}

/// The rank of a match. The highest one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    pub matched: MatchKind,
    /// Bits of the name or key that the rule fixes.
    pub fixed_bits: usize,
    /// Set for a maker from the user's configuration.
    pub own: bool,
    /// Set if the rule has a verdict, not only a label.
    pub verified: bool,
}

impl MakerMatch<'_> {
    /// Describes how the maker was identified, as a step of a verdict.
    #[must_use]
    pub fn evidence(&self) -> String {
        let maker = escape(self.maker.name.as_bytes());
        let property = match self.matched {
            MatchKind::Fallback | MatchKind::Contents => "contents match",
            MatchKind::Context => "context matches",
            MatchKind::Key => "key range of",
            MatchKind::OneKey => "key of",
            MatchKind::Name => "name matches",
            MatchKind::OneName => "name of",
            MatchKind::Both => "name or key and contents match",
        };
        let but = if self.contents == Contents::Differ { ", but the contents do not match" } else { "" };
        format!("{property} {maker}{but}")
    }
}
