//! Races: segments are replaced between the plan and the change, and during the change. Only the
//! planned segment may change.

use super::{FORCE, REMOVE, find_segment, plan_action, set_mode};
use crate::support::{NOBODY, Namespaces, Object, SetOnDrop, Sysv};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use shmlens::act::{self, ActError, Action, Options, OwnerChange};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Names, Survey};
use shmlens::sys::shm;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const NAME: &str = "/dev/shm/name";
const OTHER: &str = "/dev/shm/other";
/// The time limit of a race.
const TIME_LIMIT: Duration = Duration::from_secs(10);

fn actions() -> [Action; 3] {
    [set_mode(0o604), Action::SetOwner(OwnerChange { uid: Some(NOBODY), gid: Some(NOBODY) }), REMOVE]
}

/// Returns attributes that must not change.
fn facts(file: &File) -> (u32, u32, u32, u64, u64, i64, i64) {
    let facts = file.metadata().unwrap();
    (facts.mode(), facts.uid(), facts.gid(), facts.size(), facts.nlink(), facts.ctime(), facts.ctime_nsec())
}

#[test]
fn act_refuses_an_object_replaced_after_the_plan() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let outside = tempfile::NamedTempFile::new().unwrap();
    for action in actions() {
        for replacement in ["link", "object", "directory", "gone"] {
            let object = Object::new("name", 10, 0o600);
            let plan = plan_action(&object.id(), &action);
            fs::rename(NAME, OTHER).unwrap();
            let new = match replacement {
                "link" => symlink(outside.path(), NAME).map(|()| None).unwrap(),
                "object" => Some(File::create_new(NAME).unwrap()),
                "directory" => fs::create_dir(NAME).map(|()| None).unwrap(),
                _ => None,
            };
            let files: Vec<&File> = [&object.file, outside.as_file()].into_iter().chain(&new).collect();
            let before: Vec<_> = files.iter().map(|file| facts(file)).collect();
            let error = act::apply(&RealMachine, &plan).result.unwrap_err();
            let expected = match replacement {
                "gone" => matches!(error, ActError::Gone { .. }),
                _ => matches!(error, ActError::NotTheSame { .. }),
            };
            assert!(expected, "{replacement}: {error}");
            assert_eq!(files.iter().map(|file| facts(file)).collect::<Vec<_>>(), before, "{replacement}");
            assert_eq!(fs::symlink_metadata(NAME).is_ok(), replacement != "gone");
            let _ = fs::remove_dir(NAME).or_else(|_| fs::remove_file(NAME));
            fs::remove_file(OTHER).unwrap();
        }
    }
}

#[test]
fn act_refuses_a_directory_replaced_by_a_link() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir("/dev/shm/dir").unwrap();
    let object = Object::new("dir/name", 10, 0o600);
    // An object reached through a symbolic link is refused, even if it is the same object.
    for action in actions() {
        let plan = plan_action(&object.id(), &action);
        fs::rename("/dev/shm/dir", "/dev/shm/moved").unwrap();
        symlink("/dev/shm/moved", "/dev/shm/dir").unwrap();
        let before = facts(&object.file);
        let error = act::apply(&RealMachine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
        assert_eq!(facts(&object.file), before);
        fs::remove_file("/dev/shm/dir").unwrap();
        fs::rename("/dev/shm/moved", "/dev/shm/dir").unwrap();
    }
    drop(outside);
}

#[test]
fn act_refuses_a_reused_key_and_shmid() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let lock = Action::Lock;
    for action in [&set_mode(0o604), &lock, &REMOVE] {
        let old = Sysv::new(0x4d2, 4096, 0o600);
        let plan = plan_action(&old.id(), action);
        shm::remove(old.shmid).unwrap();
        // Create another segment with the same key.
        let new = Sysv::new(0x4d2, 4096, 0o600);
        let before = shm::stat(new.shmid).unwrap();
        let error = act::apply(&RealMachine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::Gone { .. }), "{error}");
        assert_eq!(shm::stat(new.shmid).unwrap(), before);
        drop(new);
        // Create another segment with the same shmid.
        let new = create_with_shmid(old.shmid, 0x4d3, 4096);
        let before = shm::stat(new.shmid).unwrap();
        let error = act::apply(&RealMachine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
        assert_eq!(shm::stat(new.shmid).unwrap(), before);
    }
}

