//! What the help says: made from the table of actions, so that it cannot differ.

use super::action::{ACTIONS, Row, Screen};
use super::keymap::Keymap;

/// A line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A heading.
    Heading(&'static str),
    /// Keys and what they do.
    Keys(String, &'static str),
    /// Plain text.
    Text(&'static str),
    /// Nothing.
    Gap,
}

/// The keys of an action, as they are shown: `↑ k`, or `not bound`.
#[must_use]
pub fn keys_text(keymap: &Keymap, row: &Row) -> String {
    let keys: Vec<String> = keymap.keys(row.action).iter().map(ToString::to_string).collect();
    if keys.is_empty() { "not bound".to_owned() } else { keys.join("  ") }
}

/// The whole help: the screen that is shown comes first.
#[must_use]
pub fn lines(keymap: &Keymap, screen: Screen) -> Vec<Line> {
    let other = match screen {
        Screen::Segments => Screen::Inspect,
        Screen::Inspect => Screen::Segments,
    };
    let mut lines = vec![];
    for shown in [screen, other] {
        lines.push(Line::Heading(shown.title()));
        for row in ACTIONS.iter().filter(|row| row.works_in(shown)) {
            lines.push(Line::Keys(keys_text(keymap, row), row.doc));
        }
        lines.push(Line::Gap);
    }
    lines.extend([
        Line::Heading("Everywhere"),
        Line::Keys("ctrl-c".to_owned(), "close overlay, otherwise quit"),
        Line::Keys("mouse".to_owned(), "click: select, double-click: inspect, heading: sort"),
        Line::Gap,
        Line::Heading("Symbols"),
        Line::Keys("● in use".to_owned(), "mapped, attached or open"),
        Line::Keys("◌ removed".to_owned(), "removed, kept alive by its holders"),
        Line::Keys("? unknown".to_owned(), "may still be in use; not all processes are visible"),
        Line::Keys("○ idle".to_owned(), "no holders; normal, or used too recently to tell"),
        Line::Keys("◆ protected".to_owned(), "no holders, but must not be removed"),
        Line::Keys("✗ leaked".to_owned(), "no holders, creator exited; leaked?: likely"),
        Line::Keys("• ◉".to_owned(), "marked; attached by shmlens"),
        Line::Keys("†".to_owned(), "creator has exited (shown after the maker)"),
        Line::Keys("L".to_owned(), "locked in memory (shown after the mode)"),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_stands_in_it_with_its_keys() {
        let keymap = Keymap::default();
        let lines = lines(&keymap, Screen::Inspect);
        assert_eq!(lines[0], Line::Heading("Inspect"));
        for row in ACTIONS {
            let line = Line::Keys(keys_text(&keymap, row), row.doc);
            assert_eq!(
                lines.iter().filter(|other| **other == line).count(),
                row.screens.len(),
                "{}",
                row.name
            );
        }
    }
}
