//! The key bindings: defaults from the table of actions, overridden by the config.

use super::action::{ACTIONS, Action, ActionInfo, Context, row_named, row_of};
use super::key::Key;
use std::collections::{BTreeMap, HashMap};

#[derive(Debug, Clone)]
pub struct Keymap {
    actions: HashMap<(Context, Key), Action>,
    keys: HashMap<Action, Vec<Key>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    #[error("[keys] unknown action '{0}': `shmlens man` lists all actions")]
    Action(String),
    #[error("[keys] {action}: {reason}")]
    Key { action: &'static str, reason: String },
    /// Two actions in the same context have the same key.
    #[error("[keys] '{key}' is bound to both {first} and {second}")]
    Twice { key: Key, first: &'static str, second: &'static str },
}

impl Default for Keymap {
    fn default() -> Self {
        let keys = ACTIONS.iter().map(|row| (row.action, row.default_keys().collect())).collect();
        // A test proves that the keys in the table are valid.
        Self::from_keys(keys).unwrap_or_else(|_| Self { actions: HashMap::new(), keys: HashMap::new() })
    }
}

impl Keymap {
    /// Returns the default bindings, overridden by those in the config.
    pub fn with_overrides(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keys: HashMap<Action, Vec<Key>> =
            ACTIONS.iter().map(|row| (row.action, row.default_keys().collect())).collect();
        let mut taken: Vec<(&'static ActionInfo, Vec<Key>)> = vec![];
        for (name, texts) in overrides {
            let row = row_named(name)
                .ok_or_else(|| KeymapError::Action(crate::segment::escape(name.as_bytes())))?;
            let parsed = texts
                .iter()
                .map(|text| {
                    text.parse::<Key>()
                        .map_err(|error| KeymapError::Key { action: row.name, reason: error.to_string() })
                })
                .collect::<Result<Vec<_>, _>>()?;
            taken.push((row, parsed));
        }
        // A key from the config is unbound from its default action.
        for (row, parsed) in &taken {
            for (action, own) in &mut keys {
                let shared = |other: &ActionInfo| {
                    Context::ALL.iter().any(|&context| row.works_in(context) && other.works_in(context))
                };
                let overlaps = row_of(*action).is_some_and(shared);
                if overlaps {
                    own.retain(|key| !parsed.contains(key));
                }
            }
        }
        for (row, parsed) in taken {
            keys.insert(row.action, parsed);
        }
        Self::from_keys(keys)
    }

    fn from_keys(keys: HashMap<Action, Vec<Key>>) -> Result<Self, KeymapError> {
        let mut actions = HashMap::new();
        for row in ACTIONS {
            for context in Context::ALL.iter().copied().filter(|&context| row.works_in(context)) {
                let reaches = |key: &&Key| !context.is_text() || key.typed().is_none();
                for &key in keys.get(&row.action).into_iter().flatten().filter(reaches) {
                    if let Some(first) = actions.insert((context, key), row.action) {
                        let first = row_of(first).map_or("", |row| row.name);
                        return Err(KeymapError::Twice { key, first, second: row.name });
                    }
                }
            }
        }
        Ok(Self { actions, keys })
    }

    pub fn action(&self, context: Context, key: Key) -> Option<Action> {
        self.actions.get(&(context, key)).copied()
    }

    /// The keys of an action. Hints show the first one.
    pub fn keys(&self, action: Action) -> &[Key] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The keys of an action that are not shadowed in a context.
    pub fn keys_in(&self, context: Context, action: Action) -> impl Iterator<Item = Key> + '_ {
        let reaches = move |key: &Key| self.action(context, *key) == Some(action);
        self.keys(action).iter().copied().filter(reaches)
    }

    /// Returns the key of an action for messages: `u`, or `:undo` if the action is not bound but
    /// available in the palette.
    pub fn name_of(&self, action: Action) -> String {
        let row = row_of(action);
        let in_palette = row.is_some_and(|row| !row.contexts.iter().all(|context| context.is_overlay()));
        match (self.keys(action).first(), row.map_or("", |row| row.name)) {
            (Some(key), _) => key.to_string(),
            (None, name) if in_palette => format!(":{name}"),
            (None, name) => format!("{name} (not bound)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(lines: &[(&str, &[&str])]) -> Result<Keymap, KeymapError> {
        let lines = lines
            .iter()
            .map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|&key| key.to_owned()).collect()));
        Keymap::with_overrides(&lines.collect())
    }

    #[test]
    fn every_default_key_runs_its_action() {
        let map = Keymap::default();
        for row in ACTIONS {
            for &context in row.contexts {
                let reach = |key: &Key| !context.is_text() || key.typed().is_none();
                for key in row.default_keys().filter(reach) {
                    assert_eq!(map.action(context, key), Some(row.action), "{key}");
                }
            }
        }
    }

    #[test]
    fn config_key_is_removed_from_its_default_action() {
        let map = with(&[("sort", &["f2", "r"])]).unwrap();
        assert_eq!(map.action(Context::Segments, Key::char('r')), Some(Action::SortBy));
        assert_eq!(map.action(Context::Segments, Key::char('s')), None);
        assert_eq!(map.keys(Action::Refresh), [Key::ctrl('l')]);
    }

    #[test]
    fn config_errors_name_the_cause() {
        let error = |lines: &[(&str, &[&str])]| with(lines).err().unwrap().to_string();
        assert!(error(&[("fly", &["x"])]).contains("unknown action 'fly'"));
        assert!(error(&[("sort", &["hyper"])]).contains("invalid key 'hyper'"));
        assert!(error(&[("sort", &["x"]), ("mark", &["x"])]).contains("both"));
    }
}
