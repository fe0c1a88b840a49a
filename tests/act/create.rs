//! Segment creation. An existing segment is never touched.

use crate::support::{
    NOBODY, Namespaces, Object, SetOnDrop, Sysv, as_nobody, shmlens, skip_for_kernel, tool,
};
use nix::mount::MsFlags;
use shmlens::act::{self, ActError, NewSegment, Options, Source};
use shmlens::machine::control::NewSysv;
use shmlens::machine::real::RealMachine;
use shmlens::machine::{Machine as _, sysv_table};
use shmlens::segment::{Bytes, Key, Mode, ObjectName, SegmentId};
use shmlens::sys::shm;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, symlink};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn create(arguments: &str) -> Output {
    shmlens().arg("create").args(arguments.split_whitespace()).output().unwrap()
}

#[track_caller]
fn create_segment(arguments: &str) -> String {
    let output = create(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{arguments}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn create_refused(arguments: &str, status: i32) -> String {
    let output = create(arguments);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments}: {stderr}");
    assert!(output.stdout.is_empty() && !stderr.contains("os error"), "{stderr}");
    stderr
}

/// Parses the shmid at the start of the output.
fn shmid(message: &str) -> i32 {
    message.strip_prefix("sysv:").and_then(|rest| rest.split_once(':')).unwrap().0.parse().unwrap()
}

#[test]
fn create_ignores_the_umask() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let shmid = shmid(&create_segment("sysv --key 0x4d2 --size 1M --mode 0666"));
    let facts = shm::stat(shmid).unwrap();
    assert_eq!((facts.key, facts.size, facts.mode, facts.nattch), (0x4d2, 1 << 20, 0o666, 0));
    create_segment("posix /name --size 5000 --mode 0666");
    let facts = fs::metadata("/dev/shm/name").unwrap();
    assert_eq!((facts.size(), facts.mode() & 0o7777, facts.blocks()), (5000, 0o666, 0));
    shm::remove(shmid).unwrap();
}

#[test]
fn create_leaves_an_existing_segment_unchanged() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    let object = Object::new("name", 4096, 0o600);
    let outside = tempfile::NamedTempFile::new().unwrap();
    symlink(outside.path(), "/dev/shm/link").unwrap();
    fs::create_dir("/dev/shm/dir").unwrap();
    let before = (shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec());
    for arguments in
        ["sysv --key 1234 --size 1", "posix name --size 1", "posix link --size 1", "posix dir --size 1"]
    {
        assert!(create_refused(arguments, 1).contains("is in use"), "{arguments}");
    }
    assert_eq!((shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec()), before);
    assert_eq!(outside.as_file().metadata().unwrap().size(), 0);
}

#[test]
fn create_refuses_a_name_taken_after_the_plan() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (size, mode) = (Bytes(10), Mode::new(0o666));
    let object =
        NewSegment::Posix { name: ObjectName::new(b"name").unwrap(), size, mode, source: Source::Nothing };
    let sysv = NewSysv { key: Key(0x4d2), size, mode, huge: false, no_reserve: false };
    let [object, sysv] = [object, NewSegment::Sysv(sysv, Source::Nothing)].map(|new| {
        let plan = act::plan_create(&RealMachine, &new, &Options::default());
        assert_eq!(plan.refusal, None);
        plan
    });
    let expect_exists = |plan| {
        let error = act::apply(&RealMachine, plan).result.unwrap_err();
        assert!(matches!(error, ActError::Exists { .. }), "{error}");
    };
    let there = Object::new("name", 4096, 0o600);
    let before = there.file.metadata().unwrap();
    expect_exists(&object);
    let now = there.file.metadata().unwrap();
    assert_eq!((now.size(), now.mode(), now.nlink()), (4096, before.mode(), 1));
    assert_eq!(now.ctime_nsec(), before.ctime_nsec());
    drop(there);
    let outside = tempfile::tempdir().unwrap();
    symlink(outside.path().join("file"), "/dev/shm/name").unwrap();
    expect_exists(&object);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
    let there = Sysv::new(0x4d2, 4096, 0o600);
    let before = shm::stat(there.shmid).unwrap();
    expect_exists(&sysv);
    assert_eq!(shm::stat(there.shmid).unwrap(), before);
}

