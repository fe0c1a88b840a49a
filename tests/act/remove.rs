//! Removals, and refused removals.

use super::{REMOVE, carry_out, find_segment, plan_action};
use crate::support::{NOBODY, Namespaces, Nobody, Object, SOON, Sysv, shmlens, wait_until};
use shmlens::act::{self, ActError, Options};
use shmlens::machine::real::RealMachine;
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::time::{Duration, SystemTime};

#[test]
fn removed_segments_live_until_the_last_holder_exits() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 5000, 0o600);
    carry_out(&sysv.id(), &REMOVE).unwrap();
    assert!(shm::stat(sysv.shmid).is_err());

    let held = Sysv::new(0x4d2, 5000, 0o600);
    let attached = shm::Attachment::read_write(held.shmid).unwrap();
    let done = carry_out(&held.id(), &REMOVE).unwrap();
    assert!(
        done.messages[0].contains("marked for removal")
            && done.messages[0].contains("its only attachment detaches"),
        "{done:?}"
    );
    let facts = shm::stat(held.shmid).unwrap();
    assert_eq!((facts.mode, facts.nattch, facts.key), (0o1600, 1, 0));
    // A marked segment cannot be removed again.
    let error = carry_out(&held.id(), &REMOVE).unwrap_err().to_string();
    assert!(error.contains("already removed"), "{error}");
    drop(attached);
    assert!(shm::stat(held.shmid).is_err());

    let object = Object::new("object", 5000, 0o600);
    carry_out(&object.id(), &REMOVE).unwrap();
    assert!(!object.path().exists());
    assert_eq!(object.file.metadata().unwrap().nlink(), 0);
    object.write(0, b"still there for who has it open");
}

#[test]
fn remove_of_a_possibly_held_segment_needs_force() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 5000, 0o600);
    let attached = shm::Attachment::read_only(sysv.shmid).unwrap();
    let object = Object::new("object", 5000, 0o600);
    for id in [sysv.id(), object.id()] {
        let plan = act::plan(&RealMachine, &find_segment(&id), &REMOVE, &Options::default());
        let error = act::apply(&RealMachine, &plan).result.unwrap_err().to_string();
        assert!(error.contains("--force"), "{error}");
    }
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o600);
    assert!(object.path().exists());
    drop(attached);
    // Attach the segment after the plan.
    let plan = act::plan(&RealMachine, &find_segment(&sysv.id()), &REMOVE, &Options::default());
    let attached = shm::Attachment::read_only(sysv.shmid).unwrap();
    assert!(act::apply(&RealMachine, &plan).result.unwrap_err().to_string().contains("attached once"));
    assert_eq!(shm::stat(sysv.shmid).unwrap().mode, 0o600);
    drop(attached);
    act::apply(&RealMachine, &plan).result.unwrap();
}

#[test]
fn only_the_owner_may_remove() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let foreign = [Sysv::new(0, 5000, 0o666).id(), Object::new("foreign", 5000, 0o666).id()];
    let foreign_sysv = Sysv::new(0, 5000, 0o666);
    let foreign_object = Object::new("theirs", 5000, 0o666);
    drop(foreign);
    // Not even the owner can read this segment.
    let own = Sysv::new(0, 5000, 0).owned_by(NOBODY, NOBODY);
    let own_object = Object::new("own", 5000, 0).owned_by(NOBODY, NOBODY);
    let plans = [foreign_sysv.id(), foreign_object.id()].map(|id| plan_action(&id, &REMOVE));
    let nobody = Nobody::here();
    for plan in plans {
        let error = act::apply(&RealMachine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::Denied { .. }), "{error}");
    }
    carry_out(&own.id(), &REMOVE).unwrap();
    carry_out(&own_object.id(), &REMOVE).unwrap();
    drop(nobody);
    assert!(shm::stat(foreign_sysv.shmid).is_ok() && foreign_object.path().exists());
    assert!(shm::stat(own.shmid).is_err() && !own_object.path().exists());
}

