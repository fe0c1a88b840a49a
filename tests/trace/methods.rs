//! Reads System V segments through their holders. Tests the choice of the holder, and the reasons
//! not to use one.

use super::{Fields, PAGE, fields_of_sysv, fill, holder};
use crate::support::{
    Child, NOBODY, Namespaces, Nobody, SOON, Sysv, as_nobody, python, shmlens, tool, wait_until,
};
use shmlens::machine::real::RealMachine;
use shmlens::machine::{ExtentKind, Method, TraceReason};
use shmlens::memory::{OpenError, PageBuffer, Presence, Reader};
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Depth, Holdings, Names, Survey};
use shmlens::sys::shm::{self, Attachment};
use std::process::Command;
use std::thread;

/// Returns a segment from a survey without holders.
fn survey_segment(id: &SegmentId) -> Segment {
    let survey = Survey::take(&RealMachine, &mut Names::default());
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap()
}

/// Returns a segment from a survey with holders.
fn survey_with_holders(id: &SegmentId) -> Segment {
    let mut names = Names::default();
    let (holdings, mut survey) = Holdings::scan_and(&RealMachine, Depth::Shared, &mut names, |names| {
        Survey::take(&RealMachine, names)
    });
    survey.join(&holdings, &RealMachine, &mut names);
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap()
}

fn open(segment: &Segment) -> Result<Reader, OpenError> {
    Reader::open_unattached(&RealMachine, segment)
}

fn reason(segment: &Segment) -> TraceReason {
    let forecast = Reader::predict(&RealMachine, segment).unwrap();
    assert_eq!(forecast.method, Method::Attach);
    forecast.reason.unwrap()
}

fn read(reader: &Reader, offset: u64, count: usize) -> Vec<u8> {
    let mut buffer = PageBuffer::default();
    reader.fill(&mut buffer, offset, count).unwrap();
    buffer.to_vec()
}

fn method_through(child: &Child) -> Method {
    Method::Holder { pid: child.pid().as_raw().cast_unsigned(), keeps_access_time: true }
}

fn filled_sysv(mode: u32) -> Sysv {
    let sysv = Sysv::new(0x4d2, 256 * PAGE, mode);
    fill(|offset, bytes| sysv.write(offset, bytes));
    sysv
}

#[test]
fn holes_are_found_and_stay_holes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o600);
    let Some(holder) = holder(&sysv) else { return };
    let before = fields_of_sysv(sysv.shmid);
    let reader = open(&survey_segment(&sysv.id())).unwrap();
    assert_eq!(reader.method(), method_through(&holder));
    let runs = [
        (0, PAGE, ExtentKind::Data),
        (PAGE, 200 * PAGE, ExtentKind::Hole),
        (200 * PAGE, 201 * PAGE, ExtentKind::Data),
        (201 * PAGE, 256 * PAGE, ExtentKind::Hole),
    ];
    for (start, end, kind) in runs {
        let extent = reader.extent_at(start, u64::MAX).unwrap().unwrap();
        assert_eq!((extent.end, extent.kind), (end, kind));
    }
    assert_eq!(reader.extent_at(256 * PAGE, 1).unwrap(), None);
    for page in 0..256 {
        let bytes = read(&reader, page * PAGE, 4096);
        assert_eq!(bytes.iter().any(|&byte| byte != 0), page == 0 || page == 200);
    }
    assert_eq!(read(&reader, 256 * PAGE - 2, 10), [0, 0]);
    assert_eq!(fields_of_sysv(sysv.shmid), before);
}

/// Parts of an attachment may be unmapped or moved.
#[test]
fn partial_mapping_is_enough() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o600);
    let text = format!(
        "import ctypes, sys\n\
         c = ctypes.CDLL(None); c.shmat.restype = c.mremap.restype = ctypes.c_void_p\n\
         p = c.shmat({}, None, 0); v = ctypes.c_void_p\n\
         assert c.munmap(v(p), 100 * 4096) == 0 and c.munmap(v(p + 150 * 4096), 106 * 4096) == 0\n\
         assert c.mremap(v(p + 100 * 4096), 50 * 4096, 90 * 4096, 1) not in (None, 2**64 - 1)\n\
         print('attached', flush=True); sys.stdin.read()",
        sysv.shmid
    );
    let Some(mut command) = python(&text) else { return };
    let mut child = Child::spawn_piped(&mut command);
    assert_eq!(child.line(SOON), "attached");
    for segment in [survey_segment(&sysv.id()), survey_with_holders(&sysv.id())] {
        let reader = open(&segment).unwrap();
        assert_eq!(reader.method(), method_through(&child));
        assert_eq!(
            (read(&reader, 0, 5), read(&reader, 200 * PAGE + 5, 5)),
            (b"hello".into(), b"hello".into())
        );
    }
}

