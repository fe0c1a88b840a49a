//! The public facts of a process: `/proc/PID/stat` and `/proc/PID/status` (`proc_pid_stat(5)`,
//! `proc_pid_status(5)`).

use crate::segment::Timestamp;
use nix::time::{ClockId, clock_gettime};
use std::fs;
use std::sync::{Mutex, PoisonError};

/// `PF_KTHREAD` of `include/linux/sched.h`.
const KERNEL_THREAD: u64 = 0x0020_0000;

/// Some fields of `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The kernel's name of the process, at most 15 bytes.
    pub command: Vec<u8>,
    /// Set if the first thread has exited; other threads may still run.
    pub ended: bool,
    /// Set for a kernel thread, which has no memory of its own.
    pub kernel: bool,
    pub threads: u64,
    /// The start time, in clock ticks since boot.
    pub start: u64,
}

impl Stat {
    /// Parses a line. The name is in parentheses, without escapes (`proc_task_name` in
    /// `fs/proc/array.c`). It may contain parentheses itself: the last one ends it.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|&byte| byte == b'(')?;
        let close = line.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(line.get(close + 2..)?).ok()?;
        // The first field after the name is field 3 in the man page.
        let mut words = rest.split_ascii_whitespace();
        let mut at = 3;
        let mut field = |number: usize| {
            let word = words.nth(number - at);
            at = number + 1;
            word
        };
        Some(Self {
            command: line.get(open + 1..close)?.to_vec(),
            ended: matches!(field(3)?, "Z" | "X" | "x"),
            kernel: field(9)?.parse::<u64>().ok()? & KERNEL_THREAD != 0,
            threads: field(20)?.parse().ok()?,
            start: field(22)?.parse().ok()?,
        })
    }
}

/// Converts ticks since boot to a time.
pub fn start_time(start: u64) -> Timestamp {
    let ticks = i128::from(procfs::ticks_per_second().max(1));
    let at = boot_time() + i128::from(start) * NANOS / ticks;
    Timestamp {
        seconds: i64::try_from(at.div_euclid(NANOS)).unwrap_or(0),
        nanos: u32::try_from(at.rem_euclid(NANOS)).unwrap_or(0),
    }
}

const NANOS: i128 = 1_000_000_000;

/// Returns the boot time in nanoseconds since 1970. Cached until the clock is set: the two clocks
/// are read in turn, so the difference varies, and start times would appear to change.
fn boot_time() -> i128 {
    static CLOCK_DIFFERENCE: Mutex<Option<i128>> = Mutex::new(None);
    let nanos = |clock: ClockId| {
        clock_gettime(clock).map_or(0, |time| i128::from(time.tv_sec()) * NANOS + i128::from(time.tv_nsec()))
    };
    let now = nanos(ClockId::CLOCK_REALTIME) - nanos(ClockId::CLOCK_BOOTTIME);
    let mut known = CLOCK_DIFFERENCE.lock().unwrap_or_else(PoisonError::into_inner);
    match *known {
        Some(known) if (known - now).abs() < NANOS / 2 => known,
        _ => *known.insert(now),
    }
}

/// Returns the value of a field in a status file.
fn field<'a>(status: &'a [u8], name: &str) -> Option<&'a str> {
    let line = status.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(name.as_bytes()))?;
    std::str::from_utf8(line.strip_prefix(b":")?).ok()
}

/// Returns the users that a process is, was, or can become: the real, effective, saved, and file
/// system uid, and root if the process has any capability.
pub fn users(status: &[u8]) -> Vec<u32> {
    let mut users: Vec<u32> = field(status, "Uid")
        .map(|line| line.split_whitespace().filter_map(|word| word.parse().ok()).collect())
        .unwrap_or_default();
    let has_capabilities = ["CapPrm", "CapEff"]
        .into_iter()
        .any(|name| field(status, name).is_some_and(|set| u64::from_str_radix(set.trim(), 16) != Ok(0)));
    if has_capabilities {
        users.push(0);
    }
    users.sort_unstable();
    users.dedup();
    users
}

