//! Finds text: runs of bytes that are always printable or NUL.

use super::line::LINE;
use std::ops::Range;

/// Shorter runs are probably numbers that happen to be printable.
const SHORTEST: usize = 4;
/// A run of this length is text even next to noise.
const SURE: usize = 8;
/// Usual sizes of declared strings.
const SIZES: [usize; 9] = [8, 16, 24, 32, 48, 64, 128, 256, 512];
/// Longer runs are logs or documents, not values.
const LONGEST: usize = 512;

/// The history of a byte, as far as text is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    /// Ever neither printable nor NUL.
    Binary,
    /// Always NUL.
    Nul,
    /// Printable, sometimes or always.
    Printable {
        /// Set if it changed often enough to be judged.
        active: bool,
    },
}

/// A string in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The bytes that were ever printable.
    pub seen: Range<usize>,
    /// The likely declared size: `seen` and trailing NULs.
    pub width: usize,
}

/// Finds the strings that changed. `glyphs` and `bytes` start at a multiple of [`LINE`]; `bytes` is
/// the current content.
pub fn texts(glyphs: &[Glyph], bytes: &[u8]) -> Vec<Text> {
    debug_assert!(glyphs.len().is_multiple_of(LINE));
    let is_printable = |at: usize| matches!(glyphs[at], Glyph::Printable { .. });
    let mut texts = vec![];
    let mut at = 0;
    while at < glyphs.len() {
        let mut start = at;
        while at < glyphs.len() && is_printable(at) {
            at += 1;
        }
        let end = at;
        at += 1;
        // The top byte of a float may be printable ('?', '@', 'A'). It is the last byte of a word.
        let after_number = start > 0 && glyphs[start - 1] == Glyph::Binary;
        if after_number && start % 4 == 3 && (b'<'..=b'G').contains(&bytes[start]) {
            start += 1;
        }
        // Some bytes of a number are temporarily printable.
        let before_number = glyphs.get(end) == Some(&Glyph::Binary);
        let is_part = after_number && before_number && !start.is_multiple_of(4) && end < start + 8;
        if is_part
            || end < start + SHORTEST
            || !(start..end).any(|at| glyphs[at] == (Glyph::Printable { active: true }))
        {
            continue;
        }
        if reads_as_text(&bytes[start..end]) {
            let nuls = glyphs[end..].iter().take_while(|glyph| **glyph == Glyph::Nul).count();
            let length = end - start;
            // NULs may also belong to the next field.
            let exact = SIZES.into_iter().find(|&size| size == length + nuls);
            let declared =
                exact.or_else(|| SIZES.into_iter().find(|&size| size > length && size <= length + nuls));
            texts.push(Text { seen: start..end, width: declared.unwrap_or(length) });
        }
    }
    texts
}

impl Text {
    /// Returns true for a string so short that all of its bytes may be printable by chance, as in a
    /// header.
    pub const fn is_short(&self) -> bool {
        self.seen.end - self.seen.start < SURE
    }

    /// Returns true for a value rather than a log or document.
    pub const fn is_value(&self) -> bool {
        self.seen.end - self.seen.start <= LONGEST
    }
}

fn reads_as_text(bytes: &[u8]) -> bool {
    let letters = bytes.iter().filter(|byte| **byte != 0).count();
    let common = |byte: u8| byte.is_ascii_alphanumeric() || b" .,:-_/".contains(&byte);
    let common = bytes.iter().filter(|byte| common(**byte)).count();
    common * 4 >= letters * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glyphs(pattern: &str) -> Vec<Glyph> {
        let glyph = |c| match c {
            'a' => Glyph::Printable { active: true },
            's' => Glyph::Printable { active: false },
            '0' => Glyph::Nul,
            _ => Glyph::Binary,
        };
        let mut glyphs: Vec<Glyph> = pattern.chars().map(glyph).collect();
        glyphs.resize(glyphs.len().next_multiple_of(LINE), Glyph::Binary);
        glyphs
    }

    fn found(pattern: &str) -> Vec<(usize, usize)> {
        let glyphs = glyphs(pattern);
        let found = texts(&glyphs, &vec![b'A'; glyphs.len()]);
        found.into_iter().map(|text| (text.seen.start, text.width)).collect()
    }

    #[test]
    fn text_has_its_declared_size() {
        assert_eq!(found("....aaaaaa0000000000...."), [(4, 16)]);
        assert_eq!(found("....aaaaaaa0...."), [(4, 8)]);
        assert_eq!(found("ssssssaa"), [(0, 8)]);
    }

    #[test]
    fn top_byte_of_a_float_is_not_text() {
        assert_eq!(found(".......aaaaaaaaa00000000.."), [(8, 16)]);
    }

    #[test]
    fn static_and_short_text_is_not_found() {
        assert_eq!(found("....ssssssss...."), []);
        assert_eq!(found("....aaa0...."), []);
    }
}
