//! Plots of known signals, and of any signal.

mod others;
mod time;

use super::*;
use crate::scope::{Batch, Column, Grade, History, NumberKind};
use proptest::prelude::*;
use std::f64::consts::TAU;

const MS: u64 = 1_000_000;

/// Samples of some channels, one every millisecond. `None` is a gap.
fn history<const N: usize>(ticks: u32, at: impl Fn(u32) -> [Option<(f64, Grade)>; N]) -> History {
    let mut history = History::new(&[NumberKind::Float; N], 1 << 24);
    let mut batch = Batch { columns: vec![Column::default(); N], ..Batch::default() };
    for ms in 0..ticks {
        batch.times.push(u64::from(ms) * MS);
        for (column, sample) in batch.columns.iter_mut().zip(at(ms)) {
            let (value, grade) = sample.unwrap_or((0.0, Grade::Missing));
            column.push(value.to_bits(), grade);
        }
    }
    history.push(&batch);
    history
}

#[expect(clippy::unnecessary_wraps, reason = "the other case is a gap")]
fn whole(value: f64) -> Option<(f64, Grade)> {
    Some((value, Grade::Whole))
}

/// The phase at a millisecond, of 250 ms.
fn phase(ms: u32) -> f64 {
    f64::from(ms) / 250.0 * TAU
}

const fn trace(channel: usize) -> Trace {
    Trace { channel, range: None, has_steps: false }
}

/// All that a history has, with the last sample at 0.
fn plot<'a>(history: &'a History, traces: &'a [Trace]) -> TimePlot<'a> {
    let (from, to) = (history.oldest().unwrap_or(0), history.newest().unwrap_or(0));
    TimePlot {
        history,
        traces,
        from,
        to,
        zero: to,
        scale: Scale::Shared(None),
        cursors: [None; 2],
        trigger: None,
        fired: &[],
        marks: &[],
        names: None,
        named: &[],
    }
}

/// The trace of each cell by its number, or by a letter if it is dim.
fn traces(picture: &Picture) -> String {
    let letter = |cell: &Cell| match cell.ink {
        Ink::Trace(index) => (if cell.is_dim { b'a' } else { b'0' } + u8::try_from(index).unwrap()).into(),
        _ => ' ',
    };
    let row = |cells: &[Cell]| cells.iter().map(letter).collect::<String>().trim_end().to_owned();
    picture.rows().map(row).collect::<Vec<_>>().join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_values_times_and_sizes_are_drawn(
        bits in prop::collection::vec((any::<u64>(), any::<u64>()), 0..40),
        kind in prop_oneof![Just(NumberKind::Float), Just(NumberKind::Signed)],
        times in any::<[u64; 4]>(),
        size in [0_usize..50, 0_usize..14],
        range in prop::option::of(any::<[f64; 2]>()),
    ) {
        let mut history = History::new(&[kind, kind], 0);
        let (first, second): (Vec<u64>, Vec<u64>) = bits.iter().copied().unzip();
        let column = |bits: Vec<u64>| Column { grades: vec![Grade::Whole; bits.len()], bits };
        let mut moments: Vec<u64> = bits.iter().map(|(time, _)| *time).collect();
        moments.sort_unstable();
        history.push(&Batch { times: moments, columns: vec![column(first), column(second)], ..Batch::default() });
        let fits = |picture: Picture| {
            picture.rows().all(|row| row.len() == size[0]) && picture.rows().count() == size[1]
        };
        let [from, to, zero, cursor] = times;
        let lines = [Trace { range, ..trace(0) }, Trace { has_steps: true, ..trace(1) }, trace(2)];
        for scale in [Scale::Own, Scale::Shared(range), Scale::Shared(None)] {
            for [from, to] in [[from, to], [0, u64::MAX], [from, from.saturating_add(3)]] {
                let plot = TimePlot {
                    from,
                    to,
                    zero,
                    scale,
                    cursors: [Some(cursor), Some(from)],
                    trigger: Some(to),
                    ..plot(&history, &lines)
                };
                prop_assert!(fits(plot.draw(size, Marker::Octant)));
            }
            if let Some(histogram) = history.histogram(0, from, to, size[0]) {
                prop_assert!(fits(histogram.draw(size, Marker::Braille)));
            }
            if let Some(counts) = history.state_counts(1, [from, to], &|_| None) {
                prop_assert!(fits(counts.draw(size, Marker::Ascii)));
            }
        }
        let xy = XyPlot { history: &history, channels: [0, 1], from, to };
        prop_assert!(fits(xy.draw(size, Marker::HalfBlock)));
        let values: Vec<f64> = bits.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
        let cursors = [Some(4), None];
        let array = ArrayPlot { values: &values, first: 3, range, has_steps: false, cursors, names: None };
        prop_assert!(fits(array.draw(size, Marker::Ascii)));
        let reading = history.reading(0, [from, to]);
        prop_assert!(reading.lines(Marker::Braille)[0].starts_with("Δt "));
    }
}
