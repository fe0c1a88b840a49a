//! Segments for tests, removed on drop.

use nix::unistd::{Gid, Uid, fchown};
use shmlens::segment::{Bytes, Key, ObjectName, SegmentId, ShmId};
use shmlens::sys::shm;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A System V segment that is removed on drop.
pub struct Sysv {
    pub shmid: i32,
}

impl Sysv {
    /// Creates a segment; key 0 is `IPC_PRIVATE`. Without namespaces of its own, the test must
    /// expect any other key to be in use.
    #[track_caller]
    pub fn new(key: u32, size: u64, mode: u32) -> Self {
        let size = usize::try_from(size).unwrap();
        match shm::create(key, size, mode) {
            Ok(shmid) => Self { shmid },
            Err(error) => panic!("failed to create a segment of key {key:#x} and {size} bytes: {error}"),
        }
    }

    /// Creates a segment of any size without reserving memory (`SHM_NORESERVE`).
    pub fn unreserved(size: u64, mode: u32) -> Self {
        let flags = libc::IPC_CREAT | libc::SHM_NORESERVE | mode.cast_signed();
        // SAFETY: shmget takes numbers and touches no memory of ours.
        let shmid = unsafe { libc::shmget(libc::IPC_PRIVATE, usize::try_from(size).unwrap(), flags) };
        assert!(shmid >= 0, "failed to create a segment of {size} bytes: {}", io::Error::last_os_error());
        Self { shmid }
    }

    /// Changes the owner. Needs root.
    pub fn owned_by(self, uid: u32, gid: u32) -> Self {
        self.set(|permissions| (permissions.uid, permissions.gid) = (uid, gid));
        self
    }

    pub fn chmod(&self, mode: u16) {
        self.set(|permissions| permissions.mode = mode);
    }

    /// Calls `shmctl(IPC_SET)`.
    fn set(&self, change: impl FnOnce(&mut libc::ipc_perm)) {
        let facts = shm::stat(self.shmid).unwrap();
        let mut raw = MaybeUninit::<libc::shmid_ds>::zeroed();
        // SAFETY: zeroed, and every bit pattern of it is valid.
        let permissions = &mut unsafe { raw.assume_init_mut() }.shm_perm;
        permissions.uid = facts.uid;
        permissions.gid = facts.gid;
        permissions.mode = u16::try_from(facts.mode & 0o777).unwrap();
        change(permissions);
        // SAFETY: IPC_SET reads one shmid_ds, and raw is one.
        assert_eq!(unsafe { libc::shmctl(self.shmid, libc::IPC_SET, raw.as_mut_ptr()) }, 0);
    }

    /// Locks the segment in memory (`SHM_LOCK`).
    pub fn lock(&self) {
        // SAFETY: SHM_LOCK ignores the pointer.
        assert_eq!(unsafe { libc::shmctl(self.shmid, libc::SHM_LOCK, std::ptr::null_mut()) }, 0);
    }

    /// Writes bytes through a temporary attachment.
    pub fn write(&self, offset: u64, bytes: &[u8]) {
        let attachment = shm::Attachment::read_write(self.shmid).unwrap();
        assert_eq!(attachment.copy_from(offset, bytes), bytes.len());
    }

    pub const fn id(&self) -> SegmentId {
        SegmentId::Sysv(ShmId(self.shmid))
    }
}

impl Drop for Sysv {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = shm::remove(self.shmid);
    }
}

/// Creates a segment in a child process, which exits.
pub fn orphan(key: u32, size: u64, content: &[u8]) -> SegmentId {
    let program = Path::new(env!("CARGO_BIN_EXE_shmlens"));
    let created = shmlens::demo::create_orphan(program, Key(key), Bytes(size), content);
    SegmentId::Sysv(created.expect("an orphan").0)
}

/// A POSIX object, open for reading and writing.
pub struct Object {
    pub file: File,
    name: Vec<u8>,
}

impl Object {
    /// Creates an object. The name may contain any bytes. Without namespaces of its own, the test
    /// should include its pid.
    #[track_caller]
    pub fn new(name: impl AsRef<[u8]>, size: u64, mode: u32) -> Self {
        let name = name.as_ref().to_vec();
        let file = File::options().read(true).write(true).create_new(true).open(path(&name));
        let file =
            file.unwrap_or_else(|error| panic!("failed to create object {}: {error}", name.escape_ascii()));
        file.set_len(size).unwrap();
        file.set_permissions(Permissions::from_mode(mode)).unwrap();
        Self { file, name }
    }

    /// Changes the owner. Needs root.
    pub fn owned_by(self, uid: u32, gid: u32) -> Self {
        fchown(&self.file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))).unwrap();
        self
    }

    pub fn write(&self, offset: u64, bytes: &[u8]) {
        self.file.write_all_at(bytes, offset).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        path(&self.name)
    }

    pub fn id(&self) -> SegmentId {
        SegmentId::Posix(ObjectName::new(&self.name).unwrap())
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = fs::remove_file(self.path());
    }
}

fn path(name: &[u8]) -> PathBuf {
    Path::new("/dev/shm").join(OsStr::from_bytes(name))
}

#[cfg(test)]
mod tests {
    use crate::support::{NOBODY, Namespaces, Object, Sysv};
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn segments_match_the_request_and_are_removed() {
        let Some(_namespaces) = Namespaces::new() else { return };
        let sysv = Sysv::new(7, 5000, 0o640).owned_by(NOBODY, 100_000);
        sysv.lock();
        sysv.write(4096, b"text");
        let facts = shmlens::sys::shm::stat(sysv.shmid).unwrap();
        assert_eq!((facts.key, facts.size, facts.mode, facts.uid), (7, 5000, 0o2640, NOBODY));
        assert_eq!(sysv.id().to_string(), format!("sysv:{}", sysv.shmid));

        let object = Object::new(b"a\xff", 5000, 0o606).owned_by(NOBODY, 100_000);
        object.write(4096, b"text");
        let facts = fs::metadata(object.path()).unwrap();
        assert_eq!((facts.size(), facts.mode() & 0o777, facts.uid()), (5000, 0o606, NOBODY));
        assert_eq!(object.file.metadata().unwrap().ino(), facts.ino());
        assert_eq!(object.id().to_string(), r"posix:/a\xff");

        let (shmid, path) = (sysv.shmid, object.path());
        drop((sysv, object));
        assert!(shmlens::sys::shm::stat(shmid).is_err() && !path.exists());
    }
}
