//! Resolves names to segments. Commands that change something take exact names only; others also
//! take a unique prefix of a POSIX name.

use super::name::SegmentName;
use super::nearest::nearest;
use super::{Key, Kind, ObjectName, Segment, SegmentId, shell_quote};
use std::collections::HashMap;
use std::fmt::Write as _;

/// A name does not identify exactly one segment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    #[error("no segment named '{text}'{}", suggestion(.nearest))]
    Unknown {
        /// Safe to print.
        text: String,
        /// Similar names.
        nearest: Vec<SegmentId>,
    },
    /// The text after `key:` or `0x` is not a key.
    #[error("'{text}' is not a key: expected a number, as in key:1234 or 0x4d2")]
    NotAKey {
        /// Safe to print.
        text: String,
    },
    /// The key is 0, which every private segment has.
    #[error("'{text}': key 0 is IPC_PRIVATE, which names no segment. Use the shmid (sysv:SHMID)")]
    PrivateKey {
        /// Safe to print.
        text: String,
    },
    /// No segment has this shmid, but one has this key, or vice versa.
    #[error("{}", other_number(*.number, *.is_key, .segment))]
    OtherNumber {
        number: u32,
        /// The number was given as a key, but is a shmid.
        is_key: bool,
        segment: SegmentId,
    },
    /// Several segments have this key or prefix.
    #[error("'{text}' matches {} segments: {}. Use the full name of one of them", .candidates.len(), join(.candidates))]
    Ambiguous {
        /// Safe to print.
        text: String,
        candidates: Vec<SegmentId>,
    },
    /// The name of a segment is also a file name in `/dev/shm`.
    #[error("'{text}' could mean {}. {remedy}", meanings.join(" or "))]
    TwoMeanings {
        /// Safe to print.
        text: String,
        /// Each meaning in an unambiguous form.
        meanings: Vec<String>,
        /// Advice on naming one of the segments.
        remedy: String,
    },
    /// Several unlinked objects had this name, and no segment has it now.
    #[error(
        "'{text}' is the former name of {} unlinked segments: {}. Use the id of one of them",
        .candidates.len(), listed(.candidates)
    )]
    FormerNames {
        /// Safe to print.
        text: String,
        /// Descriptions of the segments.
        candidates: Vec<String>,
    },
    /// A command that changes something got a former name.
    #[error(
        "no segment named '{text}': it was unlinked and is now {}. Only commands that read take former names; \
         the memory is freed when the last holder detaches. `shmlens info {}` shows more",
        listed(.candidates), shell_quote(.name)
    )]
    Unlinked {
        /// Safe to print.
        text: String,
        /// The raw bytes that the user typed.
        name: Vec<u8>,
        /// Descriptions of the unlinked segments that had the name.
        candidates: Vec<String>,
    },
    /// `--kind` contradicts the form of the name.
    #[error("'{text}' is not the name of a {} segment", kind.name())]
    NotOfKind {
        /// Safe to print.
        text: String,
        kind: Kind,
    },
}

/// Names that an error lists.
pub(super) const MAX_LISTED: usize = 8;

fn join(ids: &[SegmentId]) -> String {
    listed(&ids.iter().map(SegmentId::short).collect::<Vec<_>>())
}

/// Joins the first few strings for a message.
#[must_use]
pub fn listed(texts: &[String]) -> String {
    let mut text = texts.iter().take(MAX_LISTED).cloned().collect::<Vec<_>>().join(", ");
    if texts.len() > MAX_LISTED {
        let _ = write!(text, " and {} more", texts.len() - MAX_LISTED);
    }
    text
}

fn suggestion(nearest: &[SegmentId]) -> String {
    if nearest.is_empty() {
        ". Run `shmlens list` to see all segments".to_owned()
    } else {
        format!("; did you mean {}?", join(nearest))
    }
}

fn other_number(number: u32, is_key: bool, segment: &SegmentId) -> String {
    let hexadecimal = Key(number);
    let id = segment.short();
    if is_key {
        format!("no segment with key {number} ({hexadecimal}); shmid {number} exists: use {id}")
    } else {
        format!("no segment with shmid {number}; key {number} ({hexadecimal}) is {id}: use key:{number}")
    }
}

