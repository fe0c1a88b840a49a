//! Tests of every rule for states, at its boundaries, on a fake machine.

mod cache;
mod uncertainty;

use super::*;
use crate::machine::LastUse;
use crate::machine::control::SysvStat;
use crate::machine::fake::{FakeBytes, FakeMachine, FakeObject, OBJECT_DEVICE};
use crate::machine::process::{FileLock, Processes as _};
use crate::segment::{Access, Certainty, Kind, Maker, ObjectName, Segment, State, Timestamp, Verdict};
use crate::survey::Depth;
use std::path::Path;

const CERTAIN: State = State::Leaked(Certainty::Certain);
const LIKELY: State = State::Leaked(Certainty::Likely);

/// Returns all segments after a full process scan.
fn segments_by(machine: &FakeMachine, rules: Rules) -> Vec<Segment> {
    let mut names = Names::default();
    let holdings = Holdings::scan(machine, Depth::Private, &[], &mut names);
    Identifier::new(rules).survey(machine, Some(&holdings), &mut names).segments
}

#[track_caller]
fn first_segment(machine: &FakeMachine) -> Segment {
    let mut segments = segments_by(machine, Rules::default());
    assert_eq!(segments.len(), 1);
    segments.remove(0)
}

#[track_caller]
fn verdict(machine: &FakeMachine) -> Verdict {
    first_segment(machine).verdict
}

#[track_caller]
fn assert_is(machine: &FakeMachine, state: State, words: &[&str]) {
    let verdict = verdict(machine);
    let reasons = verdict.reasons.join("\n");
    assert_eq!(verdict.state, state, "{reasons}");
    for word in words {
        assert!(reasons.contains(word), "'{word}' is not in\n{reasons}");
    }
}

/// Returns a machine with one segment, which belongs to ann, has no key, and whose creator has
/// exited.
fn with_sysv() -> FakeMachine {
    with_key(0)
}

fn with_key(key: u32) -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_sysv(1, key, FakeBytes::hole(4096));
    machine
}

/// Any program that knows the key may attach the segment later.
#[test]
fn key_makes_a_leak_likely_at_most() {
    let machine = with_key(0x4d2);
    let reason = "creator 4121 exited, but programs may attach to its key 0x000004d2";
    assert_is(&machine, LIKELY, &[reason]);
    let changed = |ago| {
        machine.edit(|facts| facts.sysv[0].row.change = Some(Timestamp::from_seconds(facts.now - ago)));
    };
    changed(600);
    assert_is(&machine, LIKELY, &["last used more than 10m ago"]);
    changed(599);
    assert_is(&machine, State::Idle, &["used within the last 10m"]);
    // A catalog rule for the key can prove the leak.
    let informix = with_key(0x5256_4801);
    informix.edit(|facts| facts.sysv[0].row.mode = crate::segment::Mode::new(0o660));
    assert_is(&informix, CERTAIN, &["no oninit is running"]);
}

#[test]
fn leak_without_a_key_needs_an_exited_last_user() {
    let machine = with_sysv();
    let last = |pid| machine.edit(|facts| facts.sysv[0].row.last_pid = pid);
    let own = machine.own_pid();
    for pid in [0, 4121] {
        last(pid);
        assert_is(&machine, CERTAIN, &["creator 4121 exited"]);
    }
    let reasons = verdict(&machine).reasons.join("\n");
    assert_eq!(reasons.matches("exited").count(), 1, "{reasons}");
    last(own);
    assert_is(&machine, LIKELY, &["shmlens has attached it and does not know who used it before"]);
    last(4188);
    assert_is(
        &machine,
        CERTAIN,
        &["creator 4121 exited", "the last process to attach or detach, 4188, exited too"],
    );
    machine.add_process(4188, "reader");
    machine.edit(|facts| facts.sysv[0].row.detach = Some(Timestamp::from_seconds(facts.now - 7200)));
    assert_is(&machine, CERTAIN, &["4188, exited too"]);
    // The process started an hour ago, before it detached.
    machine.edit(|facts| facts.sysv[0].row.detach = Some(Timestamp::from_seconds(facts.now - 1800)));
    assert_is(&machine, State::Idle, &["no holders; its last user is running: reader (4188)"]);
    machine.edit(|facts| facts.sysv[0].row.key = crate::segment::Key(0x4d2));
    assert_is(&machine, State::Idle, &["no holders; its last user is running: reader (4188)"]);
    machine.edit(|facts| facts.sysv[0].row.key = crate::segment::Key(0));
    machine.edit(|facts| {
        facts.processes.clear();
        facts.hidden = vec![4188];
    });
    assert_is(&machine, LIKELY, &["cannot tell if its last user 4188 is running"]);
}

