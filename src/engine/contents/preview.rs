//! The first bytes of a segment, for the preview.

use crate::engine::report::{Body, Ended, Preview, unreadable};
use crate::machine::{Machine, Method, Trace, TraceReason};
use crate::memory::{Forecast, OpenError, Peek, Reader, peek};
use crate::segment::{Segment, SegmentId, ShownError};
use std::collections::BTreeMap;

const BYTES: u64 = 512;

/// The first bytes of a segment. Opens, reads and closes the segment at each look, so that nothing
/// stays open: a removed segment is freed, other programs get leases, and a replacement is detected.
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
        let id = self.segment.id.clone();
        let (forecast, seen, gone) = match self.reader(machine, kept) {
            Ok(reader) => {
                let reason = (reader.trace() == Trace::AccessTime).then_some(TraceReason::NotOwner);
                let seen = peek(&reader, 0..BYTES).map_err(|error| unreadable(&id, &error));
                (Some(Forecast { method: reader.method(), reason }), seen, false)
            }
            Err(OpenError::NeedsAttach { reason, .. }) => {
                if reason == TraceReason::Unreachable {
                    // Another process may have it attached by now.
                    self.segment.holders = None;
                }
                let forecast = Forecast { method: Method::Attach, reason: Some(reason) };
                (Some(forecast), Err(ShownError::new("not attached")), false)
            }
            Err(error) => {
                let gone = matches!(error, OpenError::Gone { .. } | OpenError::Replaced { .. });
                (None, Err(ShownError::of(error)), gone)
            }
        };
        let (bytes, swapped) = match seen {
            Ok(Peek { bytes, swapped, .. }) => (Ok(bytes), swapped),
            Err(error) => (Err(error), vec![]),
        };
        let preview = Preview { id, forecast, bytes, swapped };
        let mut bodies = vec![];
        if self.reported.as_ref() != Some(&preview) {
            bodies.push(Body::Preview(preview.clone()));
            self.reported = Some(preview);
        }
        bodies.extend(gone.then_some(Body::Ended(Ended::Removed)));
        bodies
    }

    /// Returns true if the feed only needs to be read on request: this process will not gain
    /// privileges.
    pub fn is_idle(&self, kept: &BTreeMap<SegmentId, Reader>) -> bool {
        let forecast = self.reported.as_ref().and_then(|preview| preview.forecast);
        forecast.is_some_and(|forecast| forecast.reason == Some(TraceReason::NotPrivileged))
            && !kept.contains_key(&self.segment.id)
    }

    /// Returns the reader that the user keeps open, or opens the segment without attaching it.
    fn reader(&self, machine: &dyn Machine, kept: &BTreeMap<SegmentId, Reader>) -> Result<Reader, OpenError> {
        match kept.get(&self.segment.id) {
            Some(reader) if reader.method() == Method::Attach => Ok(reader.clone()),
            _ => Reader::open_unattached(machine, &self.segment),
        }
    }
}
