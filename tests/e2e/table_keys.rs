//! Keys in the Segments screen.

use super::{NO_CHANGE_INTERVAL, clipboard_text, no_row, open, quit, row, row_index, row_of, writer};
use crate::support::{Namespaces, Object, SOON, Sysv, Terminal, wait_until};
use vt100::Screen;

/// A System V segment and two objects of different sizes.
struct ThreeSegments {
    _sysv: Sysv,
    _big: Object,
    _small: Object,
}

fn three_segments() -> ThreeSegments {
    ThreeSegments {
        _sysv: Sysv::new(0x4d2, 5000, 0o640),
        _big: Object::new("big", 1 << 20, 0o600),
        _small: Object::new("small", 10, 0o666),
    }
}

fn open_on_three() -> Terminal {
    let terminal = open();
    terminal.wait_for(row("▌ sysv:0"), SOON);
    terminal
}

/// Checks that the rows with these words appear in this order.
fn order(words: [&'static str; 3]) -> impl Fn(&Screen) -> bool {
    move |screen| {
        let rows = words.map(|words| row_index(screen, words));
        rows[0].is_some() && rows.is_sorted_by(|a, b| a.is_some() && a < b)
    }
}

#[test]
fn filter_applies_while_typed_and_can_be_cleared() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_python) = writer("posix_writer.py", "by_python", NO_CHANGE_INTERVAL) else { return };
    let _three = three_segments();
    let terminal = open_on_three();
    terminal.send("/kind=posix");
    terminal.wait_for("3 of 4 match   esc clear", SOON);
    terminal.wait_for(no_row("sysv:0"), SOON);
    terminal.send(" python");
    terminal.wait_for("1 of 4 match", SOON);
    terminal.wait_for(row("▌ /by_python"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for(row("shmlens 1 of 4 segments"), SOON);
    terminal.send("<Esc>");
    terminal.wait_for(row("shmlens 4 segments"), SOON);

    terminal.send("/size>x");
    terminal.wait_for("Invalid filter 'size>x'", SOON);
    terminal.send("<C-u>zebra");
    terminal.wait_for("No match for \"zebra\"", SOON);
    terminal.send("<C-c>");
    terminal.wait_for(row("shmlens 4 segments"), SOON);
    terminal.wait_for(row("/small"), SOON);
    quit(terminal);
}

#[test]
fn table_sorts_by_a_column_in_both_orders() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _three = three_segments();
    let terminal = open_on_three();
    terminal.wait_for(order(["sysv:0", "/big", "/small"]), SOON);
    terminal.send("s");
    terminal.wait_for("Sort by", SOON);
    // Typing a letter goes to the next item with that initial: state, then size.
    terminal.send("s");
    terminal.send("<Enter>");
    terminal.wait_for(order(["/big", "sysv:0", "/small"]), SOON);
    terminal.wait_for(row("▌ sysv:0"), SOON);
    terminal.send("S");
    terminal.wait_for(order(["/small", "sysv:0", "/big"]), SOON);
    quit(terminal);
}

#[test]
fn marked_names_are_copied() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _three = three_segments();
    let terminal = open_on_three();
    terminal.send("y");
    wait_until(SOON, || clipboard_text(&terminal).as_deref() == Some("sysv:0"));
    terminal.wait_for("Copied sysv:0", SOON);
    terminal.send(" j ");
    terminal.wait_for(row("• sysv"), SOON);
    terminal.wait_for(row("▌• /small"), SOON);
    terminal.send("y");
    wait_until(SOON, || clipboard_text(&terminal).as_deref() == Some("sysv:0\nposix:/small"));
    terminal.send("a");
    terminal.wait_for("3 marked", SOON);
    terminal.wait_for(row("• /big"), SOON);
    terminal.send("A");
    terminal.wait_for(no_row("•"), SOON);
    quit(terminal);
}

#[test]
fn home_and_end_select_the_first_and_last_row() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _three = three_segments();
    let terminal = open_on_three();
    for (keys, selected) in [
        ("G", "▌ /small"),
        ("<Up>", "▌ /big"),
        ("gg", "▌ sysv"),
        ("<PgDn>", "▌ /small"),
        ("k", "▌ /big"),
        ("<Home>", "▌ sysv"),
        ("<Down>", "▌ /big"),
        ("<End>", "▌ /small"),
    ] {
        terminal.send(keys);
        terminal.wait_for(row(selected), SOON);
    }
    quit(terminal);
}

#[test]
fn help_and_palette_open() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _three = three_segments();
    let terminal = open_on_three();
    terminal.send("?");
    terminal.wait_for("Keys ──", SOON);
    terminal.wait_for("inspect contents, read-only", SOON);
    // The legend is at the end of the help.
    terminal.send("G");
    terminal.wait_for("marked; attached by shmlens", SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("marked; attached"), SOON);

    terminal.send(":");
    terminal.wait_for("Actions ──", SOON);
    terminal.send("mark-al");
    terminal.wait_for("mark all shown", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("3 marked", SOON);
    quit(terminal);
}

#[test]
fn strip_shows_the_first_bytes_live() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_cpp) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let Some(_python) = writer("posix_writer.py", "by_python", "50") else { return };
    let unheld = Sysv::new(0x4d3, 4096, 0o600);
    let terminal = open();
    let sysv = row_of(&terminal, "▌ sysv");
    // The segment is read through the process that has it attached.
    terminal.wait_for(row("0000 31 4d 48 53 38 00 00 00"), SOON);
    assert_eq!(super::nattch(0), 1);
    terminal.send("j");
    // A System V segment is only attached on request.
    terminal.wait_for("needs an attach", SOON);
    assert_eq!(super::nattch(unheld.shmid), 0);
    terminal.send("j");
    terminal.wait_for(row("0000 31 4d 48 53 38 00 00 00"), SOON);
    let seen = terminal.screen();
    // The bytes are live: the tick changes.
    terminal.wait_for(move |screen: &Screen| screen.contents() != seen, SOON);
    assert!(usize::from(sysv) < terminal.screen().lines().count());
    quit(terminal);
}
