//! Writers: the threads and functions of real programs that change a value, found by watchpoints of
//! the processor.

mod samples;

use crate::support::{Child, Namespaces, Object, SOON, as_nobody, compile_cpp, python, shmlens, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;
use shmlens::sys::skip::skip_for_kernel;
use shmlens::sys::watchpoint::trap_cost;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const SOURCE: &str = "tests/writers/writers.cpp";

/// Returns the program. `None`, with the test skipped, without a compiler or watchpoints.
fn program() -> Option<PathBuf> {
    if let Err(error) = trap_cost() {
        skip_for_kernel(&format!("needs write watchpoints (perf_event_open): {error}"));
        return None;
    }
    compile_cpp(SOURCE)
}

/// A process that writes to the first bytes of an object.
struct Program {
    child: Child,
    /// The functions of its threads, besides the first one.
    functions: Vec<String>,
}

/// The writes of a thread, as it counted them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Count {
    pid: i64,
    tid: i64,
    function: String,
    writes: u64,
}

impl Program {
    fn new(object: &str, functions: &[&str]) -> Option<Self> {
        let mut command = Command::new(program()?);
        command.arg(object).args(functions);
        Some(Self::start(command, functions))
    }

    fn start(mut command: Command, functions: &[&str]) -> Self {
        let mut child = Child::spawn_piped(&mut command);
        assert_eq!(child.line(SOON), "ready");
        Self { child, functions: functions.iter().map(|&name| name.to_owned()).collect() }
    }

    fn send(&mut self, text: &str) {
        self.child.send(&format!("{text}\n"));
    }

    /// Writes in a loop for 20 ms, and returns the writes per millisecond.
    fn burn(&mut self) -> u64 {
        self.send("hot");
        self.child.line(SOON).parse().unwrap()
    }

    /// Stops writing.
    fn stop(&mut self) -> Vec<Count> {
        self.send("stop");
        let pid = self.child.pid().as_raw().into();
        let mut count = || {
            let line = self.child.line(SOON);
            let [tid, function, writes] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            Count {
                pid,
                tid: tid.parse().unwrap(),
                function: function.to_owned(),
                writes: writes.parse().unwrap(),
            }
        };
        (0..self.functions.len()).map(|_| count()).collect()
    }
}

/// Starts `shmlens writers`, and waits until it watches so many threads.
fn watch(arguments: &[&str], threads: usize) -> Child {
    watch_by(&mut shmlens(), arguments, threads)
}

fn watch_by(command: &mut Command, arguments: &[&str], threads: usize) -> Child {
    let child = Child::spawn_piped(command.arg("writers").args(arguments).stderr(Stdio::piped()));
    wait_until(SOON, || watched(&child) == threads && is_waiting(&child));
    child
}

/// Returns true while a process is in `poll(2)`: what it has opened is set up then.
fn is_waiting(child: &Child) -> bool {
    let call = fs::read_to_string(format!("/proc/{}/syscall", child.pid())).unwrap_or_default();
    call.starts_with(&format!("{} ", libc::SYS_poll))
}

/// The number of events that a process has open.
fn watched(child: &Child) -> usize {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{}/fd", child.pid())) else { return 0 };
    let links = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.filter(|link| link.to_string_lossy().contains("[perf_event]")).count()
}

/// Ends a watch with Ctrl-C and returns its output.
fn end(child: &mut Child, status: i32) -> String {
    child.signal(Signal::SIGINT);
    output(child, status)
}

