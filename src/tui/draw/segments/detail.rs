//! The detail area: facts about the selected segment, and its first bytes.

use super::table::{label, state_style};
use crate::app::State;
use crate::app::action::Action;
use crate::app::detail::DetailLine;
use crate::app::layout::Area;
use crate::app::sentence::sentence;
use crate::app::table::TablePane;
use crate::machine::Method;
use crate::tui::canvas::Canvas;

/// The width of labels.
const LABEL: u16 = 10;

pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Area, beside: bool) {
    let Some(segment) = state.selected() else { return };
    let theme = canvas.theme;
    let heading = if state.table.pane == TablePane::Detail { theme.focus } else { theme.strong };
    let verdict = segment.verdict.state;
    let state_text = format!("{} {}", theme.glyphs.state(verdict), verdict.label());
    let available = area.width.saturating_sub(crate::tui::canvas::cells(&state_text) + 4);
    let margin = u16::from(!beside);
    let x = label(segment, canvas, (area.x + margin, area.y), available, heading);
    canvas.text(x + 2, area.y, area.width, &state_text, state_style(theme, verdict));

    let body = Area::new(area.x + margin, area.y + 1, area.width - 1 - margin, area.height.saturating_sub(1));
    let all = state.detail();
    let (facts, bytes) = if beside {
        split_rows(body, wrap_facts(canvas, &all, body.width).len())
    } else {
        split_columns(body)
    };
    let rows = wrap_facts(canvas, &all, facts.width);
    // The view never scrolls past the last lines.
    let top = state.table.detail_top.min(rows.len().saturating_sub(usize::from(facts.height)));
    for (y, (label, text)) in (facts.y..facts.bottom()).zip(&rows[top..]) {
        canvas.text(facts.x, y, LABEL - 1, label, theme.dim);
        canvas.text(facts.x + LABEL, y, facts.width.saturating_sub(LABEL), text, theme.text);
    }
    if let Some(bytes) = bytes {
        preview(state, canvas, bytes);
    }
}

/// Wraps the facts to `width` cells.
fn wrap_facts(canvas: &Canvas<'_>, lines: &[DetailLine], width: u16) -> Vec<(&'static str, String)> {
    let mut rows = vec![];
    for line in lines {
        let parts = canvas.wrap(&line.text, width.saturating_sub(LABEL));
        rows.extend(
            parts.into_iter().enumerate().map(|(at, part)| (if at == 0 { line.label } else { "" }, part)),
        );
    }
    rows
}

fn split_rows(body: Area, facts: usize) -> (Area, Option<Area>) {
    let facts = u16::try_from(facts).unwrap_or(u16::MAX).min(body.height);
    let rest = body.height - facts;
    let bytes = (rest > 2).then(|| Area::new(body.x, body.y + facts + 1, body.width, rest - 1));
    (Area::new(body.x, body.y, body.width, facts), bytes)
}

/// Draws facts at the left and bytes at the right, as wide as a complete row of bytes.
fn split_columns(body: Area) -> (Area, Option<Area>) {
    let bytes = if body.width >= row_width(16) + 36 { row_width(16) } else { row_width(8) };
    let Some(facts) = body.width.checked_sub(bytes + 2).filter(|&left| left >= 24) else {
        return (body, None);
    };
    let shown = Area::new(body.x + facts + 2, body.y, bytes, body.height);
    (Area::new(body.x, body.y, facts, body.height), Some(shown))
}

/// Digits of an offset in a preview of 512 bytes.
const DIGITS: u16 = 4;

const fn row_width(bytes: u16) -> u16 {
    DIGITS + 2 + 3 * bytes - 1 + bytes / 8 - 1 + 2 + bytes
}

/// Draws the first bytes, or the reason why there are none.
fn preview(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let shown = state.table.preview.as_ref().filter(|shown| Some(&shown.id) == state.table.selected.as_ref());
    let Some(shown) = shown else { return };
    if shown.bytes.is_err() && shown.forecast.is_some_and(|forecast| forecast.method == Method::Attach) {
        let key = state.key_of(Action::Inspect);
        let text = format!(
            "No preview: attaching would change nattch and last pid. Press {key} to attach read-only."
        );
        return draw_wrapped(canvas, area, &text);
    }
    let bytes = match &shown.bytes {
        Ok(bytes) if bytes.is_empty() => return draw_wrapped(canvas, area, "Empty (0 bytes)."),
        Ok(bytes) => bytes,
        Err(reason) => return draw_wrapped(canvas, area, &sentence(&reason.to_string())),
    };
    let per_row = if area.width >= row_width(16) { 16u16 } else { 8 };
    for (y, (row, chunk)) in (area.y..area.bottom()).zip(bytes.chunks(usize::from(per_row)).enumerate()) {
        let offset = format!("{:04x}", row * usize::from(per_row));
        canvas.text(area.x, y, DIGITS, &offset, theme.dim);
        let bytes_x = area.x + DIGITS + 2;
        let text_x = bytes_x + 3 * per_row + per_row / 8;
        for (column, &byte) in (0u16..).zip(chunk) {
            let at = (row * usize::from(per_row) + usize::from(column)) as u64;
            if shown.swapped.iter().any(|run| run.contains(&at)) {
                canvas.text(bytes_x + 3 * column + column / 8, y, 2, "~~", theme.dim);
                continue;
            }
            let style = theme.byte(byte);
            canvas.text(bytes_x + 3 * column + column / 8, y, 2, &format!("{byte:02x}"), style);
            if area.width >= row_width(per_row) {
                super::super::inspect::byte_symbol(canvas, text_x + column, y, byte, style);
            }
        }
    }
}

fn draw_wrapped(canvas: &mut Canvas<'_>, area: Area, text: &str) {
    let style = canvas.theme.dim;
    for (y, line) in (area.y..area.bottom()).zip(canvas.wrap(text, area.width)) {
        canvas.text(area.x, y, area.width, &line, style);
    }
}
