//! Creates a segment and fills it from a file.

use super::predict::creation_error;
use super::{NewSegment, Source, permissions};
use crate::act::permissions::mode_text;
use crate::act::save::printable;
use crate::act::undo::identity_of;
use crate::act::unfinished::{BeginError, Filling, Origin};
use crate::act::{ActError, Action, Actor, ChangeReport, Copying};
use crate::machine::control::{NewSysv, SysvPermissions};
use crate::machine::{FinalAttributes, Machine, SegmentBuilder};
use crate::memory::PageBuffer;
use crate::segment::{Bytes, ObjectName, SegmentId, ShmId};
use crate::sys::object::extent_at;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// Bytes per read.
const CHUNK_SIZE: usize = 256 << 10;

/// Creates the segment. While a System V segment is filled from a file, a mark in the state
/// directory names it, so that [`unfinished`](super::unfinished::unfinished) finds the segment if
/// this process is killed. Fails if the mark cannot be written; a user without a state directory
/// gets no mark.
pub fn apply(actor: &Actor<'_>, new: &NewSegment) -> Result<ChangeReport, ActError> {
    let machine = actor.machine;
    let source = open_source(new)?;
    actor.progress.begin(source.as_ref().map_or(0, |source| source.length));
    let work = Creation { actor, new };
    let id = match (new, &source) {
        (NewSegment::Posix { name, size, .. }, _) => work.posix(name, *size, source.as_ref())?,
        (NewSegment::Sysv(sysv, _), Some(source)) => work.filled_sysv(sysv, source)?,
        (NewSegment::Sysv(sysv, _), None) => {
            let sysv = NewSysv { mode: permissions(new), ..sysv.clone() };
            let shmid = empty_sysv(machine, &sysv).map_err(|error| work.create_error(&error))?;
            SegmentId::Sysv(shmid)
        }
    };
    let mode = mode_text(permissions(new));
    let messages = match new {
        NewSegment::Sysv(sysv, _) if !sysv.key.is_private() => {
            format!("created with key {}: {}, mode {mode}", sysv.key, new.size())
        }
        _ => format!("created: {}, mode {mode}", new.size()),
    };
    let identity = identity_of(machine, &id);
    Ok(ChangeReport {
        identity,
        ..ChangeReport::new(id, messages).undone_by(Action::Remove(Copying::Without))
    })
}

/// The file that a segment is filled from.
pub struct SourceFile {
    file: File,
    path: PathBuf,
    /// The length according to the file system; 0 if unknown.
    length: u64,
    /// Set if the file has contents although its length is 0, like files in `/proc`.
    endless: bool,
}

/// Opens the source file, which must not be longer than the segment.
pub fn open_source(new: &NewSegment) -> Result<Option<SourceFile>, ActError> {
    let Source::File(path) = new.source() else { return Ok(None) };
    let (file, length) = new.open_file(path)?;
    if Bytes(length) > new.size() {
        return Err(ActError::NotMade {
            subject: new.subject(),
            reason: format!(
                "{} is {}, but the segment is only {}",
                printable(path),
                Bytes(length),
                new.size()
            ),
            remedy: "Use a larger size, or omit it to use the file size".to_owned(),
        });
    }
    let endless = length == 0 && has_contents(&file);
    Ok(Some(SourceFile { file, path: path.clone(), length, endless }))
}

/// Returns true if the file has contents, even if it reports a length of 0.
pub fn has_contents(file: &File) -> bool {
    file.read_at(&mut [0], 0).is_ok_and(|count| count > 0)
}

/// Creates a System V segment without contents, which is complete as soon as it exists.
fn empty_sysv(machine: &dyn Machine, new: &NewSysv) -> io::Result<ShmId> {
    let shmid = machine.sysv_create(new)?;
    let finish = || {
        let stat = machine.sysv_stat(shmid)?;
        if stat.mode != new.mode {
            machine.sysv_set(shmid, SysvPermissions { uid: stat.uid, gid: stat.gid, mode: new.mode })?;
        }
        let now = machine.sysv_stat(shmid)?;
        let is_as_requested = now.mode == new.mode && now.size == new.size && now.key == new.key;
        if is_as_requested {
            Ok(())
        } else {
            Err(io::Error::other("its size or mode differs from the request"))
        }
    };
    finish().inspect_err(|_| drop(machine.sysv_remove(shmid)))?;
    Ok(shmid)
}

