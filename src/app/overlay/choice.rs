//! A menu: a list at the side to choose one item from.

use crate::app::list::List;
use crate::decode::{CopyForm, Scalar};
use crate::segment::field::Field;

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
    pub list: List,
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

impl Choice {
    /// Goes to the item that begins with what is typed: with the letters
    /// before it, or with this one alone.
    pub fn type_letter(&mut self, letter: char) {
        let letter = letter.to_ascii_lowercase();
        for text in [format!("{}{letter}", self.typed), letter.to_string()] {
            // A longer text may stay where it is, a letter alone goes on.
            let from = self.list.selected + usize::from(text.chars().count() == 1);
            let count = self.items.len();
            let begins = |at: &usize| self.items[*at].0.to_lowercase().starts_with(&text);
            if let Some(found) = (from..from + count).map(|at| at % count.max(1)).find(begins) {
                self.list.selected = found;
                self.typed = text;
                return;
            }
        }
    }

    /// The columns to sort by.
    #[must_use]
    pub fn sort(fields: Vec<Field>, current: Field) -> Self {
        Self {
            title: "Sort by".to_owned(),
            items: fields.iter().map(|field| (field.word().to_owned(), field.doc().to_owned())).collect(),
            list: List { selected: fields.iter().position(|&field| field == current).unwrap_or(0) },
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
            list: List { selected: types.iter().position(|&shown| shown == current).unwrap_or(0) },
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
            list: List::default(),
            kind: ChoiceKind::Copy(forms),
            typed: String::new(),
        }
    }
}
