//! Values that a sequence lock protects, while a program writes them as fast as it can.

use super::{Scope, posix, value, writer};
use crate::support::{Namespaces, SOON};
use shmlens::decode::Scalar;
use shmlens::scope::{Grade, Rate, SampledValue, Sequence};
use std::time::Instant;

/// The offset of the fields.
const FIELDS: u64 = 72;

/// The numbers of samples.
#[derive(Debug, Default)]
struct Counts {
    good: u64,
    /// Those of the good ones whose fields differ.
    torn: u64,
    unverified: u64,
}

/// Samples the first, a middle and the last field until the condition holds. `None` without a
/// compiler.
fn sample(sequence: Option<Sequence>, until: impl Fn(&Counts) -> bool) -> Option<Counts> {
    let _writer = writer(&["lock", "/locked"])?;
    let segment = posix("/locked");
    let field = |index: u64| SampledValue { sequence, ..value(&segment, Scalar::U64, FIELDS + 8 * index) };
    let scope = Scope::start(Rate::Burst, [0, 7, 15].map(field).into());
    let goal = if sequence.is_some() { Grade::Verified } else { Grade::Whole };
    let mut counts = Counts::default();
    let started = Instant::now();
    while !until(&counts) {
        assert!(started.elapsed() < 10 * SOON, "{counts:?}");
        let batch = scope.deliveries.recv_timeout(SOON).unwrap();
        for row in 0..batch.len() {
            let values = [0, 1, 2].map(|channel| batch.columns[channel].bits[row]);
            match batch.columns[0].grades[row] {
                grade if grade == goal => {
                    counts.good += 1;
                    counts.torn += u64::from(values != [values[0]; 3]);
                }
                Grade::Unverified => counts.unverified += 1,
                _ => {}
            }
        }
    }
    Some(counts)
}

/// Samples behind the lock, of which none may be torn.
fn sample_verified(count: u64) {
    let Some(_namespaces) = Namespaces::new() else { return };
    let lock = Sequence { offset: 0, size: 4 };
    let Some(counts) = sample(Some(lock), |counts| counts.good >= count) else { return };
    println!("{counts:?}");
    assert_eq!(counts.torn, 0, "{counts:?}");
}

#[test]
fn verified_samples_are_never_torn() {
    sample_verified(100_000);
}

#[test]
fn samples_of_several_values_are_torn_without_a_lock() {
    let Some(_namespaces) = Namespaces::new() else { return };
    sample(None, |counts| counts.torn > 0);
}

#[test]
#[ignore = "takes half a minute"]
fn ten_million_verified_samples_are_never_torn() {
    sample_verified(10_000_000);
}
