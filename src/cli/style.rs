//! Style of the output: color and non-ASCII characters.

use super::args::LookArgs;
use super::out;
use crate::config::When;
use crate::segment::{State, in_ascii};
use std::borrow::Cow;
use std::env;
use std::io::{IsTerminal as _, stderr, stdout};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    pub color: bool,
    pub ascii: bool,
}

/// The meaning of some text, which selects its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tint {
    Plain,
    /// Headings and missing values.
    Dim,
    Good,
    /// Removed, but still held.
    Warning,
    /// A match of a search.
    Accent,
    /// A state that is neither good nor bad, but notable.
    Special,
    Bad,
}

impl Style {
    /// Derives the style from arguments, environment and terminal.
    #[must_use]
    pub fn new(look: LookArgs) -> Self {
        let terminal = stdout().is_terminal();
        let color = match look.color {
            When::Always => true,
            When::Never => false,
            When::Auto => {
                let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
                terminal && !set("NO_COLOR") && env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        // Files and pipes get the same text in every locale.
        let ascii = |terminal: bool| look.ascii || (terminal && !locale_is_utf8());
        out::set_ascii_errors(ascii(stderr().is_terminal()));
        Self { color, ascii: ascii(terminal) }
    }

    /// Formats a name. In ASCII mode, other characters become escaped bytes, which names on the
    /// command line may contain too.
    #[must_use]
    pub fn fit(self, text: &str) -> Cow<'_, str> {
        if self.ascii { fit_ascii(text) } else { Cow::Borrowed(text) }
    }

    /// Colors the text, if colors are enabled.
    #[must_use]
    pub fn paint(self, tint: Tint, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("{}{text}{}", tint.sequence(), tint.end())
        } else {
            text.to_owned()
        }
    }
}

/// Converts text to ASCII: `→` between words becomes `->`, other characters become escaped bytes.
pub fn fit_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(in_ascii(&text.replace(" → ", " -> ").replace(" … ", " ... ")).into_owned())
}

/// Returns true if the locale uses UTF-8, according to the first of these variables that is set
/// (`locale(7)`).
#[must_use]
pub fn locale_is_utf8() -> bool {
    ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(env::var_os)
        .find(|value| !value.is_empty())
        .is_some_and(|value| {
            let value = value.to_string_lossy().to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
}

impl Tint {
    /// The color of a state. The label carries the same information.
    #[must_use]
    pub const fn of(state: State) -> Self {
        match state {
            State::InUse => Self::Good,
            State::Removed => Self::Warning,
            State::Unknown => Self::Dim,
            State::Protected => Self::Special,
            State::Idle => Self::Plain,
            State::Leaked(_) => Self::Bad,
        }
    }

    #[must_use]
    pub const fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Warning => "\x1b[33m",
            Self::Accent => "\x1b[36m",
            Self::Special => "\x1b[34m",
            Self::Bad => "\x1b[1;31m",
        }
    }

    #[must_use]
    pub const fn end(self) -> &'static str {
        if matches!(self, Self::Plain) { "" } else { "\x1b[0m" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{escape, unescape};

    #[test]
    fn ascii_name_still_identifies_the_segment() {
        let style = Style { ascii: true, ..Style::default() };
        let name = "Größe カメラ\\".as_bytes();
        let shown = style.fit(&escape(name)).into_owned();
        assert!(shown.is_ascii());
        assert_eq!(unescape(&shown), name);
        assert_eq!(Style::default().fit("Größe"), "Größe");
        assert_eq!(style.fit("mode 0600 → 0644"), "mode 0600 -> 0644");
    }
}
