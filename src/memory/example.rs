//! Segments for tests.

use super::{PageBuffer, Reader};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::survey::{Names, Survey};
use proptest::prelude::*;

/// Returns a machine with an object named "a", and a reader of the object.
pub fn object(bytes: FakeBytes) -> (FakeMachine, Reader) {
    let machine = FakeMachine::new();
    machine.add_object("a", bytes);
    let reader = reader(&machine);
    (machine, reader)
}

/// Opens the first segment of a machine.
pub fn reader(machine: &FakeMachine) -> Reader {
    let survey = Survey::take(machine, &mut Names::default());
    Reader::open(machine, &survey.segments[0]).unwrap()
}

pub fn pages(machine: &FakeMachine) -> usize {
    let mut count = 0;
    machine.edit_object("a", |bytes| count = bytes.pages.len());
    count
}

pub fn all(reader: &Reader) -> Vec<u8> {
    let mut bytes = PageBuffer::default();
    reader.fill(&mut bytes, 0, usize::try_from(reader.size().unwrap()).unwrap()).unwrap();
    bytes.to_vec()
}

/// Generates objects of a few pages with scattered data, of few different bytes.
pub fn sparse() -> impl Strategy<Value = FakeBytes> {
    let blob = (0u64..24_000, proptest::collection::vec(0u8..3, 1..40));
    (0u64..24_000, proptest::collection::vec(blob, 0..6)).prop_map(|(size, blobs)| {
        let mut bytes = FakeBytes::hole(size);
        for (offset, blob) in blobs {
            bytes.write(offset, &blob);
        }
        bytes
    })
}
