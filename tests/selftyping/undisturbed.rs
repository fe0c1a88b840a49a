//! Holders run on while their types are found.

use super::debug_files::DebugFiles;
use super::single::{OBJECT, Program, json, run};
use crate::support::{Child, Namespaces};
use std::fs;
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_millis(500);
const LEAST_TIMES: u32 = 3;

/// The state of a holder that counts.
struct Sample {
    count: u64,
    ran: Duration,
    /// For a processor.
    waited: Duration,
    at: Instant,
}

impl Sample {
    fn take(holder: &Child) -> Self {
        let bytes = fs::read(format!("/dev/shm{OBJECT}")).unwrap();
        let count = u64::from_ne_bytes(bytes[..8].try_into().unwrap());
        let text = fs::read_to_string(format!("/proc/{}/schedstat", holder.pid())).unwrap();
        let mut times = text.split_whitespace().map(|word| Duration::from_nanos(word.parse().unwrap()));
        let (ran, waited) = (times.next().unwrap(), times.next().unwrap());
        Self { count, ran, waited, at: Instant::now() }
    }

    /// The counts in a second of a processor, and the part of the time that it neither ran nor waited
    /// for a processor.
    fn since(&self, before: &Self) -> (f64, f64) {
        let ran = self.ran.saturating_sub(before.ran);
        let time = self.at - before.at;
        let stopped = time.saturating_sub(ran + self.waited.saturating_sub(before.waited));
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = (self.count - before.count) as f64 / ran.as_secs_f64();
        (rate, stopped.as_secs_f64() / time.as_secs_f64())
    }
}

/// Compares the speed of the holder while something is done again and again.
fn measure(holder: &Child, mut act: impl FnMut()) -> (f64, f64) {
    let before = Sample::take(holder);
    let mut times = 0;
    while before.at.elapsed() < PERIOD || times < LEAST_TIMES {
        act();
        times += 1;
    }
    Sample::take(holder).since(&before)
}

#[test]
fn holder_loses_no_time_while_it_is_typed() {
    let Some(namespaces) = Namespaces::new() else { return };
    let _debug_files = DebugFiles::new(&namespaces);
    let Some(program) = Program::new("dwarf-4") else { return };
    let holder = program.start(&["count"]);
    let (alone, _) = measure(&holder, || std::thread::sleep(Duration::from_millis(10)));
    let mut looks = 0;
    let (rate, stopped) = measure(&holder, || {
        let types = json(&run(&["types", OBJECT, "--json"]));
        assert_eq!(types["types"][0]["certain"], true, "{types}");
        looks += 1;
    });
    println!("{looks} looks: {:.3} of the speed, {stopped:.4} of the time stopped", rate / alone);
    assert!(stopped < 0.05, "stopped for {stopped} of the time");
    // Processors share caches and clocks.
    assert!(rate > alone / 3.0, "{rate} in place of {alone} a second");
}
