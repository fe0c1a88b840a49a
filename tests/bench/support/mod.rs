//! Shared code of the benchmarks: runs programs in turn, and prints the ratios of their median
//! times.
//!
//! A benchmark is a `main` that prints. `cargo bench` runs all of them, and `SHMLENS_BENCH=short`
//! makes them short enough for every change.

use std::env;
use std::fmt::Write as _;
use std::io;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Returns true for a short run: less data, fewer rounds.
pub fn short() -> bool {
    env::var_os("SHMLENS_BENCH").is_some_and(|value| value == "short")
}

/// Returns a command for the measured program.
pub fn shmlens() -> Command {
    Command::new(env!("CARGO_BIN_EXE_shmlens"))
}

/// Returns true if a tool is installed. Prints a message otherwise.
pub fn installed(tool: &str) -> bool {
    let missing = Command::new(tool)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    if missing {
        println!("  (skipped {tool}: not installed)");
    }
    !missing
}

/// Returns the time of a command. Discards its output.
pub fn discard(mut command: Command) -> impl FnMut() -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    move || {
        let started = Instant::now();
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?} failed with {status}");
        started.elapsed()
    }
}

/// Returns the time of a command until its output is read. `check` asserts that the output is
/// correct.
pub fn checked(mut command: Command, check: impl Fn(&Output)) -> impl FnMut() -> Duration {
    command.stdin(Stdio::null());
    move || {
        let started = Instant::now();
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let took = started.elapsed();
        check(&output);
        took
    }
}

/// Several programs that do the same work. The first one is ours.
pub struct Contest<'a> {
    title: String,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: String,
    /// Bytes per run; 0 if throughput is not measured.
    bytes: u64,
    /// The required ratio of our speed.
    goal: Option<f64>,
    run: Box<dyn FnMut() -> Duration + 'a>,
    times: Vec<Duration>,
}

impl<'a> Contest<'a> {
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), entries: vec![] }
    }

    /// Adds a program. `goal` is the required ratio of our speed to its speed. Different amounts
    /// are compared per byte.
    pub fn add(&mut self, name: &str, bytes: u64, goal: Option<f64>, run: impl FnMut() -> Duration + 'a) {
        let (name, run) = (name.to_owned(), Box::new(run));
        self.entries.push(Entry { name, bytes, goal, run, times: vec![] });
    }

    /// Runs all programs in turn, once to warm up and then for some rounds. Prints the medians and
    /// their ratios.
    pub fn run(mut self, rounds: usize) {
        for round in 0..=rounds {
            for entry in &mut self.entries {
                let took = (entry.run)();
                if round > 0 {
                    entry.times.push(took);
                }
            }
        }
        println!("{} ({rounds} interleaved rounds, medians)", self.title);
        let ours = self.entries.first().map_or(0.0, Entry::cost);
        for (index, entry) in self.entries.iter().enumerate() {
            println!("{}", entry.line((index > 0).then_some(ours)));
        }
    }
}

impl Entry<'_> {
    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// Returns the seconds per byte, or per run.
    fn cost(&self) -> f64 {
        self.median().as_secs_f64() / figure(self.bytes.max(1))
    }

    fn line(&self, ours: Option<f64>) -> String {
        let mut line = format!("  {:<28} {:>10.2} ms", self.name, self.median().as_secs_f64() * 1e3);
        if self.bytes > 0 {
            let _ = write!(line, " {:>8.0} MB/s", 1e-6 / self.cost());
        }
        if let Some(ours) = ours {
            let ratio = self.cost() / ours;
            let _ = write!(line, "   shmlens is {ratio:.2} times as fast");
            match self.goal {
                Some(goal) if ratio >= goal => _ = write!(line, " (goal {goal}: reached)"),
                Some(goal) => _ = write!(line, " (goal {goal}: MISSED)"),
                None => {}
            }
        }
        line
    }
}

#[expect(clippy::cast_precision_loss, reason = "an amount that is only measured")]
fn figure(bytes: u64) -> f64 {
    bytes as f64
}
