//! The channels by name.

use super::error::ExpressionError;
use super::token::name_length;
use crate::scope::Channel;
use crate::segment::{nearest_word, quote, unescape};
use std::borrow::Cow;
use std::collections::HashMap;

/// Finds channels by name.
#[derive(Debug)]
pub struct Names<'c> {
    /// The keys are unescaped.
    indexes: HashMap<Vec<u8>, usize>,
    channels: &'c [Channel],
}

impl<'c> Names<'c> {
    /// # Errors
    /// Fails if two channels have the same name.
    pub fn new(channels: &'c [Channel]) -> Result<Self, ExpressionError> {
        let mut indexes = HashMap::new();
        for (index, channel) in channels.iter().enumerate() {
            if indexes.insert(unescape(&channel.name), index).is_some() {
                return Err(ExpressionError::DuplicateName { name: channel.name.clone() });
            }
        }
        Ok(Self { indexes, channels })
    }

    /// Returns the index of a channel: by its name or, if only one ends so, by the last part of it, as in
    /// `tick` for `/telemetry:tick`.
    ///
    /// # Errors
    /// Returns a message with the nearest name if there is no such channel.
    pub fn find(&self, name: &str) -> Result<usize, String> {
        let bytes = unescape(name.trim());
        if let Some(&index) = self.indexes.get(&bytes) {
            return Ok(index);
        }
        let ends = |(full, &index): (&Vec<u8>, &usize)| {
            let before = full.strip_suffix(bytes.as_slice())?;
            (!bytes.is_empty() && matches!(before.last(), Some(b':' | b'.'))).then_some(index)
        };
        let found: Vec<usize> = self.indexes.iter().filter_map(ends).collect();
        if let [index] = found[..] {
            return Ok(index);
        }
        if let [first, second, ..] = found[..] {
            let text = |index: usize| name_text(&self.channels[index].name).into_owned();
            let [first, second] = [text(first.min(second)), text(first.max(second))];
            let problem = format!("'{}' may be {first} or {second}; write one of them", name.trim());
            return Err(quote(problem.as_bytes()));
        }
        Err({
            let names = self.channels.iter().map(|channel| channel.name.as_str());
            let hint = match nearest_word(name, names) {
                Some(nearest) => format!("; did you mean {}?", name_text(nearest)),
                None if name.contains(':') => ". Add it to the channels, too".to_owned(),
                None if self.channels.is_empty() => String::new(),
                None => {
                    let names: Vec<String> =
                        self.channels.iter().map(|channel| name_text(&channel.name).into_owned()).collect();
                    format!(". The channels are {}", crate::segment::resolve::listed(&names))
                }
            };
            format!("no channel named '{}'{}", quote(name.as_bytes()), quote(hint.as_bytes()))
        })
    }
}

/// The name of a channel as written in expressions and triggers: in braces unless it is a plain name or a
/// path.
#[must_use]
pub fn name_text(name: &str) -> Cow<'_, str> {
    if name_length(name) == Some(name.len()) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("{{{}}}", name.replace('}', r"\x7d")))
}
