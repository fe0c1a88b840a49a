//! Actions on segments: plan, confirm, apply, report, undo.

use super::{harness, notice, small};
use crate::support::{Acts, Harness};
use shmlens::act::copies::KeepError;
use shmlens::act::{
    ActError, ChangeReport, Copying, Outcome, Refusal, SavedCopy, StateError, UndoError, UndoResult,
};
use shmlens::app::Keymap;
use shmlens::app::effect::Effect;
use shmlens::app::event::Event;
use shmlens::app::key::Key;
use shmlens::app::overlay::Overlay;
use shmlens::app::update;
use shmlens::engine::{Body, Request, Undo, WorkProgress};
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::{Access, ObjectName, SegmentId};

fn confirm(harness: &Harness) -> &shmlens::app::confirm::Confirm {
    match &harness.state.overlay {
        Some(Overlay::Confirm(confirm)) => confirm,
        other => panic!("{other:?}"),
    }
}

/// Returns a machine where a process cannot be examined, so that holders may be missing.
fn machine_with_unknown_holders() -> FakeMachine {
    let machine = small();
    machine.add_process(1, "init");
    machine.edit(|facts| {
        facts.effective_uid = 1000;
        let init = facts.processes.get_mut(&1).unwrap();
        (init.uid, init.readable) = (0, false);
        // The kernel refuses a lease: an invisible process holds the objects.
        facts.in_transit = true;
    });
    machine
}

fn perms(machine: &FakeMachine) -> u32 {
    machine.edit(|facts| {
        let row = facts.sysv[0].row;
        row.mode.bits() | if row.locked { 0o2000 } else { 0 }
    })
}

fn names(machine: &FakeMachine) -> Vec<String> {
    machine.edit(|facts| facts.posix.keys().map(ToString::to_string).collect())
}

#[test]
fn unconfirmed_action_changes_nothing() {
    for keys in ["l<esc>", "ln", "lq", "l<ctrl-c>", "x<esc>", "l<enter>", "x<enter>"] {
        let mut harness = harness(small());
        harness.press(keys);
        harness.wait(500);
        assert_eq!(perms(&harness.machine), 0o600, "{keys}");
        assert_eq!(names(&harness.machine).len(), 3, "{keys}");
        assert!(!harness.quit);
    }
}

#[test]
fn confirmation_typed_ahead_is_ignored() {
    let mut harness = harness(small());
    harness.press("ly");
    assert_eq!(perms(&harness.machine), 0o600);
    harness.wait(200);
    harness.press("y");
    assert_eq!(perms(&harness.machine), 0o2600);
}

#[test]
fn lock_can_be_undone() {
    let mut harness = harness(small());
    harness.press("l");
    assert_eq!(confirm(&harness).title(), "Lock sysv:5");
    harness.wait(200);
    harness.press("y");
    assert_eq!(perms(&harness.machine), 0o2600);
    assert!(notice(&harness).contains("u: undo"), "{}", notice(&harness));
    assert_eq!(harness.state.log.len(), 1);
    harness.press("u");
    assert_eq!(perms(&harness.machine), 0o600);
    harness.press("u");
    assert!(notice(&harness).contains("Nothing to undo"), "{}", notice(&harness));
}

#[test]
fn undo_restores_a_removed_segment_from_its_copy() {
    let mut harness = harness(machine_with_unknown_holders());
    harness.press("jx");
    harness.wait(200);
    // Holders cannot be ruled out, so removal needs force.
    assert_eq!(confirm(&harness).applicable(), 0);
    harness.press("y");
    assert_eq!(names(&harness.machine), ["/a", "/b", "/c"]);
    harness.press("f");
    harness.wait(200);
    harness.press("y");
    assert_eq!(names(&harness.machine), ["/b", "/c"], "{}", notice(&harness));
    assert!(notice(&harness).contains("u: undo"), "{}", notice(&harness));
    harness.press("u");
    assert_eq!(names(&harness.machine), ["/a", "/b", "/c"], "{}", notice(&harness));
    harness.press("jk");
    let look = harness.state.table.strip.last.as_ref();
    assert!(look.is_none_or(|look| look.as_ref().is_ok_and(|look| !look.bytes.is_empty())));
}

