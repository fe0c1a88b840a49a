//! Tests of subscriptions on a fake machine, step by step.
#![expect(clippy::single_range_in_vec_init, reason = "lists of ranges are meant")]

use super::*;
use crate::act::StateDirectory;
use crate::act::log::Entry;
use crate::engine::{Changes, Options, Steps, Target, Unread, Watching};
use crate::machine::control::Control;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::machine::{Method, TraceReason};
use crate::memory::{Direction, Forecast, OpenError, Pattern, Snapshot};
use crate::segment::Access;
use crate::survey::{Names, Survey};
use std::ops::Range as Offsets;
use std::sync::Arc;

const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);
const ONE: SubscriptionId = SubscriptionId(1);
const TWO: SubscriptionId = SubscriptionId(2);
const THREE: SubscriptionId = SubscriptionId(3);

struct Fixture {
    machine: FakeMachine,
    steps: Steps,
    home: tempfile::TempDir,
}

impl Fixture {
    /// Returns a machine with `posix:/a` and `sysv:1`, both holding "hello".
    fn new() -> Self {
        let machine = FakeMachine::new();
        machine.add_object("a", FakeBytes::full(b"hello"));
        machine.add_sysv(1, 0x4d2, FakeBytes::full(b"hello"));
        let home = tempfile::tempdir().unwrap();
        let options = Options { state: Some(StateDirectory::at(home.path())), ..Options::default() };
        let mut steps = Steps::new(Arc::new(machine.clone()), options);
        steps.advance(SECOND);
        Self { machine, steps, home }
    }

    fn segment(&self, id: &str) -> Box<Segment> {
        let survey = Survey::take(&self.machine, &mut Names::default());
        Box::new(survey.segments.into_iter().find(|segment| segment.id.to_string() == id).unwrap())
    }

    /// Returns the log entries without time and user.
    fn logged(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.path().join("log.jsonl")).unwrap_or_default();
        let entries = text.lines().map(|line| serde_json::from_str::<Entry>(line).unwrap());
        entries.map(|entry| format!("{} {}: {}", entry.action, entry.segment, entry.result)).collect()
    }

    fn nattch(&self) -> u64 {
        self.machine.edit(|facts| facts.sysv[0].row.nattch)
    }

    fn send(&mut self, request: Request) -> Vec<Report> {
        self.steps.send(request)
    }

    fn subscribe(&mut self, id: SubscriptionId, segment: &str, feed: Feed) -> Vec<Report> {
        let segment = self.segment(segment);
        self.send(Request::Subscribe(id, segment, feed))
    }

    fn preview(&mut self, segment: &str, every: Option<Duration>) -> Vec<Result<Vec<u8>, Unread>> {
        previews(self.subscribe(ONE, segment, Feed::Preview { every, bytes: 512, cells: 4, fields: None }))
    }

    fn open(&mut self, id: SubscriptionId, segment: &str) {
        let reports = self.subscribe(id, segment, Feed::Window);
        assert!(matches!(&bodies(&reports)[..], [Body::Opened(Ok(_))]), "{reports:?}");
    }

    fn close(&mut self, subscription: SubscriptionId, keep: bool) -> Vec<Report> {
        self.send(Request::Unsubscribe { subscription, keep })
    }

    fn watch(&mut self, id: SubscriptionId, window: Offsets<u64>, every: Option<Duration>) -> Vec<Snapshot> {
        snapshots(
            self.send(Request::SetWindow(id, Watching { window, rows: None, cells: 1, every, layout: None })),
        )
    }

    fn ranges(&mut self, id: SubscriptionId, segment: &str, ranges: &[Offsets<u64>], every: Duration) {
        self.subscribe(id, segment, Feed::Ranges { ranges: ranges.to_vec(), every });
    }

    fn pass(&mut self, time: Duration) -> Vec<Report> {
        self.steps.advance(time)
    }

    fn attachments(&mut self) -> Vec<OwnAttachment> {
        let mut reports = self.send(Request::ListAttachments);
        let Some(Report { body: Body::Attachments(holds), .. }) = reports.pop() else {
            panic!("{reports:?}")
        };
        holds
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        self.machine.edit_object("a", |made| made.write(offset, bytes));
    }
}

fn bodies(reports: &[Report]) -> Vec<&Body> {
    reports.iter().map(|report| &report.body).collect()
}

