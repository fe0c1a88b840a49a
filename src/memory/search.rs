//! Looking for a pattern in a segment, in bounded memory, holes skipped.
//!
//! What counts is where a match may begin: from one byte less than the
//! pattern's length before a run of data up to the run's end. Those places are
//! gone through in pieces, each read with as many bytes behind it as a match
//! may need; so nothing is missed where pieces or extents meet.

use super::extents::{DataBackward, DataForward};
use super::{Direction, Pattern, Progress, Reader, in_turns};
use std::io;
use std::ops::{ControlFlow, Range};

/// How many places a piece has: as much as the second-level cache holds.
const PIECE: u64 = 256 << 10;
/// Ranges from this size on are worth a second thread.
const WORTH_A_THREAD: u64 = 4 << 20;

/// The next match at or after `from`, or the last one that begins before it.
/// Does not wrap. `None` when there is none, and when it was cancelled.
///
/// # Errors
/// When the kernel refuses to read.
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
            find_all(reader, pattern, from..u64::MAX, progress, |at| {
                first = Some(at);
                ControlFlow::Break(())
            })?;
            Ok(first)
        }
        Direction::Backward => find_backward(reader, pattern, from, progress),
    }
}

/// Every match that lies within `range`, in rising order, until `found` breaks
/// off or the work is cancelled. As with `grep -o`, matches do not overlap: the
/// search goes on behind the end of each.
///
/// Holes are not read, unless the pattern fits zeros. Should the segment
/// shrink meanwhile, it ends there. `found` may be called from another thread.
///
/// # Errors
/// When the kernel refuses to read.
pub fn find_all(
    reader: &Reader,
    pattern: &Pattern,
    range: Range<u64>,
    progress: &Progress,
    mut found: impl FnMut(u64) -> ControlFlow<()> + Send,
) -> io::Result<()> {
    let range = range.start..range.end.min(reader.size()?);
    let size = range.end.saturating_sub(range.start);
    progress.begin(size);
    let mut places = Places::new(reader, pattern, range.clone(), progress);
    // Where the next match may begin: behind the last one.
    let mut free = range.start;
    let mut result = Ok(());
    in_turns(
        size >= WORTH_A_THREAD,
        |piece: &mut SearchedPiece| {
            piece.places = places.next();
            !matches!(piece.places, Ok(None)) && !progress.is_cancelled()
        },
        |piece| piece.search(reader, pattern, range.end),
        |piece| {
            if let Err(error) = piece.take_error() {
                result = Err(error);
                return ControlFlow::Break(());
            }
            piece.skip_to(free, pattern);
            for &at in &piece.matches {
                let at = piece.base + at as u64;
                free = at + pattern.len() as u64;
                found(at)?;
            }
            progress.reach(piece.end() - range.start);
            ControlFlow::Continue(())
        },
    );
    result
}

/// The places where a match may begin, piece by piece in rising order.
struct Places<'a> {
    runs: DataForward<'a>,
    /// Set when holes count too: then there is one run, the whole range.
    whole: Option<Range<u64>>,
    reach: u64,
    /// What is left of the last run.
    open: Range<u64>,
    /// Where the last place is, and one more.
    end: u64,
}

impl<'a> Places<'a> {
    fn new(reader: &'a Reader, pattern: &Pattern, range: Range<u64>, progress: &'a Progress) -> Self {
        let reach = pattern.len() as u64 - 1;
        let end = range.end.saturating_sub(reach);
        let whole = pattern.fits_zeros().then_some(range.start..end);
        let open = range.start..range.start;
        Self { runs: DataForward::new(reader, range, progress), whole, reach, open, end }
    }

    fn next(&mut self) -> io::Result<Option<Range<u64>>> {
        while self.open.start >= self.open.end.min(self.end) {
            let run = match (&mut self.whole, self.open.end) {
                (Some(whole), _) if whole.is_empty() => return Ok(None),
                (Some(whole), _) => std::mem::replace(whole, 0..0),
                (None, _) => match self.runs.next().transpose()? {
                    Some(run) => run.start.saturating_sub(self.reach)..run.end,
                    None => return Ok(None),
                },
            };
            self.open = run.start.max(self.open.end)..run.end.min(self.end);
        }
        let end = self.open.end.min(self.open.start + piece_size(self.reach));
        let piece = self.open.start..end;
        self.open.start = end;
        Ok(Some(piece))
    }
}

