//! The permissions form: mode, owner and group, and the resulting access.

use super::{notice, small, stage};
use crate::support::Stage;
use shmlens::app::event::Event;
use shmlens::app::overlay::Overlay;
use shmlens::app::permissions::{Focus, Permissions};
use shmlens::machine::fake::FakeMachine;
use shmlens::segment::ObjectName;

fn form(stage: &Stage) -> &Permissions {
    match &stage.state.overlay {
        Some(Overlay::Permissions(form)) => form,
        other => panic!("{other:?}"),
    }
}

/// Returns mode, user and group.
fn sysv(machine: &FakeMachine) -> (u32, u32, u32) {
    machine.edit(|facts| {
        let row = facts.sysv[0].row;
        (row.mode.bits(), row.uid, row.gid)
    })
}

/// Returns mode, user and group.
fn object(machine: &FakeMachine, name: &str) -> (u32, u32, u32) {
    machine.edit(|facts| {
        let stat = facts.posix[&ObjectName::new(name.as_bytes()).unwrap()].stat;
        (stat.mode & 0o7777, stat.uid, stat.gid)
    })
}

fn confirm(stage: &mut Stage) {
    stage.wait(200);
    stage.press("y");
}

#[test]
fn mode_owner_and_group_change_and_undo_together() {
    let mut stage = stage(small());
    stage.press("p<tab>g+rw<tab>bob<tab>0<enter>");
    stage.wait(200);
    let plan = stage.screen();
    for words in ["mode 0600 → 0660", "owner ann → bob", "group ann → root"] {
        assert!(plan.contains(words), "{plan}");
    }
    assert_eq!(sysv(&stage.machine), (0o600, 1000, 1000));
    stage.press("y");
    assert_eq!(sysv(&stage.machine), (0o660, 1001, 0), "{}", notice(&stage));
    stage.press("u");
    assert_eq!(sysv(&stage.machine), (0o600, 1000, 1000), "{}", notice(&stage));
}

#[test]
fn esc_cancels_from_every_field() {
    for keys in ["p 0666", "p<tab>0", "p<tab><tab>bob", "p<tab><tab><tab>bob", "p<tab><tab><tab><tab>bob"] {
        for leave in ["<esc>", "<ctrl-c>"] {
            let mut stage = stage(small());
            stage.press(keys);
            stage.press(leave);
            stage.press("<enter>");
            assert!(stage.state.overlay.is_none());
            assert_eq!(sysv(&stage.machine), (0o600, 1000, 1000), "{keys}{leave}");
        }
    }
}

#[test]
fn unknown_user_is_reported_and_changes_nothing() {
    for (keys, words) in [
        ("p<tab><tab>carl<enter>", "no user named 'carl'"),
        ("p<tab><tab><tab>carl<enter>", "no group named 'carl'"),
        ("p<tab><tab>ann:bob<enter>", "in its own field"),
        ("p<tab>rw<enter>", "invalid mode"),
        ("p<enter>", "nothing to change"),
        // A single invalid field is enough.
        ("p<tab>0666<tab>bob<tab>4294967295<enter>", "group"),
    ] {
        let mut stage = stage(small());
        stage.press(keys);
        let error = form(&stage).error.clone().unwrap_or_default();
        assert!(error.contains(words), "{keys}: {error}");
        assert!(stage.screen().contains(&words[1..]), "{}", stage.screen());
        assert_eq!(sysv(&stage.machine), (0o600, 1000, 1000));
    }
    // The form stays open for correction.
    let mut stage = stage(small());
    stage.press("p<tab><tab>bo<enter>b<enter>");
    confirm(&mut stage);
    assert_eq!(sysv(&stage.machine), (0o600, 1001, 1000));
}

