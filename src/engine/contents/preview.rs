//! Looks at a segment without a trace, for the preview.

use crate::engine::rates::{Unopened, open};
use crate::engine::report::{Body, Ended, Look, Preview, Unread, unreadable};
use crate::machine::{ExtentKind, Machine};
use crate::memory::{Cell, CellKind, PageBuffer, Reader, Snapshot};
use crate::segment::{Segment, SegmentId};
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

/// Looks at a segment. Opens, reads and closes it each time, so that nothing stays open.
pub struct PreviewFeed {
    segment: Box<Segment>,
    bytes: usize,
    cells: usize,
    /// The last report.
    reported: Option<Preview>,
}

impl PreviewFeed {
    pub const fn new(segment: Box<Segment>, bytes: usize, cells: usize) -> Self {
        Self { segment, bytes, cells, reported: None }
    }

    /// Reads the segment, and reports it if it differs from the last report.
    pub fn read(&mut self, machine: &dyn Machine, kept: &BTreeMap<SegmentId, Reader>) -> Vec<Body> {
        let id = &self.segment.id;
        let reader = kept.get(id).map_or_else(|| open(machine, &self.segment), |reader| Ok(reader.clone()));
        let look = match reader {
            Ok(reader) => {
                let look = self.look(&reader);
                look.map(Box::new).map_err(|error| Unread::Failed(unreadable(id, &error)))
            }
            Err(Unopened::Unread(reason)) => Err(reason),
            Err(Unopened::Gone) => return vec![Body::Ended(Ended::Removed)],
        };
        let preview = Preview { id: id.clone(), look };
        let same = self.reported.as_ref() == Some(&preview);
        // A report without changes follows the last one with changes, to be compared with.
        self.reported = Some(preview.unchanged());
        if same { vec![] } else { vec![Body::Preview(preview)] }
    }

    /// Returns true if the feed only needs to be read on request.
    pub fn is_idle(&self, kept: &BTreeMap<SegmentId, Reader>) -> bool {
        let unread = matches!(&self.reported, Some(Preview { look: Err(_), .. }));
        unread && !kept.contains_key(&self.segment.id)
    }

    fn look(&self, reader: &Reader) -> io::Result<Look> {
        let size = reader.size()?;
        let mut bytes = PageBuffer::default();
        reader.fill(&mut bytes, 0, self.bytes)?;
        let before = match &self.reported {
            Some(Preview { look: Ok(look), .. }) => look.bytes.as_slice(),
            _ => &[],
        };
        let differs = |at: &usize| before.get(*at).is_some_and(|before| *before != bytes[*at]);
        let changed: Vec<Range<u64>> =
            (0..bytes.len()).filter(differs).map(|at| at as u64..at as u64 + 1).collect();
        let map = (0..self.cells).map(|cell| {
            let span = Snapshot::cell_span(size, self.cells, cell);
            let extent =
                if span.is_empty() { None } else { reader.extent_at(span.start, span.end - span.start)? };
            let kind = match extent {
                Some(extent) if extent.kind == ExtentKind::Hole && extent.end >= span.end => CellKind::Hole,
                Some(_) => CellKind::Data,
                None => CellKind::Unknown,
            };
            let changed = changed.iter().any(|range| range.start < span.end && span.start < range.end);
            Ok(Cell { kind, changed })
        });
        let map = map.collect::<io::Result<_>>()?;
        Ok(Look { size, bytes: bytes.to_vec(), changed, swapped: vec![], map, moving: vec![] })
    }
}
