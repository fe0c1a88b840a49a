//! The header: counts, sizes and limits.

use super::super::bar::bar;
use super::super::behind::behind;
use crate::app::State;
use crate::app::layout::Area;
use crate::segment::{Bytes, Certainty, Segment, State as SegmentState};
use crate::survey::{Alert, Coverage, Survey};
use crate::tui::canvas::{Canvas, cells};
use crate::tui::theme::Theme;
use ratatui::style::Style;

const GAP: &str = "   ";
const READ_ONLY: &str = "read-only";

pub fn draw(state: &State, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let mut right = format!("{}{GAP}{}", state.user, state.interval.every_text());
    let right_edge = area.right().saturating_sub(1);
    let x = canvas.text(1, area.y, right_edge, "shmlens", theme.strong);
    let left = state.survey.as_ref().map(|survey| counts(state, survey, theme)).unwrap_or_default();
    // The marked segments are always counted, so leave room for them.
    let min_width = x + left.iter().filter(|part| part.rank == 0).map(HeaderPart::min_width).sum::<u16>();
    if min_width + cells(&right) + 2 > right_edge {
        state.user.clone_into(&mut right);
    }
    let mut edge = right_edge;
    if min_width + cells(&right) + 2 <= right_edge || min_width == x {
        canvas.text_right(right_edge, area.y, area.width / 2, &right, theme.dim);
        edge = right_edge.saturating_sub(cells(&right).min(area.width / 2) + 2);
    }
    if state.read_only && min_width + cells(READ_ONLY) + 2 <= edge {
        canvas.text_right(edge, area.y, cells(READ_ONLY), READ_ONLY, theme.removed);
        edge = edge.saturating_sub(cells(READ_ONLY) + 2);
    }
    let Some(survey) = &state.survey else {
        canvas.text(x + 3, area.y, edge.saturating_sub(x + 3), "scanning", theme.dim);
        return;
    };
    parts(canvas, x, area.y, edge, &left);
    let alerts: Vec<&Alert> = state.alerts().collect();
    let alert_row = u16::from(!alerts.is_empty() && area.height > 1);
    if area.height > 1 + alert_row {
        limits(state, survey, canvas, Area::new(0, area.y + 1, area.width, 1));
    }
    if alert_row > 0 {
        let all_are_limits = state.lock_alerts.is_empty();
        alert(&alerts, all_are_limits, canvas, Area::new(0, area.bottom() - 1, area.width, 1));
    }
}

/// An item of the first line.
struct HeaderPart {
    /// Parts with the highest rank are dropped first. Rank 2 and above can be dropped, rank 1 is
    /// shortened, rank 0 is always shown.
    rank: u8,
    text: String,
    /// Shown if the full text does not fit.
    short: Option<String>,
    style: Style,
}

impl HeaderPart {
    /// Minimum width including the gap.
    fn min_width(&self) -> u16 {
        cells(GAP) + cells(self.short.as_ref().unwrap_or(&self.text))
    }
}

/// Writes the items that fit. Items get their short text first, then their full text, starting with
/// the lowest rank.
fn parts(canvas: &mut Canvas<'_>, mut x: u16, y: u16, end: u16, parts: &[HeaderPart]) {
    let mut texts: Vec<Option<&str>> = vec![None; parts.len()];
    let width = |text: &str| cells(GAP) + cells(text);
    let mut available = end.saturating_sub(x);
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|&index| parts[index].rank);
    for &index in &order {
        let text = parts[index].short.as_deref().unwrap_or(&parts[index].text);
        let needed = if parts[index].rank < 2 { width(text) } else { continue };
        if needed <= available || parts[index].rank == 0 {
            available = available.saturating_sub(needed);
            texts[index] = Some(text);
        }
    }
    for &index in &order {
        let before = texts[index].map_or(0, width);
        let needed = width(&parts[index].text);
        if (before > 0 || parts[index].rank >= 2) && needed <= available + before {
            available = available + before - needed;
            texts[index] = Some(&parts[index].text);
        }
    }
    for (part, text) in parts.iter().zip(texts) {
        let start = x + cells(GAP);
        if let Some(text) = text {
            x = canvas.text(start, y, end.saturating_sub(start), text, part.style);
        }
    }
}

fn counts(state: &State, survey: &Survey, theme: &Theme) -> Vec<HeaderPart> {
    let plain = theme.text;
    let all = survey.segments.len();
    let shown: Vec<&Segment> = state.table.shown.iter().map(|&index| &survey.segments[index]).collect();
    let resident: Bytes = shown.iter().filter_map(|segment| segment.resident).sum();
    let filtered = !state.table.filter_text.is_empty();
    let shown_of_total = format!("{} of {all} segments", shown.len());
    let segments = match all {
        _ if filtered => {
            format!("{shown_of_total} match /{}/", crate::segment::escape(state.table.filter_text.as_bytes()))
        }
        1 => "1 segment".to_owned(),
        _ => format!("{all} segments"),
    };
    let short = filtered.then_some(shown_of_total);
    let part = |rank, text, style| HeaderPart { rank, text, short: None, style };
    let behind = behind(state, theme).map(|(text, style)| part(0, text, style));
    let mut parts: Vec<HeaderPart> = behind.into_iter().collect();
    parts.extend([
        HeaderPart { short, ..part(1, segments, plain) },
        part(3, format!("{resident} resident"), plain),
    ]);
    let leaked = SegmentState::Leaked(Certainty::Certain);
    for (rank, word, style, of) in
        [(1, "leaked", theme.leaked, leaked), (4, "removed", theme.removed, SegmentState::Removed)]
    {
        let has_state = |state: SegmentState| state == of || (of == leaked && state.is_leaked());
        let matching = shown.iter().filter(|segment| has_state(segment.verdict.state));
        let count = matching.clone().count();
        if count > 0 {
            let bytes: Bytes = matching.filter_map(|segment| segment.resident).sum();
            let short = format!("{} {count} {word}", theme.glyphs.state(of));
            parts.push(HeaderPart {
                short: Some(short.clone()),
                ..part(rank, format!("{short} {bytes}"), style)
            });
        }
    }
    if !state.table.marks.is_empty() {
        let marks = &state.table.marks;
        let marked = survey.segments.iter().filter(|segment| marks.contains(&segment.id));
        let bytes: Bytes = marked.map(|segment| segment.size).sum();
        let short = format!("{} {} marked", theme.glyphs.marked, marks.len());
        let text = format!("{short} {bytes}");
        parts.push(HeaderPart { short: Some(short), ..part(0, text, plain) });
    }
    parts
}

