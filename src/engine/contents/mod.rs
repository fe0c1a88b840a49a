//! Reads contents for subscriptions, and keeps segments attached.
//!
//! Subscriptions to the same segment share one reader. When the last subscription ends, the reader
//! is released unless it is kept.

mod lifetime;
mod preview;
mod readers;
mod samples;
mod structure;
mod value;
mod window;

pub(super) use lifetime::Lifetime;
pub use preview::value_rate;
pub use readers::Readers;

use super::Clock;
use super::pace::Pace;
use super::report::{Body, Ended, Found, Opened, Report, unreadable};
use super::request::{Feed, Request, Search, SubscriptionId, Target};
use super::worker::{Job, Worker};
use crate::act::{ActError, ChangeLog, OwnAttachment, Released, detach};
use crate::machine::Machine;
use crate::memory::{Presence, Progress, Reader};
use crate::segment::{Segment, SegmentId};
use preview::{Held, PreviewFeed};
use samples::{Samples, Watch};
use std::collections::BTreeMap;
use std::time::Duration;
use value::ValueFeed;
use window::Window;

/// The worker that owns all open segments.
pub struct Contents {
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    kept: BTreeMap<SegmentId, Reader>,
    /// The readers lent to searches.
    readers: Readers,
    /// The log of releases; `None` for a user without a home directory.
    log: Option<ChangeLog>,
    /// The subscription that was read last.
    last: Option<SubscriptionId>,
    /// Set if each snapshot may scan only for a short time.
    hurry: bool,
}

struct Subscription {
    pace: Pace,
    source: Source,
}

enum Source {
    Window(Box<Window>),
    PreviewFeed(Box<PreviewFeed>),
    Ranges(Box<Samples>),
    Changes(Box<Watch>),
    Value(Box<ValueFeed>),
}

impl Source {
    const fn reader(&self) -> Option<&Reader> {
        match self {
            Self::Window(window) => Some(window.tracker.reader()),
            Self::Ranges(samples) => Some(&samples.reader),
            Self::Changes(watch) => Some(watch.tracker.reader()),
            Self::Value(feed) => Some(&feed.reader),
            Self::PreviewFeed(_) => None,
        }
    }
}

impl Subscription {
    fn holds(&self, id: &SegmentId) -> bool {
        self.source.reader().is_some_and(|reader| reader.id() == id)
    }

    fn read(&mut self, machine: &dyn Machine, now: Clock, held: &Held<'_>, hurry: bool) -> Vec<Body> {
        let Self { pace, source } = self;
        let continues = match source {
            Source::Changes(watch) => !watch.tracker.is_complete(),
            Source::PreviewFeed(preview) => preview.next_step().is_some(),
            Source::Window(_) | Source::Ranges(_) | Source::Value(_) => false,
        };
        let asked = if continues {
            pace.resume();
            false
        } else {
            pace.start(now)
        };
        match source {
            Source::Window(window) => window.read(machine, asked, hurry),
            Source::PreviewFeed(preview) => {
                let bodies = preview.read(machine, now, held, pace.every.is_some());
                match preview.next_step() {
                    Some(wait) => pace.request(now + wait),
                    None => pace.every = preview.next_interval(held),
                }
                bodies
            }
            Source::Ranges(samples) => vec![samples.read(machine, now)],
            Source::Changes(watch) => watch.read(machine, now, pace),
            Source::Value(feed) => feed.read(machine, now).into_iter().collect(),
        }
    }
}

impl Contents {
    pub fn new(log: Option<ChangeLog>, readers: Readers) -> Self {
        let (subscriptions, kept) = (BTreeMap::new(), BTreeMap::new());
        Self { subscriptions, kept, readers, log, last: None, hurry: true }
    }

    /// Lets each snapshot scan the whole segment, however long that takes.
    #[must_use]
    pub fn without_time_limit(self, without_time_limit: bool) -> Self {
        Self { hurry: !without_time_limit, ..self }
    }

