//! Tests of uncertain verdicts: if the rule of a maker depends on something unknown, no leak is
//! certain.

use super::*;
use crate::machine::process::Claim;

/// Judges the first object by user-defined makers.
fn judged(machine: &FakeMachine, makers: &str) -> Verdict {
    let makers = maker::Maker::all(makers, Path::new("config.toml"), maker::Patterns::Compile).unwrap();
    segments_by(machine, Rules::with_makers(&makers, None)).remove(0).verdict
}

#[test]
fn leak_with_foreign_contents_is_likely_at_most() {
    let makers = r#"
        [[maker]]
        id = "cache"
        name = "Cache"
        pattern = '^cache-\d+$'
        contents = { at = 0, hex = "c0ff" }
        unheld = "leaked"
        reason = "it makes a new one each time"
    "#;
    let machine = with_object("cache-1");
    let verdict = judged(&machine, makers);
    assert_eq!(verdict.state, LIKELY, "{:?}", verdict.reasons);
    assert!(verdict.reasons[0].contains("its contents do not match this maker"));
    machine.edit_object("cache-1", |bytes| bytes.write(0, &[0xc0, 0xff]));
    assert_eq!(judged(&machine, makers).state, CERTAIN);
}

#[test]
fn invalid_or_partial_pid_proves_nothing() {
    let makers = |more: &str| {
        format!(
            "[[maker]]\nid = 'session'\nname = 'Session'\npattern = '^session-(?P<pid>\\d+)$'\n\
             pid = {{ group = 'pid', of = 'session'{more} }}\nunheld = 'dead-pid'\nreason = 'each has one'"
        )
    };
    let state = |name: &str, more: &str| judged(&with_object(name), &makers(more)).state;
    assert_eq!(state("session-4121", ""), CERTAIN);
    for name in ["session-0", "session-4194305", "session-99999999999"] {
        assert_eq!(state(name, ""), LIKELY, "{name}");
    }
    assert_eq!(state("session-121", ", modulo = 1000"), LIKELY, "the pid may have higher digits");
}

/// Returns a machine with a participant's segment, and the file that the participant locks while it
/// runs.
fn participant() -> FakeMachine {
    let machine = with_object("fastdds_0123456789abcdef");
    machine.add_object("fastdds_0123456789abcdef_el", FakeBytes::hole(1));
    assert_eq!(of_participant(&machine).state, CERTAIN);
    machine
}

fn of_participant(machine: &FakeMachine) -> Verdict {
    segments_by(machine, Rules::default()).remove(0).verdict
}

#[test]
fn locked_companion_keeps_a_segment() {
    let machine = participant();
    machine.edit(|facts| {
        facts.locks = vec![FileLock { device: OBJECT_DEVICE, inode: 3, pid: None, write_lease: false }];
    });
    let verdict = of_participant(&machine);
    assert_eq!(verdict.state, State::Idle, "{:?}", verdict.reasons);
    assert!(verdict.reasons[0].contains("/fastdds_0123456789abcdef_el is in use"), "{:?}", verdict.reasons);
}

#[test]
fn companion_with_unknown_holders_makes_a_leak_likely_at_most() {
    let machine = participant();
    machine.add_process(7, "bobs");
    machine.edit(|facts| {
        facts.effective_uid = 1002;
        let process = facts.processes.get_mut(&7).unwrap();
        (process.uid, process.readable) = (1001, false);
    });
    assert_eq!(of_participant(&machine).state, CERTAIN, "only ann can open the objects");
    machine.edit(|facts| {
        let beside = ObjectName::new(b"fastdds_0123456789abcdef_el").unwrap();
        facts.posix.get_mut(&beside).unwrap().stat.mode = 0o100_666;
    });
    let verdict = of_participant(&machine);
    assert_eq!(verdict.state, LIKELY, "{:?}", verdict.reasons);
    assert!(
        verdict.reasons[0].contains("cannot tell if its /fastdds_0123456789abcdef_el is in use"),
        "{:?}",
        verdict.reasons
    );
}

