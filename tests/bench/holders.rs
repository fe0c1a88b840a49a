//! Scans for holders among 500 processes with about 330 mappings each and 1000 segments of each
//! kind, compared with lsof and a bare loop over the same system calls.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[path = "../holders/found.rs"]
mod found;
mod partner;
#[expect(dead_code, reason = "types no keys")]
mod pty;
mod support;
#[path = "../holders/truth.rs"]
mod truth;
#[expect(dead_code, reason = "the crowd creates the segments")]
mod world;

use found::found;
use partner::{Partner, compiled};
use pty::{FRAME_END, Pty};
use shmlens::machine::real::RealMachine;
use shmlens::survey::{Depth, Holdings, Names, Survey};
use shmlens::sys::shm;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use support::{Contest, checked, discard, installed, shmlens, short};
use truth::Truth;

const PROCESSES: usize = 500;
/// Mappings in addition to the program itself and its segments.
const MAPPINGS: usize = 300;
const SEGMENTS: usize = 1000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") || !world::enter("holders") {
        return;
    }
    let rest = Duration::from_secs(if short() { 2 } else { 20 });
    measure_ui("UI on this machine", rest);
    let (Some(crowd), Some(_)) = (compiled("g++", "holders/crowd.cpp"), compiled("gcc", "bench/bare.c"))
    else {
        println!("skipped holders: needs a C compiler");
        return;
    };
    let mut partner =
        Partner::start(Command::new(&crowd).args([PROCESSES, MAPPINGS, SEGMENTS].map(|n| n.to_string())));
    let truth = Truth::read(&mut partner.answers);
    complete(&truth);
    let rounds = if short() { 5 } else { 31 };
    for depth in [Depth::Shared, Depth::Private] {
        look(depth, rounds);
    }
    measure_ui("UI with that load", 2 * rest);
    drop(partner);
    measure_list(&crowd, rounds);
}

/// Runs `list --json` with holders and states. No verdict depends on a private mapping, so it does
/// not scan them, which is three quarters of the work. Takes at most 0.1 of the time of lsof.
fn measure_list(crowd: &Path, rounds: usize) {
    const PROCESSES: usize = 400;
    let numbers = [PROCESSES, MAPPINGS, SEGMENTS].map(|number| number.to_string());
    let mut partner = Partner::start(Command::new(crowd).args(numbers).arg("shared"));
    let truth = Truth::read(&mut partner.answers);
    // Each of these leaked objects takes a lease request.
    for number in 0..10 {
        std::fs::write(format!("/dev/shm/nccl-a1B2c{number}"), "left").expect("a new object");
    }
    let mut list = shmlens();
    list.args(["list", "--json", "--settle", "0s"]);
    let complete = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !text.contains("\"unknown\""));
        assert_eq!(text.matches("\"leaked\"").count(), 10);
        let holders: usize = truth.held.values().map(Vec::len).sum();
        assert!(text.matches("\"how\":").count() >= holders - holders / 5);
    };
    let mut contest =
        Contest::new(format!("list --json, {PROCESSES} processes with {SEGMENTS} + {SEGMENTS} segments"));
    contest.add("shmlens list --json", 0, None, checked(list, complete));
    if installed("lsof") {
        let mut lsof = Command::new("lsof");
        lsof.args(["-n", "-w"]);
        contest.add("lsof -n -w", 0, Some(10.0), discard(lsof));
    }
    contest.run(rounds);
}

/// Checks that every holder is found, with the right access.
fn complete(truth: &Truth) {
    let mut names = Names::default();
    let holdings = Holdings::scan(&RealMachine, Depth::Private, &[], &mut names);
    let mut survey = Survey::take(&RealMachine, &mut names);
    survey.join(&holdings, &RealMachine, &mut names);
    let found = found(&survey);
    assert_eq!(found.len(), 2 * SEGMENTS);
    for (of, holders) in &truth.held {
        assert_eq!(found.get(of), Some(holders), "{of:?}");
    }
    let holders: usize = found.values().map(Vec::len).sum();
    println!("found all {holders} holders of {} segments, each with the right access", 2 * SEGMENTS);
}

fn look(depth: Depth, rounds: usize) {
    let (kind, word) = match depth {
        Depth::Shared => ("shared mappings and descriptors", "shared"),
        Depth::Private => ("private mappings too", "private"),
    };
    let title = format!("{PROCESSES} processes with {SEGMENTS} + {SEGMENTS} segments, {kind}");
    let bare = compiled("gcc", "bench/bare.c").expect("already compiled");
    let mut bare = Partner::start(Command::new(bare).arg(word));
    let (mut names, mut other_names) = (Names::default(), Names::default());
    let before = Holdings::scan(&RealMachine, depth, &[], &mut other_names);
    let mut contest = Contest::new(title);
    contest.add("shmlens, library call", 0, None, || {
        let started = Instant::now();
        let holdings = Holdings::scan(&RealMachine, depth, &[], &mut names);
        let took = started.elapsed();
        assert!(holdings.coverage.processes > PROCESSES);
        took
    });
    // The scan may take at most 1.3 times as long as the system calls.
    contest.add("bare C loop", 0, Some(1.0 / 1.3), || bare.time());
    contest.add("shmlens, again", 0, None, || {
        let started = Instant::now();
        let holdings = before.refresh(&RealMachine, &[], &mut other_names);
        let took = started.elapsed();
        assert!(holdings.coverage.processes > PROCESSES);
        took
    });
    if installed("lsof") {
        let mut lsof = Command::new("lsof");
        lsof.args(["-n", "-w"]);
        let goal = (depth == Depth::Shared).then_some(10.0);
        contest.add("lsof -n -w", 0, goal, discard(lsof));
    }
    if depth == Depth::Private {
        let mut list = shmlens();
        list.args(["list", "--json"]);
        let complete = |output: &Output| {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.matches("\"pid\":").count() >= 2 * SEGMENTS);
        };
        contest.add("shmlens list --json", 0, None, checked(list, complete));
    }
    contest.run(rounds);
}

/// Measures the CPU time of the UI while nothing changes, and while a segment is attached twice a
/// second, which triggers a holder scan each time.
fn measure_ui(what: &str, time: Duration) {
    let shmid = shm::create(0, 4096, 0o600).expect("a new segment");
    let mut pty = Pty::start(shmlens());
    pty.wait(b"CHANGING", FRAME_END);
    // Wait for the first scans.
    pty.rest(Duration::from_secs(4));
    for (how, moves) in [("nothing changes", false), ("attaches and detaches", true)] {
        let (before, started) = (pty.processor_time(), Instant::now());
        while started.elapsed() < time {
            let attachment = moves.then(|| shm::Attachment::read_only(shmid).expect("our segment"));
            pty.rest(Duration::from_millis(250));
            drop(attachment);
            pty.rest(Duration::from_millis(250));
        }
        let used =
            pty.processor_time().saturating_sub(before).as_secs_f64() / started.elapsed().as_secs_f64();
        let reached = if used < 0.03 { "reached" } else { "MISSED" };
        let seconds = time.as_secs();
        println!("{what}, {how}, over {seconds} s: {:.2} % of a core (goal 3 %: {reached})", used * 100.0);
    }
    drop(pty);
    shm::remove(shmid).expect("our segment");
}
