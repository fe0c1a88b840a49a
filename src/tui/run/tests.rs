//! The real loop and the real engine, on a fake machine and a fake terminal.

use super::*;
use crate::app::key::Key;
use crate::engine::{Feed, Preview, SubscriptionId};
use crate::machine::fake::{FakeBytes, FakeMachine};
use crate::segment::{Segment, SegmentId};
use crate::survey::{Names, Survey};
use ratatui::buffer::Cell;
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::sync::mpsc::Sender;
use std::thread::{self, JoinHandle};

const LONG: Duration = Duration::from_secs(10);
const SIZE: Size = Size { width: 40, height: 4 };

/// Asks for something at certain keys, and shows what has happened.
#[derive(Default)]
struct Player {
    log: Vec<String>,
    tick: Option<Duration>,
    asks: Vec<(char, Effect)>,
}

impl Program for Player {
    fn update(&mut self, _: Clock, event: Event) -> Vec<Effect> {
        self.log.push(match &event {
            Event::Key(key) => key.to_string(),
            Event::Resize(size) => format!("{}x{}", size.width, size.height),
            Event::Engine(report) => match &report.body {
                Body::Surveyed(survey) => format!("{} segments", survey.segments.len()),
                Body::Preview(Preview { bytes: Ok(bytes), .. }) => format!("{} bytes", bytes.len()),
                other => format!("{other:?}"),
            },
            Event::Failed(reason) => reason.clone(),
            other => format!("{other:?}"),
        });
        if matches!(event, Event::Tick) {
            self.tick = None;
        }
        let Event::Key(key) = event else { return vec![] };
        self.asks.iter().filter(|(c, _)| key == Key::char(*c)).map(|(_, effect)| effect.clone()).collect()
    }

    fn next_tick(&self, _: Clock) -> Option<Duration> {
        self.tick
    }

    fn draw(&self, buffer: &mut Buffer) {
        buffer.set_string(0, 0, self.log.join(" "), Style::new());
    }
}

/// Tells what it is asked to do.
struct Told(Sender<String>);

impl Stage for Told {
    fn size(&self) -> io::Result<Size> {
        Ok(SIZE)
    }

    fn draw(&mut self, size: Size, paint: &mut dyn FnMut(&mut Buffer)) -> io::Result<()> {
        let mut buffer = Buffer::empty(Rect::new(0, 0, size.width.max(200), size.height));
        paint(&mut buffer);
        let shown: String = buffer.content.iter().map(Cell::symbol).collect();
        self.tell(format!("shows {}", shown.trim_end()))
    }

    fn forget(&mut self) {
        let _ = self.tell("forgets".to_owned());
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        if text.len() > 10 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too long"));
        }
        self.tell(format!("copies {text}"))
    }

    fn capture_mouse(&mut self, on: bool) -> io::Result<()> {
        self.tell(format!("mouse {on}"))
    }

    fn stop(&mut self, whom: StopTarget) -> io::Result<()> {
        self.tell(format!("stops {whom:?}"))
    }

    fn enter_again(&mut self) -> io::Result<()> {
        self.tell("enters".to_owned())
    }
}

impl Told {
    fn tell(&self, text: String) -> io::Result<()> {
        self.0.send(text).map_err(|_| io::Error::from_raw_os_error(libc::EIO))
    }
}

/// The loop on a thread of its own, with a person in front of it.
struct Scene {
    messages: Sender<Message>,
    told: Receiver<String>,
    thread: JoinHandle<Result<ExitReason, RunError>>,
}

impl Scene {
    /// One whose first picture has the first survey, however busy the computer is.
    fn new(machine: &FakeMachine, player: Player) -> Self {
        Self::with_patience(machine, player, LONG)
    }

    fn with_patience(machine: &FakeMachine, player: Player, patience: Duration) -> Self {
        let machine: Arc<dyn Machine> = Arc::new(machine.clone());
        let (messages, inbox) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let mut engine = start(&machine, engine::Options::default(), messages.clone()).unwrap();
        engine.send(Request::Survey);
        let thread = thread::spawn(move || {
            let mut tested = Loop::new(player, Told(tell), engine, inbox);
            tested.patience = patience;
            tested.run()
        });
        Self { messages, told, thread }
    }

