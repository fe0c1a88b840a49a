//! Namespaces without shared memory, visible to a single test.

use super::skip;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use std::marker::PhantomData;

/// New IPC and mount namespaces for this thread, and for the threads and children that it starts:
/// no System V segments, an empty `/dev/shm`. Its contents vanish with the last process in it.
pub struct Namespaces {
    this_thread: PhantomData<*const ()>,
}

impl Namespaces {
    /// Enters new namespaces. `None`, with the test skipped, without root. Create them first in a
    /// test, so that they are dropped last.
    pub fn new() -> Option<Self> {
        match Self::enter() {
            Ok(()) => Some(Self { this_thread: PhantomData }),
            Err(nix::errno::Errno::EPERM) => {
                skip("needs root (its own IPC namespace)");
                None
            }
            Err(error) => panic!("failed to enter new namespaces: {error}"),
        }
    }

    fn enter() -> nix::Result<()> {
        // Unsharing the mount namespace of a thread also unshares its working directory and root
        // from the other threads; both stay the same.
        unshare(CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWNS)?;
        let none: Option<&str> = None;
        // Make the mounts private, or the new tmpfs would appear outside too.
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        mount(Some("tmpfs"), "/dev/shm", Some("tmpfs"), MsFlags::empty(), Some("mode=1777"))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        // The thread may run further tests, so unmount now.
        let _ = umount2("/dev/shm", MntFlags::MNT_DETACH);
    }
}

#[cfg(test)]
mod tests {
    use crate::support::{Namespaces, Object, Sysv, python};
    use std::fs;
    use std::process::Command;
    use std::thread;

    fn seen() -> (usize, usize) {
        let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
        (table.lines().count() - 1, fs::read_dir("/dev/shm").unwrap().count())
    }

    #[test]
    fn world_starts_empty_and_belongs_to_its_thread() {
        let Some(_namespaces) = Namespaces::new() else { return };
        assert_eq!(seen(), (0, 0));
        let sysv = Sysv::new(0x4d2, 4096, 0o600);
        let object = Object::new("a", 4096, 0o600);
        assert_eq!(seen(), (1, 1));
        assert_eq!(thread::spawn(seen).join().unwrap(), (1, 1));
        let count = "ls /dev/shm | wc -l; grep -c . /proc/sysvipc/shm";
        let output = Command::new("sh").args(["-c", count]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n2\n");
        // Other namespaces share nothing with these.
        thread::spawn(|| {
            let _other = Namespaces::new();
            assert_eq!(seen(), (0, 0));
        })
        .join()
        .unwrap();
        assert_eq!(seen(), (1, 1));
        drop((sysv, object));
        assert_eq!(seen(), (0, 0));
    }

    #[test]
    fn python_shares_memory_in_a_world() {
        let Some(_namespaces) = Namespaces::new() else { return };
        let text = "from multiprocessing import shared_memory as m\n\
                    s = m.SharedMemory('in_python', create=True, size=99)\n\
                    import os; print(os.listdir('/dev/shm')); s.close(); s.unlink()";
        let Some(mut command) = python(text) else { return };
        assert_eq!(command.output().unwrap().stdout, b"['in_python']\n");
        assert_eq!(seen(), (0, 0));
    }
}
