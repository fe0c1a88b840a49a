//! Parses the names that users give to segments.
//!
//! A full form (`sysv:…`, `key:…`, a number, a leading `/`, …) has only that meaning. A file in
//! `/dev/shm` may have the same text as its name, so commands that change something also check for
//! other meanings.

use super::id::{digits, path_below_dev_shm};
use super::resolve::{ResolveError, parse_key};
use super::{DELETED_MARK, Key, Kind, ObjectName, Segment, SegmentId, ShmId, quote, unescape};

/// A name as given on the command line, in raw bytes.
#[derive(Debug, Clone)]
pub struct SegmentName<'a> {
    text: &'a [u8],
    kind: Option<Kind>,
    form: Form,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// A full id, a shmid, or a POSIX name with a slash.
    Id(SegmentId),
    Key(Key),
    /// A bare word: a POSIX name or a prefix of one, unescaped.
    Word(Vec<u8>),
    /// Only the former name of an unlinked object.
    Former(ObjectName),
    /// An invalid name: the rest of a full form is invalid, or the kind differs from the requested
    /// one.
    Invalid,
}

impl Form {
    fn read(text: &[u8]) -> Self {
        let starts = |prefix: &[u8]| text.starts_with(prefix);
        if starts(b"sysv:") || starts(b"posix:") || starts(b"deleted:") {
            return SegmentId::from_bytes(text).map_or(Self::Invalid, Self::Id);
        }
        if starts(b"/") {
            return ObjectName::from_text(text)
                .map_or(Self::Invalid, |name| Self::Id(SegmentId::Posix(name)));
        }
        if starts(b"key:") || starts(b"0x") || starts(b"0X") {
            let key =
                std::str::from_utf8(text.strip_prefix(b"key:").unwrap_or(text)).ok().and_then(parse_key);
            return key.map_or(Self::Invalid, Self::Key);
        }
        if !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
            let shmid = digits(text, 10).and_then(|id| i32::try_from(id).ok());
            return shmid.map_or(Self::Invalid, |id| Self::Id(SegmentId::Sysv(ShmId(id))));
        }
        Self::word(text)
    }

    fn word(text: &[u8]) -> Self {
        Self::Word(unescape(text))
    }

    const fn kind(&self) -> Option<Kind> {
        match self {
            Self::Id(SegmentId::Sysv(_)) | Self::Key(_) => Some(Kind::Sysv),
            Self::Id(SegmentId::Posix(_)) | Self::Word(_) => Some(Kind::Posix),
            Self::Id(SegmentId::Deleted { .. }) | Self::Former(_) => Some(Kind::Deleted),
            Self::Invalid => None,
        }
    }
}

impl<'a> SegmentName<'a> {
    /// Parses a name. With a `kind`, it refers only to segments of that kind: `sysv:9` with kind
    /// POSIX is the object `/sysv:9`.
    #[must_use]
    pub fn read<T: AsRef<[u8]> + ?Sized>(text: &'a T, kind: Option<Kind>) -> Self {
        let text = text.as_ref();
        let form = Form::read(text);
        let is_posix_form = text.starts_with(b"posix:") || text.starts_with(b"/");
        let form = match kind {
            Some(Kind::Posix) if !is_posix_form => Form::word(text),
            Some(Kind::Deleted) if form.kind() == Some(Kind::Posix) => {
                ObjectName::from_text(text.strip_prefix(b"posix:").unwrap_or(text))
                    .map_or(Form::Invalid, Form::Former)
            }
            Some(kind) if form.kind() != Some(kind) => Form::Invalid,
            _ => form,
        };
        Self { text, kind, form }
    }

    #[must_use]
    pub fn quoted(&self) -> String {
        quote(self.text)
    }

    pub(super) const fn text(&self) -> &[u8] {
        self.text
    }

    pub(super) const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Returns the POSIX object with exactly this name.
    #[must_use]
    pub fn object(&self) -> Option<ObjectName> {
        match self.id()? {
            SegmentId::Posix(name) => Some(name),
            SegmentId::Sysv(_) | SegmentId::Deleted { .. } => None,
        }
    }

