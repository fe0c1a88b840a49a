//! The files that debug information is read from. The caller opens them: nothing here does I/O.

use super::error::{DebugError, Result};
use crate::segment::escape;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Bytes of all sections of a program, its debug files included.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes that are read at once for a checksum.
const CHUNK: usize = 1 << 16;

/// A file that is open.
pub trait FileSource {
    fn size(&self) -> io::Result<u64>;

    /// Reads as many bytes as there are, up to the length of `bytes`.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize>;
}

/// Opens other files of a program: its debug file, its `.dwo` files. The paths are those that the
/// program sees, so a caller resolves them in the root directory of the process.
pub trait OpenFile {
    /// `None` if there is no such file.
    fn open(&self, path: &Path) -> Option<Box<dyn FileSource>>;
}

impl<F: Fn(&Path) -> Option<Box<dyn FileSource>>> OpenFile for F {
    fn open(&self, path: &Path) -> Option<Box<dyn FileSource>> {
        self(path)
    }
}

impl FileSource for std::fs::File {
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, bytes, offset)
    }
}

impl FileSource for &[u8] {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let count = rest.len().min(bytes.len());
        bytes[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A file with its name, for messages, and the bytes that may still be loaded.
pub(super) struct Input<'a> {
    pub file: &'a dyn FileSource,
    pub name: String,
    pub size: u64,
}

/// Bytes that may still be loaded.
#[derive(Debug)]
pub(super) struct Allowance(u64);

impl Default for Allowance {
    fn default() -> Self {
        Self(MAX_BYTES)
    }
}

impl Allowance {
    pub fn take(&mut self, bytes: u64, file: &str) -> Result<usize> {
        let too_large = || DebugError::TooLarge { file: file.to_owned(), limit: MAX_BYTES >> 20 };
        self.0 = self.0.checked_sub(bytes).ok_or_else(too_large)?;
        usize::try_from(bytes).map_err(|_| too_large())
    }
}

impl<'a> Input<'a> {
    pub fn new(file: &'a dyn FileSource, path: &Path) -> Result<Self> {
        let name = escape(path.as_os_str().as_encoded_bytes());
        match file.size() {
            Ok(size) => Ok(Self { file, name, size }),
            Err(error) => Err(DebugError::Read { file: name, message: error.to_string() }),
        }
    }

    pub fn damaged(&self, message: &str) -> DebugError {
        DebugError::Damaged { file: self.name.clone(), message: message.to_owned() }
    }

    /// Reads a range that must be in the file. Its size counts against the allowance.
    pub fn read(&self, offset: u64, size: u64, allowance: &mut Allowance) -> Result<Arc<[u8]>> {
        if offset.checked_add(size).is_none_or(|end| end > self.size) {
            return Err(self.damaged("a section ends after the file"));
        }
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, allowance.take(size, &self.name)?).collect();
        // Nobody else has it yet.
        self.fill(offset, Arc::get_mut(&mut bytes).unwrap_or_default())?;
        Ok(bytes)
    }

    fn fill(&self, mut offset: u64, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.file.read_at(offset, bytes) {
                Ok(0) => return Err(self.damaged("it ends early")),
                Ok(count) => {
                    offset += count as u64;
                    bytes = bytes.get_mut(count..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(DebugError::Read { file: self.name.clone(), message: error.to_string() });
                }
            }
        }
        Ok(())
    }

    /// The CRC-32 of the whole file, which `.gnu_debuglink` contains.
    pub fn checksum(&self) -> Result<u32> {
        if self.size > MAX_BYTES {
            return Err(DebugError::TooLarge { file: self.name.clone(), limit: MAX_BYTES >> 20 });
        }
        let mut hasher = crc32fast::Hasher::new();
        let mut bytes = vec![0; CHUNK];
        let mut offset = 0;
        while offset < self.size {
            let count = usize::try_from(self.size - offset).unwrap_or(CHUNK).min(CHUNK);
            self.fill(offset, &mut bytes[..count])?;
            hasher.update(&bytes[..count]);
            offset += count as u64;
        }
        Ok(hasher.finalize())
    }
}

/// Bytes of a section, shared by all that refer to them.
pub(super) type Slice = gimli::EndianArcSlice<gimli::RunTimeEndian>;

pub(super) fn slice(bytes: Arc<[u8]>, order: gimli::RunTimeEndian) -> Slice {
    Slice::new(bytes, order)
}
