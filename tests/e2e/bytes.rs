//! Navigation in Inspect: offsets, searches, changes, types, copies.

use super::{NO_CHANGE_INTERVAL, clipboard_text, leave_and_quit, open_first, row, writer};
use crate::support::{Child, Namespaces, Object, SOON, Terminal, wait_until};
use vt100::Screen;

/// Starts a C++ writer with a long interval, and opens its segment in Inspect. The name is at
/// offset 28, `tick` at 8, `sine` at 16.
fn inside() -> Option<(Child, Terminal)> {
    let writer = writer("posix_writer.cpp", "/1234", NO_CHANGE_INTERVAL)?;
    let terminal = open_first();
    terminal.wait_for(row("0000_0000 31 4d 48 53"), SOON);
    Some((writer, terminal))
}

#[test]
fn search_finds_text_forward_and_backward() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    terminal.send("/t");
    terminal.send("<Enter>");
    for (key, offset) in
        [("", "at 0x1f (31)"), ("n", "at 0x20 (32)"), ("n", "at 0x1f (31)"), ("N", "at 0x20 (32)")]
    {
        terminal.send(key);
        terminal.wait_for(offset, SOON);
    }
    terminal.send("/nowhere");
    terminal.send("<Enter>");
    terminal.wait_for("No match for \"nowhere\"", SOON);
    leave_and_quit(terminal);
}

#[test]
fn search_finds_bytes_and_values() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    terminal.send("\\77 ?? 69<Enter>");
    terminal.wait_for("at 0x1c (28)", SOON);
    terminal.send("=u32:0x53484d31<Enter>");
    terminal.wait_for("at 0x0 (0)", SOON);
    // The prompt reports an invalid pattern, which the user can correct.
    terminal.send("\\7g<Enter>");
    terminal.wait_for("Invalid hex '7g'", SOON);
    terminal.send("<Backspace>7<Enter>");
    terminal.wait_for("at 0x1c (28)", SOON);
    leave_and_quit(terminal);
}

#[test]
fn go_to_moves_to_an_offset() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    for (typed, place) in [
        ("0x18", "at 0x18 (24)"),
        ("+8", "at 0x20 (32)"),
        ("-1", "at 0x1f (31)"),
        ("end", "at 0x37 (55)"),
        ("5", "at 0x5 (5)"),
    ] {
        terminal.send(&format!("o{typed}<Enter>"));
        terminal.wait_for(place, SOON);
    }
    terminal.send("o56<Enter>");
    terminal.wait_for("past the end", SOON);
    terminal.send("<C-c>");
    for (key, place) in [
        ("$", "at 0xf (15)"),
        ("j", "at 0x1f (31)"),
        ("0", "at 0x10 (16)"),
        ("l", "at 0x11 (17)"),
        ("G", "at 0x37 (55)"),
        ("<Up>", "at 0x27 (39)"),
        ("gg", "at 0x0 (0)"),
    ] {
        terminal.send(key);
        terminal.wait_for(place, SOON);
    }
    leave_and_quit(terminal);
}

#[test]
fn marks_can_be_revisited() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    terminal.send("o16<Enter>");
    terminal.wait_for("at 0x10 (16)", SOON);
    terminal.send("ma");
    terminal.wait_for("Marked 0x10 as a", SOON);
    terminal.send("G");
    terminal.wait_for("at 0x37 (55)", SOON);
    terminal.send("'a");
    terminal.wait_for("at 0x10 (16)", SOON);
    leave_and_quit(terminal);
}

#[test]
fn next_change_jumps_to_a_distant_change() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 64 << 10, 0o600);
    object.write(0, &vec![1; 64 << 10]);
    let terminal = open_first();
    // Changes are found once the map has scanned the whole segment.
    terminal.wait_for(|screen: &Screen| screen.cell(1, 71).is_some_and(|cell| cell.contents() == "▓"), SOON);
    object.write(0x5003, b"\x02");
    object.write(0x9000, b"\x02");
    for (keys, place) in [
        ("]", "at 0x5003 "),
        ("]", "at 0x9000 "),
        ("[", "at 0x5003 "),
        ("]", "at 0x9000 "),
        ("]", "No more changes in that direction"),
        ("b]", "No changes since the baseline"),
    ] {
        terminal.send(keys);
        terminal.wait_for(place, SOON);
    }
    leave_and_quit(terminal);
}

#[test]
fn next_data_skips_a_hole() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("object", 1 << 30, 0o600);
    object.write(700 << 20, b"here");
    let terminal = open_first();
    terminal.send("}");
    terminal.wait_for("at 0x2bc00000 ", SOON);
    terminal.wait_for(row("2bc0_0000 68 65 72 65"), SOON);
    terminal.send("}");
    terminal.wait_for("No more data in that direction", SOON);
    leave_and_quit(terminal);
}

#[test]
fn bytes_are_shown_by_type_order_and_row_width() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    terminal.send("t");
    terminal.wait_for("Show as", SOON);
    terminal.send("ff<Enter>");
    // The value is sin(0.1).
    terminal.wait_for(row("0000_0010 0.09983341664682815"), SOON);
    terminal.send("t<Home><Enter>");
    terminal.wait_for(row("0000_0000 31 4d 48 53"), SOON);
    terminal.send("w");
    terminal.wait_for("Bytes per row: 8", SOON);
    terminal.wait_for(row("0000_0008 01 00 00 00"), SOON);
    terminal.send("wwww");
    terminal.wait_for(row("u32 1397247281"), SOON);
    terminal.send("e");
    terminal.wait_for(row("u32 827148371"), SOON);
    leave_and_quit(terminal);
}

#[test]
fn bytes_are_copied_in_every_format() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((_writer, terminal)) = inside() else { return };
    for (form, text) in [
        ("h", "31 4d 48 53 38 00 00 00 01 00 00 00 00 00 00 00"),
        ("t", r"1MHS8\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"),
        ("C", "{ /* 16 bytes at offset 0x0 */\n    0x31, 0x4d, 0x48, 0x53, 0x38,"),
        ("p", r"1MHS8\x00\x00\x00\x01"),
    ] {
        terminal.send("y");
        terminal.wait_for("Copy 16 bytes from 0x0 as", SOON);
        terminal.send(&format!("<Home>{form}<Enter>"));
        wait_until(SOON, || clipboard_text(&terminal).is_some_and(|copied| copied.contains(text)));
    }
    leave_and_quit(terminal);
}
