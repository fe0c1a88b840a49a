//! The palette, which runs any action by name.

use crate::app::action::{ACTIONS, Action, ActionInfo, Context};
use crate::app::list::List;
use crate::app::text_field::TextField;

#[derive(Debug, Clone, Default)]
pub struct Palette {
    pub input: TextField,
    pub list: List,
}

/// Returns the actions of a screen whose name or doc contains every typed word.
pub fn palette_rows(screen: Context, typed: &str) -> Vec<&'static ActionInfo> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let fits = |row: &ActionInfo, only_name: bool| {
        words.iter().all(|word| {
            row.name.contains(word.as_str()) || (!only_name && row.doc.to_lowercase().contains(word))
        })
    };
    let usable = || ACTIONS.iter().filter(move |row| row.works_in(screen) && row.action != Action::Palette);
    // Matches in the name come first.
    let named = usable().filter(|row| fits(row, true));
    let documented = usable().filter(|row| fits(row, false) && !fits(row, true));
    named.chain(documented).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn palette_searches_names_and_docs() {
        let names =
            |screen, typed| palette_rows(screen, typed).iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(names(Context::Segments, "sort"), ["sort", "sort-order"]);
        assert!(names(Context::Inspect, "clipboard zeros").is_empty());
        assert!(names(Context::Inspect, "zeros").contains(&"next-data"));
        assert!(!names(Context::Segments, "").contains(&"freeze"));
    }
}
