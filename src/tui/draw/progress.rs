//! A progress bar with its label, the amount done, and the stop key.

use crate::app::State;
use crate::segment::Bytes;
use crate::tui::canvas::{Canvas, cells};

const BAR_WIDTH: u16 = 10;
/// The label keeps this width before the bar is dropped.
const MIN_LABEL_WIDTH: u16 = 12;

pub fn draw(
    state: &State,
    canvas: &mut Canvas<'_>,
    (x, y, right): (u16, u16, u16),
    (label, done, total): (String, u64, u64),
) {
    let theme = canvas.theme;
    let figures = format!(" {} of {}   {} stop", Bytes(done), Bytes(total), state.stop_key());
    let available = right.saturating_sub(x + cells(&figures) + 1);
    // In narrow terminals the numbers replace the bar.
    let bar = if available >= BAR_WIDTH + MIN_LABEL_WIDTH { BAR_WIDTH } else { 0 };
    let label = canvas.fit(&label, available - bar);
    let x = canvas.text(x, y, available, &label, theme.text) + 1;
    #[expect(clippy::cast_precision_loss, reason = "a share to draw a bar by")]
    let share = if total == 0 { 0.0 } else { done as f64 / total as f64 };
    let drawn = super::bar::bar(share, bar, &theme.glyphs);
    let x = canvas.text(x, y, bar, &drawn, theme.accent);
    canvas.text(x, y, right.saturating_sub(x), &figures, theme.dim);
}
