//! `watch` prints changes as they happen and ends with the segment.

use super::stderr_of;
use crate::support::{Child, Namespaces, Object, SOON, Sysv, shmlens, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

/// Starts a watch with CSV output. The header shows that it has started.
fn watch(arguments: &[&str]) -> Child {
    let mut child = Child::spawn_piped(
        shmlens().args(["watch", "--csv", "--interval", "5ms"]).args(arguments).stderr(Stdio::piped()),
    );
    let header = child.line(SOON);
    assert!(matches!(header.trim_end(), "time,offset,old,new" | "time,offset,path,old,new"), "{header}");
    child
}

/// Returns the next change without its time.
fn change(child: &mut Child) -> String {
    let line = child.line(SOON);
    let (time, rest) = line.trim_end().split_once(',').unwrap();
    assert!(time.len() > 25 && time.contains('T') && time.contains('.'), "{line}");
    rest.to_owned()
}

#[test]
fn watch_prints_changed_bytes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4 << 40, 0o600);
    object.write(0, &[1; 32]);
    let mut child = watch(&["a"]);
    object.write(14, &[2; 4]);
    assert_eq!(change(&mut child), "14,0101,0202");
    assert_eq!(change(&mut child), "16,0101,0202");
    object.write(14, &[2; 5]);
    assert_eq!(change(&mut child), "18,01,02");
    object.write((4 << 40) - 1, b"z");
    assert_eq!(change(&mut child), "4398046511103,00,7a");
}

#[test]
fn watch_prints_values_of_a_sysv_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    let mut child = watch(&["0x4d2", "--as", "f64le", "--offset", "8", "--length", "16", "--count", "2"]);
    sysv.write(0, &[9; 8]);
    sysv.write(8, &3.5_f64.to_le_bytes());
    assert_eq!(change(&mut child), "8,0.0,3.5");
    sysv.write(16, &(-1.0_f64).to_le_bytes());
    assert_eq!(change(&mut child), "16,0.0,-1.0");
    assert_eq!(child.wait(SOON).code(), Some(0));
}

#[test]
fn watch_prints_json_and_text() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 100, 0o600);
    for (form, options) in [("json", &["--json"][..]), ("text", &[])] {
        object.write(8, &[0]);
        let mut child = Child::spawn_piped(
            shmlens().args(["watch", "a", "--interval", "5ms", "--count", "1"]).args(options),
        );
        // Without a header, nothing shows that the watch has started: change the byte until it is
        // reported.
        let mut byte = 0_u8;
        let mut done = None;
        wait_until(SOON, || {
            byte = byte.wrapping_add(1);
            object.write(8, &[byte]);
            done = child.ended();
            done.is_some()
        });
        assert_eq!(done.unwrap().code(), Some(0));
        let line = child.line(SOON);
        if form == "json" {
            let change: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(change["offset"], 8);
            let byte = |field: &str| u8::from_str_radix(change[field].as_str().unwrap(), 16).unwrap();
            assert_ne!(byte("old"), byte("new"));
            assert!(change["time"].as_str().unwrap().contains('T'));
        } else {
            assert!(line.contains("  00000008  ") && line.contains(" -> "), "{line}");
        }
    }
}

#[test]
fn watch_ends_with_the_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 100, 0o600);
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let mut watching = [watch(&["a"]), watch(&["0x4d2"])];
    drop((object, sysv));
    for child in &mut watching {
        assert_eq!(child.wait(SOON).code(), Some(1));
        assert!(child.stderr().contains("was removed"));
    }
    assert_eq!(fs::read_to_string("/proc/sysvipc/shm").unwrap().lines().count(), 1);
}

#[test]
fn marked_segment_is_watched_until_the_last_holder_detaches() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 100, 0o600);
    let held = shmlens::sys::shm::Attachment::read_write(sysv.shmid).unwrap();
    shmlens::sys::shm::remove(sysv.shmid).unwrap();
    let mut child = watch(&[&sysv.id().to_string()]);
    assert_eq!(held.copy_from(3, b"x"), 1);
    assert_eq!(change(&mut child), "3,00,78");
    drop(held);
    assert_eq!(child.wait(SOON).code(), Some(1));
}

#[test]
fn ctrl_c_and_a_closed_pipe_end_watch_successfully() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 100, 0o600);
    let mut child = watch(&["a"]);
    child.signal(Signal::SIGINT);
    assert_eq!(child.wait(SOON).code(), Some(0));
    // A closed pipe ends the watch even while nothing changes.
    let program = env!("CARGO_BIN_EXE_shmlens");
    let line = format!("'{program}' watch a --csv --interval 5ms | head -1; echo ${{PIPESTATUS[0]}}");
    let output = Command::new("bash").args(["-c", &line]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "time,offset,old,new\r\n0\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn invalid_arguments_are_usage_errors() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 100, 0o600);
    for (error, words) in [
        (stderr_of(["watch", "a", "--interval", "soon"], 2), "expected a time"),
        (stderr_of(["watch", "a", "--count", "0"], 2), "--count"),
        (stderr_of(["watch", "a", "--csv", "--json"], 2), "cannot be used with"),
        (stderr_of(["watch", "a", "--offset", "101"], 1), "(100 bytes)"),
        (stderr_of(["watch", "nosuch"], 1), "nosuch"),
    ] {
        assert!(error.contains(words), "{words} is not in {error}");
    }
}

#[test]
fn watch_prints_the_fields_that_changed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 64, 0o600);
    let kind = "struct { int tick; struct { short x, y; } points[2]; char name[8]; }@8";
    let mut child = watch(&["a", "--as", kind, "--count", "2"]);
    object.write(18, &[5]);
    assert_eq!(change(&mut child), "18,points[1].y,0,5");
    // Fields that change together are one change. Text after its end is none.
    object.write(8, &[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, b'a', 0, b'b']);
    assert_eq!(change(&mut child), "8,tick,0,9");
    assert_eq!(change(&mut child), "20,name,\"\"\"\"\"\",\"\"\"a\"\"\"");
    assert_eq!(child.wait(SOON).code(), Some(0));
}
