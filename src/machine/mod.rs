//! The machine behind a trait, at the level of kernel facts: list, stat, open, read, and
//! [`control`]. [`real::RealMachine`] asks the kernel; [`fake::FakeMachine`] holds test data, so
//! that tests need no real machine.

mod builder;
pub mod control;
#[cfg(any(test, feature = "fake"))]
pub mod fake;
pub mod image;
pub mod meminfo;
mod method;
pub mod process;
pub mod real;
pub mod sysv_table;
pub mod watch;

pub use builder::{AttributeError, FinalAttributes, FinishedSegment, SegmentBuilder, UNFINISHED_MODE};
pub use method::{Method, Trace, TraceReason};

use crate::segment::{Bytes, Holder, Identity, Key, ObjectName, ShmId, Timestamp};
use crate::sys::view::View;
use control::Control;
use image::Images;
use process::Processes;
use std::io;
use std::ops::Range;
use std::time::Duration;
use watch::WriteWatching;

/// A machine with shared memory, at the level of kernel facts.
pub trait Machine: Control + Processes + Images + WriteWatching {
    /// Returns the text of `/proc/sysvipc/shm`: every System V segment in this IPC namespace.
    ///
    /// # Errors
    /// Fails if the file does not exist: the kernel has no System V IPC, or `/proc` is not mounted.
    fn sysv_table(&self) -> io::Result<Vec<u8>>;

    /// Returns the rows of [`Machine::sysv_table`] without memory and swap use, which take the
    /// kernel most of the time.
    fn sysv_rows(&self) -> io::Result<sysv_table::Table> {
        self.sysv_table().map(|text| sysv_table::parse(&text))
    }

    /// Lists `/dev/shm`.
    ///
    /// # Errors
    /// Fails if `/dev/shm` itself cannot be read.
    fn list_objects(&self) -> io::Result<ObjectListing>;

    /// Returns the stat of an object by its name.
    ///
    /// # Errors
    /// `NotFound` if there is none, `EXDEV` for a mount point or a name below one.
    fn stat_object(&self, name: &ObjectName) -> io::Result<ObjectStat>;

    /// Returns the limits on segments, and the size of `/dev/shm`.
    fn limits(&self) -> LimitFacts;

    /// Returns the total shared memory that the kernel counts, `Shmem` in `/proc/meminfo`; `None`
    /// if unreadable.
    fn shmem(&self) -> Option<Bytes> {
        None
    }

    fn user_name(&self, uid: u32) -> Option<String>;

    fn group_name(&self, gid: u32) -> Option<String>;

    fn effective_uid(&self) -> u32;

    fn now(&self) -> Timestamp;

    /// Returns the time of `CLOCK_MONOTONIC`, which programs often record.
    fn monotonic_time(&self) -> Duration;

    /// Opens a POSIX object for reading.
    ///
    /// # Errors
    /// `NotFound` if the object is gone, `PermissionDenied`, and `ENODEV` for anything but a
    /// regular file.
    fn open_object(&self, name: &ObjectName) -> io::Result<Box<dyn Contents>>;

    /// Returns true if any other process has the object open or mapped. The kernel answers for all
    /// processes, including those hidden from this user.
    ///
    /// # Errors
    /// `PermissionDenied` unless the caller is the owner or root, `NotFound`, or an error if the
    /// kernel does not support leases here.
    fn is_open_elsewhere(&self, name: &ObjectName, identity: &Identity) -> io::Result<bool>;

    /// Opens an unlinked object through one of its holders.
    ///
    /// # Errors
    /// `NotFound` if no holder has it open anymore, `EACCES` and `EPERM` if no holder may be
    /// examined.
    fn open_unlinked(&self, device: u64, inode: u64, holders: &[Holder]) -> io::Result<Box<dyn Contents>>;

    /// Returns true if systemd removes the segments of this user at logout (`RemoveIPC=yes`) and
    /// the user has no session now. `None` without logind.
    fn removes_at_logout(&self, uid: u32) -> Option<bool>;

    /// Checks that a System V segment may be attached for reading. Has no side effects.
    fn may_attach(&self, shmid: ShmId) -> io::Result<()>;

    /// Opens a System V segment without attaching it, through a process that has it attached: one
    /// of `holders`, otherwise any process if `scan` is set. Verifies that the holder has this very
    /// segment.
    ///
    /// # Errors
    /// The reason why only attaching would do.
    fn open_attached(
        &self,
        shmid: ShmId,
        holders: &[Holder],
        scan: bool,
    ) -> Result<Box<dyn Contents>, TraceReason>;

    /// Attaches a System V segment read-only. This changes nattch, the last pid and the attach
    /// time.
    ///
    /// # Errors
    /// `PermissionDenied`, and `EINVAL` or `EIDRM` if the segment is gone.
    fn attach(&self, shmid: ShmId) -> io::Result<Box<dyn Contents>>;

