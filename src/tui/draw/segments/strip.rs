//! The live strip: map, preview, moving values and holders of the selected segment.

use super::super::inspect::byte_symbol;
use super::super::map;
use super::super::sparkline::sparkline;
use super::header::position;
use super::table::{label, rate_text};
use crate::app::State;
use crate::app::action::Action;
use crate::app::layout::Area;
use crate::app::layout::strip::{DIGITS, ROW, StripLayout};
use crate::app::sentence::sentence;
use crate::engine::{Look, Moving, Unread};
use crate::identify::semaphore;
use crate::machine::Method;
use crate::memory::Forecast;
use crate::segment::{Access, Bytes, Holder, Segment, SegmentId};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::{Modifier, Style};

pub fn draw(state: &State, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let Some(segment) = state.selected() else {
        canvas.rule(layout.title);
        return;
    };
    title(state, segment, canvas, layout);
    for &rule in &layout.rules {
        canvas.rule(rule);
    }
    if let (Some(area), Some(look)) = (layout.map, state.table.strip.look()) {
        map_line(state, look, canvas, area);
    }
    match &state.table.strip.last {
        None => {}
        Some(Ok(look)) => {
            let area = headed(layout, "PREVIEW", layout.preview, canvas);
            preview(state, look, canvas, area);
        }
        Some(Err(reason)) => {
            let area = headed(layout, "PREVIEW", layout.preview, canvas);
            wrapped(&unread_text(state, &segment.id, reason), canvas.theme.text, canvas, area);
        }
    }
    moving(state, segment, canvas, layout);
    holders(segment, canvas, layout);
}

/// Draws the heading of a pane. Returns the rows below it.
fn headed(layout: &StripLayout, heading: &str, area: Area, canvas: &mut Canvas<'_>) -> Area {
    if !layout.headings {
        return area;
    }
    canvas.text(area.x, area.y, area.width, heading, canvas.theme.dim);
    Area::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1))
}

/// Draws the rule with the name and the way of reading; in a narrow terminal also the position, the map and the
/// change rate.
fn title(state: &State, segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let theme = canvas.theme;
    let area = layout.title;
    canvas.rule(area);
    let mut x = canvas.text(2, area.y, 1, " ", theme.text);
    x = label(segment, canvas, (x, area.y), area.width / 2, theme.focus);
    let how = how_text(state);
    if layout.map.is_some() || layout.headings {
        x = canvas.text(x, area.y, 1, " ", theme.text);
        if let Some(how) = &how {
            part(canvas, area.right().saturating_sub(cells(how) + 4).max(x), area.y, how, theme.dim);
        }
        return;
    }
    x = part(canvas, x, area.y, &position(state), theme.dim);
    match state.table.strip.look() {
        Some(look) if x + layout.map_cells() + 12 < area.right() => {
            canvas.text(x, area.y, 1, " ", theme.text);
            let view = 0..look.bytes.len() as u64;
            map::cells(&state.table.strip.map, look.size, &view, state.now, canvas, (x, area.y));
            x += layout.map_cells();
            let rate = state.table.rates.per_second(&segment.id);
            if rate > 0 {
                part(canvas, x, area.y, &rate_text(rate), theme.text);
            }
        }
        _ => {
            if let Some(how) = how {
                part(canvas, x + 1, area.y, &how, theme.dim);
            }
        }
    }
}

/// Writes ` text ` over a rule. Returns the next column.
fn part(canvas: &mut Canvas<'_>, x: u16, y: u16, text: &str, style: Style) -> u16 {
    canvas.text(x, y, u16::MAX, &format!(" {text} "), style)
}

/// Names the way of reading.
fn how_text(state: &State) -> Option<String> {
    Some(match state.table.strip.last.as_ref()? {
        Ok(look) => {
            let pace = if state.interval.duration().is_none() { "paused" } else { "live 4/s" };
            format!("{pace}, {}", look.method.text())
        }
        Err(Unread::Trace(Forecast { method: Method::Attach, .. })) => "not read: needs attach".to_owned(),
        Err(Unread::Trace(_)) => "not read: would set the access time".to_owned(),
        Err(Unread::Failed(_)) => "unreadable".to_owned(),
    })
}

