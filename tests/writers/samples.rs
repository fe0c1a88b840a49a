//! Samples of a value at every write.

use super::{Program, watched};
use crate::support::{Child, Namespaces, Object, SOON, shmlens, wait_until};
use shmlens::decode::{ByteOrder, Scalar, Type};
use shmlens::engine::{AtEveryWrite, Body, Job, Request, WatchedValue, Worker as _, Writers};
use shmlens::machine::real::RealMachine;
use shmlens::scope::{Batch, Column, Grade, SampledValue};
use shmlens::survey::{Names, Survey};
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A watch of the first word of the only segment.
struct Sampler {
    worker: Writers,
    started: Instant,
}

impl Sampler {
    fn new(limit: Option<u32>) -> Self {
        let segment = Survey::take(&RealMachine, &mut Names::default()).segments.remove(0);
        let ty = Type::scalar(Scalar::U64, ByteOrder::native());
        let value =
            SampledValue { segment: Box::new(segment.clone()), offset: 0, ty, bits: None, sequence: None };
        let sample = AtEveryWrite { number: 0, value };
        let watched = WatchedValue { segment, range: 0..8, limit, count: None, sample: Some(sample) };
        let (mut worker, started) = (Writers::default(), Instant::now());
        let job = Job::new(Request::WatchWriters(Some(Box::new(watched))));
        worker.handle(&RealMachine, Duration::ZERO, job);
        worker.work(&RealMachine, started.elapsed());
        Self { worker, started }
    }

    /// Takes samples until there are so many writes, or for a time.
    fn take(&mut self, writes: usize, time: Duration) -> Batch {
        let mut all = Batch { columns: vec![Column::default()], ..Batch::default() };
        let start = Instant::now();
        while all.writes.len() < writes && start.elapsed() < time {
            for report in self.worker.work(&RealMachine, self.started.elapsed()) {
                let Body::Samples(found) = report.body else { continue };
                let mut batch = found.into_batch();
                let column = batch.columns.remove(0);
                all.columns[0].bits.extend(column.bits);
                all.columns[0].grades.extend(column.grades);
                all.times.extend(batch.times);
                all.writes.extend(batch.writes);
                all.timing = batch.timing;
            }
        }
        all
    }
}

#[test]
fn every_write_is_sampled_with_its_time_value_and_thread() {
    const WRITES: u64 = 100;
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &["step"]) else { return };
    let mut sampler = Sampler::new(None);
    program.send("go");
    let found = sampler.take(usize::try_from(WRITES).unwrap(), SOON);
    let tid: u32 = program.stop()[0].tid.try_into().unwrap();
    for write in &found.writes {
        let write = write.as_ref().unwrap();
        assert_eq!((write.thread.tid, write.place.name()), (tid, "Motor::step".to_owned()));
    }
    let (times, column) = (&found.times, &found.columns[0]);
    assert!(times.is_sorted_by(|one, other| other - one > 4_000_000), "the program pauses: {times:?}");
    let mut sure = 0;
    for (expected, (&value, &grade)) in (1..).zip(column.bits.iter().zip(&column.grades)) {
        match grade {
            Grade::Whole => {
                assert_eq!(value, expected, "{column:?}");
                sure += 1;
            }
            grade => assert_eq!((grade, value > expected), (Grade::Unverified, true), "{column:?}"),
        }
    }
    let all = times.len() as u64;
    assert_eq!((found.timing.late, found.timing.samples), (all - sure, all));
    assert!(all >= WRITES && sure > all / 2, "{sure} of {all}");
    assert_eq!(found.timing.missed, 0);
    assert!(found.timing.jitter < Duration::from_millis(5), "{:?}", found.timing);
}

#[test]
fn values_that_other_writes_replaced_are_marked_and_counted() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &[]) else { return };
    let mut sampler = Sampler::new(None);
    program.send("hot");
    let found = sampler.take(200, SOON);
    let grades = &found.columns[0].grades;
    let marked = grades.iter().filter(|&&grade| grade == Grade::Unverified).count() as u64;
    assert_eq!(found.timing.late, marked);
    assert!(marked > 0, "a loop of writes is faster than the reads");
    assert!(found.times.is_sorted());
}

#[test]
fn recording_has_every_write() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &["step"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let mut command = shmlens();
    command.args(["record", "v=/a+0:u64", "--every-write", "--duration", "600ms", "-o"]).arg(&path);
    command.stderr(Stdio::null());
    let mut child = Child::spawn_piped(&mut command);
    wait_until(SOON, || watched(&child) == 2);
    program.send("go");
    assert_eq!(child.wait(SOON).code(), Some(0));
    let text = fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    let header = "time,v,writer.pid,writer.tid,writer.function,writer.late";
    assert_eq!(lines.next(), Some(header));
    let pid = program.child.pid().to_string();
    let rows: Vec<(f64, u64)> = lines
        .map(|line| {
            let [time, value, by, _, function, late] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            assert_eq!((by, function), (pid.as_str(), "\"Motor::step\""));
            assert!(["0", "1"].contains(&late), "{line}");
            (time.parse().unwrap(), value.parse().unwrap())
        })
        .collect();
    assert!(rows.len() > 10, "{text}");
    for pair in rows.windows(2) {
        let [(time, value), (next_time, next)] = pair else { panic!("{pair:?}") };
        // A value that was replaced is that of a later write.
        assert!(next_time - time > 0.004 && next >= value && *value > 0, "{text}");
    }
    let refused = shmlens().args(["record", "/a+0:u64", "/a+8:u64", "--every-write", "-o", "x.csv"]).output();
    let refused = refused.unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--every-write samples one value"));
}
