//! The list of threads that write to the value under the cursor.

use super::{harness, notice};
use crate::support::Harness;
use shmlens::app::event::Event;
use shmlens::app::overlay::Overlay;
use shmlens::machine::Machine as _;
use shmlens::machine::fake::{FakeBytes, FakeMachine, FakeWrite};
use shmlens::machine::image::{Thread, ThreadActivity};
use shmlens::segment::Access;

/// The address of the first mapping in a fake process.
const MAPPED: u64 = 0x7000_0000;

/// Returns a machine with an object that two processes may write to, and one that nobody has.
fn machine() -> FakeMachine {
    let machine = FakeMachine::new();
    let mut bytes = FakeBytes::hole(4096);
    bytes.write(0, &3.5f64.to_le_bytes());
    machine.add_object("motor", bytes);
    machine.add_object("nobody", FakeBytes::full(&[7; 4096]));
    for (pid, access, tids) in
        [(7, Access::ReadWrite, vec![7, 8]), (9, Access::ReadWrite, vec![9]), (11, Access::Read, vec![11])]
    {
        machine.add_process(pid, "motor");
        machine.map_in(pid, "motor", access);
        let thread = |tid| (Thread { tid, inner_tid: tid, name: vec![] }, ThreadActivity::Running);
        machine.edit(|facts| {
            facts.processes.get_mut(&pid).unwrap().image.threads = tids.into_iter().map(thread).collect();
        });
    }
    machine
}

fn write(machine: &FakeMachine, pid: u32, tid: u32, offset: u64) -> bool {
    let time = u64::try_from(machine.monotonic_time().as_nanos()).unwrap();
    let (instruction, length) = (0x1001, 8);
    machine.write_in(FakeWrite { pid, tid, time, instruction, address: MAPPED + offset, length })
}

/// Inspects the first object as a type, unless that is empty, and lists the writers at the cursor.
fn watching(machine: FakeMachine, ty: &str, keys: &str) -> Harness {
    let mut harness = harness(machine);
    harness.survey();
    harness.press("g<enter>");
    harness.look();
    if !ty.is_empty() {
        harness.press("t<end><enter>");
        harness.inject(Event::Paste(ty.to_owned()));
        harness.press("<enter>");
        harness.look();
    }
    harness.press(keys);
    harness.press("W");
    harness.wait(300);
    harness
}

fn has(harness: &Harness, texts: &[&str]) {
    let screen = harness.screen();
    for text in texts {
        assert!(screen.contains(text), "{text}\n{screen}");
    }
}

#[test]
fn writers_are_listed_while_the_list_is_open() {
    let machine = machine();
    machine.edit(|facts| facts.effective_uid = 1000);
    let mut harness = watching(machine.clone(), "", "");
    harness.state.read_only = true;
    has(
        &harness,
        &[
            "Writers of /motor+0x0 (8 bytes)",
            "Watching it in 3 threads of 2 processes.",
            "no writes yet; watching costs 10 µs per write",
        ],
    );
    assert_eq!(machine.watched_threads(), [7, 8, 9]);
    assert!(write(&machine, 7, 7, 0) && write(&machine, 7, 7, 0) && write(&machine, 9, 9, 0));
    assert!(!write(&machine, 7, 8, 8), "another value");
    harness.wait(300);
    has(
        &harness,
        &[
            "motor (7)  thread 7  0x1000",
            "writes/s, 2 in all, last ",
            " ms ago; loses 0.0% of its time",
            "motor (9)  thread 9  0x1000",
            "3 writes by 2 threads; watching costs 10 µs per write",
            "Not seen: writes by the kernel",
        ],
    );
    // The selection stays on its writer.
    harness.press("j");
    assert!(write(&machine, 9, 9, 0) && write(&machine, 9, 9, 0));
    harness.wait(300);
    let Some(Overlay::Writers(shown)) = &harness.state.overlay else { panic!() };
    assert_eq!((shown.list.selected, shown.rows()[0].tid), (0, 9));

    harness.press("<esc>");
    assert!(harness.state.overlay.is_none() && harness.state.inspect.is_some());
    assert!(machine.watched_threads().is_empty(), "closing the list ends the watch");
    harness.press("W");
    harness.wait(300);
    assert_eq!(machine.watched_threads(), [7, 8, 9]);
    assert!(!harness.screen().contains("in all"), "another watch counts from 0");
    harness.press("W");
    assert!(harness.state.overlay.is_none() && machine.watched_threads().is_empty());
}

#[test]
fn hot_thread_is_shown_as_released() {
    let machine = machine();
    let mut harness = watching(machine.clone(), "", "");
    assert!((0..2600).all(|_| write(&machine, 7, 8, 0)));
    harness.wait(300);
    has(&harness, &["motor (7)  thread 8", "released: more than 5000 writes/s; 2600 in all, last "]);
    has(&harness, &["`shmlens writers --no-limit` keeps watching released threads."]);
    assert_eq!(machine.watched_threads(), [7, 9]);
}

