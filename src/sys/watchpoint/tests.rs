//! Watchpoints in the thread of the test.

use super::*;
use crate::sys::skip::skip_for_kernel;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::thread;

const SMALL: WatchOptions = WatchOptions { buffer: MIN_RING, wakes: false };

fn own_tid() -> u32 {
    nix::unistd::gettid().as_raw().cast_unsigned()
}

/// Watches a word in this thread. `None`, with the test skipped, where the kernel refuses.
fn watch(target: &AtomicU64, ring: usize) -> Option<ThreadWatch> {
    let watched = WatchedBytes { address: target.as_ptr() as u64, length: 8 };
    match ThreadWatch::open(own_tid(), &[watched], WatchOptions { buffer: ring, wakes: true }) {
        Ok(watch) => Some(watch),
        Err(error) => {
            skip_for_kernel(&format!("needs write watchpoints (perf_event_open): {error}"));
            None
        }
    }
}

fn write(target: &AtomicU64, value: u64) {
    target.store(value, Ordering::Relaxed);
    std::hint::black_box(target);
}

#[test]
fn every_write_has_a_record_until_the_watch_is_disabled() {
    let target = AtomicU64::new(0);
    let Some(mut watch) = watch(&target, MAX_RING) else { return };
    let before = clock_gettime(ClockId::CLOCK_MONOTONIC).unwrap();
    let is_ready = |watch: &ThreadWatch| {
        let ready = &mut [PollFd::new(watch.descriptor().unwrap(), PollFlags::POLLIN)];
        poll(ready, PollTimeout::ZERO).unwrap() == 1
    };
    assert!(!is_ready(&watch));
    (1..=5).for_each(|value| write(&target, value));
    assert!(is_ready(&watch));
    let mut times = vec![];
    let pid = std::process::id();
    watch.drain(|event| {
        let Event::Write(sample) = event else { panic!("{event:?}") };
        assert_eq!((sample.pid, sample.tid, sample.address), (pid, own_tid(), target.as_ptr() as u64));
        if cfg!(target_arch = "x86_64") {
            let registers = sample.registers.unwrap();
            assert_eq!(registers[16], sample.instruction);
            assert_eq!(sample.stack.len(), STACK as usize);
        }
        times.push(sample.time);
    });
    assert_eq!((times.len(), watch.hits().unwrap()), (5, 5));
    let before = u64::try_from(Duration::from(before).as_nanos()).unwrap();
    assert!(times.is_sorted() && times[0] >= before, "{times:?} {before}");
    watch.disable().unwrap();
    write(&target, 6);
    watch.drain(|event| panic!("{event:?}"));
    assert_eq!(watch.hits().unwrap(), 5);
}

#[test]
fn lost_records_are_counted_and_the_ring_wraps() {
    let target = AtomicU64::new(0);
    let Some(mut watch) = watch(&target, MIN_RING) else { return };
    for round in 1..=20 {
        // Each record takes more than 4 KiB.
        (0..7).for_each(|value| write(&target, value));
        let mut found = 0;
        watch.drain(|event| found += u64::from(matches!(event, Event::Write(_))));
        assert_eq!((found, watch.hits().unwrap()), (7, 7 * round));
    }
    (0..100).for_each(|value| write(&target, value));
    let mut found = 0;
    watch.drain(|event| found += u64::from(matches!(event, Event::Write(_))));
    assert!(found < 100);
    assert_eq!(watch.hits().unwrap(), 240);
}

#[test]
fn fifth_watchpoint_of_a_thread_is_refused() {
    let words = [const { AtomicU64::new(0) }; 5];
    let Some(_first) = watch(&words[0], MIN_RING) else { return };
    let watched = |word: &AtomicU64| WatchedBytes { address: word.as_ptr() as u64, length: 8 };
    let rest: Vec<WatchedBytes> = words[1..].iter().map(watched).collect();
    let error = ThreadWatch::open(own_tid(), &rest, SMALL).err().unwrap();
    assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
    assert!(ThreadWatch::open(own_tid(), &rest[1..], SMALL).is_ok());
}

