//! Making a segment again: an object without a name, a System V segment that
//! is its maker's alone, until they are whole.

use super::DEV_SHM;
use crate::machine::{FILLING, Finish, Finished, Making, Refused};
use crate::segment::{Key, Mode, ObjectName, SegmentId, ShmId};
use crate::sys::handle;
use crate::sys::shm::{self, Attachment, Special};
use crate::sys::unnamed::Unnamed;
use nix::unistd::{Gid, Uid, fchown};
use std::fs::{FileTimes, Permissions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An object that is being filled.
pub struct ObjectMaking {
    name: ObjectName,
    object: Unnamed,
}

impl ObjectMaking {
    /// Begins one of that size, all hole.
    pub fn begin(name: &ObjectName, size: u64) -> io::Result<Self> {
        let object = Unnamed::create(Path::new(DEV_SHM), name.as_path(), 0o600)?;
        object.file.set_len(size)?;
        Ok(Self { name: name.clone(), object })
    }

    fn give(&self, look: &Finish<'_>) -> io::Result<Vec<Refused>> {
        let file = &self.object.file;
        let mut refused = vec![];
        let now = file.metadata()?;
        let (uid, gid) = (Uid::from_raw(look.owner.uid), Gid::from_raw(look.owner.gid));
        // The group first: a new owner might not let us set it any more.
        if now.gid() != look.owner.gid
            && let Err(error) = fchown(file, None, Some(gid))
        {
            refused.push(Refused::Group(error.into()));
        }
        if now.uid() != look.owner.uid
            && let Err(error) = fchown(file, Some(uid), None)
        {
            refused.push(Refused::User(error.into()));
        }
        let mut mode = if refused.is_empty() { look.mode.bits() } else { look.mode.bits() & 0o777 };
        // A directory may give its ACL to what is made in it.
        handle::clear_acl(file.as_fd())?;
        file.set_permissions(Permissions::from_mode(mode))?;
        if let Some(acl) = look.acl
            && let Err(error) = handle::set_acl(file.as_fd(), acl)
        {
            mode &= !0o070;
            file.set_permissions(Permissions::from_mode(mode))?;
            refused.push(Refused::Acl(error));
        }
        if let Some((access, modify)) = look.used {
            let times = FileTimes::new().set_accessed(system_time(access)).set_modified(system_time(modify));
            // Nothing depends on them.
            let _ = file.set_times(times);
        }
        Ok(refused)
    }
}

impl Making for ObjectMaking {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.object.file.write_all_at(bytes, offset)
    }

    fn finish(&mut self, look: &Finish<'_>) -> io::Result<Finished> {
        let refused = self.give(look)?;
        self.object.publish()?;
        Ok(Finished { id: SegmentId::Posix(self.name.clone()), refused })
    }
}

fn system_time(time: crate::segment::Timestamp) -> SystemTime {
    let nanos = Duration::from_nanos(u64::from(time.nanos));
    let seconds = Duration::from_secs(time.seconds.unsigned_abs());
    let whole =
        if time.seconds < 0 { UNIX_EPOCH.checked_sub(seconds) } else { UNIX_EPOCH.checked_add(seconds) };
    whole.and_then(|whole| whole.checked_add(nanos)).unwrap_or(UNIX_EPOCH)
}

/// A System V segment that is being filled.
pub struct SysvMaking {
    shmid: ShmId,
    attachment: Option<Attachment>,
    finished: bool,
}

impl SysvMaking {
    /// Begins one of that key and size, of the mode [`FILLING`].
    pub fn begin(key: Key, size: u64) -> io::Result<Self> {
        const MODE: u32 = FILLING.bits();
        let length = usize::try_from(size).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
        let shmid = match shm::create(key.0, length, MODE) {
            // A sparse one may be larger than what can be set aside.
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {
                let special = Special { no_reserve: true, ..Special::default() };
                shm::create_special(key.0, length, MODE, special)?
            }
            outcome => outcome?,
        };
        let mut making = Self { shmid: ShmId(shmid), attachment: None, finished: false };
        // From here on a failure removes it, by Drop.
        making.attachment = Some(Attachment::read_write(shmid)?);
        Ok(making)
    }
}

impl Making for SysvMaking {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let attachment = self.attachment.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        if attachment.copy_from(offset, bytes) < bytes.len() {
            return Err(io::Error::from_raw_os_error(libc::EFBIG));
        }
        attachment.release(offset, bytes.len() as u64);
        Ok(())
    }

    fn id(&self) -> Option<SegmentId> {
        Some(SegmentId::Sysv(self.shmid))
    }

    fn finish(&mut self, look: &Finish<'_>) -> io::Result<Finished> {
        // Let go first, so that the segment is held by nobody when others may have it.
        self.attachment = None;
        let mut refused = vec![];
        let mode = Mode::new(look.mode.bits() & 0o777);
        if let Err(error) = shm::set(self.shmid.0, look.owner.uid, look.owner.gid, mode.bits()) {
            // A number that is no user in this user namespace.
            let now = shm::stat(self.shmid.0)?;
            shm::set(self.shmid.0, now.uid, now.gid, mode.bits())?;
            refused.push(Refused::User(error));
        }
        self.finished = true;
        Ok(Finished { id: SegmentId::Sysv(self.shmid), refused })
    }
}

impl Drop for SysvMaking {
    fn drop(&mut self) {
        if !self.finished {
            // It was made here, so it can be removed here.
            let _ = shm::remove(self.shmid.0);
        }
    }
}
