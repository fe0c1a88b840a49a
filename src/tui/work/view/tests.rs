//! The viewer over a made machine, step by step.

use super::*;
use crate::act::StateDirectory;
use crate::act::log::Entry;
use crate::machine::made::{MadeBytes, MadeMachine};
use crate::memory::{Direction, Look, OpenError, Pattern};
use crate::survey::{Names, Survey};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

/// A viewer over a made machine, and the time.
struct Scene {
    machine: MadeMachine,
    viewer: Viewer,
    inbox: Receiver<Message>,
    now: Clock,
    home: tempfile::TempDir,
}

impl Scene {
    /// A machine with `posix:/a` and `sysv:1`, both holding "hello".
    fn new() -> Self {
        let machine = MadeMachine::new();
        machine.add_object("a", MadeBytes::full(b"hello"));
        machine.add_sysv(1, 0x4d2, MadeBytes::full(b"hello"));
        let (messages, inbox) = mpsc::channel();
        let home = tempfile::tempdir().unwrap();
        let log = ChangeLog::new(StateDirectory::at(home.path()));
        let viewer = Viewer::new(Arc::new(machine.clone()), Some(log), messages);
        Self { machine, viewer, inbox, now: SECOND, home }
    }

    fn segment(&self, id: &str) -> Box<Segment> {
        let survey = Survey::take(&self.machine, &mut Names::default());
        Box::new(survey.segments.into_iter().find(|segment| segment.id.to_string() == id).unwrap())
    }

    /// What the record has, without time and user.
    fn recorded(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.path().join("log.jsonl")).unwrap_or_default();
        let entries = text.lines().map(|line| serde_json::from_str::<Entry>(line).unwrap());
        entries.map(|entry| format!("{} {}: {}", entry.action, entry.segment, entry.result)).collect()
    }

    fn nattch(&self) -> u64 {
        self.machine.edit(|facts| facts.sysv[0].row.nattch)
    }

    fn order(&mut self, order: Order) -> Vec<Event> {
        self.viewer.handle(self.now, order)
    }

    fn open(&mut self, id: &str) {
        let segment = self.segment(id);
        let events = self.order(Order::Open(segment));
        assert!(matches!(&events[..], [Event::Opened(Opened { result: Ok(()), .. })]), "{events:?}");
    }

    fn watch(&mut self, window: std::ops::Range<u64>, every: Option<Duration>) {
        self.order(Order::Look(Watching { window, cells: 1, every }));
    }

    /// Lets time pass, working whenever something is due.
    fn pass(&mut self, time: Duration) -> Vec<Event> {
        let until = self.now + time;
        let mut events = vec![];
        while let Some(due) = self.viewer.deadline().filter(|&due| due <= until) {
            self.now = self.now.max(due);
            events.extend(self.viewer.work(self.now));
        }
        self.now = until;
        events
    }

    fn holds(&mut self) -> Vec<Hold> {
        let mut events = self.order(Order::AskHolds);
        let Some(Event::Holds(holds)) = events.pop() else { panic!("{events:?}") };
        holds
    }

    fn looks(&mut self, time: Duration) -> Vec<Look> {
        let events = self.pass(time).into_iter();
        events
            .map(|event| if let Event::Looked(look) = event { *look } else { panic!("{event:?}") })
            .collect()
    }

    fn previews(&mut self, time: Duration) -> Vec<Result<Vec<u8>, String>> {
        let events = self.pass(time).into_iter();
        events
            .map(|event| match event {
                Event::Previewed(preview) => preview.bytes,
                event => panic!("{event:?}"),
            })
            .collect()
    }
}

/// What was let go, as it is told.
fn let_go(events: &[Event]) -> Vec<String> {
    let [Event::LetGo(results)] = events else { panic!("{events:?}") };
    let told = |(id, result): &(SegmentId, Result<Released, ActError>)| {
        format!("{id}: {}", result.as_ref().unwrap().said())
    };
    results.iter().map(told).collect()
}

