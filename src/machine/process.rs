//! The processes of a machine, at the level of kernel facts: which there are,
//! and what each has mapped and open. Who holds which segment follows from it
//! in `survey`.

use crate::segment::{Access, ObjectName, Place, Timestamp};
use std::io;

/// The processes of a machine.
pub trait Processes: Send + Sync {
    /// The pid of this program.
    fn own_pid(&self) -> u32;

    /// Returns which processes this user cannot see at all.
    fn visibility(&self) -> Visibility;

    /// The clock that tells when processes began.
    fn clock(&self) -> Clock;

    /// Every process that can be seen.
    ///
    /// # Errors
    /// When `/proc` is not there; `EMFILE`.
    fn list_processes(&self) -> io::Result<Vec<Listed>>;

    /// The pid that was given last: as long as it stays the same, nobody new
    /// has come. `None` when that cannot be told.
    fn newest_pid(&self) -> Option<u32>;

    /// Returns the shared memory that a process has mapped and open.
    fn examine(&self, pid: u32, wanted: &Wanted) -> Examined;

    /// For how many nanoseconds a process has run, all its threads together.
    /// One that has not run since it was examined has changed nothing. `None`
    /// when that cannot be told.
    fn ran_for(&self, pid: u32) -> Option<u64>;

    /// Returns the devices and the namespace of segments.
    ///
    /// # Errors
    /// When it cannot be found out, so that no holder could be: `EMFILE`.
    fn whereabouts(&self) -> io::Result<Whereabouts>;

    /// Returns what any user may know of a process. `None` when there is none of that pid.
    fn process(&self, pid: u32) -> Option<Process>;

    /// Returns whether any process has that pid, also one that `/proc` hides.
    fn process_exists(&self, pid: u32) -> bool;

    /// The pids that processes have in pid namespaces below this one.
    fn inner_pids(&self) -> Vec<u32>;

    /// Returns the name and the arguments of every process.
    fn command_lines(&self) -> Vec<CommandLine>;

    /// Returns whether a process has the same `/dev/shm`, or that cannot be told.
    fn may_reach_objects(&self, _pid: u32) -> bool {
        true
    }

    /// The threads of a process other than its first, each by a number that stands for it in place of the pid:
    /// its first thread may have ended, and one may have a table of descriptors of its own.
    fn other_threads(&self, _pid: u32) -> Vec<u32> {
        vec![]
    }

    /// The names of the objects that are mounted elsewhere (`mount --bind`), each with the mount point.
    fn mounted_objects(&self) -> Vec<(ObjectName, Vec<u8>)> {
        vec![]
    }

    /// The locks on files, `/proc/locks`.
    ///
    /// # Errors
    /// When the table cannot be read.
    fn locks(&self) -> io::Result<Vec<FileLock>>;

    /// Returns the stat of a held file, through its holder.
    ///
    /// # Errors
    /// `EPERM`, `EACCES`; `ENOENT` when it is held that way no more.
    fn stat_held(&self, pid: u32, place: Place) -> io::Result<super::ObjectStat>;

    /// The name that the kernel shows for a held file: as the holder knew it,
    /// with " (deleted)" behind it when it has none any more.
    ///
    /// # Errors
    /// As [`Processes::stat_held`].
    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>>;

    /// Asks exactly this process to end: `SIGTERM` through a pidfd.
    ///
    /// # Errors
    /// `ESRCH` when it has ended, even when its pid has passed to another one;
    /// `EPERM` for a process of somebody else.
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
    /// Its effective user and group.
    pub uid: u32,
    pub gid: u32,
    pub began: Timestamp,
    /// It has ended, and only its parent has not asked how.
    pub ended: bool,
}

/// The name and the arguments of a process: any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    pub pid: u32,
    /// Its effective user; root's for one that may not be dumped, such as one
    /// that gave up root's rights.
    pub uid: u32,
    /// Its name, at most 15 bytes.
    pub command: Vec<u8>,
    /// Its arguments, the program first.
    pub arguments: Vec<Vec<u8>>,
}

/// A process in the list of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    pub pid: u32,
    /// Another number for each process, whose pid may have been another's before.
    pub serial: u64,
}

/// The devices and the namespace of segments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Whereabouts {
    /// The device of `/dev/shm`; `None`: there is none, or who holds what is on
    /// it cannot be told by it.
    pub objects: Option<u64>,
    /// The kernel's own, on which System V segments are: one for pages of the
    /// usual size, and one for each size of huge pages.
    pub sysv: Vec<u64>,
    /// The IPC namespace whose segments are listed.
    pub namespace: Option<u64>,
}

/// What to search a process for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub whereabouts: Whereabouts,
    /// Private mappings too, which cost more to find.
    pub private: bool,
    /// From the text of its mappings, as on kernels that answer no queries.
    pub as_text: bool,
}

/// The limits of what this user can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visibility {
    /// `/proc` is mounted so that it hides processes of others (`hidepid`).
    pub hides: bool,
    /// There are processes outside of this pid namespace.
    pub outside: bool,
    /// `/proc` is of another pid namespace than this program: a pid that the
    /// kernel tells is not that of the process that has it there.
    pub foreign: bool,
}

/// The clock, as far as it bears on when processes began: they are told from
/// the time since the machine began, by the clock of today.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    pub now: Timestamp,
    /// The boot time, by this clock.
    pub boot: Timestamp,
    /// By how many seconds it was set forward since then; 0 where it was not,
    /// or where that cannot be told.
    pub forward: f64,
}

/// The outcome of examining a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// It may not be examined. With every user that it is, was or can be again;
    /// empty when even that is not told.
    Unreadable(Vec<u32>),
    /// This program ran out of descriptors or memory.
    Exhausted,
    /// It has ended meanwhile.
    Gone,
    /// It has nothing of shared memory.
    Nothing,
    /// It, and everything that it has of shared memory.
    Holds(Process, Vec<Use>),
}

/// A mapping or a descriptor of shared memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub of: Object,
    /// The access that the process has: read and write where it may write,
    /// and read where it may not, even when it may do neither (`PROT_NONE`,
    /// `O_PATH`): it keeps the memory, and can become a reader at any time.
    pub access: Access,
    /// A private mapping: what is written there nobody sees.
    pub private: bool,
    pub place: Place,
    /// For a mapping: how far into the file it goes.
    pub reaches: u64,
    /// System V: what the mapping says of its segment.
    pub claim: Option<Claim>,
}

/// What a mapping of a System V segment says of it. A shmid is only unique within its IPC namespace, and
/// a process may have attached a segment in another one before it entered this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The key in its name.
    pub key: u32,
    /// Whether it is on pages of the usual size, so that it ends at most at the segment's last page.
    pub usual_pages: bool,
    /// Whether the process is in our IPC namespace. One that has left it still keeps our segments.
    pub here: bool,
}

/// Shared memory as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    /// A System V segment of this IPC namespace, by shmid.
    Sysv(i32),
    /// A file of the file system of `/dev/shm`.
    File { device: u64, inode: u64 },
}

/// A lock on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLock {
    /// The device of the file.
    pub device: u64,
    /// Its inode number.
    pub inode: u64,
    /// The pid of its holder; `None` where the kernel tells none.
    pub pid: Option<u32>,
}
