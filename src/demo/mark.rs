//! The mark: a line of text at the start of a segment that names the demo that created it.
//!
//! A killed demo cannot remove its segments. The next demo does, once the process in the mark has
//! exited.

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use procfs::process::{ProcState, Process};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// The bytes reserved for the line.
pub const LENGTH: usize = 64;

/// The prefix of all object names of demos.
pub const PREFIX: &str = "demo-";

const MAGIC: &str = "shmlens demo 1";

/// A demo, identified by its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maker {
    pub pid: u32,
    /// The start time in clock ticks since boot, because pids are reused.
    started: u64,
    /// The inode of the pid namespace. Containers may share memory without seeing each other's
    /// processes.
    namespace: u64,
    /// The number of the demo in its process, from 1.
    pub serial: u32,
}

impl Maker {
    /// Identifies a new demo of this process.
    ///
    /// # Errors
    /// Fails if `/proc` has no data on this process.
    pub fn new() -> io::Result<Self> {
        static SERIAL: AtomicU32 = AtomicU32::new(1);
        let started = Process::myself().and_then(|me| me.stat()).map_err(io::Error::other)?.starttime;
        Ok(Self {
            pid: std::process::id(),
            started,
            namespace: pid_namespace()?,
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
        })
    }

    /// Returns the prefix of all object names of this demo. The first free prefix is used, so that
    /// several demos can run.
    pub fn prefix(&self) -> String {
        match self.serial {
            1 => PREFIX.to_owned(),
            serial => format!("{PREFIX}{serial}-"),
        }
    }

    /// Returns the line for a part, without padding.
    pub fn line(&self, part: &str) -> String {
        let Self { pid, started, namespace, serial } = self;
        let mut line = format!("{MAGIC} {part} {pid} {started} {namespace} {serial}");
        // Even the largest numbers leave 13 bytes.
        line.truncate(LENGTH - 1);
        line
    }

    /// Returns the line for a part, padded with NULs.
    pub fn bytes(&self, part: &str) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let line = self.line(part);
        bytes[..line.len()].copy_from_slice(line.as_bytes());
        bytes
    }

    /// Parses a line. Returns the demo and the part, or `None` unless every byte up to the first
    /// NUL has the expected format.
    pub fn read(bytes: &[u8]) -> Option<(Self, String)> {
        let line = bytes.split(|&byte| byte == 0).next()?;
        let line = std::str::from_utf8(line).ok()?;
        let mut words = line.strip_prefix(MAGIC)?.strip_prefix(' ')?.split(' ');
        let part = words.next()?;
        let maker = Self {
            pid: words.next()?.parse().ok()?,
            started: words.next()?.parse().ok()?,
            namespace: words.next()?.parse().ok()?,
            serial: words.next()?.parse().ok()?,
        };
        (maker.line(part) == line).then(|| (maker, part.to_owned()))
    }

    /// Returns true if the process has certainly exited.
    pub fn is_gone(&self) -> bool {
        let Ok(pid) = i32::try_from(self.pid) else { return false };
        if pid <= 0 || pid_namespace().ok() != Some(self.namespace) {
            return false;
        }
        match Life::of(pid) {
            Life::Gone => true,
            Life::Since(started) => started != self.started,
            Life::Unknown => false,
        }
    }
}

enum Life {
    Gone,
    /// Running. The process started this many clock ticks after boot.
    Since(u64),
    /// The pid exists, but `/proc` does not show it.
    Unknown,
}

impl Life {
    fn of(pid: i32) -> Self {
        if kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) {
            return Self::Gone;
        }
        match Process::new(pid).and_then(|process| process.stat()) {
            // A zombie has no memory.
            Ok(stat) if matches!(stat.state(), Ok(ProcState::Zombie | ProcState::Dead)) => Self::Gone,
            Ok(stat) => Self::Since(stat.starttime),
            Err(_) => Self::Unknown,
        }
    }
}

/// Returns true if a process with that pid may have existed at a time, in seconds since 1970.
pub fn may_have_lived(pid: u32, at: i64) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    match Life::of(pid) {
        Life::Gone => false,
        Life::Unknown => true,
        Life::Since(ticks) => {
            let booted = procfs::boot_time_secs().ok().and_then(|booted| i64::try_from(booted).ok());
            let after = i64::try_from(ticks / procfs::ticks_per_second()).unwrap_or(0);
            // Both values are rounded, and the clock may have been set since.
            booted.is_none_or(|booted| booted + after <= at + 5)
        }
    }
}

fn pid_namespace() -> io::Result<u64> {
    Ok(fs::metadata("/proc/self/ns/pid")?.ino())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, Instant};

    /// A demo whose process has exited.
    pub fn exited_maker() -> Maker {
        let mut child = Command::new("true").spawn().unwrap();
        let started = Process::new(child.id().cast_signed()).unwrap().stat().unwrap().starttime;
        let maker = Maker { pid: child.id(), started, ..Maker::new().unwrap() };
        child.wait().unwrap();
        maker
    }

    #[test]
    fn line_parses_back() {
        let maker = Maker::new().unwrap();
        assert_eq!(Maker::read(&maker.bytes("state")), Some((maker, "state".to_owned())));
        let longest = Maker { pid: 4_194_304, started: 1 << 36, namespace: 4_294_967_295, serial: 999 };
        assert_eq!(Maker::read(&longest.bytes("image")).map(|(maker, _)| maker), Some(longest));
    }

    #[test]
    fn similar_lines_are_rejected() {
        let line = Maker { pid: 12, started: 34, namespace: 56, serial: 1 }.line("state");
        assert_eq!(line, "shmlens demo 1 state 12 34 56 1");
        assert!(Maker::read(line.as_bytes()).is_some());
        for changed in [
            line.replace("demo 1", "demo 2"),
            line.replace(" 12", " 012"),
            line.replace(" 12", " +12"),
            line.replace(" 12", "  12"),
            format!(" {line}"),
            format!("{line} "),
            format!("{line} 1"),
            "shmlens demo 1 state 12 34 56".to_owned(),
            String::new(),
        ] {
            assert_eq!(Maker::read(changed.as_bytes()), None, "{changed:?} was taken");
        }
    }

    #[test]
    fn running_process_is_recognized() {
        let maker = Maker::new().unwrap();
        assert!(!maker.is_gone());
        assert!(!Maker { pid: 1, started: 0, namespace: maker.namespace + 1, serial: 1 }.is_gone());
        assert!(!Maker { pid: 0, ..maker }.is_gone());
    }

    #[test]
    fn exited_process_is_recognized_even_if_its_pid_is_reused() {
        let maker = Maker::new().unwrap();
        assert!(exited_maker().is_gone());
        assert!(Maker { started: maker.started + 1, ..maker }.is_gone());
        let mut child = Command::new("true").spawn().unwrap();
        let process = Process::new(child.id().cast_signed()).unwrap();
        let zombie = Maker { pid: child.id(), started: process.stat().unwrap().starttime, ..maker };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !zombie.is_gone() && Instant::now() < deadline {
            std::thread::yield_now();
        }
        let gone = zombie.is_gone();
        child.wait().unwrap();
        assert!(gone, "a zombie counts as exited");
    }
}
