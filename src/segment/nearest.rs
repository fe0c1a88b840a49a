//! Suggestions for a name that does not exist.

use super::name::SegmentName;
use super::resolve::{LISTED, parse_key};
use super::{Key, Kind, Segment, SegmentId, unescape};

/// Names similar to one that does not exist, best first.
pub(super) fn nearest(name: &SegmentName<'_>, segments: &[Segment]) -> Vec<SegmentId> {
    let text = &String::from_utf8_lossy(name.text());
    let mut ids = by_prefix(&unescape(name.text()), segments);
    for id in by_spelling(text, segments) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    if let Some(kind) = name.kind() {
        ids.retain(|id| {
            matches!((id, kind), (SegmentId::Sysv(_), Kind::Sysv) | (SegmentId::Posix(_), Kind::Posix))
        });
    }
    ids.truncate(LISTED);
    ids
}

/// Names that begin with these bytes, so many that one more says "and more".
fn by_prefix(start: &[u8], segments: &[Segment]) -> Vec<SegmentId> {
    let start = start.strip_prefix(b"posix:").unwrap_or(start);
    let start = start.strip_prefix(b"/dev/shm/").or_else(|| start.strip_prefix(b"/")).unwrap_or(start);
    if start.is_empty() {
        return vec![];
    }
    let fits = |segment: &&Segment| matches!(&segment.id, SegmentId::Posix(name) if name.as_bytes().starts_with(start));
    let mut ids: Vec<SegmentId> = segments.iter().filter(fits).map(|segment| segment.id.clone()).collect();
    ids.sort();
    ids.truncate(LISTED);
    ids
}

/// Names with the smallest edit distance, or the nearest numbers.
fn by_spelling(text: &str, segments: &[Segment]) -> Vec<SegmentId> {
    if text.starts_with("key:") || text.starts_with("0x") {
        return nearest_numbers(text, segments);
    }
    let wanted = bare(text);
    // A distance takes time with the product of both lengths, and a name has
    // up to 255 letters: among thousands, a long text is compared by its start.
    let wanted: String = wanted.chars().take(40).collect();
    let limit = wanted.chars().count() / 3 + 1;
    let mut scored: Vec<(usize, &SegmentId)> = segments
        .iter()
        .filter_map(|segment| {
            let label = match &segment.id {
                SegmentId::Sysv(shmid) => shmid.to_string(),
                SegmentId::Posix(name) => bare(&name.to_string()),
                SegmentId::Deleted { .. } => bare(&segment.id.to_string()),
            };
            let label: String = label.chars().take(48).collect();
            let distance =
                if wanted.len() > 2 && label.contains(&wanted) { 1 } else { distance(&wanted, &label) };
            (distance <= limit).then_some((distance, &segment.id))
        })
        .collect();
    scored.sort();
    if scored.is_empty() {
        return nearest_numbers(text, segments);
    }
    scored.into_iter().take(5).map(|(_, id)| id.clone()).collect()
}

/// The System V segments whose key or shmid is closest to a number.
fn nearest_numbers(text: &str, segments: &[Segment]) -> Vec<SegmentId> {
    let is_key = text.starts_with("key:") || text.starts_with("0x");
    let bare = text.trim_start_matches("sysv:").trim_start_matches("key:").trim_start_matches('#');
    let Some(Key(wanted)) = parse_key(bare) else { return vec![] };
    let mut scored: Vec<(u32, &SegmentId)> = segments
        .iter()
        .filter_map(|segment| match &segment.id {
            SegmentId::Sysv(shmid) => {
                let key = segment.sysv().map_or(u32::MAX, |facts| facts.key.0.abs_diff(wanted));
                let shmid = shmid.0.unsigned_abs().abs_diff(wanted);
                Some((if is_key { key } else { key.min(shmid) }, &segment.id))
            }
            SegmentId::Posix(_) | SegmentId::Deleted { .. } => None,
        })
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, id)| id.clone()).collect()
}

fn bare(text: &str) -> String {
    let text = text.split_once(':').map_or(text, |(_, rest)| rest);
    text.trim_start_matches(['/', '#']).to_lowercase()
}

/// The Levenshtein distance of two texts.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
