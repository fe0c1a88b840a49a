//! Processes that start and exit during the scan.

use super::found::{found, object};
use crate::support::{Child, Namespaces, SOON, compile_cpp};
use shmlens::machine::process::Object;
use shmlens::machine::real::RealMachine;
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::process::Command;
use std::time::{Duration, Instant};

const DURATION: Duration = Duration::from_secs(3);
/// The lifetime of a watched process: shorter than `DURATION`, so that it still runs at the end.
const WATCHED_LIFETIME: Duration = Duration::from_millis(2500);

#[test]
fn object_passed_between_processes_is_never_unheld() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = compile_cpp("tests/holders/relay.cpp") else { return };
    let time = DURATION.as_millis().to_string();
    let mut relay = Child::spawn_piped(Command::new(program).arg(time));
    assert_eq!(relay.line(SOON), "ready");
    let started = Instant::now();
    let mut names = Names::default();
    let listed = Survey::take(&RealMachine, &mut names);
    let is_object = |segment: &&Segment| matches!(segment.id, SegmentId::Posix(_));
    let object = object(listed.segments.iter().find(is_object).unwrap());
    let (mut seen, mut looks, mut last) = (0, 0, None::<Holdings>);
    while started.elapsed() < WATCHED_LIFETIME {
        let holdings = match last {
            Some(last) if looks % 2 == 1 => last.refresh(&RealMachine, &[], &mut names),
            _ => Holdings::scan(&RealMachine, Depth::Private, &[], &mut names),
        };
        let mut survey = listed.clone();
        survey.join(&holdings, &RealMachine, &mut names);
        let found = found(&survey);
        // On a busy machine a scan may last longer than the processes it scans.
        if started.elapsed() >= WATCHED_LIFETIME {
            break;
        }
        let holders = &found[&object];
        assert!(!holders.is_empty() || holdings.coverage.failed.is_some(), "look {looks}");
        for held in found.values().flatten() {
            assert_eq!((held.mappings, held.descriptors, held.private), (1, 0, false));
        }
        assert!(found.keys().all(|of| *of == object || matches!(of, Object::Sysv(_))));
        seen += usize::from(!holders.is_empty());
        looks += 1;
        last = Some(holdings);
    }
    assert!(seen > 0 && looks > 1, "seen in {seen} of {looks}");
}