/// Creates a segment with this unused shmid.
#[track_caller]
fn create_with_shmid(shmid: i32, key: u32, size: u64) -> Sysv {
    fs::write("/proc/sys/kernel/shm_next_id", shmid.to_string()).unwrap();
    let new = Sysv::new(key, size, 0o600);
    assert_eq!(new.shmid, shmid);
    new
}

/// Runs `apply` at least `least` times while another thread runs `swap`. Both get the number of the
/// round.
fn race(least: u32, mut apply: impl FnMut(u32), swap: impl Fn(u32) + Send + Sync) {
    race_until(
        least,
        |round| {
            apply(round);
            true
        },
        swap,
    );
}

/// Like [`race`], but continues until `apply` returns true.
fn race_until(least: u32, mut apply: impl FnMut(u32) -> bool, swap: impl Fn(u32) + Send + Sync) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !over.load(Ordering::Relaxed) {
                swap(round);
                round += 1;
            }
        });
        let _over = SetOnDrop(&over);
        let start = Instant::now();
        for round in 0.. {
            if start.elapsed() > TIME_LIMIT {
                eprintln!("only {round} of {least} rounds");
                break;
            }
            if apply(round) && round + 1 >= least {
                break;
            }
        }
    });
}

fn exchange(a: &str, b: &str) {
    // One of the names may be missing temporarily.
    let _ = renameat2(AT_FDCWD, a, AT_FDCWD, b, RenameFlags::RENAME_EXCHANGE);
}

#[test]
fn change_never_reaches_a_swapped_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let outside = tempfile::NamedTempFile::new().unwrap();
    let link = "/dev/shm/link";
    symlink(outside.path(), link).unwrap();
    let planned_object = Object::new("name", 10, 0o600);
    let other = Object::new("other", 10, 0o600);
    let before = (facts(outside.as_file()), other.file.metadata().unwrap().mode());
    let mut shown = find_segment(&planned_object.id());
    let (mut done, mut not) = (0, 0);
    race(
        4000,
        |round| {
            let wanted = 0o600 | (round % 8);
            shown.mode = shmlens::segment::Mode::new(0o600);
            let action = if round % 2 == 0 {
                set_mode(wanted)
            } else {
                Action::SetOwner(OwnerChange { uid: Some(round % 100), gid: Some(7) })
            };
            let plan = act::plan(&RealMachine, &shown, &action, &FORCE);
            match act::apply(&RealMachine, &plan).result {
                Ok(_) => done += 1,
                Err(ActError::NotTheSame { .. } | ActError::Gone { .. }) => not += 1,
                Err(error) => panic!("{error}"),
            }
        },
        |round| exchange(NAME, if round % 2 == 0 { OTHER } else { link }),
    );
    eprintln!("changed {done} times, refused {not} times");
    assert!(done > 0 && not > 0, "{done} {not}");
    let outside_now = facts(outside.as_file());
    assert_eq!(outside_now, before.0);
    let facts = other.file.metadata().unwrap();
    assert_eq!((facts.mode(), facts.uid(), facts.gid(), facts.nlink()), (before.1, 0, 0, 1));
}