#[test]
fn evidence_is_not_repeated_below_the_headline() {
    let machine = with_sysv();
    let reasons = verdict(&machine).reasons;
    assert!(reasons[0].contains("creator 4121 exited"), "{reasons:?}");
    assert!(
        reasons.contains(&"no process has the creator's pid 4121 (/proc/4121)".to_owned()),
        "{reasons:?}"
    );
    assert_eq!(reasons.join("\n").matches("exited").count(), 1, "{reasons:?}");
}

#[test]
fn x_image_is_a_certain_leak_once_its_client_exited() {
    let machine = with_sysv();
    machine.add_process(4188, "Xvfb");
    machine.edit(|facts| {
        facts.sysv[0].row.last_pid = 4188;
        facts.sysv[0].row.detach = Some(Timestamp::from_seconds(facts.now - 1800));
    });
    assert_is(&machine, CERTAIN, &["does not attach it again", "creator's pid 4121"]);
}

/// The kernel shows a pid outside of the pid namespace as 0.
#[test]
fn last_user_outside_of_the_pid_namespace_proves_nothing() {
    let machine = with_sysv();
    assert_is(&machine, CERTAIN, &[]);
    machine.edit(|facts| {
        facts.sysv[0].row.last_pid = 0;
        facts.sysv[0].row.attach = Some(Timestamp::from_seconds(facts.now - 7200));
    });
    assert_is(&machine, LIKELY, &["a process outside this pid namespace used it last"]);
}

/// The logs of two shmlens runs: 5000 attached a segment after 5001, which attached it after
/// `user`.
#[derive(Debug)]
struct Runs {
    user: u32,
    trusted: bool,
    kept: bool,
    created: bool,
}

const KNOWN: Runs = Runs { user: 4188, trusted: true, kept: true, created: false };

impl CreationLog for Runs {
    fn contains(&self, _: &dyn Machine, _: &Segment, _: Timestamp) -> bool {
        self.created
    }

    fn previous_use(
        &self,
        machine: &dyn Machine,
        _: &Segment,
        pid: u32,
        _: Timestamp,
    ) -> Option<PreviousUse> {
        let ago = |seconds| Some(Timestamp::from_seconds(machine.now().seconds - seconds));
        let (pid, attach) = match pid {
            5000 => (5001, ago(100)),
            5001 => (self.user, if self.user == 0 { None } else { ago(1800) }),
            _ => return None,
        };
        Some(PreviousUse { last: LastUse { pid, attach, detach: None }, trusted: self.trusted })
    }

    fn records_uses(&self) -> bool {
        self.kept
    }
}

#[test]
fn our_own_attachments_never_prove_a_leak() {
    static RUNS: [Runs; 5] = [
        KNOWN,
        Runs { trusted: false, ..KNOWN },
        Runs { user: 0, ..KNOWN },
        Runs { user: 0, trusted: false, ..KNOWN },
        Runs { user: 0, trusted: false, kept: false, ..KNOWN },
    ];
    let machine = with_sysv();
    machine.edit(|facts| {
        let row = &mut facts.sysv[0].row;
        row.last_pid = 5000;
        (row.attach, row.detach) = (Some(Timestamp::from_seconds(facts.now - 5)), None);
    });
    let judged = |runs: &'static Runs| segments_by(&machine, Rules::default().with_created(runs)).remove(0);
    let state = |runs| judged(runs).verdict.state;
    // The last user exited long ago, but times recorded by another user are not trusted.
    assert_eq!((state(&RUNS[0]), state(&RUNS[1])), (CERTAIN, State::Idle));
    // The segment was unused before.
    assert_eq!((state(&RUNS[2]), state(&RUNS[3])), (CERTAIN, State::Idle));
    let segment = judged(&RUNS[0]);
    assert!(segment.verdict.reasons.concat().contains("shmlens attached it since"), "{:?}", segment.verdict);
    assert_eq!(segment.sysv().unwrap().last_pid, 5000, "the last pid is the kernel's");
    machine.add_process(4188, "forkshm");
    assert_eq!((state(&RUNS[0]), state(&RUNS[1])), (State::Idle, State::Idle));
    // The pid was reused by a process that uses the segment.
    machine.add_process(5000, "reader");
    assert_eq!(judged(&RUNS[0]).verdict.reasons[0], "no holders; its last user is running: reader (5000)");
    machine.edit(|facts| facts.processes.clear());
    machine.edit(|facts| {
        let row = &mut facts.sysv[0].row;
        (row.last_pid, row.attach) = (6000, Some(Timestamp::from_seconds(facts.now - 1800)));
    });
    assert_eq!((state(&RUNS[0]), state(&RUNS[4])), (CERTAIN, LIKELY), "shmlens may have been the last user");
}