/// Finds the segment whose key is the given shmid, or whose shmid is the given key: both are plain
/// numbers, and `ipcs` lists them side by side.
fn find_by_other_number(name: &SegmentName<'_>, segments: &[Segment]) -> Option<ResolveError> {
    let (number, is_key) = match (name.key(), name.number()) {
        (Some(key), _) => (key.0, true),
        (None, number) => (number?, false),
    };
    let found = segments.iter().find(|segment| match (&segment.id, segment.sysv()) {
        (SegmentId::Sysv(shmid), Some(_)) if is_key => u32::try_from(shmid.0) == Ok(number),
        (_, Some(facts)) => !is_key && !facts.key.is_private() && facts.key.0 == number,
        _ => false,
    })?;
    Some(ResolveError::OtherNumber { number, is_key, segment: found.id.clone() })
}

/// Returns the segment whose key is the number that names `found` as a shmid.
#[must_use]
pub fn other_meaning<'a>(
    name: &SegmentName<'_>,
    found: &Segment,
    segments: impl IntoIterator<Item = &'a Segment>,
) -> Option<String> {
    let number = name.plain_number()?;
    let mut segments = segments.into_iter();
    let other = segments.find(|segment| {
        segment.id != found.id && segment.sysv().is_some_and(|facts| facts.key.0 == number && number != 0)
    })?;
    let hexadecimal = Key(number);
    Some(format!(
        "{number} is taken as a shmid; as a key ({hexadecimal}) it is {}: use key:{number}",
        other.id
    ))
}

/// Parses a key: decimal, `0x` hexadecimal, or negative, as C programs print a `key_t`.
#[must_use]
pub fn parse_key(text: &str) -> Option<Key> {
    if text.contains('+') {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok().map(Key);
    }
    if let Ok(key) = text.parse::<u32>() {
        return Some(Key(key));
    }
    text.parse::<i32>().ok().map(|key| Key(key.cast_unsigned()))
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResolvedSegment<'a> {
    pub segment: &'a Segment,
    /// Set if the text is a proper prefix of the name.
    pub by_prefix: bool,
    /// Set if the text is the name before the segment was unlinked.
    pub by_former_name: bool,
}

/// Returns the unlinked objects that had this name.
fn unlinked_with_name<'a>(name: &SegmentName<'_>, segments: &'a [Segment]) -> Vec<&'a Segment> {
    let had_name =
        |segment: &&Segment| segment.former_name().is_some_and(|former| name.matches_former_name(former));
    segments.iter().filter(had_name).collect()
}

/// Describes segments: `deleted:1a:2f (64 KiB, ann, held by writer (4121))`.
fn descriptions(segments: &[&Segment]) -> Vec<String> {
    let text = |segment: &&Segment| {
        let holders = segment.holders.as_deref().unwrap_or_default();
        let held = match holders {
            [] => String::new(),
            [first, more @ ..] => {
                let more = if more.is_empty() { String::new() } else { format!(" +{}", more.len()) };
                format!(", held by {} ({}){more}", first.command_text(), first.pid)
            }
        };
        format!("{} ({}, {}{held})", segment.id, segment.size, segment.owner.user_text())
    };
    segments.iter().map(text).collect()
}

/// Returns the only unlinked object that had this name, if any.
fn only_unlinked_with_name<'a>(
    name: &SegmentName<'_>,
    segments: &'a [Segment],
) -> Result<Option<&'a Segment>, ResolveError> {
    match unlinked_with_name(name, segments).as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        many => Err(ResolveError::FormerNames { text: name.quoted(), candidates: descriptions(many) }),
    }
}

/// Finds a segment for a command that only reads: by its exact name, by the former name of an
/// unlinked object, or by a unique prefix of a POSIX name. Finds unlinked objects only if the
/// survey includes them.
pub fn resolve<'a>(
    name: &SegmentName<'_>,
    segments: &'a [Segment],
) -> Result<ResolvedSegment<'a>, ResolveError> {
    let (id, key) = (name.id(), name.key());
    let has_key = |segment: &Segment| key.is_some() && segment.sysv().map(|facts| facts.key) == key;
    let exact: Vec<&Segment> =
        segments.iter().filter(|segment| Some(&segment.id) == id.as_ref() || has_key(segment)).collect();
    if !exact.is_empty() {
        let segment = one(name, &exact, segments)?;
        return Ok(ResolvedSegment { segment, by_prefix: false, by_former_name: false });
    }
    if let Some(segment) = only_unlinked_with_name(name, segments)? {
        return Ok(ResolvedSegment { segment, by_prefix: false, by_former_name: true });
    }
    let found = starting_with(name, segments);
    Ok(ResolvedSegment { segment: one(name, &found, segments)?, by_prefix: true, by_former_name: false })
}

