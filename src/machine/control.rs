//! Changes to a machine, at the level of kernel facts. `act` decides whether a change is safe and
//! targets the right segment.

use super::{ObjectStat, SegmentBuilder};
use crate::segment::{Bytes, Identity, Key, Mode, ObjectName, ShmId, Timestamp};
use std::io;

/// Changes segments, and reports the facts that permission checks need.
pub trait Control: Send + Sync {
    /// Returns the stat of a segment, even without read permission (`SHM_STAT_ANY`). Has no side
    /// effects.
    ///
    /// # Errors
    /// `EINVAL` or `EIDRM` if the segment is gone.
    fn sysv_stat(&self, shmid: ShmId) -> io::Result<SysvStat>;

    /// Sets the owner, the group and the nine mode bits in a single `IPC_SET`.
    ///
    /// # Errors
    /// `EPERM` unless the caller is the owner, the creator or root.
    fn sysv_set(&self, shmid: ShmId, set: SysvPermissions) -> io::Result<()>;

    /// Locks or unlocks a segment (`SHM_LOCK`, `SHM_UNLOCK`).
    ///
    /// # Errors
    /// `EPERM` for another user's segment or if `RLIMIT_MEMLOCK` is 0, `ENOMEM` if it is too small.
    fn sysv_set_locked(&self, shmid: ShmId, locked: bool) -> io::Result<()>;

    /// Removes a segment (`IPC_RMID`).
    fn sysv_remove(&self, shmid: ShmId) -> io::Result<()>;

    /// Attaches a segment read-only so that its id is not reused while the pin is alive. Changes
    /// the last pid and the attach time.
    fn sysv_pin(&self, shmid: ShmId) -> io::Result<Pin>;

    /// Creates a segment (`shmget` with `IPC_CREAT` and `IPC_EXCL`).
    ///
    /// # Errors
    /// `EEXIST`, `EINVAL` for the size, `ENOSPC`, `ENOMEM`, `EPERM`.
    fn sysv_create(&self, new: &NewSysv) -> io::Result<ShmId>;

    /// Returns a handle to the file of that name below `/dev/shm`, without following links or
    /// opening the file.
    fn open_handle(&self, name: &ObjectName) -> io::Result<Box<dyn ObjectHandle>>;

    /// Returns the flags, directory and mount that decide whether the object can be changed or
    /// removed. Has no side effects.
    fn guards(&self, name: &ObjectName) -> io::Result<Guards>;

    /// Unlinks the object behind the handle, and no other.
    fn unlink(
        &self,
        name: &ObjectName,
        held: &dyn ObjectHandle,
        may_unlink: &dyn Fn(&ObjectName) -> bool,
    ) -> io::Result<Removal>;

    /// Returns the original name of an object that a removal renamed to `temporary`; `None` for any
    /// other name.
    fn name_before(&self, temporary: &ObjectName) -> Option<ObjectName>;

    /// Renames an object within its directory unless the new name is taken.
    ///
    /// # Errors
    /// `AlreadyExists` if the new name is taken, `NotFound` if the object is gone.
    fn rename_to_free(&self, from: &ObjectName, to: &ObjectName) -> io::Result<()>;

    /// Removes an empty directory below `/dev/shm`.
    fn remove_directory(&self, name: &ObjectName) -> io::Result<()>;

    /// Starts building a POSIX object of `size` bytes, initially a single hole. The object has no
    /// name until it is finished.
    ///
    /// # Errors
    /// `NotFound` if its directory does not exist, `EACCES`, `ENOSPC`. A name conflict is reported
    /// only at the end.
    fn build_object(&self, name: &ObjectName, size: u64) -> io::Result<Box<dyn SegmentBuilder>>;

    /// Checks that an object of that name could be created: its directory, the permissions there
    /// and the mount. Creates nothing.
    ///
    /// # Errors
    /// `EROFS` on a read-only mount, `EPERM` in an immutable directory.
    fn check_new_object(&self, name: &ObjectName) -> io::Result<()>;

    /// Returns the amount of memory that is available for a new segment.
    fn memory(&self) -> MemoryFacts;

    /// Starts building a System V segment, initially a single hole. Its mode is
    /// [`UNFINISHED_MODE`](super::UNFINISHED_MODE) until it is finished.
    fn build_sysv(&self, new: &NewSysv) -> io::Result<Box<dyn SegmentBuilder>>;

    /// Returns an identifier of this boot and of the IPC and pid namespaces, in which shmids and
    /// pids are unique. The two parts are separated by a space.
    fn id_scope(&self) -> String;

    /// Returns the credentials of this thread.
    fn credentials(&self) -> Credentials;

    /// Returns the credentials of a process; `None` if the pid does not exist.
    fn process_credentials(&self, pid: u32) -> Option<Credentials>;

    /// Returns the credentials that a new process of a user would have: the groups from the user
    /// database, and all capabilities for root.
    fn user_credentials(&self, uid: u32) -> Credentials;

