//! The machine behind one trait, at the level of kernel facts: list, stat,
//! open, read, and [`control`]. [`real::RealMachine`] asks the kernel; [`fake::FakeMachine`] is
//! filled by tests, so that every screen and every flow runs without one.

pub mod control;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
mod making;
pub mod meminfo;
pub mod process;
pub mod real;
pub mod sysv_table;

pub use making::{FILLING, Finish, Finished, Making, Refused};

use crate::segment::{Bytes, Holder, Identity, ObjectName, ShmId, Timestamp};
use control::Control;
use process::Processes;
use std::io;

/// A machine with shared memory, at the level of kernel facts.
pub trait Machine: Control + Processes {
    /// The text of `/proc/sysvipc/shm`: every System V segment of this IPC namespace.
    ///
    /// # Errors
    /// When there is no such file: a kernel without System V IPC, or no `/proc`.
    fn sysv_table(&self) -> io::Result<Vec<u8>>;

    /// The same without what is in memory and in swap, which takes most of the time.
    ///
    /// # Errors
    /// As [`Machine::sysv_table`].
    fn sysv_rows(&self) -> io::Result<sysv_table::Table> {
        self.sysv_table().map(|text| sysv_table::parse(&text))
    }

    /// Lists `/dev/shm`.
    ///
    /// # Errors
    /// When `/dev/shm` itself cannot be read.
    fn list_objects(&self) -> io::Result<ObjectListing>;

    /// Returns the stat of an object by its name.
    ///
    /// # Errors
    /// `NotFound` when nothing has it, `EXDEV` when it is a mount point or lies below one.
    fn stat_object(&self, name: &ObjectName) -> io::Result<ObjectStat>;

    /// Returns the limits on segments, and the size of `/dev/shm`.
    fn limits(&self) -> LimitFacts;

    /// All memory that the kernel counts as shared, `Shmem` in `/proc/meminfo`;
    /// `None` where it cannot be read.
    fn shmem(&self) -> Option<Bytes> {
        None
    }

    /// Returns the name of a user.
    fn user_name(&self, uid: u32) -> Option<String>;

    /// Returns the name of a group.
    fn group_name(&self, gid: u32) -> Option<String>;

    /// Returns the effective user of this process.
    fn effective_uid(&self) -> u32;

    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Opens a POSIX object for reading.
    ///
    /// # Errors
    /// `NotFound` when it is gone, `PermissionDenied`, and `ENODEV` when the
    /// name is of no regular file.
    fn open_object(&self, name: &ObjectName) -> io::Result<Box<dyn Contents>>;

    /// Returns whether any other process has the object open or mapped.
    /// Asks the kernel, which also knows the processes that are hidden from us.
    ///
    /// # Errors
    /// `PermissionDenied` for who is neither its owner nor root, `NotFound`,
    /// and where the kernel cannot tell.
    fn is_open_elsewhere(&self, name: &ObjectName, identity: &Identity) -> io::Result<bool>;

    /// Opens an object that is in no directory any more, through one of those
    /// who hold it.
    ///
    /// # Errors
    /// `NotFound` when none of them holds it any more, `EACCES` and `EPERM`
    /// when none of them may be examined.
    fn open_unlinked(&self, device: u64, inode: u64, holders: &[Holder]) -> io::Result<Box<dyn Contents>>;

    /// Returns whether systemd removed what this user had: it does so at logout
    /// (`RemoveIPC=yes`), and the user has no session now. `None` where logind
    /// does not run.
    fn removes_at_logout(&self, uid: u32) -> Option<bool>;

    /// Checks whether a System V segment may be attached for reading, without a trace.
    ///
    /// # Errors
    /// Those that [`Machine::attach`] would give.
    fn may_attach(&self, shmid: ShmId) -> io::Result<()>;

    /// Attaches a System V segment read-only. This leaves its mark: nattch,
    /// last pid and attach time change.
    ///
    /// # Errors
    /// `PermissionDenied`, and `EINVAL` or `EIDRM` when it is gone.
    fn attach(&self, shmid: ShmId) -> io::Result<Box<dyn Contents>>;
}

/// The last use of a System V segment, as the kernel keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUse {
    /// The process that attached or detached last; 0: none, or one outside of this pid namespace.
    pub pid: u32,
    /// Last `shmat`.
    pub attach: Option<Timestamp>,
    /// Last `shmdt`.
    pub detach: Option<Timestamp>,
}

/// Remembers the last use of System V segments that this program attaches: the kernel forgets it then.
pub trait UseLog: Sync {
    /// Notes the last use of a segment that this process is about to attach or detach.
    fn note(&self, shmid: ShmId, identity: &Identity, last: LastUse);
}

