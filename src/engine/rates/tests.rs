//! Tests of the change rates, on a machine in memory.

use super::*;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::machine::process::FileLock;
use crate::survey::{Names, Survey};
use std::ops::Range;

fn segments(machine: &FakeMachine) -> Vec<Segment> {
    Survey::take(machine, &mut Names::default()).segments
}

/// Runs all polls of one interval, and returns the rates.
fn interval(worker: &mut RatesWorker, machine: &FakeMachine, now: Clock) -> Vec<(String, Activity)> {
    let mut rates = vec![];
    while worker.deadline().is_some_and(|due| due <= now) {
        for report in worker.work(machine, now) {
            let Body::Rates(polled) = report.body else { panic!() };
            rates.extend(polled.into_iter().map(|(id, activity)| (id.to_string(), activity)));
        }
        worker.took(Duration::ZERO);
    }
    rates
}

fn started(machine: &FakeMachine) -> RatesWorker {
    let mut worker = RatesWorker::new(0.01);
    worker.handle(machine, Clock::ZERO, Job::new(Request::SetRates(segments(machine))));
    worker
}

fn changing(bytes_per_second: u64, sampled: bool) -> Activity {
    Activity::Changing { bytes_per_second, sampled }
}

#[test]
fn rate_is_the_number_of_different_bytes_per_second() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[0; 100]));
    let mut worker = started(&machine);
    assert_eq!(interval(&mut worker, &machine, Clock::ZERO), []);
    machine.edit_object("a", |bytes| bytes.write(10, &[1, 2, 3]));
    let at = Duration::from_millis(250);
    assert_eq!(interval(&mut worker, &machine, at), [("posix:/a".to_owned(), changing(12, false))]);
    // The sparkline runs out, then there is silence.
    let zeros = (2..20).flat_map(|tick| interval(&mut worker, &machine, at * tick)).count();
    assert_eq!(zeros, HOT as usize);
}

#[test]
fn change_in_a_large_segment_is_found_in_turn_and_then_followed() {
    let machine = FakeMachine::new();
    machine.add_object("large", FakeBytes::full(&vec![7; 1 << 20]));
    let mut worker = started(&machine);
    let at = |tick: u32| EVERY * tick;
    let mut found = vec![];
    for tick in 0..40u32 {
        machine.edit_object("large", |bytes| bytes.write(600 << 10, &tick.to_le_bytes()));
        found.extend(interval(&mut worker, &machine, at(tick)));
    }
    let (nonzero, all) = (found.iter().filter(|(_, one)| *one != changing(0, true)).count(), found.len());
    assert!(nonzero >= 20, "{nonzero} of {all}");
}

#[test]
fn work_beyond_the_budget_waits_its_turn() {
    let machine = FakeMachine::new();
    for number in 0..FRONT + 20 {
        machine.add_object(&format!("o{number:03}"), FakeBytes::full(&[0; 10]));
    }
    let mut worker = started(&machine);
    let mut polled = std::collections::BTreeSet::new();
    for tick in 0..30u32 {
        let now = EVERY * tick;
        let mut count = 0;
        for object in 0..FRONT + 20 {
            machine.edit_object(&format!("o{object:03}"), |bytes| bytes.write(0, &tick.to_le_bytes()));
        }
        while worker.deadline().is_some_and(|due| due <= now) {
            for report in worker.work(&machine, now) {
                let Body::Rates(rates) = report.body else { panic!() };
                polled.extend(rates.into_iter().map(|(id, _)| id));
            }
            worker.took(worker.budget / 70);
            count += 1;
        }
        // The last one reports.
        assert!(count <= 72, "{count} polls");
    }
    assert_eq!(polled.len(), FRONT + 20);
}

#[test]
fn time_beyond_the_budget_counts_for_the_next_interval() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[0; 10]));
    let mut worker = started(&machine);
    let polled_at = |worker: &mut RatesWorker, tick: u32, took: f64| {
        worker.work(&machine, EVERY * tick);
        worker.took(worker.budget.mul_f64(took));
        worker.flush = false;
        worker.entries[0].polled == Some(EVERY * tick)
    };
    assert!(polled_at(&mut worker, 0, 1.5));
    // Half of this budget is left.
    assert!(polled_at(&mut worker, 1, 4.0));
    assert!(!polled_at(&mut worker, 2, 0.0));
    assert!(polled_at(&mut worker, 3, 0.0));
}

