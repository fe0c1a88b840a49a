//! The processes of the fake machine.

use super::contents::OpenFakeObject;
use super::{FakeFacts, FakeImage, FakeMachine, FakeObject, PAGE, lock};
use crate::machine::process::{
    Claim, Clock, CommandLine, Examination, FileLock, ListedProcess, Object, Process, ProcessId, Processes,
    ScanOptions, SegmentDevices, Use, Visibility,
};
use crate::machine::{Contents, Method, ObjectStat, TraceReason};
use crate::segment::{Access, Holder, Identity, ObjectName, Place, ShmId, Timestamp};
use std::io;
use std::sync::Arc;

/// The device of `/dev/shm`.
pub const OBJECT_DEVICE: u64 = 26;
const SYSV_DEVICE: u64 = 1;

#[derive(Debug, Clone)]
pub struct FakeProcess {
    pub command: Vec<u8>,
    pub uid: u32,
    pub started: Timestamp,
    /// Set for a zombie.
    pub ended: bool,
    pub readable: bool,
    pub uses: Vec<Use>,
    pub image: FakeImage,
}

impl FakeMachine {
    /// Adds a process of ann that started an hour ago and holds nothing.
    pub fn add_process(&self, pid: u32, command: &str) {
        self.edit(|facts| {
            let process = FakeProcess {
                command: command.into(),
                uid: 1000,
                started: Timestamp::from_seconds(facts.now - 3600),
                ended: false,
                readable: true,
                uses: vec![],
                image: FakeImage::default(),
            };
            facts.processes.insert(pid, process);
        });
    }

    /// Attaches a System V segment in a process.
    pub fn attach_in(&self, pid: u32, shmid: i32, access: Access) {
        self.edit(|facts| {
            for segment in facts.sysv.iter_mut().filter(|segment| segment.row.shmid.0 == shmid) {
                segment.row.nattch += 1;
                segment.row.last_pid = pid;
            }
        });
        self.hold(pid, Object::Sysv(shmid), access, true);
    }

    /// Maps a POSIX object in a process.
    pub fn map_in(&self, pid: u32, name: &str, access: Access) {
        if let Some(object) = self.object(name) {
            self.hold(pid, object, access, true);
        }
    }

    /// Opens a POSIX object in a process.
    pub fn open_in(&self, pid: u32, name: &str, access: Access) {
        if let Some(object) = self.object(name) {
            self.hold(pid, object, access, false);
        }
    }

    /// Ends a process and detaches its System V segments.
    pub fn end_process(&self, pid: u32) {
        self.edit(|facts| facts.end(pid));
    }

    /// Returns the object, which may outlive its name.
    fn object(&self, name: &str) -> Option<Object> {
        let name = ObjectName::new(name.as_bytes())?;
        self.edit(|facts| {
            let object = facts.posix.get(&name)?.clone();
            let (device, inode) = (object.stat.device, object.stat.inode);
            facts.held.insert((device, inode), (name, object));
            Some(Object::File { device, inode })
        })
    }

    fn hold(&self, pid: u32, of: Object, access: Access, mapped: bool) {
        self.edit(|facts| {
            let FakeFacts { processes, sysv, .. } = facts;
            let Some(process) = processes.get_mut(&pid) else { return };
            let count = process.uses.len() as u64;
            let start = 0x7000_0000 + count * PAGE;
            let place = if mapped {
                Place::Mapping { start, end: start + PAGE }
            } else {
                Place::Descriptor(i32::try_from(count).unwrap_or(i32::MAX))
            };
            let claim = match of {
                Object::Sysv(shmid) => sysv
                    .iter()
                    .find(|segment| segment.row.shmid.0 == shmid)
                    .map(|segment| Claim { key: segment.row.key.0, normal_pages: true, here: true }),
                Object::File { .. } => None,
            };
            process.uses.push(Use { of, access, private: false, place, reaches: PAGE, claim });
        });
    }
}

