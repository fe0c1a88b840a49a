//! The form that saves segments to files.

use super::form::{self, Line as FormLine};
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::{WIDEST, centred};
use crate::app::save::{Line, Save};
use crate::app::sentence::{label_of, sentence};
use crate::segment::Bytes;
use crate::tui::canvas::Canvas;
use crate::tui::draw::progress;
use ratatui::style::Style;

/// Column where fields begin.
const FIELD: u16 = 12;
/// Rows for what would happen, and for an error.
const WORDS: u16 = 2;

pub fn draw(state: &State, form: &Save, canvas: &mut Canvas<'_>) {
    let width = WIDEST.min(state.size.width).saturating_sub(4);
    let lines = [FormLine::Field(Line::Path), FormLine::Field(Line::Replace), FormLine::Gap];
    let said = said(form, canvas);
    let foot = form::foot_lines(canvas, width, &said).max(WORDS);
    let title = match form.segments.as_slice() {
        [one] => format!("Save {}{}", label_of(one), one.label_mark()),
        many => format!("Save {} segments", many.len()),
    };
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, 4 + foot), &title);
    let keys: [&str; 2] = match form.line {
        _ if form.saving => ["esc stop", "esc stop"],
        Line::Replace => {
            ["space toggle   tab next field   ↵ save   esc cancel", "space toggle   ↵ save   esc cancel"]
        }
        Line::Path => ["tab next field   ↵ save   esc cancel", "↵ save   esc cancel"],
    };
    let working = state.work.as_ref().and_then(|work| work.at.as_ref()).filter(|_| form.saving);
    // While it runs, the bar stands where the keys were: it names the key that stops it.
    let area = if let Some(at) = working {
        let y = inside.bottom().saturating_sub(1);
        progress::draw(canvas, (inside.x + 1, y, inside.right()), &at.text(), at.done, at.total);
        Area { height: inside.height.saturating_sub(1), ..inside }
    } else {
        form::foot(canvas, inside, &said, &keys)
    };
    draw_lines(form, canvas, area, &lines);
}

fn draw_lines(form: &Save, canvas: &mut Canvas<'_>, area: Area, lines: &[FormLine<Line>]) {
    let focused = usize::from(form.line == Line::Replace);
    form::draw(canvas, area, lines, focused, |canvas, area, line| draw_line(form, *line, canvas, area));
}

/// What would be saved, or what is wrong.
fn said(form: &Save, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    if let Some(error) = &form.error {
        return vec![(sentence(error), theme.failed)];
    }
    if form.saving {
        return vec![];
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

fn draw_line(form: &Save, line: Line, canvas: &mut Canvas<'_>, area: Area) {
    let has_keys = form.line == line && !form.saving;
    let room = area.width.saturating_sub(FIELD);
    match line {
        Line::Path => {
            let (name, example) =
                if form.segments.len() > 1 { ("directory", "/backup") } else { ("file", "camera0.saved") };
            form::label(canvas, area, name, has_keys);
            let area = Area::new(area.x + FIELD, area.y, room, 1);
            form::text_field(canvas, area, &form.path, has_keys, example);
        }
        Line::Replace => {
            form::label(canvas, area, "replace", has_keys);
            let text = format!("[{}] replace an existing file", if form.replace { 'x' } else { ' ' });
            canvas.text(area.x + FIELD, area.y, room, &text, canvas.theme.text);
        }
    }
}
