//! Samples of real segments through the engine.

mod lifetime;
mod rates;
mod sequence;
mod stable;
mod traces;

use crate::support::{Child, SOON, compile_cpp};
use shmlens::decode::{ByteOrder, Scalar, Type};
use shmlens::engine::{Body, Delivery, Engine, Options, Request, ScopeRequest};
use shmlens::machine::Machine;
use shmlens::machine::real::RealMachine;
use shmlens::scope::{Batch, Column, EventKind, Grade, Rate, SampledValue};
use shmlens::segment::{Segment, SegmentId};
use shmlens::survey::{Depth, Holdings, Names, Survey};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Returns a segment from a survey with holders.
fn listed(id: &SegmentId) -> Segment {
    let mut names = Names::default();
    let (holdings, mut survey) = Holdings::scan_and(&RealMachine, Depth::Shared, &mut names, |names| {
        Survey::take(&RealMachine, names)
    });
    survey.join(&holdings, &RealMachine, &mut names);
    survey.segments.into_iter().find(|segment| segment.id == *id).unwrap()
}

fn posix(name: &str) -> Segment {
    listed(&format!("posix:{name}").parse().unwrap())
}

fn value(segment: &Segment, scalar: Scalar, offset: u64) -> SampledValue {
    let ty = Type::scalar(scalar, ByteOrder::native());
    SampledValue { segment: Box::new(segment.clone()), offset, ty, bits: None, sequence: None }
}

/// Starts the writer with these arguments. `None` without a compiler.
pub fn writer(arguments: &[&str]) -> Option<Child> {
    let mut child = Child::spawn_piped(Command::new(compile_cpp("tests/scope/writer.cpp")?).args(arguments));
    assert!(child.line(SOON).starts_with("ready"));
    Some(child)
}

/// A running scope, and everything that it has sampled.
struct Scope {
    engine: Engine,
    deliveries: Receiver<Delivery>,
    all: Batch,
}

impl Scope {
    fn start(rate: Rate, values: Vec<SampledValue>) -> Self {
        let (send, deliveries) = mpsc::channel();
        let machine: Arc<dyn Machine> = Arc::new(RealMachine);
        let sink = move |report: shmlens::engine::Report| {
            if let Body::Samples(delivery) = report.body {
                let _ = send.send(delivery);
            }
        };
        let mut engine = Engine::start(&machine, Options::default(), sink).unwrap();
        let all = Batch { columns: vec![Column::default(); values.len()], ..Batch::default() };
        engine.send(Request::Scope(Some(Box::new(ScopeRequest { number: 1, values, rate }))));
        Self { engine, deliveries, all }
    }

    /// Takes samples until the condition holds.
    #[track_caller]
    fn until(&mut self, mut condition: impl FnMut(&Batch) -> bool) {
        let start = Instant::now();
        while !condition(&self.all) {
            let left = SOON.saturating_sub(start.elapsed());
            let Ok(delivery) = self.deliveries.recv_timeout(left) else {
                panic!("not within {SOON:?}: {:?}, {:?}", self.all.timing, self.all.events)
            };
            self.add(delivery.into_batch());
        }
    }

    /// Takes the samples of at least this time.
    fn sample_for(&mut self, time: Duration) {
        let ends = self.all.timing.elapsed + time;
        self.until(|all| all.timing.elapsed >= ends);
    }

    /// Ends the scope, and checks that no tick and no sample was lost.
    fn stop(mut self) -> Batch {
        self.engine.send(Request::Scope(None));
        self.engine.stop();
        while let Ok(delivery) = self.deliveries.recv_timeout(SOON) {
            Self::append(&mut self.all, delivery.into_batch());
        }
        let Batch { times, columns, timing, .. } = &self.all;
        assert_eq!(timing.samples + timing.missed, timing.ticks);
        assert!(times.is_sorted());
        let is_taken = |row: usize| columns.iter().any(|column| column.grades[row] != Grade::Missing);
        let taken = (0..times.len()).filter(|&row| is_taken(row)).count();
        assert_eq!(taken as u64, timing.samples);
        self.all
    }

    fn add(&mut self, batch: Batch) {
        Self::append(&mut self.all, batch);
    }

    fn append(all: &mut Batch, batch: Batch) {
        all.times.extend(batch.times);
        for (column, next) in all.columns.iter_mut().zip(batch.columns) {
            column.bits.extend(next.bits);
            column.grades.extend(next.grades);
        }
        all.events.extend(batch.events);
        all.timing = batch.timing;
    }
}

/// The last sample of a channel.
fn last(batch: &Batch, channel: usize) -> Option<(u64, Grade)> {
    let column = &batch.columns[channel];
    Some((*column.bits.last()?, *column.grades.last()?))
}

fn has_event(batch: &Batch, kind: &EventKind) -> bool {
    batch.events.iter().any(|event| event.kind == *kind)
}
