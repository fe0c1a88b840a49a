//! The plot.

use super::empty;
use crate::app::State;
use crate::app::layout::Area;
use crate::app::scope::{Scope, ShownPlot};
use crate::scope::plot::{Cell, Frame, Ink, Marker, Picture, relative};
use crate::tui::canvas::{Canvas, cells};
use crate::tui::theme::Theme;
use ratatui::style::Style;

/// Cells between the numbers of traces.
const LABEL_GAP: usize = 2;
/// Rows between a trace and its number at most.
const MAX_LABEL_DISTANCE: usize = 3;

pub fn draw(state: &State, shown: &ShownPlot, canvas: &mut Canvas<'_>, area: Area) {
    let scope = &state.scope;
    let size = [area.width.into(), area.height.into()];
    let marker = if canvas.theme.glyphs.ascii { Marker::Ascii } else { Marker::Braille };
    let (Some(picture), Some(frame)) = (shown.picture(scope, size, marker), shown.frame(scope, size)) else {
        empty::no_plot(state, shown, canvas, area);
        return;
    };
    let label = label_style(scope, shown, canvas.theme);
    let gutter = frame.gutter();
    for (y, row) in (area.y..).zip(picture.rows()) {
        for (column, cell) in row.iter().enumerate().filter(|(_, cell)| cell.ink != Ink::Blank) {
            let is_y_label =
                cell.ink == Ink::Label && column < gutter && usize::from(y - area.y) < frame.height();
            let style = if is_y_label { label } else { style(cell, scope, shown, canvas.theme) };
            let x = area.x + u16::try_from(column).unwrap_or(u16::MAX);
            if let Some(target) = canvas.buffer.cell_mut((x, y)) {
                target.set_char(cell.symbol).set_style(style);
            }
        }
    }
    number_traces(scope, shown, (&picture, &frame), canvas, area);
    if let ShownPlot::Time(_) = shown {
        newest_mark(scope, &frame, canvas, area);
    }
}

/// The style of the labels of the y axis: that of the trace in front, if others have axes of their own.
fn label_style(scope: &Scope, shown: &ShownPlot, theme: &Theme) -> Style {
    match shown {
        ShownPlot::Time(traces) if traces.len() > 1 && traces.iter().any(|trace| trace.shared.is_none()) => {
            theme.trace(scope.color(traces[0].channel), false)
        }
        _ => theme.dim,
    }
}

fn style(cell: &Cell, scope: &Scope, shown: &ShownPlot, theme: &Theme) -> Style {
    match cell.ink {
        Ink::Blank => Style::new(),
        Ink::Axis => theme.faint,
        Ink::Label => theme.dim,
        Ink::Trace(trace) => {
            let row = shown.row(scope, trace).unwrap_or(0);
            // The last contents of an array that is gone.
            let is_old =
                matches!(shown, ShownPlot::Array(index) if scope.waveforms[*index].trouble.is_some());
            theme.trace(scope.color(row), cell.is_dim || is_old)
        }
        Ink::Cursor(_) => theme.accent,
        Ink::Trigger => theme.strong,
        Ink::Mark => theme.removed,
    }
}

/// Writes the number of each trace beside its last cell, because colors alone do not tell traces apart.
fn number_traces(
    scope: &Scope,
    shown: &ShownPlot,
    (picture, frame): (&Picture, &Frame),
    canvas: &mut Canvas<'_>,
    area: Area,
) {
    let ShownPlot::Time(traces) = shown else { return };
    let rows = frame.height();
    if traces.len() < 2 {
        return;
    }
    let mut ends: Vec<Option<(usize, usize)>> = vec![None; traces.len()];
    for (y, row) in picture.rows().enumerate() {
        for (x, cell) in row.iter().enumerate() {
            if let Ink::Trace(trace) = cell.ink
                && ends[trace].is_none_or(|(last, _)| x > last)
            {
                ends[trace] = Some((x, y));
            }
        }
    }
    let mut taken: Vec<(usize, usize)> = vec![];
    for (trace, end) in traces.iter().zip(ends) {
        let Some((x, y)) = end else { continue };
        let text = (trace.channel + 1).to_string();
        let x = x.saturating_sub(text.len() - 1);
        let is_free = |y: usize| {
            let blank = y < rows && picture.row(y).get(x).is_some_and(|cell| cell.ink == Ink::Blank);
            blank && !taken.iter().any(|&(other, row)| row == y && other.abs_diff(x) <= LABEL_GAP)
        };
        let around = (1..=MAX_LABEL_DISTANCE).flat_map(|by| [y.checked_sub(by), Some(y + by)]);
        let y = around.flatten().find(|&y| is_free(y)).unwrap_or(y);
        taken.push((x, y));
        let (Ok(across), Ok(down)) = (u16::try_from(x), u16::try_from(y)) else { continue };
        canvas.text(
            area.x + across,
            area.y + down,
            2,
            &text,
            canvas.theme.trace(scope.color(trace.channel), false),
        );
    }
}

/// Writes the text of the newest visible mark next to it.
fn newest_mark(scope: &Scope, frame: &Frame, canvas: &mut Canvas<'_>, area: Area) {
    let Some([from, to]) = scope.visible() else { return };
    let Some(mark) = scope.marks.iter().rev().find(|mark| (from..=to).contains(&mark.time)) else { return };
    let Some(column) = frame.column(relative(mark.time, scope.zero())) else { return };
    let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(frame.height() - 1)) else { return };
    let gutter = u16::try_from(frame.gutter()).unwrap_or(0);
    let text = canvas.cut(&mark.text, (area.width - gutter) / 2);
    let text = format!(" {text} ");
    let start = column.min(area.width.saturating_sub(cells(&text)));
    canvas.text(area.x + start, area.y + row, cells(&text), &text, canvas.theme.removed);
}
