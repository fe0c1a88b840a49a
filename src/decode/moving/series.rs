//! The values of a field over time, and the cost of encoding their changes in bits.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "costs are estimates, and differences wrap like the field itself"
)]

use super::line::Row;
use std::collections::{BTreeMap, VecDeque};

/// Shorter steps are between the reads of a burst.
const BURST_STEP: f64 = 0.02;
const NANOS: f64 = 1e9;

/// The successive values of a field, each different from the previous one.
#[derive(Debug)]
pub struct Series {
    /// Bytes per value.
    pub width: usize,
    /// Monotonic time in nanoseconds at which each value was first seen.
    pub at: Vec<u64>,
    pub values: Vec<u64>,
    /// Differences between successive values, wrapping like the field and sign-extended.
    pub steps: Vec<i64>,
    /// Seconds between successive values.
    pub seconds: Vec<f64>,
}

impl Series {
    /// Reads the field at `start` in the rows.
    pub fn new(rows: &VecDeque<Row>, start: usize, width: usize) -> Self {
        let mut at = Vec::with_capacity(rows.len());
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let mut bytes = [0; 8];
            bytes[..width].copy_from_slice(&row.bytes[start..start + width]);
            let value = u64::from_le_bytes(bytes);
            if values.last() != Some(&value) {
                at.push(row.at);
                values.push(value);
            }
        }
        let spare = 64 - 8 * width;
        let step = |pair: &[u64]| (pair[1].wrapping_sub(pair[0]) << spare) as i64 >> spare;
        let steps = values.windows(2).map(step).collect();
        let seconds = at.windows(2).map(|pair| pair[1].saturating_sub(pair[0]) as f64 / NANOS).collect();
        Self { width, at, values, steps, seconds }
    }

    pub const fn changes(&self) -> usize {
        self.steps.len()
    }

    pub const fn bits(&self) -> f64 {
        (self.width * 8) as f64
    }

    /// Returns the number of values that the width allows.
    pub fn span(&self) -> f64 {
        self.bits().exp2()
    }

    /// Returns the smallest and the largest value.
    pub fn limits(&self) -> (u64, u64) {
        let least = self.values.iter().min().copied().unwrap_or_default();
        (least, self.values.iter().max().copied().unwrap_or_default())
    }

    /// Returns how often the unsigned value went down.
    pub fn drops(&self) -> usize {
        self.values.windows(2).filter(|pair| pair[1] < pair[0]).count()
    }

    /// Returns 1 if most steps go up, otherwise -1.
    pub fn direction(&self) -> f64 {
        let up = self.steps.iter().filter(|&&step| step > 0).count();
        if up * 2 >= self.changes() { 1.0 } else { -1.0 }
    }

    /// Returns true if an unsigned value that goes up has wrapped.
    pub fn has_wrapped(&self) -> bool {
        self.direction() > 0.0 && self.drops() > 0
    }

    /// Returns true for the steps within a burst.
    pub fn is_short(&self, step: usize) -> bool {
        self.seconds[step] < BURST_STEP
    }

    /// Returns the steps within bursts, or all others.
    pub fn class(&self, short: bool) -> impl Iterator<Item = usize> {
        (0..self.changes()).filter(move |&step| self.is_short(step) == short)
    }

    /// Returns the bits that encode the changes as random values: successive values are
    /// independent, and each value or bit is as likely as its frequency so far. Headers surrounded
    /// by noise behave like this: they have few values with different frequencies.
    pub fn chance(&self) -> f64 {
        let mut ones = [0_usize; 64];
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        let (mut by_bits, mut by_values) = (0.0, 0.0);
        for (seen, value) in self.values.iter().enumerate() {
            let mut novel = 0.0;
            for (bit, ones) in ones[..8 * self.width].iter_mut().enumerate() {
                let is_set = value >> bit & 1 == 1;
                let equal = if is_set { *ones } else { seen - *ones };
                novel -= ((equal as f64 + 0.5) / (seen as f64 + 1.0)).log2();
                *ones += usize::from(is_set);
            }
            // Successive values differ.
            let before = seen.checked_sub(1).map_or(0, |before| counts[&self.values[before]]);
            let count = counts.entry(*value).or_default();
            if seen > 0 {
                by_bits += novel;
                by_values += ((seen - before + 1) as f64 / (*count).max(1) as f64).log2();
                by_values += if *count == 0 { novel } else { 0.0 };
            }
            *count += 1;
        }
        by_bits.min(by_values)
    }
}

/// Returns the median, or 0 for no values.
pub fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Returns the bits that encode these residuals with a Laplace distribution fitted to them. A
/// single residual costs little more than `escape` bits.
pub fn laplace(residuals: &[f64], escape: f64) -> f64 {
    if residuals.is_empty() {
        return 0.0;
    }
    let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    let largest = sizes.iter().copied().fold(0.0, f64::max);
    // Some of the largest are jumps, resets and torn reads, which must not widen the distribution.
    let mut least = f64::INFINITY;
    let mut sorted = sizes.len();
    for typical in [sizes.len() - sizes.len() / 8, sizes.len() - sizes.len() / 2] {
        if typical < sorted {
            sizes[..sorted].select_nth_unstable_by(typical, f64::total_cmp);
        }
        sorted = typical;
        let scale = sizes[..typical].iter().sum::<f64>() / (typical as f64);
        least = least.min(laplace_of_scale(&sizes, scale.max(0.25), largest, escape));
    }
    least
}

/// Returns the bits that encode a residual for each step, with separate scales for bursts and for
/// other steps.
pub fn laplace_by_class(series: &Series, residuals: &[f64], escape: f64) -> f64 {
    let class = |short| series.class(short).map(|step| residuals[step]).collect::<Vec<f64>>();
    [true, false].map(|short| laplace(&class(short), escape)).iter().sum()
}

/// Returns the bits that encode the sizes of residuals with a Laplace distribution.
fn laplace_of_scale(sizes: &[f64], scale: f64, largest: f64, escape: f64) -> f64 {
    let zero = -(0.5 / scale).tanh().log2();
    let slope = std::f64::consts::LOG2_E / scale;
    let far = (2.0 * largest + 1.0).log2().min(escape) + 3.0;
    let cost = |size: &f64| {
        let near = zero + size * slope;
        // A universal code, for jumps that are small compared with the largest one.
        let small = if scale < 16.0 && near > 6.0 { 6.0 + 2.0 * (1.0 + size).log2() } else { far };
        near.min(small).min(far)
    };
    // The scale is encoded once.
    sizes.iter().map(cost).sum::<f64>() + 2.0 * (1.0 + scale).log2().min(8.0)
}

/// Returns the bits that encode a number: few for small ones and for multiples of powers of two.
pub fn number_bits(number: u64) -> f64 {
    let zeros = if number == 0 { 0 } else { number.trailing_zeros() };
    2.0 * (1.0 + (number >> zeros) as f64).log2() + 1.5 * (1.0 + f64::from(zeros)).log2()
}

/// Returns the bits that encode which `some` of `all` events happened.
pub fn entropy(some: usize, all: usize) -> f64 {
    let share = some as f64 / all.max(1) as f64;
    let share_bits = |p: f64| if p <= 0.0 || p >= 1.0 { 0.0 } else { -p * p.log2() };
    all as f64 * (share_bits(share) + share_bits(1.0 - share))
}

pub const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
