//! The attachments of shmlens: listing them, detaching one or all.

use super::{notice, stage};
use crate::support::Stage;
use shmlens::app::attachments::Attachments;
use shmlens::app::overlay::Overlay;
use shmlens::machine::control::Control as _;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::machine::process::Processes as _;
use shmlens::segment::{Access, ShmId, State};

/// Returns a stage with two segments and an object, all of which stay attached.
fn held() -> Stage {
    let machine = FakeMachine::new();
    for shmid in [3, 5] {
        machine.add_sysv(shmid, 0x4d0 + u32::try_from(shmid).unwrap(), FakeBytes::full(&[5; 50]));
    }
    machine.add_object("a", FakeBytes::full(&[7; 50]));
    let mut stage = stage(machine);
    stage.press("<enter>Pqj<enter>Pqj<enter>Pq");
    stage
}

fn nattch(stage: &Stage, place: usize) -> u64 {
    stage.machine.edit(|facts| facts.sysv[place].row.nattch)
}

fn shown(stage: &Stage) -> &Attachments {
    match &stage.state.overlay {
        Some(Overlay::Attachments(holds)) => holds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn own_attachments_are_listed_and_one_can_be_detached() {
    let mut stage = held();
    stage.press("gjD");
    assert_eq!(shown(&stage).shown().len(), 3);
    // The list selects the segment that is selected in the table.
    assert_eq!(shown(&stage).shown()[shown(&stage).list.selected].id.to_string(), "sysv:5");
    stage.press("y");
    assert_eq!(nattch(&stage, 1), 1, "keys typed ahead are ignored");
    stage.wait(200);
    stage.press("y");
    assert_eq!((nattch(&stage, 0), nattch(&stage, 1)), (1, 0));
    assert!(notice(&stage).contains("sysv:5") && notice(&stage).contains("nattch"), "{}", notice(&stage));
    assert_eq!((stage.state.kept.len(), stage.state.log.len()), (2, 1));
    assert!(stage.state.overlay.is_none());
}

#[test]
fn detach_all_detaches_and_leaving_keeps() {
    let mut stage = held();
    for keys in ["D<esc>", "Dq", "Dn", "D<ctrl-c>", "D<enter>"] {
        stage.press(keys);
        stage.wait(200);
        assert_eq!((nattch(&stage, 0), stage.state.kept.len()), (1, 3), "{keys}");
    }
    stage.press("<esc>D");
    stage.wait(200);
    stage.press("a");
    assert_eq!((nattch(&stage, 0), nattch(&stage, 1), stage.state.kept.len()), (0, 0, 0));
    assert_eq!(notice(&stage), "Detached from 3 segments");
    stage.press("D");
    assert!(notice(&stage).contains("Nothing attached. P in Inspect keeps one"), "{}", notice(&stage));
}

#[test]
fn last_detach_destroys_a_marked_segment() {
    let mut stage = held();
    stage.machine.sysv_remove(ShmId(3)).unwrap();
    stage.survey();
    stage.press("gD");
    assert_eq!(shown(&stage).last(), 1);
    assert!(stage.screen().contains("its last attachment"), "{}", stage.screen());
    stage.wait(200);
    stage.press("y");
    assert!(notice(&stage).contains("50 B"), "{}", notice(&stage));
    assert_eq!(stage.machine.edit(|facts| facts.sysv.len()), 1);
    assert!(stage.state.log[0].contains("freed with the last attachment"), "{:?}", stage.state.log);
}

#[test]
fn dialog_updates_and_acts_only_on_shown_segments() {
    let mut stage = held();
    stage.press("gD");
    stage.wait(200);
    // Another process marks it: the list shows that after the next survey, and ignores keys at
    // first.
    stage.machine.sysv_remove(ShmId(3)).unwrap();
    stage.survey();
    assert_eq!(shown(&stage).last(), 1);
    stage.press("y");
    assert_eq!(nattch(&stage, 0), 1);
    stage.press("<esc>D");
    stage.wait(200);
    stage.machine.edit(|facts| facts.sysv[0].row.marked = true);
    stage.machine.sysv_remove(ShmId(5)).unwrap();
    stage.press("jy");
    assert!(notice(&stage).contains("this is its last attachment"), "{}", notice(&stage));
    assert_eq!(nattch(&stage, 1), 1);
}

#[test]
fn detaching_the_open_segment_leaves_inspect() {
    let machine = FakeMachine::new();
    machine.add_sysv(3, 0x4d3, FakeBytes::full(&[5; 50]));
    let mut stage = stage(machine);
    stage.press("<enter>D");
    stage.wait(200);
    stage.press("y");
    assert!(stage.state.inspect.is_none());
    assert_eq!(nattch(&stage, 0), 0);
    // Leaving Inspect is only confirmed if it frees the segment.
    stage.press("<enter>");
    stage.press("q");
    assert_eq!(notice(&stage), "");
    stage.press("<enter>");
    stage.machine.sysv_remove(ShmId(3)).unwrap();
    stage.survey();
    stage.look();
    assert!(stage.screen().contains("freed when you leave"), "{}", stage.screen());
    stage.press("q");
    assert!(notice(&stage).contains("50 B"), "{}", notice(&stage));
}

/// Our own attachments do not change a verdict.
#[test]
fn own_attachment_does_not_change_the_verdict() {
    let mut stage = held();
    // Some processes are invisible, so only the kernel knows all holders.
    stage.machine.edit(|facts| facts.visibility.outside = true);
    let own = stage.machine.own_pid();
    stage.machine.add_process(own, "shmlens");
    for shmid in [3, 5] {
        stage.machine.attach_in(own, shmid, Access::Read);
        // The kernel counts our attachment too.
        stage.machine.edit(|facts| facts.sysv.iter_mut().for_each(|segment| segment.row.nattch = 1));
    }
    stage.machine.map_in(own, "a", Access::Read);
    stage.survey();
    let survey = stage.state.survey.as_ref().unwrap();
    for segment in &survey.segments {
        let verdict = segment.verdict.state;
        assert!(!matches!(verdict, State::Unknown | State::InUse), "{}: {:?}", segment.id, segment.verdict);
        assert_eq!((segment.holders_text(9).as_str(), segment.holder_count()), ("", Some(0)));
    }
    assert_eq!(stage.screen().matches('◉').count(), 3, "{}", stage.screen());
}
