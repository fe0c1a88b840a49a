//! Unfinished files, including those that a killed process left behind. The writer holds a lock on
//! the file, `flock(2)`, so an unlocked file no longer has a writer.

use super::{check, statx_at, unlink::unlink};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;
use std::ffi::{CString, OsStr};
use std::fs::{self, File, Metadata};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The prefix of unfinished files, followed by 16 hexadecimal digits.
pub const UNFINISHED: &str = ".shmlens-unfinished-";
const RANDOM_DIGITS: usize = 16;
/// Attempts if a cleanup removes the file before it is locked.
const ATTEMPTS: usize = 100;

/// Returns a random name for an unfinished file.
pub(super) fn random_name() -> io::Result<CString> {
    let random = RandomState::new().hash_one(std::process::id());
    CString::new(format!("{UNFINISHED}{random:0RANDOM_DIGITS$x}")).map_err(io::Error::other)
}

fn is_unfinished_name(name: &[u8]) -> bool {
    name.strip_prefix(UNFINISHED.as_bytes()).is_some_and(|digits| {
        digits.len() == RANDOM_DIGITS && digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Creates an unfinished file and locks it.
pub(super) fn create(directory: &OwnedFd, mode: Mode) -> io::Result<(File, CString)> {
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    for _ in 0..ATTEMPTS {
        let name = random_name()?;
        let file = File::from(openat(directory, name.as_c_str(), flags, mode)?);
        match try_lock(&file) {
            // Another process may have removed it between the two calls.
            Ok(()) if file.metadata()?.nlink() > 0 => return Ok((file, name)),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // The file system has no locks. A cleanup cannot lock the file either, so it never
            // removes it.
            Err(_) => return Ok((file, name)),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

/// Locks a file until it is closed. Fails with `EWOULDBLOCK` if another process holds the lock.
pub(super) fn try_lock(file: &File) -> io::Result<()> {
    // SAFETY: flock takes two numbers and touches no memory.
    check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }).map(drop)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    pub files: usize,
    /// The size on disk, in bytes.
    pub bytes: u64,
}

impl Amount {
    pub const fn add(&mut self, other: Self) {
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn count(&mut self, stat: &Metadata) {
        self.add(Self { files: 1, bytes: stat.blocks().saturating_mul(512) });
    }
}

/// The unfinished files in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UnfinishedFiles {
    /// Files without a writer. [`remove_abandoned`] removes them.
    pub abandoned: Amount,
    /// Files with a writer.
    pub in_progress: Amount,
}

/// Counts this user's unfinished files in a directory.
pub fn count_unfinished(directory: &Path) -> UnfinishedFiles {
    let mut found = UnfinishedFiles::default();
    each(directory, |file| {
        let amount = if file.is_free() { &mut found.abandoned } else { &mut found.in_progress };
        amount.count(&file.stat);
    });
    found
}

/// Removes this user's unfinished files without a writer from a directory.
pub fn remove_abandoned(directory: &Path) -> Amount {
    let mut removed = Amount::default();
    each(directory, |file| {
        // Remove it while locked, so that no writer can start in between.
        if file.is_free() && file.remove() {
            removed.count(&file.stat);
        }
    });
    removed
}

struct FoundFile<'a> {
    directory: &'a OwnedFd,
    name: CString,
    file: File,
    stat: Metadata,
}

impl FoundFile<'_> {
    fn is_free(&self) -> bool {
        try_lock(&self.file).is_ok()
    }

    fn remove(&self) -> bool {
        let same = statx_at(self.directory.as_fd(), &self.name)
            .is_ok_and(|now| (now.device, now.inode) == (self.stat.dev(), self.stat.ino()));
        same && unlink(self.directory.as_fd(), &self.name).is_ok()
    }
}

/// Calls `act` for each file that can be opened.
fn each(directory: &Path, mut act: impl FnMut(&FoundFile<'_>)) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    let mut opened = None;
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        // Check before opening: other users can put anything into a shared directory.
        if !is_unfinished_name(name.as_bytes()) || !entry.metadata().is_ok_and(|stat| is_own(&stat)) {
            continue;
        }
        if opened.is_none() {
            opened = super::object::open_directory(directory).ok();
        }
        let Some(directory) = &opened else { return };
        if let Ok(found) = open(directory, &name) {
            act(&found);
        }
    }
}

fn open<'a>(directory: &'a OwnedFd, name: &OsStr) -> io::Result<FoundFile<'a>> {
    let name = CString::new(name.as_bytes()).map_err(io::Error::other)?;
    // Open for writing, which NFS requires for an exclusive lock.
    let flags = OFlag::O_RDWR | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = File::from(openat(directory, name.as_c_str(), flags, Mode::empty())?);
    let stat = file.metadata()?;
    if !is_own(&stat) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(FoundFile { directory, name, file, stat })
}

fn is_own(stat: &Metadata) -> bool {
    stat.is_file() && stat.uid() == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    #[test]
    fn cleanup_removes_only_unlocked_files_with_the_exact_name() {
        let root = tempfile::tempdir().unwrap();
        let directory = super::super::object::open_directory(root.path()).unwrap();
        let (writing, name) = create(&directory, Mode::S_IRWXU).unwrap();
        let abandoned = create(&directory, Mode::S_IRWXU).unwrap().0;
        io::Write::write_all(&mut &abandoned, &[1; 4096]).unwrap();
        drop(abandoned);
        fs::write(root.path().join("other"), b"x").unwrap();
        symlink("other", root.path().join(".shmlens-unfinished-0123456789abcdef")).unwrap();
        nix::unistd::mkfifo(&root.path().join(".shmlens-unfinished-fedcba9876543210"), Mode::S_IRWXU)
            .unwrap();
        for kept in ["0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", ""] {
            fs::write(root.path().join(format!("{UNFINISHED}{kept}")), b"x").unwrap();
        }
        // A process forked by another test holds copies of these descriptors, and therefore the
        // lock, until it execs.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        let mut found = count_unfinished(root.path());
        while found.abandoned.files == 0 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
            found = count_unfinished(root.path());
        }
        assert_eq!((found.abandoned.files, found.in_progress.files), (1, 1));
        assert!(found.abandoned.bytes >= 4096);
        let before = names(root.path());
        assert_eq!(remove_abandoned(root.path()), found.abandoned);
        assert_eq!(names(root.path()), before - 1);
        assert_eq!(remove_abandoned(root.path()).files, 0);
        assert!(root.path().join(OsStr::from_bytes(name.to_bytes())).exists());
        drop(writing);
        let mut removed = remove_abandoned(root.path()).files;
        while removed == 0 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
            removed = remove_abandoned(root.path()).files;
        }
        assert_eq!(removed, 1);
        assert_eq!(remove_abandoned(&root.path().join("none")).files, 0);
    }

    #[test]
    fn files_of_other_users_are_kept() {
        if !crate::sys::skip::is_root_or_skip() {
            return;
        }
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(".shmlens-unfinished-0123456789abcdef");
        fs::write(&path, b"x").unwrap();
        std::os::unix::fs::chown(&path, Some(1000), None).unwrap();
        assert_eq!(count_unfinished(root.path()), UnfinishedFiles::default());
        assert_eq!(remove_abandoned(root.path()).files, 0);
        assert!(path.exists());
    }
}
