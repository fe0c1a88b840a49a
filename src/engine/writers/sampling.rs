//! Reads a value right after its writes.

use super::session::monotonic;
use crate::machine::Machine;
use crate::memory::Reader;
use crate::scope::SampledValue;
use crate::scope::writers::WriteSamples;
use crate::segment::Segment;

/// A value that is sampled at every write.
pub struct Sampling {
    pub samples: WriteSamples,
    segment: Box<Segment>,
    /// `None` before the first write.
    reader: Option<Reader>,
}

impl Sampling {
    /// `None` for a value that is no number.
    pub fn new(value: SampledValue) -> Option<Self> {
        let samples = WriteSamples::new(&value)?;
        Some(Self { samples, segment: value.segment, reader: None })
    }

    /// Reads the value if it was written to since. Returns a problem if that fails.
    pub fn read(&mut self, machine: &dyn Machine) -> Result<(), String> {
        if !self.samples.needs_read() {
            return Ok(());
        }
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::open(machine, &self.segment).map_err(|error| error.to_string())?),
        };
        let span = self.samples.span();
        let mut bytes = [0; 16];
        let length = usize::try_from(span.end - span.start).unwrap_or(0).min(bytes.len());
        let began = monotonic(machine);
        if reader.fill_all(span.start, &mut bytes[..length]) {
            self.samples.read(began..monotonic(machine), &bytes[..length]);
            return Ok(());
        }
        Err(format!("failed to read {} at {:#x}", self.segment.id.short(), span.start))
    }
}
