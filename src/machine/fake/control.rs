//! Changes to the fake machine, with the kernel's permission checks.

use super::builder::FakeBuilder;
use super::{FakeBytes, FakeFacts, FakeMachine, FakeObject, FakeSysv, lock};
use crate::machine::control::{
    Capability, Control, Credentials, FileFlags, Guards, MemoryFacts, NewSysv, ObjectHandle, Pin, Removal,
    SysvPermissions, SysvStat,
};
use crate::machine::{ObjectStat, SegmentBuilder};
use crate::segment::{Bytes, Mode, ObjectName, ShmId, Timestamp};
use std::io;

fn error<T>(number: i32) -> io::Result<T> {
    Err(io::Error::from_raw_os_error(number))
}

impl FakeFacts {
    fn credentials(&self) -> Credentials {
        let uid = self.effective_uid;
        let capabilities = if uid == 0 { Credentials::ALL } else { 0 };
        Credentials { uid, gid: uid, groups: self.groups.clone(), capabilities }
    }

    fn sysv_mut(&mut self, shmid: ShmId) -> io::Result<&mut FakeSysv> {
        let found = self.sysv.iter_mut().find(|segment| segment.row.shmid == shmid);
        found.ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
    }

    /// Checks that the caller is the owner or the creator, or has the capability.
    fn check_sysv(&mut self, shmid: ShmId, capability: Capability) -> io::Result<()> {
        let caller = self.credentials();
        let row = self.sysv_mut(shmid)?.row;
        if caller.uid == row.uid || caller.uid == row.creator_uid || caller.has(capability) {
            Ok(())
        } else {
            error(libc::EPERM)
        }
    }

    /// Frees marked segments that are not attached, as the kernel does.
    pub(super) fn reap(&mut self) {
        self.sysv.retain(|segment| !segment.row.marked || segment.row.nattch > 0);
    }
}

impl Control for FakeMachine {
    fn sysv_stat(&self, shmid: ShmId) -> io::Result<SysvStat> {
        self.edit(|facts| Ok(facts.sysv_mut(shmid)?.row))
    }

    fn sysv_set(&self, shmid: ShmId, set: SysvPermissions) -> io::Result<()> {
        self.edit(|facts| {
            facts.check_sysv(shmid, Capability::SysAdmin)?;
            let now = facts.now;
            let row = &mut facts.sysv_mut(shmid)?.row;
            (row.uid, row.gid) = (set.uid, set.gid);
            row.mode = Mode::new(set.mode.bits() & 0o777);
            row.change = Some(Timestamp::from_seconds(now));
            Ok(())
        })
    }

    fn sysv_set_locked(&self, shmid: ShmId, locked: bool) -> io::Result<()> {
        self.edit(|facts| {
            facts.check_sysv(shmid, Capability::IpcLock)?;
            let limit = facts.memlock.filter(|_| !facts.credentials().has(Capability::IpcLock));
            let held: u64 = facts
                .sysv
                .iter()
                .filter(|segment| segment.row.locked)
                .map(|segment| segment.row.size.0)
                .sum();
            let row = &mut facts.sysv_mut(shmid)?.row;
            if let (true, Some(limit)) = (locked, limit) {
                if limit.0 == 0 {
                    return error(libc::EPERM);
                }
                if held + row.size.0 > limit.0 {
                    return error(libc::ENOMEM);
                }
            }
            row.locked = locked;
            Ok(())
        })
    }

    fn sysv_remove(&self, shmid: ShmId) -> io::Result<()> {
        self.edit(|facts| {
            facts.check_sysv(shmid, Capability::SysAdmin)?;
            let row = &mut facts.sysv_mut(shmid)?.row;
            row.marked = true;
            row.key.0 = 0;
            facts.reap();
            Ok(())
        })
    }

    fn sysv_pin(&self, shmid: ShmId) -> io::Result<Pin> {
        self.edit(|facts| {
            if let Some(others) = facts.before_pin.take() {
                others(facts);
            }
            Self::row_to_attach(facts, shmid)?;
            facts.sysv_mut(shmid)?.row.nattch += 1;
            Ok(Box::new(PinnedFake { machine: self.clone(), shmid }) as Pin)
        })
    }

