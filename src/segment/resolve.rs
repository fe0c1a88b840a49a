//! From what a person types to a segment: the full id, a shmid, a key, a name,
//! or a unique beginning of one.

use super::{Key, ObjectName, Segment, SegmentId, ShmId, escape, unescape};
use std::collections::HashMap;

/// Why a text names no one segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nothing fits.
    #[error("no segment is called '{}'{}", escape(.text.as_bytes()), nearest_text(.nearest))]
    Unknown {
        /// What was given.
        text: String,
        /// What comes nearest to it.
        nearest: Vec<SegmentId>,
    },
    /// More than one fits.
    #[error("'{}' fits {} segments: {}. Give the full name of one",
        escape(.text.as_bytes()), .candidates.len(), join(.candidates))]
    Ambiguous {
        /// What was given.
        text: String,
        /// What it fits.
        candidates: Vec<SegmentId>,
    },
}

/// How many names an error lists.
const LISTED: usize = 8;

fn join(ids: &[SegmentId]) -> String {
    let mut text = ids.iter().take(LISTED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if ids.len() > LISTED {
        text.push_str(", …");
    }
    text
}

fn nearest_text(nearest: &[SegmentId]) -> String {
    if nearest.is_empty() {
        "; `shmlens list` shows all there are".to_owned()
    } else {
        format!("; the nearest: {}", join(nearest))
    }
}

/// Reads a key: decimal, `0x` hexadecimal, or negative as C programs print a
/// `key_t`.
#[must_use]
pub fn parse_key(text: &str) -> Option<Key> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok().map(Key);
    }
    if let Ok(key) = text.parse::<u32>() {
        return Some(Key(key));
    }
    text.parse::<i32>().ok().map(|key| Key(key.cast_unsigned()))
}

/// Finds the one segment that `text` names: an exact name beats a beginning.
///
/// # Errors
/// When nothing fits, or more than one does.
pub fn resolve<'a>(text: &str, segments: &'a [Segment]) -> Result<&'a Segment, ResolveError> {
    let exact = exact(text, segments);
    let found = if exact.is_empty() { beginning(text, segments) } else { exact };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(ResolveError::Unknown { text: text.to_owned(), nearest: nearest(text, segments) }),
        many => Err(ResolveError::Ambiguous {
            text: text.to_owned(),
            candidates: many.iter().map(|segment| segment.id.clone()).collect(),
        }),
    }
}

/// All that are called exactly so. `1234` may be a shmid and a POSIX name.
fn exact<'a>(text: &str, segments: &'a [Segment]) -> Vec<&'a Segment> {
    if let Ok(id) = text.parse::<SegmentId>() {
        let found: Vec<_> = segments.iter().filter(|segment| segment.id == id).collect();
        if !found.is_empty() {
            return found;
        }
        // An object may be called `posix:x`, as odd as that is.
    }
    let Forms { shmid, key, name } = Forms::read(text);
    segments
        .iter()
        .filter(|segment| match &segment.id {
            SegmentId::Sysv(id) => {
                shmid == Some(*id)
                    || key.is_some_and(|key| segment.sysv().is_some_and(|facts| facts.key == key))
            }
            SegmentId::Posix(object) => Some(object) == name.as_ref(),
            SegmentId::Deleted { .. } => false,
        })
        .collect()
}

/// What a text that is no full id can be the exact name of. `1234` may be a
/// shmid and a POSIX name.
struct Forms {
    shmid: Option<ShmId>,
    key: Option<Key>,
    name: Option<ObjectName>,
}

impl Forms {
    fn read(text: &str) -> Self {
        let key = match text.strip_prefix("key:") {
            Some(key) => parse_key(key),
            None if text.starts_with("0x") || text.starts_with("0X") => parse_key(text),
            None => None,
        };
        let digits = text.strip_prefix('#').unwrap_or(text);
        let number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let shmid = number.then(|| digits.parse().ok().map(ShmId)).flatten();
        Self { shmid, key, name: ObjectName::new(&unescape(text)) }
    }
}

