//! The state directory of shmlens, for copies and the change log, as in the XDG base directory
//! specification. Its mode is 0700, and it belongs to this user. Symbolic links are not followed
//! inside the directory, but may lead to it.

use super::save::printable;
use crate::segment::plain_error;
use crate::sys::regular::{Links, open_regular};
use crate::sys::unfinished::{Amount, remove_abandoned};
use nix::fcntl::{AT_FDCWD, AtFlags, Flock, FlockArg};
use nix::unistd::{AccessFlags, Uid, User, faccessat, geteuid};
use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDirectory {
    path: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// This user has no home directory.
    #[error("no directory for copies and the log: you have no home directory. {SET_STATE_HOME}")]
    Homeless,
    #[error("failed to use {} for copies and the log: owned by another user. {SET_STATE_HOME}", printable(.path))]
    Foreign { path: PathBuf },
    #[error("failed to use {} for copies and the log: {}. {SET_STATE_HOME}", printable(.path), plain_error(.source))]
    Unusable { path: PathBuf, source: io::Error },
}

impl StateError {
    /// Returns true if this user has nowhere to put a state directory, such as a service without a
    /// home directory, or a user under `sudo -u` with the home directory of another user. That is
    /// no reason to refuse changes, unlike a file in place of the directory.
    #[must_use]
    pub fn is_homeless(&self) -> bool {
        use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self {
            Self::Homeless => true,
            Self::Foreign { .. } => false,
            Self::Unusable { source, .. } => matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem),
        }
    }
}

impl StateError {
    fn is_missing(&self) -> bool {
        matches!(self, Self::Unusable { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// Returns the state directory of a user, as far as another process can determine it. `None` stands
/// for the current user.
pub(super) fn directory_of(user: Option<u32>) -> Option<PathBuf> {
    match user {
        None => Some(StateDirectory::find().ok()?.path),
        Some(uid) => {
            let home = User::from_uid(Uid::from_raw(uid)).ok().flatten()?.dir;
            Some(home.join(".local/state/shmlens"))
        }
    }
}

/// Opens a file in the state directory of a user for reading. Fails unless it is a regular file of
/// this user.
pub(super) fn open_for_user(user: Option<u32>, path: &Path) -> Option<File> {
    let file = open_regular(path, File::options().read(true), Links::Refuse).ok()?;
    let owner = file.metadata().ok()?.uid();
    (owner == user.unwrap_or_else(|| geteuid().as_raw())).then_some(file)
}

const SET_STATE_HOME: &str = "Set XDG_STATE_HOME to a directory that you own";

impl StateDirectory {
    /// Returns `$XDG_STATE_HOME/shmlens`, or `~/.local/state/shmlens` by default, without creating
    /// it. Under sudo, this is root's directory, and variables that point to directories of the
    /// calling user are ignored.
    pub fn find() -> Result<Self, StateError> {
        let caller = env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
        let caller = caller.filter(|&uid| uid != geteuid().as_raw());
        path_for(|name| env::var_os(name), caller).map(|path| Self { path }).ok_or(StateError::Homeless)
    }

    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Returns the path of the directory, which may not exist yet.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns true if the permissions let this user write to the directory or create it.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let there = self.path.ancestors().find(|path| path.exists());
        let access = AccessFlags::W_OK | AccessFlags::X_OK;
        there.is_some_and(|path| faccessat(AT_FDCWD, path, access, AtFlags::AT_EACCESS).is_ok())
            && self.check(&self.path).map_or_else(|error| error.is_missing(), |_| true)
    }

    /// Removes unfinished files of killed commands.
    #[must_use]
    pub fn remove_unfinished(&self) -> Amount {
        let mut removed = Amount::default();
        let entries = fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok);
        for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            if self.check(&entry.path()).is_ok() {
                removed.add(remove_abandoned(&entry.path()));
            }
        }
        removed
    }

    /// Acquires a lock that only one process of this user can hold. Calls `wait` before blocking.
    /// Returns `None` if the lock file cannot be used.
    #[must_use]
    pub fn lock(&self, name: &str, wait: impl FnOnce()) -> Option<Flock<File>> {
        let mut options = File::options();
        let options = options.write(true).create(true).truncate(false).mode(0o600);
        let file = open_regular(&self.subdirectory("").ok()?.join(name), options, Links::Refuse).ok()?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock)
            .or_else(|(file, _)| {
                wait();
                Flock::lock(file, FlockArg::LockExclusive)
            })
            .ok()
    }

