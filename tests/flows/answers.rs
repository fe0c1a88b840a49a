//! Facts about processes in the UI: a filter by pid, a mapping past the end, a creator that has
//! exited.

use super::harness;
use crate::support::Harness;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::{Access, Bytes};

#[test]
fn filter_accepts_holder_pids() {
    let machine = FakeMachine::new();
    for name in ["held", "free"] {
        machine.add_object(name, FakeBytes::full(&[1; 4096]));
    }
    machine.add_process(4121, "grabber");
    machine.map_in(4121, "held", Access::ReadWrite);
    let mut harness = harness(machine);
    let shown =
        |harness: &Harness| ["held", "free"].map(|name| harness.screen().contains(&format!("/{name} ")));
    assert_eq!(shown(&harness), [true, true]);
    harness.press("/pid=4121<enter>");
    assert_eq!(shown(&harness), [true, false], "{}", harness.screen());
    harness.press("<esc>/!pid=4121<enter>");
    assert_eq!(shown(&harness), [false, true], "{}", harness.screen());
}

#[test]
fn mapping_past_the_end_alerts_and_warns_on_the_detail_screen() {
    let machine = FakeMachine::new();
    machine.add_object("x", FakeBytes::full(&[1; 4096]));
    machine.add_process(4121, "writer");
    machine.map_in(4121, "x", Access::ReadWrite);
    let mut harness = Harness::new(machine, 140, 45);
    assert!(!harness.screen().contains("SIGBUS"));
    harness.machine.edit_object("x", |bytes| *bytes = FakeBytes::hole(0));
    harness.survey();
    let screen = harness.screen();
    let line = "writer (4121) maps /x up to 4.0 KiB, but its size is 0 B";
    assert!(screen.contains(&format!("access there raises SIGBUS: {line}")), "{screen}");
    harness.press("<tab>");
    let screen = harness.screen();
    assert!(screen.contains("writer (4121) maps /x"), "{screen}");
}

#[test]
fn overcommit_alerts_from_half_usage() {
    let machine = FakeMachine::new();
    machine.add_object("x", FakeBytes::hole(8192));
    let mut harness = Harness::new(machine, 140, 45);
    let fill = |harness: &mut Harness, used: u64| {
        harness.machine.edit(|facts| {
            let shm = facts.limits.dev_shm.as_mut().unwrap();
            (shm.size, shm.used) = (Bytes(4096), Bytes(used));
        });
        harness.survey();
    };
    // Large sparse objects are common, and most are never filled.
    fill(&mut harness, 2047);
    assert!(!harness.screen().contains("overcommitted"));
    fill(&mut harness, 2048);
    assert!(
        harness.screen().contains("/dev/shm is overcommitted, with objects of 8.0 KiB"),
        "{}",
        harness.screen()
    );
}

#[test]
fn exited_creator_is_marked_after_a_known_program() {
    let machine = FakeMachine::new();
    // This is the key of JACK's registry.
    machine.add_sysv(5, 0x0028_2929, FakeBytes::hole(4096));
    let mut harness = Harness::new(machine, 180, 45);
    let screen = harness.screen();
    assert!(screen.contains("JACK†") || screen.contains("registry†"), "{screen}");
    // The creator started before the segment was created, and still runs.
    harness.machine.add_process(4121, "jackd");
    harness.machine.edit(|facts| {
        let now = facts.now;
        facts.sysv[0].row.change = Some(shmlens::segment::Timestamp::from_seconds(now));
    });
    harness.survey();
    let screen = harness.screen();
    assert!(!screen.contains('†') && !screen.contains("exited"), "{screen}");
    assert!(screen.contains("JACK registry"), "{screen}");
}