/// Finds many segments by their exact names, for what changes something: the
/// beginning of a name does not do there, since more may begin so by then.
pub struct ExactNames<'a> {
    segments: &'a [Segment],
    by_id: HashMap<&'a SegmentId, &'a Segment>,
    by_key: HashMap<Key, Vec<&'a Segment>>,
}

impl<'a> ExactNames<'a> {
    /// Takes these segments in.
    #[must_use]
    pub fn new(segments: &'a [Segment]) -> Self {
        let by_id = segments.iter().map(|segment| (&segment.id, segment)).collect();
        let mut by_key: HashMap<Key, Vec<&Segment>> = HashMap::new();
        for segment in segments {
            if let Some(facts) = segment.sysv() {
                by_key.entry(facts.key).or_default().push(segment);
            }
        }
        Self { segments, by_id, by_key }
    }

    /// Finds the one that is called exactly so.
    ///
    /// # Errors
    /// When nothing is, or more than one segment.
    pub fn resolve(&self, text: &str) -> Result<&'a Segment, ResolveError> {
        if let Some(found) = text.parse().ok().and_then(|id: SegmentId| self.by_id.get(&id)) {
            return Ok(found);
        }
        let Forms { shmid, key, name } = Forms::read(text);
        let ids = [shmid.map(SegmentId::Sysv), name.map(SegmentId::Posix)];
        let mut found: Vec<&Segment> =
            ids.iter().flatten().filter_map(|id| self.by_id.get(id).copied()).collect();
        found.extend(key.and_then(|key| self.by_key.get(&key)).into_iter().flatten());
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let mut nearest = nearest(text, self.segments);
                nearest.extend(beginning(text, self.segments).into_iter().map(|segment| segment.id.clone()));
                nearest.sort();
                nearest.dedup();
                Err(ResolveError::Unknown { text: text.to_owned(), nearest })
            }
            many => Err(ResolveError::Ambiguous {
                text: text.to_owned(),
                candidates: many.iter().map(|segment| segment.id.clone()).collect(),
            }),
        }
    }
}

/// All whose POSIX name, or full id, begins so.
fn beginning<'a>(text: &str, segments: &'a [Segment]) -> Vec<&'a Segment> {
    let bytes = unescape(text);
    let start = bytes.strip_prefix(b"/").unwrap_or(&bytes);
    if start.is_empty() {
        return vec![];
    }
    let short = |segment: &Segment| matches!(&segment.id, SegmentId::Posix(name) if name.as_bytes().starts_with(start));
    // A beginning of the full id, with the slash or without it.
    let full = |segment: &Segment| {
        let id = segment.id.to_string();
        let bare = text.strip_prefix("posix:").filter(|rest| !rest.starts_with('/'));
        id.starts_with(text) || bare.is_some_and(|rest| id.starts_with(&format!("posix:/{rest}")))
    };
    segments.iter().filter(|segment| short(segment) || full(segment)).collect()
}

