//! Reads a saved segment from untrusted input.

use super::{MAGIC, MAX_METADATA, MAX_RUN, RUN_HEADER, SavedSegment, VERSION};
use crate::memory::PageBuffer;
use crate::segment::plain_error;
use std::io::{self, Read};
use xxhash_rust::xxh3::Xxh3;

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("not a saved segment")]
    Foreign,
    #[error("unknown format version {0}; this shmlens reads version {VERSION}. Use a newer shmlens")]
    Version(u32),
    #[error("the file is truncated. Copy it again from an intact original")]
    CutOff,
    /// A checksum or another value in the file is wrong.
    #[error("the file is damaged: {0}")]
    Damaged(String),
    #[error("{}", plain_error(.0))]
    Read(#[from] io::Error),
}

/// Reads a saved segment run by run.
pub struct ArchiveReader<R: Read> {
    from: R,
    hash: Xxh3,
    saved: SavedSegment,
    /// The header of the next run, read together with the previous run.
    header: Option<[u8; RUN_HEADER]>,
    /// The end of the last run, as an offset in the segment.
    at: u64,
    /// The number of bytes read from the file so far.
    position: u64,
}

impl<R: Read> ArchiveReader<R> {
    /// Reads and verifies the metadata.
    pub fn begin(mut from: R) -> Result<Self, ArchiveError> {
        let mut hash = Xxh3::new();
        let mut magic = vec![];
        from.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic.is_empty() || !MAGIC.starts_with(&magic) {
            return Err(ArchiveError::Foreign);
        }
        if magic.len() < MAGIC.len() {
            return Err(ArchiveError::CutOff);
        }
        hash.update(&magic);
        let version = u32::from_le_bytes(read_array(&mut from, &mut hash)?);
        if version != VERSION {
            return Err(ArchiveError::Version(version));
        }
        let length = u32::from_le_bytes(read_array(&mut from, &mut hash)?);
        if length > MAX_METADATA {
            return Err(ArchiveError::Damaged("metadata longer than 1 MiB".to_owned()));
        }
        let mut json = vec![];
        // Grows with the data instead of allocating upfront: the length is untrusted.
        from.by_ref().take(u64::from(length)).read_to_end(&mut json)?;
        if json.len() as u64 != u64::from(length) {
            return Err(ArchiveError::CutOff);
        }
        hash.update(&json);
        let expected = hash.digest();
        if u64::from_le_bytes(read_array(&mut from, &mut hash)?) != expected {
            return Err(ArchiveError::Damaged("metadata checksum mismatch".to_owned()));
        }
        let saved = SavedSegment::from_json(&json)?;
        let position = (MAGIC.len() + 4 + 4 + 8) as u64 + u64::from(length);
        Ok(Self { from, hash, saved, header: None, at: 0, position })
    }

    #[must_use]
    pub const fn saved(&self) -> &SavedSegment {
        &self.saved
    }

    pub fn source_mut(&mut self) -> &mut R {
        &mut self.from
    }

    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next run into `buffer` and returns its offset and its data. Returns `None` at the
    /// end, after verifying the checksum of the whole file. The data cannot be trusted before that.
    pub fn next<'a>(&mut self, buffer: &'a mut PageBuffer) -> Result<Option<(u64, &'a [u8])>, ArchiveError> {
        let header = match self.header.take() {
            Some(header) => header,
            None => read_array(&mut self.from, &mut self.hash)?,
        };
        let (offset, length) = offset_and_length(header);
        let size = self.saved.size.0;
        if length == 0 && offset == size {
            return self.end().map(|()| None);
        }
        let end = offset.checked_add(length).filter(|&end| length > 0 && offset >= self.at && end <= size);
        let length = usize::try_from(length).ok().filter(|&length| length <= MAX_RUN);
        let (Some(end), Some(length)) = (end, length) else {
            return Err(ArchiveError::Damaged("invalid data offset".to_owned()));
        };
        self.position += RUN_HEADER as u64;
        // Read the data and the next header in one call.
        let bytes = buffer.place_between(self.position, offset, length + RUN_HEADER);
        take(&mut self.from, &mut self.hash, bytes)?;
        self.header = bytes.last_chunk().copied();
        buffer.truncate(length);
        self.at = end;
        self.position += length as u64;
        Ok(Some((offset, buffer)))
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        let expected = self.hash.digest128();
        if u128::from_le_bytes(read_array(&mut self.from, &mut self.hash)?) != expected {
            return Err(ArchiveError::Damaged("contents checksum mismatch".to_owned()));
        }
        if self.from.read(&mut [0])? > 0 {
            return Err(ArchiveError::Damaged("trailing data".to_owned()));
        }
        Ok(())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn offset_and_length(header: [u8; RUN_HEADER]) -> (u64, u64) {
    let both = u128::from_le_bytes(header);
    (both as u64, (both >> 64) as u64)
}

fn read_array<const N: usize>(from: &mut impl Read, hash: &mut Xxh3) -> Result<[u8; N], ArchiveError> {
    let mut bytes = [0; N];
    take(from, hash, &mut bytes)?;
    Ok(bytes)
}

fn take(from: &mut impl Read, hash: &mut Xxh3, bytes: &mut [u8]) -> Result<(), ArchiveError> {
    from.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::CutOff,
        _ => ArchiveError::Read(error),
    })?;
    hash.update(bytes);
    Ok(())
}
