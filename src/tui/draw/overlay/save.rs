//! The form for saving segments to files.

use super::form::{FieldLine, FormLine, FormPanel, gap};
use crate::app::State;
use crate::app::overlay::{Form as _, Overlay};
use crate::app::save::Save;
use crate::app::sentence::{label_of, sentence};
use crate::segment::Bytes;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(state: &State, overlay: &Overlay, form: &Save, canvas: &mut Canvas<'_>) {
    let (title, name, example) = match form.segments.as_slice() {
        [one] => (format!("Save {}{}", label_of(one), one.label_mark()), "file", "camera0.saved"),
        many => (format!("Save {} segments", many.len()), "directory", "/backup"),
    };
    let path = FieldLine {
        name,
        field: &form.path,
        width: None,
        example,
        remark: (String::new(), canvas.theme.dim),
        invalid: form.path_error().is_some(),
    };
    let replace = format!("[{}] replace an existing file", if form.replace { 'x' } else { ' ' });
    let lines = vec![FormLine::Field(path), FormLine::Option("replace", replace), gap()];
    let footer = message(form, canvas);
    FormPanel {
        title,
        lines,
        focused: form.focus_index(),
        column: 12,
        narrow: u16::MAX,
        footer,
        min_rows: 2,
    }
    .draw(state, overlay, canvas);
}

/// The size to save, or the error.
fn message(form: &Save, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    if let Some(error) = &form.error {
        return vec![(sentence(error), theme.failed)];
    }
    if form.saving {
        return vec![];
    }
    if let Some(reason) = form.path_error() {
        return vec![(sentence(&reason), theme.failed)];
    }
    let size: Bytes = form.segments.iter().map(|segment| segment.size).sum();
    let mut text = format!("{size}; holes are kept");
    if let [one] = form.segments.as_slice()
        && let Some(name) = one.former_name()
    {
        text = format!("{text}; restores as {name}");
    }
    vec![(text, theme.dim)]
}
