//! Processes in `/proc`. All data is read as bytes, since names may contain any byte.

mod attached;
mod command;
mod descriptors;
mod devices;
mod image;
mod locks;
mod maps;
pub(super) mod mounts;
mod stat;
mod subject;

pub use attached::open_attached;
pub(super) use subject::is_exhausted;

use super::{DEV_SHM, RealMachine, object_stat};
use crate::machine::ObjectStat;
use crate::machine::process::{
    Clock, CommandLine, Examination, FileLock, ListedProcess, Object, Process, ProcessId, Processes,
    ScanOptions, SegmentDevices, Use, Visibility,
};
use crate::segment::{Holder, ObjectName, Place, Timestamp};
use crate::sys::entries::{self, Buffer};
use crate::sys::handle::proc_not_mounted;
use crate::sys::object::OpenObject;
use crate::sys::{self, FileStat, pidfd};
use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};
use nix::unistd::{Whence, lseek};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{fs, process};
use subject::{Subject, is_gone};

/// The inode of `/proc/self/ns/pid` in the initial namespace: `PROC_PID_INIT_INO`.
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// An open descriptor of `/proc`.
struct Proc(OwnedFd);

impl Proc {
    /// Fails unless proc is mounted there. With an empty directory, all processes would appear to
    /// have exited.
    fn open() -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let directory = match open(Path::new("/proc"), flags, Mode::empty()) {
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Err(proc_not_mounted()),
            opened => opened?,
        };
        if fstatfs(&directory)?.filesystem_type() != PROC_SUPER_MAGIC {
            return Err(proc_not_mounted());
        }
        Ok(Self(directory))
    }

    /// Returns the shared descriptor: reopening `/proc` for thousands of processes takes time.
    fn shared() -> io::Result<&'static Self> {
        static PROC: OnceLock<Proc> = OnceLock::new();
        if PROC.get().is_none() {
            let opened = Self::open()?;
            return Ok(PROC.get_or_init(|| opened));
        }
        PROC.get().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Returns true if `/proc` and system calls use the same pids. A new pid namespace without
    /// its own `/proc` still shows the pids of the old one.
    fn is_ours() -> bool {
        static PIDS_MATCH: OnceLock<bool> = OnceLock::new();
        *PIDS_MATCH
            .get_or_init(|| fs::read("/proc/self/status").is_ok_and(|status| stat::is_innermost(&status)))
    }
}

/// The position of pid 0 in a listing of `/proc`: `TGID_OFFSET` of `fs/proc/base.c`.
const FIRST_PID: i64 = 258;

/// Lists the visible processes from this pid on; all for pid 0.
fn list_from(pid: u32) -> io::Result<Vec<ListedProcess>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let directory = openat(Proc::shared()?.fd(), ".", flags, Mode::empty())?;
    if pid > 0 {
        lseek(directory.as_fd(), FIRST_PID + i64::from(pid), Whence::SeekSet)?;
    }
    let mut listed = vec![];
    // The inode of a directory in /proc is unique to its process.
    entries::for_each(directory.as_fd(), &mut Buffer::default(), |serial, name| {
        let pid = name.to_str().ok().and_then(|name| name.parse().ok());
        listed.extend(pid.map(|pid| ListedProcess { pid, serial }));
    })?;
    Ok(listed)
}

impl Processes for RealMachine {
    fn own_pid(&self) -> u32 {
        if Proc::is_ours() {
            return process::id();
        }
        // The link does not resolve if this process has no pid in that namespace.
        let link = fs::read_link("/proc/self").ok();
        link.and_then(|pid| pid.to_str()?.parse().ok()).unwrap_or(0)
    }

    fn visibility(&self) -> Visibility {
        Visibility {
            hides: fs::read("/proc/self/mountinfo").map_or(true, |table| stat::hides(&table)),
            outside: is_inside(),
            foreign: !Proc::is_ours(),
        }
    }

