//! Alerts: a limit that is nearly reached, a held object that loses its name, a logout that removes
//! segments. Also tests semaphores.

use super::{harness, notice};
use crate::support::Harness;
use shmlens::machine::fake::{FakeBytes, FakeMachine};
use shmlens::segment::{Access, Bytes, Key};

fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object("camera", FakeBytes::full(&vec![7; 40960]));
    machine.add_sysv(5, 0x4d2, FakeBytes::full(&[5; 50]));
    machine.add_process(4121, "grabber");
    machine
}

/// Fills `/dev/shm` to this percentage.
fn fill(machine: &FakeMachine, percent: u64) {
    machine.edit(|facts| {
        let shm = facts.limits.dev_shm.as_mut().unwrap();
        (shm.size, shm.used) = (Bytes(100 << 10), Bytes((percent << 10) + 1));
    });
}

#[test]
fn nearly_full_limit_adds_a_row_with_its_largest_users() {
    let mut harness = harness(machine());
    fill(&harness.machine, 89);
    harness.survey();
    let before = harness.state.table_layout();
    assert!(!harness.screen().contains("full"), "{}", harness.screen());
    fill(&harness.machine, 95);
    harness.survey();
    let screen = harness.screen();
    let row = screen.lines().nth(1).unwrap();
    assert_eq!(row, " /dev/shm is nearly full, 5.0 KiB of 100 KiB left: ann has 40 KiB");
    // The alert moves the table down a row, and clicks with it.
    let after = harness.state.table_layout();
    assert_eq!((after.heading.y, after.table.y), (before.heading.y + 1, before.table.y + 1));
    assert!(screen.lines().nth(2).unwrap().contains("NAME"), "{screen}");
    harness.machine.edit(|facts| facts.limits.shmmni = Some(1));
    harness.survey();
    assert!(harness.screen().contains("ann has 40 KiB (+1)"), "{}", harness.screen());
    fill(&harness.machine, 10);
    harness.machine.edit(|facts| facts.limits.shmmni = Some(4096));
    harness.survey();
    assert_eq!(harness.state.table_layout(), before);
}

#[test]
fn unlink_of_a_held_object_alerts_once() {
    let mut harness = harness(machine());
    harness.machine.map_in(4121, "camera", Access::ReadWrite);
    harness.survey();
    harness.machine.remove_object("camera");
    harness.survey();
    assert_eq!(
        notice(&harness),
        "/camera was removed; 40 KiB stays in memory until its holders detach (h: holders)"
    );
    harness.press("j");
    harness.survey();
    assert_eq!(notice(&harness), "");
    // System V segments behave in the same way.
    harness.machine.attach_in(4121, 5, Access::ReadWrite);
    harness.survey();
    harness.machine.edit(|facts| {
        facts.sysv[0].row.marked = true;
        facts.sysv[0].row.key = Key(0);
    });
    harness.survey();
    assert!(
        notice(&harness).starts_with("sysv:5 was removed; 4.0 KiB stays in memory"),
        "{}",
        notice(&harness)
    );
    harness.press("j");
    // There is no alert for objects without holders, or for conditions that existed at the start.
    harness.machine.add_object("free", FakeBytes::full(b"x"));
    harness.survey();
    harness.machine.remove_object("free");
    harness.survey();
    assert_eq!(notice(&harness), "");
    let again = Harness::new(harness.machine.clone(), 80, 24);
    assert_eq!(notice(&again), "");
}

#[test]
fn logout_removal_alerts_only_affected_users() {
    let machine = machine();
    let mut harness = Harness::new(machine, 140, 45);
    harness.press("<tab>");
    assert!(!harness.screen().contains("RemoveIPC"));
    harness.machine.edit(|facts| facts.limits.remove_ipc = Some(true));
    harness.survey();
    let screen = harness.screen();
    assert!(screen.contains("logout") && screen.contains("unless attached"), "{screen}");
    harness.machine.edit(|facts| facts.sysv[0].row.uid = 0);
    harness.survey();
    assert!(!harness.screen().contains("RemoveIPC"), "{}", harness.screen());
}

