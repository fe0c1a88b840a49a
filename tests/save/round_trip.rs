//! Restored segments equal the saved ones.

use super::{directory, files, restore, save, segment, segments};
use crate::support::{NOBODY, Namespaces, Nobody, Object, SOON, SetOnDrop, Sysv, wait_until};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shmlens::act;
use shmlens::machine::real::RealMachine;
use shmlens::memory::{PageBuffer, Progress, Reader};
use shmlens::segment::{Facts, Segment, SegmentId};
use shmlens::sys::shm;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

const PAGE: u64 = 4096;

/// Returns the data extents of a segment with their bytes.
fn contents(segment: &Segment) -> Vec<(u64, Vec<u8>)> {
    let reader = Reader::open(&RealMachine, segment).unwrap();
    let size = reader.size().unwrap();
    let mut runs = vec![];
    let mut at = 0;
    while at < size {
        let extent = reader.extent_at(at, size - at).unwrap().unwrap();
        let end = extent.end.min(size);
        if extent.kind == shmlens::machine::ExtentKind::Data {
            let mut bytes = PageBuffer::default();
            let length = usize::try_from(end - at).unwrap();
            assert_eq!(reader.fill(&mut bytes, at, length).unwrap(), length);
            runs.push((at, bytes.to_vec()));
        }
        at = end;
    }
    runs
}

#[derive(Debug, Clone)]
struct Spec {
    size: u64,
    writes: Vec<(u64, Vec<u8>)>,
    mode: u32,
    uid: u32,
    gid: u32,
}

fn spec() -> impl Strategy<Value = Spec> {
    let write = (0u64..40 * PAGE, proptest::collection::vec(any::<u8>(), 1..9000));
    let writes = proptest::collection::vec(write, 0..6);
    (1u64..41 * PAGE, writes, 0u32..0o1000, 0u32..200_000, 0u32..200_000).prop_map(
        |(size, mut writes, mode, uid, gid)| {
            writes.retain(|(at, _)| *at < size);
            for (at, bytes) in &mut writes {
                bytes.truncate(usize::try_from(size - *at).unwrap());
            }
            Spec { size, writes, mode, uid, gid }
        },
    )
}

#[test]
fn objects_round_trip() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let name = proptest::collection::vec(any::<u8>(), 1..60).prop_map(|mut name| {
        name.retain(|byte| !matches!(byte, 0 | b'/'));
        if name.is_empty() || name == b"." || name == b".." { b"plain".to_vec() } else { name }
    });
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    let outcome = runner.run(&(spec(), name), |(spec, name)| {
        let object = Object::new(&name, spec.size, 0o600).owned_by(spec.uid, spec.gid);
        for (at, bytes) in &spec.writes {
            object.write(*at, bytes);
        }
        fs::set_permissions(object.path(), fs::Permissions::from_mode(spec.mode)).unwrap();
        let before = segment(&object.id());
        let (was, held) = (fs::metadata(object.path()).unwrap(), contents(&before));
        save(&before.id, &path);
        fs::remove_file(object.path()).unwrap();
        let restored = restore(&path);
        let after = segment(&restored.id);
        let stat = fs::metadata(object.path()).unwrap();
        prop_assert_eq!(&after.id, &before.id);
        prop_assert_eq!(
            (stat.len(), stat.blocks(), stat.mode(), stat.uid(), stat.gid()),
            (was.len(), was.blocks(), was.mode(), was.uid(), was.gid())
        );
        prop_assert_eq!((stat.mtime(), stat.mtime_nsec()), (was.mtime(), was.mtime_nsec()));
        prop_assert_eq!(contents(&after), held);
        fs::remove_file(&path).unwrap();
        Ok(())
    });
    outcome.unwrap();
    assert!(files(directory.path()).is_empty());
}