#[test]
fn a_preview_is_told_when_its_bytes_differ() {
    let mut scene = Scene::new();
    let segment = scene.segment("posix:/a");
    scene.order(Order::Preview(Some(segment)));
    assert_eq!(scene.previews(SECOND), [Ok(b"hello".to_vec())]);
    scene.machine.edit_object("a", |bytes| bytes.write(0, b"j"));
    assert_eq!(scene.previews(SECOND), [Ok(b"jello".to_vec())]);
    scene.machine.remove_object("a");
    let [Err(gone)] = &scene.previews(SECOND)[..] else { panic!() };
    assert!(gone.contains("posix:/a is gone"), "{gone}");
    scene.order(Order::Preview(None));
    assert_eq!(scene.viewer.deadline(), None);
}

#[test]
fn a_paused_preview_is_read_only_when_asked() {
    let mut scene = Scene::new();
    let segment = scene.segment("posix:/a");
    scene.order(Order::PreviewAgain(false));
    scene.order(Order::Preview(Some(segment)));
    assert_eq!(scene.previews(SECOND), [Ok(b"hello".to_vec())]);
    assert_eq!(scene.viewer.deadline(), None, "it rests");
    scene.machine.edit_object("a", |bytes| bytes.write(0, b"j"));
    scene.order(Order::PreviewOnce);
    assert_eq!(scene.previews(SECOND), [Ok(b"jello".to_vec())]);
    assert_eq!(scene.viewer.deadline(), None);
    scene.order(Order::PreviewAgain(true));
    scene.machine.edit_object("a", |bytes| bytes.write(0, b"c"));
    assert_eq!(scene.previews(SECOND), [Ok(b"cello".to_vec())]);
    assert!(scene.viewer.deadline().is_some());
}

#[test]
fn a_preview_has_at_most_512_bytes() {
    let mut scene = Scene::new();
    scene.machine.add_object("b", MadeBytes::full(&[7; 1000]));
    let segment = scene.segment("posix:/b");
    scene.order(Order::Preview(Some(segment)));
    assert_eq!(scene.previews(SECOND), [Ok(vec![7; 512])]);
}

#[test]
fn a_preview_never_attaches_a_system_v_segment() {
    let mut scene = Scene::new();
    let segment = scene.segment("sysv:1");
    scene.order(Order::Preview(Some(segment)));
    let [Err(reason)] = &scene.previews(SECOND)[..] else { panic!() };
    assert!(reason == "not attached", "{reason}");
    assert_eq!(scene.viewer.deadline(), None, "there is nothing to come back for");
    assert_eq!(scene.machine.edit(|facts| facts.attached), 0);
}

#[test]
fn a_kept_segment_is_previewed_through_what_is_kept() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    scene.order(Order::Close { keep: true });
    let segment = scene.segment("sysv:1");
    scene.order(Order::Preview(Some(segment)));
    assert_eq!(scene.previews(SECOND), [Ok(b"hello".to_vec())]);
    assert_eq!(scene.machine.edit(|facts| facts.attached), 1);
}

#[test]
fn no_preview_is_read_while_inspect_is_open() {
    let mut scene = Scene::new();
    let segment = scene.segment("posix:/a");
    scene.order(Order::Preview(Some(segment)));
    scene.pass(SECOND);
    scene.open("posix:/a");
    assert_eq!(scene.viewer.deadline(), None);
    scene.order(Order::Close { keep: false });
    assert!(scene.viewer.deadline().is_some());
}

#[test]
fn closing_detaches_and_says_so() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    assert_eq!(scene.nattch(), 1);
    let events = scene.order(Order::Close { keep: false });
    assert_eq!(let_go(&events), ["sysv:1: detached; nattch 1 → 0"]);
    assert_eq!((scene.nattch(), scene.recorded()), (0, vec![]));
    assert!(scene.order(Order::Close { keep: false }).is_empty());
}

