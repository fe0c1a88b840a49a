//! The permissions: a grid of read and write, the octal, and what it means.

use crate::app::State;
use crate::app::layout::Area;
use crate::app::layout::overlay::centred;
use crate::app::permissions::{BITS, Permissions, WHO};
use crate::segment::Segment;
use crate::tui::canvas::Canvas;
use ratatui::style::Modifier;

pub fn draw(state: &State, form: &Permissions, canvas: &mut Canvas<'_>) {
    let theme = canvas.theme;
    let [segment, more @ ..] = form.segments.as_slice() else { return };
    let title = match more.len() {
        0 => format!("Permissions of {}", segment.id),
        _ => format!("Permissions of {} segments", more.len() + 1),
    };
    let inside = canvas.frame(centred(state.size, u16::MAX - 4, 11), &title);
    let Area { x, y, width, .. } = inside;
    let below = |row: u16| (row < inside.height).then_some(y + row);
    canvas.text(x, y, width, "          read  write   who          can attach", theme.dim);
    let classes = form.classes();
    for (row, who) in WHO.into_iter().enumerate() {
        let Some(y) = below(u16::try_from(row + 1).unwrap_or(u16::MAX)) else { break };
        canvas.text(x, y, 9, who, theme.text);
        for column in 0..2 {
            let at = 2 * row + column;
            let set = form.mode.bits() & BITS[at] != 0;
            let sign = if set { ["r", "w"][column] } else { "-" };
            let cell = x + 12 + 6 * u16::from(column == 1);
            canvas.text(cell, y, 1, sign, if set { theme.accent } else { theme.dim });
            if at == form.cursor {
                canvas.style(Area::new(cell - 1, y, 3, 1), theme.text.add_modifier(Modifier::REVERSED));
            }
        }
        let name = canvas.fit(&named(segment, row), 12);
        canvas.text(x + 24, y, 12, &name, theme.text);
        if let Some(answer) = classes.as_ref().and_then(|classes| classes.get(row)) {
            canvas.text(x + 37, y, width.saturating_sub(37), answer.how(), theme.text);
        }
    }
    // Why, for the row that is selected.
    let row = form.cursor / 2;
    if let Some(answer) = classes.as_ref().and_then(|classes| classes.get(row)) {
        let reason = canvas.wrap(&format!("{}: {}", WHO[row], answer.reason), width);
        for (line, at) in reason.iter().zip(5u16..7) {
            if let Some(y) = below(at) {
                canvas.text(x, y, width, line, theme.dim);
            }
        }
    }
    let was = if form.mode == segment.mode { String::new() } else { format!("   (is {})", segment.mode) };
    let octal = format!("{}  {}{was}   type octal digits to set it", form.mode, form.mode.symbolic());
    if let Some(y) = below(7) {
        canvas.text(x, y, width, &octal, theme.strong);
    }
    if let Some(y) = below(8) {
        canvas.text(x, y, width, &format!("as {}", form.in_c()), theme.dim);
    }
    canvas.text_right(
        inside.right(),
        inside.bottom().saturating_sub(1),
        width,
        "space turn round   enter what will happen   esc leave as it is",
        theme.accent,
    );
}

fn named(segment: &Segment, row: usize) -> String {
    match row {
        0 => segment.owner.user_text(),
        1 => segment.owner.group_text(),
        _ => "anybody".to_owned(),
    }
}
