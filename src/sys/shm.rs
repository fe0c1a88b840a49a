//! System V shared memory: `shmget(2)`, `shmat(2)`, `shmdt(2)`, `shmctl(2)`.

use super::{check, own_memory, residency};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr::{self, NonNull};

/// Missing in the libc crate, from `linux/shm.h`.
const SHM_STAT_ANY: libc::c_int = 15;
const SHM_INFO: libc::c_int = 14;
const IPC_INFO: libc::c_int = 3;

/// `struct shmid_ds`, without padding. Times are in seconds since 1970; 0 means never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShmStat {
    pub shmid: i32,
    /// The requested size in bytes.
    pub size: u64,
    /// 0 for a private segment or one marked for removal.
    pub key: u32,
    /// Permission bits, 0o1000 (marked for removal) and 0o2000 (locked).
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub creator_uid: u32,
    pub creator_gid: u32,
    /// The creator's pid in this pid namespace.
    pub creator_pid: i32,
    /// The last process that attached or detached.
    pub last_pid: i32,
    /// Attachments.
    pub nattch: u64,
    /// Time of creation or of the last `IPC_SET`.
    pub change_time: i64,
    pub attach_time: i64,
    pub detach_time: i64,
}

/// Returns the kernel's data on a segment, `shmctl(IPC_STAT)`.
///
/// # Errors
/// `EACCES` without read permission, `EINVAL` or `EIDRM` when there is no such segment.
pub fn stat(shmid: i32) -> io::Result<ShmStat> {
    query(shmid, libc::IPC_STAT).map(|(_, raw)| ShmStat::new(shmid, &raw))
}

/// Returns the kernel's data on the segment at that index of its table, `shmctl(SHM_STAT_ANY)`.
/// Needs Linux 4.17 but no read permission.
fn stat_index(index: i32) -> io::Result<ShmStat> {
    query(index, SHM_STAT_ANY).map(|(shmid, raw)| ShmStat::new(shmid, &raw))
}

/// Calls `shmctl` with a command that fills a `shmid_ds`.
fn query(id: i32, command: libc::c_int) -> io::Result<(libc::c_int, libc::shmid_ds)> {
    let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: IPC_STAT and SHM_STAT_ANY write one shmid_ds, SHM_INFO a struct
    // shm_info, which is smaller. raw has room for it.
    let result = check(unsafe { libc::shmctl(id, command, raw.as_mut_ptr()) })?;
    // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
    Ok((result, unsafe { raw.assume_init() }))
}

/// Returns the same data as [`stat`], even without read permission if the kernel allows that.
///
/// # Errors
/// `EINVAL` or `EIDRM` if there is no such segment, `EACCES` on older kernels without read
/// permission.
pub fn stat_any(shmid: i32) -> io::Result<ShmStat> {
    let denied = match stat(shmid) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => error,
        outcome => return outcome,
    };
    // The index is the low half of the identifier, or its low 24 bits with the
    // boot parameter ipcmni_extend.
    for index in [shmid & 0x7fff, shmid & 0xff_ffff] {
        match stat_index(index) {
            Ok(stat) if stat.shmid == shmid => return Ok(stat),
            _ => {}
        }
    }
    // The segment was removed, or its index was reused.
    stat(shmid).map_err(|error| if error.kind() == denied.kind() { denied } else { error })
}

/// The limits of this IPC namespace, `struct shminfo`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShmLimits {
    /// The maximum size of a segment in bytes.
    pub shmmax: libc::c_ulong,
    shmmin: libc::c_ulong,
    /// The maximum number of segments.
    pub shmmni: libc::c_ulong,
    shmseg: libc::c_ulong,
    /// The maximum number of pages of all segments.
    pub shmall: libc::c_ulong,
    unused: [libc::c_ulong; 4],
}

/// Reads the limits, `shmctl(IPC_INFO)`. Works without `/proc`.
///
/// # Errors
/// `ENOSYS` if the kernel has no System V shared memory.
pub fn limits() -> io::Result<ShmLimits> {
    let mut limits = ShmLimits::default();
    // SAFETY: IPC_INFO writes one struct shminfo, which ShmLimits is laid out as.
    check(unsafe { libc::shmctl(0, IPC_INFO, (&raw mut limits).cast()) })?;
    Ok(limits)
}

