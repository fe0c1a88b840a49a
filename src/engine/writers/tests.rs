//! Watching writers on a fake machine, in virtual time.

use crate::decode::{ByteOrder, Scalar, Type};
use crate::engine::{AtEveryWrite, Body, Options, Report, Request, Steps, WatchedValue};
use crate::machine::fake::{FakeBytes, FakeMachine, FakeWrite};
use crate::machine::image::{Thread, ThreadActivity};
use crate::scope::writers::{ThreadState, WriterTable};
use crate::scope::{EventKind, Grade, SampledValue};
use crate::segment::Access;
use crate::survey::{Names, Survey};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The address of the first mapping in a fake process.
const MAPPED: u64 = 0x7000_0000;
const SOON: Duration = Duration::from_millis(300);
const SECOND: Duration = Duration::from_secs(1);

fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[0; 4096]));
    for (pid, access) in [(7, Access::ReadWrite), (9, Access::Read)] {
        machine.add_process(pid, "motor");
        machine.map_in(pid, "a", access);
        set_threads(&machine, pid, &[pid]);
    }
    machine
}

fn set_threads(machine: &FakeMachine, pid: u32, tids: &[u32]) {
    let thread = |&tid: &u32| (Thread { tid, inner_tid: tid, name: vec![] }, ThreadActivity::Running);
    let threads = tids.iter().map(thread).collect();
    machine.edit(|facts| facts.processes.get_mut(&pid).unwrap().image.threads = threads);
}

/// Starts to watch a range, and returns the first table.
fn watch(machine: &FakeMachine, range: Range<u64>, limit: Option<u32>) -> (Steps, WriterTable) {
    let segment = Survey::take(machine, &mut Names::default()).segments.remove(0);
    let mut steps = Steps::new(Arc::new(machine.clone()), Options::default());
    let watched = WatchedValue { segment, range, limit, count: None, sample: None };
    let reports = steps.send(Request::WatchWriters(Some(Box::new(watched))));
    let table = last(reports).expect("a table at once");
    (steps, table)
}

fn last(reports: Vec<Report>) -> Option<WriterTable> {
    let tables = reports.into_iter().filter_map(|report| match report.body {
        Body::Writers(table) => Some(*table),
        _ => None,
    });
    tables.last()
}

fn write(machine: &FakeMachine, pid: u32, tid: u32, offset: u64) -> bool {
    let (time, instruction, length) = (1, 0x1001, 8);
    machine.write_in(FakeWrite { pid, tid, time, instruction, address: MAPPED + offset, length })
}

fn rows(table: &WriterTable) -> Vec<(u32, u64, ThreadState)> {
    table.writers.iter().map(|writer| (writer.tid, writer.writes, writer.state)).collect()
}

#[test]
fn threads_of_writable_holders_are_watched_as_they_come_and_go() {
    let machine = machine();
    let (mut steps, table) = watch(&machine, 16..24, Some(5000));
    assert_eq!((table.processes, table.threads, table.cost), (1, 1, Some(Duration::from_micros(10))));
    assert_eq!(machine.watched_threads(), [7], "a holder that only reads is not watched");
    assert!(write(&machine, 7, 7, 16) && write(&machine, 7, 7, 12));
    assert!(!write(&machine, 7, 7, 24) && !write(&machine, 7, 7, 8), "other bytes");
    let table = last(steps.advance(SOON)).unwrap();
    assert_eq!(rows(&table), [(7, 2, ThreadState::Watched)]);
    assert_eq!((table.writers[0].pid, &*table.writers[0].command), (7, &b"motor"[..]));
    assert_eq!(table.writers[0].place.name(), "0x1000", "the instruction ends at 0x1001");

    set_threads(&machine, 7, &[7, 8]);
    steps.advance(SECOND);
    assert_eq!(machine.watched_threads(), [7, 8]);
    assert!(write(&machine, 7, 8, 16));
    set_threads(&machine, 7, &[7]);
    let table = last(steps.advance(SECOND)).unwrap();
    assert_eq!(rows(&table), [(7, 2, ThreadState::Watched), (8, 1, ThreadState::Ended)]);

    machine.add_process(20, "late");
    machine.map_in(20, "a", Access::ReadWrite);
    set_threads(&machine, 20, &[20, 21]);
    steps.advance(SECOND);
    assert_eq!(machine.watched_threads(), [7, 20, 21]);
    assert!(write(&machine, 7, 7, 16));
    machine.end_process(7);
    let table = last(steps.advance(2 * SECOND)).unwrap();
    assert_eq!(machine.watched_threads(), [20, 21]);
    assert_eq!(rows(&table), [(7, 3, ThreadState::Ended), (8, 1, ThreadState::Ended)]);

    steps.send(Request::WatchWriters(None));
    assert!(machine.watched_threads().is_empty());
    assert_eq!(steps.deadline(), None);
}

