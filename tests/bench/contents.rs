//! Dumps, searches and watches contents, compared with common tools on the file in /dev/shm.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

mod partner;
mod support;

use partner::{Partner, compiled};
use shmlens::machine::real::RealMachine;
use shmlens::memory::{Reader, SnapshotRequest, Tracker};
use shmlens::survey::{Names, Survey};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{self, Command};
use std::time::{Duration, Instant};
use support::{Contest, checked, discard, installed, shmlens, short};

const MIB: u64 = 1 << 20;
/// A string that random bytes do not contain.
const NEEDLE: &str = "the needle in it";

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--list") {
        return Ok(());
    }
    let rounds = if short() { 3 } else { 9 };
    dump(if short() { 20 } else { 100 } * MIB, rounds)?;
    values(if short() { 32 } else { 512 } * MIB, rounds)?;
    find(if short() { 128 } else { 1024 } * MIB, rounds)?;
    find_in_a_hole(rounds)?;
    live(if short() { 128 } else { 1024 } * MIB, rounds)
}

/// Dumps random bytes, so that no line repeats.
fn dump(size: u64, rounds: usize) -> io::Result<()> {
    let object = Object::new("dump", size)?;
    let mut contest = Contest::new(format!("dump of {} MiB of random bytes to /dev/null", size / MIB));
    let mut ours = shmlens();
    ours.args(["dump", &object.id()]);
    contest.add("shmlens dump", size, None, discard(ours));
    let mut xxd = Command::new("xxd");
    xxd.arg(object.path());
    if installed("xxd") {
        contest.add("xxd", size, Some(15.0), discard(xxd));
    }
    if installed("hexyl") {
        let mut hexyl = Command::new("hexyl");
        hexyl.args(["--color=never"]).arg(object.path());
        contest.add("hexyl", size, None, discard(hexyl));
    }
    if installed("hexdump") {
        // hexdump is so slow that it only gets a tenth of the data.
        let mut hexdump = Command::new("hexdump");
        hexdump.args(["-C", "-n", &(size / 10).to_string()]).arg(object.path());
        contest.add("hexdump -C, a tenth of it", size / 10, None, discard(hexdump));
    }
    contest.run(rounds);
    Ok(())
}

/// Exports doubles as CSV: random ones, with up to 17 digits each, and a smooth signal.
fn values(size: u64, rounds: usize) -> io::Result<()> {
    let random = |bits: u64| unit(bits).mul_add(100.0, -50.0);
    let mut phase = 0.0_f64;
    let smooth = |_| {
        phase += 0.001;
        (phase.sin() * 1000.0).round() / 100.0
    };
    let objects = [
        ("random doubles", Object::of("random", size, random)?),
        ("a smooth signal", Object::of("smooth", size, smooth)?),
    ];
    for (name, object) in &objects {
        let mut contest = Contest::new(format!("{} MiB of {name} as text to /dev/null", size / MIB));
        let ours = |options: &[&str]| {
            let mut command = shmlens();
            command.args(["dump", &object.id(), "--as", "f64"]).args(options);
            discard(command)
        };
        contest.add("dump --as f64 --csv", size, None, ours(&["--csv"]));
        contest.add("dump --as f64 --json", size, None, ours(&["--json", "--no-squeezing"]));
        contest.add("dump --as f64", size, None, ours(&["--no-squeezing"]));
        if installed("od") {
            // od is so slow that it only gets a part of the data.
            let part = size / 16;
            let mut od = Command::new("od");
            od.args(["-A", "d", "-t", "f8", "-w8", "-v", "-N", &part.to_string()]).arg(object.path());
            contest.add("od -t f8, a part of it", part, Some(5.0), discard(od));
        }
        if let Some(python) = numpy() {
            let part = size / 64;
            let mut savetxt = Command::new(python);
            let program = "import numpy, sys; a = numpy.fromfile(sys.argv[1], count=int(sys.argv[2])); \
                           numpy.savetxt('/dev/null', a)";
            savetxt.args(["-c", program]).arg(object.path()).arg((part / 8).to_string());
            contest.add("numpy.savetxt, a part of it", part, Some(10.0), discard(savetxt));
        }
        contest.run(rounds);
    }
    Ok(())
}

/// Converts random bits to a number from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns the interpreter of the virtual environment with numpy, which .ci/run creates.
fn numpy() -> Option<PathBuf> {
    let python = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin/python"));
    let program = ["-c", "import numpy"];
    let found = Command::new(&python).args(program).stderr(process::Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("  (skipped numpy: not installed in target/python)");
    }
    found.then_some(python)
}

