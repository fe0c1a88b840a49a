//! Segments of Python's multiprocessing: with its resource tracker, without it, and after a kill.

use super::{
    Verdict, isolated_user, kill_and_wait, line_with, listed, listed_with, made_by, python_of, verdict,
};
use crate::support::{Child, Namespaces, SOON, python, shmlens, wait_until};

/// A Python program that runs each line that it receives and answers "ok".
const SHELL: &str =
    "import sys\nscope = {}\nfor line in sys.stdin:\n    exec(line, scope)\n    print('ok', flush=True)\n";

/// A Python process that runs statements on request.
struct Python {
    child: Child,
    tracker: i32,
}

impl Python {
    /// Starts Python as a user without other processes, with its resource tracker.
    fn start() -> Option<Self> {
        let child = Child::spawn_piped(&mut python_of(isolated_user(), SHELL)?);
        let mut python = Self { child, tracker: 0 };
        python.run("from multiprocessing import shared_memory, resource_tracker, get_context, heap");
        python.run("resource_tracker.ensure_running()");
        python.tracker = python.ask("resource_tracker._resource_tracker._pid").parse().unwrap();
        Some(python)
    }

    #[track_caller]
    fn run(&mut self, line: &str) {
        self.child.send(&format!("{line}\n"));
        assert_eq!(line_with(&mut self.child, ""), "ok", "{line}");
    }

    #[track_caller]
    fn ask(&mut self, value: &str) -> String {
        self.child.send(&format!("print({value}, flush=True)\n"));
        let answer = line_with(&mut self.child, "");
        assert_eq!(line_with(&mut self.child, ""), "ok", "{value}");
        answer
    }

    fn pid(&self) -> i32 {
        self.child.pid().as_raw()
    }

    /// Kills the tracker and then the program, so that nothing cleans up.
    fn kill_all(&mut self) {
        kill_and_wait(self.tracker);
        self.child.end();
    }
}

#[test]
fn shared_memory_is_held_then_idle_then_leaked() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("one = shared_memory.SharedMemory(create=True, size=5000)");
    let id = format!("posix:/{}", python.ask("one.name"));
    let held = verdict(&id);
    held.assert_is("in-use", &["held by 1 process"]);
    assert_eq!(
        (held.maker.as_str(), held.holders.as_slice()),
        ("cpython-shared-memory", &[python.pid()][..])
    );
    assert_eq!(held.segment["made_by"]["name"], "Python multiprocessing.shared_memory");

    // The object is closed but not unlinked, so the tracker unlinks it at exit.
    python.run("one.close()");
    verdict(&id)
        .assert_is("idle", &["may still be needed: resource_tracker of its owner or root is running"]);

    python.kill_all();
    let left = verdict(&id);
    left.assert_is("leaked certain", &["no resource_tracker of its owner or root is running"]);
    assert_eq!((left.maker.as_str(), left.holders.len()), ("cpython-shared-memory", 0));
    // The object is less than an hour old.
    let young = listed_with(shmlens(), "1h").remove(0);
    // If a process cannot be examined, no lease is requested yet.
    assert!(matches!(young.state.as_str(), "idle" | "unknown"), "{young:#?}");
    wait_until(SOON, || listed_with(shmlens(), "1s")[0].state.starts_with("leaked"));
}

#[test]
fn resource_tracker_removes_segments_of_a_killed_program() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("one = shared_memory.SharedMemory(create=True, size=5000)");
    assert_eq!(made_by("cpython-shared-memory").len(), 1);
    python.child.end();
    wait_until(SOON, || listed().is_empty());
}

#[test]
fn shareable_list_is_identified_by_contents() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("one = shared_memory.ShareableList([42, 3.5, 'text', b'bytes', None, True])");
    let id = format!("posix:/{}", python.ask("one.shm.name"));
    let held = verdict(&id);
    held.assert_is("in-use", &[]);
    assert_eq!(held.maker, "cpython-shareablelist");
    python.kill_all();
    let left = verdict(&id);
    left.assert_is("leaked certain", &["no resource_tracker of its owner or root is running"]);
    assert_eq!(left.maker, "cpython-shareablelist");
}