    /// Returns the uid and login group of a user.
    fn user_by_name(&self, name: &str) -> Option<(u32, u32)>;

    /// Returns the gid of a group.
    fn group_by_name(&self, name: &str) -> Option<u32>;

    /// Returns this process's `RLIMIT_MEMLOCK`; `None` if unlimited.
    fn memlock_limit(&self) -> Option<Bytes>;
}

/// Memory available for a new System V segment; `None` where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryFacts {
    /// The maximum size that can be reserved for a segment (`vm.overcommit_memory`).
    pub reservable: Option<Bytes>,
    pub huge: Option<HugePages>,
}

/// Huge pages of the default size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HugePages {
    /// The page size; 0 if the kernel has no huge pages.
    pub size: Bytes,
    /// Pages that can be reserved.
    pub free: u64,
    /// The group that may use huge pages (`vm.hugetlb_shm_group`).
    pub group: Option<u32>,
}

/// Facts that decide whether an object can be changed or removed, apart from its own mode and
/// owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    pub read_only: bool,
    pub flags: FileFlags,
    /// Names (hard links) of the object.
    pub links: u32,
    pub directory_uid: u32,
    pub directory_mode: Mode,
    pub directory_flags: FileFlags,
    /// Set if the mode and ACL of the directory allow the caller to create and remove names.
    pub writable: bool,
}

/// The file attributes of `chattr(1)` that even root cannot override.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileFlags {
    /// The file cannot be changed, renamed or removed.
    pub immutable: bool,
    /// The file cannot be overwritten, renamed or removed. In a directory, names cannot be removed.
    pub append_only: bool,
}

/// A System V segment as in `struct shmid_ds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysvStat {
    pub shmid: ShmId,
    /// 0 for a private segment or one marked for removal.
    pub key: Key,
    pub size: Bytes,
    /// The nine permission bits.
    pub mode: Mode,
    /// Locked in memory (`SHM_LOCKED`).
    pub locked: bool,
    /// Marked for removal (`SHM_DEST`).
    pub marked: bool,
    pub uid: u32,
    pub gid: u32,
    pub creator_uid: u32,
    pub creator_gid: u32,
    /// 0 for a process without a pid in this pid namespace.
    pub creator_pid: u32,
    /// The last process that attached or detached.
    pub last_pid: u32,
    pub nattch: u64,
    /// Time of creation or of the last `IPC_SET`.
    pub change: Option<Timestamp>,
    /// Last attach; `None` if never attached.
    pub attach: Option<Timestamp>,
    /// Last detach; `None` if never detached.
    pub detach: Option<Timestamp>,
    /// Resident bytes; only in `/proc/sysvipc/shm`.
    pub resident: Option<Bytes>,
    /// Swapped bytes; only in `/proc/sysvipc/shm`.
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
    /// The permission bits; only nine are used.
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

/// Keeps the id of a System V segment from being reused. Dropping the pin detaches the segment.
pub type Pin = Box<dyn Send>;

/// A handle on an object below `/dev/shm`. The handle keeps referring to the same object when
/// another one gets its name, and prevents reuse of its inode number.
pub trait ObjectHandle: Send {
    fn stat(&self) -> io::Result<ObjectStat>;

    /// Sets the twelve permission bits.
    ///
    /// # Errors
    /// `EPERM` unless owner.
    fn set_mode(&self, mode: Mode) -> io::Result<()>;

    /// Sets owner and group; `None` leaves the value unchanged.
    ///
    /// # Errors
    /// `EPERM`: only root can change the owner, or set a group that the owner is not in.
    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> io::Result<()>;

    /// Returns the ACL in the format of `system.posix_acl_access`; `None` if there is none.
    fn acl(&self) -> io::Result<Option<Vec<u8>>>;

    /// Sets the ACL, and the mode along with it.
    fn set_acl(&self, list: &[u8]) -> io::Result<()>;
}

/// The outcome of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// The name no longer existed.
    Gone,
    /// Another object has the name and was left alone.
    Another,
    /// The check of the renamed object refused the removal; its name was restored.
    Refused,
    /// The original name could not be restored, because a new object has taken it. The moved object
    /// is intact and has this name.
    NotRestored(ObjectName),
}

/// The credentials that the kernel checks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    pub uid: u32,
    pub gid: u32,
    /// The supplementary groups.
    pub groups: Vec<u32>,
    /// The effective capabilities, one bit per capability number.
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
    /// Keep a file's set-group-id bit if the process is not in its group.
    Fsetid = 4,
    /// Lock memory without limit.
    IpcLock = 14,
    /// Attach any System V segment.
    IpcOwner = 15,
    /// Change and remove any System V segment.
    SysAdmin = 21,
}

impl Capability {
    /// Returns the kernel's name of the capability.
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

    pub const fn has(&self, capability: Capability) -> bool {
        self.capabilities >> capability as u64 & 1 != 0
    }

    pub fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}
