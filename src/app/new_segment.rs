//! The form for a new segment.

use super::effect::Effect;
use super::overlay::Form;
use super::sentence::name_of;
use super::text_field::TextField;
use crate::act::{ModeChange, NewSegment, ParseModeError, Plan, Question, Source};
use crate::engine::Request;
use crate::machine::control::NewSysv;
use crate::segment::resolve::parse_key;
use crate::segment::{
    Bytes, Key, Kind, Mode, ObjectName, ParseSizeError, Segment, SegmentId, ShownError, escape, quote,
};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// The maximum length of a file name, in bytes: `NAME_MAX`, limits.h(0p).
const NAME_MAX: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewField {
    Kind,
    Name,
    Key,
    Size,
    Mode,
    From,
    Exclusive,
    Huge,
    NoReserve,
}

/// The state of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Editing,
    /// The user submitted the form: waiting for the plan.
    Planning,
    Applying,
}

#[derive(Debug, Clone)]
pub struct NewSegmentForm {
    pub kind: Kind,
    pub line: NewField,
    pub name: TextField,
    /// Empty for a private segment.
    pub key: TextField,
    /// Empty for the size of the source file.
    pub size: TextField,
    pub mode: TextField,
    /// Empty for no source file.
    pub from: TextField,
    /// If set, creation fails if the segment exists. Otherwise, the existing segment is selected.
    pub exclusive: bool,
    pub huge: bool,
    pub no_reserve: bool,
    /// `None` until the engine has answered.
    pub plan: Option<Result<Box<Plan>, ShownError>>,
    pub error: Option<String>,
    pub step: Step,
}

impl Default for NewSegmentForm {
    fn default() -> Self {
        Self {
            kind: Kind::Posix,
            line: NewField::Name,
            name: TextField::default(),
            key: TextField::default(),
            size: TextField::new("4K"),
            mode: TextField::new("0600"),
            from: TextField::default(),
            exclusive: true,
            huge: false,
            no_reserve: false,
            plan: None,
            error: None,
            step: Step::Editing,
        }
    }
}

