//! The table of channels and waveforms.

use super::{row, symbols, waveform};
use crate::app::layout::Area;
use crate::app::layout::scope::{Column, MARGIN, ScopeLayout};
use crate::app::scope::{Row, Scope};
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(scope: &Scope, canvas: &mut Canvas<'_>, layout: &ScopeLayout) {
    let theme = canvas.theme;
    for placed in &layout.columns {
        let title = symbols(placed.column.title(), canvas).into_owned();
        if placed.column.is_right() {
            let right = placed.x + placed.width;
            canvas.text_right(right, layout.heading.y, placed.width, &title, theme.dim);
        } else {
            canvas.text(placed.x, layout.heading.y, placed.width, &title, theme.dim);
        }
    }
    // The same parts of time for all rows.
    let width = layout.column(Column::History).map_or(0, |placed| placed.width);
    let buckets = scope.visible().map(|[from, to]| scope.history.buckets(from, to, width.into()));
    for (y, index) in (layout.table.y..layout.table.bottom()).zip(layout.top..) {
        match scope.row(index) {
            Some(Row::Channel(channel)) => row::draw(scope, channel, buckets.as_ref(), canvas, layout, y),
            Some(Row::Waveform(waveform)) => waveform::draw(scope, waveform, canvas, layout, y),
            None => break,
        }
        if index == scope.cursor {
            let row = Area::new(0, y, layout.table.width, 1);
            canvas.text(0, y, 1, theme.glyphs.selected, theme.accent);
            // Colors and dim text are hard to read in reverse.
            canvas.style(row, Style::reset().patch(theme.selection));
        }
    }
    scrolled_off(scope, canvas, layout);
}

/// Counts the rows that are scrolled off: `⋮ 3 channels above, 24 below`.
fn scrolled_off(scope: &Scope, canvas: &mut Canvas<'_>, layout: &ScopeLayout) {
    let Some(area) = layout.more else { return };
    let above = layout.top;
    let below = scope.rows().saturating_sub(above + usize::from(layout.table.height));
    let row = if scope.waveforms.is_empty() { "channel" } else { "row" };
    let channels = |count: usize| if count == 1 { format!("1 {row}") } else { format!("{count} {row}s") };
    let text = match (above, below) {
        (0, below) => format!("{} below", channels(below)),
        (above, 0) => format!("{} above", channels(above)),
        (above, below) => format!("{} above, {below} below", channels(above)),
    };
    let text = format!("{} {text}", canvas.theme.glyphs.rows);
    canvas.text(MARGIN, area.y, area.width, &text, canvas.theme.dim);
}
