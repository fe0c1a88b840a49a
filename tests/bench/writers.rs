//! The cost of watching writers: for the writer, of each write, and for shmlens, of a load of 1000
//! writes per second from five threads.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[expect(dead_code, reason = "it times its runs itself")]
mod support;
#[expect(dead_code, reason = "the benchmark creates its own segment")]
mod world;

use nix::sys::resource::{UsageWho, getrusage};
use shmlens::sys::watchpoint::trap_cost;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{installed, shmlens, short};

fn main() {
    if std::env::args().any(|argument| argument == "--list") || !world::enter("writers") {
        return;
    }
    println!("watching writers");
    let Ok(cost) = trap_cost() else {
        println!("  (skipped: the kernel refuses write watchpoints)");
        return;
    };
    let plain = plain_write();
    let ratio = cost.as_secs_f64() / plain;
    println!(
        "  a watched write takes {:.1} µs longer: {ratio:.0} times a plain one",
        cost.as_secs_f64() * 1e6
    );
    if installed("g++") {
        load(if short() { 1 } else { 5 });
    }
}

/// The seconds that a write takes.
fn plain_write() -> f64 {
    const WRITES: u32 = 10_000_000;
    let target = AtomicU64::new(0);
    let start = Instant::now();
    for value in 0..WRITES {
        target.store(value.into(), Ordering::Relaxed);
        black_box(&target);
    }
    start.elapsed().as_secs_f64() / f64::from(WRITES)
}

/// Measures the processor time that shmlens takes to watch five threads.
fn load(seconds: u64) {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-writers");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/writers/writers.cpp");
    let mut compiler = Command::new("g++");
    let status =
        compiler.args(["-std=c++17", "-O1", "-g", "-pthread", "-o"]).args([&program, &source]).arg("-lrt");
    assert!(status.status().expect("a compiler").success(), "the program does not compile");
    File::create("/dev/shm/bench").and_then(|file| file.set_len(4096)).expect("an object");
    let functions = [&["step", "sample"][..], &["copy", "atomic"], &["inline"]];
    let mut programs: Vec<Child> = functions.iter().map(|functions| start(&program, functions)).collect();
    let before = children_time();
    let mut command = shmlens();
    let output =
        command.args(["writers", "/bench+0", "--duration", &format!("{seconds}s"), "--json"]).output();
    let took = children_time().saturating_sub(before);
    let output = output.expect("the command runs");
    for program in &mut programs {
        program.kill().and_then(|()| program.wait()).expect("it ends");
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).count();
    let share = took.as_secs_f64() / Duration::from_secs(seconds).as_secs_f64() * 100.0;
    println!("  1000 writes per second of 5 threads: {rows} writers, {share:.1}% of a core for shmlens");
}

/// Starts a process that writes.
fn start(program: &Path, functions: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.arg("/bench").args(functions).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    child.stdin.as_mut().expect("a pipe").write_all(b"go\n").expect("it reads");
    child
}

/// The processor time of all children that have ended.
fn children_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(value.tv_sec() * 1_000_000 + value.tv_usec()).unwrap_or(0))
    };
    time(usage.user_time()) + time(usage.system_time())
}
