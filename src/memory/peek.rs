//! Reads only bytes that are in memory, for previews.

use super::{PageBuffer, Reader};
use crate::machine::ExtentKind;
use std::io;
use std::ops::Range;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peek {
    /// Ends early at the end of the segment. Holes and swapped pages are 0.
    pub bytes: Vec<u8>,
    /// The runs without memory, which read as zeros.
    pub holes: Vec<Range<u64>>,
    /// Swapped out, so not read: the contents are unknown.
    pub swapped: Vec<Range<u64>>,
}

/// Reads a range without its holes and swapped pages. Reading swapped pages would bring them back
/// into memory.
///
/// # Errors
/// Fails if the kernel refuses.
pub fn peek(reader: &Reader, range: Range<u64>) -> io::Result<Peek> {
    let range = range.start..range.end.min(reader.size()?);
    let length = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other)?;
    let mut peek = Peek { bytes: vec![0; length], ..Peek::default() };
    let mut buffer = PageBuffer::default();
    let mut at = range.start;
    while at < range.end {
        let Some(extent) = reader.extent_at(at, range.end - at)? else { break };
        let end = extent.end.clamp(at + 1, range.end);
        if extent.kind == ExtentKind::Hole {
            peek.holes.push(at..end);
        } else {
            let swapped = reader.swapped_in(at..end)?;
            for run in gaps(at..end, &swapped) {
                let wanted = usize::try_from(run.end - run.start).map_err(io::Error::other)?;
                let count = reader.fill(&mut buffer, run.start, wanted)?;
                let start = usize::try_from(run.start - range.start).map_err(io::Error::other)?;
                peek.bytes[start..start + count].copy_from_slice(&buffer[..count]);
            }
            peek.swapped.extend(swapped);
        }
        at = end;
    }
    // The segment may have shrunk.
    peek.bytes.truncate(usize::try_from(at.saturating_sub(range.start)).unwrap_or(length));
    Ok(peek)
}

/// Fills a slice like [`Reader::fill_all`]. Returns false if part of it is swapped out, too.
#[must_use]
pub fn fill_resident(reader: &Reader, offset: u64, into: &mut [u8]) -> bool {
    let range = offset..offset.saturating_add(into.len() as u64);
    let seen = peek(reader, range).ok().filter(|seen| seen.swapped.is_empty());
    seen.filter(|seen| seen.bytes.len() == into.len()).is_some_and(|seen| {
        into.copy_from_slice(&seen.bytes);
        true
    })
}

/// Returns the parts of a range between runs, which are in ascending order.
fn gaps(range: Range<u64>, runs: &[Range<u64>]) -> impl Iterator<Item = Range<u64>> {
    let starts = std::iter::once(range.start).chain(runs.iter().map(|run| run.end));
    let ends = runs.iter().map(|run| run.start).chain(std::iter::once(range.end));
    starts.zip(ends).map(|(start, end)| start..end).filter(|gap| !gap.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, PAGE};
    use crate::memory::example::object;

    #[test]
    fn swapped_pages_and_holes_are_marked_and_not_read() {
        let mut bytes = FakeBytes::hole(5 * PAGE + 10);
        for page in [0, 1, 2, 4] {
            bytes.write(page * PAGE, &[7; 4096]);
        }
        bytes.swapped = [1, 4].into();
        let (_machine, reader) = object(bytes);
        let seen = peek(&reader, 10..u64::MAX).unwrap();
        assert_eq!(seen.bytes.len() as u64, 5 * PAGE);
        let ranges = |pages: &[(u64, u64)]| pages.iter().map(|&(from, to)| from..to).collect::<Vec<_>>();
        assert_eq!(seen.swapped, ranges(&[(PAGE, 2 * PAGE), (4 * PAGE, 5 * PAGE)]));
        assert_eq!(seen.holes, ranges(&[(3 * PAGE, 4 * PAGE), (5 * PAGE, 5 * PAGE + 10)]));
        for (at, &byte) in (10..).zip(&seen.bytes) {
            assert_eq!(byte != 0, matches!(at / PAGE, 0 | 2), "{at:#x}");
        }
        assert_eq!(peek(&reader, 6 * PAGE..7 * PAGE).unwrap(), Peek::default());
        let mut into = [0; 2];
        assert!(fill_resident(&reader, PAGE - 2, &mut into) && into == [7; 2]);
        assert!(!fill_resident(&reader, PAGE - 1, &mut into), "the second byte is swapped out");
        assert!(!fill_resident(&reader, 5 * PAGE + 9, &mut into), "the second byte is past the end");
    }
}
