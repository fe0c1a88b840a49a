//! Writers that restart, and segments that shrink while they are sampled.

use super::{Scope, has_event, last, listed, posix, value, writer};
use crate::support::{Namespaces, Nobody, Object, Sysv};
use shmlens::decode::Scalar;
use shmlens::scope::{EventKind, Grade, Rate};
use std::fs;

#[test]
fn scope_goes_on_with_the_object_of_a_restarted_writer() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut first) = writer(&["stamp", "/stamped", "10000"]) else { return };
    let mut scope = Scope::start(Rate::Hertz(500.0), vec![value(&posix("/stamped"), Scalar::U64, 0)]);
    scope.until(|all| last(all, 0).is_some_and(|(count, _)| count > 2000));
    first.end();
    let removed = scope.all.len();
    fs::remove_file("/dev/shm/stamped").unwrap();
    scope.until(|all| has_event(all, &EventKind::Gone));
    let Some(_second) = writer(&["stamp", "/stamped", "100"]) else { return };
    scope.until(|all| {
        has_event(all, &EventKind::Replaced) && last(all, 0).is_some_and(|(count, _)| count > 0)
    });
    let all = scope.stop();
    let kinds: Vec<&EventKind> = all.events.iter().map(|event| &event.kind).collect();
    assert_eq!(kinds, [&EventKind::Gone, &EventKind::Replaced]);
    assert!(all.columns[0].grades[removed..].contains(&Grade::Missing));
    let (before, after) = (all.columns[0].bits[removed - 1], last(&all, 0).unwrap());
    assert!(after.0 < before && after.1 == Grade::Whole, "{before} {after:?}");
}

#[test]
fn scope_goes_on_with_the_segment_of_the_same_key() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let first = Sysv::new(0x5c09e, 4096, 0o600);
    first.write(64, &1_u64.to_ne_bytes());
    let mut scope = Scope::start(Rate::Hertz(100.0), vec![value(&listed(&first.id()), Scalar::U64, 64)]);
    scope.until(|all| last(all, 0) == Some((1, Grade::Whole)));
    drop(first);
    scope.until(|all| has_event(all, &EventKind::Gone));
    let second = Sysv::new(0x5c09e, 4096, 0o600);
    second.write(64, &2_u64.to_ne_bytes());
    scope.until(|all| last(all, 0) == Some((2, Grade::Whole)));
    assert!(has_event(&scope.stop(), &EventKind::Replaced));
}

#[test]
fn truncation_of_a_mapped_object_is_a_gap() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 8192, 0o600);
    object.write(4096, &7_u64.to_ne_bytes());
    for rate in [Rate::Burst, Rate::Hertz(1000.0)] {
        let mut scope = Scope::start(rate, vec![value(&posix("/a"), Scalar::U64, 4096)]);
        for _ in 0..3 {
            scope.all.events.clear();
            scope.until(|all| last(all, 0) == Some((7, Grade::Whole)));
            object.file.set_len(4096).unwrap();
            scope.until(|all| has_event(all, &EventKind::Short));
            object.file.set_len(8192).unwrap();
            object.write(4096, &7_u64.to_ne_bytes());
            scope.until(|all| has_event(all, &EventKind::Back));
        }
        // Between the truncation and the write, the value was 0.
        let all = scope.stop();
        assert!(all.columns[0].bits.iter().all(|bits| matches!(bits, 0 | 7)));
    }
}

#[test]
fn other_segments_go_on_while_one_is_refused() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let (private, public) = (Object::new("private", 4096, 0o600), Object::new("public", 4096, 0o644));
    for object in [&private, &public] {
        object.write(0, &7_u64.to_ne_bytes());
    }
    let values = ["/private", "/public"].map(|name| value(&posix(name), Scalar::U64, 0)).into();
    let mut scope = {
        let _nobody = Nobody::here();
        Scope::start(Rate::Hertz(100.0), values)
    };
    scope.until(|all| all.len() > 10 && !all.events.is_empty());
    let all = scope.stop();
    let [event] = &all.events[..] else { panic!("{:?}", all.events) };
    let EventKind::Failed(reason) = &event.kind else { panic!("{event:?}") };
    assert!(event.channel == 0 && reason.contains("Run as root"), "{reason}");
    assert_eq!(last(&all, 0).map(|(_, grade)| grade), Some(Grade::Missing));
    assert_eq!(last(&all, 1), Some((7, Grade::Whole)));
}
