//! Formats a segment on two threads: as lines like those of `hexdump -C`, or in another form.

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

/// A form of contents: the state between two chunks, which is known before they are formatted.
pub trait Form: Clone + Send {
    /// The bytes of an item. Chunks contain whole items.
    fn item_size(&self) -> u64;

    fn squeeze(&self) -> Squeeze;

    /// Moves on past these bytes without formatting them.
    fn pass(&mut self, bytes: &[u8]);

    /// Moves on past zero bytes. Takes constant time when squeezing.
    fn pass_zeros(&mut self, length: u64);

    /// Formats bytes into a buffer that may have any contents. Returns the length of the text.
    fn format(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> usize;

    /// Like [`Form::format`], for zero bytes.
    fn format_zeros(&mut self, length: u64, text: &mut Vec<u8>) -> usize;

    /// Appends what follows the last item.
    fn finish(&mut self, out: &mut Vec<u8>);
}

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
    dump_as(reader, range, |start| HexDump::new(squeeze, start), out, progress)
}

/// Like [`dump`], in a form that starts at the offset that it gets.
///
/// # Errors
/// Fails if reading the segment or writing to `out` fails.
pub fn dump_as<F: Form>(
    reader: &Reader,
    range: Range<u64>,
    form: impl FnOnce(u64) -> F,
    out: &mut (impl Write + Send),
    progress: &Progress,
) -> io::Result<()> {
    let start = range.start.min(reader.size()?);
    let mut form = form(start);
    let capacity = usize::try_from(form.item_size()).map_err(io::Error::other)?.max(CHUNK);
    let mut chunks = Chunks::new(reader, range, form.item_size(), progress)?;
    if form.squeeze() == Squeeze::Off {
        chunks = chunks.with_holes_up_to(capacity as u64);
    }
    let shared = progress.total() >= MIN_PARALLEL;
    let mut read = Ok(());
    let mut written = Ok(());
    in_order(
        shared,
        |job: &mut Job<F>| match job.take(&mut chunks, &mut form, capacity) {
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
    form.finish(&mut last);
    out.write_all(&last)?;
    out.flush()
}

/// A chunk and its text.
struct Job<F> {
    bytes: PageBuffer,
    chunk: Option<Chunk>,
    form: Option<F>,
    text: Vec<u8>,
    /// The length of the text in `text`.
    length: usize,
}

impl<F> Default for Job<F> {
    fn default() -> Self {
        Self { bytes: PageBuffer::default(), chunk: None, form: None, text: vec![], length: 0 }
    }
}

impl<F: Form> Job<F> {
    /// Reads the next chunk and advances `form` past it, so that the following chunk can be read
    /// before this one is formatted.
    fn take(&mut self, chunks: &mut Chunks<'_>, form: &mut F, capacity: usize) -> io::Result<bool> {
        if self.bytes.capacity() == 0 {
            self.bytes = PageBuffer::with_capacity(capacity);
        }
        self.chunk = chunks.next(&mut self.bytes)?;
        self.form = Some(form.clone());
        match self.chunk {
            Some(Chunk::Bytes(count)) => form.pass(&self.bytes[..count]),
            Some(Chunk::Hole(length)) => form.pass_zeros(length),
            None => {}
        }
        Ok(self.chunk.is_some())
    }

    fn format(&mut self) {
        let Some(form) = &mut self.form else { return };
        self.length = match self.chunk {
            Some(Chunk::Bytes(count)) => form.format(&self.bytes[..count], &mut self.text),
            Some(Chunk::Hole(length)) => form.format_zeros(length, &mut self.text),
            None => 0,
        };
    }
}

impl Form for HexDump {
    fn item_size(&self) -> u64 {
        LINE as u64
    }

    fn squeeze(&self) -> Squeeze {
        Self::squeeze(self)
    }

    fn pass(&mut self, bytes: &[u8]) {
        *self = self.after(bytes);
    }

    fn pass_zeros(&mut self, length: u64) {
        Self::pass_zeros(self, length);
    }

    fn format(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> usize {
        // Grown once, then reused.
        let max_length = Self::max_length(bytes.len()).max(text.len());
        text.resize(max_length, 0);
        self.fill(bytes, text)
    }

    fn format_zeros(&mut self, length: u64, text: &mut Vec<u8>) -> usize {
        text.clear();
        self.zeros(length, text);
        text.len()
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Self::finish(self, out);
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
