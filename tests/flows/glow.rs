//! Highlights in the table are for changes, not for facts that were found late.

use super::harness;
use crate::support::Harness;
use shmlens::engine::Body;
use shmlens::identify::Identifier;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::Access;
use shmlens::survey::Names;
use std::time::Duration;

fn glowing(harness: &Harness) -> Vec<String> {
    let mut ids: Vec<String> = harness.state.table.glow.keys().map(ToString::to_string).collect();
    ids.sort();
    ids
}

#[test]
fn first_holder_scan_highlights_nothing() {
    let machine = FakeMachine::new();
    machine.add_process(7, "writer");
    for name in ["held", "unlinked", "free"] {
        machine.add_object(name, FakeBytes::hole(100));
    }
    machine.add_sysv(1, 5, FakeBytes::hole(100));
    machine.attach_in(7, 1, Access::Read);
    machine.map_in(7, "held", Access::Read);
    machine.map_in(7, "unlinked", Access::Read);
    machine.remove_object("unlinked");
    let mut harness = harness(machine);
    // At the start, the table is shown before the holders are known.
    let early = Identifier::default().survey(&harness.machine, None, &mut Names::default());
    harness.state.survey = None;
    harness.report(Body::Surveyed(Box::new(early)));
    harness.clock += Duration::from_secs(10);
    harness.survey();
    assert_eq!(harness.state.survey.as_ref().unwrap().segments.len(), 4);
    assert_eq!(glowing(&harness), Vec::<String>::new());
    // Another process does not change a segment either.
    harness.machine.add_process(8, "other");
    harness.survey();
    assert_eq!(glowing(&harness), Vec::<String>::new());
    // Later changes are highlighted.
    harness.machine.add_object("new", FakeBytes::hole(1));
    harness.machine.end_process(7);
    harness.survey();
    assert_eq!(glowing(&harness), ["posix:/held", "posix:/new", "sysv:1"]);
}
