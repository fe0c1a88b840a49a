//! Processes of a made machine.

use super::{MadeMachine, lock};
use crate::machine::ObjectStat;
use crate::machine::process::{
    Devices, Examined, FileLock, Object, Place, Process, ProcessId, Processes, Use, Visibility, Wanted,
};
use crate::segment::{Access, ObjectName, Timestamp};
use std::io;

/// The device of `/dev/shm` here.
pub const OBJECTS: u64 = 26;
const SYSV: u64 = 1;

/// A process of a made machine.
#[derive(Debug, Clone)]
pub struct MadeProcess {
    /// What it is called.
    pub command: Vec<u8>,
    /// Whose it is.
    pub uid: u32,
    /// When it began.
    pub began: Timestamp,
    /// Whether it may be examined.
    pub readable: bool,
    /// What it has of shared memory.
    pub uses: Vec<Use>,
    /// The object behind each file that it holds and that has no name any more.
    pub unlinked: Vec<ObjectStat>,
}

impl MadeMachine {
    /// Adds a process of ann's that began an hour ago and holds nothing.
    pub fn add_process(&self, pid: u32, command: &str) {
        self.edit(|facts| {
            let process = MadeProcess {
                command: command.into(),
                uid: 1000,
                began: Timestamp::from_seconds(facts.now - 3600),
                readable: true,
                uses: vec![],
                unlinked: vec![],
            };
            facts.processes.insert(pid, process);
        });
    }

    /// Lets a process have one more mapping of a System V segment; nattch goes up.
    pub fn attach_in(&self, pid: u32, shmid: i32, access: Access) {
        self.edit(|facts| {
            for made in facts.sysv.iter_mut().filter(|made| made.row.shmid.0 == shmid) {
                made.row.nattch += 1;
                made.row.last_pid = pid;
            }
        });
        self.hold(pid, Object::Sysv(shmid), access, mapping());
    }

    /// Lets a process have one more mapping of a POSIX object.
    pub fn map_in(&self, pid: u32, name: &str, access: Access) {
        if let Some(object) = self.object(name) {
            self.hold(pid, object, access, mapping());
        }
    }

    /// Lets a process have a POSIX object open.
    pub fn open_in(&self, pid: u32, name: &str, access: Access) {
        if let Some(object) = self.object(name) {
            self.hold(pid, object, access, Place::Descriptor(3));
        }
    }

    fn object(&self, name: &str) -> Option<Object> {
        let name = ObjectName::new(name.as_bytes())?;
        self.edit(|facts| {
            let stat = facts.posix.get(&name)?.stat;
            Some(Object::File { device: stat.device, inode: stat.inode })
        })
    }

    fn hold(&self, pid: u32, of: Object, access: Access, place: Place) {
        self.edit(|facts| {
            let stat = facts.posix.values().map(super::MadeObject::stat_now).find(|stat| {
                of == Object::File { device: stat.device, inode: stat.inode }
            });
            if let Some(process) = facts.processes.get_mut(&pid) {
                process.uses.push(Use { of, access, private: false, place, reaches: super::PAGE });
                process.unlinked.extend(stat.map(|stat| ObjectStat { links: 0, ..stat }));
            }
        });
    }
}

const fn mapping() -> Place {
    Place::Mapping { start: 0x7000_0000, end: 0x7000_0000 + super::PAGE }
}

impl Processes for MadeMachine {
    fn own_pid(&self) -> u32 {
        9_999_999
    }

    fn visibility(&self) -> Visibility {
        lock(&self.facts).visibility
    }

    fn pids(&self) -> io::Result<Vec<u32>> {
        Ok(lock(&self.facts).processes.keys().copied().collect())
    }

    fn examine(&self, pid: u32, wanted: Wanted) -> Examined {
        match lock(&self.facts).processes.get(&pid) {
            None => Examined::Gone,
            Some(process) if !process.readable => Examined::Unreadable,
            Some(process) => Examined::Uses(
                process.uses.iter().filter(|one| wanted.private || !one.private).cloned().collect(),
            ),
        }
    }

    fn devices(&self) -> Devices {
        Devices { objects: Some(OBJECTS), sysv: Some(SYSV) }
    }

    fn process(&self, pid: u32) -> Option<Process> {
        lock(&self.facts).processes.get(&pid).map(|process| Process {
            id: id(pid, process),
            command: process.command.clone().into(),
            uid: process.uid,
            gid: process.uid,
            began: process.began,
            ended: false,
        })
    }

    fn exists(&self, pid: u32) -> bool {
        lock(&self.facts).processes.contains_key(&pid)
    }

    fn inner_pids(&self) -> Vec<u32> {
        lock(&self.facts).inner_pids.clone()
    }

    fn users_of(&self, pid: u32) -> Vec<u32> {
        lock(&self.facts).processes.get(&pid).map(|process| vec![process.uid]).unwrap_or_default()
    }

    fn locks(&self) -> io::Result<Vec<FileLock>> {
        Ok(lock(&self.facts).locks.clone())
    }

    fn stat_held(&self, pid: u32, _: Place) -> io::Result<ObjectStat> {
        let facts = lock(&self.facts);
        let process = facts.processes.get(&pid).ok_or(io::ErrorKind::NotFound)?;
        process.unlinked.first().copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn terminate(&self, wanted: &ProcessId) -> io::Result<()> {
        let mut facts = lock(&self.facts);
        let same = facts.processes.get(&wanted.pid).is_some_and(|process| id(wanted.pid, process) == *wanted);
        if !same {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        facts.terminated.push(wanted.pid);
        facts.processes.remove(&wanted.pid);
        Ok(())
    }
}

fn id(pid: u32, process: &MadeProcess) -> ProcessId {
    ProcessId { pid, start: process.began.seconds.unsigned_abs() }
}