/// A creation in progress.
struct Creation<'a> {
    actor: &'a Actor<'a>,
    new: &'a NewSegment,
}

impl Creation<'_> {
    /// Fills an unnamed object, then links it to its name.
    fn posix(
        &self,
        name: &ObjectName,
        size: Bytes,
        source: Option<&SourceFile>,
    ) -> Result<SegmentId, ActError> {
        let builder = self.actor.machine.build_object(name, size.0);
        let mut builder = builder.map_err(|error| self.create_error(&error))?;
        if let Some(source) = source {
            self.copy(source, builder.as_mut())?;
        }
        self.finish(builder.as_mut())
    }

    fn filled_sysv(&self, sysv: &NewSysv, source: &SourceFile) -> Result<SegmentId, ActError> {
        let origin = Origin::create(&source.path, permissions(self.new));
        let filling = Filling::begin(self.actor, sysv, &origin);
        let mut filling = filling.map_err(|error| match error {
            BeginError::Refused(error) => self.create_error(&error),
            BeginError::NoMark(source) => ActError::NoMark { subject: self.new.subject(), source },
        })?;
        self.copy(source, filling.builder())?;
        filling.mark_filled();
        self.finish(filling.builder())
    }

    fn finish(&self, builder: &mut dyn SegmentBuilder) -> Result<SegmentId, ActError> {
        let look = FinalAttributes { mode: permissions(self.new), owner: None, acl: None, used: None };
        Ok(builder.finish(&look).map_err(|error| self.create_error(&error))?.id)
    }

    /// Copies the data of the file and skips its holes.
    fn copy(&self, source: &SourceFile, to: &mut dyn SegmentBuilder) -> Result<(), ActError> {
        let unread = |error| self.new.unreadable(&source.path, &error);
        let (file, length) = (&source.file, source.length);
        let mut buffer = PageBuffer::with_capacity(CHUNK_SIZE);
        let mut at = 0;
        if source.endless {
            return self.copy_to_end(source, to);
        }
        while let Some(extent) = extent_at(file, at, length, length).map_err(unread)? {
            while extent.data && at < extent.end {
                self.stop_if_canceled()?;
                let part = usize::try_from(extent.end - at).unwrap_or(CHUNK_SIZE).min(CHUNK_SIZE);
                let count = file.read_at(buffer.place(at, part), at).map_err(unread)?;
                if count == 0 {
                    return Err(self.new.source_error(format!(
                        "{} was truncated while being read",
                        printable(&source.path)
                    )));
                }
                to.write_at(at, &buffer[..count]).map_err(|error| self.create_error(&error))?;
                at += count as u64;
                self.actor.progress.reach(at);
            }
            at = extent.end;
        }
        self.stop_if_canceled()
    }

    /// Copies a file of unknown size.
    fn copy_to_end(&self, source: &SourceFile, to: &mut dyn SegmentBuilder) -> Result<(), ActError> {
        let mut buffer = vec![0; CHUNK_SIZE];
        let mut at = 0;
        loop {
            self.stop_if_canceled()?;
            let count = source.file.read_at(&mut buffer, at);
            let count = count.map_err(|error| self.new.unreadable(&source.path, &error))?;
            let end = at + count as u64;
            if Bytes(end) > self.new.size() {
                let reason = format!("{} is larger than {}", printable(&source.path), self.new.size());
                let remedy = "Use a larger size".to_owned();
                return Err(ActError::NotMade { subject: self.new.subject(), reason, remedy });
            }
            if count == 0 {
                return Ok(());
            }
            to.write_at(at, &buffer[..count]).map_err(|error| self.create_error(&error))?;
            at = end;
        }
    }

    fn stop_if_canceled(&self) -> Result<(), ActError> {
        if self.actor.progress.is_cancelled() {
            return Err(ActError::NotCreated { subject: self.new.subject() });
        }
        Ok(())
    }

    fn create_error(&self, error: &io::Error) -> ActError {
        creation_error(self.actor.machine, self.new, error)
    }
}
