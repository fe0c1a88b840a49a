//! The segment table's headings and rows.

use super::super::sparkline::rates;
use super::header::percent;
use crate::app::State;
use crate::app::action::Action;
use crate::app::detail::resident_share;
use crate::app::layout::Area;
use crate::app::layout::segments::{Column, ColumnPosition, MARGIN, SegmentsLayout};
use crate::app::rates::{RateHistory, SAMPLES};
use crate::engine::Unread;
use crate::machine::Method;
use crate::memory::Forecast;
use crate::segment::{Bytes, Maker, Segment, State as SegmentState, age_text, take_cells};
use crate::survey::Survey;
use crate::tui::canvas::{Canvas, cells};
use crate::tui::theme::Theme;
use ratatui::style::Style;

pub fn draw(state: &State, canvas: &mut Canvas<'_>, layout: &SegmentsLayout) {
    headings(state, canvas, layout);
    let Some(survey) = &state.survey else { return };
    if state.table.shown.is_empty() {
        empty(state, survey, canvas, layout.table);
        return;
    }
    let rows = state.table.shown.iter().enumerate().skip(state.table.top);
    for (y, (row, &index)) in (layout.table.y..layout.table.bottom()).zip(rows) {
        draw_row(state, survey, &survey.segments[index], row == state.table.cursor, canvas, layout, y);
    }
    scrolled_off(state, canvas, layout);
}

/// Counts the rows that are scrolled off: `⋮ 3 rows above, 24 below`.
fn scrolled_off(state: &State, canvas: &mut Canvas<'_>, layout: &SegmentsLayout) {
    let Some(area) = layout.more else { return };
    let above = state.table.top;
    let below = state.table.shown.len().saturating_sub(above + usize::from(layout.table.height));
    let rows = |count: usize| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    let text = match (above, below) {
        (0, below) => format!("{} below", rows(below)),
        (above, 0) => format!("{} above", rows(above)),
        (above, below) => format!("{} above, {below} below", rows(above)),
    };
    let text = format!("{} {text}", canvas.theme.glyphs.rows);
    canvas.text(MARGIN, area.y, area.width, &text, canvas.theme.dim);
}

/// Returns the text, or a placeholder if this user may not see it.
fn text_if_known(segment: &Segment, text: String) -> String {
    if segment.is_concealed() { "-".to_owned() } else { text }
}

fn headings(state: &State, canvas: &mut Canvas<'_>, layout: &SegmentsLayout) {
    let theme = canvas.theme;
    let keys_are_commands = state.overlay.is_none();
    for placed in &layout.columns {
        let sorted = placed.column.sort_key() == state.table.sort;
        let style = if sorted && keys_are_commands { theme.focus } else { theme.dim };
        let title = canvas.plain(placed.column.title(placed.width)).into_owned();
        let title = title.as_str();
        if placed.column.is_right() {
            canvas.text_right(placed.x + placed.width, layout.heading.y, placed.width, title, style);
        } else {
            canvas.text(placed.x, layout.heading.y, placed.width, title, style);
        }
        if sorted {
            // The arrow precedes a right-aligned heading and follows a left-aligned one.
            let is_descending = placed.column.sort_key().largest_first() != state.table.reversed;
            let arrow = theme.glyphs.more[usize::from(is_descending)];
            let x = if placed.column.is_right() {
                (placed.x + placed.width).saturating_sub(cells(title) + 1)
            } else {
                placed.x + cells(title)
            };
            canvas.text(x, layout.heading.y, 1, arrow, style);
        }
    }
}

/// Explains why the table is empty and what to do about it.
fn empty(state: &State, survey: &Survey, canvas: &mut Canvas<'_>, area: Area) {
    let key = state.keymap.keys(Action::New).first().filter(|_| state.refusal(Action::New).is_none());
    let what_to_do = match key {
        Some(key) => format!("{key}: create one. `shmlens demo` creates examples."),
        None => "`shmlens demo` creates examples.".to_owned(),
    };
    let clear = format!("{}: clear filter", state.key_of(Action::ClearFilter));
    let lines: [&str; 2] =
        if survey.segments.is_empty() { ["No shared memory segments.", &what_to_do] } else { ["", &clear] };
    let filter = crate::segment::escape(state.table.filter_text.as_bytes());
    let fits_none = match survey.segments.len() {
        1 => format!("No match for \"{filter}\" in 1 segment."),
        all => format!("No match for \"{filter}\" in {all} segments."),
    };
    let first = if lines[0].is_empty() { &fits_none } else { lines[0] };
    let y = area.y + area.height.saturating_sub(2).min(1);
    let width = area.width.saturating_sub(8);
    let text = canvas.fit(first, width);
    canvas.text(4, y, width, &text, canvas.theme.text);
    if area.height > 1 {
        canvas.text(4, y + 1, width, lines[1], canvas.theme.dim);
    }
}

