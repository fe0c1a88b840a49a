//! Times in the future: set by the owner of a file, or left by a clock that was set back.

use crate::support::{Namespaces, shmlens};
use nix::sys::stat::futimens;
use nix::sys::time::TimeSpec;
use std::fs::{self, File, FileTimes};
use std::time::{Duration, SystemTime};

#[track_caller]
fn stdout_of(arguments: &[&str]) -> String {
    // Other tests may start processes faster than they can be checked.
    let run = || shmlens().args(arguments).output().unwrap();
    let output = (0..10).map(|_| run()).find(|output| output.status.success()).unwrap_or_else(run);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn future_time_is_not_shown_as_just_now() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::write("/dev/shm/later", "hello").unwrap();
    let later = SystemTime::now() + Duration::from_secs(10_000_000);
    let times = FileTimes::new().set_accessed(later).set_modified(later);
    File::options().write(true).open("/dev/shm/later").unwrap().set_times(times).unwrap();

    let info = stdout_of(&["info", "/later"]);
    let line = |label: &str| info.lines().find(|line| line.starts_with(label)).unwrap_or_default().to_owned();
    for label in ["written", "read"] {
        assert!(line(label).contains("in the future") && !line(label).contains(" ago"), "{info}");
    }
    for filter in ["modify<1h", "access=..1h", "modify>1h"] {
        assert_eq!(stdout_of(&["list", "--no-header", filter]), "", "{filter}");
    }
    assert_eq!(stdout_of(&["list", "--no-header", "--columns", "name", "change<1h"]), "/later\n");
    assert_eq!(stdout_of(&["list", "--no-header", "--leaked"]), "");
}

/// The difference between these times and the clock overflows 64 bits.
#[test]
fn extreme_times_do_not_crash() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::write("/dev/shm/absurd", "hello").unwrap();
    for seconds in [i64::MIN + 1, i64::MAX] {
        let (file, time) = (File::open("/dev/shm/absurd").unwrap(), TimeSpec::new(seconds, 0));
        futimens(&file, &time, &time).unwrap();
        stdout_of(&["info", "/absurd"]);
        stdout_of(&["list", "modify<1h"]);
    }
}
