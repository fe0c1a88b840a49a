//! `clean`: leaked segments, their evidence, and their removal.

mod choice;
mod races;
mod verdicts;

use crate::support::{Namespaces, Object, orphan, shmlens};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Isolated namespaces for leaked segments, with a state directory.
struct Leaks {
    home: tempfile::TempDir,
    _namespaces: Namespaces,
}

/// The result of a run.
#[derive(Debug)]
struct RunResult {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Leaks {
    /// Returns `None` without root.
    fn new() -> Option<Self> {
        let namespaces = Namespaces::new()?;
        Some(Self { home: tempfile::tempdir().unwrap(), _namespaces: namespaces })
    }

    /// Creates a System V segment without a key whose creator has exited: a certain leak.
    #[expect(clippy::unused_self, reason = "it belongs to the namespaces")]
    fn sysv(&self, size: &str) -> String {
        let size = size.parse::<shmlens::segment::Bytes>().unwrap().0;
        orphan(0, size, &[]).to_string()
    }

    /// Creates a segment with shmlens: at most a likely leak.
    fn create_segment(&self, arguments: &[&str]) -> String {
        let created = self.run(&[&["create"], arguments, &["--json"]].concat());
        assert_eq!(created.status, Some(0), "{created:?}");
        let created: Value = serde_json::from_str(&created.stdout).unwrap();
        created["segment"].as_str().unwrap().to_owned()
    }

    /// Creates an object without holders. Its name makes the leak certain or likely.
    fn object(name: &str, size: u64) -> String {
        let object = Object::new("made", size, 0o600);
        fs::rename(object.path(), Path::new("/dev/shm").join(name)).unwrap();
        format!("posix:/{name}")
    }