#[test]
fn what_is_kept_stays_until_it_is_let_go() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    assert!(scene.order(Order::Close { keep: true }).is_empty());
    assert_eq!(scene.nattch(), 1);
    // Opened again, it is the same attachment.
    scene.open("sysv:1");
    assert_eq!(scene.nattch(), 1);
    scene.order(Order::Close { keep: true });
    let holds = scene.holds();
    assert_eq!(holds[0].will(), "nattch 1 → 0; the segment remains");
    let events = scene.order(Order::LetGo(holds));
    assert_eq!(let_go(&events), ["sysv:1: detached; nattch 1 → 0"]);
    assert_eq!((scene.nattch(), scene.holds().len()), (0, 0));
    assert_eq!(scene.recorded(), ["detach sysv:1: detached; nattch 1 → 0"]);
}

#[test]
fn all_that_is_held_is_told_each_once() {
    let mut scene = Scene::new();
    scene.open("posix:/a");
    scene.order(Order::Close { keep: true });
    scene.open("sysv:1");
    scene.order(Order::Close { keep: true });
    scene.open("sysv:1");
    let told: Vec<_> = scene.holds().iter().map(|hold| format!("{}: {}", hold.id, hold.will())).collect();
    assert_eq!(
        told,
        ["sysv:1: nattch 1 → 0; the segment remains", "posix:/a: closes the descriptor; the segment remains",]
    );
    let holds = scene.holds();
    assert_eq!(let_go(&scene.order(Order::LetGo(holds))).len(), 2);
    // The one that was open is closed too.
    assert!(scene.holds().is_empty() && scene.order(Order::Close { keep: false }).is_empty());
    assert_eq!(scene.nattch(), 0);
}

#[test]
fn the_last_hold_on_a_marked_segment_takes_it_along_and_only_when_that_was_shown() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    let before = scene.holds();
    crate::machine::control::Control::sysv_remove(&scene.machine, crate::segment::ShmId(1)).unwrap();
    // It was not marked when it was shown.
    let events = scene.order(Order::LetGo(before));
    let [Event::LetGo(results)] = &events[..] else { panic!("{events:?}") };
    let error = results[0].1.as_ref().unwrap_err().to_string();
    assert!(error.contains("this is its last attachment"), "{error}");
    assert_eq!(scene.nattch(), 1);
    let now = scene.holds();
    assert!(now[0].is_last() && now[0].will().contains("Cannot be undone"), "{now:?}");
    let events = scene.order(Order::LetGo(now));
    assert!(let_go(&events)[0].contains("5 B freed with the last attachment"), "{events:?}");
    assert_eq!(scene.machine.edit(|facts| facts.sysv.len()), 0);
    // What was refused is in no record.
    assert!(scene.recorded().len() == 1 && scene.recorded()[0].starts_with("detach sysv:1: detached; "));
}

#[test]
fn a_segment_that_goes_when_it_is_closed_is_in_the_record() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    crate::machine::control::Control::sysv_remove(&scene.machine, crate::segment::ShmId(1)).unwrap();
    scene.order(Order::Close { keep: false });
    assert!(scene.recorded().len() == 1 && scene.recorded()[0].starts_with("detach sysv:1: detached; "));
}

#[test]
fn what_was_kept_is_let_go_when_it_is_closed_for_good() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    scene.order(Order::Close { keep: true });
    scene.open("sysv:1");
    scene.order(Order::Close { keep: false });
    assert_eq!(scene.nattch(), 0);
}

#[test]
fn a_kept_segment_does_not_stand_in_for_one_that_took_its_name() {
    let mut scene = Scene::new();
    scene.open("posix:/a");
    scene.order(Order::Close { keep: true });
    scene.machine.add_object("a", MadeBytes::full(b"other"));
    scene.open("posix:/a");
    scene.watch(0..16, None);
    assert_eq!(scene.looks(SECOND)[0].bytes, b"other");
}

#[test]
fn opening_another_closes_the_first_and_the_end_lets_go_of_all() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    scene.open("posix:/a");
    assert_eq!(scene.nattch(), 0);
    scene.open("sysv:1");
    scene.order(Order::Close { keep: true });
    scene.open("sysv:1");
    let machine = scene.machine.clone();
    drop(scene);
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}

