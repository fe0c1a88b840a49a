//! A machine in memory, for tests.
//!
//! Tests change it between surveys with [`FakeMachine::edit`]: bytes, sizes, names, permissions,
//! the clock.

mod builder;
mod bytes;
mod contents;
mod control;
mod image;
mod process;
mod watch;

pub use bytes::FakeBytes;
pub use image::FakeImage;
pub use process::{FakeProcess, OBJECT_DEVICE};
pub use watch::{FakeWatches, FakeWrite};

use super::control::{Guards, SysvStat};
use super::process::{FileLock, Visibility};
use super::sysv_table::{LOCKED, MARKED};
use super::{Contents, DevShm, LimitFacts, Machine, Method, ObjectListing, ObjectStat, TraceReason};
use crate::segment::{Bytes, Holder, Identity, Key, Mode, ObjectName, ShmId, Timestamp};
use contents::{OpenFakeObject, OpenFakeSysv};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub const PAGE: u64 = 4096;

/// A machine made of plain data. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct FakeMachine {
    facts: Arc<Mutex<FakeFacts>>,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent condition for tests")]
pub struct FakeFacts {
    /// System V segments, in table order.
    pub sysv: Vec<FakeSysv>,
    pub posix: BTreeMap<ObjectName, FakeObject>,
    /// Names in `/dev/shm` that do not belong to regular files.
    pub others: Vec<ObjectName>,
    /// Mount points below `/dev/shm`.
    pub mounts: Vec<ObjectName>,
    /// Extra lines in the System V table, for tests of lines that do not parse.
    pub stray_lines: Vec<String>,
    pub users: BTreeMap<u32, String>,
    pub effective_uid: u32,
    pub groups: Vec<u32>,
    /// The limit on locked memory (`RLIMIT_MEMLOCK`).
    pub memlock: Option<Bytes>,
    pub now: i64,
    pub limits: LimitFacts,
    pub shmem: Option<Bytes>,
    /// Set if root may read System V segments through their holders (`/proc/PID/map_files`). Not
    /// set for root of a user namespace.
    pub map_files: bool,
    /// Attaches so far.
    pub attached: u32,
    /// Processes, by pid.
    pub processes: BTreeMap<u32, FakeProcess>,
    pub visibility: Visibility,
    /// Set to make listing the processes fail.
    pub blind: bool,
    /// Set if every object is held by a descriptor in transit through a socket.
    pub in_transit: bool,
    /// Set to make reading the lock table fail.
    pub lockless: bool,
    /// Processes that may not be examined and whose user is unknown.
    pub nameless: Vec<u32>,
    /// Processes that `/proc` hides.
    pub hidden: Vec<u32>,
    /// Seconds since boot.
    pub uptime: i64,
    /// Seconds by which the clock was set forward since boot.
    pub clock_forward: f64,
    /// Ordinary users without a session.
    pub logged_out: BTreeSet<u32>,
    pub locks: Vec<FileLock>,
    /// The number of times that opening an object broke a lease.
    pub broken_leases: u32,
    /// Pids in nested namespaces.
    pub inner_pids: Vec<u32>,
    /// The parents of processes that have one.
    pub parents: BTreeMap<u32, u32>,
    /// Objects that a process has ever held, by device and inode, with their names at the time.
    held: BTreeMap<(u64, u64), (ObjectName, FakeObject)>,
    /// Processes that received SIGTERM.
    pub terminated: Vec<u32>,
    /// The guards of all objects; `None` for a sticky directory owned by root.
    pub guards: Option<Guards>,
    /// Runs just before a System V segment is pinned, once.
    pub before_pin: Option<fn(&mut Self)>,
    /// Runs just before the table of System V segments is read, once.
    pub before_table: Option<fn(&mut Self)>,
    pub watches: FakeWatches,
    next_inode: u64,
}

#[derive(Debug, Clone)]
pub struct FakeSysv {
    /// The row in the table. A nonempty `bytes` overrides the sizes.
    pub row: SysvStat,
    pub bytes: FakeBytes,
}

