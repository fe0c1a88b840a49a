//! The Scope screen.

mod elements;
mod empty;
mod legend;
mod number;
mod plot;
mod readings;
mod row;
mod sparkline;
mod table;
mod title;
mod waveform;

use crate::app::State;
use crate::app::layout::Area;
use crate::app::scope::Scope;
use crate::scope::plot::relative;
use crate::scope::units::duration;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};
use std::borrow::Cow;

pub fn draw(state: &State, canvas: &mut Canvas<'_>) {
    let scope = &state.scope;
    let layout = scope.layout(state.size);
    title::draw(scope, canvas, layout.title);
    if let Some(rule) = layout.rule {
        canvas.rule(rule);
        kept(scope, canvas, rule);
    }
    if let Some(area) = layout.empty {
        empty::draw(state, canvas, area);
        return;
    }
    table::draw(scope, canvas, &layout);
    let (Some(legend), Some(area)) = (layout.legend, layout.plot) else { return };
    let shown = scope.shown_plot(area.width.into());
    legend::draw(scope, &shown, canvas, legend);
    plot::draw(state, &shown, canvas, area);
    if let Some(area) = layout.readings {
        readings::draw(scope, &shown, canvas, area);
        elements::draw(scope, &shown, canvas, area);
    }
}

/// Writes the time that the history covers, and its memory, on a rule.
fn kept(scope: &Scope, canvas: &mut Canvas<'_>, area: Area) {
    let history = &scope.history;
    let Some((oldest, newest)) = history.oldest().zip(history.newest()) else { return };
    let (kept, memory) = (duration(relative(newest, oldest)), Bytes(history.bytes()));
    let text = if let Some(part) = scope.kept_part() {
        format!(" {part}, {memory} ")
    } else if history.evicted() > 0 {
        format!(" kept {memory}, {kept} ")
    } else {
        format!(" kept {kept}, {memory} of {} ", Bytes(history.limit()))
    };
    let text = symbols(&text, canvas).into_owned();
    let width = cells(&text).min(area.width - 1);
    // The text is not as faint as the rule.
    canvas.fill(Area::new(area.right() - 1 - width, area.y, width, 1), " ", canvas.theme.text);
    canvas.text_right(area.right() - 1, area.y, width, &text, canvas.theme.dim);
}

/// Spells the symbols of units and statistics out for `--ascii`.
fn symbols<'a>(text: &'a str, canvas: &Canvas<'_>) -> Cow<'a, str> {
    if !canvas.theme.glyphs.ascii || text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let text = text.replace('µ', "u").replace('Δ', "d").replace('σ', "DEV").replace('±', "+-");
    Cow::Owned(text.replace('–', "-"))
}

/// The mark of a value that does not exist.
fn nothing(canvas: &Canvas<'_>) -> &'static str {
    if canvas.theme.glyphs.ascii { "-" } else { "–" }
}