    /// Returns the path of a subdirectory, or `None` if it does not exist. Fails if it is not a
    /// directory of this user.
    pub(super) fn existing_subdirectory(&self, name: &str) -> Result<Option<PathBuf>, StateError> {
        let path = self.path.join(name);
        for path in [&self.path, &path] {
            match self.check(path) {
                Ok(_) => {}
                Err(StateError::Unusable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(path))
    }

    /// Returns the path of a subdirectory, which is created with mode 0700 if it does not exist.
    pub(super) fn subdirectory(&self, name: &str) -> Result<PathBuf, StateError> {
        self.make(&self.path)?;
        let path = if name.is_empty() { self.path.clone() } else { self.path.join(name) };
        self.make(&path)?;
        Ok(path)
    }

    fn make(&self, path: &Path) -> Result<(), StateError> {
        let failed = |source| StateError::Unusable { path: path.to_owned(), source };
        match DirBuilder::new().recursive(true).mode(0o700).create(path) {
            // `check` reports a file with that name.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failed(error)),
            _ => {}
        }
        let mode = self.check(path)?;
        if mode & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }

    /// Checks that this is a directory of this user, and returns its mode.
    #[expect(clippy::unused_self, reason = "only directories in it are checked")]
    fn check(&self, path: &Path) -> Result<u32, StateError> {
        let failed = |source| StateError::Unusable { path: path.to_owned(), source };
        let stat = fs::symlink_metadata(path).map_err(failed)?;
        if stat.is_symlink() {
            return Err(failed(io::Error::other("is a symbolic link, not a directory")));
        }
        if !stat.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        if stat.uid() != geteuid().as_raw() {
            return Err(StateError::Foreign { path: path.to_owned() });
        }
        Ok(stat.mode())
    }
}

/// `caller` is the user who called sudo. Directories of the caller are not used.
fn path_for(lookup: impl Fn(&str) -> Option<OsString>, caller: Option<u32>) -> Option<PathBuf> {
    // The specification says to ignore relative paths.
    let own = |name| {
        let path = lookup(name).map(PathBuf::from).filter(|path| path.is_absolute())?;
        (caller.is_none() || owner(&path) != caller).then_some(path)
    };
    let home = || own("HOME").or_else(|| User::from_uid(geteuid()).ok().flatten().map(|user| user.dir));
    let directory = own("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local/state")))?;
    Some(directory.join("shmlens"))
}

/// Returns the owner of the path or of its nearest existing ancestor.
fn owner(path: &Path) -> Option<u32> {
    path.ancestors().find_map(|path| fs::metadata(path).ok()).map(|stat| stat.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(set: &[(&str, &str)], caller: Option<u32>) -> Option<PathBuf> {
        path_for(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into()), caller)
    }

    #[test]
    fn state_directory_is_below_the_state_home_or_home() {
        let at = |text: &str| Some(Path::new(text).to_owned());
        assert_eq!(path_of(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")], None), at("/s/shmlens"));
        for ignored in ["", "relative/path"] {
            let set = [("XDG_STATE_HOME", ignored), ("HOME", "/h")];
            assert_eq!(path_of(&set, None), at("/h/.local/state/shmlens"));
        }
        assert!(path_of(&[], None).is_some_and(|path| path.ends_with(".local/state/shmlens")));
    }

    #[test]
    fn directory_of_the_caller_is_not_used_under_sudo() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().to_str().unwrap();
        let me = fs::metadata(directory.path()).unwrap().uid();
        let set = [("XDG_STATE_HOME", text), ("HOME", text)];
        assert_eq!(path_of(&set, Some(me + 1)), Some(directory.path().join("shmlens")));
        assert!(!path_of(&set, Some(me)).unwrap().starts_with(directory.path()));
        assert!(!directory.path().join("shmlens").exists());
    }

    #[test]
    fn directory_of_another_user_is_refused() {
        if !crate::sys::skip::is_root_or_skip() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        let subdirectory = state.subdirectory("copies").unwrap();
        for path in [&subdirectory, state.path()] {
            std::os::unix::fs::chown(path, Some(1000), None).unwrap();
            assert!(matches!(state.subdirectory("copies"), Err(StateError::Foreign { .. })));
            std::os::unix::fs::chown(path, Some(0), None).unwrap();
        }
        state.subdirectory("copies").unwrap();
    }

    #[test]
    fn subdirectories_are_private() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("a/b"));
        let subdirectory = state.subdirectory("copies").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&subdirectory), mode(state.path())), (0o700, 0o700));
        fs::set_permissions(&subdirectory, Permissions::from_mode(0o755)).unwrap();
        state.subdirectory("copies").unwrap();
        assert_eq!(mode(&subdirectory), 0o700);
        std::os::unix::fs::symlink("/", state.path().join("link")).unwrap();
        assert!(matches!(state.subdirectory("link"), Err(StateError::Unusable { .. })));
    }
}
