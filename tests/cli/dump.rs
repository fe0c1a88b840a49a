//! `dump` matches `hexdump -C` byte for byte and leaves holes unallocated.

use super::{json, printed, run, settle, stderr_of};
use crate::support::{Child, NOBODY, Namespaces, Object, SOON, Sysv, as_nobody, python, shmlens, tool};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn random(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(count + 8);
    while bytes.len() < count {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// Returns contents of every kind: random, repeated, zeros, and a short last line.
fn contents() -> Vec<Vec<u8>> {
    let mut mixed = random(5000);
    mixed[1024..2048].fill(b'x');
    mixed[3000..4500].fill(0);
    vec![
        b"x".to_vec(),
        b"0123456789abcdef".to_vec(),
        b"0123456789abcdef0123456789abcdef0123456789".to_vec(),
        vec![0; 48],
        mixed,
        (0..=255).collect(),
        random(3 << 20),
    ]
}

#[track_caller]
fn assert_same(ours: &[u8], theirs: &[u8]) {
    if ours != theirs {
        let mut lines = ours.split(|&byte| byte == b'\n').zip(theirs.split(|&byte| byte == b'\n'));
        let differing = lines.find(|(ours, theirs)| ours != theirs);
        let text = differing.map(|(ours, theirs)| {
            format!("{}\n{}", String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs))
        });
        panic!("{} and {} bytes; first difference:\n{}", ours.len(), theirs.len(), text.unwrap_or_default());
    }
}

fn hexdump(file: &Path, options: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new(tool("hexdump")?).arg("-C").args(options).arg(file).output().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

#[test]
fn posix_dump_matches_hexdump() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for bytes in contents() {
        let object = Object::new("a", bytes.len() as u64, 0o600);
        object.write(0, &bytes);
        let Some(theirs) = hexdump(&object.path(), &[]) else { return };
        assert_same(&run(["dump", "/a"]).stdout, &theirs);
        let Some(theirs) = hexdump(&object.path(), &["-v"]) else { return };
        assert_same(&run(["dump", "/a", "--no-squeezing"]).stdout, &theirs);
        assert_same(&run(["dump", "/a", "--raw"]).stdout, &bytes);
    }
}

#[test]
fn partial_dump_matches_hexdump() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 100_000, 0o600);
    object.write(3, &random(5000));
    object.write(70_000, &[7; 9000]);
    for (offset, length) in [
        ("0", "16"),
        ("3", "4097"),
        ("0x1000", "100000"),
        ("4999", "70000"),
        ("69991", "40"),
        ("99999", "1"),
        ("100000", "5"),
    ] {
        let start = offset.strip_prefix("0x").map_or(offset.to_owned(), |_| "4096".to_owned());
        let Some(theirs) = hexdump(&object.path(), &["-s", &start, "-n", length]) else { return };
        assert_same(&run(["dump", "a", "--offset", offset, "--length", length]).stdout, &theirs);
    }
    let Some(theirs) = hexdump(&object.path(), &["-s", "65536"]) else { return };
    assert_same(&run(["dump", "a", "--offset", "64K"]).stdout, &theirs);
}

#[test]
fn sysv_dump_matches_hexdump() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("copy");
    for bytes in contents() {
        let sysv = Sysv::new(0x4d2, bytes.len() as u64, 0o600);
        sysv.write(0, &bytes);
        fs::write(&file, &bytes).unwrap();
        let Some(theirs) = hexdump(&file, &[]) else { return };
        assert_same(&run(["dump", "0x4d2"]).stdout, &theirs);
        assert_same(&run(["dump", "0x4d2", "--raw"]).stdout, &bytes);
    }
}

#[test]
fn dump_changes_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4 << 20, 0o600);
    object.write(2 << 20, b"x");
    let sysv = Sysv::new(0x4d2, 4 << 20, 0o600);
    sysv.write(2 << 20, b"x");
    settle(&sysv);
    let facts = || {
        let file = fs::metadata(object.path()).unwrap();
        let list = json(["list", "--json", "kind=sysv"]);
        let sysv = &list["segments"][0];
        (file.atime(), file.atime_nsec(), file.blocks(), sysv["resident"].clone(), sysv["nattch"].clone())
    };
    let before = facts();
    for name in ["a", "0x4d2"] {
        for options in [&[][..], &["--no-squeezing"], &["--raw"], &["--as", "u64"], &["--json"]] {
            let status = shmlens().args(["dump", name]).args(options).stdout(Stdio::null()).status();
            assert!(status.unwrap().success());
        }
    }
    assert_eq!(facts(), before);
    assert_eq!(before.4, 0);
}

