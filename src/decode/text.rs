//! Text in memory.

use super::ByteOrder;
use crate::segment::escape;
use std::fmt::Write as _;

/// Returns the text at the start of `bytes`, up to the first NUL, with unprintable bytes as `\xNN`.
/// `None` if it is empty.
#[must_use]
pub fn text_at(bytes: &[u8]) -> Option<String> {
    let text = until_nul(bytes);
    (!text.is_empty()).then(|| escape(text))
}

pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    memchr::memchr(0, bytes).map_or(bytes, |end| &bytes[..end])
}

/// Returns text in units of UTF-16 (`size` 2) or UTF-32 (`size` 4) up to the first NUL. Units that
/// are no characters appear as `\u{d800}`.
pub(super) fn wide_text(bytes: &[u8], size: usize, order: ByteOrder) -> String {
    let units = bytes.chunks_exact(size).map_while(|unit| {
        let code = match *unit {
            [a, b] => u16::from_ne_bytes(order.convert([a, b])).into(),
            [a, b, c, d] => u32::from_ne_bytes(order.convert([a, b, c, d])),
            _ => 0,
        };
        (code != 0).then_some(code)
    });
    let mut out = String::new();
    let mut push = |code| push_code(&mut out, code);
    if size == 2 {
        let units = units.map(|code| u16::try_from(code).unwrap_or(0));
        char::decode_utf16(units)
            .map(|c| c.map_err(|error| error.unpaired_surrogate().into()))
            .for_each(&mut push);
    } else {
        units.map(|code| char::from_u32(code).ok_or(code)).for_each(&mut push);
    }
    out
}

/// Returns text in UTF-32 without the NULs at its end.
pub(super) fn utf32_text(bytes: &[u8], order: ByteOrder) -> String {
    let units: Vec<u32> =
        bytes.as_chunks().0.iter().map(|&unit| u32::from_ne_bytes(order.convert(unit))).collect();
    let length = units.iter().rposition(|&code| code != 0).map_or(0, |last| last + 1);
    let mut out = String::new();
    for &code in &units[..length] {
        push_code(&mut out, char::from_u32(code).ok_or(code));
    }
    out
}

/// Appends a character, or the code of a unit that is none.
fn push_code(out: &mut String, code: Result<char, u32>) {
    match code {
        Ok(c) => out.push_str(&escape(c.encode_utf8(&mut [0; 4]).as_bytes())),
        Err(code) => drop(write!(out, "\\u{{{code:x}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_ends_at_the_nul() {
        let utf16: Vec<u8> = "Größe 𝄞\0x".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(wide_text(&utf16, 2, ByteOrder::Big), "Größe 𝄞");
        assert_eq!(wide_text(&[0, 0xd8, b'a', 0, 9], 2, ByteOrder::Little), r"\u{d800}a");
        assert_eq!(wide_text(&[b'a', 0, 0, 0, 0, 0, 0x11, 0], 4, ByteOrder::Little), r"a\u{110000}");
    }

    #[test]
    fn text_ends_at_the_nul() {
        assert_eq!(text_at(b"hello\0world").as_deref(), Some("hello"));
        assert_eq!(text_at(b"hello").as_deref(), Some("hello"));
        assert_eq!(text_at("Größe".as_bytes()).as_deref(), Some("Größe"));
        assert_eq!(text_at(b"\x1b[2J\xff\0").as_deref(), Some(r"\x1b[2J\xff"));
        assert_eq!(text_at(b"\0hello"), None);
        assert_eq!(text_at(b""), None);
    }
}
