//! Text fields of overlays.

use super::action::Action;
use crate::segment::quote;
use tui_input::{Input, InputRequest};
use unicode_width::UnicodeWidthStr as _;

/// Returns the part of the input that fits into `available` cells with its cursor visible, and the
/// cell of the cursor. Control characters and invisible characters are escaped.
pub fn visible(input: &Input, available: usize) -> (String, usize) {
    let escaped = |c: char| quote(c.encode_utf8(&mut [0; 4]).as_bytes());
    let shown: Vec<String> = input.value().chars().map(escaped).collect();
    let (before, _) = shown.split_at(input.cursor().min(shown.len()));
    let mut cell: usize = before.iter().map(|text| text.width()).sum();
    let mut first = 0;
    while cell >= available.max(1) && first < before.len() {
        cell -= shown[first].width();
        first += 1;
    }
    (shown[first..].concat(), cell)
}

/// Maximum length in bytes, longer than any path, name or filter. Pasted text can have any length.
pub const MAX_TEXT: usize = 4096;

/// A text field. The first typed character replaces the initial text, unless the user moved the
/// cursor or erased something before.
#[derive(Debug, Clone, Default)]
pub struct TextField {
    pub input: Input,
    pub edited: bool,
    entered: bool,
}

impl TextField {
    pub fn new(text: impl Into<String>) -> Self {
        Self { input: Input::new(text.into()), edited: false, entered: false }
    }

    /// The text, trimmed.
    pub fn text(&self) -> &str {
        self.input.value().trim()
    }

    /// Replaces the text, as if the user had typed it.
    pub fn set(&mut self, text: impl Into<String>) {
        *self = Self { edited: true, ..Self::new(text) };
    }

    /// Inserts a character. Returns true if the text changed.
    pub fn insert(&mut self, letter: char) -> bool {
        if !self.entered {
            self.input.reset();
        }
        self.entered = true;
        self.input.value().len() < MAX_TEXT && self.handle(InputRequest::InsertChar(letter))
    }

    /// Inserts text without its control characters. Returns true if the text changed.
    pub fn paste(&mut self, text: &str) -> bool {
        let letters = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT);
        letters.fold(false, |changed, letter| self.insert(letter) | changed)
    }

    /// Applies an editing action. Returns true if the text changed, or `None` if the action does
    /// not edit.
    pub fn edit(&mut self, action: Action) -> Option<bool> {
        let request = match action {
            Action::Left => InputRequest::GoToPrevChar,
            Action::Right => InputRequest::GoToNextChar,
            Action::WordLeft => InputRequest::GoToPrevWord,
            Action::WordRight => InputRequest::GoToNextWord,
            Action::LineStart => InputRequest::GoToStart,
            Action::LineEnd => InputRequest::GoToEnd,
            Action::Erase => InputRequest::DeletePrevChar,
            Action::EraseNext => InputRequest::DeleteNextChar,
            Action::EraseWord => InputRequest::DeletePrevWord,
            Action::EraseLine => InputRequest::DeleteLine,
            Action::EraseToEnd => InputRequest::DeleteTillEnd,
            _ => return None,
        };
        self.entered = true;
        Some(self.handle(request))
    }

    fn handle(&mut self, request: InputRequest) -> bool {
        let changed = self.input.handle(request).is_some_and(|changed| changed.value);
        self.edited |= changed;
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unprintable_characters_are_escaped_and_the_cursor_stays_visible() {
        for (text, available, shown) in [
            ("ab", 10, ("ab", 2)),
            ("a\u{202e}b", 20, (r"a\xe2\x80\xaeb", 14)),
            ("a\u{202e}b", 8, ("b", 1)),
            (r"\x00", 10, (r"\x00", 4)),
            ("カメラ", 5, ("メラ", 4)),
        ] {
            let input = Input::new(text.to_owned());
            assert_eq!(visible(&input, available), (shown.0.to_owned(), shown.1), "{text}");
        }
    }

    #[test]
    fn first_character_replaces_the_initial_text() {
        let mut field = TextField::new("0600");
        assert!(field.insert('g') && field.insert('+') && field.edited);
        assert_eq!(field.text(), "g+");
        let mut field = TextField::new("ann");
        assert!(field.edit(Action::LineEnd) == Some(false) && !field.edited);
        assert!(field.insert('e'));
        assert_eq!(field.text(), "anne");
        let mut field = TextField::new("ann");
        assert_eq!(field.edit(Action::Erase), Some(true));
        assert_eq!(field.text(), "an");
        field.set("x");
        assert!(field.edited && field.insert('y'));
        assert_eq!(field.text(), "y");
    }

    #[test]
    fn editing_keys_work_as_in_a_shell() {
        let mut field = TextField::default();
        assert!(field.paste("one\ttwo") && field.edited);
        field.set("one two");
        for (action, changed, text) in [
            (Action::EraseWord, true, "one "),
            (Action::LineStart, false, "one "),
            (Action::EraseNext, true, "ne "),
            (Action::WordRight, false, "ne "),
            (Action::EraseLine, true, ""),
        ] {
            assert_eq!(field.edit(action), Some(changed), "{action:?}");
            assert_eq!(field.input.value(), text, "{action:?}");
        }
        assert_eq!(field.edit(Action::Up), None);
    }
}