/// A process that dropped its privileges still appears to be owned by root.
#[test]
fn helper_run_by_root_counts_for_the_owner() {
    let machine = with_object("psm_1f09ab2c");
    machine.add_process(4121, "resource_tracker");
    machine.edit(|facts| facts.processes.get_mut(&4121).unwrap().uid = 0);
    assert_is(&machine, State::Idle, &["resource_tracker of its owner or root is running"]);
    machine.edit(|facts| facts.processes.get_mut(&4121).unwrap().uid = 1001);
    assert_is(&machine, CERTAIN, &["no resource_tracker of its owner or root is running"]);
}

#[test]
fn object_of_another_file_system_is_unknown() {
    let machine = with_object("nccl-a1B2c3");
    edit(&machine, |object, _| object.stat.device = OBJECT_DEVICE + 1);
    assert_is(&machine, State::Unknown, &["or on a file system where holders cannot be found"]);
}

#[test]
fn process_of_unknown_user_may_hold_anything() {
    let machine = with_object("nccl-a1B2c3");
    machine.add_process(7, "writer");
    machine.edit(|facts| {
        facts.effective_uid = 1002;
        facts.processes.get_mut(&7).unwrap().readable = false;
        facts.nameless = vec![7];
    });
    assert_is(&machine, State::Unknown, &["cannot be inspected"]);
}

#[test]
fn without_the_lock_table_every_object_is_unknown() {
    let machine = with_object("nccl-a1B2c3");
    machine.edit(|facts| (facts.effective_uid, facts.lockless) = (1002, true));
    assert_is(&machine, State::Unknown, &["failed to read /proc/locks"]);
}

/// The holder may be a descriptor in transit or a loop device.
#[test]
fn refused_lease_outranks_every_process_that_was_checked() {
    for uid in [0, 1000] {
        let machine = with_object("nccl-a1B2c3");
        machine.edit(|facts| facts.effective_uid = uid);
        assert_is(&machine, CERTAIN, &["all processes checked", "granted a write lease"]);
        machine.edit(|facts| facts.in_transit = true);
        let words = ["holder not visible: descriptor in transit, loop device", "refused a write lease"];
        assert_is(&machine, State::Unknown, &words);
    }
    // Without permission for a lease, the scanned processes decide.
    let machine = with_object("nccl-a1B2c3");
    machine.edit(|facts| (facts.effective_uid, facts.in_transit) = (1002, true));
    assert_is(&machine, CERTAIN, &["all processes checked"]);
}

#[test]
fn refused_lease_on_a_companion_keeps_a_segment() {
    let machine = participant();
    machine.edit(|facts| facts.in_transit = true);
    let segments = segments_by(&machine, Rules::default());
    assert_eq!(segments[1].verdict.state, State::Unknown);
    machine.edit(|facts| facts.in_transit = false);
    assert_eq!(of_participant(&machine).state, CERTAIN);
}

#[test]
fn object_younger_than_the_scan_is_idle_if_a_lease_is_possible() {
    for (uid, state) in [(0, State::Idle), (1000, State::Idle), (1002, State::Unknown)] {
        let machine = with_object("nccl-a1B2c3");
        let mut names = Names::default();
        let before = Holdings::scan(&machine, Depth::Private, &[], &mut names);
        machine.edit(|facts| (facts.effective_uid, facts.now) = (uid, facts.now + 30));
        edit(&machine, |object, now| set_times(object, now - 10));
        let survey = Identifier::default().survey(&machine, Some(&before), &mut names);
        assert_eq!(survey.segments[0].verdict.state, state, "{:?}", survey.segments[0].verdict);
    }
}

