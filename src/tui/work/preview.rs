//! The preview: the beginning of the selected segment.

use super::open::unreadable;
use crate::app::event::{Clock, Preview};
use crate::machine::Machine;
use crate::memory::Reader;
use crate::segment::{Kind, Segment, SegmentId};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often the preview is read.
const EVERY: Duration = Duration::from_millis(250);
/// How many bytes it has.
const BYTES: usize = 512;
/// The selected segment.
pub struct Previewed {
    segment: Box<Segment>,
    /// What was told of it.
    told: Option<Preview>,
    /// When it is read next; `None`: there is no reason to.
    pub due: Option<Clock>,
}

impl Previewed {
    /// Just selected: to be read now.
    pub const fn new(segment: Box<Segment>, now: Clock) -> Self {
        Self { segment, told: None, due: Some(now) }
    }

    /// Reads it, and tells what differs from what was told before.
    pub fn read(
        &mut self,
        machine: &dyn Machine,
        kept: &BTreeMap<SegmentId, Reader>,
        now: Clock,
    ) -> Option<Preview> {
        let reader = self.reader(machine, kept);
        self.due = reader.is_some().then(|| now + EVERY);
        let bytes =
            reader.unwrap_or_else(|| Err("not attached".to_owned())).and_then(|reader| beginning(&reader));
        let preview = Preview { id: self.segment.id.clone(), bytes };
        let news = self.told.as_ref() != Some(&preview);
        news.then(|| self.told.insert(preview).clone())
    }

    fn reader(
        &self,
        machine: &dyn Machine,
        kept: &BTreeMap<SegmentId, Reader>,
    ) -> Option<Result<Reader, String>> {
        match self.segment.kind() {
            // Opened anew each time: nothing is held, and one that took its name is noticed.
            Kind::Posix | Kind::Deleted => {
                Some(Reader::open(machine, &self.segment).map_err(|error| error.to_string()))
            }
            // Never attached for this: others would see it.
            Kind::Sysv => kept.get(&self.segment.id).cloned().map(Ok),
        }
    }
}

fn beginning(reader: &Reader) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; BYTES];
    let count = reader.read_at(0, &mut bytes).map_err(|error| unreadable(reader.id(), &error))?;
    bytes.truncate(count);
    Ok(bytes)
}