#[test]
fn sysv_segments_round_trip() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    let outcome = runner.run(&(spec(), any::<u32>()), |(spec, key)| {
        let sysv = Sysv::new(key, spec.size, 0o600);
        for (at, bytes) in &spec.writes {
            sysv.write(*at, bytes);
        }
        let sysv = sysv.owned_by(spec.uid, spec.gid);
        sysv.chmod(u16::try_from(spec.mode).unwrap());
        let before = segment(&sysv.id());
        let (was, held) = (shm::stat(sysv.shmid).unwrap(), contents(&before));
        save(&before.id, &path);
        drop(sysv);
        let restored = restore(&path);
        let SegmentId::Sysv(shmid) = restored.id else { panic!("{}", restored.id) };
        let again = Sysv { shmid: shmid.0 };
        let stat = shm::stat(again.shmid).unwrap();
        prop_assert_eq!(
            (stat.key, stat.size, stat.mode, stat.uid, stat.gid, stat.nattch),
            (was.key, was.size, was.mode, was.uid, was.gid, 0)
        );
        let after = segment(&restored.id);
        prop_assert_eq!(after.resident, before.resident);
        prop_assert_eq!(contents(&after), held);
        fs::remove_file(&path).unwrap();
        Ok(())
    });
    outcome.unwrap();
    assert!(segments().is_empty() && files(directory.path()).is_empty());
}

#[test]
fn sparse_4_tib_object_saves_to_a_small_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("sparse", 4 << 40, 0o600);
    for at in 0..16u64 {
        object.write(at << 38, &vec![7; 64 << 10]);
    }
    let started = Instant::now();
    save(&object.id(), &path);
    let length = fs::metadata(&path).unwrap().len();
    assert!(length < (1 << 20) + (8 << 10), "{length}");
    fs::remove_file(object.path()).unwrap();
    restore(&path);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let stat = fs::metadata(object.path()).unwrap();
    assert_eq!((stat.len(), stat.blocks() * 512), (4 << 40, 1 << 20));

    // The segment is larger than the memory that the kernel would reserve.
    let sysv = Sysv::unreserved(1 << 36, 0o600);
    sysv.write((1 << 36) - 5, b"hello");
    let path = directory.path().join("sysv");
    save(&sysv.id(), &path);
    drop(sysv);
    let restored = segment(&restore(&path).id);
    let SegmentId::Sysv(shmid) = restored.id else { panic!("{}", restored.id) };
    let _again = Sysv { shmid: shmid.0 };
    assert_eq!(restored.resident.unwrap().0, PAGE);
}

/// A `mincore` call per page would take minutes.
#[test]
fn root_saves_a_sparse_8_tib_sysv_segment_immediately() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let sysv = Sysv::unreserved(8 << 40, 0o600);
    for at in [0, 5 << 40, (8 << 40) - PAGE] {
        sysv.write(at, b"something");
    }
    let before = segment(&sysv.id());
    let started = Instant::now();
    let stored = save(&sysv.id(), &path);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert!(stored.length.0 < 20_000, "{}", stored.length);
    // A child forked by another test may have it attached until it execs.
    wait_until(SOON, || segment(&sysv.id()).sysv().unwrap().nattch == 0);
    assert_eq!(segment(&sysv.id()).resident, before.resident);
    let found = contents(&before);
    assert_eq!(found.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 5 << 40, (8 << 40) - PAGE]);
    drop(sysv);
    let restored = restore(&path);
    let now = segment(&restored.id);
    assert_eq!(contents(&now), found);
    let SegmentId::Sysv(shmid) = restored.id else { panic!() };
    shm::remove(shmid.0).unwrap();
}

#[test]
fn restore_never_touches_an_existing_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", 5000, 0o600);
    object.write(0, b"saved");
    save(&object.id(), &path);
    object.write(0, b"newer");
    let error = act::Actor::new(&RealMachine, &Progress::new()).restore(&path).unwrap_err().to_string();
    assert!(error.contains("the name is in use"), "{error}");
    assert_eq!(&fs::read(object.path()).unwrap()[..5], b"newer");
    // Directories, links and FIFOs occupy names too.
    fs::remove_file(object.path()).unwrap();
    std::os::unix::fs::symlink("/nowhere", object.path()).unwrap();
    assert!(act::Actor::new(&RealMachine, &Progress::new()).restore(&path).is_err());
    assert!(fs::symlink_metadata(object.path()).unwrap().is_symlink());

    let key = 0x4d2;
    let sysv = Sysv::new(key, 5000, 0o600);
    let file = directory.path().join("sysv");
    save(&sysv.id(), &file);
    let error = act::Actor::new(&RealMachine, &Progress::new()).restore(&file).unwrap_err().to_string();
    assert!(error.contains(&format!("sysv:{} has key 0x000004d2", sysv.shmid)), "{error}");
    assert_eq!(segments().len(), 1);

    // Saving never touches an existing file.
    let before = fs::read(&file).unwrap();
    let error =
        act::Actor::new(&RealMachine, &Progress::new()).save(&segment(&sysv.id()), &file).unwrap_err();
    assert!(error.to_string().contains("exists"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(files(directory.path()).len(), 2);
}

/// The kernel's table no longer has the key.
#[test]
fn segment_marked_after_the_survey_is_saved_with_its_key() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let sysv = Sysv::new(7, 5000, 0o600);
    sysv.write(0, b"hello");
    let shown = segment(&sysv.id());
    let attached = shm::Attachment::read_only(sysv.shmid).unwrap();
    shm::remove(sysv.shmid).unwrap();
    act::Actor::new(&RealMachine, &Progress::new()).save(&shown, &path).unwrap();
    drop(attached);
    let SegmentId::Sysv(shmid) = restore(&path).id else { panic!() };
    let again = Sysv { shmid: shmid.0 };
    assert_eq!(shm::stat(again.shmid).unwrap().key, 7);
}

