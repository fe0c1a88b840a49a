//! Types that the user gives to segments by name: the `[[layout]]` tables.

use super::maker::compile;
use super::read;
use serde::Deserialize;

/// A type for segments whose name matches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "[[layout]] followed by lines like name = \"…\"")]
pub struct LayoutRule {
    /// A regular expression for the whole name, with or without its slash, or the key.
    #[serde(deserialize_with = "read::pattern")]
    pub name: String,
    /// As for `dump --as`. The module of types checks it, and [`super::Config::wrong_layout`] creates
    /// the error.
    #[serde(rename = "type")]
    pub ty: String,
}

impl LayoutRule {
    /// Returns true if the pattern matches all of the name.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        // Checked when the config was read.
        compile(&whole(&self.name))
            .is_ok_and(|pattern| pattern.is_match(name) || pattern.is_match(&[b"/", name].concat()))
    }
}

/// The pattern of the whole name.
pub(super) fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_with_or_without_a_slash() {
        let rule = |name: &str| LayoutRule { name: name.to_owned(), ty: "u8".to_owned() };
        for pattern in ["cam_1", "/cam_1", "/cam_.*|other", "/?cam_1"] {
            assert!(rule(pattern).matches(b"cam_1"), "{pattern}");
        }
        for pattern in ["cam", "/cam", "//cam_1", "am_1"] {
            assert!(!rule(pattern).matches(b"cam_1"), "{pattern}");
        }
    }
}
