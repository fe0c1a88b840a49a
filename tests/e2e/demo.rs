//! `shmlens demo` on a terminal: its segments are listed, change, and are removed at the end.

use super::{quit, row};
use crate::demo::totals;
use crate::support::{Namespaces, SOON, Terminal, shmlens};
use nix::sys::signal::Signal;
use vt100::Screen;

/// Starts the demo, and waits until all its segments are listed.
fn open() -> Terminal {
    let mut command = shmlens();
    command.arg("demo");
    let terminal = Terminal::start((120, 30), command);
    terminal.wait_for(row("shmlens 5 segments"), SOON);
    for size in ["64 KiB", "1.0 MiB", "256 MiB", "✗ leaked", "writer → reader.py"] {
        terminal.wait_for(size, SOON);
    }
    terminal
}

#[test]
fn demo_updates_and_disappears_on_quit() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let terminal = open();
    assert_eq!(totals(), (2, 3));
    terminal.wait_for(row("▌ /demo-ring"), SOON);
    terminal.send("<Enter>");
    terminal.wait_for("live 10/s", SOON);
    terminal.wait_for(|screen: &Screen| !screen.contents().contains(" 0/s"), SOON);
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    quit(terminal);
    assert_eq!(totals(), (0, 0));
}

#[test]
fn demo_disappears_after_a_signal() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut terminal = open();
        terminal.child().signal(signal);
        terminal.wait_exit(SOON);
        assert_eq!(totals(), (0, 0), "{signal}");
        assert_eq!(terminal.left_behind(), Vec::<String>::new(), "{signal}");
    }
}

#[test]
fn demo_disappears_after_a_hangup() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let mut terminal = open();
    terminal.hang_up();
    terminal.wait_exit(SOON);
    assert_eq!(totals(), (0, 0));
}

#[test]
fn demo_without_a_terminal_creates_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let output = shmlens().arg("demo").stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("terminal"));
    assert_eq!(totals(), (0, 0));
}
