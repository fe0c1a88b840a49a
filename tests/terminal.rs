//! The program restores the terminal however it ends, and writes nothing while nothing changes.

mod ends;
mod idle;
mod keys;
mod stops;

use crate::support::{SOON, Terminal, shmlens};
use vt100::Screen;

/// Starts the program on a terminal of 80 columns and 24 rows and waits for its first frame.
fn open_program() -> Terminal {
    let terminal = Terminal::start((80, 24), shmlens());
    terminal.wait_for(is_open, SOON);
    terminal
}

/// Returns true if the Segments screen is shown.
fn is_open(screen: &Screen) -> bool {
    screen.alternate_screen() && screen.contents().contains("shmlens ")
}
