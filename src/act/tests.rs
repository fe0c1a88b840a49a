//! Tests of plans and their outcomes on a fake machine.

use super::*;
use crate::machine::control::NewSysv;
use crate::machine::fake::{FakeBytes, FakeFacts, FakeMachine};
use crate::machine::process::FileLock;
use crate::segment::name::SegmentName;
use crate::segment::{
    Access, Bytes, Certainty, Key, Mode, ObjectName, Segment, SegmentId, State, Timestamp, Verdict, resolve,
};
use crate::survey::Names;

const FORCE: Options = Options { force: true, read_only: false, bulk: false, links_removed: 0, clean: false };

fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_sysv(3, 0x4d2, FakeBytes::hole(1 << 20));
    machine.add_object("camera0", FakeBytes::full(b"picture"));
    machine.edit(|facts| facts.effective_uid = 1000);
    machine
}

fn listed_segment(machine: &FakeMachine, name: &str) -> Segment {
    let survey = crate::identify::Identifier::default().survey(machine, None, &mut Names::default());
    resolve::ExactNames::new(&survey.segments).resolve(&SegmentName::read(name, None)).unwrap().clone()
}

fn act(
    machine: &FakeMachine,
    name: &str,
    action: &Action,
    options: Options,
) -> Result<ChangeReport, ActError> {
    apply(machine, &plan(machine, &listed_segment(machine, name), action, &options)).result
}

fn to(mode: u32) -> Action {
    Action::SetMode(ModeChange::to(Mode::new(mode)))
}

#[test]
fn plan_changes_nothing_and_changes_can_be_undone() {
    let machine = machine();
    let owner = Action::SetOwner(OwnerChange { uid: None, gid: Some(1001) });
    machine.edit(|facts| facts.groups.push(1001));
    for (name, action) in [
        ("sysv:3", to(0o666)),
        ("/camera0", to(0o640)),
        ("sysv:3", owner.clone()),
        ("/camera0", owner),
        ("3", Action::Lock),
    ] {
        let before = listed_segment(&machine, name);
        let plan = plan(&machine, &before, &action, &Options::default());
        assert_eq!(plan.refusal, None);
        assert!(matches!(plan.undo, Undo::Yes(_)), "{plan:?}");
        assert_eq!(listed_segment(&machine, name), before);
        let done = apply(&machine, &plan).result.unwrap();
        let after = listed_segment(&machine, name);
        assert_ne!((after.mode, &after.owner, &after.facts), (before.mode, &before.owner, &before.facts));
        act(&machine, name, &done.undo.unwrap(), Options::default()).unwrap();
        let again = listed_segment(&machine, name);
        assert_eq!((again.mode, again.owner, again.facts), (before.mode, before.owner, before.facts));
    }
}

#[test]
fn protected_segment_needs_force() {
    for name in ["sysv:3", "/camera0"] {
        let machine = machine();
        let mut segment = listed_segment(&machine, name);
        let planned = |segment: &Segment, options| {
            plan(&machine, segment, &Action::Remove(Copying::Without), &options).refusal
        };
        segment.verdict.state = State::Idle;
        assert_eq!(planned(&segment, Options::default()), None, "{name}");
        segment.verdict.state = State::Protected;
        let refusal = planned(&segment, Options::default()).unwrap();
        assert!(refusal.forceable && refusal.reason.contains("protected: "), "{refusal:?}");
        assert_eq!(planned(&segment, FORCE), None, "{name}");
    }
}

#[test]
fn remove_checks_for_holders_again() {
    let machine = machine();
    let mut segment = listed_segment(&machine, "/camera0");
    segment.verdict.state = State::Idle;
    let plan = plan(&machine, &segment, &Action::Remove(Copying::Without), &Options::default());
    assert_eq!(plan.refusal, None);
    let remove = || apply(&machine, &plan).result.map_err(|error| error.to_string());
    machine.add_process(7, "writer");
    machine.map_in(7, "camera0", Access::Read);
    assert!(remove().unwrap_err().contains("in use now: held by writer (7)"));
    // The kernel knows a holder that cannot be examined.
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    assert!(remove().unwrap_err().contains("held by a process that you cannot see"));
    machine.end_process(7);
    let (device, inode) = segment.posix().map(|facts| (facts.device, facts.inode)).unwrap();
    machine.edit(|facts| facts.locks.push(FileLock { device, inode, pid: None, write_lease: false }));
    assert!(remove().unwrap_err().contains("file lock on it"));
    machine.edit(|facts| facts.locks.clear());
    remove().unwrap();
}

