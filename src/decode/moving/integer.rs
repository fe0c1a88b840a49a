//! Integer models: counters, wrapping indexes, flags and numbers.
//!
//! A model returns the number of bits that encode the changes of a field.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "costs are estimates, and the numbers were checked to be small and positive"
)]

use super::float::{is_plausible, is_usual};
use super::series::{Series, gcd, laplace, median, number_bits};
use super::{Fit, Kind, Sort};

/// Shorter cycles are called flags: states repeat in order, too.
const FLAG_CYCLE: u64 = 5;
/// The maximum number of distinct values of a flag.
const FLAG_VALUES: usize = 16;

/// Returns the cheapest integer model.
pub fn best(series: &Series) -> Option<Fit> {
    let models = [counter(series), index(series), flag(series), number(series)];
    models.into_iter().flatten().min_by(|a, b| a.cost.total_cmp(&b.cost))
}

/// Models a counter: it moves in one direction, by a constant step or at a roughly constant rate.
fn counter(series: &Series) -> Option<Fit> {
    let (_, largest) = series.limits();
    if series.width == 8 && largest >= 1 << 53 && is_plausible(largest, 8) {
        return None;
    }
    let sign = series.direction();
    // Steps are often multiples of a unit: a page, a frame.
    let unit = series.steps.iter().fold(0, |unit, &step| gcd(unit, step.unsigned_abs())).max(1);
    if is_pair(series, unit) {
        return None;
    }
    let size = unit as f64;
    let steps: Vec<f64> = series.steps.iter().map(|&step| step as f64 * sign / size).collect();
    let middle = median(&mut steps.clone());
    // Wider steps belong to a number in the upper bytes, next to another value in the lower ones.
    let is_single = unit == 1 || !unit.is_power_of_two();
    let widest = if series.width == 8 { 31 } else { 24 };
    if middle <= 0.0 || is_single && series.width > 2 && middle * size >= f64::from(widest).exp2() {
        return None;
    }
    let bits = series.bits() - size.log2();
    let paces = [true, false].map(|short| Pace::new(series, &steps, short, bits, |residual| residual));
    let is_known = |step: usize| !paces[usize::from(!series.is_short(step))].is_lost;
    let backward = (0..steps.len()).filter(|&step| steps[step] < 0.0 && is_known(step)).count();
    if backward > series.changes() / 8 || paces.iter().any(|pace| pace.is_lost) && series.width > 2 {
        return None;
    }
    // A number of this size is more likely a rising float.
    let float = if series.width == 4 && is_usual(largest) { 30.0 } else { 0.0 };
    let cost = paces.iter().map(|pace| pace.cost).sum::<f64>()
        + 6.0
        + float
        + number_bits(unit)
        + backward as f64 * 8.0;
    Some(Fit { kind: Kind::Counter, sort: Sort::Unsigned, cost })
}

/// The cost of the steps within bursts, or of all other steps.
struct Pace {
    cost: f64,
    /// Set if the steps carry no information: the field wraps several times between samples.
    is_lost: bool,
}

impl Pace {
    /// Encodes the steps as constant or as proportional to time, whichever is cheaper. `near` takes
    /// residuals into account that differ by a modulus.
    fn new(series: &Series, steps: &[f64], short: bool, bits: f64, near: impl Fn(f64) -> f64) -> Self {
        let class: Vec<usize> = series.class(short).collect();
        if class.is_empty() {
            return Self { cost: 0.0, is_lost: false };
        }
        let middle = median(&mut class.iter().map(|&at| steps[at]).collect::<Vec<_>>());
        let rate =
            median(&mut class.iter().map(|&at| steps[at] / series.seconds[at].max(1e-6)).collect::<Vec<_>>());
        let constant: Vec<f64> = class.iter().map(|&at| near(steps[at] - middle)).collect();
        let paced: Vec<f64> = class.iter().map(|&at| near(steps[at] - rate * series.seconds[at])).collect();
        let cost = laplace(&constant, bits).min(laplace(&paced, bits) + 2.0) + (1.0 + middle.abs()).log2();
        let lost = bits * class.len() as f64;
        Self { cost: cost.min(lost), is_lost: lost < cost }
    }
}

/// Returns true for two adjacent counters in step: as one number, their steps are multiples of a
/// large number, and nothing is carried from the lower to the upper one.
fn is_pair(series: &Series, unit: u64) -> bool {
    let half = 4 * series.width as u32;
    if unit >> half == 0 || unit.is_power_of_two() {
        return false;
    }
    let low = |value: u64| value & ((1 << half) - 1);
    let up = low(unit) >> (half - 1) == 0;
    let carries = series.values.windows(2).filter(|pair| (low(pair[1]) < low(pair[0])) == up).count();
    carries < 2
}

