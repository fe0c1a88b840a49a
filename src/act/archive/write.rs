//! Writes the parts of the file in order: metadata, runs of data, end marker.

use super::{END_MARKER, MAGIC, MAX_METADATA, MAX_RUN, RUN_HEADER, SavedSegment, VERSION};
use std::io;
use xxhash_rust::xxh3::Xxh3;

/// Encodes a saved segment run by run.
pub struct ArchiveWriter {
    hash: Xxh3,
    size: u64,
    length: u64,
}

impl ArchiveWriter {
    /// Returns the encoder and the encoded metadata. Fails if the metadata is too long.
    pub fn begin(saved: &SavedSegment) -> io::Result<(Self, Vec<u8>)> {
        let json = saved.to_json()?;
        let length = u32::try_from(json.len()).ok().filter(|&length| length <= MAX_METADATA);
        let length = length.ok_or_else(|| io::Error::other("metadata longer than 1 MiB"))?;
        let mut bytes = [&MAGIC[..], &VERSION.to_le_bytes(), &length.to_le_bytes(), &json].concat();
        let mut hash = Xxh3::new();
        hash.update(&bytes);
        let sum = hash.digest().to_le_bytes();
        hash.update(&sum);
        bytes.extend(sum);
        Ok((Self { hash, size: saved.size.0, length: bytes.len() as u64 }, bytes))
    }

    /// Adds a run at `offset`, which must follow the previous run. Writes the header to the first
    /// [`RUN_HEADER`] bytes of `run`; the rest is the data, 1 to [`MAX_RUN`] bytes.
    pub fn run(&mut self, offset: u64, run: &mut [u8]) {
        let (header, data) = run.split_at_mut(RUN_HEADER);
        debug_assert!((1..=MAX_RUN).contains(&data.len()), "{}", data.len());
        header[..8].copy_from_slice(&offset.to_le_bytes());
        header[8..].copy_from_slice(&(data.len() as u64).to_le_bytes());
        self.hash.update(run);
        self.length += run.len() as u64;
    }

    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    #[must_use]
    pub fn end(mut self) -> [u8; END_MARKER] {
        let mut end = [0; END_MARKER];
        end[..8].copy_from_slice(&self.size.to_le_bytes());
        self.hash.update(&end[..16]);
        end[16..].copy_from_slice(&self.hash.digest128().to_le_bytes());
        end
    }
}