#[test]
fn remove_refuses_a_segment_used_since_the_plan() {
    let machine = machine();
    let mut segment = listed_segment(&machine, "sysv:3");
    segment.verdict.state = State::Idle;
    let remove = |segment: &Segment, options| {
        apply(&machine, &plan(&machine, segment, &Action::Remove(Copying::Without), &options)).result
    };
    machine.edit(|facts| facts.sysv[0].row.detach = Some(Timestamp::from_seconds(facts.now)));
    let error = remove(&segment, Options::default()).unwrap_err().to_string();
    assert!(error.contains("attached and detached since it was listed"), "{error}");
    remove(&segment, FORCE).unwrap();
}

#[test]
fn apply_refuses_a_replaced_segment() {
    let machine = machine();
    let sysv = plan(&machine, &listed_segment(&machine, "sysv:3"), &to(0o666), &Options::default());
    let posix = plan(&machine, &listed_segment(&machine, "camera0"), &to(0o666), &Options::default());
    machine.edit(|facts| facts.sysv[0].row.creator_pid = 99);
    machine.add_object("camera0", FakeBytes::hole(9));
    for plan in [sysv, posix] {
        let error = apply(&machine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
        assert!(error.changed_nothing() && error.to_string().contains("Nothing was changed"), "{error}");
    }
    assert_eq!(listed_segment(&machine, "camera0").mode, Mode::new(0o600));
    let plan = plan(&machine, &listed_segment(&machine, "camera0"), &to(0o666), &Options::default());
    machine.remove_object("camera0");
    assert!(matches!(apply(&machine, &plan).result, Err(ActError::Gone { .. })));
}

#[test]
fn mode_change_reports_an_intermediate_change() {
    let machine = machine();
    let plan = plan(&machine, &listed_segment(&machine, "sysv:3"), &to(0o666), &Options::default());
    machine.edit(|facts| facts.sysv[0].row.change = Some(Timestamp::from_seconds(facts.now)));
    let error = apply(&machine, &plan).result.unwrap_err().to_string();
    assert!(error.contains("owner or mode changed"), "{error}");
}

#[test]
fn refusal_names_the_permitted_users() {
    let machine = machine();
    machine.edit(|facts| facts.effective_uid = 1001);
    for (name, action) in
        [("3", to(0)), ("camera0", to(0)), ("3", Action::Lock), ("3", Action::Remove(Copying::Without))]
    {
        let error = act(&machine, name, &action, FORCE).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, ActError::Refused { .. }), "{text}");
        assert!(text.contains("its owner ann or root") && text.contains("Run as ann or with sudo"), "{text}");
    }
    let error = act(&machine, "camera0", &Action::Remove(Copying::Without), FORCE).unwrap_err().to_string();
    assert!(error.contains("only its owner ann or root can remove it"), "{error}");
}

#[test]
fn final_refusal_outranks_one_that_force_overrides() {
    let machine = machine();
    machine.edit(|facts| (facts.effective_uid, facts.sysv[0].row.nattch) = (1001, 1));
    for name in ["3", "camera0"] {
        let plan = plan_with(
            &machine,
            &listed_segment(&machine, name),
            &Action::Remove(Copying::Keep),
            &Options::default(),
            Some(&unused_state()),
        );
        let refusal = plan.refusal.unwrap();
        // `--force` would override "in use", but nothing overrides a missing permission.
        assert!(
            !refusal.forceable && refusal.reason.contains("only its owner ann or root"),
            "{name}: {refusal:?}"
        );
    }
}

/// Returns a state directory that is never created.
fn unused_state() -> Copies {
    Copies::new(StateDirectory::at("/nowhere/at/all"), Bytes(1 << 30))
}

#[test]
fn only_root_may_give_an_object_away() {
    let machine = machine();
    let give_to_bob = Action::SetOwner(OwnerChange { uid: Some(1001), gid: None });
    let error = act(&machine, "camera0", &give_to_bob, FORCE).unwrap_err().to_string();
    assert!(error.contains("only root can change the owner"), "{error}");
    act(&machine, "3", &give_to_bob, FORCE).unwrap();
    // The creator may still change the segment.
    act(&machine, "3", &to(0o600), FORCE).unwrap();
}