    /// Returns the id that the name spells out. A key is not an id.
    #[must_use]
    pub fn id(&self) -> Option<SegmentId> {
        match &self.form {
            Form::Id(id) => Some(id.clone()),
            Form::Word(word) if !word.starts_with(b"/") => ObjectName::new(word).map(SegmentId::Posix),
            Form::Word(_) | Form::Key(_) | Form::Former(_) | Form::Invalid => None,
        }
    }

    /// Returns true if the name refers to an unlinked object with this former name, provided that
    /// no segment has the name now. The table adds a suffix to former names.
    #[must_use]
    pub fn matches_former_name(&self, former: &ObjectName) -> bool {
        let object = match &self.form {
            Form::Former(name) => Some(name.clone()),
            _ => self.object(),
        };
        object.is_some_and(|object| {
            let bare = object.as_bytes().strip_suffix(DELETED_MARK.as_bytes());
            object == *former || bare == Some(former.as_bytes())
        })
    }

    /// Returns true if the name can only be a former name.
    pub(super) const fn is_former(&self) -> bool {
        matches!(self.form, Form::Former(_))
    }

    /// Returns the invalid part of a malformed key such as `key:zz` or `0xzz`.
    pub(super) fn invalid_key(&self) -> Option<&[u8]> {
        let key =
            self.text.strip_prefix(b"key:").or_else(|| self.text.starts_with(b"0x").then_some(self.text))?;
        (self.form == Form::Invalid && self.kind != Some(Kind::Posix)).then_some(key)
    }

    /// Returns true for the key of private segments, which identifies no segment.
    pub(super) fn is_private_key(&self) -> bool {
        matches!(self.form, Form::Key(key) if key.is_private())
    }

