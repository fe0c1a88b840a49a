//! Hides the debug files of the system.

use crate::support::Namespaces;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::path::Path;

const DEBUG_FILES: &str = "/usr/lib/debug";

/// An empty directory in place of that with the debug files of the system: it takes long to read them,
/// and they are not the same everywhere.
pub struct DebugFiles;

impl DebugFiles {
    /// Belongs to the namespaces of this thread. `None` without the directory.
    pub fn new(_: &Namespaces) -> Option<Self> {
        Path::new(DEBUG_FILES).is_dir().then_some(())?;
        mount(Some("tmpfs"), DEBUG_FILES, Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
        Some(Self)
    }
}

impl Drop for DebugFiles {
    fn drop(&mut self) {
        let _ = umount2(DEBUG_FILES, MntFlags::MNT_DETACH);
    }
}
