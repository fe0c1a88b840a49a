//! Lists `/dev/shm` and its subdirectories without following symbolic links or entering other
//! mounts.

use super::object_stat;
use super::process::{is_exhausted, mounts::has_mounts};
use crate::machine::{ObjectListing, UnreadableDirectory};
use crate::segment::ObjectName;
use crate::sys::{self, FileStat};
use nix::dir::Dir;
use nix::errno::Errno;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Deeper directories are reported but not entered: each level keeps a descriptor open, and real
/// programs do not nest objects this deep.
const MAX_DEPTH: usize = 32;

pub fn list(root: &Path) -> io::Result<ObjectListing> {
    let directory = sys::object::open_directory(root)?;
    let stat = sys::statx_fd(directory.as_fd())?;
    let check_mounts = stat.mount.is_none_or(has_mounts);
    let mut walker = Walker { listing: ObjectListing::default(), root: stat, check_mounts };
    walk(&mut walker, &directory, &mut Vec::new(), 0)?;
    Ok(walker.listing)
}

struct Walker {
    listing: ObjectListing,
    root: FileStat,
    /// Set if something may be mounted below the root. `statx(2)` on a mount point queries the
    /// mounted file system, which may hang (NFS, FUSE), so names are then opened with
    /// `RESOLVE_NO_XDEV` first, at twice the cost.
    check_mounts: bool,
}

impl Walker {
    /// Returns the stat of a name; `EXDEV` for a mount point.
    fn stat(&self, directory: &OwnedFd, name: &CStr) -> io::Result<FileStat> {
        if self.check_mounts {
            return sys::object::stat_within(directory, name);
        }
        let stat = sys::statx_at(directory.as_fd(), name)?;
        // It was mounted after the list of mounts was read.
        if stat.is_on_mount_of(&self.root) { Ok(stat) } else { Err(Errno::EXDEV.into()) }
    }
}

/// Lists a directory. `path` is relative to the root, and ends with a slash unless it is the root.
fn walk(walker: &mut Walker, directory: &OwnedFd, path: &mut Vec<u8>, depth: usize) -> io::Result<()> {
    // Reading a directory moves the offset of its descriptor, so use a copy.
    let mut stream = Dir::from_fd(directory.try_clone()?)?;
    let mut denied = None;
    walker.listing.directories += 1;
    for entry in stream.iter() {
        let entry = entry?;
        let file_name = entry.file_name();
        if matches!(file_name.to_bytes(), b"." | b"..") {
            continue;
        }
        let before = path.len();
        let stat = match walker.stat(directory, file_name) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                path.extend_from_slice(file_name.to_bytes());
                walker.listing.mounts.extend(ObjectName::new(path));
                path.truncate(before);
                continue;
            }
            // The names are readable but not accessible (r without x).
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                denied = Some(error);
                continue;
            }
            Err(error) if is_exhausted(&error) => return Err(error),
            // It was removed after it was listed.
            Err(_) => continue,
        };
        path.extend_from_slice(file_name.to_bytes());
        if let Some(name) = ObjectName::new(path) {
            if stat.is_regular() {
                walker.listing.objects.push((name, object_stat(&stat)));
                path.truncate(before);
                continue;
            }
            if stat.is_directory()
                && let Err(error) = enter(walker, directory, file_name, path, depth)
            {
                let (kind, reason) = (error.kind(), error.to_string());
                let (name, uid, gid, mode) = (name.clone(), stat.uid, stat.gid, stat.mode);
                walker.listing.unreadable.push(UnreadableDirectory { name, uid, gid, mode, kind, reason });
            }
            walker.listing.others.push(name);
        }
        path.truncate(before);
    }
    match denied {
        // The root lists the others in any case.
        Some(error) if depth > 0 => Err(error),
        _ => Ok(()),
    }
}

fn enter(
    walker: &mut Walker,
    parent: &OwnedFd,
    file_name: &CStr,
    path: &mut Vec<u8>,
    depth: usize,
) -> io::Result<()> {
    if depth == MAX_DEPTH {
        return Err(io::Error::other(format!("deeper than {MAX_DEPTH} directories")));
    }
    let directory =
        sys::object::open_subdirectory(parent, Path::new(OsStr::from_bytes(file_name.to_bytes())))?;
    path.push(b'/');
    walk(walker, &directory, path, depth + 1)
}
