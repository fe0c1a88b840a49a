//! Killed at any moment: what is left is the segment or a whole copy, never half of one.

use super::{copies, directory, files, program, save, segments};
use crate::support::{Child, Object, SOON, Sysv, World};
use shmlens::act::archive::Reading;
use shmlens::machine::FILLING;
use shmlens::segment::SegmentId;
use shmlens::sys::shm;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const SIZE: usize = 2 << 20;
/// How many moments are tried.
const MOMENTS: u32 = 16;

fn bytes() -> Vec<u8> {
    (0..SIZE / 4).flat_map(|at| u32::try_from(at).unwrap().wrapping_mul(0x9e37_79b1).to_le_bytes()).collect()
}

/// Whether the file is a saved segment to its last byte.
fn is_whole(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let Ok(mut reading) = Reading::begin(file) else { return false };
    let mut buffer = vec![];
    loop {
        match reading.next(&mut buffer) {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Runs the command once to its end to see how long it takes, and then kills it
/// at moments from its beginning to its end. `prepare` comes before each run,
/// `check` behind it.
fn killed(command: &mut Command, mut prepare: impl FnMut(), mut check: impl FnMut(bool)) {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    prepare();
    let began = Instant::now();
    assert!(Child::spawn(command).wait(SOON).success(), "{command:?}");
    let whole = began.elapsed();
    check(true);
    for moment in 0..MOMENTS {
        prepare();
        let mut child = Child::spawn(command);
        // This is the moment that is tried, and nothing that is waited for.
        thread::sleep(whole * moment / MOMENTS);
        let ended = child.ended().is_some();
        child.end();
        check(ended);
    }
}

#[test]
fn a_save_that_is_killed_leaves_a_whole_file_or_none() {
    let Some(_world) = World::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", SIZE as u64, 0o600);
    object.write(0, &bytes());
    let mut command = program(&directory);
    command.arg("save").arg("/a").arg(&path);
    let prepare = || drop(fs::remove_file(&path));
    killed(&mut command, prepare, |ended| {
        assert!(is_whole(&path) || (!ended && !path.exists()));
        let left = files(directory.path());
        assert!(left.iter().all(|name| name == "file" || name == "state"), "{left:?}");
    });
    assert_eq!(fs::read(object.path()).unwrap(), bytes());
}

#[test]
fn a_restore_that_is_killed_makes_an_object_whole_or_not_at_all() {
    let Some(_world) = World::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", SIZE as u64, 0o600);
    object.write(0, &bytes());
    save(&object.id(), &path);
    let mut command = program(&directory);
    command.arg("restore").arg(&path);
    let prepare = || drop(fs::remove_file(object.path()));
    killed(&mut command, prepare, |ended| {
        match fs::read(object.path()) {
            Ok(found) => assert!(found == bytes()),
            Err(_) => assert!(!ended),
        }
        assert!(files(Path::new("/dev/shm")).len() <= 1 && is_whole(&path));
    });
}

/// Its key is there from the beginning, so a half-filled one may be left. It is
/// known as that, and mended.
#[test]
fn a_restore_of_a_sysv_segment_that_is_killed_is_mended() {
    let Some(_world) = World::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let sysv = Sysv::new(7, SIZE as u64, 0o666);
    sysv.write(0, &bytes());
    save(&sysv.id(), &path);
    drop(sysv);
    let mut command = program(&directory);
    command.arg("restore").arg(&path);
    let clear = || {
        for segment in segments() {
            let SegmentId::Sysv(shmid) = segment.id else { panic!("{}", segment.id) };
            drop(Sysv { shmid: shmid.0 });
        }
    };
    let (mut half, mut whole) = (0, 0);
    killed(&mut command, clear, |ended| {
        assert!(is_whole(&path));
        let left = segments();
        assert!(left.len() <= 1 && (!ended || left[0].mode.bits() == 0o666));
        let was_half = left.first().is_some_and(|segment| segment.mode == FILLING);
        if was_half {
            // Who restores again is told what is in the way.
            let again = program(&directory).arg("restore").arg(&path).output().unwrap();
            let told = String::from_utf8(again.stderr).unwrap();
            assert!(!again.status.success() && told.contains("rm --recover` to remove it"), "{told}");
        }
        if was_half {
            let refused = program(&directory).args(["--read-only", "rm", "--recover"]).output().unwrap();
            assert!(!refused.status.success() && segments().len() == 1, "{refused:?}");
        }
        let mended = program(&directory).args(["rm", "--recover"]).output().unwrap();
        assert!(mended.status.success(), "{mended:?}");
        assert_eq!(!mended.stdout.is_empty(), was_half, "{mended:?}");
        // What is there is whole, and what is not is not there.
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
        half += usize::from(was_half);
        let marks = fs::read_dir(directory.path().join("state/shmlens/restoring"));
        assert_eq!(marks.map_or(0, Iterator::count), 0);
    });
    eprintln!("{half} half-filled, {whole} whole");
    clear();
}

#[test]
fn a_removal_that_is_killed_leaves_the_segment_or_a_whole_copy() {
    let Some(_world) = World::new() else { return };
    let directory = directory();
    let mut command = program(&directory);
    command.args(["rm", "--yes", "--force", "/a"]);
    let prepare = || {
        for copy in copies(&directory) {
            fs::remove_file(copy).unwrap();
        }
        // A kill between the two steps of a removal leaves it under another name.
        for name in files(Path::new("/dev/shm")) {
            fs::remove_file(Path::new("/dev/shm").join(name)).unwrap();
        }
        fs::write("/dev/shm/a", bytes()).unwrap();
    };
    killed(&mut command, prepare, |ended| {
        let there = fs::read("/dev/shm/a").is_ok_and(|found| found == bytes());
        let copies = copies(&directory);
        assert!(copies.iter().all(|copy| is_whole(copy)) && copies.len() <= 1, "{copies:?}");
        // Killed after the last step it is removed too, and the copy is there.
        assert!((there || copies.len() == 1) && !(there && ended), "{there} {copies:?} {ended}");
    });
}

#[test]
fn ctrl_c_ends_it_and_leaves_nothing() {
    let Some(_world) = World::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", 1 << 40, 0o600);
    // So many runs that it takes a while.
    for at in 0..20_000u64 {
        object.write(at << 24, b"x");
    }
    let mut child = Child::spawn(
        program(&directory).arg("save").arg("/a").arg(&path).stdout(Stdio::null()).stderr(Stdio::piped()),
    );
    thread::sleep(Duration::from_millis(50));
    child.signal(nix::sys::signal::Signal::SIGINT);
    let status = child.wait(SOON);
    if status.success() {
        // It was done before.
        assert!(is_whole(&path));
    } else {
        assert!(!path.exists());
    }
    let left = files(directory.path());
    assert!(left.iter().all(|name| name == "file" || name == "state"), "{left:?}");
    assert!(object.path().exists());
}
