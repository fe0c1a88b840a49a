//! Changes to a segment while it is open in Inspect are reported, and the last bytes stay visible.

use super::{NO_CHANGE_INTERVAL, end, leave_and_quit, open_first, row, writer};
use crate::support::{Namespaces, Object, SOON, Terminal};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// Inspects the end of an object with 64 KiB of `x`.
fn at_the_end() -> (Object, Terminal) {
    let object = Object::new("object", 0, 0o600);
    object.write(0, &vec![b'x'; 64 << 10]);
    let terminal = open_first();
    terminal.send("G");
    terminal.wait_for("at 0xffff (65535)", SOON);
    (object, terminal)
}

#[test]
fn inspect_reports_a_shrunk_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (object, terminal) = at_the_end();
    object.file.set_len(100).unwrap();
    terminal.wait_for("Shrunk from 64 KiB to 100 B", SOON);
    terminal.wait_for("at 0x63 (99)", SOON);
    terminal.wait_for(row("0000_0060 78 78 78 78 xxxx"), SOON);
    object.file.set_len(0).unwrap();
    terminal.wait_for(row("/object 0 B"), SOON);
    // After growing again, the truncated part is zero.
    object.file.set_len(20).unwrap();
    terminal.wait_for(row("0000_0010 00 00 00 00"), SOON);
    leave_and_quit(terminal);
}

#[test]
fn inspect_reports_a_removed_segment() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(python) = writer("posix_writer.py", "by_python", NO_CHANGE_INTERVAL) else { return };
    let terminal = open_first();
    terminal.wait_for("ten by Python", SOON);
    end(python);
    terminal.wait_for("removed", SOON);
    terminal.wait_for("ten by Python", SOON);
    leave_and_quit(terminal);
}

#[test]
fn inspect_reports_a_replaced_object() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (old, terminal) = at_the_end();
    drop(old);
    let _new = Object::new("object", 32 << 10, 0o600);
    terminal.wait_for("removed: name reused by another object", SOON);
    terminal.wait_for("xxxxxxxxxxxxxxxx", SOON);
    terminal.send("q");
    terminal.wait_for(row("▌ /object 32 KiB"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for(row("0000_0000 00 00 00 00"), SOON);
    leave_and_quit(terminal);
}

#[test]
fn inspect_keeps_reading_after_a_mode_change() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (object, terminal) = at_the_end();
    // An open descriptor stays readable after the mode changes.
    fs::set_permissions(object.path(), fs::Permissions::from_mode(0o000)).unwrap();
    object.write(0xfff0, b"still read");
    terminal.wait_for("still read", SOON);
    leave_and_quit(terminal);
}
