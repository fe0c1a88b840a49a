//! The live strip: map, preview, moving values and holders of the selected segment.

mod fields;
mod holders;
mod moving;

use super::header::position;
use super::table::{label, rate_text};
use crate::app::State;
use crate::app::action::Action;
use crate::app::layout::Area;
use crate::app::layout::detail::detail_column;
use crate::app::layout::strip::{OFFSET_DIGITS, ROW_BYTES, StripLayout};
use crate::app::sentence::sentence;
use crate::engine::{Look, Unread};
use crate::machine::Method;
use crate::memory::{Forecast, leased_by};
use crate::segment::{Bytes, Segment, SegmentId};
use crate::tui::canvas::{Canvas, cells};
use crate::tui::draw::detail::draw_column;
use crate::tui::draw::inspect::byte_symbol;
use crate::tui::draw::map;
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let Some(segment) = state.selected() else { return };
    let mut layout = layout.clone();
    if !holders::is_held(segment) {
        layout = layout.with_reasons();
    }
    if matches!(state.table.strip.last, Some(Err(_))) {
        layout = layout.without_contents();
    }
    let layout = &layout;
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
            let fields = state.table.strip.fields.as_ref();
            let area = fields.map_or(layout.preview, |shown| fields::draw(state, shown, canvas, layout));
            if area.height > 0 {
                let area = draw_heading(layout, "PREVIEW", area, canvas);
                preview(state, look, canvas, area);
            }
        }
        Some(Err(reason)) => {
            let area = draw_heading(layout, "PREVIEW", layout.preview, canvas);
            draw_wrapped(&unread_text(state, &segment.id, reason), canvas.theme.text, canvas, area);
        }
    }
    moving::draw(state, segment, canvas, layout);
    let below_holders = holders::draw(segment, canvas, layout);
    facts(state, segment, canvas, layout, below_holders);
}

/// Smaller panes would cut most facts.
const MIN_FACTS_SIZE: (u16, u16) = (36, 6);

/// Draws other facts below the holders, or where that pane is narrow, in the lower half of the
/// moving values while they do not need it.
fn facts(state: &State, segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout, below: Area) {
    let moving = state.table.strip.look().map_or(0, |look| look.moving.len());
    let half = layout.moving.height / 2;
    let lower = if moving + 2 < usize::from(half) { layout.moving.below(half) } else { Area::default() };
    let has_room = |area: &Area| area.width >= MIN_FACTS_SIZE.0 && area.height >= MIN_FACTS_SIZE.1;
    let area = [below, lower].into_iter().find(has_room).filter(|_| layout.headings);
    let Some(area) = area else { return };
    // The strip itself shows the contents and the holders, or else the reasons for the state.
    let is_shown = |title: &str| {
        matches!(title, "CONTENTS" | "HOLDERS") || (title == "STATE" && !holders::is_held(segment))
    };
    let groups = state.detail_groups().iter().filter(|group| !is_shown(group.title));
    draw_column(&detail_column(area, groups), 0, canvas.theme.dim, canvas);
}

/// Draws the heading of a pane. Returns the rows below it.
fn draw_heading(layout: &StripLayout, heading: &str, area: Area, canvas: &mut Canvas<'_>) -> Area {
    if !layout.headings {
        return area;
    }
    canvas.text(area.x, area.y, area.width, heading, canvas.theme.dim);
    Area::new(area.x, area.y + 1, area.width, area.height.saturating_sub(1))
}

/// Draws the rule with the name and the read method. In a narrow terminal, it also has the
/// position, the map and the change rate.
fn title(state: &State, segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) {
    let theme = canvas.theme;
    let area = layout.title;
    canvas.rule(area);
    let longest = if layout.headings { area.width / 2 } else { area.width * 3 / 10 };
    let end = label(segment, canvas, (3, area.y), longest, theme.focus);
    // Clear the rule next to the name and between an id and its key.
    canvas.fill(Area::new(2, area.y, end - 1, 1), " ", theme.text);
    let mut x = label(segment, canvas, (3, area.y), longest, theme.focus) + 1;
    let right = area.right().saturating_sub(2);
    let how = read_method_text(state);
    if !layout.headings {
        x = part(canvas, x, area.y, &position(state), theme.dim);
    }
    match state.table.strip.look() {
        Some(look) if !layout.headings && x + layout.map_cells() + RATE_WIDTH + 3 < right => {
            // The position of the map does not depend on the name and the rate.
            let x = right - RATE_WIDTH - layout.map_cells() - 2;
            canvas.text(x - 1, area.y, 1, " ", theme.text);
            let view = 0..look.bytes.len() as u64;
            map::cells(&state.table.strip.map, look.size, &view, state.now, canvas, (x, area.y));
            canvas.text(x + layout.map_cells(), area.y, 1, " ", theme.text);
            let rate = state.table.rates.per_second(&segment.id);
            if rate > 0 {
                let text = format!("{:>RATE_CELLS$} ", rate_text(rate));
                canvas.text(right - RATE_WIDTH - 1, area.y, RATE_WIDTH + 1, &text, theme.text);
            }
        }
        _ => {
            if let Some(how) = how {
                part(canvas, right.saturating_sub(cells(&how) + 2).max(x), area.y, &how, theme.dim);
            }
        }
    }
}

