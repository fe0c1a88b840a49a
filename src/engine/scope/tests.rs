//! Tests of the scope in virtual time.

use crate::decode::{ByteOrder, Scalar, Type};
use crate::engine::{Body, Delivery, Options, Report, Request, ScopeRequest, Steps};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::scope::{Batch, EventKind, Grade, Rate, SampledValue, Sequence};
use crate::segment::{Access, Segment};
use crate::survey::{Depth, Holdings, Names, Survey};
use std::sync::Arc;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

struct Scope {
    steps: Steps,
}

fn segment(machine: &FakeMachine, index: usize) -> Box<Segment> {
    Box::new(Survey::take(machine, &mut Names::default()).segments.swap_remove(index))
}

fn value(segment: &Segment, scalar: Scalar, offset: u64) -> SampledValue {
    let ty = Type::scalar(scalar, ByteOrder::native());
    SampledValue { segment: Box::new(segment.clone()), offset, ty, bits: None, sequence: None }
}

impl Scope {
    fn new(machine: &FakeMachine) -> Self {
        Self { steps: Steps::new(Arc::new(machine.clone()), Options::default()) }
    }

    fn start(&mut self, number: u64, rate: Rate, values: Vec<SampledValue>) -> Vec<Batch> {
        let request = ScopeRequest { number, values, rate };
        batches(self.steps.send(Request::Scope(Some(Box::new(request)))))
    }

    fn wait(&mut self, time: Duration) -> Batch {
        joined(batches(self.steps.advance(time)))
    }
}

fn deliveries(reports: Vec<Report>) -> Vec<Delivery> {
    let delivery = |report: Report| match report.body {
        Body::Samples(delivery) => Some(delivery),
        _ => None,
    };
    reports.into_iter().filter_map(delivery).collect()
}

fn batches(reports: Vec<Report>) -> Vec<Batch> {
    deliveries(reports).into_iter().map(Delivery::into_batch).collect()
}

fn joined(batches: Vec<Batch>) -> Batch {
    batches
        .into_iter()
        .reduce(|mut all, next| {
            all.times.extend(next.times);
            for (column, next) in all.columns.iter_mut().zip(next.columns) {
                column.bits.extend(next.bits);
                column.grades.extend(next.grades);
            }
            all.events.extend(next.events);
            all.timing = next.timing;
            all
        })
        .unwrap_or_default()
}

fn events(batch: &Batch) -> Vec<(usize, EventKind)> {
    batch.events.iter().map(|event| (event.channel, event.kind.clone())).collect()
}

/// Checks that no tick is lost.
fn assert_complete(batch: &Batch) {
    let timing = batch.timing;
    assert_eq!(timing.samples + timing.missed, timing.ticks);
    assert!(batch.times.is_sorted());
    for column in &batch.columns {
        assert_eq!((column.bits.len(), column.grades.len()), (batch.len(), batch.len()));
    }
}

#[test]
fn values_are_sampled_at_each_tick_and_delivered_30_times_a_second() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&7_u64.to_ne_bytes().repeat(4)));
    let mut scope = Scope::new(&machine);
    assert_eq!(scope.steps.deadline(), None, "no scope, no work");
    let a = segment(&machine, 0);
    scope.start(3, Rate::Hertz(1000.0), vec![value(&a, Scalar::U64, 8), value(&a, Scalar::U8, 5)]);
    let deliveries = deliveries(scope.steps.advance(1000 * MS));
    assert!((29..=31).contains(&deliveries.len()), "{}", deliveries.len());
    assert!(deliveries.iter().all(|delivery| delivery.number == 3));
    let batch = joined(deliveries.into_iter().map(Delivery::into_batch).collect());
    assert_complete(&batch);
    assert!(batch.len() > 960 && batch.timing.missed == 0);
    assert!((batch.timing.achieved() - 1000.0).abs() < 0.1);
    assert!(batch.times.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000));
    let now = u64::try_from(machine.edit(|facts| facts.now)).unwrap() * 1_000_000_000;
    assert!(batch.times[0] - now < 20_000_000, "the clock of the machine");
    assert!(batch.columns[0].bits.iter().all(|&bits| bits == 7));
    assert!(batch.columns[0].grades.iter().all(|&grade| grade == Grade::Whole));
    // The rest is delivered at the end.
    let rest = joined(batches(scope.steps.send(Request::Scope(None))));
    assert_eq!(rest.timing.samples, (batch.len() + rest.len()) as u64);
    assert_eq!(scope.steps.deadline(), None);
}