    fn sysv_create(&self, new: &NewSysv) -> io::Result<ShmId> {
        let taken = |facts: &FakeFacts| facts.sysv.iter().any(|segment| segment.row.key == new.key);
        if new.size.0 == 0 {
            return error(libc::EINVAL);
        }
        if self.edit(|facts| !new.key.is_private() && taken(facts)) {
            return error(libc::EEXIST);
        }
        let shmid = self
            .edit(|facts| facts.sysv.iter().map(|segment| segment.row.shmid.0).max().map_or(0, |id| id + 1));
        let place = self.add_sysv(shmid, new.key.0, FakeBytes::hole(new.size.0));
        self.edit(|facts| {
            let (caller, now) = (facts.credentials(), facts.now);
            let row = &mut facts.sysv[place].row;
            row.mode = Mode::new(new.mode.bits() & 0o777);
            (row.uid, row.gid, row.creator_uid, row.creator_gid) =
                (caller.uid, caller.gid, caller.uid, caller.gid);
            row.change = Some(Timestamp::from_seconds(now));
        });
        Ok(ShmId(shmid))
    }

    fn open_handle(&self, name: &ObjectName) -> io::Result<Box<dyn ObjectHandle>> {
        self.edit(|facts| {
            let object = facts.posix.get(name).ok_or(io::ErrorKind::NotFound)?.clone();
            Ok(Box::new(FakeHandle { machine: self.clone(), name: name.clone(), object })
                as Box<dyn ObjectHandle>)
        })
    }

    fn guards(&self, name: &ObjectName) -> io::Result<Guards> {
        let facts = lock(&self.facts);
        if !facts.posix.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(facts.guards.unwrap_or(Guards {
            read_only: false,
            flags: FileFlags::default(),
            links: 1,
            directory_uid: 0,
            directory_mode: Mode::new(0o1777),
            directory_flags: FileFlags::default(),
            writable: true,
        }))
    }

    fn unlink(
        &self,
        name: &ObjectName,
        held: &dyn ObjectHandle,
        may_unlink: &dyn Fn(&ObjectName) -> bool,
    ) -> io::Result<Removal> {
        let inode = held.stat()?.inode;
        if !may_unlink(name) {
            return Ok(Removal::Refused);
        }
        self.edit(|facts| {
            let caller = facts.credentials();
            let Some(object) = facts.posix.get(name) else { return Ok(Removal::Gone) };
            if object.stat.inode != inode {
                return Ok(Removal::Another);
            }
            // The directory is sticky.
            if caller.uid != object.stat.uid && !caller.has(Capability::Fowner) {
                return error(libc::EPERM);
            }
            facts.remove(name);
            Ok(Removal::Removed)
        })
    }

    fn name_before(&self, temporary: &ObjectName) -> Option<ObjectName> {
        crate::machine::real::control::name_before(temporary)
    }

    fn rename_to_free(&self, from: &ObjectName, to: &ObjectName) -> io::Result<()> {
        self.edit(|facts| {
            if facts.posix.contains_key(to) {
                return error(libc::EEXIST);
            }
            let object = facts.posix.remove(from).ok_or(io::ErrorKind::NotFound)?;
            facts.posix.insert(to.clone(), object);
            Ok(())
        })
    }

    fn remove_directory(&self, _: &ObjectName) -> io::Result<()> {
        error(libc::ENOENT)
    }

    fn build_object(&self, name: &ObjectName, size: u64) -> io::Result<Box<dyn SegmentBuilder>> {
        let bytes = FakeBytes::hole(size);
        Ok(Box::new(FakeBuilder { machine: self.clone(), name: Ok(name.clone()), bytes }))
    }

    fn check_new_object(&self, _: &ObjectName) -> io::Result<()> {
        Ok(())
    }

    fn memory(&self) -> MemoryFacts {
        MemoryFacts::default()
    }

    fn build_sysv(&self, new: &NewSysv) -> io::Result<Box<dyn SegmentBuilder>> {
        let bytes = FakeBytes::hole(new.size.0);
        let builder = FakeBuilder { machine: self.clone(), name: Err(new.key), bytes };
        if builder.is_taken() { error(libc::EEXIST) } else { Ok(Box::new(builder)) }
    }

