//! A field of an overlay that text is typed into.

use super::key::{Code, Key};
use super::overlay::type_into;
use tui_input::Input;

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
