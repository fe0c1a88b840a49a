//! Types that the user gives to segments by name: the `[[layout]]` tables.

use super::maker::compile;
use super::read;
use serde::Deserialize;

/// A type for segments whose name matches.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "[[layout]] followed by lines like name = \"…\"")]
pub struct LayoutRule {
    /// A regular expression for the whole name without its slash, or the key.
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
        compile(&whole(&self.name)).is_ok_and(|pattern| pattern.is_match(name))
    }
}

/// The pattern of the whole name.
pub(super) fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}