#[test]
fn remove_never_deletes_a_swapped_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let outside = tempfile::NamedTempFile::new().unwrap();
    let before = facts(outside.as_file());
    let others = Path::new("/dev/shm/others");
    fs::create_dir(others).unwrap();
    // Descriptors of the objects that were never planned.
    let created = std::sync::Mutex::new(Vec::<File>::new());
    let (mut removed, mut refused, mut not_restored) = (0, 0, 0);
    race(
        3000,
        |_| {
            // Create it under another name, then exchange it with the current object, which is
            // kept.
            let ours = "/dev/shm/fresh";
            let file = File::create_new(ours).unwrap();
            if renameat2(AT_FDCWD, ours, AT_FDCWD, NAME, RenameFlags::RENAME_NOREPLACE).is_err() {
                exchange(ours, NAME);
                let target = others.join(format!("{:x}", file.metadata().unwrap().ino()));
                match fs::symlink_metadata(ours) {
                    Ok(now) if now.ino() != file.metadata().unwrap().ino() => {
                        fs::rename(ours, target).unwrap();
                    }
                    // The name is missing: skip this round.
                    _ => return drop(fs::remove_file(ours)),
                }
            }
            let stat = file.metadata().unwrap();
            let mut segment = stat_segment("name");
            let Some(segment) = segment
                .as_mut()
                .filter(|segment| segment.posix().is_some_and(|facts| facts.inode == stat.ino()))
            else {
                // The other thread has exchanged it since the survey.
                created.lock().unwrap().push(file);
                return;
            };
            let plan = act::plan(&RealMachine, segment, &REMOVE, &FORCE);
            match act::apply(&RealMachine, &plan).result {
                Ok(_) => {
                    removed += 1;
                    assert_eq!(file.metadata().unwrap().nlink(), 0);
                    return;
                }
                Err(ActError::NotTheSame { .. } | ActError::Gone { .. }) => refused += 1,
                Err(ActError::NotMovedBack { .. }) => not_restored += 1,
                Err(error) => panic!("{error}"),
            }
            assert_eq!(file.metadata().unwrap().nlink(), 1, "a refused removal removed the object");
            created.lock().unwrap().push(file);
        },
        |round| {
            if round % 3 == 2 {
                exchange(NAME, OTHER);
                return;
            }
            // Put a new object, or a link out of the directory, in place of the name.
            let kept = others.join(format!("s{round}"));
            let _ = renameat2(AT_FDCWD, NAME, AT_FDCWD, &kept, RenameFlags::RENAME_NOREPLACE);
            if round % 3 == 1 {
                let _ = symlink(outside.path(), NAME);
            } else if let Ok(file) = File::create_new(NAME) {
                created.lock().unwrap().push(file);
            }
        },
    );
    eprintln!("removed {removed}, refused {refused}, astray {not_restored}");
    assert!(removed > 0 && refused > 0, "{removed} {refused}");
    assert_eq!(facts(outside.as_file()), before);
    for file in created.into_inner().unwrap() {
        assert_eq!(file.metadata().unwrap().nlink(), 1, "an object that was not planned is gone");
    }
}

/// Returns the object as in a survey, without surveying others.
fn stat_segment(name: &str) -> Option<shmlens::segment::Segment> {
    use shmlens::machine::Machine as _;
    use shmlens::segment::{Facts, ObjectName, PosixFacts, SegmentId};
    let name = ObjectName::new(name.as_bytes()).unwrap();
    let stat = RealMachine.stat_object(&name).ok()?;
    let mut segment = template();
    segment.id = SegmentId::Posix(name);
    segment.times.birth = stat.birth;
    segment.facts =
        Facts::Posix(PosixFacts { device: stat.device, inode: stat.inode, links: 1, unlinked: None });
    Some(segment)
}

/// Returns a POSIX segment as in a survey, to be filled in.
fn template() -> shmlens::segment::Segment {
    thread_local!(static SHOWN: shmlens::segment::Segment = {
        let object = Object::new("template", 0, 0o600);
        find_segment(&object.id())
    });
    SHOWN.with(Clone::clone)
}