#[test]
fn overlay_explains_access() {
    let mut stage = stage(small());
    let query = |stage: &mut Stage, keys: &str| {
        stage.press(keys);
        let answer = form(stage).answer();
        match answer.expect("an answer") {
            Ok((subject, answer)) => format!("{subject}: {}: {}", answer.label(), answer.reason),
            Err(reason) => reason.to_string(),
        }
    };
    stage.press("p<tab><tab><tab><tab>");
    assert_eq!(form(&stage).focus, Focus::Query);
    let bob = query(&mut stage, "bob");
    assert!(bob.starts_with("bob: no access: as other, mode 0600 grants --"), "{bob}");
    let root = query(&mut stage, "<ctrl-u>root");
    assert!(root.starts_with("root: read-write: CAP_IPC_OWNER"), "{root}");
    // The process is the creator of the segment.
    let process = query(&mut stage, "<ctrl-u>4121");
    assert!(process.starts_with("process 4121 (ann): read-write: as owner"), "{process}");
    assert!(query(&mut stage, "<ctrl-u>77").contains("no process 77"));
    assert!(query(&mut stage, "<ctrl-u>carl").contains("no user named 'carl'"));
    // The answer is for the edited mode, not for the current one.
    let edited = query(&mut stage, "<ctrl-u>bob<up><up><up>o+r<down><down><down>");
    assert!(edited.starts_with("bob: read-only: as other, mode 0604"), "{edited}");
    let edited = query(&mut stage, "<up><up>bob");
    assert!(edited.starts_with("bob: read-write: as owner, mode 0604"), "{edited}");
    assert!(stage.screen().contains("bob: read-write"), "{}", stage.screen());
    // The creator keeps access.
    let creator = query(&mut stage, "<down><down><ctrl-u>ann");
    assert!(creator.contains("as creator (same rights as the owner)"), "{creator}");
    assert_eq!(sysv(&stage.machine), (0o600, 1000, 1000));
}

