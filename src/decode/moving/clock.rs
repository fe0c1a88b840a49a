//! The clock model: the value follows one of the machine's clocks, or elapsed time.

#![expect(clippy::cast_precision_loss, reason = "clocks are compared with a tolerance")]

use super::series::{Series, gcd, median};
use super::{Fit, Kind, Origin, Sort, Unit};

/// Seconds that a clock may lag: its program may update it rarely.
const LATE: f64 = 4.0;
const EARLY: f64 = 1.5;
/// The finest resolution of a clock in nanoseconds: it may count microseconds.
const FINEST: u64 = 1000;

/// Returns the clock that the values follow. `boot_to_epoch` is the wall-clock time in nanoseconds
/// at the start of monotonic time.
pub fn clock(series: &Series, boot_to_epoch: u64) -> Option<Fit> {
    if series.width < 4 {
        return None;
    }
    // A value that agrees with a machine clock is reported as that clock.
    let fit = |unit, origin, sort, cost| Fit { kind: Kind::Clock { unit, origin }, sort, cost };
    for (origin, offset) in [(Origin::Epoch, boot_to_epoch), (Origin::Boot, 0)] {
        for unit in Unit::ALL {
            if follows(series, unit, offset, |value| value as f64) {
                return Some(fit(unit, origin, Sort::Unsigned, 0.0));
            }
            // With 32 bits, only seconds since the epoch fit.
            if series.width == 4 && origin == Origin::Epoch {
                break;
            }
        }
        if series.width == 8 {
            for unit in [Unit::Seconds, Unit::Millis] {
                if follows(series, unit, offset, f64::from_bits) {
                    return Some(fit(unit, origin, Sort::Float, 0.0));
                }
            }
        }
    }
    None
}

/// Returns true if at least nine in ten values are close to the time at which they were seen.
fn follows(series: &Series, unit: Unit, offset: u64, read: impl Fn(u64) -> f64) -> bool {
    let fits = |at: usize| {
        let now = (series.at[at] + offset) as f64 / 1e9;
        let waited = if at == 0 { f64::INFINITY } else { series.seconds[at - 1] };
        let late = now - read(series.values[at]) / unit.per_second();
        late > -EARLY && late < (waited.min(60.0)) + LATE
    };
    // Most fields are rejected here.
    if !fits(series.values.len() - 1) {
        return false;
    }
    let monotonic = series.values.windows(2).filter(|pair| read(pair[1]) < read(pair[0])).count();
    let good = (0..series.values.len()).filter(|&at| fits(at)).count();
    monotonic * 10 <= series.values.len() && good * 10 >= series.values.len() * 9
}

/// Returns the unit of a counter that is a clock with any origin: it grows as fast as time, in
/// irregular steps like measured times.
pub fn elapsed(series: &Series) -> Option<Unit> {
    if series.steps.iter().any(|&step| step <= 0) {
        return None;
    }
    let seconds: f64 = series.seconds.iter().sum();
    let grown = series.steps.iter().map(|&step| step as f64).sum::<f64>();
    let rate = grown / seconds;
    let unit = [Unit::Nanos, Unit::Micros, Unit::Millis].into_iter().find(|unit| {
        // A slow clock may lag by up to a step at both ends.
        let late = median(&mut series.seconds.clone()).min(0.3) / seconds;
        let tolerance = if *unit == Unit::Millis { 0.004 } else { 0.02 };
        (rate / unit.per_second() - 1.0).abs() < tolerance + late.min(0.05)
    })?;
    // A counter has a step size, and all steps are multiples of it.
    let divisor = series.steps.iter().fold(0, |divisor, &step| gcd(divisor, step.unsigned_abs()));
    let least = series.steps.iter().min().copied()?;
    (divisor * 4 < least.unsigned_abs() && divisor <= FINEST).then_some(unit)
}
