//! The form for a new segment.

use super::form::{FieldLine, FormLine, FormPanel, gap};
use crate::app::State;
use crate::app::new_segment::{FieldError, NewField, NewSegmentForm};
use crate::app::overlay::{Form as _, Overlay};
use crate::app::sentence::{name_of, sentence};
use crate::app::text_field::TextField;
use crate::segment::{Kind, Segment};
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

/// The width of short fields.
const SHORT_FIELD_WIDTH: Option<u16> = Some(16);

pub fn draw(state: &State, overlay: &Overlay, form: &NewSegmentForm, canvas: &mut Canvas<'_>) {
    let size_field = TextField::default();
    let segments = state.survey.as_ref().map_or(&[][..], |survey| &survey.segments);
    let invalid = form.invalid_fields(segments);
    let is_invalid = |line: &NewField| invalid.iter().any(|(field, _)| field == line);
    let line = |line: &NewField| form_line(form, (*line, is_invalid(line)), &size_field, canvas);
    let mut lines: Vec<FormLine<'_>> = form.lines().iter().map(line).collect();
    lines.push(gap());
    let title = "New segment".to_owned();
    let footer = message(form, &invalid, segments, canvas);
    FormPanel { title, lines, focused: form.focus_index(), column: 12, narrow: 60, footer, min_rows: 4 }
        .draw(state, overlay, canvas);
}

/// The plan, its refusal, or an error in the input.
fn message(
    form: &NewSegmentForm,
    invalid: &[(NewField, FieldError)],
    segments: &[Segment],
    canvas: &Canvas<'_>,
) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    if let Some(error) = &form.error {
        return vec![(sentence(error), theme.failed)];
    }
    if !invalid.is_empty() {
        return invalid.iter().map(|(_, reason)| (sentence(&reason.to_string()), theme.failed)).collect();
    }
    if let Err(reason) = form.question() {
        // An empty required field is not an error yet.
        return vec![(sentence(&reason.to_string()), theme.dim)];
    }
    if let Some(existing) = form.existing(segments) {
        return vec![(format!("{} exists and will be selected", name_of(&existing.id)), theme.text)];
    }
    match &form.plan {
        None => vec![],
        Some(Err(reason)) => vec![(sentence(&reason.to_string()), theme.failed)],
        Some(Ok(plan)) => match &plan.refusal {
            Some(refusal) => {
                vec![(sentence(&format!("{}. {}", refusal.reason, refusal.remedy)), theme.failed)]
            }
            None => plan.effects.iter().map(|text| (text.clone(), theme.text)).collect(),
        },
    }
}

fn form_line<'a>(
    form: &'a NewSegmentForm,
    (line, invalid): (NewField, bool),
    size_field: &'a TextField,
    canvas: &Canvas<'_>,
) -> FormLine<'a> {
    let size = if form.size_text().is_empty() && !form.size.edited { size_field } else { &form.size };
    let (name, field, width, example, remark) = match line {
        NewField::Name => ("name", &form.name, None, "/camera0", ""),
        NewField::Key => ("key", &form.key, SHORT_FIELD_WIDTH, "private", "0x4d2 or 1234; empty for private"),
        NewField::Size => ("size", size, SHORT_FIELD_WIDTH, "file size", "bytes, or with K, M, G"),
        NewField::Mode => ("mode", &form.mode, SHORT_FIELD_WIDTH, "", "0600 or u=rw,g=r; umask is ignored"),
        NewField::From => ("from", &form.from, None, "file to copy from; empty for zeros", ""),
        NewField::Kind | NewField::Exclusive | NewField::Huge | NewField::NoReserve => {
            let (name, text) = option(form, line);
            return FormLine::Option(name, text);
        }
    };
    let remark = if invalid {
        (format!("wrong {name}; see below"), canvas.theme.failed)
    } else {
        (remark.to_owned(), canvas.theme.dim)
    };
    FormLine::Field(FieldLine { name, field, width, example, remark, invalid })
}

fn option(form: &NewSegmentForm, line: NewField) -> (&'static str, String) {
    let tick = |on: bool, words: &str| format!("[{}] {words}", if on { 'x' } else { ' ' });
    match line {
        NewField::Kind => {
            let sign = |kind| if form.kind == kind { 'x' } else { ' ' };
            ("kind", format!("({}) POSIX   ({}) System V", sign(Kind::Posix), sign(Kind::Sysv)))
        }
        NewField::Huge => ("huge", tick(form.huge, "use huge pages")),
        NewField::NoReserve => ("no reserve", tick(form.no_reserve, "do not reserve memory")),
        _ => ("exclusive", tick(form.exclusive, "fail if it exists (off: select the existing segment)")),
    }
}
