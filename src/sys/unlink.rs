//! Removing exactly the object that was looked at, `renameat2(2)` and
//! `unlink(2)`, and nothing that took its name meanwhile.
//!
//! `unlink` goes by name, and between a look and an unlink the name may have
//! passed to another object. So the object first gets a name that nobody else
//! knows, is looked at again there, and is only then unlinked.

use super::{check, open_parent, statx_at};
use std::ffi::{CStr, CString, OsStr};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What the name begins with that an object has while it is being removed. A
/// kill in between leaves it under that name, which tells its own one too
/// ([`name_before`]).
pub const ASIDE: &str = "shmlens-removing-";
/// How many digits stand behind that.
const DIGITS: usize = 16;
/// The longest name in a directory, in bytes.
const LONGEST_NAME: usize = 255;

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// It is unlinked.
    Removed,
    /// Nothing had the name any more.
    Gone,
    /// Another object had the name; it was left as it is.
    Another,
    /// Another object had taken the name between two calls, and before it could
    /// be given back a third one was made under it. The one that was moved away
    /// is whole, and is now called this.
    Astray(PathBuf),
}

/// Unlinks what is at `path` below `root`, if it is the object of that device
/// and inode.
///
/// # Errors
/// `EACCES` and `EPERM` when the directory does not allow it.
pub fn unlink_exactly(root: &Path, path: &Path, device: u64, inode: u64) -> io::Result<Removal> {
    unlink_step_by_step(root, path, device, inode, |_| ())
}

/// A step of a removal that is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The name was looked at, and is of that object.
    Looked,
    /// What has the name by now is moved aside.
    MovedAside,
}

/// `meanwhile` is what others do after a step: for tests.
fn unlink_step_by_step(
    root: &Path,
    path: &Path,
    device: u64,
    inode: u64,
    mut meanwhile: impl FnMut(Step),
) -> io::Result<Removal> {
    let (directory, name) = match open_parent(root, path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Gone),
        Err(error) => return Err(error),
    };
    // Most mismatches end here, with nothing touched.
    match is_it(&directory, &name, device, inode)? {
        Some(true) => {}
        Some(false) => return Ok(Removal::Another),
        None => return Ok(Removal::Gone),
    }
    meanwhile(Step::Looked);
    let aside = name_aside(name.to_bytes())?;
    match rename_to_free(directory.as_fd(), &name, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Removal::Gone),
        Err(error) => return Err(error),
    }
    meanwhile(Step::MovedAside);
    let removed = match is_it(&directory, &aside, device, inode) {
        Ok(Some(true)) => unlink(directory.as_fd(), &aside).map(|()| true),
        Ok(_) => Ok(false),
        Err(error) => Err(error),
    };
    let failed = match removed {
        Ok(true) => return Ok(Removal::Removed),
        Ok(false) => None,
        Err(error) => Some(error),
    };
    // It has to have its name back, whatever the reason.
    match rename_to_free(directory.as_fd(), &aside, &name) {
        Ok(()) => failed.map_or(Ok(Removal::Another), Err),
        Err(error) if failed.is_some() || error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(Removal::Astray(path.with_file_name(OsStr::from_bytes(aside.to_bytes()))))
        }
        Err(error) => Err(error),
    }
}

/// Renames what is at `from` below `root` to `to`, unless something has that name.
///
/// # Errors
/// `EEXIST` when it is taken, `ENOENT` when nothing is at `from`, `EACCES` and
/// `EPERM`; `EXDEV` for two directories, which no removal needs.
pub fn rename_below(root: &Path, from: &Path, to: &Path) -> io::Result<()> {
    if from.parent() != to.parent() {
        return Err(io::Error::from_raw_os_error(libc::EXDEV));
    }
    let (directory, from) = open_parent(root, from)?;
    let (_, to) = open_parent(root, to)?;
    rename_to_free(directory.as_fd(), &from, &to)
}