    fn id_scope(&self) -> String {
        "made here".to_owned()
    }

    fn credentials(&self) -> Credentials {
        lock(&self.facts).credentials()
    }

    fn process_credentials(&self, pid: u32) -> Option<Credentials> {
        // Only segments have creators.
        let facts = lock(&self.facts);
        let row = facts.sysv.iter().map(|segment| segment.row).find(|row| row.creator_pid == pid)?;
        Some(Credentials { uid: row.creator_uid, gid: row.creator_gid, ..Credentials::default() })
    }

    fn user_credentials(&self, uid: u32) -> Credentials {
        let capabilities = if uid == 0 { Credentials::ALL } else { 0 };
        Credentials { uid, gid: uid, groups: vec![], capabilities }
    }

    fn user_by_name(&self, name: &str) -> Option<(u32, u32)> {
        let facts = lock(&self.facts);
        facts.users.iter().find(|(_, user)| *user == name).map(|(&uid, _)| (uid, uid))
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        self.user_by_name(name).map(|(_, gid)| gid)
    }

    fn memlock_limit(&self) -> Option<Bytes> {
        lock(&self.facts).memlock
    }
}

struct PinnedFake {
    machine: FakeMachine,
    shmid: ShmId,
}

impl Drop for PinnedFake {
    fn drop(&mut self) {
        self.machine.edit(|facts| {
            if let Ok(segment) = facts.sysv_mut(self.shmid) {
                segment.row.nattch = segment.row.nattch.saturating_sub(1);
            }
            facts.reap();
        });
    }
}

/// A handle on an object. Changes apply to the object of that name if it is still the same one.
struct FakeHandle {
    machine: FakeMachine,
    name: ObjectName,
    object: FakeObject,
}

impl FakeHandle {
    fn change<T>(
        &self,
        change: impl FnOnce(&Credentials, &mut FakeObject) -> io::Result<T>,
    ) -> io::Result<T> {
        self.machine.edit(|facts| {
            let (caller, inode, now) = (facts.credentials(), self.object.stat.inode, facts.now);
            let mut own = self.object.clone();
            let object = match facts.posix.get_mut(&self.name) {
                Some(object) if object.stat.inode == inode => object,
                _ => &mut own,
            };
            if caller.uid != object.stat.uid && !caller.has(Capability::Fowner) {
                return error(libc::EPERM);
            }
            object.stat.change = Timestamp::from_seconds(now);
            change(&caller, object)
        })
    }
}

impl ObjectHandle for FakeHandle {
    fn stat(&self) -> io::Result<ObjectStat> {
        let links = u32::from(!lock(&self.object.bytes).removed);
        self.machine.edit(|facts| {
            let same = |object: &&FakeObject| object.stat.inode == self.object.stat.inode;
            let object = facts.posix.get(&self.name).filter(same).unwrap_or(&self.object);
            Ok(ObjectStat { links, ..object.stat_now() })
        })
    }

    fn set_mode(&self, mode: Mode) -> io::Result<()> {
        self.change(|_, object| {
            object.stat.mode = object.stat.mode & !0o7777 | mode.bits();
            Ok(())
        })
    }

    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        self.change(|caller, object| {
            let changes_owner = uid.is_some_and(|uid| uid != object.stat.uid);
            let foreign = gid.is_some_and(|gid| gid != object.stat.gid && !caller.is_in(gid));
            if (changes_owner || foreign) && !caller.has(Capability::Chown) {
                return error(libc::EPERM);
            }
            object.stat.uid = uid.unwrap_or(object.stat.uid);
            object.stat.gid = gid.unwrap_or(object.stat.gid);
            Ok(())
        })
    }

    fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        self.machine.edit(|facts| Ok(facts.posix.get(&self.name).and_then(|object| object.acl.clone())))
    }

    fn set_acl(&self, list: &[u8]) -> io::Result<()> {
        self.change(|_, object| {
            object.acl = Some(list.to_vec());
            Ok(())
        })
    }
}
