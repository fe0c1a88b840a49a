//! Actions on segments: plan, confirm, apply, report, undo.

use super::{notice, small, stage};
use crate::support::{Acts, Stage};
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

fn confirm(stage: &Stage) -> &shmlens::app::confirm::Confirm {
    match &stage.state.overlay {
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
        let mut stage = stage(small());
        stage.press(keys);
        stage.wait(500);
        assert_eq!(perms(&stage.machine), 0o600, "{keys}");
        assert_eq!(names(&stage.machine).len(), 3, "{keys}");
        assert!(!stage.quit);
    }
}

#[test]
fn confirmation_typed_ahead_is_ignored() {
    let mut stage = stage(small());
    stage.press("ly");
    assert_eq!(perms(&stage.machine), 0o600);
    stage.wait(200);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o2600);
}

#[test]
fn lock_can_be_undone() {
    let mut stage = stage(small());
    stage.press("l");
    assert_eq!(confirm(&stage).title(), "Lock sysv:5");
    stage.wait(200);
    stage.press("y");
    assert_eq!(perms(&stage.machine), 0o2600);
    assert!(notice(&stage).contains("u: undo"), "{}", notice(&stage));
    assert_eq!(stage.state.log.len(), 1);
    stage.press("u");
    assert_eq!(perms(&stage.machine), 0o600);
    stage.press("u");
    assert!(notice(&stage).contains("Nothing to undo"), "{}", notice(&stage));
}

#[test]
fn undo_restores_a_removed_segment_from_its_copy() {
    let mut stage = stage(machine_with_unknown_holders());
    stage.press("jx");
    stage.wait(200);
    // Holders cannot be ruled out, so removal needs force.
    assert_eq!(confirm(&stage).applicable(), 0);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"]);
    stage.press("f");
    stage.wait(200);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    assert!(notice(&stage).contains("u: undo"), "{}", notice(&stage));
    stage.press("u");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"], "{}", notice(&stage));
    stage.press("jk");
    let look = stage.state.table.strip.last.as_ref();
    assert!(look.is_none_or(|look| look.as_ref().is_ok_and(|look| !look.bytes.is_empty())));
}

/// The plans on screen are outdated until new ones arrive.
#[test]
fn confirmation_before_new_plans_arrive_is_ignored() {
    for key in ['f', 'c'] {
        let mut stage = stage(machine_with_unknown_holders());
        stage.press("jx");
        stage.wait(200);
        stage.press("f");
        stage.wait(200);
        assert_eq!(confirm(&stage).applicable(), 1);
        let mut typed = |key| update(&mut stage.state, stage.clock, Event::Key(Key::char(key)));
        let planning = typed(key);
        assert!(matches!(planning[..], [Effect::Engine(Request::Plan(_))]), "{planning:?}");
        assert!(typed('y').is_empty(), "{key}");
    }
}

#[test]
fn batch_reports_each_result() {
    let mut stage = stage(machine_with_unknown_holders());
    stage.press("aA");
    stage.press("<space><space><space>x");
    assert_eq!(confirm(&stage).requests.len(), 3);
    stage.wait(200);
    // Force applies only to the second segment. The System V segment has no holders and needs none.
    stage.press("jf");
    stage.wait(200);
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    assert!(
        stage.state.log.iter().any(|line| line.starts_with("rm /b: not done: ")),
        "{:?}",
        stage.state.log
    );
}

#[test]
fn act_refuses_a_replaced_object() {
    let mut stage = stage(small());
    stage.press("jx");
    stage.wait(200);
    stage.press("f");
    stage.wait(200);
    stage.machine.add_object("a", FakeBytes::full(b"another one"));
    stage.press("y");
    assert_eq!(names(&stage.machine), ["/a", "/b", "/c"]);
    assert!(
        notice(&stage).contains("not as it was shown") || notice(&stage).contains("another"),
        "{}",
        notice(&stage)
    );
}

#[test]
fn read_only_disables_every_change() {
    let mut stage = stage(small());
    stage.state.read_only = true;
    for key in ["l", "L", "x", "u"] {
        stage.press(key);
        assert!(stage.state.overlay.is_none());
        assert!(notice(&stage).contains("--read-only"), "{key}: {}", notice(&stage));
    }
}

