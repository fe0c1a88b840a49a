//! Highlights in the table are for changes, not for facts that were found late.

use super::stage;
use crate::support::Stage;
use shmlens::engine::Body;
use shmlens::identify::Identifier;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::Access;
use shmlens::survey::Names;
use std::time::Duration;

fn glowing(stage: &Stage) -> Vec<String> {
    let mut ids: Vec<String> = stage.state.table.glow.keys().map(ToString::to_string).collect();
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
    let mut stage = stage(machine);
    // At the start, the table is shown before the holders are known.
    let early = Identifier::default().survey(&stage.machine, None, &mut Names::default());
    stage.state.survey = None;
    stage.report(Body::Surveyed(Box::new(early)));
    stage.clock += Duration::from_secs(10);
    stage.survey();
    assert_eq!(stage.state.survey.as_ref().unwrap().segments.len(), 4);
    assert_eq!(glowing(&stage), Vec::<String>::new());
    // Another process does not change a segment either.
    stage.machine.add_process(8, "other");
    stage.survey();
    assert_eq!(glowing(&stage), Vec::<String>::new());
    // Later changes are highlighted.
    stage.machine.add_object("new", FakeBytes::hole(1));
    stage.machine.end_process(7);
    stage.survey();
    assert_eq!(glowing(&stage), ["posix:/held", "posix:/new", "sysv:1"]);
}
