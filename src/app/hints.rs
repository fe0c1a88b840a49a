//! The hints in the footer and in the last line of an overlay. If space is short, the hints with
//! the lowest priority are dropped.

use super::action::{ACTIONS, Action, Context};
use super::inspect::{InspectPane, RowKind};
use super::overlay::Overlay;
use super::permissions::Focus;
use super::save::SaveField;
use super::state::State;
use crate::act::Copying;
use crate::scope::Elements;
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr as _;

/// A key with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub key: String,
    pub label: Cow<'static, str>,
    /// The largest number is dropped first when space runs out.
    pub priority: u8,
    /// Set if the action is available now.
    pub enabled: bool,
}

pub const GAP: usize = 2;

/// Returns the left-aligned hints that fit into `width` cells, and the right-aligned one.
pub fn hints(state: &State, width: usize) -> (Vec<Hint>, Option<Hint>) {
    // Popups have no line for hints.
    if let Some(overlay @ (Overlay::Choice(_) | Overlay::Palette(_) | Overlay::Log(_) | Overlay::Help(_))) =
        &state.overlay
    {
        return (overlay_hints(state, overlay), None);
    }
    let screen = state.screen();
    let help = hint(state, screen, &[Action::Help], "help", 0).filter(|hint| hint.width() < width);
    let mut available = width.saturating_sub(help.as_ref().map_or(0, |hint| hint.width() + GAP + 1));
    let rows = ACTIONS.iter().filter(|row| row.works_in(screen));
    let hinted = |(index, row): (usize, &super::action::ActionInfo)| {
        let other = if screen == Context::Scope {
            waveform_hint(state, row.action).or_else(|| scope_hint(state, row.action))
        } else {
            field_hint(state, row.action)
        };
        let (label, priority) = match other {
            Some(hint) => hint?,
            None => *row.hint?,
        };
        Some((index, hint(state, screen, &[row.action], label, priority)?))
    };
    let mut chosen: Vec<(usize, Hint)> = rows.enumerate().filter_map(hinted).collect();
    chosen.sort_by_key(|(_, hint)| hint.priority);
    // Stop at the first hint that does not fit, so that a wider screen only adds hints.
    let mut shown = vec![];
    for (index, hint) in chosen {
        let Some(left) = available.checked_sub(hint.width() + GAP) else { break };
        available = left;
        shown.push((index, hint));
    }
    shown.sort_by_key(|(index, _)| *index);
    (shown.into_iter().map(|(_, hint)| hint).collect(), help)
}

/// Hides the hints of actions that a waveform does not have, while one is selected.
#[expect(clippy::option_option, reason = "as for fields")]
fn waveform_hint(state: &State, action: Action) -> Option<Option<(&'static str, u8)>> {
    let is_selected = state.scope_open && state.scope.selected_waveform().is_some();
    let is_hidden = matches!(action, Action::Plot | Action::Axes | Action::Writers);
    (is_selected && is_hidden).then_some(None)
}

/// The hint of an action while Inspect shows fields, if it differs from that of the table. `None` in
/// it hides the hint.
#[expect(clippy::option_option, reason = "no other hint, or no hint at all")]
fn field_hint(state: &State, action: Action) -> Option<Option<(&'static str, u8)>> {
    let inspect = state.inspect.as_ref().filter(|_| !state.scope_open)?;
    let tree = inspect.tree.as_ref()?;
    if inspect.pane == InspectPane::Bytes {
        return (action == Action::NextPane).then_some(Some(("fields", 2)));
    }
    let enter = match tree.selected_row().map(|row| row.kind) {
        Some(RowKind::Folded | RowKind::Unused(_)) => "unfold",
        Some(RowKind::Unfolded) => "fold",
        _ => "go to bytes",
    };
    match action {
        Action::GoToValue => Some(Some((enter, 1))),
        Action::NextPane => Some(Some(("bytes", 1))),
        Action::Pin if inspect.selected_field().is_some_and(|row| Elements::of(row.place).is_ok()) => {
            Some(Some(("plot array", 2)))
        }
        Action::Pin => Some(Some(("pin field", 2))),
        Action::CopyBytes => Some(Some(("copy field", 2))),
        Action::GoTo => Some(Some(("go to field", 3))),
        Action::Type => Some(Some(("type", 3))),
        Action::Freeze => Some(Some(("freeze", 4))),
        Action::SearchText => Some(Some(("search", 5))),
        Action::NextChange => Some(Some(("next change", 5))),
        Action::ByteOrder | Action::Fold | Action::Width | Action::NextData | Action::Baseline => Some(None),
        _ => None,
    }
}