#[test]
fn held_or_unknown_segment_needs_force() {
    let machine = machine();
    let remove = Action::Remove(Copying::Without);
    act(&machine, "3", &remove, Options::default()).unwrap();
    machine.add_sysv(4, 0, FakeBytes::hole(1));
    machine.edit(|facts| facts.sysv[0].row.nattch = 2);
    machine.add_process(7, "writer");
    machine.map_in(7, "camera0", Access::Read);
    for name in ["sysv:4", "camera0"] {
        let plan = plan(&machine, &listed_segment(&machine, name), &remove, &Options::default());
        assert!(plan.refusal.as_ref().unwrap().forceable);
        assert!(apply(&machine, &plan).result.unwrap_err().to_string().contains("--force"));
    }
    let done = act(&machine, "4", &remove, FORCE).unwrap();
    assert!(done.messages[0].contains("the last of 2 attachments detaches"), "{done:?}");
    act(&machine, "camera0", &remove, FORCE).unwrap();
    assert!(machine.edit(|facts| facts.posix.is_empty()));
}

/// A plan for a segment that the user named requests a lease immediately, even if every process
/// could be examined.
#[test]
fn plan_requests_a_lease() {
    let machine = machine();
    let shown = listed_segment(&machine, "camera0");
    assert_eq!(shown.verdict.state, State::Unknown, "the processes were not scanned");
    let plan =
        |segment: &Segment| plan(&machine, segment, &Action::Remove(Copying::Without), &Options::default());
    let granted = plan(&shown);
    assert_eq!(granted.refusal, None);
    assert!(granted.effects.concat().contains("frees"), "{:?}", granted.effects);
    machine.add_process(7, "writer");
    machine.map_in(7, "camera0", Access::Read);
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    assert!(apply(&machine, &granted).result.unwrap_err().to_string().contains("in use now"));
    for state in [State::Unknown, State::Idle, State::Leaked(Certainty::Certain)] {
        let segment = Segment { verdict: Verdict::new(state, "no holders"), ..shown.clone() };
        let refusal = plan(&segment).refusal.unwrap();
        assert!(refusal.forceable && refusal.reason.contains("may still be in use"), "{refusal:?}");
    }
    // Only the owner and root can request a lease.
    machine.end_process(7);
    machine.edit(|facts| facts.effective_uid = 1001);
    assert!(plan(&shown).refusal.is_some());
    machine.edit(|facts| facts.effective_uid = 1000);
    let granted = plan(&shown);
    apply(&machine, &granted).result.unwrap();
}

#[test]
fn remove_refuses_a_segment_attached_since_the_plan() {
    let machine = machine();
    let plan = plan(
        &machine,
        &listed_segment(&machine, "3"),
        &Action::Remove(Copying::Without),
        &Options::default(),
    );
    assert_eq!(plan.refusal, None);
    machine.add_process(7, "grabber");
    machine.attach_in(7, 3, Access::Read);
    let error = apply(&machine, &plan).result.unwrap_err().to_string();
    assert_eq!(error, "sysv:3: in use now: attached once (nattch 1), held by grabber (7). Try again");
    let Plan { task, options, .. } = &plan;
    let clean = Plan { task: task.clone(), options: Options { clean: true, ..*options }, ..plan.clone() };
    let error = apply(&machine, &clean).result.unwrap_err().to_string();
    assert!(error.ends_with(". Run clean again"), "{error}");
    assert_eq!(machine.edit(|facts| facts.sysv[0].row.nattch), 1);
}

#[test]
fn remove_refuses_changes_after_the_plan() {
    type Interference = fn(&mut FakeFacts);
    let others: [(Interference, &str); 3] = [
        (|facts| facts.sysv[0].row.creator_pid = 99, "its shmid now belongs to another segment"),
        (|facts| facts.sysv[0].row.nattch = 1, "attached once"),
        (|facts| facts.sysv.clear(), "is gone"),
    ];
    for (others, expected) in others {
        let machine = machine();
        let remove = Action::Remove(Copying::Without);
        let plan = plan(&machine, &listed_segment(&machine, "3"), &remove, &Options::default());
        machine.edit(|facts| facts.before_pin = Some(others));
        let error = apply(&machine, &plan).result.unwrap_err();
        assert!(error.changed_nothing() && error.to_string().contains(expected), "{error}");
        assert!(
            machine.edit(|facts| facts.sysv.iter().all(|segment| segment.row.mode == Mode::new(0o600))),
            "{expected}"
        );
    }
    // Without permission to attach, the removal has no pin, but checks again too.
    let machine = machine();
    machine.edit(|facts| facts.sysv[0].row.mode = Mode::new(0));
    let plan = plan(
        &machine,
        &listed_segment(&machine, "3"),
        &Action::Remove(Copying::Without),
        &Options::default(),
    );
    machine.edit(|facts| facts.before_pin = Some(|facts| facts.sysv[0].row.size = Bytes(99)));
    let error = apply(&machine, &plan).result.unwrap_err();
    assert!(matches!(error, ActError::NotTheSame { .. }), "{error}");
}

