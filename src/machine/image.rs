//! The image of a running process, read from outside: its mappings, memory, threads and program
//! files. Nothing is stopped, and nothing is attached with `ptrace(2)`.

pub use crate::sys::watchpoint::{CaughtThread, Target};

use super::process::ProcessId;
use std::io;
use std::ops::Range;
use std::time::Duration;

pub trait Images: Send + Sync {
    /// Opens the image of exactly this process.
    ///
    /// # Errors
    /// `ESRCH` if the process has exited, even if its pid was reused.
    fn open_image(&self, process: &ProcessId) -> io::Result<Box<dyn Image>>;

    /// Returns `kernel.yama.ptrace_scope`: above 0, users may not look into their own processes.
    fn ptrace_scope(&self) -> u32;
}

/// An open process. All methods fail with `ESRCH` or `ENOENT` once it has exited, and with `EPERM`
/// or `EACCES` without the right to trace it.
pub trait Image: Send {
    /// Returns all mappings in the order of their addresses.
    ///
    /// # Errors
    /// See [`Image`].
    fn mappings(&self) -> io::Result<Vec<MappedRange>>;

    /// Reads memory and returns the number of bytes, fewer where the mapping ends
    /// (`process_vm_readv(2)`). Do not read shared segments: it allocates their holes.
    ///
    /// # Errors
    /// `EFAULT` if the address is not mapped. See [`Image`].
    fn read(&self, address: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Lists the threads. Needs no privilege.
    ///
    /// # Errors
    /// See [`Image`].
    fn threads(&self) -> io::Result<Vec<Thread>>;

    /// Returns the system call that a thread sleeps in.
    ///
    /// # Errors
    /// See [`Image`].
    fn activity(&self, tid: u32) -> io::Result<ThreadActivity>;

    /// Takes the registers of threads when they wake up, or while they run, each once. Returns those that
    /// did so in time.
    ///
    /// # Errors
    /// `EACCES` or `EPERM` without the right to (`perf_event_paranoid`); other errors without hardware
    /// support. See [`Image`].
    fn catch_threads(&self, targets: &[Target], wait: Duration) -> io::Result<Vec<CaughtThread>>;

    /// Opens the mapped file, even if its name was removed or replaced.
    ///
    /// # Errors
    /// `ESTALE` if only another file can be opened by its name. See [`Image`].
    fn open_mapped(&self, mapping: &MappedRange) -> io::Result<Box<dyn ProgramFile>>;

    /// Opens an absolute path as the process would.
    ///
    /// # Errors
    /// `NotFound`; `ENODEV` for anything but a regular file. See [`Image`].
    fn open_path(&self, path: &[u8]) -> io::Result<Box<dyn ProgramFile>>;
}

/// A mapping of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedRange {
    pub addresses: Range<u64>,
    /// The offset of its start in the file.
    pub offset: u64,
    /// 0 for anonymous memory.
    pub device: u64,
    pub inode: u64,
    pub writable: bool,
    pub executable: bool,
    pub shared: bool,
    /// The path of the file, or a name such as `[stack]`; empty for anonymous memory. May contain
    /// any bytes.
    pub name: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    pub tid: u32,
    /// The id in the process's own pid namespace, as `gettid(2)` returns it.
    pub inner_tid: u32,
    /// At most 15 bytes. May contain any bytes.
    pub name: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadActivity {
    /// It runs, or waits for a processor.
    Running,
    /// It sleeps outside of a system call, as in a page fault.
    Faulting {
        stack: u64,
        program_counter: u64,
    },
    Sleeping(SystemCall),
}

/// A system call in progress, with the registers that it saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCall {
    pub number: i64,
    pub arguments: [u64; 6],
    pub stack: u64,
    pub program_counter: u64,
}

/// An open program, library or file of debug information.
pub trait ProgramFile: Send + Sync {
    fn size(&self) -> u64;

    /// The identity of its contents: device, inode, and the time of the last write.
    fn version(&self) -> FileVersion;

    /// Reads at `offset` and returns the number of bytes, fewer at the end.
    ///
    /// # Errors
    /// The error of `pread(2)`.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileVersion {
    pub device: u64,
    pub inode: u64,
    pub size: u64,
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
}
