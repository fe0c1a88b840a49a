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
        marks: &[],
        names: None,
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

#[test]
fn sine() {
    let history = history(751, |ms| [whole(phase(ms).sin())]);
    let traces = [trace(0)];
    let plot = plot(&history, &traces);
    insta::assert_snapshot!(plot.draw([62, 11], Marker::Braille), @r"
     1.0┤   ⣠⠤⢤⡀              ⢀⡤⠤⣄               ⢠⠤⠤⡄
        │  ⡼⠁  ⠳⡄            ⢠⠞  ⠈⢧             ⣰⠋  ⠘⣆
     0.5┤ ⡼⠁    ⢹⡀          ⢀⡏    ⠈⢣           ⢰⠃    ⠘⣆
        │⣸⠁      ⢳          ⡞      ⠈⣇         ⢠⠇      ⠸⡄
     0.0┤⠇       ⠈⢧        ⡸⠁       ⠘⡄       ⢀⡞        ⢱⡀       ⢠
        │         ⠘⡆      ⢰⠃         ⢹⡀      ⡼          ⢧      ⢀⡏
    -0.5┤          ⠸⡄    ⢠⠏           ⢳⡀    ⣸⠁          ⠈⣇    ⢀⡜
        │           ⠹⣄  ⢠⠏             ⢳⡀  ⡴⠃            ⠘⢦  ⢀⡞
    -1.0┤            ⠘⠒⠒⠃               ⠙⠒⠚⠁              ⠈⠓⠒⠋
        └───────────┬──────────────┬─────────────┬──────────────┬
                  -600 ms        -400          -200             0
    ");
    insta::assert_snapshot!(plot.draw([62, 11], Marker::Ascii), @r"
     1.0+   .-._              _.-.               .--.
        |  /'  \.            ./  '\             /'  '\
     0.5+ /'    \_          _/    '\           |'    '\
        |/'      \          /      '\         .|      |.
     0.0+|       '\        /'       '.       _/        \_       .
        |         '|      |'         \_      /          \      _/
    -0.5+          |.    ./           \_    /'          '\    _/
        |           \.  ./             \_  /'            '\  _/
    -1.0+            '--'               '-''              ''-'
        +-----------+--------------+-------------+--------------+
                  -600 ms        -400          -200             0
    ");
    insta::assert_snapshot!(plot.draw([40, 6], Marker::HalfBlock), @r"
     1┤ █▀█▄       ▄█▀█       ▄█▀█▄
      │█▀  ▀█     █▀  ▀█     ▄█   █▄
     0┤▀    ▀█   █▀     █▄  ▄█     █▄  ▄█
    -1┤      ▀█▄█▀       █▄█▀       ▀█▄█
      └───────────┬─────────────────────┬
                -500 ms                 0
    ");
    insta::assert_snapshot!(plot.draw([18, 3], Marker::Octant), @r"
    𜷓𜴆𜶿   𜷓𜴆𜶿   𜷓𜴆𜶿
    𜴍 ▝▖ ▗▘ ▝▖ ▗▘ ▝▖ ▗
       𜴢𜴧𜴏   𜴢𜴧𜴏   𜴢𜴧𜴏
    ");
}

#[test]
fn spike_shows_however_far_it_is_zoomed_out() {
    let history = history(200_000, |ms| [whole(if ms == 123_456 { 100.0 } else { f64::from(ms % 7) })]);
    let traces = [trace(0)];
    insta::assert_snapshot!(plot(&history, &traces).draw([62, 9], Marker::Braille), @r"
    100┤                                  ⢠
       │                                  ⢸
       │                                  ⢸
     50┤                                  ⢸
       │                                  ⢸
       │⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣸⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀
      0┤⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛⠛
       └─────┬────────────────┬────────────────┬───────────────┬
            -3 min           -2               -1               0
    ");
}

#[test]
fn scrolling_keeps_the_shape() {
    let history = history(3000, |ms| [whole(phase(ms).sin() + f64::from(ms % 17) / 40.0)]);
    let traces = [trace(0)];
    let scale = Scale::Shared(Some([-2.0, 2.0]));
    let at = |ms: u64| {
        let to = ms * MS;
        let plot = TimePlot { from: to - 880 * MS + 1, to, zero: to, scale, ..plot(&history, &traces) };
        let picture = plot.draw([50, 8], Marker::Braille);
        let row = |cells: &[Cell]| cells[6..].iter().map(|cell| cell.symbol).collect::<Vec<char>>();
        picture.rows().take(6).map(row).collect::<Vec<_>>()
    };
    // Each of 88 dots is 10 ms.
    let (before, within, after) = (at(1_989), at(1_983), at(2_009));
    for y in 0..6 {
        assert_eq!(before[y][..43], within[y][..43]);
        // The line from outside ends in the first cell.
        assert_eq!(before[y][2..], after[y][1..43]);
    }
}

#[test]
fn gaps_stay_empty_and_unverified_samples_are_dim() {
    let history = history(400, |ms| {
        let grade = if ms < 200 { Grade::Unverified } else { Grade::Stable };
        [(!(100..130).contains(&ms) && !(300..305).contains(&ms)).then(|| (phase(ms).cos(), grade))]
    });
    let lines = [trace(0)];
    let picture = plot(&history, &lines).draw([50, 8], Marker::Braille);
    insta::assert_snapshot!(picture, @r"
     1┤⠒⠦⣄⡀                    ⢀⡤⠖⠒⠲⢤⣀
      │   ⠙⢦⡀                ⣠⠞⠁     ⠈⠳⣄
      │     ⠙⢦             ⢀⡴⠁         ⠈⠠⣄
     0┤      ⠈⠳⣄         ⢀⡴⠋             ⠘⢦⡀
      │        ⠈⠳⣄     ⢀⡠⠚                 ⠙⢦⡀
    -1┤          ⠈   ⠤⠖⠋                     ⠉⠓⠦⠤⠴⠚
      └───────────┬─────────┬──────────┬──────────┬
                -300 ms   -200       -100         0
    ");
    insta::assert_snapshot!(traces(&picture), @r"
    aaaa                    0000000
       aaa                000     000
         aa             a00         000
          aaa         aaa             000
            aaa     aaa                 000
              a   aaa                     000000
    ");
}

#[test]
fn single_samples_are_joined_and_lead_out_of_the_range() {
    let history = history(8, |ms| [whole(f64::from(ms * ms))]);
    let traces = [trace(0)];
    let plot = TimePlot { from: MS + MS / 2, to: 6 * MS + MS / 4, zero: 2 * MS, ..plot(&history, &traces) };
    insta::assert_snapshot!(plot.draw([50, 10], Marker::Braille), @r"
      │
    40┤
      │                                       ⣀⡠⠤⠒⠉
      │                                 ⢀⣀⠤⠔⠊⠉
    20┤                           ⣀⡠⠤⠒⠒⠉⠁
      │                   ⣀⣀⠤⠤⠖⠒⠉⠉
      │        ⢀⣀⣀⡠⠤⠤⠔⠒⠊⠉⠉
     0┤⠔⠒⠒⠒⠒⠊⠉⠉⠁
      └────┬──────────────────┬─────────────────┬──
           0 ms               2                 4
    ");
    let close = TimePlot { from: 3_200_000, to: 3_200_900, zero: 3_200_000, ..plot };
    insta::assert_snapshot!(close.draw([50, 7], Marker::Ascii), @r"
      |
    15+
      |
      |____________________________________________
    10+
      +---+---------------------+------------------
          0 ns                 500
    ");
}

#[test]
fn states_have_steps_and_names() {
    let history = history(100, |ms| [whole(f64::from([0, 2, 1, 2][(ms / 25) as usize]))]);
    let traces = [Trace { has_steps: true, ..trace(0) }];
    let names = |value: f64| {
        ["Idle", "Running", "Failed"]
            .into_iter()
            .zip([0.0, 1.0, 2.0])
            .find_map(|(name, number)| ((value - number).abs() < 0.1).then(|| name.to_owned()))
    };
    let plot = TimePlot { names: Some(&names), ..plot(&history, &traces) };
    insta::assert_snapshot!(plot.draw([50, 9], Marker::Braille), @r"
     Failed┤          ⢰⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⡆         ⢰⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒
           │          ⢸          ⡇         ⢸
           │          ⢸          ⡇         ⢸
    Running┤          ⢸          ⠧⠤⠤⠤⠤⠤⠤⠤⠤⠤⠼
           │          ⢸
           │          ⢸
       Idle┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠼
           └────────────────────┬────────────────────┬
                               -50 ms                0
    ");
    insta::assert_snapshot!(plot.draw([50, 9], Marker::Ascii), @r"
     Failed+          |----------|         |----------
           |          |          |         |
           |          |          |         |
    Running+          |          \---------/
           |          |
           |          |
       Idle+----------/
           +--------------------+--------------------+
                               -50 ms                0
    ");
}

#[test]
fn first_trace_is_in_front() {
    let history = history(300, |ms| [whole(phase(ms).sin()), whole(phase(ms).cos() * 4.0), whole(0.0)]);
    let lines = [trace(0), trace(1), trace(2)];
    let shared = plot(&history, &lines);
    let picture = shared.draw([50, 8], Marker::Braille);
    insta::assert_snapshot!(picture, @r"
     4┤⠒⠲⠤⣄⡀                           ⢀⣠⠤⠖⠒⠒⠲⠤⣀
     2┤    ⠉⠲⣄                       ⡠⠞⠉       ⠈⠙⠢⣄
      │⣀⣀⡤⠤⠤⠖⠚⠛⢶⡒⠒⠒⠒⠦⠤⠤⣄⣀⡀        ⢀⡴⠋      ⢀⣀⣀⡤⠤⠴⠒⠚
     0┤⠉⠉⠉⠉⠉⠉⠉⠉⠉⠙⠯⡉⠉⠉⠉⠉⠉⠉⠉⠉⠙⠛⠛⠻⠭⣭⠿⠯⠭⠭⠭⠽⠛⠛⠋⠉⠉⠉⠉⠉⠉⠉⠉⠉
    -2┤           ⠈⠳⢤⡀       ⢀⡤⠚⠁
    -4┤              ⠉⠓⠲⠤⠤⠤⠖⠊⠉
      └──────────────┬──────────────┬─────────────┬
                   -200 ms        -100            0
    ");
    insta::assert_snapshot!(traces(&picture), @r"
    11111                           111111111
        111                       111       1111
    0000000000000000000        111      00000000
    02222222211122222200000000000000000002222222
               1111       1111
                  111111111
    ");
    let own = TimePlot { scale: Scale::Own, ..shared };
    insta::assert_snapshot!(traces(&own.draw([50, 8], Marker::Braille)), @r"
    11111000000000                  111111111000
      00001      0000             111      00011
    000   1111      000        111      0000   1
    02222222211122222200022221112222220002222222
               1111     000011     0000
                  111111111000000000
    ");
    let fixed = TimePlot { scale: Scale::Shared(Some([0.0, 0.5])), ..shared };
    insta::assert_snapshot!(fixed.draw([50, 8], Marker::Ascii), @r"
       |  |'    |      \            |          /
    0.4+  /     |      '|           |         .|
       | |'     |       \          .'         /
    0.2+ |      |       '|         |         .'
       ||'      '.       |         |         /
    0.0+\________\_______/\________/________.\______
       +--------------+--------------+-------------+
                    -200 ms        -100            0
    ");
}

#[test]
fn cursors_trigger_and_changes_are_marked() {
    let history = history(751, |ms| [whole(phase(ms).sin())]);
    let traces = [trace(0)];
    let marks = [100 * MS, 5000 * MS];
    let plot = TimePlot {
        cursors: [Some(200 * MS), Some(325 * MS)],
        trigger: Some(600 * MS),
        zero: 600 * MS,
        marks: &marks,
        ..plot(&history, &traces)
    };
    insta::assert_snapshot!(plot.draw([62, 9], Marker::Braille), @r"
     1┤  ⢀⡤⠖⠦⡄        │     ⢀⠴⠲⢤⡀              ⣠⠖⠲⣄┊
      │ ⢠⠏   ⠘⢦       │    ⡰⠋  ╎⠹⣄           ⢀⡞⠁  ⠈⢳⡀
      │⢠⠃     ⠈⢧      │   ⡼⠁   ╎ ⠘⡆         ⢀⡞     ┊⢳⡀
     0┤⠏       ⠈⢧     │  ⡼⠁    ╎  ⠘⣄       ⢀⡞      ┊ ⢳⡀       ⢠
      │         ⠈⢧    │ ⡼⠁     ╎   ⠘⡄     ⢀⡞       ┊  ⢳⡀     ⢠⠇
      │          ⠈⢧⡀  ⢀⡼⠁      ╎    ⠘⣆   ⢠⠞        ┊   ⠱⣄   ⣰⠋
    -1┤            ⠙⠦⠴⠋        ╎     ⠈⠓⠦⠖⠃         ┊    ⠈⠲⠴⠚⠁
      └┬──────×───────A────────B────┬──────────────T───────────
     -600 ms        -400          -200             0
    ");
    insta::assert_snapshot!(plot.draw([62, 9], Marker::Ascii), @r"
     1+  _.--.        |     _--._              .--.:
      | ./   '\       |    /'  !\.           _/'  '\_
      |.'     '\      |   /'   ! '|         _/     :\_
     0+/       '\     |  /'    !  '.       _/      : \_       .
      |         '\    | /'     !   '.     _/       :  \_     .|
      |          '\_  _/'      !    '\   ./        :   \.   /'
    -1+            '--'        !     ''--'         :    '--''
      ++------x-------A--------B----+--------------T-----------
     -600 ms        -400          -200             0
    ");
    let clicked = plot.time_at([62, 9], 21).unwrap();
    assert!(clicked.abs_diff(200 * MS) < 14 * MS, "{clicked}");
    assert_eq!(plot.time_at([62, 9], 2), None);
    let reading = history.reading(0, [200 * MS, 325 * MS]);
    assert_eq!(reading.lines(), ["Δt 125 ms   Δ 1.902", "8 Hz"]);
    assert_eq!(history.reading(0, [MS, MS]).lines(), ["Δt 0 ns   Δ 0", ""]);
    assert_eq!(history.reading(1, [MS, 2 * MS]).lines(), ["Δt 1 ms   Δ –", "1 kHz"]);
}

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
        }
        let xy = XyPlot { history: &history, channels: [0, 1], from, to };
        prop_assert!(fits(xy.draw(size, Marker::HalfBlock)));
        let values: Vec<f64> = bits.iter().map(|(_, bits)| f64::from_bits(*bits)).collect();
        let array = ArrayPlot { values: &values, first: 3, range };
        prop_assert!(fits(array.draw(size, Marker::Ascii)));
        let reading = history.reading(0, [from, to]);
        prop_assert!(reading.lines()[0].starts_with("Δt "));
    }
}