fn unread_text(state: &State, id: &SegmentId, reason: &Unread) -> String {
    let key = state.key_of(Action::Inspect);
    match reason {
        Unread::Trace(forecast) => {
            let why =
                forecast.reason.map_or_else(String::new, |reason| format!(" {}.", sentence(reason.text())));
            match forecast.method {
                Method::Attach => format!(
                    "Reading {id} needs an attach, which changes its nattch, last pid and attach time.{why} Press \
                     {key} to attach read-only."
                ),
                _ => format!("Reading {id} would set its access time.{why} Press {key} to read it."),
            }
        }
        Unread::Failed(reason) => sentence(&reason.to_string()),
    }
}

fn map_line(state: &State, look: &Look, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let x = canvas.text(area.x, area.y, 6, "map 0 ", theme.dim);
    let view = 0..look.bytes.len() as u64;
    map::cells(&state.table.strip.map, look.size, &view, state.now, canvas, (x, area.y));
    let (figure, unit) = Bytes(look.size).human();
    let unit = if unit == "B" { "" } else { &unit[..1] };
    canvas.text_right(area.right(), area.y, 7, &format!(" {figure}{unit}"), theme.dim);
}

fn preview(state: &State, look: &Look, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    if look.size == 0 {
        canvas.text(area.x, area.y, area.width, "Empty (0 bytes).", theme.dim);
        return;
    }
    for (y, (row, chunk)) in (area.y..area.bottom()).zip(look.bytes.chunks(usize::from(ROW)).enumerate()) {
        let offset = row * usize::from(ROW);
        canvas.text(area.x, y, DIGITS, &format!("{offset:04x}"), theme.dim);
        let bytes_x = area.x + DIGITS + 2;
        let text_x = bytes_x + 3 * ROW + 1;
        for (column, &byte) in (0..ROW).zip(chunk) {
            let at = (offset + usize::from(column)) as u64;
            let x = bytes_x + 3 * column + column / 8;
            if look.swapped.iter().any(|range| range.contains(&at)) {
                canvas.text(x, y, 2, "~~", theme.dim);
                continue;
            }
            let mut style = theme.byte(byte);
            if let Some(faded) = state.table.strip.glow.faded(at, state.now) {
                let glow = theme.glow(faded);
                if glow != Style::default() {
                    style = Style::reset().patch(glow);
                }
            }
            canvas.text(x, y, 2, &format!("{byte:02x}"), style);
            if text_x + column < area.right() {
                byte_symbol(canvas, text_x + column, y, byte, style);
            }
        }
    }
}

fn moving(state: &State, segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let theme = canvas.theme;
    let Some(look) = state.table.strip.look() else { return };
    if let Some(semaphore) = semaphore::of(segment, &look.bytes) {
        let area = match layout.headings {
            true => headed(layout, "VALUE", layout.moving, canvas),
            false => labeled("value", canvas, layout.moving),
        };
        wrapped(&format!("semaphore {}", semaphore.text()), theme.text, canvas, area);
        return;
    }
    if layout.headings {
        let area = headed(layout, "MOVING", layout.moving, canvas);
        if look.moving.is_empty() {
            wrapped("Nothing has changed so far.", theme.dim, canvas, area);
        }
        for (y, value) in (area.y..area.bottom()).zip(&look.moving) {
            moving_line(value, canvas, Area::new(area.x, y, area.width, 1), look.size);
        }
        return;
    }
    let area = labeled("moving", canvas, layout.moving);
    if look.moving.is_empty() {
        canvas.text(area.x, area.y, area.width, "nothing has changed so far", theme.dim);
    }
    // Two values in a row.
    let width = area.width / 2;
    for (at, value) in (0u16..area.height * 2).zip(&look.moving) {
        let place = Area::new(area.x + at % 2 * width, area.y + at / 2, width.saturating_sub(1), 1);
        moving_line(value, canvas, place, look.size);
    }
}

