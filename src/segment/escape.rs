//! Text form of names: every byte string has exactly one printable form, and that form can be typed
//! back.
//!
//! The creator of a segment chooses the name freely, so unescaped names could move the cursor of a
//! terminal, reverse text or hide something.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters that are invisible although Unicode does not classify them as format characters.
const INVISIBLE: [(char, char); 11] = [
    ('\u{034f}', '\u{034f}'),   // combining grapheme joiner
    ('\u{061c}', '\u{061c}'),   // Arabic letter mark
    ('\u{115f}', '\u{1160}'),   // Hangul fillers
    ('\u{17b4}', '\u{17b5}'),   // Khmer inherent vowels
    ('\u{180b}', '\u{180f}'),   // Mongolian variation selectors
    ('\u{200b}', '\u{200f}'),   // zero width space to right-to-left mark
    ('\u{2800}', '\u{2800}'),   // the empty Braille pattern
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{fe00}', '\u{fe0f}'),   // variation selectors
    ('\u{ffa0}', '\u{ffa0}'),   // halfwidth Hangul filler
    ('\u{e0100}', '\u{e01ef}'), // variation selectors, supplement
];

/// Returns true if a character can be displayed without escaping.
pub(super) fn is_plain(c: char) -> bool {
    if c == '\\' {
        return false;
    }
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    if INVISIBLE.iter().any(|&(from, to)| (from..=to).contains(&c)) {
        return false;
    }
    // The standard library escapes control, format, private, unassigned and separator characters.
    // It escapes a combining mark only at the start, so put a letter before it.
    let mut pair = [0u8; 5];
    pair[0] = b'a';
    let width = c.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..=width]).is_ok_and(|text| text.escape_debug().count() == 2)
}

/// Returns the only text form of a name: backslashes and bytes that cannot be displayed become
/// `\xNN`.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    escape_unless(bytes, is_plain)
}

/// Quotes text for a message. Like [`escape`], but keeps backslashes as typed. [`unescape`] decodes
/// both forms.
#[must_use]
pub fn quote(bytes: &[u8]) -> String {
    escape_unless(bytes, |c| c == '\\' || is_plain(c))
}

/// Converts bytes to text and escapes all characters that `is_plain` rejects.
fn escape_unless(bytes: &[u8], is_plain: impl Fn(char) -> bool) -> String {
    // Nearly all names are printable ASCII, and a machine may have thousands.
    if bytes.iter().all(|&byte| matches!(byte, b' '..=b'~') && byte != b'\\')
        && let Ok(plain) = std::str::from_utf8(bytes)
    {
        return plain.to_owned();
    }
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_plain(c) {
                out.push(c);
            } else {
                let mut utf8 = [0u8; 4];
                push_escaped(&mut out, c.encode_utf8(&mut utf8).as_bytes());
            }
        }
        push_escaped(&mut out, chunk.invalid());
    }
    out
}

fn push_escaped(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// Decodes a text form. A backslash that does not start `\xNN` is literal, so that names typed by
/// hand need no escaping.
#[must_use]
pub fn unescape(text: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = text.as_ref();
    let mut out = Vec::with_capacity(bytes.len());
    let mut offset = 0;
    while offset < bytes.len() {
        if let Some(byte) = escaped_byte(&bytes[offset..]) {
            out.push(byte);
            offset += 4;
        } else {
            out.push(bytes[offset]);
            offset += 1;
        }
    }
    out
}

fn escaped_byte(bytes: &[u8]) -> Option<u8> {
    let digits = bytes.strip_prefix(b"\\x")?.get(..2)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Converts escaped text to text for JSON, which has its own escapes for backslashes and control
/// characters. Bytes that are not UTF-8 and deceptive characters stay `\xNN`.
#[must_use]
pub fn json_text(escaped: &str) -> Cow<'_, str> {
    if !escaped.contains('\\') {
        return Cow::Borrowed(escaped);
    }
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = match escaped_byte(rest.as_bytes()) {
            Some(byte) if byte < 0x7f => (byte, 4),
            _ => (b'\\', 1),
        };
        text.push(c.into());
        rest = &rest[length..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Converts text to ASCII: every other character becomes its escaped bytes, which [`unescape`] can
/// decode.
#[must_use]
pub fn in_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(2 * text.len());
    for c in text.chars() {
        if c.is_ascii() {
            plain.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(plain, "\\x{byte:02x}");
            }
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_are_unchanged() {
        for name in ["psm_1f09ab2c", "dir/name", "Größe", "カメラ 0", "e\u{301}te\u{301}"] {
            assert_eq!(escape(name.as_bytes()), name);
        }
    }

    #[test]
    fn json_text_keeps_only_the_escapes_that_json_has_not() {
        assert_eq!(json_text(&escape(b"C:\\new\n\x1b\"")), "C:\\new\n\x1b\"");
        assert_eq!(json_text(&escape(b"\xff\x7f")), r"\xff\x7f");
        assert_eq!(json_text(&escape("\u{202e}a".as_bytes())), r"\xe2\x80\xaea");
        assert_eq!(json_text(r"\u{d800}"), r"\u{d800}");
        assert_eq!(json_text(&escape(br"\x41")), r"\x41");
    }

    #[test]
    fn deceptive_characters_are_escaped() {
        assert_eq!(escape(b"a\x1b[2Jb"), r"a\x1b[2Jb");
        assert_eq!(escape(b"a\nb\x7f"), r"a\x0ab\x7f");
        assert_eq!(escape(b"\xff\xfe"), r"\xff\xfe");
        assert_eq!(escape(br"a\x41"), r"a\x5cx41");
        for hidden in [
            "\u{202e}", "\u{2066}", "\u{200b}", "\u{feff}", "\u{ad}", "\u{a0}", "\u{85}", "\u{fe0f}",
            "\u{e000}", "\u{2028}", "\u{3164}",
        ] {
            let text = escape(format!("a{hidden}b").as_bytes());
            assert!(text.is_ascii(), "{hidden:?} came out as {text:?}");
        }
    }

    #[test]
    fn backslash_without_an_escape_is_literal() {
        assert_eq!(unescape(r"a\b\x4"), br"a\b\x4");
        assert_eq!(unescape(r"\x4z\x+1"), br"\x4z\x+1");
    }

    proptest! {
        #[test]
        fn text_form_is_one_to_one(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = escape(&name);
            prop_assert_eq!(unescape(&text), name);
            prop_assert!(!text.chars().any(char::is_control));
        }

        #[test]
        fn quoted_bytes_mean_the_same_name(name in proptest::collection::vec(any::<u8>(), 0..64)) {
            let text = quote(&name);
            prop_assert_eq!(unescape(&text), unescape(&name));
            prop_assert!(!text.chars().any(char::is_control));
        }

        #[test]
        fn text_form_is_one_to_one_for_unicode(name in "\\PC*|.*") {
            prop_assert_eq!(unescape(escape(name.as_bytes())), name.as_bytes());
        }
    }
}
