//! The confirmation dialog: plans, obstacles, undo and keys.

use super::list::{Entries, NO_ENTRY, Panel};
use crate::app::confirm::{Confirm, Tone};
use crate::app::overlay::Overlay;
use crate::app::sentence::name_of;
use crate::app::{Keymap, State};
use crate::engine::PlanRequest;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::theme::Theme;
use ratatui::style::Style;

/// Minimum width of a plan's text next to its segment in a batch. If there is less available, the
/// text moves below.
const MIN_TEXT_WIDTH: u16 = 28;
const COLUMN_GAP: u16 = 2;
/// The minimum and maximum width of names in a batch.
const MIN_NAME_WIDTH: u16 = 10;
const MAX_NAME_WIDTH: u16 = 24;

pub fn draw(state: &State, overlay: &Overlay, confirm: &Confirm, canvas: &mut Canvas<'_>) {
    let mut entries = Entries::of(state);
    let keys = &state.keymap;
    let (selected, footer) = if confirm.is_batch() {
        batch(confirm, keys, canvas, &mut entries);
        let footer = wrapped(&confirm.summary(keys), canvas, entries.width.saturating_sub(2));
        (confirm.list.selected, footer)
    } else {
        single(confirm, keys, canvas, &mut entries);
        (NO_ENTRY, vec![])
    };
    let panel = Panel::new(confirm.title(), entries, selected);
    Panel { top: confirm.list.selected, footer, ..panel }.draw(state, overlay, canvas);
}

/// Draws a single plan in full.
fn single(confirm: &Confirm, keys: &Keymap, canvas: &Canvas<'_>, entries: &mut Entries) {
    let Some(request) = confirm.requests.first() else { return };
    let theme = canvas.theme;
    let (size, state) = (request.segment.size.to_string(), state_of(request, theme));
    let hidden = if confirm.hidden > 0 { confirm.hidden_text() } else { String::new() };
    let rest = [&size, &state, &hidden].map(|text| cells(text) + COLUMN_GAP).iter().sum::<u16>();
    let name = canvas.fit(&name_of(&request.segment.id), entries.width.saturating_sub(rest + 1));
    let state_style = theme.state(request.segment.verdict.state);
    let mut parts = vec![];
    let mut x = 1;
    let texts = [(name, theme.strong), (size, theme.text), (state, state_style), (hidden, theme.removed)];
    for (text, style) in texts {
        let next = x + cells(&text) + COLUMN_GAP;
        parts.push((x, text, style));
        x = next;
    }
    entries.row(NO_ENTRY, parts);
    for (text, style) in wrapped(&confirm.sentences(0, keys), canvas, entries.width.saturating_sub(4)) {
        entries.line(NO_ENTRY, 2, text, style);
    }
}

/// Draws a line for each segment: name, size, state, and the effect.
fn batch(confirm: &Confirm, keys: &Keymap, canvas: &Canvas<'_>, entries: &mut Entries) {
    let (theme, width) = (canvas.theme, entries.width);
    let widest = |text: &dyn Fn(&PlanRequest) -> String| {
        confirm.requests.iter().map(|request| cells(&text(request))).max().unwrap_or(0)
    };
    let size = widest(&|request| request.segment.size.to_string());
    let state = widest(&|request| state_of(request, theme));
    let columns = size + state + 3 * COLUMN_GAP;
    let available = width.saturating_sub(columns);
    // Shorten a long name before moving the text below it.
    let available = if available >= MIN_TEXT_WIDTH + MIN_NAME_WIDTH + 2 {
        (available - MIN_TEXT_WIDTH - 2).min(MAX_NAME_WIDTH)
    } else {
        available
    };
    let name = widest(&|request| name_of(&request.segment.id)).min(available);
    let column = name + columns;
    let beside = width.saturating_sub(column + 2) >= MIN_TEXT_WIDTH;
    let indent = if beside { column } else { COLUMN_GAP };
    for (entry, request) in confirm.requests.iter().enumerate() {
        let name_text = canvas.fit(&name_of(&request.segment.id), name);
        let bytes = request.segment.size.to_string();
        let (size_end, state_text) = (1 + name + COLUMN_GAP + size, state_of(request, theme));
        let mut lines =
            wrapped(&confirm.effects(entry, keys), canvas, width.saturating_sub(indent + 2)).into_iter();
        let (text, style) = if beside { lines.next() } else { None }.unwrap_or_default();
        let parts = [
            (1, name_text, theme.strong),
            (size_end.saturating_sub(cells(&bytes)), bytes, theme.text),
            (size_end + COLUMN_GAP, state_text, theme.state(request.segment.verdict.state)),
            (1 + indent, text, style),
        ];
        entries.row(entry, parts.into());
        for (text, style) in lines {
            entries.line(entry, indent, text, style);
        }
    }
}

fn state_of(request: &PlanRequest, theme: &Theme) -> String {
    let verdict = request.segment.verdict.state;
    format!("{} {}", theme.glyphs.state(verdict), verdict.label())
}

fn wrapped(sentences: &[(String, Tone)], canvas: &Canvas<'_>, width: u16) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    let lines = |(text, tone): &(String, Tone)| {
        let style = match tone {
            Tone::Plain => theme.text,
            Tone::Quiet => theme.dim,
            Tone::Warning => theme.removed,
            Tone::Refusal => theme.failed,
        };
        canvas.wrap(text, width).into_iter().map(move |line| (line, style))
    };
    sentences.iter().flat_map(lines).collect()
}