#[test]
fn create_from_a_file_keeps_holes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
    file.write_all(b"beginning").unwrap();
    file.as_file().write_all_at(b"end", 8 << 20).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    create_segment(&format!("posix filled --from {path} --mode 0400"));
    assert!(fs::read("/dev/shm/filled").unwrap() == fs::read(&path).unwrap());
    let facts = fs::metadata("/dev/shm/filled").unwrap();
    assert_eq!((facts.blocks(), facts.mode() & 0o7777), (file.as_file().metadata().unwrap().blocks(), 0o400));
    let shmid = shmid(&create_segment(&format!("sysv --from {path} --size 9M --mode 0040")));
    let attached = shm::Attachment::read_only(shmid).unwrap();
    let mut bytes = [0; 3];
    assert_eq!(attached.copy_to(8 << 20, &mut bytes), 3);
    let facts = shm::stat(shmid).unwrap();
    assert_eq!((&bytes, facts.size, facts.mode), (b"end", 9 << 20, 0o040));
    shm::remove(shmid).unwrap();
}

#[test]
fn segment_is_private_until_it_is_complete() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all_at(&vec![7; 1 << 20], 0).unwrap();
    let source = Source::File(file.path().to_owned());
    let (size, mode) = (Bytes(1 << 20), Mode::new(0o666));
    let posix = |source| NewSegment::Posix { name: ObjectName::new(b"name").unwrap(), size, mode, source };
    let sysv = NewSysv { key: Key(0x4d2), size, mode, huge: false, no_reserve: false };
    let make = |new: &NewSegment| {
        let plan = act::plan_create(&RealMachine, new, &Options::default());
        act::apply(&RealMachine, &plan).result.unwrap_or_else(|error| panic!("{error}")).id
    };
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if let Ok(stat) = fs::metadata("/dev/shm/name") {
                    let whole = stat.blocks() == size.0 / 512;
                    assert!(whole || stat.mode() & 0o066 == 0, "{:o} with {}", stat.mode(), stat.blocks());
                }
                for row in sysv_table::parse(&RealMachine.sysv_table().unwrap()).rows {
                    let whole = row.resident.unwrap().0 + row.swapped.unwrap().0 == size.0;
                    assert!(whole || row.mode.bits() & 0o066 == 0, "{row:?}");
                }
            }
        });
        let _over = SetOnDrop(&is_over);
        for _ in 0..30 {
            make(&posix(source.clone()));
            fs::remove_file("/dev/shm/name").unwrap();
            let SegmentId::Sysv(shmid) = make(&NewSegment::Sysv(sysv.clone(), source.clone())) else {
                panic!();
            };
            drop(Sysv { shmid: shmid.0 });
        }
    });
}

#[test]
fn create_removes_a_segment_it_cannot_fill() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // sysfs reports a size of one page but returns only a few bytes.
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    if fs::metadata(path).map_or(0, |facts| facts.len()) < 4096 {
        return skip_for_kernel("needs a file of sysfs");
    }
    for kind in ["sysv --key 7", "posix name"] {
        let error = create_refused(&format!("{kind} --from {path}"), 1);
        assert!(error.contains("truncated"), "{error}");
    }
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);
    assert_eq!(fs::read_to_string("/proc/sysvipc/shm").unwrap().lines().count(), 1);
}

#[test]
fn incomplete_creation_leaves_no_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    nix::mount::mount(None::<&str>, "/dev/shm", None::<&str>, MsFlags::MS_REMOUNT, Some("size=1m")).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().write_all_at(&vec![1; 4 << 20], 0).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let error = create_refused(&format!("posix large --from {path}"), 1);
    assert!(error.contains("/dev/shm is full") && error.contains("remount"), "{error}");
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);
    let error = create_refused(&format!("sysv --from {path} --size 1K"), 1);
    assert!(error.contains("larger size"), "{error}");
    // Opening a FIFO without a writer must not block.
    nix::unistd::mkfifo("/dev/shm/pipe", nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(
        create_refused("posix from-pipe --from /dev/shm/pipe --size 1", 1).contains("not a regular file")
    );
    assert!(create_refused("sysv --size 0", 1).contains("kernel.shmmax"));
    assert!(create_refused("posix a/b --size 1", 1).contains("directory"));
    assert!(create_refused("posix .. --size 1", 2).contains("invalid name '..'"));
    assert!(create_refused("posix name", 2).contains("--size"));
    assert!(create_refused("posix name --from /nowhere", 1).contains("failed to read"));
    assert!(create_refused("posix name --size 1 --mode 1777", 2).contains("0777"));
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    assert_eq!(table.lines().count(), 1, "{table}");
}

#[test]
fn create_reports_the_limits() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _one = Sysv::new(0, 1, 0o600);
    File::options().write(true).open("/proc/sys/kernel/shmmni").unwrap().write_all(b"1").unwrap();
    let error = create_refused("sysv --size 1", 1);
    assert!(error.contains("kernel.shmmni allows (1)"), "{error}");
    let binary = env!("CARGO_BIN_EXE_shmlens");
    let output = as_nobody(binary, ["create", "sysv", "--huge", "--size", "2M"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error} {NOBODY}");
    assert!(error.contains("huge"), "{error}");
}

