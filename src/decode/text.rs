//! Text in memory.

use crate::segment::escape;

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

#[cfg(test)]
mod tests {
    use super::*;

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
