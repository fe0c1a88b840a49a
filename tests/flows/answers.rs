//! Facts about processes in the UI: a filter by pid, a mapping past the end, a creator that has
//! exited.

use super::stage;
use crate::support::Stage;
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
    let mut stage = stage(machine);
    let shown = |stage: &Stage| ["held", "free"].map(|name| stage.screen().contains(&format!("/{name} ")));
    assert_eq!(shown(&stage), [true, true]);
    stage.press("/pid=4121<enter>");
    assert_eq!(shown(&stage), [true, false], "{}", stage.screen());
    stage.press("<esc>/!pid=4121<enter>");
    assert_eq!(shown(&stage), [false, true], "{}", stage.screen());
}

#[test]
fn mapping_past_the_end_alerts_and_warns_on_the_detail_screen() {
    let machine = FakeMachine::new();
    machine.add_object("x", FakeBytes::full(&[1; 4096]));
    machine.add_process(4121, "writer");
    machine.map_in(4121, "x", Access::ReadWrite);
    let mut stage = Stage::new(machine, 140, 45);
    assert!(!stage.screen().contains("SIGBUS"));
    stage.machine.edit_object("x", |bytes| *bytes = FakeBytes::hole(0));
    stage.survey();
    let screen = stage.screen();
    let line = "writer (4121) maps /x up to 4.0 KiB, but its size is 0 B";
    assert!(screen.contains(&format!("access there raises SIGBUS: {line}")), "{screen}");
    stage.press("<tab>");
    let screen = stage.screen();
    assert!(screen.contains("writer (4121) maps /x"), "{screen}");
}

#[test]
fn overcommit_alerts_from_half_usage() {
    let machine = FakeMachine::new();
    machine.add_object("x", FakeBytes::hole(8192));
    let mut stage = Stage::new(machine, 140, 45);
    let fill = |stage: &mut Stage, used: u64| {
        stage.machine.edit(|facts| {
            let shm = facts.limits.dev_shm.as_mut().unwrap();
            (shm.size, shm.used) = (Bytes(4096), Bytes(used));
        });
        stage.survey();
    };
    // Large sparse objects are common, and most are never filled.
    fill(&mut stage, 2047);
    assert!(!stage.screen().contains("overcommitted"));
    fill(&mut stage, 2048);
    assert!(
        stage.screen().contains("/dev/shm is overcommitted, with objects of 8.0 KiB"),
        "{}",
        stage.screen()
    );
}

#[test]
fn exited_creator_is_marked_after_a_known_program() {
    let machine = FakeMachine::new();
    // This is the key of JACK's registry.
    machine.add_sysv(5, 0x0028_2929, FakeBytes::hole(4096));
    let mut stage = Stage::new(machine, 180, 45);
    let screen = stage.screen();
    assert!(screen.contains("JACK†") || screen.contains("registry†"), "{screen}");
    // The creator started before the segment was created, and still runs.
    stage.machine.add_process(4121, "jackd");
    stage.machine.edit(|facts| {
        let now = facts.now;
        facts.sysv[0].row.change = Some(shmlens::segment::Timestamp::from_seconds(now));
    });
    stage.survey();
    let screen = stage.screen();
    assert!(!screen.contains('†') && !screen.contains("exited"), "{screen}");
    assert!(screen.contains("JACK registry"), "{screen}");
}