/// The hint of an action in the Scope screen, if it depends on what is shown.
#[expect(clippy::option_option, reason = "no other hint, or no hint at all")]
fn scope_hint(state: &State, action: Action) -> Option<Option<(&'static str, u8)>> {
    let scope = &state.scope;
    let is_replay = scope.recording.is_some();
    match action {
        Action::Record if scope.recorder.is_some() => Some(Some(("stop", 2))),
        Action::Record if is_replay || scope.view.is_frozen => Some(Some(("save", 8))),
        Action::NextTrigger if is_replay && scope.trigger.is_some() => Some(Some(("next", 2))),
        Action::Freeze if is_replay => Some(None),
        Action::Leave if state.starts_in_scope => Some(Some(("quit", 7))),
        _ => None,
    }
}

pub fn overlay_hints(state: &State, overlay: &Overlay) -> Vec<Hint> {
    use Action::{
        Accept, Close, Confirm, DetachAll, Down, Force, Mark, MarkAll, NextField, SaveCopy, Terminate,
        Toggle, Up,
    };
    let mut hints = vec![];
    let mut add = |priority: u8, actions: &[Action], label: &str| {
        hints.extend(hint(state, overlay.context(), actions, label.to_owned(), priority));
    };
    let mut close_label = "cancel";
    match overlay {
        Overlay::Choice(_) => add(0, &[Accept], "choose"),
        Overlay::Palette(_) => add(0, &[Accept], "run"),
        Overlay::Help(_) | Overlay::Log(_) => {
            add(2, &[Up, Down], "scroll");
            close_label = "close";
        }
        Overlay::Holders(holders) => {
            if !holders.rows.is_empty() {
                add(0, &[Terminate], "terminate");
            }
            close_label = "close";
        }
        Overlay::Writers(writers) => {
            if !writers.rows().is_empty() {
                add(2, &[Up, Down], "scroll");
            }
            close_label = "close";
        }
        Overlay::Terminate(_) => add(0, &[Confirm], "terminate"),
        Overlay::Clean(clean) if clean.items.is_empty() => close_label = "close",
        Overlay::Clean(_) => {
            add(0, &[Mark], "toggle");
            add(2, &[MarkAll], "all");
            add(0, &[Accept], "continue");
        }
        Overlay::Attachments(attachments) if attachments.shown().is_empty() => close_label = "close",
        Overlay::Attachments(attachments) => {
            add(0, &[Confirm], "detach");
            let freed = if attachments.last() > 0 {
                format!(" ({} freed)", attachments.last())
            } else {
                String::new()
            };
            if attachments.shown().len() > 1 {
                add(0, &[DetachAll], &format!("detach all {}{freed}", attachments.shown().len()));
            }
        }
        Overlay::Confirm(plan) => {
            if plan.can_force() {
                add(0, &[Force], if plan.is_forced() { "no force" } else { "force" });
            }
            if let Some(copying) = plan.copying().filter(|_| plan.can_toggle_copies()) {
                let label = if *copying == Copying::Without { "save a copy" } else { "no copy" };
                add(2, &[SaveCopy], label);
            }
            match (plan.applicable(), plan.requests.len()) {
                (0, _) => {}
                (some, all) if some < all => {
                    add(0, &[Confirm], &format!("{} {some} of {all}", plan.verb()));
                }
                _ => add(0, &[Confirm], plan.verb()),
            }
        }
        Overlay::New(_) | Overlay::Save(_) if overlay.is_busy() => close_label = "stop",
        Overlay::Permissions(_) | Overlay::New(_) | Overlay::Save(_) => {
            let (toggles, accept) = match overlay {
                Overlay::New(form) => (form.line.is_option(), "create"),
                Overlay::Save(form) => (form.line == SaveField::Replace, "save"),
                Overlay::Permissions(form) => (form.focus == Focus::Bits, "review"),
                _ => (false, ""),
            };
            if toggles {
                add(0, &[Toggle], "toggle");
            }
            add(2, &[NextField], "next field");
            add(0, &[Accept], accept);
        }
        Overlay::Prompt(_) | Overlay::MarkLetter { .. } => {}
    }
    add(1, &[Close], close_label);
    hints
}

/// Returns a hint with the keys of these actions, or `None` if an action is not bound.
fn hint(
    state: &State,
    context: Context,
    actions: &[Action],
    label: impl Into<Cow<'static, str>>,
    priority: u8,
) -> Option<Hint> {
    let key = |action: &Action| Some(short(&state.keymap.keys_in(context, *action).next()?.to_string()));
    let keys: Vec<String> = actions.iter().map(key).collect::<Option<_>>()?;
    // `↑↓` needs no separator.
    let gap = if keys.iter().all(|key| key.chars().count() == 1) { "" } else { "/" };
    let enabled = actions.iter().all(|action| state.refusal(*action).is_none());
    Some(Hint { key: keys.join(gap), label: label.into(), priority, enabled })
}

impl Hint {
    pub fn width(&self) -> usize {
        self.key.width() + 1 + self.label.width()
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
