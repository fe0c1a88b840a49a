//! `shmlens record` and `shmlens scope --headless`, with real writers.

use super::recording::Mounted;
use super::sampling::writer;
use super::tools::{python_with_mcap, read_with_python};
use crate::support::{Child, Namespaces, Object, SOON, python, shmlens, wait_until};
use nix::sys::signal::Signal;
use serde_json::Value;
use shmlens::scope::recording::open;
use shmlens::scope::{Grade, NumberKind};
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// Tries of a measurement that other load on the machine disturbs.
const MAX_TRIES: usize = 5;

/// A command in a directory without a config.
fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = shmlens();
    command.current_dir(directory).env("XDG_CONFIG_HOME", directory).args(arguments);
    command
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    command(directory, arguments).output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The summary of `--json`.
#[track_caller]
fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", errors(output)))
}

/// The times in seconds and the samples of the first channel.
#[track_caller]
fn samples(path: &Path) -> Vec<(f64, Option<f64>)> {
    let mut replay = open(path).unwrap();
    let kind: NumberKind = replay.tracks()[0].kind;
    let mut found = vec![];
    while let Some(batch) = replay.next_batch().unwrap() {
        let column = &batch.columns[0];
        for (row, &time) in batch.times.iter().enumerate() {
            let is_taken = column.grades[row] != Grade::Missing;
            let number = is_taken.then(|| kind.number(column.bits[row]).as_f64());
            found.push((Duration::from_nanos(time).as_secs_f64(), number));
        }
    }
    found
}

/// The frequency of a sine by the times at which it passes zero.
fn frequency(samples: &[(f64, Option<f64>)]) -> f64 {
    let taken: Vec<(f64, f64)> =
        samples.iter().filter_map(|(time, value)| Some((*time, (*value)?))).collect();
    let zeros: Vec<f64> = taken
        .windows(2)
        .filter(|pair| pair[0].1 < 0.0 && pair[1].1 >= 0.0)
        .map(|pair| pair[0].0 - pair[0].1 * (pair[1].0 - pair[0].0) / (pair[1].1 - pair[0].1))
        .collect();
    let periods = u32::try_from(zeros.len() - 1).unwrap();
    f64::from(periods) / (zeros.last().unwrap() - zeros[0])
}

#[test]
fn frequency_of_a_sine_is_that_of_its_writer() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_cpp) = writer(&["sine", "/sine", "7"]) else { return };
    let code = "from multiprocessing import shared_memory, resource_tracker\n\
                import math, struct, sys, threading, time\n\
                block = shared_memory.SharedMemory('python', create=True, size=64)\n\
                def write():\n    \
                    while True:\n        \
                        struct.pack_into('d', block.buf, 16, math.sin(2 * math.pi * 11 * time.monotonic()))\n        \
                        time.sleep(0.0002)\n\
                threading.Thread(target=write, daemon=True).start()\n\
                print('ready')\n\
                sys.stdin.read()";
    let Some(mut code) = python(code) else { return };
    let mut python = Child::spawn_piped(&mut code);
    assert_eq!(python.line(SOON), "ready");
    let directory = tempfile::tempdir().unwrap();
    for (channel, hertz) in [("v=/sine+0:f64", 7.0), ("v=/python+16:f64", 11.0)] {
        for suffix in ["mcap", "csv", "npz"] {
            let file = format!("{hertz}.{suffix}");
            let arguments = ["record", channel, "-o", &file, "--duration", "700ms", "--json", "--force"];
            let measure = || {
                let output = run(directory.path(), &arguments);
                assert!(output.status.success(), "{}", errors(&output));
                frequency(&samples(&directory.path().join(&file)))
            };
            // Beside other tests, a writer may not get its time.
            let tries: Vec<f64> = (0..MAX_TRIES)
                .map(|_| measure())
                .take_while(|found| (found - hertz).abs() > 0.05 * hertz)
                .collect();
            assert!(tries.len() < MAX_TRIES, "{file}: {tries:?}");
        }
    }
}

