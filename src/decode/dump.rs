//! Writes a segment like `hexdump -C`, on two threads.

use super::hexline::LINE;
use super::{HexDump, Squeeze};
use crate::memory::{Chunk, Chunks, PageBuffer, Progress, Reader, in_order};
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

/// Bytes formatted at once. Their lines are five times as long and should fit into the L2 cache.
/// Small in tests, so that there are several chunks.
const CHUNK: usize = if cfg!(test) { 64 } else { 64 << 10 };
/// Smaller ranges do not pay for a second thread.
const MIN_PARALLEL: u64 = if cfg!(test) { 16 << 10 } else { 1 << 20 };

/// Writes a range like `hexdump -C`, up to its end or the end of the segment. Squeezed holes take
/// no time. Ends early on cancellation.
///
/// # Errors
/// Fails if reading the segment or writing to `out` fails.
pub fn dump(
    reader: &Reader,
    range: Range<u64>,
    squeeze: Squeeze,
    out: &mut (impl Write + Send),
    progress: &Progress,
) -> io::Result<()> {
    let mut chunks = Chunks::new(reader, range, LINE as u64, progress)?;
    if squeeze == Squeeze::Off {
        chunks = chunks.with_holes_up_to(CHUNK as u64);
    }
    let shared = progress.total() >= MIN_PARALLEL;
    let mut state = HexDump::new(squeeze, chunks.offset());
    let mut read = Ok(());
    let mut written = Ok(());
    in_order(
        shared,
        |job: &mut Job| match job.take(&mut chunks, &mut state) {
            Ok(more) => more,
            Err(error) => {
                read = Err(error);
                false
            }
        },
        Job::format,
        |job| match out.write_all(&job.text[..job.length]) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                written = Err(error);
                ControlFlow::Break(())
            }
        },
    );
    written.and(read)?;
    let mut last = vec![];
    state.finish(&mut last);
    out.write_all(&last)?;
    out.flush()
}

/// A chunk and its formatted lines.
#[derive(Default)]
struct Job {
    bytes: PageBuffer,
    chunk: Option<Chunk>,
    state: Option<HexDump>,
    text: Vec<u8>,
    /// The length of its lines in `text`.
    length: usize,
}

impl Job {
    /// Reads the next chunk and advances `state` past it, so that the following chunk can be read
    /// before this one is formatted.
    fn take(&mut self, chunks: &mut Chunks<'_>, state: &mut HexDump) -> io::Result<bool> {
        if self.bytes.capacity() == 0 {
            self.bytes = PageBuffer::with_capacity(CHUNK);
        }
        self.chunk = chunks.next(&mut self.bytes)?;
        self.state = Some(state.clone());
        match self.chunk {
            Some(Chunk::Bytes(count)) => *state = state.after(&self.bytes[..count]),
            Some(Chunk::Hole(length)) => state.pass_zeros(length),
            None => {}
        }
        Ok(self.chunk.is_some())
    }

    fn format(&mut self) {
        let Some(state) = &mut self.state else { return };
        match self.chunk {
            Some(Chunk::Bytes(count)) => {
                // Grown once, then reused.
                let max_length = HexDump::max_length(count).max(self.text.len());
                self.text.resize(max_length, 0);
                self.length = state.fill(&self.bytes[..count], &mut self.text);
            }
            Some(Chunk::Hole(length)) => {
                self.text.clear();
                state.zeros(length, &mut self.text);
                self.length = self.text.len();
            }
            None => self.length = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::fake::{FakeBytes, FakeMachine};
    use crate::survey::{Names, Survey};
    use proptest::prelude::*;

    fn object(bytes: FakeBytes) -> (FakeMachine, Reader) {
        let machine = FakeMachine::new();
        machine.add_object("a", bytes);
        let survey = Survey::take(&machine, &mut Names::default());
        let reader = Reader::open(&machine, &survey.segments[0]).unwrap();
        (machine, reader)
    }

    fn dumped(reader: &Reader, range: Range<u64>, squeeze: Squeeze) -> String {
        let mut out = vec![];
        dump(reader, range, squeeze, &mut out, &Progress::new()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn largest_sparse_object_is_a_few_lines() {
        let mut bytes = FakeBytes::hole((1 << 62) + 5);
        bytes.write(1 << 61, b"hello");
        let (machine, reader) = object(bytes);
        let text = dumped(&reader, 0..u64::MAX, Squeeze::On);
        let lines: Vec<&str> = text.lines().map(|line| line.split("  ").next().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "00000000",
                "*",
                "2000000000000000",
                "2000000000000010",
                "*",
                "4000000000000000",
                "4000000000000005"
            ]
        );
        machine.edit_object("a", |bytes| assert_eq!(bytes.pages.len(), 1));
    }

    #[test]
    fn range_past_the_end_has_only_an_offset() {
        let (_machine, reader) = object(FakeBytes::full(b"hello"));
        assert_eq!(dumped(&reader, 9..20, Squeeze::On), "00000005\n");
        assert_eq!(dumped(&reader, 4..20, Squeeze::On).lines().count(), 2);
    }

    #[test]
    fn write_error_is_returned() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (_machine, reader) = object(FakeBytes::full(&vec![1; 300_000]));
        let error = dump(&reader, 0..u64::MAX, Squeeze::On, &mut Closed, &Progress::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    proptest! {
        #[test]
        fn output_does_not_depend_on_chunks_or_holes(
            blobs in proptest::collection::vec((0u64..40_000, proptest::collection::vec(0u8..3, 1..80)), 0..6),
            size in 0u64..40_000,
            start in 0u64..41_000,
            length in 0u64..41_000,
        ) {
            let mut bytes = FakeBytes::hole(size);
            for (offset, blob) in blobs {
                bytes.write(offset, &blob);
            }
            let (_machine, reader) = object(bytes);
            for squeeze in [Squeeze::On, Squeeze::Off] {
                let mut plain = PageBuffer::default();
                prop_assert_eq!(reader.fill(&mut plain, 0, usize::try_from(size).unwrap()).unwrap() as u64, size);
                let from = start.min(size);
                let to = (start + length).min(size);
                let mut whole = HexDump::new(squeeze, from);
                let mut out = vec![];
                whole.lines(&plain[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()], &mut out);
                whole.finish(&mut out);
                prop_assert_eq!(dumped(&reader, start..start + length, squeeze), String::from_utf8(out).unwrap());
            }
        }
    }
}