    fn clock(&self) -> Clock {
        let boot = stat::start_time(0);
        // The kernel creates /dev at boot, so its timestamp is the boot time by the clock of that
        // moment. A container creates its own /dev when its first process starts.
        let start = is_inside().then(|| self.process(1)).flatten().map_or(boot, |first| first.started);
        let created = Proc::shared().ok().and_then(|proc| sys::statx_link(proc.fd(), c"/dev").ok()?.birth);
        let forward =
            created.map_or(0.0, |(seconds, nanos)| start.seconds_since(Timestamp { seconds, nanos }));
        Clock { now: SystemTime::now().into(), boot, forward: forward.max(0.0) }
    }

    fn list_processes(&self) -> io::Result<Vec<ListedProcess>> {
        list_from(0)
    }

    fn list_processes_from(&self, pid: u32) -> io::Result<Vec<ListedProcess>> {
        // Verify the undocumented position with a process that exists.
        static SEEKABLE: OnceLock<bool> = OnceLock::new();
        let own = self.own_pid();
        let finds_self = || list_from(own).is_ok_and(|listed| listed.first().is_some_and(|it| it.pid == own));
        list_from(if *SEEKABLE.get_or_init(finds_self) { pid } else { 0 })
    }

    fn newest_pid(&self) -> Option<u32> {
        // The last field of proc_loadavg(5). It also counts threads, which does no harm.
        let load = fs::read_to_string("/proc/loadavg").ok()?;
        load.split_whitespace().last()?.parse().ok()
    }