/// The reason why a field is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("a name is required")]
    NoName,
    #[error("invalid name '{0}' for a POSIX segment")]
    Name(String),
    /// The length of a path component.
    #[error("name too long: {0} bytes, but at most {NAME_MAX} are allowed")]
    LongName(usize),
    #[error("invalid key '{0}': expected a 32-bit number, or 0x and hex digits")]
    Key(String),
    #[error("enter a size, or a file to copy from")]
    NoSize,
    #[error(transparent)]
    Size(#[from] ParseSizeError),
    #[error(transparent)]
    Mode(#[from] ParseModeError),
    #[error("invalid mode '{0}': expected 0000 to 0777")]
    LargeMode(Mode),
    #[error("key {0} is in use by {1}: choose another")]
    TakenKey(Key, SegmentId),
    #[error("{0} exists already: choose another name")]
    TakenName(String),
}

impl NewField {
    /// Returns true for an option, false for a text field.
    pub const fn is_option(self) -> bool {
        matches!(self, Self::Kind | Self::Exclusive | Self::Huge | Self::NoReserve)
    }
}

impl NewSegmentForm {
    /// The fields for the current kind, from top to bottom.
    pub const fn lines(&self) -> &'static [NewField] {
        use NewField::{Exclusive, From, Huge, Key, Kind, Mode, Name, NoReserve, Size};
        match self.kind {
            crate::segment::Kind::Sysv => &[Kind, Key, Size, Mode, From, Exclusive, Huge, NoReserve],
            crate::segment::Kind::Posix | crate::segment::Kind::Deleted => {
                &[Kind, Name, Size, Mode, From, Exclusive]
            }
        }
    }

    /// The question for the engine, or the first invalid field.
    pub fn question(&self) -> Result<Question, FieldError> {
        let from = self.from.text();
        let source = match from {
            "" => Source::Nothing,
            // Paths are taken literally, without escapes.
            path => Source::File(PathBuf::from(OsString::from_vec(path.as_bytes().to_vec()))),
        };
        let new = match self.kind {
            Kind::Sysv => {
                let key = self.key()?;
                let (size, mode) = (self.size()?, self.mode()?);
                let sysv = NewSysv { key, size, mode, huge: self.huge, no_reserve: self.no_reserve };
                NewSegment::Sysv(sysv, source)
            }
            Kind::Posix | Kind::Deleted => {
                let name = self.name()?;
                NewSegment::Posix { name, size: self.size()?, mode: self.mode()?, source }
            }
        };
        Ok(Question::New { new, sized_by_file: self.size_text().is_empty() })
    }

    fn key(&self) -> Result<Key, FieldError> {
        match self.key.text() {
            "" | "private" => Ok(Key(0)),
            text => parse_key(text).ok_or_else(|| FieldError::Key(escape(text.as_bytes()))),
        }
    }

    fn name(&self) -> Result<ObjectName, FieldError> {
        let text = self.name.text();
        if text.is_empty() {
            return Err(FieldError::NoName);
        }
        let name =
            ObjectName::from_text(text.as_bytes()).ok_or_else(|| FieldError::Name(quote(text.as_bytes())))?;
        let longest = name.as_bytes().split(|&byte| byte == b'/').map(<[u8]>::len).max();
        match longest {
            Some(bytes) if bytes > NAME_MAX => Err(FieldError::LongName(bytes)),
            _ => Ok(name),
        }
    }

    /// Returns the invalid fields with their errors. An empty required field is not an error yet.
    pub fn invalid_fields(&self, segments: &[Segment]) -> Vec<(NewField, FieldError)> {
        let check = |field: &NewField| {
            let reason = match field {
                NewField::Name if self.name.text().is_empty() => None,
                NewField::Name => self.name().err(),
                NewField::Key => self.key().err(),
                NewField::Size if self.size_text().is_empty() => None,
                NewField::Size => self.size().err(),
                NewField::Mode => self.mode().err(),
                _ => None,
            };
            let taken = || {
                let names = matches!(field, NewField::Name | NewField::Key) && self.exclusive;
                let segment = self.existing(segments).filter(|_| names)?;
                Some(match segment.sysv() {
                    Some(facts) => FieldError::TakenKey(facts.key, segment.id.clone()),
                    None => FieldError::TakenName(name_of(&segment.id)),
                })
            };
            Some((*field, reason.or_else(taken)?))
        };
        self.lines().iter().filter_map(check).collect()
    }

    /// The size to create. Defaults to the size of the source file.
    pub fn size_text(&self) -> &str {
        if self.size.edited || self.from.text().is_empty() { self.size.text() } else { "" }
    }

    fn size(&self) -> Result<Bytes, FieldError> {
        match (self.size_text(), self.from.text()) {
            ("", "") => Err(FieldError::NoSize),
            ("", _) => Ok(Bytes(0)),
            (text, _) => Ok(text.parse::<Bytes>()?),
        }
    }

    fn mode(&self) -> Result<Mode, FieldError> {
        let mode = self.mode.text().parse::<ModeChange>()?.apply(Mode::new(0));
        if mode.bits() > 0o777 {
            return Err(FieldError::LargeMode(mode));
        }
        Ok(mode)
    }

    /// The existing segment with this key or name.
    pub fn existing<'a>(&self, segments: &'a [Segment]) -> Option<&'a Segment> {
        match self.kind {
            Kind::Sysv => {
                let key = self.key().ok().filter(|key| !key.is_private())?;
                segments.iter().find(|segment| segment.sysv().is_some_and(|facts| facts.key == key))
            }
            Kind::Posix | Kind::Deleted => {
                let id = SegmentId::Posix(self.name().ok()?);
                segments.iter().find(|segment| segment.id == id)
            }
        }
    }
}

impl Form for NewSegmentForm {
    fn fields(&self) -> usize {
        self.lines().len()
    }

    fn focus_index(&self) -> usize {
        self.lines().iter().position(|line| *line == self.line).unwrap_or(0)
    }

    fn focus(&mut self, place: usize) {
        self.line = self.lines()[place];
    }

    fn text(&mut self) -> Option<&mut TextField> {
        match self.line {
            _ if self.step == Step::Applying => None,
            NewField::Name => Some(&mut self.name),
            NewField::Key => Some(&mut self.key),
            NewField::Size => Some(&mut self.size),
            NewField::Mode => Some(&mut self.mode),
            NewField::From => Some(&mut self.from),
            NewField::Kind | NewField::Exclusive | NewField::Huge | NewField::NoReserve => None,
        }
    }

    fn toggle(&mut self) -> bool {
        match self.line {
            NewField::Kind => {
                self.kind = match self.kind {
                    Kind::Sysv => Kind::Posix,
                    Kind::Posix | Kind::Deleted => Kind::Sysv,
                }
            }
            NewField::Exclusive => self.exclusive = !self.exclusive,
            NewField::Huge => self.huge = !self.huge,
            NewField::NoReserve => self.no_reserve = !self.no_reserve,
            _ => return false,
        }
        true
    }