#[test]
fn writes_to_all_watchpoints_of_a_thread_are_in_order() {
    let words = [const { AtomicU64::new(0) }; 3];
    if watch(&words[0], MIN_RING).is_none() {
        return;
    }
    let watched: Vec<WatchedBytes> =
        words.iter().map(|word| WatchedBytes { address: word.as_ptr() as u64, length: 8 }).collect();
    let mut watch = ThreadWatch::open(own_tid(), &watched, SMALL).unwrap();
    let order = [2, 0, 1, 1, 0];
    for index in order {
        write(&words[index], 1);
    }
    let mut found = vec![];
    watch.drain(|event| {
        if let Event::Write(sample) = event {
            found.push(sample.address);
        }
    });
    assert_eq!(found, order.map(|index: usize| words[index].as_ptr() as u64));
}

#[test]
fn thread_that_begins_is_reported() {
    let target = AtomicU64::new(0);
    let Some(mut watch) = watch(&target, MIN_RING) else { return };
    thread::spawn(|| ()).join().unwrap();
    let mut events = 0;
    watch.drain(|event| events += usize::from(event == Event::Threads));
    assert_eq!(events, 1, "the end of another thread is not reported");
}

#[test]
fn trap_takes_measurable_time() {
    if watch(&AtomicU64::new(0), MIN_RING).is_none() {
        return;
    }
    let cost = trap_cost().unwrap();
    assert!((Duration::from_nanos(100)..Duration::from_millis(5)).contains(&cost), "{cost:?}");
}

/// Runs a thread that does something again and again, and catches it.
fn catch(wakes_at: impl Fn(u32) -> Option<u64>, step: impl Fn() + Sync) -> Option<Vec<CaughtThread>> {
    let is_done = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            tell.send(own_tid()).unwrap();
            while !is_done.load(Ordering::Relaxed) {
                step();
            }
        });
        let tid = told.recv().unwrap();
        let caught = catch_threads(&[Target { tid, wakes_at: wakes_at(tid) }], Duration::from_secs(5));
        is_done.store(true, Ordering::Relaxed);
        match caught {
            Ok(caught) if REGISTER_MASK != 0 => {
                assert_eq!(caught.iter().map(|thread| thread.tid).collect::<Vec<_>>(), [tid]);
                Some(caught)
            }
            Ok(_) => None,
            Err(error) => {
                skip_for_kernel(&format!("needs breakpoints (perf_event_open): {error}"));
                None
            }
        }
    })
}

#[test]
fn sleeping_thread_is_caught_where_it_wakes_up() {
    // The last word is the program counter.
    let program_counter = |tid: u32| {
        loop {
            let text = std::fs::read_to_string(format!("/proc/self/task/{tid}/syscall")).unwrap();
            let last = text.split_whitespace().last().and_then(|word| word.strip_prefix("0x"));
            if let Some(word) = last {
                return u64::from_str_radix(word, 16).ok();
            }
        }
    };
    let at = std::cell::Cell::new(None);
    let wakes_at = |tid| {
        at.set(program_counter(tid));
        at.get()
    };
    let Some(caught) = catch(wakes_at, || thread::sleep(Duration::from_millis(5))) else { return };
    assert_eq!(caught[0].registers[16], at.get().unwrap());
    assert_eq!(caught[0].stack.len(), STACK as usize);
}

#[test]
fn thread_that_runs_is_caught_in_the_program() {
    let step = || {
        for value in 0..1000_u64 {
            std::hint::black_box(value);
        }
    };
    let Some(caught) = catch(|_| None, step) else { return };
    let [pc, stack] = [16, 7].map(|register: usize| caught[0].registers[register]);
    assert!(pc != 0 && pc < 1 << 63 && stack % 8 == 0, "{pc:#x} {stack:#x}");
}

#[test]
fn thread_that_neither_wakes_nor_exists_is_not_caught() {
    let target = |tid, wakes_at| Target { tid, wakes_at };
    // This thread does not come to the address 0x1000, and no process has this id.
    let targets = [target(own_tid(), Some(0x1000)), target(0x003f_ffff, Some(0x1000))];
    let start = std::time::Instant::now();
    if let Ok(caught) = catch_threads(&targets, Duration::from_millis(20)) {
        assert_eq!(caught, []);
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}