#[test]
fn summary_counts_every_tick() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["record", "n=/stamped+0:u64", "twice = n * 2", "-o", "run.csv", "--rate", "500"];
    let output = run(directory.path(), &[&arguments[..], &["--duration", "1s", "--json"]].concat());
    assert!(output.status.success(), "{}", errors(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let json = summary(&output);
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["version", "samples", "missed", "achieved_hz", "jitter_us", "files"];
    for pair in expected.windows(2) {
        assert!(text.find(pair[0]) < text.find(pair[1]), "{text}");
    }
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!((&json["version"], &json["files"]), (&1.into(), &serde_json::json!(["run.csv"])));
    let (taken, missed) = (json["samples"].as_u64().unwrap(), json["missed"].as_u64().unwrap());
    // Ticks after the end may have been missed.
    assert!((500..=750).contains(&(taken + missed)) && taken > 250, "{text}");
    let rows = samples(&directory.path().join("run.csv"));
    assert_eq!(rows.iter().filter(|row| row.1.is_some()).count() as u64, taken);
    assert!(rows.last().unwrap().0 < 1.0);
    let lines = fs::read_to_string(directory.path().join("run.csv")).unwrap();
    for line in lines.lines().skip(1).filter(|line| !line.ends_with(",,")) {
        let cells: Vec<&str> = line.split(',').collect();
        let (n, twice): (f64, f64) = (cells[1].parse().unwrap(), cells[2].parse().unwrap());
        assert!((twice - 2.0 * n).abs() < 0.5, "{line}");
    }
    assert!(errors(&output).contains(&format!("recorded {taken} samples in run.csv")), "{}", errors(&output));
}

#[test]
fn burst_catches_a_glitch_with_what_was_before_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["glitch", "/glitch"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let base = ["record", "v=/glitch+0:u64", "-o", "run.npz", "--burst", "--duration", "10s"];
    let output = run(
        directory.path(),
        &[&base[..], &["--on", "v > 0 rising", "--pre", "5ms", "--post", "5ms"]].concat(),
    );
    assert!(output.status.success(), "{}", errors(&output));
    let rows = samples(&directory.path().join("run.npz"));
    let high: Vec<f64> = rows.iter().filter(|row| row.1 == Some(1.0)).map(|row| row.0).collect();
    let (start, end) = (high[0], high[high.len() - 1]);
    // The writer and the sampler may be preempted meanwhile.
    assert!((0.000_02..0.1).contains(&(end - start)), "{} s", end - start);
    assert!((0.004..0.006).contains(&(start - rows[0].0)), "{} s before it", start - rows[0].0);
    assert!(high.len() > 10, "{} samples of it", high.len());
}

#[test]
fn recording_begins_before_the_trigger_and_ends_after_it() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let base = ["record", "n=/stamped+0:u64", "-o", "run.mcap", "--duration", "10s"];
    let window = ["--on", "(n % 1000) > 500 rising", "--pre", "150ms", "--post", "200ms"];
    let output = run(directory.path(), &[&base[..], &window].concat());
    assert!(output.status.success(), "{}", errors(&output));
    let rows = samples(&directory.path().join("run.mcap"));
    let phases: Vec<(f64, f64)> = rows.iter().filter_map(|row| Some((row.0, row.1? % 1000.0))).collect();
    let fired = phases.iter().find(|(_, phase)| *phase > 500.0).unwrap().0;
    assert!((fired - 0.15).abs() < 0.05, "fired at {fired}");
    let last = phases.last().unwrap().0 - fired;
    assert!((0.15..0.2).contains(&last), "ended {last} after it");
    // Never met.
    let window = ["record", "n=/stamped+0:u64", "-o", "none.csv", "--on", "n == -1", "--duration", "200ms"];
    let output = run(directory.path(), &window);
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("was not met"), "{}", errors(&output));
    assert_eq!(fs::read_to_string(directory.path().join("none.csv")).unwrap(), "time,n\n");
}

