//! The rows of a recording in a file without a name, column by column, until the columns can be
//! written one after the other.
//!
//! A block has the same number of rows for all columns: first the 64-bit words of each column, then for
//! each column a bit for every row that has a sample. On a full disk, the
//! space of the words is freed as they are read back: the columns need no more space than the blocks.

use nix::fcntl::{FallocateFlags, fallocate};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// Bytes of a block.
const BLOCK: usize = 4 << 20;
/// The fewest rows of a block, whose words fill a page.
const MIN_ROWS: usize = 512;
/// The most rows of a block.
const MAX_ROWS: usize = 8192;

pub(super) struct Spill {
    file: File,
    columns: Vec<Words>,
    rows_per_block: usize,
    /// The blocks in the file.
    blocks: u64,
    /// Space at the start of the file that is kept free for the end of the recording on a full disk.
    reserve: u64,
}

/// The space of the words that were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Keeps,
    Frees,
}

/// The part of a column that is not in the file.
#[derive(Default)]
struct Words {
    words: Vec<u64>,
    present: Vec<u8>,
}

impl Spill {
    /// Takes an empty file that has no name. On a small disk, the blocks are small.
    pub fn new(file: File, columns: usize) -> io::Result<Self> {
        let rows = BLOCK / (8 * columns.max(1));
        let rows_per_block = (rows / MIN_ROWS * MIN_ROWS).clamp(MIN_ROWS, MAX_ROWS);
        let columns = std::iter::repeat_with(Words::default).take(columns).collect();
        let mut spill = Self { file, columns, rows_per_block, blocks: 0, reserve: 0 };
        loop {
            match spill.allocate_reserve() {
                Err(nix::Error::ENOSPC) if spill.rows_per_block > MIN_ROWS => {
                    spill.rows_per_block = (spill.rows_per_block / 2).next_multiple_of(MIN_ROWS);
                    spill.file.set_len(0)?;
                }
                // Without it, a recording that fills the disk may be lost.
                Err(nix::Error::EOPNOTSUPP) | Ok(()) => return Ok(spill),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reserves space for the rows that are in memory at the end, the words of a column that are freed after
    /// they were copied, and the headers of all columns, which an archive has twice.
    fn allocate_reserve(&mut self) -> nix::Result<()> {
        let headers = 1024 * self.columns.len() + (64 << 10);
        let needed = self.block_length() + 8 * self.rows_per_block + headers;
        self.reserve = needed.next_multiple_of(4096) as u64;
        fallocate(&self.file, FallocateFlags::empty(), 0, self.reserve.cast_signed())
    }

    pub fn push(&mut self, row: impl Iterator<Item = Option<u64>>) {
        for (column, sample) in self.columns.iter_mut().zip(row) {
            let row = column.words.len();
            if row % 8 == 0 {
                column.present.push(0);
            }
            if let (Some(byte), true) = (column.present.last_mut(), sample.is_some()) {
                *byte |= 1 << (row % 8);
            }
            column.words.push(sample.unwrap_or(0));
        }
    }

    /// Writes the rows to the file if they are a block. After an error they are still here.
    pub fn write_block(&mut self) -> io::Result<()> {
        if self.columns.first().is_none_or(|column| column.words.len() < self.rows_per_block) {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(self.block_length());
        for column in &self.columns {
            bytes.extend(column.words.iter().flat_map(|word| word.to_le_bytes()));
        }
        for column in &self.columns {
            bytes.extend_from_slice(&column.present);
        }
        self.file.write_all_at(&bytes, self.block_start(self.blocks))?;
        self.blocks += 1;
        for column in &mut self.columns {
            column.words.clear();
            column.present.clear();
        }
        Ok(())
    }

    pub fn rows(&self) -> u64 {
        let pending = self.columns.first().map_or(0, |column| column.words.len());
        self.blocks * self.rows_per_block as u64 + pending as u64
    }

    /// Frees the reserve and what a failed write has left, so that the columns can be read.
    pub fn free_reserve(&self) {
        let _ = self.file.set_len(self.block_start(self.blocks));
        self.free(0, self.reserve);
    }

    /// Drops the last blocks to make room for this many bytes.
    pub fn drop_blocks(&mut self, bytes: u64) {
        self.blocks = self.blocks.saturating_sub(bytes.div_ceil(self.block_length() as u64));
    }

    /// Reads a column piece by piece: its words, and the bits of the words that are samples.
    pub fn read(
        &self,
        column: usize,
        mut take: impl FnMut(&[u64], &[u8]) -> io::Result<()>,
        reading: Reading,
    ) -> io::Result<()> {
        let rows = self.rows_per_block;
        let (mut bytes, mut present) = (vec![0; 8 * rows], vec![0; rows / 8]);
        let mut words = Vec::with_capacity(rows);
        for block in 0..self.blocks {
            let start = self.block_start(block);
            let at = start + (8 * rows * column) as u64;
            self.file.read_exact_at(&mut bytes, at)?;
            let bits = start + (8 * rows * self.columns.len() + rows / 8 * column) as u64;
            self.file.read_exact_at(&mut present, bits)?;
            words.clear();
            words.extend(bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)));
            take(&words, &present)?;
            if reading == Reading::Frees {
                self.free(at, 8 * rows as u64);
            }
        }
        match self.columns.get(column) {
            Some(rest) => take(&rest.words, &rest.present),
            None => Ok(()),
        }
    }

    /// Returns space to the file system. Not all can; then the recording needs the space twice.
    fn free(&self, at: u64, length: u64) {
        let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let _ = fallocate(&self.file, flags, at.cast_signed(), length.cast_signed());
    }

    fn block_length(&self) -> usize {
        let rows = self.rows_per_block;
        (self.columns.len() * (8 * rows + rows / 8)).next_multiple_of(4096)
    }

    fn block_start(&self, block: u64) -> u64 {
        self.reserve + block * self.block_length() as u64
    }
}