fn snapshots(reports: Vec<Report>) -> Vec<Snapshot> {
    let snapshot = |report: Report| {
        if let Body::Window(snapshot) = report.body { *snapshot } else { panic!("{report:?}") }
    };
    reports.into_iter().map(snapshot).collect()
}

fn previews(reports: Vec<Report>) -> Vec<Result<Vec<u8>, Unread>> {
    let preview = |report: Report| match report.body {
        Body::Preview(preview) => Some(preview.look.map(|look| look.bytes)),
        Body::Ended(_) => None,
        body => panic!("{body:?}"),
    };
    reports.into_iter().filter_map(preview).collect()
}

/// Returns the results of releases as text.
fn released(reports: &[Report]) -> Vec<String> {
    let Some(Report { body: Body::Released(results), .. }) = reports.first() else { panic!("{reports:?}") };
    let reported = |(id, result): &(SegmentId, Result<Released, ActError>)| {
        format!("{id}: {}", result.as_ref().unwrap().text())
    };
    results.iter().map(reported).collect()
}

/// Returns the ids and times of reports.
fn stamps(reports: &[Report], id: SubscriptionId) -> Vec<u64> {
    let of = reports.iter().filter(|report| report.subscription == Some(id));
    of.map(|report| u64::try_from(report.at.saturating_sub(SECOND).as_millis()).unwrap()).collect()
}

#[test]
fn subscriptions_on_one_segment_have_their_own_ranges_and_rates() {
    let mut fixture = Fixture::new();
    fixture.ranges(ONE, "sysv:1", &[0..2, 4..99], TENTH);
    fixture.ranges(TWO, "sysv:1", &[1..3], 3 * TENTH);
    fixture.open(THREE, "sysv:1");
    assert_eq!(fixture.nattch(), 1, "they share one attachment");
    fixture.watch(THREE, 0..16, Some(2 * TENTH));
    let reports = fixture.pass(SECOND);
    assert_eq!(stamps(&reports, ONE), [100, 200, 300, 400, 500, 600, 700, 800, 900, 1000]);
    assert_eq!(stamps(&reports, TWO), [300, 600, 900]);
    assert_eq!(stamps(&reports, THREE), [0; 0], "nothing has changed");
    for report in &reports {
        let Body::Ranges(bytes) = &report.body else { panic!("{report:?}") };
        let wanted: &[&[u8]] = if report.subscription == Some(ONE) { &[b"he", b"o"] } else { &[b"el"] };
        assert_eq!(bytes, wanted);
    }
}

#[test]
fn canceled_subscription_stops_and_others_continue() {
    let mut fixture = Fixture::new();
    fixture.ranges(ONE, "sysv:1", &[0..2], TENTH);
    fixture.ranges(TWO, "sysv:1", &[0..2], TENTH);
    assert!(fixture.close(ONE, false).is_empty(), "the segment is still attached");
    let reports = fixture.pass(SECOND);
    assert_eq!((stamps(&reports, ONE).len(), stamps(&reports, TWO).len()), (0, 10));
    assert_eq!(fixture.nattch(), 1);
    assert_eq!(released(&fixture.close(TWO, false)), ["sysv:1: detached; nattch 1 → 0"]);
    assert!(fixture.pass(SECOND).is_empty());
}

#[test]
fn removed_segment_ends_only_its_own_subscriptions() {
    let mut fixture = Fixture::new();
    fixture.ranges(ONE, "posix:/a", &[0..2], TENTH);
    fixture.ranges(TWO, "sysv:1", &[0..2], TENTH);
    fixture.subscribe(THREE, "posix:/a", Feed::Changes { range: 0..99, value: 1, every: Some(TENTH) });
    fixture.machine.remove_object("a");
    let reports = fixture.pass(SECOND);
    for id in [ONE, THREE] {
        let of: Vec<&Report> = reports.iter().filter(|report| report.subscription == Some(id)).collect();
        assert!(matches!(of[..], [Report { body: Body::Ended(Ended::Removed), .. }]), "{of:?}");
        assert_eq!(stamps(&reports, id), [100]);
    }
    assert_eq!(stamps(&reports, TWO).len(), 10);
    let held: Vec<String> = fixture.attachments().iter().map(|hold| hold.id.to_string()).collect();
    assert_eq!(held, ["sysv:1"]);
}

