//! What is below `/dev/shm`, subdirectories too, never through a symbolic link.

use super::object_stat;
use crate::machine::{ObjectListing, Unreadable};
use crate::segment::ObjectName;
use crate::sys;
use nix::dir::Dir;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Directories deeper than this are reported, not entered: every level keeps
/// a descriptor open, and nobody shares memory thirty directories down.
const DEEPEST: usize = 32;

pub fn list(root: &Path) -> io::Result<ObjectListing> {
    let mut listing = ObjectListing::default();
    let directory = sys::object::open_directory(root)?;
    walk(&mut listing, &directory, &mut Vec::new(), 0)?;
    Ok(listing)
}

/// Lists one directory. `path` is its path below the root, with a slash at its
/// end unless it is the root itself.
fn walk(
    listing: &mut ObjectListing,
    directory: &OwnedFd,
    path: &mut Vec<u8>,
    depth: usize,
) -> io::Result<()> {
    // A directory stream moves the offset of its descriptor, so it gets its own.
    let mut stream = Dir::from_fd(directory.try_clone()?)?;
    let mut denied = None;
    for entry in stream.iter() {
        let entry = entry?;
        let file_name = entry.file_name();
        if matches!(file_name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match sys::statx_at(directory.as_fd(), file_name) {
            Ok(stat) => stat,
            // Its names may be read, and nothing behind them looked at (r without x).
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                denied = Some(error);
                continue;
            }
            // What is gone since it was listed is not there any more.
            Err(_) => continue,
        };
        let before = path.len();
        path.extend_from_slice(file_name.to_bytes());
        if let Some(name) = ObjectName::new(path) {
            if stat.is_regular() {
                listing.objects.push((name, object_stat(&stat)));
            } else if stat.is_directory() {
                if let Err(error) = enter(listing, directory, file_name, path, depth) {
                    let (kind, reason) = (error.kind(), error.to_string());
                    let (uid, gid, mode) = (stat.uid, stat.gid, stat.mode);
                    listing.unreadable.push(Unreadable { name, uid, gid, mode, kind, reason });
                }
            } else {
                listing.others.push(name);
            }
        }
        path.truncate(before);
    }
    match denied {
        // Of the root all the others are worth more.
        Some(error) if depth > 0 => Err(error),
        _ => Ok(()),
    }
}

fn enter(
    listing: &mut ObjectListing,
    parent: &OwnedFd,
    file_name: &CStr,
    path: &mut Vec<u8>,
    depth: usize,
) -> io::Result<()> {
    if depth == DEEPEST {
        return Err(io::Error::other(format!("more than {DEEPEST} directories deep")));
    }
    let directory =
        sys::object::open_subdirectory(parent, Path::new(OsStr::from_bytes(file_name.to_bytes())))?;
    path.push(b'/');
    walk(listing, &directory, path, depth + 1)
}