    fn key(&self, c: char) {
        self.messages.send(Event::Key(Key::char(c)).into()).unwrap();
    }

    fn next(&self) -> String {
        self.told.recv_timeout(LONG).unwrap()
    }

    fn end(self) -> Result<ExitReason, RunError> {
        self.thread.join().unwrap()
    }
}

fn made() -> FakeMachine {
    let machine = FakeMachine::new();
    machine.add_object("a", FakeBytes::full(b"hello"));
    machine
}

fn asks(asks: impl IntoIterator<Item = (char, Effect)>) -> Player {
    let quit = ('q', Effect::Quit);
    Player { asks: asks.into_iter().chain([quit]).collect(), ..Player::default() }
}

#[test]
fn the_first_picture_has_the_first_survey() {
    let scene = Scene::new(&made(), asks([]));
    assert_eq!(scene.next(), "shows 40x4 1 segments");
    scene.key('q');
    assert!(matches!(scene.end(), Ok(ExitReason::Quit)));
}

#[test]
fn what_has_happened_meanwhile_is_one_picture() {
    // A paste into a terminal without bracketed paste: many keys at once, here
    // before the loop has looked.
    let machine = made();
    let (messages, inbox) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let machine: Arc<dyn Machine> = Arc::new(machine);
    let engine = start(&machine, engine::Options::default(), messages.clone()).unwrap();
    for c in "xxxxxxxxxxxxxxxxxxxxq".chars() {
        messages.send(Event::Key(Key::char(c)).into()).unwrap();
    }
    let mut tested = Loop::new(asks([]), Told(tell), engine, inbox);
    tested.surveyed = true;
    assert!(tested.begin().is_continue());
    assert_eq!(told.recv().unwrap(), "shows 40x4");
    assert!(tested.turn().is_break());
    assert_eq!(told.try_recv().ok(), None, "no picture was drawn for each key");
}

#[test]
fn at_rest_nothing_happens() {
    let scene = Scene::new(&made(), asks([('p', Request::SurveyEvery(None).into())]));
    scene.next();
    scene.key('p');
    assert_eq!(scene.next(), "shows 40x4 1 segments p");
    let quiet = scene.told.recv_timeout(Duration::from_millis(200));
    assert_eq!(quiet, Err(RecvTimeoutError::Timeout));
    scene.key('q');
    scene.end().unwrap();
}

#[test]
fn a_resize_to_the_same_size_is_drawn_whole() {
    let scene = Scene::new(&made(), asks([]));
    scene.next();
    scene.messages.send(Message::Resized).unwrap();
    assert_eq!(scene.next(), "forgets");
    assert_eq!(scene.next(), "shows 40x4 1 segments 40x4");
    scene.key('q');
    scene.end().unwrap();
}

#[test]
fn what_changes_by_itself_gets_its_tick() {
    let player = Player { tick: Some(Duration::from_millis(20)), ..asks([]) };
    let scene = Scene::new(&made(), player);
    assert_eq!(scene.next(), "shows 40x4 1 segments");
    assert_eq!(scene.next(), "shows 40x4 1 segments Tick");
    scene.key('q');
    scene.end().unwrap();
}

#[test]
fn keys_are_answered_while_a_survey_runs() {
    let machine = made();
    let (open, shut) = mpsc::channel::<()>();
    let slow = machine.clone();
    let (held, holds) = mpsc::channel();
    // Whoever asks the machine anything waits until this is over.
    let gate = thread::spawn(move || {
        slow.edit(|_| {
            held.send(()).unwrap();
            shut.recv().unwrap();
        });
    });
    holds.recv_timeout(LONG).unwrap();
    let scene = Scene::with_patience(&machine, asks([]), FIRST_SURVEY);
    assert_eq!(scene.next(), "shows 40x4", "the first picture does not wait for ever");
    scene.key('x');
    assert_eq!(scene.next(), "shows 40x4 x");
    open.send(()).unwrap();
    gate.join().unwrap();
    assert_eq!(scene.next(), "shows 40x4 x 1 segments");
    scene.key('q');
    scene.end().unwrap();
}

