//! What stands over a screen until it is answered or left.

use super::action::{ACTIONS, Action, Row, Screen};
use super::clean::Clean;
use super::confirm::Confirm;
use super::holders::Holders;
use super::holds::Holds;
use super::new_segment::New;
use super::permissions::Permissions;
use super::save::Save;
use crate::decode::{CopyForm, Scalar};
use crate::segment::field::Field;
use tui_input::{Input, InputRequest};

/// An overlay; it has the keys while it is there.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// All keys.
    Help {
        /// The first line that is shown.
        top: usize,
    },
    /// All actions, by name.
    Palette {
        /// What was typed.
        input: Input,
        /// Which of those that fit is selected.
        selected: usize,
    },
    /// A list at the side.
    Choice(Choice),
    /// A line at the foot.
    Prompt(Prompt),
    /// What is about to be done.
    Confirm(Confirm),
    /// Who may read and write.
    Permissions(Box<Permissions>),
    /// What we hold ourselves.
    Holds(Holds),
    /// Who holds the selected segment.
    Holders(Holders),
    /// What is leaked.
    Clean(Clean),
    /// A segment that is to be made.
    New(Box<New>),
    /// Segments that are to be saved to files.
    Save(Box<Save>),
    /// What was done in this run.
    Log {
        /// The first line that is shown.
        top: usize,
    },
    /// The next key is the letter of a mark.
    MarkLetter {
        /// To go there, not to set it.
        go: bool,
    },
}

/// A list to choose one item from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its heading.
    pub title: String,
    /// What it offers, with a word on each.
    pub items: Vec<(String, String)>,
    /// What each item is.
    pub kind: ChoiceKind,
    /// The selected one.
    pub selected: usize,
    /// The letters that were typed to get to it.
    pub typed: String,
}

/// What a list offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChoiceKind {
    /// A column to sort by.
    Sort(Vec<Field>),
    /// What the bytes are shown as.
    Type(Vec<Option<Scalar>>),
    /// How bytes are copied.
    Copy(Vec<CopyForm>),
}

/// A line to type in.
#[derive(Debug, Clone)]
pub struct Prompt {
    /// What it asks for.
    pub asks: Asks,
    /// What was typed.
    pub input: Input,
    /// Why the answer cannot be taken.
    pub error: Option<String>,
}

/// What a prompt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// A filter for the table; it works as it is typed.
    Filter,
    /// Text to search for.
    Text,
    /// Bytes to search for.
    Hex,
    /// A value to search for.
    Value,
    /// An offset to go to.
    Offset,
}

impl Asks {
    /// What stands before the line.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Filter => "/",
            Self::Text => "search text:",
            Self::Hex => "search hex:",
            Self::Value => "search value:",
            Self::Offset => "go to:",
        }
    }

    /// What may be typed, shown while the line is empty.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Filter => "kind=sysv  size>10M  owner=ann  name~^/psm  word  !negated",
            Self::Text => "hello, or \\x00 for a byte",
            Self::Hex => "de ad ?? ef",
            Self::Value => "f64:3.5  u32:42  i16be:-1",
            Self::Offset => "4096  0x1000  +16  -1K  end",
        }
    }
}

impl Prompt {
    /// An empty line.
    #[must_use]
    pub fn new(asks: Asks) -> Self {
        Self { asks, input: Input::default(), error: None }
    }
}

impl Choice {
    /// Goes to the item that begins with what is typed: with the letters
    /// before it, or with this one alone. Tells whether there is one.
    pub fn type_letter(&mut self, letter: char) -> bool {
        let letter = letter.to_ascii_lowercase();
        for text in [format!("{}{letter}", self.typed), letter.to_string()] {
            // A longer text may stay where it is, a letter alone goes on.
            let from = self.selected + usize::from(text.chars().count() == 1);
            let count = self.items.len();
            let begins = |at: &usize| self.items[*at].0.to_lowercase().starts_with(&text);
            if let Some(found) = (from..from + count).map(|at| at % count.max(1)).find(begins) {
                self.selected = found;
                self.typed = text;
                return true;
            }
        }
        false
    }

    /// The columns to sort by.
    #[must_use]
    pub fn sort(fields: Vec<Field>, current: Field) -> Self {
        Self {
            title: "Sort by".to_owned(),
            items: fields.iter().map(|field| (field.word().to_owned(), field.doc().to_owned())).collect(),
            selected: fields.iter().position(|&field| field == current).unwrap_or(0),
            kind: ChoiceKind::Sort(fields),
            typed: String::new(),
        }
    }

