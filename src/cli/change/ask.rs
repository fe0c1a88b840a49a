//! Questions on a terminal. They go to standard error: standard output is for results.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Whether there is somebody to ask.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows a text and asks; only y and yes mean yes.
///
/// # Errors
/// When the terminal is gone.
pub fn yes(text: &str, question: &str) -> io::Result<bool> {
    let mut stderr = io::stderr();
    write!(stderr, "{text}{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