/// The contents of `/dev/shm`.
#[derive(Debug, Clone, Default)]
pub struct ObjectListing {
    /// The regular files: these are segments.
    pub objects: Vec<(ObjectName, ObjectStat)>,
    /// The names of everything else: directories, FIFOs, links, sockets, devices.
    pub others: Vec<ObjectName>,
    /// How many directories there are, `/dev/shm` itself included.
    pub directories: u64,
    /// The mount points: what lies in another file system is not listed.
    pub mounts: Vec<ObjectName>,
    /// The directories that could not be looked into, and why.
    pub unreadable: Vec<Unreadable>,
}

/// A directory below `/dev/shm` that could not be looked into.
#[derive(Debug, Clone)]
pub struct Unreadable {
    /// Its path below `/dev/shm`.
    pub name: ObjectName,
    pub uid: u32,
    pub gid: u32,
    /// Its permission bits.
    pub mode: u32,
    /// Why, as an error of the kernel.
    pub kind: io::ErrorKind,
    /// The same in words, safe to print.
    pub reason: String,
}

impl Unreadable {
    /// Returns true for another user's private directory.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.kind == io::ErrorKind::PermissionDenied
    }
}

/// The stat of an object, `statx(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectStat {
    /// The device number of its file system.
    pub device: u64,
    /// Its inode number there.
    pub inode: u64,
    /// The number of names: 0 once it is unlinked.
    pub links: u32,
    /// Type and permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// The length.
    pub size: Bytes,
    /// The allocated bytes, in memory or swapped out.
    pub allocated: Bytes,
    pub access: Timestamp,
    /// Last write through a descriptor.
    pub modify: Timestamp,
    /// Last change of the inode.
    pub change: Timestamp,
    /// Creation, where the kernel keeps it.
    pub birth: Option<Timestamp>,
}

impl ObjectStat {
    /// Returns the identity of the object, independent of its name.
    pub const fn identity(&self) -> Identity {
        Identity::Posix { device: self.device, inode: self.inode, birth: self.birth }
    }
}

/// The kernel's limits, and what they are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitFacts {
    /// The most System V segments there may be, `kernel.shmmni`.
    pub shmmni: Option<u64>,
    /// The largest System V segment there may be, in bytes, `kernel.shmmax`.
    pub shmmax: Option<u64>,
    /// The most pages that all System V segments may have together, `kernel.shmall`.
    pub shmall: Option<u64>,
    /// The size of a page in bytes.
    pub page_size: u64,
    /// The file system at `/dev/shm`, when there is one.
    pub dev_shm: Option<DevShm>,
    /// Whether systemd takes the segments of ordinary users when they log out
    /// (`RemoveIPC`, `logind.conf(5)`); `None` where it does not run.
    pub remove_ipc: Option<bool>,
}

/// The size and use of `/dev/shm`, `statvfs(3)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DevShm {
    /// 0 for a tmpfs without a limit.
    pub size: Bytes,
    pub used: Bytes,
    /// 0 for a tmpfs without a limit.
    pub inodes: u64,
    pub inodes_used: u64,
}

/// The trace that reading leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    None,
    /// The object's access time moves: only its owner and root can avoid that.
    AccessTime,
    /// nattch is one higher while it is open; last pid and times change.
    Attached,
}

/// A run of a segment's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The offset of the first byte after it.
    pub end: u64,
    pub kind: ExtentKind,
}

/// Hole or data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtentKind {
    /// Never written: reads as zeros, and takes no memory.
    Hole,
    /// Allocated, whatever it holds.
    Data,
}

/// An open segment whose bytes can be looked at. Offsets are 64-bit, reading
/// allocates nothing, and closing (dropping) it detaches.
pub trait Contents: Send + Sync {
    /// Returns its current stat.
    fn stat(&self) -> io::Result<ContentsStat>;

    /// Reads at `offset`, and tells how much: less than asked for where the
    /// segment ends. Holes read as zeros and stay holes.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// The run that `offset` lies in, looking no further than `limit` bytes
    /// on; what follows may be of the same kind. `None` at and beyond the end.
    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>>;

    /// Returns the trace that reading leaves.
    fn trace(&self) -> Trace;

    /// Its POSIX ACL, as the extended attribute `system.posix_acl_access` has
    /// it; `None` where there is none beside the mode.
    fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Says that these bytes were read and are not wanted any more, so that
    /// they do not count as this process's memory.
    fn release(&self, _offset: u64, _length: u64) {}
}

/// The stat of an open segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentsStat {
    /// Its size now: a POSIX object may grow and shrink.
    pub size: u64,
    pub identity: Identity,
    /// It has lost its name (unlinked, or marked for removal) and lives
    /// only as long as it is held.
    pub removed: bool,
}
