//! Tests of locks on a fake machine.

use super::*;
use crate::identify::Identifier;
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::machine::image::{SystemCall, Thread, ThreadActivity};
use crate::segment::Access;
use crate::survey::Survey;
use crate::survey::{Depth, Holdings, Names};

/// A mutex that is locked by a thread, or unlocked if that is 0.
fn mutex(owner: u32) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    for (offset, word) in [(0, u32::from(owner > 0)), (8, owner), (12, 1), (16, 0x80)] {
        bytes[offset..offset + 4].copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// A machine where two processes map two objects, each with a mutex at its start.
fn machine(owners: [u32; 2]) -> FakeMachine {
    let machine = FakeMachine::new();
    for (name, owner) in ["a", "b"].into_iter().zip(owners) {
        machine.add_object(name, FakeBytes::full(&mutex(owner)));
    }
    for (pid, command) in [(7, "writer"), (8, "reader.py")] {
        machine.add_process(pid, command);
        machine.map_in(pid, "a", Access::ReadWrite);
        machine.map_in(pid, "b", Access::ReadWrite);
        run(&machine, pid, pid, None);
    }
    machine
}

/// Adds a thread that waits at the start of an object, or runs.
fn run(machine: &FakeMachine, pid: u32, tid: u32, object: Option<&str>) {
    let segment =
        object.map(|name| survey(machine).segments.into_iter().find(|one| one.label() == name).unwrap());
    machine.edit(|facts| {
        let process = facts.processes.get_mut(&pid).unwrap();
        let address = segment.and_then(|segment| {
            let object = Object::of(&segment).unwrap();
            let one = process.uses.iter().find(|one| one.of == object).unwrap();
            match one.place {
                crate::segment::Place::Mapping { start, .. } => Some(start),
                crate::segment::Place::Descriptor(_) => None,
            }
        });
        let activity = address.map_or(ThreadActivity::Running, |address| {
            let arguments = [address, 0, 2, 0, 0, 0];
            let call = SystemCall { number: libc::SYS_futex, arguments, stack: 0, program_counter: 0 };
            ThreadActivity::Sleeping(call)
        });
        process.image.threads.retain(|(thread, _)| thread.tid != tid);
        process.image.threads.push((Thread { tid, inner_tid: tid, name: b"main".to_vec() }, activity));
    });
}

fn survey(machine: &FakeMachine) -> Survey {
    let mut names = Names::default();
    let holdings = Holdings::scan(machine, Depth::Private, &[], &mut names);
    Identifier::default().survey(machine, Some(&holdings), &mut names)
}

/// The text of the mutex at the start of each object, and the deadlocks.
fn texts(machine: &FakeMachine) -> Vec<String> {
    let survey = survey(machine);
    let holders = survey.segments.iter().flat_map(|segment| segment.holders.as_deref().unwrap_or_default());
    let threads = Threads::of(machine, holders);
    let locks = LockSurvey::new(machine, &threads);
    let read = |segment: &Segment, offset: u64, into: &mut [u8]| {
        let reader = crate::memory::Reader::open(machine, segment).unwrap();
        reader.read_at(offset, into).is_ok_and(|count| count == into.len())
    };
    let mut texts = vec![];
    for segment in &survey.segments {
        let found =
            locks.locks(segment, &[(0, LockKind::Mutex)], &|offset, into| read(segment, offset, into));
        texts
            .extend(found.iter().map(|lock| format!("{} {}: {}", segment.label(), lock.word(), lock.text())));
    }
    let of = |object| survey.segments.iter().find(|segment| Object::of(segment) == Some(object)).unwrap();
    let found = deadlocks(&threads, &|object, offset, into| read(of(object), offset, into));
    texts.extend(found.iter().map(|deadlock| deadlock.text(&|object| of(object).label())));
    texts
}

#[test]
fn owner_is_a_living_thread_of_a_holder() {
    let machine = machine([7, 0]);
    run(&machine, 8, 8, Some("/a"));
    assert_eq!(
        texts(&machine),
        [
            "/a mutex: locked by thread 7 of writer (alive); 1 thread waits: reader.py (8)",
            "/b mutex: unlocked"
        ]
    );
}

#[test]
fn owner_without_a_process_is_dead() {
    let machine = machine([9, 0]);
    assert_eq!(texts(&machine)[0], "/a mutex: owner 9 is dead: nobody will unlock it");
    // The process exists, but does not map the object.
    machine.add_process(9, "other");
    assert_eq!(
        texts(&machine)[0],
        "/a mutex: locked by 9, which is now other and does not map this segment: probably nobody will unlock it"
    );
    machine.edit(|facts| facts.processes.get_mut(&9).unwrap().readable = false);
    assert_eq!(texts(&machine)[0], "/a mutex: locked by thread 9; run as root to see whether it is alive");
}

#[test]
fn cycle_of_waits_is_a_deadlock() {
    let machine = machine([7, 8]);
    run(&machine, 8, 8, Some("/a"));
    assert_eq!(texts(&machine).len(), 2);
    // A thread besides, which is not part of the cycle.
    run(&machine, 8, 12, Some("/b"));
    run(&machine, 7, 7, Some("/b"));
    assert_eq!(
        texts(&machine)[2..],
        [
            "deadlock: writer (7) waits for /b+0x0, held by reader.py (8); reader.py (8) waits for /a+0x0, held by \
             writer (7)"
        ]
    );
}

#[test]
fn words_that_threads_wait_on_are_listed() {
    let machine = machine([0, 0]);
    machine.edit(|facts| {
        let process = facts.processes.get_mut(&8).unwrap();
        let crate::segment::Place::Mapping { start, .. } = process.uses[1].place else { panic!("mapped") };
        let arguments = [start + 32, 0, 2, 0, 0, 0];
        let call = SystemCall { number: libc::SYS_futex, arguments, stack: 0, program_counter: 0 };
        process.image.threads[0].1 = ThreadActivity::Sleeping(call);
    });
    let survey = survey(&machine);
    let holders = survey.segments.iter().flat_map(|segment| segment.holders.as_deref().unwrap_or_default());
    let threads = Threads::of(&machine, holders);
    let locks = LockSurvey::new(&machine, &threads);
    let found: Vec<String> = survey
        .segments
        .iter()
        .flat_map(|segment| {
            locks.locks(segment, &[], &|_, into| {
                into.fill(0);
                true
            })
        })
        .map(|lock| format!("{:#x} {}: {}", lock.offset, lock.word(), lock.text()))
        .collect();
    assert_eq!(found, ["0x20 futex: value 0; 1 thread waits: reader.py (8)"]);
}