#[test]
fn leak_that_shmlens_created_is_likely_at_most() {
    static CREATED: Runs = Runs { created: true, ..KNOWN };
    let rules = Rules::default().with_created(&CREATED);
    for machine in [with_sysv(), with_object("nccl-a1B2c3"), with_object("torch_4121_7_0")] {
        assert_is(&machine, CERTAIN, &[]);
        let verdict = segments_by(&machine, rules).remove(0).verdict;
        assert_eq!(verdict.state, LIKELY, "{:?}", verdict.reasons);
        assert!(verdict.reasons[0].contains("but shmlens created or restored it"), "{:?}", verdict.reasons);
    }
}

#[test]
fn leak_of_a_running_demo_is_certain() {
    let key = demo::PREFIX + demo::ORPHAN + 700;
    let machine = with_key(key);
    assert_is(&machine, LIKELY, &["may attach to its key"]);
    machine.add_process(700, "another");
    assert_is(&machine, LIKELY, &["may attach to its key"]);
    machine.add_process(700, "shmlens");
    assert_is(&machine, CERTAIN, &["creator 4121 exited", "shmlens demo (700) uses for its leak example"]);
    // A demo's leak does not have to settle.
    machine.edit(|facts| facts.sysv[0].row.change = Some(Timestamp::from_seconds(facts.now)));
    assert_is(&machine, CERTAIN, &["creator 4121 exited"]);
}

/// Returns a machine with one object, which ann created an hour ago.
fn with_object(name: &str) -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object(name, FakeBytes::hole(32));
    edit(&machine, |object, now| set_times(object, now - 3600));
    machine
}

fn edit(machine: &FakeMachine, change: impl FnOnce(&mut FakeObject, i64)) {
    machine.edit(|facts| {
        let now = facts.now;
        change(facts.posix.values_mut().next().unwrap(), now);
    });
}

fn set_times(object: &mut FakeObject, seconds: i64) {
    let then = Timestamp::from_seconds(seconds);
    let stat = &mut object.stat;
    (stat.access, stat.modify, stat.change, stat.birth) = (then, then, then, Some(then));
}

#[test]
fn removed_outranks_every_state() {
    let machine = with_sysv();
    machine.edit(|facts| facts.sysv[0].row.marked = true);
    for (pid, command) in [(7, "writer"), (8, "reader")] {
        machine.add_process(pid, command);
        machine.attach_in(pid, 1, Access::ReadWrite);
    }
    assert_is(&machine, State::Removed, &["kept alive by writer (7), reader (8)", "IPC_RMID", "nattch 2"]);
    for pid in [7, 8] {
        machine.end_process(pid);
    }
    let own = machine.own_pid();
    machine.add_process(own, "shmlens");
    machine.attach_in(own, 1, Access::Read);
    assert_is(&machine, State::Removed, &["kept alive by shmlens only"]);

    let machine = with_object("libpod_lock");
    machine.add_process(7, "wri\x1bter");
    machine.map_in(7, "libpod_lock", Access::ReadWrite);
    machine.remove_object("libpod_lock");
    assert_is(&machine, State::Removed, &[r"kept alive by wri\x1bter (7)", "former name /libpod_lock"]);
}

#[test]
fn segment_with_holders_is_in_use() {
    let machine = with_sysv();
    machine.add_process(7, "writer");
    machine.attach_in(7, 1, Access::ReadWrite);
    machine.attach_in(7, 1, Access::ReadWrite);
    assert_is(&machine, State::InUse, &["held by 1 process", "nattch 2"]);
    // Two more attachments without a known process.
    machine.edit(|facts| facts.sysv[0].row.nattch = 4);
    let missing = "nattch 4: 2 found, 2 in processes that cannot be inspected";
    assert_is(&machine, State::InUse, &[missing]);
    machine.edit(|facts| facts.processes.clear());
    assert_is(&machine, State::InUse, &["attached 4 times", "0 found, 4 in processes"]);

    for hold in [FakeMachine::map_in, FakeMachine::open_in] {
        let machine = with_object("nccl-a1B2c3");
        machine.add_process(7, "reader");
        hold(&machine, 7, "nccl-a1B2c3", Access::Read);
        assert_is(&machine, State::InUse, &["held by 1 process", "device 0x1a, inode 2"]);
        machine.edit(|facts| facts.processes.get_mut(&7).unwrap().uses[0].private = true);
        assert_is(&machine, State::InUse, &["held by 1 process"]);
    }
}