/// Models a field that counts from 0 to a modulus below the one of its width.
fn index(series: &Series) -> Option<Fit> {
    let (least, largest) = series.limits();
    // A wrap goes back by almost the modulus.
    let wraps = series.values.windows(2).any(|pair| pair[0].saturating_sub(pair[1]) > largest / 2);
    if !wraps || series.changes() < 8 || least > largest / 4 || !(2..1 << 30).contains(&largest) {
        return None;
    }
    let mut moduli = vec![largest + 1, (largest + 1).next_power_of_two(), (largest / 12 + 1) * 12];
    let unit = 10_u64.pow(largest.ilog10());
    moduli.extend([1, 2, 5, 10].map(|factor| (largest / (unit * factor) + 1) * unit * factor));
    moduli.extend(series.values.windows(2).filter(|pair| pair[1] < pair[0]).take(3).map(|pair| {
        // If the step is one, the value before the wrap was the largest.
        pair[0] + 1 - pair[1]
    }));
    moduli.sort_unstable();
    moduli.dedup();
    let fits =
        moduli.into_iter().filter(|&modulus| modulus > largest && modulus <= largest + largest / 3 + 1);
    let best = fits
        .filter_map(|modulus| Some((index_cost(series, modulus)?, modulus)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let (cost, modulus) = best?;
    let is_round = modulus.is_power_of_two() || modulus.is_multiple_of(10) || modulus.is_multiple_of(12);
    let cost = cost + 7.0 + if is_round { 5.0 } else { 1.2 * (modulus as f64).log2() };
    let kind = if modulus <= FLAG_CYCLE { Kind::Flag } else { Kind::Index { modulus } };
    // A field that wraps at its own width is a counter.
    (u128::from(modulus) != 1 << (8 * series.width)).then_some(Fit { kind, sort: Sort::Unsigned, cost })
}

/// Returns the cost of an index with this modulus, or `None` if no step carries information.
fn index_cost(series: &Series, modulus: u64) -> Option<f64> {
    let size = modulus as f64;
    let pairs = series.values.windows(2);
    let steps: Vec<f64> = pairs
        .map(|pair| if pair[1] >= pair[0] { pair[1] - pair[0] } else { pair[1] + modulus - pair[0] } as f64)
        .collect();
    let near = |residual: f64| residual - (residual / size).round() * size;
    let paces = [true, false].map(|short| Pace::new(series, &steps, short, size.log2(), near));
    // A number also goes back by small amounts.
    let change = |at: usize| series.values[at + 1] as f64 - series.values[at] as f64;
    let is_known = |at: usize| !paces[usize::from(!series.is_short(at))].is_lost;
    let back =
        (0..steps.len()).filter(|&at| change(at) < 0.0 && change(at) > -size / 2.0 && is_known(at)).count();
    // A torn value goes down and up again.
    let leaps =
        |sign: f64| (0..steps.len()).filter(|&at| change(at) * sign > size / 2.0 && is_known(at)).count();
    let is_torn = leaps(1.0) > 0 && leaps(1.0) >= leaps(-1.0);
    if is_torn || back > steps.len() / 12 {
        return None;
    }
    let has_information = paces.iter().any(|pace| pace.cost > 0.0 && !pace.is_lost);
    has_information.then(|| paces.iter().map(|pace| pace.cost).sum())
}

/// Models a field with few values that recur.
fn flag(series: &Series) -> Option<Fit> {
    let mut values: Vec<u64> = vec![];
    for value in &series.values {
        if !values.contains(value) {
            if values.len() == FLAG_VALUES {
                return None;
            }
            values.push(*value);
        }
    }
    if series.changes() < 2 * (values.len() - 1) {
        return None;
    }
    let others = (values.len() - 1).max(1) as f64;
    let spare = 64 - 8 * series.width;
    let value_bits = |&value: &u64| {
        let size = ((value << spare).cast_signed() >> spare).unsigned_abs();
        number_bits(size) + if size > 0xff { 6.0 } else { 0.0 }
    };
    let table: f64 = values.iter().map(value_bits).sum();
    let cost = series.changes() as f64 * others.log2() + table + 7.0;
    Some(Fit { kind: Kind::Flag, sort: Sort::Unsigned, cost })
}

/// Models a signed field whose steps are small compared with its range.
fn number(series: &Series) -> Option<Fit> {
    if series.width == 1 || series.changes() < 8 {
        return None;
    }
    let spare = 64 - 8 * series.width;
    let signed: Vec<i64> =
        series.values.iter().map(|&value| (value << spare).cast_signed() >> spare).collect();
    let (least, largest) = (signed.iter().min().copied()?, signed.iter().max().copied()?);
    let range = largest.abs_diff(least) as f64;
    // Larger numbers are more likely floats, hashes or pointers.
    if range >= (series.span() / 64.0).min(2_f64.powi(40)) && series.width > 2
        || least.abs().max(largest.abs()) >= 1 << 48
    {
        return None;
    }
    let steps: Vec<f64> = series.steps.iter().map(|&step| step as f64).collect();
    let mut sizes: Vec<f64> = steps.iter().map(|step| step.abs()).collect();
    let crosses_zero = least < 0 && largest >= 0 && series.width >= 4;
    if median(&mut sizes) > range / 6.0 && !crosses_zero {
        return None;
    }
    let moves = laplace(&steps, series.bits());
    let levels = series.changes() as f64 * (1.0 + range).log2() + number_bits(range as u64);
    let cost = moves.min(levels) + 14.0;
    Some(Fit { kind: Kind::Number, sort: Sort::Signed, cost })
}
