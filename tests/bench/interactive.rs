//! Startup time, response time and idle cost of the interactive program on a real pseudo-terminal,
//! in its own namespaces.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

mod live;
mod pty;
mod support;
mod world;

use pty::{FRAME_END, Pty};
use shmlens::app::{Event, Keymap, Settings, State, update};
use shmlens::engine::{Body, Report};
use shmlens::identify::{Identifier, Rules};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Names, Survey};
use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use support::{Contest, checked, discard, installed, shmlens, short};

fn main() {
    if std::env::args().any(|argument| argument == "--list") || !world::enter("interactive") {
        return;
    }
    let rounds = if short() { 5 } else { 41 };
    large_object();
    world::fill(1..=3, 1..=3);
    at_rest(Duration::from_secs(if short() { 2 } else { 20 }));
    live::idle(Duration::from_secs(if short() { 3 } else { 20 }));
    let long = Duration::from_secs(if short() { 3 } else { 20 });
    world::fill(4..=13, 4..=14);
    live::processor_time("27 segments, ten of which change 50 times a second", 13, long);
    world::fill(14..=1000, 15..=1000);
    first_frame(rounds);
    live::processor_time("1000 + 1000 segments, ten of which change 50 times a second", 1000, long);
    live::keys(100);
    world::fill(1001..=4000, 1001..=10_000);
    survey(rounds);
    survey_handover(rounds);
    keys(if short() { 50 } else { 500 });
}

