//! Namespaces without shared memory, for benchmarks that need the whole table.

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use shmlens::sys::shm;
use std::fs::File;
use std::io::Write as _;

/// Moves this process into new, empty IPC and mount namespaces, which disappear when it exits.
/// Prints a message and returns false without permission.
pub fn enter(benchmark: &str) -> bool {
    match namespaces() {
        Ok(()) => true,
        Err(Errno::EPERM) => {
            println!("skipped {benchmark}: its own namespaces need root");
            false
        }
        Err(error) => panic!("failed to enter new namespaces: {error}"),
    }
}

fn namespaces() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), MsFlags::empty(), Some("mode=1777"))
}

/// Creates segments of all sizes, some with data. System V segments get these keys, objects these
/// numbers.
pub fn fill(keys: impl Iterator<Item = u32>, numbers: impl Iterator<Item = u32>) {
    for key in keys {
        let shmid = shm::create(key, 4096 * key as usize, 0o640).expect("a new segment");
        if key % 4 == 0 {
            let attachment = shm::Attachment::read_write(shmid).expect("our segment");
            assert_eq!(attachment.copy_from(0, b"something"), 9);
        }
    }
    for number in numbers {
        let mut file = File::create(format!("/dev/shm/psm_{number:08x}")).expect("a new object");
        file.set_len(4096 * u64::from(number)).expect("a size");
        if number % 4 == 0 {
            file.write_all(b"something").expect("room in /dev/shm");
        }
    }
}
