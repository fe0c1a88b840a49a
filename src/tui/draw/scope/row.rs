//! A row of the table: a channel with its value and statistics.

use super::number::{fitted, real, sample};
use super::sparkline::sparkline;
use super::{nothing, symbols};
use crate::app::layout::scope::{Column, ColumnPosition, ScopeLayout};
use crate::app::scope::{Scope, ScopeChannel};
use crate::scope::units::{duration, rounded};
use crate::scope::{Buckets, EventKind, Grade, Source};
use crate::segment::{Certainty, State};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;
use std::time::Duration;

/// A channel that has changed before is stale after this time without a change.
const STALE_AFTER: Duration = Duration::from_secs(2);
/// Digits of rates.
const RATE_DIGITS: usize = 3;
const DEVIATION_DIGITS: usize = 3;
/// The right end of the number of a row, and the mark behind it.
pub const PLACE_OF_NUMBER: [u16; 2] = [3, 4];
/// Cells of the unit behind a duration.
const UNIT_WIDTH: u16 = 3;

pub fn draw(
    scope: &Scope,
    index: usize,
    buckets: Option<&Buckets>,
    canvas: &mut Canvas<'_>,
    layout: &ScopeLayout,
    y: u16,
) {
    let theme = canvas.theme;
    let channel = &scope.channels[index];
    let style = if channel.is_plotted { theme.trace(scope.color(index), false) } else { theme.dim };
    let [right, mark] = PLACE_OF_NUMBER;
    canvas.text_right(right, y, 2, &(index + 1).to_string(), style);
    canvas.text(mark, y, 1, theme.glyphs.plotted[usize::from(!channel.is_plotted)], style);
    for &placed in &layout.columns {
        if placed.column == Column::History {
            if let Some(buckets) = buckets {
                history(scope, index, buckets, style, canvas, (placed, y));
            }
        } else {
            cell(scope, index, canvas, placed, y);
        }
    }
    note(scope, index, canvas, layout, y);
}

fn cell(scope: &Scope, index: usize, canvas: &mut Canvas<'_>, placed: ColumnPosition, y: u16) {
    let theme = canvas.theme;
    let ColumnPosition { column, x, width } = placed;
    let channel = &scope.channels[index];
    let statistics = &channel.statistics;
    let is_quantity = channel.channel.is_quantity();
    let has_average = is_quantity && !statistics.is_counter();
    let number = match column {
        Column::Channel => {
            let name = canvas.fit(&channel.channel.name, width);
            canvas.text(x, y, width, &name, theme.text);
            return;
        }
        Column::LastChange => return last_change(scope, channel, canvas, placed, y),
        Column::Value => statistics.last().map(|number| sample(channel, number)),
        Column::Rate => statistics.rate().filter(|_| is_quantity).map(|rate| rounded(rate, RATE_DIGITS)),
        Column::Min => statistics.min().filter(|_| is_quantity).map(|number| sample(channel, number)),
        Column::Max => statistics.max().filter(|_| is_quantity).map(|number| sample(channel, number)),
        Column::Average => statistics.average().filter(|_| has_average).map(|value| real(channel, value)),
        Column::Deviation => {
            statistics.deviation().filter(|_| has_average).map(|value| rounded(value, DEVIATION_DIGITS))
        }
        Column::History | Column::Note => return,
    };
    let Some(number) = number else {
        canvas.text_right(x + width, y, width, nothing(canvas), theme.dim);
        return;
    };
    let is_unverified = column == Column::Value && last_grade(scope, index) == Some(Grade::Unverified);
    let mark = if is_unverified { "?" } else { "" };
    let text = fitted(number, canvas, width.saturating_sub(cells(mark)));
    let style = if column == Column::Value && channel.trouble.is_some() { theme.dim } else { theme.text };
    canvas.text_right(x + width, y, width, &format!("{mark}{text}"), style);
}

/// The grade of the newest sample.
fn last_grade(scope: &Scope, index: usize) -> Option<Grade> {
    let tick = scope.history.len().checked_sub(1)?;
    scope.history.sample(index, tick).map(|sample| sample.grade)
}

