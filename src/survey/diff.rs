//! The difference between two surveys.

use super::Survey;
use crate::segment::{Kind, Segment, SegmentId, State};

/// Segments that appeared, changed and vanished from one survey to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// New segments, including those that replaced another of the same name.
    pub appeared: Vec<SegmentId>,
    /// Segments with a different size, mode, owner, state or number of attachments.
    pub changed: Vec<SegmentId>,
    pub vanished: Vec<SegmentId>,
}

impl Difference {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.appeared.is_empty() && self.changed.is_empty() && self.vanished.is_empty()
    }
}

/// Compares two surveys. Ignores times, because any read changes the access time, resident and
/// swapped sizes, which the kernel and every write change, and the results of the first holder
/// scan.
#[must_use]
pub fn difference(before: &Survey, after: &Survey) -> Difference {
    // Both surveys are sorted by id.
    let mut old = before.segments.iter().peekable();
    let mut difference = Difference::default();
    let judged = before.coverage.is_some() == after.coverage.is_some();
    for segment in &after.segments {
        while let Some(gone) = old.next_if(|was| was.id < segment.id) {
            difference.vanished.push(gone.id.clone());
        }
        match old.next_if(|was| was.id == segment.id) {
            None if before.coverage.is_none() && segment.kind() == Kind::Deleted => {}
            None => difference.appeared.push(segment.id.clone()),
            Some(was) if !was.identity().matches(&segment.identity()) => {
                difference.appeared.push(segment.id.clone());
            }
            Some(was) if !is_same(was, segment, judged) => difference.changed.push(segment.id.clone()),
            Some(_) => {}
        }
    }
    difference.vanished.extend(old.map(|gone| gone.id.clone()));
    difference
}

fn is_same(a: &Segment, b: &Segment, judged: bool) -> bool {
    a.size == b.size
        && a.mode == b.mode
        && a.owner == b.owner
        && a.facts == b.facts
        && (!judged || a.holders.is_some() != b.holders.is_some() || headline(a) == headline(b))
}

/// Returns the state and the first reason. Later reasons may change while the segment does not.
fn headline(segment: &Segment) -> (State, Option<&String>) {
    (segment.verdict.state, segment.verdict.reasons.first())
}

#[cfg(test)]
mod tests {
    use super::super::Names;
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::segment::{Access, Bytes, Mode};
    use crate::survey::{Coverage, Depth, Holdings};

    #[test]
    fn unlinked_objects_of_the_first_scan_are_not_new() {
        let machine = FakeMachine::new();
        machine.add_process(7, "writer");
        let mut names = Names::default();
        let mut unlinked = |name: &str| {
            machine.add_object(name, FakeBytes::hole(100));
            machine.map_in(7, name, Access::ReadWrite);
            machine.remove_object(name);
            let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
            let mut survey = Survey::take(&machine, &mut names);
            let listed = survey.clone();
            survey.join(&holdings, &machine, &mut names);
            (listed, survey)
        };
        let (listed, first) = unlinked("a");
        assert_eq!(first.segments.len(), 1);
        assert!(difference(&listed, &first).is_empty());
        let (_, second) = unlinked("b");
        assert_eq!(difference(&first, &second).appeared.len(), 1);
    }

    #[test]
    fn times_and_later_reasons_are_not_changes() {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(&[1; 100]));
        let before = Survey::take(&machine, &mut Names::default());
        let is_one = |change: fn(&mut Segment)| {
            let mut after = before.clone();
            change(&mut after.segments[0]);
            !difference(&before, &after).is_empty()
        };
        let changes: [fn(&mut Segment); 5] = [
            |one| one.size = Bytes(101),
            |one| one.mode = Mode::new(0o640),
            |one| one.owner.uid = 1001,
            |one| one.verdict.state = State::Idle,
            |one| one.verdict.reasons = vec!["held by 2 processes".to_owned()],
        ];
        assert!(changes.into_iter().all(is_one));
        assert!(!is_one(|one| one.times.access = None));
        assert!(!is_one(|one| (one.resident, one.swapped) = (Some(Bytes(1)), Some(Bytes(1)))));
        assert!(!is_one(|one| one.verdict.reasons.push("of 212 processes".to_owned())));
        // The first holder scan does not count as a change.
        let mut after = before.clone();
        after.coverage = Some(Coverage::default());
        (after.segments[0].holders, after.segments[0].verdict.state) = (Some([].into()), State::Idle);
        assert!(difference(&before, &after).is_empty());
        after.segments[0].mode = Mode::new(0o640);
        assert_eq!(difference(&before, &after).changed.len(), 1);
    }

    #[test]
    fn replaced_segment_appears_and_a_marked_one_changes() {
        let machine = FakeMachine::new();
        for name in ["stays", "grows", "goes", "replaced"] {
            machine.add_object(name, FakeBytes::hole(100));
        }
        machine.add_sysv(1, 5, FakeBytes::hole(100));
        machine.add_sysv(2, 6, FakeBytes::hole(100));
        let mut names = Names::default();
        let before = Survey::take(&machine, &mut names);
        assert!(difference(&before, &before).is_empty());

        machine.edit_object("grows", |bytes| bytes.size = 200);
        machine.remove_object("goes");
        machine.add_object("replaced", FakeBytes::hole(100));
        machine.add_object("new", FakeBytes::hole(1));
        machine.edit(|facts| {
            // Marking for removal clears the key of the same segment.
            facts.sysv[0].row.marked = true;
            facts.sysv[0].row.key = crate::segment::Key(0);
            facts.sysv[1].row.creator_pid = 9999;
        });
        let after = Survey::take(&machine, &mut names);
        let found = difference(&before, &after);
        let text = |ids: &[SegmentId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(text(&found.appeared), ["sysv:2", "posix:/new", "posix:/replaced"]);
        assert_eq!(text(&found.changed), ["sysv:1", "posix:/grows"]);
        assert_eq!(text(&found.vanished), ["posix:/goes"]);
    }
}
