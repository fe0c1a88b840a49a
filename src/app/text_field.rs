//! A field of an overlay that text is typed into.

use super::key::{Code, Key};
use super::overlay::type_into;
use crate::segment::quote;
use tui_input::Input;
use unicode_width::UnicodeWidthStr as _;

/// Returns the part of a line that fits into `room` cells, the cursor in it, and the
/// cell of the cursor. What could move the cursor of the terminal or hide is escaped.
#[must_use]
pub fn visible(input: &Input, room: usize) -> (String, usize) {
    let escaped = |c: char| quote(c.encode_utf8(&mut [0; 4]).as_bytes());
    let shown: Vec<String> = input.value().chars().map(escaped).collect();
    let (before, _) = shown.split_at(input.cursor().min(shown.len()));
    let mut cell: usize = before.iter().map(|text| text.width()).sum();
    let mut first = 0;
    while cell >= room.max(1) && first < before.len() {
        cell -= shown[first].width();
        first += 1;
    }
    (shown[first..].concat(), cell)
}

/// The field. What stands in it at first is replaced by the first letter that
/// is typed, unless it was gone into with an arrow or backspace before.
#[derive(Debug, Clone, Default)]
pub struct TextField {
    /// What stands in it, and where the cursor is.
    pub input: Input,
    /// Whether somebody has changed it.
    pub edited: bool,
    entered: bool,
}

impl TextField {
    /// With a text in it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), edited: false, entered: false }
    }

    /// What stands in it, without the spaces around it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value().trim()
    }

    /// Puts another text in it, which counts as edited.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self { edited: true, ..Self::new(text) };
    }

    /// Lets it take a key; tells whether its text changed.
    pub fn key(&mut self, key: Key) -> bool {
        if key.typed().is_some() && !self.entered {
            self.input.reset();
        }
        self.entered |= key.typed().is_some()
            || matches!(key.code, Code::Backspace | Code::Delete | Code::Left | Code::Home | Code::End);
        let changed = type_into(&mut self.input, key);
        self.edited |= changed;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_do_not_print_are_escaped_and_the_cursor_stays_in_sight() {
        for (text, room, shown) in [
            ("ab", 10, ("ab", 2)),
            ("a\u{202e}b", 20, (r"a\xe2\x80\xaeb", 14)),
            ("a\u{202e}b", 8, ("b", 1)),
            (r"\x00", 10, (r"\x00", 4)),
            ("カメラ", 5, ("メラ", 4)),
        ] {
            let input = Input::new(text.to_owned());
            assert_eq!(visible(&input, room), (shown.0.to_owned(), shown.1), "{text}");
        }
    }

    #[test]
    fn the_first_letter_replaces_what_was_there() {
        let mut field = TextField::new("0600");
        assert!(field.key(Key::char('g')) && field.key(Key::char('+')) && field.edited);
        assert_eq!(field.text(), "g+");
        let mut field = TextField::new("ann");
        assert!(!field.key(Key::plain(Code::End)) && !field.edited);
        assert!(field.key(Key::char('e')));
        assert_eq!(field.text(), "anne");
        let mut field = TextField::new("ann");
        assert!(field.key(Key::plain(Code::Backspace)));
        assert_eq!(field.text(), "an");
        field.set("x");
        assert!(field.edited && field.key(Key::char('y')));
        assert_eq!(field.text(), "y");
    }
}
