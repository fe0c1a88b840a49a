//! The attachments of shmlens: listing them, detaching one or all.

use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::attachments::Attachments;
use shmlens::app::overlay::Overlay;
use shmlens::machine::control::Control as _;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::machine::process::Processes as _;
use shmlens::segment::{Access, ShmId, State};

/// Returns a harness with two segments and an object, all of which stay attached.
fn held() -> Harness {
    let machine = FakeMachine::new();
    for shmid in [3, 5] {
        machine.add_sysv(shmid, 0x4d0 + u32::try_from(shmid).unwrap(), FakeBytes::full(&[5; 50]));
    }
    machine.add_object("a", FakeBytes::full(&[7; 50]));
    let mut harness = harness(machine);
    harness.press("<enter>Pqj<enter>Pqj<enter>Pq");
    harness
}

fn nattch(harness: &Harness, place: usize) -> u64 {
    harness.machine.edit(|facts| facts.sysv[place].row.nattch)
}

fn shown(harness: &Harness) -> &Attachments {
    match &harness.state.overlay {
        Some(Overlay::Attachments(holds)) => holds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn own_attachments_are_listed_and_one_can_be_detached() {
    let mut harness = held();
    harness.press("gjD");
    assert_eq!(shown(&harness).shown().len(), 3);
    // The list selects the segment that is selected in the table.
    assert_eq!(shown(&harness).shown()[shown(&harness).list.selected].id.to_string(), "sysv:5");
    harness.press("y");
    assert_eq!(nattch(&harness, 1), 1, "keys typed ahead are ignored");
    harness.wait(200);
    harness.press("y");
    assert_eq!((nattch(&harness, 0), nattch(&harness, 1)), (1, 0));
    assert!(
        notice(&harness).contains("sysv:5") && notice(&harness).contains("nattch"),
        "{}",
        notice(&harness)
    );
    assert_eq!((harness.state.kept.len(), harness.state.log.len()), (2, 1));
    assert!(harness.state.overlay.is_none());
}

#[test]
fn detach_all_detaches_and_leaving_keeps() {
    let mut harness = held();
    for keys in ["D<esc>", "Dq", "Dn", "D<ctrl-c>", "D<enter>"] {
        harness.press(keys);
        harness.wait(200);
        assert_eq!((nattch(&harness, 0), harness.state.kept.len()), (1, 3), "{keys}");
    }
    harness.press("<esc>D");
    harness.wait(200);
    harness.press("a");
    assert_eq!((nattch(&harness, 0), nattch(&harness, 1), harness.state.kept.len()), (0, 0, 0));
    assert_eq!(notice(&harness), "Detached from 3 segments");
    harness.press("D");
    assert!(notice(&harness).contains("Nothing attached. P in Inspect keeps one"), "{}", notice(&harness));
}

#[test]
fn last_detach_destroys_a_marked_segment() {
    let mut harness = held();
    harness.machine.sysv_remove(ShmId(3)).unwrap();
    harness.survey();
    harness.press("gD");
    assert_eq!(shown(&harness).last(), 1);
    assert!(harness.screen().contains("its last attachment"), "{}", harness.screen());
    harness.wait(200);
    harness.press("y");
    assert!(notice(&harness).contains("50 B"), "{}", notice(&harness));
    assert_eq!(harness.machine.edit(|facts| facts.sysv.len()), 1);
    assert!(harness.state.log[0].contains("freed with the last attachment"), "{:?}", harness.state.log);
}

#[test]
fn dialog_updates_and_acts_only_on_shown_segments() {
    let mut harness = held();
    harness.press("gD");
    harness.wait(200);
    // Another process marks it: the list shows that after the next survey, and ignores keys at
    // first.
    harness.machine.sysv_remove(ShmId(3)).unwrap();
    harness.survey();
    assert_eq!(shown(&harness).last(), 1);
    harness.press("y");
    assert_eq!(nattch(&harness, 0), 1);
    harness.press("<esc>D");
    harness.wait(200);
    harness.machine.edit(|facts| facts.sysv[0].row.marked = true);
    harness.machine.sysv_remove(ShmId(5)).unwrap();
    harness.press("jy");
    assert!(notice(&harness).contains("this is its last attachment"), "{}", notice(&harness));
    assert_eq!(nattch(&harness, 1), 1);
}

#[test]
fn detaching_the_open_segment_leaves_inspect() {
    let machine = FakeMachine::new();
    machine.add_sysv(3, 0x4d3, FakeBytes::full(&[5; 50]));
    let mut harness = harness(machine);
    harness.press("<enter>D");
    harness.wait(200);
    harness.press("y");
    assert!(harness.state.inspect.is_none());
    assert_eq!(nattch(&harness, 0), 0);
    // Leaving Inspect is only confirmed if it frees the segment.
    harness.press("<enter>");
    harness.press("q");
    assert_eq!(notice(&harness), "");
    harness.press("<enter>");
    harness.machine.sysv_remove(ShmId(3)).unwrap();
    harness.survey();
    harness.look();
    assert!(harness.screen().contains("freed when you leave"), "{}", harness.screen());
    harness.press("q");
    assert!(notice(&harness).contains("50 B"), "{}", notice(&harness));
}

/// Our own attachments do not change a verdict.
#[test]
fn own_attachment_does_not_change_the_verdict() {
    let mut harness = held();
    // Some processes are invisible, so only the kernel knows all holders.
    harness.machine.edit(|facts| facts.visibility.outside = true);
    let own = harness.machine.own_pid();
    harness.machine.add_process(own, "shmlens");
    for shmid in [3, 5] {
        harness.machine.attach_in(own, shmid, Access::Read);
        // The kernel counts our attachment too.
        harness.machine.edit(|facts| facts.sysv.iter_mut().for_each(|segment| segment.row.nattch = 1));
    }
    harness.machine.map_in(own, "a", Access::Read);
    harness.survey();
    let survey = harness.state.survey.as_ref().unwrap();
    for segment in &survey.segments {
        let verdict = segment.verdict.state;
        assert!(!matches!(verdict, State::Unknown | State::InUse), "{}: {:?}", segment.id, segment.verdict);
        assert_eq!((segment.holders_text(9).as_str(), segment.holder_count()), ("", Some(0)));
    }
    assert_eq!(harness.screen().matches('◉').count(), 3, "{}", harness.screen());
}
