//! Undo: reverts the last change of a segment, or restores a removed segment from its copy. Refuses
//! if the segment or the copy was replaced.

use super::archive::Name;
use super::{Action, Actor, RestoreError, RestoreResult};
use crate::machine::Machine;
use crate::segment::{Identity, Segment, SegmentId};
use std::fmt::Display;
use std::io;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revert {
    pub id: SegmentId,
    /// Guards against a later segment with the same name or shmid.
    pub identity: Identity,
    pub action: Action,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCopy {
    pub id: SegmentId,
    pub path: PathBuf,
}

/// The result of undoing the change of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoResult {
    /// The id of the segment now.
    pub id: SegmentId,
    /// The result, or the reason why nothing was undone.
    pub result: Result<String, UndoError>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoError {
    /// Safe to print.
    pub reason: String,
    /// Set if a retry can succeed.
    pub can_retry: bool,
}

impl UndoError {
    /// Returns a temporary failure: a retry can succeed.
    #[must_use]
    pub fn temporary(reason: &dyn Display) -> Self {
        Self { reason: reason.to_string(), can_retry: true }
    }

    #[must_use]
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), can_retry: false }
    }
}

impl Revert {
    /// Finds the segment, unless it is gone or was replaced.
    pub fn segment<'a>(&self, segments: &'a [Segment]) -> Result<&'a Segment, UndoError> {
        let id = &self.id;
        let found = segments.iter().find(|segment| segment.id == *id);
        let segment = found.ok_or_else(|| UndoError::permanent(format!("{id} is gone; nothing to undo")))?;
        if self.identity.matches(&segment.identity()) {
            Ok(segment)
        } else {
            Err(UndoError::permanent(format!("{id} was replaced by another segment; nothing was changed")))
        }
    }
}

impl SavedCopy {
    /// Restores the segment and deletes the copy. Keeps the copy if that fails.
    pub fn restore(&self, actor: &Actor<'_>) -> Result<RestoreResult, UndoError> {
        actor.restore_copy(&self.path).map_err(|error| match error {
            RestoreError::Open { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                UndoError::permanent(format!("{}: its copy is gone; nothing was restored", self.id))
            }
            error => UndoError::temporary(&super::error::with_segment_id(&self.id, &error)),
        })
    }
}

impl RestoreResult {
    /// Describes the result, as in `restored (key 0x4d2, was sysv:16)`, with the attributes of the
    /// copy that could not be restored.
    #[must_use]
    pub fn text(&self) -> String {
        let restored = match &self.saved.name {
            Name::Sysv { key, shmid } if key.is_private() => format!("restored (private, was sysv:{shmid})"),
            Name::Sysv { key, shmid } => format!("restored (key {key}, was sysv:{shmid})"),
            Name::Posix(_) => "restored".to_owned(),
        };
        std::iter::once(restored)
            .chain(self.unexpected_differences().iter().cloned())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

pub(super) fn identity_of(machine: &dyn Machine, id: &SegmentId) -> Option<Identity> {
    match id {
        SegmentId::Sysv(shmid) => Some(machine.sysv_stat(*shmid).ok()?.identity()),
        SegmentId::Posix(name) => machine.stat_object(name).ok().map(|stat| stat.identity()),
        SegmentId::Deleted { .. } => None,
    }
}
