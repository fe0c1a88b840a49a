//! System V shared memory: `shmget(2)`, `shmat(2)`, `shmdt(2)`, `shmctl(2)`.

use super::{check, own_memory, residency};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

/// The libc crate has no name for it; `linux/shm.h` has.
const SHM_STAT_ANY: libc::c_int = 15;
const SHM_INFO: libc::c_int = 14;
const IPC_INFO: libc::c_int = 3;

/// What `IPC_STAT` says. Asking changes nothing; it needs read permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShmStat {
    /// The size as it was asked for, in bytes.
    pub size: u64,
    /// The key; 0 for a private segment and for one that is marked for removal.
    pub key: u32,
    /// Permission bits, with 0o1000 (marked for removal) and 0o2000 (locked).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The owning group.
    pub gid: u32,
    /// The creator.
    pub creator_uid: u32,
    /// The creator's group.
    pub creator_gid: u32,
    /// The pid of the creator, as seen from this pid namespace.
    pub creator_pid: i32,
    /// How many attachments there are.
    pub nattch: u64,
    /// Creation or last `IPC_SET`, in seconds since 1970.
    pub change_time: i64,
    /// The last attachment; 0: never.
    pub attach_time: i64,
    /// The last detachment; 0: never.
    pub detach_time: i64,
    /// The process that attached or detached last.
    pub last_pid: i32,
}

/// Reads what the kernel keeps of a segment, `shmctl(IPC_STAT)`.
///
/// # Errors
/// `EACCES` without read permission, `EINVAL` or `EIDRM` when there is no such segment.
pub fn stat(shmid: i32) -> io::Result<ShmStat> {
    let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
    // SAFETY: IPC_STAT writes one shmid_ds, and raw has room for it.
    check(unsafe { libc::shmctl(shmid, libc::IPC_STAT, raw.as_mut_ptr()) })?;
    // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
    Ok(facts(&unsafe { raw.assume_init() }))
}

/// As [`stat`], for segments that may not be read too: `SHM_STAT_ANY`, which
/// goes by the place in the kernel's table. Linux 4.17.
///
/// # Errors
/// `EINVAL` or `EIDRM` when there is no such segment, `EACCES` on an older
/// kernel without read permission.
pub fn stat_any(shmid: i32) -> io::Result<ShmStat> {
    let denied = match stat(shmid) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => error,
        outcome => return outcome,
    };
    // The place is the low half of the identifier, or its low 24 bits with the
    // boot parameter ipcmni_extend.
    for place in [shmid & 0x7fff, shmid & 0xff_ffff] {
        let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: SHM_STAT_ANY writes one shmid_ds, and raw has room for it.
        if unsafe { libc::shmctl(place, SHM_STAT_ANY, raw.as_mut_ptr()) } == shmid {
            // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
            return Ok(facts(&unsafe { raw.assume_init() }));
        }
    }
    // Gone meanwhile, or another one has its place by now.
    stat(shmid).map_err(|error| if error.kind() == denied.kind() { denied } else { error })
}

/// The limits of this IPC namespace, `struct shminfo`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShmLimits {
    /// The largest segment, in bytes.
    pub shmmax: libc::c_ulong,
    shmmin: libc::c_ulong,
    /// The most segments.
    pub shmmni: libc::c_ulong,
    shmseg: libc::c_ulong,
    /// The most pages of all segments together.
    pub shmall: libc::c_ulong,
    unused: [libc::c_ulong; 4],
}

/// Reads the limits, `shmctl(IPC_INFO)`. This works without `/proc`.
///
/// # Errors
/// `ENOSYS` in a kernel without System V shared memory.
pub fn limits() -> io::Result<ShmLimits> {
    let mut limits = ShmLimits::default();
    // SAFETY: IPC_INFO writes one struct shminfo, which ShmLimits is laid out as.
    check(unsafe { libc::shmctl(0, IPC_INFO, (&raw mut limits).cast()) })?;
    Ok(limits)
}

/// A segment as `SHM_STAT_ANY` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its number.
    pub shmid: i32,
    /// What `IPC_STAT` would say.
    pub stat: ShmStat,
    /// The pid of who attached or detached last.
    pub last_pid: i32,
    /// The last attach and the last detach, in seconds since 1970; 0 for never.
    pub times: [i64; 2],
}