#[test]
fn thread_that_begins_is_watched_at_once_if_its_creator_is() {
    let machine = machine();
    let (mut steps, _) = watch(&machine, 16..24, None);
    set_threads(&machine, 7, &[7, 8]);
    machine.change_threads();
    steps.advance(Duration::from_millis(20));
    assert_eq!(machine.watched_threads(), [7, 8]);
}

#[test]
fn hot_thread_is_released_unless_there_is_no_limit() {
    for (limit, is_released) in [(Some(5000), true), (None, false)] {
        let machine = machine();
        let (mut steps, _) = watch(&machine, 16..24, limit);
        assert!((0..2600).all(|_| write(&machine, 7, 7, 16)));
        let table = last(steps.advance(SOON)).unwrap();
        let state = if is_released { ThreadState::Released } else { ThreadState::Watched };
        assert_eq!(rows(&table), [(7, 2600, state)]);
        steps.advance(2 * SECOND);
        assert_eq!(machine.watched_threads().is_empty(), is_released, "a released thread stays free");
    }
}

#[test]
fn lost_records_are_reported() {
    let machine = machine();
    machine.edit(|facts| facts.watches.capacity = Some(3));
    let (mut steps, _) = watch(&machine, 16..24, None);
    assert!((0..10).all(|_| write(&machine, 7, 7, 16)));
    let table = last(steps.advance(SOON)).unwrap();
    assert_eq!((table.writes, table.lost), (3, 7));
    machine.throttle();
    let table = last(steps.advance(SECOND)).unwrap();
    assert!(table.problems[0].contains("kernel.perf_event_max_sample_rate"), "{:?}", table.problems);
}

#[test]
fn every_mapping_is_watched_up_to_four_watchpoints() {
    let machine = machine();
    machine.map_in(7, "a", Access::ReadWrite);
    let (mut steps, table) = watch(&machine, 16..40, None);
    assert_eq!(table.threads, 1);
    let [problem] = table.problems.as_slice() else { panic!("{:?}", table.problems) };
    assert!(problem.contains("motor (7) maps the segment several times"), "{problem}");
    // The second mapping is a page behind the first.
    assert!(
        write(&machine, 7, 7, 32) && write(&machine, 7, 7, 4096 + 16) && !write(&machine, 7, 7, 4096 + 24)
    );
    assert_eq!(last(steps.advance(SOON)).unwrap().writes, 2);
}

#[test]
fn refusals_name_the_cause_and_the_remedy() {
    let refusal = |uid: u32, paranoid, error| {
        let machine = machine();
        machine.edit(|facts| {
            facts.effective_uid = uid;
            facts.watches.perf_event_paranoid = Some(paranoid);
            facts.watches.refused = Some(error);
        });
        let (_, table) = watch(&machine, 16..24, None);
        assert_eq!((table.threads, table.refused), (0, 1));
        table.problems[0].clone()
    };
    assert_eq!(
        refusal(1000, 4, libc::EACCES),
        "kernel.perf_event_paranoid is 4, which forbids users to watch writes: run as root, or set it to 2 (sysctl \
         kernel.perf_event_paranoid=2)"
    );
    assert_eq!(
        refusal(1001, 2, libc::EACCES),
        "you may not watch motor (7), which belongs to ann: run as root"
    );
    assert!(refusal(1000, 2, libc::EACCES).contains("has other privileges: run as root"));
    assert!(refusal(0, 4, libc::EPERM).contains("CAP_PERFMON"));
    assert!(refusal(1000, 2, libc::ENOSPC).contains("no hardware watchpoints are left for motor (7)"));
    assert!(refusal(1000, 2, libc::EOPNOTSUPP).contains("no hardware watchpoints that the kernel offers"));
    assert!(refusal(1000, 2, libc::ENOBUFS).contains("perf_event_mlock_kb"));
    assert!(refusal(1000, 2, libc::EMFILE).contains("ulimit -n"));
}

