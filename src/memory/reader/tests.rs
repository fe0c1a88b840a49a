//! Tests of the reader, on a machine in memory.

use super::*;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::survey::{Names, Survey};

fn survey(machine: &FakeMachine) -> Vec<Segment> {
    Survey::take(machine, &mut Names::default()).segments
}

#[test]
fn reads_stop_at_the_end() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"hello"));
    let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
    let mut buffer = [9; 8];
    assert_eq!(reader.read_at(3, &mut buffer).unwrap(), 2);
    assert_eq!(&buffer[..2], b"lo");
    assert_eq!(reader.read_at(5, &mut buffer).unwrap(), 0);
    assert_eq!(reader.read_at(u64::MAX, &mut buffer).unwrap(), 0);
    assert_eq!(reader.extent_at(5, 1).unwrap(), None);
}

#[test]
#[should_panic(expected = "PageBuffer")]
#[cfg(debug_assertions)]
fn a_large_read_at_a_slow_address_panics_in_debug_builds() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::hole(1 << 20));
    let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
    let mut buffer = PageBuffer::default();
    buffer.place(16, 64 << 10);
    // 16 bytes past a page, like a block from malloc.
    let _ = reader.read_at(0, buffer.place(16, 64 << 10));
}

#[test]
fn presence_tells_removal_and_replacement() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(&[1; 100]));
    let reader = Reader::open(&machine, &survey(&machine)[0]).unwrap();
    machine.edit_object("a", |bytes| bytes.size = 10);
    assert_eq!(reader.presence(&machine).unwrap(), Presence::Present { size: 10 });
    machine.remove_object("a");
    assert_eq!(reader.presence(&machine).unwrap(), Presence::Removed { size: 10 });
    machine.add_object("a", FakeBytes::hole(7));
    assert_eq!(reader.presence(&machine).unwrap(), Presence::Replaced { size: 10 });
    let mut buffer = [0; 4];
    assert_eq!(reader.read_at(0, &mut buffer).unwrap(), 4);
}

#[test]
fn a_refusal_names_the_owner_the_mode_and_the_remedy() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    machine.add_sysv(7, 0, FakeBytes::full(b"x"));
    machine.edit(|facts| facts.effective_uid = 1001);
    for segment in survey(&machine) {
        let error = Reader::open(&machine, &segment).err().unwrap().to_string();
        assert!(error.contains("owner ann") && error.contains("0600") && error.contains("root"), "{error}");
    }
}

#[test]
fn predict_attaches_nothing() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    machine.add_sysv(7, 0, FakeBytes::full(b"x"));
    let listed = survey(&machine);
    let traces: Vec<Trace> =
        listed.iter().map(|segment| Reader::predict(&machine, segment).unwrap().method.trace()).collect();
    assert_eq!(traces, [Trace::Attached, Trace::None]);
    machine.edit(|facts| facts.effective_uid = 1001);
    for segment in &listed {
        assert!(matches!(Reader::predict(&machine, segment), Err(OpenError::Denied { .. })));
    }
    machine.edit(|facts| assert_eq!(facts.attached, 0));
}

#[test]
fn another_segment_of_the_same_name_is_not_opened() {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"x"));
    machine.add_sysv(7, 0, FakeBytes::full(b"x"));
    let listed = survey(&machine);
    machine.add_object("a", FakeBytes::full(b"x"));
    machine.edit(|facts| facts.sysv[0].row.creator_pid = 77);
    for segment in &listed {
        assert!(matches!(Reader::open(&machine, segment), Err(OpenError::Replaced { .. })), "{}", segment.id);
    }
    // Checking the segment has not left it attached.
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
    machine.remove_object("a");
    assert!(matches!(Reader::open(&machine, &listed[1]), Err(OpenError::Gone { .. })));
}
