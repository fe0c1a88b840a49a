//! The list of leaked segments: selecting and removing them.

use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::clean::Clean;
use shmlens::app::confirm::Confirm;
use shmlens::app::overlay::Overlay;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::{Access, Timestamp};

/// Returns a machine with two certain leaks, a likely one, a held segment, and a segment that was
/// just used.
fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_sysv(5, 0, FakeBytes::full(&[5; 5000]));
    machine.add_sysv(6, 0, FakeBytes::full(&[6; 50]));
    machine.add_sysv(7, 0, FakeBytes::full(&[7; 50]));
    for name in ["likely", "fresh"] {
        machine.add_object(name, FakeBytes::full(&[7; 8192]));
    }
    machine.edit(|facts| {
        let old = Timestamp::from_seconds(facts.now - 7200);
        for (name, object) in &mut facts.posix {
            if name.to_string() == "/likely" {
                let stat = &mut object.stat;
                (stat.access, stat.modify, stat.change, stat.birth) = (old, old, old, Some(old));
            }
        }
    });
    machine.add_process(4188, "reader.py");
    machine.attach_in(4188, 7, Access::Read);
    machine
}

fn shown(harness: &Harness) -> &Clean {
    match &harness.state.overlay {
        Some(Overlay::Clean(clean)) => clean,
        other => panic!("{other:?}"),
    }
}

fn confirm(harness: &Harness) -> &Confirm {
    match &harness.state.overlay {
        Some(Overlay::Confirm(confirm)) => confirm,
        other => panic!("{other:?}"),
    }
}

fn ids(harness: &Harness) -> Vec<(String, bool)> {
    shown(harness).items.iter().map(|item| (item.segment.id.to_string(), item.checked)).collect()
}

fn left(machine: &FakeMachine) -> (Vec<i32>, Vec<String>) {
    machine.edit(|facts| {
        let sysv = facts.sysv.iter().map(|segment| segment.row.shmid.0).collect();
        (sysv, facts.posix.keys().map(ToString::to_string).collect())
    })
}

#[test]
fn certain_leaks_are_preselected_and_removed_on_confirmation() {
    let mut harness = harness(machine());
    harness.press("c");
    let expected = [("sysv:5", true), ("sysv:6", true), ("posix:/likely", false)];
    assert_eq!(ids(&harness), expected.map(|(id, checked)| (id.to_owned(), checked)));
    let screen = harness.screen();
    for text in ["Clean up: 3 leaked segments", "[x] sysv:5", "[ ] /likely", "creator 4121 exited"] {
        assert!(screen.contains(text), "{text} is not in\n{screen}");
    }
    assert_eq!(shown(&harness).sum(), "2 selected, frees 12 KiB");
    harness.press("<enter>");
    assert_eq!(confirm(&harness).title(), "Remove 2 segments");
    assert_eq!(left(&harness.machine).0, [5, 6, 7]);
    harness.wait(200);
    harness.press("y");
    assert_eq!(left(&harness.machine), (vec![7], vec!["/fresh".to_owned(), "/likely".to_owned()]));
    assert!(notice(&harness).contains("Removed 2 segments. u: undo"), "{}", notice(&harness));
    harness.press("u");
    assert_eq!(left(&harness.machine).0.len(), 3, "{}", notice(&harness));
}

#[test]
fn leaks_can_be_selected_and_deselected() {
    let mut harness = harness(machine());
    harness.press("c<space>");
    assert_eq!(shown(&harness).sum(), "1 selected, frees 4.0 KiB");
    harness.press("A<enter>");
    assert!(notice(&harness).contains("Nothing selected"), "{}", notice(&harness));
    harness.press("G<space><enter>");
    assert_eq!(confirm(&harness).title(), "Remove /likely");
    harness.press("<esc>a");
    assert_eq!(shown(&harness).checked_items().count(), 3);
    harness.press("<esc>");
    assert_eq!(left(&harness.machine).0.len(), 3);
}