#[test]
fn remove_refuses_a_segment_marked_since() {
    let machine = machine();
    // The segment has no key, so only the mark tells the two states apart.
    machine.add_sysv(4, 0, FakeBytes::hole(1));
    machine.edit(|facts| facts.sysv[1].row.nattch = 1);
    for action in [to(0o666), Action::Lock, Action::Remove(Copying::Without)] {
        let plan = plan(&machine, &listed_segment(&machine, "4"), &action, &FORCE);
        machine.edit(|facts| facts.sysv[1].row.marked = true);
        let error = apply(&machine, &plan).result.unwrap_err().to_string();
        assert!(error.contains("it was marked for removal"), "{error}");
        assert!(machine.edit(|facts| facts.sysv[1].row.marked));
        machine.edit(|facts| facts.sysv[1].row.marked = false);
    }
}

#[test]
fn canceled_removal_keeps_the_segment() {
    let machine = machine();
    machine.add_object("empty", FakeBytes::hole(0));
    let directory = tempfile::tempdir().unwrap();
    let copies = Copies::new(StateDirectory::at(directory.path().join("state")), Bytes(1 << 20));
    let progress = Progress::new();
    // Canceled before the copy reads any data.
    progress.cancel();
    let (actor, segment) = (Actor::new(&machine, &progress), listed_segment(&machine, "empty"));
    let removal = remove::Removal { actor: &actor, target: actor.on(&segment), options: FORCE };
    let error = removal.apply(&Copying::Keep, Some(&copies)).unwrap_err();
    assert!(matches!(error, ActError::Stopped { .. }), "{error}");
    assert!(copies.list().is_empty() && listed_segment(&machine, "empty").size == Bytes(0));
}

#[test]
fn remove_needs_a_copy_or_no_copy() {
    let machine = machine();
    let directory = tempfile::tempdir().unwrap();
    let copies = |limit| Copies::new(StateDirectory::at(directory.path().join("state")), Bytes(limit));
    let before = machine.edit(|facts| facts.sysv.len());
    // Too small even for the metadata.
    let keep = |limit| {
        let keep = Action::Remove(Copying::Keep);
        let plan = plan_with(&machine, &listed_segment(&machine, "3"), &keep, &FORCE, Some(&copies(limit)));
        apply(&machine, &plan).result
    };
    let error = keep(10).unwrap_err().to_string();
    assert!(error.contains("--no-copy"), "{error}");
    let taken = directory.path().join("taken");
    std::fs::write(&taken, b"mine").unwrap();
    let error = act(&machine, "3", &Action::Remove(Copying::To(taken)), FORCE).unwrap_err().to_string();
    assert!(error.contains("exists. Choose another name"), "{error}");
    assert_eq!((machine.edit(|facts| facts.sysv.len()), copies(10).list().len()), (before, 0));
    let done = keep(1 << 20).unwrap();
    assert_eq!(done.copy, copies(1 << 20).last());
    assert_eq!(machine.edit(|facts| facts.sysv.len()), before - 1);
}

#[test]
fn failed_removal_deletes_no_other_copy() {
    let machine = machine();
    machine.edit(|facts| facts.effective_uid = 0);
    let directory = tempfile::tempdir().unwrap();
    let copies = Copies::new(StateDirectory::at(directory.path().join("state")), Bytes(15_000));
    let planned = |name: &str| {
        // A new batch: copies of the same batch are never deleted.
        let copies = Copies::new(StateDirectory::at(directory.path().join("state")), copies.limit());
        machine.add_object(name, FakeBytes::full(&[7; 10_000]));
        let mut segment = listed_segment(&machine, name);
        segment.verdict.state = State::Idle;
        let keep = Action::Remove(Copying::Keep);
        plan_with(&machine, &segment, &keep, &Options::default(), Some(&copies))
    };
    let older = apply(&machine, &planned("older")).result.unwrap().copy.unwrap();
    let plan = planned("newer");
    assert!(plan.effects.iter().any(|will| will.contains("the oldest copy (/older ")), "{plan:?}");
    machine.add_process(7, "writer");
    machine.map_in(7, "newer", Access::Read);
    let error = apply(&machine, &plan).result.unwrap_err().to_string();
    assert!(error.contains("in use now: held by writer (7)"), "{error}");
    assert_eq!(copies.list(), std::slice::from_ref(&older));
    machine.end_process(7);
    let done = apply(&machine, &plan).result.unwrap();
    assert!(
        done.messages.iter().any(|messages| messages.starts_with("1 older copy deleted (limit for copies:")),
        "{done:?}"
    );
    assert_eq!(copies.list(), [done.copy.unwrap()]);
}