#[test]
fn new_subscription_replaces_the_one_of_its_id() {
    let mut fixture = Fixture::new();
    fixture.ranges(ONE, "sysv:1", &[0..2], TENTH);
    fixture.ranges(ONE, "posix:/a", &[0..3], TENTH);
    assert_eq!(fixture.nattch(), 0);
    let reports = fixture.pass(SECOND);
    assert!(reports.iter().all(|report| matches!(&report.body, Body::Ranges(all) if all[0] == b"hel")));
    assert_eq!(reports.len(), 10);
}

#[test]
fn changes_include_the_bytes_before_and_after() {
    let mut fixture = Fixture::new();
    let feed = Feed::Changes { range: 1..99, value: 2, every: Some(TENTH) };
    let mut reports = fixture.subscribe(ONE, "posix:/a", feed);
    let Some(Report { body: Body::Changes(Changes { size: 5, changes, complete: true }), .. }) =
        reports.pop()
    else {
        panic!("{reports:?}")
    };
    assert!(changes.is_empty(), "the first pass finds no changes");
    assert!(fixture.pass(SECOND).is_empty());
    fixture.write(0, b"ja");
    let reports = fixture.pass(SECOND);
    let [Body::Changes(Changes { changes, .. })] = bodies(&reports)[..] else { panic!("{reports:?}") };
    let [change] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((change.offset, change.old.as_deref(), &*change.new), (1, Some(&b"ello"[..]), &b"allo"[..]));
    assert_eq!(stamps(&reports, ONE), [1100]);
}

#[test]
fn marked_segment_is_watched_until_its_last_attachment_ends() {
    let mut fixture = Fixture::new();
    fixture.machine.edit(|facts| facts.sysv[0].row.nattch = 1);
    Control::sysv_remove(&fixture.machine, crate::segment::ShmId(1)).unwrap();
    fixture.ranges(ONE, "sysv:1", &[0..2], TENTH);
    assert_eq!(stamps(&fixture.pass(SECOND), ONE).len(), 10);
    fixture.machine.edit(|facts| facts.sysv[0].row.nattch = 1);
    let reports = fixture.pass(SECOND);
    assert!(matches!(bodies(&reports)[..], [Body::Ended(Ended::Removed)]), "{reports:?}");
}

#[test]
fn preview_is_reported_when_its_bytes_differ() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.preview("posix:/a", Some(TENTH)), [Ok(b"hello".to_vec())]);
    fixture.write(0, b"j");
    assert_eq!(previews(fixture.pass(SECOND)), [Ok(b"jello".to_vec())]);
    fixture.machine.remove_object("a");
    let reports = fixture.pass(SECOND);
    assert!(matches!(bodies(&reports)[..], [Body::Ended(Ended::Removed)]), "{reports:?}");
    assert_eq!(fixture.steps.deadline(), None);
}

#[test]
fn paused_preview_is_read_on_request_only() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.preview("posix:/a", None), [Ok(b"hello".to_vec())]);
    assert_eq!(fixture.steps.deadline(), None);
    fixture.write(0, b"j");
    assert_eq!(previews(fixture.send(Request::ReadOnce(ONE))), [Ok(b"jello".to_vec())]);
    assert_eq!(fixture.steps.deadline(), None);
    fixture.write(0, b"c");
    fixture.send(Request::Every(ONE, Some(TENTH)));
    assert_eq!(previews(fixture.pass(TENTH)), [Ok(b"cello".to_vec())]);
    assert!(fixture.steps.deadline().is_some());
}

#[test]
fn preview_has_at_most_the_requested_bytes() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("b", FakeBytes::full(&[7; 1000]));
    assert_eq!(fixture.preview("posix:/b", Some(TENTH)), [Ok(vec![7; 512])]);
}

fn attach(reason: TraceReason) -> Unread {
    Unread::Trace(Forecast { method: Method::Attach, reason: Some(reason) })
}

#[test]
fn preview_never_attaches_a_system_v_segment() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.preview("sysv:1", Some(TENTH)), [Err(attach(TraceReason::NoHolder))]);
    assert!(fixture.steps.deadline().is_some(), "another process may attach it");
    fixture.machine.add_process(7, "writer");
    fixture.machine.attach_in(7, 1, Access::ReadWrite);
    assert_eq!(previews(fixture.pass(SECOND)), [Err(attach(TraceReason::NotPrivileged))]);
    assert_eq!(fixture.steps.deadline(), None, "this user may not read it through the other process");
    assert_eq!(fixture.machine.edit(|facts| facts.attached), 0);
}

