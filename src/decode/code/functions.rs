//! Functions that generated programs define: those that they call, and no others.

use super::path::MAX_BYTES;
use std::collections::BTreeSet;

/// The functions of a language, each after those that it calls. A line in front of each names it:
/// `//: name`.
#[derive(Debug, Clone, Copy)]
pub struct Functions {
    sources: [&'static str; 3],
    mark: &'static str,
}

pub const CPP: Functions = Functions {
    sources: [
        include_str!("../../../assets/code/cpp/text.cpp"),
        include_str!("../../../assets/code/cpp/number.cpp"),
        include_str!("../../../assets/code/cpp/time.cpp"),
    ],
    mark: "//: ",
};
pub const PYTHON: Functions = Functions {
    sources: [
        include_str!("../../../assets/code/python/text.py"),
        include_str!("../../../assets/code/python/number.py"),
        include_str!("../../../assets/code/python/time.py"),
    ],
    mark: "#: ",
};
pub const RUST: Functions = Functions {
    sources: [
        include_str!("../../../assets/code/rust/text.rs"),
        include_str!("../../../assets/code/rust/number.rs"),
        include_str!("../../../assets/code/rust/time.rs"),
    ],
    mark: "//: ",
};

impl Functions {
    /// The names and texts.
    fn all(self) -> impl DoubleEndedIterator<Item = (&'static str, &'static str)> {
        // The text before the first name is about the file.
        let parts = |source: &'static str| source.split(self.mark).skip(1).collect::<Vec<_>>();
        self.sources.map(parts).concat().into_iter().map(|part| {
            let (name, text) = part.split_once('\n').unwrap_or((part, ""));
            (name.trim(), text.trim_matches('\n'))
        })
    }

    pub fn has(self, name: &str) -> bool {
        self.all().any(|(known, _)| known == name)
    }

    /// Returns the functions that have been called, and those that they call.
    pub fn called(self, calls: &BTreeSet<&'static str>) -> Vec<String> {
        let mut texts: Vec<&str> = vec![];
        for (name, text) in self.all().rev() {
            if calls.contains(name) || texts.iter().any(|caller| is_called(name, caller)) {
                texts.push(text);
            }
        }
        let text = |text: &&str| text.replace("@BYTES@", &MAX_BYTES.to_string());
        texts.iter().rev().map(text).collect()
    }
}

/// Returns true if a text contains a word.
fn is_called(name: &str, text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_come_after_those_that_they_call() {
        for functions in [CPP, PYTHON, RUST] {
            let all: Vec<_> = functions.all().collect();
            assert!(all.len() > 10);
            for (at, (name, text)) in all.iter().enumerate() {
                assert!(is_called(name, text), "{name} is not in its text");
                for (later, _) in &all[at + 1..] {
                    assert!(!is_called(later, text), "{name} calls {later}");
                }
            }
        }
    }

    #[test]
    fn only_called_functions_are_defined() {
        let calls = BTreeSet::from(["show_character"]);
        let texts = CPP.called(&calls).concat();
        assert!(texts.contains("put_character(") && !texts.contains("show_text("), "{texts}");
        assert!(CPP.called(&BTreeSet::new()).is_empty());
    }
}