/// Returns all segments of this IPC namespace: `SHM_INFO`, `SHM_STAT_ANY`. Takes a quarter of the
/// time of `/proc/sysvipc/shm`, which also reports memory use.
///
/// # Errors
/// `EINVAL` and `EACCES` on kernels before Linux 4.17.
pub fn all() -> io::Result<Vec<ShmStat>> {
    let (highest, _) = query(0, SHM_INFO)?;
    let is_free = |error: &io::Error| matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM));
    (0..=highest).map(stat_index).filter(|found| !found.as_ref().is_err_and(is_free)).collect()
}

impl ShmStat {
    fn new(shmid: i32, raw: &libc::shmid_ds) -> Self {
        Self {
            shmid,
            size: raw.shm_segsz as u64,
            key: raw.shm_perm.__key.cast_unsigned(),
            mode: u32::from(raw.shm_perm.mode),
            uid: raw.shm_perm.uid,
            gid: raw.shm_perm.gid,
            creator_uid: raw.shm_perm.cuid,
            creator_gid: raw.shm_perm.cgid,
            creator_pid: raw.shm_cpid,
            last_pid: raw.shm_lpid,
            nattch: raw.shm_nattch,
            change_time: raw.shm_ctime,
            attach_time: raw.shm_atime,
            detach_time: raw.shm_dtime,
        }
    }
}

/// Creates a segment, `shmget(IPC_CREAT | IPC_EXCL)`. Key 0 is `IPC_PRIVATE`.
///
/// # Errors
/// `EEXIST` if the key is taken, `EINVAL` for a size outside the limits, `ENOSPC` if no ids or
/// pages are left, `ENOMEM`, `EPERM`.
pub fn create(key: u32, size: usize, mode: u32) -> io::Result<i32> {
    create_with(key, size, mode, 0)
}

/// Creates a segment like [`create`], with `SHM_HUGETLB` or `SHM_NORESERVE` in `flags`.
pub fn create_with(key: u32, size: usize, mode: u32, flags: libc::c_int) -> io::Result<i32> {
    let flags = flags | libc::IPC_CREAT | libc::IPC_EXCL | (mode & 0o777).cast_signed();
    // SAFETY: shmget takes numbers and touches no memory.
    check(unsafe { libc::shmget(key.cast_signed(), size, flags) })
}

/// Finds the segment of a key, `shmget(2)`. Needs no permission and changes nothing.
///
/// # Errors
/// `ENOENT` if there is none.
pub fn find(key: u32) -> io::Result<i32> {
    if key == 0 {
        // IPC_PRIVATE would create a segment.
        return Err(io::Error::from_raw_os_error(libc::ENOENT));
    }
    // SAFETY: shmget takes numbers and touches no memory. Without IPC_CREAT it creates nothing.
    check(unsafe { libc::shmget(key.cast_signed(), 0, 0) })
}

/// Sets owner, group and the nine mode bits, `shmctl(IPC_SET)`. The kernel has no call to set just
/// one of them.
///
/// # Errors
/// `EPERM` unless the caller is the owner or creator, `EINVAL` or `EIDRM` if the segment is gone,
/// and `EINVAL` for an id that does not exist in this user namespace.
pub fn set(shmid: i32, uid: u32, gid: u32, mode: u32) -> io::Result<()> {
    let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: zeroed, and every bit pattern of it is valid.
    let permissions = &mut unsafe { raw.assume_init_mut() }.shm_perm;
    permissions.uid = uid;
    permissions.gid = gid;
    permissions.mode = (mode & 0o777) as _;
    // SAFETY: IPC_SET reads one shmid_ds, and raw is one.
    check(unsafe { libc::shmctl(shmid, libc::IPC_SET, raw.as_mut_ptr()) }).map(drop)
}

/// Locks or unlocks a segment, `shmctl(SHM_LOCK)` and `shmctl(SHM_UNLOCK)`.
///
/// # Errors
/// `EPERM` for another user's segment without `CAP_IPC_LOCK` or if `RLIMIT_MEMLOCK` is 0, `ENOMEM`
/// if that limit is too small, `EINVAL` or `EIDRM` if the segment is gone.
pub fn set_locked(shmid: i32, locked: bool) -> io::Result<()> {
    let command = if locked { libc::SHM_LOCK } else { libc::SHM_UNLOCK };
    // SAFETY: both commands ignore the pointer.
    check(unsafe { libc::shmctl(shmid, command, ptr::null_mut()) }).map(drop)
}