#[test]
fn dump_handles_the_largest_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let size: u64 = 4 << 40;
    let object = Object::new("huge", size, 0o600);
    object.write(size - 5, b"hello");
    // Attaching this much would exceed the address space.
    let program = env!("CARGO_BIN_EXE_shmlens");
    let limited = format!("ulimit -v 400000; exec '{program}' dump huge \"$@\"");
    let dump = |options: &[&str]| {
        let output = Command::new("sh").args(["-c", &limited, "sh"]).args(options).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(
        dump(&[]),
        "00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n*\n\
         3fffffffff0  00 00 00 00 00 00 00 00  00 00 00 68 65 6c 6c 6f  |...........hello|\n40000000000\n"
    );
    assert_eq!(
        dump(&["--as", "u8[8]"]),
        "00000000  [0, 0, 0, 0, 0, 0, 0, 0]\n*\n3fffffffff8  [0, 0, 0, 104, 101, 108, 108, 111]\n"
    );
    assert_eq!(dump(&["--offset", "4398046511099", "--raw"]), "hello");
    object.file.set_len(i64::MAX as u64).unwrap();
    assert!(dump(&[]).ends_with("7fffffffffffffff\n"));
}

#[test]
fn dump_prints_typed_values() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 24, 0o600);
    object.write(0, &42_u64.to_le_bytes());
    object.write(8, &3.5_f64.to_le_bytes());
    object.write(16, b"text");
    assert_eq!(printed(["dump", "a", "--as", "u64le", "--length", "8"]), "00000000  42\n");
    assert_eq!(printed(["dump", "a", "--as", "f64le", "--offset", "8", "--length", "8"]), "00000008  3.5\n");
    assert_eq!(printed(["dump", "a", "--as", "char[8]", "--offset", "16"]), "00000010  \"text\"\n");
    assert_eq!(
        printed(["dump", "a", "--as", "u8[2]", "--length", "2", "--json"]),
        "{\"offset\":0,\"type\":\"u8[2]\",\"value\":[42,0]}\n"
    );
    let lines = printed(["dump", "a", "--json"]);
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["offset"], &lines[1]["hex"]), (&16.into(), &"7465787400000000".into()));
    assert_eq!(lines[1]["text"], "text....");
}

#[test]
fn dump_explains_invalid_requests() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 100, 0o600);
    let error = stderr_of(["dump", "a", "--offset", "101"], 1);
    assert!(error.contains("offset 101 is past the end of /a (100 bytes)"), "{error}");
    stderr_of(["dump", "a", "--offset", "16E"], 2);
    stderr_of(["dump", "a", "--offset", "-1"], 2);
    stderr_of(["dump", "a", "--length", "much"], 2);
    stderr_of(["dump", "a", "--raw", "--json"], 2);
    let error = stderr_of(["dump", "a", "--as", "u33"], 2);
    assert!(error.contains("u33") && error.contains("f64"), "{error}");
    let error = stderr_of(["dump", "b"], 1);
    assert!(error.contains("no segment named 'b'"), "{error}");
}

#[test]
fn dump_reports_a_truncated_value() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("values", 10, 0o600);
    object.write(0, &[1, 0, 0, 0, 2, 0, 0, 0, 3, 0]);
    for (kind, shown, message) in [
        ("u32le", "00000000  1\n00000004  2\n", "skipped the last 2 bytes at 0x8: a value takes 4 bytes"),
        ("u32le[2]", "00000000  [1, 2]\n", "skipped the last 2 bytes at 0x8: a value takes 8 bytes"),
        ("u32le[2][2]", "00000000  [[1, 2], []]\n", "the value at 0x0 is incomplete: 10 of 16 bytes"),
    ] {
        let output = run(["dump", "values", "--as", kind]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "{kind}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("shmlens: {message}\n"), "{kind}");
    }
}

#[test]
fn dump_waits_for_a_lease_and_reports_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let leases = "import fcntl, os, signal, sys\n\
                  signal.signal(signal.SIGIO, signal.SIG_IGN)\n\
                  file = os.open('/dev/shm/leased', os.O_CREAT | os.O_RDWR)\n\
                  fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n\
                  print('ready', flush=True); sys.stdin.read()";
    let Some(mut command) = python(leases) else { return };
    let mut child = Child::spawn_piped(&mut command);
    assert_eq!(child.line(SOON).trim(), "ready");
    let report = stderr_of(["dump", "leased"], 1);
    assert!(report.contains("a process holds a lease on it") && report.contains("Try again"), "{report}");
}

#[test]
fn dump_explains_a_missing_read_permission() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 100, 0o600);
    let _ours = Object::new("ours", 100, 0o600);
    let theirs = Object::new("theirs", 4, 0o400).owned_by(NOBODY, NOBODY);
    theirs.write(0, b"text");
    let dump =
        |name: &str| as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["dump", name, "--raw"]).output().unwrap();
    for name in [sysv.id().to_string(), "ours".to_owned()] {
        let output = dump(&name);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        for words in ["permission denied", "owner root", "0600", "Run as root"] {
            assert!(error.contains(words), "{words} is not in {error}");
        }
    }
    assert_eq!(dump("theirs").stdout, b"text");
}