/// Draws an offset, a type, a value, and as far as there is room a sparkline and a rate.
fn moving_line(value: &Moving, canvas: &mut Canvas<'_>, area: Area, size: u64) {
    let theme = canvas.theme;
    let digits =
        usize::try_from((u64::BITS - size.max(1).leading_zeros()).div_ceil(4)).unwrap_or(16).clamp(2, 8);
    let Area { mut x, y, .. } = area;
    let end = area.right();
    x = canvas.text(x, y, end - x, &format!("{:0digits$x} ", value.offset), theme.dim);
    x = canvas.text(x, y, end - x, &format!("{:<4}", value.kind), theme.accent) + 1;
    let spark = u16::try_from(value.history.len()).unwrap_or(0).min(8);
    let rate = cells(&value.rate);
    let room = end.saturating_sub(x);
    let with_both = spark > 1 && room >= 10 + spark + 1 + rate.max(7) + 1;
    let value_width = if with_both { (room - spark - 1 - rate.max(7) - 1).min(20) } else { room };
    let text = canvas.fit(&value.value, value_width);
    if with_both {
        canvas.text(x, y, value_width, &text, theme.text);
        x += value_width + 1;
        let tail = &value.history[value.history.len() - usize::from(spark)..];
        let least = tail.iter().copied().fold(f64::INFINITY, f64::min);
        let most = tail.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let line = sparkline(tail.iter().copied(), least, most, &theme.glyphs);
        x = canvas.text(x, y, spark, &line, theme.in_use) + 1;
        canvas.text(x, y, end.saturating_sub(x), &value.rate, theme.text);
    } else {
        x = canvas.text(x, y, value_width, &text, theme.text) + 1;
        if x + rate <= end {
            canvas.text(x, y, rate, &value.rate, theme.dim);
        }
    }
}

/// Draws the label of a stacked pane. Returns the area beside it.
fn labeled(text: &str, canvas: &mut Canvas<'_>, area: Area) -> Area {
    canvas.text(area.x, area.y, 7, text, canvas.theme.dim);
    Area::new(area.x + 8, area.y, area.width.saturating_sub(8), area.height)
}

/// Draws the holders, and below them, or instead of them, the reasons for the state.
fn holders(segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let theme = canvas.theme;
    let all = segment.holders.as_deref().unwrap_or_default();
    let mut shown: Vec<&Holder> = all.iter().filter(|holder| !holder.is_observer()).collect();
    shown.sort_by_key(|holder| holder.access != Access::ReadWrite);
    let held = !shown.is_empty();
    let mut area = match (layout.headings, held) {
        (true, true) => headed(layout, "HOLDERS", layout.holders, canvas),
        (true, false) => headed(layout, "WHY", layout.holders, canvas),
        (false, true) => labeled("held", canvas, layout.holders),
        (false, false) => labeled("why", canvas, layout.holders),
    };
    let names = shown.iter().map(|holder| cells(&holder.command_text())).max().unwrap_or(0);
    let names = names.min(area.width.saturating_sub(13));
    let rows = usize::from(area.height);
    let counted = if shown.len() > rows { rows.saturating_sub(1) } else { rows };
    for holder in shown.iter().take(counted) {
        let name = canvas.fit(&holder.command_text(), names);
        canvas.text(area.x, area.y, names, &name, theme.text);
        let x = area.x + names + 1;
        let pid = holder.pid.to_string();
        canvas.text_right(x + 8, area.y, 8, &pid, theme.dim);
        canvas.text(x + 9, area.y, 2, holder.access.word(), theme.dim);
        area = Area::new(area.x, area.y + 1, area.width, area.height - 1);
    }
    if shown.len() > counted && area.height > 0 {
        let text = format!("and {} more", shown.len() - counted);
        canvas.text(area.x, area.y, area.width, &text, theme.dim);
        return;
    }
    if held {
        return;
    }
    for reason in &segment.verdict.reasons {
        if area.height == 0 {
            return;
        }
        let style = if segment.verdict.state.is_leaked() { theme.leaked } else { theme.text };
        let used = wrapped(&sentence(reason), style.remove_modifier(Modifier::BOLD), canvas, area);
        let used = used.min(area.height);
        area = Area::new(area.x, area.y + used, area.width, area.height - used);
    }
}

/// Draws wrapped text. Returns the number of rows.
fn wrapped(text: &str, style: Style, canvas: &mut Canvas<'_>, area: Area) -> u16 {
    let lines = canvas.wrap(text, area.width);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        canvas.text(area.x, y, area.width, line, style);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}
