//! The readings of the cursors on an array.

use super::number::{array_real, element, fitted};
use super::{nothing, symbols};
use crate::app::layout::Area;
use crate::app::scope::{Scope, ScopeWaveform, ShownPlot};
use crate::scope::Number;
use crate::tui::canvas::{Canvas, cells};

/// A cursor: its name, the index of its element as text, and the element.
struct At {
    name: &'static str,
    is_active: bool,
    index: String,
    value: Option<Number>,
}

pub fn draw(scope: &Scope, shown: &ShownPlot, canvas: &mut Canvas<'_>, area: Area) {
    let ShownPlot::Array(index) = shown else { return };
    let Some(one) = scope.waveforms.get(*index) else { return };
    let cursors = one.view.cursors.into_iter().zip(["A", "B"]).enumerate();
    let at: Vec<At> = cursors
        .filter_map(|(number, (at, name))| {
            let at = at?;
            let index = one.waveform.array.elements.index_text(at as u64);
            Some(At { name, is_active: number == one.view.active, index, value: one.number(at) })
        })
        .collect();
    if area.height == 1 {
        line(one, &at, canvas, area);
    } else {
        panel(one, &at, canvas, area);
    }
}

/// The differences of the indices and of the values: `Δi 31   Δ 0.25`.
fn differences(one: &ScopeWaveform, at: &[At], canvas: &Canvas<'_>) -> Option<[String; 2]> {
    let [Some(a), Some(b)] = one.view.cursors else { return None };
    let between = i128::try_from(b).ok()? - i128::try_from(a).ok()?;
    let value = at.first().and_then(|at| at.value).zip(at.get(1).and_then(|at| at.value));
    let change = value.map(|(a, b)| b.minus(a)).filter(|change| change.is_finite());
    let change = change.filter(|_| one.waveform.array.elements.is_quantity());
    let change = change.map_or_else(|| nothing(canvas).to_owned(), |change| array_real(one, change));
    let text = |text: String| symbols(&text, canvas).into_owned();
    Some([text(format!("Δi {between}")), text(format!("Δ {change}"))])
}

fn value_text(one: &ScopeWaveform, at: &At, canvas: &Canvas<'_>) -> String {
    at.value.map_or_else(|| nothing(canvas).to_owned(), |value| element(one, value))
}

fn line(one: &ScopeWaveform, at: &[At], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    let texts =
        at.iter().map(|at| format!("{} {}: {}", at.name, bracketed(&at.index), value_text(one, at, canvas)));
    let text = texts.collect::<Vec<_>>().join("   ");
    let differences = differences(one, at, canvas).map(|texts| texts.join("   ")).unwrap_or_default();
    canvas.text_right(area.right() - 1, area.y, area.width - 2, &differences, theme.accent);
    let room = area.width.saturating_sub(cells(&differences) + 4);
    let text = canvas.cut(&text, room);
    canvas.text(area.x + 1, area.y, room, &text, theme.text);
}

fn panel(one: &ScopeWaveform, at: &[At], canvas: &mut Canvas<'_>, area: Area) {
    let theme = canvas.theme;
    canvas.rule(Area { width: 1, ..area });
    let inside = Area { x: area.x + 2, width: area.width.saturating_sub(3), ..area };
    let mut y = inside.y;
    if let Some([index, change]) = differences(one, at, canvas) {
        canvas.text(inside.x, y, inside.width, &index, theme.strong);
        canvas.text_right(inside.right(), y, inside.width / 2, &change, theme.strong);
        y += 1;
    }
    for at in at.iter().take(usize::from(inside.bottom().saturating_sub(y))) {
        let (mark, style) =
            if at.is_active { (theme.glyphs.selected, theme.focus) } else { (" ", theme.accent) };
        let text = format!("{mark}{} {}", at.name, bracketed(&at.index));
        let x = canvas.text(inside.x, y, inside.width, &text, style);
        let room = inside.right().saturating_sub(x + 2);
        let value = fitted(value_text(one, at, canvas), canvas, room);
        canvas.text_right(inside.right(), y, room, &value, theme.text);
        y += 1;
    }
}

fn bracketed(index: &str) -> String {
    if index.starts_with('[') { index.to_owned() } else { format!("[{index}]") }
}