#[test]
fn semaphore_value_updates_live() {
    let machine = FakeMachine::new();
    let bytes = |value: u32, waiters: u32| -> Vec<u8> {
        let words = [value, waiters, 0x80, 0, 0, 0, 0, 0];
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    };
    machine.add_object("sem.gate", FakeBytes::full(&bytes(1, 0)));
    let mut harness = Harness::new(machine, 80, 24);
    assert!(harness.screen().contains("semaphore value 1, no waiters"), "{}", harness.screen());
    harness.machine.edit_object("sem.gate", |object| object.write(0, &bytes(0, 3)));
    harness.preview_again();
    assert!(harness.screen().contains("semaphore value 0, 3 waiters"), "{}", harness.screen());
}

/// A process-shared mutex that a thread has locked.
fn locked_mutex(owner: u32) -> Vec<u8> {
    let words = [1, 0, owner, 1, 0x80, 0, 0, 0, 0, 0];
    words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
}

#[test]
fn lock_of_a_dead_owner_is_an_alert_until_it_is_unlocked() {
    let machine = machine();
    machine.add_object("locks", FakeBytes::full(&locked_mutex(4122)));
    machine.map_in(4121, "locks", Access::ReadWrite);
    machine.add_process(4122, "writer");
    machine.map_in(4122, "locks", Access::ReadWrite);
    let thread = |tid| shmlens::machine::image::Thread { tid, inner_tid: tid, name: b"main".to_vec() };
    let running = shmlens::machine::image::ThreadActivity::Running;
    machine.edit(|facts| {
        for pid in [4121, 4122] {
            facts.processes.get_mut(&pid).unwrap().image.threads = vec![(thread(pid), running)];
        }
    });
    let mut harness = harness(machine);
    harness.wait(4000);
    assert!(!harness.screen().contains("nobody will unlock"), "{}", harness.screen());
    harness.machine.end_process(4122);
    harness.wait(10_000);
    let screen = harness.screen();
    let row = screen.lines().nth(1).unwrap();
    assert_eq!(row, " mutex 0x0 in /locks: owner 4122 is dead: nobody will unlock it");
    harness.machine.edit(|facts| {
        let name = shmlens::segment::ObjectName::new(b"locks").unwrap();
        *facts.posix.get_mut(&name).unwrap().bytes.lock().unwrap() = FakeBytes::full(&locked_mutex(4121));
    });
    harness.wait(10_000);
    assert!(!harness.screen().contains("nobody will unlock"), "{}", harness.screen());
}

#[test]
fn fields_that_are_locks_tell_owner_and_waiting_threads() {
    use shmlens::machine::image::{SystemCall, Thread, ThreadActivity};
    let machine = machine();
    machine.add_object("locks", FakeBytes::full(&locked_mutex(4121)));
    machine.map_in(4121, "locks", Access::ReadWrite);
    machine.add_process(4122, "reader");
    machine.map_in(4122, "locks", Access::ReadWrite);
    machine.edit(|facts| {
        for pid in [4121, 4122] {
            let process = facts.processes.get_mut(&pid).unwrap();
            let shmlens::segment::Place::Mapping { start, .. } = process.uses[0].place else {
                panic!("mapped")
            };
            let arguments = [start, 0, 2, 0, 0, 0];
            let call = SystemCall { number: libc::SYS_futex, arguments, stack: 0, program_counter: 0 };
            let activity = if pid == 4122 { ThreadActivity::Sleeping(call) } else { ThreadActivity::Running };
            let thread = Thread { tid: pid, inner_tid: pid, name: b"main".to_vec() };
            process.image.threads = vec![(thread, activity)];
        }
    });
    let mut harness = harness(machine);
    harness.press("/locks<enter><enter>t<end><enter>struct { pthread_mutex_t guard; }<enter>");
    harness.wait(2000);
    let text = harness.screen().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("guard locked by thread 4121 of grabber (alive)"), "{}", harness.screen());
}
