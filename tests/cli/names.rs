//! Names on the command line: a full name has one meaning, and an ambiguous name changes nothing.

use crate::support::{Namespaces, Object, Sysv, shmlens};
use serde_json::Value;
use shmlens::sys::shm;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// The exit status, standard output and standard error.
type CommandOutput = (i32, String, String);

fn ended(command: &mut Command) -> CommandOutput {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> CommandOutput {
    ended(shmlens().args(arguments))
}

/// Returns a shmid that is not in use.
fn unused_shmid() -> i32 {
    let sysv = Sysv::new(0, 1, 0o600);
    sysv.shmid
}

#[test]
fn impossible_names_are_explained() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = ["camera0", "camera1"].map(|name| Object::new(name, 4, 0o600));
    let _private = Sysv::new(0, 1, 0o600);
    for (arguments, words) in [
        (&["info", "key:zz"][..], "'key:zz' is not a key: expected a number"),
        (&["rm", "--yes", "0xzz"], "'0xzz' is not a key: expected a number"),
        (&["info", "key:0"], "key 0 is IPC_PRIVATE, which names no segment"),
        (
            &["rm", "--yes", "cam"],
            "'cam' matches 2 segments: /camera0, /camera1. Use the full name of one of them",
        ),
        (&["dump", "cam"], "'cam' matches 2 segments: /camera0, /camera1"),
    ] {
        let (status, _, stderr) = run(arguments);
        assert!(status == 1 && stderr.contains(words), "{arguments:?}: {stderr}");
    }
}

#[test]
fn shmid_that_is_also_a_key_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // The first shmid of a namespace is 0, which no segment has as its key.
    let [_first, one] = [(); 2].map(|()| Sysv::new(0, 1, 0o600));
    let keyed = Sysv::new(one.shmid.unsigned_abs(), 1, 0o600);
    let number = one.shmid.to_string();
    let note = format!(
        "{number} is taken as a shmid; as a key ({:#010x}) it is sysv:{}: use key:{number}",
        one.shmid, keyed.shmid
    );
    for arguments in
        [&["info", &number][..], &["rm", "--dry-run", &number], &["chmod", "--dry-run", "0600", &number]]
    {
        let (_, _, stderr) = run(arguments);
        assert!(stderr.contains(&note), "{arguments:?}: {stderr}");
    }
    let (_, _, stderr) = run(["info", &format!("sysv:{number}")]);
    assert_eq!(stderr, "");
}

#[test]
fn full_name_never_matches_another_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let gone = unused_shmid();
    let names = [
        format!("{gone}"),
        format!("{gone}x"),
        format!("sysv:{gone}"),
        format!("sysv:{gone}0"),
        "0x4d2".to_owned(),
        "0x4d2abc".to_owned(),
        "key:1234".to_owned(),
        "key:12345".to_owned(),
        "state-evil".to_owned(),
    ];
    let objects = names.map(|name| {
        let object = Object::new(name, 4, 0o666);
        object.write(0, b"evil");
        object
    });
    let forms = [
        format!("{gone}"),
        format!("sysv:{gone}"),
        "0x4d2".to_owned(),
        "key:1234".to_owned(),
        "posix:/state".to_owned(),
        "posix:state".to_owned(),
        "/state".to_owned(),
        "/dev/shm/state".to_owned(),
    ];
    for form in &forms {
        for command in [&["dump", "--raw"][..], &["info"], &["watch", "--count", "1"], &["find", "evil"]] {
            let (status, stdout, stderr) = run(command.iter().copied().chain([form.as_str()]));
            assert!(status == 1 && stdout.is_empty(), "{command:?} {form}: {stdout}");
            assert!(stderr.contains(&format!("no segment named '{form}'")), "{command:?} {form}: {stderr}");
        }
        for command in
            [&["rm", "--dry-run"][..], &["rm", "--yes", "--force", "--no-copy"], &["chmod", "0"], &["lock"]]
        {
            let (status, stdout, stderr) = run(command.iter().copied().chain([form.as_str()]));
            assert!(status == 1 && stdout.is_empty(), "{command:?} {form}: {stdout}");
            assert!(stderr.contains(&format!("'{form}'")), "{command:?} {form}: {stderr}");
        }
    }
    assert!(objects.iter().all(|object| object.path().exists()));
}