#[test]
fn log_lists_actions() {
    let mut stage = stage(small());
    stage.press(":log<enter>");
    assert!(stage.screen().contains("No changes yet."));
    stage.press("<esc>l");
    stage.wait(200);
    stage.press("y:log<enter>");
    assert!(stage.screen().contains("lock sysv:5"), "{}", stage.screen());
}

#[test]
fn permissions_change_by_bit_or_octal_and_undo() {
    let mut stage = stage(small());
    // Toggle the read permission of others.
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
fn permission_grid_shows_resulting_access() {
    let mut stage = stage(small());
    stage.press("p");
    let screen = stage.screen();
    assert!(screen.contains("no access") && screen.contains("IPC_CREAT | 0600"), "{screen}");
    stage.press("0644");
    assert!(stage.screen().contains("read-only"), "{}", stage.screen());
}

#[test]
fn undo_never_restores_an_older_copy() {
    let mut stage = stage(small());
    let remove = |stage: &mut Stage, keys: &str| {
        for key in keys.chars() {
            stage.press(&key.to_string());
            stage.wait(200);
        }
    };
    // There is an older copy that undo must not use.
    remove(&mut stage, "jxfy");
    assert_eq!(names(&stage.machine), ["/b", "/c"], "{}", notice(&stage));
    remove(&mut stage, "xcfy");
    assert_eq!(names(&stage.machine).len(), 1, "{}", notice(&stage));
    assert!(!notice(&stage).contains("undo"), "{}", notice(&stage));
    stage.press("u");
    assert!(notice(&stage).contains("Nothing to undo"), "{}", notice(&stage));
    assert_eq!(names(&stage.machine).len(), 1);
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
        let mut stage = stage(small());
        stage.acts = Acts::Hang;
        stage.press("x");
        stage.wait(200);
        stage.press("y");
        stage.report(working());
        assert!(stage.screen().contains("10 B of 50 B   esc stop"), "{}", stage.screen());
        stage.press("ynfc");
        assert_eq!(stage.acts, Acts::Hang);
        stage.press(key);
        assert_eq!((stage.acts, stage.quit), (Acts::Stopped, false), "{key}");
        assert!(stage.screen().contains("stopping"), "{}", stage.screen());
        let subject = "sysv:5".to_owned();
        let result = Err(ActError::Stopped { subject: subject.clone() });
        stage.report(Body::Acted(vec![Outcome { subject, action: "rm", result }]));
        assert_eq!(notice(&stage), "Stopped; nothing was changed");
        assert!(stage.state.overlay.is_none() && stage.state.work.is_none());
    }
}

#[test]
fn long_action_blocks_clean_and_end() {
    let machine = small();
    let busy = || {
        let mut stage = stage(machine.clone());
        stage.acts = Acts::Hang;
        stage.state.undo = Some(Undo::Copies(vec![saved("a")]));
        stage.press("u");
        stage.report(working());
        stage
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
    let mut stage = stage(small());
    stage.acts = Acts::Hang;
    stage.state.undo = Some(Undo::Copies(vec![saved("a"), saved("b")]));
    stage.press("u");
    // An action that takes no noticeable time does not change the keys.
    stage.press("<esc>");
    assert_eq!(stage.acts, Acts::Hang);
    stage.report(working());
    stage.press("x");
    assert!(notice(&stage).contains("esc cancels it"), "{}", notice(&stage));
    stage.press("<esc>");
    assert_eq!((stage.acts, stage.quit), (Acts::Stopped, false));
    stage.report(Body::Undone(vec![
        UndoResult { id: object("a"), result: Ok("restored".to_owned()) },
        UndoResult { id: object("b"), result: Err(UndoError::temporary(&"stopped")) },
    ]));
    assert_eq!(stage.state.undo, Some(Undo::Copies(vec![saved("b")])));
    assert_eq!(notice(&stage), "Restored /a. /b: stopped. u: try again");
    stage.press("<esc>");
    assert!(notice(&stage).contains("No filter set"), "{}", notice(&stage));
}

/// Returns a stage on which a running action has just ended with these outcomes.
fn stage_with_outcomes(outcomes: Vec<Outcome>) -> Stage {
    let mut stage = stage(small());
    stage.acts = Acts::Hang;
    stage.press("l");
    stage.wait(200);
    stage.press("y");
    stage.report(Body::Acted(outcomes));
    stage
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
        let stage = stage_with_outcomes(outcomes);
        assert_eq!(notice(&stage), message);
    }
    // The log has the command.
    let stage = stage_with_outcomes(vec![removed_outcome("a")]);
    assert_eq!(stage.state.log, ["rm /a: removed; undo: shmlens restore /copies/1"]);
}