fn output(child: &mut Child, status: i32) -> String {
    let mut text = String::new();
    child.stdout().read_to_string(&mut text).unwrap();
    assert_eq!(child.wait(SOON).code(), Some(status), "{text}\n{}", child.stderr());
    text
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The name and line of the function that a thread writes in.
fn place(function: &str) -> (&'static str, u64) {
    let name = match function {
        "step" => "Motor::step",
        "sample" => "sensor::Filter<long unsigned int>::sample",
        "copy" => "copy_frame",
        "atomic" => "increment",
        _ => "set_inlined",
    };
    let mark = name.replace("long unsigned int", "unsigned long");
    let source = fs::read_to_string(SOURCE).unwrap();
    let line = source.lines().position(|line| line.ends_with(&format!("// {mark}"))).unwrap();
    (name, line as u64 + 1)
}

#[test]
fn writes_of_three_processes_and_five_threads_are_attributed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("telemetry", 4096, 0o600);
    let Some(first) = Program::new("/telemetry", &["step", "sample"]) else { return };
    let mut programs = [
        first,
        Program::new("/telemetry", &["copy", "atomic"]).unwrap(),
        Program::new("/telemetry", &["inline"]).unwrap(),
    ];
    // The first thread of each process does not write.
    let mut watch = watch(&["/telemetry+0", "--json"], 8);
    for program in &mut programs {
        program.send("go");
    }
    std::thread::sleep(Duration::from_secs(2));
    let counts: Vec<Count> = programs.iter_mut().flat_map(Program::stop).collect();
    let text = end(&mut watch, 0);
    let found = objects(&text);
    let (mut right, mut all) = (0, 0);
    for count in &counts {
        let (name, line) = place(&count.function);
        let of_thread = found.iter().filter(|row| row["pid"] == count.pid && row["tid"] == count.tid);
        let named = of_thread.filter(|row| row["function"] == name && row["line"] == line);
        let mut writes: u64 = named.map(|row| row["writes"].as_u64().unwrap()).sum();
        if count.function == "copy" {
            // A copy may store the same bytes twice.
            writes /= writes.div_ceil(count.writes).max(1);
        }
        right += writes.min(count.writes);
        all += count.writes;
        assert!(count.writes > 100, "{count:?}");
    }
    assert!(right * 1000 >= all * 999, "{right} of {all}: {text}\n{counts:?}");
    assert_eq!(found.len(), 5, "{text}");
    for row in found {
        let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected =
            ["pid", "tid", "command", "function", "file", "line", "address", "writes", "rate"].to_vec();
        expected.extend(["watched", "lost", "released", "released_rate", "ended"]);
        expected.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!((&row["command"], &row["file"]), (&"writers-cpp".into(), &"writers.cpp".into()));
        assert!(row["address"].as_str().unwrap().starts_with("0x"));
        let rate = row["rate"].as_f64().unwrap();
        assert!(rate > 50.0 && rate < 450.0, "{row}");
    }
}

#[test]
fn hot_loop_is_released_by_itself() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &[]) else { return };
    let free = program.burn();
    let mut limited = watch(&["/a+0"], 1);
    assert!(program.burn() < free / 20, "a watched write takes long");
    wait_until(SOON, || program.burn() > free / 4);
    let text = end(&mut limited, 0);
    let row = text.lines().find(|line| line.contains(" burn ")).unwrap_or_else(|| panic!("{text}"));
    assert!(row.contains("writers.cpp:") && row.contains("  released  "), "{text}");
    let told = limited.stderr();
    assert!(told.contains("was released: it made ") && told.contains("Use --no-limit"), "{told}");
    assert!(text.contains("; watching costs ") && text.contains(" µs per write\n"), "{text}");
    let mut unlimited = watch(&["/a+0", "--no-limit"], 1);
    (0..20).for_each(|_| assert!(program.burn() < free / 20));
    assert!(!end(&mut unlimited, 0).contains("released"));
}

#[test]
fn later_threads_are_watched_and_the_counts_of_exited_ones_stay() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &["step"]) else { return };
    let mut watch = watch(&["/a+0:8", "--json"], 2);
    program.send("add sample");
    let tid: i64 = program.child.line(SOON).parse().unwrap();
    program.functions.push("sample".to_owned());
    wait_until(Duration::from_secs(1), || watched(&watch) == 3);
    let mut late = Program::new("/a", &["atomic"]).unwrap();
    wait_until(Duration::from_secs(2), || watched(&watch) == 5 && is_waiting(&watch));
    for program in [&mut program, &mut late] {
        program.send("go");
    }
    std::thread::sleep(Duration::from_millis(200));
    let counts = [program.stop(), late.stop()].concat();
    program.child.end();
    late.child.end();
    wait_until(SOON, || watched(&watch) == 0);
    let found = objects(&end(&mut watch, 0));
    let counted: BTreeMap<(i64, i64), u64> =
        counts.iter().map(|count| ((count.pid, count.tid), count.writes)).collect();
    let number = |row: &Value, key: &str| row[key].as_i64().unwrap();
    let seen: BTreeMap<(i64, i64), u64> = found
        .iter()
        .map(|row| ((number(row, "pid"), number(row, "tid")), row["writes"].as_u64().unwrap()))
        .collect();
    assert_eq!(seen, counted);
    assert!(counted.contains_key(&(program.child.pid().as_raw().into(), tid)));
}

