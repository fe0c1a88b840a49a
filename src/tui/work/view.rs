//! Looks into segments: a preview of the one that is selected, a live view of
//! the one that is open, and those that stay attached after that.

use super::Worker;
use super::open::{Open, unreadable};
use super::preview::Previewed;
use super::search::{Goal, Search, Searches};
use crate::act::{ActError, ChangeLog, Hold, Released, detach};
use crate::app::Event;
use crate::app::effect::{Request, Target, Watching};
use crate::app::event::{Clock, Found, Opened};
use crate::machine::Machine;
use crate::memory::{Progress, Reader, Standing};
use crate::segment::{Segment, SegmentId};
use crate::tui::message::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;

/// An order to the viewer.
#[derive(Debug, Clone)]
pub enum Order {
    /// Preview this segment; `None`: none.
    Preview(Option<Box<Segment>>),
    /// Whether the preview is read again and again, or rests.
    PreviewAgain(bool),
    /// Read the preview once more, now.
    PreviewOnce,
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
    /// Tell what we hold.
    AskHolds,
    /// Let go of these.
    LetGo(Vec<Hold>),
}

/// Holds everything that is open.
pub struct Viewer {
    machine: Arc<dyn Machine>,
    searches: Searches,
    preview: Option<Previewed>,
    preview_again: bool,
    open: Option<Open>,
    kept: BTreeMap<SegmentId, Reader>,
    /// Where it stands what was let go of; `None` for a user without a home.
    log: Option<ChangeLog>,
}

impl Viewer {
    /// One that has nothing open. Answers of searches go to `messages`.
    pub fn new(machine: Arc<dyn Machine>, log: Option<ChangeLog>, messages: Sender<Message>) -> Self {
        let searches = Searches::new(messages);
        Self { machine, searches, preview: None, preview_again: true, open: None, kept: BTreeMap::new(), log }
    }

    fn open(&mut self, segment: &Segment) -> Event {
        self.searches.stop();
        self.open = None;
        // What was kept may be gone, and another have its name: that one takes its place.
        let kept = self.kept.get(&segment.id).cloned();
        let kept = kept.filter(|reader| {
            !matches!(reader.standing(&*self.machine), Ok(Standing::Replaced { .. }) | Err(_))
        });
        if kept.is_none() {
            self.kept.remove(&segment.id);
        }
        let reader = kept.map_or_else(|| Reader::open(&*self.machine, segment), Ok);
        let result = reader.map(|reader| {
            self.open = Some(Open::new(reader));
        });
        Event::Opened(Opened { id: segment.id.clone(), result })
    }

    fn close(&mut self, keep: bool) -> Option<Event> {
        // It has the segment open too.
        self.searches.stop();
        let open = self.open.take()?;
        let id = open.reader().id().clone();
        if keep {
            self.kept.insert(id, open.reader().clone());
            return None;
        }
        let hold = Hold::of(&*self.machine, open.reader());
        drop(open);
        let released = detach(&*self.machine, &hold, hold.clone(), || drop(self.kept.remove(&id)));
        // Looking and leaving is no act, unless the segment goes with it.
        if let Some(released) = released.as_ref().ok().filter(|released| released.is_gone()) {
            self.note(&id, released);
        }
        Some(Event::LetGo(vec![(id, released)]))
    }

    /// Everything that we hold, each once: what is open may be kept too.
    fn holds(&self) -> Vec<Hold> {
        let open = self.open.as_ref().map(Open::reader);
        let open = open.filter(|reader| !self.kept.contains_key(reader.id()));
        self.kept.values().chain(open).map(|reader| Hold::of(&*self.machine, reader)).collect()
    }

    fn let_go(&mut self, shown: &Hold) -> (SegmentId, Result<Released, ActError>) {
        let id = shown.id.clone();
        let is_open = self.open.as_ref().is_some_and(|open| *open.reader().id() == id);
        let open = self.open.as_ref().filter(|_| is_open).map(Open::reader);
        let Some(reader) = open.or_else(|| self.kept.get(&id)) else {
            return (id.clone(), Err(ActError::Gone { id }));
        };
        let now = Hold::of(&*self.machine, reader);
        let released = detach(&*self.machine, shown, now, || {
            if is_open {
                // A search has it too.
                self.searches.stop();
                self.open = None;
            }
            self.kept.remove(&id);
        });
        if let Ok(released) = &released {
            self.note(&id, released);
        }
        (id, released)
    }

    /// That it cannot be written stops nothing; the log on the screen has it.
    fn note(&self, id: &SegmentId, released: &Released) {
        if let Some(log) = &self.log {
            let _ = log.note(&*self.machine, "detach", id.to_string(), true, released.said());
        }
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
                let result = result.map_err(|error| unreadable(open.reader().id(), &error));
                return Some(Event::Found(Found { request: number, result, wrapped: false }));
            }
        };
        self.searches.start(open.reader().clone(), Search { number, from, direction, goal });
        None
    }

    fn preview_due(&self) -> Option<Clock> {
        // While Inspect is open, nobody sees it.
        self.preview.as_ref().filter(|_| self.open.is_none()).and_then(|preview| preview.due)
    }

    fn preview_now(&mut self, now: Clock) {
        if let Some(preview) = &mut self.preview {
            preview.due = Some(now);
        }
    }

    fn read_preview(&mut self, now: Clock) -> Option<Event> {
        let preview = self.preview.as_mut()?;
        let news = preview.read(&*self.machine, &self.kept, now);
        if !self.preview_again {
            preview.due = None;
        }
        news.map(Event::Previewed)
    }
}

impl Worker for Viewer {
    type Order = Order;

    fn handle(&mut self, now: Clock, order: Order) -> Vec<Event> {
        let event = match order {
            Order::Preview(segment) => {
                self.preview = segment.map(|segment| Previewed::new(segment, now));
                None
            }
            Order::PreviewAgain(again) => {
                self.preview_again = again;
                self.preview_now(now);
                None
            }
            Order::PreviewOnce => {
                self.preview_now(now);
                None
            }
            Order::Open(segment) => Some(self.open(&segment)),
            Order::Close { keep } => self.close(keep),
            Order::AskHolds => Some(Event::Holds(self.holds())),
            Order::LetGo(shown) => {
                Some(Event::LetGo(shown.into_iter().map(|shown| self.let_go(&shown)).collect()))
            }
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