#[test]
fn prefix_is_expanded_only_for_reading_commands() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("state-of-things", 4, 0o600);
    let (status, _, stderr) = run(["dump", "sta"]);
    assert_eq!((status, stderr.as_str()), (0, "shmlens: 'sta' is short for /state-of-things\n"));
    let (status, _, stderr) = run(["dump", "state-of-things"]);
    assert_eq!((status, stderr.as_str()), (0, ""));
    let (status, stdout, stderr) = run(["chmod", "0", "sta"]);
    assert!(status == 1 && stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("no segment named 'sta'; did you mean /state-of-things?"), "{stderr}");
}

#[test]
fn ambiguous_name_changes_nothing_without_a_kind() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 10, 0o600);
    let gone = unused_shmid();
    let shmid = sysv.shmid;
    let directory = std::env::temp_dir().join(format!("shmlens-names-{}", std::process::id()));
    for (name, missing) in [
        (format!("{shmid}"), false),
        (format!("sysv:{shmid}"), false),
        ("0x4d2".to_owned(), false),
        ("key:1234".to_owned(), false),
        (format!("{gone}"), true),
        (format!("sysv:{gone}"), true),
        ("0x4d3".to_owned(), true),
    ] {
        let object = Object::new(&name, 10, 0o600);
        let file = directory.to_str().unwrap();
        for command in [
            &["chmod", "0640", &name][..],
            &["chown", "0", &name],
            &["lock", &name],
            &["unlock", &name],
            &["rm", "--dry-run", &name],
            &["rm", "--yes", "--force", "--no-copy", &name],
            &["save", &name, file],
        ] {
            let (status, stdout, stderr) = run(command);
            assert!(status == 1 && stdout.is_empty(), "{command:?}: {stdout}");
            assert!(
                stderr.contains(&format!("or /{name}. Choose with --kind sysv or --kind posix")),
                "{stderr}"
            );
            assert_eq!(stderr.contains("does not exist"), missing, "{stderr}");
        }
        let (status, _, _) = run(["chmod", "--kind", "posix", "0640", &name]);
        assert_eq!(status, 0);
        assert_eq!(object.file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let (status, _, stderr) = run(["chmod", "--kind", "sysv", "0644", &name]);
        assert_eq!(status, i32::from(missing), "{stderr}");
        let (status, _, _) = run(["save", "--kind", "posix", &name, file]);
        assert_eq!(status, 0);
        fs::remove_file(&directory).unwrap();
        // The full name needs no option.
        let (status, _, _) = run(["chmod", "0600", &format!("/{name}")]);
        assert_eq!(status, 0);
        assert_eq!(object.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(shm::stat(shmid).unwrap().mode, 0o644);
    let (status, _, stderr) = run(["chmod", "--kind", "sysv", "0", "/x"]);
    assert!(status == 1 && stderr.contains("'/x' is not the name of a System V segment"), "{stderr}");
}

#[test]
fn files_that_are_not_segments_make_a_name_ambiguous() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(7, 10, 0o600);
    let shmid = sysv.shmid;
    let path = |name: &str| Path::new("/dev/shm").join(name);
    nix::unistd::mkfifo(&path(&format!("{shmid}")), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::create_dir(path(&format!("sysv:{shmid}"))).unwrap();
    symlink("/nowhere", path("0x7")).unwrap();
    for name in [format!("{shmid}"), format!("sysv:{shmid}"), "0x7".to_owned()] {
        let (status, stdout, stderr) = run(["rm", "--yes", "--no-copy", &name]);
        assert!(status == 1 && stdout.is_empty() && stderr.contains("could mean"), "{stdout}{stderr}");
        let (status, _, stderr) = run(["rm", "--yes", "--no-copy", "--kind", "posix", &name]);
        assert!(status == 1 && stderr.contains("not shared memory"), "{stderr}");
        assert!(path(&name).symlink_metadata().is_ok());
    }
    assert!(shm::stat(shmid).is_ok());
    assert_eq!(run(["rm", "--yes", "--no-copy", "--kind", "sysv", "0x7"]).0, 0);
    assert!(shm::stat(shmid).is_err());
}

#[test]
fn shell_glob_in_dev_shm_removes_only_objects() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 10, 0o600);
    let names = ["7000", "0x4d2", "key:1234", "sysv:0", "posix:a", "a", r"b\x41", "--force", "-y"];
    let shmid = sysv.shmid.to_string();
    let names = [&names[..], &[shmid.as_str()]].concat();
    for name in &names {
        fs::write(Path::new("/dev/shm").join(name), "x").unwrap();
    }
    let shell = |text: &str| {
        let text = format!("cd /dev/shm; {}", text.replace("shmlens", env!("CARGO_BIN_EXE_shmlens")));
        let mut command = Command::new("sh");
        let mut given = shmlens();
        // The shell needs the state directory of the tests too.
        given.args(["list"]);
        command.envs(given.get_envs().filter_map(|(name, value)| Some((name, value?))));
        ended(command.args(["-c", &text]))
    };
    let (status, stdout, stderr) = shell("shmlens rm *");
    assert!(status == 2 && stdout.is_empty(), "{stdout}");
    assert!(stderr.contains("'--force' is an option, but also the name of a file"), "{stderr}");
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), names.len());
    fs::remove_file("/dev/shm/--force").unwrap();
    let (status, stdout, stderr) = shell("shmlens rm --dry-run --no-copy -- *");
    assert_eq!(status, 1, "{stdout}{stderr}");
    let planned: Vec<&str> = stdout
        .lines()
        .filter(|line| line.contains(": frees "))
        .filter_map(|line| line.split(": ").next())
        .collect();
    assert_eq!(planned, ["posix:/-y", "posix:/a"], "{stdout}{stderr}");
    assert_eq!(stderr.matches("could mean").count(), 7, "{stderr}");
    // Paths are never ambiguous.
    let (_, stdout, stderr) = shell("shmlens rm --dry-run --no-copy -- /dev/shm/*");
    assert_eq!(stderr.matches("could mean").count(), 1, r"only b\x41: {stderr}");
    assert_eq!(stdout.matches("posix:/").count(), 8, "{stdout}");
    assert!(!stdout.starts_with("sysv:") && !stdout.contains("\nsysv:"), "{stdout}");
}

