//! Plan, confirm, act, report, undo.

use super::{notice, small, stage};
use crate::support::{Acts, Stage};
use shmlens::act::{ActError, Outcome};
use shmlens::app::effect::{Effect, Undo};
use shmlens::app::event::Event;
use shmlens::app::key::Key;
use shmlens::app::overlay::Overlay;
use shmlens::app::update;
use shmlens::app::work::Working;
use shmlens::machine::made::MadeMachine;
use shmlens::segment::Access;

fn confirm(stage: &Stage) -> &shmlens::app::confirm::Confirm {
    match &stage.state.overlay {
        Some(Overlay::Confirm(confirm)) => confirm,
        other => panic!("{other:?}"),
    }
}

/// A machine on which a process cannot be examined: who holds what is not settled.
fn unsettled() -> MadeMachine {
    let machine = small();
    machine.add_process(1, "init");
    machine.edit(|facts| {
        facts.effective_uid = 1000;
        let init = facts.processes.get_mut(&1).unwrap();
        (init.uid, init.readable) = (0, false);
    });
    machine
}

fn perms(machine: &MadeMachine) -> u32 {
    machine.edit(|facts| facts.sysv[0].row.perms)
}

fn names(machine: &MadeMachine) -> Vec<String> {
    machine.edit(|facts| facts.posix.keys().map(ToString::to_string).collect())
}

#[test]
fn nothing_happens_without_a_yes() {
    for keys in ["l<esc>", "ln", "lq", "l<ctrl-c>", "x<esc>", "l<enter>", "x<enter>"] {
        let mut stage = stage(small());
        stage.press(keys);
        stage.wait(500);
        assert_eq!(perms(&stage.machine), 0o600, "{keys}");
        assert_eq!(names(&stage.machine).len(), 3, "{keys}");
        assert!(!stage.quit);
    }
}

#[test]
fn a_yes_that_was_typed_ahead_is_none() {
    let mut stage = stage(small());
    stage.press("ly");
    assert_eq!(perms(&stage.machine), 0o600);
    stage.wait(200);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o2600);
}

#[test]
fn locking_and_taking_it_back() {
    let mut stage = stage(small());
    stage.press("l");
    assert_eq!(confirm(&stage).title(), "Lock sysv:5");
    stage.wait(200);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o2600);
    assert!(notice(&stage).contains("u takes it back"), "{}", notice(&stage));
    assert_eq!(stage.state.log.len(), 1);
    stage.press("u");
    assert_eq!(perms(&stage.machine), 0o600);
    stage.press("u");
    assert!(notice(&stage).contains("nothing to take back"), "{}", notice(&stage));
}

#[test]
fn removing_keeps_a_copy_that_brings_it_back() {
    let mut stage = stage(unsettled());
    stage.press("jx");
    stage.wait(200);
    // That nobody holds it is not settled: it goes only with a word for it.
    assert_eq!(confirm(&stage).doable(), 0);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"]);
    stage.press("f");
    stage.wait(200);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    assert!(notice(&stage).contains("u takes it back"), "{}", notice(&stage));
    stage.press("u");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"], "{}", notice(&stage));
    stage.press("jk");
    let preview = stage.state.table.preview.as_ref();
    assert!(preview.is_none_or(|preview| preview.bytes.as_ref().is_ok_and(|bytes| !bytes.is_empty())));
}

/// The plans on the screen are those of other wishes until new ones have come.
#[test]
fn a_yes_before_the_new_plans_are_there_is_none() {
    for key in ['f', 'c'] {
        let mut stage = stage(unsettled());
        stage.press("jx");
        stage.wait(200);
        stage.press("f");
        stage.wait(200);
        assert_eq!(confirm(&stage).doable(), 1);
        let mut typed = |key| update(&mut stage.state, stage.clock, Event::Key(Key::char(key)));
        let planning = typed(key);
        assert!(matches!(planning[..], [Effect::Plan(_)]), "{planning:?}");
        assert!(typed('y').is_empty(), "{key}");
    }
}

#[test]
fn each_of_a_batch_has_its_own_answer() {
    let mut stage = stage(unsettled());
    stage.press("aA");
    stage.press("<space><space><space>x");
    assert_eq!(confirm(&stage).wishes.len(), 3);
    stage.wait(200);
    // Force for the second one alone; the System V one is free and needs none.
    stage.press("jf");
    stage.wait(200);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    assert!(stage.state.log.iter().any(|line| line.contains("posix:/b: not done")), "{:?}", stage.state.log);
}

#[test]
fn another_segment_of_the_same_name_is_left_alone() {
    use shmlens::machine::made::MadeBytes;
    let mut stage = stage(small());
    stage.press("jx");
    stage.wait(200);
    stage.press("f");
    stage.wait(200);
    stage.machine.add_object("a", MadeBytes::full(b"another one"));
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"]);
    assert!(
        notice(&stage).contains("not as it was shown") || notice(&stage).contains("another"),
        "{}",
        notice(&stage)
    );
}

#[test]
fn read_only_turns_every_change_off() {
    let mut stage = stage(small());
    stage.state.read_only = true;
    for key in ["l", "L", "x", "u"] {
        stage.press(key);
        assert!(stage.state.overlay.is_none());
        assert!(notice(&stage).contains("--read-only"), "{key}: {}", notice(&stage));
    }
}

