//! Snapshots of the Scope screen, whose samples are made by hand.

use super::{SIZES, SMALL, assert_snapshot, busy, plain};
use crate::support::Harness;
use shmlens::app::scope::{Armed, PlotKind, Scope};
use shmlens::decode::{Type, parse_type};
use shmlens::scope::trigger::Trigger;
use shmlens::scope::{
    ArrayContents, Batch, Channel, Column, Elements, Event, EventKind, Grade, Number, NumberKind, Rate,
    SampledArray, SampledValue, Source, Timing, Waveform,
};
use shmlens::segment::{Bytes, Segment};
use shmlens::tui::theme::{Depth, Name, Theme};
use std::time::Duration;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;
/// The time of the first sample.
const START: u64 = 100 * SECOND;
const MODE: &str = "enum Mode : int { Idle, Running, Failed }";

/// A value in a segment.
fn value(segment: &Segment, name: &str, ty: &str) -> Channel {
    let ty: Type = parse_type(ty, &|_| Err("no files".to_owned())).unwrap().ty;
    let kind = NumberKind::of(ty.at(0)).unwrap();
    let segment = Box::new(segment.clone());
    let source = Source::Value(SampledValue { segment, offset: 0, ty, bits: None, sequence: None });
    Channel { name: name.to_owned(), kind, source }
}

fn computed(name: &str, text: &str) -> Channel {
    Channel { name: name.to_owned(), kind: NumberKind::Float, source: Source::Expression(text.to_owned()) }
}

/// A signal between -1 and 1 that looks random.
fn noise(tick: u64) -> f64 {
    let mixed = (tick ^ 0x9e37).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
    f64::from(u32::try_from(mixed).unwrap()) / f64::from(1 << 23) - 1.0
}

fn seconds(tick: u64) -> f64 {
    f64::from(u32::try_from(tick).unwrap()) / 1000.0
}

/// The values of all channels at a tick, which is a millisecond.
fn sample(tick: u64) -> Vec<(u64, Grade)> {
    let gain = 6.5 + 0.07 * (seconds(tick) * 0.9).sin() + 0.01 * noise(tick);
    let mode = match tick {
        0..2500 => 0,
        4000..5200 => 2,
        _ => 1_u64,
    };
    let fill = 32.0 + 30.0 * (seconds(tick) * 2.1).sin();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 2 and 62")]
    let fill = fill as u64;
    let torn = if (7000..8200).contains(&tick) || tick > 9900 { Grade::Unverified } else { Grade::Stable };
    let removed = if tick < 8600 { Grade::Whole } else { Grade::Missing };
    vec![
        (470_000 + tick, Grade::Whole),
        (Number::Float(gain).bits(), Grade::Verified),
        (mode, Grade::Whole),
        (tick / 3 + fill, Grade::Whole),
        (tick / 3, Grade::Whole),
        (Number::Float((seconds(tick) * 5.0).cos() * 1e-3).bits(), torn),
        (u64::from((tick / 700).is_multiple_of(2)), removed),
    ]
}

/// Ten seconds of samples, with a gap.
fn samples() -> Batch {
    let mut batch = Batch { columns: vec![Column::default(); 7], ..Batch::default() };
    for tick in 0..10_000 {
        if (5600..5900).contains(&tick) {
            if tick == 5600 {
                batch.times.push(START + tick * MILLISECOND);
                batch.columns.iter_mut().for_each(|column| column.push(0, Grade::Missing));
            }
            continue;
        }
        batch.times.push(START + tick * MILLISECOND);
        for (column, (bits, grade)) in batch.columns.iter_mut().zip(sample(tick)) {
            column.push(bits, if tick < 100 { grade.max(Grade::Stable) } else { grade });
        }
    }
    let event = |tick: u64, channel, kind| Event { time: START + tick * MILLISECOND, channel, kind };
    batch.events = vec![event(3100, 6, EventKind::Replaced), event(8600, 6, EventKind::Gone)];
    batch.timing = Timing {
        unverified: 0,
        late: 0,
        gaps: 1,
        ticks: 10_000,
        samples: 9700,
        missed: 300,
        elapsed: Duration::from_secs(10),
        jitter: Duration::from_micros(40),
        worst: Duration::from_millis(1),
    };
    batch
}