#[test]
fn slow_rate_delivers_each_sample() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    let a = segment(&machine, 0);
    assert_eq!(scope.start(1, Rate::Hertz(1.0), vec![value(&a, Scalar::U8, 0)]).len(), 1);
    for _ in 0..3 {
        assert_eq!(scope.wait(1000 * MS).len(), 1);
    }
}

#[test]
fn slow_rate_goes_on_as_soon_as_the_segment_is_back() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    let a = segment(&machine, 0);
    scope.start(1, Rate::Hertz(2.0), vec![value(&a, Scalar::U8, 0)]);
    scope.wait(1000 * MS);
    machine.remove_object("a");
    scope.wait(2000 * MS);
    machine.add_object("a", FakeBytes::full(&[2; 8]));
    let batch = scope.wait(1500 * MS);
    assert_eq!(batch.columns[0].bits.last(), Some(&2));
    assert_complete(&batch);
    assert!(batch.timing.ticks <= 10, "4.5 s at 2 Hz: {:?}", batch.timing);
}

#[test]
fn successor_of_an_object_is_sampled_after_a_gap() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 16]));
    machine.add_object("b", FakeBytes::full(&[5; 16]));
    let mut scope = Scope::new(&machine);
    let (a, b) = (segment(&machine, 0), segment(&machine, 1));
    scope.start(1, Rate::Hertz(100.0), vec![value(&a, Scalar::U8, 9), value(&b, Scalar::U8, 0)]);
    let batch = scope.wait(500 * MS);
    assert!(batch.events.is_empty() && batch.columns[0].bits.iter().all(|&bits| bits == 1));
    machine.remove_object("a");
    let batch = scope.wait(300 * MS);
    assert_eq!(events(&batch), [(0, EventKind::Gone)]);
    assert_eq!(batch.columns[0].grades.last(), Some(&Grade::Missing));
    assert!(batch.columns[1].grades.iter().all(|&grade| grade == Grade::Whole), "the other goes on");
    // A new object is empty at first.
    machine.add_object("a", FakeBytes::hole(0));
    assert_eq!(events(&scope.wait(300 * MS)), []);
    machine.edit_object("a", |bytes| *bytes = FakeBytes::full(&[2; 16]));
    let batch = scope.wait(300 * MS);
    assert_eq!(events(&batch), [(0, EventKind::Replaced)]);
    let event = batch.events[0].time;
    for (at, (&time, &grade)) in batch.times.iter().zip(&batch.columns[0].grades).enumerate() {
        // Reading finds out at once, the check within 100 ms. The first sample of the new one is left out.
        assert!(grade == Grade::Whole || time <= event + 10_000_000, "{at}");
    }
    assert_eq!(batch.columns[0].bits.last(), Some(&2));
    assert_complete(&batch);
    assert_eq!(batch.timing.missed, 0, "the other channel was sampled");
}

#[test]
fn replacement_within_a_tick_leaves_a_gap() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 16]));
    let mut scope = Scope::new(&machine);
    let a = segment(&machine, 0);
    scope.start(1, Rate::Hertz(100.0), vec![value(&a, Scalar::U8, 9)]);
    scope.wait(300 * MS);
    machine.remove_object("a");
    machine.add_object("a", FakeBytes::full(&[2; 16]));
    let batch = scope.wait(300 * MS);
    let column = &batch.columns[0];
    let first = column.bits.iter().position(|&bits| bits == 2).unwrap();
    assert_eq!(column.grades[first - 1], Grade::Missing, "no line leads from one segment to the other");
}

#[test]
fn segment_with_the_key_follows_a_removed_one() {
    let machine = FakeMachine::new();
    machine.edit(|facts| {
        facts.map_files = true;
        facts.effective_uid = 0;
    });
    machine.add_sysv(3, 0x4d2, FakeBytes::full(&[1; 16]));
    machine.add_sysv(4, 0, FakeBytes::full(&[3; 16]));
    let mut scope = Scope::new(&machine);
    let (keyed, private) = (segment(&machine, 0), segment(&machine, 1));
    scope.start(1, Rate::Hertz(100.0), vec![value(&keyed, Scalar::U8, 0), value(&private, Scalar::U8, 0)]);
    assert_eq!(scope.wait(200 * MS).columns[0].bits.last(), Some(&1));
    machine.edit(|facts| facts.sysv.clear());
    machine.add_sysv(70, 0x4d2, FakeBytes::full(&[2; 16]));
    let batch = scope.wait(300 * MS);
    assert_eq!(events(&batch), [(0, EventKind::Replaced), (1, EventKind::Gone)]);
    assert_eq!(batch.columns[0].bits.last(), Some(&2));
}

