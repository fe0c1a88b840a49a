//! Giving objects their name back that a removal left under another one: it was
//! killed between moving an object aside and unlinking it, or the name was taken
//! again before an object that was moved by mistake could have it back.

use super::{ActError, Done};
use crate::machine::Machine;
use crate::segment::{ObjectName, Segment, SegmentId, Timestamp};
use std::io;

/// For how many seconds an object may be in the middle of a removal that is
/// still going on. It takes a few microseconds.
const UNDER_WAY: f64 = 2.0;

/// An object under a name that a removal gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Astray {
    /// The object, as it was shown.
    pub segment: Segment,
    /// The name it had.
    pub before: ObjectName,
}

impl Astray {
    /// Says what it is and how to rename it back.
    #[must_use]
    pub fn told(&self) -> String {
        format!(
            "{} is left from a removal of {} that was killed. Run `shmlens rm --recover` to rename it back",
            self.segment.id,
            SegmentId::Posix(self.before.clone())
        )
    }
}

/// What removals left, among the segments of a survey that was taken at `now`.
#[must_use]
pub fn astray(machine: &dyn Machine, segments: &[Segment], now: Timestamp) -> Vec<Astray> {
    let settled = |segment: &&Segment| {
        let changed = segment.times.change;
        changed.is_none_or(|changed| now.seconds_since(changed) > UNDER_WAY)
    };
    let find = |segment: &Segment| {
        let SegmentId::Posix(name) = &segment.id else { return None };
        let before = machine.control().name_before(name)?;
        Some(Astray { segment: segment.clone(), before })
    };
    segments.iter().filter(settled).filter_map(find).collect()
}

/// Gives it its name back, unless that is taken by now.
///
/// # Errors
/// When the name is taken, when the object is gone or is another one, and when
/// the directory does not allow it.
pub fn recover(machine: &dyn Machine, astray: &Astray) -> Result<Done, ActError> {
    let id = SegmentId::Posix(astray.before.clone());
    let SegmentId::Posix(aside) = &astray.segment.id else {
        return Err(ActError::Gone { id: astray.segment.id.clone() });
    };
    let (held, _) = super::again::posix(machine, &astray.segment, aside)?;
    match machine.control().rename_to_free(aside, &astray.before) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let subject = id.to_string();
            return Err(ActError::Exists {
                subject,
                remedy: format!("Remove that one, or {}", astray.segment.id),
            });
        }
        Err(error) => {
            let capability = crate::machine::control::Capability::Fowner;
            return Err(ActError::of(machine, &astray.segment, "rename it back", capability, error));
        }
    }
    let now = machine
        .stat_object(&astray.before)
        .map_err(|source| super::permissions::verifying(&astray.segment, source))?;
    let own = held.stat().map_err(|source| super::permissions::verifying(&astray.segment, source))?;
    if now.identity() != own.identity() {
        return Err(ActError::Unverified { id, found: "another object has that name".to_owned() });
    }
    Ok(Done::new(id, format!("renamed back from {}", astray.segment.id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::{Names, Survey};

    const ASIDE: &str = "shmlens-removing-0123456789abcdef-name";

    #[test]
    fn only_the_very_one_that_was_shown_gets_its_name_back() {
        let machine = MadeMachine::new();
        machine.add_object(ASIDE, MadeBytes::full(b"moved"));
        let survey = Survey::take(&machine, &mut Names::default());
        let found = astray(&machine, &survey.segments, survey.at);
        assert_eq!(found.len(), 1);
        machine.add_object(ASIDE, MadeBytes::full(b"another"));
        let error = recover(&machine, &found[0]).unwrap_err();
        assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
        let names = || machine.edit(|facts| facts.posix.keys().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names(), [format!("/{ASIDE}")]);
        let survey = Survey::take(&machine, &mut Names::default());
        recover(&machine, &astray(&machine, &survey.segments, survey.at)[0]).unwrap();
        assert_eq!(names(), ["/name"]);
    }
}