#[test]
fn restored_object_appears_only_when_complete() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    let object = Object::new("a", 5000, 0o600).owned_by(1000, 7);
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o640)).unwrap();
    object.write(0, b"hello");
    save(&object.id(), &path);
    let facts = |stat: &fs::Metadata| (stat.len(), stat.blocks(), stat.mode(), stat.uid(), stat.gid());
    let whole = facts(&fs::metadata(object.path()).unwrap());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                if let Ok(stat) = fs::metadata(object.path()) {
                    assert_eq!(facts(&stat), whole);
                }
            }
        });
        let _over = SetOnDrop(&over);
        for _ in 0..300 {
            fs::remove_file(object.path()).unwrap();
            restore(&path);
        }
    });
}

#[test]
fn restore_recreates_directories_and_times() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let path = directory.path().join("file");
    fs::create_dir("/dev/shm/dir").unwrap();
    let object = Object::new("dir/a", 5000, 0o4751);
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    object.file.set_times(FileTimes::new().set_accessed(then).set_modified(then)).unwrap();
    save(&object.id(), &path);
    fs::remove_dir_all("/dev/shm/dir").unwrap();
    let error = act::Actor::new(&RealMachine, &Progress::new()).restore(&path).unwrap_err().to_string();
    assert!(error.contains("Create the directory"), "{error}");
    fs::create_dir("/dev/shm/dir").unwrap();
    restore(&path);
    let stat = fs::metadata(object.path()).unwrap();
    assert_eq!(
        (stat.mode() & 0o7777, stat.modified().unwrap(), stat.accessed().unwrap()),
        (0o751, then, then)
    );
}

#[test]
fn unprivileged_restore_reports_attributes_it_cannot_set() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let (path, sysv_path) = (directory.path().join("file"), directory.path().join("sysv"));
    let object = Object::new("a", 5000, 0o4660).owned_by(1000, 1000);
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o4660)).unwrap();
    save(&object.id(), &path);
    fs::remove_file(object.path()).unwrap();
    let sysv = Sysv::new(7, 5000, 0o640).owned_by(NOBODY, NOBODY);
    save(&sysv.id(), &sysv_path);
    drop(sysv);
    // nobody may lack access to the directory, so pass descriptors.
    let open = [&path, &sysv_path].map(|path| File::open(path).unwrap());
    let by_descriptor = open.each_ref().map(|file| {
        std::path::PathBuf::from(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file)))
    });
    for path in [&path, &sysv_path] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let nobody = Nobody::here();
    let [restored, again] = by_descriptor.map(|path| {
        let error = act::Actor::new(&RealMachine, &Progress::new()).restore(&path).unwrap_err();
        assert!(matches!(error, act::RestoreError::Unconfirmed { .. }), "{error}");
        act::SavedFile::open(&path)
            .unwrap()
            .restore(&act::Actor::new(&RealMachine, &Progress::new()))
            .unwrap()
    });
    drop(nobody);
    let stat = fs::metadata(object.path()).unwrap();
    assert_eq!((stat.uid(), stat.gid(), stat.mode() & 0o7777), (NOBODY, NOBODY, 0o660));
    let lost = restored.differences.join("\n");
    assert!(lost.contains("the owner is you instead of") && lost.contains("the group is yours"), "{lost}");
    let Facts::Sysv(facts) = segment(&again.id).facts else { panic!("{}", again.id) };
    assert_eq!((facts.key.0, facts.creator.uid), (7, NOBODY));
    let SegmentId::Sysv(shmid) = again.id else { panic!("{}", again.id) };
    drop(Sysv { shmid: shmid.0 });
}