fn limits(state: &State, survey: &Survey, canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let limits = &survey.limits;
    let mut x = 1;
    match &limits.dev_shm {
        Some(shm) => {
            x = canvas.text(x, area.y, area.width, "/dev/shm ", theme.dim);
            if let Some(share) = shm.share() {
                let style = if share >= 0.9 { theme.failed } else { theme.text };
                x = meter(canvas, x, area.y, share, style);
                x = canvas.text(x, area.y, area.width, &format!(" {} of {}", shm.used, shm.size), style);
            } else {
                x = canvas.text(x, area.y, area.width, &format!("{} used, no limit", shm.used), theme.text);
            }
        }
        None => x = canvas.text(x, area.y, area.width, "no /dev/shm", theme.dim),
    }
    let max = limits.shmmni.map_or_else(String::new, |max| format!(" of {max}"));
    let ids = if limits.sysv_segments == 1 && max.is_empty() { "id" } else { "ids" };
    let sysv = format!("{}{max} {ids}, {}", limits.sysv_segments, limits.sysv_bytes);
    let position = position(state);
    let end = area.right().saturating_sub(1);
    canvas.text_right(end, area.y, cells(&position), &position, theme.dim);
    let end = end.saturating_sub(cells(&position) + cells(GAP));
    if x + cells(GAP) + 5 + cells(&sysv) <= end {
        x = canvas.text(x + cells(GAP), area.y, end, "SysV ", theme.dim);
        let full = limits.shmmni.is_some_and(|most| limits.sysv_segments * 10 >= most * 9 && most > 0);
        x = canvas.text(x, area.y, end, &sysv, if full { theme.failed } else { theme.text });
    }
    // Optional, since the holders and the Detail screen also show it.
    if let Some(hidden) = survey.coverage.as_ref().and_then(hidden_text)
        && x + cells(GAP) + cells(&hidden) <= end
    {
        canvas.text(x + cells(GAP), area.y, end, &hidden, theme.removed);
    }
}

/// Returns the position of the selected row, such as `row 1 of 27`.
pub fn position(state: &State) -> String {
    match state.table.shown.len() {
        0 => String::new(),
        rows => format!("row {} of {rows}", state.table.cursor + 1),
    }
}

/// Draws an alert with as many users as fit.
fn alert(alerts: &[&Alert], all_are_limits: bool, canvas: &mut Canvas<'_>, area: Area) {
    let Some(first) = alerts.first() else { return };
    let (more, short) = match alerts.len() {
        1 => (String::new(), String::new()),
        count => {
            let place = if all_are_limits { " in `shmlens limits`" } else { "" };
            (format!(" ({} more{place})", count - 1), format!(" (+{})", count - 1))
        }
    };
    let available = area.width.saturating_sub(2);
    // Naming another user is more useful than `shmlens limits`.
    let texts =
        (0..=first.users.len()).rev().flat_map(|users| [&more, &short].map(|end| first.text(users) + end));
    let text = texts.into_iter().find(|text| cells(text) <= available);
    let text = text.unwrap_or_else(|| canvas.cut(&first.message, available));
    canvas.text(area.x + 1, area.y, available, &text, canvas.theme.failed);
}

/// Formats the number of hidden processes: `2 processes hidden`. `None` if all could be inspected.
fn hidden_text(coverage: &Coverage) -> Option<String> {
    let text = match coverage.unreadable {
        0 if coverage.visibility.hides || coverage.visibility.outside => "processes hidden".to_owned(),
        0 => return None,
        1 => "1 process hidden".to_owned(),
        many => format!("{many} processes hidden"),
    };
    Some(text)
}

fn meter(canvas: &mut Canvas<'_>, x: u16, y: u16, share: f64, style: Style) -> u16 {
    let glyphs = canvas.theme.glyphs;
    let x = canvas.text(x, y, 1, glyphs.bar_ends[0], canvas.theme.dim);
    canvas.text(x, y, 10, &bar(share, 10, &glyphs), style);
    canvas.text(x + 10, y, 1, glyphs.bar_ends[1], canvas.theme.dim)
}

/// Formats a percentage. Only exact values show as 0% or 100%.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        none if none <= 0.0 => "0%".to_owned(),
        little if little < 1.0 => "<1%".to_owned(),
        nearly if nearly > 99.0 && nearly < 100.0 => "99%".to_owned(),
        percent => format!("{percent:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_not_rounded_to_0_or_100() {
        for (share, text) in [(0.0, "0%"), (1e-9, "<1%"), (0.18, "18%"), (0.999, "99%"), (1.0, "100%")] {
            assert_eq!(percent(share), text);
        }
    }
}
