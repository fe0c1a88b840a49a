//! Boost.Interprocess segments belong to no process. They stay until a program removes them.

use super::{Verdict, listed, verdict};
use crate::support::{Child, Namespaces, SOON, compile_cpp, skip};
use std::path::Path;
use std::process::Command;

/// Starts a program that creates and holds a segment, a mutex and a condition variable.
fn start() -> Option<Child> {
    if !Path::new("/usr/include/boost/interprocess/managed_shared_memory.hpp").exists() {
        skip("needs the headers of Boost.Interprocess (libboost-dev), which are not installed");
        return None;
    }
    let mut child = Child::spawn_piped(&mut Command::new(compile_cpp("tests/makers/boost.cpp")?));
    assert_eq!(child.line(SOON), "ready");
    Some(child)
}

const SEGMENT_TYPES: [(&str, &str); 3] = [
    ("posix:/boost_condition", "boost-named-sync"),
    ("posix:/boost_managed", "boost-managed"),
    ("posix:/sem.boost_mutex", "glibc-named-semaphore"),
];

#[test]
fn boost_segment_is_identified_by_contents_and_never_a_certain_leak() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut program) = start() else { return };
    let makers = |all: &[Verdict]| -> Vec<(String, String)> {
        all.iter().map(|verdict| (verdict.id.clone(), verdict.maker.clone())).collect()
    };
    let expected = SEGMENT_TYPES.map(|(id, maker)| (id.to_owned(), maker.to_owned()));
    assert_eq!(makers(&listed()), expected);
    for (id, _) in SEGMENT_TYPES {
        let held = verdict(id);
        held.assert_is("in-use", &["held by 1 process"]);
        assert_eq!(held.holders, [program.pid().as_raw()]);
    }
    program.end();
    assert_eq!(makers(&listed()), expected);
    for (id, _) in SEGMENT_TYPES {
        // The next run of the program may open it by name.
        verdict(id).assert_is("leaked likely", &["cannot tell if it is still needed"]);
    }
}
