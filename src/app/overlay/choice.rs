//! A menu: a list at the side to choose one item from.

use crate::app::list::List;
use crate::decode::{CopyFormat, Scalar};
use crate::segment::field::Field;

/// The overlay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its heading.
    pub title: String,
    /// The items.
    pub items: Vec<ChoiceItem>,
    /// The selected one.
    pub list: List,
    /// The letters that were typed to get to it.
    pub typed: String,
}

/// An item of a menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceItem {
    /// Its name.
    pub word: &'static str,
    /// A word on it.
    pub doc: String,
    /// The value that it stands for.
    pub value: Chosen,
}

/// The value of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// A column to sort by.
    Sort(Field),
    /// A type to show the bytes as.
    Type(Option<Scalar>),
    /// A form to copy the bytes in.
    Copy(CopyFormat),
}

impl Choice {
    fn new(title: String, items: Vec<(&'static str, String, Chosen)>, current: Chosen) -> Self {
        let selected = items.iter().position(|item| item.2 == current).unwrap_or(0);
        let items = items.into_iter().map(|(word, doc, value)| ChoiceItem { word, doc, value }).collect();
        Self { title, items, list: List { selected }, typed: String::new() }
    }

    /// Goes to the item that begins with what is typed: with the letters
    /// before it, or with this one alone.
    pub fn type_letter(&mut self, letter: char) {
        let letter = letter.to_ascii_lowercase();
        for text in [format!("{}{letter}", self.typed), letter.to_string()] {
            // A longer text may stay where it is, a letter alone goes on.
            let from = self.list.selected + usize::from(text.chars().count() == 1);
            let count = self.items.len();
            let begins = |at: &usize| self.items[*at].word.to_lowercase().starts_with(&text);
            if let Some(found) = (from..from + count).map(|at| at % count.max(1)).find(begins) {
                self.list.selected = found;
                self.typed = text;
                return;
            }
        }
    }

    /// The menu of columns.
    #[must_use]
    pub fn sort(fields: &[Field], current: Field) -> Self {
        let item = |field: &Field| (field.word(), field.doc().to_owned(), Chosen::Sort(*field));
        Self::new("Sort by".to_owned(), fields.iter().map(item).collect(), Chosen::Sort(current))
    }

    /// The menu of types.
    #[must_use]
    pub fn types(current: Option<Scalar>) -> Self {
        let item = |shown: Option<Scalar>| {
            let (word, doc) = match shown {
                None => ("bytes", "hex and text".to_owned()),
                Some(scalar) if scalar.size() == 1 => (scalar.word(), "1 byte each".to_owned()),
                Some(scalar) => (scalar.word(), format!("{} bytes each", scalar.size())),
            };
            (word, doc, Chosen::Type(shown))
        };
        let types = std::iter::once(None).chain(Scalar::ALL.iter().copied().map(Some));
        Self::new("Show as".to_owned(), types.map(item).collect(), Chosen::Type(current))
    }

    /// The menu of forms to copy in.
    #[must_use]
    pub fn copy(title: String) -> Self {
        let forms = [
            ("hex", "de ad be ef", CopyFormat::Hex),
            ("text", "with \\xNN", CopyFormat::Text),
            ("C", "{0xde, 0xad}", CopyFormat::C),
            ("Python", "b'\\xde\\xad'", CopyFormat::Python),
        ];
        let items = forms.map(|(word, doc, form)| (word, doc.to_owned(), Chosen::Copy(form)));
        Self::new(title, items.into(), Chosen::Copy(CopyFormat::Hex))
    }
}
