//! A row of the table: an array, with statistics of its contents and its shape.

use super::nothing;
use super::number::{array_real, fitted};
use super::row::{PLACE_OF_NUMBER, interval};
use super::sparkline::sparkline;
use crate::app::layout::scope::{Column, ColumnPosition, ScopeLayout};
use crate::app::scope::{Scope, ScopeWaveform};
use crate::scope::EventKind;
use crate::scope::plot::array_columns;
use crate::scope::units::rounded;
use crate::segment::{Certainty, State};
use crate::tui::canvas::Canvas;
use crate::tui::glyphs::Glyphs;
use ratatui::style::Style;

/// The mark of a row that is an array.
const MARK: &str = "~";
/// Digits of the deviation.
const DIGITS: usize = 3;

pub fn draw(scope: &Scope, index: usize, canvas: &mut Canvas<'_>, layout: &ScopeLayout, y: u16) {
    let theme = canvas.theme;
    let row = scope.channels.len() + index;
    let one = &scope.waveforms[index];
    let style = theme.trace(scope.color(row), one.trouble.is_some());
    let [right, mark] = PLACE_OF_NUMBER;
    canvas.text_right(right, y, 2, &(row + 1).to_string(), style);
    canvas.text(mark, y, 1, MARK, style);
    for &placed in &layout.columns {
        match placed.column {
            Column::History => {
                let line = shape(one, placed.width.into(), &theme.glyphs);
                canvas.text(placed.x, y, placed.width, &line, style);
            }
            Column::LastChange => last_change(one, canvas, placed, y),
            _ => cell(one, canvas, placed, y),
        }
    }
    note(one, canvas, layout, y);
}

/// The contents in a row of cells. Few elements take several cells each.
fn shape(one: &ScopeWaveform, width: usize, glyphs: &Glyphs) -> String {
    let values = one.contents.as_ref().map_or(&[][..], |contents| contents.values());
    let has_steps = !one.waveform.array.elements.is_quantity();
    if values.is_empty() || values.len() >= width {
        return sparkline(&array_columns(values, width), has_steps, glyphs);
    }
    let wide: Vec<f64> = (0..width).map(|cell| values[cell * values.len() / width]).collect();
    sparkline(&array_columns(&wide, width), has_steps, glyphs)
}

fn cell(one: &ScopeWaveform, canvas: &mut Canvas<'_>, placed: ColumnPosition, y: u16) {
    let theme = canvas.theme;
    let ColumnPosition { column, x, width } = placed;
    let elements = &one.waveform.array.elements;
    let statistics = one.contents.as_ref().map(|contents| contents.statistics);
    let found = statistics.filter(|_| elements.is_quantity());
    let text = match column {
        Column::Channel => {
            let name = canvas.fit(&one.waveform.name, width);
            canvas.text(x, y, width, &name, theme.text);
            return;
        }
        Column::Value => {
            let style = if one.trouble.is_some() { theme.dim } else { theme.text };
            let text = canvas.cut(&elements.type_text(), width);
            canvas.text_right(x + width, y, width, &text, style);
            return;
        }
        Column::Min => found.and_then(|found| found.range).map(|[min, _]| array_real(one, min)),
        Column::Max => found.and_then(|found| found.range).map(|[_, max]| array_real(one, max)),
        Column::Average => found.and_then(|found| found.average).map(|value| array_real(one, value)),
        Column::Deviation => found.and_then(|found| found.deviation).map(|value| rounded(value, DIGITS)),
        Column::Rate => None,
        Column::LastChange | Column::History | Column::Note => return,
    };
    match text {
        Some(text) => canvas.text_right(x + width, y, width, &fitted(text, canvas, width), theme.text),
        None => canvas.text_right(x + width, y, width, nothing(canvas), theme.dim),
    }
}

fn last_change(one: &ScopeWaveform, canvas: &mut Canvas<'_>, placed: ColumnPosition, y: u16) {
    let theme = canvas.theme;
    let right = placed.x + placed.width;
    match one.unchanged() {
        Some(unchanged) => interval(unchanged, canvas, placed, y),
        None if one.contents.is_some() => {
            canvas.text_right(right, y, placed.width, "never", theme.dim);
        }
        None => {
            canvas.text_right(right, y, placed.width, nothing(canvas), theme.dim);
        }
    }
}

/// Draws a word about an array: behind its shape, or over the start of it.
fn note(one: &ScopeWaveform, canvas: &mut Canvas<'_>, layout: &ScopeLayout, y: u16) {
    let Some((text, style)) = note_text(one, canvas) else { return };
    let placed = layout.column(Column::Note).or_else(|| layout.column(Column::History));
    let Some(ColumnPosition { x, width, .. }) = placed else { return };
    let text = canvas.cut(&text, width);
    canvas.text(x, y, width, &format!("{text} "), style);
}

fn note_text(one: &ScopeWaveform, canvas: &Canvas<'_>) -> Option<(String, Style)> {
    let theme = canvas.theme;
    if let Some(trouble) = &one.trouble {
        let (state, style) = match trouble {
            EventKind::Failed(_) => (State::Leaked(Certainty::Certain), theme.failed),
            _ => (State::Removed, theme.removed),
        };
        let word = if *trouble == EventKind::Gone { "removed" } else { trouble.text() };
        return Some((format!("{} {word}", theme.glyphs.state(state)), style));
    }
    let Some(contents) = &one.contents else { return Some(("not read yet".to_owned(), theme.dim)) };
    let missing = contents.statistics.missing;
    (missing > 0).then(|| (format!("{missing} past the end"), theme.removed))
}
