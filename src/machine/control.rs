//! The side of a machine that changes it, at the level of kernel facts. Who
//! decides whether a change is wise, and whether this is the right segment, is `act`.

use super::{Making, ObjectStat};
use crate::segment::{Bytes, Key, Mode, ObjectName, ShmId, Timestamp};
use std::io;

/// What changes segments, and what has to be known for it.
pub trait Control: Send + Sync {
    /// What `IPC_STAT` says, of a segment that may not be read too
    /// (`SHM_STAT_ANY`). Leaves no mark.
    ///
    /// # Errors
    /// `EINVAL` or `EIDRM` when it is gone.
    fn sysv_stat(&self, shmid: ShmId) -> io::Result<SysvStat>;

    /// `IPC_SET`: owner, group and nine mode bits, all at once.
    ///
    /// # Errors
    /// `EPERM` for who is neither owner nor creator nor root; as [`Control::sysv_stat`].
    fn sysv_set(&self, shmid: ShmId, set: SysvPermissions) -> io::Result<()>;

    /// `SHM_LOCK` or `SHM_UNLOCK`.
    ///
    /// # Errors
    /// `EPERM` for a stranger and with a limit of 0, `ENOMEM` with one that is
    /// too small; as [`Control::sysv_stat`].
    fn sysv_set_locked(&self, shmid: ShmId, locked: bool) -> io::Result<()>;

    /// `IPC_RMID`.
    ///
    /// # Errors
    /// As [`Control::sysv_set`].
    fn sysv_remove(&self, shmid: ShmId) -> io::Result<()>;

    /// Attaches a segment read-only for no other reason than that its id cannot
    /// pass to another one while this lives. Changes last pid and attach time.
    ///
    /// # Errors
    /// `EACCES` without read permission, `ENOMEM`; as [`Control::sysv_stat`].
    fn sysv_pin(&self, shmid: ShmId) -> io::Result<Box<dyn Pin>>;

    /// `shmget` with `IPC_CREAT` and `IPC_EXCL`: never one that exists.
    ///
    /// # Errors
    /// `EEXIST`, `EINVAL` for the size, `ENOSPC`, `ENOMEM`, `EPERM`.
    fn sysv_create(&self, new: &NewSysv) -> io::Result<ShmId>;

    /// A handle on whatever has that name below `/dev/shm` now: nothing is
    /// followed, opened or woken.
    ///
    /// # Errors
    /// `NotFound`; `EACCES` when a directory may not be searched.
    fn hold(&self, name: &ObjectName) -> io::Result<Box<dyn Held>>;

    /// What else decides about changing and removing the object of that name: its flags, its directory and the
    /// mount. Leaves no mark.
    ///
    /// # Errors
    /// `NotFound`; `EACCES` when a directory may not be searched.
    fn guards(&self, name: &ObjectName) -> io::Result<Guards>;

    /// Takes the name away from exactly the object that is held.
    ///
    /// # Errors
    /// `EACCES` and `EPERM` when the directory does not allow it.
    fn unlink(
        &self,
        name: &ObjectName,
        held: &dyn Held,
        may_go: &dyn Fn(&ObjectName) -> bool,
    ) -> io::Result<Removal>;

    /// The name that an object had before a removal moved it aside, from the
    /// name that it has now; `None` for a name that no removal gave it.
    fn name_before(&self, aside: &ObjectName) -> Option<ObjectName>;

    /// Renames an object within its directory, unless the new name is taken.
    ///
    /// # Errors
    /// `AlreadyExists` when it is taken, `NotFound` when the object is gone.
    fn rename_to_free(&self, from: &ObjectName, to: &ObjectName) -> io::Result<()>;

    /// Begins a POSIX object that is to get that name, of `size` bytes, all
    /// hole: it has no name before it is whole.
    ///
    /// # Errors
    /// `NotFound` when its directory is not there, `EACCES`, and `ENOSPC`. That
    /// the name is taken is found out at the end.
    fn begin_object(&self, name: &ObjectName, size: u64) -> io::Result<Box<dyn Making>>;

    /// Checks whether an object of that name could be begun, without beginning one: its
    /// directory, the permissions there and the mount.
    ///
    /// # Errors
    /// As [`Control::begin_object`]; `EROFS` on a read-only mount, `EPERM` in an
    /// immutable directory.
    fn foresee_object(&self, name: &ObjectName) -> io::Result<()>;

    /// How much memory a new segment can have.
    fn memory(&self) -> MemoryFacts;

    /// Begins a System V segment, all hole. Its mode is [`FILLING`](super::FILLING)
    /// until it is finished.
    ///
    /// # Errors
    /// As [`Control::sysv_create`].
    fn begin_sysv(&self, new: &NewSysv) -> io::Result<Box<dyn Making>>;

    /// Where numbers of segments and processes mean what they mean here: this boot,
    /// a space, and the IPC and pid namespaces.
    fn world(&self) -> String;

    /// Who this thread is to the kernel, and what it may do besides.
    fn credentials(&self) -> Credentials;

    /// Who a process is. `None` when there is none of that pid.
    fn process_credentials(&self, pid: u32) -> Option<Credentials>;

    /// Who a process of that user would be: the groups that the user database
    /// has, and every capability for root.
    fn user_credentials(&self, uid: u32) -> Credentials;

    /// A user by name: the number, and that of the login group.
    fn user_by_name(&self, name: &str) -> Option<(u32, u32)>;

    /// A group by name.
    fn group_by_name(&self, name: &str) -> Option<u32>;

