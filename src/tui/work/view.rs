//! Looks into segments: a preview of the one that is selected, a live view of
//! the one that is open, and those that stay attached after that.

use super::Worker;
use super::search::{Goal, Search, Searches};
use crate::app::Event;
use crate::app::effect::{Request, Target, Watching};
use crate::app::event::{Clock, Found, Opened, Preview};
use crate::machine::Machine;
use crate::memory::{self, Live, Look, Progress, Reader, Standing};
use crate::segment::{Kind, Segment, SegmentId};
use crate::tui::message::Message;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How often the preview is read.
const PREVIEW_EVERY: Duration = Duration::from_millis(250);
/// How many bytes it has.
const PREVIEW_BYTES: usize = 512;
/// The longest that one look scans on through the rest of a segment.
const LONGEST_SCAN: Duration = Duration::from_millis(10);
/// Scanning takes at most this part of the time.
const SCAN_SHARE: u32 = 20;

/// An order to the viewer.
#[derive(Debug, Clone)]
pub enum Order {
    /// Preview this segment; `None`: none.
    Preview(Option<Box<Segment>>),
    /// Open this segment. The one that was open is closed.
    Open(Box<Segment>),
    /// Look at this part of the open segment, this often.
    Look(Watching),
    /// Look once more, now.
    LookOnce,
    /// Changes are measured from now on.
    SetBaseline,
    /// Find something in the open segment.
    Find(Request),
    /// Give up the search that is under way.
    StopSearch,
    /// Close the open segment.
    Close {
        /// Stay attached.
        keep: bool,
    },
    /// Let go of a segment that was kept.
    Detach(SegmentId),
}

/// Holds everything that is open.
pub struct Viewer {
    machine: Arc<dyn Machine>,
    searches: Searches,
    preview: Option<Previewed>,
    open: Option<Open>,
    kept: BTreeMap<SegmentId, Reader>,
}

/// The selected segment.
struct Previewed {
    segment: Box<Segment>,
    /// What was told of it.
    told: Option<Preview>,
    /// When it is read next; `None`: there is no reason to.
    due: Option<Clock>,
}

/// The segment that Inspect shows.
struct Open {
    live: Live,
    watching: Option<Watching>,
    /// Somebody waits for a look.
    asked: bool,
    /// When the last look began, and how long it took.
    last: Option<(Clock, Duration)>,
    /// What was told of it.
    told: Option<Result<Box<Look>, String>>,
}

impl Viewer {
    /// One that has nothing open. Answers of searches go to `messages`.
    pub fn new(machine: Arc<dyn Machine>, messages: Sender<Message>) -> Self {
        let searches = Searches::new(messages);
        Self { machine, searches, preview: None, open: None, kept: BTreeMap::new() }
    }

    fn open(&mut self, segment: &Segment) -> Event {
        self.searches.stop();
        self.open = None;
        let kept = self.kept.get(&segment.id).filter(|reader| {
            // What was kept may be gone, and another have its name.
            !matches!(reader.standing(&*self.machine), Ok(Standing::Replaced { .. }) | Err(_))
        });
        let reader = kept.cloned().map_or_else(|| Reader::open(&*self.machine, segment), Ok);
        let result = reader.map(|reader| {
            let live = Live::new(reader);
            self.open = Some(Open { live, watching: None, asked: false, last: None, told: None });
        });
        Event::Opened(Opened { id: segment.id.clone(), result })
    }

    fn close(&mut self, keep: bool) -> Option<Event> {
        // It has the segment open too.
        self.searches.stop();
        let open = self.open.take()?;
        let id = open.live.reader().id().clone();
        if keep {
            self.kept.insert(id, open.live.reader().clone());
            return None;
        }
        drop(open);
        Some(self.detach(id))
    }

    fn detach(&mut self, id: SegmentId) -> Event {
        self.kept.remove(&id);
        Event::Detached(id)
    }

    fn find(&mut self, request: Request) -> Option<Event> {
        let open = self.open.as_mut()?;
        let Request { number, from, direction, what } = request;
        let goal = match what {
            Target::Pattern(pattern) => Goal::Pattern(pattern),
            Target::Data { gap } => Goal::Data { gap },
            Target::Change => {
                self.searches.stop();
                let result = open.live.next_change(from, direction, &Progress::new());
                let result = result.map_err(|error| unreadable(open.live.reader().id(), &error));
                return Some(Event::Found(Found { request: number, result, wrapped: false }));
            }
        };
        self.searches.start(open.live.reader().clone(), Search { number, from, direction, goal });
        None
    }