#[test]
fn what_cannot_be_opened_is_told_with_the_reason() {
    let mut scene = Scene::new();
    let segment = scene.segment("posix:/a");
    scene.machine.remove_object("a");
    let events = scene.order(Order::Open(segment));
    assert!(
        matches!(&events[..], [Event::Opened(Opened { result: Err(OpenError::Gone { .. }), .. })]),
        "{events:?}"
    );
    scene.watch(0..16, Some(TENTH));
    assert_eq!(scene.viewer.deadline(), None);
}

#[test]
fn looks_come_at_once_and_then_when_something_changed() {
    let mut scene = Scene::new();
    scene.open("posix:/a");
    assert_eq!(scene.viewer.deadline(), None);
    scene.watch(0..16, Some(TENTH));
    let first = scene.looks(Duration::ZERO);
    assert_eq!(first[0].bytes, b"hello");
    let due = scene.viewer.deadline().unwrap();
    assert_eq!(due, scene.now + TENTH);
    let quiet = scene.looks(SECOND).len();
    assert!(quiet <= 1, "{quiet} looks showed nothing new");
    scene.machine.edit_object("a", |bytes| bytes.write(1, b"a"));
    let after = scene.looks(SECOND);
    assert_eq!(after[0].bytes, b"hallo");
    assert_eq!(after[0].changed, std::iter::once(1..2).collect::<Vec<_>>());
    // Once more, to say that it has stopped changing.
    assert_eq!(after.len(), 2);
    assert_eq!(after[1].changes, 0);
}

#[test]
fn frozen_means_only_when_asked_or_when_another_part_is_shown() {
    let mut scene = Scene::new();
    scene.open("posix:/a");
    scene.watch(0..4, Some(TENTH));
    scene.pass(SECOND);
    scene.watch(0..4, None);
    assert_eq!(scene.viewer.deadline(), None);
    scene.watch(1..5, None);
    assert_eq!(scene.looks(SECOND)[0].bytes, b"ello");
    scene.order(Order::LookOnce);
    assert_eq!(scene.looks(SECOND).len(), 1);
    assert_eq!(scene.viewer.deadline(), None);
}

#[test]
fn differences_and_jumps_go_by_the_baseline() {
    let mut scene = Scene::new();
    let find = |scene: &mut Scene, from| {
        let request = Request { number: 3, from, direction: Direction::Forward, what: Target::Change };
        let events = scene.order(Order::Find(request));
        let [Event::Found(Found { request: 3, result: Ok(at), .. })] = events[..] else { panic!() };
        at
    };
    scene.open("posix:/a");
    scene.watch(0..16, Some(TENTH));
    scene.pass(TENTH);
    scene.machine.edit_object("a", |bytes| bytes.write(4, b"!"));
    scene.pass(TENTH);
    assert_eq!(find(&mut scene, 0), Some(4));
    assert_eq!(find(&mut scene, 5), None);
    scene.order(Order::SetBaseline);
    assert_eq!(find(&mut scene, 0), None);
}

#[test]
fn a_search_answers_in_its_own_time_and_closing_ends_it() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    let what = Target::Pattern(Box::new(Pattern::text("llo").unwrap()));
    let request = Request { number: 9, from: 0, direction: Direction::Forward, what };
    assert!(scene.order(Order::Find(request)).is_empty());
    let answer = scene.inbox.recv_timeout(10 * SECOND);
    assert!(
        matches!(answer, Ok(Message::Event(Event::Found(Found { request: 9, result: Ok(Some(2)), .. })))),
        "{answer:?}"
    );
}

#[test]
fn a_look_that_fails_says_so_once() {
    let mut scene = Scene::new();
    scene.open("sysv:1");
    scene.watch(0..16, Some(TENTH));
    scene.pass(TENTH);
    scene.machine.edit(|facts| facts.sysv.clear());
    let events = scene.pass(SECOND);
    let [Event::LookFailed(reason)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(reason, "sysv:1 is gone: removed while it was open");
}