/// The plans on screen are outdated until new ones arrive.
#[test]
fn confirmation_before_new_plans_arrive_is_ignored() {
    for key in ['f', 'c'] {
        let mut harness = harness(machine_with_unknown_holders());
        harness.press("jx");
        harness.wait(200);
        harness.press("f");
        harness.wait(200);
        assert_eq!(confirm(&harness).applicable(), 1);
        let mut typed = |key| update(&mut harness.state, harness.clock, Event::Key(Key::char(key)));
        let planning = typed(key);
        assert!(matches!(planning[..], [Effect::Engine(Request::Plan(_))]), "{planning:?}");
        assert!(typed('y').is_empty(), "{key}");
    }
}

#[test]
fn batch_reports_each_result() {
    let mut harness = harness(machine_with_unknown_holders());
    harness.press("aA");
    harness.press("<space><space><space>x");
    assert_eq!(confirm(&harness).requests.len(), 3);
    harness.wait(200);
    // Force applies only to the second segment. The System V segment has no holders and needs none.
    harness.press("jf");
    harness.wait(200);
    harness.press("y");
    assert_eq!(names(&harness.machine), ["/b", "/c"], "{}", notice(&harness));
    assert!(
        harness.state.log.iter().any(|line| line.starts_with("rm /b: not done: ")),
        "{:?}",
        harness.state.log
    );
}

#[test]
fn act_refuses_a_replaced_object() {
    let mut harness = harness(small());
    harness.press("jx");
    harness.wait(200);
    harness.press("f");
    harness.wait(200);
    harness.machine.add_object("a", FakeBytes::full(b"another one"));
    harness.press("y");
    assert_eq!(names(&harness.machine), ["/a", "/b", "/c"]);
    assert!(
        notice(&harness).contains("not as it was shown") || notice(&harness).contains("another"),
        "{}",
        notice(&harness)
    );
}

#[test]
fn read_only_disables_every_change() {
    let mut harness = harness(small());
    harness.state.read_only = true;
    for key in ["l", "L", "x", "u"] {
        harness.press(key);
        assert!(harness.state.overlay.is_none());
        assert!(notice(&harness).contains("--read-only"), "{key}: {}", notice(&harness));
    }
}

#[test]
fn log_lists_actions() {
    let mut harness = harness(small());
    harness.press(":log<enter>");
    assert!(harness.screen().contains("No changes yet."));
    harness.press("<esc>l");
    harness.wait(200);
    harness.press("y:log<enter>");
    assert!(harness.screen().contains("lock sysv:5"), "{}", harness.screen());
}

#[test]
fn permissions_change_by_bit_or_octal_and_undo() {
    let mut harness = harness(small());
    // Toggle the read permission of others.
    harness.press("pjj <enter>");
    harness.wait(200);
    assert_eq!(perms(&harness.machine), 0o600);
    harness.press("y");
    assert_eq!(perms(&harness.machine), 0o604, "{}", notice(&harness));
    harness.press("u");
    assert_eq!(perms(&harness.machine), 0o600, "{}", notice(&harness));
    harness.press("p0666<enter>");
    harness.wait(200);
    harness.press("y");
    assert_eq!(perms(&harness.machine), 0o666);
    harness.press("p<esc>p0000q");
    assert_eq!(perms(&harness.machine), 0o666);
}

#[test]
fn permission_grid_shows_resulting_access() {
    let mut harness = harness(small());
    harness.press("p");
    let screen = harness.screen();
    assert!(screen.contains("no access") && screen.contains("IPC_CREAT | 0600"), "{screen}");
    harness.press("0644");
    assert!(harness.screen().contains("read-only"), "{}", harness.screen());
}

