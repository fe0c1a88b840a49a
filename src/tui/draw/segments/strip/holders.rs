//! The holders of the selected segment, or the reasons for its state if there are none.

use super::{draw_heading, draw_label, draw_wrapped};
use crate::app::layout::Area;
use crate::app::layout::strip::StripLayout;
use crate::app::sentence::sentence;
use crate::segment::{Access, Holder, Segment};
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Modifier;

/// Returns the holders, writers first, without this program if it only reads.
fn shown_holders(segment: &Segment) -> Vec<&Holder> {
    let all = segment.holders.as_deref().unwrap_or_default();
    let mut shown: Vec<&Holder> = all.iter().filter(|holder| !holder.is_observer()).collect();
    shown.sort_by_key(|holder| holder.access != Access::ReadWrite);
    shown
}

pub fn is_held(segment: &Segment) -> bool {
    !shown_holders(segment).is_empty()
}

/// Draws the holders, or the reasons for the state if there are none. Returns the area below.
pub fn draw(segment: &Segment, canvas: &mut Canvas<'_>, layout: &StripLayout) -> Area {
    let shown = shown_holders(segment);
    let area = match (layout.headings, shown.is_empty()) {
        (true, false) => draw_heading(layout, "HOLDERS", layout.holders, canvas),
        (true, true) => draw_heading(layout, "WHY", layout.holders, canvas),
        (false, false) => draw_label("held", canvas, layout.holders),
        (false, true) => draw_label("why", canvas, layout.holders),
    };
    let used = match (layout.headings, shown.is_empty()) {
        (_, true) => reasons(segment, canvas, area),
        (true, false) => draw_list(&shown, canvas, area),
        (false, false) => draw_inline(&shown, canvas, area),
    };
    area.below(used + 1)
}

/// Draws a row for each holder, and counts those without a row. Returns the number of rows.
fn draw_list(shown: &[&Holder], canvas: &mut Canvas<'_>, area: Area) -> u16 {
    let theme = canvas.theme;
    let pids = shown.iter().map(|holder| cells(&holder.pid.to_string())).max().unwrap_or(0);
    let names = shown.iter().map(|holder| cells(&holder.command_text())).max().unwrap_or(0);
    let names = names.min(area.width.saturating_sub(pids + 4));
    let rows = usize::from(area.height);
    let counted = if shown.len() > rows { rows.saturating_sub(1) } else { rows };
    for (y, holder) in (area.y..).zip(shown.iter().take(counted)) {
        let name = canvas.fit(&holder.command_text(), names);
        canvas.text(area.x, y, names, &name, theme.text);
        let x = area.x + names + 1 + pids;
        canvas.text_right(x, y, pids, &holder.pid.to_string(), theme.dim);
        canvas.text(x + 1, y, 2, holder.access.keyword(), theme.dim);
    }
    if shown.len() > counted && area.height > 0 {
        let text = format!("and {} more", shown.len() - counted);
        canvas.text(area.x, area.bottom() - 1, area.width, &text, theme.dim);
    }
    u16::try_from(shown.len()).unwrap_or(u16::MAX).min(area.height)
}

/// Draws the holders in one line: `writer 7025 rw   reader 7033 r`. Returns the number of
/// rows.
fn draw_inline(shown: &[&Holder], canvas: &mut Canvas<'_>, area: Area) -> u16 {
    let theme = canvas.theme;
    let (mut x, mut y) = (area.x, area.y);
    for (index, holder) in shown.iter().enumerate() {
        let facts = format!(" {} {}", holder.pid, holder.access.keyword());
        let name = canvas.fit(&holder.command_text(), area.width.saturating_sub(cells(&facts)));
        let remaining = shown.len() - index - 1;
        let more = if remaining > 0 { format!("   and {} more", remaining + 1) } else { String::new() };
        let width = cells(&name) + cells(&facts);
        // The last row keeps room for the count.
        let kept = if y + 1 == area.bottom() { cells(&more) } else { 0 };
        if x > area.x && x + width + kept > area.right() {
            if y + 1 >= area.bottom() {
                canvas.text(x, y, area.right().saturating_sub(x), more.trim_start(), theme.dim);
                break;
            }
            (x, y) = (area.x, y + 1);
        }
        x = canvas.text(x, y, area.right() - x, &name, theme.text);
        x = canvas.text(x, y, area.right() - x, &facts, theme.dim) + 3;
    }
    y + 1 - area.y
}

/// Draws the reasons for the state, the first in the color of the state. Returns the number of
/// rows.
fn reasons(segment: &Segment, canvas: &mut Canvas<'_>, mut area: Area) -> u16 {
    let bottom = area.bottom();
    let top = area.y;
    let theme = canvas.theme;
    let mut style = theme.state(segment.verdict.state).remove_modifier(Modifier::BOLD);
    for reason in &segment.verdict.reasons {
        let used = draw_wrapped(&sentence(reason), style, canvas, area).min(area.height);
        area = Area::new(area.x, area.y + used, area.width, area.height - used);
        style = theme.text;
    }
    (bottom - top) - area.height
}