#[test]
fn messages_name_the_bound_key() {
    for (keys, message) in [(&["z"][..], "Removed /a. z: undo"), (&[], "Removed /a. :undo: undo")] {
        let keys = keys.iter().map(ToString::to_string).collect();
        let keymap = Keymap::with_overrides(&[("undo".to_owned(), keys)].into()).unwrap();
        let mut stage = stage_with_outcomes(vec![]);
        stage.state.keymap = keymap;
        stage.report(Body::Acted(vec![removed_outcome("a")]));
        assert_eq!(notice(&stage), message);
    }
}

#[test]
fn batch_messages_name_their_segment() {
    let stage = stage_with_outcomes(vec![
        removed_outcome("a"),
        failed_outcome("b"),
        failed_outcome("c"),
        refused_outcome("d"),
    ]);
    let text = notice(&stage);
    assert!(text.starts_with("Removed /a (1 skipped). u: undo. /b: "), "{text}");
    assert!(text.ends_with(" (1 more in :log)"), "{text}");
    for (line, name) in stage.state.log.iter().zip(["/a", "/b", "/c", "/d"]) {
        assert!(line.starts_with(&format!("rm {name}: ")), "{line}");
    }
}

/// Force is offered only where the plan says that it helps.
#[test]
fn force_is_offered_only_where_it_helps() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut held = stage(machine.clone());
    held.press("jx");
    held.wait(200);
    assert!(held.screen().contains("f: force") && held.screen().contains("f force"), "{}", held.screen());
    // Force does not grant the right to remove another user's segment.
    machine.edit(|facts| facts.effective_uid = 1001);
    let mut foreign = stage(machine);
    foreign.press("jx");
    foreign.wait(200);
    let screen = foreign.screen();
    assert!(!screen.contains("force") && !screen.contains("y remove"), "{screen}");
    foreign.press("f");
    assert!(!confirm(&foreign).requests[0].force);
}

/// Presses keys, and waits before each until the dialog accepts keys.
fn press_slowly(stage: &mut Stage, keys: &str) {
    for key in keys.chars() {
        stage.press(&key.to_string());
        stage.wait(200);
    }
}

#[test]
fn restored_segment_is_reported_with_its_key() {
    let mut stage = stage(small());
    press_slowly(&mut stage, "xyu");
    let text = notice(&stage);
    assert!(text.starts_with("Restored sysv:") && text.ends_with("(key 0x000004d2, was sysv:5)"), "{text}");
}

#[test]
fn action_without_changes_keeps_the_previous_undo() {
    let mut stage = stage(small());
    press_slowly(&mut stage, "ly");
    assert_eq!(perms(&stage.machine), 0o2600);
    stage.press("jx");
    stage.machine.remove_object("a");
    stage.wait(200);
    press_slowly(&mut stage, "fy");
    assert!(stage.state.undo.is_some(), "{}", notice(&stage));
    assert!(!notice(&stage).contains("undo"), "{}", notice(&stage));
    stage.press("<esc>u");
    assert_eq!(perms(&stage.machine), 0o600, "{}", notice(&stage));
}

#[test]
fn undo_refuses_a_replaced_segment() {
    let mut stage = stage(small());
    press_slowly(&mut stage, "jp");
    stage.press("0644<enter>");
    press_slowly(&mut stage, " y");
    stage.machine.remove_object("a");
    stage.machine.add_object("a", FakeBytes::full(b"another"));
    let mode =
        |stage: &Stage| stage.machine.edit(|facts| facts.posix[&ObjectName::new(b"a").unwrap()].stat.mode);
    let before = mode(&stage);
    stage.press("u");
    assert_eq!(notice(&stage), "/a was replaced by another segment; nothing was changed");
    assert_eq!(mode(&stage), before);
}