    fn subscribe(
        &mut self,
        machine: &dyn Machine,
        now: Clock,
        id: SubscriptionId,
        segment: Box<Segment>,
        feed: Feed,
    ) -> Option<Body> {
        if let Feed::Preview { every, bytes, cells, fields } = feed {
            let mut pace = Pace::new(every, 2);
            pace.request(now);
            let mut preview = match self.drop_subscription(id) {
                Some(Subscription { source: Source::PreviewFeed(preview), .. })
                    if preview.shows(&segment) =>
                {
                    preview
                }
                _ => Box::default(),
            };
            preview.show(segment, every, bytes, cells, fields);
            self.subscriptions.insert(id, Subscription { pace, source: Source::PreviewFeed(preview) });
            return None;
        }
        self.drop_subscription(id);
        let reader = match self.reader(machine, &segment) {
            Ok(reader) => reader,
            Err(error) => return Some(Body::Opened(Err(error))),
        };
        let size = reader.size().unwrap_or(segment.size.0);
        let opened = Opened { size, method: reader.method() };
        self.readers.add(id, reader.clone());
        let (source, pace) = match feed {
            Feed::Ranges { ranges, every } => {
                let (samples, pace) = Samples::new(reader, segment, ranges, every, now);
                (Source::Ranges(Box::new(samples)), pace)
            }
            Feed::Changes { range, value, every } => {
                let (watch, pace) = Watch::new(reader, segment, range, value, every, now);
                (Source::Changes(Box::new(watch)), pace)
            }
            Feed::Value { layout, every } => {
                let (feed, pace) = ValueFeed::new(reader, segment, layout, every, now);
                (Source::Value(Box::new(feed)), pace)
            }
            Feed::Window | Feed::Preview { .. } => {
                (Source::Window(Box::new(Window::new(reader))), Pace::new(None, 2))
            }
        };
        self.subscriptions.insert(id, Subscription { pace, source });
        Some(Body::Opened(Ok(opened)))
    }

    /// Returns the reader that is open or kept, or opens a new one.
    fn reader(
        &mut self,
        machine: &dyn Machine,
        segment: &Segment,
    ) -> Result<Reader, crate::memory::OpenError> {
        let open = self.subscriptions.values().filter_map(|subscription| subscription.source.reader());
        let open = self.kept.get(&segment.id).into_iter().chain(open);
        // The open segment may have been replaced under its name.
        let fits = |reader: &&Reader| {
            reader.id() == &segment.id
                && !matches!(reader.presence(machine), Ok(Presence::Replaced { .. }) | Err(_))
        };
        if let Some(reader) = open.into_iter().find(fits) {
            return Ok(reader.clone());
        }
        self.kept.remove(&segment.id);
        Reader::open(machine, segment)
    }

    fn drop_subscription(&mut self, id: SubscriptionId) -> Option<Subscription> {
        self.readers.remove(id);
        self.subscriptions.remove(&id)
    }

    fn unsubscribe(&mut self, machine: &dyn Machine, id: SubscriptionId, keep: bool) -> Option<Body> {
        let subscription = self.drop_subscription(id)?;
        let reader = subscription.source.reader()?.clone();
        let segment = reader.id().clone();
        if keep {
            self.kept.insert(segment, reader);
            return None;
        }
        if self.subscriptions.values().any(|other| other.holds(&segment)) {
            self.kept.remove(&segment);
            return None;
        }
        let attachment = OwnAttachment::of(machine, &reader);
        let released = detach(machine, &attachment, attachment.clone(), || {
            drop((subscription, reader));
            self.kept.remove(&segment);
        });
        // Releasing a segment is logged only if it also removes the segment.
        if let Some(released) = released.as_ref().ok().filter(|released| released.is_gone()) {
            self.note(machine, &segment, released);
        }
        Some(Body::Released(vec![(segment, released)]))
    }

    /// Returns the held segments without duplicates: kept ones first, then open ones.
    fn held(&self) -> Vec<&Reader> {
        let mut held: Vec<&Reader> = self.kept.values().collect();
        for reader in self.subscriptions.values().filter_map(|subscription| subscription.source.reader()) {
            if held.iter().all(|other| other.id() != reader.id()) {
                held.push(reader);
            }
        }
        held
    }

    /// Releases a segment and ends its subscriptions.
    fn release(
        &mut self,
        machine: &dyn Machine,
        shown: &OwnAttachment,
        ended: &mut Vec<SubscriptionId>,
    ) -> (SegmentId, Result<Released, ActError>) {
        let id = shown.id.clone();
        let Some(reader) = self.held().into_iter().find(|reader| *reader.id() == id) else {
            return (id.clone(), Err(ActError::Gone { id }));
        };
        let now = OwnAttachment::of(machine, reader);
        let released = detach(machine, shown, now, || {
            let all = self.subscriptions.iter().filter(|(_, subscription)| subscription.holds(&id));
            let all: Vec<SubscriptionId> = all.map(|(&subscription, _)| subscription).collect();
            for subscription in all {
                self.drop_subscription(subscription);
                ended.push(subscription);
            }
            self.kept.remove(&id);
        });
        if let Ok(released) = &released {
            self.note(machine, &id, released);
        }
        (id, released)
    }

