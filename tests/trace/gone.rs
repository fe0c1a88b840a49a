//! Live previews do not keep removed segments in memory.

use super::{PAGE, fill, holder};
use crate::support::{Namespaces, Object, SOON, Sysv, Terminal, shmlens, wait_until};
use nix::sys::statvfs::statvfs;
use shmlens::engine::{Body, Contents, Feed, Job, Readers, Request, SubscriptionId, Worker as _};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Names, Survey};
use shmlens::sys::shm;
use std::fs;
use std::time::Duration;

fn quit(mut terminal: Terminal) {
    terminal.send("q");
    terminal.wait_exit(SOON);
}

/// Returns the memory in use on `/dev/shm` of this namespace.
fn used_memory() -> u64 {
    let stat = statvfs("/dev/shm").unwrap();
    (stat.blocks() - stat.blocks_free()) * stat.fragment_size()
}

#[test]
fn removed_system_v_segment_is_freed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 256 * PAGE, 0o600);
    fill(|offset, bytes| sysv.write(offset, bytes));
    let Some(mut holder) = holder(&sysv) else { return };
    let terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for("hello, first", SOON);
    let shell = terminal.child().pid();
    shm::remove(sysv.shmid).unwrap();
    terminal.wait_for("removed", SOON);
    // The segment is still previewed, through its holder.
    terminal.wait_for("hello, first", SOON);
    holder.close_input();
    holder.wait(SOON);
    // The last detach destroys the id. Only an open file would keep the memory.
    assert!(shm::stat_any(sysv.shmid).is_err(), "destroyed at the last detach");
    wait_until(SOON, || !has_open(shell.as_raw(), "/SYSV"));
    quit(terminal);
}

/// Returns true if a process has a file open or mapped whose name contains a string.
fn has_open(pid: i32, name: &str) -> bool {
    let links = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().filter_map(|entry| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        Some(target.to_string_lossy().contains(name))
    });
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    links.into_iter().any(|has| has) || maps.contains(name)
}

#[test]
fn removed_object_is_freed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 256 * PAGE, 0o600);
    fill(|offset, bytes| object.write(offset, bytes));
    let terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for("hello, first", SOON);
    assert_eq!(used_memory(), 2 * PAGE);
    // The object is unlinked, but still previewed through this process, which holds it.
    fs::remove_file(object.path()).unwrap();
    terminal.wait_for("removed", SOON);
    terminal.wait_for("hello, first", SOON);
    drop(object);
    wait_until(SOON, || used_memory() == 0);
    quit(terminal);
}

/// In the interactive program, the preview also ends when a survey no longer lists the segment.
/// Without surveys, the preview must not keep anything open between two reads.
#[test]
fn preview_keeps_nothing_open_between_reads() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 256 * PAGE, 0o600);
    fill(|offset, bytes| object.write(offset, bytes));
    // No other test of this process uses the key.
    let sysv = Sysv::new(0x7ace_0001, 256 * PAGE, 0o600);
    fill(|offset, bytes| sysv.write(offset, bytes));
    let Some(_holder) = holder(&sysv) else { return };
    let survey = Survey::take(&RealMachine, &mut Names::default());
    let mut worker = Contents::new(None, Readers::default());
    for (id, segment) in (0..).map(SubscriptionId).zip(survey.segments) {
        let feed =
            Feed::Preview { every: Some(Duration::from_millis(1)), bytes: 512, cells: 8, fields: None };
        worker.handle(
            &RealMachine,
            Duration::ZERO,
            Job::new(Request::Subscribe(id, Box::new(segment), feed)),
        );
    }
    let mut previews = 0;
    for look in 1..20 {
        for report in worker.work(&RealMachine, Duration::from_secs(look)) {
            let Body::Preview(preview) = report.body else { panic!("{report:?}") };
            assert!(preview.look.unwrap().bytes.starts_with(b"hello, first"));
            previews += 1;
        }
        assert!(!has_open(std::process::id().cast_signed(), "SYSV7ace0001"));
    }
    assert_eq!(previews, 2);
    drop(object);
    assert_eq!(used_memory(), 0);
}
