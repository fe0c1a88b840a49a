//! Settings of the scope: the memory for its history, and sets of channels by name.

use super::read;
use crate::segment::{Bytes, nearest_word, quote};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ScopeSettings {
    /// The memory for the samples of all channels together.
    #[serde(deserialize_with = "read::history")]
    pub history: Bytes,
    /// Channels as written, by the name of their set. The scope checks them when the set is opened.
    pub sets: BTreeMap<String, Vec<String>>,
}

/// A set of channels that the config does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no set of channels named '@{}'{}", quote(.name.as_bytes()), self.hint())]
pub struct UnknownSet {
    pub name: String,
    /// The most similar name.
    pub nearest: Option<String>,
}

impl Default for ScopeSettings {
    fn default() -> Self {
        Self { history: Bytes(64 << 20), sets: BTreeMap::new() }
    }
}

impl ScopeSettings {
    /// Replaces each `@NAME` with the channels of that set.
    ///
    /// # Errors
    /// Fails if there is no such set.
    pub fn expand(&self, channels: &[String]) -> Result<Vec<String>, UnknownSet> {
        let mut all = vec![];
        for text in channels {
            let Some(name) = text.strip_prefix('@') else {
                all.push(text.clone());
                continue;
            };
            let set = self.sets.get(name).ok_or_else(|| UnknownSet {
                name: name.to_owned(),
                nearest: nearest_word(name, self.sets.keys().map(String::as_str)).map(str::to_owned),
            })?;
            all.extend_from_slice(set);
        }
        Ok(all)
    }
}

impl UnknownSet {
    fn hint(&self) -> String {
        match &self.nearest {
            Some(nearest) => format!("; did you mean @{}?", quote(nearest.as_bytes())),
            None => ". Sets are in [scope.sets] of the config file".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_expanded_in_place() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let sets = [("motor".to_owned(), texts(&["v=/t:v", "i=/t:i"])), ("none".to_owned(), vec![])];
        let settings = ScopeSettings { sets: sets.into(), ..ScopeSettings::default() };
        let expanded = settings.expand(&texts(&["/a:x", "@motor", "@none", "p = v * i"]));
        assert_eq!(expanded, Ok(texts(&["/a:x", "v=/t:v", "i=/t:i", "p = v * i"])));
        let error = |name: &str| settings.expand(&texts(&[name])).unwrap_err().to_string();
        assert_eq!(error("@moter"), "no set of channels named '@moter'; did you mean @motor?");
        assert_eq!(
            error("@\u{1b}zzzzzz"),
            r"no set of channels named '@\x1bzzzzzz'. Sets are in [scope.sets] of the config file"
        );
    }
}
