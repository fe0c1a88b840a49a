//! Formats library messages for the screen: short names, and messages that start with a capital
//! letter.

use crate::segment::{Kind, Segment, SegmentId};

/// First words that are names and stay lower case.
const NAMES: [&str; 2] = ["shmlens", "nattch"];
/// Past participles that results start with. The name of the segment follows: `removed; …` becomes
/// `Removed /x; …`.
const PARTICIPLES: [&str; 7] = ["removed", "locked", "unlocked", "created", "restored", "saved", "detached"];
/// The prefix of POSIX objects in their full form.
const POSIX: &str = "posix:";

/// The name of a segment on screen: `/psm_1f09`, `sysv:3`.
pub fn name_of(id: &SegmentId) -> String {
    match id {
        SegmentId::Posix(name) => name.to_string(),
        id => id.to_string(),
    }
}

/// The name of a segment in lists. Like [`name_of`], but shows a removed object by its former name.
pub fn label_of(segment: &Segment) -> String {
    match segment.kind() {
        Kind::Sysv => segment.id.to_string(),
        Kind::Posix | Kind::Deleted => segment.label(),
    }
}

/// Returns a library message for the screen. Capitalizes the first letter unless the message starts
/// with an identifier, a path or a process name.
pub fn sentence(text: &str) -> String {
    let text = short_names(text);
    if starts_with_name(&text) {
        return text;
    }
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Returns a result with the name of its segment: `Removed /psm_1f09`,
/// `sysv:3: mode 0644 → 0600`.
pub fn result(name: &str, text: &str) -> String {
    let name = short_names(name);
    for participle in PARTICIPLES {
        match text.strip_prefix(participle) {
            // `restored as sysv:5` already names the segment.
            Some(rest) if rest.starts_with(" as ") => return sentence(text),
            Some(rest) if !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                return sentence(&format!("{participle} {name}{}", short_names(rest)));
            }
            _ => {}
        }
    }
    sentence(&with_name(&name, text))
}

/// Prepends the segment name to a message that does not mention it.
pub fn with_name(name: &str, text: &str) -> String {
    let (name, text) = (short_names(name), short_names(text));
    if mentions(&text, &name) { text } else { format!("{name}: {text}") }
}

/// Returns true if the text contains the name as a whole word: `/a` is not in `/ab`.
fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '/';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part))
}

/// Shortens `posix:/name` to `/name` at the start of words.
pub fn short_names(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(POSIX) {
        let (before, after) = (&rest[..at], &rest[at + POSIX.len()..]);
        short.push_str(before);
        let starts_word = !short.ends_with(|c: char| c.is_alphanumeric() || "/_-.:\\".contains(c));
        if !(starts_word && after.starts_with('/')) {
            short.push_str(POSIX);
        }
        rest = after;
    }
    short.push_str(rest);
    short
}

fn starts_with_name(text: &str) -> bool {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let word = first.trim_end_matches([',', ':', ';', '.', '?']);
    let is_word = word.chars().all(|c| c.is_ascii_lowercase() || "-'".contains(c));
    // A process is followed by its pid: `writer (pid 4121)`, `writer (4121)`.
    let is_process = rest
        .strip_prefix('(')
        .is_some_and(|rest| rest.starts_with("pid ") || rest.starts_with(|c: char| c.is_ascii_digit()));
    !is_word || is_process || NAMES.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_start_with_a_capital_unless_they_start_with_a_name() {
        for (text, shown) in [
            ("failed to lock sysv:3: no memory", "Failed to lock sysv:3: no memory"),
            ("in use: attached twice", "In use: attached twice"),
            ("read-only", "Read-only"),
            ("sysv:3 is gone", "sysv:3 is gone"),
            ("posix:/a is gone", "/a is gone"),
            ("failed to remove posix:/a: busy", "Failed to remove /a: busy"),
            ("deleted:8:1f is gone", "deleted:8:1f is gone"),
            ("/a/posix:/b is gone", "/a/posix:/b is gone"),
            ("writer (pid 4121) exited", "writer (pid 4121) exited"),
            ("grabber (4121) exited", "grabber (4121) exited"),
            ("shmlens is busy", "shmlens is busy"),
            ("'x' is not a key", "'x' is not a key"),
            ("0x4d2 is taken", "0x4d2 is taken"),
            ("", ""),
        ] {
            assert_eq!(sentence(text), shown);
        }
    }

    #[test]
    fn result_names_its_segment_once() {
        for (name, text, shown) in [
            ("posix:/a", "removed", "Removed /a"),
            ("/a", "removed; 24 MiB freed later", "Removed /a; 24 MiB freed later"),
            ("sysv:5", "created with key 0x4d2: 1.0 MiB", "Created sysv:5 with key 0x4d2: 1.0 MiB"),
            ("sysv:5", "restored as sysv:5", "Restored as sysv:5"),
            ("sysv:3", "mode 0644 → 0600", "sysv:3: mode 0644 → 0600"),
            ("/a", "removed_it", "/a: removed_it"),
            ("/a", "failed to remove /ab", "/a: failed to remove /ab"),
            ("/a", "failed to remove posix:/a", "Failed to remove /a"),
        ] {
            assert_eq!(result(name, text), shown);
        }
    }
}
