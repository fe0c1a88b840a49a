//! The processor time of sampling, compared with programs that do nothing but wake, and the rate of a
//! burst.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[expect(dead_code, reason = "its program answers nothing")]
mod partner;
#[expect(dead_code, reason = "it samples in this process")]
mod support;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use partner::compiled;
use shmlens::decode::{ByteOrder, Scalar, Type};
use shmlens::engine::{Body, Engine, Options, Report, Request, ScopeRequest};
use shmlens::machine::Machine;
use shmlens::machine::real::RealMachine;
use shmlens::scope::{Rate, SampledValue, Timing};
use shmlens::segment::Segment;
use shmlens::survey::{Names, Survey};
use std::cell::Cell;
use std::fs::{self, File};
use std::process::{self, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use support::{Contest, installed, short};

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let object = Object::new();
    let (time, rounds) = if short() { (1, 1) } else { (3, 5) };
    many_values(&object, time, rounds);
    one_value(&object, time, rounds);
    burst(&object, Duration::from_secs(time));
}

/// An object of 4 KiB, removed on drop.
struct Object {
    name: String,
}

impl Object {
    fn new() -> Self {
        let name = format!("shmlens-bench-scope-{}", process::id());
        let object = Self { name };
        File::create_new(object.path()).expect("a new object");
        fs::write(object.path(), [7; 4096]).expect("our object");
        object
    }

    fn path(&self) -> String {
        format!("/dev/shm/{}", self.name)
    }

    fn segment(&self) -> Segment {
        let id = format!("posix:/{}", self.name).parse().expect("a name");
        let segments = Survey::take(&RealMachine, &mut Names::default()).segments;
        segments.into_iter().find(|segment| segment.id == id).expect("our object")
    }

    /// The first values of 8 bytes.
    fn values(&self, count: u64) -> Vec<SampledValue> {
        let segment = Box::new(self.segment());
        let ty = Type::scalar(Scalar::U64, ByteOrder::native());
        let value = |index| SampledValue {
            segment: segment.clone(),
            offset: 16 * index,
            ty: ty.clone(),
            bits: None,
            sequence: None,
        };
        (0..count).map(value).collect()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}

/// Samples for some time, and returns the counts and the processor time of this process, which
/// includes that of delivering the samples.
fn sample(values: Vec<SampledValue>, rate: Rate, time: Duration) -> (Timing, Duration) {
    let (send, reports) = mpsc::channel();
    let machine: Arc<dyn Machine> = Arc::new(RealMachine);
    let sink = move |report: Report| drop(send.send(report));
    let mut engine = Engine::start(&machine, Options::default(), sink).expect("threads");
    let (before, started) = (used(UsageWho::RUSAGE_SELF), Instant::now());
    engine.send(Request::Scope(Some(Box::new(ScopeRequest { number: 1, values, rate }))));
    let mut timing = Timing::default();
    while started.elapsed() < time {
        let report = reports.recv_timeout(time).expect("samples");
        if let Body::Samples(samples) = report.body {
            timing = samples.timing;
        }
    }
    (timing, used(UsageWho::RUSAGE_SELF).saturating_sub(before))
}

fn used(who: UsageWho) -> Duration {
    let usage = getrusage(who).expect("the usage of this process");
    let time = |time: TimeVal| {
        Duration::new(time.tv_sec().unsigned_abs(), u32::try_from(1000 * time.tv_usec()).unwrap_or(0))
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// Returns the processor time of a program.
fn run(command: &mut Command) -> Duration {
    let before = used(UsageWho::RUSAGE_CHILDREN);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("a program");
    assert!(status.success(), "{command:?} failed with {status}");
    used(UsageWho::RUSAGE_CHILDREN).saturating_sub(before)
}

/// Starts a contest for the least processor time. Sets the counts of the last samples.
fn contest<'a>(
    title: &str,
    values: Vec<SampledValue>,
    hertz: f64,
    seconds: u64,
    last: &'a Cell<Timing>,
) -> Contest<'a> {
    let mut contest = Contest::new(format!("{title} for {seconds} s, processor time"));
    contest.add("shmlens", 0, None, move || {
        let (timing, used) = sample(values.clone(), Rate::Hertz(hertz), Duration::from_secs(seconds));
        last.set(timing);
        used
    });
    contest
}

fn print(timing: Timing) {
    let Timing { ticks, missed, jitter, worst, .. } = timing;
    let achieved = timing.achieved();
    println!(
        "  {achieved:.0} samples/s, {missed} of {ticks} ticks missed, jitter {jitter:?}, worst {worst:?}"
    );
}

fn many_values(object: &Object, seconds: u64, rounds: usize) {
    let Some(program) = compiled("cc", "bench/nanosleep.c") else { return };
    let last = Cell::default();
    let mut contest = contest("64 values at 10 kHz", object.values(64), 10_000.0, seconds, &last);
    let mut command = Command::new(program);
    command.args(["10000", &seconds.to_string()]);
    contest.add("an empty loop in C", 0, Some(0.8), move || run(&mut command));
    contest.run(rounds);
    print(last.get());
}

fn one_value(object: &Object, seconds: u64, rounds: usize) {
    if !installed("python3") {
        return;
    }
    let code = format!(
        "import struct, time\n\
         from multiprocessing import shared_memory, resource_tracker\n\
         memory = shared_memory.SharedMemory('{}')\n\
         resource_tracker.unregister(memory._name, 'shared_memory')\n\
         samples = []\n\
         until = time.monotonic()\n\
         for _ in range({seconds} * 1000):\n\
         \x20   until += 0.001\n\
         \x20   time.sleep(max(0, until - time.monotonic()))\n\
         \x20   samples.append((time.monotonic_ns(), struct.unpack_from('<Q', memory.buf, 0)[0]))\n",
        object.name
    );
    let last = Cell::default();
    let mut contest = contest("one value at 1 kHz", object.values(1), 1000.0, seconds, &last);
    let mut command = Command::new("python3");
    command.args(["-c", &code]);
    contest.add("a loop in Python", 0, None, move || run(&mut command));
    contest.run(rounds);
    print(last.get());
}

fn burst(object: &Object, time: Duration) {
    let (timing, used) = sample(object.values(4), Rate::Burst, time);
    let rate = timing.achieved() / 1e6;
    let judged = if rate >= 1.0 { "reached" } else { "MISSED" };
    println!("four values in a burst, for {} s", time.as_secs());
    println!("  {rate:.2} million samples/s (goal 1: {judged})");
    println!("  {:.1} % of a core", 100.0 * used.as_secs_f64() / time.as_secs_f64());
}