    fn command(&self) -> Command {
        let mut command = shmlens();
        command.env("XDG_STATE_HOME", self.home.path()).env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> RunResult {
        let output = self.command().args(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        RunResult { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs `clean` without an age limit.
    fn clean(&self, arguments: &[&str]) -> RunResult {
        self.run(&[&["clean", "--settle", "0s"], arguments].concat())
    }

    /// Returns the lines of `clean --json` by segment.
    #[track_caller]
    fn clean_json(&self, arguments: &[&str], status: i32) -> BTreeMap<String, Value> {
        let ended = self.clean(&[&["--json"], arguments].concat());
        assert_eq!(ended.status, Some(status), "{ended:?}");
        let lines: Vec<Value> =
            ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let by_id = lines.into_iter().map(|line| (line["segment"].as_str().unwrap().to_owned(), line));
        by_id.collect()
    }

    fn copies(&self) -> Vec<std::path::PathBuf> {
        let listed = fs::read_dir(self.home.path().join("shmlens/copies"));
        listed.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

impl RunResult {
    #[track_caller]
    fn assert_is(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:?}");
        for word in words {
            assert!(self.stdout.contains(word), "'{word}' is not in {}", self.stdout);
        }
        assert!(!self.stderr.contains("os error"), "{self:?}");
    }
}

/// Returns the kernel's view of all segments in these namespaces.
fn kernel_state() -> (String, Vec<String>) {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let objects = fs::read_dir("/dev/shm").unwrap().map(|entry| {
        let facts = entry.as_ref().unwrap().metadata().unwrap();
        let times = (facts.atime_nsec(), facts.mtime_nsec(), facts.ctime_nsec());
        format!("{:?} {} {} {times:?}", entry.unwrap().file_name(), facts.ino(), facts.len())
    });
    let mut objects: Vec<String> = objects.collect();
    objects.sort();
    (table, objects)
}

/// Returns the ids of all segments.
fn list_segments() -> Vec<String> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    let sysv = table.lines().skip(1).map(|line| format!("sysv:{}", line.split_whitespace().nth(1).unwrap()));
    let objects = fs::read_dir("/dev/shm").unwrap();
    let objects = objects.map(|entry| format!("posix:/{}", entry.unwrap().file_name().display()));
    let mut all: Vec<String> = sysv.chain(objects).collect();
    all.sort();
    all
}

#[test]
fn clean_reports_no_leaks_when_there_are_none() {
    let Some(leaks) = Leaks::new() else { return };
    leaks.clean(&[]).assert_is(0, &["Nothing is leaked.\n"]);
    let ended = leaks.clean(&["--json"]);
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    // Segments that are held or were used recently are not leaks.
    let _held = Object::new("nccl-a1B2c3", 4096, 0o600);
    leaks.sysv("4K");
    let recent = "1 segment without holders was used recently and may count as leaked later: sysv:";
    leaks.run(&["clean"]).assert_is(0, &["No leaked segments found.\n", recent, " (in "]);
    leaks.run(&["clean", "--yes", "--likely"]).assert_is(0, &["No leaked segments found.\n", recent]);
    assert_eq!(list_segments().len(), 2);
}

#[test]
fn clean_shows_evidence_and_totals_and_removes_nothing_unconfirmed() {
    let Some(leaks) = Leaks::new() else { return };
    let (sysv, certain) = (leaks.sysv("1M"), Leaks::object("nccl-a1B2c3", 8192));
    let likely = Leaks::object("plain", 100);
    fs::write("/dev/shm/nccl-a1B2c3", [1; 8192]).unwrap();
    let before = kernel_state();
    let ended = leaks.clean(&[]);
    ended.assert_is(
        1,
        &[
            &format!("{sysv}  leaked  1.0 MiB, root"),
            "  no holders; creator ",
            "  nattch 0\n",
            &format!("{certain}  leaked  8.0 KiB, root"),
            "  name matches NVIDIA NCCL or AMD RCCL\n",
            &format!("{likely}  leaked?  100 B, root"),
            "  no holders; unknown maker\n",
            "2 segments leaked; removal frees 8.0 KiB\n",
            "1 segment likely leaked (0 B in memory); use --likely to include it\n",
        ],
    );
    assert!(ended.stderr.contains("use --yes"), "{ended:?}");
    assert_eq!(kernel_state(), before);
    // A pipe cannot confirm the removal.
    let (answer, mut message) = std::io::pipe().unwrap();
    message.write_all(b"y\n").unwrap();
    drop(message);
    let output = leaks.command().args(["clean", "--settle", "0s"]).stdin(answer).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(kernel_state(), before);
    assert!(leaks.copies().is_empty());
}

#[test]
fn yes_removes_certain_leaks_and_likely_removes_likely_ones() {
    let Some(leaks) = Leaks::new() else { return };
    let (sysv, certain, likely) =
        (leaks.sysv("4K"), Leaks::object("nccl-a1B2c3", 8), Leaks::object("plain", 8));
    let ended = leaks.clean(&["--yes"]);
    // Remaining likely leaks are not a failure.
    ended.assert_is(0, &[&format!("{sysv}: removed"), &format!("{certain}: removed")]);
    assert_eq!(list_segments(), [likely.as_str()]);
    leaks.clean(&["--yes"]).assert_is(0, &["1 segment likely leaked"]);
    leaks.clean(&["--dry-run"]).assert_is(0, &["1 segment likely leaked"]);
    leaks.clean(&["--yes", "--likely"]).assert_is(0, &[&format!("{likely}: removed")]);
    assert!(list_segments().is_empty());
    assert_eq!(leaks.copies().len(), 3);
    leaks.clean(&["--yes", "--likely"]).assert_is(0, &["Nothing is leaked.\n"]);
}

#[test]
fn restore_brings_back_a_cleaned_segment() {
    let Some(leaks) = Leaks::new() else { return };
    let content = [&[0; 4096][..], b"what was in it"].concat();
    orphan(0, 8192, &content);
    leaks.clean(&["--yes"]).assert_is(0, &["; undo: shmlens restore "]);
    assert!(list_segments().is_empty());
    let copies = leaks.copies();
    assert_eq!(copies.len(), 1);
    let back = leaks.run(&["restore", "--json", copies[0].to_str().unwrap()]);
    assert_eq!(back.status, Some(0), "{back:?}");
    let back: Value = serde_json::from_str(&back.stdout).unwrap();
    let id = back["segment"].as_str().unwrap();
    let dumped = leaks.run(&["dump", id, "--offset", "4096", "--length", "14", "--raw"]);
    assert_eq!(dumped.stdout, "what was in it");
    // A restored segment is at most a likely leak.
    leaks.clean(&["--yes"]).assert_is(0, &["shmlens created or restored it", "1 segment likely leaked"]);
    assert_eq!(list_segments(), [id]);
    leaks.clean(&["--yes", "--likely", "--no-copy"]).assert_is(0, &[]);
    // Without a copy, the segment cannot be restored.
    let other = leaks.sysv("4K");
    leaks.clean(&["--yes", "--no-copy"]).assert_is(0, &[&format!("{other}: removed\n")]);
    assert_eq!(leaks.copies().len(), 1);
}

#[test]
fn json_prints_one_object_with_evidence_per_line() {
    let Some(leaks) = Leaks::new() else { return };
    let (sysv, certain, likely) =
        (leaks.sysv("4K"), Leaks::object("nccl-a1B2c3", 8), Leaks::object("plain", 8));
    let shown = leaks.clean_json(&[], 1);
    assert_eq!(shown.len(), 3);
    for (id, line) in &shown {
        assert_eq!(
            (&line["action"], &line["status"], &line["state"]),
            (&"clean".into(), &"left".into(), &"leaked".into())
        );
        let certainty = if *id == likely { "likely" } else { "certain" };
        assert_eq!(line["certainty"], certainty);
        assert!(line["reasons"].as_array().unwrap().len() > 1, "{line}");
    }
    assert_eq!((&shown[&sysv]["size"], &shown[&certain]["size"]), (&4096.into(), &8.into()));
    assert!(shown[&sysv]["error"].as_str().unwrap().contains("--yes"), "{shown:?}");
    assert!(shown[&likely]["error"].as_str().unwrap().contains("--likely"), "{shown:?}");

    let planned = leaks.clean_json(&["--dry-run"], 1);
    assert_eq!((&planned[&sysv]["status"], &planned[&likely]["status"]), (&"planned".into(), &"left".into()));
    assert!(planned[&sysv]["undo"].is_string() && planned[&sysv]["said"].is_array(), "{planned:?}");

    let done = leaks.clean_json(&["--yes"], 0);
    assert_eq!((&done[&sysv]["status"], &done[&certain]["status"]), (&"done".into(), &"done".into()));
    assert_eq!((&done[&likely]["status"], &done[&certain]["certainty"]), (&"left".into(), &"certain".into()));
    let rest = leaks.clean_json(&["--yes", "--likely"], 0);
    assert_eq!((rest.len(), &rest[&likely]["status"]), (1, &"done".into()));
}

#[test]
fn dry_run_and_read_only_mode_remove_nothing() {
    let Some(leaks) = Leaks::new() else { return };
    let (sysv, certain) = (leaks.sysv("4K"), Leaks::object("nccl-a1B2c3", 8));
    let likely = Leaks::object("plain", 8);
    let before = kernel_state();
    let ended = leaks.clean(&["--dry-run", "--yes"]);
    ended.assert_is(
        1,
        &[&format!("{sysv}: frees 0 B now; a copy is saved first"), &format!("{certain}: frees "), "leaked?"],
    );
    assert!(!ended.stdout.contains(&format!("{likely}: ")), "{}", ended.stdout);
    leaks.clean(&["--dry-run", "--likely"]).assert_is(1, &[&format!("{likely}: frees ")]);
    let ended = leaks.clean(&["--read-only", "--yes", "--likely"]);
    ended.assert_is(1, &[&format!("{sysv}  leaked")]);
    assert!(ended.stderr.matches("changes are disabled").count() == 1, "{ended:?}");
    for line in leaks.clean_json(&["--read-only", "--yes", "--likely"], 1).values() {
        assert_eq!(line["status"], "refused");
    }
    assert_eq!(kernel_state(), before);
    assert!(leaks.copies().is_empty());
}
