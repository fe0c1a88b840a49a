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
    Find(Box<Request>),
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
            Target::Pattern(pattern) => Goal::Pattern(Box::new(pattern)),
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
            Order::Find(request) => self.find(*request),
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
mod tests {
    use super::*;
    use crate::machine::made::{MadeBytes, MadeMachine};
    use crate::memory::{Direction, OpenError, Pattern};
    use crate::survey::{Names, Survey};
    use std::sync::mpsc::{self, Receiver};

    const SECOND: Duration = Duration::from_secs(1);
    const TENTH: Duration = Duration::from_millis(100);

    /// A viewer over a made machine, and the time.
    struct Scene {
        machine: MadeMachine,
        viewer: Viewer,
        inbox: Receiver<Message>,
        now: Clock,
    }

    impl Scene {
        /// A machine with `posix:/a` and `sysv:1`, both holding "hello".
        fn new() -> Self {
            let machine = MadeMachine::new();
            machine.add_object("a", MadeBytes::full(b"hello"));
            machine.add_sysv(1, 0x4d2, MadeBytes::full(b"hello"));
            let (messages, inbox) = mpsc::channel();
            let viewer = Viewer::new(Arc::new(machine.clone()), messages);
            Self { machine, viewer, inbox, now: SECOND }
        }

        fn segment(&self, id: &str) -> Box<Segment> {
            let survey = Survey::take(&self.machine, &mut Names::default());
            Box::new(survey.segments.into_iter().find(|segment| segment.id.to_string() == id).unwrap())
        }

        fn nattch(&self) -> u64 {
            self.machine.edit(|facts| facts.sysv[0].row.nattch)
        }

        fn order(&mut self, order: Order) -> Vec<Event> {
            self.viewer.handle(self.now, order)
        }

        fn open(&mut self, id: &str) {
            let segment = self.segment(id);
            let events = self.order(Order::Open(segment));
            assert!(matches!(&events[..], [Event::Opened(Opened { result: Ok(()), .. })]), "{events:?}");
        }

        fn watch(&mut self, window: std::ops::Range<u64>, every: Option<Duration>) {
            self.order(Order::Look(Watching { window, cells: 1, every }));
        }

        /// Lets time pass, working whenever something is due.
        fn pass(&mut self, time: Duration) -> Vec<Event> {
            let until = self.now + time;
            let mut events = vec![];
            while let Some(due) = self.viewer.deadline().filter(|&due| due <= until) {
                self.now = self.now.max(due);
                events.extend(self.viewer.work(self.now));
            }
            self.now = until;
            events
        }

        fn looks(&mut self, time: Duration) -> Vec<Look> {
            let events = self.pass(time).into_iter();
            events
                .map(|event| if let Event::Looked(look) = event { *look } else { panic!("{event:?}") })
                .collect()
        }

        fn previews(&mut self, time: Duration) -> Vec<Result<Vec<u8>, String>> {
            let events = self.pass(time).into_iter();
            events
                .map(|event| match event {
                    Event::Previewed(preview) => preview.bytes,
                    event => panic!("{event:?}"),
                })
                .collect()
        }
    }

    #[test]
    fn a_preview_is_told_when_its_bytes_differ() {
        let mut scene = Scene::new();
        let segment = scene.segment("posix:/a");
        scene.order(Order::Preview(Some(segment)));
        assert_eq!(scene.previews(SECOND), [Ok(b"hello".to_vec())]);
        scene.machine.edit_object("a", |bytes| bytes.write(0, b"j"));
        assert_eq!(scene.previews(SECOND), [Ok(b"jello".to_vec())]);
        scene.machine.remove_object("a");
        let [Err(gone)] = &scene.previews(SECOND)[..] else { panic!() };
        assert!(gone.contains("posix:/a is gone"), "{gone}");
        scene.order(Order::Preview(None));
        assert_eq!(scene.viewer.deadline(), None);
    }