    /// Errors are ignored: the log on screen has the entry too.
    fn note(&self, machine: &dyn Machine, id: &SegmentId, released: &Released) {
        if let Some(log) = &self.log {
            let _ = log.add(&log.entry(machine, "detach", id.to_string(), true, released.text()));
        }
    }

    fn window(&mut self, id: SubscriptionId) -> Option<(&mut Window, &mut Pace)> {
        let Subscription { pace, source } = self.subscriptions.get_mut(&id)?;
        let Source::Window(window) = source else { return None };
        Some((window, pace))
    }

    /// Finds a changed value.
    fn next_change(&mut self, id: SubscriptionId, search: &Search, progress: &Progress) -> Option<Body> {
        let Target::Change { value } = search.target else { return None };
        let (window, _) = self.window(id)?;
        let result = window.tracker.next_changed_value(search.from, value, search.direction, progress);
        let result = result.map_err(|error| unreadable(window.tracker.reader().id(), &error));
        // A canceled search is not answered.
        (!progress.is_cancelled()).then_some(Body::Found(Found {
            number: search.number,
            result,
            wrapped: false,
        }))
    }
}

impl Worker for Contents {
    fn handle(&mut self, machine: &dyn Machine, now: Clock, job: Job) -> Vec<Report> {
        let (id, body) = match job.request {
            Request::Subscribe(id, segment, feed) => (id, self.subscribe(machine, now, id, segment, feed)),
            Request::Unsubscribe { subscription: id, keep } => (id, self.unsubscribe(machine, id, keep)),
            Request::Search(id, search) => (id, self.next_change(id, &search, &job.progress)),
            Request::SetWindow(id, watching) => {
                if let Some((window, pace)) = self.window(id) {
                    window.watch(watching, pace);
                }
                (id, None)
            }
            Request::ReadOnce(id) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.pace.request(Clock::ZERO);
                }
                (id, None)
            }
            Request::Every(id, every) => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.pace.every = every;
                    subscription.pace.request(Clock::ZERO);
                    if let Source::PreviewFeed(preview) = &mut subscription.source {
                        preview.every = every;
                    }
                }
                (id, None)
            }
            Request::SetBaseline(id) => {
                if let Some((window, _)) = self.window(id) {
                    window.tracker.set_baseline();
                }
                (id, None)
            }
            Request::ListAttachments => {
                let holds =
                    self.held().into_iter().map(|reader| OwnAttachment::of(machine, reader)).collect();
                return vec![Report::new(now, Body::Attachments(holds))];
            }
            Request::Release(shown) => {
                let mut ended = vec![];
                let results = shown.iter().map(|shown| self.release(machine, shown, &mut ended)).collect();
                let ended = ended.into_iter().map(|id| Report::of(id, now, Body::Ended(Ended::Closed)));
                return std::iter::once(Report::new(now, Body::Released(results))).chain(ended).collect();
            }
            _ => return vec![],
        };
        body.map(|body| Report::of(id, now, body)).into_iter().collect()
    }

    fn deadline(&self) -> Option<Clock> {
        self.subscriptions.values().filter_map(|subscription| subscription.pace.due()).min()
    }

    /// Reads the subscription that has been due the longest.
    fn work(&mut self, machine: &dyn Machine, now: Clock) -> Vec<Report> {
        let due = self.subscriptions.iter_mut().filter_map(|(&id, one)| Some((one.pace.due()?, id, one)));
        let Some((_, id, subscription)) = due.filter(|(due, ..)| *due <= now).min_by_key(|(due, ..)| *due)
        else {
            return vec![];
        };
        self.last = Some(id);
        let (kept, readers) = (&self.kept, &self.readers);
        let held = |segment: &SegmentId| kept.get(segment).cloned().or_else(|| readers.of(segment));
        let bodies = subscription.read(machine, now, &held, self.hurry);
        if matches!(bodies.last(), Some(Body::Ended(_))) {
            self.drop_subscription(id);
        }
        bodies.into_iter().map(|body| Report::of(id, now, body)).collect()
    }

    fn took(&mut self, time: Duration) {
        if let Some(subscription) = self.last.and_then(|id| self.subscriptions.get_mut(&id)) {
            subscription.pace.add_duration(time);
        }
    }
}

#[cfg(test)]
mod tests;