/// Opens the Scope screen with channels that have no samples.
fn empty(width: u16, height: u16) -> Harness {
    let mut harness = Harness::new(busy(), width, height);
    harness.survey();
    let segment = harness.state.survey.as_ref().unwrap().segments[0].clone();
    let mut scope = Scope::new(Bytes(64 << 20));
    for channel in [
        value(&segment, "tick", "u64"),
        value(&segment, "/telemetry:gain[1][2]", "f64"),
        value(&segment, "mode", MODE),
        value(&segment, "/telemetry:head", "u64"),
        value(&segment, "/telemetry:tail", "u64"),
        value(&segment, "/md_ring+0x1b:f64", "f64"),
        value(&segment, "valve", "bool"),
        computed("queue", "{/telemetry:head} - {/telemetry:tail}"),
    ] {
        scope.add(channel).unwrap();
    }
    scope.rate = Rate::Hertz(1000.0);
    scope.cursor = 1;
    harness.state.scope = scope;
    harness.state.scope_open = true;
    harness
}

/// Opens the Scope screen with samples. These channels are plotted.
fn scope(width: u16, height: u16, plotted: &[usize]) -> Harness {
    let mut harness = empty(width, height);
    let scope = &mut harness.state.scope;
    scope.feed(samples());
    plot(&mut harness, plotted);
    harness
}

fn plot(harness: &mut Harness, plotted: &[usize]) {
    for (index, channel) in harness.state.scope.channels.iter_mut().enumerate() {
        channel.is_plotted = plotted.contains(&index);
    }
}

/// Sets a trigger that has fired once, and freezes the view around it.
fn fire(harness: &mut Harness) {
    let scope = &mut harness.state.scope;
    let channels: Vec<Channel> = scope.channels.iter().map(|one| one.channel.clone()).collect();
    let trigger = Trigger::new("mode == 2".parse().unwrap());
    scope.trigger = Some(Armed::new(trigger, vec![], &channels).unwrap());
    scope.history.clear();
    scope.feed(samples());
    scope.view.is_frozen = true;
    scope.view.span = 4 * SECOND;
    scope.view.end = Some(START + 6 * SECOND);
}

#[test]
fn scope_matches_its_snapshots() {
    for (width, height) in SIZES.into_iter().chain(SMALL) {
        let harness = scope(width, height, &[0, 1, 2, 5, 7]);
        let screen = harness.screen();
        for text in ["969.9", "40", "300 missed"] {
            assert!(screen.contains(text), "no {text} in\n{screen}");
        }
        assert_snapshot(&format!("scope-{width}x{height}"), &harness, &plain());
    }
}

#[test]
fn scope_matches_its_snapshots_in_other_themes() {
    let mut harness = scope(100, 30, &[1, 5, 6]);
    harness.state.scope.cursor = 5;
    for (name, theme) in [
        ("dark", Theme::new(Name::Dark, Depth::True, false)),
        ("mono", Theme::new(Name::Mono, Depth::True, false)),
        ("ascii", Theme::new(Name::Default, Depth::Sixteen, true)),
    ] {
        assert_snapshot(&format!("scope-{name}"), &harness, &theme);
    }
}

#[test]
fn trigger_and_cursors_match_their_snapshots() {
    for (width, height) in SIZES {
        let mut harness = scope(width, height, &[1, 2, 7]);
        fire(&mut harness);
        harness.state.scope.cursor = 2;
        assert_snapshot(&format!("scope-trigger-{width}x{height}"), &harness, &plain());
        harness.state.scope.cursor = 7;
        harness.state.scope.view.cursors =
            [Some(START + 3 * SECOND), Some(START + 4 * SECOND + 40 * MILLISECOND)];
        assert_snapshot(&format!("scope-cursors-{width}x{height}"), &harness, &plain());
    }
}

/// Selects a waveform with contents and cursors, of two.
fn waveform(width: u16, height: u16) -> Harness {
    let mut harness = scope(width, height, &[0, 1]);
    let segment = Box::new(harness.state.survey.as_ref().unwrap().segments[0].clone());
    let mut add = |name: &str, ty: &str, contents: Option<Vec<u8>>| {
        let ty = parse_type(ty, &|_| Err("no files".to_owned())).unwrap().ty;
        let array = SampledArray { segment: segment.clone(), elements: Elements::of(ty.at(0)).unwrap() };
        let scope = &mut harness.state.scope;
        scope.add_waveform(Waveform { name: name.to_owned(), array }).unwrap();
        let one = scope.waveforms.last_mut().unwrap();
        one.contents = contents.map(|bytes| ArrayContents::new(&one.waveform.array.elements, bytes));
    };
    let curve = (0..512).map(|index: u16| match index {
        200..230 => f64::NAN,
        index => (-f64::from(index) / 200.0).exp() * (f64::from(index) / 12.0).sin(),
    });
    add("/adc:samples", "f64[512]", Some(curve.flat_map(f64::to_le_bytes).collect()));
    let matrix = (0..90).flat_map(|index: u8| f32::from(index % 12).to_le_bytes());
    add("/telemetry:gain", "f32[8][12]", Some(matrix.collect()));
    add("/md_ring+0x0:u64[64]", "u64[64]", None);
    let scope = &mut harness.state.scope;
    scope.waveforms[2].trouble = Some(EventKind::Gone);
    scope.cursor = 8;
    scope.waveforms[0].view.cursors = [Some(57), Some(170)];
    harness
}