#[test]
fn segments_that_cannot_be_read_without_a_trace_are_not_read() {
    let machine = FakeMachine::new();
    machine.add_sysv(7, 0, FakeBytes::full(b"x"));
    let mut worker = started(&machine);
    let rates = interval(&mut worker, &machine, Clock::ZERO);
    assert_eq!(
        rates,
        [(
            "sysv:7".to_owned(),
            Activity::Unread(Unread::Trace(Forecast {
                method: Method::Attach,
                reason: Some(TraceReason::NoHolder)
            }))
        )]
    );
    machine.edit(|facts| assert_eq!(facts.attached, 0));
}

#[test]
fn share_of_0_polls_nothing() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    let mut worker = RatesWorker::new(0.0);
    worker.handle(&machine, Clock::ZERO, Job::new(Request::SetRates(segments(&machine))));
    assert_eq!(worker.deadline(), None);
}

/// Adds or removes another program's lease on the only object.
fn lease(machine: &FakeMachine, held: bool) {
    machine.edit(|facts| {
        let object = facts.posix.values().next().unwrap().stat;
        let (device, inode) = (object.device, object.inode);
        let lease = FileLock { device, inode, pid: Some(7), write_lease: true };
        facts.locks = if held { vec![lease] } else { vec![] };
    });
}

/// Runs the intervals of several seconds, and returns the rates.
fn seconds(worker: &mut RatesWorker, machine: &FakeMachine, run: Range<u32>) -> Vec<(String, Activity)> {
    let mut rates = vec![];
    for tick in run.start * 4..run.end * 4 {
        machine.edit(|facts| facts.now += i64::from(tick % 4 == 0));
        rates.extend(interval(worker, machine, EVERY * tick));
    }
    rates
}

fn broken(machine: &FakeMachine) -> u32 {
    let mut count = 0;
    machine.edit(|facts| count = facts.broken_leases);
    count
}

#[test]
fn leased_object_is_not_read_until_the_lease_is_released() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    lease(&machine, true);
    let mut worker = started(&machine);
    let rates = seconds(&mut worker, &machine, 0..20);
    assert!(rates.iter().all(|(_, one)| *one == Activity::Unread(Unread::Leased(Some(7)))), "{rates:?}");
    assert_eq!((rates.is_empty(), broken(&machine)), (false, 0));
    lease(&machine, false);
    assert_eq!(seconds(&mut worker, &machine, 20..23).last().unwrap().1, changing(0, false));
    // The program may lease it again.
    lease(&machine, true);
    seconds(&mut worker, &machine, 23..33);
    assert_eq!(broken(&machine), 0);
}

#[test]
fn lease_that_is_taken_later_breaks_once() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    let mut worker = started(&machine);
    seconds(&mut worker, &machine, 0..2);
    lease(&machine, true);
    seconds(&mut worker, &machine, 2..20);
    assert_eq!(broken(&machine), 1);
}

#[test]
fn lease_that_is_not_listed_breaks_once_a_minute() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    machine.edit(|facts| facts.lockless = true);
    lease(&machine, true);
    let mut worker = started(&machine);
    seconds(&mut worker, &machine, 0..110);
    assert_eq!(broken(&machine), 2);
}

#[test]
fn segment_that_stands_still_is_polled_less_often_but_within_a_second() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[0; 100]));
    let mut worker = started(&machine);
    seconds(&mut worker, &machine, 0..10);
    let mut polls = 0;
    for tick in 40..80 {
        polls += u32::from(worker.deadline().unwrap() <= EVERY * tick);
        interval(&mut worker, &machine, EVERY * tick);
    }
    assert!((19..=21).contains(&polls), "{polls} polls in 10 s");
    machine.edit_object("a", |bytes| bytes.write(10, &[1]));
    let rates = (80..83).flat_map(|tick| interval(&mut worker, &machine, EVERY * tick));
    assert_eq!(rates.filter(|(_, activity)| *activity != changing(0, false)).count(), 1);
    // It is polled four times a second again.
    machine.edit_object("a", |bytes| bytes.write(10, &[2]));
    assert_eq!(seconds(&mut worker, &machine, 21..22).len(), 4);
}

#[test]
fn empty_list_ends_the_polls() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    let mut worker = started(&machine);
    assert!(worker.deadline().is_some());
    worker.handle(&machine, Clock::ZERO, Job::new(Request::SetRates(vec![])));
    assert_eq!(worker.deadline(), None);
}
