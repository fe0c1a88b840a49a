//! The Inspect screen.

mod map;
mod rows;
mod title;
mod values;

use crate::app::State;
use crate::app::inspect::{Inspect, Status};
use crate::app::layout::Area;
use crate::app::sentence::sentence;
use crate::tui::canvas::Canvas;
use ratatui::style::Style;

pub fn draw(state: &State, open: &Inspect, canvas: &mut Canvas<'_>) {
    let layout = open.layout(state.size);
    title::draw(state, open, canvas, layout.title);
    canvas.rule(layout.rule);
    for rule in layout.lower_rules.into_iter().flatten() {
        canvas.rule(rule);
    }
    match &open.status {
        Status::Failed(reason) if open.view.bytes.is_empty() => {
            let text = canvas.fit(&sentence(reason), layout.title.width.saturating_sub(2));
            canvas.text(1, layout.rows.y, layout.title.width, &text, canvas.theme.failed);
        }
        _ => {
            rows::draw(state, open, canvas, &layout);
            map::draw(state, open, canvas, &layout);
            if let Some(values) = layout.values {
                values::draw(open, canvas, values, layout.beside);
            }
        }
    }
}

/// A byte in the text column: itself if printable, otherwise a dot.
pub fn byte_symbol(canvas: &mut Canvas<'_>, x: u16, y: u16, byte: u8, style: Style) {
    let sign = match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => canvas.theme.glyphs.unprintable.to_owned(),
    };
    canvas.text(x, y, 1, &sign, style);
}

/// Formats an offset: `0000_1f80`.
pub fn offset_text(offset: u64, digits: u16) -> String {
    let text = format!("{offset:0width$x}", width = usize::from(digits));
    let mut parted = String::with_capacity(text.len() + 3);
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at) % 4 == 0 {
            parted.push('_');
        }
        parted.push(digit);
    }
    parted
}

fn over(canvas: &mut Canvas<'_>, x: u16, y: u16, width: u16, style: Style) {
    canvas.style(Area::new(x, y, width, 1), style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_grouped_by_four_digits() {
        assert_eq!(offset_text(0x1f80, 8), "0000_1f80");
        assert_eq!(offset_text(0x3ff_ffff_ffff, 12), "03ff_ffff_ffff");
    }
}