/// Long patterns get long pieces, so that reading twice what overlaps costs little.
fn piece_size(reach: u64) -> u64 {
    PIECE.max(reach.saturating_mul(4))
}

/// A piece that was read and searched.
struct SearchedPiece {
    places: io::Result<Option<Range<u64>>>,
    bytes: Vec<u8>,
    /// How many of the bytes are those of this piece.
    length: usize,
    /// The offset of the first byte.
    base: u64,
    /// Where the pattern fits, each match behind the end of the one before.
    matches: Vec<usize>,
}

impl Default for SearchedPiece {
    fn default() -> Self {
        Self { places: Ok(None), bytes: vec![], length: 0, base: 0, matches: vec![] }
    }
}

impl SearchedPiece {
    fn search(&mut self, reader: &Reader, pattern: &Pattern, end: u64) {
        let Ok(Some(places)) = &self.places else { return };
        self.base = places.start;
        match read_places(reader, pattern, places, end, &mut self.bytes) {
            Ok(length) => {
                self.length = length;
                self.matches.clear();
                self.search_from(0, pattern);
            }
            Err(error) => self.places = Err(error),
        }
    }

    fn search_from(&mut self, mut from: usize, pattern: &Pattern) {
        while let Some(at) = pattern.find(&self.bytes[..self.length], from) {
            self.matches.push(at);
            from = at + pattern.len();
        }
    }

    /// Searches again where the last match of the piece before reaches into this one.
    fn skip_to(&mut self, free: u64, pattern: &Pattern) {
        let free = usize::try_from(free.saturating_sub(self.base)).unwrap_or(usize::MAX);
        if self.matches.first().is_some_and(|&first| first < free) {
            self.matches.clear();
            self.search_from(free, pattern);
        }
    }

    fn end(&self) -> u64 {
        self.places.as_ref().map_or(0, |places| places.as_ref().map_or(0, |places| places.end))
    }

    fn take_error(&mut self) -> io::Result<()> {
        std::mem::replace(&mut self.places, Ok(None)).map(|places| self.places = Ok(places))
    }
}

/// Reads what matches that begin at `places` may reach, and tells how much that is.
fn read_places(
    reader: &Reader,
    pattern: &Pattern,
    places: &Range<u64>,
    end: u64,
    bytes: &mut Vec<u8>,
) -> io::Result<usize> {
    let last = (places.end + pattern.len() as u64 - 1).min(end);
    let wanted = usize::try_from(last.saturating_sub(places.start)).map_err(io::Error::other)?;
    if bytes.len() < wanted {
        bytes.resize(wanted, 0);
    }
    reader.read_at(places.start, &mut bytes[..wanted])
}

fn find_backward(
    reader: &Reader,
    pattern: &Pattern,
    from: u64,
    progress: &Progress,
) -> io::Result<Option<u64>> {
    let size = reader.size()?;
    let reach = pattern.len() as u64 - 1;
    // The first place that is not to be looked at, lower with every piece.
    let mut open = from.min(size.saturating_sub(reach));
    let begin = open;
    progress.begin(begin);
    let range = 0..open.saturating_add(reach).min(size);
    let mut bytes = vec![];
    let mut runs = DataBackward::new(reader, range.clone(), progress);
    let mut whole = pattern.fits_zeros().then_some(Ok(range));
    let mut next = || if pattern.fits_zeros() { whole.take() } else { runs.next() };
    while let Some(run) = next() {
        let run = run?;
        let first = run.start.saturating_sub(reach);
        open = open.min(run.end);
        while open > first && !progress.is_cancelled() {
            let places = open.saturating_sub(piece_size(reach)).max(first)..open;
            let length = read_places(reader, pattern, &places, size, &mut bytes)?;
            if let Some(at) = pattern.find_last(&bytes[..length]) {
                return Ok(Some(places.start + at as u64));
            }
            open = places.start;
            progress.reach(begin - open);
        }
    }
    Ok(None)
}
