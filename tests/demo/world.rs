//! Runs the demo in this process. No segments remain, however it ends.

use super::row;
use crate::support::{SOON, wait_until};
use shmlens::demo::{Demo, DemoError};
use shmlens::machine::Machine as _;
use shmlens::machine::real::RealMachine;
use shmlens::segment::{ObjectName, SegmentId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

fn start() -> Result<Demo, DemoError> {
    Demo::start(Path::new(env!("CARGO_BIN_EXE_shmlens")))
}

fn is_there(id: &SegmentId) -> bool {
    match id {
        // A removed segment exists while a child forked by another test has it attached, until the
        // child execs.
        SegmentId::Sysv(shmid) => row(*shmid).is_some_and(|row| !row.marked),
        // Another demo may use the name by now.
        SegmentId::Posix(name) => RealMachine.open_object(name).is_ok_and(|open| {
            let mut bytes = [0; 256];
            open.read_at(0, &mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).contains(&format!(" {} ", std::process::id()))
        }),
        SegmentId::Deleted { .. } => false,
    }
}

fn read(name: &ObjectName) -> Vec<u8> {
    let open = RealMachine.open_object(name).unwrap();
    let mut bytes = vec![0; usize::try_from(open.stat().unwrap().size).unwrap()];
    let length = open.read_at(0, &mut bytes).unwrap();
    assert_eq!(length, bytes.len());
    bytes
}

fn posix(demo: &Demo, part: usize) -> ObjectName {
    match &demo.segments()[part].id {
        SegmentId::Posix(name) => name.clone(),
        other => panic!("{other}"),
    }
}

#[test]
fn segments_have_their_sizes_and_are_removed_at_the_end() {
    let demo = start().unwrap();
    let segments = demo.segments();
    assert_eq!(segments.len(), 5);
    for segment in &segments {
        match &segment.id {
            SegmentId::Sysv(shmid) => {
                let row = row(*shmid).unwrap();
                assert_eq!((row.size, row.mode.bits()), (segment.size, 0o600));
            }
            SegmentId::Posix(name) => {
                let stat = RealMachine.stat_object(name).unwrap();
                assert_eq!((stat.size, stat.mode & 0o7777), (segment.size, 0o600));
            }
            SegmentId::Deleted { .. } => panic!("{}", segment.id),
        }
    }
    demo.stop().unwrap();
    for segment in &segments {
        assert!(!is_there(&segment.id), "{} is still there", segment.id);
    }
}

#[test]
fn panic_removes_the_segments() {
    let mut segments = vec![];
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let demo = start().unwrap();
        segments = demo.segments();
        panic!("as a screen might");
    }));
    assert!(outcome.is_err());
    assert_eq!(segments.len(), 5);
    assert!(!segments.iter().any(|segment| is_there(&segment.id)));
}

#[test]
fn contents_change() {
    let demo = start().unwrap();
    let SegmentId::Sysv(shmid) = demo.segments()[2].id else { panic!("no System V segment") };
    let open = shmlens::sys::shm::Attachment::read_only(shmid.0).unwrap();
    let tick = || {
        let mut bytes = [0; 8];
        assert_eq!(open.copy_to(64, &mut bytes), 8);
        u64::from_ne_bytes(bytes)
    };
    let (ring, list) = (posix(&demo, 0), posix(&demo, 1));
    let before = (tick(), read(&ring), read(&list));
    wait_until(SOON, || tick() > before.0 + 3);
    wait_until(SOON, || read(&ring) != before.1);
    wait_until(SOON, || read(&list) != before.2);
}

#[test]
fn orphan_has_no_holder_and_a_dead_creator() {
    let demo = start().unwrap();
    let SegmentId::Sysv(shmid) = demo.segments()[3].id else { panic!("no System V segment") };
    let row = row(shmid).unwrap();
    assert_eq!(row.nattch, 0);
    assert_ne!(row.creator_pid, std::process::id());
    assert!(!Path::new(&format!("/proc/{}", row.creator_pid)).exists());
}

#[test]
fn sparse_segment_is_one_percent_resident() {
    let demo = start().unwrap();
    let stat = RealMachine.stat_object(&posix(&demo, 4)).unwrap();
    let permille = stat.allocated.0 * 1000 / stat.size.0;
    assert!((9..=11).contains(&permille), "{permille} of 1000");
}

#[test]
fn two_demos_run_side_by_side() {
    let (one, two) = (start().unwrap(), start().unwrap());
    let (first, second) = (one.segments(), two.segments());
    one.stop().unwrap();
    assert!(!first.iter().any(|segment| is_there(&segment.id)));
    assert!(second.iter().all(|segment| is_there(&segment.id)));
}

#[test]
fn changed_mode_does_not_prevent_removal() {
    use std::os::unix::fs::PermissionsExt as _;
    let demo = start().unwrap();
    let segments = demo.segments();
    let path = format!("/dev/shm{}", posix(&demo, 1));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    demo.stop().unwrap();
    assert!(!segments.iter().any(|segment| is_there(&segment.id)));
}

#[test]
fn object_that_replaced_a_segment_is_kept() {
    let demo = start().unwrap();
    let path = format!("/dev/shm{}", posix(&demo, 1));
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"mine").unwrap();
    demo.stop().unwrap();
    let content = std::fs::read(&path);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(content.unwrap(), b"mine");
}
