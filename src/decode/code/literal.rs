//! Text of others in generated code: string literals and comments. Whatever the text is, it stays in
//! its literal or its line.

use std::fmt::Write as _;

/// Longer names are cut in comments.
pub const MAX_LENGTH: usize = 120;

/// Escapes a name for a comment on one line. The quotes keep a backslash or `??/` at its end from
/// joining the next line to the comment.
pub fn in_comment(name: &str) -> String {
    let mut text = String::from("'");
    for c in name.chars().take(MAX_LENGTH) {
        match c {
            '\\' | '*' | '/' | '?' | '\'' => drop(write!(text, "\\x{:02x}", u32::from(c))),
            ' '..='~' => text.push(c),
            _ => drop(write!(text, "\\u{{{:x}}}", u32::from(c))),
        }
    }
    text.push_str(if name.chars().count() > MAX_LENGTH { "...'" } else { "'" });
    text
}

/// A string literal of C++: octal escapes have a fixed length.
pub fn cpp_string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | b'?' => drop(write!(text, "\\{}", char::from(byte))),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "\\{byte:03o}")),
        }
    }
    text + "\""
}

/// A literal of bytes, in Rust and Python.
pub fn byte_string(bytes: &[u8]) -> String {
    let mut text = String::from("b\"");
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => drop(write!(text, "\\{}", char::from(byte))),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text + "\""
}

/// A string literal of Rust.
pub fn rust_string(text: &str) -> String {
    quoted(text, |code| format!("\\u{{{code:x}}}"))
}

/// The start of a format string of Rust, without its end.
pub fn rust_format(text: &str) -> String {
    rust_string(&text.replace('{', "{{").replace('}', "}}")).trim_end_matches('"').to_owned()
}

/// A string literal of Python.
pub fn python_string(text: &str) -> String {
    quoted(text, |code| format!("\\U{code:08x}"))
}

fn quoted(text: &str, escape: fn(u32) -> String) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => drop(write!(out, "\\{c}")),
            ' '..='~' => out.push(c),
            _ => out.push_str(&escape(c.into())),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_any_text() {
        assert_eq!(cpp_string(b"a\"\\?\n\xff1"), r#""a\"\\\?\012\3771""#);
        assert_eq!(byte_string(b"a\"\n\xff1"), r#"b"a\"\x0a\xff1""#);
        assert_eq!(python_string("a\"\\\n\u{e9}"), r#""a\"\\\U0000000a\U000000e9""#);
        assert_eq!(rust_string("a\"{\n\u{e9}"), r#""a\"{\u{a}\u{e9}""#);
        assert_eq!(rust_format("a{b}"), "\"a{{b}}");
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(in_comment("x\n*/\\"), r"'x\u{a}\x2a\x2f\x5c'");
    }
}
