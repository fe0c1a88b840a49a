//! Bars in eighths of a cell.

use crate::tui::glyphs::Glyphs;

/// Returns a bar of `width` cells in eighths. Shows at least an eighth for anything above zero.
pub fn bar(share: f64, width: u16, glyphs: &Glyphs) -> String {
    let whole = f64::from(width) * 8.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and eight times the width"
    )]
    let eighths = (share.clamp(0.0, 1.0) * whole).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { eighths };
    let mut text = glyphs.bar[7].repeat(eighths / 8);
    if eighths % 8 > 0 {
        text.push_str(glyphs.bar[eighths % 8 - 1]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyphs::{ASCII, UNICODE};

    #[test]
    fn bar_shows_eighths() {
        assert_eq!(bar(0.0, 6, &UNICODE), "");
        assert_eq!(bar(1e-9, 6, &UNICODE), "▏");
        assert_eq!(bar(0.125, 6, &UNICODE), "▊");
        assert_eq!(bar(1.0, 6, &UNICODE), "██████");
        assert_eq!(bar(7.0, 6, &UNICODE), "██████");
        assert!(bar(0.5, 6, &ASCII).is_ascii());
    }
}
