//! The offsets where a match may start, in jobs of bounded size.

use super::super::{Pattern, Progress, Reader};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;

/// The number of offsets per job. Small in tests, so that matches span jobs.
const JOB_SIZE: u64 = if cfg!(test) { 48 } else { 1 << 20 };

#[derive(Debug, Clone)]
pub enum Places {
    /// Offsets whose bytes must be read.
    Data(Range<u64>),
    /// Offsets of matches that lie entirely in a hole.
    Zeros(Range<u64>),
}

impl Places {
    /// Returns the first offset that belongs to a later job.
    pub const fn end(&self) -> u64 {
        match self {
            Self::Data(places) | Self::Zeros(places) => places.end,
        }
    }
}

/// Splits a range into jobs, in ascending order. Skips holes unless the pattern matches zeros.
pub struct PlaceWalk<'a> {
    reader: &'a Reader,
    progress: &'a Progress,
    matches_zeros: bool,
    /// The length of a match minus one.
    tail: u64,
    range_end: u64,
    /// The end of the last extent.
    at: u64,
    /// The first offset that is not in a job yet.
    next_place: u64,
    /// The rest of the current data extent.
    open: Range<u64>,
    job: u64,
}

impl<'a> PlaceWalk<'a> {
    pub fn new(
        reader: &'a Reader,
        pattern: &Pattern,
        range: Range<u64>,
        longest_read: u64,
        progress: &'a Progress,
    ) -> Self {
        Self {
            reader,
            progress,
            matches_zeros: pattern.matches_zeros(),
            tail: pattern.len() as u64 - 1,
            range_end: range.end,
            at: range.start,
            next_place: range.start,
            open: 0..0,
            job: JOB_SIZE.max(longest_read),
        }
    }

    pub fn next(&mut self) -> io::Result<Option<Places>> {
        loop {
            if !self.open.is_empty() {
                let end = self.open.end.min(self.open.start + self.job);
                let job = self.open.start..end;
                (self.open.start, self.next_place) = (end, end);
                return Ok(Some(Places::Data(job)));
            }
            if self.at >= self.range_end || self.progress.is_cancelled() {
                return Ok(None);
            }
            let start = self.at;
            let Some(extent) = self.reader.extent_at(start, self.range_end - start)? else {
                self.progress.cut_short();
                return Ok(None);
            };
            self.at = extent.end.max(start + 1).min(self.range_end);
            match extent.kind {
                // A match may start in the hole before the data.
                ExtentKind::Data => {
                    let last = self.at.min(self.range_end.saturating_sub(self.tail));
                    self.open = self.next_place.max(start.saturating_sub(self.tail))..last;
                }
                ExtentKind::Hole if self.matches_zeros => {
                    let places = self.next_place..self.at.saturating_sub(self.tail);
                    if !places.is_empty() {
                        self.next_place = places.end;
                        return Ok(Some(Places::Zeros(places)));
                    }
                }
                ExtentKind::Hole => {}
            }
        }
    }
}