    /// Returns the key, unless it is `IPC_PRIVATE` (0), which identifies no segment.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        match self.form {
            Form::Key(key) if !key.is_private() => Some(key),
            _ => None,
        }
    }

    /// Returns the number in `1234` or `sysv:1234`, even if it is too large for a shmid.
    pub(super) fn number(&self) -> Option<u32> {
        let text = self.text.strip_prefix(b"sysv:").unwrap_or(self.text);
        let is_number = matches!(self.form, Form::Id(SegmentId::Sysv(_)) | Form::Invalid)
            && !matches!(self.kind, Some(Kind::Posix | Kind::Deleted));
        digits(text, 10).filter(|_| is_number).and_then(|number| u32::try_from(number).ok())
    }

    /// Returns the number if the text is all digits.
    pub(super) fn plain_number(&self) -> Option<u32> {
        self.number().filter(|_| self.text.iter().all(u8::is_ascii_digit))
    }

    /// Returns the name as a prefix of POSIX names, if it can be one.
    pub(super) fn prefix(&self) -> Option<&[u8]> {
        match &self.form {
            Form::Word(word) if !word.is_empty() => Some(word),
            _ => None,
        }
    }

    /// Returns other objects that the text would mean in a shell if they existed: the file
    /// `/dev/shm/sysv:0` for `sysv:0`, or one with a backslash in its name for `a\x41`.
    #[must_use]
    pub fn others(&self) -> Vec<ObjectName> {
        if self.form == Form::Invalid || matches!(self.kind, Some(Kind::Sysv | Kind::Deleted)) {
            return vec![];
        }
        let names = match path_below_dev_shm(self.text) {
            Some(path) => vec![ObjectName::new(path), ObjectName::new(&unescape(self.text))],
            None if self.text.starts_with(b"/") => vec![],
            None => vec![ObjectName::new(self.text)],
        };
        let this = self.object();
        let mut others: Vec<ObjectName> =
            names.into_iter().flatten().filter(|name| Some(name) != this.as_ref()).collect();
        others.dedup();
        others
    }

    /// Returns the error for a name that could mean `found` or one of `others`.
    pub(super) fn ambiguous_with(&self, found: &[&Segment], others: &[ObjectName]) -> ResolveError {
        let missing = if found.is_empty() { " (does not exist)" } else { "" };
        let first = match (&self.form, found) {
            (Form::Key(key), [one]) => format!("{} (key {key})", one.id),
            (Form::Key(key), _) => format!("key {key}{missing}"),
            _ => format!("{}{missing}", self.id().map(|id| id.short()).unwrap_or_default()),
        };
        let files = others.iter().map(|name| SegmentId::Posix(name.clone()).short());
        let meanings: Vec<String> = std::iter::once(first).chain(files).collect();
        let remedy = match self.form.kind() {
            Some(kind @ (Kind::Sysv | Kind::Deleted)) => {
                format!("Choose with --kind {} or --kind posix", kind.keyword())
            }
            _ => "Use the full name of one of them".to_owned(),
        };
        ResolveError::TwoMeanings { text: self.quoted(), meanings, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str, kind: Option<Kind>) -> Option<String> {
        SegmentName::read(text, kind).id().map(|id| id.to_string())
    }

    #[test]
    fn kind_overrides_the_full_form() {
        for (text, kind, meaning) in [
            ("9", Kind::Sysv, Some("sysv:9")),
            ("9", Kind::Posix, Some("posix:/9")),
            ("sysv:9", Kind::Sysv, Some("sysv:9")),
            ("sysv:9", Kind::Posix, Some("posix:/sysv:9")),
            ("0x4d2", Kind::Posix, Some("posix:/0x4d2")),
            ("key:1", Kind::Posix, Some("posix:/key:1")),
            ("deleted:1:2", Kind::Posix, Some("posix:/deleted:1:2")),
            ("deleted:1:2", Kind::Deleted, Some("deleted:1:2")),
            ("/a", Kind::Posix, Some("posix:/a")),
            ("posix:a", Kind::Posix, Some("posix:/a")),
            ("a", Kind::Posix, Some("posix:/a")),
            ("a", Kind::Sysv, None),
            ("/a", Kind::Sysv, None),
            ("posix:/a", Kind::Deleted, None),
        ] {
            assert_eq!(id(text, Some(kind)).as_deref(), meaning, "{text} as {kind:?}");
        }
        assert_eq!(SegmentName::read("key:1", Some(Kind::Sysv)).key(), Some(Key(1)));
    }

    #[test]
    fn full_form_lists_files_with_the_same_text() {
        let others = |text: &str, kind| {
            let names = SegmentName::read(text, kind).others();
            names.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        for (text, other) in [
            ("0", "/0"),
            ("0x4d2", "/0x4d2"),
            ("key:1", "/key:1"),
            ("sysv:0", "/sysv:0"),
            ("deleted:1:2", "/deleted:1:2"),
            ("posix:a", "/posix:a"),
            ("posix:/a", "/posix:/a"),
            ("/dev/shm/a", "/dev/shm/a"),
            (r"a\x41", r"/a\x5cx41"),
        ] {
            assert_eq!(others(text, None), [other], "{text}");
        }
        assert_eq!(others(r"/dev/shm/\x41", None), [r"/\x5cx41", "/dev/shm/A"]);
        for text in ["a", "/a", r"/a\x41", "dir/a", r"a\b"] {
            assert!(others(text, None).is_empty(), "{text}");
        }
        for kind in [Kind::Sysv, Kind::Posix] {
            assert!(others("sysv:0", Some(kind)).is_empty());
        }
    }

    #[test]
    fn raw_byte_and_its_escape_are_the_same_name() {
        let raw = SegmentName::read(b"caf\xe9", None);
        assert_eq!(raw.object(), SegmentName::read(r"caf\xe9", None).object());
        assert_eq!(raw.quoted(), r"caf\xe9");
        assert!(raw.others().is_empty());
    }

    #[test]
    fn sign_and_zero_key_are_rejected() {
        for text in ["+9", "sysv:+9", "key:+9", "0x+9", "key:0", "0x0", "99999999999"] {
            let name = SegmentName::read(text, Some(Kind::Sysv));
            assert!(name.id().is_none() && name.key().is_none(), "{text}");
        }
    }
}