/// Measures counting the matches in a hole, which takes no search.
fn find_in_a_hole(rounds: usize) -> io::Result<()> {
    let hole = Object::hole("hole", 4 << 40)?;
    let small = Object::hole("small", 4096)?;
    let times = |object: &Object, word: &[&str]| {
        let mut command = shmlens();
        command.args(["find", "--hex", "00"]).args(word).arg(object.id());
        discard(command)
    };
    let mut contest = Contest::new("find --hex 00 in a hole of 4 TiB");
    contest.add("--count", 0, None, times(&hole, &["--count"]));
    contest.add("--count in 4 KiB", 0, Some(0.5), times(&small, &["--count"]));
    contest.run(rounds);
    let mut contest = Contest::new("find --hex 00 in a hole of 4 TiB");
    contest.add("--limit 1", 0, None, times(&hole, &["--limit", "1"]));
    contest.add("--limit 1 in 4 KiB", 0, Some(0.5), times(&small, &["--limit", "1"]));
    contest.run(rounds);
    Ok(())
}

/// Measures finding three matches, so that the whole file is searched.
fn find(size: u64, rounds: usize) -> io::Result<()> {
    let object = Object::new("find", size)?;
    for offset in [size / 3, size / 2, size - NEEDLE.len() as u64] {
        object.write(offset, NEEDLE.as_bytes())?;
    }
    let mut contest = Contest::new(format!("find in {} MiB of random bytes", size / MIB));
    let mut ours = shmlens();
    ours.args(["find", "--count", NEEDLE, &object.id()]);
    contest.add(
        "shmlens find",
        size,
        None,
        checked(ours, |output| {
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.split_whitespace().any(|word| word == "3"), "{text}");
        }),
    );
    let mut grep = Command::new("grep");
    grep.args(["-c", "-a", "-F", NEEDLE]).arg(object.path());
    // grep is slower in other locales.
    grep.env("LC_ALL", "C");
    contest.add(
        "grep -c -a -F",
        size,
        Some(2.5),
        checked(grep, |output| {
            assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3");
        }),
    );
    contest.run(rounds);
    Ok(())
}

/// Measures repeated samples of a segment by a [`Tracker`], compared with a bare loop that reads
/// the segment and compares it with a copy, and with reading alone.
fn live(size: u64, rounds: usize) -> io::Result<()> {
    let object = Object::new("live", size)?;
    let before = resident()?;
    let survey = Survey::take(&RealMachine, &mut Names::default());
    let segment = survey.segments.iter().find(|segment| segment.id.to_string() == object.id());
    let segment = segment.ok_or(io::ErrorKind::NotFound)?;
    let mut tracker = Tracker::new(Reader::open(&RealMachine, segment).map_err(io::Error::other)?);
    let mut look = |budget| {
        let request = SnapshotRequest { window: 0..4096, rows: None, cells: 64, budget };
        let started = Instant::now();
        let seen = tracker.snapshot(&RealMachine, &request);
        (started.elapsed(), seen)
    };
    let mut bare =
        compiled("gcc", "bench/scan.c").map(|bare| Partner::start(Command::new(bare).arg(object.path())));
    let mut contest = Contest::new(format!("change scan of {} MiB of random bytes", size / MIB));
    contest.add("live", size, None, || {
        let (took, seen) = look(Duration::from_secs(600));
        assert!(seen.is_ok_and(|seen| seen.scanned == size && seen.changes == 0), "nothing changes");
        took
    });
    if let Some(bare) = &mut bare {
        contest.add("bare C loop", size, Some(0.9), || bare.time());
    }
    let mut read = Command::new("cat");
    read.arg(object.path());
    contest.add("cat", size, None, discard(read));
    contest.run(rounds);
    let mut times: Vec<Duration> = (0..1001).map(|_| look(Duration::ZERO).0).collect();
    times.sort();
    println!("  reading only the window takes {:?}", times[500]);
    println!("  memory needed: {} KiB", resident()?.saturating_sub(before));
    Ok(())
}

/// Returns the resident memory of this process in KiB.
fn resident() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let figure = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    figure
        .and_then(|line| line.split_whitespace().next())
        .and_then(|figure| figure.parse().ok())
        .ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}

/// An object that is named after this process and removed on drop.
struct Object {
    name: String,
}

impl Object {
    /// Creates an object of zeros that were never written.
    fn hole(what: &str, size: u64) -> io::Result<Self> {
        let object = Self { name: format!("shmlens-bench-{what}-{}", process::id()) };
        File::create_new(object.path())?.set_len(size)?;
        Ok(object)
    }

    /// Creates an object of random bytes.
    fn new(what: &str, size: u64) -> io::Result<Self> {
        Self::of(what, size, f64::from_bits)
    }

    /// Creates an object of doubles that are made of random bits.
    fn of(what: &str, size: u64, mut double: impl FnMut(u64) -> f64) -> io::Result<Self> {
        let object = Self { name: format!("shmlens-bench-{what}-{}", process::id()) };
        let mut file = BufWriter::with_capacity(1 << 20, File::create_new(object.path())?);
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        for _ in 0..size / 8 {
            // xorshift64 is random enough for text tools.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            file.write_all(&double(state).to_bits().to_ne_bytes())?;
        }
        file.flush()?;
        Ok(object)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        File::options().write(true).open(self.path())?.write_all_at(bytes, offset)
    }

    fn path(&self) -> PathBuf {
        PathBuf::from("/dev/shm").join(&self.name)
    }

    fn id(&self) -> String {
        format!("posix:/{}", self.name)
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
    }
}
