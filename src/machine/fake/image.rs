//! The images of fake processes.

use super::{FakeFacts, FakeMachine};
use crate::machine::image::{
    CaughtThread, Image, Images, MappedRange, ProgramFile, Target, Thread, ThreadActivity,
};
use crate::machine::process::ProcessId;
use std::io;
use std::time::Duration;

/// Parts of a process that tests set.
#[derive(Debug, Clone, Default)]
pub struct FakeImage {
    pub mappings: Vec<MappedRange>,
    /// The threads and what they do.
    pub threads: Vec<(Thread, ThreadActivity)>,
    /// Memory, by address.
    pub memory: Vec<(u64, Vec<u8>)>,
}

impl Images for FakeMachine {
    fn open_image(&self, process: &ProcessId) -> io::Result<Box<dyn Image>> {
        self.edit(|facts| facts.image(process)).map(|image| Box::new(image) as Box<dyn Image>)
    }

    fn ptrace_scope(&self) -> u32 {
        0
    }
}

impl FakeFacts {
    fn image(&self, process: &ProcessId) -> io::Result<FakeImage> {
        let found = self.processes.get(&process.pid).ok_or(io::ErrorKind::NotFound)?;
        if !found.readable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(found.image.clone())
    }
}

impl Image for FakeImage {
    fn mappings(&self) -> io::Result<Vec<MappedRange>> {
        Ok(self.mappings.clone())
    }

    fn read(&self, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let unmapped = || io::Error::from_raw_os_error(libc::EFAULT);
        let holds = |(start, bytes): &&(u64, Vec<u8>)| {
            address.checked_sub(*start).is_some_and(|at| at < bytes.len() as u64)
        };
        let (start, bytes) = self.memory.iter().find(holds).ok_or_else(unmapped)?;
        let at = usize::try_from(address - start).map_err(|_| unmapped())?;
        let count = buffer.len().min(bytes.len() - at);
        buffer[..count].copy_from_slice(&bytes[at..at + count]);
        Ok(count)
    }

    fn threads(&self) -> io::Result<Vec<Thread>> {
        Ok(self.threads.iter().map(|(thread, _)| thread.clone()).collect())
    }

    fn activity(&self, tid: u32) -> io::Result<ThreadActivity> {
        let thread = self.threads.iter().find(|(thread, _)| thread.tid == tid);
        thread.map(|(_, activity)| *activity).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn catch_threads(&self, _: &[Target], _: Duration) -> io::Result<Vec<CaughtThread>> {
        Ok(vec![])
    }

    fn open_mapped(&self, _mapping: &MappedRange) -> io::Result<Box<dyn ProgramFile>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn open_path(&self, _path: &[u8]) -> io::Result<Box<dyn ProgramFile>> {
        Err(io::ErrorKind::NotFound.into())
    }
}
