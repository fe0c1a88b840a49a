//! Questions on a terminal. They are printed on standard error, because standard output is for results.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Returns whether standard input and standard error are terminals.
pub fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows text and asks a question; only `y` and `yes` count as agreement.
pub fn yes(text: &str, question: &str) -> io::Result<bool> {
    let mut stderr = io::stderr();
    write!(stderr, "{text}{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
