//! Draws 10 million samples at any zoom, and 20 channels at 60 frames a second. All times are processor
//! times, so that other load on the machine does not count.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]
#![expect(clippy::cast_precision_loss, reason = "samples that are only drawn")]

#[expect(dead_code, reason = "runs no program")]
mod support;

use nix::time::{ClockId, clock_gettime};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use shmlens::app::event::Size;
use shmlens::app::scope::Scope;
use shmlens::app::{Keymap, Settings, State};
use shmlens::scope::plot::{Marker, Scale, TimePlot, Trace, XyPlot};
use shmlens::scope::recording::Track;
use shmlens::scope::{Batch, Column, Grade, History, NumberKind, Statistics};
use shmlens::segment::Bytes;
use shmlens::tui::draw::draw;
use shmlens::tui::theme::{Depth, Name, Theme};
use std::hint::black_box;
use std::time::Duration;
use support::short;

/// Nanoseconds between two samples.
const PERIOD: u64 = 100_000;
/// A large terminal.
const SIZE: [usize; 2] = [200, 50];
const FRAMES_PER_SECOND: f64 = 60.0;
/// Samples in a batch.
const BATCH: usize = 1000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let (samples, rounds) = if short() { (1_000_000, 5) } else { (10_000_000, 41) };
    zooms(samples, rounds);
    frames(20, samples / 10, rounds);
}

/// The slowest zoom of all.
fn zooms(samples: u64, rounds: usize) {
    let started = processor_time();
    let history = history(1, samples);
    let push = processor_time().saturating_sub(started).as_secs_f64() * 1e9 / samples as f64;
    println!("{samples} samples of a channel, {} MB, {push:.0} ns to take each", history.bytes() / 1_000_000);
    let traces = [Trace { channel: 0, range: None, has_steps: false }];
    let mut slowest = Duration::ZERO;
    let mut length = samples * PERIOD;
    while length > PERIOD {
        // At the end, where the pyramid is not complete, and at an odd place.
        for to in [samples * PERIOD, (samples - samples / 3) * PERIOD + 12_345] {
            let from = to.saturating_sub(length);
            let took = median(rounds, || {
                let plot = plot(&history, &traces, from, to);
                black_box(plot.draw(SIZE, Marker::Braille));
            });
            slowest = slowest.max(took);
        }
        length /= 3;
    }
    report("slowest zoom", slowest, 8.0);
    let all = XyPlot { history: &history, channels: [0, 0], from: 0, to: samples * PERIOD };
    report("XY of all", median(rounds, || _ = black_box(all.draw(SIZE, Marker::Braille))), 16.0);
    let bins = || _ = black_box(history.histogram(0, 0, samples * PERIOD, 200));
    report("histogram of all", median(rounds, bins), 16.0);
}

/// The load of a processor by frames of many channels: the samples since the last frame, the whole
/// screen, and the cells that changed.
fn frames(channels: usize, samples: u64, rounds: usize) {
    /// Samples of a channel between two frames.
    const NEW: u64 = 1_000_000_000 / PERIOD / 60;
    let tracks: Vec<Track> = (0..channels)
        .map(|channel| Track { name: format!("channel {channel}"), kind: NumberKind::Float })
        .collect();
    let scope = Scope::of_recording("waves".to_owned(), &tracks, Bytes(1 << 40)).expect("channels");
    let (width, height) = (200, 55);
    let second = Duration::from_secs(1);
    let mut state = State::new(Settings {
        interval: second,
        live_interval: second,
        mouse: true,
        keymap: Keymap::default(),
        user: String::new(),
        read_only: false,
        history: Bytes(0),
    });
    (state.scope, state.scope_open, state.size) = (scope, true, Size { width, height });
    let mut waves = Waves::default();
    while waves.tick < samples {
        state.scope.feed(waves.batch(channels, BATCH as u64));
    }
    println!("{channels} channels of {samples} samples, {} MB", state.scope.history.bytes() / 1_000_000);
    let theme = Theme::new(Name::Default, Depth::Sixteen, false);
    let area = Rect::new(0, 0, width, height);
    let mut shown = Buffer::empty(area);
    for (name, length) in [("all samples", samples), ("10 s", 100_000), ("100 ms", 1000)] {
        state.scope.view.zoom_to(length * PERIOD, waves.tick * PERIOD);
        state.scope.view.follow();
        let took = median(rounds, || {
            state.scope.feed(waves.batch(channels, NEW));
            let mut next = Buffer::empty(area);
            draw(&state, &theme, &mut next);
            black_box(shown.diff(&next));
            shown = next;
        });
        let load = took.as_secs_f64() * FRAMES_PER_SECOND * 100.0;
        report(&format!("a screen of {name} ({load:.0} % of a core at 60 a second)"), took, 5.0);
    }
}

fn plot<'a>(history: &'a History, traces: &'a [Trace], from: u64, to: u64) -> TimePlot<'a> {
    TimePlot {
        history,
        traces,
        from,
        to,
        zero: to,
        scale: Scale::Own,
        cursors: [Some(from), Some(to)],
        trigger: Some(to),
        fired: &[],
        marks: &[],
        names: None,
        named: &[],
    }
}

fn history(channels: usize, samples: u64) -> History {
    let mut history = History::new(&vec![NumberKind::Float; channels], u64::MAX);
    let mut statistics = Statistics::new(NumberKind::Float);
    let mut waves = Waves::default();
    while waves.tick < samples {
        let batch = waves.batch(channels, BATCH as u64);
        statistics.push(&batch.times, &batch.columns[0]);
        history.push(&batch);
    }
    black_box(statistics);
    history
}

/// Noisy waves with a gap here and there.
#[derive(Default)]
struct Waves {
    tick: u64,
    noise: u64,
}

impl Waves {
    fn batch(&mut self, channels: usize, count: u64) -> Batch {
        let ticks = self.tick..self.tick + count;
        self.tick = ticks.end;
        let column = |channel: usize| {
            let mut column = Column::default();
            for tick in ticks.clone() {
                self.noise = self.noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let phase = (tick % 20_000) as f64 / 20_000.0 + channel as f64 / 7.0;
                let value = (phase * std::f64::consts::TAU).sin() + (self.noise >> 40) as f64 / 1e8;
                let grade = if tick.is_multiple_of(9973) { Grade::Missing } else { Grade::Whole };
                column.push(value.to_bits(), grade);
            }
            column
        };
        let columns = (0..channels).map(column).collect();
        Batch { times: ticks.map(|tick| tick * PERIOD).collect(), columns, ..Batch::default() }
    }
}

fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let started = processor_time();
            run();
            processor_time().saturating_sub(started)
        })
        .collect();
    times.sort();
    times[rounds / 2]
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).expect("Linux has this clock").into()
}

fn report(name: &str, took: Duration, goal: f64) {
    let took = took.as_secs_f64() * 1e3;
    let verdict = if took <= goal { "reached" } else { "MISSED" };
    println!("  {name:<52} {took:>8.2} ms (goal {goal} ms: {verdict})");
}
