//! Contents of the demo's segments as read by other languages.

use super::{Headless, row};
use crate::support::{Namespaces, SOON, compile_cpp, python, shmlens, tool, wait_until};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn cpp_reads_the_struct_of_the_header() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(reader) = compile_cpp("tests/demo/read_state.cpp") else { return };
    let demo = Headless::start();
    let read = || {
        let output = Command::new(&reader).arg(demo.state.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().parse::<u64>().unwrap()
    };
    let first = read();
    wait_until(SOON, || read() > first + 5);
}

#[test]
fn python_reads_and_writes_the_same_list() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let text = r"
import math, sys, time
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import ShareableList, SharedMemory
live = ShareableList(name=sys.argv[1])
resource_tracker.unregister(live.shm._name, 'shared_memory')
assert len(live) == 7, len(live)
first, end = live[1], time.monotonic() + 20
while live[1] == first:
    assert time.monotonic() < end, 'the list does not move'
# A picture of one moment, so that what is compared does not move.
size = live.shm.size
still = SharedMemory('still', create=True, size=size)
still.buf[:size] = bytes(live.shm.buf[:size])
values = list(ShareableList(name='still'))
again = ShareableList(values, name='again')
assert again.shm.size == size, (again.shm.size, size)
assert bytes(again.shm.buf) == bytes(still.buf), values
made_by, tick, sine, rising, state, data, none = values
assert made_by.startswith('shmlens demo 1 list '), made_by
assert type(tick) is int and type(rising) is bool and none is None, values
assert state in ('idle', 'running', 'paused') and data == b'\x01\x02\x03\xff', values
assert min(abs(sine - math.sin(t / 20)) for t in (tick - 1, tick, tick + 1)) < 1e-12, values
live.shm.close()
for mine in (still, again.shm):
    mine.close()
    mine.unlink()
print('good')
";
    let name = demo.list.file_name().unwrap();
    let Some(mut command) = python(text) else { return };
    let output = command.arg(name).output().unwrap();
    assert_eq!(output.stdout, b"good\n", "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(demo.count(), 5);
}

#[test]
fn ring_counts_its_quotes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let written = || {
        let bytes = fs::read(&demo.ring).unwrap();
        assert_eq!(bytes.len(), 1 << 16);
        u64::from_ne_bytes(bytes[64..72].try_into().unwrap())
    };
    let first = written();
    wait_until(SOON, || written() > first + 10);
}

/// Returns the holders in the order of `info`, with their access.
fn holders(id: &str) -> Vec<(String, String)> {
    let output = shmlens().args(["info", "--json", id]).output().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let holders = info["segments"][0]["holders"].as_array().unwrap();
    let text = |holder: &serde_json::Value, field: &str| holder[field].as_str().unwrap().to_owned();
    holders.iter().map(|holder| (text(holder, "command"), text(holder, "access"))).collect()
}

#[test]
fn segments_have_a_writer_and_a_reader() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let pair = |writer: &str, reader: &str| {
        let mut pair = vec![(writer.to_owned(), "rw".to_owned()), (reader.to_owned(), "r".to_owned())];
        pair.sort();
        pair
    };
    let found = |id: &str| {
        let mut found = holders(id);
        found.sort();
        found
    };
    assert_eq!(found(demo.ring.to_str().unwrap()), pair("writer", "reader.py"));
    let state: Vec<_> = found(&format!("sysv:{}", demo.state));
    // The monitor comes later.
    let state: Vec<_> = state.into_iter().filter(|(command, _)| command != "monitor").collect();
    assert_eq!(state, pair("writer", "reader.py"));
    assert_eq!(found(demo.list.to_str().unwrap()), pair("reader.py", "writer"));
    assert_eq!(found(demo.sparse.to_str().unwrap()), []);
}

#[test]
fn monitor_tells_the_type_and_the_lock_of_the_struct() {
    if tool("g++").is_none() {
        return;
    }
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let id = format!("sysv:{}", demo.state);
    demo.wait_for_monitor();
    let output = shmlens().args(["types", "--json", &id]).output().unwrap();
    let types: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let best = &types["types"][0];
    assert_eq!((&best["type"], &best["certain"]), (&"demo_state".into(), &true.into()), "{types}");
    assert!(best["evidence"][0].as_str().unwrap().contains("'state' in monitor"), "{types}");
    let output = shmlens().args(["info", "--json", &id]).output().unwrap();
    let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(info["segments"][0]["locks"][0]["offset"], 376, "{info}");
}

#[test]
fn leak_does_not_have_to_settle() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let output =
        shmlens().args(["list", "--leaked", "--columns", "id,state", "--no-header"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words.first().copied(), Some(format!("sysv:{}", demo.orphan).as_str()), "{text}");
    assert_eq!((words.len(), words.last().copied()), (2, Some("leaked")), "{text}");
}

#[test]
fn creator_of_the_orphan_is_dead_and_not_shmlens() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let demo = Headless::start();
    let orphan = row(demo.orphan).unwrap();
    assert_ne!(orphan.creator_pid, demo.child.pid().as_raw().unsigned_abs());
    assert!(!Path::new(&format!("/proc/{}", orphan.creator_pid)).exists());
    assert_eq!(orphan.nattch, 0);
}
