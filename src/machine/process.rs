//! The processes of a machine, at the level of kernel facts: their ids, mappings and descriptors.
//! `survey` uses them to find the holders of segments.

use crate::segment::{Access, Facts, ObjectName, Place, Segment, SegmentId, Timestamp};
use std::io;

pub trait Processes: Send + Sync {
    fn own_pid(&self) -> u32;

    fn visibility(&self) -> Visibility;

    /// Returns the clock that converts the start times of processes.
    fn clock(&self) -> Clock;

    /// Lists the visible processes.
    fn list_processes(&self) -> io::Result<Vec<ListedProcess>>;

    /// Lists at least the visible processes from this pid on.
    fn list_processes_from(&self, _pid: u32) -> io::Result<Vec<ListedProcess>> {
        self.list_processes()
    }

    /// Returns the pid assigned last: while it is unchanged, no process has started. `None` if
    /// unknown.
    fn newest_pid(&self) -> Option<u32>;

    /// Returns the shared memory that a process has mapped and open.
    fn examine(&self, pid: u32, wanted: &ScanOptions) -> Examination;

    /// Returns the CPU time of a process in nanoseconds, over all threads. While it is unchanged,
    /// the process has not run and holds the same segments. `None` if unknown.
    fn cpu_time(&self, pid: u32) -> Option<u64>;

    /// Returns the devices and the namespace of segments. Without them no holder can be found.
    fn segment_devices(&self) -> io::Result<SegmentDevices>;

    /// Returns the public facts of a process; `None` if the pid does not exist.
    fn process(&self, pid: u32) -> Option<Process>;

    /// Returns true if any process has that pid, even if `/proc` hides it.
    fn process_exists(&self, pid: u32) -> bool;

    /// Returns the pids that processes have in nested pid namespaces.
    fn inner_pids(&self) -> Vec<u32>;

    /// Returns the name and the arguments of every process.
    fn command_lines(&self) -> Vec<CommandLine>;

    /// Returns the pids of a process's children; those of all its threads.
    fn children(&self, pid: u32) -> Vec<u32>;

    /// Returns true if a process has the same `/dev/shm`, or if that is unknown.
    fn may_reach_objects(&self, _pid: u32) -> bool {
        true
    }

    /// Returns the ids of a process's threads except the first. They can be used in place of the
    /// pid: the first thread may have exited, and a thread may have its own descriptor table.
    fn other_threads(&self, _pid: u32) -> Vec<u32> {
        vec![]
    }

    /// Returns the objects that are bind-mounted elsewhere (`mount --bind`), each with its mount
    /// point.
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
    /// `EPERM`, `EACCES`; `ENOENT` if the place no longer holds the file.
    fn stat_held(&self, pid: u32, place: Place) -> io::Result<super::ObjectStat>;

    /// Returns the kernel's name of a held file: the path as the holder opened it, followed by "
    /// (deleted)" if the file was unlinked.
    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>>;

    /// Sends `SIGTERM` to exactly this process, through a pidfd.
    ///
    /// # Errors
    /// `ESRCH` if the process has exited, even if its pid was reused; `EPERM` for another user's
    /// process.
    fn terminate(&self, process: &ProcessId) -> io::Result<()>;
}

/// A process: the pid and its start time, since pids are reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProcessId {
    pub pid: u32,
    /// The start time, in clock ticks since boot.
    pub start: u64,
}

/// The public facts of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: ProcessId,
    /// The program, or the script that an interpreter runs.
    pub command: Box<[u8]>,
    pub uid: u32,
    pub gid: u32,
    pub started: Timestamp,
    /// Set for a zombie.
    pub ended: bool,
}

/// The name and arguments of a process, as raw bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub pid: u32,
    /// The effective user; root for a nondumpable process, such as one that dropped root
    /// privileges.
    pub uid: u32,
    /// The kernel's name of the process, at most 15 bytes.
    pub command: Vec<u8>,
    /// The arguments, starting with the program.
    pub arguments: Vec<Vec<u8>>,
}

/// A process as listed in `/proc`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedProcess {
    pub pid: u32,
    /// Unique to each process, unlike a pid.
    pub serial: u64,
}

/// The devices and the namespace of segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SegmentDevices {
    /// The device of `/dev/shm`; `None` if there is none, or if mappings show another device.
    pub objects: Option<u64>,
    /// The internal devices of System V segments: one for normal pages, and one for each huge page
    /// size.
    pub sysv: Vec<u64>,
    /// The IPC namespace of the listed segments.
    pub namespace: Option<u64>,
}

/// Options of a search for holders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanOptions {
    pub segment_devices: SegmentDevices,
    /// Include private mappings, which are slower to find.
    pub private: bool,
    /// Read mappings as text, as on kernels without `PROCMAP_QUERY`.
    pub as_text: bool,
}

/// Limits of what this user can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visibility {
    /// `/proc` is mounted with `hidepid`.
    pub hides: bool,
    /// Some processes are outside of this pid namespace.
    pub outside: bool,
    /// `/proc` belongs to another pid namespace than this process: pids from system calls differ
    /// from those in `/proc`.
    pub foreign: bool,
}

/// Converts the start times of processes, which are relative to boot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    pub now: Timestamp,
    /// According to the current clock.
    pub boot: Timestamp,
    /// Seconds by which the clock was set forward since boot; 0 if unknown.
    pub forward: f64,
}

/// The outcome of examining a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examination {
    /// Permission denied. Lists all users that the process is, was or can become; empty if unknown.
    Unreadable(Vec<u32>),
    /// This process ran out of descriptors or memory.
    Exhausted,
    Gone,
    Nothing,
    /// The process holds shared memory.
    Found(Process, Vec<Use>),
}

/// A mapping or a descriptor of shared memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub of: Object,
    /// Read-write if the process may write, otherwise read-only, even if it may do neither
    /// (`PROT_NONE`, `O_PATH`): such a process keeps the memory alive and can start reading at any
    /// time.
    pub access: Access,
    /// A private mapping: writes are invisible to other processes.
    pub private: bool,
    pub place: Place,
    /// For a mapping, the end offset in the file.
    pub reaches: u64,
    /// System V only.
    pub claim: Option<Claim>,
}

/// Facts about a System V segment that its mapping reveals. A shmid is unique only within an IPC
/// namespace, and a process may have attached a segment before it changed namespaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    pub key: u32,
    /// Set for normal pages: the mapping then ends at or before the segment's last page.
    pub normal_pages: bool,
    /// Set if the process is in this IPC namespace. A process keeps its segments when it leaves.
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

impl Object {
    /// Returns the object that processes map.
    #[must_use]
    pub const fn of(segment: &Segment) -> Option<Self> {
        match (&segment.id, &segment.facts) {
            (SegmentId::Sysv(shmid), _) => Some(Self::Sysv(shmid.0)),
            (_, Facts::Posix(facts)) => Some(Self::File { device: facts.device, inode: facts.inode }),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLock {
    pub device: u64,
    pub inode: u64,
    /// `None` if the kernel does not report one.
    pub pid: Option<u32>,
    /// A write lease (`F_SETLEASE`), which breaks when another process opens the file.
    pub write_lease: bool,
}
