//! Removes exactly the object that was checked, and not a different one that has taken its name
//! since: `renameat2(2)`, `unlink(2)`.
//!
//! `unlink` works by name, and the name may pass to another object between a check and an unlink.
//! The object is therefore renamed to a name that no other process knows, checked again, and only
//! then unlinked.

use super::{check, open_parent, statx_at};
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid};
use std::ffi::{CStr, CString, OsStr};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The name prefix of an object that is being removed. If the process is killed, the object
/// keeps that name, which includes the original one ([`name_before`]). An object of another user,
/// or one whose name is too long, keeps its name and is moved to a directory with such a name
/// instead ([`path_before`]). The owner of the directory is the user who removed the object.
pub const REMOVING_PREFIX: &str = "shmlens-removing-";
/// The number of random digits after the prefix.
const RANDOM_DIGITS: usize = 16;
/// The longest file name in bytes.
pub(super) const MAX_NAME_LENGTH: usize = 255;

/// The outcome of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    Removed,
    /// The name no longer exists.
    Gone,
    /// Another object has the name and was left alone.
    Another,
    /// The check of the renamed object refused the removal; its name was restored.
    Refused,
    /// The original name could not be restored, because a new object had taken it. The moved object
    /// is intact and has this name.
    NotRestored(PathBuf),
}

/// Unlinks `path` below `root` if it is the object with the given device and inode.
///
/// # Errors
/// `EACCES` and `EPERM` if the directory does not permit it.
pub fn unlink_exactly(root: &Path, path: &Path, device: u64, inode: u64) -> io::Result<Removal> {
    unlink_if(root, path, device, inode, &|_| true)
}

/// Removes an object like [`unlink_exactly`], but only if `may_unlink` returns true. `may_unlink`
/// gets the secret path of the object below `root`: from then on, no process can open the object by
/// name.
pub fn unlink_if(
    root: &Path,
    path: &Path,
    device: u64,
    inode: u64,
    may_unlink: &dyn Fn(&Path) -> bool,
) -> io::Result<Removal> {
    unlink_step_by_step(root, path, device, inode, may_unlink, |_| ())
}

/// The last completed step of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The name was checked and belongs to the object.
    Checked,
    /// The temporary name was chosen, and its directory created.
    Chosen,
    /// The object with the name was moved there.
    Renamed,
}

/// Runs `meanwhile` after each step. Tests simulate other processes with it.
fn unlink_step_by_step(
    root: &Path,
    path: &Path,
    device: u64,
    inode: u64,
    may_unlink: &dyn Fn(&Path) -> bool,
    mut meanwhile: impl FnMut(Step),
) -> io::Result<Removal> {
    let (directory, name) = match open_parent(root, path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Gone),
        Err(error) => return Err(error),
    };
    // Most replaced objects are detected here, before anything has changed.
    match is_same_object(directory.as_fd(), &name, device, inode)? {
        Some(true) => {}
        Some(false) => return Ok(Removal::Another),
        None => return Ok(Removal::Gone),
    }
    meanwhile(Step::Checked);
    let temporary = TemporaryName::choose(directory.as_fd(), &name)?;
    meanwhile(Step::Chosen);
    match rename_between(directory.as_fd(), &name, temporary.directory(&directory), &temporary.name) {
        Ok(()) => {}
        Err(error) => {
            temporary.remove_directory(&directory);
            return match error.raw_os_error() {
                // This process was stopped for so long that a recovery removed the directory as a
                // leftover.
                Some(libc::ENOENT)
                    if is_same_object(directory.as_fd(), &name, device, inode)? == Some(true) =>
                {
                    unlink_step_by_step(root, path, device, inode, may_unlink, meanwhile)
                }
                Some(libc::ENOENT) => Ok(Removal::Gone),
                Some(libc::EINVAL) => Err(io::Error::other(
                    "the file system at /dev/shm cannot rename without replacing (RENAME_NOREPLACE)",
                )),
                _ => Err(error),
            };
        }
    }
    meanwhile(Step::Renamed);
    let removed = match is_same_object(temporary.directory(&directory), &temporary.name, device, inode) {
        Ok(Some(true)) if !may_unlink(&temporary.path(path)) => Ok(Removal::Refused),
        Ok(Some(true)) => unlink(temporary.directory(&directory), &temporary.name).map(|()| Removal::Removed),
        Ok(_) => Ok(Removal::Another),
        Err(error) => Err(error),
    };
    if let Ok(Removal::Removed) = removed {
        temporary.remove_directory(&directory);
        return removed;
    }
    // Restore the name, whatever the reason.
    match rename_between(temporary.directory(&directory), &temporary.name, directory.as_fd(), &name) {
        Ok(()) => {
            temporary.remove_directory(&directory);
            removed
        }
        Err(error) if removed.is_err() || error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Removal::NotRestored(temporary.path(path)))
        }
        Err(error) => Err(error),
    }
}

