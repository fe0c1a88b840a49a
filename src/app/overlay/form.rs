//! Forms: fields one below the other, of which one has the focus.

use crate::app::action::Action;
use crate::app::effect::Effect;
use crate::app::text_field::TextField;

/// A form. What its fields are is its own business; going through them, typing
/// and toggling is the same for all.
pub trait Form {
    /// The number of fields.
    fn fields(&self) -> usize;

    /// The place of the focused field.
    fn place(&self) -> usize;

    /// Focuses a field.
    fn focus(&mut self, place: usize);

    /// The focused text field.
    fn text(&mut self) -> Option<&mut TextField>;

    /// Toggles the focused option. Returns whether there is one.
    fn toggle(&mut self) -> bool;

    /// Takes note of a change of the focused field.
    fn changed(&mut self, effects: &mut Vec<Effect>);

    /// Does an action that has a meaning of its own in the focused field. Returns
    /// whether it has.
    fn act(&mut self, _action: Action) -> bool {
        false
    }

    /// Returns whether the focused field takes this character, although it is no
    /// text field.
    fn takes(&self, _letter: char) -> bool {
        false
    }

    /// Types a character that it takes.
    fn insert(&mut self, _letter: char) {}
}

/// Goes through the fields or toggles one.
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

/// Goes one field further, or back, around the ends.
fn step(form: &mut dyn Form, by: isize) {
    let (place, fields) = (form.place(), form.fields());
    form.focus((place + fields).saturating_add_signed(by) % fields);
}