fn draw_row(
    state: &State,
    survey: &Survey,
    segment: &Segment,
    selected: bool,
    canvas: &mut Canvas<'_>,
    layout: &SegmentsLayout,
    y: u16,
) {
    let theme = canvas.theme;
    if state.table.marks.contains(&segment.id) {
        canvas.text(1, y, 1, theme.glyphs.marked, theme.accent);
    }
    if state.is_attached(segment) {
        canvas.text(2, y, 1, theme.glyphs.attached, theme.attached);
    }
    for &placed in &layout.columns {
        cell(state, survey, segment, placed, canvas, y);
    }
    if selected {
        let row = Area::new(0, y, layout.table.width, 1);
        canvas.text(0, y, 1, theme.glyphs.selected, theme.accent);
        // Colors and dim text are hard to read in reverse.
        canvas.style(row, Style::reset().patch(theme.selection));
    }
    if let Some(age) = state.table.glow_age(&segment.id, state.now)
        && let Some(label) = layout.column(Column::Name)
    {
        let faded = age.as_secs_f32() / crate::app::table::GLOW_DURATION.as_secs_f32();
        let name = Area::new(label.x, y, cells(&segment.label()).min(label.width), 1);
        canvas.style(name, Style::reset().patch(theme.glow(faded)));
    }
}

/// Draws the name of a segment and returns the column after it. Appends the key of a System V
/// segment if there is room.
pub fn label(
    segment: &Segment,
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    style: Style,
) -> u16 {
    let Some(facts) = segment.sysv() else {
        let name = segment.label();
        let (mark, mark_style) = match segment.label_mark() {
            "" => (String::new(), canvas.theme.dim),
            mark if cells(&name) + cells(mark) <= width => (mark.to_owned(), canvas.theme.dim),
            _ => (format!(" {}", canvas.theme.glyphs.state(SegmentState::Removed)), canvas.theme.removed),
        };
        let available = width.saturating_sub(cells(&mark));
        let end = canvas.text(x, y, available, &canvas.fit(&name, available), style);
        return canvas.text(end, y, (x + width).saturating_sub(end), &mark, mark_style);
    };
    let name = canvas.fit(&segment.id.to_string(), width);
    let end = canvas.text(x, y, width, &name, style);
    let available = (x + width).saturating_sub(end + 1);
    if facts.key.is_private() {
        return end;
    }
    // A truncated key is useless: show it in full, drop the leading zeros, or leave it out.
    let keys = [facts.key.to_string(), format!("0x{:x}", facts.key.0)];
    match keys.iter().find(|key| cells(key) <= available) {
        // Draw the gap too, because the strip draws its title over a rule.
        Some(key) => canvas.text(end, y, available + 1, &format!(" {key}"), canvas.theme.dim),
        None => end,
    }
}

fn cell(
    state: &State,
    survey: &Survey,
    segment: &Segment,
    placed: ColumnPosition,
    canvas: &mut Canvas<'_>,
    y: u16,
) {
    let theme = canvas.theme;
    let ColumnPosition { column, x, width } = placed;
    let right = x + width;
    match column {
        Column::Name => {
            label(segment, canvas, (x, y), width, theme.text);
        }
        Column::Size => size(canvas, right, y, segment.size),
        Column::Resident => resident(segment, placed, canvas, y),
        Column::Changing => changing(state.table.rates.get(&segment.id), placed, canvas, y),
        Column::Mode => {
            let x = canvas.text(x, y, width, &text_if_known(segment, segment.mode.to_string()), theme.text);
            if segment.sysv().is_some_and(|facts| facts.locked) {
                canvas.text(x, y, 1, "L", theme.accent);
            }
        }
        Column::Owner => {
            let owner = canvas.fit(&text_if_known(segment, segment.owner.user_text()), width);
            canvas.text(x, y, width, &owner, theme.text);
        }
        Column::HeldBy => held_by(segment, placed, canvas, y),
        Column::MadeBy => {
            let (text, style) = match &segment.made_by {
                Some(Maker::Exited(_)) => ("gone".to_owned(), theme.dim),
                Some(maker) => (first_words(&maker.name_text(), width), theme.text),
                None => (theme.glyphs.nothing.to_owned(), theme.dim),
            };
            let end = canvas.text(x, y, width, &text, style);
            if segment.named_maker().is_some() && segment.exited_creator().is_some() {
                // The gap after the column is free even if the name fills it.
                canvas.text(end, y, 1, theme.glyphs.exited, theme.dim);
            }
        }
        Column::Age => {
            let age = segment.age(survey.at).map_or_else(|| theme.glyphs.nothing.to_owned(), age_text);
            canvas.text_right(right, y, width, &age, theme.text);
        }
        Column::State => {
            let state = segment.verdict.state;
            let style = state_style(theme, state);
            let after = canvas.text(x, y, width, theme.glyphs.state(state), style);
            canvas.text(after + 1, y, width.saturating_sub(2), state.label(), style);
        }
    }
}