#[test]
fn locked_object_is_in_use() {
    let machine = with_object("nccl-a1B2c3");
    let lock = |pid, inode| FileLock { device: OBJECT_DEVICE, inode, pid, write_lease: false };
    machine.edit(|facts| facts.locks = vec![lock(Some(17), 2)]);
    assert_is(&machine, State::InUse, &["file lock held by pid 17", "/proc/locks"]);
    machine.edit(|facts| facts.locks = vec![lock(None, 2)]);
    assert_is(&machine, State::InUse, &["file lock held by an unknown process"]);
    machine.edit(|facts| facts.locks = vec![lock(Some(17), 3)]);
    assert_is(&machine, CERTAIN, &[]);
}

#[test]
fn our_own_attachments_do_not_count() {
    let machine = with_sysv();
    let own = machine.own_pid();
    machine.add_process(own, "shmlens");
    machine.attach_in(own, 1, Access::Read);
    assert_is(&machine, LIKELY, &["nattch 1, 1 by shmlens"]);
    machine.add_process(7, "writer");
    machine.attach_in(7, 1, Access::ReadWrite);
    assert_is(&machine, State::InUse, &["held by 1 process", "nattch 2, 1 by shmlens"]);

    let machine = with_object("nccl-a1B2c3");
    machine.add_process(own, "shmlens");
    machine.map_in(own, "nccl-a1B2c3", Access::Read);
    machine.open_in(own, "nccl-a1B2c3", Access::Read);
    assert_is(&machine, CERTAIN, &[]);
}

#[test]
fn our_writable_mapping_counts_as_a_holder() {
    let (sysv, object) = (with_sysv(), with_object("mine"));
    for machine in [&sysv, &object] {
        let own = machine.own_pid();
        machine.add_process(own, "shmlens");
        machine.attach_in(own, 1, Access::ReadWrite);
        machine.map_in(own, "mine", Access::ReadWrite);
        assert_is(machine, State::InUse, &["held by 1 process"]);
    }
}

#[test]
fn object_is_unknown_until_proven_unheld() {
    let machine = with_object("nccl-a1B2c3");
    let survey = Identifier::default().survey(&machine, None, &mut Names::default());
    assert_eq!(
        survey.segments[0].verdict.state,
        State::Unknown,
        "an object is unknown before the first scan"
    );
    let mut names = Names::default();
    let shared = Holdings::scan(&machine, Depth::Shared, &[], &mut names);
    let mut identifier = Identifier::default();
    let survey = identifier.survey(&machine, Some(&shared), &mut names);
    assert_eq!(
        (survey.segments[0].verdict.state, identifier.needs_private()),
        (CERTAIN, false),
        "a granted lease proves the leak"
    );
    // Bob cannot take a lease on ann's object.
    for (uid, ago) in [(1001, 3600), (1000, 0)] {
        machine.edit(|facts| facts.effective_uid = uid);
        edit(&machine, |object, now| set_times(object, now - ago));
        machine.edit(|facts| facts.now += 1);
        let shared = Holdings::scan(&machine, Depth::Shared, &[], &mut names);
        let survey = identifier.survey(&machine, Some(&shared), &mut names);
        let state = survey.segments[0].verdict.state;
        assert_eq!(
            (state, identifier.needs_private()),
            (State::Unknown, true),
            "private mappings have not been checked"
        );
    }
    machine.edit(|facts| facts.effective_uid = 0);
    // Created between scan and survey.
    let before = Holdings::scan(&machine, Depth::Private, &[], &mut names);
    machine.edit(|facts| facts.now += 5000);
    edit(&machine, |object, now| set_times(object, now - 1000));
    let survey = Identifier::default().survey(&machine, Some(&before), &mut names);
    assert_eq!(
        survey.segments[0].verdict.state,
        State::Unknown,
        "an object newer than the scan stays unknown"
    );
    assert_is(&machine, CERTAIN, &[]);

    // Only the owner and root can take a lease.
    machine.edit(|facts| (facts.effective_uid, facts.visibility.hides) = (1001, true));
    assert_is(&machine, State::Unknown, &["hidepid", "run as root"]);
    machine.edit(|facts| (facts.visibility.hides, facts.visibility.outside) = (false, true));
    assert_is(&machine, State::Unknown, &["outside this pid namespace", "run on the host"]);
    machine.edit(|facts| (facts.visibility.outside, facts.blind) = (false, true));
    assert_is(&machine, State::Unknown, &["failed to list processes"]);
}