/// Prints a measured value, and whether it meets its goal.
pub fn print_figure(what: &str, figure: f64, unit: &str, goal: Option<f64>) {
    let goal = match goal {
        Some(goal) if figure < goal => format!("   (goal {goal} {unit}: reached)"),
        Some(goal) => format!("   (goal {goal} {unit}: MISSED)"),
        None => String::new(),
    };
    println!("  {what:<52} {figure:>9.3} {unit}{goal}");
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn at_rest(time: Duration) {
    println!("idle with 3 System V and 3 POSIX segments, for {} s", time.as_secs());
    let mut pty = Pty::start(shmlens());
    pty.wait(b"psm_00000003", FRAME_END);
    let rest = |pty: &mut Pty, what: &str, goal| {
        // Wait until the keys are handled.
        pty.rest(Duration::from_millis(500));
        let (before, started) = (pty.processor_time(), Instant::now());
        pty.rest(time);
        let used = pty.processor_time().saturating_sub(before);
        let share = used.as_secs_f64() / started.elapsed().as_secs_f64();
        print_figure(what, share * 100.0, "% of a core", goal);
    };
    rest(&mut pty, "table, one survey a second", Some(0.3));
    pty.send(b"\r");
    pty.wait(b"live", FRAME_END);
    rest(&mut pty, "Inspect, ten reads a second", None);
    pty.send(b"q");
    pty.wait(b"filt", FRAME_END);
    pty.send(b"+++++++++\r");
    pty.wait(b"live", FRAME_END);
    pty.send(b" ");
    pty.wait(b"frozen", FRAME_END);
    rest(&mut pty, "frozen, survey paused", Some(0.001));
}

fn large_object() {
    println!("4 TiB object");
    let name = "/dev/shm/a-large-one";
    let mut file = File::create(name).expect("a new object");
    file.set_len(4 << 40).expect("a size");
    file.seek(SeekFrom::End(-9)).expect("its end");
    file.write_all(b"its end. ").expect("room in /dev/shm");
    let mut pty = Pty::start(shmlens());
    pty.wait(b"a-large-one", FRAME_END);
    pty.send(b"\r");
    pty.wait(b"live", FRAME_END);
    let sent = pty.send(b"G");
    let shown = pty.wait(b"its", FRAME_END);
    print_figure("end shown after", milliseconds(shown - sent), "ms", None);
    // The map fills in pieces.
    pty.rest(Duration::from_secs(2));
    #[expect(clippy::cast_precision_loss, reason = "an amount that is only measured")]
    let memory = pty.memory("VmHWM") as f64 / f64::from(1 << 20);
    print_figure("peak memory", memory, "MiB", Some(30.0));
    fs::remove_file(name).expect("our object");
}

fn first_frame(rounds: usize) {
    let mut frames = vec![];
    let mut contest = Contest::new("first frame with 1000 System V and 1000 POSIX segments");
    let ours = || {
        let mut pty = Pty::start(shmlens());
        let shown = pty.wait(b"0x0000", FRAME_END);
        let took = shown - pty.started;
        frames.push(took);
        took
    };
    contest.add("shmlens", 0, None, ours);
    if installed("htop") {
        contest.add("htop", 0, None, || {
            let mut pty = Pty::start(Command::new("htop"));
            let shown = pty.wait(b"Quit", b"");
            shown - pty.started
        });
    }
    if installed("watch") && installed("lsof") {
        contest.add("watch -n1 lsof", 0, None, || {
            let mut pty = Pty::start(live::watch_lsof());
            let shown = pty.wait(b"Every", b"");
            shown - pty.started
        });
    }
    if installed("ipcs") && installed("ls") {
        let (mut ipcs, mut ls) = tools(1000);
        contest.add("ipcs -m plus ls -l", 0, Some(1.25), move || ipcs() + ls());
    }
    contest.run(rounds);
    frames.sort();
    print_figure("median", milliseconds(frames[frames.len() / 2]), "ms", Some(50.0));
}

/// The commands that a user would run instead.
fn tools(segments: usize) -> (impl FnMut() -> Duration, impl FnMut() -> Duration) {
    let mut ipcs = Command::new("ipcs");
    ipcs.arg("-m");
    let mut ls = Command::new("ls");
    ls.args(["-l", "/dev/shm"]);
    let complete = move |output: &Output| {
        assert!(output.stdout.split(|byte| *byte == b'\n').count() >= segments);
    };
    (checked(ipcs, complete), discard(ls))
}

fn survey(rounds: usize) {
    let mut times = vec![];
    let (mut names, mut identifier) = (Names::default(), Identifier::for_repeated_surveys(Rules::default()));
    let mut contest = Contest::new("survey of 4000 System V and 10 000 POSIX segments");
    let ours = || {
        let started = Instant::now();
        let survey = identifier.survey(&RealMachine, None, &mut names);
        let took = started.elapsed();
        assert_eq!(survey.segments.len(), 14_000);
        times.push(took);
        took
    };
    contest.add("shmlens, library call", 0, None, ours);
    if installed("ipcs") && installed("ls") {
        let (mut ipcs, mut ls) = tools(4000);
        contest.add("ipcs -m plus ls -l", 0, None, move || ipcs() + ls());
    }
    contest.run(rounds);
    times.sort();
    print_figure("median", milliseconds(times[times.len() / 2]), "ms", Some(80.0));
}

/// Measures the longest delay of a key, which occurs while the result of a survey is stored.
fn survey_handover(rounds: usize) {
    let settings = Settings {
        interval: Duration::from_secs(1),
        live_interval: Duration::from_secs(1),
        mouse: true,
        keymap: Keymap::default(),
        user: String::new(),
        read_only: false,
        history: shmlens::segment::Bytes(64 << 20),
    };
    let mut state = State::new(settings);
    let mut names = Names::default();
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let survey = Box::new(Survey::take(&RealMachine, &mut names));
            let started = Instant::now();
            update(
                &mut state,
                Duration::ZERO,
                Event::Engine(Report::new(Duration::ZERO, Body::Surveyed(survey))),
            );
            started.elapsed()
        })
        .collect();
    times.sort();
    println!("time that a survey of 4000 + 10 000 takes on the input thread, {rounds} rounds");
    print_figure("median", milliseconds(times[rounds / 2]), "ms", Some(16.0));
    print_figure("longest", milliseconds(times[rounds - 1]), "ms", None);
}

/// Measures the time from a key to its frame while surveys run back to back.
fn keys(count: usize) {
    println!("key press to frame during a survey of 4000 + 10 000 segments, {count} keys");
    let mut pty = Pty::start(shmlens());
    pty.wait(b"0x0000", FRAME_END);
    // Select the shortest interval. The new text depends on the previous screen, so do not wait for
    // it.
    pty.send(b"---------");
    pty.rest(Duration::from_secs(1));
    let mut times: Vec<Duration> = (0..count)
        .map(|at| {
            // Press the key at a different moment of the survey each time.
            pty.rest(Duration::from_micros(20_000 + 7919 * (at as u64 % 13)));
            // Wait for the marker of the newly selected row.
            let sent = pty.send(if at % 2 == 0 { b"j" } else { b"k" });
            pty.wait("▌".as_bytes(), FRAME_END) - sent
        })
        .collect();
    times.sort();
    print_figure("median", milliseconds(times[count / 2]), "ms", Some(16.0));
    print_figure("99th percentile", milliseconds(times[count * 99 / 100]), "ms", Some(16.0));
    print_figure("longest", milliseconds(times[count - 1]), "ms", None);
}