#[test]
fn the_log_tells_what_was_done() {
    let mut stage = stage(small());
    stage.press(":log<enter>");
    assert!(stage.screen().contains("Nothing was changed yet."));
    stage.press("<esc>l");
    stage.wait(200);
    stage.press("y:log<enter>");
    assert!(stage.screen().contains("lock sysv:5"), "{}", stage.screen());
}

#[test]
fn permissions_are_changed_bit_by_bit_or_by_octal_and_taken_back() {
    let mut stage = stage(small());
    // Read for others.
    stage.press("pjj <enter>");
    stage.wait(200);
    assert_eq!(perms(&stage.machine), 0o600);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o604, "{}", notice(&stage));
    stage.press("u");
    assert_eq!(perms(&stage.machine), 0o600, "{}", notice(&stage));
    stage.press("p0666<enter>");
    stage.wait(200);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o666);
    stage.press("p<esc>p0000q");
    assert_eq!(perms(&stage.machine), 0o666);
}

#[test]
fn the_grid_says_who_can_attach_with_it() {
    let mut stage = stage(small());
    stage.press("p");
    let screen = stage.screen();
    assert!(screen.contains("no access") && screen.contains("IPC_CREAT | 0600"), "{screen}");
    stage.press("0644");
    assert!(stage.screen().contains("read-only"), "{}", stage.screen());
}

#[test]
fn what_was_removed_without_a_copy_brings_no_other_one_back() {
    let mut stage = stage(small());
    let remove = |stage: &mut Stage, keys: &str| {
        for key in keys.chars() {
            stage.press(&key.to_string());
            stage.wait(200);
        }
    };
    // An older copy is there, and is not what this undo is about.
    remove(&mut stage, "jxfy");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    remove(&mut stage, "xcfy");
    assert_eq!(names(&stage.machine).len(), 1, "{}", notice(&stage));
    assert!(!notice(&stage).contains("takes it back"), "{}", notice(&stage));
    stage.press("u");
    assert!(notice(&stage).contains("nothing to take back"), "{}", notice(&stage));
    assert_eq!(names(&stage.machine).len(), 1);
}

fn working() -> Event {
    let what = "copying sysv:5".to_owned();
    Event::Working(Working { what, item: 1, items: 1, done: 10, total: 50 })
}

#[test]
fn a_long_act_is_stopped_and_nothing_else_is_begun_meanwhile() {
    for key in ["<esc>", "<ctrl-c>"] {
        let mut stage = stage(small());
        stage.acts = Acts::Hang;
        stage.press("x");
        stage.wait(200);
        stage.press("y");
        stage.happen(working());
        assert!(stage.screen().contains("10 B of 50 B   esc stops"), "{}", stage.screen());
        stage.press("ynfc");
        assert_eq!(stage.acts, Acts::Hang);
        stage.press(key);
        assert_eq!((stage.acts, stage.quit), (Acts::Stopped, false), "{key}");
        assert!(stage.screen().contains("stopping"), "{}", stage.screen());
        let subject = "sysv:5".to_owned();
        let result = Err(ActError::Stopped { subject: subject.clone() });
        stage.happen(Event::Acted(vec![Outcome { subject, action: "rm", result }]));
        assert_eq!(notice(&stage), "Stopped: nothing was done");
        assert!(stage.state.overlay.is_none() && stage.state.work.is_none());
    }
}

#[test]
fn meanwhile_nothing_is_cleaned_and_nobody_is_ended() {
    let machine = small();
    let busy = || {
        let mut stage = stage(machine.clone());
        stage.acts = Acts::Hang;
        stage.state.undo = Some(Undo::Copies(1));
        stage.press("u");
        stage.happen(working());
        stage
    };
    let mut cleaning = busy();
    cleaning.press("c<enter>");
    assert!(notice(&cleaning).contains("esc stops it"), "{}", notice(&cleaning));
    assert!(matches!(cleaning.state.overlay, Some(Overlay::Clean(_))));
    machine.add_process(4121, "writer");
    machine.attach_in(4121, 5, Access::Read);
    let mut ending = busy();
    ending.press("hK");
    assert!(notice(&ending).contains("esc stops it"), "{}", notice(&ending));
    assert!(matches!(&ending.state.overlay, Some(Overlay::Holders(holders)) if holders.ask.is_none()));
}

#[test]
fn a_long_undo_is_stopped_and_can_be_tried_again() {
    let mut stage = stage(small());
    stage.acts = Acts::Hang;
    stage.state.undo = Some(Undo::Copies(2));
    stage.press("u");
    // It takes no time to speak of so far, and the keys are what they are.
    stage.press("<esc>");
    assert_eq!(stage.acts, Acts::Hang);
    stage.happen(working());
    stage.press("x");
    assert!(notice(&stage).contains("esc stops it"), "{}", notice(&stage));
    stage.press("<esc>");
    assert_eq!((stage.acts, stage.quit), (Acts::Stopped, false));
    stage.happen(Event::Undone(vec![Ok("posix:/a is back".to_owned()), Err("stopped".to_owned())]));
    assert_eq!(stage.state.undo, Some(Undo::Copies(1)));
    stage.press("<esc>");
    assert!(notice(&stage).contains("No filter is set"), "{}", notice(&stage));
}