#[test]
fn private_object_depends_only_on_processes_of_its_owner_and_root() {
    let machine = with_object("nccl-a1B2c3");
    // Carl cannot take a lease.
    machine.edit(|facts| facts.effective_uid = 1002);
    machine.add_process(7, "writer");
    let unreadable_of = |uid| {
        machine.edit(|facts| {
            let process = facts.processes.get_mut(&7).unwrap();
            (process.uid, process.readable) = (uid, false);
        });
    };
    let mode = |bits: u32| edit(&machine, |object, _| object.stat.mode = 0o100_000 | bits);
    unreadable_of(1001);
    assert_is(&machine, CERTAIN, &["only ann can open it (mode 0600)", "all processes of ann and root were"]);
    for (bits, state) in [
        (0o640, State::Unknown),
        (0o604, State::Unknown),
        (0o602, State::Unknown),
        // With an ACL, the group bits are the maximum that it grants.
        (0o610, State::Unknown),
        (0o700, CERTAIN),
        (0o000, CERTAIN),
    ] {
        mode(bits);
        assert_is(&machine, state, &[]);
    }
    mode(0o600);
    for uid in [0, 1000] {
        unreadable_of(uid);
        assert_is(&machine, State::Unknown, &["cannot be inspected", "run as root"]);
    }
    unreadable_of(1001);
    machine.edit(|facts| facts.visibility.outside = true);
    assert_is(&machine, State::Unknown, &[]);
}

#[test]
fn lease_of_root_or_the_owner_decides() {
    for uid in [0, 1000] {
        lease_decides(uid);
    }
}

fn lease_decides(uid: u32) {
    let machine = with_object("nccl-a1B2c3");
    machine.edit(|facts| (facts.effective_uid, facts.visibility.outside) = (uid, true));
    assert_is(&machine, CERTAIN, &["granted a write lease (F_SETLEASE)"]);
    assert!(!verdict(&machine).reasons.concat().contains("no holders found, but"));
    // No lease is requested for a recently used object.
    edit(&machine, |object, now| object.stat.access = Timestamp::from_seconds(now - 59));
    assert_is(&machine, State::Idle, &["used within", "once the segment has been unused for 1m"]);
    machine.edit(|facts| facts.blind = true);
    assert_is(&machine, State::Unknown, &["failed to list processes"]);
    machine.edit(|facts| facts.blind = false);
    edit(&machine, |object, now| object.stat.access = Timestamp::from_seconds(now - 60));
    assert_is(&machine, CERTAIN, &[]);
    // Our own descriptor makes the lease fail, which proves nothing.
    let own = machine.own_pid();
    machine.add_process(own, "shmlens");
    machine.open_in(own, "nccl-a1B2c3", Access::Read);
    assert_ne!(verdict(&machine).state, State::Unknown);
    machine.end_process(own);
    machine.add_process(7, "writer");
    machine.map_in(7, "nccl-a1B2c3", Access::ReadWrite);
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    let cause = if uid == 0 {
        "or a process that is not visible"
    } else {
        "by a process that you cannot inspect. Run as root"
    };
    assert_is(&machine, State::Unknown, &[cause, "refused a write lease"]);
}

#[test]
fn nattch_0_proves_no_holders_for_every_user() {
    let machine = with_sysv();
    machine.edit(|facts| {
        facts.effective_uid = 65534;
        facts.visibility.hides = true;
        facts.sysv[0].row.mode = crate::segment::Mode::new(0o666);
    });
    machine.add_process(7, "writer");
    machine.edit(|facts| facts.processes.get_mut(&7).unwrap().readable = false);
    assert_is(&machine, CERTAIN, &["nattch 0"]);
}

#[test]
fn rule_can_protect_a_segment() {
    let machine = with_object("libpod_lock");
    assert_is(&machine, State::Protected, &["no holders; protected: "]);
    // A recent use does not change the verdict.
    edit(&machine, set_times);
    assert_is(&machine, State::Protected, &[]);
    machine.add_process(7, "podman");
    machine.open_in(7, "libpod_lock", Access::ReadWrite);
    assert_is(&machine, State::InUse, &[]);
}

#[test]
fn segment_is_idle_while_its_creator_runs() {
    let machine = with_sysv();
    machine.add_process(4121, "wri\nter");
    let segment = first_segment(&machine);
    assert_eq!(segment.verdict.state, State::Idle);
    assert_eq!(segment.verdict.reasons[0], r"no holders; creator is running: wri\x0ater (4121)");
    assert_eq!(segment.made_by.unwrap().name_text(), r"wri\x0ater");
    // The process started an hour ago, when the segment last changed: within the slack.
    let changed = |ago| {
        machine.edit(|facts| {
            let then = Timestamp::from_seconds(facts.now - ago);
            facts.sysv[0].row.change = Some(then);
        });
    };
    changed(3602);
    assert_is(&machine, State::Idle, &[]);
    changed(3603);
    assert_is(&machine, CERTAIN, &[r"pid 4121 is now wri\x0ater, which started after the last change"]);
    assert_eq!(first_segment(&machine).made_by, Some(Maker::Exited(4121)));
    changed(3600);
    machine.edit(|facts| facts.processes.get_mut(&4121).unwrap().ended = true);
    assert_is(&machine, CERTAIN, &["creator 4121 exited"]);
    machine.edit(|facts| {
        facts.processes.clear();
        facts.hidden = vec![4121];
    });
    assert_is(&machine, LIKELY, &["cannot tell if creator 4121 is running: /proc hides"]);
    machine.edit(|facts| facts.sysv[0].row.creator_pid = 0);
    assert_is(&machine, LIKELY, &["its creator is in another pid namespace"]);
    assert_eq!(first_segment(&machine).made_by, None);
}

