//! The file format of a saved segment: the contents, with holes preserved, and the metadata needed
//! to recreate the segment.
//!
//! The format is custom because no sparse archive format meets the requirements. Tar (GNU or PAX)
//! needs the map of all data before the first byte, but an object may be written to while it is
//! saved. It has no checksum of the data. Kind, key and ACL would need private records that no
//! other tool restores, so a tar file would have no advantage.
//!
//! # Version 1
//! Numbers are little-endian. The file starts with:
//!
//! | bytes | contents |
//! |---|---|
//! | 16 | `shmlens segment` and a newline |
//! | 4 | the version, 1 |
//! | 4 | the length of the metadata, at most 1 MiB |
//! | … | the metadata: a JSON object, see [`SavedSegment`] |
//! | 8 | the XXH3 checksum (64 bits) of all previous bytes |
//!
//! The runs of data follow in ascending order, without overlaps. Gaps between them are holes:
//!
//! | bytes | contents |
//! |---|---|
//! | 8 | the offset in the segment |
//! | 8 | the length, 1 to 1 MiB |
//! | … | the data |
//!
//! The file ends with:
//!
//! | bytes | contents |
//! |---|---|
//! | 8 | the size of the segment |
//! | 8 | 0 |
//! | 16 | the XXH3 checksum (128 bits) of all previous bytes |
//!
//! Nothing follows the end marker. The metadata can be trusted before the first run is read, but
//! the data only after the end marker has been verified.

mod metadata;
mod read;
mod write;

pub use metadata::{Name, SavedSegment};
pub use read::{ArchiveError, ArchiveReader};
pub use write::ArchiveWriter;

pub const MAGIC: [u8; 16] = *b"shmlens segment\n";
/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// The maximum size of the metadata, in bytes. A name has at most 4096 bytes, and an ACL at most 64
/// KiB.
const MAX_METADATA: u32 = 1 << 20;
pub const END_MARKER: usize = 32;
/// The size of a run header: an offset and a length.
pub const RUN_HEADER: usize = 16;
/// The maximum length of a run, which bounds the memory needed to read one.
pub const MAX_RUN: usize = 1 << 20;

#[cfg(test)]
mod tests;