#[test]
fn undo_of_a_creation_never_removes_another_segment() {
    let mut stage = stage(small());
    stage.press("n/new<enter>");
    assert!(names(&stage.machine).contains(&"/new".to_owned()), "{}", notice(&stage));
    stage.machine.remove_object("new");
    stage.machine.add_object("new", FakeBytes::full(b"another"));
    stage.survey();
    stage.press("u");
    assert!(stage.state.overlay.is_none());
    assert_eq!(notice(&stage), "/new was replaced by another segment; nothing was changed");
}

#[test]
fn marked_segment_is_not_removed_again() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.attach_in(4121, 5, Access::Read);
    machine.edit(|facts| facts.sysv[0].row.marked = true);
    let mut stage = stage(machine);
    press_slowly(&mut stage, "x");
    let plan = &confirm(&stage).plans[0];
    assert!(plan.refusal.as_ref().is_some_and(|refusal| !refusal.forceable), "{plan:?}");
    assert!(stage.screen().contains("already removed"), "{}", stage.screen());
    assert!(!stage.screen().contains("y remove   "), "{}", stage.screen());
}

#[test]
fn dialog_remedy_names_a_key() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut held = stage(machine.clone());
    press_slowly(&mut held, "jx");
    let screen = held.screen();
    assert!(screen.contains("u restores it") && !screen.contains("shmlens restore"), "{screen}");
    // The reason stays on screen after force is used.
    press_slowly(&mut held, "f");
    let screen = held.screen();
    assert!(screen.contains("in use: ") && screen.contains("· forced (f: no force)"), "{screen}");
    // No copy can be saved without a directory for copies.
    let mut unreadable = stage(machine);
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
        let mut stage = stage(small());
        if keys == "xy" {
            press_slowly(&mut stage, "x");
        }
        stage.machine.edit(|facts| facts.sysv.clear());
        press_slowly(&mut stage, &keys[keys.len() - 1..]);
        let text = if keys == "x" { stage.screen() } else { notice(&stage).to_owned() };
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
    let mut stage = stage(machine);
    press_slowly(&mut stage, "x");
    let screen = stage.screen();
    assert!(screen.contains("can remove it"), "{screen}");
    for other in ["c no copy", "f force", "y remove", "restores", "frees"] {
        assert!(!screen.contains(other), "{other}: {screen}");
    }
    press_slowly(&mut stage, "cfy");
    assert!(confirm(&stage).copying() == Some(&Copying::Keep));
}

#[test]
fn batch_dialog_shows_each_segment_and_a_summary() {
    let machine = small();
    machine.add_process(4121, "writer");
    machine.map_in(4121, "a", Access::Read);
    let mut stage = stage(machine);
    stage.press("<space><space><space>/kind=sysv<enter>");
    press_slowly(&mut stage, "x");
    let screen = stage.screen();
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
    let mut many = stage(machine);
    many.press("a");
    press_slowly(&mut many, "x");
    assert!(many.screen().contains("▌sysv:0 ") && many.screen().contains("more"), "{}", many.screen());
    many.press("<end>");
    assert!(many.screen().contains("▌sysv:39 "), "{}", many.screen());
    many.press("<pgup>");
    assert!(many.screen().contains("▌sysv:29 "), "{}", many.screen());
    let mut one = Stage::new(small(), 40, 8);
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
    let mut stage = stage(small());
    for at in 0..30 {
        stage.state.log.push(format!("rm /{at}: {} end-{at}.", "a long result ".repeat(8)));
    }
    stage.press(":log<enter>");
    let bottom = stage.screen();
    assert!(bottom.contains("end-29.") && bottom.contains("esc close"), "{bottom}");
    stage.press("<pgup>");
    let up = stage.screen();
    assert!(!up.contains("end-29.") && up.contains("↓ 22"), "{up}");
    stage.press("<home>");
    assert!(stage.screen().contains("rm /0: "), "{}", stage.screen());
    stage.press("<esc>");
    assert!(stage.state.overlay.is_none());
}

