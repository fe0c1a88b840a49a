//! The programs whose debug information was read. It is kept, because it takes longer to read than
//! everything else.

use crate::decode::debug::{DebugError, FileSource, OpenFile, Program};
use crate::machine::image::{FileVersion, ProgramFile};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Programs that are kept, and the size of their files in bytes, beside the last one.
const MAX_PROGRAMS: usize = 64;
const MAX_SIZE: u64 = 128 << 20;

/// The programs that were read, the last used one last. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Programs(Arc<Mutex<Vec<Kept>>>);

#[derive(Debug)]
struct Kept {
    version: FileVersion,
    program: Result<Arc<Program>, DebugError>,
}

impl Programs {
    /// Returns the program in a file.
    pub(super) fn program(
        &self,
        file: Box<dyn ProgramFile>,
        path: &Path,
        files: &dyn OpenFile,
    ) -> Result<Arc<Program>, DebugError> {
        let version = file.version();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|one| one.version == version) {
            let one = kept.remove(at);
            let program = one.program.clone();
            kept.push(one);
            return program;
        }
        let program = Program::open(&Opened(file), path, files).map(Arc::new);
        let is_full = |kept: &[Kept]| {
            kept.len() >= MAX_PROGRAMS || kept.iter().map(|one| one.version.size).sum::<u64>() > MAX_SIZE
        };
        while is_full(&kept) {
            kept.remove(0);
        }
        kept.push(Kept { version, program: program.clone() });
        program
    }
}

/// A file of the machine as a source of debug information.
pub struct Opened(pub Box<dyn ProgramFile>);

impl FileSource for Opened {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.size())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, bytes)
    }
}
