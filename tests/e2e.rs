//! The interactive program end to end: on a real pseudo-terminal, by keys and
//! the mouse, on segments that the real C++ and Python programs of assets/demo
//! make.

mod acting;
mod attached;
mod bytes;
mod clean;
mod demo;
mod ends;
mod holders;
mod inspect;
mod large;
mod looks;
mod meanwhile;
mod mouse;
mod names;
mod new_segment;
mod permissions;
mod resize;
mod rest;
mod table;
mod table_keys;

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

/// What a person waits for without wondering.
const A_SECOND: Duration = Duration::from_secs(1);

/// Milliseconds from one step of a writer to the next: so many that it holds
/// still after its first one.
const STILL: &str = "3600000";

/// The program on 80 columns and 24 rows.
fn open() -> Terminal {
    Terminal::start((80, 24), shmlens())
}

/// The program, inside the segment at the top of the table, its picture shown.
fn open_first() -> Terminal {
    let terminal = open();
    terminal.wait_for("▌", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("0000_0000", SOON);
    terminal
}

/// Starts a program of assets/demo that makes a segment of that name or key,
/// and waits until it is there. `None` without its compiler or interpreter.
fn writer(program: &str, name: &str, interval: &str) -> Option<Child> {
    Some(started(demo_program(program)?.args([name, "0", interval])))
}

/// A writer whose segment is there.
#[track_caller]
fn started(command: &mut Command) -> Child {
    // Killed at the end of a test, Python's resource tracker complains.
    let mut child = Child::spawn_piped(command.stderr(Stdio::null()));
    assert!(child.line(SOON).contains("56 bytes"));
    child
}

/// Ends a writer, which takes its segment with it.
fn end(mut writer: Child) {
    writer.signal(Signal::SIGTERM);
    writer.wait(SOON);
}

/// Whether a row of the screen has these words in this order, whatever the
/// space between them.
fn row(words: &str) -> impl Fn(&Screen) -> bool {
    move |screen| place(screen, words).is_some()
}

/// Whether no row of the screen has these words.
fn no_row(words: &str) -> impl Fn(&Screen) -> bool {
    move |screen| place(screen, words).is_none()
}

/// Answers a confirmation that is shown. It takes no key in its first 150 ms, and
/// nothing on the screen tells when these are over.
fn answer(terminal: &Terminal, key: &str) {
    thread::sleep(TYPED_AHEAD_GUARD + Duration::from_millis(100));
    terminal.send(key);
}

/// The row of the screen that has these words.
fn place(screen: &Screen, words: &str) -> Option<u16> {
    let (_, columns) = screen.size();
    let place = screen.rows(0, columns.get()).position(|row| squeezed(&row).contains(words));
    place.map(|row| u16::try_from(row).unwrap())
}

/// Waits for the row with these words, and tells which one it is.
#[track_caller]
fn row_of(terminal: &Terminal, words: &str) -> u16 {
    terminal.wait_for(row(words), SOON);
    let at = terminal.screen().lines().position(|row| squeezed(row).contains(words));
    u16::try_from(at.expect("it was there a moment ago")).unwrap()
}

/// A text with one space between its words.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cell of the first digit of a byte, 16 to a row from offset 0 on.
const fn byte_cell(offset: u16) -> (u16, u16) {
    let column = offset % 16;
    (3 + offset / 16, 11 + 3 * column + (column >= 8) as u16)
}

/// The two digits of a byte as they stand on the screen.
fn byte_on(screen: &Screen, offset: u16) -> String {
    let (row, column) = byte_cell(offset);
    let digit = |column| screen.cell(row, column).map(|cell| cell.contents().to_owned()).unwrap_or_default();
    digit(column) + &digit(column + 1)
}

/// How often the kernel says that a segment is attached.
fn nattch(shmid: i32) -> u64 {
    shm::stat(shmid).unwrap().nattch
}

/// What was put into the clipboard of the terminal last (OSC 52).
fn copied(terminal: &Terminal) -> Option<String> {
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let (_, last) = raw.rsplit_once("\x1b]52;c;")?;
    let (text, _) = last.split_once('\x07')?;
    Some(String::from_utf8(STANDARD.decode(text).unwrap()).unwrap())
}

/// Ends the program from the Segments screen; the terminal is as it was.
#[track_caller]
fn quit(mut terminal: Terminal) {
    terminal.send("q");
    let status = terminal.wait_exit(SOON);
    assert_eq!(status.code(), Some(0), "{}", terminal.screen());
    assert_eq!(terminal.left_behind(), Vec::<String>::new());
}

/// As [`quit`], from Inspect.
#[track_caller]
fn leave_and_quit(terminal: Terminal) {
    terminal.send("q");
    terminal.wait_for("NAME OR KEY", SOON);
    quit(terminal);
}
