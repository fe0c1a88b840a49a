//! Processes as `/proc` shows them. Everything is read as bytes, since a
//! process may call itself and its files anything.

mod command;
mod descriptors;
mod locks;
mod maps;
mod stat;

use super::{DEV_SHM, RealMachine, object_stat};
use crate::machine::ObjectStat;
use crate::machine::process::{
    Clock, CommandLine, Devices, Examined, FileLock, Object, Place, Process, ProcessId, Processes, Use,
    Visibility, Wanted,
};
use crate::segment::Timestamp;
use crate::sys::object::OpenObject;
use crate::sys::{self, pidfd};
use nix::fcntl::{OFlag, open, readlinkat};
use nix::sys::stat::Mode;
use stat::Stat;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;
use std::{fs, process};

/// The inode of `/proc/self/ns/pid` where no namespace is above: `PROC_PID_INIT_INO`.
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// `/proc`, open to look names up in it.
struct Proc(OwnedFd);

impl Proc {
    fn open() -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        Ok(Self(open(Path::new("/proc"), flags, Mode::empty())?))
    }

    /// Opened once: thousands of processes are looked up in it.
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
}

impl Processes for RealMachine {
    fn own_pid(&self) -> u32 {
        process::id()
    }

    fn visibility(&self) -> Visibility {
        let namespace = Proc::shared().and_then(|proc| sys::statx_link(proc.fd(), c"self/ns/pid"));
        Visibility {
            hides: fs::read("/proc/self/mountinfo").is_ok_and(|table| stat::hides(&table)),
            outside: namespace.map_or(true, |stat| stat.inode != FIRST_PID_NAMESPACE),
        }
    }

    fn clock(&self) -> Clock {
        let boot = stat::began(0);
        // The kernel makes /dev when it starts, and remembers by which clock.
        let made = Proc::shared().ok().and_then(|proc| sys::statx_link(proc.fd(), c"/dev").ok()?.birth);
        let forward = made.map_or(0.0, |(seconds, nanos)| boot.seconds_since(Timestamp { seconds, nanos }));
        Clock { now: SystemTime::now().into(), boot, forward: forward.max(0.0) }
    }

