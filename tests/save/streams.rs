//! Saving to pipes and restoring from them, and special files, which `save` never replaces.

use super::{directory, files, program, run, segments, stderr_of, stdout_of};

use crate::support::{Child, Namespaces, Object, SOON, Sysv, Terminal, wait_until};
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use shmlens::segment::SegmentId;
use shmlens::sys::shm;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// Returns special files with their descriptions in messages.
fn special_files(directory: &TempDir) -> Vec<(&'static str, PathBuf)> {
    let at = |name: &str| directory.path().join(name);
    let mode = Mode::from_bits_truncate(0o600);
    mknod(&at("null"), SFlag::S_IFCHR, mode, makedev(1, 3)).unwrap();
    mknod(&at("disk"), SFlag::S_IFBLK, mode, makedev(7, 99)).unwrap();
    mknod(&at("fifo"), SFlag::S_IFIFO, mode, 0).unwrap();
    fs::write(at("target"), "target").unwrap();
    symlink("target", at("link")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    drop(UnixListener::bind(at("socket")).unwrap());
    vec![
        ("a character device", at("null")),
        ("a block device", at("disk")),
        ("a FIFO", at("fifo")),
        ("a symbolic link", at("link")),
        ("a directory", at("directory")),
        ("a socket", at("socket")),
    ]
}

#[test]
fn save_replaces_only_a_regular_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let _object = Object::new("a", 5000, 0o600);
    let special = special_files(&directory);
    let before = files(directory.path());
    for (kind, path) in &special {
        let inode = fs::symlink_metadata(path).unwrap().ino();
        let file = path.to_str().unwrap();
        for arguments in [&["save", "/a", file][..], &["save", "/a", file, "--force"]] {
            let output = program(&directory).args(arguments).output().unwrap();
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
            assert!(message.contains(kind) && !message.contains("--force"), "{arguments:?}: {message}");
        }
        // With a directory as the target, the file is saved in it.
        if *kind != "a directory" {
            let message = stderr_of(&directory, ["rm", "--yes", "--force", "/a", "--save", file]);
            assert!(message.contains(kind), "{message}");
            assert!(fs::exists("/dev/shm/a").unwrap());
        }
        assert_eq!(fs::symlink_metadata(path).unwrap().ino(), inode, "{kind}");
    }
    assert_eq!(fs::read(directory.path().join("target")).unwrap(), b"target");
    let after: Vec<_> = files(directory.path()).into_iter().filter(|name| name != "state").collect();
    assert_eq!(after, before);
}

#[test]
fn segment_round_trips_through_a_pipe() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 1 << 20, 0o640);
    object.write(5000, b"hello");
    let sysv = Sysv::new(7, 1 << 20, 0o640);
    sysv.write(5000, b"hello");
    for name in ["/a", "key:7"] {
        let saved = run(&directory, ["save", name, "-"]);
        assert!(saved.status.success() && saved.stderr.is_empty(), "{saved:?}");
        assert!(saved.stdout.len() < 20_000, "holes take no space");
        stdout_of(&directory, ["rm", "--yes", "--force", "--no-copy", name]);
        let restored = restore_from_pipe(&directory, &saved.stdout[..saved.stdout.len() - 1]);
        assert_eq!(restored.status.code(), Some(1), "{restored:?}");
        assert!(String::from_utf8_lossy(&restored.stderr).contains("truncated"), "{restored:?}");
        assert!(segments().iter().all(|segment| segment.size.0 == 1 << 20 && segment.mode.bits() == 0o640));
        let restored = restore_from_pipe(&directory, &saved.stdout);
        assert!(restored.status.success(), "{restored:?}");
        let dump = run(&directory, ["dump", "--raw", "--offset", "5000", "--length", "5", name]);
        assert_eq!(dump.stdout, b"hello");
        // Restore from a file on standard input.
        stdout_of(&directory, ["rm", "--yes", "--force", "--no-copy", name]);
        let path = directory.path().join("file");
        fs::write(&path, &saved.stdout).unwrap();
        let mut command = program(&directory);
        command.args(["restore", "-"]).stdin(Stdio::from(File::open(&path).unwrap()));
        assert!(command.status().unwrap().success());
        let dump = run(&directory, ["dump", "--raw", "--offset", "5000", "--length", "5", name]);
        assert_eq!(dump.stdout, b"hello");
    }
    for segment in segments() {
        if let SegmentId::Sysv(shmid) = segment.id {
            shm::remove(shmid.0).unwrap();
        }
    }
    assert!(!Path::new("-").exists());
}

/// Restores these bytes from a pipe.
fn restore_from_pipe(directory: &TempDir, bytes: &[u8]) -> std::process::Output {
    let (from, mut to) = std::io::pipe().unwrap();
    let mut command = program(directory);
    let command = command.args(["restore", "-"]).stdin(from);
    std::thread::scope(|scope| {
        scope.spawn(move || std::io::Write::write_all(&mut to, bytes));
        command.output().unwrap()
    })
}