#[test]
fn every_command_accepts_a_path_as_a_posix_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let path = "/dev/shm/made/by path";
    fs::create_dir("/dev/shm/made").unwrap();
    let (status, stdout, stderr) = run(["create", "posix", path, "--size", "4"]);
    assert!(status == 0 && stdout.contains("posix:/made/by path"), "{stdout}{stderr}");
    assert!(Path::new(path).exists());
    for command in [&["dump"][..], &["info"], &["chmod", "0640"], &["rm", "--dry-run", "--force"]] {
        let (status, _, stderr) = run(command.iter().copied().chain([path]));
        assert!(status == 0 && stderr.is_empty(), "{command:?}: {stderr}");
    }
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(run(["rm", "--yes", "--force", "--no-copy", path]).0, 0);
    assert!(!Path::new(path).exists());
}

#[test]
fn non_utf8_names_work() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new(b"caf\xe9", 4, 0o600);
    object.write(0, b"caf\xe9");
    let raw = OsStr::from_bytes(b"caf\xe9");
    let path = OsStr::from_bytes(b"/dev/shm/caf\xe9");
    let full = OsStr::from_bytes(b"posix:/caf\xe9");
    let os = OsStr::new;
    for name in [raw, path, full, os(r"caf\xe9"), os(r"/caf\xe9"), os(r"/dev/shm/caf\xe9")] {
        for command in
            [&["dump"][..], &["info"], &["find", "--hex", "e9"], &["chmod", "0600"], &["chown", "0"]]
        {
            let (status, stdout, stderr) = run(command.iter().map(|&word| os(word)).chain([name]));
            assert!(status == 0 && !stdout.is_empty(), "{command:?} {name:?}: {stderr}");
        }
        // The error names the System V operation and says why it is not possible.
        let (_, _, stderr) = run([os("lock"), name]);
        assert!(stderr.contains(r"/caf\xe9"), "{stderr}");
        let file = std::env::temp_dir().join(format!("shmlens-raw-{}", std::process::id()));
        let (status, _, stderr) = run([os("save"), name, file.as_os_str()]);
        assert!(status == 0 && fs::remove_file(&file).is_ok(), "{stderr}");
        let (status, _, stderr) = run([os("rm"), os("--dry-run"), name]);
        assert!(stderr.is_empty() && status <= 1, "{stderr}");
        let (status, _, stderr) = run([os("watch"), os("--offset"), os("9"), name]);
        assert!(status == 1 && stderr.contains(r"/caf\xe9"), "{stderr}");
    }
    // The pattern of `find` may contain any bytes, too.
    let (status, stdout, _) = run([os("find"), OsStr::from_bytes(b"\xe9"), raw]);
    assert!(status == 0 && stdout.contains(r"posix:/caf\xe9  0x00000003"), "{stdout}");
    let (status, stdout, stderr) =
        run([os("create"), os("posix"), OsStr::from_bytes(b"n\xe9"), os("--size"), os("1")]);
    assert!(status == 0 && stdout.contains(r"posix:/n\xe9"), "{stdout}{stderr}");
    let (_, stdout, _) = run([os("chmod"), os("--json"), os("0"), OsStr::from_bytes(b"unknown\xe9")]);
    let line: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(line["segment"], r"unknown\xe9");
    assert!(line["error"].as_str().unwrap().contains(r"no segment named 'unknown\xe9'"), "{stdout}");
}

