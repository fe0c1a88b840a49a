//! A menu.

use crate::app::list::List;
use crate::app::table::SortKey;
use crate::decode::code::CodeLanguage;
use crate::decode::{CopyFormat, Scalar};
use crate::identify::typing::Candidate;
use crate::segment::quote;
use std::borrow::Cow;

const MAX_NOTES: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub title: String,
    pub items: Vec<ChoiceItem>,
    pub list: List,
    pub typed: String,
    /// The types that fit, in a list of types.
    pub types: Vec<Candidate>,
    /// Lines below the items: the reasons why some holders show no types.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChoiceItem {
    pub word: Cow<'static, str>,
    pub doc: String,
    pub value: Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    Sort(SortKey),
    /// A type that fits, by its index in [`Choice::types`].
    Fitting(usize),
    Type(Option<Scalar>),
    /// Any other type, which the user types.
    OtherType,
    Copy(CopyFormat),
    /// A program that attaches to the segment.
    Code(CodeLanguage),
    /// Copies the text of the item.
    CopyValue(&'static str),
    /// Copies the text of the item, which is the JSON form of the selected field.
    CopyJson,
}

impl Choice {
    fn new(title: String, items: Vec<(&'static str, String, Chosen)>, current: Chosen) -> Self {
        let selected = items.iter().position(|item| item.2 == current).unwrap_or(0);
        let item = |(word, doc, value): (&'static str, _, _)| ChoiceItem { word: word.into(), doc, value };
        let items = items.into_iter().map(item).collect();
        Self { title, items, list: List { selected }, typed: String::new(), types: vec![], notes: vec![] }
    }

    /// Selects the item that starts with the typed prefix and this letter, or else with the letter
    /// alone.
    pub fn type_letter(&mut self, letter: char) {
        let letter = letter.to_ascii_lowercase();
        for text in [format!("{}{letter}", self.typed), letter.to_string()] {
            // A single letter moves to the next match, a longer prefix may stay.
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

    pub fn sort(keys: &[SortKey], current: SortKey) -> Self {
        let item = |key: &SortKey| (key.name(), key.doc().to_owned(), Chosen::Sort(*key));
        Self::new("Sort by".to_owned(), keys.iter().map(item).collect(), Chosen::Sort(current))
    }

    /// The types that fit with their evidence, the scalars, and any other type.
    pub fn types(types: Vec<Candidate>, problems: &[String], current: Chosen) -> Self {
        let fitting = (0..).zip(&types).map(|(index, found)| ChoiceItem {
            word: Cow::Owned(quote(found.name.as_bytes())),
            doc: format!(
                "{}: {}",
                if found.certain { "certain" } else { "likely" },
                found.evidence.join("; ")
            ),
            value: Chosen::Fitting(index),
        });
        let mut items: Vec<ChoiceItem> = fitting.collect();
        let others = Self::scalars(Chosen::Type(None));
        items.extend(others.items);
        let selected = items.iter().position(|item| item.value == current).unwrap_or(0);
        // Many holders often have the same problem.
        let notes = problems.iter().take(MAX_NOTES).cloned().collect();
        Self { items, types, notes, list: List { selected }, ..others }
    }

    fn scalars(current: Chosen) -> Self {
        let item = |shown: Option<Scalar>| {
            let (word, doc) = match shown {
                None => ("bytes", "hex and text".to_owned()),
                Some(scalar) if scalar.size() == 1 => (scalar.word(), "1 byte each".to_owned()),
                Some(scalar) => (scalar.word(), format!("{} bytes each", scalar.size())),
            };
            (word, doc, Chosen::Type(shown))
        };
        let types = std::iter::once(None).chain(Scalar::BASIC.into_iter().map(Some));
        let other = ("other", "any type".to_owned(), Chosen::OtherType);
        let items = types.map(item).chain([other]).collect();
        Self::new("Show as".to_owned(), items, current)
    }

    /// The formats of the bytes, the values at the cursor with their labels, the forms of the field
    /// there, and code.
    pub fn copy(title: String, values: Vec<(&'static str, String)>, field: Vec<CopyItem>) -> Self {
        let values = values.into_iter().map(|(label, text)| (label, text, Chosen::CopyValue(label)));
        let items = byte_formats().chain(values).chain(field).chain(code()).collect();
        Self::new(title, items, Chosen::Copy(CopyFormat::Hex))
    }

    /// The forms of the selected field, the formats of its bytes, and code.
    pub fn copy_field(title: String, field: Vec<CopyItem>) -> Self {
        let first = field.first().map_or(Chosen::CopyJson, |item| item.2);
        Self::new(title, field.into_iter().chain(byte_formats()).chain(code()).collect(), first)
    }
}

/// A word, its description and its meaning.
pub type CopyItem = (&'static str, String, Chosen);

fn byte_formats() -> impl Iterator<Item = CopyItem> {
    let formats = [
        ("hex", "de ad be ef", CopyFormat::Hex),
        ("text", "with \\xNN", CopyFormat::Text),
        ("C", "{0xde, 0xad}", CopyFormat::C),
        ("Python", "b'\\xde\\xad'", CopyFormat::Python),
    ];
    formats.into_iter().map(|(word, doc, form)| (word, doc.to_owned(), Chosen::Copy(form)))
}

fn code() -> impl Iterator<Item = CopyItem> {
    let item = |language: CodeLanguage| {
        (language.label(), "program that attaches".to_owned(), Chosen::Code(language))
    };
    CodeLanguage::ALL.into_iter().map(item)
}
