//! Changes to a machine, at the level of kernel facts. Whether a change is wise, and whether this
//! is the right segment, is up to `act`.

use super::{ObjectStat, SegmentBuilder};
use crate::segment::{Bytes, Identity, Key, Mode, ObjectName, ShmId, Timestamp};
use std::io;

/// Changes segments, and returns the facts that decide about changes.
pub trait Control: Send + Sync {
    /// Returns the stat of a segment, even without read permission (`SHM_STAT_ANY`). Leaves no
    /// trace.
    ///
    /// # Errors
    /// `EINVAL` or `EIDRM` if it is gone.
    fn sysv_stat(&self, shmid: ShmId) -> io::Result<SysvStat>;

    /// Sets owner, group and nine mode bits at once, `IPC_SET`.
    ///
    /// # Errors
    /// `EPERM` unless owner or creator nor root; as [`Control::sysv_stat`].
    fn sysv_set(&self, shmid: ShmId, set: SysvPermissions) -> io::Result<()>;

    /// Locks or unlocks a segment, `SHM_LOCK` or `SHM_UNLOCK`.
    ///
    /// # Errors
    /// `EPERM` for a stranger and with a limit of 0, `ENOMEM` with one that is
    /// too small; as [`Control::sysv_stat`].
    fn sysv_set_locked(&self, shmid: ShmId, locked: bool) -> io::Result<()>;

    /// Removes a segment, `IPC_RMID`.
    ///
    /// # Errors
    /// Like [`Control::sysv_set`].
    fn sysv_remove(&self, shmid: ShmId) -> io::Result<()>;

    /// Attaches a segment read-only, only so that its id is not reused while the pin lives. Changes
    /// last pid and attach time.
    ///
    /// # Errors
    /// `EACCES` without read permission, `ENOMEM`; as [`Control::sysv_stat`].
    fn sysv_pin(&self, shmid: ShmId) -> io::Result<Pin>;

    /// Creates a segment, `shmget` with `IPC_CREAT` and `IPC_EXCL`.
    ///
    /// # Errors
    /// `EEXIST`, `EINVAL` for the size, `ENOSPC`, `ENOMEM`, `EPERM`.
    fn sysv_create(&self, new: &NewSysv) -> io::Result<ShmId>;

    /// Returns a handle on the file with that name below `/dev/shm`, without following or opening
    /// it.
    ///
    /// # Errors
    /// `NotFound`; `EACCES` when a directory may not be searched.
    fn handle(&self, name: &ObjectName) -> io::Result<Box<dyn ObjectHandle>>;

    /// Returns the flags, directory and mount that decide about changes and removal. Leaves no
    /// trace.
    ///
    /// # Errors
    /// `NotFound`; `EACCES` when a directory may not be searched.
    fn guards(&self, name: &ObjectName) -> io::Result<Guards>;

    /// Unlinks exactly the object of the handle.
    ///
    /// # Errors
    /// `EACCES` and `EPERM` when the directory does not allow it.
    fn unlink(
        &self,
        name: &ObjectName,
        held: &dyn ObjectHandle,
        may_go: &dyn Fn(&ObjectName) -> bool,
    ) -> io::Result<Removal>;

    /// Returns the name that an object had before a removal renamed it to `aside`; `None` if no
    /// removal did.
    fn name_before(&self, aside: &ObjectName) -> Option<ObjectName>;

    /// Renames an object within its directory, unless the new name is taken.
    ///
    /// # Errors
    /// `AlreadyExists` when it is taken, `NotFound` when the object is gone.
    fn rename_to_free(&self, from: &ObjectName, to: &ObjectName) -> io::Result<()>;

    /// Removes an empty directory below `/dev/shm`.
    ///
    /// # Errors
    /// `DirectoryNotEmpty`; `NotFound` if it is gone.
    fn remove_directory(&self, name: &ObjectName) -> io::Result<()>;

