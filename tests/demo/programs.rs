//! The programs in assets/demo: they compile, read each other's values, and leave nothing behind.

use super::{rows, totals};
use crate::support::{Child, Namespaces, SOON, asset, demo_program as program, tool, wait_until};
use nix::sys::signal::Signal;
use std::process::{Command, Output};

fn run(name: &str, arguments: &[&str]) -> Option<Output> {
    Some(program(name)?.args(arguments).output().unwrap())
}

/// Returns the ticks that a reader printed, one per line, with the text after them.
fn ticks(output: &Output, text: &str) -> Vec<u64> {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tick = |line: &str| {
        assert!(line.ends_with(text), "{line:?}");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    String::from_utf8_lossy(&output.stdout).lines().map(tick).collect()
}

/// Runs a writer, then readers of its segment, then signals the writer.
fn share_and_compare(writer: &str, name: &str, text: &str, readers: &[&str], signal: Signal) {
    let Some(mut command) = program(writer) else { return };
    let mut writer = Child::spawn_piped(command.args([name, "0", "5"]));
    assert!(writer.line(SOON).contains("56 bytes"));
    let created = totals();
    assert_eq!(created.0 + created.1, 1);
    for reader in readers {
        let Some(output) = run(reader, &[name, "3", "30"]) else { continue };
        let ticks = ticks(&output, text);
        assert_eq!(ticks.len(), 3, "{reader}");
        assert!(ticks[0] < ticks[2], "{reader} sees nothing move: {ticks:?}");
        // The reader only attached, so it must not remove the segment.
        assert_eq!(totals(), created, "after {reader}");
    }
    writer.signal(signal);
    assert_eq!(writer.line(SOON), "removed");
    assert!(writer.wait(SOON).success());
    assert_eq!(totals(), (0, 0));
}

#[test]
fn cpp_and_cpp_share_a_system_v_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    share_and_compare("sysv_writer.cpp", "0x4d2", "written by C++", &["sysv_reader.cpp"], Signal::SIGTERM);
}

#[test]
fn cpp_and_python_share_an_object_named_like_a_key() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let readers = ["posix_reader.cpp", "posix_reader.py", "posix_reader.py"];
    share_and_compare("posix_writer.cpp", "/1234", "written by C++", &readers, Signal::SIGINT);
}

#[test]
fn python_writes_and_cpp_reads() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let readers = ["posix_reader.cpp", "posix_reader.py"];
        share_and_compare("posix_writer.py", "/1234", "written by Python", &readers, signal);
    }
}

#[test]
fn writers_exit_after_their_count() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (writer, name) in
        [("sysv_writer.cpp", "1234"), ("posix_writer.cpp", "/1234"), ("posix_writer.py", "1234")]
    {
        let Some(output) = run(writer, &[name, "3", "1"]) else { continue };
        assert!(output.status.success(), "{writer}");
        assert_eq!(totals(), (0, 0), "after {writer}");
    }
}

#[test]
fn path_selects_its_ftok_key() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let path = asset("layout.hpp");
    let path = path.to_str().unwrap();
    let Some(mut command) = program("sysv_writer.cpp") else { return };
    let mut writer = Child::spawn_piped(command.args([path, "0", "5"]));
    writer.line(SOON);
    assert_eq!(rows()[0].key.0 >> 24, u32::from(b'S'), "ftok puts the project id into the top byte");
    let Some(output) = run("sysv_reader.cpp", &[path, "1"]) else { return };
    assert_eq!(ticks(&output, "written by C++").len(), 1);
    // A running reader is counted, and a signal ends it too.
    let mut command = program("sysv_reader.cpp").unwrap();
    let mut reader = Child::spawn_piped(command.args([path, "0", "5"]));
    wait_until(SOON, || rows()[0].nattch == 2);
    reader.signal(Signal::SIGINT);
    assert!(reader.wait(SOON).success());
    assert_eq!(rows()[0].nattch, 1);
    writer.signal(Signal::SIGHUP);
    assert!(writer.wait(SOON).success());
    assert_eq!(totals(), (0, 0));
}

#[test]
fn existing_missing_and_invalid_targets_are_refused() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let refused = |name: &str, arguments: &[&str], why: &str| {
        let Some(output) = run(name, arguments) else { return };
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && message.contains(why), "{name}: {message:?}");
    };
    refused("sysv_reader.cpp", &["77"], "No such file");
    refused("posix_reader.cpp", &["/77"], "No such file");
    refused("posix_reader.py", &["77"], "77 does not exist");
    let sysv = crate::support::Sysv::new(77, 4096, 0o600);
    let object = crate::support::Object::new("77", 4096, 0o600);
    refused("sysv_writer.cpp", &["77"], "File exists");
    refused("posix_writer.cpp", &["/77"], "File exists");
    refused("posix_writer.py", &["77"], "already exists");
    refused("sysv_reader.cpp", &["77"], "unexpected contents");
    refused("posix_reader.cpp", &["/77"], "unexpected contents");
    refused("posix_reader.py", &["77"], "unexpected contents");
    assert_eq!(totals(), (1, 1));
    drop((sysv, object));
}

#[test]
fn python_3_13_turns_tracking_off() {
    let Some(python) = tool("python3") else { return };
    let text = "import sys, posix_reader as reader\n\
                reader.SharedMemory = lambda **arguments: arguments\n\
                sys.version_info = (3, 13)\n\
                assert reader.attach('x') == {'name': 'x', 'create': False, 'track': False}";
    let output = Command::new(python).args(["-B", "-c", text]).current_dir(asset("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
