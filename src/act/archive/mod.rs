//! The file that a saved segment is: contents with their holes, and what is
//! needed to make it again.
//!
//! A format of its own, because no sparse archive keeps what this has to. A tar
//! (GNU or PAX) wants the map of all data before the first byte of it, which an
//! object that is written to meanwhile does not keep to; it has no checksum
//! over the data; and kind, key and ACL would need private records that no
//! other tool restores, so that nothing is won by its name.
//!
//! # Version 1
//! Numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 16 | `shmlens segment`, a newline |
//! | 4 | the version, 1 |
//! | 4 | how long the metadata are, at most 1 MiB |
//! | … | the metadata: a JSON object, see [`Saved`] |
//! | 8 | XXH3 (64 bits) of all bytes before |
//!
//! Then runs of data, rising, none overlapping another; what lies between is hole:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the offset in the segment |
//! | 8 | the length, 1 to 1 MiB |
//! | … | the bytes |
//!
//! and the end:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | the size of the segment |
//! | 8 | 0 |
//! | 16 | XXH3 (128 bits) of all bytes before |
//!
//! Nothing follows. The metadata can be trusted before the first run is read,
//! the data only once the end has been reached.

mod metadata;
mod read;
mod write;

pub use metadata::{Name, Saved};
pub use read::{ArchiveError, Reading};
pub use write::Writing;

/// What the file begins with.
pub const MAGIC: [u8; 16] = *b"shmlens segment\n";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// The most that the metadata may take, in bytes. A name has 4096 at most, an
/// ACL 64 KiB.
const LONGEST_METADATA: u32 = 1 << 20;
/// How long the end is, in bytes.
pub const END: usize = 32;
/// The bytes before each run: its offset and its length.
pub const RUN_HEADER: usize = 16;
/// The longest run, in bytes: what has to be in memory at once.
pub const LONGEST_RUN: usize = 1 << 20;

#[cfg(test)]
mod tests;