    /// Starts a POSIX object of `size` bytes, all hole, that gets its name when it is finished.
    ///
    /// # Errors
    /// `NotFound` when its directory is not there, `EACCES`, and `ENOSPC`. That
    /// the name is taken is found out at the end.
    fn build_object(&self, name: &ObjectName, size: u64) -> io::Result<Box<dyn SegmentBuilder>>;

    /// Checks that an object with that name could be created: its directory, the permissions there
    /// and the mount. Creates nothing.
    ///
    /// # Errors
    /// Like [`Control::build_object`]; `EROFS` on a read-only mount, `EPERM` in an
    /// immutable directory.
    fn check_new_object(&self, name: &ObjectName) -> io::Result<()>;

    /// Returns how much memory a new segment can have.
    fn memory(&self) -> MemoryFacts;

    /// Starts a System V segment, all hole. Its mode is [`FILLING`](super::FILLING) until it is
    /// finished.
    ///
    /// # Errors
    /// Like [`Control::sysv_create`].
    fn build_sysv(&self, new: &NewSysv) -> io::Result<Box<dyn SegmentBuilder>>;

    /// Returns the scope in which ids of segments and processes are unique: this boot, a space, and
    /// the IPC and pid namespaces.
    fn world(&self) -> String;

    /// Returns the credentials of this thread.
    fn credentials(&self) -> Credentials;

    /// Returns the credentials of a process; `None` if the pid does not exist.
    fn process_credentials(&self, pid: u32) -> Option<Credentials>;

    /// Returns the credentials that a process of a user would have: the groups of the user database,
    /// and every capability for root.
    fn user_credentials(&self, uid: u32) -> Credentials;

    /// Returns the uid and login group of a user.
    fn user_by_name(&self, name: &str) -> Option<(u32, u32)>;

    /// Returns the gid of a group.
    fn group_by_name(&self, name: &str) -> Option<u32>;

    /// Returns the `RLIMIT_MEMLOCK` of this process; `None` if there is none.
    fn memlock_limit(&self) -> Option<Bytes>;
}

/// The memory that a new System V segment can have; `None` where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryFacts {
    /// The most that can be reserved for a segment, `vm.overcommit_memory`.
    pub reservable: Option<Bytes>,
    pub huge: Option<HugePages>,
}

/// Huge pages of the default size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HugePages {
    /// The size of a page; 0 on a kernel without huge pages.
    pub size: Bytes,
    /// The number that can be reserved.
    pub free: u64,
    /// The group that may use them, `vm.hugetlb_shm_group`.
    pub group: Option<u32>,
}

/// Everything apart from an object's own mode and owner that decides whether it may be changed or
/// removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    pub read_only: bool,
    pub flags: FileFlags,
    /// The number of names (hard links) of the object.
    pub links: u32,
    pub directory_uid: u32,
    pub directory_mode: Mode,
    pub directory_flags: FileFlags,
    /// The caller may create and remove names in the directory, according to its mode and access
    /// control list.
    pub writable: bool,
}

/// The flags of a file that even root cannot override, `chattr(1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileFlags {
    /// It cannot be changed, renamed or removed.
    pub immutable: bool,
    /// It cannot be overwritten, renamed or removed; a directory keeps its names.
    pub append_only: bool,
}

/// A System V segment as the kernel describes it, `struct shmid_ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysvStat {
    pub shmid: ShmId,
    /// 0 for a private segment, and once it is marked for removal.
    pub key: Key,
    pub size: Bytes,
    /// The nine permission bits.
    pub mode: Mode,
    /// Locked in memory, `SHM_LOCKED`.
    pub locked: bool,
    /// Marked for removal, `SHM_DEST`.
    pub marked: bool,
    pub uid: u32,
    pub gid: u32,
    pub creator_uid: u32,
    pub creator_gid: u32,
    /// 0 for a process without a pid in this pid namespace.
    pub creator_pid: u32,
    /// The process that attached or detached last.
    pub last_pid: u32,
    pub nattch: u64,
    /// Creation or last `IPC_SET`.
    pub change: Option<Timestamp>,
    /// Last attach; `None`: never.
    pub attach: Option<Timestamp>,
    /// Last detach; `None`: never.
    pub detach: Option<Timestamp>,
    /// Bytes in memory; only in `/proc/sysvipc/shm`.
    pub resident: Option<Bytes>,
    /// Bytes in swap; only in `/proc/sysvipc/shm`.
    pub swapped: Option<Bytes>,
}