#[test]
fn exited_holder_is_replaced_by_another() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o600);
    let (Some(first), Some(second)) = (holder(&sysv), holder(&sysv)) else { return };
    let segment = survey_with_holders(&sysv.id());
    assert_eq!(segment.holders.as_ref().unwrap().len(), 2);
    let reader = open(&segment).unwrap();
    drop(first);
    assert_eq!(open(&segment).unwrap().method(), method_through(&second));
    // A process that attached it after the survey is found too.
    let third = holder(&sysv).unwrap();
    drop(second);
    assert_eq!(open(&segment).unwrap().method(), method_through(&third));
    drop(third);
    wait_until(SOON, || shm::stat(sysv.shmid).unwrap().nattch == 0);
    assert_eq!(reason(&segment), TraceReason::NoHolder);
    // An open file outlives every holder.
    assert_eq!(read(&reader, 0, 5), b"hello");
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Present { size: 256 * PAGE });
    drop(sysv);
    assert_eq!(reader.presence(&RealMachine).unwrap(), Presence::Removed { size: 256 * PAGE });
    assert_eq!(read(&reader, 0, 5), b"hello");
    assert!(matches!(open(&segment), Err(OpenError::Gone { .. })));
}

/// Creates a segment with the same shmid, key and size in another IPC namespace. Its holder may
/// then move to this namespace.
fn foreign_holder(key: u32, size: u64, namespace: Option<&str>) -> Option<Child> {
    let setns =
        namespace.map_or_else(String::new, |path| format!("assert c.setns(os.open('{path}', 0), 0) == 0\n"));
    let text = format!(
        "import ctypes, os, sys\n\
         c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p\n\
         assert c.unshare(0x08000000) == 0\n\
         i = c.shmget({key}, {size}, 0o1600); assert i == 0\n\
         p = c.shmat(i, None, 0); ctypes.memmove(p, b'wrong', 5)\n\
         {setns}print('attached', flush=True); sys.stdin.read()"
    );
    let mut child = Child::spawn_piped(&mut python(&text)?);
    assert_eq!(child.line(SOON), "attached");
    Some(child)
}

#[test]
fn segment_of_another_ipc_namespace_is_not_read() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    assert_eq!(sysv.shmid, 0, "the first shmid of a namespace is 0");
    sysv.write(0, b"right");
    // This thread holds it, but the process is in another namespace.
    let attachment = Attachment::read_only(sysv.shmid).unwrap();
    let segment = survey_segment(&sysv.id());
    let ours = format!("/proc/{}/task/{}/ns/ipc", std::process::id(), nix::unistd::gettid());
    super::next_second(sysv.shmid);
    for (key, size, namespace) in [
        (0x4d2, 4096, None),
        (0x4d3, 4096, Some(ours.as_str())),
        (0x4d2, 4095, Some(ours.as_str())),
        // The other segment differs only in its creation time.
        (0x4d2, 4096, Some(ours.as_str())),
    ] {
        let Some(_foreign) = foreign_holder(key, size, namespace) else { return };
        assert_eq!(reason(&segment), TraceReason::Unreachable, "{key:#x} {size} {namespace:?}");
    }
    let holder = holder(&sysv).unwrap();
    assert_eq!(open(&segment).unwrap().method(), method_through(&holder));
    drop(attachment);
}

