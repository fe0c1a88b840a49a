//! Overlays: lists, forms, confirmations and prompts on top of a screen.

pub mod choice;
pub mod form;
pub mod palette;
pub mod prompt;

use super::action::{Action, Context};
use super::attachments::Attachments;
use super::clean::Clean;
use super::confirm::Confirm;
use super::help::HelpText;
use super::holders::{Holders, Terminate};
use super::layout::overlay as layout;
use super::list::List;
use super::new_segment::{NewSegmentForm, Step};
use super::permissions::Permissions;
use super::save::Save;
use super::state::State;
use super::text_field::TextField;
use super::writers::Writers;
use crate::engine::Clock;
use std::time::Duration;

pub use choice::{Choice, ChoiceItem, Chosen, CopyItem};
pub use form::Form;
pub use palette::{Palette, palette_rows};
pub use prompt::{Prompt, PromptKind};

/// The time during which a new confirmation ignores keys, so that keys typed ahead confirm nothing.
pub const TYPED_AHEAD_GUARD: Duration = Duration::from_millis(150);

/// An overlay, which receives all keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    Help(List),
    Log(List),
    Palette(Palette),
    Choice(Choice),
    Attachments(Attachments),
    Holders(Holders),
    Writers(Writers),
    Clean(Clean),
    Confirm(Confirm),
    Terminate(Box<Terminate>),
    Permissions(Box<Permissions>),
    New(Box<NewSegmentForm>),
    Save(Box<Save>),
    Prompt(Prompt),
    /// Waits for the letter of a mark.
    MarkLetter {
        /// Go to the mark rather than set it.
        go: bool,
    },
}

/// The overlay to show after an action.
#[derive(Debug)]
pub enum Next {
    Stay,
    Close,
    Replace(Overlay),
}

impl Overlay {
    pub const fn context(&self) -> Context {
        match self {
            Self::Help(_) | Self::Log(_) => Context::Pager,
            Self::Palette(_) => Context::Palette,
            Self::Choice(_) => Context::Choice,
            Self::Attachments(_) => Context::Attachments,
            Self::Holders(_) => Context::Holders,
            Self::Writers(_) => Context::Writers,
            Self::Clean(_) => Context::Clean,
            Self::Confirm(_) | Self::Terminate(_) => Context::Confirm,
            Self::Permissions(_) | Self::New(_) | Self::Save(_) => Context::Form,
            Self::Prompt(Prompt { kind: PromptKind::Filter, .. }) => Context::Filter,
            Self::Prompt(Prompt { kind: PromptKind::Channel, .. }) => Context::Channel,
            Self::Prompt(_) | Self::MarkLetter { .. } => Context::Prompt,
        }
    }

    pub const fn list(&mut self) -> Option<&mut List> {
        match self {
            Self::Help(list)
            | Self::Log(list)
            | Self::Palette(Palette { list, .. })
            | Self::Choice(Choice { list, .. })
            | Self::Attachments(Attachments { list, .. })
            | Self::Holders(Holders { list, .. })
            | Self::Writers(Writers { list, .. })
            | Self::Clean(Clean { list, .. })
            | Self::Confirm(Confirm { list, .. }) => Some(list),
            _ => None,
        }
    }

    /// The number of items, and the number per page. In scrolling text, the items are the lines
    /// that can be the first visible line.
    pub fn extent(&self, state: &State) -> (usize, usize) {
        let size = state.size;
        let text = |rows: usize, fixed: u16| {
            let visible = layout::visible_rows(size, rows, fixed);
            (rows - visible + 1, visible)
        };
        // Entries vary in height; `rows` is typical.
        let entries = |count: usize, rows: usize| (count, layout::visible_rows(size, usize::MAX, 2) / rows);
        match self {
            Self::Help(_) => text(HelpText::new(&state.keymap, state.screen(), size).rows(), 0),
            Self::Log(_) => text(layout::log_rows(&state.log, size).len(), 0),
            Self::Palette(palette) => {
                let rows = palette_rows(state.screen(), palette.input.input.value()).len();
                (rows, layout::palette(size).height.saturating_sub(4).into())
            }
            Self::Choice(choice) => {
                (choice.items.len(), layout::choice(size, choice).height.saturating_sub(2).into())
            }
            Self::Attachments(holds) => entries(holds.shown().len(), 2),
            Self::Holders(holders) => entries(holders.rows.len(), 2),
            Self::Writers(writers) => entries(writers.rows().len(), 2),
            Self::Clean(clean) => entries(clean.items.len(), 3),
            Self::Confirm(confirm) if confirm.is_batch() => entries(confirm.requests.len(), 2),
            Self::Confirm(confirm) => text(confirm.rows(size, &state.keymap), 2),
            _ => (0, 0),
        }
    }

    pub fn form(&mut self) -> Option<&mut dyn Form> {
        match self {
            Self::Permissions(form) => Some(&mut **form),
            Self::New(form) => Some(&mut **form),
            Self::Save(form) => Some(&mut **form),
            _ => None,
        }
    }

    /// The text field that receives typed text.
    pub fn text(&mut self) -> Option<&mut TextField> {
        match self {
            Self::Palette(Palette { input, .. }) | Self::Prompt(Prompt { input, .. }) => Some(input),
            overlay => overlay.form()?.text(),
        }
    }

    /// Returns true if the character is text, not the key of `action`.
    pub fn takes(&mut self, letter: char, action: Option<Action>) -> bool {
        match self {
            Self::MarkLetter { .. } => true,
            // j and k move until the user has typed something.
            Self::Choice(choice) => action.is_none() || !choice.typed.is_empty(),
            overlay => overlay.text().is_some() || overlay.form().is_some_and(|form| form.takes(letter)),
        }
    }

    /// Returns true if keys are commands, not text or an answer.
    pub const fn keys_are_commands(&self) -> bool {
        !(self.context().is_text() || matches!(self.context(), Context::Form | Context::Pager))
    }

    /// Returns true while the action of the overlay is in progress.
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Confirm(Confirm { acting, .. }) | Self::Attachments(Attachments { acting, .. }) => *acting,
            Self::Terminate(terminate) => terminate.acting,
            Self::New(form) => form.step == Step::Applying,
            Self::Save(form) => form.saving,
            _ => false,
        }
    }

    /// Returns true if the overlay appeared too recently to accept an answer.
    pub fn is_guarded(&self, now: Clock) -> bool {
        let since = match self {
            Self::Confirm(Confirm { since, .. }) | Self::Attachments(Attachments { since, .. }) => *since,
            Self::Terminate(terminate) => terminate.since,
            _ => return false,
        };
        now.saturating_sub(since) < TYPED_AHEAD_GUARD
    }
}