    fn pids(&self) -> io::Result<Vec<u32>> {
        let names = fs::read_dir("/proc")?.filter_map(Result::ok);
        Ok(names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }

    fn devices(&self) -> Devices {
        let objects = sys::object::open_directory(Path::new(DEV_SHM))
            .and_then(|directory| sys::statx_fd(directory.as_fd()));
        Devices { objects: objects.ok().map(|stat| stat.device), sysv: kernel_device() }
    }

    fn examine(&self, pid: u32, wanted: Wanted) -> Examined {
        let Ok(proc) = Proc::shared() else { return Examined::Unreadable };
        let mut uses = vec![];
        let found = examine(proc, &pid.to_string(), wanted, &mut uses);
        match found {
            Ok(()) => Examined::Uses(uses),
            Err(error) => match Stat::read(pid) {
                // Not even that can be read, for want of descriptors or memory.
                None if self.exists(pid) => Examined::Unreadable,
                None => Examined::Gone,
                Some(stat) if stat.kernel || (stat.ended && stat.threads <= 1) => Examined::Uses(vec![]),
                // Its first thread has ended, the others have not.
                Some(stat) if stat.ended => by_thread(proc, pid, wanted),
                // It began to end between the two questions.
                Some(_) if error.raw_os_error() == Some(libc::ESRCH) => Examined::Uses(uses),
                Some(_) => Examined::Unreadable,
            },
        }
    }

    fn process(&self, pid: u32) -> Option<Process> {
        let stat = Stat::read(pid)?;
        let directory = CString::new(pid.to_string()).ok()?;
        let owner = sys::statx_link(Proc::shared().ok()?.fd(), &directory).ok()?;
        let (uid, gid) = stat::owner(pid, (owner.uid, owner.gid));
        Some(Process {
            id: ProcessId { pid, start: stat.start },
            command: command::name(&stat.command, || fs::read(format!("/proc/{pid}/cmdline")).ok()).into(),
            uid,
            gid,
            began: stat::began(stat.start),
            // Its first thread may have ended, and others go on.
            ended: stat.ended && stat.threads <= 1,
        })
    }

    fn exists(&self, pid: u32) -> bool {
        pidfd::exists(pid)
    }

    fn inner_pids(&self) -> Vec<u32> {
        let pids = self.pids().unwrap_or_default();
        pids.into_iter().flat_map(stat::inner_pids).collect()
    }

    fn command_lines(&self) -> Vec<CommandLine> {
        self.pids().unwrap_or_default().into_iter().filter_map(command::line).collect()
    }

    fn users_of(&self, pid: u32) -> Vec<u32> {
        fs::read(format!("/proc/{pid}/status")).map(|status| stat::users(&status)).unwrap_or_default()
    }

    fn locks(&self) -> io::Result<Vec<FileLock>> {
        Ok(locks::parse(&fs::read("/proc/locks")?))
    }

    fn stat_held(&self, pid: u32, place: Place) -> io::Result<ObjectStat> {
        let path = CString::new(path_of(pid, place)).map_err(io::Error::other)?;
        Ok(object_stat(&sys::statx_link(Proc::shared()?.fd(), &path)?))
    }

    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>> {
        let target = readlinkat(Proc::shared()?.fd(), path_of(pid, place).as_str())?;
        Ok(target.into_encoded_bytes())
    }

    fn terminate(&self, process: &ProcessId) -> io::Result<()> {
        let held = pidfd::open(process.pid)?;
        // The descriptor is of whoever has the pid now: is it still the same?
        if Stat::read(process.pid).is_none_or(|stat| stat.start != process.start) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        pidfd::terminate(&held)
    }
}

/// The link of a held file below `/proc`.
fn path_of(pid: u32, place: Place) -> String {
    match place {
        Place::Mapping { start, end } => format!("{pid}/map_files/{start:x}-{end:x}"),
        Place::Descriptor(number) => format!("{pid}/fd/{number}"),
    }
}

fn examine(proc: &Proc, path: &str, wanted: Wanted, uses: &mut Vec<Use>) -> io::Result<()> {
    maps::find(proc, path, wanted, uses)?;
    descriptors::find(proc, path, wanted, uses)
}

/// Threads share their memory and most share their descriptors, so the first
/// that can be examined tells of all.
fn by_thread(proc: &Proc, pid: u32, wanted: Wanted) -> Examined {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Examined::Gone };
    for thread in threads.filter_map(Result::ok) {
        let Some(tid) = thread.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let mut uses = vec![];
        if tid != pid && examine(proc, &format!("{pid}/task/{tid}"), wanted, &mut uses).is_ok() {
            return Examined::Uses(uses);
        }
    }
    Examined::Unreadable
}

/// Opens a file through whoever still holds it.
pub fn open_held(device: u64, inode: u64, holders: &[u32]) -> io::Result<OpenObject> {
    let wanted = Wanted { devices: Devices { objects: Some(device), sysv: None }, private: true };
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for &pid in holders {
        let uses = match RealMachine.examine(pid, wanted) {
            Examined::Uses(uses) => uses,
            Examined::Unreadable => {
                failed = io::ErrorKind::PermissionDenied.into();
                continue;
            }
            Examined::Gone => continue,
        };
        for one in uses.iter().filter(|one| one.of == Object::File { device, inode }) {
            let path = format!("/proc/{}", path_of(pid, one.place));
            match sys::object::open_again(&path) {
                Ok(open) if (open.stat.device, open.stat.inode) == (device, inode) => return Ok(open),
                Ok(_) => {}
                Err(error) => failed = error,
            }
        }
    }
    Err(failed)
}

fn kernel_device() -> Option<u64> {
    static DEVICE: OnceLock<Option<u64>> = OnceLock::new();
    *DEVICE.get_or_init(|| sys::kernel_device().ok())
}