#[test]
fn save_refuses_to_write_to_a_terminal() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let _object = Object::new("a", 5000, 0o600);
    for (arguments, part) in [
        (&["save", "/a", "-"][..], "refusing to write a saved segment to a terminal"),
        (&["restore", "-"], "refusing to read a saved segment from a terminal"),
    ] {
        let mut command = program(&directory);
        command.args(arguments);
        let mut terminal = Terminal::start((120, 30), command);
        terminal.wait_for(part, SOON);
        assert_eq!(terminal.wait_exit(SOON).code(), Some(2));
        assert!(!terminal.screen().contains("shmlens segment"), "{}", terminal.screen());
    }
    assert_eq!(run(&directory, ["save", "/a", "-", "--json"]).status.code(), Some(2));
}

#[test]
fn closed_pipe_ends_save_quietly() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 4 << 20, 0o600);
    object.write(0, &vec![7; 4 << 20]);
    let (from, to) = std::io::pipe().unwrap();
    drop(from);
    let mut command = program(&directory);
    let output = command.args(["save", "/a", "-"]).stdout(to).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn save_never_replaces_a_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let source = Object::new("a", 5000, 0o600);
    source.write(0, b"source");
    let target = Object::new("b", 5000, 0o600);
    target.write(0, b"target");
    symlink("/dev/shm", directory.path().join("link")).unwrap();
    fs::create_dir(directory.path().join("mounted")).unwrap();
    let mounted = directory.path().join("mounted");
    let (none, flags) = (None::<&str>, nix::mount::MsFlags::MS_BIND);
    nix::mount::mount(Some("/dev/shm"), &mounted, none, flags, none).unwrap();
    for path in ["/dev/shm/b", "/dev/shm/../shm/b"]
        .map(PathBuf::from)
        .into_iter()
        .chain([directory.path().join("link/b"), directory.path().join("mounted/b")])
    {
        let path = path.to_str().unwrap();
        let message = stderr_of(&directory, ["save", "/a", path, "--force"]);
        assert!(message.contains("is a segment: files in /dev/shm are shared memory"), "{message}");
        let message = stderr_of(&directory, ["rm", "--yes", "--force", "/a", "--save", path]);
        assert!(message.contains("is a segment"), "{message}");
        let new = path.replace("/b", "/new");
        let message = stderr_of(&directory, ["--read-only", "save", "/a", &new]);
        assert!(message.contains("changes are disabled (read-only)"), "{message}");
    }
    assert_eq!(files(Path::new("/dev/shm")), ["a", "b"]);
    assert_eq!(&fs::read(target.path()).unwrap()[..6], b"target");
    nix::mount::umount(&mounted).unwrap();
    // In read-only mode, saving elsewhere is allowed.
    stdout_of(&directory, ["--read-only", "save", "/a", directory.path().join("file").to_str().unwrap()]);
}

#[test]
fn one_signal_stops_a_command_blocked_on_a_pipe() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let object = Object::new("a", 4 << 20, 0o600);
    object.write(0, &vec![7; 4 << 20]);
    let sysv = Sysv::new(7, 4 << 20, 0o600);
    sysv.write(0, &vec![7; 4 << 20]);
    for name in ["/a", "key:7"] {
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            // Close the reading end.
            let (mut from, to) = std::io::pipe().unwrap();
            let mut child =
                Child::spawn(program(&directory).args(["save", name, "-"]).stdout(to).stderr(Stdio::piped()));
            // Wait until the pipe is full.
            std::io::Read::read_exact(&mut from, &mut [0]).unwrap();
            child.signal(signal);
            assert!(!child.wait(SOON).success());
        }
    }
    for name in ["/a", "key:7"] {
        let saved = run(&directory, ["save", name, "-"]).stdout;
        stdout_of(&directory, ["rm", "--yes", "--force", "--no-copy", name]);
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let mut child = Child::spawn(
                program(&directory).args(["restore", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()),
            );
            // Send the first half and keep the pipe open.
            child.send_bytes(&saved[..saved.len() / 2]);
            wait_until(SOON, || is_filling(&child));
            child.signal(signal);
            assert_eq!(child.wait(SOON).code(), Some(1));
            let message = child.stderr();
            assert!(message.contains("was not restored; partial data was removed"), "{message}");
        }
        assert!(segments().iter().all(|segment| segment.id.to_string() != "posix:/a"));
    }
    assert!(segments().is_empty() && files(Path::new("/dev/shm")).is_empty());
}

/// Returns true if the process has the segment that it fills open.
fn is_filling(child: &Child) -> bool {
    let maps = fs::read_to_string(format!("/proc/{}/maps", child.pid())).unwrap_or_default();
    let open = fs::read_dir(format!("/proc/{}/fd", child.pid())).into_iter().flatten().flatten();
    let mut targets = open.filter_map(|entry| fs::read_link(entry.path()).ok());
    maps.contains("/SYSV") || targets.any(|target| target.to_string_lossy().starts_with("/dev/shm/#"))
}
