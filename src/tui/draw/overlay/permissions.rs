//! The permissions form: the grid, the fields, the access query, and an explanation of the mode.

use super::form::{FieldLine, FormLine, FormPanel, add, gap, label};
use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::text_width;
use crate::app::overlay::Overlay;
use crate::app::permissions::{BITS, CLASSES, Focus, FoundName, Permissions};
use crate::app::sentence::{name_of, sentence};
use crate::app::text_field::TextField;
use crate::segment::Segment;
use crate::tui::canvas::Canvas;
use ratatui::style::Modifier;

/// The column and the width of the fields.
const FIELD_COLUMN_AND_WIDTH: (u16, u16) = (8, 24);
/// The columns of names and access in the grid.
const NAME_COLUMN: u16 = 22;
const ACCESS_COLUMN: u16 = 36;
/// The minimum width for names and remarks.
const MIN_WIDTH_FOR_NAMES: u16 = 52;
const GRID_LINE: usize = 1;

pub fn draw(state: &State, overlay: &Overlay, form: &Permissions, canvas: &mut Canvas<'_>) {
    let [segment, more @ ..] = form.segments.as_slice() else { return };
    let title = match more.len() {
        0 => format!("Permissions of {}", name_of(&segment.id)),
        _ => format!("Permissions of {} segments", more.len() + 1),
    };
    let (lines, focused) = lines(form, segment, !more.is_empty(), canvas, text_width(state.size));
    let invalid = form.invalid_fields().into_iter().map(|(_, reason)| reason.to_string());
    let reasons: Vec<String> = form.error.clone().map_or_else(|| invalid.collect(), |error| vec![error]);
    let footer = reasons.iter().map(|reason| (sentence(reason), canvas.theme.failed)).collect();
    // The row for an error stays empty if there is none.
    FormPanel {
        title,
        lines,
        focused,
        column: FIELD_COLUMN_AND_WIDTH.0,
        narrow: MIN_WIDTH_FOR_NAMES,
        footer,
        min_rows: 1,
    }
    .draw(state, overlay, canvas);
}

/// Returns the lines and the index of the focused line.
fn lines<'a>(
    form: &'a Permissions,
    segment: &'a Segment,
    batch: bool,
    canvas: &Canvas<'_>,
    width: u16,
) -> (Vec<FormLine<'a>>, usize) {
    let theme = canvas.theme;
    let mut lines = vec![FormLine::Drawn(Box::new(|canvas, area, _| heading(canvas, area)))];
    lines.extend((0..CLASSES.len()).map(|row| {
        let draw = move |canvas: &mut Canvas<'_>, area, focused| {
            grid_row(form, segment, (row, focused), canvas, area);
        };
        FormLine::Drawn(Box::new(draw))
    }));
    let mut focused = GRID_LINE + form.cursor / 2;
    let row = form.cursor / 2;
    let classes = form.classes();
    let reason = classes.as_ref().and_then(|classes| classes.get(row));
    let reason = reason.map_or_else(String::new, |answer| format!("{}: {}", CLASSES[row], answer.reason));
    add(&mut lines, canvas, (1, width), (&reason, theme.dim), 1);
    if batch {
        let hint = format!("Bits and access shown for {}.", name_of(&segment.id));
        add(&mut lines, canvas, (1, width), (&hint, theme.dim), 1);
    }
    lines.push(gap());
    for focus in [Focus::Mode, Focus::Owner, Focus::Group, Focus::Query] {
        if focus == Focus::Query {
            lines.push(gap());
        }
        if form.focus == focus {
            focused = lines.len();
        }
        lines.push(field(form, segment, focus, canvas));
    }
    let (text, style) = match form.answer() {
        None => (String::new(), theme.text),
        Some(Ok((subject, answer))) => {
            (format!("{subject}: {}: {}", answer.label(), answer.reason), theme.text)
        }
        Some(Err(reason)) => (reason.to_string(), theme.failed),
    };
    add(&mut lines, canvas, (FIELD_COLUMN_AND_WIDTH.0, width), (&text, style), 2);
    let (call, besides) = form.c_call();
    add(&mut lines, canvas, (1, width), (&call, theme.strong), 1);
    add(&mut lines, canvas, (3, width), (&form.explain_mode(), theme.text), 2);
    add(&mut lines, canvas, (3, width), (&besides, theme.dim), 1);
    (lines, focused)
}