#[test]
fn system_v_segment_is_previewed_through_its_current_holder() {
    let mut fixture = Fixture::new();
    fixture.machine.edit(|facts| facts.map_files = true);
    for pid in [7, 8] {
        fixture.machine.add_process(pid, "writer");
    }
    fixture.machine.attach_in(7, 1, Access::ReadWrite);
    let methods = |reports: Vec<Report>| -> Vec<Result<Method, Unread>> {
        let previews = reports.into_iter().filter_map(|report| match report.body {
            Body::Preview(preview) => Some(preview.look.map(|look| look.method)),
            _ => None,
        });
        previews.collect()
    };
    let feed = Feed::Preview { every: Some(TENTH), bytes: 512, cells: 4, fields: None };
    let mut segment = fixture.segment("sysv:1");
    segment.holders = Some([].into());
    let through = |pid| Ok(Method::Holder { pid, keeps_access_time: true });
    let attach = |reason| Err(attach(reason));
    // As listed before the process attached it.
    segment.facts = Fixture::new().segment("sysv:1").facts;
    assert_eq!(methods(fixture.send(Request::Subscribe(ONE, segment, feed))), [through(7)]);
    fixture.machine.attach_in(8, 1, Access::ReadWrite);
    fixture.machine.end_process(7);
    assert_eq!(methods(fixture.pass(SECOND)), [through(8)]);
    fixture.machine.edit(|facts| facts.processes.get_mut(&8).unwrap().readable = false);
    assert_eq!(methods(fixture.pass(SECOND)), [attach(TraceReason::Unreachable)]);
    fixture.machine.end_process(8);
    assert_eq!(methods(fixture.pass(SECOND)), [attach(TraceReason::NoHolder)]);
    assert_eq!((fixture.machine.edit(|facts| facts.attached), fixture.nattch()), (0, 0));
}

#[test]
fn swapped_bytes_of_a_preview_are_marked() {
    let mut fixture = Fixture::new();
    let mut bytes = FakeBytes::full(&[7; 1000]);
    bytes.swapped = [0].into();
    fixture.machine.add_object("b", bytes);
    let reports =
        fixture.subscribe(ONE, "posix:/b", Feed::Preview { every: None, bytes: 512, cells: 4, fields: None });
    let [Body::Preview(preview)] = &bodies(&reports)[..] else { panic!("{reports:?}") };
    let look = preview.look.as_ref().unwrap();
    assert_eq!((&look.bytes, &look.swapped), (&vec![0; 512], &vec![0..512]));
}

#[test]
fn window_through_a_holder_attaches_nothing() {
    let mut fixture = Fixture::new();
    fixture.machine.edit(|facts| facts.map_files = true);
    fixture.machine.add_process(7, "writer");
    fixture.machine.attach_in(7, 1, Access::ReadWrite);
    fixture.open(ONE, "sysv:1");
    assert_eq!(fixture.nattch(), 1);
    assert_eq!(fixture.attachments()[0].effect(), "closes the descriptor; the segment remains");
    assert_eq!(released(&fixture.close(ONE, false)), ["sysv:1: closed"]);
    assert_eq!(fixture.nattch(), 1);
}

#[test]
fn kept_segment_is_previewed_through_its_attachment() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    fixture.close(ONE, true);
    assert_eq!(fixture.preview("sysv:1", Some(TENTH)), [Ok(b"hello".to_vec())]);
    assert_eq!(fixture.machine.edit(|facts| facts.attached), 1);
}

#[test]
fn end_of_the_last_subscription_detaches() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    assert_eq!(fixture.nattch(), 1);
    let events = fixture.close(ONE, false);
    assert_eq!(released(&events), ["sysv:1: detached; nattch 1 → 0"]);
    assert_eq!((fixture.nattch(), fixture.logged()), (0, vec![]));
    assert!(fixture.close(ONE, false).is_empty());
}

