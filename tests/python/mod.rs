//! Types of Python against `CPython`, numpy and Boost: their own values are the expected ones.

mod boost;
mod dtypes;
mod lists;
mod structs;

use crate::support::{skip, tool};
use serde_json::Value;
use shmlens::decode::{Decoded, ParseTypeError, Type, parse_type};
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The directory of the virtual environment with numpy, which .ci/run creates.
const ENVIRONMENT: &str = "target/python";

/// Returns the interpreter with numpy: that of `SHMLENS_PYTHON`, or of the virtual environment below
/// target. Skips the test without one.
fn numpy() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = env::var_os("SHMLENS_PYTHON")
        .map_or_else(|| root.join(ENVIRONMENT).join("bin/python"), PathBuf::from);
    let has_numpy = Command::new(&python).args(["-c", "import numpy"]).stderr(Stdio::null()).status();
    if has_numpy.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    skip(&format!(
        "needs numpy: run `python3 -m venv {ENVIRONMENT} && {ENVIRONMENT}/bin/pip install numpy`, or set SHMLENS_PYTHON"
    ));
    None
}

fn python3() -> Option<PathBuf> {
    tool("python3")
}

/// Runs a program of this directory, and returns its lines of JSON.
fn lines(python: &Path, program: &str, arguments: &[String]) -> impl Iterator<Item = Value> + use<> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(program);
    let mut child =
        Command::new(python).arg("-B").arg(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    std::iter::from_fn(move || {
        if let Some(line) = lines.next() {
            return Some(serde_json::from_str(&line.unwrap()).unwrap());
        }
        assert!(child.wait().unwrap().success());
        None
    })
}

fn parse(text: &str) -> Result<Type, ParseTypeError> {
    parse_type(text, &|_| Err("no headers here".to_owned())).map(|placed| placed.ty)
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digits).collect()
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_else(|| panic!("no {key} in {line}"))
}

/// Returns true if both are the same, floats up to their last bit: parsing JSON may be off by that.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|((name, ours), (other, theirs))| name == other && same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) if ours.is_f64() || theirs.is_f64() => {
            let (ours, theirs) = (ours.as_f64().unwrap(), theirs.as_f64().unwrap());
            (ours - theirs).abs() <= ours.abs() * f64::EPSILON
        }
        _ => ours == theirs,
    }
}

/// Returns the JSON of a value as it is printed.
fn printed(value: Decoded<'_>) -> Value {
    serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap()
}

/// Compares a value of ours with that of Python.
#[track_caller]
fn compare(line: &Value, ours: &Value) {
    assert!(same(ours, &line["value"]), "ours: {ours}\nPython: {line}");
}