/// Every segment of this IPC namespace, place by place: `SHM_INFO`, `SHM_STAT_ANY`.
/// It takes a quarter of the time of the table in `/proc`, which tells the memory too.
///
/// # Errors
/// `EINVAL` and `EACCES` on kernels before Linux 4.17.
pub fn all() -> io::Result<Vec<Listed>> {
    // struct shm_info, which is smaller than this.
    let mut info = MaybeUninit::<[libc::shmid_ds; 2]>::zeroed();
    // SAFETY: SHM_INFO writes one struct shm_info, of 48 bytes, and info has room for it.
    let highest = check(unsafe { libc::shmctl(0, SHM_INFO, info.as_mut_ptr().cast()) })?;
    let mut listed = vec![];
    for place in 0..=highest {
        let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: SHM_STAT_ANY writes one shmid_ds, and raw has room for it.
        match check(unsafe { libc::shmctl(place, SHM_STAT_ANY, raw.as_mut_ptr()) }) {
            Ok(shmid) => {
                // SAFETY: zeroed, then filled by the kernel; every bit pattern is valid.
                let raw = unsafe { raw.assume_init() };
                let times = [raw.shm_atime, raw.shm_dtime];
                listed.push(Listed { shmid, stat: facts(&raw), last_pid: raw.shm_lpid, times });
            }
            // Nobody is there, or not any more.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EIDRM)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(listed)
}

fn facts(raw: &libc::shmid_ds) -> ShmStat {
    ShmStat {
        size: raw.shm_segsz as u64,
        key: raw.shm_perm.__key.cast_unsigned(),
        mode: u32::from(raw.shm_perm.mode),
        uid: raw.shm_perm.uid,
        gid: raw.shm_perm.gid,
        creator_uid: raw.shm_perm.cuid,
        creator_gid: raw.shm_perm.cgid,
        creator_pid: raw.shm_cpid,
        nattch: raw.shm_nattch,
        change_time: raw.shm_ctime,
        attach_time: raw.shm_atime,
        detach_time: raw.shm_dtime,
        last_pid: raw.shm_lpid,
    }
}

/// Makes a segment that did not exist, `shmget(IPC_CREAT | IPC_EXCL)`. Key 0
/// is `IPC_PRIVATE`.
///
/// # Errors
/// `EEXIST` when the key is taken, `EINVAL` for a size outside the limits,
/// `ENOSPC` when the ids or the pages are used up, `ENOMEM`, `EPERM`.
pub fn create(key: u32, size: usize, mode: u32) -> io::Result<i32> {
    create_special(key, size, mode, Special::default())
}

/// What else a segment may be asked to be when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Special {
    /// In huge pages of the default size, `SHM_HUGETLB`.
    pub huge: bool,
    /// Without memory set aside for it, `SHM_NORESERVE`.
    pub no_reserve: bool,
}

/// As [`create`], and asks for more.
///
/// # Errors
/// As [`create`]; with huge pages `EPERM` for who may not have them and
/// `ENOMEM` when there are not enough.
pub fn create_special(key: u32, size: usize, mode: u32, special: Special) -> io::Result<i32> {
    let mut flags = libc::IPC_CREAT | libc::IPC_EXCL | (mode & 0o777).cast_signed();
    if special.huge {
        flags |= libc::SHM_HUGETLB;
    }
    if special.no_reserve {
        flags |= libc::SHM_NORESERVE;
    }
    // SAFETY: shmget takes numbers and touches no memory of ours.
    check(unsafe { libc::shmget(key.cast_signed(), size, flags) })
}

/// Sets owner, group and the nine mode bits, `shmctl(IPC_SET)`. All three at
/// once: the kernel has no call for one alone.
///
/// # Errors
/// `EPERM` for who is neither owner nor creator, `EINVAL` or `EIDRM` when it
/// is gone, and `EINVAL` for a number that is no user or group here.
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

/// Keeps a segment from being swapped out, or no more, `shmctl(SHM_LOCK)` and
/// `shmctl(SHM_UNLOCK)`.
///
/// # Errors
/// `EPERM` for a stranger without `CAP_IPC_LOCK` and where `RLIMIT_MEMLOCK` is
/// 0, `ENOMEM` where that limit is too small, `EINVAL` or `EIDRM` when it is gone.
pub fn set_locked(shmid: i32, locked: bool) -> io::Result<()> {
    let command = if locked { libc::SHM_LOCK } else { libc::SHM_UNLOCK };
    // SAFETY: both commands ignore the pointer.
    check(unsafe { libc::shmctl(shmid, command, ptr::null_mut()) }).map(drop)
}

/// Removes a segment, `shmctl(IPC_RMID)`: at once, or with its last attachment.
///
/// # Errors
/// `EPERM` for who is neither owner nor creator, `EINVAL` or `EIDRM` when it is gone.
pub fn remove(shmid: i32) -> io::Result<()> {
    // SAFETY: IPC_RMID ignores the pointer.
    check(unsafe { libc::shmctl(shmid, libc::IPC_RMID, ptr::null_mut()) }).map(drop)
}

/// A segment that is attached to this process. Dropping it detaches.
#[derive(Debug)]
pub struct Attachment {
    address: NonNull<u8>,
    length: usize,
    writable: bool,
}

// SAFETY: the memory is shared between processes anyhow. All access goes
// through `copy_to` and `copy_from`, which never make a reference to it, and the
// address stays mapped until the last owner drops the attachment.
unsafe impl Send for Attachment {}
// SAFETY: as above.
unsafe impl Sync for Attachment {}

impl Attachment {
    /// Attaches to look only, `shmat(SHM_RDONLY)`.
    ///
    /// # Errors
    /// `EACCES` without read permission, `EINVAL` or `EIDRM` when there is no
    /// such segment, `ENOMEM` when the address space does not hold it.
    pub fn read_only(shmid: i32) -> io::Result<Self> {
        Self::new(shmid, libc::SHM_RDONLY)
    }

    /// Attaches to write. Only who made it does this: the demo, `create`, `restore`.
    ///
    /// # Errors
    /// As [`Attachment::read_only`].
    pub fn read_write(shmid: i32) -> io::Result<Self> {
        Self::new(shmid, 0)
    }

    /// Attaches to hold it only, without asking for its size: as if it had no bytes.
    ///
    /// # Errors
    /// As [`Attachment::read_only`].
    pub fn pin(shmid: i32) -> io::Result<Self> {
        Self::attach(shmid, libc::SHM_RDONLY)
    }

    fn new(shmid: i32, flags: libc::c_int) -> io::Result<Self> {
        let mut attachment = Self::attach(shmid, flags)?;
        // From here on a failure detaches, by Drop. While it is attached the
        // id cannot pass to another segment, so this is its size.
        let size = stat(shmid)?.size;
        attachment.length =
            usize::try_from(size).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))?;
        attachment.keep_from_children();
        Ok(attachment)
    }

    /// A child that another thread makes would hold the segment too until it
    /// runs another program, `madvise(MADV_DONTFORK)`. Where the kernel refuses,
    /// as for huge pages, it does.
    fn keep_from_children(&self) {
        let whole = self.length.next_multiple_of(usize::try_from(super::page_size()).unwrap_or(1));
        // SAFETY: the whole of the attachment, and nothing of it is changed. A
        // part of it would make two of it, and nattch 2.
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

    /// The size of the segment in bytes.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.length as u64
    }

    /// Whether it has no bytes; the kernel makes no such segment.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Opens the segment as a file for reading, by the name that the mapping has in
    /// `/proc/self/map_files`, proc(5). It goes on when this is dropped.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE`.
    pub fn open(&self) -> io::Result<File> {
        let start = self.address.as_ptr() as u64;
        let end = start + self.len().next_multiple_of(super::page_size());
        File::open(format!("/proc/self/map_files/{start:x}-{end:x}"))
    }

    /// Copies what is at `offset` and returns how much that was: less than asked for at
    /// the end of the segment, and where the kernel cannot provide a page. Touches the
    /// pages: one that was never written is allocated by this, so ask
    /// [`Attachment::resident`] first.
    #[must_use]
    pub fn copy_to(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let Some((start, length)) = self.clamp(offset, buffer.len()) else { return 0 };
        // SAFETY: start + length lies within the attachment, which stays
        // mapped while self lives; the buffer is ours and does not overlap it.
        // Other processes may write at the same time: the bytes are then a mix of
        // old and new.
        unsafe { own_memory::read(self.address.add(start), &mut buffer[..length]) }
    }

    /// Writes bytes at `offset` and returns how many: fewer than given at the end of
    /// the segment, and where the kernel has no memory for a page. Writes nothing
    /// when attached read-only.
    #[must_use]
    pub fn copy_from(&self, offset: u64, bytes: &[u8]) -> usize {
        if !self.writable {
            return 0;
        }
        let Some((start, length)) = self.clamp(offset, bytes.len()) else { return 0 };
        // SAFETY: as in copy_to, and the attachment is writable.
        unsafe { own_memory::write(self.address.add(start), &bytes[..length]) }
    }

    /// Returns whether the segment is in huge pages, by the device that `/proc/self/maps` shows
    /// for it: those of the usual size are on another one. Without /proc it is not.
    #[must_use]
    pub fn is_in_huge_pages(&self) -> bool {
        let start = format!("{:08x}-", self.address.as_ptr().addr());
        let Ok(maps) = std::fs::read("/proc/self/maps") else { return false };
        let line = maps.split(|&byte| byte == b'\n').find(|line| line.starts_with(start.as_bytes()));
        let device = line.and_then(|line| line.split(|&byte| byte == b' ').nth(3));
        let Ok(usual) = super::kernel_device() else { return false };
        let usual = format!("{:02x}:{:02x}", libc::major(usual), libc::minor(usual));
        device.is_some_and(|device| device != usual.as_bytes())
    }

    /// Which pages are in memory, `mincore(2)`: one byte a page, the lowest
    /// bit set for yes, for `pages` pages from page `first` on. Touches nothing.
    ///
    /// # Errors
    /// `ENOMEM` when the range is not within the attachment.
    pub fn resident(&self, first: u64, pages: &mut [u8]) -> io::Result<()> {
        let page = super::page_size();
        let start = first.checked_mul(page).and_then(|start| usize::try_from(start).ok());
        let within = start.filter(|&start| {
            let end =
                (pages.len() as u64).checked_mul(page).and_then(|length| length.checked_add(start as u64));
            end.is_some_and(|end| end <= self.len().next_multiple_of(page))
        });
        let Some(start) = within else { return Err(io::Error::from_raw_os_error(libc::ENOMEM)) };
        // SAFETY: the range was checked to lie within the attachment's pages.
        unsafe { residency::mincore(self.address.as_ptr().add(start), pages) }
    }

    /// Takes the pages of this range out of this process's view,
    /// `madvise(MADV_DONTNEED)`: the memory is the segment's and keeps what it
    /// holds, but does not count as ours any more. What is touched again is
    /// seen again. Where the kernel refuses, as for huge pages, nothing changes.
    ///
    /// A little of what lies before goes too: touching a page lets the kernel
    /// show those around it (`fault_around_bytes`, 64 KiB).
    pub fn release(&self, offset: u64, length: u64) {
        let page = super::page_size();
        let end = offset.saturating_add(length).min(self.len()).next_multiple_of(page);
        let start = offset.saturating_sub(128 << 10) / page * page;
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else { return };
        if start < end {
            // SAFETY: the range lies within the attachment. The mapping is
            // shared, so its pages stay in the segment, madvise(2).
            unsafe {
                libc::madvise(self.address.as_ptr().add(start).cast(), end - start, libc::MADV_DONTNEED);
            }
        }
    }

    fn clamp(&self, offset: u64, wanted: usize) -> Option<(usize, usize)> {
        let start = usize::try_from(offset).ok().filter(|&start| start < self.length)?;
        Some((start, wanted.min(self.length - start)))
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        // SAFETY: the address came from shmat, is detached only here, and
        // nothing borrows from the memory. It cannot fail for such an address.
        unsafe { libc::shmdt(self.address.as_ptr().cast()) };
    }
}