#[test]
fn clean_lists_only_filtered_segments() {
    let mut harness = harness(machine());
    harness.press("/kind=posix<enter>c");
    assert_eq!(ids(&harness), [("posix:/likely".to_owned(), false)]);
    assert!(harness.screen().contains("2 more hidden by the filter"), "{}", harness.screen());
    harness.press("<esc>/fresh<enter>c");
    assert!(harness.screen().contains(r#"No leaked segments match "fresh"."#), "{}", harness.screen());
}

#[test]
fn part_of_a_state_filters_the_table() {
    let mut harness = harness(machine());
    harness.press("/leak<enter>c");
    assert_eq!(harness.state.table.shown.len(), 3);
    assert_eq!(shown(&harness).items.len(), 3);
    assert_eq!(shown(&harness).filtered, 0);
}

#[test]
fn list_follows_the_survey() {
    let mut harness = harness(machine());
    harness.press("c");
    // Deselected segments stay deselected. Segments that are held now are no longer leaks.
    harness.press("j<space>");
    harness.machine.attach_in(4188, 5, Access::ReadWrite);
    harness.survey();
    assert_eq!(ids(&harness), [("sysv:6".to_owned(), false), ("posix:/likely".to_owned(), false)]);
    harness.machine.remove_object("likely");
    harness.machine.edit(|facts| facts.sysv.retain(|segment| segment.row.shmid.0 != 6));
    harness.survey();
    assert!(harness.screen().contains("No leaks found; 1 segment without holders was used recently."));
    harness.press("<enter>");
    assert!(ids(&harness).is_empty());
}

/// Makes all objects two hours old.
fn old(machine: &FakeMachine) {
    machine.edit(|facts| {
        let then = Timestamp::from_seconds(facts.now - 7200);
        for object in facts.posix.values_mut() {
            let stat = &mut object.stat;
            (stat.access, stat.modify, stat.change, stat.birth) = (then, then, then, Some(then));
        }
    });
}

#[test]
fn certain_leaks_are_listed_first() {
    let machine = FakeMachine::new();
    for name in ["likely", "nccl-a1B2c3"] {
        machine.add_object(name, FakeBytes::full(&[7; 50]));
    }
    old(&machine);
    let mut harness = harness(machine);
    harness.press("c");
    let expected = [("posix:/nccl-a1B2c3", true), ("posix:/likely", false)];
    assert_eq!(ids(&harness), expected.map(|(id, checked)| (id.to_owned(), checked)));
}

#[test]
fn selection_is_lost_when_the_segment_or_verdict_changes() {
    let machine = FakeMachine::new();
    machine.add_object("likely", FakeBytes::full(&[7; 50]));
    machine.add_sysv(5, 0, FakeBytes::full(&[5; 50]));
    old(&machine);
    let mut harness = harness(machine);
    harness.press("ca");
    let ticks = |of: &[(&str, bool)]| of.iter().map(|&(id, on)| (id.to_owned(), on)).collect::<Vec<_>>();
    assert_eq!(ids(&harness), ticks(&[("sysv:5", true), ("posix:/likely", true)]));
    harness.survey();
    assert_eq!(ids(&harness), ticks(&[("sysv:5", true), ("posix:/likely", true)]));
    // The state of its creator is unknown from now on.
    harness.machine.edit(|facts| facts.hidden = vec![4121]);
    harness.survey();
    assert_eq!(ids(&harness), ticks(&[("sysv:5", false), ("posix:/likely", true)]));
    // Another object gets the name.
    harness.machine.add_object("likely", FakeBytes::full(&[7; 50]));
    old(&harness.machine);
    harness.survey();
    assert_eq!(ids(&harness), ticks(&[("sysv:5", false), ("posix:/likely", false)]));
}

#[test]
fn segment_attached_before_confirmation_is_kept() {
    let mut harness = harness(machine());
    harness.press("cj<space><enter>");
    harness.wait(200);
    harness.machine.attach_in(4188, 5, Access::ReadWrite);
    harness.press("y");
    assert_eq!(left(&harness.machine).0, [5, 6, 7]);
    assert!(notice(&harness).contains("attached once"), "{}", notice(&harness));
}

#[test]
fn read_only_lists_leaks_and_removes_nothing() {
    let mut harness = harness(machine());
    harness.state.read_only = true;
    harness.press("c<enter>");
    assert!(notice(&harness).contains("--read-only"), "{}", notice(&harness));
    assert_eq!(ids(&harness).len(), 3);
}

#[test]
fn long_list_scrolls() {
    let machine = FakeMachine::new();
    for shmid in 0..40 {
        machine.add_sysv(shmid, 0, FakeBytes::full(&[1; 50]));
    }
    let mut harness = harness(machine);
    harness.press("c");
    assert!(harness.screen().contains("[x] sysv:0 ") && !harness.screen().contains("sysv:39 "));
    harness.press("G");
    assert!(harness.screen().contains("▌[x] sysv:39 "), "{}", harness.screen());
    harness.press("g");
    assert!(harness.screen().contains("▌[x] sysv:0 "), "{}", harness.screen());
}

#[test]
fn leaving_the_dialog_returns_to_the_list_and_selection() {
    for leave in ["<esc>", "n", "q", "<ctrl-c>"] {
        let mut harness = harness(machine());
        harness.press("cj<space><enter>");
        let _ = confirm(&harness);
        harness.press(leave);
        assert_eq!(shown(&harness).list.selected, 2, "{leave}");
        let ticks: Vec<bool> = ids(&harness).into_iter().map(|(_, checked)| checked).collect();
        assert_eq!(ticks, [true, false, false], "{leave}");
        // The list is up to date again.
        harness.press("<enter>");
        harness.machine.edit(|facts| facts.sysv.retain(|segment| segment.row.shmid.0 != 5));
        harness.survey();
        harness.press(leave);
        assert_eq!(ids(&harness).len(), 2, "{leave}");
    }
}
