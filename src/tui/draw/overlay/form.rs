//! What overlays with fields have in common: lines that scroll to the one that
//! has the keys, fields, and the keys at the foot.

use crate::app::layout::Area;
use crate::app::layout::overlay::first_item;
use crate::app::text_field::{TextField, visible};
use crate::segment::quote;
use crate::tui::canvas::{Canvas, cells};
use ratatui::style::{Modifier, Style};

/// A line of a form.
pub enum Line<T> {
    /// Something that can have the keys.
    Field(T),
    /// Words, moved in so far.
    Text(u16, String, Style),
    /// Nothing.
    Gap,
}

/// Adds a text, broken into lines, and empty lines up to `least` of them.
pub fn add<T>(
    lines: &mut Vec<Line<T>>,
    canvas: &Canvas<'_>,
    (indent, width): (u16, u16),
    text: &str,
    style: Style,
    least: usize,
) {
    let wrapped = canvas.wrap(text, width.saturating_sub(indent));
    let gaps = least.saturating_sub(wrapped.len());
    lines.extend(wrapped.into_iter().map(|text| Line::Text(indent, text, style)));
    lines.extend((0..gaps).map(|_| Line::Gap));
}

/// Draws the lines so that the one with the keys is in sight; `field` draws
/// what is no text.
pub fn draw<T>(
    canvas: &mut Canvas<'_>,
    area: Area,
    lines: &[Line<T>],
    focused: usize,
    mut field: impl FnMut(&mut Canvas<'_>, Area, &T),
) {
    let top = first_item(focused, lines.len(), usize::from(area.height));
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(top)) {
        match line {
            Line::Field(which) => field(canvas, Area::new(area.x, y, area.width, 1), which),
            Line::Text(indent, text, style) => {
                canvas.text(area.x + indent, y, area.width.saturating_sub(*indent), text, *style);
            }
            Line::Gap => {}
        }
    }
}

/// The name of a line, with a sign in the margin when it has the keys.
pub fn label(canvas: &mut Canvas<'_>, area: Area, name: &str, focused: bool) {
    let theme = canvas.theme;
    if focused {
        canvas.text(area.x, area.y, 1, theme.glyphs.selected, theme.accent);
    }
    let style = if focused { theme.focus } else { theme.dim };
    canvas.text(area.x + 1, area.y, area.width.saturating_sub(1), name, style);
}

/// A field: what stands in it, scrolled to the cursor, or what may.
pub fn text_field(canvas: &mut Canvas<'_>, area: Area, field: &TextField, focused: bool, example: &str) {
    let theme = canvas.theme;
    let line = Modifier::UNDERLINED;
    canvas.style(area, theme.text.add_modifier(line));
    let value = field.input.value();
    if value.is_empty() {
        let example = canvas.cut(example, area.width.saturating_sub(1));
        canvas.text(area.x + 1, area.y, area.width.saturating_sub(1), &example, theme.dim.add_modifier(line));
    }
    let (shown, cursor) =
        if focused { visible(&field.input, usize::from(area.width)) } else { (quote(value.as_bytes()), 0) };
    canvas.text(area.x, area.y, area.width, &shown, theme.text.add_modifier(line));
    if focused {
        let cursor = u16::try_from(cursor).unwrap_or(0);
        let at = area.x + cursor.min(area.width.saturating_sub(1));
        canvas.style(Area::new(at, area.y, 1, 1), theme.text.add_modifier(Modifier::REVERSED));
    }
}

/// What stands at the foot of a form whatever is scrolled: words, and the keys,
/// of which the first text that fits is taken. Returns what is left above.
pub fn foot(canvas: &mut Canvas<'_>, inside: Area, words: &[(String, Style)], keys: &[&str]) -> Area {
    let bottom = inside.bottom().saturating_sub(1);
    let fits = keys.iter().find(|text| cells(&canvas.plain(text)) <= inside.width).or(keys.last());
    if let Some(text) = fits {
        canvas.text_right(inside.right(), bottom, inside.width, text, canvas.theme.accent);
    }
    let wrapped = wrap(canvas, inside.width, words);
    // Never more than half: what is typed is to be seen.
    let height = lines_of(&wrapped).min(inside.height / 2);
    let top = bottom.saturating_sub(height);
    for (y, (text, style)) in (top..bottom).zip(&wrapped) {
        canvas.text(inside.x + 1, y, inside.width.saturating_sub(1), text, *style);
    }
    Area { height: inside.height.saturating_sub(height + 1), ..inside }
}

/// So many lines the words at the foot take.
#[must_use]
pub fn foot_lines(canvas: &Canvas<'_>, width: u16, words: &[(String, Style)]) -> u16 {
    lines_of(&wrap(canvas, width, words))
}

fn wrap(canvas: &Canvas<'_>, width: u16, words: &[(String, Style)]) -> Vec<(String, Style)> {
    let lines = |(text, style): &(String, Style)| {
        let style = *style;
        canvas.wrap(text, width.saturating_sub(1)).into_iter().map(move |line| (line, style))
    };
    words.iter().flat_map(lines).collect()
}

fn lines_of(wrapped: &[(String, Style)]) -> u16 {
    u16::try_from(wrapped.len()).unwrap_or(u16::MAX)
}
