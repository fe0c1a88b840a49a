//! A segment as `hexdump -C` writes it, from a reader to a writer, by two threads.

use super::hexdump::LINE;
use super::{HexDump, Squeeze};
use crate::memory::{Piece, Pieces, Progress, Reader, in_turns};
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};

/// Bytes formatted at once; their lines are five times as long and should
/// stay within the second-level cache.
const PIECE: usize = 64 << 10;
/// Ranges from this size on are worth a second thread.
const WORTH_A_THREAD: u64 = 1 << 20;

/// Writes the range as `hexdump -C` does, to its end or the segment's.
/// Squeezed, holes cost nothing. Ends early when the work is cancelled.
///
/// # Errors
/// When the kernel refuses to read, or `out` to be written to.
pub fn dump(
    reader: &Reader,
    range: Range<u64>,
    squeeze: Squeeze,
    out: &mut (impl Write + Send),
    progress: &Progress,
) -> io::Result<()> {
    let mut pieces = Pieces::new(reader, range, LINE as u64, progress)?;
    if squeeze == Squeeze::Off {
        pieces = pieces.with_holes_up_to(PIECE as u64);
    }
    let shared = progress.total() >= WORTH_A_THREAD;
    let mut state = HexDump::new(squeeze, pieces.offset());
    let mut read = Ok(());
    let mut written = Ok(());
    in_turns(
        shared,
        |job: &mut Job| match job.take(&mut pieces, &mut state) {
            Ok(more) => more,
            Err(error) => {
                read = Err(error);
                false
            }
        },
        Job::format,
        |job| match out.write_all(&job.lines) {
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

/// A piece, and its lines.
#[derive(Default)]
struct Job {
    bytes: Vec<u8>,
    piece: Option<Piece>,
    state: Option<HexDump>,
    lines: Vec<u8>,
}

impl Job {
    /// Takes the next piece. `state` goes on to where the piece ends, so that
    /// the next one can be taken before this one is formatted.
    fn take(&mut self, pieces: &mut Pieces<'_>, state: &mut HexDump) -> io::Result<bool> {
        self.bytes.resize(PIECE, 0);
        self.piece = pieces.next(&mut self.bytes)?;
        self.state = Some(state.clone());
        match self.piece {
            Some(Piece::Bytes(count)) => *state = state.after(&self.bytes[..count]),
            Some(Piece::Hole(length)) => state.pass_zeros(length),
            None => {}
        }
        Ok(self.piece.is_some())
    }

    fn format(&mut self) {
        self.lines.clear();
        let Some(state) = &mut self.state else { return };
        match self.piece {
            Some(Piece::Bytes(count)) => state.lines(&self.bytes[..count], &mut self.lines),
            Some(Piece::Hole(length)) => state.zeros(length, &mut self.lines),
            None => {}
        }
    }
}
