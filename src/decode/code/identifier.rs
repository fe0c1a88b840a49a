//! Identifiers for generated code. Names come from debug information and headers that anybody may have
//! written: whatever is not a plain identifier is replaced.

use super::literal::{MAX_LENGTH, in_comment};
use std::collections::{HashMap, HashSet};

/// Returns true for names that a language reserves.
pub type IsReserved = fn(&str) -> bool;

/// Gives out identifiers, each of them once.
#[derive(Debug, Clone)]
pub struct Identifiers {
    is_reserved: IsReserved,
    used: HashSet<String>,
    /// The last number appended to a name.
    numbers: HashMap<String, u32>,
}

/// An identifier, and the name that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    pub text: String,
    /// Set if it differs; escaped, ASCII only.
    pub original: Option<String>,
}

impl Identifier {
    /// A comment with the name that it replaces, or nothing.
    pub fn note(&self, mark: &str) -> String {
        self.original.as_ref().map_or_else(String::new, |name| format!("  {mark} named {name}"))
    }
}

impl Identifiers {
    pub fn new(is_reserved: IsReserved) -> Self {
        Self { is_reserved, used: HashSet::new(), numbers: HashMap::new() }
    }

    pub fn reserve(&mut self, names: impl IntoIterator<Item = String>) {
        self.used.extend(names);
    }

    /// Returns an identifier like `name`, or like `fallback` if the name is empty.
    pub fn take(&mut self, name: &str, fallback: &str) -> Identifier {
        let mut text = plain(if name.is_empty() { fallback } else { name });
        if (self.is_reserved)(&text) {
            text = format!("{text}_");
        }
        // Python gives a meaning to underscores at both ends.
        if (self.is_reserved)(&text) {
            text = format!("field_{}", text.trim_matches('_'));
        }
        if self.used.contains(&text) {
            let number = self.numbers.entry(text.clone()).or_insert(1);
            loop {
                *number += 1;
                let numbered = format!("{text}_{number}");
                if !self.used.contains(&numbered) {
                    text = numbered;
                    break;
                }
            }
        }
        self.used.insert(text.clone());
        let original = (!name.is_empty() && text != name).then(|| in_comment(name));
        Identifier { text, original }
    }

    pub fn used(&self) -> impl Iterator<Item = String> {
        self.used.iter().cloned()
    }
}

/// Replaces everything but ASCII letters, digits and underscores.
fn plain(name: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut text = String::new();
    for c in name.chars().take(MAX_LENGTH) {
        match c {
            c if is_word(c) => text.push(c),
            _ if text.ends_with('_') => {}
            _ => text.push('_'),
        }
    }
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        text.insert(0, '_');
    }
    // Rust and Python give `_` a meaning of its own.
    if text.trim_matches('_').is_empty() {
        text = format!("field{text}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::reserved;
    use super::*;

    #[test]
    fn names_become_identifiers() {
        let mut names = Identifiers::new(reserved::in_cpp);
        let mut taken = |name: &str| names.take(name, "anonymous").text;
        assert_eq!(taken("tick"), "tick");
        assert_eq!(taken("class"), "class_");
        assert_eq!(taken("class_"), "class__2");
        assert_eq!(taken("ns::Ring<float, 4>"), "ns_Ring_float_4_");
        assert_eq!(taken("4th"), "_4th");
        assert_eq!(taken("a; system(\"x\")"), "a_system_x_");
        assert_eq!((taken(""), taken("")), ("anonymous".to_owned(), "anonymous_2".to_owned()));
        assert_eq!((taken("é"), taken("_")), ("field_".to_owned(), "field__2".to_owned()));
        assert_eq!(taken("SEEK_SET"), "SEEK_SET_");
        let mut names = Identifiers::new(reserved::in_python);
        assert_eq!(names.take("__class__", "").text, "field_class");
        assert_eq!(names.take("_fields_", "").text, "field_fields");
    }

    #[test]
    fn legal_names_stay() {
        for name in ["F_OK", "O_RDONLY", "F_TEMPERATURE", "S_IDLE", "major", "data", "print", "value"] {
            for is_reserved in [reserved::in_cpp, reserved::in_rust, reserved::in_python] {
                let taken = Identifiers::new(is_reserved).take(name, "");
                assert_eq!((&*taken.text, taken.original), (name, None));
            }
        }
    }
}
