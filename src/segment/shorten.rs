//! Shortens names that do not fit.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Replaces the middle of a string that is too long: `/very-long…name_77`.
#[must_use]
pub fn shorten(text: &str, width: usize, ellipsis: &str) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let available = width.saturating_sub(ellipsis.width());
    if available == 0 {
        return ellipsis.chars().take(width).collect();
    }
    let tail_width = available / 2;
    let head = take_cells(text.chars(), available - tail_width);
    let tail: String = take_cells(text.chars().rev(), tail_width).chars().rev().collect();
    format!("{head}{ellipsis}{tail}")
}

/// Returns the characters that fit into `available` cells.
#[must_use]
pub fn take_cells(letters: impl Iterator<Item = char>, mut available: usize) -> String {
    letters
        .take_while(|c| {
            let width = c.width().unwrap_or(0);
            let fits = width <= available;
            available = available.saturating_sub(width);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shorten("/very-long-and-more-name_77", 18, "…"), "/very-lon…-name_77");
        assert_eq!(shorten("short", 18, "…"), "short");
        assert_eq!(shorten("short", 0, "…"), "");
        assert_eq!(shorten("short", 1, "…"), "…");
        assert_eq!(shorten("カメラカメラ", 7, "…"), "カ…ラ");
        for width in 0..20 {
            assert!(shorten("/a-カメラ-and-カメラ-more", width, "…").width() <= width);
        }
    }
}
