//! The cost of the Segments screen while segments change, compared with other tools.

use super::pty::{FRAME_END, Pty};
use super::support::{installed, shmlens};
use super::{milliseconds, print_figure};
use shmlens::sys::shm;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The number of segments that change, half of them System V.
const MOVING_SEGMENTS: usize = 10;
const CHANGE_EVERY: Duration = Duration::from_millis(20);
/// The time in which holders, rates and the detector settle.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// A thread that attaches System V segments and changes some. Dropping it ends it.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Attaches this many System V segments and changes the first ones of both kinds.
    fn start(attached: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let segments = shm::all().expect("a table").into_iter().take(attached);
        let segments: Vec<_> =
            segments.map(|stat| shm::Attachment::read_write(stat.shmid).expect("our segment")).collect();
        let object = |number| format!("/dev/shm/psm_{number:08x}");
        let objects: Vec<File> = (1..=MOVING_SEGMENTS / 2)
            .map(|number| File::options().write(true).open(object(number)).expect("our object"))
            .collect();
        let thread = thread::spawn(move || {
            let mut counter = 0_u64;
            while !ended.load(Ordering::Relaxed) {
                counter += 1;
                for segment in segments.iter().take(MOVING_SEGMENTS / 2) {
                    segment.copy_from(16, &counter.to_le_bytes());
                }
                for object in &objects {
                    object.write_all_at(&counter.to_le_bytes(), 16).expect("our object");
                }
                thread::sleep(CHANGE_EVERY);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("a writer");
        }
    }
}

/// Returns a command that a user without shmlens would run.
pub fn watch_lsof() -> Command {
    let mut command = Command::new("watch");
    command.args(["-n1", "lsof", "-n", "-w", "/dev/shm"]);
    command
}

fn percent(used: Duration, of: Duration) -> f64 {
    used.as_secs_f64() / of.as_secs_f64() * 100.0
}

#[expect(clippy::cast_precision_loss, reason = "an amount that is only measured")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Measures the output while nothing changes.
pub fn idle(time: Duration) {
    println!("nothing changes, for {} s", time.as_secs());
    // This size has no column for ages, which change.
    let mut pty = Pty::start_in((80, 24), shmlens());
    pty.wait("▌".as_bytes(), FRAME_END);
    // Select an object, which is readable, so that the strip is live.
    pty.send(b"G");
    pty.rest(SETTLE_TIME);
    let count = pty.rest(time);
    print_figure(
        "written to the terminal",
        f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
        "bytes",
        Some(1.0),
    );
}

/// Measures the processor time and memory while segments change.
pub fn processor_time(title: &str, attached: usize, time: Duration) {
    println!("{title}, for {} s", time.as_secs());
    let _writer = Writer::start(attached);
    let mut pty = Pty::start(shmlens());
    pty.wait(b"sysv:0", FRAME_END);
    pty.rest(SETTLE_TIME);
    let goal = (attached < 100).then_some(2.0);
    measure(&mut pty, time, goal);
    print_figure("memory", mebibytes(pty.memory("VmRSS")), "MiB", Some(25.0));
    print_figure("peak memory", mebibytes(pty.memory("VmHWM")), "MiB", None);
    // Pause the surveys.
    pty.send(b"+++++++++");
    // Wait until the highlights of the last changes have faded.
    pty.rest(2 * SETTLE_TIME);
    let (before, started) = (pty.processor_time(), Instant::now());
    pty.rest(time);
    let used = pty.processor_time().saturating_sub(before);
    print_figure("shmlens, paused", percent(used, started.elapsed()), "% of a core", Some(0.001));
    drop(pty);
    let other = |name: &str, command: Command| {
        let mut pty = Pty::start(command);
        pty.rest(SETTLE_TIME / 2);
        let (before, started) = (pty.family_time(), Instant::now());
        pty.rest(time);
        let used = pty.family_time().saturating_sub(before);
        print_figure(name, percent(used, started.elapsed()), "% of a core", None);
        print_figure(&format!("{name}, memory"), mebibytes(pty.memory("VmRSS")), "MiB", None);
    };
    if installed("htop") {
        other("htop", Command::new("htop"));
    }
    if installed("watch") && installed("lsof") {
        other("watch -n1 lsof", watch_lsof());
    }
}

/// Measures the program as a whole, and those threads whose work is limited.
fn measure(pty: &mut Pty, time: Duration, goal: Option<f64>) {
    let (before, threads, started) = (pty.processor_time(), pty.thread_times(), Instant::now());
    let written = pty.rest(time);
    let elapsed = started.elapsed();
    let used = pty.processor_time().saturating_sub(before);
    print_figure("shmlens", percent(used, elapsed), "% of a core", goal);
    for (name, after) in pty.thread_times() {
        let used = after.saturating_sub(threads.get(&name).copied().unwrap_or_default());
        let (what, goal) = match name.as_str() {
            "rates" => ("  change rates", Some(1.0)),
            "contents" => ("  preview, map and moving values", Some(0.5)),
            "survey" => ("  survey", None),
            "holders" => ("  holders", None),
            "shmlens" => ("  screen", None),
            _ => continue,
        };
        print_figure(what, percent(used, elapsed), "% of a core", goal);
    }
    let per_second = f64::from(u32::try_from(written).unwrap_or(u32::MAX)) / elapsed.as_secs_f64();
    print_figure("written to the terminal", per_second, "bytes/s", None);
}

/// Measures the time from a key to its frame while segments change.
pub fn keys(count: usize) {
    println!("key press to frame while ten of 1000 + 1000 segments change, {count} keys");
    let _writer = Writer::start(1000);
    let mut pty = Pty::start(shmlens());
    pty.wait(b"sysv:0", FRAME_END);
    pty.rest(SETTLE_TIME);
    let mut times: Vec<Duration> = (0..count)
        .map(|at| {
            pty.rest(Duration::from_micros(20_000 + 7919 * (at as u64 % 13)));
            let sent = pty.send(if at % 8 < 4 { b"j" } else { b"k" });
            pty.wait("▌".as_bytes(), FRAME_END) - sent
        })
        .collect();
    times.sort();
    print_figure("median", milliseconds(times[count / 2]), "ms", None);
    print_figure("frame 99 of 100", milliseconds(times[count * 99 / 100]), "ms", Some(16.0));
}
