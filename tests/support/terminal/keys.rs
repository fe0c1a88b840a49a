//! Keys by name, as xterm sends them.

/// Encodes input: plain characters, and names of keys in `<…>`.
#[track_caller]
pub fn bytes(keys: &str) -> Vec<u8> {
    let mut bytes = vec![];
    let mut rest = keys;
    while let Some((plain, named)) = rest.split_once('<') {
        bytes.extend_from_slice(plain.as_bytes());
        let (name, after) = named.split_once('>').unwrap_or_else(|| panic!("'<{named}' has no end"));
        bytes.extend(key(name).unwrap_or_else(|| panic!("there is no key <{name}>")));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn key(name: &str) -> Option<Vec<u8>> {
    if let Some(letter) = name.strip_prefix("C-").filter(|letter| letter.len() == 1) {
        return Some(vec![letter.as_bytes()[0] & 0x1f]);
    }
    if let Some(letter) = name.strip_prefix("A-") {
        return Some(format!("\x1b{letter}").into_bytes());
    }
    let sequence = match name {
        "Enter" => "\r",
        "Esc" => "\x1b",
        "Tab" => "\t",
        "S-Tab" => "\x1b[Z",
        "Space" => " ",
        "Backspace" => "\x7f",
        "lt" => "<",
        "Up" => "\x1b[A",
        "Down" => "\x1b[B",
        "Right" => "\x1b[C",
        "Left" => "\x1b[D",
        "Home" => "\x1b[H",
        "End" => "\x1b[F",
        "Insert" => "\x1b[2~",
        "Delete" => "\x1b[3~",
        "PgUp" => "\x1b[5~",
        "PgDn" => "\x1b[6~",
        "F1" => "\x1bOP",
        "F5" => "\x1b[15~",
        "F10" => "\x1b[21~",
        _ => return None,
    };
    Some(sequence.as_bytes().to_vec())
}

#[test]
fn keys_have_names() {
    assert_eq!(bytes("a<Enter>ä<C-c><Up>"), "a\rä\x03\x1b[A".as_bytes());
    assert_eq!(bytes("<A-x><lt><C-z>"), b"\x1bx<\x1a");
}

#[test]
#[should_panic(expected = "no key <Bogus>")]
fn unknown_key_name_is_rejected() {
    bytes("<Bogus>");
}