/// Draws the time since the last change.
fn last_change(
    scope: &Scope,
    channel: &ScopeChannel,
    canvas: &mut Canvas<'_>,
    placed: ColumnPosition,
    y: u16,
) {
    let theme = canvas.theme;
    let ColumnPosition { x, width, .. } = placed;
    let right = x + width;
    let since = scope.history.newest().zip(channel.statistics.last_change());
    let Some((newest, changed)) = since else {
        canvas.text_right(right, y, width, nothing(canvas), theme.dim);
        return;
    };
    if channel.statistics.changes() == 0 {
        canvas.text_right(right, y, width, "never", theme.dim);
        return;
    }
    interval(Duration::from_nanos(newest.saturating_sub(changed)), canvas, placed, y);
}

/// Draws a time, with the unit in a column of its own.
pub fn interval(time: Duration, canvas: &mut Canvas<'_>, placed: ColumnPosition, y: u16) {
    let theme = canvas.theme;
    let right = placed.x + placed.width;
    if time.is_zero() {
        canvas.text_right(right, y, placed.width, "now", theme.text);
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let text = symbols(&duration(time.as_nanos() as f64), canvas).into_owned();
    let (figure, unit) = text.split_once(' ').unwrap_or((&text, ""));
    canvas.text_right(right - UNIT_WIDTH - 1, y, placed.width, figure, theme.text);
    canvas.text(right - UNIT_WIDTH, y, UNIT_WIDTH, unit, theme.dim);
}

fn history(
    scope: &Scope,
    index: usize,
    buckets: &Buckets,
    style: Style,
    canvas: &mut Canvas<'_>,
    (placed, y): (ColumnPosition, u16),
) {
    let has_steps = !scope.channels[index].channel.is_quantity();
    let columns = scope.history.columns(index, buckets);
    let line = sparkline(&columns, has_steps, &canvas.theme.glyphs);
    canvas.text(placed.x, y, placed.width, &line, style);
}

/// Draws a word about a channel: behind the history, or over its oldest part.
fn note(scope: &Scope, index: usize, canvas: &mut Canvas<'_>, layout: &ScopeLayout, y: u16) {
    let Some((text, style)) = note_text(scope, index, canvas) else { return };
    let placed = layout.column(Column::Note).or_else(|| layout.column(Column::History));
    let Some(ColumnPosition { x, width, .. }) = placed else { return };
    let text = match text.split_once(" unverified") {
        Some((count, _)) if cells(&text) > width => format!("?{count}"),
        _ => canvas.cut(&text, width),
    };
    canvas.text(x, y, width, &format!("{text} "), style);
}

fn note_text(scope: &Scope, index: usize, canvas: &Canvas<'_>) -> Option<(String, Style)> {
    let theme = canvas.theme;
    let channel = &scope.channels[index];
    let statistics = &channel.statistics;
    let glyph = |state| theme.glyphs.state(state);
    if let Some(trouble) = &channel.trouble {
        let (state, style) = match trouble {
            EventKind::Failed(_) => (State::Leaked(Certainty::Certain), theme.failed),
            _ => (State::Removed, theme.removed),
        };
        let word = match trouble {
            EventKind::Gone => "removed",
            EventKind::Short => "too short",
            _ => trouble.text(),
        };
        return Some((format!("{} {word}", glyph(state)), style));
    }
    if statistics.samples() == 0 {
        return Some(("no samples yet".to_owned(), theme.dim));
    }
    let is_value = matches!(channel.channel.source, Source::Value(_));
    if is_value && scope.at_writes.as_ref().is_some_and(|at_writes| !at_writes.is_of(&channel.channel)) {
        return Some(("not sampled".to_owned(), theme.removed));
    }
    let unchanged = scope.history.newest().and_then(|newest| statistics.unchanged(newest));
    if statistics.changes() > 0 && unchanged > Some(STALE_AFTER) {
        return Some(("stale".to_owned(), theme.removed));
    }
    let unverified = statistics.count(Grade::Unverified);
    if unverified > 0 && index == scope.cursor {
        return Some((format!("{unverified} unverified"), theme.text));
    }
    (statistics.not_finite() > 0 && index == scope.cursor)
        .then(|| (format!("{} not finite", statistics.not_finite()), theme.text))
}