#[test]
fn recently_used_segment_is_idle() {
    let machine = with_sysv();
    let changed = |ago| {
        machine.edit(|facts| facts.sysv[0].row.change = Some(Timestamp::from_seconds(facts.now - ago)));
    };
    changed(60);
    assert_is(&machine, CERTAIN, &["last used more than 1m ago"]);
    changed(59);
    assert_is(&machine, State::Idle, &["used within the last 1m", "no process has the creator's pid 4121"]);
    changed(60);
    let times: [fn(&mut SysvStat) -> &mut Option<Timestamp>; 2] =
        [|row| &mut row.attach, |row| &mut row.detach];
    for which in times {
        machine.edit(|facts| *which(&mut facts.sysv[0].row) = Some(Timestamp::from_seconds(facts.now - 59)));
        assert_is(&machine, State::Idle, &[]);
        machine.edit(|facts| *which(&mut facts.sysv[0].row) = Some(Timestamp::from_seconds(facts.now - 61)));
        assert_is(&machine, CERTAIN, &[]);
    }
}

/// The clock was set back, or an owner set the times of an object.
#[test]
fn segment_used_in_the_future_is_never_leaked() {
    let without_delay = Rules { settle: Some(Duration::ZERO), ..Rules::default() };
    let machine = with_sysv();
    machine.edit(|facts| facts.sysv[0].row.change = Some(Timestamp::from_seconds(facts.now + 100)));
    let segment = segments_by(&machine, without_delay).remove(0);
    assert_eq!(segment.verdict.state, State::Idle);
    assert!(segment.verdict.reasons[0].contains("in the future"), "{:?}", segment.verdict.reasons);
    assert_eq!(segment.age(machine.now()), None);

    let machine = with_object("name");
    assert_is(&machine, LIKELY, &[]);
    edit(&machine, |object, now| object.stat.modify = Timestamp::from_seconds(now + 100));
    assert_is(&machine, State::Idle, &["in the future"]);
    assert!(!verdict(&machine).reasons.join("").contains("used within the last"));
    // This time is slightly ahead of the clock, which was read earlier.
    edit(&machine, |object, now| object.stat.modify = Timestamp::from_seconds(now + 1));
    assert_eq!(segments_by(&machine, without_delay).remove(0).verdict.state, LIKELY);
}

#[test]
fn segment_of_an_unknown_maker_is_leaked_after_ten_minutes() {
    let machine = with_object("a");
    edit(&machine, |object, now| set_times(object, now - 600));
    let reasons = ["unknown maker", "not read or written through files for 10m; mappings leave no time"];
    assert_is(&machine, LIKELY, &reasons);
    let times: [fn(&mut FakeObject) -> &mut Timestamp; 4] = [
        |object| &mut object.stat.access,
        |object| &mut object.stat.modify,
        |object| &mut object.stat.change,
        |object| object.stat.birth.as_mut().unwrap(),
    ];
    for which in times {
        edit(&machine, |object, now| *which(object) = Timestamp::from_seconds(now - 599));
        assert_is(&machine, State::Idle, &["used within the last 10m"]);
        edit(&machine, |object, now| *which(object) = Timestamp::from_seconds(now - 600));
        assert_is(&machine, LIKELY, &[]);
    }
    // This file system records no birth times.
    edit(&machine, |object, _| object.stat.birth = None);
    assert_is(&machine, LIKELY, &[]);
}

#[test]
fn settle_time_replaces_both_defaults() {
    let machine = with_sysv();
    machine.add_object("a", FakeBytes::hole(1));
    let states = |settle| {
        let rules = Rules { settle: Some(Duration::from_secs(settle)), ..Rules::default() };
        let segments = segments_by(&machine, rules);
        segments.iter().map(|segment| segment.verdict.state).collect::<Vec<_>>()
    };
    // The segments changed 3600 and 180 seconds ago.
    assert_eq!(states(0), [CERTAIN, LIKELY]);
    assert_eq!(states(180), [CERTAIN, LIKELY]);
    assert_eq!(states(181), [CERTAIN, State::Idle]);
    assert_eq!(states(3601), [State::Idle, State::Idle]);
}