/// Removes a segment with `shmctl(IPC_RMID)`: immediately, or at its last detach.
///
/// # Errors
/// `EPERM` unless the caller is the owner or creator, `EINVAL` or `EIDRM` if the segment is gone.
pub fn remove(shmid: i32) -> io::Result<()> {
    // SAFETY: IPC_RMID ignores the pointer.
    check(unsafe { libc::shmctl(shmid, libc::IPC_RMID, ptr::null_mut()) }).map(drop)
}

/// An attached segment. Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    address: NonNull<u8>,
    length: usize,
    writable: bool,
}

// SAFETY: the memory is shared between processes anyway. All access goes through `copy_to` and
// `copy_from`, which never make a reference to it, and the address stays mapped until the last
// owner drops the attachment.
unsafe impl Send for Attachment {}
// SAFETY: as above.
unsafe impl Sync for Attachment {}

impl Attachment {
    /// Attaches for reading, `shmat(SHM_RDONLY)`.
    ///
    /// # Errors
    /// `EACCES` without read permission, `EINVAL` or `EIDRM` if there is no such segment, `ENOMEM`
    /// if the address space is too small.
    pub fn read_only(shmid: i32) -> io::Result<Self> {
        Self::new(shmid, libc::SHM_RDONLY)
    }

    /// Attaches for writing. Only for segments that shmlens created: in the demo, `create` and
    /// `restore`.
    pub fn read_write(shmid: i32) -> io::Result<Self> {
        Self::new(shmid, 0)
    }

    /// Attaches a segment only to keep its id from being reused. The length is 0.
    pub fn pin(shmid: i32) -> io::Result<Self> {
        Self::attach(shmid, libc::SHM_RDONLY)
    }