/// Returns true if the process has no pid besides the one in `/proc`, according to its status: its
/// pid namespace is the one of `/proc`. Kernels before 4.1 do not report this.
pub fn is_innermost(status: &[u8]) -> bool {
    field(status, "NSpid").is_none_or(|pids| pids.split_whitespace().count() == 1)
}

/// Returns the pids of a process in nested namespaces.
pub fn inner_pids(pid: u32) -> Vec<u32> {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let pids = field(&status, "NSpid").unwrap_or_default();
    pids.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect()
}

/// Returns the id of a thread in the pid namespace of its process, from its status.
pub fn inner_tid(status: &[u8]) -> Option<u32> {
    field(status, "NSpid")?.split_whitespace().next_back()?.parse().ok()
}

/// Returns true if `/proc` is mounted with `hidepid`, according to the mount table.
pub fn hides(mountinfo: &[u8]) -> bool {
    let text = String::from_utf8_lossy(mountinfo);
    let proc = text.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc"));
    proc.is_some_and(|line| {
        let options = line.rsplit(' ').next().unwrap_or_default();
        let hide = options.split(',').find_map(|option| option.strip_prefix("hidepid="));
        hide.is_some_and(|value| !matches!(value, "0" | "off"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_line_parses_with_any_name() {
        let tail = "S 1 1 1 0 -1 2129984 1 2 3 4 5 6 7 8 20 0 3 0 1135119 1 1";
        let line = [b"42 (a) b\n\\ (\xff) ".as_slice(), tail.as_bytes()].concat();
        let stat = Stat::parse(&line).unwrap();
        assert_eq!(stat.command, b"a) b\n\\ (\xff");
        assert_eq!((stat.ended, stat.kernel, stat.threads, stat.start), (false, true, 3, 1_135_119));
        assert_eq!(Stat::parse(b"42 (a"), None);
        assert_eq!(Stat::parse(b""), None);
    }

    #[test]
    fn this_process_started_after_boot_and_before_now() {
        let stat = Stat::parse(&fs::read("/proc/self/stat").unwrap()).unwrap();
        let now: Timestamp = std::time::SystemTime::now().into();
        let age = now.seconds_since(start_time(stat.start));
        assert!((0.0..86_400.0).contains(&age), "{age}");
        assert!(now.seconds_since(start_time(0)) >= age);
        assert_eq!(start_time(stat.start), start_time(stat.start), "the start time must not vary");
    }

    #[test]
    fn process_that_could_become_root_counts_as_root() {
        let status = |caps: &str| format!("Name:\tUid:\nUid:\t5\t6\t7\t8\nCapPrm:\t{caps}\nCapEff:\t0000\n");
        assert_eq!(users(status("0000000000000000").as_bytes()), [5, 6, 7, 8]);
        assert_eq!(users(status("0000000000000002").as_bytes()), [0, 5, 6, 7, 8]);
    }

    #[test]
    fn innermost_pid_namespaces_are_recognized() {
        assert!(is_innermost(&fs::read("/proc/thread-self/status").unwrap()));
        assert!(is_innermost(b"Name:\tNSpid:\n"));
        assert!(is_innermost(b"Pid:\t12\nNSpid:\t12\n"));
        assert!(!is_innermost(b"Pid:\t12\nNSpid:\t12\t301\n"));
    }

    #[test]
    fn hidepid_is_recognized() {
        let line = |options: &str| format!("22 27 0:21 / /proc rw - proc proc {options}\n");
        assert!(!hides(line("rw").as_bytes()));
        assert!(!hides(line("rw,hidepid=off").as_bytes()));
        assert!(hides(line("rw,gid=4,hidepid=invisible").as_bytes()));
        assert!(hides(line("rw,hidepid=2").as_bytes()));
        // The last mount is the visible one.
        assert!(hides((line("rw") + &line("rw,hidepid=2")).as_bytes()));
        assert!(!hides((line("rw,hidepid=2") + &line("rw")).as_bytes()));
    }
}