/// The width of a rate such as `1023K/s`.
const RATE_WIDTH: u16 = 7;
const RATE_CELLS: usize = RATE_WIDTH as usize;

/// Writes ` text ` over a rule. Returns the next column.
fn part(canvas: &mut Canvas<'_>, x: u16, y: u16, text: &str, style: Style) -> u16 {
    canvas.text(x, y, u16::MAX, &format!(" {text} "), style)
}

/// Describes the read method.
fn read_method_text(state: &State) -> Option<String> {
    Some(match state.table.strip.last.as_ref()? {
        Ok(look) => {
            let pace = if state.interval.duration().is_none() { "paused" } else { "live 4/s" };
            format!("{pace}, {}", look.method.text())
        }
        Err(Unread::Trace(Forecast { method: Method::Attach, .. })) => "not read: needs attach".to_owned(),
        Err(Unread::Trace(_)) => "not read: would set the access time".to_owned(),
        Err(Unread::Leased(pid)) => format!("not read: {}", leased_by(*pid)),
        Err(Unread::Failed(_)) => "unreadable".to_owned(),
    })
}

fn unread_text(state: &State, id: &SegmentId, reason: &Unread) -> String {
    let key = state.key_of(Action::Inspect);
    match reason {
        Unread::Trace(forecast) => {
            let reason =
                forecast.reason.map_or_else(String::new, |reason| format!(" {}.", sentence(reason.text())));
            match forecast.method {
                Method::Attach => format!(
                    "Reading {id} needs an attach, which changes its nattch, last pid and attach time.{reason} Press \
                     {key} to attach read-only."
                ),
                _ => format!("Reading {id} would set its access time.{reason} Press {key} to read it."),
            }
        }
        Unread::Leased(pid) => format!(
            "Reading {id} would break a lease: it is {} (F_SETLEASE). Press {key} to read it: the kernel then asks \
             that process to release the lease.",
            leased_by(*pid)
        ),
        Unread::Failed(reason) => sentence(&reason.to_string()),
    }
}

fn map_line(state: &State, look: &Look, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let mut x = canvas.text(area.x, area.y, 6, "map 0 ", theme.dim);
    let view = 0..look.bytes.len() as u64;
    let map = &state.table.strip.map;
    map::cells(map, look.size, &view, state.now, canvas, (x, area.y));
    x += u16::try_from(map.cells.len()).unwrap_or(0);
    let (figure, unit) = Bytes(look.size).human();
    let unit = if unit == "B" { "" } else { &unit[..1] };
    canvas.text(x, area.y, area.right().saturating_sub(x), &format!(" {figure}{unit}"), theme.dim);
}

fn preview(state: &State, look: &Look, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    if look.size == 0 {
        canvas.text(area.x, area.y, area.width, "Empty (0 bytes).", theme.dim);
        return;
    }
    for (y, (row, chunk)) in
        (area.y..area.bottom()).zip(look.bytes.chunks(usize::from(ROW_BYTES)).enumerate())
    {
        let offset = row * usize::from(ROW_BYTES);
        canvas.text(area.x, y, OFFSET_DIGITS, &format!("{offset:04x}"), theme.dim);
        let bytes_x = area.x + OFFSET_DIGITS + 2;
        let text_x = bytes_x + 3 * ROW_BYTES + 1;
        for (column, &byte) in (0..ROW_BYTES).zip(chunk) {
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

/// Draws the label of a stacked pane. Returns the area next to it.
fn draw_label(text: &str, canvas: &mut Canvas<'_>, area: Area) -> Area {
    canvas.text(area.x, area.y, 7, text, canvas.theme.dim);
    Area::new(area.x + 8, area.y, area.width.saturating_sub(8), area.height)
}

/// Draws wrapped text. Returns the number of rows.
fn draw_wrapped(text: &str, style: Style, canvas: &mut Canvas<'_>, area: Area) -> u16 {
    let lines = canvas.wrap(text, area.width);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        canvas.text(area.x, y, area.width, line, style);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}