#[test]
fn remove_never_deletes_a_directory() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("name", 10, 0o600);
    let plan = plan_action(&object.id(), &REMOVE);
    fs::remove_file(object.path()).unwrap();
    fs::create_dir(object.path()).unwrap();
    let error = act::apply(&RealMachine, &plan).result.unwrap_err();
    assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
    fs::remove_dir(object.path()).unwrap();
}

#[test]
fn remove_reports_other_names_of_the_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("name", 10, 0o600);
    fs::hard_link(object.path(), "/dev/shm/other").unwrap();
    let done = carry_out(&object.id(), &REMOVE).unwrap();
    assert!(done.messages[1].contains("1 other hard link remains"), "{done:?}");
    assert!(fs::exists("/dev/shm/other").unwrap() && !object.path().exists());
}

#[test]
fn recover_completes_a_killed_removal() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::create_dir("/dev/shm/dir").unwrap();
    let prefix = "shmlens-removing-0123456789abcdef-";
    let (one, two) = (format!("dir/{prefix}one"), format!("{prefix}two"));
    let objects = [Object::new(&one, 10, 0o600), Object::new(&two, 10, 0o600)];
    let taken = Object::new("two", 10, 0o600);
    let other = Object::new("other", 10, 0o600);
    let run = |arguments: &[&str]| {
        let output = shmlens().args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    // The object is too new: a removal may be in progress.
    let (status, stdout, stderr) = run(&["rm", "--recover"]);
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_eq!(stderr.matches("may still be in progress. Try again").count(), 2, "{stderr}");
    wait_until(SOON, || {
        let (_, _, stderr) = run(&["rm", "--dry-run", "--no-copy", "--force", "other"]);
        stderr.contains("removal of posix:/dir/one") && stderr.contains("shmlens rm --recover")
    });
    // The dry run matches the real one, including a name that is taken.
    let (status, stdout, stderr) = run(&["rm", "--recover", "--dry-run"]);
    assert_eq!((status, stdout.lines().count()), (Some(1), 1), "{stdout}");
    assert!(stdout.contains("renames it back to posix:/dir/one"), "{stdout}");
    assert!(stderr.contains("posix:/two already exists"), "{stderr}");
    let (status, stdout, stderr) = run(&["--read-only", "rm", "--recover"]);
    assert_eq!(
        (status, stdout.as_str(), stderr.matches("(read-only)").count()),
        (Some(1), "", 1),
        "{stderr}"
    );
    assert!(objects.iter().all(|object| object.path().exists()));
    let (status, stdout, stderr) = run(&["rm", "--recover"]);
    assert_eq!(status, Some(1), "{stderr}");
    assert!(stdout.starts_with("posix:/dir/one: renamed back from"), "{stdout}");
    assert!(stderr.contains("posix:/two already exists"), "{stderr}");
    let inode = |path: &str| fs::metadata(path).unwrap().ino();
    assert_eq!(inode("/dev/shm/dir/one"), objects[0].file.metadata().unwrap().ino());
    assert_eq!(inode("/dev/shm/two"), taken.file.metadata().unwrap().ino());
    assert!(objects[1].path().exists() && other.path().exists());
}