#[test]
fn field_is_watched_unless_it_is_too_long() {
    let machine = machine();
    let ty = "struct { uint64_t tick; double v[20]; uint16_t mode; }";
    let harness = watching(machine.clone(), ty, "<tab>");
    has(&harness, &["Writers of /motor+0x0 (8 bytes)"]);
    drop(harness);
    let harness = watching(machine.clone(), ty, "<tab>jj");
    has(&harness, &["Writers of /motor+0xa8 (2 bytes)"]);
    assert!(write(&machine, 7, 7, 0xa2) && !write(&machine, 7, 7, 0xa0));
    drop(harness);
    let harness = watching(machine.clone(), ty, "<tab>j");
    assert!(harness.state.overlay.is_none());
    let text = "160 bytes at offset 0x8 do not fit in the 4 watchpoints of a thread, of 8 aligned bytes each: watch at \
                most 32 bytes, at a multiple of 8. Select a value in it";
    assert_eq!(notice(&harness), text);
    assert!(machine.watched_threads().is_empty());
}

#[test]
fn threads_that_cannot_be_watched_are_explained() {
    let machine = machine();
    machine.edit(|facts| {
        facts.watches.perf_event_paranoid = Some(4);
        facts.watches.refused = Some(libc::EACCES);
        facts.effective_uid = 1000;
    });
    let harness = watching(machine, "", "");
    has(&harness, &["kernel.perf_event_paranoid is 4, which forbids users to watch writes"]);
    assert!(!harness.screen().contains("Watching") && !harness.screen().contains("No process maps it"));
}

#[test]
fn segment_without_writers_waits_for_one_and_ends_with_it() {
    let machine = machine();
    let mut harness = watching(machine.clone(), "", "<esc>j<enter>");
    has(&harness, &["Writers of /nobody", "No process maps it for writing."]);
    machine.remove_object("nobody");
    harness.wait(3000);
    has(&harness, &["Segment is gone."]);
}

/// Writes before the current second, which then ends: the value is read after the write.
fn write_and_pass(harness: &mut Harness, machine: &FakeMachine, offset: u64) {
    let time = u64::try_from(machine.monotonic_time().as_nanos()).unwrap() - 1_000_000;
    let (pid, tid, instruction, length) = (7, 8, 0x1001, 8);
    assert!(machine.write_in(FakeWrite { pid, tid, time, instruction, address: MAPPED + offset, length }));
    harness.wait(40);
    machine.edit(|facts| facts.now += 1);
    harness.wait(100);
}

/// Opens the Scope screen on the first two words of the first object.
fn scoped(machine: FakeMachine) -> Harness {
    let mut harness = harness(machine);
    harness.survey();
    harness.press("g<enter>");
    harness.look();
    harness.press("o0<enter>ao8<enter>av");
    harness.wait(300);
    assert_eq!(harness.state.scope.channels.len(), 2);
    harness
}

/// The samples of each channel since the last reset of the statistics.
fn samples(harness: &Harness) -> Vec<u64> {
    harness.state.scope.channels.iter().map(|one| one.statistics.samples()).collect()
}

#[test]
fn selected_channel_is_sampled_at_every_write() {
    let machine = machine();
    let mut harness = scoped(machine.clone());
    harness.press("gkw");
    assert!(notice(&harness).ends_with("the other values are not sampled meanwhile"), "{}", notice(&harness));
    harness.wait(300);
    assert_eq!(machine.watched_threads(), [7, 8, 9]);
    has(&harness, &["at every write: no writes yet"]);
    harness.press("r");
    harness.wait(300);
    assert_eq!(samples(&harness), [0, 0], "time alone takes no samples");
    write_and_pass(&mut harness, &machine, 0);
    write_and_pass(&mut harness, &machine, 0);
    assert_eq!(samples(&harness), [2, 0]);
    has(&harness, &["at every write: ", " 0 late, 0 lost"]);
    harness.press("+");
    assert_eq!(notice(&harness), "Sampled at every write (w: by time)");

    // The list of writers shares the watch, and does not need another write.
    harness.press("W");
    has(&harness, &["motor (7)  thread 8", "2 writes by 1 thread"]);
    write_and_pass(&mut harness, &machine, 0);
    assert_eq!(samples(&harness), [3, 0]);
    harness.press("<esc>");
    // That of another value interrupts it.
    harness.press("jW");
    write_and_pass(&mut harness, &machine, 8);
    assert_eq!(samples(&harness), [3, 0]);
    harness.press("<esc>");
    harness.wait(300);
    write_and_pass(&mut harness, &machine, 0);
    assert_eq!(samples(&harness), [4, 0]);

    harness.press("kw");
    harness.wait(300);
    assert_eq!(notice(&harness), "Sampling by time");
    assert!(machine.watched_threads().is_empty());
    assert!(samples(&harness)[1] > 20);
}

#[test]
fn channel_at_every_write_tells_why_there_are_no_writes() {
    let machine = machine();
    machine.edit(|facts| {
        facts.watches.perf_event_paranoid = Some(4);
        facts.watches.refused = Some(libc::EACCES);
        facts.effective_uid = 1000;
    });
    let mut harness = scoped(machine.clone());
    harness.press("w");
    harness.wait(300);
    assert!(notice(&harness).contains("kernel.perf_event_paranoid is 4"), "{}", notice(&harness));
    harness.press("d");
    assert!(harness.state.scope.at_writes.is_none(), "its channel is gone");
    harness.wait(300);
    assert!(samples(&harness)[0] > 20);
}