#[test]
fn count_duration_and_the_end_of_the_segment_end_the_watch() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &["step", "atomic"]) else { return };
    let idle = shmlens().args(["writers", "/a+0", "--duration", "50ms"]).output().unwrap();
    assert_eq!((idle.status.code(), idle.stdout.len()), (Some(1), 0));
    let error = String::from_utf8_lossy(&idle.stderr).into_owned();
    assert!(
        error.contains("no writes in ") && error.contains("watched /a+0x0 in 3 threads of 1 process"),
        "{error}"
    );
    program.send("go");
    let mut counted = Child::spawn_piped(shmlens().args(["writers", "a+0", "--count", "7", "--json"]));
    let writes =
        objects(&output(&mut counted, 0)).iter().map(|row| row["writes"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(writes, 7);
    // A range of several watchpoints, in which only the first is written to.
    let wide = shmlens().args(["writers", "/a+0:32", "--duration", "300ms"]).output().unwrap();
    assert_eq!(wide.status.code(), Some(0));
    let text = String::from_utf8(wide.stdout).unwrap();
    assert!(text.contains("Motor::step") && text.contains("increment"), "{text}");
    let mut gone = watch(&["/a+0"], 3);
    drop(object);
    program.child.end();
    let text = output(&mut gone, 1);
    assert!(text.contains("Motor::step") && gone.stderr().contains("/a was removed"), "{text}");
}

#[test]
fn fields_are_named_as_in_channels() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(mut program) = Program::new("/a", &["step"]) else { return };
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join("shmlens")).unwrap();
    let layout = "[[layout]]\nname = \"a\"\ntype = \"struct { unsigned long ticks; int other; }\"\n";
    fs::write(home.path().join("shmlens/config.toml"), layout).unwrap();
    program.send("go");
    let run = |value: &str| {
        let mut command = shmlens();
        command.env("XDG_CONFIG_HOME", home.path()).args(["writers", value, "--duration", "200ms"]);
        command.output().unwrap()
    };
    for value in ["/a:ticks", "/a+0:u64", "a+4:u32"] {
        let output = run(value);
        assert!(String::from_utf8_lossy(&output.stdout).contains("Motor::step"), "{value}: {output:?}");
    }
    assert_eq!(run("/a:other").status.code(), Some(1), "nobody writes to that field");
    assert!(String::from_utf8_lossy(&run("/a:tick").stderr).contains("did you mean ticks?"));
}

#[test]
fn python_is_named_with_the_kind_of_assignment() {
    const SCRIPT: &str = "\
import ctypes, mmap, time
with open('/dev/shm/a', 'r+b') as file:
    memory = mmap.mmap(file.fileno(), 4096)
value = ctypes.c_uint64.from_buffer(memory)
print('ready', flush=True)
while True:
    value.value += 1
    time.sleep(0.002)
";
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    if program().is_none() {
        return;
    }
    let Some(mut command) = python(SCRIPT) else { return };
    let mut script = Child::spawn_piped(&mut command);
    assert_eq!(script.line(SOON), "ready");
    let mut watch = Child::spawn_piped(shmlens().args(["writers", "/a+0", "--count", "20", "--json"]));
    let found = objects(&output(&mut watch, 0));
    let function = found[0]["function"].as_str().unwrap();
    assert!(function.starts_with("python") && function.contains(" interpreter"), "{found:?}");
    assert!(found[0]["file"].is_null() && found[0]["line"].is_null(), "{found:?}");
}

#[test]
fn ordinary_users_watch_their_own_processes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(program) = program() else { return };
    let _object = Object::new("a", 4096, 0o666);
    let shmlens = env!("CARGO_BIN_EXE_shmlens");
    let mut own = Program::start(as_nobody(&program, ["/a", "step"]), &["step"]);
    let mut of_root = Program::new("/a", &["sample"]).unwrap();
    let mut watch = watch_by(&mut as_nobody(shmlens, ["--read-only"]), &["/a+0", "--json"], 2);
    own.send("go");
    of_root.send("go");
    wait_until(SOON, || {
        own.send("stop");
        let line = own.child.line(SOON);
        own.send("go");
        !line.ends_with(" 0")
    });
    let found = objects(&end(&mut watch, 0));
    assert_eq!(found.len(), 1, "{found:?}");
    let expected = ("Motor::step".into(), own.child.pid().as_raw().into());
    assert_eq!((found[0]["function"].clone(), found[0]["pid"].clone()), expected);
    assert!(watch.stderr().contains("not in processes of other users (run as root"), "{}", watch.stderr());
}

#[test]
fn missing_watchpoints_are_told() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 4096, 0o600);
    let Some(_program) = Program::new("/a", &[]) else { return };
    let mut first = watch(&["/a+0:32"], 4);
    let refused = shmlens().args(["writers", "/a+32"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("no hardware watchpoints are left for writers-cpp ("), "{error}");
    end(&mut first, 1);
}

#[test]
fn invalid_values_are_refused() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("a", 100, 0o600);
    for (value, status, words) in [
        ("/a+0:33", 2, "watch at most 32 bytes"),
        ("/a+0:0", 2, "nothing to watch"),
        ("/a+100", 1, "offset 100 is the end of /a (100 bytes)"),
        ("/b+0", 1, "no segment named '/b'"),
        ("/a", 2, "/a is a segment: add the offset of the value, as in /a+0x10 (up to 8 bytes)"),
        ("rate(x)", 2, "expected SEGMENT+OFFSET"),
        ("/a:x", 2, "the type of /a is not known. Give the offset of the value, as in /a+0x10"),
        ("/b:x", 1, "no segment named '/b'"),
    ] {
        let output = shmlens().args(["writers", value]).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{value}: {error}");
        assert!(error.contains(words), "{words} is not in {error}");
    }
}