#[test]
fn recover_reports_when_there_is_nothing_to_do() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let output = shmlens().args(["rm", "--recover"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(output.stdout, b"nothing to recover\n");
    let output = shmlens().args(["rm", "--recover", "--json"]).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
}

#[test]
fn recover_renames_a_planted_leftover_only_by_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let name = "shmlens-removing-0123456789abcdef-victim";
    let planted = Object::new(name, 10, 0o666).owned_by(NOBODY, NOBODY);
    // Root left this behind when it removed an object of another user with a long name.
    let long = "x".repeat(255);
    fs::create_dir("/dev/shm/shmlens-removing-fedcba9876543210").unwrap();
    let own =
        Object::new(format!("shmlens-removing-fedcba9876543210/{long}"), 10, 0o600).owned_by(NOBODY, NOBODY);
    // This directory belongs to another user.
    fs::create_dir("/dev/shm/shmlens-removing-0000000000000000").unwrap();
    chown("/dev/shm/shmlens-removing-0000000000000000", Some(NOBODY), Some(NOBODY)).unwrap();
    let foreign = Object::new("shmlens-removing-0000000000000000/passwd", 10, 0o600).owned_by(NOBODY, NOBODY);
    let run = |arguments: &[&str]| {
        let output = shmlens().args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    wait_until(SOON, || {
        let (_, _, stderr) = run(&["rm", "--dry-run", "--no-copy", "--force", &format!("/{name}")]);
        assert!(!stderr.contains("victim is left") && !stderr.contains("passwd"), "{stderr}");
        stderr.contains(&long)
    });
    let (status, stdout, stderr) = run(&["rm", "--recover"]);
    assert_eq!(status, Some(1), "{stdout} {stderr}");
    assert!(stdout.contains(&format!("posix:/{long}: renamed back")), "{stdout}");
    assert!(stderr.contains("belongs to nobody, who may have chosen that name. Not renamed"), "{stderr}");
    assert!(planted.path().exists() && foreign.path().exists() && !own.path().exists());
    assert!(fs::exists(format!("/dev/shm/{long}")).unwrap());
    assert!(!fs::exists("/dev/shm/shmlens-removing-fedcba9876543210").unwrap());
    let (status, stdout, stderr) = run(&["rm", "--recover", &format!("/{name}")]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stdout.starts_with("posix:/victim: renamed back"), "{stdout}");
    assert!(foreign.path().exists());
}

#[test]
fn foreign_objects_and_long_names_are_removed_completely() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let long = "x".repeat(255);
    let objects =
        [Object::new("object_of_nobody", 10, 0o600).owned_by(NOBODY, NOBODY), Object::new(&long, 10, 0o600)];
    for object in &objects {
        carry_out(&object.id(), &REMOVE).unwrap();
    }
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);
}

#[test]
fn remove_deletes_empty_directories_of_killed_removals() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let path = |digit: char| format!("/dev/shm/shmlens-removing-{}", String::from(digit).repeat(16));
    let aged = |digit: char| {
        let path = path(digit);
        fs::create_dir(&path).unwrap();
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        fs::File::open(&path).unwrap().set_modified(hour_ago).unwrap();
    };
    let run = |arguments: &[&str]| {
        let output = shmlens().args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    aged('0');
    // The directory is too new: a removal may be about to use it.
    fs::create_dir(path('1')).unwrap();
    fs::create_dir(path('2')).unwrap();
    let _inside = Object::new("shmlens-removing-2222222222222222/inside", 10, 0o600);
    aged('3');
    chown(path('3'), Some(NOBODY), Some(NOBODY)).unwrap();
    let subject = format!("posix:{}", path('0').strip_prefix("/dev/shm").unwrap());
    let (_, stdout, _) = run(&["rm", "--recover", "--dry-run"]);
    assert!(stdout.contains(&format!("{subject}: removes this empty directory")), "{stdout}");
    let (_, _, stderr) = run(&["--read-only", "rm", "--recover"]);
    assert!(stderr.contains(&format!("{subject}: changes are disabled")), "{stderr}");
    assert!(fs::exists(path('0')).unwrap());
    let (_, stdout, stderr) = run(&["rm", "--recover"]);
    assert!(stdout.contains(&format!("{subject}: removed: empty directory")), "{stdout}{stderr}");
    let left = || ['0', '1', '2', '3'].map(|digit| fs::exists(path(digit)).unwrap());
    assert_eq!(left(), [false, true, true, true]);
    // Every removal deletes them.
    for command in [&["rm", "--yes", "--no-copy", "/gone"][..], &["clean", "--yes", "--no-copy"]] {
        aged('0');
        run(command);
        assert_eq!(left(), [false, true, true, true], "{command:?}");
    }
}
