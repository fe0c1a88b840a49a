//! Large segments, and many of them.

use super::{ONE_SECOND, leave_and_quit, open, open_first, quit, row};
use crate::support::{Namespaces, Object, SOON, Sysv, Terminal};
use std::fs;

/// Returns the peak memory in KiB.
fn peak_memory(terminal: &Terminal) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", terminal.child().pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn end_of_4_tib_opens_immediately_in_little_memory() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("huge", 4 << 40, 0o600);
    object.write((4 << 40) - 4, b"last");
    let terminal = open_first();
    terminal.send("G");
    terminal.wait_for("at 0x3ffffffffff ", ONE_SECOND);
    terminal.wait_for("····last", ONE_SECOND);
    for (keys, shown) in [
        ("z", "All rows shown"),
        ("<PgUp>", "at 0x3fffffffeef "),
        ("z", "folded"),
        ("gg", "at 0x0 "),
        ("}", "at 0x3fffffffffc "),
        ("{", "No more data in that direction"),
        ("G", "at 0x3ffffffffff "),
        ("{", "at 0x3fffffffffc "),
        ("o2T<Enter>", "at 0x20000000000 "),
    ] {
        terminal.send(keys);
        terminal.wait_for(shown, ONE_SECOND);
    }
    let memory = peak_memory(&terminal);
    // Two thirds of it are code, of a build without optimization.
    assert!(memory < 40 << 10, "{memory} KiB");
    // Scanning allocated nothing.
    assert_eq!(std::os::unix::fs::MetadataExt::blocks(&object.file.metadata().unwrap()), 8);
    leave_and_quit(terminal);
}

#[test]
fn huge_system_v_segment_is_read_in_pieces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::unreserved(1 << 40, 0o600);
    sysv.write((1 << 40) - 4, b"last");
    let terminal = open_first();
    terminal.send("G");
    terminal.wait_for("at 0xffffffffff ", ONE_SECOND);
    terminal.wait_for("····last", ONE_SECOND);
    let resident = shmlens::sys::shm::stat(sysv.shmid).unwrap();
    assert_eq!(resident.size, 1 << 40);
    leave_and_quit(terminal);
}

#[test]
fn largest_size_works() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("largest", i64::MAX.unsigned_abs(), 0o600);
    let terminal = open_first();
    terminal.send("G");
    terminal.wait_for("at 0x7ffffffffffffffe ", ONE_SECOND);
    terminal.send("gg");
    terminal.wait_for("at 0x0 ", ONE_SECOND);
    leave_and_quit(terminal);
}

#[test]
fn thousands_of_segments_are_listed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv: Vec<Sysv> = (1..=1000).map(|key| Sysv::new(key, 4096, 0o600)).collect();
    let _objects: Vec<Object> = (0..1000).map(|at| Object::new(format!("o{at:03}"), 4096, 0o600)).collect();
    let terminal = open();
    terminal.wait_for(row("shmlens 2000 segments"), SOON);
    terminal.send("G");
    terminal.wait_for(row("▌ /o999"), SOON);
    terminal.send("/o500<Enter>");
    terminal.wait_for(row("▌ /o500"), SOON);
    terminal.wait_for(row("shmlens 1 of 2000 segments"), SOON);
    quit(terminal);
}