#[test]
fn missing_huge_pages_fail_and_leave_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
    if !meminfo.lines().any(|line| line.split_whitespace().eq(["HugePages_Free:", "0"])) {
        return skip_for_kernel("needs a kernel with huge pages, none of them free");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"contents").unwrap();
    let path = file.path().to_str().unwrap();
    let error = create_refused(&format!("sysv --key 7 --huge --no-reserve --size 2M --from {path}"), 1);
    assert!(error.contains("not enough free huge pages") && error.contains("vm.nr_hugepages"), "{error}");
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    assert_eq!(table.lines().count(), 1, "{table}");
    huge_pages_hold_what_was_in_the_file();
}

/// The caller expects no huge pages, so this is not a test of its own.
fn huge_pages_hold_what_was_in_the_file() {
    let _pool = HugePages::of(3);
    if HugePages::free() < 3 {
        return skip_for_kernel("needs memory for three huge pages");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let contents: Vec<u8> = (0..750_000u32).flat_map(u32::to_le_bytes).collect();
    fs::write(file.path(), &contents).unwrap();
    let path = file.path().to_str().unwrap();
    let shmid =
        shmid(&create_segment(&format!("sysv --huge --no-reserve --size 8M --mode 0644 --from {path}")));
    let before = HugePages::free();
    let id = format!("sysv:{shmid}");
    let root = shmlens().args(["dump", "--raw", &id]).output().unwrap().stdout;
    assert_eq!(root.len(), 8 << 20);
    assert!(root.starts_with(&contents) && root[contents.len()..].iter().all(|&byte| byte == 0));
    crate::trace::methods::huge_pages_are_read_through_a_holder(shmid);
    assert_eq!(HugePages::free(), before, "reading as root allocates nothing");
    let nobody = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["dump", "--raw", &id]).output().unwrap();
    assert!(nobody.stdout == root, "{}", String::from_utf8_lossy(&nobody.stderr));
    shm::remove(shmid).unwrap();
    let large = tempfile::NamedTempFile::new().unwrap();
    fs::write(large.path(), vec![7; 7 << 20]).unwrap();
    let error =
        create_refused(&format!("sysv --key 7 --huge --no-reserve --from {}", large.path().display()), 1);
    assert!(error.contains("not enough free huge pages"), "{error}");
}

/// Returns the refusal of the plan and the error of the kernel.
fn predicted_and_real(new: &NewSegment) -> (String, String) {
    let mut plan = act::plan_create(&RealMachine, new, &Options::default());
    let predicted = plan.refusal.take();
    let predicted =
        predicted.map_or_else(String::new, |refusal| format!("{}. {}", refusal.reason, refusal.remedy));
    let real = match act::apply(&RealMachine, &plan).result {
        Err(ActError::NotMade { reason, remedy, .. }) => format!("{reason}. {remedy}"),
        Err(error) => error.to_string(),
        Ok(done) => {
            if let SegmentId::Sysv(shmid) = done.id {
                shm::remove(shmid.0).unwrap();
            }
            String::new()
        }
    };
    (predicted, real)
}

#[test]
fn create_plan_predicts_kernel_refusals() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mode = Mode::new(0o600);
    let posix = |name: &str, size| {
        let name = ObjectName::new(name.as_bytes()).unwrap();
        NewSegment::Posix { name, size: Bytes(size), mode, source: Source::Nothing }
    };
    let sysv = |size, huge, no_reserve| {
        let new = NewSysv { key: Key(0), size: Bytes(size), mode, huge, no_reserve };
        NewSegment::Sysv(new, Source::Nothing)
    };
    let check = |new: &NewSegment, words: &str| {
        let (predicted, real) = predicted_and_real(new);
        assert_eq!(predicted, real, "{new:?}");
        assert!(real.contains(words), "{real}");
    };
    fs::write("/dev/shm/file", "").unwrap();
    for (name, size, words) in [
        ("x".repeat(256), 1, "the name is too long"),
        (format!("{}/x", "x".repeat(256)), 1, "the name is too long"),
        ("none/x".to_owned(), 1, "the directory does not exist"),
        ("file/x".to_owned(), 1, "not a directory"),
        ("large".to_owned(), 16383 << 50, "is too large for a POSIX object"),
        ("largest".to_owned(), i64::MAX as u64, ""),
    ] {
        check(&posix(&name, size), words);
    }
    for (size, huge, no_reserve, words) in [
        (0, false, false, "invalid size of 0 bytes"),
        (9 << 60, false, false, "is too large: the kernel allows at most 8.0 EiB"),
        (9 << 60, false, true, "is too large: the kernel allows at most 8.0 EiB"),
        (u64::MAX, false, true, "expected 1 to kernel.shmmax"),
        (1 << 50, false, true, ""),
        (1 << 50, false, false, ""),
        (1 << 50, true, false, "huge pages"),
    ] {
        check(&sysv(size, huge, no_reserve), words);
    }
    // Affects only this IPC namespace.
    fs::write("/proc/sys/kernel/shmmni", "1").unwrap();
    let _one = Sysv::new(0, 1, 0o600);
    check(&sysv(1, false, false), "kernel.shmmni allows (1)");
    fs::write("/proc/sys/kernel/shmmni", "4096").unwrap();
    fs::write("/proc/sys/kernel/shmall", "2").unwrap();
    check(&sysv(2 << 12, false, false), "kernel.shmall allows (2)");
    check(&sysv(1 << 12, false, false), "");
    let none = None::<&str>;
    nix::mount::mount(none, "/dev/shm", none, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY, none).unwrap();
    check(&posix("x", 1), "/dev/shm is mounted read-only");
}