    fn segment_devices(&self) -> io::Result<SegmentDevices> {
        let proc = Proc::shared()?;
        let objects = match sys::object::open_directory(Path::new(DEV_SHM)) {
            Ok(directory) => {
                let device = sys::statx_fd(directory.as_fd())?.device;
                // Mappings show another device: no holder would be found.
                (mounts::device_of(directory.as_fd())? == Some(device)).then_some(device)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // The namespace is unknown if the kernel has no System V IPC.
        let namespace = sys::statx_link(proc.fd(), c"thread-self/ns/ipc").ok();
        Ok(SegmentDevices {
            objects,
            sysv: devices::sysv_devices()?.to_vec(),
            namespace: namespace.map(|stat| stat.inode),
        })
    }

    fn cpu_time(&self, pid: u32) -> Option<u64> {
        Proc::is_ours().then(|| sys::running::cpu_time(pid).ok()).flatten()
    }

    fn examine(&self, pid: u32, wanted: &ScanOptions) -> Examination {
        let subject = Proc::shared().and_then(|proc| Ok((proc, Subject::open(proc, &pid.to_string())?)));
        match subject {
            Ok((proc, subject)) => examine(proc, pid, &subject, wanted),
            Err(error) if is_gone(&error) => Examination::Gone,
            Err(error) if is_exhausted(&error) => Examination::Exhausted,
            Err(_) => Examination::Unreadable(vec![]),
        }
    }

    fn process(&self, pid: u32) -> Option<Process> {
        Subject::open(Proc::shared().ok()?, &pid.to_string()).and_then(|subject| subject.process(pid)).ok()
    }

    fn process_exists(&self, pid: u32) -> bool {
        pidfd::exists(pid)
    }

    fn inner_pids(&self) -> Vec<u32> {
        let all = self.list_processes().unwrap_or_default();
        all.into_iter().flat_map(|listed| stat::inner_pids(listed.pid)).collect()
    }

    fn command_lines(&self) -> Vec<CommandLine> {
        let all = self.list_processes().unwrap_or_default();
        all.into_iter().filter_map(|listed| command::line(listed.pid)).collect()
    }

    fn children(&self, pid: u32) -> Vec<u32> {
        let mut children = vec![];
        for thread in [vec![pid], self.other_threads(pid)].concat() {
            // CONFIG_PROC_CHILDREN, proc_pid_children(5).
            let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/children"));
            let pids = text.unwrap_or_default();
            children.extend(pids.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        children
    }

    fn may_reach_objects(&self, pid: u32) -> bool {
        let device = |of: &str| {
            let path = CString::new(format!("{of}/root{DEV_SHM}/."))?;
            Ok::<u64, io::Error>(sys::statx_link(Proc::shared()?.fd(), &path)?.device)
        };
        match device(&pid.to_string()) {
            Ok(theirs) => device("thread-self").is_ok_and(|ours| ours == theirs),
            // Only root may read the device of another user's process. One that has exited, or that
            // has no such directory, reaches nothing.
            Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
        }
    }

    fn other_threads(&self, pid: u32) -> Vec<u32> {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().filter_map(Result::ok);
        let threads = threads.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        threads.filter(|&thread| thread != pid).collect()
    }

    fn mounted_objects(&self) -> Vec<(ObjectName, Vec<u8>)> {
        mounts::sources(Path::new(DEV_SHM)).unwrap_or_default()
    }

    fn locks(&self) -> io::Result<Vec<FileLock>> {
        Ok(locks::parse(&fs::read("/proc/locks")?))
    }

    fn stat_held(&self, pid: u32, place: Place) -> io::Result<ObjectStat> {
        let path = CString::new(path_of(pid, place)).map_err(io::Error::other)?;
        Ok(object_stat(&sys::statx_link(Proc::shared()?.fd(), &path)?))
    }

    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>> {
        match (readlinkat(Proc::shared()?.fd(), path_of(pid, place).as_str()), place) {
            (Ok(target), _) => Ok(target.into_encoded_bytes()),
            // Only root may follow map_files. The maps file has the name too.
            (Err(Errno::EPERM | Errno::EACCES), Place::Mapping { start, .. }) => {
                let table = fs::read(format!("/proc/{pid}/maps"))?;
                maps::name_at(&table, start).ok_or_else(|| io::ErrorKind::NotFound.into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    fn terminate(&self, process: &ProcessId) -> io::Result<()> {
        let held = pidfd::open(process.pid)?;
        // The pid may have been reused before it was opened: check that this is the same process,
        // and that /proc belongs to this pid namespace.
        if pidfd::pid_in_proc(&held)? != process.pid
            || self.process(process.pid).is_none_or(|found| found.id != *process)
        {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        pidfd::terminate(&held)
    }
}

/// Returns true if this is a nested pid namespace, or if that is unknown.
fn is_inside() -> bool {
    let namespace = Proc::shared().and_then(|proc| sys::statx_link(proc.fd(), c"self/ns/pid"));
    namespace.map_or(true, |stat| stat.inode != FIRST_PID_NAMESPACE)
}

/// Returns the link of a held file below `/proc`.
fn path_of(pid: u32, place: Place) -> String {
    match place {
        Place::Mapping { start, end } => format!("{pid}/map_files/{start:x}-{end:x}"),
        Place::Descriptor(number) => format!("{pid}/fd/{number}"),
    }
}

fn examine(proc: &Proc, pid: u32, subject: &Subject, wanted: &ScanOptions) -> Examination {
    // This capacity is enough for most holders.
    let mut uses = Vec::with_capacity(16);
    let done = maps::find(subject, wanted, &mut uses)
        .and_then(|()| descriptors::find(proc, pid, subject, wanted, &mut uses))
        .or_else(|error| examine_fallback(error, proc, pid, subject, wanted, &mut uses));
    match done {
        Ok(()) if uses.is_empty() => Examination::Nothing,
        Ok(()) => match subject.process(pid) {
            Ok(process) => Examination::Found(process, uses),
            Err(error) => error_outcome(&error, subject),
        },
        Err(error) => error_outcome(&error, subject),
    }
}

/// Examines a process that the fast path could not read.
fn examine_fallback(
    error: io::Error,
    proc: &Proc,
    pid: u32,
    subject: &Subject,
    wanted: &ScanOptions,
    uses: &mut Vec<Use>,
) -> io::Result<()> {
    let stat = subject.stat()?;
    if stat.kernel || (stat.ended && stat.threads <= 1) {
        uses.clear();
        return Ok(());
    }
    if stat.ended {
        // The first thread has exited, but others have not.
        uses.clear();
        return examine_by_thread(proc, pid, subject, wanted, uses);
    }
    if is_gone(&error) {
        // The process is exiting: its memory is already freed, and its descriptors will be next.
        return descriptors::find(proc, pid, subject, wanted, uses)
            .or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) });
    }
    Err(error)
}

/// Examines the threads in turn. They share their memory, so it is enough to read the first
/// accessible one.
fn examine_by_thread(
    proc: &Proc,
    pid: u32,
    subject: &Subject,
    wanted: &ScanOptions,
    uses: &mut Vec<Use>,
) -> io::Result<()> {
    let tasks = subject.open_file(c"task", OFlag::O_DIRECTORY)?;
    let mut found = Err(io::ErrorKind::NotFound.into());
    entries::for_each(tasks.as_fd(), &mut Buffer::default(), |_, name| {
        if found.is_err() {
            found = Subject::open(proc, &format!("{pid}/task/{}", name.to_string_lossy()))
                .and_then(|thread| maps::find(&thread, wanted, uses));
        }
    })?;
    found?;
    descriptors::find_in_threads(proc, pid, subject, vec![], wanted, uses)
}

fn error_outcome(error: &io::Error, subject: &Subject) -> Examination {
    let gone = is_gone(error) && subject.stat().is_err_and(|error| is_gone(&error));
    if gone {
        return Examination::Gone;
    }
    if is_exhausted(error) {
        return Examination::Exhausted;
    }
    Examination::Unreadable(subject.read(c"status").map(|status| stat::users(&status)).unwrap_or_default())
}

/// Opens a file through one of its holders, and returns the pid of the holder.
pub fn open_held(device: u64, inode: u64, holders: &[Holder]) -> io::Result<(OpenObject, u32)> {
    let known = holders
        .iter()
        .find_map(|&Holder { pid, place, .. }| Some((open_at((device, inode), pid, place).ok()??, pid)));
    if let Some(open) = known {
        return Ok(open);
    }
    // A search for private mappings takes ten times as long and is rarely needed.
    match open_held_by(device, inode, holders, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => open_held_by(device, inode, holders, true),
        opened => opened,
    }
}

fn open_held_by(device: u64, inode: u64, holders: &[Holder], private: bool) -> io::Result<(OpenObject, u32)> {
    let segment_devices = SegmentDevices { objects: Some(device), ..SegmentDevices::default() };
    let wanted = ScanOptions { segment_devices, private, as_text: false };
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for &Holder { pid, .. } in holders {
        let uses = match RealMachine.examine(pid, &wanted) {
            Examination::Found(_, uses) => uses,
            Examination::Unreadable(_) | Examination::Exhausted => {
                failed = io::ErrorKind::PermissionDenied.into();
                continue;
            }
            Examination::Gone | Examination::Nothing => continue,
        };
        for one in uses.iter().filter(|one| one.of == Object::File { device, inode }) {
            match open_at((device, inode), pid, one.place) {
                Ok(Some(open)) => return Ok((open, pid)),
                Ok(None) => {}
                Err(error) => failed = error,
            }
        }
    }
    Err(failed)
}

/// Opens the file that a process or thread holds at a place; `None` if it is another file.
fn open_at(file: (u64, u64), pid: u32, place: Place) -> io::Result<Option<OpenObject>> {
    let first = open_of(file, pid, place);
    if matches!(first, Ok(Some(_))) {
        return first;
    }
    let mut threads = RealMachine.other_threads(pid).into_iter();
    threads
        .find_map(|thread| open_of(file, thread, place).ok().flatten())
        .map_or(first, |open| Ok(Some(open)))
}

fn open_of(file: (u64, u64), pid: u32, place: Place) -> io::Result<Option<OpenObject>> {
    let is_expected = |stat: &FileStat| (stat.device, stat.inode) == file;
    sys::object::open_held(&format!("/proc/{}", path_of(pid, place)), is_expected)
}
