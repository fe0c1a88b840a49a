//! The readings of the cursors.

use super::number::{difference, fitted, sample};
use super::{nothing, symbols};
use crate::app::layout::Area;
use crate::app::scope::{Scope, ScopeChannel, ShownPlot};
use crate::scope::Sample;
use crate::scope::plot::{Marker, Reading, relative};
use crate::scope::units::{duration, frequency};
use crate::tui::canvas::{Canvas, cells};

/// Names of channels that have less room are left out.
const MIN_NAME_WIDTH: u16 = 6;

pub fn draw(scope: &Scope, shown: &ShownPlot, canvas: &mut Canvas<'_>, area: Area) {
    let ShownPlot::Time(traces) = shown else { return };
    let channels: Vec<usize> = traces.iter().map(|trace| trace.channel).collect();
    let [a, b] = match scope.view.cursors {
        [Some(a), Some(b)] => [a, b],
        [Some(a), None] => return single(scope, &channels, ("A", a), canvas, area),
        [None, Some(b)] => return single(scope, &channels, ("B", b), canvas, area),
        [None, None] => return,
    };
    if area.height == 1 {
        let Some(&first) = channels.first() else { return };
        let reading = scope.history.reading(first, [a, b]);
        let marker = if canvas.theme.glyphs.ascii { Marker::Ascii } else { Marker::Braille };
        let [line, frequency] = reading.lines(marker);
        let text = symbols(&format!("{line}   {frequency}"), canvas).into_owned();
        canvas.text_right(area.right() - 1, area.y, area.width - 2, &text, canvas.theme.accent);
        let width = area.width.saturating_sub(cells(&text) + 4);
        at_cursors(scope, first, [a, b], canvas, Area { x: area.x + 1, width, ..area });
        return;
    }
    panel(scope, &channels, [a, b], canvas, area);
}

/// Draws the values at the only cursor.
fn single(scope: &Scope, channels: &[usize], (name, at): (&str, u64), canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let is_line = area.height == 1;
    if !is_line {
        canvas.rule(Area { width: 1, ..area });
    }
    let time = format!("{name} {}", duration(relative(at, scope.zero())));
    let time = symbols(&time, canvas).into_owned();
    let inside = Area { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    canvas.text(inside.x, area.y, inside.width, &time, theme.focus);
    let rows = if is_line { area.y..area.y + 1 } else { area.y + 1..area.bottom() };
    let x = inside.x + if is_line { cells(&time) + 3 } else { 0 };
    for (y, &channel) in rows.zip(channels) {
        let Some(found) = scope.channels.get(channel) else { continue };
        let room = inside.right().saturating_sub(x);
        let value = fitted(value_text(found, scope.history.nearest(channel, at), canvas), canvas, room / 2);
        canvas.text_right(inside.right(), y, room / 2, &value, theme.text);
        let room = room.saturating_sub(cells(&value) + 2);
        let name = canvas.fit(&format!("{} {}", channel + 1, found.channel.name), room);
        canvas.text(x, y, room, &name, theme.trace(scope.color(channel), false));
    }
}

/// Draws the values of a channel at both cursors on a line, if there is room.
fn at_cursors(scope: &Scope, channel: usize, cursors: [u64; 2], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let Some(found) = scope.channels.get(channel) else { return };
    let values = scope.history.reading(channel, cursors).samples.map(|one| value_text(found, one, canvas));
    let text = format!("  A {}  B {}", values[0], values[1]);
    let room = area.width.saturating_sub(cells(&text));
    if room < MIN_NAME_WIDTH {
        return;
    }
    let name = canvas.fit(&format!("{} {}", channel + 1, found.channel.name), room);
    let x = canvas.text(area.x, area.y, room, &name, theme.trace(scope.color(channel), false));
    canvas.text(x, area.y, cells(&text), &text, theme.text);
}

fn value_text(channel: &ScopeChannel, one: Option<Sample>, canvas: &Canvas<'_>) -> String {
    let text = one.map(|one| sample(channel, channel.channel.kind.number(one.bits)));
    text.unwrap_or_else(|| nothing(canvas).to_owned())
}

/// Draws the times of the cursors, and below them the values of each channel.
fn panel(scope: &Scope, channels: &[usize], cursors: [u64; 2], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    canvas.rule(Area { width: 1, ..area });
    let inside = Area { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    let mut y = inside.y;
    let between = relative(cursors[1], cursors[0]);
    let text = symbols(&format!("Δt {}", duration(between)), canvas).into_owned();
    canvas.text(inside.x, y, inside.width, &text, theme.strong);
    if between != 0.0 {
        let text = format!("1/Δt {}", frequency(1e9 / between.abs()));
        let text = symbols(&text, canvas).into_owned();
        canvas.text_right(inside.right(), y, inside.width / 2, &text, theme.strong);
    }
    y += 1;
    for (index, cursor) in cursors.into_iter().enumerate() {
        let is_active = index == scope.view.active;
        let mark = if is_active { theme.glyphs.selected } else { " " };
        let time = duration(relative(cursor, scope.zero()));
        let text = format!("{mark}{} {time}", ["A", "B"][index]);
        let text = symbols(&text, canvas).into_owned();
        let style = if is_active { theme.focus } else { theme.accent };
        let x = inside.x + index_offset(index, inside.width);
        canvas.text(x, y, inside.right().saturating_sub(x), &text, style);
    }
    y += 1;
    for &channel in channels {
        if y + 2 > inside.bottom() {
            break;
        }
        values(scope, channel, cursors, canvas, Area { y, height: 2, ..inside });
        y += 2;
    }
}

const fn index_offset(index: usize, width: u16) -> u16 {
    if index == 0 { 0 } else { width / 2 }
}

/// Draws the values of a channel at both cursors, and their difference.
fn values(scope: &Scope, channel: usize, cursors: [u64; 2], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let Some(found) = scope.channels.get(channel) else { return };
    let Reading { samples, value, .. } = scope.history.reading(channel, cursors);
    let change = value.filter(|_| found.channel.is_quantity());
    let change = change.map_or_else(|| nothing(canvas).to_owned(), |value| difference(found, value));
    let change = symbols(&format!("Δ {change}"), canvas).into_owned();
    let room = area.width.saturating_sub(cells(&change) + 2);
    let name = canvas.fit(&format!("{} {}", channel + 1, found.channel.name), room);
    canvas.text(area.x, area.y, room, &name, theme.trace(scope.color(channel), false));
    canvas.text_right(area.right(), area.y, cells(&change), &change, theme.text);
    for (index, one) in samples.into_iter().enumerate() {
        let x = area.x + index_offset(index, area.width) + 1;
        let width = (area.width / 2).saturating_sub(2);
        let text = fitted(value_text(found, one, canvas), canvas, width.saturating_sub(2));
        canvas.text(x, area.y + 1, width, &format!("{} {text}", ["A", "B"][index]), theme.dim);
    }
}
