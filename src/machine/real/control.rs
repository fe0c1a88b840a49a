//! Changes segments of the local machine.

use super::builder::{ObjectBuilder, SysvBuilder, create_sysv};
use super::sysv::note_use;
use super::{DEV_SHM, RealMachine, memory, object_stat, sysv_stat};
use crate::machine::control::{
    Control, Credentials, FileFlags, Guards, MemoryFacts, NewSysv, ObjectHandle, Pin, Removal,
    SysvPermissions, SysvStat,
};
use crate::machine::{ObjectStat, SegmentBuilder, real::credentials};
use crate::segment::{Bytes, Mode, ObjectName, ShmId};
use crate::sys::{self, handle, object, shm, unlink};
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::{Group, User};
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

impl Control for RealMachine {
    fn sysv_stat(&self, shmid: ShmId) -> io::Result<SysvStat> {
        shm::stat_any(shmid.0).map(|stat| sysv_stat(&stat))
    }

    fn sysv_set(&self, shmid: ShmId, set: SysvPermissions) -> io::Result<()> {
        shm::set(shmid.0, set.uid, set.gid, set.mode.bits())
    }

    fn sysv_set_locked(&self, shmid: ShmId, locked: bool) -> io::Result<()> {
        shm::set_locked(shmid.0, locked)
    }

    fn sysv_remove(&self, shmid: ShmId) -> io::Result<()> {
        shm::remove(shmid.0)
    }

    fn sysv_pin(&self, shmid: ShmId) -> io::Result<Pin> {
        note_use(shmid);
        Ok(Box::new(shm::Attachment::pin(shmid.0)?))
    }

    fn sysv_create(&self, new: &NewSysv) -> io::Result<ShmId> {
        create_sysv(new, new.mode)
    }

    fn open_handle(&self, name: &ObjectName) -> io::Result<Box<dyn ObjectHandle>> {
        let file = object::open_handle(Path::new(DEV_SHM), name.as_path())?;
        Ok(Box::new(FileHandle { file }))
    }

    fn guards(&self, name: &ObjectName) -> io::Result<Guards> {
        let found = object::in_directory(Path::new(DEV_SHM), name.as_path())?;
        let flags =
            |stat: &sys::FileStat| FileFlags { immutable: stat.immutable, append_only: stat.append_only };
        Ok(Guards {
            read_only: found.read_only,
            flags: flags(&found.file),
            links: found.file.links,
            directory_uid: found.directory.uid,
            directory_mode: Mode::new(found.directory.mode),
            directory_flags: flags(&found.directory),
            writable: found.writable,
        })
    }

    fn unlink(
        &self,
        name: &ObjectName,
        held: &dyn ObjectHandle,
        may_unlink: &dyn Fn(&ObjectName) -> bool,
    ) -> io::Result<Removal> {
        let stat = held.stat()?;
        let may_unlink = |temporary: &Path| {
            ObjectName::new(temporary.as_os_str().as_bytes()).is_some_and(|temporary| may_unlink(&temporary))
        };
        let root = Path::new(DEV_SHM);
        let removal = unlink::unlink_if(root, name.as_path(), stat.device, stat.inode, &may_unlink)?;
        Ok(match removal {
            unlink::Removal::Removed => Removal::Removed,
            unlink::Removal::Gone => Removal::Gone,
            unlink::Removal::Another => Removal::Another,
            unlink::Removal::Refused => Removal::Refused,
            unlink::Removal::NotRestored(path) => Removal::NotRestored(
                ObjectName::new(path.as_os_str().as_bytes())
                    .ok_or_else(|| io::Error::other("the object was renamed to an invalid name"))?,
            ),
        })
    }

    fn name_before(&self, temporary: &ObjectName) -> Option<ObjectName> {
        name_before(temporary)
    }

    fn rename_to_free(&self, from: &ObjectName, to: &ObjectName) -> io::Result<()> {
        unlink::rename_below(Path::new(DEV_SHM), from.as_path(), to.as_path())
    }

    fn remove_directory(&self, name: &ObjectName) -> io::Result<()> {
        unlink::remove_directory_below(Path::new(DEV_SHM), name.as_path())
    }

    fn build_object(&self, name: &ObjectName, size: u64) -> io::Result<Box<dyn SegmentBuilder>> {
        Ok(Box::new(ObjectBuilder::begin(name, size)?))
    }

    fn check_new_object(&self, name: &ObjectName) -> io::Result<()> {
        object::check_new_name(Path::new(DEV_SHM), name.as_path())
    }

    fn memory(&self) -> MemoryFacts {
        memory::facts()
    }

    fn build_sysv(&self, new: &NewSysv) -> io::Result<Box<dyn SegmentBuilder>> {
        Ok(Box::new(SysvBuilder::begin(new)?))
    }

    fn id_scope(&self) -> String {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let namespace = |name: &str| {
            let link = fs::read_link(format!("/proc/thread-self/ns/{name}")).unwrap_or_default();
            link.to_string_lossy().into_owned()
        };
        format!("{} {} {}", boot.trim(), namespace("ipc"), namespace("pid"))
    }

    fn credentials(&self) -> Credentials {
        credentials::own()
    }

    fn process_credentials(&self, pid: u32) -> Option<Credentials> {
        credentials::process(pid)
    }

    fn user_credentials(&self, uid: u32) -> Credentials {
        credentials::user(uid)
    }

    fn user_by_name(&self, name: &str) -> Option<(u32, u32)> {
        let user = User::from_name(name).ok().flatten()?;
        Some((user.uid.as_raw(), user.gid.as_raw()))
    }

    fn group_by_name(&self, name: &str) -> Option<u32> {
        Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
    }

    fn memlock_limit(&self) -> Option<Bytes> {
        let (soft, _) = getrlimit(Resource::RLIMIT_MEMLOCK).ok()?;
        (soft != libc::RLIM_INFINITY).then_some(Bytes(soft))
    }
}

/// The last parts of the path contain the original name.
pub(in crate::machine) fn name_before(temporary: &ObjectName) -> Option<ObjectName> {
    ObjectName::new(unlink::path_before(temporary.as_path())?.as_os_str().as_bytes())
}

struct FileHandle {
    file: OwnedFd,
}

impl ObjectHandle for FileHandle {
    fn stat(&self) -> io::Result<ObjectStat> {
        Ok(object_stat(&sys::statx_fd(self.file.as_fd())?))
    }

    fn set_mode(&self, mode: Mode) -> io::Result<()> {
        handle::chmod(self.file.as_fd(), mode.bits())
    }

    fn set_owner(&self, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
        handle::chown(self.file.as_fd(), uid, gid)
    }

    fn acl(&self) -> io::Result<Option<Vec<u8>>> {
        handle::acl(self.file.as_fd())
    }

    fn set_acl(&self, list: &[u8]) -> io::Result<()> {
        handle::set_acl(self.file.as_fd(), list)
    }
}
