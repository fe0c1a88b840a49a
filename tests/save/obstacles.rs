//! FIFOs, devices, directories and endless files in place of shmlens's own files: commands fail
//! immediately and change nothing.

use super::{copies, directory, files, program, run, save};
use crate::support::{Child, Namespaces, Object, SOON, Sysv};
use nix::mount::MsFlags;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::mkfifo;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// Creates an obstacle at a path. The error must contain the text.
type Obstacle = (fn(&Path), &'static str);

const OBSTACLES: [Obstacle; 4] = [
    (|path| mkfifo(path, Mode::S_IRWXU).unwrap(), "is a FIFO (named pipe), not a regular file"),
    (
        |path| mknod(path, SFlag::S_IFCHR, Mode::S_IRWXU, makedev(1, 5)).unwrap(),
        "is a character device, not a regular file",
    ),
    (|path| fs::create_dir(path).unwrap(), "is a directory, not a regular file"),
    (|path| symlink("/dev/zero", path).unwrap(), "is a "),
];

/// Runs the command, which must not block. Returns the status and standard error.
fn run_to_end(command: &mut Command) -> (i32, String) {
    let mut child =
        Child::spawn(command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()));
    let status = child.wait(SOON);
    (status.code().unwrap_or(-1), child.stderr())
}

fn rm(directory: &TempDir) -> Command {
    let mut command = program(directory);
    command.args(["rm", "--yes", "--force", "/a"]);
    command
}

#[test]
fn log_that_is_not_a_regular_file_fails_before_the_act() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4096, 0o600);
    for (make, kind) in OBSTACLES {
        let directory = directory();
        let state = directory.path().join("state/shmlens");
        fs::create_dir_all(&state).unwrap();
        make(&state.join("log.jsonl"));
        for mut command in [rm(&directory), program(&directory)] {
            if command.get_args().count() == 0 {
                command.args(["chmod", "0644", "/a"]);
            }
            let (status, error) = run_to_end(&mut command);
            assert!(status == 1 && error.contains("nothing was changed: failed to open the log"), "{error}");
            assert!(error.contains(kind), "{error}");
        }
        assert!(object.path().exists() && copies(&directory).is_empty());
        // Commands that change nothing need no log.
        assert_eq!(
            run_to_end(program(&directory).args(["rm", "--dry-run", "--force", "/a"])),
            (0, String::new())
        );
        assert_eq!(run_to_end(program(&directory).arg("list")), (0, String::new()));
    }
}

#[test]
fn log_write_failure_after_the_act_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let state = directory.path().join("state/shmlens");
    fs::create_dir_all(&state).unwrap();
    // The log can be opened, but a line does not fit on the disk.
    nix::mount::mount(Some("tmpfs"), &state, Some("tmpfs"), MsFlags::empty(), Some("size=4k,mode=0700"))
        .unwrap();
    fs::write(state.join("full"), [7; 4096]).unwrap();
    let object = Object::new("a", 4096, 0o600);
    let (status, error) = run_to_end(rm(&directory).arg("--no-copy"));
    assert_eq!((status, object.path().exists()), (0, false), "{error}");
    assert!(error.contains("some changes were not logged: failed to write"), "{error}");
    assert!(error.contains("no space left"), "{error}");
    nix::mount::umount(&state).unwrap();
}

#[test]
fn unusable_copy_directory_fails_before_the_act() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4096, 0o600);
    for (make, kind) in OBSTACLES {
        for place in ["state/shmlens", "state/shmlens/copies"] {
            if kind.contains("directory, not") {
                continue;
            }
            let directory = directory();
            let path = directory.path().join(place);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            make(&path);
            let (status, error) = run_to_end(&mut rm(&directory));
            assert!(status == 1 && object.path().exists(), "{error}");
            assert!(error.contains("not a directory") && error.contains("XDG_STATE_HOME"), "{error}");
            // The plan reports the error too.
            let plan = run(&directory, ["rm", "--dry-run", "--force", "/a"]).stdout;
            assert!(String::from_utf8_lossy(&plan).contains("not a directory"), "{plan:?}");
        }
    }
}

#[test]
fn other_files_in_the_copy_directory_are_untouched() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (make, _) in OBSTACLES {
        let object = Object::new("a", 4096, 0o600);
        let directory = directory();
        let subdirectory = directory.path().join("state/shmlens/copies");
        fs::create_dir_all(&subdirectory).unwrap();
        make(&subdirectory.join("00000000000000000001-1.shmlens"));
        make(&subdirectory.join(".shmlens-unfinished-0123456789abcdef"));
        assert_eq!(run_to_end(&mut rm(&directory)), (0, String::new()));
        assert!(!object.path().exists());
        assert_eq!(files(&subdirectory).len(), 3);
    }
}