#[test]
fn sysv_segment_is_read_through_its_holder() {
    let machine = FakeMachine::new();
    machine.edit(|facts| {
        facts.map_files = true;
        facts.effective_uid = 0;
    });
    machine.add_sysv(3, 0x4d2, FakeBytes::full(&[1; 16]));
    machine.add_process(70, "writer");
    machine.attach_in(70, 3, Access::ReadWrite);
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    assert_eq!(scope.wait(200 * MS).columns[0].bits.last(), Some(&1));
    assert_eq!(machine.edit(|facts| facts.attached), 0);
}

#[test]
fn unlinked_object_is_sampled_until_its_last_holder_exits() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 16]));
    machine.add_process(70, "writer");
    machine.open_in(70, "a", Access::ReadWrite);
    machine.remove_object("a");
    let mut names = Names::default();
    let holdings = Holdings::scan(&machine, Depth::Shared, &[], &mut names);
    let mut survey = Survey::take(&machine, &mut names);
    survey.join(&holdings, &machine, &mut names);
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![value(&survey.segments[0], Scalar::U8, 0)]);
    let batch = scope.wait(2000 * MS);
    assert!(batch.events.is_empty() && batch.columns[0].bits.last() == Some(&1), "{:?}", batch.events);
    machine.end_process(70);
    // An object of the former name is another one.
    machine.add_object("a", FakeBytes::full(&[2; 16]));
    assert_eq!(events(&scope.wait(2000 * MS)), [(0, EventKind::Gone)]);
}

#[test]
fn shrunk_object_is_a_gap_of_the_values_past_its_end() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 64]));
    let mut scope = Scope::new(&machine);
    let a = segment(&machine, 0);
    scope.start(1, Rate::Hertz(100.0), vec![value(&a, Scalar::U64, 32), value(&a, Scalar::U64, 0)]);
    scope.wait(100 * MS);
    machine.edit_object("a", |bytes| bytes.size = 39);
    let batch = scope.wait(200 * MS);
    assert_eq!(events(&batch), [(0, EventKind::Short)]);
    assert_eq!(batch.columns[0].grades.last(), Some(&Grade::Missing));
    assert_eq!(batch.columns[1].grades.last(), Some(&Grade::Whole));
    machine.edit_object("a", |bytes| bytes.size = 64);
    assert_eq!(events(&scope.wait(200 * MS)), [(0, EventKind::Back)]);
}

#[test]
fn ticks_without_any_value_are_one_gap_and_counted() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(1000.0), vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    scope.wait(100 * MS);
    machine.remove_object("a");
    let batch = scope.wait(1000 * MS);
    assert_eq!(batch.columns[0].grades.iter().filter(|&&grade| grade == Grade::Missing).count(), 1);
    assert_complete(&batch);
    assert!(batch.timing.missed > 850, "{:?}", batch.timing);
    machine.add_object("a", FakeBytes::full(&[2; 8]));
    let batch = scope.wait(1000 * MS);
    assert_complete(&batch);
    assert_eq!(batch.columns[0].grades.iter().filter(|&&grade| grade == Grade::Missing).count(), 0);
    assert!(batch.timing.missed < 1100 && batch.timing.samples > 900, "{:?}", batch.timing);
}

#[test]
fn refused_segment_fails_once_and_is_tried_again() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let a = segment(&machine, 0);
    let caller = |uid| machine.edit(|facts| facts.effective_uid = uid);
    caller(1001);
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![value(&a, Scalar::U8, 0)]);
    let batch = scope.wait(3000 * MS);
    let [(0, EventKind::Failed(reason))] = &events(&batch)[..] else { panic!("{:?}", batch.events) };
    assert!(reason.contains("permission denied"), "{reason}");
    caller(1000);
    assert_eq!(events(&scope.wait(1100 * MS)), [(0, EventKind::Back)]);
}

#[test]
fn value_that_is_no_number_fails() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 32]));
    let a = segment(&machine, 0);
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![value(&a, Scalar::U128, 0), value(&a, Scalar::U8, 0)]);
    let batch = scope.wait(100 * MS);
    let [(0, EventKind::Failed(reason))] = &events(&batch)[..] else { panic!("{:?}", batch.events) };
    assert!(reason.contains("not a number"), "{reason}");
    assert_eq!(batch.columns[1].bits.last(), Some(&1));
    scope.start(2, Rate::Hertz(100.0), vec![value(&a, Scalar::U128, 0)]);
    assert_eq!(scope.wait(100 * MS).events.len(), 1);
}

