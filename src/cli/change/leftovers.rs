//! Removes incomplete copies that killed commands left behind. Runs at the start of each command
//! that changes something.

use super::Session;
use crate::act::directory_of;
use crate::cli::args::{Change, CreateKind};
use crate::cli::out::warn;
use crate::segment::{Bytes, escape};
use crate::sys::unfinished::{Amount, remove_abandoned};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Removes incomplete copies from the directories that the command writes copies to.
pub fn remove(change: &Change, session: &Session) {
    if session.terms.read_only || is_dry_run(change) {
        return;
    }
    if !matches!(change, Change::Save(_))
        && let Some(state) = &session.state
    {
        report(state.remove_unfinished(), state.path());
    }
    if let Some(directory) = target(change) {
        report(remove_abandoned(&directory), &directory);
    }
}

fn report(removed: Amount, directory: &Path) {
    let Amount { files, bytes } = removed;
    if files > 0 {
        let copies = if files == 1 { "copy" } else { "copies" };
        warn(&format!(
            "removed {files} unfinished {copies} ({}) left by a killed command in {}",
            Bytes(bytes),
            escape(directory.as_os_str().as_bytes())
        ));
    }
}

/// Returns the directory, other than the state directory, that the command writes copies to.
fn target(change: &Change) -> Option<PathBuf> {
    let path = match change {
        Change::Save(args) if args.file.as_os_str() != "-" => &args.file,
        Change::Rm(args) => args.save.as_ref()?,
        _ => return None,
    };
    Some(if path.is_dir() { path.clone() } else { directory_of(path).to_owned() })
}

const fn is_dry_run(change: &Change) -> bool {
    match change {
        Change::Chmod(args) => args.batch.report.dry_run,
        Change::Chown(args) => args.batch.report.dry_run,
        Change::Lock(args) | Change::Unlock(args) => args.batch.report.dry_run,
        Change::Rm(args) => args.report.dry_run,
        Change::Clean(args) => args.report.dry_run,
        Change::Create(args) => match &args.kind {
            CreateKind::Sysv(args) => args.new.report.dry_run,
            CreateKind::Posix(args) => args.new.report.dry_run,
        },
        Change::Save(_) | Change::Restore(_) => false,
    }
}
