//! The state of a segment, with its reasons.
//!
//! For System V the kernel counts the attachments, and everybody can see that
//! count. Who holds a POSIX object is told by no table; until its holders are
//! looked for, its state is unknown.

use crate::segment::{Facts, Segment, State, Verdict};
use crate::survey::Survey;

/// Judges every segment of a survey.
pub fn assess(survey: &mut Survey) {
    for segment in &mut survey.segments {
        segment.verdict = judge(segment);
    }
}

/// The state of one segment: the first that fits.
#[must_use]
pub fn judge(segment: &Segment) -> Verdict {
    match &segment.facts {
        Facts::Sysv(facts) => {
            let attached = match facts.nattch {
                0 => "nobody has it attached (nattch 0)".to_owned(),
                1 => "attached once (nattch 1)".to_owned(),
                count => format!("attached {count} times (nattch {count})"),
            };
            if facts.marked {
                let mut verdict =
                    Verdict::new(State::Removed, "marked for removal: it goes with its last attachment");
                verdict.reasons.push(attached);
                verdict
            } else if facts.nattch > 0 {
                Verdict::new(State::InUse, attached)
            } else {
                let mut verdict = Verdict::new(State::Unknown, attached);
                verdict.reasons.push("whether its maker still wants it is not known".to_owned());
                verdict
            }
        }
        Facts::Posix(_) => Verdict::new(State::Unknown, "the kernel counts no holders of a POSIX segment"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::survey::Names;

    #[test]
    fn by_nattch_and_mark() {
        let machine = MadeMachine::new();
        for shmid in 0..3 {
            machine.add_sysv(shmid, 0, MadeBytes::hole(1));
        }
        machine.add_object("a", MadeBytes::hole(1));
        machine.edit(|facts| {
            facts.sysv[1].row.nattch = 2;
            facts.sysv[2].row.nattch = 1;
            facts.sysv[2].row.perms |= 0o1000;
        });
        let mut survey = Survey::take(&machine, &mut Names::default());
        assess(&mut survey);
        let states: Vec<State> = survey.segments.iter().map(|segment| segment.verdict.state).collect();
        assert_eq!(states, [State::Unknown, State::InUse, State::Removed, State::Unknown]);
        assert!(survey.segments.iter().all(|segment| !segment.verdict.reasons.is_empty()));
        assert!(survey.segments[1].verdict.reasons[0].contains("2 times"));
    }
}