#[derive(Debug, Clone)]
pub struct FakeObject {
    /// `bytes` overrides its sizes.
    pub stat: ObjectStat,
    /// Shared with open handles, so that the bytes outlive the name.
    pub bytes: Arc<Mutex<FakeBytes>>,
    pub acl: Option<Vec<u8>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FakeMachine {
    /// Returns a machine with the users root and ann and no segments, at the time 1 767 610 860
    /// (2026-01-05T11:01:00Z).
    pub fn new() -> Self {
        let machine = Self::default();
        machine.edit(|facts| {
            facts.users =
                [(0, "root"), (1000, "ann"), (1001, "bob")].map(|(id, name)| (id, name.to_owned())).into();
            facts.now = 1_767_610_860;
            facts.uptime = 86_400;
            facts.next_inode = 2;
            facts.limits = LimitFacts {
                shmmni: Some(4096),
                shmmax: Some(18_446_744_073_692_774_399),
                shmall: Some(18_446_744_073_692_774_399),
                page_size: PAGE,
                dev_shm: Some(DevShm { size: Bytes(12 << 30), used: Bytes(0), inodes: 0, inodes_used: 0 }),
                remove_ipc: None,
            };
        });
        machine
    }

    pub fn edit<T>(&self, change: impl FnOnce(&mut FakeFacts) -> T) -> T {
        change(&mut lock(&self.facts))
    }

    /// Adds a System V segment that ann created an hour ago, mode 0600, and returns its index in
    /// [`FakeFacts::sysv`].
    pub fn add_sysv(&self, shmid: i32, key: u32, bytes: FakeBytes) -> usize {
        self.edit(|facts| {
            let row = SysvStat {
                key: Key(key),
                shmid: ShmId(shmid),
                mode: Mode::new(0o600),
                locked: false,
                marked: false,
                size: Bytes(bytes.size),
                creator_pid: 4121,
                last_pid: 4121,
                nattch: 0,
                uid: 1000,
                gid: 1000,
                creator_uid: 1000,
                creator_gid: 1000,
                attach: None,
                detach: None,
                change: Some(Timestamp::from_seconds(facts.now - 3600)),
                resident: Some(bytes.allocated()),
                swapped: Some(Bytes(0)),
            };
            facts.sysv.push(FakeSysv { row, bytes });
            facts.sysv.len() - 1
        })
    }

    /// Adds a POSIX object that ann created three minutes ago, mode 0600. Replaces an object of the
    /// same name, which stays open in its holders.
    ///
    /// # Panics
    /// If the name is invalid.
    pub fn add_object(&self, name: &str, bytes: FakeBytes) {
        #[expect(clippy::expect_used, reason = "tests only, and documented")]
        let name = ObjectName::new(name.as_bytes()).expect("a name that an object can have");
        self.add_named(name, bytes);
    }

    fn add_named(&self, name: ObjectName, bytes: FakeBytes) {
        self.edit(|facts| {
            let created = Timestamp::from_seconds(facts.now - 180);
            let stat = ObjectStat {
                device: 26,
                inode: facts.next_inode,
                links: 1,
                mode: 0o100_600,
                uid: 1000,
                gid: 1000,
                size: Bytes(bytes.size),
                allocated: bytes.allocated(),
                access: created,
                modify: created,
                change: created,
                birth: Some(created),
            };
            facts.next_inode += 1;
            facts.remove(&name);
            facts.posix.insert(name, FakeObject { stat, bytes: Arc::new(Mutex::new(bytes)), acl: None });
        });
    }

    /// Changes the bytes of a POSIX object.
    pub fn edit_object(&self, name: &str, change: impl FnOnce(&mut FakeBytes)) {
        let bytes = ObjectName::new(name.as_bytes()).and_then(|name| {
            self.edit(|facts| facts.posix.get(&name).map(|object| Arc::clone(&object.bytes)))
        });
        if let Some(bytes) = bytes {
            change(&mut lock(&bytes));
        }
    }

    pub fn remove_object(&self, name: &str) {
        if let Some(name) = ObjectName::new(name.as_bytes()) {
            self.edit(|facts| facts.remove(&name));
        }
    }

    fn row_to_attach(facts: &FakeFacts, shmid: ShmId) -> io::Result<SysvStat> {
        let row = facts.sysv.iter().find(|segment| segment.row.shmid == shmid).map(|segment| segment.row);
        let row = row.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
        if Self::may_read(facts, row.uid, row.mode.bits()) {
            Ok(row)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }

    fn may_read(facts: &FakeFacts, uid: u32, mode: u32) -> bool {
        let caller = facts.effective_uid;
        caller == 0 || (caller == uid && mode & 0o400 != 0) || (caller != uid && mode & 0o004 != 0)
    }
}

impl FakeFacts {
    fn remove(&mut self, name: &ObjectName) {
        if let Some(object) = self.posix.remove(name) {
            lock(&object.bytes).removed = true;
        }
    }
}

impl FakeObject {
    fn stat_now(&self) -> ObjectStat {
        let bytes = lock(&self.bytes);
        ObjectStat { size: Bytes(bytes.size), allocated: bytes.allocated(), ..self.stat }
    }
}

impl Machine for FakeMachine {
    fn sysv_table(&self) -> io::Result<Vec<u8>> {
        let mut facts = lock(&self.facts);
        if let Some(others) = facts.before_table.take() {
            others(&mut facts);
        }
        let mut text =
            "key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n".to_owned();
        for FakeSysv { row, .. } in &facts.sysv {
            let time = |time: Option<Timestamp>| time.map_or(0, |time| time.seconds);
            let bytes = |bytes: Option<Bytes>| bytes.map_or(0, |bytes| bytes.0);
            let _ = writeln!(
                text,
                "{} {} {:o} {} {} {} {} {} {} {} {} {} {} {} {} {}",
                row.key.0.cast_signed(),
                row.shmid,
                row.mode.bits() | if row.marked { MARKED } else { 0 } | if row.locked { LOCKED } else { 0 },
                row.size.0,
                row.creator_pid,
                row.last_pid,
                row.nattch,
                row.uid,
                row.gid,
                row.creator_uid,
                row.creator_gid,
                time(row.attach),
                time(row.detach),
                time(row.change),
                bytes(row.resident),
                bytes(row.swapped),
            );
        }
        for line in &facts.stray_lines {
            let _ = writeln!(text, "{line}");
        }
        Ok(text.into_bytes())
    }

    fn list_objects(&self) -> io::Result<ObjectListing> {
        let facts = lock(&self.facts);
        Ok(ObjectListing {
            directories: 1,
            objects: facts.posix.iter().map(|(name, object)| (name.clone(), object.stat_now())).collect(),
            others: facts.others.clone(),
            mounts: facts.mounts.clone(),
            unreadable: vec![],
        })
    }

    fn stat_object(&self, name: &ObjectName) -> io::Result<ObjectStat> {
        let facts = lock(&self.facts);
        facts.posix.get(name).map(FakeObject::stat_now).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn shmem(&self) -> Option<Bytes> {
        self.edit(|facts| facts.shmem)
    }

    fn limits(&self) -> LimitFacts {
        lock(&self.facts).limits
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        lock(&self.facts).users.get(&uid).cloned()
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        self.user_name(gid)
    }

    fn effective_uid(&self) -> u32 {
        lock(&self.facts).effective_uid
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(lock(&self.facts).now)
    }

    fn monotonic_time(&self) -> std::time::Duration {
        self.now().since_epoch()
    }

    fn open_object(&self, name: &ObjectName) -> io::Result<Box<dyn Contents>> {
        let mut facts = lock(&self.facts);
        let object = facts.posix.get(name).ok_or(io::ErrorKind::NotFound)?;
        if !Self::may_read(&facts, object.stat.uid, object.stat.mode) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let file = (object.stat.device, object.stat.inode);
        if facts.locks.iter().any(|lock| lock.write_lease && (lock.device, lock.inode) == file) {
            facts.broken_leases += 1;
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        let is_owner = facts.effective_uid == 0 || facts.effective_uid == object.stat.uid;
        Ok(Box::new(OpenFakeObject {
            identity: object.stat.identity(),
            bytes: Arc::clone(&object.bytes),
            method: Method::Name { keeps_access_time: is_owner },
        }))
    }

    fn is_open_elsewhere(&self, name: &ObjectName, identity: &Identity) -> io::Result<bool> {
        lock(&self.facts).is_open_elsewhere(name, identity)
    }

    fn removes_at_logout(&self, uid: u32) -> Option<bool> {
        let facts = lock(&self.facts);
        Some(facts.limits.remove_ipc? && facts.logged_out.contains(&uid))
    }

    fn open_unlinked(&self, device: u64, inode: u64, holders: &[Holder]) -> io::Result<Box<dyn Contents>> {
        lock(&self.facts).open_unlinked(device, inode, holders)
    }

    fn may_attach(&self, shmid: ShmId) -> io::Result<()> {
        Self::row_to_attach(&lock(&self.facts), shmid).map(drop)
    }

    fn open_attached(
        &self,
        shmid: ShmId,
        holders: &[Holder],
        scan: bool,
    ) -> Result<Box<dyn Contents>, TraceReason> {
        let facts = lock(&self.facts);
        let pid = facts.reader_of(shmid, holders, scan)?;
        let row = facts.sysv.iter().find(|segment| segment.row.shmid == shmid).map(|segment| segment.row);
        let row = row.ok_or(TraceReason::NoHolder)?;
        let method = Method::Holder { pid, keeps_access_time: true };
        Ok(Box::new(OpenFakeSysv { machine: self.clone(), row, method }))
    }

    fn attach(&self, shmid: ShmId) -> io::Result<Box<dyn Contents>> {
        let mut facts = lock(&self.facts);
        let row = Self::row_to_attach(&facts, shmid)?;
        facts.attached += 1;
        for segment in facts.sysv.iter_mut().filter(|segment| segment.row.shmid == shmid) {
            segment.row.nattch += 1;
        }
        Ok(Box::new(OpenFakeSysv { machine: self.clone(), row, method: Method::Attach }))
    }
}