#[test]
fn read_only_refuses_every_change() {
    let machine = machine();
    let options = Options { force: true, read_only: true, bulk: false, links_removed: 0, clean: false };
    for action in [to(0), Action::Lock, Action::Unlock, Action::Remove(Copying::Without)] {
        let error = act(&machine, "3", &action, options).unwrap_err().to_string();
        assert!(error.contains("read-only"), "{error}");
    }
    let plan = plan_create(&machine, &new_object("new"), &options);
    assert!(apply(&machine, &plan).result.is_err() && machine.edit(|facts| facts.posix.len() == 1));
}

#[test]
fn lock_respects_the_limit() {
    let machine = machine();
    let error = act(&machine, "camera0", &Action::Lock, FORCE).unwrap_err().to_string();
    assert!(error.contains("mlock(2)"), "{error}");
    for (limit, expected) in [
        (0, "your limit for locked memory is 0"),
        (4096, "your limit for locked memory is 4.0 KiB, but the segment is 1.0 MiB"),
    ] {
        machine.edit(|facts| facts.memlock = Some(Bytes(limit)));
        let error = act(&machine, "3", &Action::Lock, FORCE).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("ulimit -l"), "{error}");
    }
    // The limit equals the size of the segment.
    machine.edit(|facts| facts.memlock = Some(Bytes(1 << 20)));
    act(&machine, "3", &Action::Lock, FORCE).unwrap();
    act(&machine, "3", &Action::Unlock, FORCE).unwrap();
    // The limit is large enough for this segment, but not for both locked segments.
    machine.add_sysv(4, 0, FakeBytes::hole(1 << 20));
    machine.edit(|facts| facts.memlock = Some(Bytes(3 << 19)));
    act(&machine, "4", &Action::Lock, FORCE).unwrap();
    let error = act(&machine, "3", &Action::Lock, FORCE).unwrap_err().to_string();
    assert!(error.contains("would exceed it"), "{error}");
    act(&machine, "4", &Action::Unlock, FORCE).unwrap();
    act(&machine, "3", &Action::Lock, FORCE).unwrap();
}

fn new_object(name: &str) -> NewSegment {
    NewSegment::Posix {
        name: ObjectName::new(name.as_bytes()).unwrap(),
        size: Bytes(5000),
        mode: Mode::new(0o666),
        source: Source::Nothing,
    }
}

#[test]
fn create_refuses_an_existing_segment() {
    let machine = machine();
    let sysv = NewSegment::Sysv(
        NewSysv { key: Key(7), size: Bytes(100), mode: Mode::new(0o640), huge: false, no_reserve: false },
        Source::Nothing,
    );
    for new in [new_object("new"), sysv] {
        let plan = plan_create(&machine, &new, &Options::default());
        let done = apply(&machine, &plan).result.unwrap();
        let segment = listed_segment(&machine, &done.id.to_string());
        assert_eq!(
            (segment.size, segment.owner.uid),
            (if matches!(new, NewSegment::Sysv(..)) { Bytes(100) } else { Bytes(5000) }, 1000)
        );
        // Another process creates the segment after the plan.
        let error = apply(&machine, &plan).result.unwrap_err();
        assert!(matches!(error, ActError::Exists { .. }), "{error}");
        assert!(plan_create(&machine, &new, &Options::default()).refusal.is_some());
        assert_eq!(listed_segment(&machine, &done.id.to_string()), segment);
    }
    assert_eq!(listed_segment(&machine, "new").mode, Mode::new(0o666));
    assert!(matches!(listed_segment(&machine, "0x7").id, SegmentId::Sysv(_)));
}

#[test]
fn create_fills_a_segment_from_a_file() {
    let machine = machine();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"contents").unwrap();
    let new = |name: &[u8], size| NewSegment::Posix {
        name: ObjectName::new(name).unwrap(),
        size: Bytes(size),
        mode: Mode::new(0o600),
        source: Source::File(file.path().to_owned()),
    };
    let make = |new| apply(&machine, &plan_create(&machine, &new, &Options::default())).result;
    make(new(b"filled", 5000)).unwrap();
    let mut bytes = [1; 9];
    machine.open_object(&ObjectName::new(b"filled").unwrap()).unwrap().read_at(0, &mut bytes).unwrap();
    assert_eq!((&bytes, listed_segment(&machine, "filled").size), (b"contents\0", Bytes(5000)));
    let error = make(new(b"small", 3)).unwrap_err().to_string();
    assert!(error.contains("Use a larger size"), "{error}");
    assert!(machine.edit(|facts| facts.posix.len() == 2));
}
