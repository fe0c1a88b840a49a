//! Searches a segment for a pattern in bounded memory, skipping holes.
//!
//! A match may start in a run of data, or up to its own length before it. These offsets are split
//! into jobs, and each job into chunks. Each read extends past its chunk by the length of a match,
//! so that no match is missed at a boundary.

mod matches;
mod places;
#[cfg(test)]
mod tests;

pub use matches::Matches;

use super::extents::DataBackward;
use super::{Direction, PageBuffer, Pattern, Progress, Reader, in_order};
use places::{PlaceWalk, Places};
use std::io;
use std::ops::{ControlFlow, Range};

/// Offsets per read. The buffer stays in the second-level cache. Small in tests, so that matches
/// span chunks.
const CHUNK_SIZE: u64 = if cfg!(test) { 16 } else { 64 << 10 };
/// The minimum size for a second thread to save time.
const MIN_PARALLEL: u64 = if cfg!(test) { 8 << 10 } else { 4 << 20 };

/// Returns the next match at or after `from`, or the last match that starts before it. Does not
/// wrap. `None` if there is no match or the search was canceled.
///
/// # Errors
/// Fails if the kernel refuses to read.
pub fn find_next(
    reader: &Reader,
    pattern: &Pattern,
    from: u64,
    direction: Direction,
    progress: &Progress,
) -> io::Result<Option<u64>> {
    match direction {
        Direction::Forward => {
            let mut first = None;
            find_all(reader, pattern, from..u64::MAX, progress, |matches| {
                first = Some(matches.first);
                ControlFlow::Break(())
            })?;
            Ok(first)
        }
        Direction::Backward => find_backward(reader, pattern, from, progress),
    }
}

/// Passes every match within `range` to `found`, in ascending order, until `found` breaks or the
/// search is canceled. Matches do not overlap, as with `grep -o`: the search continues at the end
/// of each match. `found` may run on another thread.
///
/// Holes are not read: matches in a hole are computed. The search ends early if the segment
/// shrinks.
///
/// # Errors
/// Fails if the segment cannot be read.
pub fn find_all(
    reader: &Reader,
    pattern: &Pattern,
    range: Range<u64>,
    progress: &Progress,
    mut found: impl FnMut(Matches) -> ControlFlow<()> + Send,
) -> io::Result<()> {
    let range = range.start..range.end.min(reader.size()?);
    let size = range.end.saturating_sub(range.start);
    progress.begin(size);
    let mut walk = PlaceWalk::new(reader, pattern, range.clone(), chunk_size(pattern), progress);
    // The end of the last match, where the next one may start.
    let mut free = range.start;
    let mut result = Ok(());
    in_order(
        size >= MIN_PARALLEL,
        |job: &mut Job| {
            job.places = walk.next();
            !matches!(job.places, Ok(None)) && !progress.is_cancelled()
        },
        |job| job.search(reader, pattern, 0, progress),
        |job| {
            // The last match of the previous job may extend into this one.
            if job.matches.first().is_some_and(|matches| matches.first < free) {
                job.search(reader, pattern, free, progress);
            }
            let end = match &job.places {
                Ok(Some(places)) => places.end(),
                Ok(None) => return ControlFlow::Break(()),
                Err(_) => {
                    result = std::mem::replace(&mut job.places, Ok(None)).map(|_| ());
                    return ControlFlow::Break(());
                }
            };
            for &matches in &job.matches {
                free = matches.end();
                found(matches)?;
            }
            progress.reach(end - range.start);
            ControlFlow::Continue(())
        },
    );
    result
}

/// Long patterns use larger chunks, so that the overlap costs little.
fn chunk_size(pattern: &Pattern) -> u64 {
    CHUNK_SIZE.max((pattern.len() as u64 - 1).saturating_mul(4))
}

/// Offsets where a match may start, and the matches at them.
struct Job {
    places: io::Result<Option<Places>>,
    matches: Vec<Matches>,
    buffer: PageBuffer,
}

impl Default for Job {
    fn default() -> Self {
        Self { places: Ok(None), matches: vec![], buffer: PageBuffer::default() }
    }
}

impl Job {
    /// Finds the matches that begin at or after `free`.
    fn search(&mut self, reader: &Reader, pattern: &Pattern, free: u64, progress: &Progress) {
        self.matches.clear();
        match &self.places {
            Ok(Some(Places::Zeros(places))) => {
                let places = places.start.max(free)..places.end;
                if !places.is_empty() {
                    self.matches.push(Matches::throughout(places, pattern.len() as u64));
                }
            }
            Ok(Some(Places::Data(places))) => {
                let places = places.start.max(free)..places.end;
                if let Err(error) = self.search_data(reader, pattern, places, progress) {
                    self.places = Err(error);
                }
            }
            Ok(None) | Err(_) => {}
        }
    }

    fn search_data(
        &mut self,
        reader: &Reader,
        pattern: &Pattern,
        places: Range<u64>,
        progress: &Progress,
    ) -> io::Result<()> {
        let length = pattern.len() as u64;
        let mut at = places.start;
        while at < places.end {
            let end = places.end.min(at + chunk_size(pattern));
            let wanted = read_places(reader, pattern, &(at..end), &mut self.buffer)?;
            let mut from = 0;
            while let Some(found) = pattern.find(&self.buffer, from) {
                Matches::push(&mut self.matches, at + found as u64, length);
                from = found + pattern.len();
            }
            if self.buffer.len() < wanted {
                progress.cut_short();
                break;
            }
            at = end.max(at + from as u64);
        }
        Ok(())
    }
}

/// Reads the bytes of all matches that may start at `places`. Returns the expected number of bytes.
fn read_places(
    reader: &Reader,
    pattern: &Pattern,
    places: &Range<u64>,
    buffer: &mut PageBuffer,
) -> io::Result<usize> {
    let wanted = places.end - places.start + pattern.len() as u64 - 1;
    let wanted = usize::try_from(wanted).map_err(io::Error::other)?;
    reader.fill(buffer, places.start, wanted)?;
    Ok(wanted)
}

fn find_backward(
    reader: &Reader,
    pattern: &Pattern,
    from: u64,
    progress: &Progress,
) -> io::Result<Option<u64>> {
    let size = reader.size()?;
    let reach = pattern.len() as u64 - 1;
    // The lowest offset that was searched.
    let mut open = from.min(size.saturating_sub(reach));
    let begin = open;
    progress.begin(begin);
    let range = 0..open.saturating_add(reach).min(size);
    let mut bytes = PageBuffer::default();
    let mut runs = DataBackward::new(reader, range.clone(), progress);
    let mut whole = pattern.matches_zeros().then_some(Ok(range));
    let mut next = || if pattern.matches_zeros() { whole.take() } else { runs.next() };
    while let Some(run) = next() {
        let run = run?;
        let first = run.start.saturating_sub(reach);
        open = open.min(run.end);
        while open > first && !progress.is_cancelled() {
            let places = open.saturating_sub(chunk_size(pattern)).max(first)..open;
            read_places(reader, pattern, &places, &mut bytes)?;
            if let Some(at) = pattern.find_last(&bytes) {
                return Ok(Some(places.start + at as u64));
            }
            open = places.start;
            progress.reach(begin - open);
        }
    }
    Ok(None)
}