#[test]
fn a_restart_of_the_writer_is_a_gap() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut first) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.csv");
    let mut recorder = command(directory.path(), &["record", "n=/stamped+0:u64", "-o", "run.csv"]);
    let mut recorder = Child::spawn(recorder.stderr(Stdio::piped()));
    let rows = || if path.exists() { samples(&path) } else { vec![] };
    wait_until(SOON, || rows().len() > 100);
    first.end();
    fs::remove_file("/dev/shm/stamped").unwrap();
    wait_until(SOON, || rows().last().is_some_and(|row| row.1.is_none()));
    let Some(_second) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let last = rows().len();
    wait_until(SOON, || rows().len() > last + 100);
    recorder.signal(Signal::SIGINT);
    assert_eq!(recorder.wait(SOON).code(), Some(0));
    let told = recorder.stderr();
    assert!(told.contains("/stamped was removed") && told.contains("made again"), "{told}");
    let rows = rows();
    // The second writer counts from 0 again. Other gaps are missed ticks.
    let taken: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].1.is_some()).collect();
    let restart = taken.windows(2).find(|pair| rows[pair[1]].1 < rows[pair[0]].1).unwrap();
    assert!(restart[1] > restart[0] + 1, "{:?}", &rows[restart[0]..=restart[1]]);
}

#[test]
fn signals_end_recordings_cleanly_and_kills_lose_little() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(python) = python_with_mcap() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let start = |file: &str| {
        let mut command = command(directory.path(), &["record", "n=/stamped+0:u64", "-o", file, "--json"]);
        Child::spawn_piped(command.stderr(Stdio::null()))
    };
    let files = ["a.mcap", "a.csv", "a.npz", "b.mcap", "b.csv", "b.npz"];
    let mut recorders: Vec<Child> = files.into_iter().map(start).collect();
    let rows = |file: &str| {
        let path = directory.path().join(file);
        open(&path).map_or(0, |_| samples(&path).len())
    };
    wait_until(SOON, || ["a.mcap", "a.csv", "b.mcap", "b.csv"].iter().all(|file| rows(file) > 400));
    for recorder in &mut recorders[..3] {
        recorder.signal(Signal::SIGINT);
        assert_eq!(recorder.wait(SOON).code(), Some(0));
    }
    for file in &files[..3] {
        let mut replay = open(&directory.path().join(file)).unwrap();
        while replay.next_batch().unwrap().is_some() {}
        assert!(!replay.is_cut_off(), "{file}");
        let read = read_with_python(&python, &directory.path().join(file));
        let found = read["channels"]["n"].as_array().unwrap();
        let taken = samples(&directory.path().join(file)).iter().filter(|row| row.1.is_some()).count();
        assert!(found.iter().filter(|value| **value != "nan" && !value.is_null()).count() == taken, "{file}");
        assert!(taken > 400);
    }
    for recorder in &mut recorders[3..] {
        recorder.signal(Signal::SIGKILL);
        recorder.wait(SOON);
    }
    let mut left: Vec<String> = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    // The rows of b.npz had no name.
    assert_eq!(left, ["a.csv", "a.mcap", "a.npz", "b.csv", "b.mcap"]);
    let read = read_with_python(&python, &directory.path().join("b.mcap"));
    assert_eq!(read["complete"], false);
    let found = read["channels"]["n"].as_array().unwrap();
    assert_eq!(
        found.len(),
        samples(&directory.path().join("b.mcap")).iter().filter(|row| row.1.is_some()).count()
    );
    assert!(found.len() > 300);
    assert!(rows("b.csv") > 400);
}

#[test]
fn a_full_disk_is_an_error_that_keeps_the_samples() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    for suffix in ["csv", "mcap", "npz"] {
        let _disk = Mounted::new(directory.path(), 1 << 20);
        let file = format!("run.{suffix}");
        let output = run(
            directory.path(),
            &["record", "n=/stamped+0:u64", "t=/stamped+8:u64", "-o", &file, "--burst", "--json"],
        );
        assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
        assert!(errors(&output).contains("no space left"), "{}", errors(&output));
        let rows = samples(&directory.path().join(&file));
        assert_eq!(summary(&output)["samples"], rows.len());
        assert!(rows.len() > 5000, "{suffix}: {}", rows.len());
    }
}

