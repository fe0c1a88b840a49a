//! Mouse input in every screen.

use super::{open, quit, row, row_of};
use crate::support::{Mouse, Namespaces, Object, SOON, Terminal};

fn objects(count: usize) -> Vec<Object> {
    (0..count).map(|at| Object::new(format!("o{at:02}"), 100 * (at as u64 + 1), 0o600)).collect()
}

fn double_click(terminal: &Terminal, row: u16, column: u16) {
    terminal.click(row, column);
    terminal.click(row, column);
}

#[test]
fn click_selects_and_double_click_inspects() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = objects(4);
    let terminal = open();
    terminal.wait_for(row("▌ /o00"), SOON);
    let third = row_of(&terminal, "/o02");
    terminal.click(third, 12);
    terminal.wait_for(row("▌ /o02"), SOON);
    double_click(&terminal, third - 1, 12);
    terminal.wait_for("/o01  200 B", SOON);
    // A click on a byte moves the cursor.
    let (row_at, column) = super::byte_cell(0x2a);
    terminal.wait_for("0000_0020", SOON);
    terminal.click(row_at, column);
    terminal.wait_for("at 0x2a (42)", SOON);
    super::leave_and_quit(terminal);
}

#[test]
fn wheel_scrolls() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = objects(60);
    let terminal = open();
    terminal.wait_for(row("▌ /o00"), SOON);
    for selected in ["/o03", "/o06"] {
        terminal.mouse(Mouse::WheelDown, 6, 10);
        terminal.wait_for(row(&format!("▌ {selected}")), SOON);
    }
    for _ in 0..10 {
        terminal.mouse(Mouse::WheelDown, 6, 10);
    }
    terminal.wait_for(row("▌ /o36"), SOON);
    terminal.wait_for(super::no_row("/o00"), SOON);
    terminal.mouse(Mouse::WheelUp, 6, 10);
    terminal.wait_for(row("▌ /o33"), SOON);
    quit(terminal);
}

#[test]
fn click_on_a_heading_sorts() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = objects(4);
    let terminal = open();
    let heading = row_of(&terminal, "NAME↑ SIZE");
    terminal.wait_for(row("▌ /o00"), SOON);
    let column = terminal.screen().lines().nth(usize::from(heading)).unwrap().find("SIZE").unwrap();
    // The "↑" before it takes three bytes but one cell.
    let column = u16::try_from(column).unwrap() - 2;
    terminal.click(heading, column);
    terminal.wait_for(row("NAME ↓SIZE"), SOON);
    assert!(row_of(&terminal, "/o03") < row_of(&terminal, "▌ /o00"));
    quit(terminal);
}

#[test]
fn mouse_capture_toggles() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _objects = objects(4);
    let terminal = open();
    terminal.wait_for(row("▌ /o00"), SOON);
    assert!(mouse_is_captured(&terminal));
    terminal.send("M");
    terminal.wait_for("Mouse capture off: the terminal selects text", SOON);
    assert!(!mouse_is_captured(&terminal));
    terminal.send("M");
    terminal.wait_for("Mouse capture on", SOON);
    assert!(mouse_is_captured(&terminal));
    let third = row_of(&terminal, "/o02");
    terminal.click(third, 12);
    terminal.wait_for(row("▌ /o02"), SOON);
    quit(terminal);
}

/// Returns true if the terminal is in a mode that reports clicks.
fn mouse_is_captured(terminal: &Terminal) -> bool {
    terminal.left_behind().iter().any(|left| left.contains("mouse capture (1000)"))
}