#[test]
fn kept_segment_stays_attached_until_released() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    assert!(fixture.close(ONE, true).is_empty());
    assert_eq!(fixture.nattch(), 1);
    // A reopened segment reuses the attachment.
    fixture.open(ONE, "sysv:1");
    assert_eq!(fixture.nattch(), 1);
    fixture.close(ONE, true);
    let holds = fixture.attachments();
    assert_eq!(holds[0].effect(), "nattch 1 → 0; the segment remains");
    let events = fixture.send(Request::Release(holds));
    assert_eq!(released(&events), ["sysv:1: detached; nattch 1 → 0"]);
    assert_eq!((fixture.nattch(), fixture.attachments().len()), (0, 0));
    assert_eq!(fixture.logged(), ["detach sysv:1: detached; nattch 1 → 0"]);
}

#[test]
fn attachments_list_each_segment_once() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "posix:/a");
    fixture.close(ONE, true);
    fixture.open(ONE, "sysv:1");
    fixture.close(ONE, true);
    fixture.open(ONE, "sysv:1");
    let reported: Vec<_> =
        fixture.attachments().iter().map(|hold| format!("{}: {}", hold.id, hold.effect())).collect();
    assert_eq!(
        reported,
        ["sysv:1: nattch 1 → 0; the segment remains", "posix:/a: closes the descriptor; the segment remains",]
    );
    let holds = fixture.attachments();
    let reports = fixture.send(Request::Release(holds));
    assert_eq!(released(&reports).len(), 2);
    // The subscription has ended too.
    assert!(matches!(reports[1], Report { subscription: Some(ONE), body: Body::Ended(Ended::Closed), .. }));
    assert!(fixture.attachments().is_empty() && fixture.close(ONE, false).is_empty());
    assert_eq!(fixture.nattch(), 0);
}

#[test]
fn last_attachment_of_a_marked_segment_is_released_only_as_shown() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    let before = fixture.attachments();
    Control::sysv_remove(&fixture.machine, crate::segment::ShmId(1)).unwrap();
    // As shown before the segment was marked for removal.
    let events = fixture.send(Request::Release(before));
    let [Body::Released(results)] = bodies(&events)[..] else { panic!("{events:?}") };
    let error = results[0].1.as_ref().unwrap_err().to_string();
    assert!(error.contains("this is its last attachment"), "{error}");
    assert_eq!(fixture.nattch(), 1);
    let now = fixture.attachments();
    assert!(now[0].is_last() && now[0].effect().contains("Cannot be undone"), "{now:?}");
    let events = fixture.send(Request::Release(now));
    assert!(released(&events)[0].contains("5 B freed with the last attachment"), "{events:?}");
    assert_eq!(fixture.machine.edit(|facts| facts.sysv.len()), 0);
    // The refused release is not logged.
    assert!(fixture.logged().len() == 1 && fixture.logged()[0].starts_with("detach sysv:1: detached; "));
}

#[test]
fn segment_that_is_freed_by_leaving_is_logged() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    Control::sysv_remove(&fixture.machine, crate::segment::ShmId(1)).unwrap();
    fixture.close(ONE, false);
    assert!(fixture.logged().len() == 1 && fixture.logged()[0].starts_with("detach sysv:1: detached; "));
}

#[test]
fn leaving_without_keeping_releases_a_kept_segment() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    fixture.close(ONE, true);
    fixture.open(ONE, "sysv:1");
    fixture.close(ONE, false);
    assert_eq!(fixture.nattch(), 0);
}

#[test]
fn kept_segment_is_not_read_in_place_of_its_replacement() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "posix:/a");
    fixture.close(ONE, true);
    fixture.machine.add_object("a", FakeBytes::full(b"other"));
    fixture.open(ONE, "posix:/a");
    assert_eq!(fixture.watch(ONE, 0..16, None)[0].bytes, b"other");
}

#[test]
fn open_segment_that_was_replaced_is_not_shared() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "posix:/a");
    fixture.machine.add_object("a", FakeBytes::full(b"other"));
    fixture.open(TWO, "posix:/a");
    assert_eq!(fixture.watch(ONE, 0..16, None)[0].bytes, b"hello");
    assert_eq!(fixture.watch(TWO, 0..16, None)[0].bytes, b"other");
}

#[test]
fn engine_releases_everything_at_the_end() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    fixture.close(ONE, true);
    fixture.open(TWO, "sysv:1");
    let machine = fixture.machine.clone();
    drop(fixture);
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}