#[test]
fn effects_reach_the_terminal_and_their_failure_the_program() {
    let scene = Scene::new(
        &made(),
        asks([
            ('y', Effect::Copy("sysv:1".into())),
            ('Y', Effect::Copy("x".repeat(11))),
            ('M', Effect::CaptureMouse(false)),
            ('z', Effect::Suspend),
        ]),
    );
    scene.next();
    for (key, told, shown) in [
        ('y', Some("copies sysv:1"), " y"),
        ('Y', None, " Y too long"),
        ('M', Some("mouse false"), " M"),
        ('z', Some("stops Group"), " z 40x4 Resumed"),
    ] {
        scene.key(key);
        if let Some(told) = told {
            assert_eq!(scene.next(), told);
        }
        let picture = scene.next();
        assert!(picture.ends_with(shown), "{picture}");
    }
    scene.messages.send(Message::Stop(StopTarget::Process)).unwrap();
    assert_eq!(scene.next(), "stops Process");
    assert!(scene.next().ends_with("40x4 Resumed"));
    scene.messages.send(Message::Continued).unwrap();
    assert_eq!(scene.next(), "enters");
    assert!(scene.next().ends_with("40x4 Resumed"));
    scene.key('q');
    scene.end().unwrap();
}

#[test]
fn requests_reach_the_engine_and_the_end_lets_go_of_all() {
    let machine = made();
    machine.add_sysv(1, 0, FakeBytes::full(b"hello"));
    let survey = Survey::take(&machine, &mut Names::default());
    let [sysv, posix] = &survey.segments[..] else { panic!() };
    assert!(matches!(sysv.id, SegmentId::Sysv(_)));
    let boxed = |segment: &Segment| Box::new(segment.clone());
    let player = asks([
        ('p', Request::Subscribe(SubscriptionId(1), boxed(posix), Feed::Preview { every: None }).into()),
        ('o', Request::Subscribe(SubscriptionId(2), boxed(sysv), Feed::Window).into()),
        ('r', Request::Survey.into()),
    ]);
    let scene = Scene::new(&machine, player);
    let wait_for = |shown: &str| while !scene.next().contains(shown) {};
    scene.key('p');
    wait_for("5 bytes");
    scene.key('o');
    wait_for("Opened");
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 1));
    machine.add_object("b", FakeBytes::hole(1));
    scene.key('r');
    wait_for("3 segments");
    scene.key('q');
    scene.end().unwrap();
    machine.edit(|facts| assert_eq!(facts.sysv[0].row.nattch, 0));
}

#[test]
fn every_end_has_its_reason_and_status() {
    for (message, reason, status) in [
        (Message::Signal(15), ExitReason::Signal(15), 143),
        (Message::HungUp, ExitReason::HungUp, 129),
        (Message::Panicked, ExitReason::Panicked, 101),
    ] {
        let scene = Scene::new(&made(), asks([]));
        scene.next();
        scene.messages.send(message).unwrap();
        let end = scene.end().unwrap();
        assert_eq!((end, end.status()), (reason, status));
    }
    assert_eq!(ExitReason::Quit.status(), 0);
}

#[test]
fn a_terminal_that_has_gone_is_no_error_and_one_that_fails_is() {
    let scene = Scene::new(&made(), asks([]));
    let Scene { messages, told, thread } = scene;
    drop(told);
    let _ = messages.send(Event::Tick.into());
    assert!(matches!(thread.join().unwrap(), Ok(ExitReason::HungUp)));

    let scene = Scene::new(&made(), asks([]));
    scene.messages.send(Message::InputFailed(io::ErrorKind::Other.into())).unwrap();
    assert!(matches!(scene.end(), Err(RunError::Input(_))));
}
