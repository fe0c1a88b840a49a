//! The permissions form: mode, owner and group, and the resulting access.

use super::{harness, notice, small};
use crate::support::Harness;
use shmlens::app::event::Event;
use shmlens::app::overlay::Overlay;
use shmlens::app::permissions::{Focus, Permissions};
use shmlens::machine::fake::FakeMachine;
use shmlens::segment::ObjectName;

fn form(harness: &Harness) -> &Permissions {
    match &harness.state.overlay {
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

fn confirm(harness: &mut Harness) {
    harness.wait(200);
    harness.press("y");
}

#[test]
fn mode_owner_and_group_change_and_undo_together() {
    let mut harness = harness(small());
    harness.press("p<tab>g+rw<tab>bob<tab>0<enter>");
    harness.wait(200);
    let plan = harness.screen();
    for words in ["mode 0600 → 0660", "owner ann → bob", "group ann → root"] {
        assert!(plan.contains(words), "{plan}");
    }
    assert_eq!(sysv(&harness.machine), (0o600, 1000, 1000));
    harness.press("y");
    assert_eq!(sysv(&harness.machine), (0o660, 1001, 0), "{}", notice(&harness));
    harness.press("u");
    assert_eq!(sysv(&harness.machine), (0o600, 1000, 1000), "{}", notice(&harness));
}

#[test]
fn esc_cancels_from_every_field() {
    for keys in ["p 0666", "p<tab>0", "p<tab><tab>bob", "p<tab><tab><tab>bob", "p<tab><tab><tab><tab>bob"] {
        for leave in ["<esc>", "<ctrl-c>"] {
            let mut harness = harness(small());
            harness.press(keys);
            harness.press(leave);
            harness.press("<enter>");
            assert!(harness.state.overlay.is_none());
            assert_eq!(sysv(&harness.machine), (0o600, 1000, 1000), "{keys}{leave}");
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
        let mut harness = harness(small());
        harness.press(keys);
        let error = form(&harness).error.clone().unwrap_or_default();
        assert!(error.contains(words), "{keys}: {error}");
        assert!(harness.screen().contains(&words[1..]), "{}", harness.screen());
        assert_eq!(sysv(&harness.machine), (0o600, 1000, 1000));
    }
    // The form stays open for correction.
    let mut harness = harness(small());
    harness.press("p<tab><tab>bo<enter>b<enter>");
    confirm(&mut harness);
    assert_eq!(sysv(&harness.machine), (0o600, 1001, 1000));
}

#[test]
fn overlay_explains_access() {
    let mut harness = harness(small());
    let query = |harness: &mut Harness, keys: &str| {
        harness.press(keys);
        let answer = form(harness).answer();
        match answer.expect("an answer") {
            Ok((subject, answer)) => format!("{subject}: {}: {}", answer.label(), answer.reason),
            Err(reason) => reason.to_string(),
        }
    };
    harness.press("p<tab><tab><tab><tab>");
    assert_eq!(form(&harness).focus, Focus::Query);
    let bob = query(&mut harness, "bob");
    assert!(bob.starts_with("bob: no access: as other, mode 0600 grants --"), "{bob}");
    let root = query(&mut harness, "<ctrl-u>root");
    assert!(root.starts_with("root: read-write: CAP_IPC_OWNER"), "{root}");
    // The process is the creator of the segment.
    let process = query(&mut harness, "<ctrl-u>4121");
    assert!(process.starts_with("process 4121 (ann): read-write: as owner"), "{process}");
    assert!(query(&mut harness, "<ctrl-u>77").contains("no process 77"));
    assert!(query(&mut harness, "<ctrl-u>carl").contains("no user named 'carl'"));
    // The answer is for the edited mode, not for the current one.
    let edited = query(&mut harness, "<ctrl-u>bob<up><up><up>o+r<down><down><down>");
    assert!(edited.starts_with("bob: read-only: as other, mode 0604"), "{edited}");
    let edited = query(&mut harness, "<up><up>bob");
    assert!(edited.starts_with("bob: read-write: as owner, mode 0604"), "{edited}");
    assert!(harness.screen().contains("bob: read-write"), "{}", harness.screen());
    // The creator keeps access.
    let creator = query(&mut harness, "<down><down><ctrl-u>ann");
    assert!(creator.contains("as creator (same rights as the owner)"), "{creator}");
    assert_eq!(sysv(&harness.machine), (0o600, 1000, 1000));
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
    let mut harness = harness(machine);
    harness.press("jp<tab><tab><tab><tab>bob");
    assert!(harness.screen().contains("bob: read-write: ACL grants the user rw"));
    // With an ACL, the group bits of the mode are the mask.
    harness.press("<shift-tab><shift-tab><shift-tab>");
    harness.press("g-w");
    let screen = harness.screen();
    assert!(screen.contains("bob: read-only:") && screen.contains("masked to r-"), "{screen}");
}

#[test]
fn batch_change_sets_only_the_edited_fields() {
    let mut harness = harness(small());
    harness.machine.edit(|facts| {
        facts.posix.get_mut(&ObjectName::new(b"b").unwrap()).unwrap().stat.mode = 0o100_666;
        facts.posix.get_mut(&ObjectName::new(b"c").unwrap()).unwrap().stat.uid = 1001;
    });
    harness.survey();
    harness.press("<space><space><space><space>p");
    assert!(harness.screen().contains("Permissions of 4 segments"));
    assert_eq!((form(&harness).mode_field.text(), form(&harness).owner.text()), ("", ""));
    // Only the group changes. Modes and owners differ between the segments and stay.
    harness.press("<tab><tab><tab>bob<enter>");
    harness.wait(200);
    // Each segment has its own plan and result. One of them was replaced.
    harness.machine.remove_object("a");
    harness.press("y");
    assert!(notice(&harness).contains("Changed 3 segments. u: undo. "), "{}", notice(&harness));
    assert!(notice(&harness).contains("/a"), "{}", notice(&harness));
    assert_eq!(sysv(&harness.machine), (0o600, 1000, 1001));
    assert_eq!(object(&harness.machine, "b"), (0o666, 1000, 1001));
    assert_eq!(object(&harness.machine, "c"), (0o600, 1001, 1001));
    // A symbolic mode is relative to each segment's own mode.
    harness.press("Aap<tab>o+r,u-w<enter>");
    confirm(&mut harness);
    assert_eq!(sysv(&harness.machine), (0o404, 1000, 1001), "{}", notice(&harness));
    assert_eq!(object(&harness.machine, "b"), (0o466, 1000, 1001));
    assert_eq!(object(&harness.machine, "c"), (0o404, 1001, 1001));
}

#[test]
fn overlay_keeps_its_segment_when_the_selection_moves() {
    let mut harness = harness(small());
    harness.press("jp<tab>0666");
    // Removing the segment moves the selection to another one.
    harness.machine.remove_object("a");
    harness.survey();
    harness.press("<enter>");
    confirm(&mut harness);
    assert!(notice(&harness).contains("/a is gone"), "{}", notice(&harness));
    assert_eq!((object(&harness.machine, "b").0, sysv(&harness.machine).0), (0o600, 0o600));
}

#[test]
fn paste_fills_the_field_and_resolves_the_name() {
    let mut harness = harness(small());
    harness.press("p");
    harness.inject(Event::Paste("0666".to_owned()));
    assert_eq!(form(&harness).mode_field.text(), "0600", "the grid ignores pasted text");
    harness.press("<tab><tab>");
    harness.inject(Event::Paste("bob\n".to_owned()));
    harness.press("<enter>");
    confirm(&mut harness);
    assert_eq!(sysv(&harness.machine), (0o600, 1001, 1000));
}

#[test]
fn arrows_and_tab_visit_all_fields() {
    let mut harness = harness(small());
    harness.press("p");
    let mut seen = vec![form(&harness).focus];
    for _ in 0..Focus::ALL.len() {
        harness.press("<tab>");
        seen.push(form(&harness).focus);
    }
    assert_eq!(seen[..5], Focus::ALL);
    assert_eq!(seen[5], Focus::Bits);
    harness.press("<down><down><down><down><down><down><down><down>");
    assert_eq!(form(&harness).focus, Focus::Query);
    harness.press("<up><up><up><up><up><right>");
    assert_eq!((form(&harness).focus, form(&harness).cursor), (Focus::Bits, 3));
}

#[test]
fn late_answers_to_older_names_are_ignored() {
    let mut harness = harness(small());
    harness.press("p<tab><tab>bob");
    harness.late = Some(vec![]);
    harness.press("by<enter>");
    // bob is resolved, bobby is not yet.
    assert!(form(&harness).submitted && form(&harness).owner_found.is_none());
    harness.press("<backspace><backspace>");
    assert!(!form(&harness).submitted, "a later edit must be looked up again");
    harness.press("<enter>");
    harness.answer();
    confirm(&mut harness);
    assert_eq!(sysv(&harness.machine), (0o600, 1001, 1000), "{}", notice(&harness));
    harness.press("p<tab><tab>ann");
    harness.late = Some(vec![]);
    harness.press("x<enter>");
    harness.answer();
    assert!(form(&harness).error.as_ref().unwrap().contains("'annx'"));
    assert_eq!(sysv(&harness.machine), (0o600, 1001, 1000));
}

#[test]
fn toggled_bit_in_a_mixed_batch_keeps_other_bits() {
    let mut harness = harness(small());
    harness.machine.edit(|facts| {
        facts.posix.get_mut(&ObjectName::new(b"b").unwrap()).unwrap().stat.mode = 0o100_666;
    });
    harness.survey();
    harness.press("ap");
    // Toggle the write permission of the owner.
    harness.press("l <enter>");
    harness.wait(200);
    let plan = harness.screen();
    assert!(plan.contains("mode 0600 → 0400") && plan.contains("mode 0666 → 0466"), "{plan}");
    harness.press("y");
    assert_eq!(sysv(&harness.machine).0, 0o400, "{}", notice(&harness));
    assert_eq!((object(&harness.machine, "a").0, object(&harness.machine, "b").0), (0o400, 0o466));
}
