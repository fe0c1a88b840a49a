//! The rules about which module may use which.

use super::source::{Use, uses};
use super::{Sources, room, rust};

/// The rooms. Up to `tui` each uses only those to its left; the last three
/// stand beside the row.
pub const ROOMS: [&str; 14] = [
    "segment", "sys", "machine", "survey", "memory", "decode", "identify", "act", "engine", "app", "tui",
    "config", "demo", "cli",
];

/// The modules of `app` that are its tables of actions and keys.
const TABLES: [&str; 3] = ["action", "key", "keymap"];

/// Every use of a room by one that may not use it.
pub fn wrong(sources: &Sources) -> Vec<String> {
    let mut wrong = vec![];
    for (path, text) in rust(sources) {
        let Some(from) = room(path) else { continue };
        for used in uses(text, &modules(path)) {
            if !allowed(from, &used) {
                wrong.push(format!("{path}:{}: {from} uses crate::{}", used.line, used.path.join("::")));
            }
        }
    }
    wrong
}

/// The modules that a source is in: `src/machine/real/posix.rs` is machine,
/// real, posix.
fn modules(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    path.trim_end_matches("/mod").split('/').collect()
}

fn allowed(from: &str, used: &Use) -> bool {
    let path: Vec<&str> = used.path.iter().map(String::as_str).collect();
    let Some(&to) = path.first() else { return false };
    if to == from {
        return true;
    }
    // Tests of any room may look at a fake machine.
    if used.in_tests && path.starts_with(&["machine", "fake"]) {
        return true;
    }
    match from {
        "cli" if to == "app" => path.get(1).is_some_and(|module| TABLES.contains(module)),
        "cli" => to != "tui" && ROOMS.contains(&to),
        "demo" => place(to) < place("act"),
        _ => place(to) < place(from),
    }
}

/// Where a room stands in the row. What is not in it stands right of all.
fn place(room: &str) -> usize {
    // It stands beside machine: neither may use the other.
    let room = if room == "config" { "machine" } else { room };
    ROOMS[..11].iter().position(|name| *name == room).unwrap_or(usize::MAX)
}
