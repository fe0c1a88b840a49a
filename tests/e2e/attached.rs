//! Attachments: one while Inspect is open, kept on request, and none after the program ends.

use super::{NO_CHANGE_INTERVAL, answer, end, nattch, no_row, open, open_first, quit, row, writer};
use crate::support::{Namespaces, SOON, Sysv, Terminal, wait_until};
use shmlens::sys::shm;
use std::process::Command;

/// Returns the attachments of shmid 0 according to `ipcs`.
fn ipcs() -> String {
    let output = Command::new("ipcs").args(["-m", "-i", "0"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().find_map(|word| word.strip_prefix("nattch=")).unwrap().to_owned()
}

fn leave(terminal: &Terminal) {
    terminal.send("<Esc>");
    terminal.wait_for("CHANGING", SOON);
}

#[test]
fn inspect_attaches_once_and_detaches_on_leaving() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    let terminal = open_first();
    terminal.wait_for("attached: nattch +1", SOON);
    assert_eq!((nattch(0), ipcs()), (1, "1".to_owned()));
    leave(&terminal);
    wait_until(SOON, || nattch(0) == 0);
    terminal.wait_for(row("sysv:0"), SOON);
    terminal.wait_for("nattch 0", SOON);
    quit(terminal);
    assert_eq!((nattch(0), ipcs()), (0, "0".to_owned()));
}

#[test]
fn inspect_does_not_attach_segments_held_by_others() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(writer) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let terminal = open_first();
    terminal.wait_for("no trace", SOON);
    terminal.resize((120, 24));
    terminal.wait_for(&*format!("no trace (through PID {})", writer.pid()), SOON);
    assert_eq!((nattch(0), ipcs()), (1, "1".to_owned()));
    end(writer);
    terminal.wait_for("removed: freed when you leave", SOON);
    terminal.wait_for(row("0000_0000 31 4d 48 53"), SOON);
    leave(&terminal);
    terminal.wait_for("No shared memory segments.", SOON);
    quit(terminal);
}

#[test]
fn kept_attachment_is_marked_and_can_be_detached() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    let terminal = open_first();
    terminal.send("P");
    terminal.wait_for("Stays attached when you leave", SOON);
    leave(&terminal);
    terminal.wait_for(row("▌ ◉ sysv:0"), SOON);
    terminal.wait_for("nattch 1, 1 by shmlens", SOON);
    assert_eq!(nattch(0), 1);
    // Inspecting the segment again adds no attachment.
    terminal.send("<Enter>");
    terminal.wait_for("attached: nattch +1", SOON);
    assert_eq!(nattch(0), 1);
    leave(&terminal);
    terminal.send("D");
    terminal.wait_for("y detach", SOON);
    answer(&terminal, "y");
    terminal.wait_for(no_row("Attachments of shmlens"), SOON);
    terminal.wait_for(no_row("◉"), SOON);
    terminal.wait_for(row("sysv:0"), SOON);
    terminal.wait_for("nattch 0", SOON);
    assert_eq!(nattch(0), 0);
    terminal.send("D");
    terminal.wait_for("Nothing attached. P in Inspect keeps one", SOON);
    quit(terminal);
}

#[test]
fn last_detach_destroys_a_marked_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (marked, other) = (Sysv::new(0x4d2, 8192, 0o600), Sysv::new(0x4d3, 4096, 0o600));
    let terminal = open();
    terminal.wait_for(row("▌ sysv:0"), SOON);
    for key in ["", "j"] {
        terminal.send(key);
        terminal.send("<Enter>");
        terminal.wait_for("attached: nattch +1", SOON);
        terminal.send("P");
        terminal.wait_for("Stays attached when you leave", SOON);
        leave(&terminal);
    }
    shm::remove(marked.shmid).unwrap();
    assert_eq!((nattch(marked.shmid), nattch(other.shmid)), (1, 1));
    terminal.send("D");
    terminal.wait_for("Attachments of shmlens: 2", SOON);
    terminal.wait_for("a detach all 2 (1 freed)", SOON);
    // Leaving Inspect detaches nothing.
    terminal.send("<Esc>");
    terminal.wait_for(no_row("freed)"), SOON);
    assert_eq!((nattch(marked.shmid), nattch(other.shmid)), (1, 1));
    terminal.send("D");
    terminal.wait_for("freed)", SOON);
    answer(&terminal, "a");
    wait_until(SOON, || shm::stat(marked.shmid).is_err());
    terminal.wait_for("Detached from 2 segments; 1 of them freed", SOON);
    assert_eq!(nattch(other.shmid), 0);
    terminal.send(":log<Enter>");
    terminal.wait_for("Log of this session", SOON);
    terminal.send("<Esc>");
    // An Esc directly followed by a letter would be a single key.
    terminal.wait_for(no_row("Log of this session"), SOON);
    quit(terminal);
}

#[test]
fn quit_detaches_everything() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _sysv = Sysv::new(0x4d2, 56, 0o600);
    let terminal = open_first();
    terminal.send("P");
    terminal.wait_for("Stays attached when you leave", SOON);
    leave(&terminal);
    terminal.wait_for(row("◉ sysv"), SOON);
    terminal.send("q");
    terminal.wait_for("1 segment stays attached while shmlens runs; quit detaches. Press q again", SOON);
    assert_eq!(nattch(0), 1);
    quit(terminal);
    assert_eq!(nattch(0), 0);
}

#[test]
fn removed_segment_is_freed_when_inspect_closes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 56, 0o600);
    sysv.write(0, b"1MHS");
    let terminal = open_first();
    terminal.wait_for("attached: nattch +1", SOON);
    drop(sysv);
    terminal.wait_for("removed", SOON);
    terminal.wait_for(row("0000_0000 31 4d 48 53"), SOON);
    assert_eq!(nattch(0), 1);
    leave(&terminal);
    wait_until(SOON, || shm::stat(0).is_err());
    terminal.wait_for("No shared memory segments.", SOON);
    quit(terminal);
}