    #[test]
    fn a_preview_has_at_most_512_bytes() {
        let mut scene = Scene::new();
        scene.machine.add_object("b", MadeBytes::full(&[7; 1000]));
        let segment = scene.segment("posix:/b");
        scene.order(Order::Preview(Some(segment)));
        assert_eq!(scene.previews(SECOND), [Ok(vec![7; 512])]);
    }

    #[test]
    fn a_preview_never_attaches_a_system_v_segment() {
        let mut scene = Scene::new();
        let segment = scene.segment("sysv:1");
        scene.order(Order::Preview(Some(segment)));
        let [Err(reason)] = &scene.previews(SECOND)[..] else { panic!() };
        assert!(reason.contains("Enter attaches"), "{reason}");
        assert_eq!(scene.viewer.deadline(), None, "there is nothing to come back for");
        assert_eq!(scene.machine.edit(|facts| facts.attached), 0);
    }

    #[test]
    fn a_kept_segment_is_previewed_through_what_is_kept() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        scene.order(Order::Close { keep: true });
        let segment = scene.segment("sysv:1");
        scene.order(Order::Preview(Some(segment)));
        assert_eq!(scene.previews(SECOND), [Ok(b"hello".to_vec())]);
        assert_eq!(scene.machine.edit(|facts| facts.attached), 1);
    }

    #[test]
    fn no_preview_is_read_while_inspect_is_open() {
        let mut scene = Scene::new();
        let segment = scene.segment("posix:/a");
        scene.order(Order::Preview(Some(segment)));
        scene.pass(SECOND);
        scene.open("posix:/a");
        assert_eq!(scene.viewer.deadline(), None);
        scene.order(Order::Close { keep: false });
        assert!(scene.viewer.deadline().is_some());
    }

    #[test]
    fn closing_detaches_and_says_so() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        assert_eq!(scene.nattch(), 1);
        let events = scene.order(Order::Close { keep: false });
        assert!(matches!(&events[..], [Event::Detached(id)] if id.to_string() == "sysv:1"), "{events:?}");
        assert_eq!(scene.nattch(), 0);
        assert!(scene.order(Order::Close { keep: false }).is_empty());
    }

    #[test]
    fn what_is_kept_stays_until_it_is_let_go() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        assert!(scene.order(Order::Close { keep: true }).is_empty());
        assert_eq!(scene.nattch(), 1);
        // Opened again, it is the same attachment.
        scene.open("sysv:1");
        assert_eq!(scene.nattch(), 1);
        scene.order(Order::Close { keep: true });
        let segment = scene.segment("sysv:1");
        let events = scene.order(Order::Detach(segment.id));
        assert!(matches!(&events[..], [Event::Detached(_)]), "{events:?}");
        assert_eq!(scene.nattch(), 0);
    }

    #[test]
    fn what_was_kept_is_let_go_when_it_is_closed_for_good() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        scene.order(Order::Close { keep: true });
        scene.open("sysv:1");
        scene.order(Order::Close { keep: false });
        assert_eq!(scene.nattch(), 0);
    }

    #[test]
    fn a_kept_segment_does_not_stand_in_for_one_that_took_its_name() {
        let mut scene = Scene::new();
        scene.open("posix:/a");
        scene.order(Order::Close { keep: true });
        scene.machine.add_object("a", MadeBytes::full(b"other"));
        scene.open("posix:/a");
        scene.watch(0..16, None);
        assert_eq!(scene.looks(SECOND)[0].bytes, b"other");
    }

    #[test]
    fn opening_another_closes_the_first_and_the_end_lets_go_of_all() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        scene.open("posix:/a");
        assert_eq!(scene.nattch(), 0);
        scene.open("sysv:1");
        scene.order(Order::Close { keep: true });
        scene.open("sysv:1");
        let machine = scene.machine.clone();
        drop(scene);
        machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
    }

    #[test]
    fn what_cannot_be_opened_is_told_with_the_reason() {
        let mut scene = Scene::new();
        let segment = scene.segment("posix:/a");
        scene.machine.remove_object("a");
        let events = scene.order(Order::Open(segment));
        assert!(
            matches!(&events[..], [Event::Opened(Opened { result: Err(OpenError::Gone { .. }), .. })]),
            "{events:?}"
        );
        scene.watch(0..16, Some(TENTH));
        assert_eq!(scene.viewer.deadline(), None);
    }

    #[test]
    fn looks_come_at_once_and_then_when_something_changed() {
        let mut scene = Scene::new();
        scene.open("posix:/a");
        assert_eq!(scene.viewer.deadline(), None);
        scene.watch(0..16, Some(TENTH));
        let first = scene.looks(Duration::ZERO);
        assert_eq!(first[0].bytes, b"hello");
        let due = scene.viewer.deadline().unwrap();
        assert_eq!(due, scene.now + TENTH);
        let quiet = scene.looks(SECOND).len();
        assert!(quiet <= 1, "{quiet} looks showed nothing new");
        scene.machine.edit_object("a", |bytes| bytes.write(1, b"a"));
        let after = scene.looks(SECOND);
        assert_eq!(after[0].bytes, b"hallo");
        assert_eq!(after[0].changed, std::iter::once(1..2).collect::<Vec<_>>());
        // Once more, to say that it has stopped changing.
        assert_eq!(after.len(), 2);
        assert_eq!(after[1].changes, 0);
    }

    #[test]
    fn frozen_means_only_when_asked_or_when_another_part_is_shown() {
        let mut scene = Scene::new();
        scene.open("posix:/a");
        scene.watch(0..4, Some(TENTH));
        scene.pass(SECOND);
        scene.watch(0..4, None);
        assert_eq!(scene.viewer.deadline(), None);
        scene.watch(1..5, None);
        assert_eq!(scene.looks(SECOND)[0].bytes, b"ello");
        scene.order(Order::LookOnce);
        assert_eq!(scene.looks(SECOND).len(), 1);
        assert_eq!(scene.viewer.deadline(), None);
    }

    #[test]
    fn differences_and_jumps_go_by_the_baseline() {
        let mut scene = Scene::new();
        let find = |scene: &mut Scene, from| {
            let request = Request { number: 3, from, direction: Direction::Forward, what: Target::Change };
            let events = scene.order(Order::Find(Box::new(request)));
            let [Event::Found(Found { request: 3, result: Ok(at), .. })] = events[..] else { panic!() };
            at
        };
        scene.open("posix:/a");
        scene.watch(0..16, Some(TENTH));
        scene.pass(TENTH);
        scene.machine.edit_object("a", |bytes| bytes.write(4, b"!"));
        scene.pass(TENTH);
        assert_eq!(find(&mut scene, 0), Some(4));
        assert_eq!(find(&mut scene, 5), None);
        scene.order(Order::SetBaseline);
        assert_eq!(find(&mut scene, 0), None);
    }

    #[test]
    fn a_search_answers_in_its_own_time_and_closing_ends_it() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        let what = Target::Pattern(Pattern::text("llo").unwrap());
        let request = Request { number: 9, from: 0, direction: Direction::Forward, what };
        assert!(scene.order(Order::Find(Box::new(request))).is_empty());
        let answer = scene.inbox.recv_timeout(10 * SECOND);
        assert!(
            matches!(answer, Ok(Message::Event(Event::Found(Found { request: 9, result: Ok(Some(2)), .. })))),
            "{answer:?}"
        );
    }

    #[test]
    fn a_look_that_fails_says_so_once() {
        let mut scene = Scene::new();
        scene.open("sysv:1");
        scene.watch(0..16, Some(TENTH));
        scene.pass(TENTH);
        scene.machine.edit(|facts| facts.sysv.clear());
        let events = scene.pass(SECOND);
        let [Event::LookFailed(reason)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(reason, "sysv:1 is gone: it was removed while it was open");
    }
}
