//! XY plots, histograms and arrays, as text.

use super::{MS, history, phase, whole};
use crate::scope::Grade;
use crate::scope::plot::{ArrayPlot, Marker, XyPlot};
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
fn array_across_its_indices() {
    let mut values: Vec<f64> = (0..500).map(|index| (f64::from(index) / 100.0 * TAU).sin()).collect();
    values[210..240].fill(f64::NAN);
    insta::assert_snapshot!(ArrayPlot { values: &values, first: 0, range: None }.draw([62, 9], Marker::Braille), @r"
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
    let few =
        ArrayPlot { values: &[1.0, 3.0, 2.0, f64::INFINITY, 5.0, 4.0], first: 10, range: Some([0.0, 6.0]) };
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