#[test]
fn undo_never_restores_an_older_copy() {
    let mut harness = harness(small());
    let remove = |harness: &mut Harness, keys: &str| {
        for key in keys.chars() {
            harness.press(&key.to_string());
            harness.wait(200);
        }
    };
    // There is an older copy that undo must not use.
    remove(&mut harness, "jxfy");
    assert_eq!(names(&harness.machine), ["/b", "/c"], "{}", notice(&harness));
    remove(&mut harness, "xcfy");
    assert_eq!(names(&harness.machine).len(), 1, "{}", notice(&harness));
    assert!(!notice(&harness).contains("undo"), "{}", notice(&harness));
    harness.press("u");
    assert!(notice(&harness).contains("Nothing to undo"), "{}", notice(&harness));
    assert_eq!(names(&harness.machine).len(), 1);
}

fn saved(name: &str) -> SavedCopy {
    SavedCopy { id: object(name), path: format!("/copies/{name}").into() }
}

fn working() -> Body {
    let what = "copying sysv:5".to_owned();
    Body::Progress(WorkProgress { what, item: 1, items: 1, done: 10, total: 50 })
}

#[test]
fn long_action_blocks_others_and_can_be_stopped() {
    for key in ["<esc>", "<ctrl-c>"] {
        let mut harness = harness(small());
        harness.acts = Acts::Hang;
        harness.press("x");
        harness.wait(200);
        harness.press("y");
        harness.report(working());
        assert!(harness.screen().contains("10 B of 50 B   esc stop"), "{}", harness.screen());
        harness.press("ynfc");
        assert_eq!(harness.acts, Acts::Hang);
        harness.press(key);
        assert_eq!((harness.acts, harness.quit), (Acts::Stopped, false), "{key}");
        assert!(harness.screen().contains("stopping"), "{}", harness.screen());
        let subject = "sysv:5".to_owned();
        let result = Err(ActError::Stopped { subject: subject.clone() });
        harness.report(Body::Acted(vec![Outcome { subject, action: "rm", result }]));
        assert_eq!(notice(&harness), "Stopped; nothing was changed");
        assert!(harness.state.overlay.is_none() && harness.state.work.is_none());
    }
}

#[test]
fn long_action_blocks_clean_and_end() {
    let machine = small();
    let busy = || {
        let mut harness = harness(machine.clone());
        harness.acts = Acts::Hang;
        harness.state.undo = Some(Undo::Copies(vec![saved("a")]));
        harness.press("u");
        harness.report(working());
        harness
    };
    let mut cleaning = busy();
    cleaning.press("c<enter>");
    assert!(notice(&cleaning).contains("esc cancels it"), "{}", notice(&cleaning));
    assert!(matches!(cleaning.state.overlay, Some(Overlay::Clean(_))));
    machine.add_process(4121, "writer");
    machine.attach_in(4121, 5, Access::Read);
    let mut ending = busy();
    ending.press("hK");
    assert!(notice(&ending).contains("esc cancels it"), "{}", notice(&ending));
    assert!(matches!(&ending.state.overlay, Some(Overlay::Holders(_))));
}

#[test]
fn stopped_undo_can_be_retried() {
    let mut harness = harness(small());
    harness.acts = Acts::Hang;
    harness.state.undo = Some(Undo::Copies(vec![saved("a"), saved("b")]));
    harness.press("u");
    // An action that takes no noticeable time does not change the keys.
    harness.press("<esc>");
    assert_eq!(harness.acts, Acts::Hang);
    harness.report(working());
    harness.press("x");
    assert!(notice(&harness).contains("esc cancels it"), "{}", notice(&harness));
    harness.press("<esc>");
    assert_eq!((harness.acts, harness.quit), (Acts::Stopped, false));
    harness.report(Body::Undone(vec![
        UndoResult { id: object("a"), result: Ok("restored".to_owned()) },
        UndoResult { id: object("b"), result: Err(UndoError::temporary(&"stopped")) },
    ]));
    assert_eq!(harness.state.undo, Some(Undo::Copies(vec![saved("b")])));
    assert_eq!(notice(&harness), "Restored /a. /b: stopped. u: try again");
    harness.press("<esc>");
    assert!(notice(&harness).contains("No filter set"), "{}", notice(&harness));
}

