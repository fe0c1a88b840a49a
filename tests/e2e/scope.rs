//! The Scope screen on values of a real program.

use super::{quit, row};
use crate::scope::writer;
use crate::support::{Namespaces, SOON, Terminal, shmlens};
use vt100::Screen;

/// Opens the scope on a sine at the start of an object.
fn open_sine() -> Terminal {
    let mut command = shmlens();
    command.args(["scope", "s=/sine+0:f64", "--rate", "1000"]);
    let terminal = Terminal::start((120, 30), command);
    terminal.wait_for("achieved", SOON);
    terminal
}

/// Reads a sine of 5 Hz by the cursors. Returns false if samples were missed at a cursor or at the trigger.
fn is_read_by_cursors() -> bool {
    let terminal = open_sine();
    // The amplitude is the minimum and the maximum.
    terminal.wait_for(row("-1.000 1.000"), SOON);
    // The trigger is in the middle of 1.25 s, at 0 of the sine, with samples before it.
    terminal.wait_for("kept 2.", SOON);
    terminal.send("zzzTs > 0 rising; single<Enter>");
    terminal.wait_for("frozen", SOON);
    terminal.send("c");
    terminal.wait_for("Δt 417 ms", SOON);
    // The second cursor is in the future at first. A missed sample has no value.
    let is_complete = |screen: &Screen| {
        let text = screen.contents();
        !text.contains("B –") || text.contains("A –")
    };
    terminal.wait_for(is_complete, SOON);
    terminal.wait_for("kept 3.", SOON);
    // 208 ms before and after it, a sine of 5 Hz is at 0.259. Samples are up to 0.5 ms from the cursors.
    let text = terminal.screen();
    let is_near = ["Δ 0.48", "Δ 0.49", "Δ 0.5"].iter().any(|near| text.contains(near));
    terminal.send("<Esc>");
    terminal.wait_for("/sine", SOON);
    terminal.send("q");
    is_near
}

#[test]
fn cursors_read_the_frequency_and_the_amplitude_of_a_sine() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_cpp) = writer(&["sine", "/sine", "5"]) else { return };
    assert!((0..6).any(|_| is_read_by_cursors()), "the cursors never read it right");
}

#[test]
fn channel_goes_on_after_its_writer_was_restarted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut cpp) = writer(&["sine", "/sine", "5"]) else { return };
    let terminal = open_sine();
    cpp.signal(nix::sys::signal::Signal::SIGKILL);
    cpp.wait(SOON);
    // The next one removes the object first.
    let Some(_cpp) = writer(&["sine", "/sine", "5"]) else { return };
    terminal.wait_for("segment made again", SOON);
    terminal.wait_for("live", SOON);
    quit(terminal);
}
