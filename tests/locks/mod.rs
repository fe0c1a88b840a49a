//! Locks in shared memory: their states, owners, alive or dead, waiting threads, and deadlocks, made
//! by real processes.

use crate::support::{Child, Namespaces, SOON, compile_cpp, shmlens, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// A process that has one lock of each kind in an object.
struct Locker {
    child: Child,
    /// The offset of each lock.
    offsets: BTreeMap<String, u64>,
}

impl Locker {
    fn new(object: &str) -> Option<Self> {
        let mut child = Child::spawn_piped(Command::new(compile_cpp("tests/locks/locks.cpp")?).arg(object));
        let line = child.line(SOON);
        let words: Vec<&str> = line.split_whitespace().collect();
        let offsets =
            words.as_chunks().0.iter().map(|[name, offset]| ((*name).to_owned(), offset.parse().unwrap()));
        Some(Self { child, offsets: offsets.collect() })
    }

    /// Acts, and returns the thread that did.
    fn act(&mut self, text: &str) -> u32 {
        self.start(text);
        let line = self.child.line(SOON);
        line.split(' ').next().unwrap().parse().unwrap()
    }

    /// Acts without waiting for the end.
    fn start(&mut self, text: &str) {
        self.child.send(&format!("{text}\n"));
    }

    fn pid(&self) -> i32 {
        self.child.pid().as_raw()
    }
}

fn info(object: &str) -> Value {
    let output = shmlens().args(["info", object, "--json"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    json["segments"][0].clone()
}

/// The lock at an offset, as `info --json` describes it.
fn lock(object: &str, offset: u64) -> Value {
    let locks = info(object)["locks"].clone();
    let found = locks.as_array().unwrap().iter().find(|lock| lock["offset"] == offset);
    found.cloned().unwrap_or_else(|| panic!("no lock at {offset} in {locks:#}"))
}

/// Waits until the text of a lock is this one.
#[track_caller]
fn wait_for_text(object: &str, offset: u64, text: &str) {
    let mut last = String::new();
    let deadline = std::time::Instant::now() + SOON;
    while last != text {
        assert!(std::time::Instant::now() < deadline, "{last}\nin place of\n{text}");
        let locks = info(object)["locks"].clone();
        let found = locks.as_array().into_iter().flatten().find(|lock| lock["offset"] == offset);
        last = found.map_or_else(String::new, |lock| lock["text"].as_str().unwrap().to_owned());
    }
}

#[test]
fn owner_and_waiters_of_a_mutex_are_named_until_it_dies() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut writer) = Locker::new("/locks") else { return };
    let mut reader = Locker::new("/locks").unwrap();
    let plain = writer.offsets["plain"];
    let unlocked = lock("/locks", writer.offsets["recursive"]);
    assert_eq!((&unlocked["kind"], &unlocked["state"]), (&"mutex".into(), &"unlocked".into()));
    assert_eq!(unlocked["owner"], Value::Null);

    let (owner, reader_pid) = (writer.act("lock plain"), reader.pid());
    assert_eq!(owner, writer.pid().cast_unsigned());
    wait_for_text("/locks", plain, &format!("locked by thread {owner} of locks-cpp (alive)"));
    reader.start("lock plain");
    wait_for_text(
        "/locks",
        plain,
        &format!("locked by thread {owner} of locks-cpp (alive); 1 thread waits: locks-cpp ({reader_pid})"),
    );
    let found = lock("/locks", plain);
    assert_eq!(found["owner"]["pid"], owner);
    assert_eq!((&found["owner"]["alive"], &found["waiters"][0]["pid"]), (&true.into(), &reader_pid.into()));
    let text = String::from_utf8(shmlens().args(["info", "/locks"]).output().unwrap().stdout).unwrap();
    assert!(text.contains(&format!("locked by thread {owner} of locks-cpp (alive)")), "{text}");

    writer.child.end();
    wait_for_text(
        "/locks",
        plain,
        &format!("owner {owner} is dead: nobody will unlock it; 1 thread waits: locks-cpp ({reader_pid})"),
    );
    assert_eq!(lock("/locks", plain)["owner"]["alive"], false);
}

#[test]
fn every_state_of_a_robust_mutex_is_told() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut writer) = Locker::new("/locks") else { return };
    let mut reader = Locker::new("/locks").unwrap();
    let robust = writer.offsets["robust"];
    let owner = writer.act("lock robust");
    wait_for_text("/locks", robust, &format!("locked by thread {owner} of locks-cpp (alive)"));
    writer.child.end();
    wait_for_text("/locks", robust, &format!("its owner {owner} died; the next thread gets EOWNERDEAD"));
    assert_eq!(lock("/locks", robust)["state"], "owner-died");
    reader.start("lock robust");
    assert!(reader.child.line(SOON).ends_with("robust EOWNERDEAD"));
    wait_for_text("/locks", robust, "locked after its owner died, not yet made consistent");
    reader.act("unlock robust");
    wait_for_text("/locks", robust, "not recoverable: locking fails with ENOTRECOVERABLE");
}