#[test]
fn segment_that_cannot_be_opened_has_no_subscription() {
    let mut fixture = Fixture::new();
    let segment = fixture.segment("posix:/a");
    fixture.machine.remove_object("a");
    let reports = fixture.send(Request::Subscribe(ONE, segment, Feed::Window));
    let [Body::Opened(Err(OpenError::Gone { .. }))] = bodies(&reports)[..] else { panic!("{reports:?}") };
    assert!(fixture.watch(ONE, 0..16, Some(TENTH)).is_empty());
    assert_eq!(fixture.steps.deadline(), None);
}

#[test]
fn window_is_reported_at_once_and_then_when_it_has_changed() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "posix:/a");
    assert_eq!(fixture.steps.deadline(), None);
    assert_eq!(fixture.watch(ONE, 0..16, Some(TENTH))[0].bytes, b"hello");
    assert_eq!(fixture.steps.deadline(), Some(SECOND + TENTH));
    assert!(fixture.pass(SECOND).is_empty(), "nothing has changed");
    fixture.write(1, b"a");
    let after = snapshots(fixture.pass(SECOND));
    assert_eq!(after[0].bytes, b"hallo");
    assert_eq!(after[0].changed, std::iter::once(1..2).collect::<Vec<_>>());
    // One more report, because the segment has stopped changing.
    assert_eq!(after.len(), 2);
    assert_eq!(after[1].changes, 0);
}

#[test]
fn frozen_window_is_read_on_request_or_when_it_moves() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "posix:/a");
    fixture.watch(ONE, 0..4, Some(TENTH));
    assert!(fixture.watch(ONE, 0..4, None).is_empty());
    assert_eq!(fixture.steps.deadline(), None);
    assert_eq!(fixture.watch(ONE, 1..5, None)[0].bytes, b"ello");
    assert_eq!(snapshots(fixture.send(Request::ReadOnce(ONE))).len(), 1);
    assert_eq!(fixture.steps.deadline(), None);
}

#[test]
fn differences_and_jumps_are_measured_from_the_baseline() {
    let mut fixture = Fixture::new();
    let find = |fixture: &mut Fixture, from| {
        let search =
            Search { number: 3, from, direction: Direction::Forward, target: Target::Change { value: 1 } };
        let reports = fixture.send(Request::Search(ONE, search));
        let [Body::Found(Found { number: 3, result: Ok(at), .. })] = bodies(&reports)[..] else { panic!() };
        *at
    };
    fixture.open(ONE, "posix:/a");
    fixture.watch(ONE, 0..16, Some(TENTH));
    fixture.pass(TENTH);
    fixture.write(4, b"!");
    fixture.pass(TENTH);
    assert_eq!(find(&mut fixture, 0), Some(4));
    assert_eq!(find(&mut fixture, 5), None);
    fixture.send(Request::SetBaseline(ONE));
    assert_eq!(find(&mut fixture, 0), None);
}

#[test]
fn search_reads_the_segment_of_its_subscription() {
    let mut fixture = Fixture::new();
    fixture.machine.add_object("b", FakeBytes::full(b"--hello"));
    fixture.open(ONE, "sysv:1");
    fixture.open(TWO, "posix:/b");
    let target = Target::Pattern(Box::new(Pattern::text("llo").unwrap()));
    let search = Search { number: 9, from: 0, direction: Direction::Forward, target };
    for (id, offset) in [(ONE, 2), (TWO, 4)] {
        let reports = fixture.send(Request::Search(id, search.clone()));
        let [Report { subscription, body: Body::Found(found), .. }] = &reports[..] else {
            panic!("{reports:?}")
        };
        assert_eq!((*subscription, found.result.clone()), (Some(id), Ok(Some(offset))));
    }
    fixture.close(ONE, false);
    assert!(fixture.send(Request::Search(ONE, search)).is_empty());
}

#[test]
fn window_of_a_removed_segment_ends() {
    let mut fixture = Fixture::new();
    fixture.open(ONE, "sysv:1");
    fixture.watch(ONE, 0..16, Some(TENTH));
    fixture.machine.edit(|facts| facts.sysv.clear());
    let reports = fixture.pass(SECOND);
    let [Body::Ended(ended)] = bodies(&reports)[..] else { panic!("{reports:?}") };
    assert_eq!(ended.text(&"sysv:1".parse().unwrap()), "sysv:1 is gone: removed while it was open");
    assert_eq!(fixture.steps.deadline(), None);
}
