//! Nothing is written while nothing changes.

use super::{NO_CHANGE_INTERVAL, leave_and_quit, open_first, quit, row, writer};
use crate::support::{Namespaces, Object, SOON, Terminal, shmlens};
use std::thread;
use std::time::Duration;
use vt100::Screen;

/// Asserts that nothing is written during three surveys.
fn writes_nothing(terminal: &Terminal) {
    let written = terminal.raw().len();
    // The absence of output can only be waited for.
    thread::sleep(Duration::from_millis(2500));
    let raw = terminal.raw();
    assert_eq!(raw.len(), written, "{:?}", String::from_utf8_lossy(&raw[written..]));
}

#[test]
fn surveys_do_not_redraw_the_table() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_sysv) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let Some(_object) = writer("posix_writer.py", "by_python", NO_CHANGE_INTERVAL) else { return };
    // This size has too few rows to show ages, which change.
    let terminal = Terminal::start((80, 19), shmlens());
    terminal.wait_for(row("shmlens 2 segments"), SOON);
    // Wait for the holders.
    terminal.wait_for(|screen: &Screen| screen.contents().matches("● in use").count() == 2, SOON);
    writes_nothing(&terminal);
    quit(terminal);
}

#[test]
fn live_strip_does_not_redraw_unchanged_bytes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_object) = writer("posix_writer.py", "by_python", NO_CHANGE_INTERVAL) else { return };
    let terminal = Terminal::start((80, 24), shmlens());
    terminal.wait_for("● in use", SOON);
    // Wait for the contents of the strip, once the last change has faded.
    terminal.wait_for("31 4d 48 53", SOON);
    thread::sleep(Duration::from_secs(2));
    writes_nothing(&terminal);
    quit(terminal);
}

#[test]
fn fields_in_the_strip_do_not_redraw_unchanged_bytes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("array", 256, 0o600);
    object.write(0, b"\x93NUMPY\x01\0\x37\0{'descr': '<i4', 'fortran_order': False, 'shape': (4,)}");
    let terminal = Terminal::start((80, 24), shmlens());
    terminal.wait_for(row("data i32[4] [0, 0, 0, 0]"), SOON);
    // Wait for the holders, and until the last change has faded.
    terminal.wait_for(|screen: &Screen| screen.contents().contains("in use"), SOON);
    thread::sleep(Duration::from_secs(2));
    writes_nothing(&terminal);
    quit(terminal);
}

#[test]
fn samples_do_not_redraw_unchanged_bytes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_sysv) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let terminal = open_first();
    // Wait for ten samples per second, once the map has scanned the whole segment.
    terminal.wait_for("live 10/s", SOON);
    terminal.wait_for(|screen: &Screen| screen.cell(1, 62).is_some_and(|cell| cell.contents() == "░"), SOON);
    terminal.wait_for("sysv_writer", SOON);
    writes_nothing(&terminal);
    leave_and_quit(terminal);
}
