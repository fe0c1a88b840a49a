//! Side effects of reading: only the fields that the method lists change.

mod commands;
mod gone;
mod leases;
pub mod methods;
mod swap;

use crate::support::{Child, Object, SOON, Sysv, python, wait_until};
use nix::mount::{MsFlags, mount};
use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

const PAGE: u64 = 4096;

/// The fields of a segment that other processes see.
type Fields = BTreeMap<&'static str, i64>;

/// Returns the fields of a System V segment; empty if it is gone.
fn fields_of_sysv(shmid: i32) -> Fields {
    const NAMES: [(&str, usize); 7] =
        [("lpid", 5), ("nattch", 6), ("atime", 11), ("dtime", 12), ("ctime", 13), ("rss", 14), ("swap", 15)];
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let rows = table.lines().skip(1).map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row = rows.into_iter().find(|row| row[1] == shmid.to_string());
    row.map(|row| NAMES.map(|(name, column)| (name, row[column].parse().unwrap())).into()).unwrap_or_default()
}

/// Returns the fields of a POSIX object. Its times are in nanoseconds.
fn fields_of_object(file: &File) -> Fields {
    let stat = file.metadata().unwrap();
    let time = |seconds: i64, nanos: i64| seconds * 1_000_000_000 + nanos;
    [
        ("blocks", stat.blocks().cast_signed()),
        ("atime", time(stat.atime(), stat.atime_nsec())),
        ("mtime", time(stat.mtime(), stat.mtime_nsec())),
        ("ctime", time(stat.ctime(), stat.ctime_nsec())),
    ]
    .into()
}

/// Names the fields that differ.
fn changed_fields(before: &Fields, after: &Fields) -> Vec<&'static str> {
    assert!(before.keys().eq(after.keys()), "{before:?} {after:?}");
    before.keys().copied().filter(|name| before[name] != after[name]).collect()
}

/// Makes `/dev/shm` of this namespace record every access. With `relatime`, the default, most
/// accesses do not update the access time.
fn record_access_times() {
    let none: Option<&str> = None;
    mount(none, "/dev/shm", none, MsFlags::MS_REMOUNT | MsFlags::MS_STRICTATIME, none).unwrap();
}

/// Sets an old access time, so that any update is detected.
fn reset_access_time(file: &File) {
    file.set_times(FileTimes::new().set_accessed(SystemTime::UNIX_EPOCH + Duration::from_secs(1))).unwrap();
}

/// Writes text to a segment of 256 pages, of which 254 remain holes.
fn fill(write: impl Fn(u64, &[u8])) {
    write(0, b"hello, first");
    write(200 * PAGE + 5, b"hello, last");
}

/// Starts a process that attaches a segment until its standard input closes. `None` without Python.
fn holder(sysv: &Sysv) -> Option<Child> {
    let text = format!(
        "import ctypes, sys\n\
         c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p\n\
         p = c.shmat({}, None, 0); print('attached', flush=True); sys.stdin.read()",
        sysv.shmid
    );
    let mut child = Child::spawn_piped(&mut python(&text)?);
    assert_eq!(child.line(SOON), "attached");
    Some(child)
}

/// Waits for the second after the last use of a segment. The kernel stores whole seconds, so
/// another use within the same second would not be detected.
fn next_second(shmid: i32) {
    let last = || {
        let fields = fields_of_sysv(shmid);
        ["atime", "dtime", "ctime"].into_iter().filter_map(|name| fields.get(name).copied()).max()
    };
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed();
    wait_until(SOON, || last().is_none_or(|last| last < now()));
}

/// Returns an unlinked object that is open in this process.
fn unlinked(name: &str) -> Object {
    let object = Object::new(name, 256 * PAGE, 0o644);
    fill(|offset, bytes| object.write(offset, bytes));
    fs::remove_file(object.path()).unwrap();
    object
}