#[test]
fn known_maker_is_judged_by_its_rule() {
    let nobody = |name: &str, state: State, words: &[&str]| assert_is(&with_object(name), state, words);
    nobody("nccl-a1B2c3", CERTAIN, &["name matches NVIDIA NCCL"]);
    nobody("jack-shm-registry", State::Idle, &["no holders, which is normal"]);
    nobody("psm_1f09ab2c", CERTAIN, &["no resource_tracker of its owner or root is running"]);
    nobody("torch_4121_7_0", CERTAIN, &["its creator (pid 4121, from its name) exited"]);
    nobody("paddle_4121_11", LIKELY, &["no rule for this maker"]);

    let machine = with_object("torch_4121_7_0");
    machine.add_process(4121, "train.py");
    let wanted = "no holders; may still be needed: its creator (pid 4121, from its name) is running";
    assert_is(&machine, State::Idle, &[wanted]);
    // The pid was reused.
    machine.edit(|facts| {
        facts.processes.get_mut(&4121).unwrap().started = Timestamp::from_seconds(facts.now - 3000);
    });
    assert_is(&machine, CERTAIN, &["exited"]);
    machine.add_process(8, "torch_shm_manag");
    assert_is(
        &machine,
        State::Idle,
        &["may still be needed: torch_shm_manager of its owner or root is running"],
    );
    machine.edit(|facts| facts.processes.get_mut(&8).unwrap().uid = 1001);
    assert_is(&machine, CERTAIN, &["no torch_shm_manager of its owner or root is running"]);
}

#[test]
fn pid_in_a_child_namespace_may_be_the_maker() {
    let machine = with_object("torch_4121_7_0");
    machine.edit(|facts| facts.inner_pids = vec![4121]);
    let wanted = "its creator (pid 4121, from its name) may be running in another pid namespace";
    assert_is(&machine, State::Idle, &["may still be needed", wanted]);
    // Another process with that pid in this namespace makes no difference.
    machine.add_process(4121, "another");
    machine.edit(|facts| {
        facts.processes.get_mut(&4121).unwrap().started = Timestamp::from_seconds(facts.now - 60);
    });
    assert_is(&machine, State::Idle, &[wanted]);
    machine.edit(|facts| facts.inner_pids = vec![4122]);
    assert_is(&machine, CERTAIN, &["exited"]);
}

#[test]
fn without_full_visibility_a_pid_proves_nothing() {
    let machine = with_object("torch_4121_7_0");
    machine.edit(|facts| (facts.effective_uid, facts.visibility.hides) = (1002, true));
    assert_is(&machine, State::Unknown, &[]);
    let mut identifier = Identifier::default();
    let mut names = Names::default();
    machine.edit(|facts| facts.visibility.hides = false);
    let whole = Holdings::scan(&machine, Depth::Private, &[], &mut names);
    machine.edit(|facts| facts.visibility.hides = true);
    let survey = identifier.survey(&machine, Some(&whole), &mut names);
    let verdict = &survey.segments[0].verdict;
    assert_eq!(verdict.state, LIKELY);
    assert!(
        verdict.reasons[0].contains("cannot tell if its creator (pid 4121, from its name) is running"),
        "{:?}",
        verdict.reasons
    );
}

#[test]
fn undecided_rule_is_likely_at_most_or_protected() {
    // The creator has exited, and the server may be hidden.
    let machine = FakeMachine::new();
    machine.add_sysv(1, 0x5256_4801, FakeBytes::hole(4096));
    machine.edit(|facts| facts.sysv[0].row.mode = crate::segment::Mode::new(0o660));
    assert_is(&machine, CERTAIN, &["key range of IBM Informix", "no oninit is running"]);
    machine.edit(|facts| facts.visibility.hides = true);
    assert_is(&machine, State::Protected, &["protected: cannot tell if oninit is running"]);
    machine.edit(|facts| facts.visibility.hides = false);
    machine.add_process(9, "oninit");
    assert_is(&machine, State::Protected, &["oninit is running"]);
    // The result is the same while the creator runs.
    machine.edit(|facts| facts.processes.clear());
    machine.add_process(4121, "onsomething");
    assert_is(&machine, State::Idle, &["creator is running: onsomething (4121)"]);
}

