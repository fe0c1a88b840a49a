//! Contents of the demo's segments as read by other languages.

use super::{Headless, row};
use crate::support::{SOON, World, compile_cpp, python, wait_until};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn cpp_reads_the_struct_of_the_header() {
    let Some(_world) = World::new() else { return };
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
    let Some(_world) = World::new() else { return };
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
fn image_animates() {
    let Some(_world) = World::new() else { return };
    let demo = Headless::start();
    let first = fs::read(&demo.picture).unwrap();
    assert_eq!(first.len(), 320 * 240);
    wait_until(SOON, || fs::read(&demo.picture).unwrap() != first);
}

#[test]
fn creator_of_the_orphan_is_dead_and_not_shmlens() {
    let Some(_world) = World::new() else { return };
    let demo = Headless::start();
    let orphan = row(demo.orphan).unwrap();
    assert_ne!(orphan.creator_pid, demo.child.pid().as_raw().unsigned_abs());
    assert!(!Path::new(&format!("/proc/{}", orphan.creator_pid)).exists());
    assert_eq!(orphan.nattch, 0);
}
