//! Real leaks are removed from the screen, and held segments stay.

use super::{NO_CHANGE_INTERVAL, answer, open, quit, row, writer};
use crate::support::{Child, Namespaces, SOON, Terminal, python, shmlens, wait_until};
use shmlens::sys::shm;
use std::fs;
use std::path::Path;

/// Creates a System V segment whose creator has exited and returns its shmid.
fn leak() -> Option<i32> {
    let text = "import ctypes\n\
                libc = ctypes.CDLL(None)\n\
                print(libc.shmget(0, 300000, 0o1600))";
    let output = python(text)?.output().unwrap();
    Some(String::from_utf8(output.stdout).unwrap().trim().parse().unwrap())
}

#[test]
fn clean_removes_leaks_and_keeps_held_segments() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let Some(_writer) = writer("sysv_writer.cpp", "0x4d2", NO_CHANGE_INTERVAL) else { return };
    let Some(shmid) = leak() else { return };
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("shmlens");
    fs::create_dir(&settings).unwrap();
    // Shorten the default wait of a minute.
    fs::write(settings.join("config.toml"), "settle = \"1s\"\n").unwrap();
    let mut command = shmlens();
    command.env("XDG_CONFIG_HOME", home.path());
    let terminal = Terminal::start((80, 24), command);
    terminal.wait_for(row("✗ leaked"), SOON);
    terminal.send("c");
    terminal.wait_for("Clean up: 1 leaked segment", SOON);
    terminal.wait_for(row(&format!("[x] sysv:{shmid}")), SOON);
    terminal.wait_for("exited", SOON);
    terminal.send("<Enter>");
    terminal.wait_for("y remove", SOON);
    assert!(shm::stat(shmid).is_ok());
    answer(&terminal, "y");
    wait_until(SOON, || shm::stat(shmid).is_err());
    assert!(shm::stat(0).is_ok(), "a held segment must not be removed");
    terminal.wait_for("u: undo", SOON);
    terminal.send("c");
    terminal.wait_for("Nothing is leaked.", SOON);
    terminal.send("q");
    terminal.send("u");
    terminal.wait_for(row("sysv:2 293 KiB"), SOON);
    quit(terminal);
}

#[test]
fn awaited_semaphore_is_identified() {
    let Some(_namespaces) = Namespaces::new() else { return };
    // This calls `sem_open` of the C library.
    let text = "import ctypes, time\n\
                libc = ctypes.CDLL(None, use_errno=True)\n\
                libc.sem_open.restype = ctypes.c_void_p\n\
                libc.sem_post.argtypes = libc.sem_wait.argtypes = [ctypes.c_void_p]\n\
                s = libc.sem_open(b'/gate', 64, 0o600, 2)\n\
                print('ready', flush=True)\n\
                input(); libc.sem_wait(s); libc.sem_wait(s); print('down', flush=True); libc.sem_wait(s)\n\
                print('through', flush=True)";
    let Some(mut command) = python(text) else { return };
    let mut child = Child::spawn_piped(&mut command);
    assert_eq!(child.line(SOON), "ready");
    assert!(Path::new("/dev/shm/sem.gate").exists());
    let terminal = open();
    terminal.wait_for("value 2, no waiters", SOON);
    child.send("\n");
    assert_eq!(child.line(SOON), "down");
    terminal.wait_for("value 0, 1 waiter", SOON);
    let output = shmlens().args(["info", "--json", "posix:/sem.gate"]).output().unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["segments"][0]["semaphore"], serde_json::json!({"value": 0, "waiters": 1}));
    quit(terminal);
}
