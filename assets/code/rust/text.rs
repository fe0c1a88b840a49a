// Functions of generated Rust programs that format characters and texts as `shmlens dump` does, whatever
// their bytes are. Each comes after those that it calls; a program has those that it needs.

//: escape
/// Escapes what a terminal does not show as it is, and bytes that are not UTF-8.
fn escape(bytes: &[u8], quote: char) -> String {
    let is_hidden = |c| {
        matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}')
            || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}')
            || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
    };
    let is_plain = |c: char| match c {
        '\\' => false,
        '"' | '\'' | ' '..='~' => c != quote,
        // A combining mark is only escaped at the start.
        _ => !is_hidden(c) && format!("a{c}").escape_debug().count() == 2,
    };
    let mut out = String::new();
    let push_escaped = |out: &mut String, bytes: &[u8]| {
        for byte in bytes {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_plain(c) {
                out.push(c);
            } else {
                push_escaped(&mut out, c.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        push_escaped(&mut out, chunk.invalid());
    }
    out
}

//: show_text
fn show_text(bytes: &[u8]) -> String {
    format!("\"{}\"", escape(bytes, '"'))
}

//: up_to_nul
fn up_to_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

//: stripped
/// Returns a text without the NULs at its end.
fn stripped(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)]
}

//: counted
/// Returns a text whose first byte is its length.
fn counted(bytes: &[u8]) -> &[u8] {
    &bytes[1..bytes.len().min(1 + usize::from(bytes[0]))]
}

//: escape_code
fn escape_code(code: u32, quote: char) -> String {
    match char::from_u32(code) {
        Some(c) => escape(c.encode_utf8(&mut [0; 4]).as_bytes(), quote),
        None => format!("\\u{{{code:x}}}"),
    }
}

//: codes_of
/// Returns the units of UTF-16 or UTF-32, with pairs of surrogates joined.
fn codes_of(bytes: &[u8], unit: usize, is_big: bool) -> Vec<u32> {
    let mut codes: Vec<u32> = vec![];
    for bytes in bytes.chunks_exact(unit) {
        let join = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        let code =
            if is_big { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) };
        match codes.last_mut() {
            Some(last @ 0xd800..=0xdbff) if unit == 2 && (0xdc00..=0xdfff).contains(&code) => {
                *last = 0x10000 + ((*last & 0x3ff) << 10 | code & 0x3ff);
            }
            _ => codes.push(code),
        }
    }
    codes
}

//: show_wide_text
fn show_wide_text(bytes: &[u8], unit: usize, is_big: bool) -> String {
    let codes = codes_of(bytes, unit, is_big).into_iter().take_while(|&code| code != 0);
    format!("\"{}\"", codes.map(|code| escape_code(code, '"')).collect::<String>())
}

//: show_stripped_text
fn show_stripped_text(bytes: &[u8], unit: usize, is_big: bool) -> String {
    let codes = codes_of(bytes, unit, is_big);
    let length = codes.iter().rposition(|&code| code != 0).map_or(0, |last| last + 1);
    format!("\"{}\"", codes[..length].iter().map(|&code| escape_code(code, '"')).collect::<String>())
}

//: show_character
fn show_character(byte: u8) -> String {
    format!("'{}'", escape(&[byte], '\''))
}

//: show_wide_character
fn show_wide_character(code: u32) -> String {
    format!("'{}'", escape_code(code, '\''))
}