fn starting_with<'a>(name: &SegmentName<'_>, segments: &'a [Segment]) -> Vec<&'a Segment> {
    let starts =
        |object: &ObjectName| name.prefix().is_some_and(|prefix| object.as_bytes().starts_with(prefix));
    let listed = |segment: &&Segment| matches!(&segment.id, SegmentId::Posix(object) if starts(object));
    segments.iter().filter(listed).collect()
}

/// An index of exact names, for commands that change many segments.
pub struct ExactNames<'a> {
    segments: &'a [Segment],
    by_id: HashMap<&'a SegmentId, &'a Segment>,
    by_key: HashMap<Key, Vec<&'a Segment>>,
}

impl<'a> ExactNames<'a> {
    #[must_use]
    pub fn new(segments: &'a [Segment]) -> Self {
        let by_id = segments.iter().map(|segment| (&segment.id, segment)).collect();
        let mut by_key: HashMap<Key, Vec<&Segment>> = HashMap::new();
        for segment in segments {
            if let Some(facts) = segment.sysv().filter(|facts| !facts.key.is_private()) {
                by_key.entry(facts.key).or_default().push(segment);
            }
        }
        Self { segments, by_id, by_key }
    }

    /// Returns the segments that a plain number names as a key.
    pub fn with_plain_key(&self, name: &SegmentName<'_>) -> &[&'a Segment] {
        name.plain_number().and_then(|number| self.by_key.get(&Key(number))).map_or(&[], Vec::as_slice)
    }

    /// Finds the segment with exactly this name. Fails if the text could also mean another object,
    /// even if no segment has the name.
    pub fn resolve(&self, name: &SegmentName<'_>) -> Result<&'a Segment, ResolveError> {
        self.resolve_unless(name, |_| false)
    }

    /// Like [`ExactNames::resolve`]. `exists` reports files that are not segments, such as FIFOs,
    /// which `*` in a shell matches too.
    pub fn resolve_unless(
        &self,
        name: &SegmentName<'_>,
        exists: impl Fn(&ObjectName) -> bool,
    ) -> Result<&'a Segment, ResolveError> {
        let mut found: Vec<&Segment> =
            name.id().and_then(|id| self.by_id.get(&id).copied()).into_iter().collect();
        found.extend(name.key().and_then(|key| self.by_key.get(&key)).into_iter().flatten());
        let mut others = name.others();
        others.retain(|other| self.by_id.contains_key(&SegmentId::Posix(other.clone())) || exists(other));
        if !others.is_empty() {
            return Err(name.ambiguous_with(&found, &others));
        }
        let former = if found.is_empty() { unlinked_with_name(name, self.segments) } else { vec![] };
        if !former.is_empty() {
            let candidates = descriptions(&former);
            return Err(ResolveError::Unlinked {
                text: name.quoted(),
                name: name.text().to_vec(),
                candidates,
            });
        }
        one(name, &found, self.segments)
    }

    /// Like [`ExactNames::resolve`], but for a command that only reads: also accepts the former
    /// name of an unlinked object, if only one had it.
    pub fn resolve_to_read(
        &self,
        name: &SegmentName<'_>,
        exists: impl Fn(&ObjectName) -> bool,
    ) -> Result<&'a Segment, ResolveError> {
        match self.resolve_unless(name, exists) {
            Err(error @ ResolveError::Unlinked { .. }) => {
                only_unlinked_with_name(name, self.segments)?.ok_or(error)
            }
            found => found,
        }
    }

    /// Returns true if resolving the name requires a scan of the holders: no listed object has it,
    /// but an unlinked object may have had it.
    #[must_use]
    pub fn may_be_unlinked(&self, name: &SegmentName<'_>) -> bool {
        name.is_former()
            || matches!(name.id(), Some(id @ (SegmentId::Posix(_) | SegmentId::Deleted { .. })) if !self.by_id.contains_key(&id))
    }
}

