//! The holders of the selected segment, the other segments that they hold, and terminating one of
//! them.

use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::effect::Effect;
use shmlens::app::event::Event;
use shmlens::app::holders::Holders;
use shmlens::app::key::Key;
use shmlens::app::overlay::Overlay;
use shmlens::app::update;
use shmlens::engine::Request;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::Access;

/// Returns a machine with `sysv:5`, which has three holders including shmlens, and a mapped camera.
fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_sysv(5, 0x4d2, FakeBytes::full(&[5; 50]));
    machine.add_object("camera", FakeBytes::full(&[7; 8192]));
    machine.add_object("scratch", FakeBytes::full(&[7; 4096]));
    for (pid, command) in [(1, "init"), (4121, "writer"), (4188, "reader.py"), (9_999_999, "shmlens")] {
        machine.add_process(pid, command);
        machine.attach_in(pid, 5, Access::Read);
    }
    machine.attach_in(4121, 5, Access::ReadWrite);
    machine.map_in(4121, "camera", Access::ReadWrite);
    machine.open_in(4188, "camera", Access::Read);
    machine.map_in(4121, "scratch", Access::ReadWrite);
    machine.remove_object("scratch");
    machine
}

fn shown(harness: &Harness) -> &Holders {
    match &harness.state.overlay {
        Some(Overlay::Holders(holders)) => holders,
        Some(Overlay::Terminate(terminate)) => &terminate.back,
        other => panic!("{other:?}"),
    }
}

fn ended(harness: &Harness) -> Vec<u32> {
    harness.machine.edit(|facts| facts.terminated.clone())
}

#[test]
fn holders_are_listed_with_their_other_segments() {
    let mut harness = harness(machine());
    harness.press("h");
    let screen = harness.screen();
    for text in [
        "Holders of sysv:5",
        "4121 writer     rw  ann  up 1h",
        "mapped twice; 16 KiB resident in 3 segments, also /camera,",
        "4188 reader.py  r   ann",
        "12 KiB resident in 2 segments, also /camera",
        "shmlens    r   ann  up 1h  (shmlens)",
    ] {
        assert!(screen.contains(text), "{text} is not in\n{screen}");
    }
    // This process cannot be examined.
    harness.machine.edit(|facts| facts.processes.get_mut(&4188).unwrap().readable = false);
    harness.survey();
    let screen = harness.screen();
    assert!(screen.contains("nattch 5: 4 found, 1 in processes you cannot inspect"), "{screen}");
    harness.press("<esc>");
    assert!(harness.state.overlay.is_none());
}

#[test]
fn end_signals_the_process_after_confirmation() {
    let mut harness = harness(machine());
    harness.press("hjK");
    let screen = harness.screen();
    for text in [
        "Terminate writer",
        "4121 writer  rw  ann  up 1h",
        "SIGTERM",
        "/camera  rw  8.0 KiB",
        "/scratch is already removed; 4.0 KiB freed when the process exits",
    ] {
        assert!(screen.contains(text), "{text} is not in\n{screen}");
    }
    // A confirmation typed ahead is ignored.
    harness.press("y");
    assert_eq!(ended(&harness), [0; 0]);
    harness.wait(200);
    harness.press("y");
    assert_eq!(ended(&harness), [4121]);
    assert_eq!(notice(&harness), "writer (4121) terminated");
    assert_eq!(harness.state.log, ["terminate sysv:5: writer (4121) terminated"]);
    // The list appears again, without the process.
    assert!(shown(&harness).rows.iter().all(|row| row.holder.pid != 4121));
    assert!(!harness.screen().contains("SIGTERM"));
}

#[test]
fn repeated_confirmation_signals_once() {
    let mut harness = harness(machine());
    harness.press("hjK");
    harness.wait(200);
    let mut press = |key| {
        let effects = update(&mut harness.state, harness.clock, Event::Key(Key::char(key)));
        effects.iter().filter(|effect| matches!(effect, Effect::Engine(Request::Terminate(_)))).count()
    };
    assert_eq!([press('y'), press('y'), press('n'), press('y')], [1, 0, 0, 0]);
    let Some(Overlay::Terminate(terminate)) = &harness.state.overlay else { panic!() };
    assert!(terminate.acting, "the dialog waits for the result");
}

