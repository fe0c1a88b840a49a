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

/// How many places a piece has: as much as the second-level cache holds; few in
/// tests, so that matches lie across pieces.
const PIECE: u64 = if cfg!(test) { 16 } else { 256 << 10 };
/// Ranges from this size on are worth a second thread.
const WORTH_A_THREAD: u64 = if cfg!(test) { 8 << 10 } else { 4 << 20 };

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::made::MadeBytes;
    use crate::memory::example::{all, object, pages, sparse};
    use proptest::prelude::*;

    fn found(reader: &Reader, pattern: &Pattern, range: Range<u64>) -> Vec<u64> {
        let mut found = vec![];
        find_all(reader, pattern, range, &Progress::new(), |at| {
            found.push(at);
            ControlFlow::Continue(())
        })
        .unwrap();
        found
    }

    fn next(reader: &Reader, pattern: &Pattern, from: u64, direction: Direction) -> Option<u64> {
        find_next(reader, pattern, from, direction, &Progress::new()).unwrap()
    }

    #[test]
    fn across_pieces_and_extents() {
        let mut bytes = MadeBytes::hole(40_000);
        bytes.write(4090, b"needle in two pages");
        bytes.write(20_474, b"needle");
        // Its zeros lie in the hole behind the page, and before the next one.
        bytes.write(28_671, b"z");
        bytes.write(36_864, b"z");
        let (machine, reader) = object(bytes);
        let before = pages(&machine);
        let needle = Pattern::text("needle").unwrap();
        assert_eq!(found(&reader, &needle, 0..u64::MAX), [4090, 20_474]);
        assert_eq!(found(&reader, &needle, 4091..20_479), [] as [u64; 0]);
        assert_eq!(found(&reader, &Pattern::text(r"z\x00\x00").unwrap(), 0..u64::MAX), [28_671, 36_864]);
        assert_eq!(found(&reader, &Pattern::text(r"\x00\x00z").unwrap(), 0..u64::MAX), [28_669, 36_862]);
        assert_eq!(pages(&machine), before);
    }

    #[test]
    fn the_largest_hole_takes_no_time() {
        let mut bytes = MadeBytes::hole(u64::MAX >> 1);
        bytes.write(1 << 61, b"needle");
        let (machine, reader) = object(bytes);
        let needle = Pattern::text("needle").unwrap();
        assert_eq!(found(&reader, &needle, 0..u64::MAX), [1 << 61]);
        assert_eq!(next(&reader, &needle, u64::MAX, Direction::Backward), Some(1 << 61));
        let zeros = Pattern::hex("00 00").unwrap();
        assert_eq!(next(&reader, &zeros, 7, Direction::Forward), Some(7));
        assert_eq!(next(&reader, &zeros, 1 << 60, Direction::Backward), Some((1 << 60) - 1));
        assert_eq!(pages(&machine), 1);
    }

    #[test]
    fn next_and_previous_do_not_wrap() {
        let (_machine, reader) = object(MadeBytes::full(b"..aaa..a"));
        let a = Pattern::text("a").unwrap();
        assert_eq!(next(&reader, &a, 0, Direction::Forward), Some(2));
        assert_eq!(next(&reader, &a, 3, Direction::Forward), Some(3));
        assert_eq!(next(&reader, &a, 8, Direction::Forward), None);
        assert_eq!(next(&reader, &a, u64::MAX, Direction::Forward), None);
        assert_eq!(next(&reader, &a, u64::MAX, Direction::Backward), Some(7));
        assert_eq!(next(&reader, &a, 7, Direction::Backward), Some(4));
        assert_eq!(next(&reader, &a, 2, Direction::Backward), None);
        // One that begins before, and ends behind.
        assert_eq!(next(&reader, &Pattern::text("aa").unwrap(), 4, Direction::Backward), Some(3));
        assert_eq!(next(&reader, &Pattern::text("aaa..a..").unwrap(), 0, Direction::Forward), None);
    }

    #[test]
    fn a_shrink_meanwhile_ends_it() {
        let (machine, reader) = object(MadeBytes::full(&b"needle..".repeat(2000)));
        let mut count = 0;
        let needle = Pattern::text("needle").unwrap();
        find_all(&reader, &needle, 0..u64::MAX, &Progress::new(), |_| {
            count += 1;
            if count == 10 {
                machine.edit_object("a", |bytes| bytes.size = 0);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!((10..100).contains(&count), "{count}");
    }

    #[test]
    fn it_can_be_stopped_and_tells_how_far_it_is() {
        let (_machine, reader) = object(MadeBytes::full(&vec![b'a'; 20_000]));
        let progress = Progress::new();
        let mut count = 0;
        let a = Pattern::text("a").unwrap();
        find_all(&reader, &a, 0..20_000, &progress, |_| {
            count += 1;
            if count == 1000 {
                progress.cancel();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        assert!((1000..2000).contains(&count), "{count}");
        assert_eq!(progress.total(), 20_000);
        assert!((900..3000).contains(&progress.done()), "{}", progress.done());
        assert_eq!(find_next(&reader, &a, 0, Direction::Forward, &progress).unwrap(), None);
        assert_eq!(find_next(&reader, &a, 9, Direction::Backward, &progress).unwrap(), None);
    }

    proptest! {
        #[test]
        fn finds_what_a_naive_search_finds(
            bytes in sparse(),
            want in proptest::collection::vec(0u8..3, 1..40),
            mask in proptest::collection::vec(prop_oneof![2 => Just(0xffu8), 1 => Just(0u8)], 0..40),
            start in 0u64..25_000,
        ) {
            let Ok(pattern) = Pattern::masked(want, mask) else { return Ok(()) };
            let (machine, reader) = object(bytes);
            let before = pages(&machine);
            let all = all(&reader);
            let fits = |at: usize| pattern.find(&all[..(at + pattern.len()).min(all.len())], at) == Some(at);
            let places: Vec<u64> = (0..all.len()).filter(|&at| fits(at)).map(|at| at as u64).collect();
            let mut free = start;
            let apart: Vec<u64> = places.iter().copied().filter(|&at| {
                let take = at >= free;
                if take {
                    free = at + pattern.len() as u64;
                }
                take
            }).collect();
            prop_assert_eq!(found(&reader, &pattern, start..u64::MAX), apart);
            prop_assert_eq!(next(&reader, &pattern, start, Direction::Forward), places.iter().copied().find(|&at| at >= start));
            prop_assert_eq!(next(&reader, &pattern, start, Direction::Backward), places.iter().copied().rfind(|&at| at < start));
            prop_assert_eq!(pages(&machine), before);
        }
    }
}
