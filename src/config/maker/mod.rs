//! The makers of shared memory: how their segments are recognized, and how they are judged without
//! holders. The built-in catalog and the `[[maker]]` tables of the config have the same format,
//! which assets/catalog/README.md documents.

mod check;
mod example;
mod key;
mod pattern;
mod read;
mod template;
#[cfg(test)]
mod tests;

pub use example::{Example, ExampleBytes};
pub use key::KeyRule;
pub use pattern::{Patterns, compile, error_line};
pub use template::Template;

use super::ConfigError;
use super::read::word;
use crate::segment::Mode;
use read::{examples, id, kinds, many};
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::path::Path;

/// A maker, or one kind of its segments. assets/catalog/README.md documents the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(
    default,
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "[[maker]] followed by lines like id = \"…\""
)]
pub struct Maker {
    /// The unique id for filters and JSON.
    #[serde(deserialize_with = "id")]
    pub id: String,
    /// The display name.
    pub name: String,
    #[serde(rename = "kind", deserialize_with = "kinds")]
    pub kinds: Kinds,
    /// Regular expressions for the name without its slash, one of which must match. Groups supply
    /// pids and parts of templates.
    #[serde(rename = "pattern", deserialize_with = "many")]
    pub patterns: Vec<String>,
    /// System V keys, one of which must match.
    #[serde(rename = "key", deserialize_with = "many")]
    pub keys: Vec<KeyRule>,
    /// Sizes in bytes, one of which must match; empty for any.
    #[serde(rename = "size", deserialize_with = "many")]
    pub sizes: Vec<Size>,
    /// Permission bits, one of which must match; empty for any.
    #[serde(rename = "mode", deserialize_with = "many")]
    pub modes: Vec<Mode>,
    /// Checks of the contents, all of which must succeed.
    #[serde(deserialize_with = "many")]
    pub contents: Vec<Check>,
    #[serde(rename = "match", deserialize_with = "word")]
    pub by: MatchBy,
    /// Commands, one of which must be the creator or a holder. A `*` at the end matches any suffix.
    #[serde(deserialize_with = "many")]
    pub commands: Vec<String>,
    /// POSIX objects that must exist.
    #[serde(deserialize_with = "many")]
    pub beside: Vec<Template>,
    /// A user group with the name of the segment must exist.
    pub group_named: bool,
    /// Pids that the segment depends on.
    #[serde(rename = "pid", deserialize_with = "many")]
    pub pids: Vec<PidRule>,
    /// The verdict on a segment without holders.
    #[serde(deserialize_with = "word")]
    pub unheld: UnheldVerdict,
    /// The verdict if something still needs the segment: a running process, a helper, or an object
    /// in [`Maker::with`].
    #[serde(deserialize_with = "word")]
    pub wanted: NeededVerdict,
    /// Processes that manage the segment: while one of them runs, it is not leaked.
    #[serde(deserialize_with = "many")]
    pub helpers: Vec<Template>,
    #[serde(deserialize_with = "word")]
    pub helpers_of: HelperOwner,
    /// POSIX objects that the segment belongs to: while one of them is held, it is not leaked.
    #[serde(deserialize_with = "many")]
    pub with: Vec<Template>,
    /// The reason for the verdict, on one line.
    pub reason: String,
    /// A warning to show before removal.
    pub removal: Option<String>,
    /// The documentation of these facts.
    pub source: Option<String>,
    /// Names the segment, but never judges it.
    pub label_only: bool,
    /// Examples that match.
    #[serde(deserialize_with = "examples")]
    pub fits: Vec<Example>,
    /// Similar segments that do not match.
    #[serde(deserialize_with = "examples")]
    pub misses: Vec<Example>,
}

/// Sizes in bytes: `32`, `"4K"`, `"1M..64M"`, `"1G.."`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size(pub RangeInclusive<u64>);

/// The kinds of segments of a maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Objects below `/dev/shm`, linked or unlinked.
    pub posix: bool,
    pub sysv: bool,
    /// `memfd_create(2)`, by the name passed to it.
    pub memfd: bool,
}

/// The properties that a match requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// The name or key. Matching contents add certainty, but are not required.
    #[default]
    Name,
    /// The contents.
    Content,
    /// The context, because the name is too common.
    Context,
    /// The contents, if no other maker matches.
    Fallback,
}

/// The verdict on a segment without holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnheldVerdict {
    #[default]
    Undecided,
    /// Idle: segments of this maker normally have no holders.
    Normal,
    Protected,
    /// Leaked, unless an object in [`Maker::with`] is held or a helper runs.
    Leaked,
    /// Leaked if every pid in its name and contents is dead, and no helper runs.
    DeadPid,
    /// Leaked unless a helper runs.
    Companion,
}

/// The verdict on a segment without holders that something still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeededVerdict {
    #[default]
    Idle,
    /// Must not be removed while something needs the segment.
    Protected,
}

/// The processes that count as helpers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HelperOwner {
    /// The segment's owner.
    #[default]
    Owner,
    /// Any user.
    Anyone,
}

/// A check of the contents. Negative offsets count from the end. Bytes are in memory order, numbers
/// are little-endian.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "read::CheckFields")]
pub enum Check {
    /// The byte strings, one of which must match.
    Bytes { at: i64, any: Vec<BytePattern> },
    /// A number that equals the size of the segment minus `less`.
    Size { at: i64, number: Number, less: u64 },
    /// A structure that needs its own code.
    Shape(Shape),
}

/// Bytes with wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytePattern {
    /// 0 for wildcards.
    pub bytes: Vec<u8>,
    /// The bits to compare.
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

/// A pid that a segment depends on, and where to find it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "read::PidFields")]
pub struct PidRule {
    pub place: PidPlace,
    /// The role of the process, as in "creator".
    pub of: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidPlace {
    /// A named group of the pattern.
    Name {
        group: String,
        /// The base, 10 or 16.
        base: u32,
        /// Low bits to drop.
        shift: u32,
        /// The pid is reduced by this modulus, so it is only a hint.
        modulo: Option<u32>,
    },
    Contents {
        /// The offset in bytes; negative offsets count from the end.
        at: i64,
        number: Number,
    },
}

impl Maker {
    /// Parses a file that contains only makers.
    ///
    /// # Errors
    /// Fails at the first error, with its line and the allowed values.
    pub fn all(text: &str, path: &Path, patterns: Patterns) -> Result<Vec<Self>, ConfigError> {
        super::read::read_makers(text, path, patterns)
    }
}
