//! Creates segments that are complete before other processes can use them: a POSIX object has no
//! name, and only the creator may use a System V segment.

use super::DEV_SHM;
use crate::machine::control::NewSysv;
use crate::machine::{AttributeError, FinalAttributes, FinishedSegment, SegmentBuilder, UNFINISHED_MODE};
use crate::segment::{Bytes, Mode, ObjectName, SegmentId, ShmId};
use crate::sys::handle;
use crate::sys::shm::{self, Attachment};
use crate::sys::unnamed::UnnamedFile;
use nix::unistd::{Gid, Uid, fchown};
use std::fs::{FileTimes, Permissions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The mode bits that may be set, see [`FinalAttributes::mode`].
const PERMISSIONS: u32 = 0o777;

/// A POSIX object without a name, while its contents are written.
pub struct ObjectBuilder {
    name: ObjectName,
    size: u64,
    object: UnnamedFile,
}

impl ObjectBuilder {
    /// Creates an object of `size` bytes, initially a single hole.
    pub fn begin(name: &ObjectName, size: u64) -> io::Result<Self> {
        let object = UnnamedFile::create(Path::new(DEV_SHM), name.as_path(), 0o600)?;
        if i64::try_from(size).is_err() {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        object.file.set_len(size)?;
        Ok(Self { name: name.clone(), size, object })
    }

    fn give(&self, attributes: &FinalAttributes<'_>) -> io::Result<Vec<AttributeError>> {
        let file = &self.object.file;
        let mut refused = vec![];
        if let Some(owner) = attributes.owner {
            let now = file.metadata()?;
            let (uid, gid) = (Uid::from_raw(owner.uid), Gid::from_raw(owner.gid));
            // Set the group first: after changing the owner, this user may no longer be allowed to.
            if now.gid() != owner.gid
                && let Err(error) = fchown(file, None, Some(gid))
            {
                refused.push(AttributeError::Group(error.into()));
            }
            if now.uid() != owner.uid
                && let Err(error) = fchown(file, Some(uid), None)
            {
                refused.push(AttributeError::User(error.into()));
            }
        }
        let mut mode = attributes.mode.bits() & PERMISSIONS;
        // The directory may have a default ACL.
        handle::clear_acl(file.as_fd())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        if let Some(acl) = attributes.acl
            && let Err(error) = handle::set_acl(file.as_fd(), acl)
        {
            mode &= !0o070;
            file.set_permissions(Permissions::from_mode(mode))?;
            refused.push(AttributeError::Acl(error));
        }
        if let Some((access, modify)) = attributes.used {
            let times = FileTimes::new().set_accessed(system_time(access)).set_modified(system_time(modify));
            // Setting the times may fail: they are informational.
            let _ = file.set_times(times);
        }
        let now = file.metadata()?;
        // With an ACL the mode may differ from the request.
        let is_as_requested = attributes.acl.is_some() || now.mode() & 0o7777 == mode;
        if is_as_requested && now.len() == self.size { Ok(refused) } else { Err(unexpected_result()) }
    }
}

/// Returns the error for a change that the kernel accepted but did not apply.
fn unexpected_result() -> io::Error {
    io::Error::other("its size or mode differs from the request")
}

impl SegmentBuilder for ObjectBuilder {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.object.file.write_all_at(bytes, offset)
    }

    fn finish(&mut self, attributes: &FinalAttributes<'_>) -> io::Result<FinishedSegment> {
        let refused = self.give(attributes)?;
        self.object.publish()?;
        Ok(FinishedSegment { id: SegmentId::Posix(self.name.clone()), refused })
    }
}

fn system_time(time: crate::segment::Timestamp) -> SystemTime {
    let nanos = Duration::from_nanos(u64::from(time.nanos));
    let seconds = Duration::from_secs(time.seconds.unsigned_abs());
    let whole =
        if time.seconds < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    whole.and_then(|whole| whole.checked_add(nanos)).unwrap_or(UNIX_EPOCH)
}

pub fn create_sysv(new: &NewSysv, mode: Mode) -> io::Result<ShmId> {
    let size = usize::try_from(new.size.0).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
    let huge = if new.huge { libc::SHM_HUGETLB } else { 0 };
    let no_reserve = if new.no_reserve { libc::SHM_NORESERVE } else { 0 };
    shm::create_with(new.key.0, size, mode.bits(), huge | no_reserve).map(ShmId)
}

/// A System V segment with mode [`UNFINISHED_MODE`], while its contents are written.
pub struct SysvBuilder {
    shmid: ShmId,
    size: Bytes,
    attachment: Option<Attachment>,
    finished: bool,
}

impl SysvBuilder {
    /// Creates a segment that has the mode [`UNFINISHED_MODE`] until it is finished.
    pub fn begin(new: &NewSysv) -> io::Result<Self> {
        let shmid = create_sysv(new, UNFINISHED_MODE)?;
        let mut builder = Self { shmid, size: new.size, attachment: None, finished: false };
        // From here on, Drop removes the segment after a failure.
        builder.attachment = Some(Attachment::read_write(shmid.0)?);
        Ok(builder)
    }
}

impl SegmentBuilder for SysvBuilder {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let attachment = self.attachment.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        if offset.saturating_add(bytes.len() as u64) > self.size.0 {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        if attachment.copy_from(offset, bytes) < bytes.len() {
            // A store would have raised SIGBUS.
            return Err(io::Error::from_raw_os_error(libc::ENOMEM));
        }
        attachment.release(offset, bytes.len() as u64);
        Ok(())
    }

    fn id(&self) -> Option<SegmentId> {
        Some(SegmentId::Sysv(self.shmid))
    }

    fn finish(&mut self, attributes: &FinalAttributes<'_>) -> io::Result<FinishedSegment> {
        // Detach first, so that nattch is 0 when others can attach the segment.
        self.attachment = None;
        let mut refused = vec![];
        let mode = attributes.mode.bits() & PERMISSIONS;
        let now = shm::stat(self.shmid.0)?;
        let (uid, gid) = attributes.owner.map_or((now.uid, now.gid), |owner| (owner.uid, owner.gid));
        if let Err(error) = shm::set(self.shmid.0, uid, gid, mode) {
            // The uid does not exist in this user namespace.
            shm::set(self.shmid.0, now.uid, now.gid, mode)?;
            refused.push(AttributeError::User(error));
        }
        let now = shm::stat_any(self.shmid.0)?;
        if now.mode & PERMISSIONS != mode || now.size != self.size.0 {
            return Err(unexpected_result());
        }
        self.finished = true;
        Ok(FinishedSegment { id: SegmentId::Sysv(self.shmid), refused })
    }
}

impl Drop for SysvBuilder {
    fn drop(&mut self) {
        if !self.finished {
            // This process created the segment, so it may remove it.
            let _ = shm::remove(self.shmid.0);
        }
    }
}
