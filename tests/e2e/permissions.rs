//! The permissions form on real segments, verified with the kernel.

use super::{no_row, open, quit, row};
use crate::support::{
    Child, NOBODY, Namespaces, Object, SOON, Sysv, Terminal, as_nobody, shmlens, wait_until,
};
use nix::sys::signal::Signal;
use shmlens::app::overlay::TYPED_AHEAD_GUARD;
use shmlens::sys::shm;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::thread;
use std::time::Duration;

/// Answers a confirmation, which ignores keys in its first 150 ms.
fn answer(terminal: &Terminal, key: &str) {
    thread::sleep(TYPED_AHEAD_GUARD + Duration::from_millis(100));
    terminal.send(key);
}

#[test]
fn owner_group_and_mode_match_the_input() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let sysv = Sysv::new(0x4d2, 8192, 0o600);
    let object = Object::new("object", 5000, 0o600);
    let kernel = || {
        let facts = shm::stat(sysv.shmid).unwrap();
        let stat = object.file.metadata().unwrap();
        [(facts.mode, facts.uid, facts.gid), (stat.mode() & 0o7777, stat.uid(), stat.gid())]
    };
    let terminal = Terminal::start((120, 30), shmlens());
    terminal.wait_for(row("▌ sysv:0"), SOON);
    // Change two segments at once, with a symbolic mode.
    terminal.send("  p");
    terminal.wait_for("Permissions of 2 segments", SOON);
    terminal.send("<Tab>g+rw,o+r<Tab>nobody<Tab>4242<Enter>");
    terminal.wait_for("→ nobody", SOON);
    assert_eq!(kernel(), [(0o600, 0, 0); 2]);
    answer(&terminal, "y");
    wait_until(SOON, || kernel() == [(0o664, NOBODY, 4242); 2]);
    terminal.wait_for("Changed 2 segments. u: undo", SOON);
    terminal.send("u");
    wait_until(SOON, || kernel() == [(0o600, 0, 0); 2]);
    // Closing the form changes nothing.
    terminal.wait_for("Reverted 2 segments", SOON);
    terminal.wait_for(no_row("nobody"), SOON);
    terminal.send("p 7<Tab>nobody");
    terminal.wait_for(row("nobody, uid 65534; now 0"), SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Permissions of"), SOON);
    // An unknown user is reported, and can be corrected.
    terminal.send("p<Tab><Tab>no-such-user<Enter>");
    terminal.wait_for("No user named 'no-such-user'", SOON);
    assert_eq!(kernel(), [(0o600, 0, 0); 2]);
    terminal.send("<C-u>12345<Enter>");
    terminal.wait_for("→ 12345", SOON);
    answer(&terminal, "y");
    wait_until(SOON, || kernel() == [(0o600, 0, 0), (0o600, 12345, 0)]);
    terminal.wait_for("u: undo", SOON);
    quit(terminal);
}

#[test]
fn overlay_shows_access_of_users_and_processes() {
    let Some(_namespaces) = Namespaces::new() else { return };
    let _object = Object::new("object", 5000, 0o640).owned_by(1000, NOBODY);
    // Start a process of nobody, for the access query.
    let mut sleeper = Child::spawn_piped(&mut as_nobody("/bin/sleep", ["1000"]));
    let pid = sleeper.pid().to_string();
    let terminal = open();
    terminal.wait_for(row("▌ /object"), SOON);
    terminal.send("p<Tab><Tab><Tab><Tab>");
    terminal.send(&pid);
    terminal.wait_for(row("(nobody): read-only: as group member,"), SOON);
    // The answer is for the edited mode, not for the current one.
    terminal.send("<Up><Up><Up>0666<Down><Down>0<Down>");
    terminal.wait_for(row("(nobody): read-write: as other"), SOON);
    terminal.send("<C-u>root");
    terminal.wait_for(row("root: read-write: as group member, mode 0666"), SOON);
    terminal.send("<Up><C-u>7<Down>");
    terminal.wait_for(row("root: read-write: as other"), SOON);
    terminal.send("<Up><Up><Up><C-u>0<Down><Down><Down>");
    terminal.wait_for(row("root: read-write: CAP_DAC_OVERRIDE"), SOON);
    sleeper.signal(Signal::SIGKILL);
    sleeper.wait(SOON);
    terminal.send("<C-u>");
    terminal.send(&pid);
    terminal.wait_for(row("no process"), SOON);
    terminal.send("<Esc>");
    terminal.wait_for(no_row("Permissions of"), SOON);
    quit(terminal);
    assert_eq!(fs::metadata("/dev/shm/object").unwrap().mode() & 0o7777, 0o640);
}