    /// What bytes can be shown as.
    #[must_use]
    pub fn types(current: Option<Scalar>) -> Self {
        let types: Vec<Option<Scalar>> =
            std::iter::once(None).chain(Scalar::ALL.iter().copied().map(Some)).collect();
        let item = |shown: &Option<Scalar>| match shown {
            None => ("bytes".to_owned(), "hex and text".to_owned()),
            Some(scalar) if scalar.size() == 1 => (scalar.word().to_owned(), "1 byte each".to_owned()),
            Some(scalar) => (scalar.word().to_owned(), format!("{} bytes each", scalar.size())),
        };
        Self {
            title: "Show as".to_owned(),
            items: types.iter().map(item).collect(),
            selected: types.iter().position(|&shown| shown == current).unwrap_or(0),
            kind: ChoiceKind::Type(types),
            typed: String::new(),
        }
    }

    /// How `count` bytes from `offset` on can be copied.
    #[must_use]
    pub fn copy(title: String) -> Self {
        let forms = vec![CopyForm::Hex, CopyForm::Text, CopyForm::C, CopyForm::Python];
        let item = |form: &CopyForm| match form {
            CopyForm::Hex => ("hex".to_owned(), "de ad be ef".to_owned()),
            CopyForm::Text => ("text".to_owned(), "with \\xNN".to_owned()),
            CopyForm::C => ("C".to_owned(), "{0xde, 0xad}".to_owned()),
            CopyForm::Python => ("Python".to_owned(), "b'\\xde\\xad'".to_owned()),
        };
        Self {
            title,
            items: forms.iter().map(item).collect(),
            selected: 0,
            kind: ChoiceKind::Copy(forms),
            typed: String::new(),
        }
    }
}

/// The actions that a palette shows for what was typed: those of this screen
/// whose name or doc holds every word.
#[must_use]
pub fn palette_rows(screen: Screen, typed: &str) -> Vec<&'static Row> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &Row, only_name: bool| {
        words.iter().all(|word| {
            row.name.contains(word.as_str()) || (!only_name && row.doc.to_lowercase().contains(word))
        })
    };
    let usable = || ACTIONS.iter().filter(move |row| row.works_in(screen) && row.action != Action::Palette);
    // Those that are called so stand before those that only mention it.
    let named = usable().filter(|row| fits(row, true));
    let mentioned = usable().filter(|row| fits(row, false) && !fits(row, true));
    named.chain(mentioned).collect()
}

/// The longest text that a line takes, in bytes. Longer than any path, name or
/// filter: what is pasted may be of any length.
pub const LONGEST_TEXT: usize = 4096;

/// Lets a line take a key; tells whether its text changed.
pub fn type_into(input: &mut Input, key: super::key::Key) -> bool {
    use super::key::Code;
    let request = match (key.code, key.ctrl, key.alt) {
        (Code::Char(_), false, false) if input.value().len() >= LONGEST_TEXT => return false,
        (Code::Char(c), false, false) => InputRequest::InsertChar(c),
        (Code::Backspace, false, false) | (Code::Char('h'), true, false) => InputRequest::DeletePrevChar,
        (Code::Backspace, _, _) | (Code::Char('w'), true, false) => InputRequest::DeletePrevWord,
        (Code::Delete, ..) | (Code::Char('d'), true, false) => InputRequest::DeleteNextChar,
        (Code::Left, false, false) => InputRequest::GoToPrevChar,
        (Code::Right, false, false) => InputRequest::GoToNextChar,
        (Code::Left, ..) | (Code::Char('b'), false, true) => InputRequest::GoToPrevWord,
        (Code::Right, ..) | (Code::Char('f'), false, true) => InputRequest::GoToNextWord,
        (Code::Home, ..) | (Code::Char('a'), true, false) => InputRequest::GoToStart,
        (Code::End, ..) | (Code::Char('e'), true, false) => InputRequest::GoToEnd,
        (Code::Char('u'), true, false) => InputRequest::DeleteLine,
        (Code::Char('k'), true, false) => InputRequest::DeleteTillEnd,
        _ => return false,
    };
    input.handle(request).is_some_and(|changed| changed.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::key::{Code, Key};

    #[test]
    fn the_palette_finds_by_name_and_by_what_it_does() {
        let names =
            |screen, typed| palette_rows(screen, typed).iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(names(Screen::Segments, "sort"), ["sort", "sort-order"]);
        assert!(names(Screen::Inspect, "clipboard zeros").is_empty());
        assert!(names(Screen::Inspect, "zeros").contains(&"next-data"));
        assert!(!names(Screen::Segments, "").contains(&"freeze"));
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let mut input = Input::default();
        for c in "one two".chars() {
            assert!(type_into(&mut input, Key::char(c)));
        }
        assert!(type_into(&mut input, Key::ctrl('w')));
        assert_eq!(input.value(), "one ");
        assert!(!type_into(&mut input, Key::plain(Code::Home)));
        assert!(type_into(&mut input, Key::plain(Code::Delete)));
        assert_eq!(input.value(), "ne ");
        assert!(type_into(&mut input, Key::ctrl('u')));
        assert_eq!(input.value(), "");
    }
}