#[test]
fn overlay_applies_the_acl() {
    let machine = small();
    let entry = |tag: u16, bits: u16, id: u32| {
        [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    let list = [
        2u32.to_le_bytes().to_vec(),
        entry(1, 6, none),
        entry(2, 6, 1001),
        entry(4, 0, none),
        entry(0x10, 6, none),
        entry(0x20, 0, none),
    ];
    machine.edit(|facts| {
        let object = facts.posix.get_mut(&ObjectName::new(b"a").unwrap()).unwrap();
        object.acl = Some(list.concat());
        object.stat.mode = 0o100_660;
    });
    let mut stage = stage(machine);
    stage.press("jp<tab><tab><tab><tab>bob");
    assert!(stage.screen().contains("bob: read-write: ACL grants the user rw"));
    // With an ACL, the group bits of the mode are the mask.
    stage.press("<shift-tab><shift-tab><shift-tab>");
    stage.press("g-w");
    let screen = stage.screen();
    assert!(screen.contains("bob: read-only:") && screen.contains("masked to r-"), "{screen}");
}

#[test]
fn batch_change_sets_only_the_edited_fields() {
    let mut stage = stage(small());
    stage.machine.edit(|facts| {
        facts.posix.get_mut(&ObjectName::new(b"b").unwrap()).unwrap().stat.mode = 0o100_666;
        facts.posix.get_mut(&ObjectName::new(b"c").unwrap()).unwrap().stat.uid = 1001;
    });
    stage.survey();
    stage.press("<space><space><space><space>p");
    assert!(stage.screen().contains("Permissions of 4 segments"));
    assert_eq!((form(&stage).mode_field.text(), form(&stage).owner.text()), ("", ""));
    // Only the group changes. Modes and owners differ between the segments and stay.
    stage.press("<tab><tab><tab>bob<enter>");
    stage.wait(200);
    // Each segment has its own plan and result. One of them was replaced.
    stage.machine.remove_object("a");
    stage.press("y");
    assert!(notice(&stage).contains("Changed 3 segments. u: undo. "), "{}", notice(&stage));
    assert!(notice(&stage).contains("/a"), "{}", notice(&stage));
    assert_eq!(sysv(&stage.machine), (0o600, 1000, 1001));
    assert_eq!(object(&stage.machine, "b"), (0o666, 1000, 1001));
    assert_eq!(object(&stage.machine, "c"), (0o600, 1001, 1001));
    // A symbolic mode is relative to each segment's own mode.
    stage.press("Aap<tab>o+r,u-w<enter>");
    confirm(&mut stage);
    assert_eq!(sysv(&stage.machine), (0o404, 1000, 1001), "{}", notice(&stage));
    assert_eq!(object(&stage.machine, "b"), (0o466, 1000, 1001));
    assert_eq!(object(&stage.machine, "c"), (0o404, 1001, 1001));
}

#[test]
fn overlay_keeps_its_segment_when_the_selection_moves() {
    let mut stage = stage(small());
    stage.press("jp<tab>0666");
    // Removing the segment moves the selection to another one.
    stage.machine.remove_object("a");
    stage.survey();
    stage.press("<enter>");
    confirm(&mut stage);
    assert!(notice(&stage).contains("/a is gone"), "{}", notice(&stage));
    assert_eq!((object(&stage.machine, "b").0, sysv(&stage.machine).0), (0o600, 0o600));
}

#[test]
fn paste_fills_the_field_and_resolves_the_name() {
    let mut stage = stage(small());
    stage.press("p");
    stage.inject(Event::Paste("0666".to_owned()));
    assert_eq!(form(&stage).mode_field.text(), "0600", "the grid ignores pasted text");
    stage.press("<tab><tab>");
    stage.inject(Event::Paste("bob\n".to_owned()));
    stage.press("<enter>");
    confirm(&mut stage);
    assert_eq!(sysv(&stage.machine), (0o600, 1001, 1000));
}

#[test]
fn arrows_and_tab_visit_all_fields() {
    let mut stage = stage(small());
    stage.press("p");
    let mut seen = vec![form(&stage).focus];
    for _ in 0..Focus::ALL.len() {
        stage.press("<tab>");
        seen.push(form(&stage).focus);
    }
    assert_eq!(seen[..5], Focus::ALL);
    assert_eq!(seen[5], Focus::Bits);
    stage.press("<down><down><down><down><down><down><down><down>");
    assert_eq!(form(&stage).focus, Focus::Query);
    stage.press("<up><up><up><up><up><right>");
    assert_eq!((form(&stage).focus, form(&stage).cursor), (Focus::Bits, 3));
}

#[test]
fn late_answers_to_older_names_are_ignored() {
    let mut stage = stage(small());
    stage.press("p<tab><tab>bob");
    stage.late = Some(vec![]);
    stage.press("by<enter>");
    // bob is resolved, bobby is not yet.
    assert!(form(&stage).submitted && form(&stage).owner_found.is_none());
    stage.press("<backspace><backspace>");
    assert!(!form(&stage).submitted, "a later edit must be looked up again");
    stage.press("<enter>");
    stage.answer();
    confirm(&mut stage);
    assert_eq!(sysv(&stage.machine), (0o600, 1001, 1000), "{}", notice(&stage));
    stage.press("p<tab><tab>ann");
    stage.late = Some(vec![]);
    stage.press("x<enter>");
    stage.answer();
    assert!(form(&stage).error.as_ref().unwrap().contains("'annx'"));
    assert_eq!(sysv(&stage.machine), (0o600, 1001, 1000));
}

#[test]
fn toggled_bit_in_a_mixed_batch_keeps_other_bits() {
    let mut stage = stage(small());
    stage.machine.edit(|facts| {
        facts.posix.get_mut(&ObjectName::new(b"b").unwrap()).unwrap().stat.mode = 0o100_666;
    });
    stage.survey();
    stage.press("ap");
    // Toggle the write permission of the owner.
    stage.press("l <enter>");
    stage.wait(200);
    let plan = stage.screen();
    assert!(plan.contains("mode 0600 → 0400") && plan.contains("mode 0666 → 0466"), "{plan}");
    stage.press("y");
    assert_eq!(sysv(&stage.machine).0, 0o400, "{}", notice(&stage));
    assert_eq!((object(&stage.machine, "a").0, object(&stage.machine, "b").0), (0o400, 0o466));
}