/// Draws the holders as writers and readers, or the exited creator.
fn held_by(segment: &Segment, placed: ColumnPosition, canvas: &mut Canvas<'_>, y: u16) {
    let theme = canvas.theme;
    let ColumnPosition { x, width, .. } = placed;
    let (text, style) = match (segment.holders.as_deref(), segment.holder_count()) {
        (_, Some(0) | None) => match segment.exited_creator() {
            Some(pid) => {
                let texts = [format!("creator {pid} exited"), format!("{pid} exited")];
                (texts.into_iter().find(|text| cells(text) <= width).unwrap_or_default(), theme.dim)
            }
            None => (theme.glyphs.nothing.to_owned(), theme.dim),
        },
        (None, Some(count)) => (format!("nattch {count}"), theme.dim),
        (Some(_), _) => (flow(segment, canvas, width), theme.text),
    };
    canvas.text(x, y, width, &text, style);
}

/// Returns as many holders as fit, writers first. Long names are shortened in the middle.
pub fn flow(segment: &Segment, canvas: &Canvas<'_>, width: u16) -> String {
    let glyphs = &canvas.theme.glyphs;
    let texts = (1..=4).rev().map(|most| segment.flow_text(most, usize::MAX, glyphs.ellipsis));
    let text = texts.map(|text| canvas.plain(&text).into_owned()).find(|text| cells(text) <= width);
    text.unwrap_or_else(|| {
        // The arrow takes two cells in ASCII.
        let available = usize::from(width.saturating_sub(glyphs.ascii.into()));
        let shortened = canvas.plain(&segment.flow_text(1, available, glyphs.ellipsis)).into_owned();
        let count = segment.holder_count().unwrap_or(0);
        let texts = [shortened, format!("{count} holders"), count.to_string()];
        texts.into_iter().find(|text| cells(text) <= width).unwrap_or_default()
    })
}

/// Draws the sparkline of the change rate, with the rate if there is room, or the reason why it is
/// unknown.
fn changing(history: Option<&RateHistory>, placed: ColumnPosition, canvas: &mut Canvas<'_>, y: u16) {
    let theme = canvas.theme;
    let ColumnPosition { x, width, .. } = placed;
    match history {
        None => {}
        Some(RateHistory::Unread(reason)) => {
            let texts = match reason {
                Unread::Trace(Forecast { method: Method::Attach, .. }) => ["needs attach", "attach"],
                Unread::Trace(_) => ["would set atime", "atime"],
                Unread::Leased(_) => ["leased"; 2],
                Unread::Failed(_) => ["unreadable", "denied"],
            };
            let text = texts.into_iter().find(|text| cells(text) <= width).unwrap_or_default();
            canvas.text(x, y, width, text, theme.dim);
        }
        Some(RateHistory::Read { samples, sampled }) => {
            let line = rates(samples.iter().copied(), &theme.glyphs);
            let missing = u16::try_from(SAMPLES - samples.len().min(SAMPLES)).unwrap_or(0);
            let style = if samples.iter().any(|&sample| sample > 0) { theme.in_use } else { theme.dim };
            canvas.text(x + missing, y, width - missing, &line, style);
            let rate = samples.iter().sum::<u64>() / (samples.len() as u64).max(1);
            if rate > 0 && usize::from(width) > SAMPLES {
                let mark = if *sampled { "~" } else { "" };
                let text = format!("{mark}{}", rate_text(rate));
                canvas.text_right(x + width, y, width, &text, theme.text);
            }
        }
    }
}

/// Formats a rate in bytes per second: `2.5K/s`.
pub fn rate_text(bytes_per_second: u64) -> String {
    let (figure, unit) = Bytes(bytes_per_second).human();
    let unit = unit.chars().next().filter(|unit| *unit != 'B').map(String::from).unwrap_or_default();
    format!("{figure}{unit}/s")
}

/// Returns the first words of a name that fit, or the start of a long word.
fn first_words(name: &str, width: u16) -> String {
    let mut text = String::new();
    for word in name.split(' ') {
        let next = if text.is_empty() { word.to_owned() } else { format!("{text} {word}") };
        if cells(&next) > width {
            break;
        }
        text = next;
    }
    if text.is_empty() {
        return take_cells(name.chars(), width.into());
    }
    text.trim_end_matches(',').to_owned()
}

pub const fn state_style(theme: &Theme, state: SegmentState) -> Style {
    theme.state(state)
}

/// Draws a number with a dim unit, so that digits line up.
fn size(canvas: &mut Canvas<'_>, right: u16, y: u16, bytes: Bytes) {
    let (figure, unit) = bytes.human();
    // Units have up to three characters: `KiB`, or `B` padded with two spaces.
    canvas.text_right(right - 4, y, 4, &figure, canvas.theme.text);
    canvas.text(right - 3, y, 3, unit, canvas.theme.dim);
}

fn resident(segment: &Segment, placed: ColumnPosition, canvas: &mut Canvas<'_>, y: u16) {
    let theme = canvas.theme;
    let right = placed.x + placed.width;
    let Some(share) = resident_share(segment) else {
        canvas.text_right(right, y, placed.width, theme.glyphs.nothing, theme.dim);
        return;
    };
    canvas.text_right(right, y, 4, &percent(share), theme.text);
}
