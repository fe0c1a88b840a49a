//! Runs the cases of the corpus, all at the same time.

use super::cases::{Case, Expected, Place};
use super::debug_files::DebugFiles;
use super::programs::{compile, debug_file};
use crate::support::{Child, Namespaces, SOON, shmlens};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Looks at the same time.
const WORKERS: usize = 3;

/// A running program.
struct Holder {
    _child: Child,
    segment: String,
}

impl Holder {
    fn start(program: &Path, case: Case, number: usize) -> Self {
        let is_sysv = case.way == "sysv";
        let segment = if is_sysv { (7000 + number).to_string() } else { format!("/case_{number}") };
        let file = match case.way {
            "deleted" | "replaced" => {
                let copy = program.with_file_name(case.way);
                fs::copy(program, &copy).unwrap();
                copy
            }
            _ => program.to_owned(),
        };
        let mut command = Command::new(&file);
        command.arg(&segment);
        if !matches!(case.way, "" | "sysv" | "deleted" | "replaced") {
            command.arg(case.way);
        }
        let mut child = Child::spawn_piped(&mut command);
        assert_eq!(child.line(SOON), "ready", "{case:?}");
        match case.way {
            "deleted" => fs::remove_file(&file).unwrap(),
            "replaced" => {
                let other = file.with_extension("new");
                fs::write(&other, "another program").unwrap();
                fs::rename(other, &file).unwrap();
            }
            _ => {}
        }
        let segment = if is_sysv { format!("key:{segment}") } else { segment };
        Self { _child: child, segment }
    }
}

/// The answer for a case.
pub struct Answer {
    pub case: Case,
    /// Certain ones, with their offsets.
    certain: Vec<(String, u64)>,
    uncertain: Vec<(String, u64)>,
    /// The messages.
    errors: String,
}

impl Answer {
    fn new(case: Case, segment: &str) -> Self {
        let output = shmlens().args(["types", segment, "--json"]).output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let types = json["types"].as_array().cloned().unwrap_or_default();
        let (certain, uncertain): (Vec<Value>, Vec<Value>) =
            types.into_iter().partition(|one| one["certain"] == true);
        let places = |list: Vec<Value>| {
            let place =
                |one: Value| (one["type"].as_str().unwrap().to_owned(), one["offset"].as_u64().unwrap());
            list.into_iter().map(place).collect()
        };
        let errors = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Self { case, certain: places(certain), uncertain: places(uncertain), errors }
    }

    fn truth(&self) -> &[Place] {
        match &self.case.expected {
            Expected::Certain(truth) | Expected::Decoy(truth) => truth,
            Expected::Register(truth) | Expected::Awake(truth) => std::slice::from_ref(truth),
        }
    }

    fn is_true(&self, (name, offset): &(String, u64)) -> bool {
        self.truth().iter().any(|(truth, at)| truth == name && at == offset)
    }

    /// All that is true is certain.
    pub fn is_found(&self) -> bool {
        let is_certain = |&(name, offset): &Place| self.certain.contains(&(name.to_owned(), offset));
        self.truth().iter().all(is_certain)
    }

    /// Returns true if a wrong type is certain.
    pub fn is_wrong(&self) -> bool {
        !self.certain.iter().all(|one| self.is_true(one))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match (self.is_wrong(), self.is_found(), self.case.expected) {
            (true, ..) => "WRONG",
            (_, _, Expected::Decoy(_)) => "decoy",
            (_, true, _) => "found",
            _ => "missed",
        };
        let list = |places: &[(String, u64)]| {
            let texts: Vec<String> = places.iter().map(|(name, offset)| format!("{name}@{offset}")).collect();
            texts.join(" ")
        };
        let Case { program, way, .. } = self.case;
        write!(out, "{word:6} {program:12} {way:20} {:40} ", list(&self.certain))?;
        write!(out, "{:30} {}", list(&self.uncertain), self.errors)
    }
}

/// Compiles the programs, starts all cases, and asks for the types of each.
pub fn run(cases: &[Case]) -> Option<Vec<Answer>> {
    let namespaces = Namespaces::new()?;
    let debug_files = DebugFiles::new(&namespaces);
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let wanted = |name: &str| cases.iter().any(|case| case.program == name);
    let programs: HashMap<&str, PathBuf> = compile(directory.path(), wanted);
    if let (Some(_), Some(program)) = (&debug_files, programs.get("build-id")) {
        let file = PathBuf::from(debug_file());
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let made = program.with_file_name("program.debug");
        fs::copy(&made, file).unwrap();
        fs::remove_file(made).unwrap();
    }
    let started: Vec<(Case, Holder)> = cases
        .iter()
        .enumerate()
        .filter(|(_, case)| case.program != "build-id" || debug_files.is_some())
        .filter_map(|(number, case)| Some((*case, Holder::start(programs.get(case.program)?, *case, number))))
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut answers = vec![];
        while let Some((case, holder)) = started.get(next.fetch_add(1, Ordering::Relaxed)) {
            answers.push(Answer::new(*case, &holder.segment));
        }
        answers
    };
    let mut answers = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    });
    answers.sort_by_key(|answer| cases.iter().position(|case| *case == answer.case));
    Some(answers)
}