    /// Finds the System V segment that has a key.
    ///
    /// # Errors
    /// `NotFound` if there is none, as for the key of `IPC_PRIVATE`.
    fn sysv_of_key(&self, key: Key) -> io::Result<ShmId> {
        let rows = self.sysv_rows()?.rows;
        let row = rows.iter().find(|row| row.key == key && !key.is_private());
        row.map(|row| row.shmid).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The last use of a System V segment in the kernel's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastUse {
    /// The last process that attached or detached; 0 if none, or if it is outside of this pid
    /// namespace.
    pub pid: u32,
    /// Last `shmat`.
    pub attach: Option<Timestamp>,
    /// Last `shmdt`.
    pub detach: Option<Timestamp>,
}

/// Records the last use of System V segments before shmlens attaches them, because attaching
/// overwrites it.
pub trait UseLog: Sync {
    /// Records the last use of a segment that this process is about to attach or detach.
    fn note(&self, shmid: ShmId, identity: &Identity, last: LastUse);
}

/// The contents of `/dev/shm`.
#[derive(Debug, Clone, Default)]
pub struct ObjectListing {
    /// Regular files: the segments.
    pub objects: Vec<(ObjectName, ObjectStat)>,
    /// Everything else: directories, FIFOs, links, sockets, devices.
    pub others: Vec<ObjectName>,
    /// The number of directories, including `/dev/shm` itself.
    pub directories: u64,
    /// Mount points. Other file systems are not listed.
    pub mounts: Vec<ObjectName>,
    /// Directories that could not be read.
    pub unreadable: Vec<UnreadableDirectory>,
}

/// A directory below `/dev/shm` that could not be read.
#[derive(Debug, Clone)]
pub struct UnreadableDirectory {
    /// The path below `/dev/shm`.
    pub name: ObjectName,
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    pub kind: io::ErrorKind,
    /// Safe to print.
    pub reason: String,
}

impl UnreadableDirectory {
    /// Returns true for a private directory of another user.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.kind == io::ErrorKind::PermissionDenied
    }
}

/// The stat of an object, `statx(2)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectStat {
    /// The device of its file system.
    pub device: u64,
    pub inode: u64,
    /// 0 once the object is unlinked.
    pub links: u32,
    /// File type and permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: Bytes,
    /// The allocated bytes, in memory or swapped out.
    pub allocated: Bytes,
    pub access: Timestamp,
    /// Last write through a descriptor.
    pub modify: Timestamp,
    /// Last change of the inode.
    pub change: Timestamp,
    /// The creation time, if known.
    pub birth: Option<Timestamp>,
}

impl ObjectStat {
    /// Returns the identity, which does not depend on the name.
    pub const fn identity(&self) -> Identity {
        Identity::Posix { device: self.device, inode: self.inode, birth: self.birth }
    }
}

/// The kernel's limits on segments, and the size of `/dev/shm`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LimitFacts {
    /// The maximum number of System V segments, `kernel.shmmni`.
    pub shmmni: Option<u64>,
    /// The maximum size of a System V segment in bytes, `kernel.shmmax`.
    pub shmmax: Option<u64>,
    /// The maximum number of pages of all System V segments, `kernel.shmall`.
    pub shmall: Option<u64>,
    /// The page size in bytes.
    pub page_size: u64,
    pub dev_shm: Option<DevShm>,
    /// Set if systemd removes the segments of ordinary users at logout (`RemoveIPC`,
    /// `logind.conf(5)`); `None` without logind.
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

/// A part of a segment that is either all data or all hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The offset after the last byte.
    pub end: u64,
    pub kind: ExtentKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtentKind {
    /// Never written: reads as zeros and uses no memory.
    Hole,
    /// Allocated, although it may be zero.
    Data,
}

/// An open segment. Offsets are 64-bit, reading allocates nothing, and dropping the value closes or
/// detaches the segment.
pub trait Contents: Send + Sync {
    fn stat(&self) -> io::Result<ContentsStat>;

    /// Reads at `offset` and returns the number of bytes: fewer at the end of the segment. Holes
    /// read as zeros and stay holes.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Returns the extent that contains `offset`, limited to `limit` bytes; the next extent may be
    /// of the same kind. `None` at and past the end.
    fn extent_at(&self, offset: u64, limit: u64) -> io::Result<Option<Extent>>;

    /// Returns the method of reading, which determines the side effects.
    fn method(&self) -> Method;

    /// Returns the runs of swapped pages in this range, limited to the range. Reading one would
    /// bring it back into memory; its extent is [`ExtentKind::Data`]. May include holes if the
    /// kernel does not distinguish them.
    fn swapped_in(&self, _range: Range<u64>) -> io::Result<Vec<Range<u64>>> {
        Ok(vec![])
    }

    /// Returns the POSIX ACL in the format of the extended attribute `system.posix_acl_access`;
    /// `None` if there is only a mode.
    fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Maps a range for loads that are faster than [`Contents::read_at`]. Leaves no more trace than
    /// reading.
    ///
    /// # Errors
    /// `Unsupported` if it can only be read, and as [`View::of_file`].
    fn view(&self, _range: Range<u64>) -> io::Result<View> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Drops this range from the memory of this process, because it is no longer needed.
    fn release(&self, _offset: u64, _length: u64) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentsStat {
    /// A POSIX object may grow and shrink.
    pub size: u64,
    pub identity: Identity,
    /// The segment was unlinked or marked for removal, and exists only while it is held.
    pub removed: bool,
}