/// Returns a harness on which a running action has just ended with these outcomes.
fn stage_with_outcomes(outcomes: Vec<Outcome>) -> Harness {
    let mut harness = harness(small());
    harness.acts = Acts::Hang;
    harness.press("l");
    harness.wait(200);
    harness.press("y");
    harness.report(Body::Acted(outcomes));
    harness
}

fn object(name: &str) -> SegmentId {
    SegmentId::Posix(ObjectName::new(name.as_bytes()).unwrap())
}

fn removed_outcome(name: &str) -> Outcome {
    let message = vec!["removed".to_owned()];
    let done = ChangeReport {
        id: object(name),
        messages: message,
        undo: None,
        identity: None,
        copy: Some("/copies/1".into()),
    };
    Outcome { subject: format!("posix:/{name}"), action: "rm", result: Ok(done) }
}

fn failed_outcome(name: &str) -> Outcome {
    // The error itself does not name the segment.
    let error = ActError::NotKept { id: object(name), source: KeepError::State(StateError::Homeless) };
    Outcome { subject: format!("posix:/{name}"), action: "rm", result: Err(error) }
}

fn refused_outcome(name: &str) -> Outcome {
    let subject = format!("posix:/{name}");
    let refusal = Refusal {
        reason: "in use: attached twice".to_owned(),
        remedy: "Use --force to remove it anyway".to_owned(),
        forceable: true,
    };
    let result = Err(ActError::Refused { subject: subject.clone(), refusal });
    Outcome { subject, action: "rm", result }
}

#[test]
fn footer_reports_the_result_and_the_undo_key() {
    for (outcomes, message) in [
        (vec![removed_outcome("a")], "Removed /a. u: undo"),
        (vec![removed_outcome("a"), removed_outcome("b")], "Removed 2 segments. u: undo"),
        (vec![removed_outcome("a"), refused_outcome("b")], "Removed /a (1 skipped). u: undo"),
        // On screen, force is a key instead of an option.
        (vec![refused_outcome("b")], "/b: in use: attached twice. Press x, then f to force"),
    ] {
        let harness = stage_with_outcomes(outcomes);
        assert_eq!(notice(&harness), message);
    }
    // The log has the command.
    let harness = stage_with_outcomes(vec![removed_outcome("a")]);
    assert_eq!(harness.state.log, ["rm /a: removed; undo: shmlens restore /copies/1"]);
}

#[test]
fn messages_name_the_bound_key() {
    for (keys, message) in [(&["z"][..], "Removed /a. z: undo"), (&[], "Removed /a. :undo: undo")] {
        let keys = keys.iter().map(ToString::to_string).collect();
        let keymap = Keymap::with_overrides(&[("undo".to_owned(), keys)].into()).unwrap();
        let mut harness = stage_with_outcomes(vec![]);
        harness.state.keymap = keymap;
        harness.report(Body::Acted(vec![removed_outcome("a")]));
        assert_eq!(notice(&harness), message);
    }
}

#[test]
fn batch_messages_name_their_segment() {
    let harness = stage_with_outcomes(vec![
        removed_outcome("a"),
        failed_outcome("b"),
        failed_outcome("c"),
        refused_outcome("d"),
    ]);
    let text = notice(&harness);
    assert!(text.starts_with("Removed /a (1 skipped). u: undo. /b: "), "{text}");
    assert!(text.ends_with(" (1 more in :log)"), "{text}");
    for (line, name) in harness.state.log.iter().zip(["/a", "/b", "/c", "/d"]) {
        assert!(line.starts_with(&format!("rm {name}: ")), "{line}");
    }
}

/// Force is offered only where the plan says that it helps.
#[test]
fn force_is_offered_only_where_it_helps() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut held = harness(machine.clone());
    held.press("jx");
    held.wait(200);
    assert!(held.screen().contains("f: force") && held.screen().contains("f force"), "{}", held.screen());
    // Force does not grant the right to remove another user's segment.
    machine.edit(|facts| facts.effective_uid = 1001);
    let mut foreign = harness(machine);
    foreign.press("jx");
    foreign.wait(200);
    let screen = foreign.screen();
    assert!(!screen.contains("force") && !screen.contains("y remove"), "{screen}");
    foreign.press("f");
    assert!(!confirm(&foreign).requests[0].force);
}