/// Renames `from` to `to` below `root`, unless `to` exists.
///
/// # Errors
/// `EEXIST` if `to` exists, `ENOENT` if `from` does not, `EACCES` and `EPERM`; `EXDEV` for two
/// different directories, unless the first was created in the second by a removal. That directory
/// is then removed.
pub fn rename_below(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    let leaves =
        from.parent().filter(|parent| is_removal_directory(parent) && parent.parent() == to.parent());
    if from.parent() != to.parent() && leaves.is_none() {
        return Err(io::Error::from_raw_os_error(libc::EXDEV));
    }
    let (from_directory, from) = open_parent(root, from)?;
    let (to_directory, to) = open_parent(root, to)?;
    rename_between(from_directory.as_fd(), &from, to_directory.as_fd(), &to)?;
    if let Some(Ok(name)) = leaves.and_then(Path::file_name).map(|name| CString::new(name.as_bytes())) {
        // Fails if other processes have put something into the directory.
        let _ = remove_directory(to_directory.as_fd(), &name);
    }
    Ok(())
}

/// Removes an empty directory at `path` below `root`.
///
/// # Errors
/// `ENOTEMPTY`, `ENOENT` if the directory is gone, `ENOTDIR` if it is not a directory.
pub fn remove_directory_below(root: &Path, path: &Path) -> io::Result<()> {
    let (directory, name) = open_parent(root, path)?;
    remove_directory(directory.as_fd(), &name)
}

/// The temporary place of an object that is being removed.
struct TemporaryName {
    /// The directory created for the object, and its name.
    own: Option<(OwnedFd, CString)>,
    name: CString,
}

