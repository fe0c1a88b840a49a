//! Finds types in the debug information of large programs, compared with pahole and gdb.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[expect(dead_code, reason = "every output is checked")]
mod support;

use shmlens::decode::debug::{FileSource, Program};
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::{Contest, checked, installed, shmlens, short};
use tempfile::TempDir;

const TYPE: &str = "bench::Telemetry";
/// The different units, and the copies of each that make 24 and 100 MB of debug information.
const UNITS: usize = 4;
const COPIES: [usize; 2] = [10, 42];

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    if !installed("g++") {
        return;
    }
    let directory = TempDir::new().expect("no temporary directory");
    let objects = Objects::compile(directory.path());
    for copies in if short() { &COPIES[..1] } else { &COPIES[..] } {
        let program = objects.link(directory.path(), *copies);
        let size = debug_size(&program) / 1_000_000;
        in_process(&program, size);
        whole_processes(&program, size);
    }
}

/// Times the parts of a search.
fn in_process(path: &Path, size: u64) {
    let open = || {
        let file = File::open(path).expect("the program was linked");
        Program::open(&file, path, &|_: &Path| None::<Box<dyn FileSource>>).expect("it has debug information")
    };
    let kept = open();
    let mut contest = Contest::new(format!("{size} MB of debug information, in the process"));
    contest.add("open, find a type", 0, None, timed(|| drop(open().find(TYPE).expect("it has the type"))));
    contest.add("open, list all types", 0, None, timed(|| drop(open().types().expect("it has types"))));
    print_peak("open, find a type", || drop(open().find(TYPE)));
    print_peak("open, list all types", || drop(open().types()));
    contest.add("find it again", 0, None, timed(|| drop(kept.find(TYPE).expect("it has the type"))));
    contest.run(if short() { 3 } else { 11 });
}

fn timed(mut run: impl FnMut()) -> impl FnMut() -> Duration {
    move || {
        let started = Instant::now();
        run();
        black_box(started.elapsed())
    }
}

/// Compares with the tools that print types.
fn whole_processes(path: &Path, size: u64) {
    let holder = Holder::start(path);
    let rounds = if short() { 3 } else { 11 };
    let has = |text: &'static str| {
        move |output: &Output| assert!(String::from_utf8_lossy(&output.stdout).contains(text), "{output:?}")
    };
    let command = |tool: &str, arguments: &[&str]| {
        let mut command = Command::new(tool);
        command.args(arguments).arg(path).stderr(Stdio::null());
        command
    };
    let mut one = Contest::new(format!("{size} MB of debug information, one type"));
    let mut ours = shmlens();
    ours.args(["dump", &holder.segment, "--as", TYPE]);
    one.add("shmlens dump --as TYPE", 0, None, checked(ours, has("tick")));
    if installed("gdb") {
        let gdb = command("gdb", &["-nx", "-batch", "-ex", "ptype bench::Telemetry"]);
        one.add("gdb", 0, Some(1.0), checked(gdb, has("gain")));
    }
    if installed("pahole") {
        one.add("pahole -C", 0, Some(1.0), checked(command("pahole", &["-C", "Telemetry"]), has("gain")));
    }
    one.run(rounds);
    let mut all = Contest::new(format!("{size} MB of debug information, the types that fit"));
    let mut ours = shmlens();
    ours.args(["types", &holder.segment]);
    all.add("shmlens types", 0, None, checked(ours, has(TYPE)));
    if installed("pahole") && size < 50 {
        // It prints all types that are in no namespace, and takes 1.2 GB for 100 MB.
        all.add("pahole", 0, Some(1.0), checked(command("pahole", &[]), has("struct")));
    }
    all.run(rounds);
}

/// Prints the most memory that the process takes meanwhile.
fn print_peak(what: &str, run: impl FnOnce()) {
    // Resets the peak, proc_pid_clear_refs(5).
    std::fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own peak");
    run();
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc is mounted");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    println!("  peak memory to {what}:{peak}");
}

/// Object files, compiled once.
struct Objects {
    main: PathBuf,
    units: Vec<PathBuf>,
}

impl Objects {
    fn compile(directory: &Path) -> Self {
        let source = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/types").join(name);
        let object = |name: &str, number: usize| {
            let path = directory.join(format!("{name}{number}.o"));
            let mut command = Command::new("g++");
            command.args(["-g", "-O0", "-c"]).arg(format!("-DUNIT={number}"));
            let child = command.arg(source(&format!("{name}.cpp"))).arg("-o").arg(&path).spawn();
            (path, child.expect("g++ starts"))
        };
        let all: Vec<_> =
            (0..UNITS).map(|number| object("unit", number)).chain([object("main", 0)]).collect();
        let mut objects: Vec<PathBuf> = all.into_iter().map(|(path, child)| waited(path, child)).collect();
        let main = objects.pop().expect("main.cpp is the last one");
        Self { main, units: objects }
    }

    /// Links copies of all units. The unit with the type comes last, so that a tool has to search.
    fn link(&self, directory: &Path, copies: usize) -> PathBuf {
        let program = directory.join(format!("program{copies}"));
        let mut command = Command::new("g++");
        let mut files = vec![];
        for copy in 0..copies {
            for unit in &self.units {
                let to = unit.with_extension(format!("{copy}.o"));
                std::fs::hard_link(unit, &to).expect("both are in the same directory");
                files.push(to);
            }
        }
        let child = command.args(&files).arg(&self.main).arg("-o").arg(&program).spawn();
        let program = waited(program, child.expect("g++ starts"));
        for file in files {
            std::fs::remove_file(file).expect("it was made here");
        }
        program
    }
}

fn waited(path: PathBuf, mut child: Child) -> PathBuf {
    assert!(child.wait().is_ok_and(|status| status.success()), "failed to make {}", path.display());
    path
}

/// Returns the size of the sections with debug information.
fn debug_size(path: &Path) -> u64 {
    let output = Command::new("size").arg("-A").arg(path).output().expect("binutils come with g++");
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| line.starts_with(".debug_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

/// A program that holds a segment.
struct Holder {
    child: Child,
    segment: String,
}

impl Holder {
    fn start(path: &Path) -> Self {
        let segment = format!("/shmlens-bench-types-{}", std::process::id());
        let mut command = Command::new(path);
        let mut child = command
            .arg(&segment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the program says that it is ready");
        assert_eq!(line, "ready\n");
        Self { child, segment }
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // The end of its input ends it, and it removes its segment.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