fn is_it(directory: &OwnedFd, name: &CStr, device: u64, inode: u64) -> io::Result<Option<bool>> {
    match statx_at(directory.as_fd(), name) {
        Ok(stat) => Ok(Some(stat.is_regular() && stat.device == device && stat.inode == inode)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name that no other program can foretell, with the name that it stands for
/// behind it, where there is room.
fn name_aside(name: &[u8]) -> io::Result<CString> {
    let random = RandomState::new().hash_one(std::process::id());
    let mut aside = format!("{ASIDE}{random:0DIGITS$x}").into_bytes();
    if aside.len() + 1 + name.len() <= LONGEST_NAME {
        aside.push(b'-');
        aside.extend_from_slice(name);
    }
    CString::new(aside).map_err(io::Error::other)
}

/// The name that an object had before a removal moved it aside, from the name
/// that it has now. `None` when no removal gave it that name, or when its own was
/// too long to stand in it.
#[must_use]
pub fn name_before(aside: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = aside.strip_prefix(ASIDE.as_bytes())?.split_at_checked(DIGITS)?;
    let name = rest.strip_prefix(b"-").filter(|name| !name.is_empty())?;
    digits.iter().all(u8::is_ascii_hexdigit).then_some(name)
}

/// Renames, but never over something: `RENAME_NOREPLACE`. By its number,
/// because musl has no wrapper for it.
pub(super) fn rename_to_free(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> io::Result<()> {
    rename_with(directory, from, to, libc::RENAME_NOREPLACE)
}

/// Exchanges two names of a directory, `RENAME_EXCHANGE`.
///
/// # Errors
/// `ENOENT` when one of them is gone, `EINVAL` where the file system cannot.
pub(super) fn exchange(directory: BorrowedFd<'_>, one: &CStr, other: &CStr) -> io::Result<()> {
    rename_with(directory, one, other, libc::RENAME_EXCHANGE)
}

fn rename_with(directory: BorrowedFd<'_>, from: &CStr, to: &CStr, flags: libc::c_uint) -> io::Result<()> {
    let fd = directory.as_raw_fd();
    // SAFETY: both names end in NUL and live through the call, which reads
    // nothing else of ours.
    let result = unsafe { libc::syscall(libc::SYS_renameat2, fd, from.as_ptr(), fd, to.as_ptr(), flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Takes a name away, `unlinkat(2)`.
pub(super) fn unlink(directory: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
    // SAFETY: the name ends in NUL and lives through the call.
    check(unsafe { libc::unlinkat(directory.as_raw_fd(), name.as_ptr(), 0) }).map(drop)
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
    fn the_one_that_was_looked_at_goes() {
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
    fn what_took_its_name_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        fs::write(&path, b"old").unwrap();
        // Held open, so that the inode number is not given to the new one.
        let old = fs::File::open(&path).unwrap().metadata().unwrap();
        fs::rename(&path, root.path().join("old")).unwrap();
        fs::write(&path, b"new").unwrap();
        let removal = unlink_exactly(root.path(), Path::new("name"), old.dev(), old.ino()).unwrap();
        assert_eq!(removal, Removal::Another);
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(root.path()), ["name", "old"]);
    }

    /// What becomes of `name` when others do this after that step of its removal.
    fn meanwhile(root: &Path, others: impl Fn(Step)) -> Removal {
        fs::write(root.join("name"), b"planned").unwrap();
        let seen = fs::metadata(root.join("name")).unwrap();
        unlink_step_by_step(root, Path::new("name"), seen.dev(), seen.ino(), others).unwrap()
    }

    #[test]
    fn what_takes_its_name_after_the_look_has_it_again() {
        for kind in ["object", "link", "directory", "nothing"] {
            let root = tempfile::tempdir().unwrap();
            let path = root.path().join("name");
            let removal = meanwhile(root.path(), |step| {
                if step == Step::Looked {
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
    fn what_was_moved_by_mistake_replaces_no_third_one() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        let removal = meanwhile(root.path(), |step| {
            if step == Step::Looked {
                fs::rename(&path, root.path().join("planned")).unwrap();
            }
            fs::write(&path, if step == Step::Looked { "second" } else { "third" }).unwrap();
        });
        let Removal::Astray(aside) = removal else { panic!("{removal:?}") };
        let read = |name: &Path| fs::read(root.path().join(name)).unwrap();
        assert_eq!(read(&aside), b"second");
        assert_eq!(
            (read(Path::new("name")), read(Path::new("planned"))),
            (b"third".into(), b"planned".into())
        );
        assert_eq!(name_before(aside.as_os_str().as_bytes()), Some(&b"name"[..]));
        assert_eq!(names(root.path()).len(), 3);
    }

    #[test]
    fn what_has_its_name_before_is_not_even_moved() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("name"), b"other").unwrap();
        let seen = fs::metadata(root.path().join("name")).unwrap();
        let path = Path::new("name");
        let removal = unlink_step_by_step(root.path(), path, seen.dev(), seen.ino() + 1, |step| {
            panic!("{step:?}");
        });
        assert_eq!(removal.unwrap(), Removal::Another);
    }

    #[test]
    fn what_is_made_under_its_name_once_it_is_moved_stays() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("name");
        let removal = meanwhile(root.path(), |step| {
            if step == Step::MovedAside {
                fs::write(&path, b"new").unwrap();
            }
        });
        assert_eq!(removal, Removal::Removed);
        assert_eq!(names(root.path()), ["name"]);
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn the_name_before_is_told_by_the_name_aside() {
        for name in [&b"name"[..], b"-", b"\xff\n", &[b'x'; 221]] {
            let aside = name_aside(name).unwrap();
            assert_eq!(name_before(aside.to_bytes()), Some(name));
            assert!(aside.to_bytes().len() <= LONGEST_NAME);
        }
        assert_eq!(name_before(name_aside(&[b'x'; 222]).unwrap().to_bytes()), None);
        for other in
            ["name", ASIDE, "shmlens-removing-0123456789abcdef", "shmlens-removing-0123456789abcdeg-a"]
        {
            assert_eq!(name_before(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_rename_never_replaces() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), b"a").unwrap();
        fs::write(root.path().join("b"), b"b").unwrap();
        let directory = super::super::object::open_directory(root.path()).unwrap();
        let error = rename_to_free(directory.as_fd(), c"a", c"b").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(root.path().join("b")).unwrap(), b"b");
    }
}
