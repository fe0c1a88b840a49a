//! The state directory: where copies and the record are kept. XDG base
//! directory specification; mode 0700, and this user's own.

use super::save::shown;
use crate::segment::plain_error;
use nix::unistd::{User, geteuid};
use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The state directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateDirectory {
    path: PathBuf,
}

/// Why there is no state directory.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// This user has no home.
    #[error("there is no place for copies and the record: set XDG_STATE_HOME to a directory of your own")]
    Homeless,
    /// It belongs to somebody else.
    #[error(
        "{} belongs to another user, so nothing is kept there: set XDG_STATE_HOME to a directory of your own",
        shown(.path)
    )]
    Foreign {
        /// Which.
        path: PathBuf,
    },
    /// It cannot be made or used.
    #[error("{} cannot be used to keep copies and the record: {}", shown(.path), plain_error(.source))]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl StateDirectory {
    /// `$XDG_STATE_HOME/shmlens`, or below `~/.local/state`. Under sudo that
    /// of root: what sudo left of the caller's environment is not followed to
    /// the caller's directories. Nothing is made yet.
    ///
    /// # Errors
    /// For a user without a home.
    pub fn find() -> Result<Self, StateError> {
        let caller = env::var("SUDO_UID").ok().and_then(|uid| uid.parse().ok());
        let caller = caller.filter(|&uid| uid != geteuid().as_raw());
        place(|name| env::var_os(name), caller).map(|path| Self { path }).ok_or(StateError::Homeless)
    }

    /// A directory that the caller chose.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is, made or not.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A folder in it, made where it was not there, and for this user only.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, StateError> {
        self.make(&self.path)?;
        let path = if name.is_empty() { self.path.clone() } else { self.path.join(name) };
        self.make(&path)?;
        Ok(path)
    }

    #[expect(clippy::unused_self, reason = "only what lies in it is made")]
    fn make(&self, path: &Path) -> Result<(), StateError> {
        let failed = |source| StateError::Unusable { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let stat = fs::symlink_metadata(path).map_err(failed)?;
        if !stat.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        if stat.uid() != geteuid().as_raw() {
            return Err(StateError::Foreign { path: path.to_owned() });
        }
        if stat.mode() & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(failed)?;
        }
        Ok(())
    }
}

/// `caller` is who called sudo: directories of theirs are not used.
fn place(lookup: impl Fn(&str) -> Option<OsString>, caller: Option<u32>) -> Option<PathBuf> {
    // A relative path there is to be ignored, by the specification.
    let own = |name| {
        let path = lookup(name).map(PathBuf::from).filter(|path| path.is_absolute())?;
        (caller.is_none() || owner(&path) != caller).then_some(path)
    };
    let home = || own("HOME").or_else(|| User::from_uid(geteuid()).ok().flatten().map(|user| user.dir));
    let directory = own("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local/state")))?;
    Some(directory.join("shmlens"))
}

/// Whose the path is, or the nearest part of it that exists.
fn owner(path: &Path) -> Option<u32> {
    path.ancestors().find_map(|path| fs::metadata(path).ok()).map(|stat| stat.uid())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &[(&str, &str)], caller: Option<u32>) -> Option<PathBuf> {
        place(|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| value.into()), caller)
    }

    #[test]
    fn below_the_state_home_or_the_home() {
        let at = |text: &str| Some(Path::new(text).to_owned());
        assert_eq!(found(&[("XDG_STATE_HOME", "/s"), ("HOME", "/h")], None), at("/s/shmlens"));
        for ignored in ["", "relative/path"] {
            let set = [("XDG_STATE_HOME", ignored), ("HOME", "/h")];
            assert_eq!(found(&set, None), at("/h/.local/state/shmlens"));
        }
        assert!(found(&[], None).is_some_and(|path| path.ends_with(".local/state/shmlens")));
    }

    #[test]
    fn the_callers_own_is_not_used_under_sudo() {
        let directory = tempfile::tempdir().unwrap();
        let text = directory.path().to_str().unwrap();
        let me = fs::metadata(directory.path()).unwrap().uid();
        let set = [("XDG_STATE_HOME", text), ("HOME", text)];
        assert_eq!(found(&set, Some(me + 1)), Some(directory.path().join("shmlens")));
        assert!(!found(&set, Some(me)).unwrap().starts_with(directory.path()));
        assert!(!directory.path().join("shmlens").exists());
    }

    #[test]
    fn what_belongs_to_another_user_is_not_used() {
        if !geteuid().is_root() {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("shmlens"));
        let folder = state.folder("copies").unwrap();
        for path in [&folder, state.path()] {
            std::os::unix::fs::chown(path, Some(1000), None).unwrap();
            assert!(matches!(state.folder("copies"), Err(StateError::Foreign { .. })));
            std::os::unix::fs::chown(path, Some(0), None).unwrap();
        }
        state.folder("copies").unwrap();
    }

    #[test]
    fn folders_are_for_this_user_only() {
        let directory = tempfile::tempdir().unwrap();
        let state = StateDirectory::at(directory.path().join("a/b"));
        let folder = state.folder("copies").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(state.path())), (0o700, 0o700));
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        state.folder("copies").unwrap();
        assert_eq!(mode(&folder), 0o700);
        std::os::unix::fs::symlink("/", state.path().join("link")).unwrap();
        assert!(matches!(state.folder("link"), Err(StateError::Unusable { .. })));
    }
}
