//! Formats bytes as text for pasting into other programs.

use crate::segment::escape;
use std::fmt::Write as _;

/// Formats for copying bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyFormat {
    /// `de ad be ef`.
    Hex,
    /// Printable characters, and `\xNN` for the rest.
    Text,
    /// A C array.
    C,
    /// A Python bytes literal.
    Python,
}

impl CopyFormat {
    /// In menu order.
    pub const ALL: [Self; 4] = [Self::Hex, Self::Text, Self::C, Self::Python];

    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hex => "hex",
            Self::Text => "text",
            Self::C => "C",
            Self::Python => "Python",
        }
    }
}

/// Formats bytes. `offset` is their position in the segment, for formats with comments.
#[must_use]
pub fn copy_as(bytes: &[u8], offset: u64, form: CopyFormat) -> String {
    match form {
        CopyFormat::Hex => joined(bytes, " ", |out, byte| write!(out, "{byte:02x}")),
        CopyFormat::Text => escape(bytes),
        CopyFormat::C => c_array(bytes, offset),
        CopyFormat::Python => python(bytes),
    }
}

fn joined(bytes: &[u8], between: &str, one: impl Fn(&mut String, u8) -> std::fmt::Result) -> String {
    let mut out = String::with_capacity(bytes.len() * 4);
    for (at, &byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        // Writing to a String cannot fail.
        let _ = one(&mut out, byte);
    }
    out
}

/// Formats twelve bytes per line, like `xxd -i`. C has no empty arrays.
fn c_array(bytes: &[u8], offset: u64) -> String {
    let place = format!("/* {} bytes at offset 0x{offset:x} */", bytes.len());
    if bytes.is_empty() {
        return place;
    }
    let lines: Vec<String> =
        bytes.chunks(12).map(|line| joined(line, ", ", |out, byte| write!(out, "0x{byte:02x}"))).collect();
    match lines.as_slice() {
        [line] => format!("const unsigned char data[] = {{{line}}}; {place}"),
        lines => format!("const unsigned char data[] = {{ {place}\n    {}\n}};", lines.join(",\n    ")),
    }
}

fn python(bytes: &[u8]) -> String {
    format!(
        "b\"{}\"",
        joined(bytes, "", |out, byte| match byte {
            b'"' | b'\\' => write!(out, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(out, "{}", char::from(byte)),
            _ => write!(out, "\\x{byte:02x}"),
        })
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_matches_its_example() {
        let bytes = b"\xff\xad a\"\\\n";
        assert_eq!(copy_as(bytes, 8, CopyFormat::Hex), "ff ad 20 61 22 5c 0a");
        assert_eq!(copy_as(bytes, 8, CopyFormat::Text), r#"\xff\xad a"\x5c\x0a"#);
        assert_eq!(
            copy_as(bytes, 8, CopyFormat::C),
            "const unsigned char data[] = {0xff, 0xad, 0x20, 0x61, 0x22, 0x5c, 0x0a}; /* 7 bytes at offset 0x8 */"
        );
        assert_eq!(copy_as(bytes, 8, CopyFormat::Python), r#"b"\xff\xad a\"\\\x0a""#);
    }

    #[test]
    fn long_arrays_are_split_into_lines() {
        assert_eq!(
            copy_as(&[7; 13], 0x10, CopyFormat::C),
            "const unsigned char data[] = { /* 13 bytes at offset 0x10 */\n    \
             0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07, 0x07,\n    0x07\n};"
        );
    }

    #[test]
    fn empty_input_is_valid_in_every_format() {
        let all = CopyFormat::ALL.map(|form| copy_as(b"", 0, form));
        assert_eq!(all, ["", "", "/* 0 bytes at offset 0x0 */", "b\"\""]);
    }
}
