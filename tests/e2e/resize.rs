//! Terminals of any size, resized at any moment.

use super::{NO_CHANGE_INTERVAL, leave_and_quit, no_row, open, open_first, quit, row, row_index, writer};
use crate::support::{Namespaces, Object, SOON, Terminal, shmlens, wait_until};
use vt100::Screen;

const SIZES: [(u16, u16); 10] =
    [(40, 8), (39, 8), (40, 7), (20, 3), (3, 2), (1, 1), (1, 50), (200, 1), (200, 60), (79, 19)];

/// Resizes through all sizes and back, and expects the same screen again.
fn resize_through_all_sizes(terminal: &Terminal, is_there: impl Fn(&Screen) -> bool) {
    terminal.wait_for(&is_there, SOON);
    let before = terminal.on_screen(upper_half);
    for size in SIZES {
        let written = terminal.raw().len();
        terminal.resize(size);
        wait_until(SOON, || terminal.raw().len() > written);
        terminal.resize((80, 24));
        terminal.wait_for(|screen: &Screen| is_there(screen) && upper_half(screen) == before, SOON);
    }
}

/// Returns the upper half of the screen. The lower half shows ages.
fn upper_half(screen: &Screen) -> Vec<String> {
    screen.rows(0, 80).take(12).map(|row| row.trim_end().to_owned()).collect()
}

#[test]
fn table_redraws_after_any_resize() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = open();
    resize_through_all_sizes(&terminal, row("● in use"));
    quit(terminal);
}

#[test]
fn inspect_redraws_after_any_resize() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let terminal = open_first();
    // Wait until the holders are known, and the map has scanned up to the zeros at the end.
    resize_through_all_sizes(&terminal, |screen: &Screen| {
        row_index(screen, "sysv_writer").is_some()
            && screen.cell(1, 62).is_some_and(|cell| cell.contents() == "░")
    });
    leave_and_quit(terminal);
}

#[test]
fn resize_changes_the_layout() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = open();
    terminal.wait_for(row("▌ /object"), SOON);
    for (size, heading) in [
        ((120, 40), "NAME↑ SIZE RES CHANGING HELD BY OWNER MODE AGE STATE"),
        ((60, 15), "NAME↑ SIZE CHANGING HELD BY STATE"),
        ((39, 24), "shmlens needs 40x8, has 39x24"),
        ((180, 45), "HELD BY (writers → readers) MADE BY OWNER MODE AGE STATE"),
    ] {
        terminal.resize(size);
        // Narrower terminals have no footer.
        let foot = (size.0 >= 40).then_some(size.1 - 1);
        let fits =
            |screen: &Screen| row_index(screen, heading).is_some() && row_index(screen, "? help") == foot;
        terminal.wait_for(fits, SOON);
    }
    quit(terminal);
}

/// If both resizes arrive before the next frame, the size is the old one but the contents are not.
#[test]
fn brief_resize_redraws() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = open();
    terminal.wait_for(row("● in use"), SOON);
    let before = terminal.on_screen(upper_half);
    for _ in 0..20 {
        terminal.resize((10, 5));
        terminal.resize((80, 24));
        terminal.wait_for(|screen: &Screen| upper_half(screen) == before, SOON);
    }
    quit(terminal);
}

#[test]
fn overlays_redraw_after_any_resize() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    for (keys, heading) in [("?", "Keys ──"), (":", "Actions ──"), ("s", "Sort by ──"), ("/", "!negated")]
    {
        let terminal = open();
        terminal.wait_for(row("● in use"), SOON);
        terminal.send(keys);
        resize_through_all_sizes(&terminal, |screen: &Screen| screen.contents().contains(heading));
        terminal.send("<C-c>");
        terminal.wait_for(row("▌ /object"), SOON);
        quit(terminal);
    }
}

/// Memory and time grow with the number of cells, so at most 1000 columns and 400 rows are drawn.
#[test]
fn huge_terminal_is_drawn_in_part() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = Terminal::start((1100, 420), shmlens());
    terminal.wait_for(|screen: &Screen| row_index(screen, "? help") == Some(399), SOON);
    terminal.on_screen(|screen| {
        let right = screen.rows(1000, 100).find(|row| !row.trim().is_empty());
        assert_eq!(right, None, "right of the drawn part");
        let below = screen.rows(0, 1100).skip(400).find(|row| !row.trim().is_empty());
        assert_eq!(below, None, "below the drawn part");
        assert!(screen.rows(0, 1000).any(|row| row.trim_end().chars().count() > 990));
    });
    // A click outside of the drawn part does nothing; a click on a heading sorts.
    terminal.send("s");
    terminal.wait_for("Sort by", SOON);
    terminal.click(410, 1050);
    terminal.send("<Down><Enter>");
    terminal.wait_for(no_row("NAME↑"), SOON);
    for size in [(5000, 5000), (1000, 400), (5000, 5000)] {
        let written = terminal.raw().len();
        terminal.claim_size(size);
        wait_until(SOON, || terminal.raw().len() > written + 1000);
    }
    let peak = terminal.child().peak_memory();
    assert!(peak < 128 << 20, "{peak} bytes");
    quit(terminal);
}

/// Keys that arrive faster than they are handled wait in the terminal, not in memory.
#[test]
fn key_flood_takes_no_memory() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    let terminal = open();
    terminal.wait_for(row("● in use"), SOON);
    let before = terminal.child().peak_memory();
    terminal.send(&"j".repeat(200_000));
    let grown = terminal.child().peak_memory() - before;
    assert!(grown < 10 << 20, "{grown} bytes");
    quit(terminal);
}

#[test]
fn too_small_terminal_shows_the_minimum_size() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 64, 0o600);
    for (size, message) in [
        ((39, 24), "shmlens needs 40x8, has 39x24"),
        ((80, 7), "has 80x7"),
        ((20, 3), "needs 40x8,\nhas 20x3"),
    ] {
        let terminal = Terminal::start(size, shmlens());
        terminal.wait_for(message, SOON);
        quit(terminal);
    }
    let terminal = Terminal::start((40, 8), shmlens());
    terminal.wait_for(row("64 B"), SOON);
    quit(terminal);
    let terminal = Terminal::start((1, 1), shmlens());
    terminal.wait_for(|screen: &Screen| screen.alternate_screen(), SOON);
    quit(terminal);
}