#[test]
fn maker_without_a_verdict_is_judged_as_unknown() {
    let machine = with_object("sem.gate");
    let segment = first_segment(&machine);
    assert_eq!(segment.made_by.unwrap().name_text(), "POSIX named semaphore");
    let wanted = "cannot tell if it is still needed: programs with a named semaphore keep it between runs";
    assert_is(&machine, LIKELY, &[wanted]);
    edit(&machine, |object, now| set_times(object, now - 599));
    assert_is(&machine, State::Idle, &["used within the last 10m"]);
    // The creator of a System V segment is stronger evidence.
    let machine = FakeMachine::new();
    machine.add_sysv(1, 0x5100_a1b2, FakeBytes::hole(4096));
    assert_is(&machine, LIKELY, &["Qt QSharedMemory", "creator 4121 exited"]);
}

#[test]
fn creator_is_part_of_the_context() {
    let machine = FakeMachine::new();
    machine.add_sysv(1, 0x0052_e2c1, FakeBytes::hole(56));
    assert_eq!(first_segment(&machine).made_by, Some(Maker::Exited(4121)));
    machine.add_process(4121, "postgres");
    let segment = first_segment(&machine);
    assert_eq!(segment.made_by.unwrap().id(), "postgresql-sysv-live");
    assert_eq!(segment.verdict.state, State::Protected);
}

#[test]
fn user_makers_come_first() {
    let own = r#"
        [[maker]]
        id = "own"
        name = "Own\u001b cache"
        pattern = '^nccl-[A-Za-z0-9]{6}$'
        unheld = "normal"
        reason = "it is kept \u001bbetween runs"
        [[maker]]
        id = "session"
        name = "Session"
        pattern = '^session-(?P<pid>\d+)$'
        pid = { group = "pid", of = "session" }
        unheld = "dead-pid"
        reason = "each session has one"
    "#;
    let makers = maker::Maker::all(own, Path::new("config.toml"), maker::Patterns::Compile).unwrap();
    let rules = Rules::with_makers(&makers, None);
    let judged = |name: &str| segments_by(&with_object(name), rules).remove(0);
    let kept = judged("nccl-a1B2c3");
    assert_eq!((kept.made_by.as_ref().unwrap().id(), kept.verdict.state), ("own", State::Idle));
    assert!(kept.verdict.reasons[0].contains(r"it is kept \x1bbetween runs"), "{:?}", kept.verdict.reasons);
    assert!(!kept.verdict.reasons.concat().contains('\x1b'));
    assert_eq!(judged("session-4121").verdict.state, CERTAIN);
    assert_eq!(judged("psm_1f09ab2c").verdict.state, CERTAIN, "built-in makers must stay");
}

#[test]
fn first_reason_changes_only_with_the_state() {
    let machine = with_sysv();
    for name in ["nccl-a1B2c3", "a", "psm_1f09ab2c", "sem.gate", "libpod_lock", "held"] {
        machine.add_object(name, FakeBytes::hole(32));
    }
    machine.edit(|facts| {
        for object in facts.posix.values_mut() {
            set_times(object, facts.now - 3600);
        }
    });
    machine.add_process(7, "writer");
    machine.map_in(7, "held", Access::Read);
    let first_reason = || {
        let segments = segments_by(&machine, Rules::default());
        segments.into_iter().map(|segment| (segment.id, segment.verdict)).collect::<Vec<_>>()
    };
    let before = first_reason();
    machine.edit(|facts| facts.now += 5000);
    machine.add_process(8, "another");
    machine.add_process(10, "and one more");
    assert_eq!(first_reason(), before);
    // The result is the same if some processes cannot be examined.
    for pid in [8, 10] {
        machine.edit(|facts| facts.processes.get_mut(&pid).unwrap().readable = false);
    }
    let before = first_reason();
    machine.edit(|facts| facts.processes.remove(&10));
    assert_eq!(first_reason(), before);
}

#[test]
fn young_segment_is_read_again() {
    let machine = with_object("psm_1f09ab2c");
    let list: Vec<u8> = [
        &[1u8, 0, 0, 0, 0, 0, 0, 0],
        &[0; 8][..],
        &[8, 0, 0, 0, 0, 0, 0, 0],
        &[0x2a; 8],
        b"q\0\0\0\0\0\0\0",
        &[0],
    ]
    .concat();
    machine.add_object("psm_1f09ab2c", FakeBytes::hole(list.len() as u64));
    let mut identifier = Identifier::default();
    let mut maker = || {
        let survey = identifier.survey(&machine, None, &mut Names::default());
        survey.segments[0].made_by.as_ref().unwrap().id().to_owned()
    };
    edit(&machine, set_times);
    assert_eq!(maker(), "cpython-shared-memory");
    machine.edit_object("psm_1f09ab2c", |bytes| bytes.write(0, &list));
    assert_eq!(maker(), "cpython-shareablelist");
    assert_eq!(first_segment(&machine).kind(), Kind::Posix);
    assert!(ObjectName::new(b"psm_1f09ab2c").is_some());
}
