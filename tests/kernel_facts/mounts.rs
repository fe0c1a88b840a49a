//! File systems mounted below `/dev/shm`: reported and never entered.

use super::survey;
use crate::support::{Child, Namespaces, Object, SOON, shmlens, skip_for_kernel};
use nix::mount::{MsFlags, mount};
use shmlens::machine::Machine as _;
use shmlens::machine::real::RealMachine;
use shmlens::segment::ObjectName;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::process::Stdio;

const NONE: Option<&str> = None;

/// Runs shmlens until it exits. Returns the exit status and standard error.
#[track_caller]
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = Child::spawn(shmlens().args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()));
    let status = child.wait(SOON);
    (status.code(), child.stderr())
}

#[test]
fn mounts_are_reported_and_not_entered() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("seen", 5, 0o600);
    for directory in ["/dev/shm/disk", "/dev/shm/deep/er", "/dev/shm/plain"] {
        fs::create_dir_all(directory).unwrap();
    }
    mount(Some("tmpfs"), "/dev/shm/disk", Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    fs::write("/dev/shm/disk/inner", "x").unwrap();
    fs::write("/dev/shm/plain/twice", "x").unwrap();
    // Mount the same file system again, and a single file of it.
    mount(Some("/dev/shm/plain"), "/dev/shm/deep/er", NONE, MsFlags::MS_BIND, NONE).unwrap();
    fs::write("/dev/shm/file", "").unwrap();
    mount(Some("/dev/shm/seen"), "/dev/shm/file", NONE, MsFlags::MS_BIND, NONE).unwrap();

    let survey = survey();
    let ids: Vec<String> = survey.segments.iter().map(|segment| segment.id.to_string()).collect();
    assert_eq!(ids, ["posix:/plain/twice", "posix:/seen"]);
    let mut problems = survey.problems;
    problems.sort();
    let reported = ["deep/er", "disk", "file"].map(|name| {
        format!("/dev/shm/{name}: another file system is mounted here; its files are not listed")
    });
    assert_eq!(problems, reported);

    for name in ["disk", "disk/inner", "deep/er", "deep/er/twice", "file"] {
        let object = ObjectName::new(name.as_bytes()).unwrap();
        for error in [RealMachine.stat_object(&object).err(), RealMachine.open_object(&object).err()] {
            assert_eq!(error.map(|error| error.kind()), Some(io::ErrorKind::CrossesDevices), "{name}");
        }
    }
    for command in [&["dump"][..], &["info"], &["rm", "--yes", "--force"], &["chmod", "600"]] {
        let (status, stderr) = run(&[command, &["/disk/inner"]].concat());
        assert_eq!(status, Some(1), "{command:?}");
        assert!(stderr.contains("/disk/inner is on another file system"), "{command:?}: {stderr}");
    }
    let (status, stderr) = run(&["create", "posix", "disk/new", "--size", "4K"]);
    assert_eq!(status, Some(1));
    assert!(stderr.contains("another file system is mounted there"), "{stderr}");
    assert_eq!(fs::read("/dev/shm/disk/inner").unwrap(), b"x");
    assert!(!fs::exists("/dev/shm/disk/new").unwrap());
}

/// Mounts a FUSE file system whose daemon never answers: any access hangs until the returned file
/// is closed.
fn mount_hung(at: &str) -> Option<File> {
    let daemon = match OpenOptions::new().read(true).write(true).open("/dev/fuse") {
        Ok(daemon) => daemon,
        Err(error) => {
            skip_for_kernel(&format!("needs /dev/fuse: {error}"));
            return None;
        }
    };
    fs::create_dir(at).unwrap();
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", daemon.as_raw_fd());
    match mount(Some("hung"), at, Some("fuse"), MsFlags::empty(), Some(options.as_str())) {
        Ok(()) => Some(daemon),
        Err(error) => {
            skip_for_kernel(&format!("needs FUSE mounts: {error}"));
            None
        }
    }
}

#[test]
fn hung_file_system_blocks_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("seen", 5, 0o600);
    let Some(daemon) = mount_hung("/dev/shm/hung") else { return };
    let (status, stderr) = run(&["list"]);
    assert_eq!(status, Some(0), "{stderr}");
    assert!(stderr.contains("/dev/shm/hung: another file system is mounted here"), "{stderr}");
    for command in [
        &["info", "/hung"][..],
        &["dump", "/hung/x"],
        &["find", "x"],
        &["clean", "--dry-run"],
        &["rm", "--dry-run", "/hung/x"],
        &["rm", "--recover"],
        &["create", "posix", "hung/x", "--size", "4K"],
        &["limits"],
    ] {
        // The command must end within the time limit of the test.
        run(command);
    }
    drop(daemon);
}