    fn changed(&mut self, effects: &mut Vec<Effect>) {
        self.plan = None;
        self.error = None;
        self.step = Step::Editing;
        effects.extend(self.question().ok().map(|question| Request::Ask(question).into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::action::Action;
    use crate::app::overlay::form;
    use crate::segment::example;

    fn form(kind: Kind, key_or_name: &str) -> NewSegmentForm {
        let mut form = NewSegmentForm { kind, ..NewSegmentForm::default() };
        form.name.set(key_or_name);
        form.key.set(key_or_name);
        form
    }

    #[test]
    fn question_matches_the_input() {
        let mut new = form(Kind::Sysv, "0x4d2");
        new.size.set("1M");
        new.mode.set("ug=rw");
        new.huge = true;
        let sysv = NewSysv {
            key: Key(0x4d2),
            size: Bytes(1 << 20),
            mode: Mode::new(0o660),
            huge: true,
            no_reserve: false,
        };
        let wanted = NewSegment::Sysv(sysv, Source::Nothing);
        assert_eq!(new.question(), Ok(Question::New { new: wanted, sized_by_file: false }));
        let mut new = form(Kind::Posix, r"posix:/a\x1b");
        new.from.set("/a file");
        let wanted = NewSegment::Posix {
            name: ObjectName::new(b"a\x1b").unwrap(),
            size: Bytes(0),
            mode: Mode::new(0o600),
            source: Source::File("/a file".into()),
        };
        assert_eq!(new.question(), Ok(Question::New { new: wanted, sized_by_file: true }));
        new.size.set("9");
        assert!(matches!(new.question(), Ok(Question::New { sized_by_file: false, .. })));
    }

    #[test]
    fn invalid_input_is_explained() {
        assert!(NewSegmentForm::default().question().unwrap_err().to_string().contains("name"));
        assert!(form(Kind::Posix, "a/../b").question().unwrap_err().to_string().contains("invalid name"));
        assert!(form(Kind::Posix, &"a".repeat(255)).question().is_ok());
        let error = form(Kind::Posix, &"a".repeat(256)).question().unwrap_err().to_string();
        assert_eq!(error, "name too long: 256 bytes, but at most 255 are allowed");
        assert!(form(Kind::Sysv, "0xq").question().unwrap_err().to_string().contains("invalid key"));
        assert!(form(Kind::Sysv, "").question().is_ok(), "an empty key creates a private segment");
        for (size, mode, word) in [
            ("", "0600", "size"),
            ("big", "0600", "size"),
            ("1", "rw", "mode"),
            ("1", "1777", "0777"),
            ("1", "", "mode"),
        ] {
            let mut new = form(Kind::Posix, "a");
            new.size.set(size);
            new.mode.set(mode);
            let error = new.question().unwrap_err().to_string();
            assert!(error.contains(word), "{size} {mode}: {error}");
        }
    }

    #[test]
    fn existing_segment_is_found_by_key_and_by_name() {
        let segments = [example::sysv(), example::posix()];
        let found = |kind, text| form(kind, text).existing(&segments).map(|segment| segment.id.to_string());
        assert_eq!(found(Kind::Sysv, "1234").as_deref(), Some("sysv:32770"));
        assert_eq!(found(Kind::Posix, "psm_1f09ab2c").as_deref(), Some("posix:/psm_1f09ab2c"));
        assert_eq!(found(Kind::Sysv, "0"), None);
        assert_eq!(found(Kind::Posix, "psm"), None);
    }

    #[test]
    fn every_invalid_field_is_reported() {
        let segments = [example::sysv(), example::posix()];
        let invalid_fields = |new: &NewSegmentForm| {
            let wrong = new.invalid_fields(&segments).into_iter();
            wrong.map(|(field, reason)| (field, reason.to_string())).collect::<Vec<_>>()
        };
        assert!(
            invalid_fields(&NewSegmentForm::default()).is_empty(),
            "an empty name is not marked as invalid"
        );
        let mut new = form(Kind::Posix, "psm_1f09ab2c");
        assert_eq!(
            invalid_fields(&new),
            [(NewField::Name, "/psm_1f09ab2c exists already: choose another name".to_owned())]
        );
        new.exclusive = false;
        assert!(invalid_fields(&new).is_empty());
        let new = form(Kind::Sysv, "1234");
        assert_eq!(
            invalid_fields(&new),
            [(NewField::Key, "key 0x000004d2 is in use by sysv:32770: choose another".to_owned())]
        );
        let mut new = form(Kind::Sysv, "0xq");
        new.size.set("big");
        new.mode.set("rw");
        let fields: Vec<NewField> = invalid_fields(&new).into_iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [NewField::Key, NewField::Size, NewField::Mode]);
    }

    #[test]
    fn next_field_visits_the_fields_of_the_kind() {
        let mut new = NewSegmentForm::default();
        let press = |new: &mut NewSegmentForm, action| form::act(new, action, &mut vec![]);
        press(&mut new, Action::PreviousField);
        assert_eq!(new.line, NewField::Kind);
        press(&mut new, Action::Toggle);
        assert_eq!(new.kind, Kind::Sysv);
        for line in &new.lines()[1..] {
            press(&mut new, Action::NextField);
            assert_eq!(new.line, *line);
            assert_eq!(new.toggle(), new.text().is_none());
        }
        assert!(!new.exclusive && new.huge && new.no_reserve);
    }
}
