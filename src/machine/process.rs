//! The processes of a machine, at the level of kernel facts: their ids, and their mappings and
//! descriptors. `survey` finds the holders of segments from that.

use crate::segment::{Access, ObjectName, Place, Timestamp};
use std::io;

pub trait Processes: Send + Sync {
    fn own_pid(&self) -> u32;

    /// Returns the limits of what this user can see.
    fn visibility(&self) -> Visibility;

    /// Returns the clock that start times of processes are converted with.
    fn clock(&self) -> Clock;

    /// Returns every visible process.
    ///
    /// # Errors
    /// Fails if `/proc` is not there; `EMFILE`.
    fn list_processes(&self) -> io::Result<Vec<Listed>>;

    /// Returns the last pid that was assigned: while it stays the same, there is no new process.
    /// `None` if unknown.
    fn newest_pid(&self) -> Option<u32>;

    /// Returns the shared memory that a process has mapped and open.
    fn examine(&self, pid: u32, wanted: &Wanted) -> Examined;

    /// Returns the CPU time of a process in nanoseconds, all threads together. A process that has
    /// not run since it was examined has changed nothing. `None` if unknown.
    fn cpu_time(&self, pid: u32) -> Option<u64>;

    /// Returns the devices and the namespace of segments.
    ///
    /// # Errors
    /// Fails if it cannot be found out, so that no holder could be: `EMFILE`.
    fn segment_devices(&self) -> io::Result<SegmentDevices>;

    /// Returns the facts of a process that any user may know; `None` if the pid does not exist.
    fn process(&self, pid: u32) -> Option<Process>;

    /// Returns true if any process has that pid, even if `/proc` hides it.
    fn process_exists(&self, pid: u32) -> bool;

    /// Returns the pids that processes have in nested pid namespaces.
    fn inner_pids(&self) -> Vec<u32>;

    /// Returns the name and the arguments of every process.
    fn command_lines(&self) -> Vec<CommandLine>;

    /// Returns true if a process has the same `/dev/shm`, or if that is unknown.
    fn may_reach_objects(&self, _pid: u32) -> bool {
        true
    }

    /// Returns the threads of a process other than its first, by ids that can be used in place of
    /// the pid: its first thread may have exited, and a thread may have its own table of
    /// descriptors.
    fn other_threads(&self, _pid: u32) -> Vec<u32> {
        vec![]
    }

    /// Returns the objects that are mounted elsewhere (`mount --bind`), each with the mount point.
    fn mounted_objects(&self) -> Vec<(ObjectName, Vec<u8>)> {
        vec![]
    }

    /// Returns the file locks, `/proc/locks`.
    ///
    /// # Errors
    /// Fails if the table cannot be read.
    fn locks(&self) -> io::Result<Vec<FileLock>>;

    /// Returns the stat of a held file, through its holder.
    ///
    /// # Errors
    /// `EPERM`, `EACCES`; `ENOENT` when it is held that way no more.
    fn stat_held(&self, pid: u32, place: Place) -> io::Result<super::ObjectStat>;

    /// Returns the kernel's name of a held file: as the holder opened it, followed by " (deleted)"
    /// if it has none any more.
    ///
    /// # Errors
    /// Like [`Processes::stat_held`].
    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>>;

    /// Asks exactly this process to end: `SIGTERM` through a pidfd.
    ///
    /// # Errors
    /// `ESRCH` when it has ended, even when its pid has passed to another one;
    /// `EPERM` for a another user's process.
    fn terminate(&self, process: &ProcessId) -> io::Result<()>;
}

/// A process: the pid and its start time, since pids are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pub pid: u32,
    /// The start time, in clock ticks since boot.
    pub start: u64,
}

/// The facts of a process that any user may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: ProcessId,
    /// The program, or the script that an interpreter runs.
    pub command: Box<[u8]>,
    pub uid: u32,
    pub gid: u32,
    pub began: Timestamp,
    /// It has exited, and its parent has not waited for it yet.
    pub ended: bool,
}

/// The name and the arguments of a process: any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub pid: u32,
    /// The effective user; root for a process that may not be dumped, such as one that dropped
    /// root's privileges.
    pub uid: u32,
    /// At most 15 bytes.
    pub command: Vec<u8>,
    /// Starts with the program.
    pub arguments: Vec<Vec<u8>>,
}

/// A process in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    pub pid: u32,
    /// A unique number for each process, unlike a pid, which is reused.
    pub serial: u64,
}

/// The devices and the namespace of segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentDevices {
    /// The device of `/dev/shm`; `None` if there is none, or if holders cannot be found by it.
    pub objects: Option<u64>,
    /// The internal devices of System V segments: one for pages of the usual size, and one for each
    /// size of huge pages.
    pub sysv: Vec<u64>,
    /// The IPC namespace of the listed segments.
    pub namespace: Option<u64>,
}

/// The options of a search for holders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub segment_devices: SegmentDevices,
    /// Include private mappings, which cost more to find.
    pub private: bool,
    /// Read mappings as text, as on kernels without queries.
    pub as_text: bool,
}

/// The limits of what this user can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visibility {
    /// `/proc` is mounted with `hidepid`.
    pub hides: bool,
    /// There are processes outside of this pid namespace.
    pub outside: bool,
    /// `/proc` belongs to another pid namespace than this program: pids from system calls are not
    /// those in `/proc`.
    pub foreign: bool,
}

/// The clock that converts the start times of processes, which are relative to boot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    pub now: Timestamp,
    /// The boot time, by today's clock.
    pub boot: Timestamp,
    /// The seconds by which the clock was set forward since boot; 0 if unknown.
    pub forward: f64,
}

/// The outcome of examining a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// It may not be examined. Lists every user that it is, was or can become; empty if even that
    /// is unknown.
    Unreadable(Vec<u32>),
    /// This program ran out of descriptors or memory.
    Exhausted,
    /// It has exited.
    Gone,
    /// It holds no shared memory.
    Nothing,
    /// It, and all shared memory that it holds.
    Found(Process, Vec<Use>),
}

/// A mapping or a descriptor of shared memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub of: Object,
    /// The access of the process: read and write if it may write, and read otherwise, even if it
    /// may do neither (`PROT_NONE`, `O_PATH`): it keeps the memory alive, and can become a reader
    /// at any time.
    pub access: Access,
    /// A private mapping: no other process sees what is written there.
    pub private: bool,
    pub place: Place,
    /// For a mapping, its end offset in the file.
    pub reaches: u64,
    /// System V: the facts of its mapping.
    pub claim: Option<Claim>,
}

/// The facts that a mapping shows of its System V segment. A shmid is only unique within its IPC
/// namespace, and a process may have attached a segment in another one before it entered this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The key in its name.
    pub key: u32,
    /// True if it has pages of the usual size, so that it ends at the segment's last page or
    /// before.
    pub usual_pages: bool,
    /// True if the process is in this IPC namespace. A process that has left it still keeps its
    /// segments.
    pub here: bool,
}

/// The identity of shared memory in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A System V segment of this IPC namespace, by shmid.
    Sysv(i32),
    /// A file on the file system of `/dev/shm`.
    File { device: u64, inode: u64 },
}

/// A lock on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLock {
    pub device: u64,
    pub inode: u64,
    /// The pid of its holder; `None` if the kernel does not tell.
    pub pid: Option<u32>,
}