/// Presses keys, and waits before each until the dialog accepts keys.
fn press_slowly(harness: &mut Harness, keys: &str) {
    for key in keys.chars() {
        harness.press(&key.to_string());
        harness.wait(200);
    }
}

#[test]
fn restored_segment_is_reported_with_its_key() {
    let mut harness = harness(small());
    press_slowly(&mut harness, "xyu");
    let text = notice(&harness);
    assert!(text.starts_with("Restored sysv:") && text.ends_with("(key 0x000004d2, was sysv:5)"), "{text}");
}

#[test]
fn action_without_changes_keeps_the_previous_undo() {
    let mut harness = harness(small());
    press_slowly(&mut harness, "ly");
    assert_eq!(perms(&harness.machine), 0o2600);
    harness.press("jx");
    harness.machine.remove_object("a");
    harness.wait(200);
    press_slowly(&mut harness, "fy");
    assert!(harness.state.undo.is_some(), "{}", notice(&harness));
    assert!(!notice(&harness).contains("undo"), "{}", notice(&harness));
    harness.press("<esc>u");
    assert_eq!(perms(&harness.machine), 0o600, "{}", notice(&harness));
}

#[test]
fn undo_refuses_a_replaced_segment() {
    let mut harness = harness(small());
    press_slowly(&mut harness, "jp");
    harness.press("0644<enter>");
    press_slowly(&mut harness, " y");
    harness.machine.remove_object("a");
    harness.machine.add_object("a", FakeBytes::full(b"another"));
    let mode = |harness: &Harness| {
        harness.machine.edit(|facts| facts.posix[&ObjectName::new(b"a").unwrap()].stat.mode)
    };
    let before = mode(&harness);
    harness.press("u");
    assert_eq!(notice(&harness), "/a was replaced by another segment; nothing was changed");
    assert_eq!(mode(&harness), before);
}

#[test]
fn undo_of_a_creation_never_removes_another_segment() {
    let mut harness = harness(small());
    harness.press("n/new<enter>");
    assert!(names(&harness.machine).contains(&"/new".to_owned()), "{}", notice(&harness));
    harness.machine.remove_object("new");
    harness.machine.add_object("new", FakeBytes::full(b"another"));
    harness.survey();
    harness.press("u");
    assert!(harness.state.overlay.is_none());
    assert_eq!(notice(&harness), "/new was replaced by another segment; nothing was changed");
}

#[test]
fn marked_segment_is_not_removed_again() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.attach_in(4121, 5, Access::Read);
    machine.edit(|facts| facts.sysv[0].row.marked = true);
    let mut harness = harness(machine);
    press_slowly(&mut harness, "x");
    let plan = &confirm(&harness).plans[0];
    assert!(plan.refusal.as_ref().is_some_and(|refusal| !refusal.forceable), "{plan:?}");
    assert!(harness.screen().contains("already removed"), "{}", harness.screen());
    assert!(!harness.screen().contains("y remove   "), "{}", harness.screen());
}

#[test]
fn dialog_remedy_names_a_key() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut held = harness(machine.clone());
    press_slowly(&mut held, "jx");
    let screen = held.screen();
    assert!(screen.contains("u restores it") && !screen.contains("shmlens restore"), "{screen}");
    // The reason stays on screen after force is used.
    press_slowly(&mut held, "f");
    let screen = held.screen();
    assert!(screen.contains("in use: ") && screen.contains("· forced (f: no force)"), "{screen}");
    // No copy can be saved without a directory for copies.
    let mut unreadable = harness(machine);
    unreadable.machine.edit(|facts| facts.sysv[0].row.mode = shmlens::segment::Mode::new(0));
    unreadable.machine.edit(|facts| facts.effective_uid = 1000);
    unreadable.survey();
    press_slowly(&mut unreadable, "gx");
    let screen = unreadable.screen();
    assert!(screen.contains("c: remove without a copy") && !screen.contains("--no-copy"), "{screen}");
    press_slowly(&mut unreadable, "cy");
    assert!(unreadable.machine.edit(|facts| facts.sysv.is_empty()), "{}", notice(&unreadable));
}

