//! Plots over time, as text.

use super::{MS, history, phase, plot, trace, traces, whole};
use crate::scope::Grade;
use crate::scope::plot::{Cell, Marker, Scale, TimePlot, Trace};

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

/// The names of an enumeration whose values are far apart.
fn mode(value: f64) -> Option<String> {
    let names = [(0.0, "Idle"), (4.0, "Running"), (7.0, "Braking"), (1000.0, "Broken")];
    names.into_iter().find(|(number, _)| value.total_cmp(number).is_eq()).map(|(_, name)| name.to_owned())
}

#[test]
fn each_state_has_a_level_of_its_own() {
    // 9 has no name.
    let history = history(100, |ms| [whole([0.0, 1000.0, 9.0, 4.0][(ms / 25) as usize])]);
    let traces = [Trace { has_steps: true, ..trace(0) }];
    let named = [vec![0.0, 4.0, 7.0, 1000.0]];
    let plot = TimePlot { names: Some(&mode), named: &named, scale: Scale::Own, ..plot(&history, &traces) };
    insta::assert_snapshot!(plot.draw([50, 9], Marker::Ascii), @r"
     Broken+          ____________
           |          |          |
          9+          |          ''''''''''\
    Braking+          |                    |
    Running+          |                    |__________
           |          |
       Idle+'''''''''''
           +--------------------+--------------------+
                               -50 ms                0
    ");
    // There is no room for states that are not visible.
    insta::assert_snapshot!(plot.draw([50, 6], Marker::Ascii), @r"
     Broken+          .----------.
          9+          |          \---------.
    Running+          |                    '----------
       Idle+----------'
           +--------------------+--------------------+
                               -50 ms                0
    ");
    // Nor for those that are: the axis is that of their numbers.
    insta::assert_snapshot!(plot.draw([50, 5], Marker::Ascii), @r"
    Broken+          |----------\
          |          |          |
      Idle+----------/          |---------------------
          +---------------------+--------------------+
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
        fired: &[50 * MS, 50 * MS + 1, 600 * MS, 700 * MS],
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
      └┬──▴───×───────A────────B────┬──────────────T───────▴───
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
      ++--^---x-------A--------B----+--------------T-------^---
     -600 ms        -400          -200             0
    ");
    let clicked = plot.time_at([62, 9], 21).unwrap();
    assert!(clicked.abs_diff(200 * MS) < 14 * MS, "{clicked}");
    assert_eq!(plot.time_at([62, 9], 2), None);
    let reading = history.reading(0, [200 * MS, 325 * MS]);
    assert_eq!(reading.lines(Marker::Braille), ["Δt 125 ms   Δ 1.902", "8 Hz"]);
    assert_eq!(history.reading(0, [MS, MS]).lines(Marker::Braille), ["Δt 0 ns   Δ 0", ""]);
    let plain = history.reading(1, [0, 2000]).lines(Marker::Ascii);
    assert_eq!(plain, ["dt 2 us   d -", "500 kHz"]);
    assert_eq!(history.reading(1, [MS, 2 * MS]).lines(Marker::Braille), ["Δt 1 ms   Δ –", "1 kHz"]);
}
