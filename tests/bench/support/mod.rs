//! What the benchmarks share: programs that are run in turn, over and over, and
//! the ratios of the medians of their times.
//!
//! A benchmark is a `main` that prints; `cargo bench` runs them all, and
//! `SHMLENS_BENCH=short` makes them small enough to be run at every change.

use std::env;
use std::fmt::Write as _;
use std::io;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Whether the short form is wanted: less data, fewer rounds.
pub fn short() -> bool {
    env::var_os("SHMLENS_BENCH").is_some_and(|value| value == "short")
}

/// The program that is measured.
pub fn shmlens() -> Command {
    Command::new(env!("CARGO_BIN_EXE_shmlens"))
}

/// Whether there is a tool of that name; otherwise it is said that it is left out.
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

/// How long a command takes with its output thrown away; it must end well.
pub fn discard(mut command: Command) -> impl FnMut() -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    move || {
        let began = Instant::now();
        let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        assert!(status.success(), "{command:?} failed with {status}");
        began.elapsed()
    }
}

/// How long a command takes to print what it prints, which must pass `check`.
pub fn checked(mut command: Command, check: impl Fn(&Output)) -> impl FnMut() -> Duration {
    command.stdin(Stdio::null());
    move || {
        let began = Instant::now();
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let took = began.elapsed();
        check(&output);
        took
    }
}

/// Several ways to do the same. The first one is ours.
pub struct Contest<'a> {
    title: String,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    name: String,
    /// How much it goes through in a run, in bytes; 0 when that is not what is measured.
    bytes: u64,
    /// How many times as fast ours shall be.
    goal: Option<f64>,
    run: Box<dyn FnMut() -> Duration + 'a>,
    times: Vec<Duration>,
}

impl<'a> Contest<'a> {
    /// One with that title, and nobody in it yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), entries: vec![] }
    }

    /// Adds one. `goal` is how many times its speed ours shall have; those that
    /// go through different amounts are compared by the byte.
    pub fn add(&mut self, name: &str, bytes: u64, goal: Option<f64>, run: impl FnMut() -> Duration + 'a) {
        let (name, run) = (name.to_owned(), Box::new(run));
        self.entries.push(Entry { name, bytes, goal, run, times: vec![] });
    }

    /// Runs all of them in turn, once to warm up and then so many rounds, and
    /// prints the medians and their ratios.
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
        for (at, entry) in self.entries.iter().enumerate() {
            println!("{}", entry.line((at > 0).then_some(ours)));
        }
    }
}

impl Entry<'_> {
    fn median(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }

    /// Seconds a byte, or a run.
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