    /// `RLIMIT_MEMLOCK` of this process in bytes; `None` when there is none.
    fn memlock_limit(&self) -> Option<Bytes>;
}

/// How much memory a new System V segment can have; `None` where that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryFacts {
    /// The most that can be reserved for one, `vm.overcommit_memory`.
    pub reservable: Option<Bytes>,
    /// The huge pages of the default size.
    pub huge: Option<HugePages>,
}

/// Huge pages of the default size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HugePages {
    /// The size of one; 0 on a kernel without them.
    pub size: Bytes,
    /// How many can be reserved.
    pub free: u64,
    /// The group that can use them, `vm.hugetlb_shm_group`.
    pub group: Option<u32>,
}

/// Everything apart from an object's own mode and owner that decides whether it may be changed or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guards {
    /// The file system is mounted read-only.
    pub read_only: bool,
    /// The object's flags.
    pub flags: FileFlags,
    /// How many names (hard links) the object has.
    pub links: u32,
    /// The owner of the directory that holds the name.
    pub directory_uid: u32,
    /// The mode of the directory.
    pub directory_mode: Mode,
    /// The flags of the directory.
    pub directory_flags: FileFlags,
    /// The caller may create and remove names in the directory, as far as its mode and access control list decide.
    pub writable: bool,
}

/// The flags of a file that bind even root, `chattr(1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileFlags {
    /// It cannot be changed, renamed or removed.
    pub immutable: bool,
    /// It cannot be overwritten, renamed or removed; a directory keeps its names.
    pub append_only: bool,
}

/// What `IPC_STAT` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysvStat {
    /// The key; 0 for a private segment, and once it is marked.
    pub key: Key,
    /// The size.
    pub size: Bytes,
    /// The nine permission bits.
    pub mode: Mode,
    /// Locked in memory.
    pub locked: bool,
    /// Marked for removal.
    pub marked: bool,
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// The creator.
    pub creator_uid: u32,
    /// The creator's group.
    pub creator_gid: u32,
    /// The pid of the creator, 0 when it has none in this pid namespace.
    pub creator_pid: u32,
    /// The number of attachments.
    pub nattch: u64,
    /// Creation or last `IPC_SET`.
    pub change: Option<Timestamp>,
    /// The last attachment.
    pub attach: Option<Timestamp>,
    /// The last detachment.
    pub detach: Option<Timestamp>,
}

/// What `IPC_SET` sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysvPermissions {
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// The permission bits: nine are kept.
    pub mode: Mode,
}

/// A System V segment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSysv {
    /// The key; 0 for a private one.
    pub key: Key,
    /// The size.
    pub size: Bytes,
    /// The nine permission bits.
    pub mode: Mode,
    /// In huge pages.
    pub huge: bool,
    /// Without memory set aside for it.
    pub no_reserve: bool,
}

/// What keeps a System V segment from being another one; dropping it detaches.
pub trait Pin: Send {}

/// A handle on one object below `/dev/shm`: it stays on that object, whatever
/// has its name. Its inode number is given to no other one meanwhile.
pub trait Held: Send {
    /// What it is now.
    ///
    /// # Errors
    /// Hardly any.
    fn stat(&self) -> io::Result<ObjectStat>;

    /// Sets its twelve permission bits.
    ///
    /// # Errors
    /// `EPERM` for who is not its owner.
    fn set_mode(&self, mode: Mode) -> io::Result<()>;

    /// Sets owner and group; `None` leaves one as it is.
    ///
    /// # Errors
    /// `EPERM`: only root gives away, and to a foreign group too.
    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> io::Result<()>;

    /// Its access control list as `system.posix_acl_access` has it; `None`
    /// where there is none.
    ///
    /// # Errors
    /// Hardly any.
    fn acl(&self) -> io::Result<Option<Vec<u8>>>;

    /// Sets that list, and the mode with it.
    ///
    /// # Errors
    /// `EPERM`, `EINVAL`, `EOPNOTSUPP`.
    fn set_acl(&self, list: &[u8]) -> io::Result<()>;
}

/// What became of an object's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is gone.
    Removed,
    /// Nothing had it any more.
    Gone,
    /// Another object had it; that was left as it is.
    Another,
    /// The check of the moved object refused the removal; it has its name again.
    Refused,
    /// An object had to get its name back, which a new one had taken by then. It
    /// is whole, and has this name now.
    Astray(ObjectName),
}

/// Who somebody is to the kernel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// The other groups.
    pub groups: Vec<u32>,
    /// The effective capabilities, a bit for each by its number.
    pub capabilities: u64,
}

/// A capability that decides about segments, by its number in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Change the owner of any file.
    Chown = 0,
    /// Read and write any file.
    DacOverride = 1,
    /// Read any file.
    DacReadSearch = 2,
    /// Do what the owner of any file may.
    Fowner = 3,
    /// Keep the set-group-id bit of a file whose group one is not in.
    Fsetid = 4,
    /// Lock memory without limit.
    IpcLock = 14,
    /// Attach any System V segment.
    IpcOwner = 15,
    /// Change and remove any System V segment.
    SysAdmin = 21,
}

impl Capability {
    /// What the kernel calls it.
    #[must_use]
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
    /// Somebody with every capability.
    pub const ALL: u64 = (1 << 41) - 1;

    /// Whether they have a capability.
    #[must_use]
    pub const fn may(&self, capability: Capability) -> bool {
        self.capabilities >> capability as u64 & 1 != 0
    }

    /// Whether they are in a group.
    #[must_use]
    pub fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }
}
