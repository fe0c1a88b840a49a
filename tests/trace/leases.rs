//! Live previews do not break or prevent leases of other programs.

use crate::support::{Object, SOON, Terminal, World, shmlens};
use shmlens::sys::lease::is_open_elsewhere;
use std::thread;
use std::time::Duration;

/// Requests a write lease, as another program would, and releases it.
fn gets_a_lease(object: &Object) -> bool {
    !is_open_elsewhere(&object.file).unwrap()
}

#[test]
fn live_preview_leaves_leases_to_others() {
    let Some(_world) = World::new() else { return };
    let object = Object::new("object", 4096, 0o600);
    object.write(0, b"hello");
    let mut terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for("hello", SOON);
    let mut granted = 0;
    for round in 0..100_u8 {
        // The preview shows recent writes.
        if round % 25 == 0 {
            let text = format!("round {round}");
            object.write(0, text.as_bytes());
            terminal.wait_for(&*text, SOON);
        }
        granted += u32::from(gets_a_lease(&object));
        thread::sleep(Duration::from_millis(10));
    }
    assert!(granted >= 95, "{granted} of 100");
    // An open descriptor prevents the lease.
    terminal.send("<Enter>");
    terminal.wait_for("0000_0000", SOON);
    assert!(!gets_a_lease(&object));
    terminal.send("q");
    terminal.wait_for("HELD BY", SOON);
    terminal.send("q");
    terminal.wait_exit(SOON);
}
