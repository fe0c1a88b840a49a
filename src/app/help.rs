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
        Line::Keys("ctrl-c".to_owned(), "leave an overlay, otherwise end the program"),
        Line::Keys("mouse".to_owned(), "click selects, double inspects, a heading sorts"),
        Line::Gap,
        Line::Heading("Signs"),
        Line::Keys("● in use".to_owned(), "somebody has it mapped, attached or open"),
        Line::Keys("◌ removed".to_owned(), "its name or key is gone, who holds it keeps it alive"),
        Line::Keys("? unknown".to_owned(), "who holds it, or still wants it, is not known"),
        Line::Keys("○ idle".to_owned(), "nobody holds it, and that is normal, or too new to tell"),
        Line::Keys("◆ protected".to_owned(), "nobody holds it, and it must not be removed"),
        Line::Keys("✗ leaked".to_owned(), "nobody holds it, its maker is dead; leaked? is likely"),
        Line::Keys("• ◉".to_owned(), "marked; attached by this program"),
        Line::Keys("L".to_owned(), "behind the mode: locked in memory"),
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