fn heading(canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    for (column, text) in [
        (FIELD_COLUMN_AND_WIDTH.0, "read"),
        (FIELD_COLUMN_AND_WIDTH.0 + 6, "write"),
        (NAME_COLUMN, "who"),
        (ACCESS_COLUMN, "can attach"),
    ] {
        if area.width >= MIN_WIDTH_FOR_NAMES || column < NAME_COLUMN {
            canvas.text(area.x + column, area.y, area.width - column, text, theme.dim);
        }
    }
    if area.width < MIN_WIDTH_FOR_NAMES {
        canvas.text(
            area.x + NAME_COLUMN,
            area.y,
            area.width.saturating_sub(NAME_COLUMN),
            "can attach",
            theme.dim,
        );
    }
}

fn grid_row(
    form: &Permissions,
    segment: &Segment,
    (row, focused): (usize, bool),
    canvas: &mut Canvas<'_>,
    area: Area,
) {
    let theme = canvas.theme;
    label(canvas, area, CLASSES[row], focused, false);
    for column in 0..2 {
        let index = 2 * row + column;
        let set = form.mode.bits() & BITS[index] != 0;
        let sign = if set { ["r", "w"][column] } else { "-" };
        let cell = area.x + FIELD_COLUMN_AND_WIDTH.0 + 1 + 6 * u16::from(column == 1);
        canvas.text(cell, area.y, 1, sign, if set { theme.accent } else { theme.dim });
        if focused && index == form.cursor {
            canvas.style(Area::new(cell - 1, area.y, 3, 1), theme.text.add_modifier(Modifier::REVERSED));
        }
    }
    let how = if area.width >= MIN_WIDTH_FOR_NAMES {
        let name = canvas.fit(&class_name(form, segment, row), ACCESS_COLUMN - NAME_COLUMN - 2);
        canvas.text(area.x + NAME_COLUMN, area.y, ACCESS_COLUMN - NAME_COLUMN - 2, &name, theme.text);
        ACCESS_COLUMN
    } else {
        NAME_COLUMN
    };
    if let Some(answer) = form.classes().as_ref().and_then(|classes| classes.get(row)) {
        canvas.text(area.x + how, area.y, area.width.saturating_sub(how), answer.label(), theme.text);
    }
}

/// Returns the user or group that a row of the grid applies to, including edits.
fn class_name(form: &Permissions, segment: &Segment, row: usize) -> String {
    let edited = |found: &Option<FoundName>, stored: String| match found {
        Some(Ok((_, name))) => name.clone(),
        _ => stored,
    };
    match row {
        0 => edited(&form.owner_found, segment.owner.user_text()),
        1 => edited(&form.group_found, segment.owner.group_text()),
        _ => "everyone".to_owned(),
    }
}

fn field<'a>(form: &'a Permissions, segment: &Segment, focus: Focus, canvas: &Canvas<'_>) -> FormLine<'a> {
    let theme = canvas.theme;
    let mixed = "mixed; unchanged";
    let (name, text, example) = match focus {
        Focus::Bits | Focus::Mode => ("mode", &form.mode_field, mixed),
        Focus::Owner => ("owner", &form.owner, mixed),
        Focus::Group => ("group", &form.group, mixed),
        Focus::Query => ("user", &form.query, "ann, 4121, uid:1000"),
    };
    let invalid = form.invalid_fields().iter().any(|(field, _)| *field == focus);
    let remark = |id: &str, number: u32, found: &Option<FoundName>, edited: bool| match found {
        // The reason is shown below the form.
        _ if invalid && !matches!(found, Some(Err(_))) => ("a mode?".to_owned(), theme.failed),
        Some(Err(_)) if edited => ("not found".to_owned(), theme.failed),
        Some(Ok((found, name))) if edited => (format!("{name}, {id} {found}; now {number}"), theme.text),
        _ if edited => (String::new(), theme.dim),
        _ => (format!("{id} {number}"), theme.dim),
    };
    let typed = |text: &TextField| text.edited && !text.text().is_empty();
    let remark = match focus {
        _ if text.input.value().is_empty() && focus != Focus::Query => (String::new(), theme.dim),
        Focus::Mode if !form.is_mode_valid() => ("invalid mode".to_owned(), theme.failed),
        Focus::Mode if form.mode == segment.mode => (form.mode.symbolic(), theme.dim),
        Focus::Mode => (format!("{}  {}; now {}", form.mode.symbolic(), form.mode, segment.mode), theme.text),
        Focus::Owner => remark("uid", segment.owner.uid, &form.owner_found, typed(&form.owner)),
        Focus::Group => remark("gid", segment.owner.gid, &form.group_found, typed(&form.group)),
        _ => ("can this user or pid attach?".to_owned(), theme.dim),
    };
    FormLine::Field(FieldLine {
        name,
        field: text,
        width: Some(FIELD_COLUMN_AND_WIDTH.1),
        example,
        remark,
        invalid,
    })
}
