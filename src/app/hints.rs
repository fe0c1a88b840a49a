//! The hints: on the line at the foot, which never wraps, and in the last line of
//! an overlay. The least needed fall out first, the help stays last.

use super::action::{ACTIONS, Action, Context};
use super::confirm::Confirm;
use super::overlay::Overlay;
use super::permissions::Focus;
use super::save::SaveField;
use super::state::State;
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr as _;

/// A hint: its key, its word, and whether the action can be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The key, as it is shown.
    pub key: String,
    /// The word behind it.
    pub word: Cow<'static, str>,
    /// How much it is needed: the smallest number falls out last.
    pub need: u8,
    /// Whether it would do something now.
    pub live: bool,
}

/// Between two hints.
pub const GAP: usize = 2;

/// The hints that fit into so many cells, and the one at the right end.
#[must_use]
pub fn hints(state: &State, width: usize) -> (Vec<Hint>, Option<Hint>) {
    // A popup has no room for hints of its own, and has the keys while it is open.
    if let Some(overlay @ (Overlay::Choice(_) | Overlay::Palette(_) | Overlay::Log(_) | Overlay::Help(_))) =
        &state.overlay
    {
        return (of_overlay(state, overlay), None);
    }
    let screen = state.screen();
    let help = hint(state, screen, &[Action::Help], "help", 0).filter(|hint| hint.width() < width);
    let mut room = width.saturating_sub(help.as_ref().map_or(0, |hint| hint.width() + GAP + 1));
    let rows = ACTIONS.iter().filter(|row| row.works_in(screen));
    let hinted = |(at, row): (usize, &super::action::ActionInfo)| {
        let (word, need) = row.hint?;
        Some((at, hint(state, screen, &[row.action], word, need)?))
    };
    let mut chosen: Vec<(usize, Hint)> = rows.enumerate().filter_map(hinted).collect();
    chosen.sort_by_key(|(_, hint)| hint.need);
    // The first that does not fit ends it, so that a wider screen shows the
    // same hints and more.
    let mut fits = vec![];
    for (at, hint) in chosen {
        let Some(left) = room.checked_sub(hint.width() + GAP) else { break };
        room = left;
        fits.push((at, hint));
    }
    fits.sort_by_key(|(at, _)| *at);
    (fits.into_iter().map(|(_, hint)| hint).collect(), help)
}

/// Returns the hints of an overlay.
#[must_use]
pub fn of_overlay(state: &State, overlay: &Overlay) -> Vec<Hint> {
    let context = overlay.context();
    let made =
        |(actions, word, need): (&[Action], Cow<'static, str>, u8)| hint(state, context, actions, word, need);
    let close = |word: &'static str| (&[Action::Close][..], word.into(), 1);
    let accept = |word: &'static str| (&[Action::Accept][..], word.into(), 0);
    let confirm = |word: String| (&[Action::Confirm][..], word.into(), 0);
    let hints = match overlay {
        Overlay::Choice(_) => vec![accept("choose"), close("cancel")],
        Overlay::Palette(_) => vec![accept("run"), close("cancel")],
        Overlay::Help(_) | Overlay::Log(_) => {
            vec![(&[Action::Up, Action::Down][..], "scroll".into(), 2), close("close")]
        }
        Overlay::Holders(holders) if holders.rows.is_empty() => vec![close("close")],
        Overlay::Holders(_) => vec![(&[Action::Terminate][..], "terminate".into(), 0), close("close")],
        Overlay::Terminate(_) => vec![confirm("terminate".to_owned()), close("cancel")],
        Overlay::Clean(clean) if clean.items.is_empty() => vec![close("close")],
        Overlay::Clean(_) => vec![
            (&[Action::Mark][..], "toggle".into(), 0),
            (&[Action::MarkAll][..], "all".into(), 2),
            accept("continue"),
            close("cancel"),
        ],
        Overlay::Holds(holds) => match (holds.shown().len(), holds.last()) {
            (0, _) => vec![close("close")],
            (1, _) => vec![confirm("detach".to_owned()), close("cancel")],
            (many, last) => {
                let freed = if last == 0 { String::new() } else { format!(" ({last} freed)") };
                let all = format!("detach all {many}{freed}").into();
                vec![confirm("detach".to_owned()), (&[Action::DetachAll][..], all, 0), close("cancel")]
            }
        },
        Overlay::Confirm(plan) => of_plan(plan),
        Overlay::Permissions(form) => of_form(form.focus == Focus::Bits, "review"),
        Overlay::New(form) => of_form(form.line.is_option(), "create"),
        Overlay::Save(form) => of_form(form.line == SaveField::Replace, "save"),
        Overlay::Prompt(_) | Overlay::MarkLetter { .. } => vec![],
    };
    hints.into_iter().filter_map(made).collect()
}

type Wanted = (&'static [Action], Cow<'static, str>, u8);

fn of_form(toggles: bool, accept: &'static str) -> Vec<Wanted> {
    let toggle: Wanted = (&[Action::Toggle], "toggle".into(), 0);
    let rest: [Wanted; 3] = [
        (&[Action::NextField], "next field".into(), 2),
        (&[Action::Accept], accept.into(), 0),
        (&[Action::Close], "cancel".into(), 1),
    ];
    toggles.then_some(toggle).into_iter().chain(rest).collect()
}

fn of_plan(plan: &Confirm) -> Vec<Wanted> {
    let mut hints: Vec<Wanted> = vec![];
    if plan.can_force() {
        hints.push((&[Action::Force], if plan.is_forced() { "no force" } else { "force" }.into(), 0));
    }
    if let Some(copies) = plan.copies().filter(|_| plan.can_toggle_copies()) {
        hints.push((&[Action::SaveCopy], if copies { "no copy" } else { "save a copy" }.into(), 2));
    }
    let verb = plan.verb();
    match (plan.doable(), plan.wishes.len()) {
        (0, _) => {}
        (some, all) if some < all => {
            hints.push((&[Action::Confirm], format!("{verb} {some} of {all}").into(), 0));
        }
        _ => hints.push((&[Action::Confirm], verb.into(), 0)),
    }
    hints.push((&[Action::Close], "cancel".into(), 1));
    hints
}

/// A hint that names the keys of these actions; `None` if one is not bound.
fn hint(
    state: &State,
    context: Context,
    actions: &[Action],
    word: impl Into<Cow<'static, str>>,
    need: u8,
) -> Option<Hint> {
    let key = |action: &Action| Some(short(&state.keymap.keys_in(context, *action).next()?.to_string()));
    let keys: Vec<String> = actions.iter().map(key).collect::<Option<_>>()?;
    // Two arrows read as one sign.
    let gap = if keys.iter().all(|key| key.chars().count() == 1) { "" } else { "/" };
    let live = actions.iter().all(|action| state.refusal(*action).is_none());
    Some(Hint { key: keys.join(gap), word: word.into(), need, live })
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
        "enter" => "↵",
        "up" => "↑",
        "down" => "↓",
        other => other,
    }
    .to_owned()
}