#[test]
fn cancel_signals_nothing() {
    for key in ["<esc>", "n", "q", "<ctrl-c>", "<enter>", "K", " "] {
        let mut harness = harness(machine());
        harness.press("hjK");
        harness.wait(200);
        harness.press(key);
        assert_eq!(ended(&harness), [0; 0], "{key}");
        assert!(!harness.quit);
        let _ = shown(&harness);
    }
}

#[test]
fn protected_processes_are_never_signaled() {
    let mut first = harness(machine());
    first.press("hK");
    assert!(notice(&first).contains("init (1) is the init process"), "{}", notice(&first));
    let mut own = harness(machine());
    own.press("hGK");
    assert!(notice(&own).contains("shmlens"), "{}", notice(&own));
    let mut read_only = harness(machine());
    read_only.state.read_only = true;
    read_only.press("hjK");
    assert!(notice(&read_only).contains("--read-only"), "{}", notice(&read_only));
    for harness in [&first, &own, &read_only] {
        assert!(matches!(harness.state.overlay, Some(Overlay::Holders(_))) && ended(harness).is_empty());
    }
    let mut nobody = harness(FakeMachine::new());
    nobody.press("h");
    assert!(nobody.state.overlay.is_none() && notice(&nobody).contains("No segment"));
}

#[test]
fn end_refuses_foreign_and_reused_pids() {
    let mut harness = harness(machine());
    harness.machine.edit(|facts| facts.effective_uid = 1001);
    harness.press("hjK");
    harness.wait(200);
    harness.press("y");
    assert!(notice(&harness).contains("nly ann or root can terminate writer (4121)"), "{}", notice(&harness));
    harness.machine.edit(|facts| facts.effective_uid = 0);
    harness.press("K");
    harness.wait(200);
    // The pid is reused while the dialog is open.
    harness.machine.edit(|facts| facts.processes.get_mut(&4121).unwrap().started.seconds += 7);
    harness.press("y");
    assert!(notice(&harness).contains("already exited"), "{}", notice(&harness));
    assert_eq!(ended(&harness), [0; 0]);
    assert!(
        harness.state.log.iter().all(|line| line.starts_with("terminate sysv:5: ")),
        "{:?}",
        harness.state.log
    );
}

#[test]
fn list_follows_the_survey_and_reports_a_removed_segment() {
    let mut harness = harness(machine());
    harness.press("Gkh");
    let title = shown(&harness).title();
    assert_eq!(title, "Holders of /camera");
    harness.press("j");
    assert_eq!(shown(&harness).rows[1].holder.pid, 4188);
    harness.machine.end_process(4121);
    harness.survey();
    assert_eq!(shown(&harness).rows[shown(&harness).list.selected].holder.pid, 4188);
    harness.machine.end_process(4188);
    harness.survey();
    assert!(harness.screen().contains("No holders."), "{}", harness.screen());
    harness.press("K");
    assert!(notice(&harness).contains("No holder selected"));
    // Another object gets the name.
    harness.machine.add_object("camera", FakeBytes::full(&[7; 8192]));
    harness.survey();
    assert!(harness.screen().contains("Segment is gone."), "{}", harness.screen());
}

#[test]
fn unidentified_attachments_are_counted() {
    let machine = FakeMachine::new();
    machine.add_sysv(5, 0x4d2, FakeBytes::full(&[5; 50]));
    machine.add_process(7, "secret");
    machine.attach_in(7, 5, Access::Read);
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    let mut harness = harness(machine);
    harness.press("h");
    let screen = harness.screen();
    assert!(screen.contains("1 attachment in a process you cannot inspect. Run as root"), "{screen}");
    assert!(!screen.contains("No holders"), "{screen}");
}
