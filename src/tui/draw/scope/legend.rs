//! The rule above the plot: its traces, the visible time and the axes.

use super::symbols;
use crate::app::layout::Area;
use crate::app::scope::{PlotKind, Scope, ScopeWaveform, ShownPlot};
use crate::scope::plot::relative;
use crate::scope::units::duration;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::Style;

/// Names of traces are cut to this.
const MAX_NAME_WIDTH: u16 = 24;
const MIN_NAME_WIDTH: u16 = 6;
const GAP: u16 = 2;

pub fn draw(scope: &Scope, shown: &ShownPlot, canvas: &mut Canvas<'_>, area: Area) {
    canvas.rule(area);
    let theme = canvas.theme;
    let mut parts = facts(scope, shown);
    let traces = traces(scope, shown, canvas);
    let width = |parts: &[String]| parts.iter().map(|part| cells(part) + GAP).sum::<u16>();
    // The traces get two thirds before the last facts are dropped.
    let names: u16 = traces.iter().map(|(text, _)| cells(text) + GAP).sum();
    let wanted = names.min(area.width * 2 / 3);
    while parts.len() > 1 && width(&parts) + wanted + 4 > area.width {
        parts.pop();
    }
    let text = symbols(&format!(" {} ", parts.join("  ")), canvas).into_owned();
    let width = cells(&text).min(area.width - 1);
    canvas.fill(Area::new(area.right() - 1 - width, area.y, width, 1), " ", theme.text);
    canvas.text_right(area.right() - 1, area.y, width, &text, theme.dim);
    draw_traces(&traces, canvas, Area::new(1, area.y, area.width.saturating_sub(cells(&text) + 3), 1));
}

/// The visible time and the axes, the most important first.
fn facts(scope: &Scope, shown: &ShownPlot) -> Vec<String> {
    if let Some(one) = scope.selected_waveform() {
        return array_facts(one);
    }
    let mut facts = vec![format!("{}/screen", duration(relative(scope.view.span, 0)))];
    match shown {
        ShownPlot::Time(traces) if traces.len() > 1 => {
            let sharing = traces.iter().filter(|trace| trace.shared.is_some());
            let sharing: Vec<String> = sharing.map(|trace| (trace.channel + 1).to_string()).collect();
            facts.push(match sharing.len() {
                _ if scope.view.own_axes => "own axes".to_owned(),
                0 | 1 => "own axes (ranges differ)".to_owned(),
                count if count == traces.len() => "shared axis".to_owned(),
                _ => format!("{} share an axis", sharing.join(" ")),
            });
        }
        ShownPlot::Histogram(_, histogram) => facts.push(format!("{} values", histogram.counted)),
        ShownPlot::States(_, counts) => facts.push(format!("{} values", counts.counted)),
        _ => {}
    }
    facts
}

/// The visible elements of an array, and how many there are.
fn array_facts(one: &ScopeWaveform) -> Vec<String> {
    let elements = &one.waveform.array.elements;
    let [from, to] = one.visible().map(|index| elements.index_text(index as u64));
    let count = match elements.count() {
        count if count > one.count() as u64 => format!("{count} (the first {} are read)", one.count()),
        count => count.to_string(),
    };
    let mut facts = vec![if one.visible() == [0, one.count().saturating_sub(1)] {
        format!("{count} elements")
    } else {
        format!("{from} to {to} of {count}")
    }];
    let not_finite = one.contents.as_ref().map_or(0, |contents| contents.statistics.not_finite);
    if not_finite > 0 {
        facts.push(format!("{not_finite} not finite"));
    }
    if elements.shape.len() > 1 {
        facts.push("row after row".to_owned());
    }
    facts
}

/// The traces with their numbers, the one in front first.
fn traces(scope: &Scope, shown: &ShownPlot, canvas: &Canvas<'_>) -> Vec<(String, Style)> {
    let theme = canvas.theme;
    let name = |row: usize| format!("{} {}", row + 1, canvas.fit(scope.row_name(row), MAX_NAME_WIDTH));
    match shown {
        ShownPlot::Time(traces) => traces
            .iter()
            .map(|trace| (name(trace.channel), theme.trace(scope.color(trace.channel), false)))
            .collect(),
        ShownPlot::Xy([across, up]) => vec![
            (name(*up), theme.trace(scope.color(*up), false)),
            ("over".to_owned(), theme.dim),
            (name(*across), theme.text),
        ],
        ShownPlot::Histogram(channel, _) | ShownPlot::States(channel, _) => {
            vec![
                ("histogram of".to_owned(), theme.dim),
                (name(*channel), theme.trace(scope.color(*channel), false)),
            ]
        }
        ShownPlot::Array(_) => vec![(name(scope.cursor), theme.trace(scope.color(scope.cursor), false))],
        ShownPlot::Nothing(_) => {
            let kind = match scope.view.kind {
                PlotKind::Time => return vec![],
                PlotKind::Xy => "XY",
                PlotKind::Histogram => "histogram",
            };
            vec![(kind.to_owned(), theme.dim)]
        }
    }
}

/// Draws as many traces as fit, and counts the others.
fn draw_traces(traces: &[(String, Style)], canvas: &mut Canvas<'_>, area: Area) {
    let mut x = area.x;
    for (index, (text, style)) in traces.iter().enumerate() {
        let left = traces.len() - index;
        // Room for a space on each side, and for the count of the others.
        let reserved = if left > 1 { 6 } else { 1 };
        let room = area.right().saturating_sub(x + 1 + reserved);
        if room < cells(text).min(MIN_NAME_WIDTH) {
            let more = format!(" +{left} ");
            let width = cells(&more).min(area.right().saturating_sub(x));
            canvas.fill(Area::new(x, area.y, width, 1), " ", canvas.theme.text);
            canvas.text(x, area.y, width, &more, canvas.theme.dim);
            return;
        }
        let text = canvas.fit(text, room);
        // The traces are not as faint as the rule.
        canvas.fill(Area::new(x, area.y, cells(&text) + 2, 1), " ", canvas.theme.text);
        x = canvas.text(x + 1, area.y, room, &text, *style) + 1;
    }
}