#[test]
fn missing_segment_has_no_remedy() {
    for keys in ["x", "xy"] {
        let mut harness = harness(small());
        if keys == "xy" {
            press_slowly(&mut harness, "x");
        }
        harness.machine.edit(|facts| facts.sysv.clear());
        press_slowly(&mut harness, &keys[keys.len() - 1..]);
        let text = if keys == "x" { harness.screen() } else { notice(&harness).to_owned() };
        let message = if keys == "x" {
            "gone: removed since it was listed. Nothing was removed"
        } else {
            "sysv:5 is gone; nothing was removed"
        };
        assert!(text.contains(message), "{text}");
        assert!(!text.contains("copy") && !text.contains("force"), "{text}");
    }
}

#[test]
fn final_refusal_is_shown_alone() {
    let machine = small();
    machine.edit(|facts| facts.effective_uid = 1001);
    let mut harness = harness(machine);
    press_slowly(&mut harness, "x");
    let screen = harness.screen();
    assert!(screen.contains("can remove it"), "{screen}");
    for other in ["c no copy", "f force", "y remove", "restores", "frees"] {
        assert!(!screen.contains(other), "{other}: {screen}");
    }
    press_slowly(&mut harness, "cfy");
    assert!(confirm(&harness).copying() == Some(&Copying::Keep));
}

#[test]
fn batch_dialog_shows_each_segment_and_a_summary() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut harness = harness(machine);
    harness.press("<space><space><space>/kind=sysv<enter>");
    press_slowly(&mut harness, "x");
    let screen = harness.screen();
    for line in [
        "▌sysv:5   50 B  ",
        "/a      300 B  ● in use",
        "unlinks now; 4.0 KiB freed when",
        "2 of them hidden by the filter",
        "A copy of each is saved first: u restores them.",
        "1 needs force.",
    ] {
        assert!(screen.contains(line), "{line}\n{screen}");
    }
    assert_eq!(screen.matches("copy").count(), 2, "once, and in the keys: {screen}");
}

#[test]
fn long_dialogs_scroll() {
    let machine = FakeMachine::new();
    for shmid in 0..40 {
        machine.add_sysv(shmid, 0, FakeBytes::full(&[1; 50]));
    }
    let mut many = harness(machine);
    many.press("a");
    press_slowly(&mut many, "x");
    assert!(many.screen().contains("▌sysv:0 ") && many.screen().contains("more"), "{}", many.screen());
    many.press("<end>");
    assert!(many.screen().contains("▌sysv:39 "), "{}", many.screen());
    many.press("<pgup>");
    assert!(many.screen().contains("▌sysv:29 "), "{}", many.screen());
    let mut one = Harness::new(small(), 40, 8);
    one.press("j");
    press_slowly(&mut one, "x");
    let top = one.screen();
    assert!(top.contains("more"), "{top}");
    one.press("<pgdn><pgdn>");
    let bottom = one.screen();
    assert!(top != bottom && bottom.contains("u restores it"), "{bottom}");
    one.press("<up>");
    assert_ne!(one.screen(), bottom);
}

#[test]
fn log_wraps_and_scrolls() {
    let mut harness = harness(small());
    for at in 0..30 {
        harness.state.log.push(format!("rm /{at}: {} end-{at}.", "a long result ".repeat(8)));
    }
    harness.press(":log<enter>");
    let bottom = harness.screen();
    assert!(bottom.contains("end-29.") && bottom.contains("esc close"), "{bottom}");
    harness.press("<pgup>");
    let up = harness.screen();
    assert!(!up.contains("end-29.") && up.contains("↓ 22"), "{up}");
    harness.press("<home>");
    assert!(harness.screen().contains("rm /0: "), "{}", harness.screen());
    harness.press("<esc>");
    assert!(harness.state.overlay.is_none());
}

