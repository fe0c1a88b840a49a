//! Suggestions for a misspelled name.

use super::name::SegmentName;
use super::resolve::{MAX_LISTED, parse_key};
use super::{Key, Kind, Segment, SegmentId, unescape};
use strsim::levenshtein;

/// Returns names similar to one that does not exist, best first.
pub(super) fn nearest(name: &SegmentName<'_>, segments: &[Segment]) -> Vec<SegmentId> {
    let text = &String::from_utf8_lossy(name.text());
    let mut ids = names_with_prefix(&unescape(name.text()), segments);
    for id in names_by_spelling(text, segments) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if let Some(kind) = name.kind() {
        ids.retain(|id| {
            matches!((id, kind), (SegmentId::Sysv(_), Kind::Sysv) | (SegmentId::Posix(_), Kind::Posix))
        });
    }
    ids.truncate(MAX_LISTED);
    ids
}

/// Returns names with this prefix, up to the limit of a message.
fn names_with_prefix(start: &[u8], segments: &[Segment]) -> Vec<SegmentId> {
    let start = start.strip_prefix(b"posix:").unwrap_or(start);
    let start = start.strip_prefix(b"/dev/shm/").or_else(|| start.strip_prefix(b"/")).unwrap_or(start);
    if start.is_empty() {
        return vec![];
    }
    let starts_with_text = |segment: &&Segment| matches!(&segment.id, SegmentId::Posix(name) if name.as_bytes().starts_with(start));
    let mut ids: Vec<SegmentId> =
        segments.iter().filter(starts_with_text).map(|segment| segment.id.clone()).collect();
    ids.sort();
    ids.truncate(MAX_LISTED);
    ids
}

/// Returns the names with the smallest edit distance. A number is compared with shmids and keys
/// digit by digit, in decimal or hexadecimal, because the numeric difference is meaningless.
fn names_by_spelling(text: &str, segments: &[Segment]) -> Vec<SegmentId> {
    let wanted = bare(text);
    let (number, is_hex) = (parse_key(&wanted), wanted.starts_with("0x"));
    let is_key = text.starts_with("key:") || is_hex;
    let written = |key: Key| if is_hex { format!("{:#x}", key.0) } else { key.0.to_string() };
    // The edit distance takes time proportional to both lengths. Names have up to 255 characters,
    // and there may be thousands of them, so only the start is compared.
    let wanted: String = number.map_or(wanted, written).chars().take(40).collect();
    let limit = wanted.chars().count() / 3 + 1;
    let limit = if number.is_some() { limit.min(2) } else { limit };
    let distance_to = |label: String| {
        let label: String = label.chars().take(48).collect();
        let is_part = number.is_none() && wanted.len() > 2 && label.contains(&wanted);
        if is_part { 1 } else { levenshtein(&wanted, &label) }
    };
    let mut scored: Vec<(usize, &SegmentId)> = segments
        .iter()
        .filter_map(|segment| {
            let label = match &segment.id {
                SegmentId::Sysv(shmid) => (!is_key).then(|| shmid.to_string()),
                SegmentId::Posix(name) => Some(bare(&name.to_string())),
                SegmentId::Deleted { .. } => Some(bare(&segment.id.to_string())),
            };
            let key =
                segment.sysv().map(|facts| facts.key).filter(|key| number.is_some() && !key.is_private());
            let distance = label.into_iter().chain(key.map(written)).map(distance_to).min()?;
            (distance <= limit).then_some((distance, &segment.id))
        })
        .collect();
    scored.sort();
    scored.into_iter().take(5).map(|(_, id)| id.clone()).collect()
}

/// Returns the word that `text` most likely misspells.
pub fn nearest_word<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (text.len() / 3).max(2);
    let length = text.chars().count();
    // The edit distance takes time proportional to both lengths, and is at least their difference.
    let similar = words.into_iter().filter(|word| word.chars().count().abs_diff(length) <= limit);
    let scored = similar.map(|word| (levenshtein(text, word), word));
    let near = scored.filter(|(distance, _)| *distance <= limit);
    near.min_by_key(|(distance, _)| *distance).map(|(_, word)| word)
}

fn bare(text: &str) -> String {
    let text = text.split_once(':').map_or(text, |(_, rest)| rest);
    text.trim_start_matches(['/', '#']).to_lowercase()
}
