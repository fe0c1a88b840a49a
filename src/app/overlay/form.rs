//! Forms: a column of fields with a focused field.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::text_field::TextField;

/// A form. Focus, typing and toggling are shared by all forms.
pub trait Form {
    fn fields(&self) -> usize;

    fn focus_index(&self) -> usize;

    fn focus(&mut self, place: usize);

    fn text(&mut self) -> Option<&mut TextField>;

    fn toggle(&mut self) -> bool;

    /// Called when the focused field has changed.
    fn changed(&mut self, effects: &mut Vec<Effect>);

    /// Handles an action that the focused field treats differently. Returns true if it did.
    fn act(&mut self, _action: Action) -> bool {
        false
    }

    /// Returns true if the focused field accepts this character without being a text field.
    fn takes(&self, _letter: char) -> bool {
        false
    }

    /// Inserts a character that [`Form::takes`] accepted.
    fn insert(&mut self, _letter: char) {}
}

/// Moves the focus or toggles an option.
pub fn act(form: &mut dyn Form, action: Action, effects: &mut Vec<Effect>) {
    if form.act(action) {
        return;
    }
    match action {
        Action::NextField | Action::Down => step(form, 1),
        Action::PreviousField | Action::Up => step(form, -1),
        Action::Toggle | Action::Left | Action::Right if form.toggle() => form.changed(effects),
        _ => {}
    }
}

/// Moves the focus and wraps around.
fn step(form: &mut dyn Form, by: isize) {
    let (place, fields) = (form.focus_index(), form.fields());
    form.focus((place + fields).saturating_add_signed(by) % fields);
}