#[test]
fn remove_never_deletes_a_reused_shmid() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let shmid = Sysv::new(0x4d2, 4096, 0o600).shmid;
    let (mut removed, mut not) = (0, 0);
    let turn = AtomicBool::new(true);
    race_until(
        4000,
        |_| {
            let survey = Survey::take(&RealMachine, &mut Names::default());
            if let Some(segment) = survey.segments.iter().find(|segment| segment.size.0 == 4096) {
                let plan = act::plan(&RealMachine, segment, &REMOVE, &FORCE);
                match act::apply(&RealMachine, &plan).result {
                    Ok(_) => removed += 1,
                    Err(_) => not += 1,
                }
            }
            // The scheduler decides if the shmid is reused between the plan and the change.
            // On a single processor this can take a while.
            removed > 0 && not > 0
        },
        |_| {
            // Create the planned segment, then another one with its shmid.
            let planned = turn.fetch_xor(true, Ordering::Relaxed);
            let _ = fs::write("/proc/sys/kernel/shm_next_id", shmid.to_string());
            let Ok(new_shmid) =
                shm::create(if planned { 0x4d2 } else { 0x999 }, if planned { 4096 } else { 99 }, 0o600)
            else {
                return;
            };
            if new_shmid != shmid || planned {
                thread::yield_now();
                let _ = shm::remove(new_shmid);
                return;
            }
            thread::yield_now();
            let stat = shm::stat(new_shmid).unwrap_or_else(|error: io::Error| {
                panic!("a segment that was not planned was removed: {error}")
            });
            assert_eq!((stat.key, stat.mode), (0x999, 0o600), "a segment that was not planned was changed");
            shm::remove(new_shmid).unwrap();
        },
    );
    eprintln!("removed {removed} times, refused {not} times");
    assert!(removed > 0 && not > 0, "{removed} {not}");
}

/// The options of `rm` for thousands of segments, which it does not attach.
const BULK: Options = Options { force: true, read_only: false, bulk: true, links_removed: 0, clean: false };

#[test]
fn batch_remove_refuses_a_reused_shmid() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let old = Sysv::new(0x4d2, 4096, 0o600);
    let plan = act::plan(&RealMachine, &find_segment(&old.id()), &REMOVE, &BULK);
    shm::remove(old.shmid).unwrap();
    let error = act::apply(&RealMachine, &plan).result.unwrap_err();
    assert!(matches!(error, ActError::Gone { .. }), "{error}");
    let new = create_with_shmid(old.shmid, 0x4d3, 4096);
    let before = shm::stat(new.shmid).unwrap();
    let error = act::apply(&RealMachine, &plan).result.unwrap_err();
    assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
    assert_eq!(shm::stat(new.shmid).unwrap(), before);
}

#[test]
fn batch_remove_leaves_segments_created_meanwhile() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for _ in 0..20 {
        let planned: Vec<Sysv> = (0..100).map(|_| Sysv::new(0, 4096, 0o600)).collect();
        let survey = Survey::take(&RealMachine, &mut Names::default());
        let plan = |segment| act::plan(&RealMachine, segment, &REMOVE, &BULK);
        let plans: Vec<_> = survey.segments.iter().map(plan).collect();
        assert_eq!(plans.len(), planned.len());
        let others = std::sync::Mutex::new(Vec::new());
        let mut gone = 0;
        let mut next = plans.iter();
        race(
            100,
            |_| {
                let Some(plan) = next.next() else { return };
                match act::apply(&RealMachine, plan).result {
                    Ok(_) => {}
                    Err(ActError::Gone { .. } | ActError::NotTheSame { .. }) => gone += 1,
                    Err(error) => panic!("{error}"),
                }
            },
            |round| {
                // Another thread removes the last segments and reuses their slots.
                let index = planned.len().saturating_sub(1 + round as usize);
                let _ = shm::remove(planned[index].shmid);
                if round < 300 {
                    others.lock().unwrap().push(Sysv::new(0, 4096, 0o640));
                }
            },
        );
        // Only the planned segments are gone.
        for planned in &planned {
            assert!(shm::stat(planned.shmid).is_err());
        }
        for other in others.lock().unwrap().iter() {
            assert_eq!(shm::stat(other.shmid).unwrap().mode, 0o640);
        }
        drop(others);
        eprintln!("{gone} of {} were removed earlier", planned.len());
        // Other segments have their shmids now.
        planned.into_iter().for_each(std::mem::forget);
    }
}