/// The program attached a segment in another IPC namespace and then entered this one.
#[test]
fn holder_with_a_mismatched_mapping_is_ignored() {
    let machine = with_key(0x4d2);
    machine.add_process(7, "foreign");
    machine.attach_in(7, 1, Access::ReadWrite);
    machine.edit(|facts| facts.sysv[0].row.nattch = 0);
    let claim = |key, reaches, normal_pages| {
        machine.edit(|facts| {
            let one = &mut facts.processes.get_mut(&7).unwrap().uses[0];
            one.reaches = reaches;
            one.claim = Some(Claim { key, normal_pages, here: true });
        });
        first_segment(&machine).holders.unwrap().len()
    };
    assert_eq!(claim(0x4d2, 4096, true), 0, "nattch 0 proves that there are no attachments");
    machine.edit(|facts| facts.sysv[0].row.nattch = 2);
    assert_eq!(claim(0x4d2, 4096, true), 1);
    assert_eq!(claim(0x4d3, 4096, true), 0, "a mapping does not match another key");
    assert_eq!(claim(0x4d2, 8192, true), 0, "a mapping must not reach past the last page");
    assert_eq!(claim(0x4d2, 2 << 20, false), 1, "a mapping matches up to the huge page size");
    // Only nattch 0 proves that there are no holders.
    machine.edit(|facts| facts.sysv[0].row.nattch = 0);
    claim(0x4d3, 4096, true);
    assert_is(&machine, State::Idle, &["nattch 0"]);
    machine.edit(|facts| facts.sysv[0].row.nattch = 1);
    assert_is(&machine, State::InUse, &["attached once", "nattch 1: 0 found, 1 in processes"]);
    // Marking for removal clears the key.
    machine.edit(|facts| (facts.sysv[0].row.marked, facts.sysv[0].row.key) = (true, crate::segment::Key(0)));
    assert_eq!(claim(0x4d2, 4096, true), 1);
    // With more holders than nattch, all are listed.
    let machine = with_key(0x4d2);
    for pid in [7, 8] {
        machine.add_process(pid, "writer");
        machine.attach_in(pid, 1, Access::ReadWrite);
    }
    machine.edit(|facts| facts.sysv[0].row.nattch = 1);
    assert_is(&machine, State::InUse, &["held by 2 processes", "nattch 1: 2 found; some detached since"]);
}

#[test]
fn attachment_after_the_scan_is_reported() {
    let machine = with_sysv();
    let mut names = Names::default();
    let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
    machine.edit(|facts| {
        facts.sysv[0].row.nattch = 1;
        facts.sysv[0].row.attach = Some(Timestamp::from_seconds(facts.now));
    });
    let judged = |holdings: &Holdings| {
        let mut names = Names::default();
        Identifier::default().survey(&machine, Some(holdings), &mut names).segments.remove(0)
    };
    let segment = judged(&holdings);
    assert!(
        segment.verdict.reasons.concat().contains("0 found, 1 attached since the last scan"),
        "{segment:?}"
    );
    assert!(holdings.misses_attachments(&segment));
    // Attached long ago, or by a process that has since entered another IPC namespace: the next
    // scan will not find the holder either.
    machine.edit(|facts| facts.sysv[0].row.attach = Some(Timestamp::from_seconds(facts.now - 1)));
    let segment = judged(&holdings);
    assert!(
        segment.verdict.reasons.concat().contains("1 in processes that cannot be inspected"),
        "{segment:?}"
    );
    assert!(!holdings.misses_attachments(&segment));
    machine.edit(|facts| facts.sysv[0].row.attach = Some(Timestamp::from_seconds(facts.now)));
    machine.add_process(7, "left");
    machine.attach_in(7, 1, Access::Read);
    machine.edit(|facts| {
        facts.sysv[0].row.nattch = 1;
        facts.processes.get_mut(&7).unwrap().uses[0].claim =
            Some(Claim { key: 0, normal_pages: true, here: false });
    });
    let holdings = Holdings::scan(&machine, Depth::Private, &[], &mut names);
    let segment = judged(&holdings);
    assert!(
        segment.verdict.reasons.concat().contains("1 in processes that cannot be inspected"),
        "{segment:?}"
    );
    assert!(!holdings.misses_attachments(&segment));
}