#[test]
fn dry_run_predicts_an_unwritable_directory() {
    let Some(_namespaces) = Namespaces::new() else { return };
    fs::create_dir("/dev/shm/closed").unwrap();
    for option in ["--dry-run", "--json"] {
        let mut command =
            as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["create", "posix", "closed/x", "--size", "1", option]);
        let output = command.env("XDG_STATE_HOME", "/dev/shm/closed").output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let message = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(message.contains("you cannot write to the directory"), "{message}");
    }
}

#[test]
fn create_reads_a_file_of_unknown_size_to_the_end() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let expected = fs::read("/proc/version").unwrap();
    for (kind, name) in [("posix a", "/a"), ("sysv --key 7", "key:7")] {
        let error = create_refused(&format!("{kind} --from /proc/version"), 1);
        assert!(error.contains("the size of /proc/version is unknown. Use --size"), "{error}");
        let error = create_refused(&format!("{kind} --from /proc/version --size 10"), 1);
        assert!(error.contains("/proc/version is larger than 10 B"), "{error}");
        create_segment(&format!("{kind} --from /proc/version --size 4K"));
        let bytes = shmlens().args(["dump", "--raw", name]).output().unwrap().stdout;
        assert!(bytes.len() == 4096 && bytes.starts_with(&expected), "{name}");
        assert!(bytes[expected.len()..].iter().all(|&byte| byte == 0));
    }
    let error = create_refused("posix b --from /nowhere/at/all", 1);
    assert!(error.contains("failed to read /nowhere/at/all"), "{error}");
    let error = create_refused("posix b --dry-run --from /nowhere/at/all", 1);
    assert!(error.contains("failed to read /nowhere/at/all"), "{error}");
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 1);
    for row in sysv_table::parse(&RealMachine.sysv_table().unwrap()).rows {
        shm::remove(row.shmid.0).unwrap();
    }
}

/// Reserves huge pages until it is dropped.
struct HugePages {
    before: u64,
}

impl HugePages {
    const FILE: &str = "/proc/sys/vm/nr_hugepages";

    fn of(count: u64) -> Self {
        let before: u64 = fs::read_to_string(Self::FILE).unwrap().trim().parse().unwrap();
        fs::write(Self::FILE, (before + count).to_string()).unwrap();
        Self { before }
    }

    fn free() -> u64 {
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap();
        let line = meminfo.lines().find(|line| line.starts_with("HugePages_Free:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for HugePages {
    fn drop(&mut self) {
        let _ = fs::write(Self::FILE, self.before.to_string());
    }
}

#[test]
fn create_never_sets_setuid_or_setgid() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (size, mode) = (Bytes(10), Mode::new(0o7755));
    let name = ObjectName::new(b"name").unwrap();
    let new = NewSegment::Posix { name, size, mode, source: Source::Nothing };
    let plan = act::plan_create(&RealMachine, &new, &Options::default());
    assert!(plan.effects[0].contains("mode 0755"), "{plan:?}");
    act::apply(&RealMachine, &plan).result.unwrap();
    assert_eq!(fs::metadata("/dev/shm/name").unwrap().mode() & 0o7777, 0o755);
}

#[test]
fn create_does_not_inherit_the_acl_of_a_directory() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(setfacl) = tool("setfacl") else { return };
    fs::create_dir("/dev/shm/dir").unwrap();
    let default = ["-d", "-m", "u:65534:rw", "/dev/shm/dir"];
    assert!(std::process::Command::new(setfacl).args(default).status().unwrap().success());
    create_segment("posix dir/name --size 10 --mode 0600");
    assert_eq!(fs::metadata("/dev/shm/dir/name").unwrap().mode() & 0o7777, 0o600);
}
