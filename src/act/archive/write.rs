//! Writing the file: metadata, runs of data, the end.

use super::{LONGEST_METADATA, LONGEST_RUN, MAGIC, Saved, VERSION};
use std::io::{self, BufWriter, Write};
use xxhash_rust::xxh3::Xxh3;

/// Headers of runs are gathered; runs longer than this pass by without a copy.
const BUFFER: usize = 64 << 10;

/// A file that is being written.
pub struct Writing<W: Write> {
    to: BufWriter<W>,
    hash: Xxh3,
    size: u64,
    length: u64,
}

impl<W: Write> Writing<W> {
    /// Begins with the metadata.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin(to: W, saved: &Saved) -> io::Result<Self> {
        let json = saved.to_json()?;
        let length = u32::try_from(json.len()).ok().filter(|&length| length <= LONGEST_METADATA);
        let length = length.ok_or_else(|| io::Error::other("metadata longer than 1 MiB"))?;
        let to = BufWriter::with_capacity(BUFFER, to);
        let mut writing = Self { to, hash: Xxh3::new(), size: saved.size.0, length: 0 };
        writing.put(&MAGIC)?;
        writing.put(&VERSION.to_le_bytes())?;
        writing.put(&length.to_le_bytes())?;
        writing.put(&json)?;
        let sum = writing.hash.digest();
        writing.put(&sum.to_le_bytes())?;
        Ok(writing)
    }

    /// Adds a run that begins behind the one before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn run(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let pieces = bytes.chunks(LONGEST_RUN);
        for (piece, at) in pieces.zip((offset..).step_by(LONGEST_RUN)) {
            self.put(&at.to_le_bytes())?;
            self.put(&(piece.len() as u64).to_le_bytes())?;
            self.put(piece)?;
        }
        Ok(())
    }

    /// How long the file is by now, in bytes.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(mut self) -> io::Result<u64> {
        let size = self.size;
        self.put(&size.to_le_bytes())?;
        self.put(&0u64.to_le_bytes())?;
        let sum = self.hash.digest128();
        self.put(&sum.to_le_bytes())?;
        self.to.flush()?;
        Ok(self.length)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        self.to.write_all(bytes)
    }
}
