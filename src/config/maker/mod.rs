//! The makers of shared memory: how their segments are recognized, and what it means if nobody
//! holds them. The built-in catalogue and the `[[maker]]` tables of the settings have the same
//! format, which assets/catalogue/README.md documents.

mod check;
mod example;
mod key;
mod pattern;
mod read;
mod template;
#[cfg(test)]
mod tests;

pub use example::{Example, Placed};
pub use key::KeyRule;
pub use pattern::{Patterns, compile};
pub use template::Template;

use super::ConfigError;
use super::read::word;
use crate::segment::Mode;
use read::{examples, id, kinds, many};
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::path::Path;

/// A maker, or one kind of its segments. assets/catalogue/README.md documents the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "[[maker]] followed by lines like id = \"…\""
)]
pub struct Maker {
    /// The unique name in filters and JSON.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// The display name.
    pub name: String,
    #[serde(rename = "kind", deserialize_with = "kinds")]
    pub kinds: Kinds,
    /// Regular expressions for the name without its slash, one of which has to match. Groups supply
    /// pids and parts of templates.
    #[serde(rename = "pattern", deserialize_with = "many")]
    pub patterns: Vec<String>,
    /// System V keys, one of which has to match.
    #[serde(rename = "key", deserialize_with = "many")]
    pub keys: Vec<KeyRule>,
    /// Sizes in bytes, one of which has to match; empty: any.
    #[serde(rename = "size", deserialize_with = "many")]
    pub sizes: Vec<Size>,
    /// Permission bits, one of which has to match; empty: any.
    #[serde(rename = "mode", deserialize_with = "many")]
    pub modes: Vec<Mode>,
    /// Checks of the contents, all of which have to match.
    #[serde(deserialize_with = "many")]
    pub contents: Vec<Check>,
    #[serde(rename = "match", deserialize_with = "word")]
    pub by: MatchBy,
    /// Commands, one of which has to be its creator or a holder. A `*` at the end matches any
    /// suffix.
    #[serde(deserialize_with = "many")]
    pub commands: Vec<String>,
    /// POSIX objects that have to exist as well.
    #[serde(deserialize_with = "many")]
    pub beside: Vec<Template>,
    /// A group of users has to have the name of the segment.
    pub group_named: bool,
    /// The pids that it depends on.
    #[serde(rename = "pid", deserialize_with = "many")]
    pub pids: Vec<PidRule>,
    /// The verdict while nobody holds it.
    #[serde(deserialize_with = "word")]
    pub unheld: Unheld,
    /// The verdict while something still needs it: a live pid, a helper, an object of
    /// [`Maker::with`].
    #[serde(deserialize_with = "word")]
    pub wanted: Wanted,
    /// Processes that manage it: while one of them runs, it is not leaked.
    #[serde(deserialize_with = "many")]
    pub helpers: Vec<Template>,
    #[serde(deserialize_with = "word")]
    pub helpers_of: Whose,
    /// POSIX objects that it belongs to: while one of them is held, it is not leaked.
    #[serde(deserialize_with = "many")]
    pub with: Vec<Template>,
    /// The reason for the verdict, in one line.
    pub reason: String,
    /// A warning before it is removed.
    pub removal: Option<String>,
    /// The source of these facts.
    pub source: Option<String>,
    /// Supplies a name but never a verdict.
    pub label_only: bool,
    /// Segments that match.
    #[serde(deserialize_with = "examples")]
    pub fits: Vec<Example>,
    /// Segments that look alike and do not match.
    #[serde(deserialize_with = "examples")]
    pub misses: Vec<Example>,
}

/// Sizes in bytes: `32`, `"4K"`, `"1M..64M"`, `"1G.."`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size(pub RangeInclusive<u64>);

/// The kinds of segments of a maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Objects below `/dev/shm`, including removed ones.
    pub posix: bool,
    /// System V segments.
    pub sysv: bool,
    /// `memfd_create(2)`, with the name that was passed to it.
    pub memfd: bool,
}

/// The evidence that identifies a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// Its name or key. Matching contents add certainty; if they cannot be read, the name is
    /// enough.
    #[default]
    Name,
    /// Its contents: without reading them nothing is known.
    Content,
    /// Its context: the name alone is too common.
    Context,
    /// Its contents, and only if nothing else matches.
    Fallback,
}

/// The verdict on a segment without holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unheld {
    /// Unknown.
    #[default]
    Undecided,
    /// Idle: this is common.
    Normal,
    /// It must not be removed.
    Protected,
    /// A leak, unless something of [`Maker::with`] is held or a helper runs.
    Leaked,
    /// A leak if every pid in its name and contents is dead, and no helper runs.
    DeadPid,
    /// A leak if no helper runs.
    Companion,
}

/// The verdict on a segment without holders that something still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    #[default]
    Idle,
    /// It must not be removed meanwhile.
    Protected,
}

/// The processes that count as helpers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// Those of the segment's owner.
    #[default]
    Owner,
    /// Those of any user.
    Anyone,
}

/// A check of the contents. A negative offset counts from the end. Bytes are in memory order;
/// numbers are little-endian.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "read::CheckFields")]
pub enum Check {
    /// Any of these byte strings.
    Bytes {
        at: i64,
        /// The allowed stretches.
        any: Vec<Stretch>,
    },
    /// A number equal to the size of the segment minus `less`.
    Size { at: i64, number: Number, less: u64 },
    /// A structure with its own check.
    Shape(Shape),
}

/// Bytes with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The bytes, 0 for wildcards.
    pub bytes: Vec<u8>,
    /// The bits that count.
    pub mask: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    U16,
    U32,
    I32,
    U64,
    I64,
}

impl Number {
    /// Returns the width in bytes.
    pub const fn width(self) -> usize {
        match self {
            Self::U16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::U64 | Self::I64 => 8,
        }
    }
}

/// Structures that no fixed bytes identify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Python's `ShareableList`.
    ShareableList,
    /// `sem_t`, of glibc or musl.
    Semaphore,
}

/// A pid that a segment depends on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "read::PidFields")]
pub struct PidRule {
    pub place: PidPlace,
    /// Its role, as in "creator".
    pub of: String,
}

/// The place of a pid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidPlace {
    /// A named group of the pattern.
    Name {
        group: String,
        /// 10 or 16.
        base: u32,
        /// The number of low bits before it.
        shift: u32,
        /// The modulus that it was reduced by: then it is only a hint.
        modulo: Option<u32>,
    },
    /// The contents.
    Contents {
        /// The offset in bytes; negative ones count from the end.
        at: i64,
        number: Number,
    },
}

impl Maker {
    /// Parses a file that contains only makers.
    ///
    /// # Errors
    /// The first thing in it that is wrong, with its line and what is allowed.
    pub fn all(text: &str, path: &Path, patterns: Patterns) -> Result<Vec<Self>, ConfigError> {
        super::read::makers_alone(text, path, patterns)
    }
}
