//! Kills at any time leave the segment or a complete copy, never part of one.

use super::{copies, directory, files, program, save, segments};
use crate::support::{Child, Namespaces, Object, SOON, Sysv, wait_until};
use nix::sys::signal::Signal;
use shmlens::act::archive::ArchiveReader;
use shmlens::machine::real::RealMachine;
use shmlens::machine::{Machine as _, UNFINISHED_MODE, sysv_table};
use shmlens::memory::PageBuffer;
use shmlens::segment::SegmentId;
use shmlens::sys::shm;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SIZE: usize = 2 << 20;
/// The number of kills per command, spread over its duration.
const KILL_MOMENTS: u32 = 16;

fn bytes() -> Vec<u8> {
    (0..SIZE / 4).flat_map(|at| u32::try_from(at).unwrap().wrapping_mul(0x9e37_79b1).to_le_bytes()).collect()
}

/// Returns true if the file is a complete saved segment.
fn is_whole(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let Ok(mut reading) = ArchiveReader::begin(file) else { return false };
    let mut buffer = PageBuffer::default();
    loop {
        match reading.next(&mut buffer) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Measures the command, then kills it at various times from start to end. `prepare` runs before
/// each run, `check` after it.
fn kill_at_various_times(command: &mut Command, mut prepare: impl FnMut(), mut check: impl FnMut(bool)) {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    prepare();
    let started = Instant::now();
    assert!(Child::spawn(command).wait(SOON).success(), "{command:?}");
    let whole = started.elapsed();
    check(true);
    for moment in 0..KILL_MOMENTS {
        prepare();
        let mut child = Child::spawn(command);
        // This is the time of the kill, not a wait.
        thread::sleep(whole * moment / KILL_MOMENTS);
        let ended = child.ended().is_some();
        child.end();
        check(ended);
    }
}

#[test]
fn killed_save_leaves_a_complete_file_or_none() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", SIZE as u64, 0o600);
    object.write(0, &bytes());
    let mut command = program(&directory);
    command.arg("save").arg("/a").arg(&path);
    let prepare = || drop(fs::remove_file(&path));
    kill_at_various_times(&mut command, prepare, |ended| {
        assert!(is_whole(&path) || (!ended && !path.exists()));
        let left = files(directory.path());
        assert!(left.iter().all(|name| name == "file" || name == "state"), "{left:?}");
    });
    assert_eq!(fs::read(object.path()).unwrap(), bytes());
}

#[test]
fn killed_restore_leaves_a_complete_object_or_none() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", SIZE as u64, 0o600);
    object.write(0, &bytes());
    save(&object.id(), &path);
    let mut command = program(&directory);
    command.arg("restore").arg(&path);
    let prepare = || drop(fs::remove_file(object.path()));
    kill_at_various_times(&mut command, prepare, |ended| {
        match fs::read(object.path()) {
            Ok(found) => assert!(found == bytes()),
            Err(_) => assert!(!ended),
        }
        assert!(files(Path::new("/dev/shm")).len() <= 1 && is_whole(&path));
    });
}

/// A System V segment has its key from the beginning, so a kill may leave an incomplete segment,
/// which has to be recognized and removed.
#[test]
fn recover_removes_leftovers_of_a_killed_restore() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let sysv = Sysv::new(7, SIZE as u64, 0o666);
    sysv.write(0, &bytes());
    save(&sysv.id(), &path);
    drop(sysv);
    let mut command = program(&directory);
    command.arg("restore").arg(&path);
    kill_while_filling(&directory, &mut command, &format!("restore of {}", path.display()));
    assert!(is_whole(&path));
}

#[test]
fn recover_removes_leftovers_of_a_killed_create() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    fs::write(&path, bytes()).unwrap();
    let mut command = program(&directory);
    command.args(["create", "sysv", "--key", "7", "--mode", "0666", "--from"]).arg(&path);
    kill_while_filling(&directory, &mut command, &format!("create --from {}", path.display()));
}

#[test]
fn killed_create_leaves_a_complete_object_or_none() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    fs::write(&path, bytes()).unwrap();
    let mut command = program(&directory);
    command.args(["create", "posix", "a", "--mode", "0666", "--from"]).arg(&path);
    let object = Path::new("/dev/shm/a");
    kill_at_various_times(
        &mut command,
        || drop(fs::remove_file(object)),
        |ended| {
            match fs::read(object) {
                Ok(found) => {
                    assert!(found == bytes(), "the file has {} bytes, but is incomplete", found.len());
                }
                Err(_) => assert!(!ended),
            }
            assert!(files(Path::new("/dev/shm")).len() <= 1);
        },
    );
}

