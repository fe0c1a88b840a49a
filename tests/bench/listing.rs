//! How fast 1000 System V and 1000 POSIX segments are listed, against the two
//! tools that list them. In a world of its own, since the table is the machine's.

#![expect(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to say")]

mod support;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use shmscope::sys::shm;
use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;
use support::{Contest, checked, discard, installed, shmscope, short};

/// How many there are of each kind.
const EACH: u32 = 1000;

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    match enter() {
        Ok(()) => {}
        Err(Errno::EPERM) => return println!("listing is left out: a world of its own needs root"),
        Err(error) => panic!("no world of its own: {error}"),
    }
    fill();
    list(if short() { 5 } else { 41 });
}

/// An IPC and a mount namespace of this process: nothing in them, and nothing
/// of them is left when it ends.
fn enter() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), MsFlags::empty(), Some("mode=1777"))
}

/// Segments of all sizes, with something in some of them.
fn fill() {
    for number in 1..=EACH {
        let size = 4096 * number as usize;
        let shmid = shm::create(number, size, 0o640).expect("a new segment");
        let mut file = File::create(format!("/dev/shm/psm_{number:08x}")).expect("a new object");
        file.set_len(size as u64).expect("a size");
        if number % 4 == 0 {
            let attachment = shm::Attachment::read_write(shmid).expect("our segment");
            assert_eq!(attachment.copy_from(0, b"something"), 9);
            file.write_all(b"something").expect("room in /dev/shm");
        }
    }
}

fn list(rounds: usize) {
    let mut contest = Contest::new(format!("list of {EACH} System V and {EACH} POSIX segments"));
    let mut ours = shmscope();
    ours.args(["list", "--columns", "id,size,mode,owner,nattch"]);
    contest.add("shmscope list, five columns", 0, None, discard(ours));
    if installed("ipcs") && installed("ls") {
        let mut ipcs = Command::new("ipcs");
        ipcs.arg("-m");
        let mut ls = Command::new("ls");
        ls.args(["-l", "/dev/shm"]);
        contest.add("ipcs -m and ls -l, together", 0, Some(2.0), both(discard(ipcs), discard(ls)));
    }
    let mut usual = shmscope();
    usual.arg("list");
    contest.add("shmscope list, as it is", 0, None, discard(usual));
    let mut json = shmscope();
    json.args(["list", "--json"]);
    contest.add(
        "shmscope list --json",
        0,
        None,
        checked(json, |output| {
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(text.matches("\"id\":").count(), 2 * EACH as usize);
        }),
    );
    contest.run(rounds);
}

/// One after the other.
fn both(
    mut first: impl FnMut() -> Duration,
    mut second: impl FnMut() -> Duration,
) -> impl FnMut() -> Duration {
    move || first() + second()
}
