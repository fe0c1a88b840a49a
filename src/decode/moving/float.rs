//! The float model: plausible exponents, and changes that are smooth or fill the mantissa.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    reason = "costs are estimates"
)]

use super::series::{Series, entropy, laplace_by_class, median};
use super::{Fit, Kind, Sort};

/// The cost of the number of low bits that rest.
const RESTING: f64 = 4.0;

/// The layout of a float: mantissa bits, exponent bias, and the range of plausible exponents.
struct Layout {
    mantissa: u32,
    bias: i64,
    plausible: i64,
}

const fn layout(width: usize) -> Layout {
    if width == 8 {
        Layout { mantissa: 52, bias: 1023, plausible: 60 }
    } else {
        Layout { mantissa: 23, bias: 127, plausible: 42 }
    }
}

/// Returns true if a value is a plausible float of this width: 0, or not too far from 1.
pub fn is_plausible(value: u64, width: usize) -> bool {
    let layout = layout(width);
    let sign = 1 << (8 * width - 1);
    let exponent = ((value & (sign - 1)) >> layout.mantissa) as i64;
    value & (sign - 1) == 0 || (exponent - layout.bias).abs() <= layout.plausible
}

/// Returns true if four bytes are a float between a millionth and a million.
pub fn is_usual(value: u64) -> bool {
    (1e-6..1e6).contains(&f32::from_bits(value as u32).abs())
}

/// Returns the cost of encoding the changes as floats.
pub fn float(series: &Series) -> Option<Fit> {
    let width = series.width;
    let layout = layout(width);
    let sign = 1_u64 << (8 * width - 1);
    let fits = series.values.iter().filter(|&&value| is_plausible(value, width)).count();
    if fits * 10 < series.values.len() * 9 {
        return None;
    }
    let nonzero: Vec<u64> = series.values.iter().copied().filter(|&value| value & (sign - 1) != 0).collect();
    let largest = nonzero.iter().map(|value| (value & (sign - 1)) >> layout.mantissa).max()? as i64;
    let zeros = nonzero.iter().map(|value| value.trailing_zeros()).min()?.min(layout.mantissa);
    let mantissa = f64::from(layout.mantissa - zeros);
    let signs = f64::from(u8::from(
        nonzero.iter().any(|value| value & sign != 0) && nonzero.iter().any(|value| value & sign == 0),
    ));
    let exponent = |value: u64| ((value & (sign - 1)) >> layout.mantissa) as i64;
    let level = |value: u64| {
        if value & (sign - 1) == 0 {
            return 4.0;
        }
        let below = (largest - exponent(value)) as f64;
        (below + 1.0).min(10.0 + below / 4.0) + signs + mantissa
    };
    // Low bits that rest are encoded by their number.
    let rest = |pair: &[u64]| {
        let resting = (pair[0] ^ pair[1]).trailing_zeros().min(layout.mantissa);
        (f64::from(resting.saturating_sub(zeros)) - RESTING).max(0.0)
    };
    let levels: Vec<f64> = series.values.windows(2).map(|pair| level(pair[1]) - rest(pair)).collect();
    // Encodes a change by the previous sign and exponent, where those do not change.
    let leaps =
        series.values.windows(2).filter(|pair| pair[0] >> layout.mantissa != pair[1] >> layout.mantissa);
    let leap = |pair: &[u64]| {
        1.0 + signs + 2.0 * (1.0 + exponent(pair[0]).abs_diff(exponent(pair[1])) as f64).log2()
    };
    let stays = mantissa * series.changes() as f64
        + entropy(leaps.clone().count(), series.changes())
        + leaps.map(leap).sum::<f64>();
    // Maps floats to integers in the same order.
    let key = |value: u64| {
        let size = (value & (sign - 1)) as i64 >> zeros;
        if value & sign == 0 { size } else { -size }
    };
    let moves: Vec<f64> =
        series.values.windows(2).map(|pair| key(pair[1]).wrapping_sub(key(pair[0])) as f64).collect();
    // A change of sign passes all small floats, so it is encoded by its level.
    let middle = median(&mut moves.clone());
    let steady: Vec<f64> = moves.iter().map(|step| step - middle).collect();
    let cost = |moves: &[f64]| laplace_by_class(series, moves, mantissa + 1.0);
    let moves = cost(&moves).min(cost(&steady) + (1.0 + middle.abs()).log2());
    let far = (largest - layout.bias).abs() as f64 / 2.0;
    let cost = levels.iter().sum::<f64>().min(moves).min(stays).min(grid(series, &levels)) + far + 14.0;
    Some(Fit { kind: Kind::Float, sort: Sort::Float, cost })
}

/// Returns the cost of changes that are multiples of a unit: cents, tenths of a degree, the
/// duration of a frame.
fn grid(series: &Series, levels: &[f64]) -> f64 {
    let (read, precision): (fn(u64) -> f64, i32) = if series.width == 8 {
        (f64::from_bits, 52)
    } else {
        (|value| f32::from_bits(value as u32).into(), 23)
    };
    let values: Vec<f64> = series.values.iter().map(|&value| read(value)).collect();
    let moves: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let least = moves.iter().map(|step| step.abs()).filter(|step| *step > 0.0).fold(f64::INFINITY, f64::min);
    let is_on_grid = |unit: f64| {
        let off = |step: &&f64| (*step - (*step / unit).round() * unit).abs() > unit / 8.0;
        moves.iter().filter(off).count() * 4 <= moves.len()
    };
    let grid_cost = |unit: f64, unit_bits: f64| {
        let mut counts: Vec<f64> = Vec::with_capacity(moves.len());
        let mut cost = unit_bits;
        for (at, step) in moves.iter().enumerate() {
            let count = (step / unit).round();
            // The value of the last bit of the larger number.
            let bit = values[at].abs().max(values[at + 1].abs()) * f64::from(-precision).exp2();
            let off = (1.0 + (step - count * unit).abs() / bit).log2() * 2.0;
            counts.push(count);
            // Every value is a multiple of a unit that is only slightly larger than the last bit.
            if unit >= 16.0 * bit && off < levels[at] {
                cost += off;
            } else {
                // Encode this step by its level and not by its count.
                *counts.last_mut().unwrap_or(&mut 0.0) = 0.0;
                cost += levels[at] + 4.0;
            }
        }
        let middle = median(&mut counts.clone());
        let steady: Vec<f64> = counts.iter().map(|count| count - middle).collect();
        let count_cost = |counts: &[f64]| laplace_by_class(series, counts, 64.0);
        cost + count_cost(&counts).min(count_cost(&steady) + (1.0 + middle.abs()).log2())
    };
    let decimal =
        (0..5).map(|power| (10_f64.powi(-power), 6.0)).chain([(0.5, 6.0), (0.25, 7.0), (0.05, 7.0)]);
    // The smallest step may be the unit.
    let own = (least, f64::from(precision) * 0.6);
    decimal
        .chain([own])
        .filter(|(unit, _)| is_on_grid(*unit))
        .map(|(unit, bits)| grid_cost(unit, bits))
        .fold(f64::INFINITY, f64::min)
}
