//! Questions on a terminal, printed on standard error because standard output is for results.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// Returns true if standard input and standard error are terminals.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows text and asks a question. Only `y` and `yes` mean yes.
pub fn confirm(text: &str, question: &str) -> io::Result<bool> {
    let mut stderr = io::stderr();
    write!(stderr, "{text}{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
