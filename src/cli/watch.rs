//! `watch`: what changes in a segment, as it changes.

mod kept;
mod picture;
mod print;

use super::args::WatchArgs;
use super::choose::choose;
use super::out::{Out, warn};
use super::progress::Interrupt;
use super::{Failure, Status, look_for, part};
use crate::decode::Type;
use crate::machine::{Machine, Trace};
use crate::memory::{Progress, Reader, Standing};
use crate::segment::SegmentId;
use kept::Kept;
use picture::Picture;
use print::Printer;
use std::io::{self, IsTerminal as _};
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};

/// How often it is looked, where nothing else is asked for.
const USUAL: Duration = Duration::from_millis(100);
/// An interval of 0 would be a loop that burns a core.
const SHORTEST: Duration = Duration::from_millis(1);
/// Looking takes at most this part of the time, where no interval is asked for.
const SHARE: u32 = 5;
/// The largest value that is watched as one.
const LARGEST: u64 = 1 << 20;

/// Prints changes until it is stopped, or has printed as many as were asked
/// for, or the segment is gone.
pub fn run(machine: &dyn Machine, args: &WatchArgs, out: &mut Out) -> Result<Status, Failure> {
    if let Some(kind) = args.kind.as_ref().filter(|kind| kind.size() > LARGEST) {
        return Err(Failure::Usage(format!("type {kind} is too large")));
    }
    let survey = look_for(machine, [args.segment.as_os_str()], None);
    let segment = choose(machine, &survey, &args.segment)?;
    let marked = segment.sysv().is_some_and(|facts| facts.marked);
    let reader = Reader::open(machine, segment)?;
    let range = part::range(args.part, &reader)?;
    let interrupt = Interrupt::listen();
    if io::stderr().is_terminal() {
        warn(&beginning(&reader, &range));
    }
    let mut watch = Watch {
        machine,
        reader: &reader,
        args,
        start: range.start,
        picture: Picture::new(range.start, args.kind.as_ref().map_or(1, Type::size)),
        printer: Printer::new(args),
        marked,
        kept: Kept::new(segment),
        size: None,
    };
    watch.until_over(&interrupt, out)
}

fn beginning(reader: &Reader, range: &Range<u64>) -> String {
    let mark = match reader.trace() {
        Trace::None => "leaves no trace",
        Trace::AccessTime => "updates the access time",
        Trace::Attached => "attached: nattch +1",
    };
    format!(
        "watching {} from {:#x} to {:#x} ({mark}); press Ctrl-C to stop",
        reader.id().short(),
        range.start,
        range.end
    )
}

struct Watch<'a> {
    machine: &'a dyn Machine,
    reader: &'a Reader,
    args: &'a WatchArgs,
    start: u64,
    picture: Picture,
    printer: Printer<'a>,
    /// It was marked for removal when this began: programs do that at once, so
    /// that it goes with them.
    marked: bool,
    /// The other holders of an unlinked object.
    kept: Option<Kept>,
    size: Option<u64>,
}

impl Watch<'_> {
    fn until_over(&mut self, interrupt: &Interrupt, out: &mut Out) -> Result<Status, Failure> {
        // What is there now is what changes are measured from. Only then the
        // headings: who has read them knows that no change is missed.
        let _ = self.look(out)?;
        self.printer.begin(out)?;
        loop {
            let began = Instant::now();
            if self.look(out)?.is_break() {
                return Ok(Status::Done);
            }
            self.check_standing()?;
            let pause = self.args.interval.map_or_else(
                || USUAL.max(began.elapsed() * (SHARE - 1)),
                |interval| interval.max(SHORTEST).saturating_sub(began.elapsed()),
            );
            if !interrupt.came() {
                out.wait(pause)?;
            }
            if interrupt.came() {
                return Ok(Status::Done);
            }
        }
    }

    /// Looks once, and prints what is not as it was.
    fn look(&mut self, out: &mut Out) -> Result<ControlFlow<()>, Failure> {
        let end = self.args.part.length.map_or(u64::MAX, |length| self.start.saturating_add(length.0));
        self.printer.at(self.machine.now());
        let mut written = Ok(());
        let progress = Progress::new();
        let printer = &mut self.printer;
        let looked =
            self.picture.look(self.reader, end, &progress, |change| match printer.print(&change, out) {
                Ok(more) => more,
                Err(error) => {
                    written = Err(error);
                    ControlFlow::Break(())
                }
            });
        written?;
        let over = looked.map_err(|source| Failure::Read { id: self.reader.id().clone(), source })?;
        // At once, so that who reads it through a pipe is up to date.
        io::Write::flush(out)?;
        Ok(over)
    }

    /// Ends it when the segment is gone for everybody else.
    fn check_standing(&mut self) -> Result<(), Failure> {
        let id = || self.reader.id().clone();
        let standing = self.reader.standing(self.machine);
        let standing = standing.map_err(|source| Failure::Read { id: id(), source })?;
        let gone = match standing {
            Standing::There { .. } => false,
            Standing::Removed { .. } if matches!(self.reader.id(), SegmentId::Sysv(_)) => {
                !self.marked || self.is_ours_alone()
            }
            Standing::Removed { .. } if self.kept.is_some() => {
                let held = self.kept.as_mut().is_none_or(|kept| kept.is_held(self.machine));
                if !held {
                    return Err(Failure::Released { id: id() });
                }
                false
            }
            Standing::Removed { .. } | Standing::Replaced { .. } => true,
        };
        if gone {
            return Err(Failure::Vanished { id: id() });
        }
        let size = standing.size();
        if let Some(was) = self.size.replace(size).filter(|&was| was != size) {
            warn(&format!("the size of {} changed from {was} to {size} bytes", self.reader.id().short()));
        }
        Ok(())
    }

    /// Whether nobody but us is attached to the System V segment.
    fn is_ours_alone(&self) -> bool {
        let Ok(table) = self.machine.sysv_rows() else { return false };
        let row = table.rows.iter().find(|row| SegmentId::Sysv(row.shmid) == *self.reader.id());
        row.is_none_or(|row| row.nattch <= 1)
    }
}