#[test]
fn a_file_that_was_removed_is_no_success() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    for file in ["run.csv", "run.mcap"] {
        let mut recorder = Child::spawn(&mut command(
            directory.path(),
            &["record", "n=/stamped+0:u64", "-o", file, "--duration", "400ms"],
        ));
        let path = directory.path().join(file);
        wait_until(SOON, || path.exists());
        fs::remove_file(&path).unwrap();
        assert_eq!(recorder.wait(SOON).code(), Some(1), "{file}");
    }
}

#[test]
fn recording_around_a_trigger_ends_although_its_segment_is_removed() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let object = Object::new("short", 64, 0o600);
    let directory = tempfile::tempdir().unwrap();
    let mut recorder = Child::spawn(&mut command(
        directory.path(),
        &["record", "n=/short+0:u64", "-o", "run.csv", "--on", "n > 0", "--post", "300ms"],
    ));
    let path = directory.path().join("run.csv");
    wait_until(SOON, || path.exists());
    object.write(0, &[1]);
    wait_until(SOON, || fs::read_to_string(&path).unwrap().lines().count() > 2);
    drop(object);
    assert!(recorder.wait(SOON).success());
}

#[test]
fn long_recordings_continue_in_the_next_file() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["record", "n=/stamped+0:u64", "-o", "run.csv", "--burst", "--max-size", "1M", "--json"];
    let output = run(directory.path(), &[&arguments[..], &["--duration", "300ms"]].concat());
    assert!(output.status.success(), "{}", errors(&output));
    let json = summary(&output);
    let files = json["files"].as_array().unwrap();
    assert!(files.len() > 1 && files[1] == "run-2.csv", "{json}");
    let mut total = 0;
    for file in files {
        let path = directory.path().join(file.as_str().unwrap());
        assert!(fs::metadata(&path).unwrap().len() <= 1 << 20);
        total += samples(&path).len();
    }
    assert_eq!(json["samples"], total);
}

#[test]
fn scope_ends_when_the_condition_is_met() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let scope =
        |rest: &[&str]| run(directory.path(), &[&["scope", "n=/stamped+0:u64", "--headless"], rest].concat());
    let met = scope(&[
        "--until",
        "n > 100",
        "--timeout",
        "20s",
        "--exec",
        "echo \"$SHMLENS_TRIGGER:$SHMLENS_VALUE\"",
    ]);
    assert_eq!(met.status.code(), Some(0), "{}", errors(&met));
    let text = String::from_utf8(met.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let value: u64 = lines[1].strip_prefix("n > 100:").unwrap().parse().unwrap();
    assert!(value > 100 && lines[0].ends_with(&format!("n > 100  ({value})")), "{text}");
    let json = summary(&scope(&["--until", "n changes", "--json"]));
    assert!(
        json["fired"] == true && json["value"].as_u64() > Some(100) && json["time"].is_string(),
        "{json}"
    );
    let late = scope(&["--until", "n < 100 falling", "--timeout", "100ms", "--json"]);
    assert_eq!(late.status.code(), Some(1));
    assert!(errors(&late).contains("timed out") && summary(&late)["fired"] == false, "{}", errors(&late));
    let plain = scope(&["--timeout", "200ms"]);
    assert_eq!(plain.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&plain.stdout).starts_with("CHANNEL"), "{}", errors(&plain));
    // Nothing runs with --read-only, on the command line or in the config.
    let exec = ["scope", "n=/stamped+0:u64", "--headless", "--until", "n > 1", "--exec", "touch made"];
    fs::create_dir(directory.path().join("shmlens")).unwrap();
    for (config, flags) in [("", vec!["--read-only"]), ("read-only = true\n", vec![])] {
        fs::write(directory.path().join("shmlens/config.toml"), config).unwrap();
        let output = run(directory.path(), &[&flags[..], &exec].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(errors(&output).contains("read-only"), "{}", errors(&output));
    }
    assert!(!directory.path().join("made").exists());
}

