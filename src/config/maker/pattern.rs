//! The regular expressions of makers. They match bytes, because names may contain any bytes.

use regex::bytes::{Regex, RegexBuilder};

/// Controls whether patterns are compiled when they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patterns {
    /// Report invalid patterns.
    Compile,
    /// Do not compile the patterns of the built-in catalog: tests compile them.
    Trust,
}

/// Compiles a pattern. `.` matches any byte; `\d` and `\w` are ASCII.
///
/// # Errors
/// Fails if the pattern is invalid or too large.
pub fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).unicode(false).dot_matches_new_line(true).size_limit(1 << 20).build()
}

/// Returns true if a pattern has a group of that name.
pub fn has_group(pattern: &str, group: &str) -> bool {
    pattern.contains(&format!("(?P<{group}>")) || pattern.contains(&format!("(?<{group}>"))
}

/// Formats the error on one line.
pub fn error_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "needs too much memory".to_owned(),
        // Only the last line states the error; the others point to its position.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        }
    }
}