impl FakeFacts {
    /// Returns the object that a process holds at a place, and its name.
    fn held_at(&self, pid: u32, place: Place) -> io::Result<(&ObjectName, &FakeObject)> {
        let process = self.processes.get(&pid).ok_or(io::ErrorKind::NotFound)?;
        let found = process.uses.iter().find(|one| one.place == place).ok_or(io::ErrorKind::NotFound)?;
        let Object::File { device, inode } = found.of else { return Err(io::ErrorKind::NotFound.into()) };
        let (name, object) = self.held.get(&(device, inode)).ok_or(io::ErrorKind::NotFound)?;
        Ok((name, object))
    }

    fn end(&mut self, pid: u32) {
        for one in self.processes.remove(&pid).into_iter().flat_map(|process| process.uses) {
            if let (Object::Sysv(shmid), Place::Mapping { .. }) = (one.of, one.place) {
                for segment in self.sysv.iter_mut().filter(|segment| segment.row.shmid.0 == shmid) {
                    segment.row.nattch = segment.row.nattch.saturating_sub(1);
                }
            }
        }
    }

    /// Counts processes that cannot be examined, too.
    pub(super) fn is_open_elsewhere(&self, name: &ObjectName, identity: &Identity) -> io::Result<bool> {
        let object = self.posix.get(name).ok_or(io::ErrorKind::NotFound)?;
        if !identity.matches(&object.stat.identity()) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if self.effective_uid != 0 && self.effective_uid != object.stat.uid {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if self.in_transit {
            return Ok(true);
        }
        let of = Object::File { device: object.stat.device, inode: object.stat.inode };
        Ok(self.processes.values().any(|process| process.uses.iter().any(|one| one.of == of)))
    }

    /// Opens an object through one of its holders.
    pub(super) fn open_unlinked(
        &self,
        device: u64,
        inode: u64,
        holders: &[Holder],
    ) -> io::Result<Box<dyn Contents>> {
        let of = Object::File { device, inode };
        let pid =
            self.holder_of(of, holders.iter().map(|holder| holder.pid)).ok_or(io::ErrorKind::NotFound)?;
        let (_, object) = self.held.get(&(device, inode)).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(OpenFakeObject {
            identity: object.stat.identity(),
            bytes: Arc::clone(&object.bytes),
            method: Method::Holder { pid, keeps_access_time: true },
        }))
    }
}

impl FakeFacts {
    /// Returns the first of these processes that holds an object.
    fn holder_of(&self, of: Object, pids: impl IntoIterator<Item = u32>) -> Option<u32> {
        let holds = |pid: &u32| {
            let process = self.processes.get(pid).filter(|process| process.readable);
            process.is_some_and(|process| process.uses.iter().any(|one| one.of == of))
        };
        pids.into_iter().find(holds)
    }

    /// Returns the process through which a System V segment can be read.
    pub(super) fn reader_of(&self, shmid: ShmId, holders: &[Holder], scan: bool) -> Result<u32, TraceReason> {
        let row = self.sysv.iter().find(|segment| segment.row.shmid == shmid).map(|segment| segment.row);
        if row.is_none_or(|row| row.nattch == 0) {
            return Err(TraceReason::NoHolder);
        }
        if self.effective_uid != 0 || !self.map_files {
            return Err(TraceReason::NotPrivileged);
        }
        let all = self.processes.keys().copied().filter(|_| scan);
        let pids = holders.iter().map(|holder| holder.pid).chain(all);
        self.holder_of(Object::Sysv(shmid.0), pids).ok_or(TraceReason::Unreachable)
    }
}

impl Processes for FakeMachine {
    fn own_pid(&self) -> u32 {
        9_999_999
    }

    fn visibility(&self) -> Visibility {
        lock(&self.facts).visibility
    }

    fn clock(&self) -> Clock {
        let facts = lock(&self.facts);
        let at = Timestamp::from_seconds;
        Clock { now: at(facts.now), boot: at(facts.now - facts.uptime), forward: facts.clock_forward }
    }

