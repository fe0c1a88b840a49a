//! Tests of grades, with memory that changes between reads.

use super::*;
use crate::decode::{ByteOrder, Scalar, Type};
use crate::scope::Sequence;
use crate::scope::sampler::field::Field;
use std::collections::VecDeque;

/// Memory of 32 bytes that returns one scripted content for each read, and the last one forever.
struct Script(VecDeque<Vec<u8>>);

impl Memory for Script {
    fn copy(&mut self, words: &[u16], into: &mut [u64]) -> usize {
        let bytes = if self.0.len() > 1 { self.0.pop_front().unwrap() } else { self.0[0].clone() };
        for &word in words {
            let mut padded = bytes.clone();
            padded.resize(32, 0xee);
            into[usize::from(word)] = u64::from_ne_bytes(padded.as_chunks().0[usize::from(word)]);
        }
        bytes.len()
    }
}

fn script(contents: &[[u64; 4]]) -> Box<dyn Memory> {
    let bytes = |content: &[u64; 4]| content.iter().flat_map(|word| word.to_ne_bytes()).collect();
    Box::new(Script(contents.iter().map(bytes).collect()))
}

fn plan(values: &[(Scalar, u64)]) -> PartPlan {
    let field = |(channel, &(scalar, offset)): (usize, &(Scalar, u64))| {
        (channel, Field::new(Type::scalar(scalar, ByteOrder::native()).at(offset), 0).unwrap())
    };
    PartPlan { start: 0, length: 4, fields: values.iter().enumerate().map(field).collect() }
}

const NONE: (u64, Grade) = (0, Grade::Missing);

#[test]
fn aligned_values_are_read_once() {
    let mut part = Part::new(&plan(&[(Scalar::U64, 8), (Scalar::U16, 2)]));
    let mut row = [NONE; 2];
    assert!(!part.sample(&mut row));
    assert_eq!(row, [NONE; 2]);
    part.set_memory(Some(script(&[[0x0003_0000, 5, 0, 0], [0, 6, 0, 0]])));
    assert!(part.sample(&mut row));
    assert_eq!(row, [(5, Grade::Whole), (if cfg!(target_endian = "big") { 0 } else { 3 }, Grade::Whole)]);
    part.sample(&mut row);
    assert_eq!(row[0], (6, Grade::Whole));
}

#[test]
fn unaligned_value_is_stable_once_two_reads_agree() {
    let sample = |contents: &[[u64; 4]]| {
        let mut part = Part::new(&plan(&[(Scalar::U32, 6), (Scalar::U8, 0)]));
        part.set_memory(Some(script(contents)));
        let mut row = [NONE; 2];
        assert!(part.sample(&mut row));
        row
    };
    let moving = |value: u64| [value << 48 | value, 0, 0, 0];
    assert_eq!(sample(&[moving(1)]), [(1, Grade::Stable), (1, Grade::Whole)]);
    let late = [moving(1), moving(2), moving(3), moving(3), moving(4)];
    assert_eq!(sample(&late), [(3, Grade::Stable), (1, Grade::Whole)]);
    let never = [moving(1), moving(2), moving(3), moving(4), moving(5)];
    assert_eq!(sample(&never)[0], (4, Grade::Unverified));
}

#[test]
fn value_past_the_end_is_missing() {
    let mut part = Part::new(&plan(&[(Scalar::U64, 8), (Scalar::U32, 17), (Scalar::U8, 0)]));
    part.set_memory(Some(Box::new(Script([vec![7; 20]].into()))));
    let mut row = [NONE; 3];
    assert!(part.sample(&mut row));
    assert_eq!(row.map(|(_, grade)| grade), [Grade::Whole, Grade::Missing, Grade::Whole]);
    part.set_memory(Some(Box::new(Script([vec![7; 32], vec![7; 20]].into()))));
    part.sample(&mut row);
    assert_eq!(row[1].1, Grade::Missing, "the second read found it gone");
}

/// Samples a value at 8 under a lock at 0, whose reads find these values in turn.
fn locked(lock: &[u64], values: &[u64]) -> (u64, Grade) {
    let sequence = Sequence { offset: 0, size: 8 };
    let plan = LockPlan {
        lock: PartPlan { start: 0, length: 4, fields: vec![(0, Field::of_lock(sequence, 0).unwrap())] },
        parts: vec![plan(&[(Scalar::U64, 8)])],
    };
    let mut locked = Locked::new(&plan);
    let contents = |values: &[u64], at: usize| -> Vec<[u64; 4]> {
        let content = |&value: &u64| {
            let mut content = [0; 4];
            content[at] = value;
            content
        };
        values.iter().map(content).collect()
    };
    let memories = [script(&contents(lock, 0)), script(&contents(values, 1))];
    locked.parts_mut().zip(memories).for_each(|(part, memory)| part.set_memory(Some(memory)));
    let mut row = [NONE];
    assert!(locked.sample(&mut row));
    row[0]
}

#[test]
fn value_is_verified_if_its_lock_was_even_and_unchanged() {
    assert_eq!(locked(&[4, 4], &[50]), (50, Grade::Verified));
    assert_eq!(locked(&[4, 6, 6, 6], &[50, 60]), (60, Grade::Verified), "a write came between");
    assert_eq!(locked(&[5, 5, 6, 6], &[60]), (60, Grade::Verified), "a write was going on");
    assert_eq!(locked(&[4, 5, 5, 6, 6], &[50, 60]), (60, Grade::Verified));
    assert_eq!(locked(&[7], &[70]), (70, Grade::Unverified), "the writer died halfway");
    let busy: Vec<u64> = (0..200).map(|n| 2 * n).collect();
    assert_eq!(locked(&busy, &[50]).1, Grade::Unverified);
}

#[test]
fn lock_that_is_not_aligned_verifies_nothing() {
    assert_eq!(Field::of_lock(Sequence { offset: 2, size: 4 }, 0), None);
    assert_eq!(Field::of_lock(Sequence { offset: 0, size: 3 }, 0), None);
    let lock = PartPlan { start: 0, length: 4, fields: vec![] };
    let mut locked = Locked::new(&LockPlan { lock, parts: vec![plan(&[(Scalar::U64, 8)])] });
    locked.parts_mut().for_each(|part| part.set_memory(Some(script(&[[2, 9, 0, 0]]))));
    let mut row = [NONE];
    assert!(locked.sample(&mut row));
    assert_eq!(row, [(9, Grade::Unverified)]);
}