impl TemporaryName {
    /// Chooses a free place for the object of that name.
    fn choose(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<Self> {
        let beside = temporary_name(name.to_bytes())?;
        let is_own = statx_at(directory, name).is_ok_and(|stat| stat.uid == geteuid().as_raw());
        if is_own && name_before(beside.to_bytes()).is_some() {
            return Ok(Self { own: None, name: beside });
        }
        let directory_name = temporary_name(b"")?;
        let created = mkdirat(directory, directory_name.as_c_str(), Mode::S_IRWXU).and_then(|()| {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
            openat(directory, directory_name.as_c_str(), flags, Mode::empty())
        });
        Ok(match created {
            Ok(fd) => Self { own: Some((fd, directory_name)), name: name.to_owned() },
            // A full file system has no room for a directory, but removal must work there too.
            Err(_) => Self { own: None, name: beside },
        })
    }

    fn directory<'a>(&'a self, beside: &'a OwnedFd) -> BorrowedFd<'a> {
        self.own.as_ref().map_or(beside.as_fd(), |(fd, _)| fd.as_fd())
    }

    /// Removes the directory created for the object, unless something is in it.
    fn remove_directory(&self, beside: &OwnedFd) {
        if let Some((_, name)) = &self.own {
            let _ = remove_directory(beside.as_fd(), name);
        }
    }

    /// Returns the temporary path of the object at `before`.
    fn path(&self, before: &Path) -> PathBuf {
        let name = |name: &CStr| OsStr::from_bytes(name.to_bytes()).to_owned();
        match &self.own {
            None => before.with_file_name(name(&self.name)),
            Some((_, directory)) => before.with_file_name(name(directory)).join(name(&self.name)),
        }
    }
}

fn is_same_object(
    directory: BorrowedFd<'_>,
    name: &CStr,
    device: u64,
    inode: u64,
) -> io::Result<Option<bool>> {
    match statx_at(directory, name) {
        Ok(stat) => Ok(Some(stat.is_regular() && stat.device == device && stat.inode == inode)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a random name, followed by the original name if there is room.
fn temporary_name(name: &[u8]) -> io::Result<CString> {
    let random = RandomState::new().hash_one(std::process::id());
    let mut temporary = format!("{REMOVING_PREFIX}{random:0RANDOM_DIGITS$x}").into_bytes();
    if !name.is_empty() && temporary.len() + 1 + name.len() <= MAX_NAME_LENGTH {
        temporary.push(b'-');
        temporary.extend_from_slice(name);
    }
    CString::new(temporary).map_err(io::Error::other)
}

/// Returns the original name of an object that a removal renamed to `temporary`. `None` for any
/// other name, or if the original name was too long to include.
pub fn name_before(temporary: &[u8]) -> Option<&[u8]> {
    let (digits, rest) =
        temporary.strip_prefix(REMOVING_PREFIX.as_bytes())?.split_at_checked(RANDOM_DIGITS)?;
    let name = rest.strip_prefix(b"-").filter(|name| !name.is_empty())?;
    digits.iter().all(u8::is_ascii_hexdigit).then_some(name)
}

/// Returns the path before a removal, like [`name_before`], including objects in a directory
/// created by a removal.
pub fn path_before(temporary: &Path) -> Option<PathBuf> {
    let name = temporary.file_name()?;
    match temporary.parent() {
        Some(directory) if is_removal_directory(directory) => Some(directory.with_file_name(name)),
        _ => Some(temporary.with_file_name(OsStr::from_bytes(name_before(name.as_bytes())?))),
    }
}

/// Returns true if a removal created this directory, judging by its name.
pub fn is_removal_directory(directory: &Path) -> bool {
    let name = directory.file_name().map(OsStr::as_bytes).unwrap_or_default();
    let digits = name.strip_prefix(REMOVING_PREFIX.as_bytes()).unwrap_or_default();
    digits.len() == RANDOM_DIGITS && digits.iter().all(u8::is_ascii_hexdigit)
}

/// Renames without replacing anything (`RENAME_NOREPLACE`). Uses a raw system call because musl has
/// no wrapper.
pub(super) fn rename_to_free(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> io::Result<()> {
    rename_between(directory, from, directory, to)
}

/// Renames like [`rename_to_free`], between two directories.
fn rename_between(
    directory: BorrowedFd<'_>,
    from: &CStr,
    to_directory: BorrowedFd<'_>,
    to: &CStr,
) -> io::Result<()> {
    rename_with((directory, from), (to_directory, to), libc::RENAME_NOREPLACE)
}

/// Exchanges two names in a directory, `RENAME_EXCHANGE`.
///
/// # Errors
/// `ENOENT` if either name is gone, `EINVAL` if the file system does not support it.
pub(super) fn exchange(directory: BorrowedFd<'_>, one: &CStr, other: &CStr) -> io::Result<()> {
    rename_with((directory, one), (directory, other), libc::RENAME_EXCHANGE)
}

fn rename_with(
    (directory, from): (BorrowedFd<'_>, &CStr),
    (to_directory, to): (BorrowedFd<'_>, &CStr),
    flags: libc::c_uint,
) -> io::Result<()> {
    let (fd, to_fd) = (directory.as_raw_fd(), to_directory.as_raw_fd());
    // SAFETY: both names end in NUL and live through the call, which reads no other memory.
    let result = unsafe { libc::syscall(libc::SYS_renameat2, fd, from.as_ptr(), to_fd, to.as_ptr(), flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Removes a name, `unlinkat(2)`.
pub(super) fn unlink(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    // SAFETY: the name ends in NUL and lives through the call.
    check(unsafe { libc::unlinkat(directory.as_raw_fd(), name.as_ptr(), 0) }).map(drop)
}

/// Removes an empty directory, `unlinkat(2)`.
fn remove_directory(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    Ok(nix::unistd::unlinkat(directory, name, UnlinkatFlags::RemoveDir)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn checked_object_is_removed() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("dir")).unwrap();
        for path in ["one", "dir/two"] {
            fs::write(root.path().join(path), b"x").unwrap();
            let seen = fs::metadata(root.path().join(path)).unwrap();
            let remove = || unlink_exactly(root.path(), Path::new(path), seen.dev(), seen.ino()).unwrap();
            assert_eq!(remove(), Removal::Removed);
            assert_eq!(remove(), Removal::Gone);
        }
        assert_eq!(names(root.path()), ["dir"]);
        assert!(names(&root.path().join("dir")).is_empty());
    }

    #[test]
    fn another_object_with_the_name_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        fs::write(&path, b"old").unwrap();
        // Keep the file open so that its inode number is not reused.
        let old = fs::File::open(&path).unwrap().metadata().unwrap();
        fs::rename(&path, root.path().join("old")).unwrap();
        fs::write(&path, b"new").unwrap();
        let removal = unlink_exactly(root.path(), Path::new("name"), old.dev(), old.ino()).unwrap();
        assert_eq!(removal, Removal::Another);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(root.path()), ["name", "old"]);
    }

    /// Removes `name` while `others` acts after each step. Returns the outcome.
    fn meanwhile(root: &Path, others: impl Fn(Step)) -> Removal {
        fs::write(root.join("name"), b"planned").unwrap();
        let seen = fs::metadata(root.join("name")).unwrap();
        unlink_step_by_step(root, Path::new("name"), seen.dev(), seen.ino(), &|_| true, others).unwrap()
    }

    #[test]
    fn object_moved_by_mistake_gets_its_name_back() {
        for kind in ["object", "link", "directory", "nothing"] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("name");
            let removal = meanwhile(root.path(), |step| {
                if step == Step::Checked {
                    fs::rename(&path, root.path().join("planned")).unwrap();
                    match kind {
                        "object" => fs::write(&path, b"new").unwrap(),
                        "link" => std::os::unix::fs::symlink("planned", &path).unwrap(),
                        "directory" => fs::create_dir(&path).unwrap(),
                        _ => {}
                    }
                }
            });
            let nothing = kind == "nothing";
            assert_eq!(removal, if nothing { Removal::Gone } else { Removal::Another }, "{kind}");
            let expected: &[&str] = if nothing { &["planned"] } else { &["name", "planned"] };
            assert_eq!(names(root.path()), expected, "{kind}");
            assert_eq!(fs::read(root.path().join("planned")).unwrap(), b"planned");
        }
    }

    #[test]
    fn object_moved_by_mistake_does_not_replace_a_third() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        let removal = meanwhile(root.path(), |step| match step {
            Step::Checked => {
                fs::rename(&path, root.path().join("planned")).unwrap();
                fs::write(&path, "second").unwrap();
            }
            Step::Chosen => {}
            Step::Renamed => fs::write(&path, "third").unwrap(),
        });
        let Removal::NotRestored(temporary) = removal else { panic!("{removal:?}") };
        let read = |name: &Path| fs::read(root.path().join(name)).unwrap();
        assert_eq!(read(&temporary), b"second");
        assert_eq!(
            (read(Path::new("name")), read(Path::new("planned"))),
            (b"third".into(), b"planned".into())
        );
        assert_eq!(name_before(temporary.as_os_str().as_bytes()), Some(&b"name"[..]));
        assert_eq!(names(root.path()).len(), 3);
    }

    #[test]
    fn another_object_with_the_name_is_not_moved() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("name"), b"other").unwrap();
        let seen = fs::metadata(root.path().join("name")).unwrap();
        let path = Path::new("name");
        let removal = unlink_step_by_step(root.path(), path, seen.dev(), seen.ino() + 1, &|_| true, |step| {
            panic!("{step:?}");
        });
        assert_eq!(removal.unwrap(), Removal::Another);
    }

    #[test]
    fn removal_survives_the_loss_of_its_directory() {
        let root = tempfile::tempdir().unwrap();
        // This name is too long to be part of the temporary name.
        let name = "x".repeat(MAX_NAME_LENGTH);
        fs::write(root.path().join(&name), b"planned").unwrap();
        let seen = fs::metadata(root.path().join(&name)).unwrap();
        let mut removed = 0;
        let removal = unlink_step_by_step(
            root.path(),
            Path::new(&name),
            seen.dev(),
            seen.ino(),
            &|_| true,
            &mut |step| {
                if step == Step::Chosen && removed == 0 {
                    let names = names(root.path());
                    let directory = names.iter().find(|name| is_removal_directory(Path::new(name))).unwrap();
                    remove_directory_below(root.path(), Path::new(directory)).unwrap();
                    removed += 1;
                }
            },
        );
        assert_eq!((removal.unwrap(), removed), (Removal::Removed, 1));
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn object_created_after_the_move_is_kept() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        let removal = meanwhile(root.path(), |step| {
            if step == Step::Renamed {
                fs::write(&path, b"new").unwrap();
            }
        });
        assert_eq!(removal, Removal::Removed);
        assert_eq!(names(root.path()), ["name"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn refused_removal_gives_the_name_back() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("name"), b"planned").unwrap();
        let seen = fs::metadata(root.path().join("name")).unwrap();
        let refuse = |temporary: &Path| {
            assert_eq!(fs::metadata(root.path().join(temporary)).unwrap().ino(), seen.ino());
            assert!(!root.path().join("name").exists());
            false
        };
        let removal = unlink_if(root.path(), Path::new("name"), seen.dev(), seen.ino(), &refuse);
        assert_eq!(removal.unwrap(), Removal::Refused);
        assert_eq!(names(root.path()), ["name"]);
        assert_eq!(fs::metadata(root.path().join("name")).unwrap().ino(), seen.ino());
    }

    #[test]
    fn temporary_names_contain_the_original_name() {
        for name in [&b"name"[..], b"-", b"\xff\n", &[b'x'; 221]] {
            let temporary = temporary_name(name).unwrap();
            assert_eq!(name_before(temporary.to_bytes()), Some(name));
            assert!(temporary.to_bytes().len() <= MAX_NAME_LENGTH);
        }
        assert_eq!(name_before(temporary_name(&[b'x'; 222]).unwrap().to_bytes()), None);
        let before = |path: &str| path_before(Path::new(path)).map(|path| path.to_str().unwrap().to_owned());
        assert_eq!(before("d/shmlens-removing-0123456789abcdef-a"), Some("d/a".to_owned()));
        assert_eq!(before("d/shmlens-removing-0123456789abcdef/a"), Some("d/a".to_owned()));
        assert_eq!(before("shmlens-removing-0123456789abcdef/a"), Some("a".to_owned()));
        assert_eq!(before("shmlens-removing-0123456789abcdef-b/a"), None);
        assert_eq!(before("d/a"), None);
        for other in [
            "name",
            REMOVING_PREFIX,
            "shmlens-removing-0123456789abcdef",
            "shmlens-removing-0123456789abcdeg-a",
        ] {
            assert_eq!(name_before(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn interrupted_removal_keeps_a_name_of_any_length() {
        let root = tempfile::tempdir().unwrap();
        for length in [1, 221, 222, 255] {
            let name = "x".repeat(length);
            fs::write(root.path().join(&name), b"planned").unwrap();
            let seen = fs::metadata(root.path().join(&name)).unwrap();
            // Simulate a kill after the object was renamed.
            let killed = std::panic::catch_unwind(|| {
                let stop = |step| assert!(step != Step::Renamed, "killed");
                unlink_step_by_step(root.path(), Path::new(&name), seen.dev(), seen.ino(), &|_| true, stop)
            });
            assert!(killed.is_err());
            let [temporary] = &names(root.path())[..] else { panic!("{:?}", names(root.path())) };
            let mut temporary = PathBuf::from(temporary);
            if root.path().join(&temporary).is_dir() {
                temporary.push(&names(&root.path().join(&temporary))[0]);
            }
            assert_eq!(path_before(&temporary).as_deref(), Some(Path::new(&name)), "{length}");
            rename_below(root.path(), &temporary, Path::new(&name)).unwrap();
            assert_eq!(names(root.path()), std::slice::from_ref(&name));
            let removal = unlink_exactly(root.path(), Path::new(&name), seen.dev(), seen.ino()).unwrap();
            assert_eq!(removal, Removal::Removed);
            assert!(names(root.path()).is_empty());
        }
    }

    #[test]
    fn rename_never_replaces() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"a").unwrap();
        fs::write(root.path().join("b"), b"b").unwrap();
        let directory = super::super::object::open_directory(root.path()).unwrap();
        let error = rename_to_free(directory.as_fd(), c"a", c"b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(root.path().join("b")).unwrap(), b"b");
    }
}
