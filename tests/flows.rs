//! Keys and their effect on the state, over the fake machine: no terminal, no drawing.

mod acting;
mod alerts;
mod answers;
mod attachments;
mod clean;
mod fields;
mod fold;
mod glow;
mod holders;
mod inspect;
mod keys;
mod new_segment;
mod permissions;
mod recordings;
mod save;
mod scope;
mod segments;
mod typing;
mod values;
mod waveforms;
mod writers;

use crate::support::Harness;
use shmlens::machine::fake::{FakeBytes, FakeMachine};

/// Returns a machine with three objects of 300, 100 and 200 bytes, and a System V segment.
fn small() -> FakeMachine {
    let machine = FakeMachine::new();
    for (name, size) in [("a", 300), ("b", 100), ("c", 200)] {
        machine.add_object(name, FakeBytes::full(&vec![name.as_bytes()[0]; size]));
    }
    machine.add_sysv(5, 0x4d2, FakeBytes::full(&[5; 50]));
    machine
}

fn harness(machine: FakeMachine) -> Harness {
    Harness::new(machine, 80, 24)
}

/// Returns the text of the status line.
fn notice(harness: &Harness) -> &str {
    harness.state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}
