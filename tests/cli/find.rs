//! `find` reports every match and the segments it skipped.

use super::{json, printed, run, settle, stderr_of};
use crate::support::{Child, Namespaces, Object, SOON, Sysv, as_nobody, shmlens, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn find_searches_every_posix_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let a = Object::new("a", 10_000, 0o600);
    a.write(4090, b"hello world");
    a.write(9000, b"hello");
    let _b = Object::new("b", 10_000, 0o600);
    let c = Object::new(b"c\xff", 4 << 40, 0o600);
    c.write((4 << 40) - 5, b"hello");
    assert_eq!(
        printed(["find", "hello"]),
        "posix:/a  0x00000ffa  |........hello world.....................|\n\
         posix:/a  0x00002328  |........hello...........................|\n\
         posix:/c\\xff  0x3fffffffffb  |........hello|\n"
    );
    assert_eq!(printed(["find", "hello", "a", "--limit", "1"]).lines().count(), 1);
    assert_eq!(printed(["find", "hello", "--count"]), "posix:/a  2\nposix:/c\\xff  1\n");
    assert_eq!(printed(["find", "hello", "--count", "a", "/a"]), "posix:/a  2\n");
}

#[test]
fn matches_in_a_huge_hole_are_counted_immediately() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let hole = Object::new("hole", 4 << 40, 0o600);
    hole.write(1 << 41, b"data");
    assert_eq!(printed(["find", "--hex", "00", "--count", "hole"]), "posix:/hole  4398046511100\n");
    assert_eq!(printed(["find", "--hex", "00 00 00", "--count", "hole"]), "posix:/hole  1466015503699\n");
    assert_eq!(printed(["find", "--hex", "00", "--count", "--limit", "7", "hole"]), "posix:/hole  7\n");
    let lines = printed(["find", "--hex", "00", "--limit", "2", "hole"]);
    let offsets: Vec<&str> = lines.lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(offsets, ["0x00000000", "0x00000001"]);
}

#[test]
fn find_accepts_hex_and_values() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 100, 0o600);
    object.write(10, &[0xde, 0xad, 0x07, 0xef]);
    object.write(40, &3.5_f64.to_ne_bytes());
    object.write(60, &0x1234_u16.to_be_bytes());
    let place = |words: [&str; 2]| {
        let found = json(["find", words[0], words[1], "a", "--json"]);
        (found["offset"].as_u64().unwrap(), found["length"].as_u64().unwrap())
    };
    assert_eq!(place(["--hex", "de ad ?? ef"]), (10, 4));
    assert_eq!(place(["--value", "f64:3.5"]), (40, 8));
    assert_eq!(place(["--value", "u16be:0x1234"]), (60, 2));
    let found = json(["find", "--hex", "dead", "--json"]);
    assert_eq!((&found["id"], &found["context"]["offset"]), (&"posix:/a".into(), &2.into()));
    assert!(found["context"]["hex"].as_str().unwrap().starts_with("0000000000000000dead07ef"));
    assert_eq!(json(["find", "--hex", "dead", "--count", "--json"])["count"], 1);
}

#[test]
fn sysv_segments_are_searched_only_by_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 10_000, 0o600);
    sysv.write(4090, b"hello");
    settle(&sysv);
    let table = || fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let before = table();
    let output = run(["find", "hello"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("skipped 1 System V segment ") && message.contains(&sysv.id().to_string()),
        "{message}"
    );
    assert_eq!(table(), before);
    let found = printed(["find", "hello", "key:1234"]);
    assert!(found.starts_with(&format!("{}  0x00000ffa  |", sysv.id())), "{found}");
    assert_eq!(json(["list", "--json"])["segments"][0]["nattch"], 0);
}

#[test]
fn find_reports_unreadable_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let open = Object::new("open", 100, 0o644);
    open.write(0, b"hello");
    let closed = Object::new("closed", 100, 0o600);
    closed.write(0, b"hello");
    let find = |words: &[&str]| {
        let output = as_nobody(env!("CARGO_BIN_EXE_shmlens"), ["find"].iter().chain(words)).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (status, found, message) = find(&["hello"]);
    assert_eq!((status, found.lines().count()), (Some(0), 1));
    assert!(
        message.contains("skipped 1 segment that you cannot read") && message.contains(": /closed"),
        "{message}"
    );
    // A named segment must be searched.
    let (status, found, message) = find(&["hello", "open", "closed"]);
    assert_eq!((status, found.lines().count()), (Some(1), 1));
    assert!(message.contains("owner root"), "{message}");
}

#[test]
fn find_status_distinguishes_no_match_from_an_invalid_pattern() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 100, 0o600);
    assert_eq!(stderr_of(["find", "hello"], 1), "");
    assert_eq!(stderr_of(["find", "hello", "a"], 1), "");
    for (error, words) in [
        (stderr_of(["find", "--hex", "xy"], 2), "invalid hex"),
        (stderr_of(["find", "--hex", "abc"], 2), "odd number"),
        (stderr_of(["find", "--hex", "????"], 2), "everything"),
        (stderr_of(["find", "--value", "f64:much"], 2), "f64"),
        (stderr_of(["find", "--value", "u33:1"], 2), "u33"),
        (stderr_of(["find", ""], 2), "empty"),
        (stderr_of(["find"], 2), "PATTERN"),
        (stderr_of(["find", "--hex", "00", "--value", "u8:0"], 2), "cannot be used with"),
        (stderr_of(["find", "hello", "nosuch"], 1), "nosuch"),
    ] {
        assert!(error.contains(words), "{words} is not in {error}");
    }
}

#[test]
fn ctrl_c_stops_the_command() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // Matches in a hole are counted without searching, but each one is printed.
    let _object = Object::new("huge", 4 << 40, 0o600);
    let mut child = Child::spawn(
        shmlens().args(["find", "--hex", "00 00 00 01"]).stdout(Stdio::null()).stderr(Stdio::piped()),
    );
    let done = child.wait(SOON);
    assert_eq!(done.code(), Some(1), "a hole is not searched for nonzero bytes");
    let mut child = Child::spawn(
        shmlens().args(["find", "--hex", "00 00 00 00"]).stdout(Stdio::null()).stderr(Stdio::piped()),
    );
    // Wait until the signal handler is installed.
    let status = format!("/proc/{}/status", child.pid());
    wait_until(SOON, || {
        let text = fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
        u64::from_str_radix(&caught, 16).unwrap() & 1 << (Signal::SIGINT as i32 - 1) != 0
    });
    child.signal(Signal::SIGINT);
    assert_eq!(child.wait(SOON).code(), Some(1));
}

#[test]
fn shrinking_object_is_reported() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 8 << 20, 0o600);
    object.write(0, &vec![b'x'; 8 << 20]);
    let mut command = shmlens();
    command.args(["find", "x"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 100]).unwrap();
    object.file.set_len(4096).unwrap();
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("/a: its size changed while it was read"), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn json_prints_one_object_per_line() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 100, 0o600);
    object.write(0, b"abab ab");
    let lines = printed(["find", "ab", "--json"]);
    let offsets: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["offset"].as_u64().unwrap())
        .collect();
    assert_eq!(offsets, [0, 2, 5]);
}
