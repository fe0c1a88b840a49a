//! `watch`: prints changes in a segment as they happen.

mod print;

use super::args::{PartArgs, WatchArgs};
use super::choose::choose;
use super::dump::{check_size, chosen};
use super::out::{Out, warn};
use super::progress::Interrupt;
use super::type_name::resolve;
use super::{Failure, Status, part, survey_named};
use crate::decode::{PlacedType, StableValue};
use crate::engine::{
    Body, Changes, Contents, Ended, Feed, Job, Opened, Readers, Request, SubscriptionId, Worker as _,
};
use crate::machine::Machine;
use crate::segment::{SegmentId, ShownError};
use print::Printer;
use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::time::Instant;

/// The size limit for a single value.
const LARGEST: u64 = 1 << 20;

/// Prints changes until the command is stopped, the requested number is reached, or the segment is removed.
pub fn run(machine: &dyn Machine, args: &WatchArgs, out: &mut Out) -> Result<Status, Failure> {
    let (layout, kind) = chosen(&resolve(machine, &args.segment, &args.kinds)?)?;
    if let Some(layout) = layout {
        part::check_whole(args.part, layout)?;
    }
    if let Some(kind) = &kind {
        check_size(&kind.ty, LARGEST)?;
    }
    let part = part::of_type(args.part, kind.as_ref())?;
    let survey = survey_named(machine, [args.segment.as_os_str()], None);
    let segment = choose(machine, &survey, &args.segment)?;
    let start = part.offset.0;
    let feed = match layout {
        Some(layout) => Feed::Value { layout, every: args.interval },
        None => Feed::Changes {
            range: start..part.length.map_or(u64::MAX, |length| start.saturating_add(length.0)),
            value: kind.as_ref().map_or(1, |kind| kind.ty.size()),
            every: args.interval,
        },
    };
    let request = Request::Subscribe(SubscriptionId(0), Box::new(segment.clone()), feed);
    // The worker runs on this thread: Ctrl-C and a closed pipe end the wait, and slow output delays the reads
    // instead of filling a queue.
    let mut worker = Contents::new(None, Readers::default());
    let printer = Printer::new(args, kind.as_ref(), layout.is_some());
    let mut watch = Watch { part, kind: kind.as_ref(), id: &segment.id, printer, size: None, value: None };
    let interrupt = Interrupt::listen();
    let started = Instant::now();
    for report in worker.handle(machine, started.elapsed(), Job::new(request)) {
        let _ = watch.take(report.body, out)?;
    }
    loop {
        let now = started.elapsed();
        watch.printer.at(machine.now());
        for report in worker.work(machine, now) {
            if watch.take(report.body, out)?.is_break() {
                return Ok(Status::Success);
            }
        }
        // Flush now, so that a reader of the pipe is up to date.
        out.flush()?;
        let ended = started.elapsed();
        worker.took(ended.saturating_sub(now));
        let pause = worker.deadline().unwrap_or(ended).saturating_sub(ended);
        if !interrupt.is_set() {
            out.wait(pause)?;
        }
        if interrupt.is_set() {
            return Ok(Status::Success);
        }
    }
}

/// Prints the events of the subscription.
struct Watch<'a> {
    part: PartArgs,
    kind: Option<&'a PlacedType>,
    id: &'a SegmentId,
    printer: Printer<'a>,
    /// The size of the segment; `None` before the first read is complete.
    size: Option<u64>,
    /// The last value of a layout; `None` before the first.
    value: Option<LayoutValue>,
}

/// The last value of a layout.
struct LayoutValue {
    value: Box<StableValue>,
    /// Set while the contents do not have the layout.
    is_unfit: bool,
}

impl Watch<'_> {
    fn take(&mut self, body: Body, out: &mut Out) -> Result<ControlFlow<()>, Failure> {
        match body {
            Body::Opened(opened) => self.opened(opened?)?,
            Body::Changes(changes) => return self.print(&changes, out),
            Body::Value(value) => return self.print_value(value, out),
            Body::Ended(ended) => return Err(self.ended(ended)),
            _ => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn opened(&mut self, opened: Opened) -> Result<(), Failure> {
        let range = part::clip(self.part, self.id, opened.size)?;
        part::check_start(self.part, self.kind, self.id, &range)?;
        self.printer.within(range.clone());
        if io::stderr().is_terminal() {
            let mark = opened.method.text();
            let id = self.id.short();
            let (start, end) = (range.start, range.end);
            warn(&format!("watching {id} from {start:#x} to {end:#x} ({mark}); press Ctrl-C to stop"));
        }
        Ok(())
    }

    fn print(&mut self, changes: &Changes, out: &mut Out) -> Result<ControlFlow<()>, Failure> {
        for change in &changes.changes {
            if self.printer.print(change, out)?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        if changes.complete {
            match self.size.replace(changes.size) {
                // Changes are relative to the first read. The heading comes after the first read, so that no
                // change is missed once the heading is visible.
                None => self.printer.begin(out)?,
                Some(was) if was != changes.size => {
                    let (id, now) = (self.id.short(), changes.size);
                    warn(&format!("the size of {id} changed from {was} to {now} bytes"));
                }
                Some(_) => {}
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Prints the changes of a layout. Contents that do not have it at first are an error; later, they
    /// may be changing.
    fn print_value(
        &mut self,
        value: Result<Box<StableValue>, ShownError>,
        out: &mut Out,
    ) -> Result<ControlFlow<()>, Failure> {
        let (value, shown) = match (value, &mut self.value) {
            (Ok(value), shown) => (value, shown),
            (Err(error), None) => return Err(Failure::Unfit(error)),
            (Err(error), Some(shown)) => {
                shown.is_unfit = true;
                warn(&format!("no values: {error}"));
                return Ok(ControlFlow::Continue(()));
            }
        };
        let flow = match shown {
            None => {
                self.printer.begin(out)?;
                ControlFlow::Continue(())
            }
            Some(shown) => {
                if shown.is_unfit {
                    warn(&format!("the contents are a {} again", value.name));
                }
                self.printer.print_layout(&shown.value, &value, out)?
            }
        };
        *shown = Some(LayoutValue { value, is_unfit: false });
        Ok(flow)
    }

    fn ended(&self, ended: Ended) -> Failure {
        let id = self.id.clone();
        match ended {
            Ended::Removed | Ended::Closed => Failure::Vanished { id },
            Ended::Released => Failure::Released { id },
            Ended::Unreadable(source) => Failure::Read { id, source },
        }
    }
}
