//! Terminal modes that a program changed and did not restore.

use std::collections::BTreeMap;

/// Private modes that are set initially: autowrap and a visible cursor.
const ON_AT_FIRST: [u16; 2] = [7, 25];

/// Describes the modes that are still changed after the output.
pub fn left(raw: &[u8]) -> Vec<String> {
    let mut modes = BTreeMap::new();
    let mut keyboards = 0_i32;
    let mut rest = raw;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\x1b[") {
        rest = &rest[at + 2..];
        let length = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)).unwrap_or(rest.len());
        let parameters = String::from_utf8_lossy(&rest[..length]).into_owned();
        match (parameters.chars().next(), rest.get(length)) {
            (Some('?'), Some(&end @ (b'h' | b'l'))) => {
                for mode in parameters[1..].split(';').filter_map(|mode| mode.parse::<u16>().ok()) {
                    modes.insert(mode, end == b'h');
                }
            }
            (Some('>'), Some(b'u')) => keyboards += 1,
            (Some('<'), Some(b'u')) => keyboards -= 1,
            _ => {}
        }
    }
    let mut left: Vec<String> = modes
        .into_iter()
        .filter(|(mode, on)| ON_AT_FIRST.contains(mode) != *on)
        .map(|(mode, on)| format!("{} is {}", name(mode), if on { "still on" } else { "still off" }))
        .collect();
    if keyboards > 0 {
        left.push("the keyboard protocol is still changed".to_owned());
    }
    left
}

fn name(mode: u16) -> String {
    match mode {
        7 => "wrapping".to_owned(),
        25 => "the cursor".to_owned(),
        1000 | 1002 | 1003 | 1005 | 1006 | 1015 => format!("mouse capture ({mode})"),
        1004 => "reporting of focus".to_owned(),
        47 | 1047 | 1049 => "the alternate screen".to_owned(),
        2004 => "bracketed paste".to_owned(),
        2026 => "synchronized output".to_owned(),
        mode => format!("mode {mode}"),
    }
}

#[test]
fn modes_left_on_are_reported() {
    assert_eq!(left(b"\x1b[?1049h\x1b[?25l\x1b[31mtext\x1b[?25h\x1b[?1049l"), Vec::<String>::new());
    assert_eq!(
        left(b"\x1b[?1000;1006h\x1b[?25l\x1b[?1000l\x1b[>1u\x1b[?2004h"),
        [
            "the cursor is still off",
            "mouse capture (1006) is still on",
            "bracketed paste is still on",
            "the keyboard protocol is still changed"
        ]
    );
}