fn one<'a>(
    name: &SegmentName<'_>,
    found: &[&'a Segment],
    segments: &'a [Segment],
) -> Result<&'a Segment, ResolveError> {
    let text = || name.quoted();
    match (found, name.kind()) {
        ([one], _) => Ok(one),
        ([], Some(kind))
            if name.invalid_key().is_none()
                && !name.is_former()
                && !name.is_private_key()
                && name.id().is_none()
                && name.key().is_none() =>
        {
            Err(ResolveError::NotOfKind { text: text(), kind })
        }
        ([], _) if name.invalid_key().is_some() => Err(ResolveError::NotAKey { text: text() }),
        ([], _) if name.is_private_key() => Err(ResolveError::PrivateKey { text: text() }),
        ([], _) if starting_with(name, segments).len() > 1 => {
            let candidates = starting_with(name, segments).into_iter().map(|one| one.id.clone()).collect();
            Err(ResolveError::Ambiguous { text: text(), candidates })
        }
        ([], _) => Err(find_by_other_number(name, segments)
            .unwrap_or_else(|| ResolveError::Unknown { text: text(), nearest: nearest(name, segments) })),
        (many, _) => {
            let candidates = many.iter().map(|segment| segment.id.clone()).collect();
            Err(ResolveError::Ambiguous { text: text(), candidates })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{ShmId, example};

    fn example_segments() -> Vec<Segment> {
        let mut segments = vec![example::sysv(), example::posix()];
        for name in ["camera0", "camera", "dir/one", "1234", r"odd\name"] {
            segments.push(example::posix_named(name.as_bytes()));
        }
        let mut other = example::sysv();
        other.id = SegmentId::Sysv(ShmId(1234));
        if let crate::segment::Facts::Sysv(facts) = &mut other.facts {
            facts.key = Key(0xdead_beef);
        }
        segments.push(other);
        segments
    }

    fn found(text: &str, segments: &[Segment]) -> Result<String, ResolveError> {
        resolve(&SegmentName::read(text, None), segments).map(|found| found.segment.id.to_string())
    }

    #[test]
    fn names_parse_in_every_form() {
        let segments = example_segments();
        for (text, id) in [
            ("sysv:32770", "sysv:32770"),
            ("32770", "sysv:32770"),
            ("1234", "sysv:1234"),
            ("0x4d2", "sysv:32770"),
            ("0x000004d2", "sysv:32770"),
            ("key:1234", "sysv:32770"),
            ("key:0x4d2", "sysv:32770"),
            ("key:-559038737", "sysv:1234"),
            ("posix:/psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("/psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("/dev/shm/psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("psm_1f09ab2c", "posix:/psm_1f09ab2c"),
            ("psm", "posix:/psm_1f09ab2c"),
            ("camera", "posix:/camera"),
            ("dir/one", "posix:/dir/one"),
            ("dir/", "posix:/dir/one"),
            ("/1234", "posix:/1234"),
            ("posix:/1234", "posix:/1234"),
            ("posix:1234", "posix:/1234"),
            ("sysv:1234", "sysv:1234"),
            (r"odd\name", r"posix:/odd\x5cname"),
            (r"odd\x5cname", r"posix:/odd\x5cname"),
        ] {
            assert_eq!(found(text, &segments).as_deref(), Ok(id), "{text}");
        }
    }

    #[test]
    fn full_form_is_never_a_bare_name_or_a_prefix() {
        let names =
            ["9", "9x", "0x9", "0x9abc", "key:9", "key:99", "sysv:9", "sysv:99", "posix:9", "posix:99"];
        let names = [&names[..], &["deleted:9:9", "deleted:9:99", "state-evil", "0x", "key:"]].concat();
        let segments: Vec<Segment> = names.iter().map(|name| example::posix_named(name.as_bytes())).collect();
        for text in [
            "9",
            "0x9",
            "0X9",
            "0x",
            "key:9",
            "key:",
            "sysv:9",
            "sysv:",
            "posix:9",
            "posix:/9z",
            "deleted:9:9",
            "/state",
            "posix:/state",
            "posix:state",
            "/dev/shm/state",
            "posix:",
            "/",
        ] {
            if text != "posix:9" {
                let error = found(text, &segments);
                let expected = match text {
                    "0x" | "key:" => matches!(error, Err(ResolveError::NotAKey { .. })),
                    _ => matches!(error, Err(ResolveError::Unknown { .. })),
                };
                assert!(expected, "{text}: {error:?}");
            }
            let exact = ExactNames::new(&segments).resolve(&SegmentName::read(text, None));
            assert!(exact.is_err(), "{text}: {exact:?}");
        }
        // With a slash, the name can only mean that object.
        assert_eq!(found("posix:9", &segments).as_deref(), Ok("posix:/9"));
    }

    #[test]
    fn exact_names_take_every_full_form() {
        let segments = example_segments();
        let names = ExactNames::new(&segments);
        let exact = |text: &str, kind| {
            names.resolve(&SegmentName::read(text, kind)).map(|segment| segment.id.to_string())
        };
        for text in ["sysv:32770", "32770", "0x4d2", "key:1234", "/camera", "camera0", "posix:/1234"] {
            assert_eq!(exact(text, None), found(text, &segments), "{text}");
        }
        for text in ["psm", "/p", "posix:/psm"] {
            let error = exact(text, None).unwrap_err().to_string();
            assert!(error.contains("did you mean /psm_1f09ab2c?"), "{error}");
        }
        assert!(exact("", None).is_err() && exact("/", None).is_err());
        assert_eq!(exact("1234", Some(Kind::Sysv)).as_deref(), Ok("sysv:1234"));
        assert_eq!(exact("1234", Some(Kind::Posix)).as_deref(), Ok("posix:/1234"));
        let error = exact("/camera", Some(Kind::Sysv)).unwrap_err().to_string();
        assert!(error.contains("'/camera' is not the name of a System V segment"), "{error}");
    }

    #[test]
    fn text_with_two_meanings_changes_nothing() {
        let mut segments = example_segments();
        for name in
            ["sysv:32770", "0x4d2", "key:7", "posix:camera", r"a\x41", "dev/shm/camera", "deleted:1:2"]
        {
            segments.push(example::posix_named(name.as_bytes()));
        }
        let names = ExactNames::new(&segments);
        for (text, meanings, remedy) in [
            ("1234", "sysv:1234 or /1234", "--kind sysv or --kind posix"),
            ("sysv:32770", "sysv:32770 or /sysv:32770", "--kind sysv or --kind posix"),
            ("0x4d2", "sysv:32770 (key 0x000004d2) or /0x4d2", "--kind sysv or --kind posix"),
            ("key:7", "key 0x00000007 (does not exist) or /key:7", "--kind sysv or --kind posix"),
            ("deleted:1:2", "deleted:1:2 (does not exist) or /deleted:1:2", "--kind deleted or --kind posix"),
            ("posix:camera", "/camera or /posix:camera", "full name"),
            ("/dev/shm/camera", "/camera or posix:/dev/shm/camera", "full name"),
            (r"a\x41", r"/aA (does not exist) or /a\x5cx41", "full name"),
        ] {
            let error = names.resolve(&SegmentName::read(text, None)).unwrap_err().to_string();
            assert!(error.contains(&format!("could mean {meanings}. ")) && error.contains(remedy), "{error}");
        }
        // Files that are not segments make a name ambiguous, too.
        let is_fifo = |name: &ObjectName| name.to_string() == "/9";
        let error = names.resolve_unless(&SegmentName::read("9", None), is_fifo).unwrap_err();
        assert!(matches!(error, ResolveError::TwoMeanings { .. }), "{error}");
    }

    #[test]
    fn number_of_the_other_kind_is_explained() {
        let mut segments = example_segments();
        segments.retain(|segment| segment.id != SegmentId::Sysv(ShmId(1234)));
        let as_key = "key 1234 (0x000004d2) is sysv:32770: use key:1234";
        let as_shmid = "no segment with key 32770 (0x00008002); shmid 32770 exists: use sysv:32770";
        for text in ["1234", "sysv:1234"] {
            let expected = format!("no segment with shmid 1234; {as_key}");
            assert_eq!(found(text, &segments).unwrap_err().to_string(), expected);
            let exact = ExactNames::new(&segments[..2]).resolve(&SegmentName::read(text, Some(Kind::Sysv)));
            assert_eq!(exact.unwrap_err().to_string(), expected);
        }
        for text in ["key:32770", "0x8002"] {
            assert_eq!(found(text, &segments).unwrap_err().to_string(), as_shmid);
        }
        // This number is too large for a shmid. Key 0 is `IPC_PRIVATE`, which many segments have.
        if let crate::segment::Facts::Sysv(facts) = &mut segments[0].facts {
            facts.key = Key(0xdead_beef);
        }
        let error = found("3735928559", &segments).unwrap_err().to_string();
        assert!(error.ends_with("is sysv:32770: use key:3735928559"), "{error}");
        if let crate::segment::Facts::Sysv(facts) = &mut segments[0].facts {
            facts.key = Key(0);
        }
        assert!(matches!(found("0", &segments), Err(ResolveError::Unknown { .. })));
        // A POSIX name is not a number.
        assert!(matches!(found("/1235", &segments), Err(ResolveError::Unknown { .. })));
    }

    #[test]
    fn ambiguous_name_lists_the_candidates() {
        let mut segments = example_segments();
        segments.push(example::sysv());
        for (text, count) in [("cam", 2), ("0x4d2", 2), ("sysv:32770", 2)] {
            match found(text, &segments) {
                Err(ResolveError::Ambiguous { candidates, .. }) => {
                    assert_eq!(candidates.len(), count, "{text}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_name_lists_the_nearest() {
        let segments = example_segments();
        for (text, nearest) in [
            ("/camrea0", "/camera0"),
            ("/cam", "/camera, /camera0"),
            ("/dev/shm/cam", "/camera, /camera0"),
            ("sysv:32771", "sysv:32770"),
            ("#32770", "sysv:32770"),
            ("key:1233", "sysv:32770"),
            ("0x4d3", "sysv:32770"),
            ("1243", "sysv:1234"),
        ] {
            let error = found(text, &segments).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean {nearest}")), "{error}");
        }
        // Numbers that differ in more than two digits are not suggested.
        for text in ["5", "sysv:7", "key:1", "0x77", "key:99999999", "1243567890"] {
            let error = found(text, &segments).unwrap_err().to_string();
            assert!(error.ends_with(". Run `shmlens list` to see all segments"), "{error}");
        }
        let error = found("\x1b[2J", &segments).unwrap_err().to_string();
        assert!(!error.contains('\x1b') && error.contains("shmlens list"), "{error}");
        assert!(found("", &segments).is_err());
        assert!(found("/", &segments).is_err());
    }

    #[test]
    fn former_name_matches_only_if_unused() {
        let mut segments = example_segments();
        segments.extend([example::unlinked(7, b"psm_old"), example::unlinked(8, b"camera")]);
        for (text, id) in [
            ("psm_old", "deleted:1a:7"),
            ("/psm_old", "deleted:1a:7"),
            ("posix:psm_old", "deleted:1a:7"),
            ("/dev/shm/psm_old", "deleted:1a:7"),
            ("deleted:1a:8", "deleted:1a:8"),
            // An existing object is preferred, and prefixes match only existing objects.
            ("camera", "posix:/camera"),
            ("psm", "posix:/psm_1f09ab2c"),
        ] {
            assert_eq!(found(text, &segments).as_deref(), Ok(id), "{text}");
        }
        segments.push(example::unlinked(9, b"psm_old"));
        let error = found("psm_old", &segments).unwrap_err().to_string();
        assert!(
            error.contains("2 unlinked segments: deleted:1a:7 (4.0 KiB, ann), deleted:1a:9 (4.0 KiB, ann)"),
            "{error}"
        );
    }

    #[test]
    fn only_a_command_that_reads_takes_a_former_name() {
        let mut segments = example_segments();
        segments.push(example::unlinked(7, b"old"));
        let exact = ExactNames::new(&segments);
        let name = SegmentName::read("/old", None);
        assert!(matches!(exact.resolve(&name), Err(ResolveError::Unlinked { .. })));
        let read = exact.resolve_to_read(&name, |_| false).map(|segment| segment.id.to_string());
        assert_eq!(read.as_deref(), Ok("deleted:1a:7"));
    }

    #[test]
    fn only_unlisted_names_require_a_scan() {
        let segments = example_segments();
        let exact = ExactNames::new(&segments);
        for (text, asks) in [
            ("/camera", false),
            ("camera", false),
            ("sysv:32770", false),
            ("sysv:1", false),
            ("1", false),
            ("0x77", false),
            ("", false),
            ("/gone", true),
            ("came", true),
            ("deleted:1a:7", true),
        ] {
            assert_eq!(exact.may_be_unlinked(&SegmentName::read(text, None)), asks, "{text}");
        }
    }
}
