//! Tests of the worker on a fake machine.

use super::*;
use crate::act::{Action, Copying, Task};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::memory::Progress;
use crate::segment::ShmId;
use crate::survey::Survey;
use std::sync::Arc;
use std::thread;

struct Fixture {
    machine: FakeMachine,
    act: Act,
    home: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let act = Act::new(Some(StateDirectory::at(home.path())), Bytes(1 << 30));
        Self { machine: FakeMachine::new(), act, home }
    }

    fn send(&mut self, request: Request, progress: &Arc<Progress>) -> Body {
        let job = Job { request, progress: Arc::clone(progress) };
        self.act.handle(&self.machine, Clock::ZERO, job).pop().unwrap().body
    }

    /// Plans to remove all segments, with copies and force.
    fn plans(&mut self) -> Vec<Plan> {
        let action = Action::Remove(Copying::Keep);
        let remove =
            |segment| PlanRequest { segment: Box::new(segment), action: action.clone(), force: true };
        let segments = Survey::take(&self.machine, &mut Names::default()).segments;
        let request = Request::Plan(segments.into_iter().map(remove).collect());
        match self.send(request, &Arc::default()) {
            Body::Planned(plans) => plans,
            other => panic!("{other:?}"),
        }
    }

    fn apply(&mut self, plans: Vec<Plan>, progress: &Arc<Progress>) -> Vec<Outcome> {
        match self.send(Request::Apply(plans), progress) {
            Body::Acted(outcomes) => outcomes,
            other => panic!("{other:?}"),
        }
    }

    fn undo(&mut self, copies: &[SavedCopy], progress: &Arc<Progress>) -> Vec<UndoResult> {
        match self.send(Request::Undo(Undo::Copies(copies.to_vec())), progress) {
            Body::Undone(results) => results,
            other => panic!("{other:?}"),
        }
    }

    fn remaining(&self) -> usize {
        self.machine.edit(|facts| facts.posix.len() + facts.sysv.len())
    }

    fn copies(&self) -> usize {
        std::fs::read_dir(self.home.path().join("copies")).map_or(0, Iterator::count)
    }
}

fn no_copy() -> SavedCopy {
    SavedCopy { id: SegmentId::Sysv(ShmId(1)), path: "/nonexistent".into() }
}

/// Returns the copies of these removals, which must all have succeeded.
fn copies_of(outcomes: &[Outcome]) -> Vec<SavedCopy> {
    let copy = |outcome: &Outcome| {
        let done = outcome.result.as_ref().unwrap_or_else(|error| panic!("{error}"));
        SavedCopy { id: done.id.clone(), path: done.copy.clone().unwrap() }
    };
    outcomes.iter().map(copy).collect()
}

/// Returns the reason why a single undo failed.
fn failure(results: &[UndoResult]) -> String {
    let [UndoResult { result: Err(failure), .. }] = results else { panic!("{results:?}") };
    failure.reason.clone()
}

/// Another program may save copies in the same directory at the same time.
#[test]
fn undo_restores_only_the_copies_of_that_removal() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("a", FakeBytes::full(b"ours"));
    let plans = fixture.plans();
    let ours = copies_of(&fixture.apply(plans, &Arc::default()));
    fixture.machine.add_sysv(16, 1, FakeBytes::full(b"theirs"));
    let plans = fixture.plans();
    let foreign = copies_of(&fixture.apply(plans, &Arc::default()));
    let [UndoResult { id, result }] = &fixture.undo(&ours, &Arc::default())[..] else { panic!() };
    assert_eq!((id.to_string().as_str(), result.clone()), ("posix:/a", Ok("restored".to_owned())));
    assert_eq!((fixture.remaining(), fixture.copies()), (1, 1));
    // The copy no longer exists.
    let results = fixture.undo(&ours, &Arc::default());
    assert_eq!(failure(&results), "posix:/a: its copy is gone; nothing was restored");
    assert_eq!(Undo::Copies(ours).remaining(&results), None);
    let [UndoResult { id, result }] = &fixture.undo(&foreign, &Arc::default())[..] else { panic!() };
    assert_eq!(result.clone(), Ok("restored (key 0x00000001, was sysv:16)".to_owned()), "{id}");
}

