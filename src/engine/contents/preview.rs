//! The first bytes of a segment, for the preview.

use crate::engine::report::{Body, Ended, Preview, unreadable};
use crate::machine::Machine;
use crate::memory::{OpenError, Reader};
use crate::segment::{Kind, Segment, SegmentId, ShownError};
use std::collections::BTreeMap;

const BYTES: usize = 512;

/// The first bytes of a segment.
pub struct PreviewFeed {
    segment: Box<Segment>,
    /// The last report.
    reported: Option<Preview>,
}

impl PreviewFeed {
    pub const fn new(segment: Box<Segment>) -> Self {
        Self { segment, reported: None }
    }

    /// Reads the bytes and reports them if they differ from the last report.
    pub fn read(&mut self, machine: &dyn Machine, kept: &BTreeMap<SegmentId, Reader>) -> Vec<Body> {
        let id = &self.segment.id;
        let (bytes, gone) = match self.reader(machine, kept) {
            Ok(reader) => (preview(&reader), false),
            Err(Unread::NotAttached) => (Err(ShownError::new("not attached")), false),
            Err(Unread::Open(error)) => {
                let gone = matches!(error, OpenError::Gone { .. } | OpenError::Replaced { .. });
                (Err(ShownError::of(error)), gone)
            }
        };
        let preview = Preview { id: id.clone(), bytes };
        let mut bodies = vec![];
        if self.reported.as_ref() != Some(&preview) {
            bodies.push(Body::Preview(preview.clone()));
            self.reported = Some(preview);
        }
        bodies.extend(gone.then_some(Body::Ended(Ended::Removed)));
        bodies
    }

    /// Returns true if the feed only needs to be read on request.
    pub fn is_idle(&self, kept: &BTreeMap<SegmentId, Reader>) -> bool {
        self.segment.kind() == Kind::Sysv && !kept.contains_key(&self.segment.id)
    }

    fn reader(&self, machine: &dyn Machine, kept: &BTreeMap<SegmentId, Reader>) -> Result<Reader, Unread> {
        match self.segment.kind() {
            // Reopened each time, so that nothing stays open and a replacement is detected.
            Kind::Posix | Kind::Deleted => Reader::open(machine, &self.segment).map_err(Unread::Open),
            // Never attach a segment for a preview: other processes would see the attachment.
            Kind::Sysv => kept.get(&self.segment.id).cloned().ok_or(Unread::NotAttached),
        }
    }
}

enum Unread {
    NotAttached,
    Open(OpenError),
}

fn preview(reader: &Reader) -> Result<Vec<u8>, ShownError> {
    let mut bytes = vec![0; BYTES];
    let count = reader.read_at(0, &mut bytes).map_err(|error| unreadable(reader.id(), &error))?;
    bytes.truncate(count);
    Ok(bytes)
}