#[test]
fn processes_that_cannot_be_examined_are_told() {
    let machine = machine();
    machine.edit(|facts| {
        facts.effective_uid = 1001;
        facts.processes.get_mut(&9).unwrap().readable = false;
    });
    let (_, table) = watch(&machine, 16..24, None);
    assert!(table.has_unexamined && table.problems.is_empty(), "{:?}", table.problems);
}

#[test]
fn watch_ends_with_the_segment_and_its_last_holder() {
    let machine = machine();
    let (mut steps, _) = watch(&machine, 16..24, None);
    machine.remove_object("a");
    write(&machine, 7, 7, 16);
    let reports = steps.advance(2 * SECOND);
    assert_eq!(last(reports).unwrap().writes, 1, "it goes on while somebody holds the segment");
    write(&machine, 7, 7, 16);
    machine.end_process(7);
    machine.end_process(9);
    let reports = steps.advance(2 * SECOND);
    assert!(matches!(reports.last(), Some(Report { body: Body::WritersEnded(_), .. })), "{reports:?}");
    assert_eq!(rows(&last(reports).unwrap()), [(7, 2, ThreadState::Ended)]);
    assert_eq!(steps.deadline(), None);
}

#[test]
fn range_that_cannot_be_watched_is_a_problem() {
    let (_, table) = watch(&machine(), 0..64, None);
    assert!(table.problems[0].contains("watch at most 32 bytes"), "{:?}", table.problems);
}

/// Starts to sample an integer at its writes.
fn sample(machine: &FakeMachine) -> Steps {
    let segment = Survey::take(machine, &mut Names::default()).segments.remove(0);
    let mut steps = Steps::new(Arc::new(machine.clone()), Options::default());
    let ty = Type::scalar(Scalar::U64, ByteOrder::Little);
    let value =
        SampledValue { segment: Box::new(segment.clone()), offset: 16, ty, bits: None, sequence: None };
    let sample = Some(AtEveryWrite { number: 3, value });
    let watched = WatchedValue { segment, range: 16..24, limit: None, count: None, sample };
    steps.send(Request::WatchWriters(Some(Box::new(watched))));
    steps
}

#[test]
fn sampled_value_goes_on_with_the_segment_that_is_made_again() {
    let machine = machine();
    let mut steps = sample(&machine);
    let (mut rows, mut events) = (vec![], vec![]);
    let mut take = |reports: Vec<Report>| {
        for report in reports {
            let Body::Samples(samples) = report.body else {
                assert!(!matches!(report.body, Body::WritersEnded(_)));
                continue;
            };
            assert_eq!(samples.number, 3);
            events.extend(samples.events.iter().map(|event| event.kind.clone()));
            for (column, write) in samples.columns[0].grades.iter().zip(&samples.writes) {
                rows.push((*column, write.as_ref().map(|write| write.thread.process.pid)));
            }
        }
    };
    assert!(write(&machine, 7, 7, 16));
    take(steps.advance(SOON));
    machine.remove_object("a");
    // A writer that still maps the old one no longer counts.
    take(steps.advance(SOON));
    assert!(machine.watched_threads().is_empty());
    machine.add_object("a", FakeBytes::full(&[0; 16]));
    take(steps.advance(SOON));
    assert!(machine.watched_threads().is_empty(), "it does not reach to the value");
    machine.remove_object("a");
    machine.add_object("a", FakeBytes::full(&[0; 64]));
    machine.add_process(20, "next");
    machine.map_in(20, "a", Access::ReadWrite);
    set_threads(&machine, 20, &[20]);
    take(steps.advance(SOON));
    assert_eq!(machine.watched_threads(), [20]);
    assert!(write(&machine, 20, 20, 16));
    take(steps.advance(SOON));
    take(steps.send(Request::WatchWriters(None)));
    assert_eq!(events, [EventKind::Gone, EventKind::Replaced]);
    let gap = (Grade::Missing, None);
    assert_eq!(rows, [(Grade::Whole, Some(7)), gap, (Grade::Whole, Some(20))]);
}