#[test]
fn threads_recursion_and_priority_inheritance_are_told() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut locker) = Locker::new("/locks") else { return };
    let pid = locker.pid();
    locker.act("lock recursive");
    locker.act("lock recursive");
    wait_for_text(
        "/locks",
        locker.offsets["recursive"],
        &format!("locked by thread {pid} of locks-cpp (alive)"),
    );
    let holder = locker.act("thread lock inherit");
    // That thread has exited.
    wait_for_text(
        "/locks",
        locker.offsets["inherit"],
        &format!("owner {holder} is dead: nobody will unlock it"),
    );
    // The type of the object is known from its program.
    for (name, kind, state) in [
        ("sem", "semaphore", "value 0, 1 waiter"),
        ("barrier", "barrier", "1 of 2 threads arrived"),
        ("cond", "condition", "1 waiter"),
    ] {
        let offset = locker.offsets[name];
        assert_eq!(lock("/locks", offset)["kind"], kind);
        locker.start(&format!("thread wait {name}"));
        wait_until(SOON, || {
            let lock = lock("/locks", offset);
            let text = lock["text"].as_str().unwrap();
            text.starts_with(state) && text.contains("1 thread waits: locks-cpp")
        });
    }
    // A word that threads wait on needs no type.
    let word = locker.offsets["word"];
    locker.start("thread wait word");
    let text = |lock: &Value| lock["text"].as_str().unwrap().to_owned();
    let found =
        || info("/locks")["locks"].as_array().unwrap().iter().find(|lock| lock["offset"] == word).cloned();
    wait_until(SOON, || {
        found().is_some_and(|lock| text(&lock).contains("value 5; 1 thread waits: locks-cpp"))
    });
    let lock = found().unwrap();
    assert_eq!((&lock["kind"], &lock["value"], &lock["state"]), (&"futex".into(), &5.into(), &Value::Null));
}

#[test]
fn readers_and_the_writer_of_a_rwlock_are_told() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut writer) = Locker::new("/locks") else { return };
    let mut reader = Locker::new("/locks").unwrap();
    let rw = writer.offsets["rw"];
    wait_for_text("/locks", rw, "unlocked");
    writer.act("read rw");
    reader.act("read rw");
    wait_for_text("/locks", rw, "locked by 2 readers");
    writer.act("unlock rw");
    reader.act("unlock rw");
    let owner = writer.act("lock rw");
    reader.start("lock rw");
    let waits = format!("1 thread waits: locks-cpp ({})", reader.pid());
    wait_for_text("/locks", rw, &format!("locked by thread {owner} of locks-cpp (alive); {waits}"));
    writer.child.end();
    wait_for_text("/locks", rw, &format!("owner {owner} is dead: nobody will unlock it; {waits}"));
}

#[test]
fn deadlock_of_two_processes_is_told_with_both_ends() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(mut a) = Locker::new("/first") else { return };
    let mut b = Locker::new("/first").unwrap();
    let (plain, other) = (a.offsets["plain"], a.offsets["other"]);
    a.act("lock plain");
    b.act("lock other");
    a.start("lock other");
    let no_deadlock = String::from_utf8(shmlens().args(["info", "/first"]).output().unwrap().stdout).unwrap();
    assert!(!no_deadlock.contains("deadlock"), "{no_deadlock}");
    b.start("lock plain");
    let (a, b) = (a.pid(), b.pid());
    let link = |from: i32, offset: u64, to: i32| {
        format!("locks-cpp ({from}) waits for /first+{offset:#x}, held by locks-cpp ({to})")
    };
    let (first, second) = (link(a, other, b), link(b, plain, a));
    let (low, high) = if a < b { (first, second) } else { (second, first) };
    let expected = format!("deadlock: {low}; {high}");
    let mut text = String::new();
    wait_until(SOON, || {
        text = String::from_utf8(shmlens().args(["info", "/first"]).output().unwrap().stdout).unwrap();
        text.replace('\n', " ").split_whitespace().collect::<Vec<_>>().join(" ").contains(&expected)
    });
}