/// Starts a dump that blocks on a full pipe.
fn blocked_dump(name: &str) -> (std::process::Child, Vec<u8>) {
    let mut child = shmlens()
        .args(["dump", name, "--raw"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut bytes = vec![0; 1000];
    child.stdout.as_mut().unwrap().read_exact(&mut bytes).unwrap();
    (child, bytes)
}

#[test]
fn dump_completes_after_the_segment_is_removed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let bytes = random(8 << 20);
    let object = Object::new("a", bytes.len() as u64, 0o600);
    object.write(0, &bytes);
    let (mut child, mut read) = blocked_dump("a");
    drop(object);
    child.stdout.as_mut().unwrap().read_to_end(&mut read).unwrap();
    assert_same(&read, &bytes);
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn dump_reports_a_segment_shrunk_or_replaced_meanwhile() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let bytes = random(8 << 20);
    let object = Object::new("a", bytes.len() as u64, 0o600);
    object.write(0, &bytes);
    let (mut child, mut read) = blocked_dump("a");
    object.file.set_len(1 << 20).unwrap();
    child.stdout.as_mut().unwrap().read_to_end(&mut read).unwrap();
    assert!(read.len() < bytes.len() && bytes.starts_with(&read));
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(1) && error.contains("its size changed while it was read"),
        "{error}"
    );

    object.file.set_len(8 << 20).unwrap();
    let (mut child, mut read) = blocked_dump("a");
    fs::remove_file(object.path()).unwrap();
    let _other = Object::new("a", 5, 0o600);
    child.stdout.as_mut().unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read.len(), 8 << 20);
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.contains("was replaced during the dump"), "{error}");
}

#[test]
fn ctrl_c_stops_the_command() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("huge", 4 << 40, 0o600);
    let mut child =
        Child::spawn(shmlens().args(["dump", "huge", "--raw"]).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut out = child.stdout();
    out.read_exact(&mut [0; 100]).unwrap();
    child.signal(Signal::SIGINT);
    // The signal must arrive during a write, so read to the end only now.
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    assert_eq!(child.wait(SOON).code(), Some(1));
}

#[test]
fn dump_reports_a_full_disk_and_accepts_a_closed_pipe() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4 << 20, 0o600);
    for options in [&["--no-squeezing"][..], &["--raw"], &["--as", "u8", "--no-squeezing"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = shmlens().args(["dump", "a"]).args(options).stdout(full).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(error, "shmlens: failed to write the output: no space left on device\n");
        assert_eq!(output.status.code(), Some(1));
        let mut child = shmlens()
            .args(["dump", "a"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdout.take().unwrap();
        pipe.read_exact(&mut [0; 10]).unwrap();
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
    }
}

#[test]
fn dump_prints_types_of_declarations_and_headers() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 40, 0o600);
    object.write(0, &[7, 0, 0, 0, 1]);
    object.write(8, &1.5_f64.to_le_bytes());
    object.write(16, b"name\0x");
    object.write(24, &f64::NAN.to_le_bytes());
    let frame =
        "enum Mode : char { Off, On }; struct Frame { int tick; Mode mode; double x; char name[8]; };";
    let output = run(["dump", "a", "--as", frame, "--json"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "{\"offset\":0,\"type\":\"Frame\",\"value\":{\"tick\":7,\"mode\":\"On\",\"x\":1.5,\"name\":\"name\"}}\n\
         {\"offset\":24,\"type\":\"Frame\",\"value\":{\"tick\":0,\"mode\":\"Off\",\"x\":0.0,\"name\":null},\"truncated\":true}\n"
    );
    let directory = tempfile::tempdir().unwrap();
    let header = directory.path().join("frame.h");
    fs::write(&header, format!("#pragma once\n#include \"size.h\"\n{}", frame.replace("[8]", "[SIZE]")))
        .unwrap();
    fs::write(directory.path().join("size.h"), "#define SIZE 8\n").unwrap();
    let named = |name: &str| format!("{}:{name}", header.display());
    assert_eq!(
        printed(["dump", "a", "--as", &named("Frame@0")]),
        "00000000  {tick: 7, mode: On, x: 1.5, name: \"name\"}\n"
    );
    assert_eq!(
        printed(["dump", "a", "--as", &named("Frame"), "--csv", "--length", "24"]),
        "offset,tick,mode,x,name\r\n0,7,On,1.5,name\r\n"
    );
    assert_eq!(
        printed(["dump", "a", "--as", "f64le@24", "--json"]),
        "{\"offset\":24,\"type\":\"f64\",\"value\":\"NaN\"}\n"
    );
    let error = stderr_of(["dump", "a", "--as", &named("Missing")], 2);
    assert!(error.contains("frame.h: no type 'Missing'; the types are Mode, Frame"), "{error}");
    let error = stderr_of(["dump", "a", "--as", "/none.h:Frame"], 2);
    assert!(error.contains("failed to read /none.h: no such file or directory"), "{error}");
    let error = stderr_of(["dump", "a", "--as", "struct { int x }"], 2);
    assert!(error.contains("line 1, column 16: expected ';' after the field"), "{error}");
    let error = stderr_of(["dump", "a", "--as", "u8@4", "--offset", "2"], 2);
    assert!(error.contains("use either TYPE@OFFSET or --offset"), "{error}");
    stderr_of(["dump", "a", "--as", "struct {}"], 2);
}