#[test]
fn locks_and_semaphores_are_held_then_leaked() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("context = get_context('spawn')");
    python.run("lock, semaphore, queue = context.Lock(), context.Semaphore(3), context.Queue()");
    let semaphores = made_by("cpython-mp-semaphore");
    // A queue has two locks and a semaphore.
    assert!(semaphores.len() >= 4, "{semaphores:#?}");
    for one in &semaphores {
        one.assert_is("in-use", &[]);
        assert!(one.id.starts_with("posix:/sem.mp-") && one.holders == [python.pid()], "{one:#?}");
    }
    python.kill_all();
    let left = made_by("cpython-mp-semaphore");
    assert_eq!(left.len(), semaphores.len());
    for one in &left {
        one.assert_is("leaked certain", &["no resource_tracker of its owner or root is running"]);
    }
}

#[test]
fn lock_of_forked_programs_has_no_name() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("lock = get_context('fork').Lock()");
    let all = listed();
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].assert_is("removed", &["unlinked, kept alive by python3"]);
    // The semaphore is only known by the temporary name that glibc used.
    assert_eq!(all[0].maker, "glibc-named-semaphore");
    python.kill_all();
    assert!(listed().is_empty());
}

#[test]
fn pool_workers_hold_the_semaphores() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("pool = get_context('spawn').Pool(2)");
    python.run("import math; pool.map(math.sqrt, range(100))");
    let workers = python.ask("*(worker.pid for worker in pool._pool)");
    let workers: Vec<i32> = workers.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(workers.len(), 2);
    let semaphores = made_by("cpython-mp-semaphore");
    assert!(!semaphores.is_empty());
    for one in &semaphores {
        one.assert_is("in-use", &[]);
        assert!(one.holders.contains(&python.pid()), "{one:#?}");
    }
    let by_workers = |one: &&Verdict| workers.iter().any(|worker| one.holders.contains(worker));
    assert!(semaphores.iter().filter(by_workers).count() > 0, "{workers:?}: {semaphores:#?}");
    python.kill_all();
    for worker in workers {
        kill_and_wait(worker);
    }
    for one in made_by("cpython-mp-semaphore") {
        one.assert_is("leaked certain", &[]);
    }
}

#[test]
fn value_heap_is_unlinked_and_kept_alive() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut python) = Python::start() else { return };
    python.run("array = get_context('fork').Array('d', 1000, lock=False)");
    let all = listed();
    assert_eq!(all.len(), 1, "{all:#?}");
    let name = format!("former name /pym-{}-", python.pid());
    all[0].assert_is("removed", &["unlinked, kept alive by python3", &name]);
    assert_eq!(all[0].maker, "cpython-mp-heap");
    assert!(all[0].id.starts_with("deleted:") && all[0].holders == [python.pid()]);
    python.kill_all();
    assert!(listed().is_empty());
}

/// A program that drops root's privileges keeps the tracker that it started as root.
#[test]
fn resource_tracker_of_root_keeps_segments_of_another_user() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let user = isolated_user();
    let text = format!(
        "import os, sys\n\
         from multiprocessing import resource_tracker, shared_memory\n\
         resource_tracker.ensure_running()\n\
         os.setgid({user})\n\
         os.setuid({user})\n\
         block = shared_memory.SharedMemory(create=True, size=10)\n\
         block.close()\n\
         print('made', block._name, flush=True)\n\
         sys.stdin.read()\n"
    );
    let Some(mut command) = python(&text) else { return };
    let mut child = Child::spawn_piped(command.current_dir("/").env("PYTHONWARNINGS", "ignore"));
    let name = line_with(&mut child, "made");
    verdict(&format!("posix:{name}"))
        .assert_is("idle", &["resource_tracker of its owner or root is running"]);
}
