//! System V segments: the side effects of an attachment, and reading without side effects.

use super::{data, listed, open, read, read_through};
use crate::support::{Child, NOBODY, Namespaces, Nobody, SOON, Sysv, ask_before_exec, python, wait_until};
use shmlens::machine::real::RealMachine;
use shmlens::machine::{ExtentKind, Trace};
use shmlens::memory::{OpenError, Presence, Reader};
use shmlens::segment::{Bytes, Key, SegmentId, SysvFacts};
use shmlens::sys::shm;
use std::process;
use std::time::Instant;

const PAGE: u64 = 4096;

fn facts(id: &SegmentId) -> SysvFacts {
    listed(id).sysv().unwrap().clone()
}

#[test]
fn attach_updates_times_and_detach_restores_nattch() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0x4d2, 5000, 0o600);
    let before = listed(&segment.id());
    let facts_before = facts(&segment.id());
    assert_eq!((facts_before.nattch, facts_before.last_pid), (0, 0));
    assert_eq!((facts_before.key, facts_before.creator_pid), (Key(0x4d2), process::id()));
    assert_eq!((before.times.attach, before.times.detach), (None, None));

    let reader = open(&segment.id()).unwrap();
    assert_eq!(reader.trace(), Trace::Attached);
    let during = listed(&segment.id());
    assert_eq!(
        facts(&segment.id()),
        SysvFacts { nattch: 1, last_pid: process::id(), ..facts_before.clone() }
    );
    assert!(during.times.attach.is_some() && during.times.detach.is_none());
    let second = reader.clone();
    drop(reader);
    assert_eq!(facts(&segment.id()).nattch, 1, "a shared attachment must stay");
    drop(second);
    assert_eq!(facts(&segment.id()).nattch, 0);
    assert!(listed(&segment.id()).times.detach.is_some());
}

#[test]
fn survey_leaves_no_trace() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 5000, 0o600);
    assert_eq!(listed(&segment.id()), listed(&segment.id()));
    assert_eq!((facts(&segment.id()).nattch, facts(&segment.id()).last_pid), (0, 0));
    assert_eq!(listed(&segment.id()).times.attach, None);
}

#[test]
fn refused_open_leaves_no_attachment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, PAGE, 0o600);
    let mut other = listed(&segment.id());
    other.size = Bytes(1);
    let refused = Reader::open(&RealMachine, &other).err().unwrap();
    assert!(matches!(refused, OpenError::Replaced { .. }), "{refused}");
    assert_eq!(facts(&segment.id()).nattch, 0);
}

#[test]
fn reading_a_sparse_segment_allocates_no_page() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, (256 << 20) + 100, 0o644);
    let pages = [0, 5, 6, 40_000, 65_536];
    for page in pages {
        segment.write(page * PAGE, &[1, 2, 3]);
    }
    let resident = Some(Bytes(pages.len() as u64 * PAGE));
    assert_eq!(listed(&segment.id()).resident, resident);
    let runs = [
        (0, PAGE),
        (5 * PAGE, 7 * PAGE),
        (40_000 * PAGE, 40_001 * PAGE),
        // The last page ends with the segment.
        (65_536 * PAGE, 65_536 * PAGE + 100),
    ];
    let check = || {
        let reader = open(&segment.id()).unwrap();
        assert_eq!(read_through(&reader), pages.len() * 3);
        assert_eq!(data(&reader), runs);
        assert_eq!(read(&reader, 5 * PAGE - 2, 4), [0, 0, 1, 2]);
        assert_eq!(read(&reader, (256 << 20) + 98, 10), [0, 0]);
        assert_eq!(listed(&segment.id()).resident, resident);
    };
    check();
    let _nobody = Nobody::here();
    check();
}

#[test]
fn residency_is_exact_for_other_users() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 256 * PAGE, 0o644);
    for page in (0..256).step_by(2) {
        segment.write(page * PAGE, b"x");
    }
    let expected: Vec<_> = (0..256).step_by(2).map(|page| (page * PAGE, (page + 1) * PAGE)).collect();
    assert_eq!(data(&open(&segment.id()).unwrap()), expected);
    let _nobody = Nobody::here();
    assert_eq!(data(&open(&segment.id()).unwrap()), expected);
    assert_eq!(listed(&segment.id()).resident, Some(Bytes(128 * PAGE)));
}

#[test]
fn all_segments_are_listed_and_only_readable_ones_opened() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let closed = Sysv::new(0, 10, 0o620);
    assert!(open(&closed.id()).is_ok());
    let _nobody = Nobody::here();
    let own = Sysv::new(0, 10, 0o600);
    assert!(open(&own.id()).is_ok());
    let error = open(&closed.id()).err().unwrap();
    assert!(matches!(error, OpenError::Denied { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&closed.id().to_string()) && text.contains("root") && text.contains("0620"),
        "{text}"
    );
    assert_eq!(listed(&closed.id()).size, Bytes(10));
}