#[test]
fn failed_undo_does_not_stop_the_others() {
    let mut fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.machine.add_object(name, FakeBytes::full(b"hello"));
    }
    let plans = fixture.plans();
    let copies = copies_of(&fixture.apply(plans, &Arc::default()));
    fixture.machine.add_object("b", FakeBytes::full(b"another"));
    let results = fixture.undo(&copies, &Arc::default());
    let done: Vec<bool> = results.iter().map(|undone| undone.result.is_ok()).collect();
    assert_eq!(done, [true, false, true]);
    let reason = &results[1].result.as_ref().unwrap_err().reason;
    assert!(reason.contains("posix:/b") && !reason.contains("rename"), "{reason}");
    // The undo can be retried once the name is free.
    let remaining = Undo::Copies(copies.clone()).remaining(&results);
    assert_eq!(remaining, Some(Undo::Copies(vec![copies[1].clone()])));
    fixture.machine.remove_object("b");
    assert!(fixture.undo(&copies[1..2], &Arc::default())[0].result.is_ok());
    assert_eq!((fixture.remaining(), fixture.copies()), (3, 0));
}

#[test]
fn undo_refuses_a_replaced_segment() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("a", FakeBytes::full(b"hello"));
    let segments = Survey::take(&fixture.machine, &mut Names::default()).segments;
    let action = Action::SetMode("0644".parse().unwrap());
    let request = PlanRequest { segment: Box::new(segments[0].clone()), action, force: false };
    let Body::Planned(plans) = fixture.send(Request::Plan(vec![request]), &Arc::default()) else { panic!() };
    let outcomes = fixture.apply(plans, &Arc::default());
    let done = outcomes[0].result.as_ref().unwrap();
    let (identity, action) = (done.identity.unwrap(), done.undo.clone().unwrap());
    let undo = Undo::Acts(vec![Revert { id: done.id.clone(), identity, action }]);
    fixture.machine.remove_object("a");
    fixture.machine.add_object("a", FakeBytes::full(b"another"));
    let before = Survey::take(&fixture.machine, &mut Names::default()).segments;
    let Body::Undone(results) = fixture.send(Request::Undo(undo.clone()), &Arc::default()) else { panic!() };
    assert_eq!(failure(&results), "posix:/a was replaced by another segment; nothing was changed");
    assert_eq!(undo.remaining(&results), None);
    let after = Survey::take(&fixture.machine, &mut Names::default()).segments;
    assert_eq!(before[0].mode, after[0].mode);
}

/// Large enough for a copy to take noticeable time on the fake machine.
const LARGE_SIZE: u64 = 2 << 20;

/// Returns contents without holes.
fn large() -> FakeBytes {
    let mut bytes = FakeBytes::hole(LARGE_SIZE);
    bytes.pages = (0..LARGE_SIZE / 4096).map(|page| (page, vec![7; 4096].into())).collect();
    bytes
}

#[test]
fn removal_with_a_copy_needs_a_state_directory() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("a", FakeBytes::full(b"hello"));
    fixture.act.state = None;
    let plans = fixture.plans();
    let refusal = plans[0].refusal.as_ref().unwrap();
    assert!(refusal.reason.contains("no copy can be saved") && !refusal.forceable, "{refusal:?}");
    let outcomes = fixture.apply(plans, &Arc::default());
    assert!(matches!(outcomes[0].result, Err(ActError::Refused { .. })), "{outcomes:?}");
    assert_eq!(fixture.remaining(), 1);
    assert!(failure(&fixture.undo(&[no_copy()], &Arc::default())).contains("home directory"));
}

/// A removal without a copy must not be suggested, because it would be refused too.
#[test]
fn final_refusal_outranks_a_missing_state_directory() {
    let mut fixture = Fixture::new();
    fixture.machine.add_sysv(1, 7, FakeBytes::full(b"hello"));
    fixture.machine.edit(|facts| facts.effective_uid = 4242);
    fixture.act.state = None;
    let plans = fixture.plans();
    let refusal = plans[0].refusal.as_ref().unwrap();
    assert!(!refusal.reason.contains("no copy") && !refusal.forceable, "{refusal:?}");
}

#[test]
fn progress_names_the_current_segment() {
    let mut fixture = Fixture::new();
    fixture.machine.add_sysv(1, 0x4d2, FakeBytes::full(b"hello"));
    fixture.machine.add_object("a", FakeBytes::full(b"world"));
    let plans = fixture.plans();
    let progress = Arc::default();
    fixture.apply(plans, &progress);
    let Some(Report { body: Body::Progress(at), subscription: None, .. }) =
        Report::progress(Clock::ZERO, None, &progress)
    else {
        panic!()
    };
    assert_eq!((at.text().as_str(), at.done, at.total), ("copying posix:/a, 2 of 2", 5, 5));
}

