//! Creating segments of each kind with `n`, verified with the kernel.

use super::{open, quit, row};
use crate::support::{Namespaces, Object, SOON, Sysv, Terminal, wait_until};
use nix::sys::signal::Signal;
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Instant;

/// Returns the shmids in order.
fn shmids() -> Vec<i32> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().skip(1).map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap()).collect()
}

#[test]
fn new_segment_creates_every_kind() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"what is in it").unwrap();
    let terminal = open();
    terminal.wait_for("n: create one.", SOON);
    // A POSIX object with a size and a mode.
    terminal.send("n/made<Tab>64K<Tab>0640");
    terminal.wait_for("64 KiB, mode 0640", SOON);
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);
    terminal.send("<Enter>");
    terminal.wait_for(row("▌ /made"), SOON);
    let stat = fs::metadata("/dev/shm/made").unwrap();
    assert_eq!((stat.size(), stat.mode() & 0o7777, stat.blocks()), (65536, 0o640, 0));
    // A System V segment with a key.
    terminal.send("n<Up> <Down>0x4d2<Tab>1M<Tab>0666<Enter>");
    terminal.wait_for(row("▌ sysv:0"), SOON);
    let [keyed] = shmids()[..] else { panic!("{:?}", shmids()) };
    let facts = shm::stat(keyed).unwrap();
    assert_eq!((facts.key, facts.size, facts.mode, facts.nattch), (0x4d2, 1 << 20, 0o666, 0));
    // A private segment with SHM_NORESERVE, larger than the memory.
    terminal.send("n<Up> <Tab><Tab>64T<Up><Up><Up> <Enter>");
    terminal.wait_for("64 TiB", SOON);
    wait_until(SOON, || shmids().len() == 2);
    // The table does not get keys typed while the form is open.
    terminal.wait_for(row("▌ sysv:1"), SOON);
    let private = shm::stat(*shmids().last().unwrap()).unwrap();
    assert_eq!((private.key, private.size, private.mode), (0, 64 << 40, 0o600));
    // A segment that is filled from a file, with the size of the file.
    terminal.send(&format!("nfilled<Tab><Tab><Tab>{}<Enter>", file.path().display()));
    terminal.wait_for(row("▌ /filled"), SOON);
    assert_eq!(fs::read("/dev/shm/filled").unwrap(), b"what is in it");
    for shmid in shmids() {
        shm::remove(shmid).unwrap();
    }
    quit(terminal);
}

#[test]
fn existing_segment_is_unchanged_and_the_overlay_stays_open() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 4096, 0o600);
    let object = Object::new("object", 4096, 0o600);
    object.write(0, b"contents");
    let before = (shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec());
    let terminal = open();
    terminal.wait_for(row("▌ sysv:0"), SOON);
    terminal.send("nobject<Enter>");
    terminal.wait_for("the name is in use", SOON);
    terminal.send("<Up> <Down>1234<Enter>");
    terminal.wait_for("key 0x000004d2: the key is in use", SOON);
    terminal.send("<Tab>big<Enter>");
    terminal.wait_for("Invalid size 'big'", SOON);
    // The corrected input is accepted.
    terminal.send("<C-u>4K<Up><C-u>5<Enter>");
    terminal.wait_for(row("▌ sysv:1"), SOON);
    let created = *shmids().iter().find(|&&shmid| shmid != sysv.shmid).unwrap();
    assert_eq!((shm::stat(created).unwrap().key, shm::stat(created).unwrap().size), (5, 4096));
    assert_eq!((shm::stat(sysv.shmid).unwrap(), object.file.metadata().unwrap().ctime_nsec()), before);
    assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 1);
    shm::remove(created).unwrap();
    quit(terminal);
}

#[test]
fn stopped_creation_leaves_nothing() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let source = Object::new("source", 40_000 << 16, 0o600);
    for at in 0..40_000u64 {
        source.write(at << 16, b"x");
    }
    let signal = |terminal: &mut Terminal| {
        terminal.child().signal(Signal::SIGTERM);
        terminal.wait_exit(SOON);
    };
    let escape = |terminal: &mut Terminal| {
        terminal.send("<Esc>");
        let ended = |text: &str| text.contains("was not created") || text.contains("created with");
        wait_until(SOON, || ended(&terminal.screen()));
    };
    let stops: [fn(&mut Terminal); 2] = [signal, escape];
    for stop in stops {
        let started = Instant::now();
        loop {
            let mut terminal = open();
            terminal.wait_for("source", SOON);
            terminal.send("n<Up> <Down>0x7<Tab><Tab><C-u>0666<Tab>/dev/shm/source<Tab><Tab><Tab> <Enter>");
            wait_until(SOON, || !shmids().is_empty());
            stop(&mut terminal);
            let [shmid] = shmids()[..] else { break };
            // The segment was complete before the stop.
            assert_eq!(shm::stat(shmid).unwrap().mode, 0o666);
            shm::remove(shmid).unwrap();
            assert!(started.elapsed() < SOON, "every attempt was too late");
        }
    }
}