    fn list_processes(&self) -> io::Result<Vec<ListedProcess>> {
        let facts = lock(&self.facts);
        if facts.blind {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let listed = facts
            .processes
            .iter()
            .map(|(&pid, process)| ListedProcess { pid, serial: id(pid, process).start });
        Ok(listed.collect())
    }

    /// `None`: tests add processes with any pid.
    fn newest_pid(&self) -> Option<u32> {
        None
    }

    fn examine(&self, pid: u32, wanted: &ScanOptions) -> Examination {
        let Some(process) = self.process(pid) else { return Examination::Gone };
        let facts = lock(&self.facts);
        let Some(fake) = facts.processes.get(&pid) else { return Examination::Gone };
        if !fake.readable {
            let nameless = facts.nameless.contains(&pid);
            return Examination::Unreadable(if nameless { vec![] } else { vec![fake.uid] });
        }
        let uses: Vec<Use> = fake.uses.iter().filter(|one| wanted.private || !one.private).cloned().collect();
        if uses.is_empty() { Examination::Nothing } else { Examination::Found(process, uses) }
    }

    /// `None`: tests change what a process holds without running it.
    fn cpu_time(&self, _: u32) -> Option<u64> {
        None
    }

    fn segment_devices(&self) -> io::Result<SegmentDevices> {
        Ok(SegmentDevices { objects: Some(OBJECT_DEVICE), sysv: vec![SYSV_DEVICE], namespace: Some(1) })
    }

    fn process(&self, pid: u32) -> Option<Process> {
        lock(&self.facts).processes.get(&pid).map(|process| Process {
            id: id(pid, process),
            command: process.command.clone().into(),
            uid: process.uid,
            gid: process.uid,
            started: process.started,
            ended: process.ended,
        })
    }

    fn process_exists(&self, pid: u32) -> bool {
        let facts = lock(&self.facts);
        facts.processes.contains_key(&pid) || facts.hidden.contains(&pid)
    }

    fn inner_pids(&self) -> Vec<u32> {
        lock(&self.facts).inner_pids.clone()
    }

    fn command_lines(&self) -> Vec<CommandLine> {
        let facts = lock(&self.facts);
        let line = |(pid, process): (&u32, &FakeProcess)| CommandLine {
            pid: *pid,
            uid: process.uid,
            command: process.command.clone(),
            arguments: vec![process.command.clone()],
        };
        facts.processes.iter().map(line).collect()
    }

    fn children(&self, pid: u32) -> Vec<u32> {
        let facts = lock(&self.facts);
        facts.parents.iter().filter(|(_, parent)| **parent == pid).map(|(child, _)| *child).collect()
    }

    fn locks(&self) -> io::Result<Vec<FileLock>> {
        let facts = lock(&self.facts);
        if facts.lockless {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(facts.locks.clone())
    }

    fn stat_held(&self, pid: u32, place: Place) -> io::Result<ObjectStat> {
        let facts = lock(&self.facts);
        let (_, object) = facts.held_at(pid, place)?;
        let removed = lock(&object.bytes).removed;
        Ok(ObjectStat { links: u32::from(!removed), ..object.stat_now() })
    }

    fn name_held(&self, pid: u32, place: Place) -> io::Result<Vec<u8>> {
        let facts = lock(&self.facts);
        let (name, object) = facts.held_at(pid, place)?;
        let removed: &[u8] = if lock(&object.bytes).removed { b" (deleted)" } else { b"" };
        Ok([b"/dev/shm/", name.as_bytes(), removed].concat())
    }

    fn terminate(&self, wanted: &ProcessId) -> io::Result<()> {
        let mut facts = lock(&self.facts);
        let same = facts.processes.get(&wanted.pid).is_some_and(|process| id(wanted.pid, process) == *wanted);
        if !same {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        let caller = facts.effective_uid;
        if caller != 0 && facts.processes.get(&wanted.pid).is_some_and(|process| process.uid != caller) {
            return Err(io::Error::from_raw_os_error(libc::EPERM));
        }
        facts.terminated.push(wanted.pid);
        facts.end(wanted.pid);
        Ok(())
    }
}

fn id(pid: u32, process: &FakeProcess) -> ProcessId {
    ProcessId { pid, start: process.started.seconds.unsigned_abs() }
}
