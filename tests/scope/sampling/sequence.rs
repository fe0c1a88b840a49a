//! Values that a sequence lock protects, while a program writes them as fast as it can.

use super::{Scope, posix, value, writer};
use crate::support::{Namespaces, SOON};
use shmlens::decode::Scalar;
use shmlens::scope::{Grade, Rate, SampledValue, Sequence};

/// The offset of the fields.
const FIELDS: u64 = 72;

/// Samples the first and the last field until `verified` samples are, and returns the numbers of
/// verified, torn and unverified ones.
fn sample(verified: u64, sequence: Option<Sequence>) -> Option<(u64, u64, u64)> {
    let _writer = writer(&["lock", "/locked"])?;
    let segment = posix("/locked");
    let field = |index: u64| SampledValue { sequence, ..value(&segment, Scalar::U64, FIELDS + 8 * index) };
    let scope = Scope::start(Rate::Burst, [0, 7, 15].map(field).into());
    let goal = if sequence.is_some() { Grade::Verified } else { Grade::Whole };
    let mut counts = (0, 0, 0);
    while counts.0 < verified {
        let batch = scope.deliveries.recv_timeout(SOON).unwrap();
        for row in 0..batch.len() {
            let values = [0, 1, 2].map(|channel| batch.columns[channel].bits[row]);
            match batch.columns[0].grades[row] {
                grade if grade == goal => {
                    counts.0 += 1;
                    counts.1 += u64::from(values != [values[0]; 3]);
                }
                Grade::Unverified => counts.2 += 1,
                _ => {}
            }
        }
    }
    Some(counts)
}

#[test]
fn verified_samples_are_never_torn() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sequence = Sequence { offset: 0, size: 4 };
    let Some((verified, torn, unverified)) = sample(100_000, Some(sequence)) else { return };
    assert_eq!(torn, 0, "of {verified}, beside {unverified} unverified ones");
}

#[test]
fn samples_of_several_values_are_torn_without_a_lock() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some((samples, torn, _)) = sample(100_000, None) else { return };
    assert!(torn > 0, "of {samples}: the writer does not show that locks matter");
}

/// Run it in a release build.
#[test]
#[ignore = "takes a minute"]
fn ten_million_verified_samples_are_never_torn() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sequence = Sequence { offset: 0, size: 4 };
    let Some((verified, torn, unverified)) = sample(10_000_000, Some(sequence)) else { return };
    println!("{verified} verified, {unverified} not");
    assert_eq!(torn, 0);
}
