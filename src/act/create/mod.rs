//! Creates a segment: `shmget(2)` with `IPC_EXCL`, or a file below `/dev/shm` that gets its name
//! only when it is complete. Never touches an existing segment. A segment that is filled from a
//! file is protected like a restored one, see [`unfinished`](super::unfinished).

mod apply;
mod predict;

use super::permissions::mode_text;
use super::save::printable;
use super::{ActError, Plan, Refusal, Undo};
use crate::machine::Machine;
use crate::machine::control::NewSysv;
use crate::segment::{Bytes, Mode, ObjectName, SegmentId, plain_error};
use crate::survey::DevShmUse;
use crate::sys::regular::{Links, open_regular};
pub use apply::apply;
use apply::{has_contents, open_source};
use predict::{CHOOSE_ANOTHER, creation_error, key_is_taken, predict};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewSegment {
    Sysv(NewSysv, Source),
    Posix {
        name: ObjectName,
        size: Bytes,
        /// The exact permission bits; the umask is ignored.
        mode: Mode,
        source: Source,
    },
}

/// The initial contents of a new segment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Source {
    /// Zeros: a hole, which uses no memory.
    #[default]
    Nothing,
    /// The contents of a file, with holes preserved and zeros after the end.
    File(PathBuf),
}

impl NewSegment {
    /// Describes the segment for messages before it has an id.
    #[must_use]
    pub fn subject(&self) -> String {
        match self {
            Self::Sysv(new, _) if new.key.is_private() => "a private System V segment".to_owned(),
            Self::Sysv(new, _) => format!("a System V segment with key {}", new.key),
            Self::Posix { name, .. } => SegmentId::Posix(name.clone()).to_string(),
        }
    }

    const fn size(&self) -> Bytes {
        match self {
            Self::Sysv(new, _) => new.size,
            Self::Posix { size, .. } => *size,
        }
    }

    /// Sets the size to the size of the source file, if there is one.
    pub fn take_size_of_file(&mut self) -> Result<(), ActError> {
        let Source::File(path) = self.source() else { return Ok(()) };
        let (file, length) = self.open_file(path)?;
        if length == 0 && has_contents(&file) {
            return Err(ActError::NotMade {
                subject: self.subject(),
                reason: format!("the size of {} is unknown", printable(path)),
                remedy: "Use --size to set one that is large enough".to_owned(),
            });
        }
        match self {
            Self::Sysv(new, _) => new.size = Bytes(length),
            Self::Posix { size, .. } => *size = Bytes(length),
        }
        Ok(())
    }

    /// Opens a regular file and returns its length.
    fn open_file(&self, path: &Path) -> Result<(File, u64), ActError> {
        let unread = |error| self.unreadable(path, &error);
        let file = open_regular(path, File::options().read(true), Links::Follow).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        Ok((file, length))
    }

    fn unreadable(&self, path: &Path, error: &io::Error) -> ActError {
        self.source_error(format!("failed to read {}: {}", printable(path), plain_error(error)))
    }

    fn source_error(&self, reason: String) -> ActError {
        ActError::NotMade {
            subject: self.subject(),
            reason,
            remedy: "Choose a file that you can read".to_owned(),
        }
    }

    /// Returns a warning if `/dev/shm` is too small for the object.
    #[must_use]
    pub fn warning(&self, machine: &dyn Machine) -> Option<String> {
        match self {
            Self::Posix { size, .. } => DevShmUse::from(machine.limits().dev_shm?).too_large(*size),
            Self::Sysv(..) => None,
        }
    }

    const fn mode(&self) -> Mode {
        match self {
            Self::Sysv(new, _) => new.mode,
            Self::Posix { mode, .. } => *mode,
        }
    }

    const fn source(&self) -> &Source {
        match self {
            Self::Sysv(_, source) | Self::Posix { source, .. } => source,
        }
    }
}

pub fn plan(machine: &dyn Machine, new: &NewSegment, plan: &mut Plan) {
    plan.add_effect(format!("{}, mode {}", new.size(), mode_text(permissions(new))));
    if let Source::File(path) = new.source() {
        plan.add_effect(format!("filled from {}", printable(path)));
    }
    if let NewSegment::Sysv(new, _) = new {
        if new.huge {
            plan.add_effect("in huge pages, which are never swapped out");
        }
        if new.no_reserve {
            plan.add_effect("no memory is reserved: writes may fail later");
        }
    }
    if let Some(warning) = new.warning(machine) {
        plan.add_effect(warning);
    }
    let taken = match new {
        NewSegment::Sysv(new, _) => key_is_taken(machine, new).then_some("the key is in use"),
        NewSegment::Posix { name, .. } => machine.stat_object(name).is_ok().then_some("the name is in use"),
    };
    if let Some(reason) = taken {
        plan.refuse(Refusal::new(reason, CHOOSE_ANOTHER));
    }
    if let Err(ActError::NotMade { reason, remedy, .. }) = open_source(new) {
        plan.refuse(Refusal::new(reason, remedy));
    }
    let error = predict(machine, new).err().map(|error| creation_error(machine, new, &error));
    if let Some(ActError::NotMade { reason, remedy, .. }) = error {
        plan.refuse(Refusal::new(reason, remedy));
    }
    plan.undo = Undo::Yes("remove it with `shmlens rm`".to_owned());
}

/// Returns the mode of the finished segment: nine bits, see [`FinalAttributes::mode`].
const fn permissions(new: &NewSegment) -> Mode {
    Mode::new(new.mode().bits() & 0o777)
}
