//! Opens regular files only, without blocking (`open(2)`). A FIFO, a device or a directory is an
//! error.

use super::object::kind_of;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The treatment of a symbolic link at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    Follow,
    Refuse,
}

/// Opens a regular file with these options.
pub fn open_regular(path: &Path, options: &OpenOptions, links: Links) -> io::Result<File> {
    // Check before opening: opening a device may rewind a tape or start a watchdog.
    let stat = match links {
        Links::Follow => fs::metadata(path),
        Links::Refuse => fs::symlink_metadata(path),
    };
    match stat {
        Ok(stat) => check(stat.mode())?,
        // The options may ask to create the file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    if links == Links::Refuse {
        flags |= libc::O_NOFOLLOW;
    }
    let file = options.clone().custom_flags(flags).open(path)?;
    // The file may have been replaced since the check.
    check(file.metadata()?.mode())?;
    Ok(file)
}

/// Reads a whole file. `None` if it is longer than `limit` bytes.
pub fn read_at_most(file: &File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    // Rejects sparse files at once; devices and /proc report a length of 0.
    if file.metadata()?.len() > limit {
        return Ok(None);
    }
    let mut bytes = vec![];
    file.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn check(mode: u32) -> io::Result<()> {
    match kind_of(mode) {
        None => Ok(()),
        Some(kind) => Err(io::Error::other(format!("is {kind}, not a regular file"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::stat::Mode;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    fn open(path: &Path, links: Links) -> Result<File, String> {
        let options = OpenOptions::new().read(true).clone();
        open_regular(path, &options, links).map_err(|error| error.to_string())
    }

    #[test]
    fn only_regular_files_are_opened() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("file"), b"hello").unwrap();
        nix::unistd::mkfifo(&at("fifo"), Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        symlink("file", at("link")).unwrap();
        symlink("fifo", at("to-fifo")).unwrap();
        let mut appending = OpenOptions::new();
        appending.append(true).create(true);
        for (path, error) in [
            (at("fifo"), "is a FIFO (named pipe), not a regular file"),
            (at("to-fifo"), "is a FIFO (named pipe), not a regular file"),
            (at("socket"), "is a socket, not a regular file"),
            (at(""), "is a directory, not a regular file"),
            ("/dev/zero".into(), "is a character device, not a regular file"),
        ] {
            assert_eq!(open(&path, Links::Follow).unwrap_err(), error);
            // Opening a FIFO for writing would also block without a reader.
            let error_of = open_regular(&path, &appending, Links::Follow).unwrap_err();
            assert_eq!(error_of.to_string(), error);
        }
        assert_eq!(open(&at("link"), Links::Refuse).unwrap_err(), "is a symbolic link, not a regular file");
        let file = open(&at("link"), Links::Follow).unwrap();
        assert_eq!(read_at_most(&file, 5).unwrap().unwrap(), b"hello");
        assert!(open(&at("none"), Links::Refuse).is_err());
        open_regular(&at("none"), &appending, Links::Refuse).unwrap();
    }

    #[test]
    fn reading_stops_at_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sparse");
        File::create(&path).unwrap().set_len(5 << 30).unwrap();
        assert_eq!(read_at_most(&File::open(&path).unwrap(), 1 << 20).unwrap(), None);
        // `/dev/zero` reports no length.
        assert_eq!(read_at_most(&File::open("/dev/zero").unwrap(), 1 << 20).unwrap(), None);
        assert!(read_at_most(&File::open("/proc/self/status").unwrap(), 1 << 20).unwrap().is_some());
    }
}
