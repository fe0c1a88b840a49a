//! The hints at the foot: one line that never wraps; the least needed fall out
//! first, the help stays last.

use super::action::{ACTIONS, Action};
use super::overlay::Overlay;
use super::state::State;
use unicode_width::UnicodeWidthStr as _;

/// A hint: its key, its word, and whether the action can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The key, as it is shown.
    pub key: String,
    /// The word behind it.
    pub word: &'static str,
    /// Whether it would do something now.
    pub live: bool,
}

/// Between two hints.
pub const GAP: usize = 2;

/// The hints of a popup, which has the keys while it is open. `None` for one that
/// shows them itself.
fn of_popup(overlay: &Overlay) -> Option<&'static [(&'static str, &'static str)]> {
    match overlay {
        Overlay::Choice(_) => Some(&[("↵", "choose"), ("esc", "cancel")]),
        Overlay::Palette { .. } => Some(&[("↵", "run"), ("esc", "cancel")]),
        Overlay::Log { .. } | Overlay::Help { .. } => Some(&[("↑↓", "scroll"), ("esc", "close")]),
        _ => None,
    }
}

/// The hints that fit into so many cells, and the one at the right end.
#[must_use]
pub fn hints(state: &State, width: usize) -> (Vec<Hint>, Option<Hint>) {
    if let Some(hints) = state.overlay.as_ref().and_then(of_popup) {
        let hint = |&(key, word): &(&str, &'static str)| Hint { key: key.to_owned(), word, live: true };
        return (hints.iter().map(hint).collect(), None);
    }
    let screen = state.screen();
    let hint = |action: Action, word: &'static str| {
        let key = state.keymap.keys(action).first()?.to_string();
        Some(Hint { key: short(&key), word, live: state.refusal(action).is_none() })
    };
    let help = hint(Action::Help, "help").filter(|hint| hint.width() < width);
    let mut room = width.saturating_sub(help.as_ref().map_or(0, |hint| hint.width() + GAP + 1));
    let mut chosen: Vec<(usize, u8, Hint)> = ACTIONS
        .iter()
        .enumerate()
        .filter(|(_, row)| row.works_in(screen))
        .filter_map(|(at, row)| {
            let (word, needed) = row.hint?;
            Some((at, needed, hint(row.action, word)?))
        })
        .collect();
    chosen.sort_by_key(|(_, needed, _)| *needed);
    // The first that does not fit ends it, so that a wider screen shows the
    // same hints and more.
    let mut fits = vec![];
    for (at, _, hint) in chosen {
        let Some(left) = room.checked_sub(hint.width() + GAP) else { break };
        room = left;
        fits.push((at, hint));
    }
    fits.sort_by_key(|(at, _)| *at);
    (fits.into_iter().map(|(_, hint)| hint).collect(), help)
}

impl Hint {
    /// How many cells it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.key.width() + 1 + self.word.width()
    }
}

fn short(key: &str) -> String {
    match key {
        "enter" => "↵".to_owned(),
        other => other.to_owned(),
    }
}
