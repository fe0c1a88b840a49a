//! The palette, which runs any action of the screen by name and lists all others with their
//! context.

use crate::app::action::{ACTIONS, Action, ActionInfo, Context};
use crate::app::list::List;
use crate::app::text_field::TextField;
use std::borrow::Cow;

#[derive(Debug, Clone, Default)]
pub struct Palette {
    pub input: TextField,
    pub list: List,
}

/// An action in the palette.
#[derive(Debug, Clone, Copy)]
pub struct PaletteRow {
    pub info: &'static ActionInfo,
    /// The context of an action that does not work on the current screen.
    pub elsewhere: Option<Context>,
}

impl PaletteRow {
    fn new(info: &'static ActionInfo, screen: Context) -> Self {
        let elsewhere = info.contexts.first().copied().filter(|_| !info.works_in(screen));
        Self { info, elsewhere }
    }

    /// The description: `in Confirm: toggle force` for an action of another context.
    pub fn text(&self) -> Cow<'static, str> {
        self.elsewhere.map_or(Cow::Borrowed(self.info.doc), |context| {
            Cow::Owned(format!("in {}: {}", context.title(), self.info.doc))
        })
    }
}

/// Returns the actions whose name or description contains every typed word, the screen's own
/// first.
pub fn palette_rows(screen: Context, typed: &str) -> Vec<PaletteRow> {
    let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
    let in_name = |row: &PaletteRow, word: &String| row.info.name.contains(word.as_str());
    let named = |row: &PaletteRow| words.iter().all(|word| in_name(row, word));
    let found = |row: &PaletteRow| {
        let text = row.text().to_lowercase();
        words.iter().all(|word| in_name(row, word) || text.contains(word.as_str()))
    };
    let all = ACTIONS.iter().filter(|info| info.action != Action::Palette);
    let mut rows: Vec<PaletteRow> = all.map(|info| PaletteRow::new(info, screen)).filter(found).collect();
    // Stable: otherwise in the order of the table.
    rows.sort_by_key(|row| (row.elsewhere.is_some(), !named(row)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(screen: Context, typed: &str) -> Vec<&'static str> {
        palette_rows(screen, typed).iter().map(|row| row.info.name).collect()
    }

    #[test]
    fn palette_searches_names_and_docs() {
        assert_eq!(names(Context::Segments, "sort"), ["sort", "sort-order"]);
        assert!(names(Context::Inspect, "clipboard zeros").is_empty());
        assert!(names(Context::Inspect, "zeros").contains(&"next-data"));
    }

    #[test]
    fn palette_starts_with_the_most_useful_actions() {
        assert_eq!(names(Context::Segments, "")[..3], ["inspect", "filter", "sort"]);
        assert_eq!(names(Context::Inspect, "")[..3], ["freeze", "next-change", "search-text"]);
        let place = |name| names(Context::Segments, "").iter().position(|other| *other == name);
        assert!(place("remove") < place("up") && place("quit") < place("up"));
    }

    #[test]
    fn palette_lists_every_action_with_its_context() {
        for screen in [Context::Segments, Context::Inspect] {
            let rows = palette_rows(screen, "");
            assert_eq!(rows.len(), ACTIONS.len() - 1);
            let here = rows.iter().take_while(|row| row.elsewhere.is_none()).count();
            assert!(rows[..here].iter().all(|row| row.info.works_in(screen)));
            assert!(rows[here..].iter().all(|row| !row.info.works_in(screen)));
        }
        let force = palette_rows(Context::Segments, "confirm force")[0];
        assert_eq!(force.text(), "in Confirm: toggle force for the segment");
    }
}
