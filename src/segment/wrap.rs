//! Wraps lines.

use super::take_cells;
use unicode_width::UnicodeWidthStr as _;

/// Wraps text at spaces. Splits words that are longer than a line.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    // Keep aligned columns in text that fits.
    if text.width() <= width && !text.trim().is_empty() {
        return vec![text.to_owned()];
    }
    let mut lines = vec![];
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        } else if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        while line.width() > width {
            let head = take_cells(line.chars(), width);
            if head.is_empty() {
                break;
            }
            let rest = line.split_off(head.len());
            lines.push(std::mem::replace(&mut line, rest));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), Vec::<String>::new());
        assert_eq!(wrap(" 7  a   b", 9), [" 7  a   b"]);
        assert_eq!(wrap("a unbreakable x", 4), ["a", "unbr", "eaka", "ble", "x"]);
        assert_eq!(wrap("カメ", 1), ["カメ"]);
    }
}
