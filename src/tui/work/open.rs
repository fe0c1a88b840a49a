//! The segment that is open in Inspect: what is looked at, and when.

use crate::app::Event;
use crate::app::effect::Watching;
use crate::app::event::Clock;
use crate::machine::Machine;
use crate::memory::{Live, Look, Reader, Request};
use crate::segment::{SegmentId, plain_error};
use std::io;
use std::mem;
use std::time::{Duration, Instant};

/// The longest that one look scans on through the rest of a segment.
const LONGEST_SCAN: Duration = Duration::from_millis(10);
/// Scanning takes at most this part of the time.
const SCAN_SHARE: u32 = 20;

/// The segment that Inspect shows.
pub struct Open {
    pub live: Live,
    watching: Option<Watching>,
    /// Somebody waits for a look.
    pub asked: bool,
    /// When the last look began, and how long it took.
    last: Option<(Clock, Duration)>,
    /// What was told of it.
    told: Option<Result<Box<Look>, String>>,
}

impl Open {
    /// Just opened: nothing is looked at yet.
    pub fn new(reader: Reader) -> Self {
        Self { live: Live::new(reader), watching: None, asked: false, last: None, told: None }
    }

    /// What it is read through.
    pub const fn reader(&self) -> &Reader {
        self.live.reader()
    }

    /// From now on this is looked at, so often.
    pub fn watch(&mut self, watching: Watching) {
        // Another part is looked at once even while frozen.
        self.asked |= self
            .watching
            .as_ref()
            .is_none_or(|was| was.window != watching.window || was.cells != watching.cells);
        self.watching = Some(watching);
    }

    /// When the next look is due.
    pub fn due(&self) -> Option<Clock> {
        let watching = self.watching.as_ref()?;
        if self.asked {
            return Some(Clock::ZERO);
        }
        let every = watching.every?;
        // However short the interval: half of the time at least is left to others.
        Some(self.last.map_or(Clock::ZERO, |(began, took)| began + every.max(2 * took)))
    }

    /// Looks, and tells what there is that was not told before.
    pub fn look(&mut self, machine: &dyn Machine, now: Clock) -> Option<Event> {
        let watching = self.watching.clone()?;
        let asked = mem::take(&mut self.asked);
        let began = Instant::now();
        let budget = watching.every.map_or(LONGEST_SCAN, |every| (every / SCAN_SHARE).min(LONGEST_SCAN));
        let request = Request { window: watching.window, cells: watching.cells, budget };
        let looked = self.live.look(machine, &request).map(Box::new);
        let looked = looked.map_err(|error| unreadable(self.reader().id(), &error));
        self.last = Some((now, began.elapsed()));
        // What shows nothing new need not be drawn.
        let quiet = looked.as_ref().map_or(true, |look| look.changes == 0);
        if quiet && !asked && self.told.as_ref() == Some(&looked) {
            return None;
        }
        self.told = Some(looked.clone());
        Some(match looked {
            Ok(look) => Event::Looked(look),
            Err(reason) => Event::LookFailed(reason),
        })
    }
}

/// Why something that is open cannot be looked at.
pub fn unreadable(id: &SegmentId, error: &io::Error) -> String {
    match (error.raw_os_error(), error.kind()) {
        (Some(libc::EIDRM | libc::EINVAL), _) => format!("{id} is gone: removed while it was open"),
        (_, io::ErrorKind::PermissionDenied) => {
            format!("{id} can no longer be read: its permissions changed while it was open")
        }
        _ => format!("failed to read {id}: {}", plain_error(error)),
    }
}
