//! Values that two reads agree on, while their writer is preempted halfway through them.

use super::{Scope, posix, value, writer};
use crate::support::{Namespaces, SOON};
use shmlens::decode::Scalar;
use shmlens::scope::{Grade, Rate};
use std::time::Instant;

/// The offset of the value, half of which is in the next cache line.
const HALVES: u64 = 60;

/// The samples of each grade, and how many of them have halves of two values.
#[derive(Debug, Default)]
struct Counts {
    stable: u64,
    torn_stable: u64,
    unverified: u64,
    torn_unverified: u64,
}

/// Samples a value until this many are stable. Its writer writes some times per second, or all the time.
/// `None` without a compiler.
fn sample(hertz: &str, rate: Rate, stable: u64) -> Option<Counts> {
    let _writer = writer(&["halves", "/halves", hertz])?;
    let scope = Scope::start(rate, vec![value(&posix("/halves"), Scalar::U64, HALVES)]);
    let mut counts = Counts::default();
    let started = Instant::now();
    while counts.stable < stable {
        assert!(started.elapsed() < 10 * SOON, "{counts:?}");
        let batch = scope.deliveries.recv_timeout(SOON).unwrap();
        let column = &batch.columns[0];
        for (&bits, &grade) in column.bits.iter().zip(&column.grades) {
            let torn = u64::from(bits >> 32 != bits & 0xffff_ffff);
            let (all, torn_ones) = match grade {
                Grade::Stable => (&mut counts.stable, &mut counts.torn_stable),
                Grade::Unverified => (&mut counts.unverified, &mut counts.torn_unverified),
                Grade::Missing => continue,
                other => panic!("an unaligned value is not {other:?}"),
            };
            *all += 1;
            *torn_ones += torn;
        }
    }
    Some(counts)
}

#[test]
fn unaligned_value_is_stable_at_best() {
    let Some(_namespaces) = Namespaces::new() else { return };
    sample("1000", Rate::Hertz(1000.0), 100);
}

#[test]
#[ignore = "takes half a minute, and prints a measurement"]
fn share_of_torn_samples_among_stable_ones() {
    let Some(_namespaces) = Namespaces::new() else { return };
    for (hertz, rate, stable) in [
        ("0", Rate::Hertz(1000.0), 10_000),
        ("0", Rate::Burst, 5_000_000),
        ("1000", Rate::Hertz(1000.0), 5_000),
        ("1000", Rate::Burst, 5_000_000),
    ] {
        let Some(counts) = sample(hertz, rate, stable) else { return };
        #[expect(clippy::cast_precision_loss, reason = "shown with a few digits")]
        let share = counts.torn_stable as f64 / counts.stable as f64 * 100.0;
        println!("writes per second {hertz}, {rate:?}: {share:.5}% of the stable ones are torn; {counts:?}");
    }
}
