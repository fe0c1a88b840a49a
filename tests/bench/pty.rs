//! Runs a program on a pseudo-terminal, and records when it writes output.

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use shmlens::sys::running::cpu_time;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The sequence at the end of each frame.
pub const FRAME_END: &[u8] = b"\x1b[?2026l";
/// Timeout of every wait.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A program and its terminal. Dropping it kills the program.
pub struct Pty {
    child: Child,
    master: File,
    /// The time when the program was started.
    pub started: Instant,
    /// Output since the last wait.
    written: Vec<u8>,
}

impl Pty {
    /// Starts a program on a terminal of 140 columns and 45 rows.
    pub fn start(command: Command) -> Self {
        Self::start_in((140, 45), command)
    }

    /// Starts a program on a terminal of this many columns and rows.
    pub fn start_in((columns, rows): (u16, u16), mut command: Command) -> Self {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).expect("a terminal");
        grantpt(&master).expect("our terminal");
        unlockpt(&master).expect("our terminal");
        let name = ptsname_r(&master).expect("a name");
        let slave = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(name)
            .expect("its other side");
        let mut size = Command::new("stty");
        let (rows, columns) = (rows.to_string(), columns.to_string());
        size.args(["rows", &rows, "cols", &columns]).stdin(slave.try_clone().expect("a descriptor"));
        assert!(size.status().expect("stty").success());
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8").env_remove("NO_COLOR");
        command.stdin(slave.try_clone().expect("a descriptor")).stdout(slave);
        let started = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        drop(command);
        let master = File::from(OwnedFd::from(master));
        Self { child, master, started, written: vec![] }
    }

    /// Waits for the bytes `sought`, and then for `then`. Returns the time of the last byte.
    pub fn wait(&mut self, sought: &[u8], then: &[u8]) -> Instant {
        let until = Instant::now() + TIMEOUT;
        loop {
            if let Some(at) = find(&self.written, sought)
                && let Some(behind) = find(&self.written[at + sought.len()..], then)
            {
                let now = Instant::now();
                self.written.drain(..at + sought.len() + behind + then.len());
                return now;
            }
            assert!(
                self.read(until),
                "{:?} never came, but {:?}",
                String::from_utf8_lossy(sought),
                String::from_utf8_lossy(&self.written)
            );
        }
    }

    pub fn send(&mut self, keys: &[u8]) -> Instant {
        self.written.clear();
        let now = Instant::now();
        self.master.write_all(keys).expect("a terminal");
        now
    }

    /// Reads output for this long. Returns its length.
    pub fn rest(&mut self, time: Duration) -> usize {
        let until = Instant::now() + time;
        while self.read(until) {}
        let count = self.written.len();
        self.written.clear();
        count
    }

    /// Waits for output until this time.
    fn read(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut master = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut master, timeout).expect("a terminal") == 0 {
            return false;
        }
        let mut buffer = [0; 8192];
        let count = self.master.read(&mut buffer).unwrap_or(0);
        self.written.extend_from_slice(&buffer[..count]);
        count > 0
    }

    /// Returns the CPU time of all threads, including ended ones.
    pub fn processor_time(&self) -> Duration {
        Duration::from_nanos(cpu_time(self.child.id()).expect("a process"))
    }

    /// Returns the CPU time of each running thread by name.
    pub fn thread_times(&self) -> BTreeMap<String, Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a process");
        let mut times = BTreeMap::new();
        for task in tasks.map(|task| task.expect("a thread").path()) {
            let name = fs::read_to_string(task.join("comm")).expect("a name");
            let times_of = fs::read_to_string(task.join("schedstat")).expect("the time");
            let nanos = times_of.split(' ').next().and_then(|nanos| nanos.parse().ok()).expect("a number");
            *times.entry(name.trim().to_owned()).or_default() += Duration::from_nanos(nanos);
        }
        times
    }

    /// Returns the CPU time of the program and of its ended children, to the hundredth of a second.
    pub fn family_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a process");
        let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
        // utime, stime, cutime and cstime are fields 14 to 17. The name, which is removed here, is
        // field 2.
        let ticks: u64 =
            fields.split(' ').skip(11).take(4).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(10 * ticks)
    }

    /// Returns a line of `/proc/PID/status` that is a size, such as `VmHWM`, in bytes.
    pub fn memory(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let value =
            |line: &str| line.strip_prefix(name)?.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse().ok();
        status.lines().find_map(value).map(|size: u64| size * 1024).expect("a size")
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    if sought.is_empty() {
        return Some(0);
    }
    bytes.windows(sought.len()).position(|window| window == sought)
}
