//! Tests of the sampler.

use super::*;
use crate::decode::{ByteOrder, Scalar, Type};
use crate::scope::{SampledValue, Sequence};
use crate::segment::{SegmentId, ShmId, example};

fn value(scalar: Scalar, offset: u64) -> SampledValue {
    let ty = Type::scalar(scalar, ByteOrder::native());
    SampledValue { segment: Box::new(example::sysv()), offset, ty, bits: None, sequence: None }
}

/// The parts of a plan, as (start, length in words, channels).
fn parts(plan: &SourcePlan) -> Vec<(u64, usize, Vec<usize>)> {
    let part = |part: &plan::PartPlan| {
        (part.start, part.length, part.fields.iter().map(|(channel, _)| *channel).collect())
    };
    plan.all_parts().map(part).collect()
}

#[test]
fn neighbors_are_read_together() {
    let mut other = value(Scalar::U8, 5);
    other.segment.id = SegmentId::Sysv(ShmId(1));
    let values = [
        value(Scalar::U64, 4104),
        value(Scalar::U8, 13),
        other,
        value(Scalar::U128, 0),
        value(Scalar::U16, 4102),
        value(Scalar::U64, 1 << 40),
    ];
    let (plans, refused) = plan(&values);
    assert_eq!(refused, [3]);
    assert_eq!(plans.len(), 2);
    // From 8, 4096 bytes reach to 4104.
    let expected = [(8, 512, vec![1, 4]), (4104, 1, vec![0]), (1 << 40, 1, vec![5])];
    assert_eq!(parts(&plans[0]), expected);
    assert_eq!(parts(&plans[1]), [(0, 1, vec![2])]);
}

#[test]
fn values_of_a_lock_are_read_apart_from_others() {
    let locked = |offset, lock| SampledValue {
        sequence: Some(Sequence { offset: lock, size: 4 }),
        ..value(Scalar::U32, offset)
    };
    let values = [value(Scalar::U8, 0), locked(8, 100), locked(12, 100), locked(16, 200)];
    let (plans, _) = plan(&values);
    let [plan] = &plans[..] else { panic!("{plans:?}") };
    let expected =
        [(0, 1, vec![0]), (96, 1, vec![0]), (8, 1, vec![1, 2]), (200, 1, vec![0]), (16, 1, vec![3])];
    assert_eq!(parts(plan), expected);
    assert!(plan.needs_views(Rate::Hertz(1.0)), "for the locks");
}

#[test]
fn mapping_is_for_many_reads() {
    let scattered: Vec<SampledValue> = (0..64).map(|n| value(Scalar::U8, n << 20)).collect();
    let needs = |values: &[SampledValue], rate| plan(values).0[0].needs_views(rate);
    assert!(!needs(&scattered, Rate::Hertz(100.0)) && needs(&scattered, Rate::Hertz(1000.0)));
    assert!(!needs(&scattered[..2], Rate::Hertz(10_000.0)) && needs(&scattered[..1], Rate::Burst));
}

#[test]
fn batches_of_many_channels_are_short() {
    for (channels, rows) in [(1, 1 << 16), (64, 1 << 10), (1 << 17, 1)] {
        assert_eq!(Sampler::new(&[], channels, Rate::Burst).max_rows, rows);
    }
}

/// Memory of 8 bytes that counts its reads.
struct Counter(u64);

impl Memory for Counter {
    fn copy(&mut self, _: &[u16], into: &mut [u64]) -> usize {
        self.0 += 1;
        into[0] = self.0;
        8
    }
}

#[test]
fn times_ascend_even_if_a_read_ends_after_the_next_tick() {
    let (plans, _) = plan(&[value(Scalar::U64, 0)]);
    let mut sampler = Sampler::new(&plans, 1, Rate::Hertz(1000.0));
    sampler.set_memory(0, Some(vec![Box::new(Counter(0))]));
    // Each read begins and ends at these times.
    let times = [0, 6_000_000, 6_000_000, 6_000_100, 7_000_000, 7_000_002];
    let times = std::cell::RefCell::new(times.into_iter());
    for _ in 0..3 {
        sampler.run(&|| times.borrow_mut().next().unwrap());
    }
    let batch = sampler.take();
    assert_eq!(batch.times, [3_000_000, 3_000_001, 6_000_050, 7_000_001]);
    assert_eq!(batch.columns[0].bits, [1, 0, 2, 3]);
    let grades = [Grade::Whole, Grade::Missing, Grade::Whole, Grade::Whole];
    assert_eq!(batch.columns[0].grades, grades);
    let timing = batch.timing;
    assert_eq!((timing.ticks, timing.samples, timing.missed), (8, 3, 5));
    assert_eq!(timing.worst.as_nanos(), 3_000_000);
    assert!(sampler.take().is_empty());
}