#[test]
fn undo_restores_all_segments_of_a_removal() {
    let mut fixture = Fixture::new();
    fixture.machine.add_sysv(1, 0x4d2, FakeBytes::full(b"hello"));
    fixture.machine.add_object("a", FakeBytes::full(b"world"));
    let plans = fixture.plans();
    let outcomes = fixture.apply(plans, &Arc::default());
    let copies = copies_of(&outcomes);
    assert_eq!((fixture.remaining(), fixture.copies()), (0, 2));
    let results = fixture.undo(&copies, &Arc::default());
    assert!(results.iter().all(|undone| undone.result.is_ok()), "{results:?}");
    assert_eq!((fixture.remaining(), fixture.copies()), (2, 0));
}

#[test]
fn stopped_removal_leaves_the_segment_and_no_copy() {
    let mut fixture = Fixture::new();
    fixture.machine.add_sysv(1, 0x4d2, large());
    fixture.machine.add_object("b", FakeBytes::full(b"hello"));
    for after in [0u64, 1, LARGE_SIZE / 4] {
        let plans = fixture.plans();
        let progress = Arc::new(Progress::new());
        if after == 0 {
            progress.cancel();
        }
        let outcomes = thread::scope(|scope| {
            scope.spawn(|| {
                while progress.done() < after && !progress.is_cancelled() {
                    thread::yield_now();
                }
                progress.cancel();
            });
            fixture.apply(plans, &progress)
        });
        // The first save was stopped, and the second one did not start.
        for outcome in &outcomes {
            assert!(matches!(outcome.result, Err(ActError::Stopped { .. })), "{after}: {outcome:?}");
        }
        assert_eq!((fixture.remaining(), fixture.copies()), (2, 0));
    }
    // The log contains only what actually happened.
    assert_eq!(std::fs::read_to_string(fixture.home.path().join("log.jsonl")).unwrap_or_default(), "");
}

#[test]
fn stopped_undo_keeps_its_copy() {
    let mut fixture = Fixture::new();
    fixture.machine.add_sysv(1, 0x4d2, large());
    fixture.machine.add_object("b", large());
    let plans = fixture.plans();
    let copies = copies_of(&fixture.apply(plans, &Arc::default()));
    let progress = Arc::new(Progress::new());
    let results = thread::scope(|scope| {
        scope.spawn(|| {
            while progress.done() < LARGE_SIZE / 8 {
                thread::yield_now();
            }
            progress.cancel();
        });
        fixture.undo(&copies, &progress)
    });
    assert!(failure(&results).contains("stopped"), "{results:?}");
    assert_eq!((fixture.remaining(), fixture.copies()), (0, 2));
    let undo = Undo::Copies(copies.clone());
    assert_eq!(undo.clone().remaining(&results), Some(undo));
    assert!(fixture.undo(&copies, &Arc::default()).iter().all(|undone| undone.result.is_ok()));
    assert_eq!((fixture.remaining(), fixture.copies()), (2, 0));
}

#[test]
fn unusable_log_prevents_every_change() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("a", FakeBytes::full(b"hello"));
    std::fs::create_dir(fixture.home.path().join("log.jsonl")).unwrap();
    let plans = fixture.plans();
    let outcomes = fixture.apply(plans, &Arc::default());
    let error = outcomes[0].result.as_ref().unwrap_err();
    assert!(matches!(error, ActError::NotLogged { .. }) && error.changed_nothing(), "{error}");
    assert!(error.to_string().contains("posix:/a: nothing was changed: failed to open the log"), "{error}");
    assert_eq!((fixture.remaining(), fixture.copies()), (1, 0));
    let reason = failure(&fixture.undo(&[no_copy()], &Arc::default()));
    assert!(reason.contains("nothing was restored: failed to open the log"), "{reason}");
}

#[test]
fn outcome_reports_a_failure_to_log() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("a", FakeBytes::full(b"hello"));
    fixture.act.state = None;
    let mut plans = fixture.plans();
    let Task::Change { action, .. } = &mut plans[0].task else { panic!() };
    *action = Action::Remove(Copying::Without);
    plans[0].refusal = None;
    let outcomes = fixture.apply(plans, &Arc::default());
    let done = outcomes[0].result.as_ref().unwrap();
    assert!(done.messages.last().unwrap().starts_with("not logged: no directory"), "{done:?}");
}
