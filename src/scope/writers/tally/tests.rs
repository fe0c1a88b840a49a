//! Counting, on records without a machine.

use super::*;

const SECOND: u64 = 1_000_000_000;

fn thread(tid: u32) -> ThreadId {
    ThreadId { process: ProcessId { pid: 7, start: 1 }, tid }
}

fn place(function: &str, line: u64) -> Arc<CodePlace> {
    let (function, file) = (Some(function.to_owned()), Some("motor.cpp".to_owned()));
    Arc::new(CodePlace { address: 0x1000 + line, function, file, line: Some(line), module: None })
}

fn write(time: u64, instruction: u64, address: u64, register: u64) -> Sample<'static> {
    let registers = Some([register; REGISTERS]);
    Sample { time, pid: 7, tid: 8, instruction, address, registers, stack: &[] }
}

#[test]
fn writes_are_counted_by_thread_function_and_line() {
    let mut tally = Tally::new(None, None);
    for tid in [8, 9] {
        tally.begin(thread(tid), b"writer", 0);
    }
    for at in 1..=100 {
        tally.write(thread(8), &write(at * 20_000_000, 0x1001, 16, at), &place("step", 1));
    }
    tally.write(thread(8), &write(2 * SECOND, 0x1002, 16, 1), &place("step", 2));
    tally.write(thread(9), &write(2 * SECOND, 0x1001, 16, 1), &place("step", 1));
    tally.write(thread(10), &write(SECOND, 0x1001, 16, 1), &place("step", 1));
    let table = tally.table(Some(Duration::from_micros(13)), 2 * SECOND);
    let rows: Vec<_> =
        table.writers.iter().map(|row| (row.tid, row.place.line, row.writes, row.rate)).collect();
    assert_eq!(rows, [(8, Some(1), 100, 50.0), (8, Some(2), 1, 0.5), (9, Some(1), 1, 0.5)]);
    assert_eq!((table.writes, table.processes, table.threads, table.lost), (102, 1, 2, 0));
    assert_eq!(table.writers[0].last, 2 * SECOND);
    let loss = table.writers[0].loss(Duration::from_micros(13));
    assert!((loss - 100.0 / 1.98 * 13e-6).abs() < 1e-6, "{loss}");
}

#[test]
fn instruction_that_hits_several_watchpoints_writes_once() {
    let mut tally = Tally::new(None, None);
    tally.begin(thread(8), b"writer", 0);
    let mut count = |writes: &[(u64, u64)]| {
        for &(address, register) in writes {
            tally.write(thread(8), &write(1, 0x1001, address, register), &place("step", 1));
        }
        tally.table(None, SECOND).writes
    };
    assert_eq!(count(&[(16, 1), (24, 1)]), 1);
    assert_eq!(count(&[(16, 1), (24, 1)]), 2, "the same watchpoint again is another write");
    assert_eq!(count(&[(16, 2), (24, 3), (32, 4)]), 5, "a loop has another register each time");
}

#[test]
fn lost_records_are_counted() {
    let mut tally = Tally::new(None, None);
    tally.begin(thread(8), b"writer", 0);
    tally.write(thread(8), &write(1, 0x1001, 16, 1), &place("step", 1));
    tally.hits(thread(8), 10, 2);
    assert_eq!(tally.table(None, SECOND).lost, 9);
    // A new watch counts from 0.
    tally.end(thread(8), ThreadState::Ended, SECOND);
    tally.begin(thread(8), b"writer", 2 * SECOND);
    tally.hits(thread(8), 3, 2 * SECOND);
    let table = tally.table(None, 3 * SECOND);
    assert_eq!(table.lost, 12);
    assert!(
        (table.writers[0].rate - 0.5).abs() < 1e-9,
        "the pause does not count: {}",
        table.writers[0].rate
    );
}

#[test]
fn thread_above_the_limit_is_released_but_a_burst_is_not() {
    let run = |rate: u64, seconds: u64| {
        let mut tally = Tally::new(Some(5000), None);
        tally.begin(thread(8), b"writer", 0);
        (1..=seconds * 50).find(|&at| tally.hits(thread(8), rate * at / 50, at * SECOND / 50))
    };
    assert_eq!(run(4900, 60), None);
    assert!(run(5500, 60).is_some_and(|at| at > 50), "half a second's worth is allowed");
    assert!(run(60_000, 1).is_some_and(|at| at <= 5));
    let mut tally = Tally::new(Some(5000), None);
    tally.begin(thread(8), b"writer", 0);
    assert!(!tally.hits(thread(8), 2400, SECOND / 100), "a burst");
    assert!(!tally.hits(thread(8), 4800, SECOND));
    let mut tally = Tally::new(None, None);
    tally.begin(thread(8), b"writer", 0);
    assert!(!tally.hits(thread(8), 1 << 40, 1), "there is no limit");
}

#[test]
fn released_thread_has_the_rate_of_its_burst() {
    let mut tally = Tally::new(Some(5000), None);
    tally.begin(thread(8), b"writer", 0);
    tally.write(thread(8), &write(1, 0x1001, 16, 1), &place("step", 1));
    // A second without a write does not make the burst any slower.
    assert!(!tally.hits(thread(8), 100, SECOND));
    assert!(!tally.hits(thread(8), 1100, SECOND + SECOND / 50));
    assert!(tally.hits(thread(8), 4100, SECOND + SECOND / 20));
    tally.end(thread(8), ThreadState::Released, SECOND + SECOND / 20);
    let table = tally.table(None, 5 * SECOND);
    let row = &table.writers[0];
    assert_eq!(row.released_rate.map(f64::round), Some(80_000.0));
    assert_eq!((row.watched, row.lost), (Duration::from_millis(1050), 4099));
    assert!((row.rate - 1.0 / 1.05).abs() < 1e-9, "the time after its release does not count: {}", row.rate);
    let texts: Vec<String> = table.released_texts(5000).collect();
    assert_eq!(texts, ["writer (7) thread 8 was released: it made 80000 writes/s, more than 5000"]);
    // When it is watched again, it is no longer released.
    tally.begin(thread(8), b"writer", 6 * SECOND);
    assert_eq!(tally.table(None, 7 * SECOND).writers[0].released_rate, None);
}

#[test]
fn counting_ends_at_the_requested_number() {
    let mut tally = Tally::new(None, Some(2));
    tally.begin(thread(8), b"writer", 0);
    for at in 1..=5 {
        tally.write(thread(8), &write(at, 0x1001, 16, at), &place("step", 1));
    }
    let table = tally.table(None, SECOND);
    assert_eq!((table.writes, table.writers[0].writes, table.is_complete), (2, 2, true));
}

#[test]
fn writes_without_a_function_are_counted_by_address() {
    let mut tally = Tally::new(None, None);
    tally.begin(thread(8), b"writer", 0);
    for at in [0x10, 0x20, 0x10] {
        tally.write(thread(8), &write(at, at, 16, at), &Arc::new(CodePlace::unknown(at)));
    }
    let table = tally.table(None, SECOND);
    let rows: Vec<_> = table.writers.iter().map(|row| (row.place.name(), row.writes)).collect();
    assert_eq!(rows, [("0x10".to_owned(), 2), ("0x20".to_owned(), 1)]);
}