#[test]
fn config_must_be_a_small_regular_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sparse: Obstacle =
        (|path| File::create(path).unwrap().set_len(5 << 30).unwrap(), "larger than 1 MiB");
    for (make, kind) in OBSTACLES.into_iter().chain([sparse]) {
        let directory = directory();
        let config = directory.path().join("shmlens/config.toml");
        fs::create_dir(config.parent().unwrap()).unwrap();
        make(&config);
        for arguments in [&["list"][..], &["rm", "--yes", "/a"]] {
            let (status, error) =
                run_to_end(program(&directory).args(arguments).env("XDG_CONFIG_HOME", directory.path()));
            assert!(status == 2 && error.contains("failed to read the config"), "{error}");
            assert!(error.contains(kind), "{error}");
        }
        // A link to a file is followed.
        fs::remove_file(&config).or_else(|_| fs::remove_dir(&config)).unwrap();
        fs::write(directory.path().join("elsewhere"), "thme = 1").unwrap();
        symlink("../elsewhere", &config).unwrap();
        let (_, error) = run_to_end(program(&directory).arg("list").env("XDG_CONFIG_HOME", directory.path()));
        assert!(error.contains("config.toml, line 1"), "{error}");
    }
}

#[test]
fn restore_mark_that_is_not_a_regular_file_is_skipped() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (make, _) in OBSTACLES {
        let directory = directory();
        let subdirectory = directory.path().join("state/shmlens/restoring");
        fs::create_dir_all(&subdirectory).unwrap();
        make(&subdirectory.join("00000000000000000001-1.jsonl"));
        assert_eq!(run_to_end(program(&directory).args(["rm", "--recover"])), (0, String::new()));
        assert_eq!(files(&subdirectory).len(), 1);
    }
}

#[test]
fn system_v_restore_needs_a_mark() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = directory();
    let source = directory.path().join("source");
    fs::write(&source, vec![7; 5000]).unwrap();
    let saved = directory.path().join("saved");
    let sysv = Sysv::new(7, 5000, 0o600);
    save(&sysv.id(), &saved);
    drop(sysv);
    let state = directory.path().join("state/shmlens");
    let full = || {
        nix::mount::mount(Some("tmpfs"), &state, Some("tmpfs"), MsFlags::empty(), Some("size=8k,mode=0700"))
            .unwrap();
        fs::create_dir(state.join("unfinished")).unwrap();
        fs::write(state.join("log.jsonl"), "").unwrap();
        let _ = fs::write(state.join("others"), [7; 16 << 10]);
    };
    let read_only = || {
        fs::create_dir_all(state.join("unfinished")).unwrap();
        fs::write(state.join("log.jsonl"), "").unwrap();
        let none = None::<&str>;
        nix::mount::mount(Some(&state), &state, none, MsFlags::MS_BIND, none).unwrap();
        let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        nix::mount::mount(none, &state, none, flags, none).unwrap();
    };
    let fifo = || mkfifo(&state.join("unfinished"), Mode::S_IRWXU).unwrap();
    let cases: [(&dyn Fn(), &str); 3] = [(&full, ""), (&read_only, ""), (&fifo, "the recovery mark")];
    for (prepare, words) in cases {
        fs::create_dir_all(&state).unwrap();
        prepare();
        for arguments in [
            &["create", "sysv", "--key", "7", "--from", source.to_str().unwrap()][..],
            &["restore", saved.to_str().unwrap()],
        ] {
            let (status, error) = run_to_end(program(&directory).args(arguments));
            assert_eq!(status, 1, "{arguments:?}: {error}");
            assert!(error.contains(words) && error.contains("XDG_STATE_HOME"), "{error}");
            assert!(super::segments().is_empty(), "{arguments:?}");
        }
        let _ = nix::mount::umount(&state);
        fs::remove_dir_all(&state).unwrap();
    }
    // A user without a home directory has no state directory.
    let mut homeless = program(&directory);
    homeless
        .env("XDG_STATE_HOME", "/proc/none")
        .args(["create", "sysv", "--key", "7", "--from"])
        .arg(&source);
    let (status, error) = run_to_end(&mut homeless);
    assert!(status == 0 || error.contains("XDG_STATE_HOME"), "{error}");
}