#[test]
fn waveforms_match_their_snapshots() {
    for (width, height) in SIZES {
        assert_snapshot(&format!("scope-waveform-{width}x{height}"), &waveform(width, height), &plain());
    }
    let mut harness = waveform(100, 30);
    harness.state.scope.cursor = 9;
    let theme = Theme::new(Name::Default, Depth::Sixteen, true);
    assert_snapshot("scope-waveform-ascii", &harness, &theme);
    harness.state.scope.cursor = 10;
    let screen = harness.screen();
    assert!(screen.contains("No contents yet. /md_ring+0x0:u64[64]: segment removed"), "{screen}");
}

#[test]
fn waveforms_draw_at_every_size_and_in_ascii() {
    let theme = Theme::new(Name::Default, Depth::Sixteen, true);
    let mut harness = waveform(80, 24);
    for kind in [PlotKind::Time, PlotKind::Histogram] {
        harness.state.scope.view.kind = kind;
        for cursor in 8..11 {
            harness.state.scope.cursor = cursor;
            for width in (0..45).step_by(4).chain([79, 80, 99, 100, 101, 160, 250]) {
                for height in (0..25).step_by(3).chain([24, 60]) {
                    harness.state.size = shmlens::app::event::Size { width, height };
                    let buffer = harness.cells(&theme);
                    let strange = buffer.content.iter().find(|cell| !cell.symbol().is_ascii());
                    assert_eq!(strange.map(ratatui::buffer::Cell::symbol), None, "{width}x{height} {kind:?}");
                }
            }
        }
    }
}

#[test]
fn other_plots_match_their_snapshots() {
    let mut harness = scope(80, 24, &[1, 7]);
    for (name, kind) in [("xy", PlotKind::Xy), ("histogram", PlotKind::Histogram)] {
        harness.state.scope.view.kind = kind;
        assert_snapshot(&format!("scope-{name}"), &harness, &plain());
    }
}

#[test]
fn scope_without_anything_to_show_says_what_to_do() {
    let mut harness = Harness::new(busy(), 80, 24);
    harness.state.scope_open = true;
    for (width, height) in [(80, 24), (40, 8)] {
        harness.state.size = shmlens::app::event::Size { width, height };
        assert_snapshot(&format!("scope-empty-{width}x{height}"), &harness, &plain());
    }
    let mut harness = empty(80, 24);
    assert_snapshot("scope-no-samples", &harness, &plain());
    harness.state.scope.channels[0].trouble = Some(EventKind::Gone);
    assert!(harness.screen().contains("No samples yet. tick: segment removed."));
    let mut harness = scope(80, 24, &[]);
    assert!(harness.screen().contains("No channel is plotted (enter plots the selected one)."));
    harness.state.scope.view.kind = PlotKind::Xy;
    assert!(harness.screen().contains("XY takes two plotted channels"));
}

#[test]
fn scope_in_ascii_mode_draws_only_ascii() {
    let theme = Theme::new(Name::Default, Depth::Sixteen, true);
    for (width, height) in SIZES.into_iter().chain(SMALL) {
        let mut harness = scope(width, height, &[0, 1, 2, 5, 6, 7]);
        for kind in [PlotKind::Time, PlotKind::Xy, PlotKind::Histogram] {
            harness.state.scope.view.kind = kind;
            for fired in [false, true] {
                if fired {
                    fire(&mut harness);
                    harness.state.scope.view.cursors = [Some(START + 3 * SECOND), Some(START + 5 * SECOND)];
                }
                let buffer = harness.cells(&theme);
                let strange = buffer.content.iter().find(|cell| !cell.symbol().is_ascii());
                assert_eq!(strange.map(ratatui::buffer::Cell::symbol), None, "{width}x{height} {kind:?}");
            }
        }
    }
}

#[test]
fn scope_draws_at_every_size() {
    let mut harness = scope(80, 24, &[0, 1, 2, 5, 6, 7]);
    fire(&mut harness);
    harness.state.scope.view.cursors = [Some(START + 3 * SECOND), Some(START + 5 * SECOND)];
    for kind in [PlotKind::Time, PlotKind::Xy, PlotKind::Histogram] {
        harness.state.scope.view.kind = kind;
        for width in (0..45).chain(75..125).chain([160, 250]) {
            for height in (0..25).chain([45, 60]) {
                harness.state.size = shmlens::app::event::Size { width, height };
                let screen = harness.screen();
                let has_timing = screen.contains("300 missed") || width < 40 || height < 8;
                assert!(has_timing, "{width}x{height}\n{screen}");
            }
        }
    }
}
