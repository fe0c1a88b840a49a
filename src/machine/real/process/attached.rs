//! Opens System V segments through the mappings of processes that have them attached
//! (`/proc/PID/map_files`), which changes nothing that other processes see.

use super::maps::sysv_key;
use super::{Proc, Subject, devices, path_of};
use crate::machine::TraceReason;
use crate::machine::process::{Examination, Object, Processes as _, ScanOptions, SegmentDevices};
use crate::machine::real::held::HeldSegment;
use crate::machine::real::{RealMachine, sysv_stat};
use crate::machine::sysv_table::MARKED;
use crate::segment::{Holder, Place, ShmId};
use crate::sys::object::{OpenObject, open_held};
use crate::sys::shm::{self, ShmStat};
use crate::sys::{self, FileStat, capability};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::{fs, io};

/// `CAP_SYS_ADMIN` and `CAP_CHECKPOINT_RESTORE`, either of which may open `map_files`.
const CAPABILITIES: u64 = 1 << 21 | 1 << 40;
/// The inode of `/proc/self/ns/user` in the initial namespace: `PROC_USER_INIT_INO`.
const FIRST_USER_NAMESPACE: u64 = 0xEFFF_FFFD;

/// Opens a segment through one of these holders, or any process if `scan` is set.
pub fn open_attached(shmid: ShmId, holders: &[Holder], scan: bool) -> Result<HeldSegment, TraceReason> {
    // A segment without attachments has no holder, even if an earlier scan found one.
    let stat = shm::stat_any(shmid.0).ok().filter(|stat| stat.nattch > 0).ok_or(TraceReason::NoHolder)?;
    if !may_open_mappings() {
        return Err(TraceReason::NotPrivileged);
    }
    let search = Search { stat, search_options: search_options().map_err(|_| TraceReason::Unreachable)? };
    let known = holders.iter().find_map(|holder| search.at(holder.pid, holder.place));
    let examined = || holders.iter().find_map(|holder| search.open_through_process(holder.pid));
    let found = known.or_else(examined).or_else(|| scan.then(|| search.open_through_any())?);
    found.ok_or(TraceReason::Unreachable)
}

/// Returns true if the kernel lets this thread open the mappings of other processes
/// (`proc_map_files_get_link` in `fs/proc/base.c`).
fn may_open_mappings() -> bool {
    let namespace = Proc::shared().and_then(|proc| sys::statx_link(proc.fd(), c"thread-self/ns/user"));
    capability::effective().is_ok_and(|all| all & CAPABILITIES != 0)
        && namespace.is_ok_and(|stat| stat.inode == FIRST_USER_NAMESPACE)
}

fn search_options() -> io::Result<ScanOptions> {
    let namespace = sys::statx_link(Proc::shared()?.fd(), c"thread-self/ns/ipc")?.inode;
    let sysv = devices::sysv_devices()?.to_vec();
    let segment_devices = SegmentDevices { objects: None, sysv, namespace: Some(namespace) };
    Ok(ScanOptions { segment_devices, private: false, as_text: false })
}

/// A search for a process that has a segment attached.
struct Search {
    stat: ShmStat,
    search_options: ScanOptions,
}

impl Search {
    /// Opens the segment through any process, starting with the creator and the last user.
    fn open_through_any(&self) -> Option<HeldSegment> {
        let likely = [self.stat.last_pid, self.stat.creator_pid].map(i32::cast_unsigned);
        let all = RealMachine.list_processes().unwrap_or_default();
        let rest = all.iter().map(|listed| listed.pid).filter(|pid| !likely.contains(pid));
        likely.into_iter().chain(rest).find_map(|pid| self.open_through_process(pid))
    }

    /// Opens the segment through any mapping of a process.
    fn open_through_process(&self, pid: u32) -> Option<HeldSegment> {
        let Examination::Found(_, uses) = RealMachine.examine(pid, &self.search_options) else { return None };
        let shmid = Object::Sysv(self.stat.shmid);
        let mut uses = uses.iter().filter(|one| one.of == shmid && one.claim.is_some_and(|claim| claim.here));
        uses.find_map(|one| self.open(pid, one.place))
    }

    /// Opens the segment where a process had it mapped when it was scanned.
    fn at(&self, pid: u32, place: Place) -> Option<HeldSegment> {
        // If the process changed its IPC namespace, the shmid belongs to another segment.
        let subject = Subject::open(Proc::shared().ok()?, &pid.to_string()).ok()?;
        if !subject.sees(&self.search_options) {
            return None;
        }
        self.open(pid, place)
    }

    /// Opens the mapping at `place` if it is the segment. The file is the whole segment, even if
    /// only a part of it is mapped.
    fn open(&self, pid: u32, place: Place) -> Option<HeldSegment> {
        let open = |id| open_held(&format!("/proc/{}", path_of(id, place)), |stat| self.is_segment(stat));
        let opened = open(pid).ok().flatten();
        // The first thread may have exited.
        let others = || RealMachine.other_threads(pid).into_iter().find_map(|thread| open(thread).ok()?);
        let object = opened.or_else(others).filter(|object| self.has_key(object))?;
        // Shmids are reused: check that the segment is still the same.
        let now = shm::stat_any(self.stat.shmid).ok().filter(|now| is_same(&self.stat, now))?;
        Some(HeldSegment::new(object, pid, &now))
    }

    /// Returns true if the file has the device, shmid, size, creator and birth time of the segment.
    fn is_segment(&self, file: &FileStat) -> bool {
        let devices = &self.search_options.segment_devices.sysv;
        let has_normal_pages = devices.first() == Some(&file.device);
        // Huge pages round up the size.
        let size_matches =
            if has_normal_pages { file.size == self.stat.size } else { file.size >= self.stat.size };
        let born = file.birth.is_none_or(|(seconds, _)| seconds <= self.stat.change_time);
        let shmid = u64::from(self.stat.shmid.cast_unsigned());
        let creator_matches = file.uid == self.stat.creator_uid;
        devices.contains(&file.device) && file.inode == shmid && size_matches && born && creator_matches
    }

    /// Returns true if the file has the name of a System V segment with that key. A segment that is
    /// marked for removal has lost its key, but not its name.
    fn has_key(&self, object: &OpenObject) -> bool {
        let name = fs::read_link(format!("/proc/self/fd/{}", object.file.as_raw_fd()));
        let key = name.ok().and_then(|name| sysv_key(name.as_os_str().as_bytes()));
        let marked = self.stat.mode & MARKED != 0;
        key.is_some_and(|key| key == self.stat.key || (marked && self.stat.key == 0))
    }
}

/// Returns true if both are the same segment.
fn is_same(before: &ShmStat, now: &ShmStat) -> bool {
    let identity = |stat| sysv_stat(stat).identity();
    identity(before).matches(&identity(now))
}
