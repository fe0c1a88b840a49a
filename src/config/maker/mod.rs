//! A maker of shared memory: what its segments are known by, and what it means
//! when nobody holds one. The catalogue that comes with the program and the
//! `[[maker]]` tables of the settings are written in the same form, which
//! assets/catalogue/README.md documents.

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

/// A maker, or one sort of segment that it makes. assets/catalogue/README.md documents the fields.
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
    /// The name for people.
    pub name: String,
    #[serde(rename = "kind", deserialize_with = "kinds")]
    pub kinds: Kinds,
    /// Regular expressions over the bytes of the name without its slash, one of which
    /// has to match. Groups give pids and parts of templates.
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
    /// Commands of which one has to be its creator or a holder. A `*` at the end
    /// stands for any more letters.
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
    /// The verdict while something still wants it: a live pid, a helper, an
    /// object of [`Maker::with`].
    #[serde(deserialize_with = "word")]
    pub wanted: Wanted,
    /// Processes that look after it: while one of them runs it is not leaked.
    #[serde(deserialize_with = "many")]
    pub helpers: Vec<Template>,
    #[serde(deserialize_with = "word")]
    pub helpers_of: Whose,
    /// POSIX objects that it belongs to: while one of them is held it is not leaked.
    #[serde(deserialize_with = "many")]
    pub with: Vec<Template>,
    /// The reason for the verdict, in one line.
    pub reason: String,
    /// A warning before it is removed.
    pub removal: Option<String>,
    /// The source of these facts.
    pub source: Option<String>,
    /// It gives a name and never a verdict.
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

/// The kinds of segments that a maker makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kinds {
    /// Objects below `/dev/shm`, removed ones too.
    pub posix: bool,
    /// System V segments.
    pub sysv: bool,
    /// `memfd_create(2)`; the name is the one given there.
    pub memfd: bool,
}

/// By what a segment is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatchBy {
    /// By its name or key. Contents that fit make it surer; where they cannot
    /// be read, the name is enough.
    #[default]
    Name,
    /// By its contents: nothing is said where they cannot be read.
    Content,
    /// By what surrounds it: the name alone is too common.
    Context,
    /// As by contents, and only when nothing else fits.
    Fallback,
}

/// The verdict on a segment without holders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unheld {
    /// The catalogue cannot tell.
    #[default]
    Undecided,
    /// It is often so: idle.
    Normal,
    /// It must not be removed.
    Protected,
    /// That alone is a leak, unless something of [`Maker::with`] is held or a helper runs.
    Leaked,
    /// A leak when every pid in its name and contents is dead, and no helper runs.
    DeadPid,
    /// A leak when no helper runs.
    Companion,
}

/// The verdict on a segment without holders that something still wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// Idle.
    #[default]
    Idle,
    /// It must not be removed meanwhile.
    Protected,
}

/// Whose processes count as helpers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whose {
    /// Those of the segment's owner.
    #[default]
    Owner,
    /// Those of any user.
    Anyone,
}

/// Something that has to stand in the contents. An offset below 0 counts from
/// the end. Bytes are as they are stored; numbers are little-endian.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "read::CheckFields")]
pub enum Check {
    /// Any of these stretches of bytes.
    Bytes {
        /// The offset in bytes.
        at: i64,
        /// The allowed stretches.
        any: Vec<Stretch>,
    },
    /// A number that is the size of the segment, less a fixed part.
    Size {
        /// The offset in bytes.
        at: i64,
        /// Its form.
        number: Number,
        /// The bytes by which the size is larger.
        less: u64,
    },
    /// A structure that the program knows.
    Shape(Shape),
}

/// Bytes of which some digits may be anything: as many of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The bytes, 0 where any may stand.
    pub bytes: Vec<u8>,
    /// The bits that count.
    pub mask: Vec<u8>,
}

/// A number in the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// Two bytes.
    U16,
    /// Four bytes.
    U32,
    /// Four bytes, signed.
    I32,
    /// Eight bytes.
    U64,
    /// Eight bytes, signed.
    I64,
}

impl Number {
    /// Returns its width in bytes.
    pub const fn width(self) -> usize {
        match self {
            Self::U16 => 2,
            Self::U32 | Self::I32 => 4,
            Self::U64 | Self::I64 => 8,
        }
    }
}

/// Structures that no few bytes tell.
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
    /// Whose it is, as in "creator".
    pub of: String,
}

/// The place of a pid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PidPlace {
    /// In a named group of the pattern.
    Name {
        group: String,
        /// 10 or 16.
        base: u32,
        /// The number of low bits before it.
        shift: u32,
        /// The number that it was cut by: then it only hints.
        modulo: Option<u32>,
    },
    /// In the contents.
    Contents {
        /// The offset in bytes, below 0 from the end.
        at: i64,
        /// Its form.
        number: Number,
    },
}

impl Maker {
    /// Every maker of a file that holds nothing else.
    ///
    /// # Errors
    /// The first thing in it that is wrong, with its line and what is allowed.
    pub fn all(text: &str, path: &Path, patterns: Patterns) -> Result<Vec<Self>, ConfigError> {
        super::read::makers_alone(text, path, patterns)
    }
}
