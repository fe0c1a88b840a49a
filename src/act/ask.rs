//! Answers questions while the user types: does a user, group or file exist, can a segment be created,
//! and what is a type? Changes nothing.

use super::permissions::{group_text, user_text};
use super::{
    NewSegment, Options, OwnerChange, ParseOwnerError, ParsePrincipalError, Plan, Principal, plan_create,
};
use crate::decode::TypeSource;
use crate::decode::declaration::read_header;
use crate::machine::Machine;
use crate::segment::ShownError;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Look up a user by name or UID.
    User(String),
    /// Look up a group by name or GID.
    Group(String),
    /// Look up the user or process whose access is to be checked.
    Principal(String),
    /// Plan the creation of a segment.
    New {
        new: NewSegment,
        /// Set if the source file determines the size.
        sized_by_file: bool,
    },
    File(PathBuf),
    /// Parse a type, which may be in a header.
    Type(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The id of a user or group, and its name.
    Number(Result<(u32, String), LookupError>),
    Principal(Result<Principal, ParsePrincipalError>),
    New(Result<Box<Plan>, ShownError>),
    /// Set if the file exists.
    File(bool),
    Type(Result<TypeSource, ShownError>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The user field contains a colon.
    #[error("enter the group in its own field")]
    Group,
    #[error("enter a name or number")]
    Empty,
    #[error(transparent)]
    Owner(#[from] ParseOwnerError),
}

impl Question {
    /// Returns true if asking this question makes an earlier question obsolete.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// Answers the question. May block on the user database.
    #[must_use]
    pub fn ask(&self, machine: &dyn Machine) -> Answer {
        match self {
            Self::User(text) if text.contains(':') => Answer::Number(Err(LookupError::Group)),
            Self::User(text) => Answer::Number(resolve(machine, text, |change| {
                change.uid.map(|uid| (uid, user_text(machine, uid)))
            })),
            Self::Group(text) => Answer::Number(resolve(machine, &format!(":{text}"), |change| {
                change.gid.map(|gid| (gid, group_text(machine, gid)))
            })),
            Self::Principal(text) => Answer::Principal(Principal::parse(machine, text)),
            Self::New { new, sized_by_file } => Answer::New(plan(machine, new, *sized_by_file)),
            Self::File(path) => Answer::File(path.symlink_metadata().is_ok()),
            Self::Type(text) => Answer::Type(TypeSource::parse(text, &read_header).map_err(ShownError::of)),
        }
    }
}

fn resolve(
    machine: &dyn Machine,
    text: &str,
    chosen: impl Fn(OwnerChange) -> Option<(u32, String)>,
) -> Result<(u32, String), LookupError> {
    chosen(OwnerChange::parse(machine, text)?).ok_or(LookupError::Empty)
}

fn plan(machine: &dyn Machine, new: &NewSegment, sized_by_file: bool) -> Result<Box<Plan>, ShownError> {
    let mut new = new.clone();
    if sized_by_file {
        new.take_size_of_file().map_err(ShownError::of)?;
    }
    Ok(Box::new(plan_create(machine, &new, &Options::default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::act::Source;
    use crate::machine::fake::FakeMachine;
    use crate::segment::{Bytes, Mode, ObjectName};

    #[test]
    fn users_and_groups_are_looked_up() {
        let machine = FakeMachine::new();
        let ask = |question: Question| match question.ask(&machine) {
            Answer::Number(answer) => answer,
            other => panic!("{other:?}"),
        };
        assert_eq!(ask(Question::User("ann".to_owned())), Ok((1000, "ann".to_owned())));
        assert_eq!(ask(Question::Group("4242".to_owned())), Ok((4242, "4242".to_owned())));
        for question in [
            Question::User("carl".to_owned()),
            Question::Group(String::new()),
            Question::User("ann:".to_owned()),
        ] {
            assert!(ask(question.clone()).is_err(), "{question:?}");
        }
        assert!(ask(Question::Group("a:b".to_owned())).is_err());
    }

    #[test]
    fn size_is_taken_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [1; 5000]).unwrap();
        let new = |path: &std::path::Path| NewSegment::Posix {
            name: ObjectName::new(b"new").unwrap(),
            size: Bytes(0),
            mode: Mode::new(0o600),
            source: Source::File(path.to_owned()),
        };
        let ask = |new, sized_by_file| match (Question::New { new, sized_by_file }).ask(&FakeMachine::new()) {
            Answer::New(answer) => answer,
            other => panic!("{other:?}"),
        };
        let plan = ask(new(file.path()), true).unwrap();
        assert!(plan.refusal.is_none() && plan.effects[0].contains("4.9 KiB"), "{plan:?}");
        assert!(
            ask(new(file.path()), false).unwrap().refusal.is_some(),
            "a file that is larger than the segment is refused"
        );
        let error = ask(new("/nowhere/\x1b".as_ref()), true).unwrap_err().to_string();
        assert!(error.contains("failed to read") && !error.contains('\x1b'), "{error}");
    }
}