#[test]
fn backslash_in_a_file_name_is_literal() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let literal = Object::new(r"a\x41", 1, 0o600);
    let escaped = Object::new("aA", 1, 0o600);
    for name in [r"a\x41", r"/dev/shm/a\x41"] {
        let (status, stdout, stderr) = run(["chmod", "0640", name]);
        assert!(status == 1 && stdout.is_empty(), "{stdout}");
        assert!(stderr.contains(r"could mean /aA or /a\x5cx41. Use the full name"), "{stderr}");
    }
    assert_eq!(run(["chmod", "0640", r"/a\x41"]).0, 0);
    assert_eq!(run(["chmod", "0644", r"/a\x5cx41"]).0, 0);
    assert_eq!(escaped.file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(literal.file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn names_starting_with_a_dash_work_after_double_dash() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("-rf", 4, 0o600);
    let (status, _, stderr) = run(["dump", "--", "-rf"]);
    assert!(status == 0 && stderr.is_empty(), "{stderr}");
    assert_eq!(run(["chmod", "0640", "--", "-rf"]).0, 0);
    assert_eq!(object.file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(run(["rm", "--yes", "--force", "--no-copy", "--", "-rf"]).0, 0);
    assert!(!object.path().exists());
}

#[test]
fn usage_errors_escape_quoted_arguments() {
    for arguments in [
        &["list", "--json\x1b[31m"][..],
        &["\x1b]0;x\x07"],
        &["dump", "--offset", "\x1b[2J"],
        &["help", "\u{202e}x\x1b"],
    ] {
        let (status, stdout, stderr) = run(arguments);
        assert!(status == 2 && stdout.is_empty(), "{stdout}");
        assert!(!stderr.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{stderr:?}");
        assert!(stderr.contains(r"\x1b") && stderr.contains("For more information"), "{stderr}");
    }
}