#[test]
fn trace_reason_names_the_missing_requirement() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o644);
    assert_eq!(reason(&survey_segment(&sysv.id())), TraceReason::NoHolder);
    let Some(_holder) = holder(&sysv) else { return };
    let segment = survey_with_holders(&sysv.id());
    let id = sysv.id().to_string();
    let info = |command: &mut Command| {
        let output = command.args(["info", &id]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let as_root = info(&mut shmlens());
    assert!(as_root.contains("leaves no trace (read through PID "), "{as_root}");
    let denied = "attaches the segment";
    let remedy = "CAP_CHECKPOINT_RESTORE in the initial user namespace. Run as root";
    let other_info = info(&mut as_nobody(shmlens().get_program(), [""; 0]));
    assert!(other_info.contains(denied) && other_info.contains(remedy), "{other_info}");
    // Root in a user namespace has every capability, but only inside the namespace.
    if let Some(unshare) = tool("unshare") {
        let nested = info(Command::new(unshare).arg("-r").arg(shmlens().get_program()));
        assert!(nested.contains(denied) && nested.contains(remedy), "{nested}");
    }
    let _nobody = Nobody::here();
    assert_eq!(reason(&segment), TraceReason::NotPrivileged);
    assert!(matches!(open(&segment), Err(OpenError::NeedsAttach { .. })));
    let _reader = Reader::open(&RealMachine, &segment).unwrap();
    assert_eq!(fields_of_sysv(sysv.shmid)["nattch"], 2);
}

/// `CAP_CHECKPOINT_RESTORE` alone is enough for the processes of the same user.
#[test]
fn checkpoint_restore_is_enough() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(setpriv) = tool("setpriv") else { return };
    let sysv = filled_sysv(0o600).owned_by(NOBODY, NOBODY);
    let text = format!(
        "import ctypes, sys, os\n\
         c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p\n\
         os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n\
         c.prctl(4, 1); p = c.shmat({}, None, 0); print('attached', flush=True); sys.stdin.read()",
        sysv.shmid
    );
    let Some(mut command) = python(&text) else { return };
    let mut child = Child::spawn_piped(&mut command);
    assert_eq!(child.line(SOON), "attached");
    let before: Fields = fields_of_sysv(sysv.shmid);
    let id = sysv.id().to_string();
    let user = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let with = ["--inh-caps=+cap_40", "--ambient-caps=+cap_40"];
    // The build directory may be accessible only for root.
    let program = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(program.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copy = program.path().join("shmlens");
    std::fs::copy(shmlens().get_program(), &copy).unwrap();
    let dump = |capabilities: &[&str]| {
        let mut command = Command::new(&setpriv);
        let output = command.args(user).args(capabilities).arg(&copy).args(["dump", &id]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8(output.stdout).unwrap().contains("hello, last"));
        fields_of_sysv(sysv.shmid)
    };
    assert_eq!(dump(&with), before);
    assert_ne!(dump(&[]), before);
}

/// As root, a search without named segments includes attached segments.
#[test]
fn find_without_a_name_searches_attached_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o600);
    let other = Sysv::new(0, 4096, 0o600);
    let Some(_holder) = holder(&sysv) else { return };
    let output = shmlens().args(["find", "hello, last"]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(text(&output.stdout).starts_with(&format!("{}  0x000c8005", sysv.id())), "{output:?}");
    let message = text(&output.stderr);
    assert!(message.contains(&other.id().to_string()) && message.contains("no process has it"), "{message}");
    assert!(!message.contains(&sysv.id().short()) || sysv.shmid == 0, "{message}");
}

/// Holders that come and go do not make a reader fail or attach.
#[test]
fn readers_survive_a_churn_of_holders() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = filled_sysv(0o600);
    let Some(steady) = holder(&sysv) else { return };
    let segment = survey_with_holders(&sysv.id());
    let shmid = sysv.shmid;
    thread::scope(|scope| {
        let churn = scope.spawn(move || {
            for _ in 0..300 {
                drop(Attachment::read_only(shmid).unwrap());
            }
        });
        while !churn.is_finished() {
            let reader = open(&segment).unwrap();
            assert_eq!((reader.method(), read(&reader, 0, 5)), (method_through(&steady), b"hello".to_vec()));
        }
        churn.join().unwrap();
    });
}

/// Called by the test that reserves huge pages.
pub fn huge_pages_are_read_through_a_holder(shmid: i32) {
    let sysv = Sysv { shmid };
    let Some(holder) = holder(&sysv) else { return };
    let before = fields_of_sysv(shmid);
    let segment = survey_segment(&sysv.id());
    let reader = open(&segment).unwrap();
    assert_eq!(reader.method(), method_through(&holder));
    let mut offset = 0;
    let mut buffer = PageBuffer::default();
    loop {
        let count = reader.fill(&mut buffer, offset, 1 << 20).unwrap();
        if count == 0 {
            break;
        }
        assert!(reader.extent_at(offset, 1 << 20).unwrap().is_some());
        offset += count as u64;
    }
    assert_eq!(offset, segment.size.0);
    assert_eq!(fields_of_sysv(shmid), before);
    // The caller removes the segment.
    std::mem::forget(sysv);
}