/// Each line has the action, the segment and the result.
#[test]
fn log_lines_have_the_same_format() {
    let mut stage =
        stage_with_outcomes(vec![removed_outcome("a"), failed_outcome("b"), refused_outcome("c")]);
    let results = [Ok("restored".to_owned()), Err(UndoError::temporary(&"posix:/b: its name is in use"))];
    let undone = |(name, result)| UndoResult { id: object(name), result };
    stage.report(Body::Undone(["a", "b"].into_iter().zip(results).map(undone).collect()));
    // A notice that does not fit is logged too.
    let lines = stage.state.log.iter().filter(|line| !line.starts_with("message: "));
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
    let mut stage = stage(small());
    press_slowly(&mut stage, "x");
    stage.inject(Event::Resize(Size { width: 39, height: 24 }));
    for keys in ["y", "<esc>", "l", "<enter>", "x"] {
        stage.press(keys);
        stage.wait(200);
    }
    assert_eq!(confirm(&stage).title(), "Remove sysv:5");
    stage.inject(Event::Paste("y".to_owned()));
    assert_eq!(stage.machine.edit(|facts| facts.sysv.len()), 1);
    stage.press("<ctrl-z>");
    assert!(stage.suspended && !stage.quit);
    assert!(stage.screen().contains("needs 40x8"), "{}", stage.screen());
    stage.press("q");
    assert!(stage.quit);
}

#[test]
fn suspend_works_in_overlays_and_prompts() {
    for keys in ["x", "p", "n", ":", "/", "?", "h", "c", "s", "<enter>/", "<enter>m"] {
        let mut stage = stage(small());
        stage.press(keys);
        let before = stage.screen();
        stage.press("<ctrl-z>");
        assert!(stage.suspended, "{keys}");
        assert_eq!(stage.screen(), before, "{keys}");
    }
}

#[test]
fn marked_count_is_always_shown() {
    for width in [40, 50, 60, 80] {
        let mut stage = Stage::new(small(), width, 24);
        stage.press("<space><space>");
        assert!(stage.screen().contains("• 2 marked"), "{}", stage.screen());
        stage.press("/name~^a_rather_long_filter_that_matches_nothing<enter>");
        assert!(stage.screen().lines().next().unwrap().contains("• 2 marked"), "{}", stage.screen());
    }
}

#[test]
fn header_shows_read_only_mode() {
    let mut stage = stage(small());
    assert!(!stage.screen().lines().next().unwrap().contains("read-only"));
    stage.state.read_only = true;
    assert!(stage.screen().lines().next().unwrap().contains("read-only"), "{}", stage.screen());
    stage.press("x");
    let message = notice(&stage).to_owned();
    stage.press("hK");
    stage.press("<esc>n");
    assert_eq!(notice(&stage), message);
}

#[test]
fn open_popup_sets_the_hints() {
    for (keys, hints) in [
        ("s", "↵ choose  esc cancel"),
        ("<enter>t", "↵ choose  esc cancel"),
        (":", "↵ run  esc cancel"),
        (":log<enter>", "↑↓ scroll  esc close"),
    ] {
        let mut stage = stage(small());
        stage.press(keys);
        let screen = stage.screen();
        let foot = screen.trim_end().lines().last().unwrap().trim().to_owned();
        assert_eq!(foot, hints, "{keys}");
    }
}

#[test]
fn filter_line_escapes_control_and_invisible_characters() {
    let mut stage = stage(small());
    stage.press("/");
    stage.inject(Event::Paste("a\u{202e}b\u{200b}".to_owned()));
    assert!(stage.screen().contains(r"/a\xe2\x80\xaeb\xe2\x80\x8b"), "{}", stage.screen());
    stage.press("<esc>n");
    stage.inject(Event::Paste("a\u{202e}b".to_owned()));
    assert!(stage.screen().contains(r"a\xe2\x80\xaeb"), "{}", stage.screen());
}