    fn preview_due(&self) -> Option<Clock> {
        // While Inspect is open, nobody sees it.
        self.preview.as_ref().filter(|_| self.open.is_none()).and_then(|preview| preview.due)
    }

    fn read_preview(&mut self, now: Clock) -> Option<Event> {
        let preview = self.preview.as_mut()?;
        let segment = &*preview.segment;
        let reader = match segment.kind() {
            // Opened anew each time: nothing is held, and one that took its name is noticed.
            Kind::Posix => Some(Reader::open(&*self.machine, segment).map_err(|error| error.to_string())),
            // Never attached for this: others would see it.
            Kind::Sysv => self.kept.get(&segment.id).cloned().map(Ok),
        };
        preview.due = reader.is_some().then(|| now + PREVIEW_EVERY);
        let bytes = reader
            .unwrap_or_else(|| Err("not attached, so not read: Enter attaches it read-only".to_owned()))
            .and_then(|reader| {
                let mut bytes = vec![0; PREVIEW_BYTES];
                let count = reader.read_at(0, &mut bytes).map_err(|error| unreadable(reader.id(), &error))?;
                bytes.truncate(count);
                Ok(bytes)
            });
        let now = Preview { id: segment.id.clone(), bytes };
        if preview.told.as_ref() == Some(&now) {
            return None;
        }
        preview.told = Some(now.clone());
        Some(Event::Previewed(now))
    }
}

impl Open {
    fn watch(&mut self, watching: Watching) {
        // Another part is looked at once even while frozen.
        self.asked |= self
            .watching
            .as_ref()
            .is_none_or(|was| was.window != watching.window || was.cells != watching.cells);
        self.watching = Some(watching);
    }

    fn due(&self) -> Option<Clock> {
        let watching = self.watching.as_ref()?;
        if self.asked {
            return Some(Clock::ZERO);
        }
        let every = watching.every?;
        // However short the interval: half of the time at least is left to others.
        Some(self.last.map_or(Clock::ZERO, |(began, took)| began + every.max(2 * took)))
    }

    fn look(&mut self, machine: &dyn Machine, now: Clock) -> Option<Event> {
        let watching = self.watching.clone()?;
        let asked = std::mem::take(&mut self.asked);
        let began = Instant::now();
        let budget = watching.every.map_or(LONGEST_SCAN, |every| (every / SCAN_SHARE).min(LONGEST_SCAN));
        let request = memory::Request { window: watching.window, cells: watching.cells, budget };
        let looked = self.live.look(machine, &request).map(Box::new);
        let looked = looked.map_err(|error| unreadable(self.live.reader().id(), &error));
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
        (Some(libc::EIDRM | libc::EINVAL), _) => format!("{id} is gone: it was removed while it was open"),
        (_, io::ErrorKind::PermissionDenied) => {
            format!("{id} can no longer be read: its permissions were changed while it was open")
        }
        _ => format!("{id} can no longer be read: {error}"),
    }
}

impl Worker for Viewer {
    type Order = Order;

    fn handle(&mut self, now: Clock, order: Order) -> Vec<Event> {
        let event = match order {
            Order::Preview(segment) => {
                self.preview = segment.map(|segment| Previewed { segment, told: None, due: Some(now) });
                None
            }
            Order::Open(segment) => Some(self.open(&segment)),
            Order::Close { keep } => self.close(keep),
            Order::Detach(id) => Some(self.detach(id)),
            Order::Find(request) => self.find(request),
            Order::StopSearch => {
                self.searches.stop();
                None
            }
            Order::Look(watching) => {
                if let Some(open) = &mut self.open {
                    open.watch(watching);
                }
                None
            }
            Order::LookOnce => {
                if let Some(open) = &mut self.open {
                    open.asked = true;
                }
                None
            }
            Order::SetBaseline => {
                if let Some(open) = &mut self.open {
                    open.live.set_baseline();
                }
                None
            }
        };
        event.into_iter().collect()
    }

    fn deadline(&self) -> Option<Clock> {
        let look = self.open.as_ref().and_then(Open::due);
        look.into_iter().chain(self.preview_due()).min()
    }

    fn work(&mut self, now: Clock) -> Vec<Event> {
        let mut events = vec![];
        if self.preview_due().is_some_and(|due| due <= now) {
            events.extend(self.read_preview(now));
        }
        if let Some(open) = self.open.as_mut().filter(|open| open.due().is_some_and(|due| due <= now)) {
            events.extend(open.look(&*self.machine, now));
        }
        events
    }
}

#[cfg(test)]
mod tests;