/// Each line has the action, the segment and the result.
#[test]
fn log_lines_have_the_same_format() {
    let mut harness =
        stage_with_outcomes(vec![removed_outcome("a"), failed_outcome("b"), refused_outcome("c")]);
    let results = [Ok("restored".to_owned()), Err(UndoError::temporary(&"posix:/b: its name is in use"))];
    let undone = |(name, result)| UndoResult { id: object(name), result };
    harness.report(Body::Undone(["a", "b"].into_iter().zip(results).map(undone).collect()));
    // A notice that does not fit is logged too.
    let lines = harness.state.log.iter().filter(|line| !line.starts_with("message: "));
    let lines: Vec<&String> = lines.collect();
    let starts = ["rm /a: ", "rm /b: ", "rm /c: ", "undo /a: ", "undo /b: its"];
    assert_eq!(lines.len(), starts.len(), "{lines:?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
}

#[test]
fn too_small_terminal_blocks_actions() {
    use shmlens::app::event::Size;
    let mut harness = harness(small());
    press_slowly(&mut harness, "x");
    harness.inject(Event::Resize(Size { width: 39, height: 24 }));
    for keys in ["y", "<esc>", "l", "<enter>", "x"] {
        harness.press(keys);
        harness.wait(200);
    }
    assert_eq!(confirm(&harness).title(), "Remove sysv:5");
    harness.inject(Event::Paste("y".to_owned()));
    assert_eq!(harness.machine.edit(|facts| facts.sysv.len()), 1);
    harness.press("<ctrl-z>");
    assert!(harness.suspended && !harness.quit);
    assert!(harness.screen().contains("needs 40x8"), "{}", harness.screen());
    harness.press("q");
    assert!(harness.quit);
}

#[test]
fn suspend_works_in_overlays_and_prompts() {
    for keys in ["x", "p", "n", ":", "/", "?", "h", "c", "s", "<enter>/", "<enter>m"] {
        let mut harness = harness(small());
        harness.press(keys);
        let before = harness.screen();
        harness.press("<ctrl-z>");
        assert!(harness.suspended, "{keys}");
        assert_eq!(harness.screen(), before, "{keys}");
    }
}

#[test]
fn marked_count_is_always_shown() {
    for width in [40, 50, 60, 80] {
        let mut harness = Harness::new(small(), width, 24);
        harness.press("<space><space>");
        assert!(harness.screen().contains("• 2 marked"), "{}", harness.screen());
        harness.press("/name~^a_rather_long_filter_that_matches_nothing<enter>");
        assert!(harness.screen().lines().next().unwrap().contains("• 2 marked"), "{}", harness.screen());
    }
}

#[test]
fn header_shows_read_only_mode() {
    let mut harness = harness(small());
    assert!(!harness.screen().lines().next().unwrap().contains("read-only"));
    harness.state.read_only = true;
    assert!(harness.screen().lines().next().unwrap().contains("read-only"), "{}", harness.screen());
    harness.press("x");
    let message = notice(&harness).to_owned();
    harness.press("hK");
    harness.press("<esc>n");
    assert_eq!(notice(&harness), message);
}

#[test]
fn open_popup_sets_the_hints() {
    for (keys, hints) in [
        ("s", "↵ choose  esc cancel"),
        ("<enter>t", "↵ choose  esc cancel"),
        (":", "↵ run  esc cancel"),
        (":log<enter>", "↑↓ scroll  esc close"),
    ] {
        let mut harness = harness(small());
        harness.press(keys);
        let screen = harness.screen();
        let foot = screen.trim_end().lines().last().unwrap().trim().to_owned();
        assert_eq!(foot, hints, "{keys}");
    }
}

#[test]
fn filter_line_escapes_control_and_invisible_characters() {
    let mut harness = harness(small());
    harness.press("/");
    harness.inject(Event::Paste("a\u{202e}b\u{200b}".to_owned()));
    assert!(harness.screen().contains(r"/a\xe2\x80\xaeb\xe2\x80\x8b"), "{}", harness.screen());
    harness.press("<esc>n");
    harness.inject(Event::Paste("a\u{202e}b".to_owned()));
    assert!(harness.screen().contains(r"a\xe2\x80\xaeb"), "{}", harness.screen());
}
