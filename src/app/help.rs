//! The help text, generated from the table of actions.

use super::action::{ACTIONS, ActionInfo, Context};
use super::keymap::Keymap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelpLine {
    Heading(&'static str),
    Keys(String, &'static str),
    Gap,
}

use HelpLine::{Gap, Heading, Keys};

/// Returns the keys of an action in a context, such as `up  k` or `not bound`.
pub fn keys_text(keymap: &Keymap, context: Context, row: &ActionInfo) -> String {
    let keys: Vec<String> = keymap.keys_in(context, row.action).map(|key| key.to_string()).collect();
    if keys.is_empty() { "not bound".to_owned() } else { keys.join("  ") }
}

/// Returns the help text, which starts with the current screen.
pub fn lines(keymap: &Keymap, screen: Context) -> Vec<HelpLine> {
    let mut lines = vec![];
    let line = |context: Context, row: &ActionInfo| Keys(keys_text(keymap, context, row), row.doc);
    let others = Context::ALL.iter().copied().filter(|&context| context != screen);
    for context in std::iter::once(screen).chain(others) {
        lines.push(Heading(context.title()));
        lines.extend(context.section().map(|row| line(context, row)));
        lines.push(Gap);
    }
    lines.push(Heading("Everywhere"));
    lines.extend(ACTIONS.iter().filter(|row| row.is_global()).map(|row| line(screen, row)));
    lines.extend([
        Keys("mouse".to_owned(), "click: select, double-click: inspect, heading: sort"),
        Gap,
        Heading("Symbols"),
        Keys("● in use".to_owned(), "mapped, attached or open"),
        Keys("◌ removed".to_owned(), "removed, kept alive by its holders"),
        Keys("? unknown".to_owned(), "may still be in use; not all processes are visible"),
        Keys("○ idle".to_owned(), "no holders; normal, or used too recently to tell"),
        Keys("◆ protected".to_owned(), "no holders, but must not be removed"),
        Keys("✗ leaked".to_owned(), "no holders, creator exited; leaked?: likely"),
        Keys("• ◉".to_owned(), "marked; attached by shmlens"),
        Keys("†".to_owned(), "creator has exited (shown after the maker)"),
        Keys("L".to_owned(), "locked in memory (shown after the mode)"),
    ]);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_every_action_with_its_keys() {
        let keymap = Keymap::default();
        let lines = lines(&keymap, Context::Inspect);
        assert_eq!(lines[0], Heading("Inspect"));
        for row in ACTIONS {
            for &context in row.contexts {
                let line = Keys(keys_text(&keymap, context, row), row.doc);
                assert!(lines.contains(&line), "{} in {context:?}", row.name);
            }
        }
    }
}
