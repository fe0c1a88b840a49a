//! Where the catalogue knows a maker, and what its rule asks for cannot be
//! told: nothing is certain then.

use super::*;

/// The one object of that name, by rules of a person's own.
fn judged(machine: &MadeMachine, makers: &str) -> Verdict {
    let makers = maker::Maker::all(makers, Path::new("config.toml"), maker::Patterns::Compile).unwrap();
    segments_by(machine, Rules::with(&makers, None)).remove(0).verdict
}

#[test]
fn contents_that_another_wrote() {
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
fn a_number_that_is_no_pid_or_a_part_of_one() {
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
    assert_eq!(state("session-121", ", modulo = 1000"), LIKELY, "another digit may stand in front");
}

/// A participant's segment, and the file that it keeps locked while it lives.
fn participant() -> MadeMachine {
    let machine = with_object("fastdds_0123456789abcdef");
    machine.add_object("fastdds_0123456789abcdef_el", MadeBytes::hole(1));
    assert_eq!(of_participant(&machine).state, CERTAIN);
    machine
}

fn of_participant(machine: &MadeMachine) -> Verdict {
    segments_by(machine, Rules::default()).remove(0).verdict
}

#[test]
fn what_it_belongs_to_is_locked() {
    let machine = participant();
    machine.edit(|facts| facts.locks = vec![FileLock { device: OBJECTS, inode: 3, pid: None }]);
    let verdict = of_participant(&machine);
    assert_eq!(verdict.state, State::Idle, "{:?}", verdict.reasons);
    assert!(verdict.reasons[0].contains("/fastdds_0123456789abcdef_el is in use"), "{:?}", verdict.reasons);
}

#[test]
fn what_it_belongs_to_may_be_held_by_who_cannot_be_examined() {
    let machine = participant();
    machine.add_process(7, "bobs");
    machine.edit(|facts| {
        facts.effective_uid = 1000;
        let process = facts.processes.get_mut(&7).unwrap();
        (process.uid, process.readable) = (1001, false);
    });
    assert_eq!(of_participant(&machine).state, CERTAIN, "nobody but ann can open either");
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

/// One that gave up root's rights looks like root's.
#[test]
fn a_helper_that_looks_like_roots_may_be_its_owners() {
    let machine = with_object("psm_1f09ab2c");
    machine.add_process(4121, "resource_tracker");
    machine.edit(|facts| facts.processes.get_mut(&4121).unwrap().uid = 0);
    assert_is(&machine, CERTAIN, &["no resource_tracker of its owner is running"]);
    // The made machine knows who the creators of segments really are.
    machine.add_sysv(1, 0, MadeBytes::hole(1));
    let object = segments_by(&machine, Rules::default()).remove(1);
    assert_eq!(object.verdict.state, State::Idle, "{:?}", object.verdict.reasons);
}

#[test]
fn an_object_of_another_file_system_was_not_looked_for() {
    let machine = with_object("nccl-a1B2c3");
    edit(&machine, |object, _| object.stat.device = OBJECTS + 1);
    assert_is(&machine, State::Unknown, &["or on a file system where holders cannot be found"]);
}

#[test]
fn who_cannot_be_told_anything_of_may_hold_anything() {
    let machine = with_object("nccl-a1B2c3");
    machine.add_process(7, "writer");
    machine.edit(|facts| {
        facts.effective_uid = 1000;
        facts.processes.get_mut(&7).unwrap().readable = false;
        facts.nameless = vec![7];
    });
    assert_is(&machine, State::Unknown, &["cannot be inspected"]);
}

#[test]
fn without_the_table_of_locks_nothing_is_unheld() {
    let machine = with_object("nccl-a1B2c3");
    machine.edit(|facts| (facts.effective_uid, facts.lockless) = (1000, true));
    assert_is(&machine, State::Unknown, &["failed to read /proc/locks"]);
}
