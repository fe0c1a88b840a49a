//! The regular expressions of makers: for bytes, since names may be any bytes.

use regex::bytes::{Regex, RegexBuilder};

/// Controls the check of patterns when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patterns {
    /// Compile each: invalid patterns are errors.
    Compile,
    /// Do not compile: the program's tests have done that.
    Trust,
}

/// Compiles a pattern. `.` is any byte, `\d` and `\w` are ASCII.
///
/// # Errors
/// Fails if it is none, or takes too much memory.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).dot_matches_new_line(true).size_limit(1 << 20).build()
}

/// Returns true if a pattern has a group of that name.
pub fn has_group(pattern: &str, group: &str) -> bool {
    pattern.contains(&format!("(?P<{group}>")) || pattern.contains(&format!("(?<{group}>"))
}

/// Returns the error in one line.
pub fn words(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "needs too much memory".to_owned(),
        // The lines before the last show the position with a pointer below it.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}