    fn new(shmid: i32, flags: libc::c_int) -> io::Result<Self> {
        let mut attachment = Self::attach(shmid, flags)?;
        // From here on, Drop detaches after a failure. The id cannot be reused while attached, so
        // this is the size of the same segment.
        let size = stat(shmid)?.size;
        attachment.length =
            usize::try_from(size).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))?;
        attachment.exclude_from_fork();
        Ok(attachment)
    }

    /// Excludes the attachment from fork with `madvise(MADV_DONTFORK)`: a child forked by another
    /// thread would keep the segment attached until it execs. The kernel refuses this for huge
    /// pages.
    fn exclude_from_fork(&self) {
        let whole = self.length.next_multiple_of(usize::try_from(super::page_size()).unwrap_or(1));
        // SAFETY: the whole attachment, whose contents do not change. A part would split the
        // mapping and make nattch 2.
        unsafe { libc::madvise(self.address.as_ptr().cast(), whole, libc::MADV_DONTFORK) };
    }

    fn attach(shmid: i32, flags: libc::c_int) -> io::Result<Self> {
        // SAFETY: with a null address the kernel chooses a free range, so no
        // memory that this program uses is replaced.
        let address = unsafe { libc::shmat(shmid, ptr::null(), flags) };
        if address as isize == -1 {
            return Err(io::Error::last_os_error());
        }
        let address =
            NonNull::new(address.cast::<u8>()).ok_or_else(|| io::Error::from_raw_os_error(libc::EFAULT))?;
        Ok(Self { address, length: 0, writable: flags & libc::SHM_RDONLY == 0 })
    }

    /// The length in bytes.
    pub const fn len(&self) -> u64 {
        self.length as u64
    }

    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Opens the segment as a file for reading, through the mapping's entry in
    /// `/proc/self/map_files`, proc(5). The file stays open when the attachment is dropped.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE`.
    pub fn open(&self) -> io::Result<File> {
        let start = self.address.as_ptr() as u64;
        let end = start + self.len().next_multiple_of(super::page_size());
        File::open(format!("/proc/self/map_files/{start:x}-{end:x}"))
    }

    /// Copies the bytes at `offset` and returns the number copied, which is smaller at the end of
    /// the segment or if the kernel cannot provide a page. Allocates pages that were never written,
    /// so check [`Attachment::resident`] first.
    pub fn copy_to(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let Some((start, length)) = self.clamp(offset, buffer.len()) else { return 0 };
        // SAFETY: start + length is within the attachment, which stays mapped while self lives; the
        // buffer does not overlap it. Other processes may write at the same time: the bytes are
        // then a mix of old and new.
        unsafe { own_memory::read(self.address.add(start), &mut buffer[..length]) }
    }

    /// Writes bytes at `offset` and returns the number written, which is smaller at the end of the
    /// segment or if the kernel has no memory for a page. Writes nothing when attached read-only.
    pub fn copy_from(&self, offset: u64, bytes: &[u8]) -> usize {
        if !self.writable {
            return 0;
        }
        let Some((start, length)) = self.clamp(offset, bytes.len()) else { return 0 };
        // SAFETY: as in copy_to, and the attachment is writable.
        unsafe { own_memory::write(self.address.add(start), &bytes[..length]) }
    }

    /// Writes bytes at `offset` as programs store their values. Writes nothing when attached read-only, or
    /// past the end.
    pub fn store(&self, offset: u64, bytes: &[u8]) {
        if let Some((start, length)) = self.clamp(offset, bytes.len()).filter(|_| self.writable) {
            // SAFETY: the range is within the attachment, which is writable.
            unsafe { super::mapping::store(self.address.add(start), &bytes[..length]) };
        }
    }

    /// Returns true if the segment is backed by huge pages, judging by its device in
    /// `/proc/self/maps`. Returns false if `/proc` is not mounted.
    pub fn is_in_huge_pages(&self) -> bool {
        let start = format!("{:08x}-", self.address.as_ptr().addr());
        let Ok(maps) = std::fs::read("/proc/self/maps") else { return false };
        let line = maps.split(|&byte| byte == b'\n').find(|line| line.starts_with(start.as_bytes()));
        let device = line.and_then(|line| line.split(|&byte| byte == b' ').nth(3));
        let Ok(normal) = super::kernel_device() else { return false };
        let normal = format!("{:02x}:{:02x}", libc::major(normal), libc::minor(normal));
        device.is_some_and(|device| device != normal.as_bytes())
    }

    /// Fills `pages` for the pages from `first` on, `mincore(2)`: the lowest bit of each byte is
    /// set if the page is resident. Accesses no page.
    ///
    /// # Errors
    /// `ENOMEM` if the range is not within the attachment.
    pub fn resident(&self, first: u64, pages: &mut [u8]) -> io::Result<()> {
        let page = super::page_size();
        let start = first.checked_mul(page).and_then(|start| usize::try_from(start).ok());
        let within = start.filter(|&start| {
            let end =
                (pages.len() as u64).checked_mul(page).and_then(|length| length.checked_add(start as u64));
            end.is_some_and(|end| end <= self.len().next_multiple_of(page))
        });
        let Some(start) = within else { return Err(io::Error::from_raw_os_error(libc::ENOMEM)) };
        // SAFETY: the range was checked to be within the attachment's pages.
        unsafe { residency::mincore(self.address.as_ptr().add(start), pages) }
    }

    /// Unmaps this range from this process with `madvise(MADV_DONTNEED)`. The segment keeps its
    /// contents, but the pages no longer count toward this process's memory. The next access maps
    /// them again. The kernel refuses this for huge pages.
    ///
    /// Also unmaps up to 64 KiB before the range, since an access maps nearby pages too
    /// (`fault_around_bytes`).
    pub fn release(&self, offset: u64, length: u64) {
        let page = super::page_size();
        let end = offset.saturating_add(length).min(self.len()).next_multiple_of(page);
        let start = offset.saturating_sub(128 << 10) / page * page;
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return };
        if start < end {
            // SAFETY: the range is within the attachment. The mapping is shared, so its pages stay
            // in the segment, madvise(2).
            unsafe {
                libc::madvise(self.address.as_ptr().add(start).cast(), end - start, libc::MADV_DONTNEED);
            }
        }
    }

    /// Returns the address and length of the part of a range that lies within the attachment.
    pub(super) fn readable_range(&self, range: Range<u64>) -> Option<(NonNull<u8>, usize)> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let (start, length) = self.clamp(range.start, length)?;
        // SAFETY: the start is within the attachment.
        Some((unsafe { self.address.add(start) }, length))
    }

    /// Returns the address of a range that lies within a writable attachment.
    pub(super) fn writable_range(&self, offset: usize, length: usize) -> Option<NonNull<u8>> {
        let end = offset.checked_add(length)?;
        // SAFETY: the offset is within the attachment.
        (self.writable && end <= self.length).then(|| unsafe { self.address.add(offset) })
    }

    fn clamp(&self, offset: u64, wanted: usize) -> Option<(usize, usize)> {
        let start = usize::try_from(offset).ok().filter(|&start| start < self.length)?;
        Some((start, wanted.min(self.length - start)))
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // SAFETY: the address came from shmat, is detached only here, and nothing borrows the
        // memory. It cannot fail for such an address.
        unsafe { libc::shmdt(self.address.as_ptr().cast()) };
    }
}
