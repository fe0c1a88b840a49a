//! The table: segments of real programs appear and disappear.

use super::{NO_CHANGE_INTERVAL, end, no_row, open, quit, row, row_of, wait_for_writer, writer};
use crate::support::{
    Namespaces, Object, SOON, Sysv, Terminal, as_nobody, asset, compile_cpp, shmlens, wait_until,
};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;
use vt100::Color;

/// The time in which a change appears: surveys run once per second.
const NEXT_SURVEY: Duration = Duration::from_secs(2);

#[test]
fn table_shows_segments_of_real_programs() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_cpp) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let Some(_reader) = writer("posix_writer.cpp", "/1234", NO_CHANGE_INTERVAL) else { return };
    let Some(_python) = writer("posix_writer.py", "by_python", NO_CHANGE_INTERVAL) else { return };
    let Some(program) = compile_cpp(asset("posix_writer.cpp")) else { return };
    let _nobodys = wait_for_writer(&mut as_nobody(program, ["/strange", "0", NO_CHANGE_INTERVAL]));
    set_permissions("/dev/shm/1234", Permissions::from_mode(0o640)).unwrap();
    let terminal = Terminal::start((140, 30), shmlens());
    for words in [
        "▌ sysv:0",
        "/1234 56 B 100% posix_writer-cpp root 0640",
        "/by_python 56 B 100% posix_writer.py root 0600",
        "/strange 56 B 100%",
        "nobody 0600",
        "shmlens 4 segments 16 KiB resident root every 1 s",
        "SysV 1 of 4096 ids, 56 B",
    ] {
        terminal.wait_for(row(words), SOON);
    }
    quit(terminal);
}

#[test]
fn table_shows_sizes_modes_and_flags_of_every_kind() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0, 300 << 20, 0o640).owned_by(12345, 0);
    sysv.lock();
    let _sparse = Object::new("sparse", 4 << 40, 0o4600);
    let empty = Object::new("empty", 0, 0o666);
    let terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for(row("▌ sysv:0 300 MiB"), SOON);
    terminal.wait_for(row("12345 0640L"), SOON);
    terminal.wait_for(row("/sparse 4.0 TiB"), SOON);
    terminal.wait_for(row("/empty 0 B"), SOON);
    drop(empty);
    terminal.wait_for(no_row("/empty"), SOON);
    quit(terminal);
}

#[test]
fn selection_survives_appearing_and_vanishing_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(middle) = writer("posix_writer.py", "middle", NO_CHANGE_INTERVAL) else { return };
    let terminal = open();
    terminal.wait_for(row("▌ /middle"), SOON);

    let Some(before) = writer("posix_writer.cpp", "/before", NO_CHANGE_INTERVAL) else { return };
    terminal.wait_for(row("/before 56 B"), NEXT_SURVEY);
    // New rows are highlighted for a while; others are not.
    assert!(glows(&terminal, "/before") && !glows(&terminal, "/middle"));
    wait_until(SOON, || !glows(&terminal, "/before"));
    assert!(row_of(&terminal, "/before") < row_of(&terminal, "▌ /middle"));
    let Some(behind) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    terminal.wait_for(row("sysv:0"), NEXT_SURVEY);
    terminal.wait_for(row("▌ /middle"), SOON);

    end(before);
    terminal.wait_for(no_row("/before"), NEXT_SURVEY);
    terminal.wait_for(row("▌ /middle"), SOON);
    // The next row takes the selection of a segment that disappears.
    end(middle);
    terminal.wait_for(row("▌ sysv:0"), NEXT_SURVEY);
    end(behind);
    terminal.wait_for("No shared memory segments.", NEXT_SURVEY);
    quit(terminal);
}

/// Returns true if the name in the row with these words has the background of a change.
fn glows(terminal: &Terminal, words: &str) -> bool {
    terminal.cell(row_of(terminal, words), 5).bgcolor() != Color::Default
}

#[test]
fn refresh_key_surveys_while_paused() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let terminal = open();
    terminal.wait_for("No shared memory segments.", SOON);
    terminal.send("+++++++++");
    terminal.wait_for("paused", SOON);
    let _object = Object::new("later", 99, 0o600);
    terminal.send("r");
    terminal.wait_for(row("/later 99 B"), SOON);
    quit(terminal);
}
