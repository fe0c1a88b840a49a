//! End-to-end tests of the interactive program on a real pseudo-terminal, with keys and mouse, on
//! segments of the C++ and Python programs in assets/demo.

mod acting;
mod appearance;
mod attached;
mod bytes;
mod changes;
mod clean;
mod demo;
mod ends;
mod holders;
mod idle;
mod inspect;
mod large;
mod mouse;
mod names;
mod new_segment;
mod permissions;
mod resize;
mod scope;
mod strip;
mod table;
mod table_keys;
mod typing;

use crate::support::{Child, SOON, Terminal, demo_program, shmlens};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::Signal;
use shmlens::app::overlay::TYPED_AHEAD_GUARD;
use shmlens::sys::shm;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;
use vt100::Screen;

/// A delay that users do not notice.
const ONE_SECOND: Duration = Duration::from_secs(1);

/// The interval of a writer in milliseconds, so long that only the first step happens.
const NO_CHANGE_INTERVAL: &str = "3600000";

/// Starts the program in 80 columns and 24 rows.
fn open() -> Terminal {
    Terminal::start((80, 24), shmlens())
}

/// Starts the program with the first segment of the table open in Inspect.
fn open_first() -> Terminal {
    let terminal = open();
    terminal.wait_for("▌", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("map 0", SOON);
    terminal
}

/// Starts a program of assets/demo that creates a segment with this name or key, and waits until
/// the segment exists. `None` without a compiler or interpreter.
fn writer(program: &str, name: &str, interval: &str) -> Option<Child> {
    Some(wait_for_writer(demo_program(program)?.args([name, "0", interval])))
}

/// Waits until the segment of a writer exists.
#[track_caller]
fn wait_for_writer(command: &mut Command) -> Child {
    // Python's resource tracker complains when the test kills it at the end.
    let mut child = Child::spawn_piped(command.stderr(Stdio::null()));
    assert!(child.line(SOON).contains("56 bytes"));
    child
}

/// Ends a writer, which removes its segment.
fn end(mut writer: Child) {
    writer.signal(Signal::SIGTERM);
    writer.wait(SOON);
}

/// Returns a condition: a row of the screen contains these words in order, with any spacing.
fn row(words: &str) -> impl Fn(&Screen) -> bool {
    move |screen| row_index(screen, words).is_some()
}

/// Returns a condition: no row of the screen contains these words.
fn no_row(words: &str) -> impl Fn(&Screen) -> bool {
    move |screen| row_index(screen, words).is_none()
}

/// Answers a confirmation, which ignores keys for 150 ms. Nothing on the screen shows when it
/// starts to accept keys.
fn answer(terminal: &Terminal, key: &str) {
    thread::sleep(TYPED_AHEAD_GUARD + Duration::from_millis(100));
    terminal.send(key);
}

/// Returns the row of the screen that contains these words.
fn row_index(screen: &Screen, words: &str) -> Option<u16> {
    let (_, columns) = screen.size();
    let place = screen.rows(0, columns.get()).position(|row| collapse_spaces(&row).contains(words));
    place.map(|row| u16::try_from(row).unwrap())
}

/// Waits for the row with these words and returns its index.
#[track_caller]
fn row_of(terminal: &Terminal, words: &str) -> u16 {
    terminal.wait_for(row(words), SOON);
    let at = terminal.screen().lines().position(|row| collapse_spaces(row).contains(words));
    u16::try_from(at.expect("the row was there a moment ago")).unwrap()
}

/// Collapses runs of spaces.
fn collapse_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns the cell of the first digit of a byte, 16 per row from offset 0.
const fn byte_cell(offset: u16) -> (u16, u16) {
    let column = offset % 16;
    (3 + offset / 16, 12 + 3 * column + (column >= 8) as u16)
}

/// Returns the hex digits of a byte on screen.
fn byte_on(screen: &Screen, offset: u16) -> String {
    let (row, column) = byte_cell(offset);
    let digit = |column| screen.cell(row, column).map(|cell| cell.contents().to_owned()).unwrap_or_default();
    digit(column) + &digit(column + 1)
}

/// Returns the number of attachments according to the kernel.
fn nattch(shmid: i32) -> u64 {
    shm::stat(shmid).unwrap().nattch
}

/// Returns the last text copied to the terminal clipboard (OSC 52).
fn clipboard_text(terminal: &Terminal) -> Option<String> {
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let (_, last) = raw.rsplit_once("\x1b]52;c;")?;
    let (text, _) = last.split_once('\x07')?;
    Some(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap())
}

/// Quits from the Segments screen and checks that the terminal is restored.
#[track_caller]
fn quit(mut terminal: Terminal) {
    terminal.send("q");
    let status = terminal.wait_exit(SOON);
    assert_eq!(status.code(), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

/// Like [`quit`], from Inspect.
#[track_caller]
fn leave_and_quit(terminal: Terminal) {
    terminal.send("q");
    terminal.wait_for("CHANGING", SOON);
    quit(terminal);
}