#[test]
fn pause_is_a_gap_without_missed_ticks() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    let before = scope.wait(1000 * MS);
    let last = joined(batches(scope.steps.send(Request::PauseScope(true))));
    assert_eq!(last.columns[0].grades.last(), Some(&Grade::Missing));
    assert_eq!(scope.steps.deadline(), None);
    assert!(scope.wait(5000 * MS).is_empty());
    machine.remove_object("a");
    machine.add_object("a", FakeBytes::full(&[2; 8]));
    let first = joined(batches(scope.steps.send(Request::PauseScope(false))));
    let after = joined(vec![first, scope.wait(1000 * MS)]);
    assert_eq!(events(&after), [(0, EventKind::Replaced)]);
    assert!(after.columns[0].bits.iter().all(|&bits| bits == 2), "nothing of the old object");
    assert_complete(&after);
    assert_eq!(after.timing.missed, 0);
    assert!(after.timing.samples > before.timing.samples + 90);
    assert!(after.timing.elapsed < Duration::from_secs(3));
    assert!(after.columns[0].grades.iter().all(|&grade| grade == Grade::Whole));
}

#[test]
fn caller_that_does_not_keep_up_misses_ticks() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(1000.0), vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    let kept = deliveries(scope.steps.advance(10_000 * MS));
    assert_eq!(kept.len(), super::delivery::MAX_WAITING);
    drop(kept);
    let batch = scope.wait(1000 * MS);
    assert_complete(&batch);
    assert_eq!(batch.columns[0].grades.iter().filter(|&&grade| grade == Grade::Missing).count(), 1);
    assert!(batch.timing.missed > 7000 && batch.timing.ticks > 10_900, "{:?}", batch.timing);
}

#[test]
fn caller_that_does_not_keep_up_with_a_burst_gets_a_gap() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Burst, vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    let kept = deliveries(scope.steps.advance(4000 * MS));
    assert_eq!(kept.len(), super::delivery::MAX_WAITING);
    drop(kept);
    let batch = scope.wait(100 * MS);
    assert_complete(&batch);
    assert_eq!(batch.columns[0].grades.iter().filter(|&&grade| grade == Grade::Missing).count(), 1);
    assert_eq!(batch.columns[0].grades.last(), Some(&Grade::Whole));
}

#[test]
fn burst_samples_without_ticks_and_stays_bounded() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 8]));
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Burst, vec![value(&segment(&machine, 0), Scalar::U8, 0)]);
    let batch = scope.wait(100 * MS);
    assert_complete(&batch);
    assert!(batch.timing.samples > 800 && batch.timing.missed == 0, "{:?}", batch.timing);
    machine.remove_object("a");
    let batch = scope.wait(300 * MS);
    assert_eq!(events(&batch), [(0, EventKind::Gone)]);
    machine.add_object("a", FakeBytes::full(&[2; 8]));
    assert_eq!(scope.wait(300 * MS).columns[0].bits.last(), Some(&2));
}

#[test]
fn sequence_lock_verifies_its_values() {
    let machine = FakeMachine::new();
    let bytes: Vec<u8> = [4_u64, 10, 20].iter().flat_map(|word| word.to_ne_bytes()).collect();
    machine.add_object("a", FakeBytes::full(&bytes));
    let a = segment(&machine, 0);
    let locked = |offset| SampledValue {
        sequence: Some(Sequence { offset: 0, size: 8 }),
        ..value(&a, Scalar::U64, offset)
    };
    let mut scope = Scope::new(&machine);
    scope.start(1, Rate::Hertz(100.0), vec![locked(16), value(&a, Scalar::U64, 0), locked(8)]);
    let batch = scope.wait(100 * MS);
    let last = |batch: &Batch, channel: usize| {
        let column: &crate::scope::Column = &batch.columns[channel];
        (*column.bits.last().unwrap(), *column.grades.last().unwrap())
    };
    let expected = [(20, Grade::Verified), (4, Grade::Whole), (10, Grade::Verified)];
    assert_eq!([0, 1, 2].map(|channel| last(&batch, channel)), expected);
    machine.edit_object("a", |bytes| bytes.write(0, &5_u64.to_ne_bytes()));
    assert_eq!(last(&scope.wait(100 * MS), 0), (20, Grade::Unverified));
}