#[test]
fn attached_segment_stays_readable_after_a_mode_change() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 10, 0o644).owned_by(NOBODY, NOBODY);
    segment.write(0, b"text");
    let _nobody = Nobody::here();
    let reader = open(&segment.id()).unwrap();
    segment.chmod(0);
    assert!(matches!(open(&segment.id()), Err(OpenError::Denied { .. })));
    assert_eq!(read(&reader, 0, 4), b"text");
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Present { size: 10 });
}

#[test]
fn removed_segment_stays_readable_until_detach() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0x4d2, 10, 0o600);
    segment.write(0, b"text");
    let id = segment.id();
    let as_listed = listed(&id);
    let reader = open(&id).unwrap();
    drop(segment);
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Removed { size: 10 });
    let now = facts(&id);
    assert!(now.marked && now.key == Key(0), "{now:?}");
    assert_eq!(read(&reader, 0, 4), b"text");
    // This is still the same segment, which can be attached again.
    drop(Reader::open(&RealMachine, &as_listed).unwrap());
    drop(reader);
    assert!(super::survey().segments.is_empty());
    let refused = Reader::open(&RealMachine, &as_listed).err().unwrap();
    assert!(matches!(refused, OpenError::Gone { .. }), "{refused}");
}

#[test]
fn child_does_not_inherit_attachments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 5000, 0o600);
    let (shmid, reader) = (segment.shmid, open(&segment.id()).unwrap());
    assert!(ask_before_exec(move || Ok(shm::stat(shmid)?.nattch == 1)));
    assert!(!ask_before_exec(move || Ok(shm::stat(shmid)?.nattch == 0)), "the question was not asked");
    assert_eq!((read(&reader, 0, 1), facts(&segment.id()).nattch), (vec![0], 1));
}

#[test]
fn writes_of_another_process_are_read() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let segment = Sysv::new(0, 10, 0o600);
    let text = format!(
        "import ctypes, sys\n\
         c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p\n\
         p = c.shmat({}, None, 0); print('attached')\n\
         for line in sys.stdin: ctypes.memmove(p, line.encode(), 4); print('written')",
        segment.shmid
    );
    let Some(mut command) = python(&text) else { return };
    let mut writer = Child::spawn_piped(&mut command);
    assert_eq!(writer.line(SOON), "attached");
    let pid = writer.pid();
    // Root reads the segment through the writer.
    let reader = open(&segment.id()).unwrap();
    assert_eq!((reader.trace(), facts(&segment.id()).nattch), (Trace::None, 1));
    for text in ["aaaa", "bbbb"] {
        writer.send(&format!("{text}\n"));
        assert_eq!(writer.line(SOON), "written");
        assert_eq!(read(&reader, 0, 4), text.as_bytes());
    }
    drop(writer);
    wait_until(SOON, || facts(&segment.id()).nattch == 0);
    assert_eq!(facts(&segment.id()).last_pid, pid.as_raw().cast_unsigned());
    assert_eq!(read(&reader, 0, 4), b"bbbb");
}

#[test]
fn segment_of_64_tib_is_scanned_in_pieces() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size = 1_u64 << 46;
    let segment = Sysv::unreserved(size, 0o604);
    assert_eq!(listed(&segment.id()).size, Bytes(size));
    segment.write(size - 1, b"x");
    let start = Instant::now();
    // Root reads its holes at once, as a file.
    assert_eq!(open(&segment.id()).unwrap().extent_at(0, u64::MAX).unwrap().unwrap().end, size - PAGE);
    let _nobody = Nobody::here();
    let reader = open(&segment.id()).unwrap();
    for offset in [0, 1 << 40, size / 2 + 1, size - (1 << 20)] {
        let extent = reader.extent_at(offset, 1 << 16).unwrap().unwrap();
        assert_eq!((extent.kind, extent.end), (ExtentKind::Hole, offset + (1 << 16)));
        assert_eq!(read(&reader, offset, 1 << 16), vec![0; 1 << 16]);
    }
    // The cost of one query is bounded, however long the range.
    assert!(reader.extent_at(0, u64::MAX).unwrap().unwrap().end < 1 << 30);
    assert_eq!(read(&reader, size - 1, 10), b"x");
    assert_eq!(listed(&segment.id()).resident, Some(Bytes(PAGE)));
    // A full scan would take more than ten minutes.
    assert!(start.elapsed() < SOON);
}
