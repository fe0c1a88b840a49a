//! Looks up 10,000 names in the catalog, compared with matching every expression, and parses the
//! catalog.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up must fail")]

#[expect(dead_code, reason = "runs no program")]
mod support;

use regex::bytes::Regex;
use shmlens::config::maker::compile;
use shmlens::identify::catalog::{Catalog, Kind, Subject};
use shmlens::segment::{Bytes, Mode};
use std::hint::black_box;
use std::time::{Duration, Instant};
use support::{Contest, short};

const NAMES: usize = 10_000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let names: Vec<String> = (0..NAMES).map(name).collect();
    let expressions: Vec<Regex> = Catalog::built_in()
        .makers()
        .flat_map(|maker| &maker.patterns)
        .map(|pattern| compile(pattern).expect("a test compiles this pattern"))
        .collect();
    let mut contest = Contest::new(format!("look up {NAMES} names"));
    contest.add("the catalog", 0, None, || look_up(&names));
    contest.add("each expression in turn", 0, None, || {
        let started = Instant::now();
        for name in &names {
            black_box(expressions.iter().filter(|expression| expression.is_match(name.as_bytes())).count());
        }
        started.elapsed()
    });
    contest.add("parse the catalog", 0, None, || {
        let started = Instant::now();
        black_box(Catalog::with_makers(&[]));
        started.elapsed()
    });
    contest.run(if short() { 3 } else { 21 });
}

fn look_up(names: &[String]) -> Duration {
    let catalog = Catalog::built_in();
    let started = Instant::now();
    for name in names {
        black_box(catalog.find(&Subject {
            kind: Kind::Posix,
            name: Some(name.as_bytes()),
            key: None,
            size: Bytes(4096),
            mode: Mode::new(0o600),
            contents: None,
            context: None,
        }));
    }
    started.elapsed()
}

/// Returns names of each kind in turn, and as many unknown names.
fn name(index: usize) -> String {
    match index % 10 {
        0 => format!("psm_{index:08x}"),
        1 => format!("sem.mp-{index:08}"),
        2 => format!("torch_{index}_{index}_0"),
        3 => format!("fastdds_{index:016x}"),
        4 => format!("sem.gate{index}"),
        5 => format!("pulse-shm-{index}"),
        _ => format!("camera_{index}_frame"),
    }
}
