//! The local machine.

mod builder;
pub(super) mod control;
mod credentials;
mod held;
mod listing;
mod logind;
mod memory;
mod posix;
mod process;
mod sysv;
mod watch;

pub use sysv::log_uses;

use super::control::SysvStat;
use super::sysv_table::{self, Table};
use super::{Contents, DevShm, LimitFacts, Machine, ObjectListing, ObjectStat, TraceReason, meminfo};
use crate::segment::{Bytes, Holder, Identity, Key, Mode, ObjectName, ShmId, Timestamp};
use crate::sys;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{Gid, Group, Uid, User, geteuid};
use std::fs;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::thread;
use std::time::{Duration, SystemTime};

/// The directory of POSIX objects, hardcoded in glibc and musl.
pub const DEV_SHM: &str = "/dev/shm";
const MEMINFO: &str = "/proc/meminfo";
/// Attempts before a lease counts as refused.
const MAX_LEASE_ATTEMPTS: u32 = 4;
const SYSV_TABLE: &str = "/proc/sysvipc/shm";

#[derive(Debug, Clone, Copy, Default)]
pub struct RealMachine;

impl Machine for RealMachine {
    fn sysv_table(&self) -> io::Result<Vec<u8>> {
        fs::read(SYSV_TABLE)
    }

    fn sysv_rows(&self) -> io::Result<Table> {
        let Ok(listed) = sys::shm::all() else {
            return self.sysv_table().map(|text| sysv_table::parse(&text));
        };
        Ok(Table { rows: listed.iter().map(sysv_stat).collect(), problems: vec![] })
    }

    fn list_objects(&self) -> io::Result<ObjectListing> {
        listing::list(Path::new(DEV_SHM))
    }

    fn stat_object(&self, name: &ObjectName) -> io::Result<ObjectStat> {
        let handle = sys::object::open_handle(Path::new(DEV_SHM), name.as_path())?;
        Ok(object_stat(&sys::statx_fd(handle.as_fd())?))
    }

    fn limits(&self) -> LimitFacts {
        let sysv = sys::shm::limits().ok();
        LimitFacts {
            shmmni: sysv.map(|limits| limits.shmmni),
            shmmax: sysv.map(|limits| limits.shmmax),
            shmall: sysv.map(|limits| limits.shmall),
            page_size: sys::page_size(),
            dev_shm: dev_shm().ok(),
            remove_ipc: logind::remove_ipc(),
        }
    }

    fn shmem(&self) -> Option<Bytes> {
        meminfo::shmem(&fs::read(MEMINFO).ok()?)
    }

    fn user_name(&self, uid: u32) -> Option<String> {
        User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name)
    }

    fn group_name(&self, gid: u32) -> Option<String> {
        Group::from_gid(Gid::from_raw(gid)).ok().flatten().map(|group| group.name)
    }

    fn effective_uid(&self) -> u32 {
        geteuid().as_raw()
    }

    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    fn monotonic_time(&self) -> Duration {
        clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from)
    }

    fn open_object(&self, name: &ObjectName) -> io::Result<Box<dyn Contents>> {
        let open = sys::object::open_object(Path::new(DEV_SHM), name.as_path())?;
        Ok(Box::new(posix::PosixContents::new(open)))
    }

    fn is_open_elsewhere(&self, name: &ObjectName, identity: &Identity) -> io::Result<bool> {
        let mut tries = 0;
        loop {
            tries += 1;
            let open = sys::object::open_for_lease(Path::new(DEV_SHM), name.as_path())?;
            let stat = object_stat(&open.stat);
            if !identity.matches(&stat.identity()) {
                return Err(io::ErrorKind::NotFound.into());
            }
            if !sys::lease::is_open_elsewhere(&open.file)? {
                return Ok(false);
            }
            // Another shmlens may have the object open or leased at this moment.
            if tries == MAX_LEASE_ATTEMPTS {
                return Ok(true);
            }
            drop(open);
            thread::yield_now();
        }
    }

    fn open_unlinked(&self, device: u64, inode: u64, holders: &[Holder]) -> io::Result<Box<dyn Contents>> {
        let (object, pid) = process::open_held(device, inode, holders)?;
        Ok(Box::new(posix::PosixContents::through(object, pid)))
    }

    fn removes_at_logout(&self, uid: u32) -> Option<bool> {
        Some(logind::remove_ipc()? && !logind::has_session(uid)?)
    }

    fn may_attach(&self, shmid: ShmId) -> io::Result<()> {
        // IPC_STAT requires the same permission as shmat(SHM_RDONLY).
        sys::shm::stat(shmid.0).map(drop)
    }

    fn open_attached(
        &self,
        shmid: ShmId,
        holders: &[Holder],
        scan: bool,
    ) -> Result<Box<dyn Contents>, TraceReason> {
        process::open_attached(shmid, holders, scan).map(|held| Box::new(held) as Box<dyn Contents>)
    }

    fn attach(&self, shmid: ShmId) -> io::Result<Box<dyn Contents>> {
        Ok(Box::new(sysv::SysvContents::attach(shmid)?))
    }

    fn sysv_of_key(&self, key: Key) -> io::Result<ShmId> {
        sys::shm::find(key.0).map(ShmId)
    }
}

fn sysv_stat(stat: &sys::shm::ShmStat) -> SysvStat {
    let time = |seconds: i64| (seconds != 0).then(|| Timestamp::from_seconds(seconds));
    SysvStat {
        shmid: ShmId(stat.shmid),
        key: Key(stat.key),
        size: Bytes(stat.size),
        mode: Mode::new(stat.mode & 0o777),
        locked: stat.mode & sysv_table::LOCKED != 0,
        marked: stat.mode & sysv_table::MARKED != 0,
        uid: stat.uid,
        gid: stat.gid,
        creator_uid: stat.creator_uid,
        creator_gid: stat.creator_gid,
        creator_pid: stat.creator_pid.cast_unsigned(),
        last_pid: stat.last_pid.cast_unsigned(),
        nattch: stat.nattch,
        change: time(stat.change_time),
        attach: time(stat.attach_time),
        detach: time(stat.detach_time),
        resident: None,
        swapped: None,
    }
}

fn dev_shm() -> nix::Result<DevShm> {
    let stat = nix::sys::statvfs::statvfs(DEV_SHM)?;
    let bytes = |blocks: u64| Bytes(blocks.saturating_mul(stat.fragment_size()));
    Ok(DevShm {
        size: bytes(stat.blocks()),
        used: bytes(stat.blocks().saturating_sub(stat.blocks_free())),
        inodes: stat.files(),
        inodes_used: stat.files().saturating_sub(stat.files_free()),
    })
}

fn object_stat(stat: &sys::FileStat) -> ObjectStat {
    let time = |(seconds, nanos)| Timestamp { seconds, nanos };
    ObjectStat {
        device: stat.device,
        inode: stat.inode,
        links: stat.links,
        mode: stat.mode,
        uid: stat.uid,
        gid: stat.gid,
        size: Bytes(stat.size),
        allocated: Bytes(stat.blocks.saturating_mul(512)),
        access: time(stat.access),
        modify: time(stat.modify),
        change: time(stat.change),
        birth: stat.birth.map(time),
    }
}