/// The names that a person may have meant, the likeliest first.
fn nearest(text: &str, segments: &[Segment]) -> Vec<SegmentId> {
    if text.starts_with("key:") {
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

/// The System V segments whose key or shmid is, or comes nearest to, a number.
fn nearest_numbers(text: &str, segments: &[Segment]) -> Vec<SegmentId> {
    let bare = text.trim_start_matches("sysv:").trim_start_matches("key:").trim_start_matches('#');
    let Some(Key(wanted)) = parse_key(bare) else { return vec![] };
    let mut scored: Vec<(u32, &SegmentId)> = segments
        .iter()
        .filter_map(|segment| match &segment.id {
            SegmentId::Sysv(shmid) => {
                let key = segment.sysv().map_or(u32::MAX, |facts| facts.key.0.abs_diff(wanted));
                Some((key.min(shmid.0.unsigned_abs().abs_diff(wanted)), &segment.id))
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

/// Levenshtein's distance: insertions, deletions and replacements of a letter.
fn distance(a: &str, b: &str) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::example;

    fn world() -> Vec<Segment> {
        let mut segments = vec![example::sysv(), example::posix()];
        for name in ["camera0", "camera", "dir/one", "1234", r"odd\name"] {
            segments.push(example::posix_called(name.as_bytes()));
        }
        let mut other = example::sysv();
        other.id = SegmentId::Sysv(ShmId(1234));
        if let super::super::Facts::Sysv(facts) = &mut other.facts {
            facts.key = Key(0xdead_beef);
        }
        segments.push(other);
        segments
    }

    #[test]
    fn every_form_of_a_name() {
        let world = world();
        for (text, id) in [
            ("sysv:32770", "sysv:32770"),
            ("32770", "sysv:32770"),
            ("#32770", "sysv:32770"),
            ("0x4d2", "sysv:32770"),
            ("0x000004d2", "sysv:32770"),
            ("key:1234", "sysv:32770"),
            ("key:0x4d2", "sysv:32770"),
            ("key:-559038737", "sysv:1234"),
            ("posix:/psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("/psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("psm", "posix:/psm_1f09ab2c"),
            ("/p", "posix:/psm_1f09ab2c"),
            ("posix:/psm", "posix:/psm_1f09ab2c"),
            ("camera", "posix:/camera"),
            ("dir/one", "posix:/dir/one"),
            ("/1234", "posix:/1234"),
            ("posix:/1234", "posix:/1234"),
            ("sysv:1234", "sysv:1234"),
            (r"odd\name", r"posix:/odd\x5cname"),
            (r"odd\x5cname", r"posix:/odd\x5cname"),
        ] {
            assert_eq!(
                resolve(text, &world).map(|segment| segment.id.to_string()).as_deref(),
                Ok(id),
                "{text}"
            );
        }
    }

    #[test]
    fn an_exact_name_beats_a_beginning_even_when_it_looks_like_an_id() {
        let world = [example::posix_called(b"posix:x"), example::posix_called(b"xxxx")];
        assert_eq!(resolve("posix:x", &world).unwrap().id.to_string(), "posix:/posix:x");
        assert_eq!(resolve("posix:/xx", &world).unwrap().id.to_string(), "posix:/xxxx");
    }

    #[test]
    fn only_exact_names_do_for_what_changes_something() {
        let world = world();
        let names = ExactNames::new(&world);
        for text in
            ["sysv:32770", "32770", "#32770", "0x4d2", "key:1234", "/camera", "camera0", "posix:/1234"]
        {
            assert_eq!(names.resolve(text), resolve(text, &world), "{text}");
        }
        for text in ["psm", "/p", "posix:/psm"] {
            let error = names.resolve(text).unwrap_err().to_string();
            assert!(error.contains("nearest: posix:/psm_1f09ab2c"), "{error}");
        }
        assert!(matches!(names.resolve("1234"), Err(ResolveError::Ambiguous { .. })));
        assert!(names.resolve("").is_err() && names.resolve("/").is_err());
    }

    #[test]
    fn what_fits_several_lists_them() {
        let world = world();
        for (text, count) in [("1234", 2), ("cam", 2), ("sysv:", 2), ("posix:cam", 2), ("posix:", 6)] {
            match resolve(text, &world) {
                Err(ResolveError::Ambiguous { candidates, .. }) => {
                    assert_eq!(candidates.len(), count, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_fits_none_lists_the_nearest() {
        let world = world();
        let error = resolve("/camrea0", &world).unwrap_err().to_string();
        assert!(error.contains("posix:/camera0"), "{error}");
        let error = resolve("sysv:32771", &world).unwrap_err().to_string();
        assert!(error.contains("sysv:32770"), "{error}");
        let error = resolve("\x1b[2J", &world).unwrap_err().to_string();
        assert!(!error.contains('\x1b') && error.contains("shmlens list"), "{error}");
        // Numbers have no letters in common: the nearest keys and shmids are listed.
        let error = resolve("key:1233", &world).unwrap_err().to_string();
        assert!(error.contains("sysv:32770"), "{error}");
        assert!(resolve("", &world).is_err());
        assert!(resolve("/", &world).is_err());
    }
}
