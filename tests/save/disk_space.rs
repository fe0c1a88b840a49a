//! Copies on a full disk. Only old copies that the plan lists are deleted.

use super::{copies, directory, program, run, segment, stdout_of};
use crate::support::{Namespaces, Object, Sysv};
use nix::mount::{MsFlags, mount, umount};
use shmlens::act::{self, ActError, Action, Copies, Copying, Options, StateDirectory};
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Bytes, SegmentId};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// The mount options of the state directory.
const STATE_MOUNT_OPTIONS: &str = "size=1m,mode=0700";
const LENGTH: usize = 300 << 10;

/// A state directory with three copies and no space for a fourth.
struct Disk {
    directory: TempDir,
    state: PathBuf,
    old: Vec<PathBuf>,
}

impl Disk {
    fn new() -> Self {
        let directory = directory();
        let state = directory.path().join("state");
        fs::create_dir(&state).unwrap();
        mount(Some("tmpfs"), &state, Some("tmpfs"), MsFlags::empty(), Some(STATE_MOUNT_OPTIONS)).unwrap();
        let mut disk = Self { directory, state, old: vec![] };
        for name in ["/a", "/b", "/c"] {
            let _object = object(name);
            stdout_of(&disk.directory, ["rm", "--yes", "--force", name]);
        }
        disk.old = disk.copies();
        assert_eq!(disk.old.len(), 3);
        disk
    }

    /// Returns the copies, oldest first.
    fn copies(&self) -> Vec<PathBuf> {
        copies(&self.directory)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount(&self.state);
    }
}

fn object(name: &str) -> Object {
    let object = Object::new(&name[1..], LENGTH as u64, 0o600);
    object.write(0, &vec![7; LENGTH]);
    object
}

#[test]
fn only_the_oldest_copies_named_in_the_plan_are_deleted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let disk = Disk::new();
    let objects = ["/d", "/e"].map(object);
    let plan = stdout_of(&disk.directory, ["rm", "--dry-run", "--force", "/d", "/e"]);
    let lines: Vec<&str> = plan.lines().filter(|line| line.contains("to free disk space")).collect();
    // Each plan accounts for the copies of the previous ones.
    assert!(lines[0].contains("the oldest copy (/a 300 KiB, saved "), "{plan}");
    assert!(lines[1].contains("the oldest copy (/b 300 KiB, saved "), "{plan}");
    assert_eq!(disk.copies(), disk.old);
    let done = stdout_of(&disk.directory, ["rm", "--yes", "--force", "/d"]);
    assert!(done.contains("1 older copy deleted to make room"), "{done}");
    assert!(!objects[0].path().exists());
    assert_eq!(disk.copies()[..2], disk.old[1..]);
    assert_eq!(disk.copies().len(), 3);
}

#[test]
fn no_copy_is_deleted_when_too_little_would_be_freed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let disk = Disk::new();
    // Hard links keep the data of two copies.
    for (index, old) in disk.old[..2].iter().enumerate() {
        fs::hard_link(old, disk.state.join(index.to_string())).unwrap();
    }
    let large = Object::new("large", 600 << 10, 0o600);
    large.write(0, &vec![7; 600 << 10]);
    for option in ["--dry-run", "--yes"] {
        let output = run(&disk.directory, ["rm", option, "--force", "/large"]);
        let message = [output.stdout, output.stderr].concat();
        let message = String::from_utf8(message).unwrap();
        assert!(message.contains("not enough disk space for a copy: 600 KiB of data"), "{message}");
        assert!(message.contains("--no-copy"), "{message}");
        assert!(!output.status.success() || option == "--dry-run");
    }
    assert!(large.path().exists());
    assert_eq!(disk.copies(), disk.old);
}

#[test]
fn old_copies_are_kept_when_the_last_check_fails() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let disk = Disk::new();
    let state = StateDirectory::at(disk.state.join("shmlens"));
    let plan = |id: &SegmentId| {
        let copies = Copies::new(state.clone(), Bytes(1 << 30));
        let plan = act::plan_with(
            &RealMachine,
            &segment(id),
            &Action::Remove(Copying::Keep),
            &Options { force: true, ..Options::default() },
            Some(&copies),
        );
        assert!(plan.effects.iter().any(|will| will.contains("to free disk space")), "{plan:?}");
        plan
    };
    let replaced = object("/d");
    let mut replaced_plan = plan(&replaced.id());
    fs::rename(replaced.path(), "/dev/shm/old").unwrap();
    let _new = object("/d");
    let result = act::apply(&RealMachine, &replaced_plan).result;
    assert!(matches!(result, Err(ActError::NotTheSame { .. })), "{result:?}");
    let sysv = Sysv::new(7, LENGTH as u64, 0o600);
    sysv.write(0, &vec![7; LENGTH]);
    replaced_plan = plan(&sysv.id());
    replaced_plan.options.force = false;
    let _attached = shmlens::sys::shm::Attachment::read_only(sysv.shmid).unwrap();
    let result = act::apply(&RealMachine, &replaced_plan).result;
    assert!(matches!(result, Err(ActError::InUseNow { .. })), "{result:?}");
    // A copy that the plan did not list is kept, although less space is left now.
    let later = object("/f");
    let later_plan = plan(&later.id());
    fs::write(disk.state.join("others"), vec![7; 108 << 10]).unwrap();
    let result = act::apply(&RealMachine, &later_plan).result;
    assert!(matches!(result, Err(ActError::NotKept { .. })), "{result:?}");
    assert!(later.path().exists());
    assert_eq!(disk.copies(), disk.old);
}

#[test]
fn batch_never_deletes_its_own_copies_for_space() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let disk = Disk::new();
    let names = ["/d", "/e", "/f", "/g", "/h"];
    let objects = names.map(object);
    let arguments = |option: &'static str| [&["rm", option, "--force"][..], &names].concat();
    let predicted = program(&disk.directory).args(arguments("--dry-run")).output().unwrap();
    let predicted = String::from_utf8(predicted.stdout).unwrap();
    assert!(predicted.contains("posix:/g, posix:/h: not removed: not enough disk space"), "{predicted}");
    let output = program(&disk.directory).args(arguments("--yes")).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(message.contains("posix:/g, posix:/h: not enough disk space"), "{message}");
    // Each removed segment has a copy.
    assert_eq!(objects.iter().filter(|object| object.path().exists()).count(), 2);
    let copies = disk.copies();
    let saved = copies.iter().map(|copy| act::read_metadata(copy).unwrap().name.id().to_string());
    assert_eq!(saved.collect::<Vec<_>>(), ["posix:/d", "posix:/e", "posix:/f"]);
}
