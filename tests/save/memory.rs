//! Memory use of `save` and `restore` does not depend on the size of the segment.

use super::{directory, program, segments};
use crate::support::{Child, Namespaces, Object, Sysv};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Returns the peak memory of a command in bytes, including shared pages.
fn peak_memory(command: &mut Command) -> u64 {
    let mut child = Child::spawn(command.stdout(Stdio::null()));
    let status = format!("/proc/{}/status", child.pid());
    let mut peak_memory = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak_memory = peak_memory.max(kilobytes.unwrap_or(0) << 10);
        if let Some(status) = child.ended() {
            assert!(status.success());
            return peak_memory;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

#[test]
fn save_and_restore_use_less_than_32_mib() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let data = vec![7; 64 << 20];
    let object = Object::new("a", 4 << 40, 0o600);
    object.write(1 << 40, &data);
    let sysv = Sysv::new(7, (64 << 20) + 5, 0o600);
    sysv.write(5, &data);
    for id in ["/a", "key:7"] {
        let path = directory.path().join("file");
        let saving = peak_memory(program(&directory).args(["save", id]).arg(&path));
        fs::remove_file(object.path()).ok();
        if id == "key:7" {
            shmlens::sys::shm::remove(sysv.shmid).unwrap();
        }
        let restoring = peak_memory(program(&directory).arg("restore").arg(&path));
        for peak_memory in [saving, restoring] {
            assert!(peak_memory > 0 && peak_memory < 32 << 20, "{id}: {saving} and {restoring}");
        }
        fs::remove_file(&path).unwrap();
    }
    for segment in segments() {
        if let shmlens::segment::SegmentId::Sysv(shmid) = segment.id {
            drop(Sysv { shmid: shmid.0 });
        }
    }
}