/// Kills a command that fills a System V segment with [`bytes`] and sets mode 0666.
fn kill_while_filling(directory: &TempDir, command: &mut Command, origin: &str) {
    let clear = || {
        for segment in segments() {
            let SegmentId::Sysv(shmid) = segment.id else { panic!("{}", segment.id) };
            drop(Sysv { shmid: shmid.0 });
        }
    };
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let (mut half, mut whole) = (0, 0);
    kill_at_various_times(command, clear, |ended| {
        let left = segments();
        assert!(left.len() <= 1 && (!ended || left[0].mode.bits() == 0o666));
        let was_incomplete = left.first().is_some_and(|segment| segment.mode == UNFINISHED_MODE);
        assert!(
            was_incomplete || left.first().is_none_or(|segment| segment.mode.bits() == 0o666),
            "{left:?}"
        );
        if was_incomplete {
            // The same command fails, because the segment exists.
            let again = program(directory).args(&arguments).output().unwrap();
            let message = String::from_utf8(again.stderr).unwrap();
            assert!(!again.status.success(), "{message}");
            assert!(message.contains(&format!("{origin} was killed")), "{message}");
            assert!(message.contains("rm --recover` to remove it"), "{message}");
            let refused = program(directory).args(["--read-only", "rm", "--recover"]).output().unwrap();
            assert!(!refused.status.success() && segments().len() == 1, "{refused:?}");
        }
        let recovered = program(directory).args(["rm", "--recover"]).output().unwrap();
        assert!(recovered.status.success(), "{recovered:?}");
        assert_eq!(recovered.stdout != b"nothing to recover\n", was_incomplete, "{recovered:?}");
        // A segment from `create` is complete.
        match &segments()[..] {
            [] => {}
            [segment] => {
                let mut found = vec![0; SIZE];
                let SegmentId::Sysv(shmid) = segment.id else { panic!("{}", segment.id) };
                assert_eq!(shm::Attachment::read_only(shmid.0).unwrap().copy_to(0, &mut found), SIZE);
                assert!(found == bytes() && segment.mode.bits() == 0o666);
                whole += 1;
            }
            more => panic!("{more:?}"),
        }
        half += usize::from(was_incomplete);
        let marks = fs::read_dir(directory.path().join("state/shmlens/unfinished"));
        assert_eq!(marks.map_or(0, Iterator::count), 0);
    });
    eprintln!("{half} incomplete, {whole} whole");
    clear();
}

#[test]
fn killed_removal_leaves_the_segment_or_a_complete_copy() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let mut command = program(&directory);
    command.args(["rm", "--yes", "--force", "/a"]);
    let prepare = || {
        for copy in copies(&directory) {
            fs::remove_file(copy).unwrap();
        }
        // The kill happened between the two steps of the removal: the object has its temporary
        // name.
        for name in files(Path::new("/dev/shm")) {
            fs::remove_file(Path::new("/dev/shm").join(name)).unwrap();
        }
        fs::write("/dev/shm/a", bytes()).unwrap();
    };
    kill_at_various_times(&mut command, prepare, |ended| {
        let there = fs::read("/dev/shm/a").is_ok_and(|found| found == bytes());
        let copies = copies(&directory);
        assert!(copies.iter().all(|copy| is_whole(copy)) && copies.len() <= 1, "{copies:?}");
        // The kill happened after the last step: the object is removed, and the copy exists.
        assert!((there || copies.len() == 1) && !(there && ended), "{there} {copies:?} {ended}");
    });
}

#[test]
fn ctrl_c_stops_save_and_restore_and_leaves_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", 1 << 40, 0o600);
    // The file is large enough for the signal to arrive in time.
    for at in 0..20_000u64 {
        object.write(at << 24, b"x");
    }
    let mut child = Child::spawn(
        program(&directory).arg("save").arg("/a").arg(&path).stdout(Stdio::null()).stderr(Stdio::piped()),
    );
    thread::sleep(Duration::from_millis(50));
    child.signal(Signal::SIGINT);
    let status = child.wait(SOON);
    if status.success() {
        // The command finished before the signal.
        assert!(is_whole(&path));
    } else {
        assert!(!path.exists());
    }
    let left = files(directory.path());
    assert!(left.iter().all(|name| name == "file" || name == "state"), "{left:?}");
    assert!(object.path().exists());
}

/// Signals a `create --from` of many small extents while it fills the segment. Returns standard
/// error.
fn signal_while_filling(signal: Signal, kind: &[&str], has_begun: impl Fn(i32) -> bool) -> String {
    let directory = directory();
    // tmpfs finds holes quickly.
    let object = Object::new("source", 40_000 << 16, 0o600);
    for at in 0..40_000u64 {
        object.write(at << 16, b"x");
    }
    let started = Instant::now();
    loop {
        let mut command = program(&directory);
        command.arg("create").args(kind).args(["--mode", "0666", "--from"]).arg(object.path());
        let mut child = Child::spawn(command.stdout(Stdio::null()).stderr(Stdio::piped()));
        wait_until(SOON, || has_begun(child.pid().as_raw()) || child.ended().is_some());
        if child.ended().is_none() {
            child.signal(signal);
        }
        let status = child.wait(SOON);
        let message = child.stderr();
        let marks = files(&directory.path().join("state/shmlens/unfinished"));
        assert!(marks.is_empty(), "{marks:?}");
        if status.code() == Some(1) {
            return message;
        }
        assert!(status.success(), "{status:?} {message}");
        assert!(started.elapsed() < SOON, "every attempt was too late");
        let _ = fs::remove_file("/dev/shm/a");
        for row in sysv_rows() {
            shm::remove(row.shmid.0).unwrap();
        }
    }
}

fn sysv_rows() -> Vec<shmlens::machine::control::SysvStat> {
    sysv_table::parse(&RealMachine.sysv_table().unwrap()).rows
}

#[test]
fn signaled_create_leaves_nothing_and_reports_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let sysv = ["sysv", "--key", "7", "--no-reserve"];
        let message = signal_while_filling(signal, &sysv, |_| !sysv_rows().is_empty());
        assert!(message.contains("was not created; partial data was removed"), "{signal}: {message}");
        assert!(sysv_rows().is_empty(), "{signal}");
        let unnamed = |pid: i32| {
            let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            let targets = open.filter_map(|entry| fs::read_link(entry.path()).ok());
            targets.into_iter().any(|target| target.to_string_lossy().starts_with("/dev/shm/#"))
        };
        let message = signal_while_filling(signal, &["posix", "a"], unnamed);
        assert!(message.contains("posix:/a was not created"), "{signal}: {message}");
        assert!(files(Path::new("/dev/shm")).is_empty(), "{signal}");
    }
}
