//! XY plots, histograms and arrays, as text.

use super::{MS, history, phase, whole};
use crate::scope::Grade;
use crate::scope::plot::{ArrayPlot, Histogram, Marker, XyPlot, array_columns};
use proptest::prelude::*;
use std::f64::consts::TAU;

#[test]
fn circle_of_two_channels() {
    let history =
        history(251, |ms| [whole(phase(ms).cos()), (ms < 200).then(|| (phase(ms).sin(), Grade::Whole))]);
    let plot = XyPlot { history: &history, channels: [0, 1], from: 0, to: 250 * MS };
    insta::assert_snapshot!(plot.draw([40, 12], Marker::Braille), @r"
     1.0┤          ⢀⣀⣀⠤⠤⠤⠤⠤⠤⠤⠤⣄⣀⣀
        │     ⢀⣠⠴⠒⠉⠁            ⠈⠉⠓⠦⢄⡀
     0.5┤   ⣀⠖⠋                      ⠉⠲⣄
        │  ⡴⠃                          ⠈⢦
        │ ⢰⠁                            ⠈⡇
     0.0┤ ⠸⡀                             ⠁
        │  ⠳⡄
    -0.5┤   ⠉⠦⣄
        │     ⠈⠙⠲⠤⣀⡀
    -1.0┤          ⠈⠉⠉⠒⠒⠒⠒⠒⠒⠒⠒⠃
        └─┬───────────────┬──────────────┬─
         -1               0              1
    ");
}

#[test]
fn histogram_of_a_sine() {
    let history = history(250, |ms| [whole(phase(ms).sin())]);
    let histogram = history.histogram(0, 0, 249 * MS, 27).unwrap();
    assert_eq!((histogram.counted, histogram.bins.iter().sum::<u64>()), (250, 250));
    insta::assert_snapshot!(histogram.draw([60, 9], Marker::Braille), @r"
      │  ⣿⣿                                              ⣿⣿
      │  ⣿⣿                                              ⣿⣿
    20┤  ⣿⣿                                              ⣿⣿
      │  ⣿⣿⣿⣿                                          ⣿⣿⣿⣿
    10┤  ⣿⣿⣿⣿⣶⣶⣶⣶⣀⣀⣀⣀⣀⣀⣀⣀    ⣀⣀      ⣀⣀    ⣀⣀⣀⣀⣀⣀⣀⣀⣶⣶⣶⣶⣿⣿⣿⣿
      │  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣶⣶⣶⣶⣿⣿⣶⣶⣶⣶⣶⣶⣿⣿⣶⣶⣶⣶⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
     0┤  ⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿
      └──┬───────────┬────────────┬───────────┬───────────┬──
       -1.0        -0.5          0.0         0.5         1.0
    ");
    assert_eq!(history.histogram(0, 300 * MS, 400 * MS, 10), None);
    assert_eq!(history.histogram(1, 0, 400 * MS, 10), None);
}

#[test]
fn histogram_counts_as_many_integers_in_each_bin() {
    for (values, most, bins) in [
        (vec![0, 1, 1, 2, 3, 4], 90, vec![1, 2, 1, 1, 1]),
        ((0..50).collect(), 90, vec![1; 50]),
        ((0..100).collect(), 30, vec![4; 25]),
        ((-3..4).collect(), 2, vec![4, 3]),
        (vec![7, 7], 10, vec![2]),
    ] {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let found = Histogram::of(&values, most, true).unwrap();
        assert_eq!(found.bins, bins, "{values:?}");
        assert!((found.range[0] - values.iter().copied().reduce(f64::min).unwrap() + 0.5).abs() < 1e-9);
    }
    let far = Histogram::of(&[0.0, 2.0_f64.powi(64)], 80, true).unwrap();
    assert_eq!((far.bins.len() <= 81, far.bins[0], far.bins.iter().sum::<u64>()), (true, 1, 2));
}

#[test]
fn array_across_its_indices() {
    let mut values: Vec<f64> = (0..500).map(|index| (f64::from(index) / 100.0 * TAU).sin()).collect();
    values[210..240].fill(f64::NAN);
    let plot = |values, first, range| ArrayPlot {
        values,
        first,
        range,
        has_steps: false,
        cursors: [None; 2],
        names: None,
    };
    insta::assert_snapshot!(plot(&values, 0, None).draw([62, 9], Marker::Braille), @r"
     1┤  ⡴⢦⡀        ⡴⠢⡀                   ⣠⠶⣄        ⢠⠶⣄
      │ ⡜  ⢳       ⡼⠁ ⢳⡀      ⡀  ⠠⡀      ⢰⠃ ⠸⡄      ⢠⠃ ⠘⡆
      │⢰⠃  ⠈⡇     ⢠⠃   ⢇     ⢠⠇   ⢧     ⢀⡏   ⢱      ⡞   ⢹
     0┤⠏    ⠸⡀    ⡎    ⠘⡄    ⡜    ⠘⡆    ⣸    ⠈⣇    ⢸⠁    ⢇    ⢠
      │      ⢧   ⣰⠁     ⢣   ⢰⠃     ⢹   ⢠⠇     ⢸⡀  ⢀⠇     ⠸⡄  ⢀⡎
      │      ⠘⡆ ⢠⠇      ⠈⣇ ⢀⡏       ⢧ ⢀⡞       ⢣  ⡼       ⢳  ⡼
    -1┤       ⠘⠦⠋        ⠘⠦⠎        ⠈⠳⠞        ⠈⠳⠞⠁        ⠳⠜⠁
      └┬──────────┬──────────┬──────────┬──────────┬───────────
       0         100        200        300        400
    ");
    let few = plot(&[1.0, 3.0, 2.0, f64::INFINITY, 5.0, 4.0], 10, Some([0.0, 6.0]));
    insta::assert_snapshot!(few.draw([50, 8], Marker::Ascii), @r"
    6+
     |                                   ''----.__
    4+                                           '
    2+    _.--''''----__
     |_--''
    0+
     ++----------------+-----------------+--------
     10               12                14
    ");
}

#[test]
fn cursors_and_states_of_an_array() {
    let names = |value: f64| ((value - 1.0).abs() < 0.1).then(|| "On".to_owned());
    let plot = ArrayPlot {
        values: &[0.0, 1.0, 1.0, 0.0],
        first: 2,
        range: None,
        has_steps: true,
        cursors: [Some(3), Some(9)],
        names: Some(&names),
    };
    insta::assert_snapshot!(plot.draw([40, 8], Marker::Braille), @r"
     On┤           ⡤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⢤
       │           ⡇                     ⢸
       │           ⡇                     ⢸
       │           ⡇                     ⢸
       │           ⡇                     ⢸
    0.0┤⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠃                     ⠘
       └┬──────────A──────────┬──────────┬
        2          3          4          5
    ");
}

proptest! {
    #[test]
    fn each_value_is_in_the_column_of_its_position(count in 1_usize..60, length in 0_usize..200, gap in 0_usize..200) {
        let values: Vec<f64> = (0..length).map(|index| if index == gap { f64::NAN } else { f64::from(u8::try_from(index).unwrap()) }).collect();
        let spans = array_columns(&values, count).spans;
        prop_assert_eq!(spans.len(), count);
        let last = length.saturating_sub(1).max(1);
        let mut expected: Vec<Vec<f64>> = vec![vec![]; count];
        for (index, &value) in values.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            expected[(2 * index * (count - 1) + last) / (2 * last)].push(value);
        }
        for (span, values) in spans.iter().zip(&expected) {
            let ends = span.map(|span| [span.min, span.max, span.first, span.last]);
            let (min, max) = (values.first().copied(), values.last().copied());
            prop_assert_eq!(ends, min.zip(max).map(|(min, max)| [min, max, min, max]));
        }
    }
}

#[test]
fn histogram_of_states_has_their_names() {
    let values = [0.0, 1000.0, 9.0, 4.0, 4.0, -1.0];
    let history = history(600, |ms| [whole(values[(ms % 6) as usize])]);
    let names = |value: f64| match value {
        0.0 => Some("Idle".to_owned()),
        4.0 => Some("Running".to_owned()),
        1000.0 => Some("Broken".to_owned()),
        _ => None,
    };
    let counts = history.state_counts(0, [0, 599 * MS], &names).unwrap();
    insta::assert_snapshot!(counts.draw([60, 12], Marker::Braille), @r"
           │
     Broken┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇ 100 (16.7%)
           │
          9┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇ 100 (16.7%)
           │
    Running┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇ 200 (33.3%)
       Idle┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇ 100 (16.7%)
           │
         -1┤⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⣿⡇ 100 (16.7%)
           │
           └┬───────────────┬───────────────┬───────────────┬───
            0              100             200             300
    ");
    insta::assert_snapshot!(counts.draw([70, 5], Marker::Ascii), @r"
     Running+||||||||||||||||||||||||||||| 200 (33.3%)
          -1+||||||||||||||| 100 (16.7%)
    3 others+||||||||||||||||||||||||||||||||||||||||||| 300 (50.0%)
            ++-------------+-------------+-------------+-------------+----
             0            100           200           300           400
    ");
    assert_eq!(history.state_counts(0, [700 * MS, 800 * MS], &names), None);
}