#[test]
fn command_of_exec_ends_with_shmlens() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    let exec = "sleep 1000 & echo $! > new; mv new pid; wait";
    let arguments = ["scope", "n=/stamped+0:u64", "--headless", "--until", "n > 1", "--exec", exec];
    let mut scope = Child::spawn(command(directory.path(), &arguments).stdin(Stdio::null()));
    let pid = directory.path().join("pid");
    wait_until(SOON, || pid.exists());
    let sleep = Path::new("/proc").join(fs::read_to_string(&pid).unwrap().trim()).join("stat");
    // Somebody may be slow to wait for it.
    let runs = || fs::read_to_string(&sleep).is_ok_and(|stat| !stat.contains(") Z"));
    assert!(runs());
    scope.signal(Signal::SIGTERM);
    assert_eq!(scope.wait(SOON).code(), Some(1));
    wait_until(SOON, || !runs());
}

#[test]
fn channels_come_from_sets_and_types() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer(&["stamp", "/stamped", "1000"]) else { return };
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("shmlens")).unwrap();
    let config = "[scope.sets]\nstamps = ['n=/stamped+0:u64', 'rate(n)']\n";
    fs::write(directory.path().join("shmlens/config.toml"), config).unwrap();
    let record = |arguments: &[&str]| {
        let end = ["--duration", "100ms", "--force", "-o", "run.csv"];
        let output = run(directory.path(), &[&["record"], arguments, &end].concat());
        let file = fs::read_to_string(directory.path().join("run.csv")).unwrap_or_default();
        (output.status.code(), errors(&output), file.lines().next().unwrap_or_default().to_owned())
    };
    let (status, told, names) = record(&["@stamps"]);
    assert_eq!((status, names.as_str()), (Some(0), "time,n,rate(n)"), "{told}");
    let ty = "struct { unsigned long long count; long long stamp; }";
    let (status, told, names) = record(&["/stamped:count", "s=stamp:stamp", "--as", ty]);
    assert_eq!((status, names.as_str()), (Some(0), "time,/stamped:count,s"), "{told}");
    assert!(told.contains("means /stamped"), "{told}");
    for (arguments, status, problem) in [
        (&["@stamp"][..], 2, "did you mean @stamps"),
        (&["/none+0:u64"], 1, "no segment named"),
        (&["/stamped:count"], 2, "--as"),
        (&["/stamped:x", "--as", ty], 2, "no field 'x'"),
        (&["/stamped+4092:u64"], 1, "has 4096 (0x1000) bytes"),
        (&["/stamped+0:u99"], 2, "u99"),
        (&["n=/stamped+0:u64", "x = y + 1"], 2, "y"),
        (&["x = 1 + 1"], 2, "no values to sample"),
        (
            &["/stamped:", "--as", "u64[4]"],
            2,
            "is an array, not a number; name an element, as in /stamped:[0]",
        ),
        (&["/stamped:[0..2]", "--as", "u64[4]"], 2, "name one element, as in [0]"),
        (&["/stamped+0:u64[4]"], 2, "is an array, not a number; give the offset of an element"),
        (&["n=/stamped+0:u64", "--on", "m > 3"], 2, "m"),
        (&["n=/stamped+0:u64", "--on", "n >"], 2, "--on"),
        (&["time=/stamped+0:u64"], 2, "another name"),
        (&["n=/stamped+0:u64", "--rate", "10001"], 2, "from 1 to 10000"),
        (&["n=/stamped+0:u64", "--pre", "1s"], 2, "--on"),
    ] {
        let (found, told, _) = record(arguments);
        assert!(found == Some(status) && told.contains(problem), "{arguments:?}: {found:?} {told}");
    }
}