impl SysvStat {
    pub const fn identity(&self) -> Identity {
        let Self { key, creator_uid, creator_pid, size, .. } = *self;
        Identity::Sysv { key, creator_uid, creator_pid, size }
    }
}

/// The attributes that `IPC_SET` sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysvPermissions {
    pub uid: u32,
    pub gid: u32,
    /// The permission bits, of which nine are used.
    pub mode: Mode,
}

/// A System V segment to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSysv {
    /// 0 for a private segment.
    pub key: Key,
    pub size: Bytes,
    /// The nine permission bits.
    pub mode: Mode,
    /// Use huge pages.
    pub huge: bool,
    /// Do not reserve memory.
    pub no_reserve: bool,
}

/// Keeps the id of a System V segment from being reused; dropping it detaches.
pub type Pin = Box<dyn Send>;

/// A handle on one object below `/dev/shm`. It stays on that object when the name passes to another
/// one, and its inode number is not reused meanwhile.
pub trait ObjectHandle: Send {
    fn stat(&self) -> io::Result<ObjectStat>;

    /// Sets the twelve permission bits.
    ///
    /// # Errors
    /// `EPERM` unless owner.
    fn set_mode(&self, mode: Mode) -> io::Result<()>;

    /// Sets owner and group; `None` leaves one as it is.
    ///
    /// # Errors
    /// `EPERM`: only root gives away, and to a foreign group too.
    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> io::Result<()>;

    /// Returns its access control list in the format of `system.posix_acl_access`; `None` if there
    /// is none.
    fn acl(&self) -> io::Result<Option<Vec<u8>>>;

    /// Sets its access control list, and the mode with it.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL`, `EOPNOTSUPP`.
    fn set_acl(&self, list: &[u8]) -> io::Result<()>;
}

/// The outcome of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// The name did not exist any more.
    Gone,
    /// Another object had the name; it was left alone.
    Another,
    /// The check of the moved object refused the removal; it has its name again.
    Refused,
    /// An object had to get its name back, which a new one had taken by then. It
    /// is whole, and has this name now.
    Astray(ObjectName),
}

/// The credentials that the kernel checks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    pub uid: u32,
    pub gid: u32,
    /// The supplementary groups.
    pub groups: Vec<u32>,
    /// The effective capabilities, a bit for each by its number.
    pub capabilities: u64,
}

/// A capability that matters for segments, by its number in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Change the owner of any file.
    Chown = 0,
    /// Read and write any file.
    DacOverride = 1,
    /// Read any file.
    DacReadSearch = 2,
    /// Do anything that only the owner of a file may do.
    Fowner = 3,
    /// Keep the set-group-id bit of a file of a group that the process is not in.
    Fsetid = 4,
    /// Lock memory without limit.
    IpcLock = 14,
    /// Attach any System V segment.
    IpcOwner = 15,
    /// Change and remove any System V segment.
    SysAdmin = 21,
}

impl Capability {
    /// Returns the kernel's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chown => "CAP_CHOWN",
            Self::DacOverride => "CAP_DAC_OVERRIDE",
            Self::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Self::Fowner => "CAP_FOWNER",
            Self::Fsetid => "CAP_FSETID",
            Self::IpcLock => "CAP_IPC_LOCK",
            Self::IpcOwner => "CAP_IPC_OWNER",
            Self::SysAdmin => "CAP_SYS_ADMIN",
        }
    }
}

impl Credentials {
    /// Every capability.
    pub const ALL: u64 = (1 << 41) - 1;

    /// Returns true if they include a capability.
    pub const fn may(&self, capability: Capability) -> bool {
        self.capabilities >> capability as u64 & 1 != 0
    }

    /// Returns true if they include a group.
    pub fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}
