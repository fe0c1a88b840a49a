//! Inspect shows the live bytes of real programs.

use super::{
    NO_CHANGE_INTERVAL, ONE_SECOND, byte_cell, byte_on, end, leave_and_quit, open_first, row, writer,
};
use crate::support::{Namespaces, Object, SOON, Terminal, wait_until};
use std::fs;
use vt100::{Color, Screen};

/// Returns the writer's tick counter.
fn tick(name: &str) -> u64 {
    let bytes = fs::read(format!("/dev/shm/{name}")).unwrap();
    u64::from_ne_bytes(bytes[8..16].try_into().unwrap())
}

/// Returns true if a byte has the background of a change.
fn glows(screen: &Screen, offset: u16) -> bool {
    let (row, column) = byte_cell(offset);
    screen.cell(row, column).is_some_and(|cell| cell.bgcolor() != Color::Default)
}

#[test]
fn inspect_shows_bytes_of_real_programs() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (program, name, text, hex) in [
        ("sysv_writer.cpp", "0x4d2", "ten by C++", "74 65 6e 20 62 79 20 43 2b 2b 00"),
        ("posix_writer.cpp", "/1234", "ten by C++", "74 65 6e 20 62 79 20 43 2b 2b 00"),
        ("posix_writer.py", "by_python", "ten by Python", "74 65 6e 20 62 79 20 50 79 74 68 6f 6e"),
    ] {
        let Some(writer) = writer(program, name, NO_CHANGE_INTERVAL) else { continue };
        let terminal = open_first();
        // The row contains the magic number, the size and the first tick.
        terminal.wait_for(row("0000_0000 31 4d 48 53 38 00 00 00 01 00 00 00"), SOON);
        terminal.wait_for("1MHS8···", SOON);
        terminal.wait_for(row(&format!("0000_0020 {hex}")), SOON);
        terminal.wait_for(text, SOON);
        terminal.wait_for("no trace", SOON);
        leave_and_quit(terminal);
        end(writer);
    }
}

/// Asserts that a change of the tick is on screen and highlighted within a second.
fn assert_change_is_shown(program: &str, name: &str) {
    let Some(writer) = writer(program, name, "100") else { return };
    let terminal = open_first();
    let seen = terminal.on_screen(|screen| byte_on(screen, 8));
    terminal.wait_for(|screen: &Screen| byte_on(screen, 8) != seen && glows(screen, 8), ONE_SECOND);
    // Unchanged bytes are not highlighted.
    assert!(!terminal.on_screen(|screen| glows(screen, 28) || glows(screen, 0)));
    terminal.wait_for(|screen: &Screen| !screen.contents().contains(" 0/s"), SOON);
    leave_and_quit(terminal);
    end(writer);
}

#[test]
fn change_by_cpp_is_shown_within_a_second() {
    let Some(_namespaces) = Namespaces::new() else { return };
    assert_change_is_shown("sysv_writer.cpp", "0x4d2");
    assert_change_is_shown("posix_writer.cpp", "/1234");
}

#[test]
fn change_by_python_is_shown_within_a_second() {
    let Some(_namespaces) = Namespaces::new() else { return };
    assert_change_is_shown("posix_writer.py", "by_python");
}

#[test]
fn highlight_fades() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 64, 0o600);
    let terminal = open_first();
    // A byte on screen for the first time has not changed.
    terminal.wait_for(|screen: &Screen| byte_on(screen, 5) == "00", SOON);
    object.write(5, b"\xab");
    terminal.wait_for(|screen: &Screen| byte_on(screen, 5) == "ab" && glows(screen, 5), SOON);
    let color = |screen: &Screen| screen.cell(3, byte_cell(5).1).map(vt100::Cell::bgcolor);
    let fresh = terminal.on_screen(color);
    // The highlight fades in steps and disappears.
    terminal.wait_for(|screen: &Screen| glows(screen, 5) && color(screen) != fresh, SOON);
    terminal.wait_for(|screen: &Screen| !glows(screen, 5) && byte_on(screen, 5) == "ab", SOON);
    leave_and_quit(terminal);
}

#[test]
fn freeze_stops_updates_until_resumed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer("posix_writer.cpp", "/1234", "10") else { return };
    let terminal = open_first();
    terminal.send("<Space>");
    terminal.wait_for("frozen", SOON);
    let picture = rows_of_bytes(&terminal);
    let then = tick("1234");
    wait_until(SOON, || tick("1234") > then + 50);
    assert_eq!(rows_of_bytes(&terminal), picture);
    terminal.send("<Space>");
    terminal.wait_for("live", SOON);
    wait_until(SOON, || rows_of_bytes(&terminal) != picture);
    leave_and_quit(terminal);
}

fn rows_of_bytes(terminal: &Terminal) -> Vec<String> {
    terminal.screen().lines().skip(3).take(4).map(ToOwned::to_owned).collect()
}

#[test]
fn sample_interval_can_be_chosen() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 64, 0o600);
    let terminal = open_first();
    terminal.wait_for("live 10/s", SOON);
    terminal.send("-");
    terminal.wait_for("live 20/s", SOON);
    terminal.send("+++++++");
    terminal.wait_for("paused", SOON);
    object.write(0, b"\x99");
    terminal.send("-");
    terminal.wait_for(row("0000_0000 99"), SOON);
    leave_and_quit(terminal);
}

#[test]
fn fields_of_a_cpp_program_are_live_and_lead_to_their_bytes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(writer) = writer("posix_writer.cpp", "/1234", "100") else { return };
    let terminal = open_first();
    terminal.resize((120, 30));
    let header = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/layout.hpp");
    terminal.send("t<End><Enter>");
    terminal.wait_for("show as:", SOON);
    terminal.send(&format!("{header}:Shared<Enter>"));
    terminal.wait_for(row("name char[28] \"written by C++\""), SOON);
    terminal.wait_for(row("size u32 56"), SOON);
    terminal.wait_for(row("state u32 1"), SOON);
    let before = tick("1234");
    wait_until(SOON, || tick("1234") > before + 2);
    terminal.wait_for(
        |screen: &Screen| {
            let rows: Vec<String> = screen.rows(0, 120).filter(|row| row.contains("tick ")).collect();
            let shown = rows.iter().filter_map(|row| row.split_whitespace().last()?.parse::<u64>().ok());
            shown.into_iter().any(|shown| shown > before + 2)
        },
        SOON,
    );
    terminal.send("ostate<Enter>");
    terminal.wait_for("AT 0x18  state", SOON);
    leave_and_quit(terminal);
    end(writer);
}
